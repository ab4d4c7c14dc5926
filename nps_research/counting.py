"""Counting a study's answers: from rows to a ScoreDistribution, in one pass."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from nps_research.cells import FROM_ANSWER, NOT_STATED, WEEKDAYS, count_cells, tells_silence
from nps_research.distribution import N_SCORES, ScoreDistribution, merged_clusters
from nps_research.errors import CannotAnswerError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from nps_research.study import Study

    Integers = NDArray[np.int64]

__all__ = ["NOT_STATED", "groups_of", "score_distribution"]


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
        If the study lacks ``likelihood_to_recommend`` or a standard column named in the call, or a lazy
        frame has too many groups, clusters or weights to bring into memory.
    ContractError
        If a column is named that no study has, a weight is missing or negative on an answered row, or values of
        a lazy frame break the contract.

    Notes
    -----
    The rows are counted where they lie, in one pass: by DuckDB, or by the engine of a lazy frame (see
    `Study.from_frames`), which also counts by each distinct weight, so that no engine sums floats. Values of
    a lazy frame are checked by the way; who stands twice in one wave is not looked for.

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
    cells = count_cells(study, keys, cluster=cluster_name, weight=weight)
    knows_silence = tells_silence(study, cells) and not set(keys) & set(FROM_ANSWER)
    if set(keys) & set(FROM_ANSWER):
        cells = cells[cells["state"].isin(["answered", "item_missing"])]
    groups, place = groups_of(study, keys, cells)
    score = cells["score"].fillna(-1).astype(int).to_numpy()
    one = cells["weight"].to_numpy() if weight else np.ones(len(cells))
    state, n = cells["state"].to_numpy(), cells["n"].to_numpy(dtype=np.int64)
    answered = state == "answered"
    if study.is_lazy and not answered.any():
        raise CannotAnswerError("No row of the lazy frame has an answer in likelihood_to_recommend.")

    def per_score(values: NDArray[Any]) -> NDArray[Any]:
        total: NDArray[Any] = np.zeros((len(groups), N_SCORES), dtype=values.dtype)
        np.add.at(total, (place[answered], score[answered]), values[answered])
        return total

    def per_group(name: str) -> Integers:
        return np.bincount(place[state == name], weights=n[state == name], minlength=len(groups)).astype(np.int64)

    clusters = None
    if cluster_name is not None:
        sums = np.zeros((int(answered.sum()), N_SCORES))
        sums[np.arange(len(sums)), score[answered]] = (n * one)[answered]
        clusters = merged_clusters(place[answered], cells["cluster"].to_numpy(dtype=object)[answered], sums)
    return ScoreDistribution(
        groups=groups,
        counts=per_score(n),
        item_missing=per_group("item_missing"),
        nonrespondents=per_group("nonrespondent") if knows_silence else None,
        not_reached=per_group("not_reached") if knows_silence else None,
        pending=per_group("pending") if knows_silence else None,
        weight_sums=per_score(n * one) if weight else None,
        squared_weight_sums=per_score(n * one**2) if weight else None,
        clusters=clusters,
        by=tuple(keys),
        ordered=keys == ["wave"],
        minimum_cell=study.settings.minimum_cell,
        design={key: value for key, value in (("weight", weight), ("cluster", cluster_name)) if value is not None},
    )


def _declared_cluster(study: Study) -> str | None:
    if study.settings.cluster is not None:
        return study.settings.cluster
    return "cluster" if "responses.cluster" in study.available else None


def groups_of(study: Study, keys: Sequence[str], cells: pd.DataFrame) -> tuple[tuple[str, ...], Integers]:
    """Names of the groups in their order, and each cell's place among them."""
    if not keys:
        return ("all",), np.zeros(len(cells), dtype=np.int64)
    orders = [_order(study, name, cells, f"key{position}") for position, name in enumerate(keys)]
    codes = np.stack(
        [cells[f"key{position}"].map(order).to_numpy(dtype=np.int64) for position, order in enumerate(orders)]
    )
    present, place = np.unique(codes, axis=1, return_inverse=True)
    names = [list(order) for order in orders]
    groups = tuple(
        " \N{MIDDLE DOT} ".join(names[position][code] for position, code in enumerate(column)) for column in present.T
    )
    return groups, np.asarray(place.ravel(), dtype=np.int64)


def _order(study: Study, name: str, cells: pd.DataFrame, key: str) -> dict[str, int]:
    """Values in the order readers expect: time for waves and days, numbers by size, else the alphabet."""
    values = cells[key]
    found = [value for value in values.unique() if value != NOT_STATED]
    if name == "wave" and "first_invited" in cells:
        first = cells.groupby(key)["first_invited"].min()
        found.sort(key=lambda wave: (pd.isna(first[wave]), first[wave], wave))
    elif name == "wave" and study.waves:
        found = [wave for wave in study.waves if wave in found]
    elif name == "weekday":
        found = [day for day in WEEKDAYS if day in found]
    else:
        found.sort(key=lambda value: (0, float(value), value) if value.isdecimal() else (1, 0.0, value))
    if (values == NOT_STATED).any():
        found.append(NOT_STATED)
    return {value: code for code, value in enumerate(found)}
