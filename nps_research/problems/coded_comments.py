"""Comments of a study and what coders said of some: where counting and the machine begin."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from nps_research.counting.cells import NOT_STATED
from nps_research.counting.clusters import cluster_codes
from nps_research.errors import CannotAnswerError
from nps_research.problems.machine import by_meaning, cross_predicted, letter_frequencies
from nps_research.statistics.proportions import wilson_limits
from nps_research.study.further_rules import key_of, response_key
from nps_research.study.study import Study
from nps_research.study.surveys import asked_in_all
from nps_research.typing import Flags, Floats, Integers

LEAST_CODED = 50  # comments coded by hand
DRAWN_WITH_CHANCES = "weighted by the chance with which they were drawn"
DRAWN_BY_LOT = "taken as drawn by lot, as no chance is stated"


@dataclass(frozen=True, kw_only=True, eq=False)
class CodedComments:
    """Comments, and what coders said of some.

    Attributes
    ----------
    comments : DataFrame
        The responses with a comment, in languages of which some were coded.
    coded : ndarray of bool, shape (n,)
    codes : tuple of str
    given : ndarray of int, shape (n_coded, n_codes)
        How many coders gave each code.
    coders : ndarray of int, shape (n_coded,)
        How many coded the comment.
    chance : ndarray, shape (n_coded,), or None
        With what chance it was drawn.
    left_out : dict of str to int
        Comments in other languages.
    """

    comments: pd.DataFrame
    coded: Flags
    codes: tuple[str, ...]
    given: Integers
    coders: Integers
    chance: Floats | None
    left_out: Mapping[str, int]

    @property
    def person(self) -> Integers:
        """Whose comment each is."""
        return cluster_codes(self.comments["respondent_id"])

    @property
    def truth(self) -> Floats:
        """The share of coders that gave each code to what was coded, shape (n_coded, n_codes)."""
        shares: Floats = self.given / self.coders[:, None]
        return shares

    @property
    def chances(self) -> Floats:
        """With what chance each that was coded was drawn; alike where that is not stated, shape (n_coded,)."""
        n = int(self.coded.sum())
        return np.full(n, n / len(self.coded)) if self.chance is None else self.chance

    def predicted(self, study: Study, rng: np.random.Generator) -> Floats:
        """What the machine says of every comment, which it learned from other people's, shape (n, n_codes)."""
        texts = self.comments["comment"]
        if study.settings.comments_read_by == "meaning":
            read = by_meaning(texts)
        else:
            read = letter_frequencies(texts, self.comments["language"])
        return cross_predicted(read, self.person, self.coded, self.truth, rng)


def limits_by_person(estimate: float, weight: Floats, person: Integers, confidence_level: float) -> tuple[float, float]:
    """Wilson's limits of a weighted share, of as many simple comments as these weights of these people are worth."""
    effective = weight.sum() ** 2 / (np.bincount(person, weight) ** 2).sum()
    low, high = wilson_limits(np.array([estimate * effective]), effective, confidence_level=confidence_level)
    return float(low[0]), float(high[0])


def coded_comments(study: Study) -> CodedComments:
    """Join hand codes to the comments they are of.

    Raises
    ------
    CannotAnswerError
        If there are no comments or no hand codes, too few were coded, or no code says that a comment names no problem.
    """
    study.require("responses.comment")
    if not study.can_answer("hand_codes.problem", "hand_codes.coder", "hand_codes.respondent_id"):
        raise CannotAnswerError(
            "No comment was coded by hand, so no share can be told: without hand codes nobody knows how often a "
            "machine or a list of words is wrong. Draw some 300 comments by lot; state what coders find in hand_codes."
        )
    rows = asked_in_all(study.responses, study.by_age)
    rows = rows[rows["comment"].fillna("").str.strip() != ""].reset_index(drop=True)
    table = study.tables["hand_codes"]
    keys = response_key(table, rows)
    place = pd.Series(rows.index.to_numpy(), key_of(rows, keys))
    row = key_of(table, keys).map(place[~place.index.duplicated()])
    table = table[row.notna().to_numpy()].assign(row=row[row.notna()].astype(np.int64))
    language = rows["language"].fillna(NOT_STATED) if "language" in rows else pd.Series(NOT_STATED, rows.index)
    rows = rows.assign(language=language)
    known = rows["language"].isin(rows["language"].iloc[table["row"].unique()].unique())
    left_out = rows.loc[~known, "language"].value_counts()
    praise = [code for code, each in study.problems.items() if each.praise]
    if not table["problem"].isin(praise).any():
        raise CannotAnswerError(
            "Coders wrote only of comments that name a problem, so it is not known how many they read: they must also "
            "note comments that name none, by a code such as [problems.none] with praise = true in study.toml."
        )
    places, position = np.unique(table["row"].to_numpy(), return_inverse=True)
    if len(places) < max(LEAST_CODED, study.settings.minimum_cell):
        raise CannotAnswerError(
            f"Only {len(places)} comments were coded by hand; {LEAST_CODED} are needed for a share."
        )
    codes = list(dict.fromkeys([*study.problems, *sorted(table["problem"].unique())]))
    given = np.zeros((len(places), len(codes)), dtype=np.int64)
    np.add.at(given, (position, pd.Index(codes).get_indexer(pd.Index(table["problem"]))), 1)
    coders = table.groupby(position)["coder"].nunique().to_numpy()
    chance = None
    if "inclusion_probability" in table and table["inclusion_probability"].notna().all():
        chance = table.groupby(position)["inclusion_probability"].first().to_numpy(dtype=np.float64)
    coded = np.zeros(len(rows), dtype=bool)
    coded[places] = True
    return CodedComments(
        comments=rows[known].reset_index(drop=True),
        coded=coded[known.to_numpy()],
        codes=tuple(codes),
        given=given,
        coders=coders.astype(np.int64),
        chance=chance,
        left_out={str(name): int(n) for name, n in left_out.items()},
    )
