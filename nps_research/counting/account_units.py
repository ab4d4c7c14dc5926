"""What pages show over accounts, taken together: their influence, the score of all alike, the score by revenue."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nps_research.counting.cells import count_cells
from nps_research.counting.clusters import declared_cluster
from nps_research.counting.score_distribution import ScoreDistribution
from nps_research.counting.shown_groups import groups_not_shown, usual_groupings
from nps_research.errors import EstimationError
from nps_research.results.few_units import answers_tell_of_one, tells_of_one
from nps_research.results.suppression import hidden_rows
from nps_research.results.unit_ranges import MANY, shares_tell_of_units, tells_of_units, told_by_shares
from nps_research.statistics.group_sums import group_sums
from nps_research.study.study import Study
from nps_research.typing import Flags, Floats, Integers

VALUE = np.array([-100.0, 0.0, 100.0])  # of detractors, passives and promoters
LISTED = 10  # accounts whose influence is shown at most
_BESIDE: weakref.WeakKeyDictionary[Study, dict[str, Any]] = weakref.WeakKeyDictionary()  # as long as a study is there


def changes_without(dist: ScoreDistribution) -> Floats:
    """The score without each account (row of the clusters) less the score with it; NaN where nobody else answered."""
    clusters = dist.clusters
    if clusters is None:
        raise EstimationError("Answers must be counted by account: score_distribution(..., cluster='account_id').")
    whole = dist.classes()[clusters.group]
    rest = whole - dist.classes(clusters.sums)
    with np.errstate(invalid="ignore"):
        return np.asarray(rest @ VALUE / rest.sum(axis=1) - whole @ VALUE / whole.sum(axis=1))


def accounts_listed(
    n: Floats, change: Floats, label: pd.Index | NDArray[np.object_], minimum_cell: int, barred: Flags
) -> tuple[Flags, Flags]:
    """Of one group's accounts, which are large enough to show, and which of them, those of most influence, are shown.

    Those not shown are a group, of which the plain score less those shown would tell: it must keep the rule of
    `tells_of_one`, or be of large accounts alone. The `barred` are not shown.
    """
    large = ~hidden_rows(n, minimum_cell) & (n > 0)
    listed = np.zeros(len(n), dtype=bool)
    order = by_influence(n, change, label)
    most = order[(large & ~barred)[order]][:LISTED]
    listed[most] = True
    for row in most[::-1]:
        rest = n[~listed]
        if not (rest < minimum_cell).any() or not tells_of_one(rest, rest, minimum_cell):
            break
        listed[row] = False
    return large, listed


def by_influence(n: Floats, change: Floats, label: pd.Index | NDArray[np.object_]) -> Integers:
    """The order of accounts by what they do to the score, then by their answers, then by their labels."""
    return np.lexsort((pd.factorize(np.asarray(label), sort=True)[0], -n, -np.abs(np.nan_to_num(change)).round(9)))


def scores_beside(study: Study) -> dict[str, Any]:
    """What the plain scores of waves and segments tell of accounts, as `ScoreDistribution` holds it.

    `barred` are accounts whose influence is not shown, as a group's score, less it, would tell of another account: of
    the accounts shown that lie within the group, those of least influence, until what is left of it tells of nobody.
    `errors_beside` is whether these scores have errors over accounts. `apart` are the accounts of each group whose
    accounts have no answers elsewhere.
    """
    if study.is_lazy or study.settings.minimum_cell <= 1:
        return {}
    if study not in _BESIDE:
        _BESIDE[study] = _scores_beside(study)
    return _BESIDE[study]


def _scores_beside(study: Study) -> dict[str, Any]:
    smallest = study.settings.minimum_cell
    labels, _, code, classes = _classes_by_account(study, [])
    whole = group_sums(classes, code, len(labels))
    n, rest = whole.sum(axis=1), whole.sum(axis=0) - whole
    with np.errstate(invalid="ignore", divide="ignore"):
        change = rest @ VALUE / rest.sum(axis=1) - whole.sum(axis=0) @ VALUE / n.sum()
    few = len(n) <= MANY + LISTED  # of more, nothing is told jointly
    groups, apart = [], []  # the accounts in a group, and their answers there
    for name in usual_groupings(study):
        named, keys, code, classes = _classes_by_account(study, [name])
        place = labels.get_indexer(named)
        for key in sorted(set(keys) - groups_not_shown(study, [name])):
            inside, of_inside = np.unique(code[keys == key], return_inverse=True)
            rows, of_group = place[inside], group_sums(classes[keys == key], of_inside, len(inside))
            is_whole = of_group.sum(axis=1) == n[rows]
            if (is_whole & (n[rows] >= smallest)).any():
                groups.append((rows, of_group))
            if few and len(rows) < len(n) and is_whole.all():
                apart.append(rows)
    rank = np.argsort(by_influence(n, change, labels))
    barred, before = np.zeros(len(n), dtype=bool), -1
    while barred.sum() > before:
        before = int(barred.sum())
        _, listed = accounts_listed(n, change, labels, smallest, barred)
        for inside, of_group in groups:
            known = listed[inside] & (of_group.sum(axis=1) == n[inside])
            for row in sorted(np.flatnonzero(known), key=lambda row: -rank[inside[row]]):
                left = of_group[~known]
                if not len(left) or not shares_tell_of_units(left, smallest):
                    break
                barred[inside[row]], known[row] = True, False
    return {
        "barred": frozenset(map(str, labels[barred])),
        "errors_beside": declared_cluster(study) == "account_id",
        "apart": tuple(frozenset(map(str, labels[rows])) for rows in apart),
    }


def _classes_by_account(study: Study, by: list[str]) -> tuple[pd.Index, NDArray[np.object_], Integers, Floats]:
    """Accounts; and of each cell of answers its group, its account's place, its detractors, passives and promoters."""
    cells = count_cells(study, by, cluster="account_id")
    cells = cells[cells["state"] == "answered"]
    code, labels = pd.factorize(cells["cluster"])
    ends = [-1, study.settings.detractor_max, study.settings.promoter_min - 1, 10]
    classes = np.eye(3)[pd.cut(cells["score"], ends, labels=False)] * cells["n"].to_numpy()[:, None]
    keys = cells["key0"].to_numpy(dtype=object) if by else np.empty(0, dtype=object)
    return pd.Index(labels), keys, code, classes


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
    barred = np.isin(of_all.label, list(dist.barred))
    _, listed = accounts_listed(of_all.n, changes_without(whole), of_all.label, dist.minimum_cell, barred)
    known = np.isin(clusters.label, of_all.label[listed])
    part = known & (clusters.n < pd.Series(of_all.n, index=of_all.label).reindex(clusters.label).to_numpy())
    asked = ~known | part & (clusters.n < dist.minimum_cell)
    classes, told = dist.classes(clusters.sums), set()
    unknown = [np.flatnonzero(~known | part)]
    few, spread = len(unknown[0]) <= MANY, {}  # of more, single parts are as good as free
    for row, group in enumerate(dist.groups):
        of_group = clusters.group == row
        rest = of_group & ~known
        n = clusters.n[rest]
        weights_of_group = [np.where(of_group, weight, 0.0) for weight in weights if weight[rest].any()]
        if not rest.any():
            continue
        own = _weights_and_spreads(classes, of_group, weights_of_group)
        if few:
            spread[group] = own
        if any(
            tells_of_one(weight[rest], n, dist.minimum_cell) for weight in (clusters.n, *weights_of_group)
        ) or _pinned(classes, [own], _unknown_of(rest, weights_of_group, classes), dist.minimum_cell):
            told.add(group)
    if not few:
        return frozenset(told)
    of_listed = [clusters.label == label for label in np.unique(clusters.label[part])]
    sums = [np.isin(clusters.label, list(accounts)).astype(np.float64) for accounts in dist.apart]
    sums += [rows.astype(np.float64) for rows in of_listed]
    insides = [clusters.group == row for row in np.unique(clusters.group)]
    for rows in (inside & (~known | part) for inside in insides):  # what these tell by themselves is told anyway
        asked[rows] &= ~told_by_shares(classes[rows], dist.minimum_cell)
    for rows in of_listed:
        asked[rows] &= ~told_by_shares(classes[rows], dist.minimum_cell, exactly=True)
    beside: list[_Told] = [([*sums, *(inside.astype(np.float64) for inside in insides)], [])]
    if sums and len(insides) > 1 and len(set(clusters.label)) == len(clusters.label):
        beside.append(_weights_and_spreads(classes, np.ones(len(known), dtype=bool), ()))
    if weights and dist.errors_beside:  # the plain score's own errors are shown where they may be
        without = [dist.place(group) for group in groups_told(dist)]
        of_plain = [inside for inside in insides if not np.isin(clusters.group[inside][:1], without)]
        beside += [_weights_and_spreads(classes, inside, ()) for inside in of_plain]
    left = [group for group in dist.groups if group not in told and group in spread]
    while sums and left:
        if not _pinned(classes, [*beside, *(spread[group] for group in left)], unknown, dist.minimum_cell, asked, part):
            break
        told.add(left.pop(int(np.argmin([(clusters.group == dist.place(group)).sum() for group in left]))))
    return frozenset(told)


