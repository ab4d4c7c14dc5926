"""What comments tell of: the share of comments with each code, as people would code them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from nps_research.counting.checks import check_level
from nps_research.problems.coded_comments import DRAWN_BY_LOT, DRAWN_WITH_CHANCES, coded_comments, limits_by_person
from nps_research.problems.mentions import problem_label
from nps_research.results.result import KeyNumber, Result
from nps_research.results.words import format_interval, joined, plain_text, share
from nps_research.statistics.coder_agreement import alpha_limits, krippendorff_alpha
from nps_research.statistics.prediction_powered import prediction_powered_mean
from nps_research.statistics.proportions import wilson_limits
from nps_research.statistics.randomness import DEFAULT_SEED
from nps_research.study.needs import begins_with
from nps_research.study.study import Study
from nps_research.typing import Floats, Integers

LEAST_POSITIVE = 20  # of them with a code, for the machine to help
LEAST_AGREEMENT = 0.67  # Krippendorff's alpha, under which a code is not to be used
LEAST_TWICE = 10  # comments coded twice, with the code by one of the coders at least, to tell of agreement
N_RESAMPLES = 2000
AGREED, NOT_KNOWN, NOT_CODABLE = "agreed", "agreement not known", "not codable"


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class CommentShares(Result):
    """Codes of comments; the base is comments, never customers.

    `frame` columns: term, is_praise, n (comments coded by hand), events (of these, with the code; halves where coders
    differ), estimate (share of the comments with the code) with std_error, conf_low, conf_high; method
    ("prediction-powered", or "by hand" where fewer than 20 coded comments have it), hand_share, machine_share (what
    counting the machine's own codes would give), power (how far the machine is trusted), alpha (agreement of coders)
    with alpha_conf_low and alpha_conf_high, n_twice (comments that two coded), agreement ("agreed", "agreement not
    known", "not codable": then there is no share).

    Attributes
    ----------
    n_comments : int
        In the base.
    chances_stated : bool
        Whether the study says with what chance comments were drawn.
    left_out : tuple of str
        Languages of which no comment was coded.
    n_left_out : int
        Comments in these.
    """

    n_comments: int = 0
    chances_stated: bool = True
    left_out: tuple[str, ...] = ()
    n_left_out: int = 0

    kind: ClassVar[str] = "comment_shares"
    rows_are_parts: ClassVar[bool] = False
    headings: ClassVar[Mapping[str, str]] = {
        "term": "Comments tell of",
        "n": "Coded by hand",
        "events": "With the code",
        "estimate": "Share of comments",
        "alpha": "Agreement (alpha)",
        "machine_share": "By the machine alone",
    }
    formats: ClassVar[Mapping[str, str]] = {"estimate": "share", "machine_share": "share", "alpha": "number"}
    table_columns: ClassVar[tuple[str, ...]] = (
        *("term", "events", "estimate", "conf_high", "method", "machine_share", "alpha", "alpha_conf_high"),
        "agreement",
    )

    @property
    def _known(self) -> list[dict[str, Any]]:
        return [row for row in self.records if np.isfinite(row["estimate"]) and not row["is_praise"]]

    @property
    def finding(self) -> str:
        rows = self._known
        if not rows:
            return "No problem has enough comments that were coded by hand to tell its share."
        most, told = rows[0], f"{rows[0]['term']} ({share(rows[0]['estimate'])})"
        if len(rows) > 1 and rows[1]["conf_high"] >= most["conf_low"]:
            told += f" and {rows[1]['term']} ({share(rows[1]['estimate'])}); which of them more is too close to call"
        return f"Comments, as people code them, tell most of {told}."

    @property
    def details(self) -> str:
        rows = self._known[:4]
        named = [
            f"{row['term']} {share(row['estimate'])} ({format_interval(row['conf_low'], row['conf_high'], 'share')})"
            for row in rows
        ]
        unfit = [row["term"] for row in self.records if row["agreement"] == NOT_CODABLE]
        apart = f" Coders agree too little on {joined(unfit)}." if unfit else ""
        return f"{'Shares: ' + '; '.join(named) + '.' if named else ''}{apart}".strip()

    @property
    def note(self) -> str:
        drawn = DRAWN_WITH_CHANCES if self.chances_stated else DRAWN_BY_LOT
        out = (
            f" Left out, as none of theirs was coded: {self.n_left_out:,} comments in {joined(self.left_out)}."
            if self.left_out
            else ""
        )
        return (
            f"Base: {self.n_comments:,} comments, not customers. Comments coded by hand ({drawn}) count; a machine "
            "that learned from those of other people codes all and makes the count surer (prediction-powered, "
            "cross-predicted), without bias however wrong it is. Under 20 with a code: by hand alone, score limits. "
            f"Agreement: alpha of {LEAST_AGREEMENT} is the least; a code is not codable where even its upper limit is "
            f"lower.{out}"
        )

    @property
    def alt(self) -> str:
        rows = [
            f"{row['term']} {share(row['estimate'])} ({format_interval(row['conf_low'], row['conf_high'], 'share')})"
            for row in self._known
        ]
        return f"Points with intervals, the share of comments with each code: {'; '.join(rows)}."

    @property
    def key_numbers(self) -> tuple[KeyNumber, ...]:
        return tuple(KeyNumber.of(row, f"Comments on {row['term']}", unit="share") for row in self._known[:1])


@begins_with(coded_comments)
def comment_shares(
    study: Study, *, confidence_level: float = 0.95, rng: np.random.Generator | None = None
) -> CommentShares:
    """Estimate the share of comments with each code, as people would code them (prediction-powered inference).

    The estimand is, over all comments in languages of which some were coded, the share to which coders would give a
    code, on average over coders.

    Parameters
    ----------
    study : Study
        The study; comments, and `hand_codes` of comments drawn by lot.
    confidence_level : float
        Level of the limits.
    rng : numpy.random.Generator, optional
        Draws the folds and the resamples of agreement; None starts a fixed one.

    Returns
    -------
    CommentShares

    Raises
    ------
    CannotAnswerError
        Without comments or hand codes, with fewer than 50 of them, or if coders note only comments with a problem.

    Notes
    -----
    Hand codes count and the machine only helps: `statistics.prediction_powered` with predictions by
    `machine.cross_predicted`, people as clusters; limits are Wilson's for as many simple comments as would know the
    share as well, since normal ones held less often (``calibration/comment_shares.csv``). Agreement of coders is
    Krippendorff's alpha over comments that two coded, percentile limits over resampled comments; it is not known where
    few of these have the code.

    References
    ----------
    Angelopoulos, A. N. et al. (2023). Prediction-powered inference. Science 382, 669-674. doi:10.1126/science.adi6000

    Egami, N. et al. (2023). Using imperfect surrogates for downstream inference: design-based supervised learning for
    social science applications of large language models. Advances in Neural Information Processing Systems 36.
    """
    check_level(confidence_level)
    found = coded_comments(study)
    folding, resampling = (np.random.default_rng(DEFAULT_SEED) if rng is None else rng).spawn(2)
    coded, person, truth, chance = found.coded, found.person, found.truth, found.chances
    predicted = found.predicted(study, folding)
    rows = []
    for at, code in enumerate(found.codes):
        known = study.problems.get(code)
        row: dict[str, Any] = {
            "term": problem_label(study, code),
            "is_praise": known is not None and known.praise,
            "n": len(truth),
            "events": float(truth[:, at].sum()),
            **_agreement(found.given[:, at], found.coders, confidence_level, resampling),
        }
        if row["agreement"] != NOT_CODABLE:
            row |= share_of_code(
                truth[:, at], predicted[coded, at], predicted[:, at], chance, person[coded], confidence_level
            )
        rows.append(row)
    columns = ["term", "is_praise", "n", "events", "estimate", "std_error", "conf_low", "conf_high", "method"]
    columns += ["hand_share", "machine_share", "power", "alpha", "alpha_conf_low", "alpha_conf_high", "n_twice"]
    frame = pd.DataFrame(rows).reindex(columns=[*columns, "agreement"])
    order = np.lexsort([-frame["estimate"].fillna(-1.0), frame["is_praise"]])
    shown = {name: size for name, size in found.left_out.items() if size >= study.settings.minimum_cell}
    others = ("another language",) if len(shown) < len(found.left_out) else ()
    return CommentShares(
        frame=frame.iloc[order].reset_index(drop=True),
        confidence_level=confidence_level,
        title="What comments tell of",
        minimum_cell=study.settings.minimum_cell,
        n_comments=len(coded),
        chances_stated=found.chance is not None,
        left_out=(*(plain_text(name) for name in shown), *others),
        n_left_out=sum(found.left_out.values()),
    )


def share_of_code(
    truth: Floats, predicted: Floats, everybody: Floats, chance: Floats, person: Integers, confidence_level: float
) -> dict[str, Any]:
    """Estimate the share of one code: prediction-powered; by hand with score limits where few have it.

    Parameters
    ----------
    truth, predicted : ndarray, shape (n_coded,)
        What coders said of the comments they coded, and what the machine says of these.
    everybody : ndarray, shape (n,)
        What it says of all.
    chance : ndarray, shape (n_coded,)
        With what chance each was drawn.
    person : ndarray of int, shape (n_coded,)
    confidence_level : float
    """
    weight = 1 / chance
    by_hand = float(np.average(truth, weights=weight))
    row = {"hand_share": by_hand, "machine_share": float((everybody >= 0.5).mean())}
    if truth.sum() < LEAST_POSITIVE or (1 - truth).sum() < LEAST_POSITIVE:
        low, high = limits_by_person(by_hand, weight, person, confidence_level)
        return {**row, "estimate": by_hand, "conf_low": low, "conf_high": high, "method": "by hand"}
    found = prediction_powered_mean(truth, predicted, everybody, chance=chance, cluster=person)
    estimate = min(max(found.estimate, 0.0), 1.0)
    effective = estimate * (1 - estimate) / max(found.std_error**2, 1e-300)
    lows, highs = wilson_limits(
        np.array([estimate * effective]), np.array([effective]), confidence_level=confidence_level
    )
    return {
        **row,
        "estimate": estimate,
        "std_error": found.std_error,
        "conf_low": float(lows[0]),
        "conf_high": float(highs[0]),
        "method": "prediction-powered",
        "power": found.power,
    }


def _agreement(given: Integers, coders: Integers, confidence_level: float, rng: np.random.Generator) -> dict[str, Any]:
    """How far coders agree on one code, and what follows."""
    twice = coders > 1
    row: dict[str, Any] = {"n_twice": int(twice.sum()), "agreement": NOT_KNOWN}
    if (given[twice] > 0).sum() < LEAST_TWICE:
        return row
    low, high = alpha_limits(given, coders, confidence_level=confidence_level, n_resamples=N_RESAMPLES, rng=rng)
    row |= {"alpha": float(krippendorff_alpha(given, coders)[0]), "alpha_conf_low": low, "alpha_conf_high": high}
    if high < LEAST_AGREEMENT:
        return {**row, "agreement": NOT_CODABLE}
    return {**row, "agreement": AGREED if low >= LEAST_AGREEMENT else NOT_KNOWN}
