"""How well the machine codes comments, language by language, held against people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from nps_research.counting.checks import check_level
from nps_research.problems.coded_comments import DRAWN_BY_LOT, DRAWN_WITH_CHANCES, coded_comments, limits_by_person
from nps_research.problems.enough import LEAST_WITH
from nps_research.results.result import Result
from nps_research.results.words import format_interval, plain_text, share
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
    n_found : int
        Problems that people found in comments of all languages.
    recall, recall_conf_low, recall_conf_high : float
        Share of these that the machine found, too.
    read_by : {"letters", "meaning"}
        What the machine goes by.
    chances_stated : bool
        Whether the study says with what chance comments were drawn.
    """

    n_found: int = 0
    recall: float = np.nan
    recall_conf_low: float = np.nan
    recall_conf_high: float = np.nan
    read_by: str = LETTERS
    chances_stated: bool = True

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
        if self.n_found < LEAST_WITH:
            return "Too few problems were found by hand to tell how many of them the machine finds."
        return (
            f"Of the problems that people find in comments, the machine alone finds {share(self.recall)}: only codes "
            "by hand are counted."
        )

    @property
    def details(self) -> str:
        if self.n_found < LEAST_WITH:
            return ""
        limits = format_interval(self.recall_conf_low, self.recall_conf_high, "share")
        return f"{share(self.recall)} of {self.n_found:,} ({self.confidence_level:.0%} interval {limits})."

    @property
    def note(self) -> str:
        drawn = DRAWN_WITH_CHANCES if self.chances_stated else DRAWN_BY_LOT
        others = "" if self.read_by == MEANING else ' By meaning (study.toml, "comments_read_by") it may find more.'
        return (
            f"Base: comments coded by hand ({drawn}); each is coded by a machine that learned from other people's "
            f"comments, by {self.read_by}. Wilson intervals, people as clusters.{others}"
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
        Draws the folds; None starts a fixed one. Begun as that of `comment_shares`, it makes the same machine.

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
        estimate = float(np.average(same, weights=weight[of]))
        low, high = limits_by_person(estimate, weight[of], person[of], confidence_level)
        rows.append(
            {
                "group": plain_text(name),
                "n": int(of.sum()),
                "estimate": estimate,
                "conf_low": low,
                "conf_high": high,
                "none": float(np.average(~by_people[of].any(axis=1), weights=weight[of])),
                "recall": _part(by_machine[of], by_people[of], weight[of]),
                "precision": _part(by_people[of], by_machine[of], weight[of]),
            }
        )
    recall = _part(by_machine, by_people, weight)
    at, _ = np.nonzero(by_people)
    low, high = (
        limits_by_person(recall, weight[at], person[at], confidence_level) if recall == recall else (np.nan,) * 2
    )
    return CodingAccuracy(
        frame=pd.DataFrame(rows).sort_values("n", ascending=False, kind="stable").reset_index(drop=True),
        confidence_level=confidence_level,
        title="How well the machine codes",
        minimum_cell=max(LEAST_WITH, study.settings.minimum_cell),
        n_found=int(by_people.sum()),
        recall=recall,
        recall_conf_low=low,
        recall_conf_high=high,
        read_by=study.settings.comments_read_by,
        chances_stated=found.chance is not None,
    )


def _part(which: Flags, of: Flags, weight: Floats) -> float:
    """The share of codes of one that are those of the other, too; nan where these are few."""
    if of.sum() < LEAST_WITH:
        return np.nan
    return float(weight @ (which & of).sum(axis=1) / (weight @ of.sum(axis=1)))
