"""Counting a study's answers: from rows to a ScoreDistribution, in one pass."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import pandas as pd

from nps_research.counting.account_units import groups_told, rest_tells, scores_beside
from nps_research.counting.cells import NOT_STATED, WEEKDAYS, count_cells, from_answer, is_period
from nps_research.counting.cluster_sums import N_SCORES, merged_clusters
from nps_research.counting.clusters import by_size, declared_cluster, declared_weight, weight_not_used
from nps_research.counting.outcome_by_score import OutcomeByScore
from nps_research.counting.people import who_can_be_called
from nps_research.counting.revenue_weights import revenue_unit, revenue_weighted
from nps_research.counting.score_distribution import ScoreDistribution
from nps_research.counting.shown_groups import groups_not_shown
from nps_research.counting.silence import tells_silence
from nps_research.errors import CannotAnswerError
from nps_research.results.words import BETWEEN, quoted
from nps_research.study.small_waves import small_waves_said
from nps_research.study.study import Study
from nps_research.typing import Integers, Numbers


def score_distribution(
    study: Study,
    *,
    by: str | Sequence[str] | None = None,
    cluster: str | Literal["auto"] | None = "auto",
    weight: str | Literal["auto"] | None = "auto",
    stratum: str | Literal["auto"] | None = "auto",
) -> ScoreDistribution:
    """Count a study's answers per score and group.

    Parameters
    ----------
    study : Study
        The study.
    by : str or sequence of str, optional
        Columns of ``study.responses`` to group by (``"wave"``, a segment, ``"channel"``), or
        ``"weekday"`` or ``"hour"`` of the answer, or, unless there is a column of that name, ``"month"``,
        ``"quarter"`` or ``"year"`` of its date, else of the invitation's. (Where answers are dated, silence is not
        counted by any of these: it has no date.) Several make groups of their combinations; frames made of them have
        a column for each, beside `group` (with ``_key`` after its name, where the frame has such a column already).
    cluster : str or None
        Column within whose values answers are alike. ``"auto"`` takes the study's declared cluster; without
        one the person (``customer_id``, else ``respondent_id``), where somebody answered more than once: one
        person's answers are alike, whatever else is known. In a lazy frame that is not looked for. It never
        takes the account by itself: whether people or accounts were sampled is for the study to declare.
        None takes answers as independent.
    weight : str or None
        Column of weights; ``"auto"`` takes ``design_weight``, if there is one and no answer counts for nearly all;
        None counts each answer once. ``"revenue"`` weights accounts (customers, where there are no accounts) by their
        ``customers.revenue``: see `counting.revenue_weights.revenue_weighted`.
    stratum : str or None
        Column of the strata in which clusters (or, without clusters, people) were drawn. ``"auto"`` takes
        ``stratum``, if there is one, unless another cluster than the study's is asked for. The same
        stratum in two waves is two, unless clusters span waves. None takes clusters as drawn without strata.

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
    >>> from nps_research.study.study import Study
    >>> study = Study.from_frames(responses=pd.DataFrame({"likelihood_to_recommend": [10, 9, 3, None]}))
    >>> score_distribution(study).item_missing.tolist()
    [1]
    """
    study.require("responses.likelihood_to_recommend")
    if weight == "revenue":
        unit = revenue_unit(study, cluster)
        dist = revenue_weighted(score_distribution(study, by=by, cluster=unit, weight=None), study, unit)
        return beside_whole(dist, study, by=by, weight="revenue")
    left_aside: str | None = None
    keys = [by] if isinstance(by, str) else list(by or [])
    if stratum == "auto":
        stratum = "stratum" if cluster == "auto" and "responses.stratum" in study.available else None
    cluster_name = declared_cluster(study) if cluster == "auto" else cluster
    if weight == "auto":
        weight, left_aside = declared_weight(study), weight_not_used(study) or None
    design = {"weight": weight, "cluster": cluster_name, "stratum": stratum}
    # before the cells are there: both need memory
    beside = scores_beside(study) if cluster_name == "account_id" and weight is None else {}
    cells = count_cells(study, keys, **design)
    design["weight_not_used"] = left_aside
    cells, place, knows_silence, grouped = grouped_cells(study, keys, cells)
    groups = grouped["groups"]
    score = cells["score"].fillna(-1).astype(int).to_numpy()
    one = cells["weight"].to_numpy() if weight else np.ones(len(cells))
    state, n = cells["state"].to_numpy(), cells["n"].to_numpy(dtype=np.int64)
    answered = state == "answered"
    if study.is_lazy and not answered.any():
        raise CannotAnswerError("No row of the lazy frame has an answer in likelihood_to_recommend.")

    def per_score(values: Numbers) -> Numbers:
        total: Numbers = np.zeros((len(groups), N_SCORES), dtype=values.dtype)
        np.add.at(total, (place[answered], score[answered]), values[answered])
        return total

    def per_group(name: str) -> Integers:
        return np.bincount(place[state == name], weights=n[state == name], minlength=len(groups)).astype(np.int64)

    clusters = None
    if "cluster" in cells:
        sums = np.zeros((int(answered.sum()), N_SCORES))
        sums[np.arange(len(sums)), score[answered]] = (n * one)[answered]
        clusters = merged_clusters(
            place[answered],
            cells["cluster"].to_numpy(dtype=object)[answered],
            sums,
            n[answered] if weight else None,
            strata=_strata_of_clusters(cells),
        )
    dist = ScoreDistribution(
        **grouped,
        counts=per_score(n),
        item_missing=per_group("item_missing"),
        nonrespondents=per_group("nonrespondent") if knows_silence else None,
        not_reached=per_group("not_reached") if knows_silence else None,
        pending=per_group("pending") if knows_silence else None,
        weight_sums=per_score(n * one) if weight else None,
        squared_weight_sums=per_score(n * one**2) if weight else None,
        clusters=clusters,
        not_shown=None if study.is_lazy else groups_not_shown(study, keys),
        design={name: column for name, column in design.items() if column is not None} | _left_out(study, keys),
        **beside,
        target=study.settings.target,
    )
    if cluster == "auto" and cluster_name == "account_id" and weight is None and not study.is_lazy:
        dist = replace(dist, errors_told=groups_told(dist))
    return beside_whole(dist, study, by=by, cluster=cluster, weight=weight, stratum=stratum)


def beside_whole(dist: ScoreDistribution, study: Study, **counted: Any) -> ScoreDistribution:
    """Counts of a part of a study, knowing in which groups the same of the whole would tell of one unit of the rest."""
    if dist.is_simple or study.whole is None or study.is_lazy or "" in study.part:
        return dist
    return replace(
        dist, told_elsewhere=dist.told_elsewhere | rest_tells(dist, score_distribution(study.whole, **counted))
    )


def answers_to_call(study: Study, outcome: OutcomeByScore) -> ScoreDistribution:
    """Count the answers of the last wave, or all without waves, for calls that shall reach an outcome.

    Nobody is left out of it: beside the answers of the wave that would tell what a few answered. CannotAnswerError
    where nobody can be called, or the outcome is not dated: it may have come before the answer.
    """
    if outcome.dated is False:
        raise CannotAnswerError(
            f"Whom to call is not known: {quoted(outcome.outcome)} is not dated, and may be older than the answer."
        )
    who_can_be_called(study)
    by_wave = score_distribution(study, by="wave" if study.waves else None)
    return by_wave.group(study.waves[-1]) if study.waves else by_wave


def _left_out(study: Study, keys: Sequence[str]) -> dict[str, str]:
    """The waves that are left out for being small, in a sentence, where groups are waves."""
    said = small_waves_said(study.left_out_waves, study.settings.minimum_cell) if "wave" in keys else ""
    return {"left_out": said} if said else {}


def _strata_of_clusters(cells: pd.DataFrame) -> dict[str, str] | None:
    """The stratum of each cluster with answers."""
    if "stratum" not in cells:
        return None
    answered = cells[cells["state"] == "answered"].drop_duplicates("cluster")
    return dict(zip(answered["cluster"], answered["stratum"], strict=True))


def grouped_cells(
    study: Study, keys: Sequence[str], cells: pd.DataFrame
) -> tuple[pd.DataFrame, Integers, bool, dict[str, Any]]:
    """The cells that count, the place of each among the groups, whether silence is known, and what is `Grouped`."""
    knows_silence = tells_silence(study, cells) and not from_answer(study, keys)
    if from_answer(study, keys):  # who did not answer did so on no day
        cells = cells[cells["state"].isin(["answered", "item_missing"])]
    groups, values, place = _groups_of(study, keys, cells)
    grouped = {
        "groups": groups,
        "by": tuple(keys),
        "keys": values,
        "ordered": list(keys) == ["wave"] or (len(keys) == 1 and is_period(study, keys[0])),
        "minimum_cell": study.settings.minimum_cell,
        "promoter_min": study.settings.promoter_min,
        "detractor_max": study.settings.detractor_max,
    }
    return cells, place, knows_silence, grouped


def _groups_of(
    study: Study, keys: Sequence[str], cells: pd.DataFrame
) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...], Integers]:
    """Names of the groups in their order, their values of several keys, and each cell's place among them."""
    if not keys:
        return ("all",), (), np.zeros(len(cells), dtype=np.int64)
    orders = [_order(study, name, cells, f"key{position}") for position, name in enumerate(keys)]
    codes = np.stack(
        [cells[f"key{position}"].map(order).to_numpy(dtype=np.int64) for position, order in enumerate(orders)]
    )
    present, place = np.unique(codes, axis=1, return_inverse=True)
    names = [list(order) for order in orders]
    values = tuple(tuple(names[position][code] for position, code in enumerate(column)) for column in present.T)
    groups = tuple(map(BETWEEN.join, values))
    return groups, values if len(keys) > 1 else (), np.asarray(place.ravel(), dtype=np.int64)


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
        found.sort(key=by_size)
    if (values == NOT_STATED).any():
        found.append(NOT_STATED)
    return {value: code for code, value in enumerate(found)}
