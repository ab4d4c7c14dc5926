"""What detractors answer the next time without any call, beside what those answer who were called."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from nps_research.callbacks.cases import JUDGEMENT, LOTTERY, cases_of
from nps_research.counting.before_and_after import next_answers
from nps_research.counting.checks import check_level
from nps_research.counting.clusters import response_clusters
from nps_research.errors import CannotAnswerError
from nps_research.results.result import Result
from nps_research.results.words import format_interval, format_value, share
from nps_research.statistics.clustered_rates import clustered_rates
from nps_research.study.needs import begins_with
from nps_research.study.study import Study

CLAIMED = "a quarter of those called become promoters, and a third passives"
_WORDS: Mapping[tuple[str, bool], str] = {
    (LOTTERY, False): "Held out by a lottery",
    (LOTTERY, True): "Called by a lottery",
    (JUDGEMENT, False): "Passed over",
    (JUDGEMENT, True): "Chosen and called",
}
_BEFORE = "In waves before any call"


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class RecoveryWithoutCalls(Result):
    """Detractors and what they answered in the next wave, by whether they were called.

    `frame` columns: group, called, n (detractors with a next answer), asked (detractors in all), promoter_share (of n,
    with limits), passive_share, detractor_share, mean_before, mean_after, change (of the mean answer).

    Attributes
    ----------
    expected_change : float
        By how much their mean answer would move without a call, from how far answers of people who are no detractors
        keep from one wave to the next.
    steadiness : float
        That part: the slope of the next answer on this one.
    """

    expected_change: float = np.nan
    steadiness: float = np.nan

    kind: ClassVar[str] = "recovery_without_calls"
    rows_are_parts: ClassVar[bool] = False
    headings: ClassVar[Mapping[str, str]] = {
        "group": "Detractors",
        "n": "With a next answer",
        "promoter_share": "Then promoters",
        "passive_share": "Then passives",
        "detractor_share": "Still detractors",
        "change": "Change of the mean answer",
    }
    table_columns: ClassVar[tuple[str, ...]] = (
        *("group", "n", "promoter_share", "promoter_share_conf_high", "passive_share", "detractor_share", "change"),
    )

    @property
    def _alone(self) -> dict[str, Any] | None:
        """The detractors nobody called who tell most: held out by lot, before any call, passed over."""
        rows = [row for row in self.records if not row["called"]]
        order = [_WORDS[LOTTERY, False], _BEFORE, _WORDS[JUDGEMENT, False]]
        return min(rows, key=lambda row: order.index(row["group"]), default=None)

    @property
    def finding(self) -> str:
        alone = self._alone
        if alone is None:
            moved = f"{format_value(self.expected_change, 'points')} points"
            return f"Without any call the detractors' mean answer would be expected to move by {moved} by itself."
        return (
            f"Of the detractors nobody called {share(alone['promoter_share'])} became promoters and "
            f"{share(alone['passive_share'])} passives by themselves."
        )

    @property
    def details(self) -> str:
        said = [
            f"{row['group']}: {share(row['promoter_share'])} promoters "
            f"({format_interval(row['promoter_share_conf_low'], row['promoter_share_conf_high'], 'share')}), mean "
            f"answer {row['mean_before']:.1f}, then {row['mean_after']:.1f}."
            for row in self.records
        ]
        if np.isfinite(self.expected_change):
            said.append(
                f"From how steady answers are ({self.steadiness:.2f} of a difference lasts to the next wave), a change "
                f"of {format_value(self.expected_change, 'points')} is expected without any call."
            )
        return " ".join(said)

    @property
    def note(self) -> str:
        return (
            "Base: detractors by the study's line who answered the next wave, too. Low answers are partly a bad day: "
            "the next one is higher without anybody's doing (regression to the mean). Who was passed over, or chosen, "
            f"differed before the call. Claimed elsewhere: {CLAIMED}; no claim of this kind says what happens without "
            "calls."
        )

    @property
    def alt(self) -> str:
        rows = [
            f"{row['group']} {share(row['promoter_share'])} promoters, {share(row['passive_share'])} passives, "
            f"{share(row['detractor_share'])} detractors"
            for row in self.records
        ]
        return f"Stacked bars, what detractors answered the next time: {'; '.join(rows)}."


def _detractors(study: Study) -> pd.DataFrame:
    """Detractors in waves that have a next one, their cases where there are any, and the next answer."""
    study.require("responses.wave")
    cases = cases_of(study)
    rows = study.responses
    low = rows[(rows["response_state"] == "answered") & rows["wave"].notna()]
    low = low[(low["likelihood_to_recommend"] <= study.settings.detractor_max).fillna(value=False)]
    moment = "invited_at" if "responses.invited_at" in study.available else "responded_at"
    if f"responses.{moment}" not in study.available:
        study.require("responses.invited_at")
    following = next_answers(study, low, after=low[moment])
    if not following["score"].notna().any():
        raise CannotAnswerError("No detractor answered a next wave, so what becomes of them is not known.")
    of_case = cases.reindex(low.index)[["has_case", "assigned", "assignment"]]
    place = {wave: at for at, wave in enumerate(study.waves)}
    first = cases.loc[cases["has_case"], "wave"].map(place).min()
    is_before = low["wave"].map(place) < first
    called = of_case["assigned"].fillna(value=False).astype(bool)
    design = np.where(of_case["assignment"] == LOTTERY, LOTTERY, JUDGEMENT)
    in_lottery = (design == LOTTERY) & ~of_case["has_case"].fillna(value=False).astype(bool)
    named = pd.Series([_WORDS[word, bool(each)] for word, each in zip(design, called, strict=True)], index=low.index)
    named = named.mask(is_before, _BEFORE).mask(in_lottery | (~is_before & ~low["wave"].isin(cases["wave"])))
    found = low.assign(group=named, called=called, has_next=following["has_next"], next_score=following["score"])
    return found[found["group"].notna() & found["has_next"]]


@begins_with(_detractors)
def recovery_without_calls(study: Study, *, confidence_level: float = 0.95) -> RecoveryWithoutCalls:
    """Show what detractors answer the next time without a call, and with one.

    The estimand of each row is the share of detractors who are promoters in the next wave, of those who answer it; and
    the mean change of their answers.

    Parameters
    ----------
    study : Study
        With waves and `callbacks`.
    confidence_level : float
        Level of the limits.

    Returns
    -------
    RecoveryWithoutCalls

    Raises
    ------
    CannotAnswerError
        If no case is recorded, or no detractor answered a next wave.

    Notes
    -----
    Where everybody is called, what the detractors' answers would do is expected from those who are none: the line of
    their next answers on these, drawn on to the detractors' mean. That it is straight is assumed.

    References
    ----------
    Davis, C. E. (1976). The effect of regression to the mean in epidemiologic and clinical studies. American Journal of
    Epidemiology 104, 493-498. doi:10.1093/oxfordjournals.aje.a112321
    """
    check_level(confidence_level)
    rows = _detractors(study)
    known = rows[rows["next_score"].notna()]
    names = [name for name in (*_WORDS.values(), _BEFORE) if (known["group"] == name).any()]
    group = pd.Index(names).get_indexer(pd.Index(known["group"])).astype(np.int64)
    cluster, _ = response_clusters(study, known)
    settings, after = study.settings, known["next_score"].to_numpy(dtype=float)
    before = known["likelihood_to_recommend"].to_numpy(dtype=float)
    rates = clustered_rates(
        after >= settings.promoter_min, group, cluster, n_groups=len(names), confidence_level=confidence_level
    )
    frame = pd.DataFrame(
        {"group": names, "called": [name in (_WORDS[LOTTERY, True], _WORDS[JUDGEMENT, True]) for name in names]}
    )
    frame["n"] = rates["n"]
    frame["asked"] = [int((rows["group"] == name).sum()) for name in names]
    frame["promoter_share"] = rates["estimate"]
    for end in ("conf_low", "conf_high"):
        frame[f"promoter_share_{end}"] = rates[end]
    low = np.bincount(group, after <= settings.detractor_max, len(names)) / rates["n"]
    frame["passive_share"], frame["detractor_share"] = 1 - rates["estimate"] - low, low
    frame["mean_before"] = np.bincount(group, before, len(names)) / rates["n"]
    frame["mean_after"] = np.bincount(group, after, len(names)) / rates["n"]
    frame["change"] = frame["mean_after"] - frame["mean_before"]
    slope, expected = _expected(study, before.mean())
    return RecoveryWithoutCalls(
        frame=frame,
        confidence_level=confidence_level,
        title="Detractors and their next answer",
        minimum_cell=settings.minimum_cell,
        steadiness=slope,
        expected_change=expected,
    )


def expected_follow_up(selected: float, mean: float, steadiness: float, *, mean_after: float | None = None) -> float:
    """Expect the next mean of people selected for an extreme answer, were nothing done (regression to the mean).

    Parameters
    ----------
    selected : float
        Their mean now.
    mean : float
        Mean of all now.
    steadiness : float
        Slope of the next answer on this one.
    mean_after : float, optional
        Mean of all the next time; None: as now.

    Examples
    --------
    >>> round(expected_follow_up(4.984, 7.5, 0.6), 2)
    5.99
    """
    return (mean if mean_after is None else mean_after) + steadiness * (selected - mean)


def _expected(study: Study, selected: float) -> tuple[float, float]:
    """Steadiness of answers of people who are no detractors, and the change expected of the detractors."""
    rows = study.responses
    high = rows[(rows["response_state"] == "answered") & rows["wave"].notna()]
    high = high[(high["likelihood_to_recommend"] > study.settings.detractor_max).fillna(value=False)]
    moment = "invited_at" if "responses.invited_at" in study.available else "responded_at"
    after = next_answers(study, high, after=high[moment])["score"]
    now = high.loc[after.notna(), "likelihood_to_recommend"].to_numpy(dtype=float)
    then = after.dropna().to_numpy(dtype=float)
    if len(now) < study.settings.minimum_cell or np.ptp(now) == 0:
        return np.nan, np.nan
    slope = float(np.polyfit(now, then, 1)[0])
    return slope, expected_follow_up(selected, float(now.mean()), slope, mean_after=float(then.mean())) - selected
