"""Shares of promoters, passives and detractors over time: which of them moved the score."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import pandas as pd

from nps_research.counting.given import as_distribution
from nps_research.counting.score_counts import score_distribution
from nps_research.counting.score_distribution import ScoreDistribution
from nps_research.errors import EstimationError
from nps_research.results.words import joined, plain_text, share
from nps_research.score.scored import Scored, described_design, no_score
from nps_research.study.needs import begins_with
from nps_research.study.study import Study

ANSWER_CLASSES = ("promoter", "passive", "detractor")


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ClassShares(Scored):
    """Shares of the three classes of answers, by wave.

    `frame` columns: group, n, promoter_share, passive_share, detractor_share. They describe those who answered; how
    sure a change is, is asked of the score that they make up (`trend`).
    """

    kind: ClassVar[str] = "class_shares"
    headings: ClassVar[Mapping[str, str]] = {"group": "Wave"}

    @property
    def finding(self) -> str:
        rows = self.answered
        if not rows:
            return no_score(self)
        first, last = rows[0], rows[-1]
        if first is last:
            shares = joined([f"{_share_of(last, name)} {name}s" for name in ANSWER_CLASSES])
            return f"The answers of {plain_text(last['group'])} are of {shares}."
        promoters, detractors = (
            f"from {_share_of(first, name)} to {_share_of(last, name)}" for name in ("promoter", "detractor")
        )
        return (
            f"Between {plain_text(first['group'])} and {plain_text(last['group'])} promoters went {promoters} and "
            f"detractors {detractors} of the answers."
        )

    @property
    def message(self) -> str:
        rows = self.answered
        if len(rows) < 2:
            return ""
        ends = [f"{name}s {_share_of(rows[0], name)} to {_share_of(rows[-1], name)}" for name in ANSWER_CLASSES[::2]]
        return f"From {plain_text(rows[0]['group'])} to {plain_text(rows[-1]['group'])}: {', '.join(ends)}"

    @property
    def note(self) -> str:
        return (
            f"{self.lines} Shares of those who answered; whether the score moved by more than chance, the trend says."
        )

    @property
    def alt(self) -> str:
        each = (
            f"{plain_text(row['group'])} " + ", ".join(f"{_share_of(row, name)} {name}s" for name in ANSWER_CLASSES)
            for row in self.answered
        )
        return f"Bars of the shares of promoters, passives and detractors by wave: {'; '.join(each)}."


def _share_of(row: Mapping[str, float], name: str) -> str:
    return share(row[f"{name}_share"])


@begins_with(lambda study: score_distribution(study, by="wave"))
def class_shares(
    dist: ScoreDistribution | Study, *, promoter_min: int | None = None, detractor_max: int | None = None
) -> ClassShares:
    """Tell which shares of promoters, passives and detractors each wave has: who moved the score.

    Parameters
    ----------
    dist : ScoreDistribution or Study
        Answers per wave, in order of time; a Study is counted by wave.
    promoter_min, detractor_max : int, optional
        Lowest promoter and highest detractor answer; None takes the study's.

    Returns
    -------
    ClassShares

    Raises
    ------
    EstimationError
        If the groups are not waves in order.

    Examples
    --------
    >>> counts = {"2017": [0] * 6 + [20, 20, 20, 20, 20], "2018": [0] * 6 + [40, 20, 20, 10, 10]}
    >>> print(class_shares(ScoreDistribution.from_counts(counts, ordered=True)).finding)
    Between 2017 and 2018 promoters went from 40% to 20% and detractors from 20% to 40% of the answers.
    """
    dist = as_distribution(dist, by="wave", promoter_min=promoter_min, detractor_max=detractor_max)
    if not dist.ordered:
        raise EstimationError("Shares over time need groups in order of time: count by='wave', or pass ordered=True.")
    detractors, passives, promoters = dist.shares.T
    frame = pd.DataFrame(
        {
            "group": list(dist.groups),
            "n": dist.n,
            "promoter_share": promoters,
            "passive_share": passives,
            "detractor_share": detractors,
        }
    )
    return ClassShares(
        frame=frame,
        title="Promoters, passives and detractors, wave by wave",
        **dist.of_results,
        design=described_design(dist),
    )
