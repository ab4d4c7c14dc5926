"""How answers spread over 0 to 10."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np
import pandas as pd

from nps_research.counting.given import as_distribution
from nps_research.counting.score_bands import answer_class
from nps_research.counting.score_distribution import ScoreDistribution
from nps_research.results.words import plain_text, share
from nps_research.score.scored import ByLines
from nps_research.study.study import Study


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ScoreHistogram(ByLines):
    """Answers per score of one group.

    `frame` columns: term (0-10), answer_class, answers, answer_share.
    """

    group: str = "all"
    weighted: bool = False

    kind: ClassVar[str] = "score_histogram"
    headings: ClassVar[Mapping[str, str]] = {"term": "Answer", "answer_class": "Class", "answer_share": "Share"}
    formats: ClassVar[Mapping[str, str]] = {"answers": "count"}

    @cached_property
    def shown(self) -> pd.DataFrame:
        return self.frame if self.frame["answers"].sum() and not self.hidden else self.frame.iloc[:0]

    @property
    def n_hidden(self) -> int:
        return 0

    @property
    def finding(self) -> str:
        rows = self.records
        if not rows:
            return "There are too few answers to show how they spread."
        shares = dict.fromkeys(("promoter", "passive", "detractor"), 0.0)
        for row in rows:
            shares[row["answer_class"]] += row["answer_share"]
        commonest = max(rows, key=lambda row: float(row["answer_share"]))
        whom = "" if self.group == "all" else f" of {plain_text(self.group)}"
        return (
            f"Of {sum(row['answers'] for row in rows):,} answers{whom}, {share(shares['promoter'])} are promoters, "
            f"{share(shares['passive'])} passives and {share(shares['detractor'])} detractors; "
            f"the commonest answer is {commonest['term']} ({share(commonest['answer_share'])})."
        )

    @property
    def note(self) -> str:
        return "Shares are weighted; the counts are answers as they came." if self.weighted else ""

    @property
    def alt(self) -> str:
        bars = [f"{row['term']}: {share(row['answer_share'])}" for row in self.records]
        return f"Bars of the share of answers from 0 to 10, coloured by class: {', '.join(bars)}."


def score_histogram(
    dist: ScoreDistribution | Study,
    *,
    group: str | None = None,
    promoter_min: int | None = None,
    detractor_max: int | None = None,
) -> ScoreHistogram:
    """Tabulate how the answers of one group, or of all, spread over 0 to 10 (histogram).

    Parameters
    ----------
    dist : ScoreDistribution or Study
        Answers per group; a Study is counted as one.
    group : str, optional
        One of its groups; None takes all together.
    promoter_min, detractor_max : int, optional
        Lowest promoter and highest detractor answer; None takes the study's.

    Returns
    -------
    ScoreHistogram

    Raises
    ------
    ContractError
        If there is no such group.
    EstimationError
        If a cut is impossible.

    Examples
    --------
    >>> from nps_research.counting.score_distribution import ScoreDistribution
    >>> dist = ScoreDistribution.from_counts({"2018": [0, 0, 0, 1, 0, 2, 1, 0, 0, 3, 3]})
    >>> score_histogram(dist).frame["answers"].sum()
    np.int64(10)
    """
    dist = as_distribution(dist, promoter_min=promoter_min, detractor_max=detractor_max)
    one = dist.total() if group is None else dist.group(group)
    named = None if one.small_groups else group
    weighted = one.weight_sums is not None and not one.few_units
    weights = one.weights[0] if weighted else one.counts[0]
    answer = np.arange(len(weights))
    classes = answer_class(answer, promoter_min=dist.promoter_min, detractor_max=dist.detractor_max)
    frame = pd.DataFrame(
        {
            "term": answer,
            "answer_class": classes,
            "answers": one.counts[0],
            "answer_share": weights / weights.sum() if weights.sum() else np.zeros(len(weights)),
        }
    )
    return ScoreHistogram(
        frame=frame,
        title="Answers from 0 to 10" + ("" if named is None else f", {named}"),
        minimum_cell=dist.minimum_cell,
        hidden=one.small_groups,
        group=named or "all",
        promoter_min=dist.promoter_min,
        detractor_max=dist.detractor_max,
        weighted=weighted,
    )
