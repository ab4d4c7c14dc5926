"""How fast answers come, and whether slow answers are other answers: a hint at those that never come."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nps_research.counting.checks import check_level
from nps_research.counting.clusters import response_clusters
from nps_research.counting.score_counts import score_distribution
from nps_research.counting.silence import silence_caveat
from nps_research.errors import CannotAnswerError
from nps_research.results.few_units import tells_of_one
from nps_research.results.result import Result
from nps_research.results.suppression import hidden_rows
from nps_research.results.words import format_interval, p_text, points, share
from nps_research.score.score import net_promoter_score
from nps_research.statistics.distributions import t_ppf, t_sf
from nps_research.statistics.least_squares import regress
from nps_research.study.response_states import window_open
from nps_research.study.study import Study
from nps_research.typing import Flags, Integers

_NO_SIGN = "no sign that those who never answered would score otherwise, and a weak test of it"
_BY_CHANCE = "chance alone could make that trend"
_ENDS = (0, 1, 2, 4, 7, 14, 30, 60)  # last day of each band, as far as the window goes


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class DaysToAnswer(Result):
    """Answers by days after the invitation.

    `frame` columns: group (the days), n (forms returned), cumulative_share (of all that were), n_scores (answers to the
    recommendation question), estimate (their NPS) with std_error, conf_low, conf_high.
    """

    half_day: int
    ninety_day: int
    n_late: int
    window_days: int
    trend: float = np.nan
    trend_conf_low: float = np.nan
    trend_conf_high: float = np.nan
    trend_p_value: float = np.nan
    caveat: str = ""

    kind: ClassVar[str] = "days_to_answer"
    headings: ClassVar[Mapping[str, str]] = {
        "group": "Days after the invitation",
        "n": "Forms returned",
        "cumulative_share": "Had come by then",
        "n_scores": "Answers",
    }
    formats: ClassVar[Mapping[str, str]] = {"cumulative_share": "share", "n_scores": "count"}
    table_columns: ClassVar[tuple[str, ...]] = ("group", "n", "cumulative_share", "n_scores", "estimate", "conf_high")

    @property
    def finding(self) -> str:
        if not self.records:
            return "There are too few answers to show how fast they come."
        half, ninety = (
            "on the day of the invitation" if day == 0 else f"by day {day}" for day in (self.half_day, self.ninety_day)
        )
        return f"Half of the answers had come {half}, nine in ten {ninety}."

    @property
    def details(self) -> str:
        if not self.records:
            return ""
        total = int(self.frame["n"].sum())
        is_few = 0 < self.n_late < self.minimum_cell
        says = "" if is_few else f"After the window of {self.window_days} days came {share(self.n_late / total)}."
        if np.isfinite(self.trend):
            limits = format_interval(self.trend_conf_low, self.trend_conf_high, "points")
            says += (
                f" From one row of days to the next the NPS moves by {points(self.trend)} on average "
                f"({self.confidence_level:.0%} interval {limits}; {p_text(self.trend_p_value)}): {self._sign}."
            )
        return f"{says} {self.caveat}".strip()

    @property
    def _sign(self) -> str:
        """What the trend, and the slowest row, say of those who never answered."""
        if self.trend_p_value < 1 - self.confidence_level:
            side = "lower" if self.trend < 0 else "higher"
            return f"a weak sign that those who never answered would score {side}, too"
        scores = [row["estimate"] for row in self.records if np.isfinite(row["estimate"])]
        for side, end in (("lowest", min(scores)), ("highest", max(scores))):
            if scores[-1] == end:
                return f"{_BY_CHANCE}, yet the slowest answers are the {side} of all ({points(end)})"
        return _NO_SIGN

    @property
    def note(self) -> str:
        return (
            "Base: forms returned to invitations whose window has closed, with both dates known; days by the calendar. "
            "That slow answers resemble those never given (a continuum of resistance) is an assumption that often "
            "fails (Lin & Schaeffer 1995): those who never answer may be other people altogether. Limits as in the "
            "score; those of the trend, a line through the answers of the rows shown, hold where answers of a cluster "
            "go together. Waves and groups are not held constant."
        )

    @property
    def alt(self) -> str:
        rows = [f"{row['group']} {share(row['cumulative_share'])}" for row in self.records]
        if not rows:
            return "There are too few answers to draw."
        return f"A rising line, the share of answers that had come by days after the invitation: {'; '.join(rows)}."


def days_to_answer(study: Study, *, confidence_level: float = 0.95) -> DaysToAnswer:
    """Count days from invitation to answer, and follow the NPS from fast to slow answers (late respondents).

    The estimands are the shares of the returned forms that come within so many days, and the slope of the NPS over the
    bands of days, a step a band: they widen with the days, as answers thin out. Bands that are not shown have no part
    in it, so that it tells nothing of them.

    Parameters
    ----------
    study : Study
        With ``responses.invited_at`` and ``responses.responded_at``.
    confidence_level : float
        Level of the limits.

    Returns
    -------
    DaysToAnswer

    Raises
    ------
    CannotAnswerError
        If either date is not known, or nobody answered an invitation whose window has closed.

    References
    ----------
    Lin, I.-F. & Schaeffer, N. C. (1995). Using survey participants to estimate the impact of nonparticipation. Public
    Opinion Quarterly 59, 236-258. doi:10.1086/269471

    Examples
    --------
    >>> from nps_research.study.study import Study
    >>> answers = pd.DataFrame({"likelihood_to_recommend": [10] * 40, "invited_at": "2025-01-01"})
    >>> answers["responded_at"] = ["2025-01-01"] * 25 + ["2025-01-04"] * 15
    >>> found = days_to_answer(Study.from_frames(responses=answers, settings={"data_until": "2025-03-01"}))
    >>> found.half_day, found.ninety_day, found.frame["cumulative_share"].round(3).tolist()
    (0, 3, [0.625, 1.0])
    """
    check_level(confidence_level)
    study.require("responses.invited_at", "responses.responded_at")
    rows = study.responses[~window_open(study.responses, study.settings)]
    came = rows["response_state"].isin(["answered", "item_missing"])
    rows = rows[came & rows["invited_at"].notna() & rows["responded_at"].notna()]
    if rows.empty:
        raise CannotAnswerError("No invitation whose window has closed was answered with both dates known.")
    day = (rows["responded_at"].dt.normalize() - rows["invited_at"].dt.normalize()).dt.days.to_numpy()
    window = study.settings.response_window_days
    late = (rows["responded_at"] > rows["invited_at"] + pd.Timedelta(days=window)).to_numpy()
    knows_scores = "responses.likelihood_to_recommend" in study.available
    names, band = _day_bands(day, late, window)
    n = np.bincount(band, minlength=len(names))
    scored = rows["likelihood_to_recommend"].notna().to_numpy() if knows_scores else np.ones(len(rows), dtype=bool)
    n_scores = np.bincount(band[scored], minlength=len(names))
    minimum = study.settings.minimum_cell
    hidden = hidden_rows(n_scores, minimum, people=n)
    frame = pd.DataFrame({"group": names, "n": n, "cumulative_share": np.cumsum(n) / n.sum()})
    trend: dict[str, Any] = {}
    columns = ["estimate", "std_error", "conf_low", "conf_high"]
    if knows_scores:
        frame = frame.merge(_scores(study, rows, np.array(names)[band], confidence_level), on="group", how="left")
        trend = _trend(study, rows[~hidden[band]], band[~hidden[band]], confidence_level)
    else:
        frame[["n_scores", *columns]] = np.nan
    ordered = np.sort(day)
    return DaysToAnswer(
        frame=frame[["group", "n", "cumulative_share", "n_scores", *columns]],
        confidence_level=confidence_level,
        title="How fast answers come",
        minimum_cell=minimum,
        hidden=frozenset(np.array(names, dtype=object)[hidden]),
        half_day=int(ordered[(len(ordered) + 1) // 2 - 1]),
        ninety_day=int(ordered[int(np.ceil(0.9 * len(ordered))) - 1]),
        n_late=int(late.sum()),
        window_days=window,
        **trend,
        caveat=silence_caveat(study),
    )


def _day_bands(day: Integers, late: Flags, window: int) -> tuple[list[str], Integers]:
    """Names of the bands of days that have answers, in order, and each answer's place among them."""
    ends = [end for end in _ENDS if end < window] + [window]
    starts = [0, *(end + 1 for end in ends[:-1])]
    names = ["the same day", "the next day"] + [
        f"day {end}" if start == end else f"days {start} to {end}"
        for start, end in zip(starts[2:], ends[2:], strict=True)
    ]
    names = [*names[: len(ends)], "after the window"]
    band = np.where(late, len(ends), np.minimum(np.searchsorted(ends, day), len(ends) - 1))
    present, place = np.unique(band, return_inverse=True)
    return [names[each] for each in present], place.astype(np.int64)


