"""What may explain who leaves after a landmark: in blocks, and checked not to come from after it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from nps_research.counting.landmarks import SILENT, Landmarks
from nps_research.counting.people import as_text
from nps_research.errors import ContractError, did_you_mean
from nps_research.results.words import joined, quoted

DATED = "known_at"


@dataclass(frozen=True, kw_only=True, eq=False)
class Features:
    """Features of the rows of `Landmarks`, in the same order.

    Attributes
    ----------
    numbers : DataFrame of float
        Missing values are nan.
    categories : DataFrame of str
    baseline : tuple of str
        Known whether or not anybody answers: tenure, revenue, segments, whom the survey reached and how often, and
        what the analyst brought.
    silence : tuple of str
        Who returned the form and who did not, now and before; nothing of what they said.
    scores : tuple of str
        What was said, now and before.
    """

    numbers: pd.DataFrame
    categories: pd.DataFrame
    baseline: tuple[str, ...]
    silence: tuple[str, ...]
    scores: tuple[str, ...]


def features_of(landmarks: Landmarks, extra_features: pd.DataFrame | None = None) -> Features:
    """Collect features in blocks; how often a unit was surveyed is in the baseline, as it nearly is its tenure.

    Raises
    ------
    ContractError
        If `extra_features` cannot be matched to units, or fail `check_features`.
    """
    rows = landmarks.rows
    baseline = {name: rows[name] for name in ("tenure", "log_revenue") if rows[name].notna().any()}
    baseline |= {
        "n_earlier": rows["n_earlier"],
        "first_survey": rows["n_earlier"] == 0,
        "not_reached": rows["state"] == "not_reached",
    }
    silence = {
        "silent": rows["state"] == SILENT,
        "silent_in_a_row": rows["silent_in_a_row"],
        "earlier_answer_share": rows["earlier_answer_share"],
        "answered_before": rows["answered_before"],
    }
    if landmarks.unit == "account":
        baseline["n_contacts"] = rows["n_contacts"]
        silence["silent_share"] = rows["silent_share"]
        if rows["decision_maker_silent"].notna().any():
            baseline["decision_maker_reached"] = rows["decision_maker_silent"].notna()
            silence["decision_maker_silent"] = rows["decision_maker_silent"]
    scores = {
        "promoter": rows["state"] == "promoter",
        "detractor": rows["state"] == "detractor",
        "score": rows["score"],
        "last_score": rows["last_score"],
    }
    categories = {name: as_text(rows[name]) for name in landmarks.segments}
    if extra_features is not None:
        taken = {*rows.columns, *baseline, *silence, *scores, *categories}
        for name, values in _matched(extra_features, landmarks, taken).items():
            if pd.api.types.is_numeric_dtype(values):
                baseline[str(name)] = values
            else:
                categories[str(name)] = as_text(values)
    numbers = pd.DataFrame({**baseline, **silence, **scores}, index=rows.index).astype(float)
    return Features(
        numbers=numbers,
        categories=pd.DataFrame(categories, index=rows.index),
        baseline=(*baseline, *categories),
        silence=tuple(silence),
        scores=tuple(scores),
    )


def check_features(features: pd.DataFrame, names: Sequence[str]) -> None:
    """Refuse features that were not known at the landmark, and customers who had left by then.

    Parameters
    ----------
    features : DataFrame
        A row a customer (or account) and landmark, with the columns `names`, ``known_at`` (the day on which they were
        known), ``landmark``, and, if any had left, ``churned_at``.
    names : sequence of str
        What is to explain.

    Raises
    ------
    ContractError
        If a feature is known only after the landmark, or nobody says when, or a customer had left by the landmark.
        The text names columns and counts, never a value.

    Examples
    --------
    >>> table = pd.DataFrame({"visits": [3.0], "known_at": ["2025-03-01"], "landmark": ["2025-02-01"]})
    >>> dates = ["known_at", "landmark"]
    >>> check_features(table.assign(**table[dates].apply(pd.to_datetime)), ["visits"])
    Traceback (most recent call last):
    ...
    nps_research.errors.ContractError: 1 of 1 rows of “visits” are dated after the landmark they would explain: ...
    """
    if DATED not in features:
        raise ContractError(
            f"Features {joined([quoted(name) for name in names])}: there is no column {DATED!r} that says when they "
            f"were known{did_you_mean(DATED, list(map(str, features.columns)))}"
        )
    for column in (DATED, "landmark"):
        if not pd.api.types.is_datetime64_dtype(features[column]):
            raise ContractError(
                f"Column {column!r} must hold dates without a time zone; it holds {features[column].dtype}."
            )
    n = len(features)
    if "churned_at" in features and (gone := int((features["churned_at"] <= features["landmark"]).sum())):
        raise ContractError(
            f"{gone:,} of {n:,} rows are of customers who had left by the landmark: who is gone cannot be predicted to "
            "leave. Take these rows out."
        )
    for name in names:
        given = features[name].notna()
        if undated := int((given & features[DATED].isna()).sum()):
            raise ContractError(
                f"{undated:,} of {n:,} rows of {quoted(name)} have no date in {DATED!r}: what was known at an "
                "unknown time may come from after the landmark."
            )
        if late := int((given & (features[DATED] > features["landmark"])).sum()):
            raise ContractError(
                f"{late:,} of {n:,} rows of {quoted(name)} are dated after the landmark they would explain: what comes "
                "later, such as the leaving itself, is not known when it is predicted. Take them out, or give the "
                "feature as it was at the landmark."
            )


def _matched(extra: pd.DataFrame, landmarks: Landmarks, taken: set[str]) -> pd.DataFrame:
    """The analyst's features beside the rows of landmarks, checked."""
    key = f"{landmarks.unit}_id"
    columns = list(map(str, extra.columns))
    if key not in extra:
        raise ContractError(f"extra_features: there is no column {key!r}{did_you_mean(key, columns)}")
    by = [key, "wave"] if "wave" in extra else [key]
    names = [name for name in columns if name not in (*by, DATED)]
    if not names:
        raise ContractError(f"extra_features: there is no feature beside {joined([*by, DATED])}.")
    if clash := [name for name in names if name in {*taken, *landmarks.owners.columns}]:
        raise ContractError(f"extra_features: the names {joined(clash)} are taken. Give other names.")
    extra = extra.assign(**{name: extra[name].astype("str") for name in by})
    if repeated := int(extra.duplicated(by).sum()):
        raise ContractError(f"extra_features: {repeated:,} rows repeat an earlier {joined(by)}; there may be one each.")
    known = landmarks.owners.rename(columns={"id": key, "period": "wave"}).merge(extra, on=by)
    if len(by) == 1:  # a row for all waves: those after its customer left are no concern
        known = known[~(known["churned_at"] <= known["landmark"])]
    if known.empty:
        raise ContractError(f"extra_features: no row's {joined(by)} is in this study.")
    check_features(known, names)
    at_risk = landmarks.rows[["unit", "period"]].rename(columns={"period": "wave"})
    return at_risk.merge(known[["unit", "wave", *names]], on=["unit", "wave"], how="left")[names]
