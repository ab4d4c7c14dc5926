"""Why the silent leave, and why those who answer do: cumulative incidence by reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np
import pandas as pd

from nps_research.counting.landmarks import ANSWERED, SILENT, landmarks_of, require_horizon
from nps_research.counting.silence import silence_caveat
from nps_research.errors import CannotAnswerError
from nps_research.results.result import Result
from nps_research.results.words import format_interval, format_value, plain_text, share
from nps_research.statistics.survival import survival_risks
from nps_research.study.study import Study

NO_REASON = "not stated"


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class LeavingReasons(Result):
    """Share that left for each reason within the horizon, of the silent and of those who answered.

    `frame` columns, a row a reason: term (the reason), n (left for it), silent and answered (cumulative incidence) with
    their ``_conf_low`` and ``_conf_high``, estimate (silent less answered) with conf_low, conf_high.
    """

    horizon_days: int
    unit: str
    caveat: str
    is_small: bool = False  # too few silent, or too few who answered, for anything to be shown

    kind: ClassVar[str] = "leaving_reasons"
    headings: ClassVar[Mapping[str, str]] = {
        "term": "Reason",
        "n": "Left for it",
        "silent": "Of the silent",
        "answered": "Of those who answered",
        "estimate": "Difference",
    }
    formats: ClassVar[Mapping[str, str]] = {"silent": "share", "answered": "share", "estimate": "share_points"}
    table_columns: ClassVar = (
        *("term", "n", "silent", "silent_conf_high"),
        *("answered", "answered_conf_high", "estimate", "conf_high"),
    )

    @cached_property
    def shown(self) -> pd.DataFrame:
        return self.frame.iloc[:0] if self.is_small else super().shown

    @property
    def finding(self) -> str:
        if self.is_small:
            return f"Too few were silent, or too few answered, to show why they left. {self.caveat}".strip()
        if not self.records:
            return f"Too few left for any one reason to show why. {self.caveat}".strip()
        most = max(self.records, key=lambda row: abs(float(row["estimate"])))
        sure = most["conf_low"] > 0 or most["conf_high"] < 0
        verdict = "" if sure else " Chance alone could make that difference."
        return (
            "The silent and those who answer differ most in how often they leave for this reason: "
            f"{plain_text(most['term'])} ({share(most['silent'])} against {share(most['answered'])} within "
            f"{self.horizon_days} days; "
            f"{format_value(most['estimate'], 'share_points')}, {self.confidence_level:.0%} interval "
            f"{format_interval(most['conf_low'], most['conf_high'], 'share_points')}).{verdict} {self.caveat}"
        ).strip()

    @property
    def note(self) -> str:
        return (
            "Cumulative incidence: who left for another reason cannot leave for this one, and stays in its base. "
            f"Limits take landmarks of one {self.unit} as alike. Reasons are those the study states."
        )

    @property
    def alt(self) -> str:
        said = "; ".join(
            f"{plain_text(row['term'])} {share(row['silent'])} of the silent, {share(row['answered'])} of those who "
            "answered"
            for row in self.records
        )
        return f"Share that left for each reason: {said}." if said else "There are too few to draw."


def leaving_reasons(study: Study, *, horizon_days: int | None = None, confidence_level: float = 0.95) -> LeavingReasons:
    """Compare the reasons for leaving of the silent and of those who answered, within the horizon.

    The estimand is the cumulative incidence of leaving for the reason, with other reasons competing. How long each
    would have been watched is known of leavers too, so that they stay in the base until then (the censoring-complete
    estimator of Fine & Gray); without censoring it is the plain share.

    Parameters
    ----------
    study : Study
        With ``customers.churn_reason``.
    horizon_days, confidence_level
        As in `nonresponse_signal`.

    Returns
    -------
    LeavingReasons

    Raises
    ------
    CannotAnswerError
        If no reason is known.

    References
    ----------
    Fine, J. P. & Gray, R. J. (1999). A proportional hazards model for the subdistribution of a competing risk. Journal
    of the American Statistical Association 94, 496-509. doi:10.1080/01621459.1999.10474144
    """
    study.require("customers.churn_reason")
    landmarks = landmarks_of(study, horizon_days=horizon_days)
    rows = landmarks.rows[landmarks.rows["state"].isin([SILENT, *ANSWERED])]
    require_horizon(rows, landmarks.horizon_days)
    silent = (rows["state"] == SILENT).to_numpy()
    if silent.all() or not silent.any():
        raise CannotAnswerError("At the landmarks nobody is left who was silent, or nobody who answered.")
    event = rows["event"].to_numpy(dtype=bool)
    if not event.any():
        raise CannotAnswerError(f"Nobody is known to have left within {landmarks.horizon_days} days of a landmark.")
    reason = rows["reason"].fillna(NO_REASON).where(event)
    found = []
    for name, n in reason.value_counts().items():
        for_it = (reason == name).to_numpy()
        risks = survival_risks(
            rows["days"].where(for_it, rows["watched_days"]).to_numpy(),
            for_it,
            np.where(silent, 0, 1).astype(np.int64),
            rows["unit"].to_numpy(),
            n_groups=2,
            at=[landmarks.horizon_days],
        )[0]
        low, high = risks.limits(confidence_level)
        gap = risks.difference(0, 1, confidence_level)
        row = {"term": name, "n": n}
        for place, group in enumerate(("silent", "answered")):
            limits = (risks.risk[place], low[place], high[place])
            row |= dict(zip((group, f"{group}_conf_low", f"{group}_conf_high"), limits, strict=True))
        found.append(row | dict(zip(("estimate", "conf_low", "conf_high"), gap, strict=True)))
    return LeavingReasons(
        frame=pd.DataFrame(found),
        confidence_level=confidence_level,
        title=f"Why they left within {landmarks.horizon_days} days",
        minimum_cell=study.settings.minimum_cell,
        horizon_days=landmarks.horizon_days,
        unit=landmarks.unit,
        is_small=min(silent.sum(), (~silent).sum()) < study.settings.minimum_cell,
        caveat=silence_caveat(study),
    )
