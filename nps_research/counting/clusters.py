"""Whose answers belong together: accounts, people, what the study declares."""

from __future__ import annotations

import numpy as np
import pandas as pd

from nps_research.results.few_units import answers_tell_of_one
from nps_research.study.study import Study
from nps_research.typing import Integers


def first_available(study: Study, *names: str) -> str | None:
    """Find the first of some columns that the study's responses have; row numbers that stand in for ids are none."""
    return next((name for name in names if f"responses.{name}" in study.available), None)


def declared_cluster(study: Study) -> str | None:
    """Find the column that ``cluster="auto"`` takes."""
    if study.settings.cluster is not None:
        return study.settings.cluster
    if "responses.cluster" in study.available:
        return "cluster"
    if study.is_lazy:
        return None
    person = first_available(study, "customer_id", "respondent_id")
    if person is None:
        return None
    answered = study.responses.loc[study.responses["response_state"] == "answered", person].dropna()
    return person if answered.duplicated().any() else None


def declared_weight(study: Study) -> str | None:
    """Find the column that ``weight="auto"`` takes: none where one answer would count for nearly all, and be told."""
    return None if weight_not_used(study) or "responses.design_weight" not in study.available else "design_weight"


def weight_not_used(study: Study) -> str:
    """Why a study's weights are left aside, in a sentence; empty where they are not."""
    if "responses.design_weight" not in study.available or study.is_lazy or study.settings.minimum_cell <= 1:
        return ""
    answered = study.responses["response_state"] == "answered"
    weight = study.responses.loc[answered, "design_weight"].to_numpy(dtype=np.float64, na_value=np.nan)
    if not answers_tell_of_one(np.nansum(weight), np.nansum(weight**2)):
        return ""
    return (
        "Weights are left aside: few answers would count for nearly all, and so be told; evener weights would be used."
    )


def clusters_in(study: Study, rows: pd.DataFrame, name: str) -> pd.Series:
    """Label each row's cluster; the study's ``cluster`` column names others in each wave, unless they span waves."""
    labels = rows[name]
    if name == "cluster" and "wave" in rows and not study.settings.cluster_spans_waves:
        return labels.astype("str").where(labels.notna()) + " " + rows["wave"].astype("str")
    return labels


def cluster_codes(labels: pd.Series) -> Integers:
    """Number clusters from 0 in order of appearance; whoever belongs to none is one alone.

    Examples
    --------
    >>> cluster_codes(pd.Series(["a", None, "b", "a", None])).tolist()
    [0, 2, 1, 0, 3]
    """
    codes, known = pd.factorize(labels)
    alone = codes < 0
    codes[alone] = len(known) + np.arange(int(alone.sum()))
    return codes.astype(np.int64)


def response_clusters(study: Study, rows: pd.DataFrame) -> tuple[Integers, str]:
    """Number the cluster of each invitation, and say what it is: declared, else who was asked, else the row."""
    name = declared_cluster(study) or first_available(study, "customer_id", "respondent_id")
    return (np.arange(len(rows)), "") if name is None else (cluster_codes(clusters_in(study, rows, name)), name)


def by_size(value: str) -> tuple[int, float, str]:
    """Make a key that sorts names of groups: numbers by size, then words by the alphabet.

    Examples
    --------
    >>> sorted(["10", "east", "9"], key=by_size)
    ['9', '10', 'east']
    """
    return (0, float(value), value) if value.isdecimal() else (1, 0.0, value)
