"""How well the machine codes comments, language by language, held against people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from nps_research.counting.checks import check_level
from nps_research.problems.coded_comments import coded_comments
from nps_research.problems.enough import LEAST_WITH
from nps_research.results.result import Result
from nps_research.results.words import joined, plain_text, share
from nps_research.statistics.proportions import wilson_limits
from nps_research.statistics.randomness import DEFAULT_SEED
from nps_research.study.needs import begins_with
from nps_research.study.study import Study
from nps_research.typing import Flags, Floats

LETTERS, MEANING = "letters", "meaning"


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class CodingAccuracy(Result):
    """How often the machine gives a comment the problems that people gave it; the base is comments coded by hand.

    `frame` columns: group (the language), n (comments coded by hand), estimate (share of the comments to which the
    machine gives the same problems as people, none more and none less) with conf_low and conf_high, none (what saying
    "no problem" of all would get right), recall (share of the problems people found that the machine found, too) and
    precision (share of those the machine found that people did); nan where fewer than ten were found.

    Attributes
    ----------
    read_by : {"letters", "meaning"}
        What the machine goes by.
    """

    read_by: str = LETTERS

    kind: ClassVar[str] = "coding_accuracy"
    has_figure: ClassVar[bool] = False
    headings: ClassVar[Mapping[str, str]] = {
        "group": "Comments in",
        "n": "Coded by hand",
        "estimate": "Same problems as people",
        "none": "Same if it always said none",
        "recall": "Of problems there, it finds",
        "precision": "Of problems it finds, are there",
    }
    formats: ClassVar[Mapping[str, str]] = {
        "estimate": "share",
        "none": "share",
        "recall": "share",
        "precision": "share",
    }
    table_columns: ClassVar[tuple[str, ...]] = ("group", "n", "estimate", "conf_high", "none", "recall", "precision")

    @property
    def finding(self) -> str:
        rows = sorted(
            (row for row in self.records if row["recall"] == row["recall"]), key=lambda row: float(row["recall"])
        )
        if not rows:
            return "Too few problems were found by hand to tell how many of them the machine finds."
        worst = f"{share(rows[0]['recall'])} in {rows[0]['group']}"
        best = f", {share(rows[-1]['recall'])} in {rows[-1]['group']}" if len(rows) > 1 else ""
        return f"Of the problems that people find in comments, the machine alone finds {worst}{best}."

    @property
    def details(self) -> str:
        no_better = [row["group"] for row in self.records if row["conf_low"] <= row["none"]]
        if not no_better:
            return "In each language it is right more often than if it said that no comment names a problem."
        return f"Saying that no comment names a problem may be right as often, in {joined(no_better)}."

    @property
    def note(self) -> str:
        others = "" if self.read_by == MEANING else ' Read by meaning (study.toml, "comments_read_by") it finds more.'
        return (
            "Base: comments coded by hand, weighted by the chance with which they were drawn; each is coded by a "
            f"machine that learned from other people's comments, by {self.read_by}. Wilson intervals.{others}"
        )


@begins_with(coded_comments)
def coding_accuracy(
    study: Study, *, confidence_level: float = 0.95, rng: np.random.Generator | None = None
) -> CodingAccuracy:
    """Measure how often the machine finds in a comment the problems that people find, by language.

    The estimand is, over all comments in a language, the share to which the machine gives the problems that coders
    would give, none more and none less: as a machine would do that has learned from four fifths of the people coded.

    Parameters
    ----------
    study : Study
        The study; comments, and `hand_codes` of comments drawn by lot.
    confidence_level : float
        Level of the limits.
    rng : numpy.random.Generator, optional
        Draws the folds; None starts a fixed one. As that of `comment_shares`, the machine is the same.

    Returns
    -------
    CodingAccuracy

    Raises
    ------
    CannotAnswerError
        As of `comment_shares`.
    """
    check_level(confidence_level)
    found = coded_comments(study)
    folding = (np.random.default_rng(DEFAULT_SEED) if rng is None else rng).spawn(2)[0]
    praise = {code for code, each in study.problems.items() if each.praise}
    problems = np.array([code not in praise for code in found.codes])
    by_machine = found.predicted(study, folding)[found.coded][:, problems] >= 0.5
    by_people = found.truth[:, problems] >= 0.5
    weight, person = 1 / found.chances, found.person[found.coded]
    language = found.comments["language"].to_numpy()[found.coded]
    rows = []
    for name in pd.unique(language):
        of = language == name
        same = (by_machine[of] == by_people[of]).all(axis=1)
        effective = weight[of].sum() ** 2 / (np.bincount(person[of], weight[of]) ** 2).sum()
        estimate = float(np.average(same, weights=weight[of]))
        low, high = wilson_limits(np.array([estimate * effective]), effective, confidence_level=confidence_level)
        rows.append(
            {
                "group": plain_text(name),
                "n": int(of.sum()),
                "estimate": estimate,
                "conf_low": float(low[0]),
                "conf_high": float(high[0]),
                "none": float(np.average(~by_people[of].any(axis=1), weights=weight[of])),
                "recall": _part(by_machine[of], by_people[of], weight[of]),
                "precision": _part(by_people[of], by_machine[of], weight[of]),
            }
        )
    return CodingAccuracy(
        frame=pd.DataFrame(rows).sort_values("n", ascending=False, kind="stable").reset_index(drop=True),
        confidence_level=confidence_level,
        title="How well the machine codes",
        minimum_cell=max(LEAST_WITH, study.settings.minimum_cell),
        read_by=study.settings.comments_read_by,
    )


def _part(which: Flags, of: Flags, weight: Floats) -> float:
    """The share of codes of one that are those of the other, too; nan where these are few."""
    if of.sum() < LEAST_WITH:
        return np.nan
    return float(weight @ (which & of).sum(axis=1) / (weight @ of.sum(axis=1)))
