"""Counting a study's answers: from rows to a ScoreDistribution, in one pass."""

from __future__ import annotations

import weakref
from functools import reduce
from typing import TYPE_CHECKING, Any, Literal

import narwhals as nw
import numpy as np
import pandas as pd

from nps_research.contract import RESPONSES
from nps_research.distribution import N_SCORES, ScoreDistribution, merged_clusters
from nps_research.errors import ContractError
from nps_research.study_file import did_you_mean
from nps_research.suppression import hidden_groups

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from nps_research.study import Study

    Integers = NDArray[np.int64]

__all__ = ["NOT_STATED", "groups_not_shown", "score_distribution"]

NOT_STATED = "(not stated)"
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
# Groupings made from the moment of the answer; who never answered has no such moment.
FROM_ANSWER = ("weekday", "hour")
BETWEEN = " \N{MIDDLE DOT} "  # the parts of a group that is a combination


def score_distribution(
    study: Study,
    *,
    by: str | Sequence[str] | None = None,
    cluster: str | Literal["auto"] | None = "auto",
    weight: str | Literal["auto"] | None = "auto",
) -> ScoreDistribution:
    """Count a study's answers per score and group.

    Parameters
    ----------
    study : Study
        The study.
    by : str or sequence of str, optional
        Columns of ``study.responses`` to group by (``"wave"``, a segment, ``"channel"``), or
        ``"weekday"`` or ``"hour"`` of the answer. Several make groups of their combinations.
    cluster : str or None
        Column within whose values answers are alike; ``"auto"`` takes the study's declared cluster,
        if any; None takes answers as independent.
    weight : str or None
        Column of weights; ``"auto"`` takes ``design_weight``, if there is one; None counts each
        answer once.

    Returns
    -------
    ScoreDistribution

    Raises
    ------
    CannotAnswerError
        If the study lacks ``likelihood_to_recommend`` or a standard column named in the call.
    ContractError
        If a column is named that no study has.

    Notes
    -----
    The counting is one Narwhals expression: group, count, sum weights and their squares.

    Examples
    --------
    >>> from nps_research.study import Study
    >>> study = Study.from_frames(responses=pd.DataFrame({"likelihood_to_recommend": [10, 9, 3, None]}))
    >>> score_distribution(study).item_missing.tolist()
    [1]
    """
    study.require("responses.likelihood_to_recommend")
    keys = [by] if isinstance(by, str) else list(by or [])
    cluster_name = _declared_cluster(study) if cluster == "auto" else cluster
    if weight == "auto":
        weight = "design_weight" if "responses.design_weight" in study.available else None
    rows = _rows(study, keys, cluster_name, weight)
    cells = _count(rows, keys)
    groups, place = _groups(study, keys, cells)
    score = cells["score"].fillna(-1).astype(int).to_numpy()
    state, n = cells["state"].to_numpy(), cells["n"].to_numpy(dtype=np.int64)
    answered = state == "answered"

    def per_score(values: NDArray[Any]) -> NDArray[Any]:
        total: NDArray[Any] = np.zeros((len(groups), N_SCORES), dtype=values.dtype)
        np.add.at(total, (place[answered], score[answered]), values[answered])
        return total

    def per_group(name: str) -> Integers:
        return np.bincount(place[state == name], weights=n[state == name], minlength=len(groups)).astype(np.int64)

    says_who = {"responses.delivered", "responses.responded", "responses.responded_at"} & study.available
    knows_silence = bool(says_who) and not set(keys) & set(FROM_ANSWER)
    clusters = None
    if cluster_name is not None:
        sums = np.zeros((int(answered.sum()), N_SCORES))
        sums[np.arange(len(sums)), score[answered]] = cells["weight"].to_numpy(dtype=float)[answered]
        clusters = merged_clusters(place[answered], cells["cluster"].to_numpy(dtype=object)[answered], sums)
    return ScoreDistribution(
        groups=groups,
        counts=per_score(n),
        item_missing=per_group("item_missing"),
        nonrespondents=per_group("nonrespondent") if knows_silence else None,
        not_reached=per_group("not_reached") if knows_silence else None,
        pending=per_group("pending") if knows_silence else None,
        weight_sums=per_score(cells["weight"].to_numpy(dtype=float)) if weight else None,
        squared_weight_sums=per_score(cells["squared_weight"].to_numpy(dtype=float)) if weight else None,
        clusters=clusters,
        by=tuple(keys),
        ordered=keys == ["wave"],
        minimum_cell=study.settings.minimum_cell,
        not_shown=groups_not_shown(study, keys),
        design={key: value for key, value in (("weight", weight), ("cluster", cluster_name)) if value is not None},
    )


