"""What change between waves or groups their samples could have seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
import pandas as pd

from nps_research.counting.given import as_distribution
from nps_research.counting.score_distribution import ScoreDistribution
from nps_research.errors import EstimationError
from nps_research.results.words import plain_text, points, share
from nps_research.score.differences import DIFFERENCE_WORDS, Group, OfPairs, compare_net_promoter_scores
from nps_research.score.limits.methods import LimitsMethod
from nps_research.statistics.distributions import normal_ppf
from nps_research.study.study import Study
from nps_research.typing import Floats


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class DetectableChange(OfPairs):
    """What change between groups the samples could have seen.

    `frame` columns: group_a, group_b, n_a, n_b, detectable_change (points; missing, where no possible
    change would have been found), change (the difference seen, b - a), std_error, change_conf_low,
    change_conf_high, p_value (the change's, not adjusted).
    """

    power: float
    method: LimitsMethod

    kind: ClassVar[str] = "detectable_change"
    rows_are_dots: ClassVar[bool] = True
    table_columns: ClassVar[tuple[str, ...]] = (
        "group_a",
        "group_b",
        "n_a",
        "n_b",
        "detectable_change",
        "change",
        "change_conf_high",
    )
    headings: ClassVar[Mapping[str, str]] = {
        "detectable_change": "Smallest change it would have found",
        "change": "Change seen",
    }
    formats: ClassVar[Mapping[str, str]] = {"detectable_change": "width"}

    @property
    def able(self) -> list[dict[str, Any]]:
        """The shown pairs in which some change could have been found."""
        return [row for row in self.records if not np.isnan(row["detectable_change"])]

    @property
    def finding(self) -> str:
        rows = self.able
        if not rows:
            return "No change could have been found: there are no two groups with enough answers."
        last = rows[-1]
        return (
            f"From {plain_text(last['group_a'])} to {plain_text(last['group_b'])}, a change of "
            f"{last['detectable_change']:.1f} points would have been found with {share(self.power)} power; "
            "smaller ones may well go unseen."
        )

    @property
    def details(self) -> str:
        rows = self.able
        if not rows:
            return ""
        sizes = sorted(float(row["detectable_change"]) for row in rows)
        over = f" Over all {len(rows)} pairs, what would have been found starts at {sizes[0]:.1f} to {sizes[-1]:.1f}."
        return f"The change seen is {points(rows[-1]['change'])} points.{over * (len(rows) > 1)}"

    @property
    def note(self) -> str:
        return (
            f"Found means: the two-sided test at the {1 - self.confidence_level:.0%} level rejects, each pair by "
            f"itself. Standard errors: {DIFFERENCE_WORDS[self.method]}. This is about the sample's size, not about "
            "whether the score changed: for that, read the change and its interval."
        )

    @property
    def alt(self) -> str:
        rows = [
            f"{plain_text(row['group_a'])} to {plain_text(row['group_b'])}: {row['detectable_change']:.1f} points, "
            f"seen {points(row['change'])}"
            for row in self.able
        ]
        seldom = f"found in fewer than {share(self.power)} of surveys like these"
        return f"Grey bands of changes {seldom}, with the change seen as a point: {'; '.join(rows)}."


def detectable_change(
    dist: ScoreDistribution | Study,
    *,
    pairs: Sequence[tuple[Group, Group]] | Literal["all", "consecutive"] | None = None,
    power: float = 0.8,
    promoter_min: int | None = None,
    detractor_max: int | None = None,
    confidence_level: float = 0.95,
) -> DetectableChange:
    """Find the smallest change that these samples would have shown with given power (minimum detectable effect).

    The estimand is, per pair of groups, the true difference in points that the two-sided test of
    `compare_net_promoter_scores` rejects with probability `power`, at the standard error these answers have:
    clusters and weights count, and so does asking the same people twice. The quantile of the test
    plus the normal quantile of the power, times the standard error (Bloom 1995).

    Parameters
    ----------
    dist : ScoreDistribution or Study
        Answers per group; a Study is counted by wave.
    pairs : sequence of (a, b), "all" or "consecutive", optional
        As in `compare_net_promoter_scores`; None takes each wave against the one before, or all pairs where groups are
        no waves.
    power : float
        Probability of finding the change, 0.5 or more.
    promoter_min, detractor_max : int, optional
        Lowest promoter and highest detractor answer; None takes the study's.
    confidence_level : float
        1 less the level of the test.

    Returns
    -------
    DetectableChange

    Raises
    ------
    EstimationError
        If the power is below 0.5 or not below 1, or a pair names no group.

    Notes
    -----
    It depends on the standard error alone, not on the change seen; the power "observed" at the change
    seen would only be its p-value in other words.

    References
    ----------
    Bloom, H. S. (1995). Minimum detectable effects: a simple way to report the statistical power of
    experimental designs. Evaluation Review 19(5), 547-556. doi:10.1177/0193841X9501900504

    Examples
    --------
    >>> from nps_research.counting.score_distribution import ScoreDistribution
    >>> counts = {"2017": [0] * 6 + [20, 20, 20, 20, 20], "2018": [0] * 6 + [40, 20, 20, 10, 10]}
    >>> dist = ScoreDistribution.from_counts(counts, ordered=True)
    >>> detectable_change(dist).frame[["detectable_change", "change"]].round(1).values.tolist()
    [[29.5, -40.0]]
    """
    if not 0.5 <= power < 1:
        raise EstimationError(f"power = {power}: a probability of at least 0.5 and below 1 is needed, e.g. 0.8.")
    dist = as_distribution(dist, by="wave", promoter_min=promoter_min, detractor_max=detractor_max)
    pairs = pairs or ("consecutive" if dist.ordered else "all")
    seen = compare_net_promoter_scores(dist, pairs=pairs, confidence_level=confidence_level)
    columns = ["group_a", "group_b", "n_a", "n_b", "estimate", "std_error", "conf_low", "conf_high", "p_value"]
    frame = seen.frame[columns].rename(
        columns={"estimate": "change", "conf_low": "change_conf_low", "conf_high": "change_conf_high"}
    )
    frame.insert(4, "detectable_change", _detectable(seen.frame, power=power))
    return DetectableChange(
        frame=frame,
        confidence_level=confidence_level,
        title="What change this sample could have seen",
        minimum_cell=dist.minimum_cell,
        hidden=seen.hidden,
        few_units=seen.few_units,
        power=power,
        method=seen.method,
    )


def _detectable(seen: pd.DataFrame, *, power: float) -> Floats:
    low, high, estimate = (seen[name].to_numpy(dtype=float) for name in ("conf_low", "conf_high", "estimate"))
    clipped = (low <= -200) | (high >= 200)
    half_width = np.where(clipped, np.maximum(high - estimate, estimate - low), (high - low) / 2)
    found = half_width + normal_ppf(power) * seen["std_error"].to_numpy(dtype=float)
    return np.where(found <= 200, found, np.nan)
