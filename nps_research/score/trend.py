"""The score over time, wave by wave, and whether each change is more than noise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from nps_research.counting.given import as_distribution
from nps_research.counting.score_counts import score_distribution
from nps_research.counting.score_distribution import ScoreDistribution
from nps_research.errors import EstimationError
from nps_research.results.result import KeyNumber, without_changes_from
from nps_research.results.words import interval_text, joined, p_text, plain_text, points, title_of
from nps_research.score.differences import compare_net_promoter_scores
from nps_research.score.limits.methods import LimitsMethod, suitable_method
from nps_research.score.score import net_promoter_score
from nps_research.score.scored import CHANGE, Scored, described_design, how_sure, no_score
from nps_research.study.needs import begins_with
from nps_research.study.study import Study

CHANGE_ADJUSTED = (*CHANGE, "p_adjusted")
MOST_WAVES_NAMED = 3  # waves that are not shown, in a sentence


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Trend(Scored):
    """Scores of waves in order of time, each with its change from the wave before.

    `frame` columns: group, n, response_rate, estimate, std_error, conf_low, conf_high (the score's),
    change, change_conf_low, change_conf_high, change_p_value (the change's, not adjusted), p_adjusted
    (the change's, adjusted over all changes).

    Attributes
    ----------
    since_first : mapping or None
        The last wave's change since the first one that can be shown: group, estimate, conf_low, conf_high, p_value;
        none where there are fewer than three waves.
    """

    since_first: Mapping[str, Any] | None = None

    kind: ClassVar[str] = "trend"
    headings: ClassVar[Mapping[str, str]] = {"group": "Wave", "change_p_value": "p"}
    table_columns: ClassVar[tuple[str, ...]] = (
        "group",
        "n",
        "response_rate",
        "estimate",
        "conf_high",
        "change",
        "change_conf_high",
        "change_p_value",
        "p_adjusted",
    )

    @cached_property
    def shown(self) -> pd.DataFrame:
        return without_changes_from(super().shown, list(dict.fromkeys(self.frame["group"])), CHANGE_ADJUSTED)

    @property
    def settings(self) -> dict[str, Any]:
        return super().settings | ({"since_first": None} if self._since_first is None else {})

    @property
    def _since_first(self) -> Mapping[str, Any] | None:
        """The change since the first wave, where both ends are shown."""
        shown = self.shown["group"].tolist()
        ends = self.since_first
        return ends if ends and ends["group"] in shown and shown[-1] == self.frame["group"].iloc[-1] else None

    @property
    def finding(self) -> str:
        rows = self.answered
        if not rows and self.few_units:
            return no_score(self)
        if not rows:
            enough = self.minimum_cell and (self.frame["n"] >= self.minimum_cell).any()
            return "There is no trend to show" + ("." if enough else ": no wave has enough answers.")
        last = rows[-1]
        now = f"The NPS is {points(last['estimate'])} in {plain_text(last['group'])}"
        newest = "" if self._newest_is_shown else f" {self._not_shown()}"
        if self._since_first is None and (len(rows) == 1 or np.isnan(last["change"])):
            return f"{now}; there is no wave just before it to compare it with.{newest}"
        said = [] if self._since_first is None else [self._moved(self._since_first)]
        if len(rows) > 1 and not np.isnan(last["change"]):
            before = {"group": rows[-2]["group"], "estimate": last["change"], "p_value": last["change_p_value"]}
            said.append(self._moved(before))
        return f"{now}: {'; '.join(said)}.{newest}"

    @property
    def _newest_is_shown(self) -> bool:
        last = self.answered[-1]["group"]
        return bool(last == self.frame["group"].iloc[-1]) and "left_out" not in self.design

    def _moved(self, change: Mapping[str, Any]) -> str:
        """A change since a wave, and whether it is more than noise."""
        up_or_down = "up" if change["estimate"] >= 0 else "down"
        moved = f"{up_or_down} {abs(change['estimate']):.1f} since {plain_text(change['group'])}"
        p = change["p_value"]
        if np.isnan(p):
            return f"{moved}, how surely cannot be told from these clusters"
        return f"{moved}, {how_sure(p, self.confidence_level)}"

    @property
    def details(self) -> str:
        rows = self.answered
        if not rows:
            return self._not_shown()
        last = rows[-1]
        said = [f"{plain_text(last['group'])}: {interval_text(last, self.confidence_level)}."]
        said.append(self.held_against_target(last))
        if (first := self._since_first) is not None:
            limits = interval_text(first, self.confidence_level)
            said.append(f"Since {plain_text(first['group'])}: {limits}; {p_text(first['p_value'])}.")
        if len(rows) > 1 and not np.isnan(last["change_p_value"]):
            limits = interval_text(last, self.confidence_level, prefix="change_")
            said.append(f"Since {plain_text(rows[-2]['group'])}: {limits}; {p_text(last['change_p_value'])}.")
        said += [self._earlier(rows[:-1]), self._not_shown() * self._newest_is_shown]
        return " ".join(filter(None, said))

    def _not_shown(self) -> str:
        """Which waves are not shown, and why."""
        gone = self.frame[~self.frame["group"].isin(self.shown["group"])]
        is_small = gone["n"] < self.minimum_cell
        is_few = gone["group"].isin(self.few_units)
        told = (is_small, ~is_small & is_few, ~is_small & ~is_few)
        small, few, others = (gone.loc[rows, "group"].tolist() for rows in told)
        said = [self.design.get("left_out", "")]
        if small:
            said.append(f"{_waves_are(small)} not shown: fewer than {self.minimum_cell} answers.")
        if few and len(self.shown):
            said.append(f"{_waves_are(few)} hidden: few accounts or answers count in it for nearly all.")
        if others:
            said.append(f"{_waves_are(others)} hidden, too: beside the total it would tell what those few answered.")
        return " ".join(filter(None, said))

    def _earlier(self, rows: list[dict[str, Any]]) -> str:
        """The largest of the earlier changes that are established, in a sentence."""
        found = [row for row in rows if row["p_adjusted"] < 1 - self.confidence_level]
        if not found:
            return ""
        row = max(found, key=lambda row: abs(float(row["change"])))
        limits = interval_text(row, self.confidence_level, prefix="change_")
        return (
            f"Earlier, in {plain_text(row['group'])}, it changed by {points(row['change'])} "
            f"({limits}; adjusted {p_text(row['p_adjusted'])}), more than chance explains."
        )

    @property
    def message(self) -> str:
        change = self._since_first or {"p_value": 1.0, "estimate": 0.0, "group": ""}
        if not change["p_value"] < 1 - self.confidence_level:  # nan, too
            return title_of(self.finding)
        moved = f"{'rose' if change['estimate'] >= 0 else 'fell'} {abs(change['estimate']):.1f} points"
        return f"NPS {moved} since {plain_text(change['group'])}"

    @property
    def at_a_glance(self) -> Mapping[str, str]:
        if not self.answered:
            return {}
        against = self.held_against_target(self.answered[-1])
        return {"happened": self.finding, **({"target": against} if against else {})}

    @property
    def note(self) -> str:
        both = self.design.get("in_both", "")
        said = f" {both} answered in both of the last two waves; the change takes that into account." if both else ""
        return (
            f"{super().note}{said} The last change is judged by its own p-value; all changes together by the "
            "adjusted ones (Holm)."
        )

    @property
    def alt(self) -> str:
        return f"Line of the NPS over the waves with a band for its interval: {self.each(self.records)}."

    @property
    def key_numbers(self) -> tuple[KeyNumber, ...]:
        rows = self.answered
        if not rows:
            return ()
        last = rows[-1]
        before = rows[-2]["group"] if len(rows) > 1 and not np.isnan(last["change"]) else ""
        return (KeyNumber.of(last, f"NPS, {last['group']}", since=before),)


def _waves_are(names: list[str]) -> str:
    """Waves as the subject of a sentence, named where they are few."""
    if len(names) == 1:
        return f"{plain_text(names[0])} is"
    return f"{joined(names) if len(names) <= MOST_WAVES_NAMED else f'{len(names)} waves'} are"


@begins_with(lambda study: score_distribution(study, by="wave"))
def trend(
    dist: ScoreDistribution | Study,
    *,
    promoter_min: int | None = None,
    detractor_max: int | None = None,
    method: LimitsMethod | None = None,
    confidence_level: float = 0.95,
) -> Trend:
    """Estimate the Net Promoter Score wave by wave, and test each change against the wave before.

    The estimands are each wave's score and its difference from the wave before. Where clusters span
    waves (the same accounts or people), the covariance is kept.

    Parameters
    ----------
    dist : ScoreDistribution or Study
        Answers per wave, in order of time; a Study is counted by wave.
    promoter_min, detractor_max, method, confidence_level
        As in `compare_net_promoter_scores`.

    Returns
    -------
    Trend

    Raises
    ------
    EstimationError
        If the groups are not waves in order.

    Examples
    --------
    >>> from nps_research.counting.score_distribution import ScoreDistribution
    >>> counts = {"2017": [0] * 6 + [20, 20, 20, 20, 20], "2018": [0] * 6 + [40, 20, 20, 10, 10]}
    >>> trend(ScoreDistribution.from_counts(counts, ordered=True)).frame["change"].tolist()
    [nan, -40.0]
    """
    dist = as_distribution(dist, by="wave", promoter_min=promoter_min, detractor_max=detractor_max)
    if not dist.ordered:
        raise EstimationError("A trend needs groups in order of time: count by='wave', or pass ordered=True.")
    scores = net_promoter_score(dist, method=method, confidence_level=confidence_level)
    changes = compare_net_promoter_scores(
        dist, pairs="consecutive", method=method, confidence_level=confidence_level
    ).frame
    columns = ["group", "n", "response_rate", "estimate", "std_error", "conf_low", "conf_high"]
    moved = changes[["estimate", "conf_low", "conf_high", "p_value", "p_adjusted"]].set_axis(
        list(CHANGE_ADJUSTED), axis=1
    )
    moved.index = moved.index + 1
    return Trend(
        frame=scores.frame[columns].join(moved),
        confidence_level=confidence_level,
        title="Net Promoter Score wave by wave",
        **dist.of_results,
        method=method or suitable_method(dist),
        design={**described_design(dist), **_in_both(dist)},
        target=dist.target,
        since_first=_since_first(dist, method, confidence_level),
    )


def _since_first(
    dist: ScoreDistribution, method: LimitsMethod | None, confidence_level: float
) -> dict[str, Any] | None:
    """The change of the last wave since the first that may be shown; none where that is the one before."""
    there = np.flatnonzero((dist.n > 0) & ~dist.hidden)
    last = len(dist.groups) - 1
    if not len(there) or there[-1] != last or there[0] >= last - 1:
        return None
    pair = (dist.groups[there[0]], dist.groups[last])
    found = compare_net_promoter_scores(dist, pairs=[pair], method=method, confidence_level=confidence_level).frame
    numbers = found[["estimate", "conf_low", "conf_high", "p_value"]].iloc[0]
    return {"group": pair[0], **{str(name): float(value) for name, value in numbers.items()}}


def _in_both(dist: ScoreDistribution) -> dict[str, str]:
    """How many clusters answered in both of the last two waves, in words; nothing where none did."""
    clusters = dist.clusters
    if clusters is None or len(dist.groups) < 2 or dist.hidden[-2:].any():
        return {}
    before, last = (set(clusters.label[clusters.group == row]) for row in range(len(dist.groups))[-2:])
    n = len(before & last)
    if not n:
        return {}
    of = {"customer_id": "people", "respondent_id": "people", "account_id": "accounts"}
    number = f"Fewer than {dist.minimum_cell}" if n < dist.minimum_cell else f"{n:,}"
    return {"in_both": f"{number} {of.get(dist.design.get('cluster', ''), 'clusters')}"}