# What was found for a study, for as long as the study is there.
_NOT_SHOWN: weakref.WeakKeyDictionary[Study, dict[tuple[str, ...], frozenset[str]]] = weakref.WeakKeyDictionary()


def groups_not_shown(study: Study, by: Sequence[str]) -> frozenset[str]:
    """Groups that a report on the study must not show: small ones, and those that would give them away.

    Waves, segments, channels, weekdays and hours are all taken to be shown, in this order, and any
    other grouping beside them.

    Parameters
    ----------
    study : Study
        The study.
    by : sequence of str
        Columns as in `score_distribution`.

    Returns
    -------
    frozenset of str
        Names of groups, as in the distribution counted by the same columns.

    Examples
    --------
    >>> from nps_research.study import Study
    >>> table = pd.DataFrame({"likelihood_to_recommend": [9] * 50, "area": ["A"] * 30 + ["B"] * 12 + ["C"] * 8})
    >>> sorted(groups_not_shown(Study.from_frames(responses=table, segments=["area"]), ["area"]))
    ['B', 'C']
    """
    found = _NOT_SHOWN.setdefault(study, {})
    if tuple(by) not in found:
        usual = ["wave"] * bool(study.waves) + [*study.segments, "channel", *FROM_ANSWER]
        needs = {"channel": "responses.channel"} | dict.fromkeys(FROM_ANSWER, "responses.responded_at")
        groupings: list[tuple[str, ...]] = [
            (name,) for name in usual if name not in needs or study.can_answer(needs[name])
        ]
        if tuple(by) not in groupings:
            groupings += [(name,) for name in by if (name,) not in groupings] + [tuple(by)] * (len(by) != 1)
        found.update(zip(groupings, _not_shown(study, groupings, found), strict=True))
    return found[tuple(by)]


def _not_shown(
    study: Study, groupings: Sequence[tuple[str, ...]], found: Mapping[tuple[str, ...], frozenset[str]]
) -> list[frozenset[str]]:
    """Per grouping, the groups that must not be shown where all of them are shown together."""
    responses = study.responses
    returned = responses["response_state"].isin(["answered", "item_missing"])
    classes = pd.cut(  # scores are there where somebody answered, and nowhere else
        responses["likelihood_to_recommend"],
        [-1, study.settings.detractor_max, study.settings.promoter_min - 1, N_SCORES],
        labels=["detractors", "passives", "promoters"],
    )
    columns = list(dict.fromkeys(name for grouping in groupings for name in grouping))
    rows = pd.get_dummies(classes, dtype="int64").assign(people=1)
    for position, name in enumerate(columns):
        key = _key(responses, name)
        rows[position] = key.where(returned) if name in FROM_ANSWER else key
    keys = list(range(len(columns)))
    cells = rows.groupby(keys, dropna=False, sort=False, as_index=False).sum() if keys else rows
    labels = pd.DataFrame(index=cells.index)
    parts: dict[int, list[int]] = {}
    for position, grouping in enumerate(groupings):
        of = [cells[columns.index(name)] for name in grouping]
        labels[position] = reduce(lambda one, other: one + BETWEEN + other, of) if of else "all"
        if len(of) > 1:
            parts[position] = [groupings.index((name,)) for name in grouping]
    hidden = hidden_groups(
        labels,
        answers=cells[["detractors", "passives", "promoters"]].to_numpy(),
        people=cells["people"].to_numpy(),
        minimum_cell=study.settings.minimum_cell,
        parts=parts,
        settled={position: found[grouping] for position, grouping in enumerate(groupings) if grouping in found},
    )
    return list(hidden.values())


def _declared_cluster(study: Study) -> str | None:
    if study.settings.cluster is not None:
        return study.settings.cluster
    return "cluster" if "responses.cluster" in study.available else None


