"""Whether the driver model predicts what was answered, by respondents it did not see."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from nps_research.drivers.model import DriverModel
from nps_research.results.result import Result
from nps_research.results.words import points, share
from nps_research.statistics.normal_limits import with_normal_limits

N_PARTS = 10


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ModelCalibration(Result):
    """Observed NPS by tenths of the prediction.

    `frame` columns: term (tenth, from the lowest predictions), n, predicted (mean prediction, points), estimate
    (observed NPS) with std_error, conf_low, conf_high.

    Attributes
    ----------
    predicted, observed : float
        NPS of all, points.
    r_squared, r_squared_conf_low, r_squared_conf_high : float
        Share of the variance predicted, out of sample.
    """

    predicted: float
    observed: float
    r_squared: float
    r_squared_conf_low: float
    r_squared_conf_high: float

    kind: ClassVar[str] = "model_calibration"
    headings: ClassVar[Mapping[str, str]] = {
        "term": "Tenth by prediction",
        "predicted": "Predicted NPS",
        "estimate": "Observed NPS",
    }
    formats: ClassVar[Mapping[str, str]] = {"predicted": "points"}
    table_columns: ClassVar = ("term", "n", "predicted", "estimate", "conf_high")

    @property
    def finding(self) -> str:
        return (
            f"The ratings predict {share(max(self.r_squared, 0.0))} of the differences between answers of respondents "
            f"the model did not see."
        )

    @property
    def details(self) -> str:
        low, high = (max(value, 0.0) for value in (self.r_squared_conf_low, self.r_squared_conf_high))
        gap = (self.frame["predicted"] - self.frame["estimate"]).abs()
        return (
            f"{self.confidence_level:.0%} interval {share(low)} to {share(high)}. The model predicts an NPS of "
            f"{points(self.predicted)}; {points(self.observed)} was observed; in tenths by prediction the two are "
            f"apart by {gap.mean():.1f} points on average, and by {gap.max():.1f} at most."
        )

    @property
    def note(self) -> str:
        return "What is not predicted is what ratings do not tell: other experiences, persons, chance."

    @property
    def alt(self) -> str:
        said = [f"{points(row['predicted'])} predicted, {points(row['estimate'])} observed" for row in self.records]
        return "Observed against predicted NPS by tenths: " + "; ".join(said) + "."


def model_calibration(model: DriverModel) -> ModelCalibration:
    """Set observed beside predicted NPS, by tenths of the prediction, out of sample.

    Parameters
    ----------
    model : DriverModel

    Returns
    -------
    ModelCalibration
    """
    data = model.data
    predicted, observed = model.predictions.to_numpy(), model.observed.to_numpy()
    part = np.empty(len(data), dtype=np.int64)
    part[np.argsort(predicted, kind="stable")] = np.arange(len(data)) * N_PARTS // len(data)
    rows: list[dict[str, Any]] = []
    for tenth in range(N_PARTS):
        rows_of = part == tenth
        weight = data.weights[rows_of]
        mean = float(np.average(observed[rows_of], weights=weight))
        of_clusters = np.bincount(data.cluster[rows_of], weight * (observed[rows_of] - mean))
        m = len(np.unique(data.cluster[rows_of]))
        error = float(np.sqrt((of_clusters**2).sum() * m / max(m - 1, 1)) / weight.sum())
        rows.append(
            {
                "term": f"{tenth + 1}",
                "n": int(rows_of.sum()),
                # trees may go beyond what a score can be
                "predicted": float(np.clip(np.average(predicted[rows_of], weights=weight), -100, 100)),
                **with_normal_limits(mean, error, model.confidence_level),
            }
        )
    frame = pd.DataFrame(rows)
    frame["conf_low"], frame["conf_high"] = frame["conf_low"].clip(lower=-100.0), frame["conf_high"].clip(upper=100.0)
    return ModelCalibration(
        frame=frame,
        confidence_level=model.confidence_level,
        title="Observed and predicted NPS, by tenths of the prediction",
        minimum_cell=model.minimum_cell,
        predicted=float(np.average(predicted, weights=data.weights)),
        observed=model.baseline,
        r_squared=model.r_squared,
        r_squared_conf_low=model.r_squared_conf_low,
        r_squared_conf_high=model.r_squared_conf_high,
    )
