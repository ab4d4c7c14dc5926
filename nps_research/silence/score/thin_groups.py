"""Groups that hardly answer: who they are, and the score of all with their part bounded."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from nps_research.results.words import BETWEEN, format_interval, joined, points, share
from nps_research.silence.score.balance import compared_groups, in_a_word, named_group
from nps_research.silence.score.estimates import PREFERRED, weighted_scores
from nps_research.statistics.covariates import Covariates
from nps_research.statistics.doubly_robust import Reached, Weighted, inverse_propensity_score, worst_case_bounds
from nps_research.statistics.propensity import Propensity
from nps_research.statistics.thin_response import RESPONSE_FLOOR, hardly_answers, imbens_manski_limits
from nps_research.typing import Flags

RULE = (
    "Hardly anybody answers of a group whose upper limit of response, by Holm over all groups, is below "
    f"{share(RESPONSE_FLOOR)}, so that an answer speaks for more than ten people (or below half of the response of "
    "all, where all answer less). "
)


@dataclass(frozen=True, kw_only=True)
class HardlyAnswering:
    """Groups that hardly answer, and what the score of all may be whatever their silent think.

    Attributes
    ----------
    named : tuple of str
        Those that may be shown, with their answers and people.
    n_not_shown : int
        How many others there are.
    low, high : float
        The score of all, the silent of these groups all detractors or all promoters and everybody else weighted; nan
        where nobody else answered.
    conf_low, conf_high : float
        Imbens-Manski limits of it.
    """

    named: tuple[str, ...]
    n_not_shown: int
    low: float = np.nan
    high: float = np.nan
    conf_low: float = np.nan
    conf_high: float = np.nan

    @property
    def who(self) -> str:
        """The groups in words."""
        more = f"{self.n_not_shown} {'group' if self.n_not_shown == 1 else 'groups'} with too few answers to show"
        return joined([*self.named, *[more] * bool(self.n_not_shown)])

    @property
    def range(self) -> str:
        """The score of all, in words."""
        return f"from {points(self.low)} to {points(self.high)}"

    @property
    def plain(self) -> dict[str, Any]:
        """The attributes as plain values, a figure that is not known as None."""
        kept = {name: None if value != value else value for name, value in vars(self).items()}
        return kept | {"named": list(self.named)}

    def sentence(self, confidence_level: float) -> str:
        """Name them, and say what they leave open."""
        says = f"Hardly anybody answered of {self.who}"
        if np.isnan(self.low):
            return f"{says}: weighting cannot speak for them."
        limits = format_interval(self.conf_low, self.conf_high, "points")
        return (
            f"{says}: weighting cannot speak for them, and with everybody else weighted the NPS of all may be anything "
            f"{self.range} ({confidence_level:.0%} limits {limits})."
        )


def hardly_answering(
    people: Reached, covariates: Covariates, *, hidden: frozenset[str], largest_weight: float, confidence_level: float
) -> HardlyAnswering | None:
    """Name the groups that hardly answer, and bound their part in the score of all; None without any.

    The estimand of the range is the score of all in `people`, had all answered, if answering has nothing to do with
    loyalty but through what is known of those who are in none of these groups; of the silent who are, nothing is
    supposed.

    Parameters
    ----------
    people : Reached
        Who answered and what.
    covariates : Covariates
        Row by row beside `people`.
    hidden : frozenset of str
        Groups that are not shown, as the balance names them.
    largest_weight, confidence_level : float
        As in `score_if_all_responded`.
    """
    groups = compared_groups(covariates)
    found, thin = groups_below(people, groups, confidence_level)
    if not found:
        return None
    shown = [(term, group) for term, group in found if f"{in_a_word(term)}{BETWEEN}{group}" not in hidden]
    named = []
    for term, group in shown:
        member = (groups[term] == group).to_numpy()
        counts = f"{int((member & people.answered).sum()):,} of {int(member.sum()):,}"
        named.append(f"{named_group({'term': in_a_word(term), 'group': group})} ({counts})")
    bare = HardlyAnswering(named=tuple(named), n_not_shown=len(found) - len(shown))
    rest = _weighted_rest(people, covariates, ~thin, largest_weight, confidence_level)
    if rest is None:
        return bare
    part = people.base / people.base.sum()
    of_rest, silent = float(part[~thin].sum()), 100 * float(part[thin & ~people.answered].sum())
    middle = of_rest * rest.estimate + float((part * people.value)[thin].sum())
    low, high = middle - silent, middle + silent
    limits = imbens_manski_limits(low, high, of_rest * rest.std_error, confidence_level=confidence_level)
    least, most = worst_case_bounds(people)
    return replace(bare, low=low, high=high, conf_low=max(limits[0], least), conf_high=min(limits[1], most))


def groups_below(people: Reached, groups: pd.DataFrame, confidence_level: float) -> tuple[list[tuple[str, str]], Flags]:
    """The groups, by what they are groups of, that hardly answer; and who is in any."""
    yes = people.answered.astype(float)
    counts, between, within = [], 0.0, 0.0
    for term in groups:
        codes, _ = pd.factorize(groups[term])
        cell = pd.factorize(codes * (people.cluster.max() + 1) + people.cluster)[0]
        left = yes - (np.bincount(codes, yes) / np.bincount(codes))[codes]
        between, within = between + float((np.bincount(cell, left) ** 2).sum()), within + float((left**2).sum())
        counts.append(pd.DataFrame({"answered": yes, "people": 1.0}).groupby(groups[term]).sum())
    if not counts:
        return [], np.zeros(len(yes), dtype=bool)
    table = pd.concat(dict(zip(groups, counts, strict=True)))
    is_thin = hardly_answers(
        table["answered"].to_numpy(),
        table["people"].to_numpy(),
        confidence_level=confidence_level,
        design_effect=max(between / within, 1.0) if within > 0 else 1.0,
    )
    found = [(str(term), str(group)) for term, group in table.index[is_thin]]
    thin = np.zeros(len(yes), dtype=bool)
    for term, group in found:
        thin |= (groups[term] == group).to_numpy()
    return found, thin


def _weighted_rest(
    people: Reached, covariates: Covariates, rest: Flags, largest_weight: float, confidence_level: float
) -> Weighted | None:
    """The score of the others, by the estimate that is read first; as they answered where they cannot be weighted."""
    part = Reached(
        answered=people.answered[rest], value=people.value[rest], base=people.base[rest], cluster=people.cluster[rest]
    )
    n_answered = int(part.answered.sum())
    if not n_answered:
        return None
    if n_answered < len(part.answered):
        known = Covariates(*(_differing(table, rest) for table in vars(covariates).values()))
        weighted, _ = weighted_scores(part, known, largest_weight, confidence_level, None)
        best = next((weighted[name] for name in PREFERRED if name in weighted), None)
        if best is not None:
            return best
    n, rate = len(part.answered), n_answered / len(part.answered)
    alike = Propensity(
        probability=np.full(n, rate),
        design=np.ones((n, 1)),
        information_inverse=np.array([[1 / (n * max(rate * (1 - rate), 1e-12))]]),
        is_bent=False,
    )
    return inverse_propensity_score(part, alike, largest_weight=largest_weight, confidence_level=confidence_level)


def _differing(table: pd.DataFrame, rows: Flags) -> pd.DataFrame:
    """The columns that still tell people apart."""
    part = table.loc[rows] if len(table) else table
    return part[[name for name in part if len(part[name].dropna().unique()) > 1]].reset_index(drop=True)