def _rows(study: Study, keys: Sequence[str], cluster: str | None, weight: str | None) -> pd.DataFrame:
    """One row per invitation: keys, cluster, state, score, weight; columns named for their part."""
    responses = study.responses
    for name in [*keys, *(name for name in (cluster, weight) if name is not None)]:
        if name in RESPONSES or name in FROM_ANSWER:
            study.require("responses.responded_at" if name in FROM_ANSWER else f"responses.{name}")
        elif name not in responses:
            known = [*map(str, responses.columns), *FROM_ANSWER]
            raise ContractError(f"responses: there is no column {name!r}{did_you_mean(name, known)}")
    rows = pd.DataFrame({"state": responses["response_state"], "score": responses["likelihood_to_recommend"]})
    for position, name in enumerate(keys):
        rows[f"key{position}"] = _key(responses, name)
    if weight is not None and not pd.api.types.is_numeric_dtype(responses[weight]):
        raise ContractError(f"responses: {weight} is no column of numbers, and cannot be a weight.")
    rows["weight"] = 1.0 if weight is None else responses[weight].astype(float)
    rows["squared_weight"] = rows["weight"] ** 2
    if cluster is not None:
        label = responses[cluster].astype("str")
        alone = pd.Series([f"{study.data_hash} {row}" for row in range(len(responses))], index=responses.index)
        if cluster == "cluster" and "wave" in responses and not study.settings.cluster_spans_waves:
            label = responses["wave"].astype("str") + "\N{SYMBOL FOR UNIT SEPARATOR}" + label
        # Whoever belongs to no cluster is one alone.
        rows["cluster"] = label.where(responses[cluster].notna(), alone)
    if set(keys) & set(FROM_ANSWER):
        rows = rows[rows["state"].isin(["answered", "item_missing"])]
    return rows


def _key(responses: pd.DataFrame, name: str) -> pd.Series:
    if name == "weekday":
        values = responses["responded_at"].dt.day_of_week.map(dict(enumerate(WEEKDAYS)))
    elif name == "hour":
        values = responses["responded_at"].dt.strftime("%H:00")
    else:
        values = responses[name]
    named: pd.Series = values.astype("str").fillna(NOT_STATED)
    return named


def _count(rows: pd.DataFrame, keys: Sequence[str]) -> pd.DataFrame:
    """The one expression: cells of keys, cluster, state and score, counted."""
    names = [*(f"key{position}" for position in range(len(keys))), *(["cluster"] if "cluster" in rows else [])]
    counted = (
        nw.from_native(rows)
        .lazy()
        .group_by(*names, "state", "score")
        .agg(nw.len().alias("n"), nw.col("weight").sum(), nw.col("squared_weight").sum())
        .sort(*names, "state", "score")
        .collect()
    )
    return counted.to_pandas()


def _groups(study: Study, keys: Sequence[str], cells: pd.DataFrame) -> tuple[tuple[str, ...], Integers]:
    """Names of the groups in their order, and each cell's place among them."""
    if not keys:
        return ("all",), np.zeros(len(cells), dtype=np.int64)
    orders = [_order(study, name, cells[f"key{position}"]) for position, name in enumerate(keys)]
    codes = np.stack(
        [cells[f"key{position}"].map(order).to_numpy(dtype=np.int64) for position, order in enumerate(orders)]
    )
    present, place = np.unique(codes, axis=1, return_inverse=True)
    names = [list(order) for order in orders]
    groups = tuple(BETWEEN.join(names[position][code] for position, code in enumerate(column)) for column in present.T)
    return groups, np.asarray(place.ravel(), dtype=np.int64)


def _order(study: Study, name: str, values: pd.Series) -> dict[str, int]:
    """Values in the order readers expect: time for waves and days, numbers by size, else the alphabet."""
    found = [value for value in values.unique() if value != NOT_STATED]
    if name == "wave":
        found = [wave for wave in study.waves if wave in found]
    elif name == "weekday":
        found = [day for day in WEEKDAYS if day in found]
    else:
        found.sort(key=lambda value: (0, float(value), value) if value.isdecimal() else (1, 0.0, value))
    if (values == NOT_STATED).any():
        found.append(NOT_STATED)
    return {value: code for code, value in enumerate(found)}
