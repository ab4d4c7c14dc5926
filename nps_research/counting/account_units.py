"""What pages show over accounts, taken together: their influence, the score of all alike, the score by revenue."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from nps_research.counting.score_distribution import ScoreDistribution
from nps_research.errors import EstimationError
from nps_research.results.few_units import answers_tell_of_one, tells_of_one
from nps_research.results.suppression import hidden_rows
from nps_research.results.unit_ranges import tells_of_units
from nps_research.typing import Flags, Floats

VALUE = np.array([-100.0, 0.0, 100.0])  # of detractors, passives and promoters
MANY = 100  # accounts, of which the second largest does not learn more than others
LISTED = 10  # accounts whose influence is shown at most


def changes_without(dist: ScoreDistribution) -> Floats:
    """The score without each account (row of the clusters) less the score with it; NaN where nobody else answered."""
    clusters = dist.clusters
    if clusters is None:
        raise EstimationError("Answers must be counted by account: score_distribution(..., cluster='account_id').")
    whole = dist.classes()[clusters.group]
    rest = whole - dist.classes(clusters.sums)
    with np.errstate(invalid="ignore"):
        return np.asarray(rest @ VALUE / rest.sum(axis=1) - whole @ VALUE / whole.sum(axis=1))


def accounts_listed(n: Floats, change: Floats, minimum_cell: int) -> tuple[Flags, Flags]:
    """Of one group's accounts, which are large enough to show, and which of them, those of most influence, are shown.

    Those not shown are a group, of which the plain score less those shown would tell: it must keep the rule of
    `tells_of_one`, or be of large accounts alone.
    """
    large = ~hidden_rows(n, minimum_cell) & (n > 0)
    listed = np.zeros(len(n), dtype=bool)
    order = np.lexsort((-n, -np.abs(np.nan_to_num(change))))
    most = order[large[order]][:LISTED]
    listed[most] = True
    for row in most[::-1]:
        rest = n[~listed]
        if not (rest < minimum_cell).any() or not tells_of_one(rest, rest, minimum_cell):
            break
        listed[row] = False
    return large, listed


def groups_told(dist: ScoreDistribution, *weights: Floats) -> frozenset[str]:
    """Groups in which scores over accounts tell of one, together with the plain score and the influences shown.

    Parameters
    ----------
    dist : ScoreDistribution
        Unweighted answers by account.
    *weights : ndarray, shape (n_rows,)
        For each score over accounts that is shown with its standard error: what the account of each row of the
        clusters weighs.
    """
    clusters = dist.clusters
    if clusters is None or dist.minimum_cell <= 1:
        return frozenset()
    whole = dist.total()
    of_all = whole.clusters or clusters
    _, listed = accounts_listed(of_all.n, changes_without(whole), dist.minimum_cell)
    known = np.isin(clusters.label, of_all.label[listed])
    classes, told = dist.classes(clusters.sums), set()
    for row, group in enumerate(dist.groups):
        of_group = clusters.group == row
        rest = of_group & ~known
        n = clusters.n[rest]
        weights_of_group = [weight for weight in weights if weight[rest].any()]
        if rest.any() and (
            any(tells_of_one(weight[rest], n, dist.minimum_cell) for weight in (clusters.n, *weights_of_group))
            or _pinned(classes, of_group, rest, weights_of_group, dist.minimum_cell)
        ):
            told.add(group)
    return frozenset(told)


def _pinned(classes: Floats, of_group: Flags, rest: Flags, weights: Sequence[Floats], minimum_cell: int) -> bool:
    """Whether linear programs tell of an account among the rest of a group; of not too many, to the second largest."""
    n = classes.sum(axis=1)
    score = classes @ VALUE / n
    spreads = []
    for weight in (n, *weights):
        share = weight / weight[of_group].sum()
        spreads.append((share, -share * (share[of_group] @ score[of_group])))
    if weights:  # the error of the difference of the first from the plain score
        spreads.append((spreads[1][0] - spreads[0][0], spreads[1][1] - spreads[0][1]))
    by_size = np.lexsort((n, weights[-1] if weights else n))
    unknown = [np.flatnonzero(rest), np.setdiff1d(np.flatnonzero(rest), by_size[rest[by_size]][-2:-1])]
    return any(
        tells_of_units(
            classes[rows],
            [weight[rows] / n[rows] for weight in weights],
            [(a[rows], b[rows]) for a, b in spreads],
            minimum_cell,
        )
        for rows in unknown[: 2 if rest.sum() <= MANY else 1]
    )


def rest_tells(part: ScoreDistribution, whole: ScoreDistribution) -> frozenset[str]:
    """Groups of a part of a study in which the whole, less the part, would tell of one unit of the rest."""
    told = set()
    for group in set(part.groups) & set(whole.groups):
        one, all_of = part.group(group), whole.group(group)
        if one.clusters is not None and all_of.clusters is not None:
            columns = [
                pd.DataFrame({"weight": each.sums.sum(axis=1), "n": each.n}, index=each.label)
                for each in (all_of.clusters, one.clusters)
            ]
            rest = columns[0].sub(columns[1], fill_value=0)
            rest = rest[rest["n"] > 0]
            few = tells_of_one(rest["weight"].to_numpy(), rest["n"].to_numpy(), part.minimum_cell)
        else:
            left = [
                (of_all if of_all is not None else all_of.counts).sum()
                - (ours if ours is not None else one.counts).sum()
                for of_all, ours in (
                    (all_of.weight_sums, one.weight_sums),
                    (all_of.squared_weight_sums, one.squared_weight_sums),
                )
            ]
            few = part.minimum_cell > 1 and bool(answers_tell_of_one(*left))
        if few:
            told.add(group)
    return frozenset(told)