_Told = tuple[list[Floats], list[tuple[Floats, Floats]]]  # sums and standard errors, as tells_of_units takes them


def _weights_and_spreads(classes: Floats, of_group: Flags, weights: Sequence[Floats]) -> _Told:
    """What is told of a group: shares in which answers and accounts count by their weights, and all standard errors."""
    n = classes.sum(axis=1)
    score, spreads = classes @ VALUE / n, []
    for weight in (np.where(of_group, n, 0.0), *weights):
        share = weight / weight.sum()
        spreads.append((share, -share * (share @ score)))
    if weights:  # the error of the difference of the first from the plain score
        spreads.append((spreads[1][0] - spreads[0][0], spreads[1][1] - spreads[0][1]))
    return [of_group.astype(np.float64), *(weight / n for weight in weights)], spreads


def _unknown_of(rest: Flags, weights: Sequence[Floats], classes: Floats) -> list[Integers]:
    """The accounts of which nothing else is known; of not too many, also to the second largest."""
    n = classes.sum(axis=1)
    by_size = np.lexsort((n, weights[-1] if weights else n))
    of_second = np.setdiff1d(np.flatnonzero(rest), by_size[rest[by_size]][-2:-1])
    return [np.flatnonzero(rest), of_second][: 2 if rest.sum() <= MANY else 1]


def _pinned(
    classes: Floats,
    told: Sequence[_Told],
    unknown: Sequence[Integers],
    minimum_cell: int,
    asked: Flags | None = None,
    exactly: Flags | None = None,
) -> bool:
    """Whether linear programs tell of one of the unknown accounts."""
    return any(
        tells_of_units(
            classes[rows],
            [weight[rows] for weights, _ in told for weight in weights],
            [(a[rows], b[rows]) for _, spreads in told for a, b in spreads],
            minimum_cell,
            None if asked is None else asked[rows],
            False if exactly is None else exactly[rows],
        )
        for rows in unknown
        if len(rows)
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
