"""Whose answers belong together: accounts, people, what the study declares."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nps_research.study.study import Study

__all__ = ["by_size"]


def declared_cluster(study: Study) -> str | None:
    """The column that ``cluster="auto"`` takes."""
    if study.settings.cluster is not None:
        return study.settings.cluster
    if "responses.cluster" in study.available:
        return "cluster"
    if study.is_lazy:
        return None
    # Row numbers that stand in for ids are not among what is available.
    person = next((name for name in ("customer_id", "respondent_id") if f"responses.{name}" in study.available), None)
    if person is None:
        return None
    answered = study.responses.loc[study.responses["response_state"] == "answered", person].dropna()
    return person if answered.duplicated().any() else None


def by_size(value: str) -> tuple[int, float, str]:
    """What to sort the names of groups by: numbers by size, then words by the alphabet.

    Examples
    --------
    >>> sorted(["10", "east", "9"], key=by_size)
    ['9', '10', 'east']
    """
    return (0, float(value), value) if value.isdecimal() else (1, 0.0, value)