def _scores(study: Study, rows: pd.DataFrame, band: NDArray[np.str_], confidence_level: float) -> pd.DataFrame:
    """NPS of each band with its limits, as `net_promoter_score` has them."""
    by_band = replace(study, rows=rows.assign(days_to_answer=band).reset_index(drop=True), waves=(), segments=())
    dist = score_distribution(by_band, by="days_to_answer", weight=None, stratum=None)
    found = net_promoter_score(
        dist,
        promoter_min=study.settings.promoter_min,
        detractor_max=study.settings.detractor_max,
        confidence_level=confidence_level,
    ).frame
    return found[["group", "n", "estimate", "std_error", "conf_low", "conf_high"]].rename(columns={"n": "n_scores"})


def _trend(study: Study, rows: pd.DataFrame, band: Integers, confidence_level: float) -> dict[str, float]:
    """NPS points from a band to the next, with limits and p; least squares, robust to clusters.

    Empty where nothing tells how far chance may move it: in one cluster, or if all in each band gave one class of
    answer.
    """
    score = rows["likelihood_to_recommend"].to_numpy(dtype=float, na_value=np.nan)
    answered = ~np.isnan(score)
    score, place = score[answered], band[answered].astype(float)
    value = 100.0 * (score >= study.settings.promoter_min) - 100.0 * (score <= study.settings.detractor_max)
    codes = np.unique(response_clusters(study, rows)[0][answered], return_inverse=True)[1]
    m = len(np.unique(codes))
    if len(np.unique(place)) < 2 or m < 2:
        return {}
    size = np.bincount(codes).astype(np.float64)
    if tells_of_one(size, size, study.settings.minimum_cell):
        return {}
    fitted = regress(value, np.column_stack([np.ones(len(place)), place]), np.ones(len(place)), codes)
    slope, std_error = float(fitted.coefficient[1]), float(np.sqrt(max(fitted.covariance[1, 1], 0.0)))
    if not std_error > 1e-9:
        return {}
    half = float(t_ppf(0.5 + confidence_level / 2, m - 1)) * std_error
    return {
        "trend": slope,
        "trend_conf_low": slope - half,
        "trend_conf_high": slope + half,
        "trend_p_value": float(2 * t_sf(abs(slope) / std_error, m - 1)),
    }
