"""What is known of those invited, by which their answering may be compared: groups, and numbers behind bands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from nps_research.counting.score_counts import NOT_STATED
from nps_research.statistics.standardised_rates import Factor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nps_research.study.study import Study


__all__ = ["INVITATION", "WAVE", "response_factors"]

INVITATION = "Number of the invitation"
WAVE = "Wave"
_ORDINALS = ("1st", "2nd", "3rd", "4th", "5th", "6th")
_FEWEST_VALUES = 10  # different ones, for a spline


def response_factors(study: Study, rows: pd.DataFrame) -> list[Factor]:
    """Segments, role, channel, tenure, revenue, number of the invitation and wave, as far as they are known and differ.

    Parameters
    ----------
    study : Study
        The study.
    rows : DataFrame
        Invitations of it, index from 0.
    """
    found = [_by_name(name, rows[name]) for name in study.segments]
    if "responses.channel" in study.available and "channel" not in study.segments:
        found.append(_by_name("Channel", rows["channel"]))
    customers = study.customers
    if customers is not None and "customer_id" in rows:
        of_customer = customers.set_index("customer_id")
        if "customers.role" in study.available:
            found.append(_by_name("Role", rows["customer_id"].map(of_customer["role"])))
        if {"customers.started_at", "responses.invited_at"} <= study.available:
            days = (rows["invited_at"] - rows["customer_id"].map(of_customer["started_at"])).dt.days
            found.append(_tenure((days / 365.25).where(days >= 0)))
        if "customers.revenue" in study.available:
            found.append(_revenue_factor(rows["customer_id"].map(of_customer["revenue"]).astype(float)))
    if "responses.respondent_id" in study.available:
        found.append(_invitation(study, rows))
    if study.waves:
        found.append(_by_name(WAVE, rows["wave"], order=study.waves))
    factors: list[Factor] = []
    for factor in found:
        if len(factor.groups) > 1 and not any(_tell_the_same(factor, other) for other in factors):
            factors.append(factor)
    return factors


def _tell_the_same(one: Factor, other: Factor) -> bool:
    """Whether two factors make the same groups, under whatever names."""
    pairs = len(np.unique(one.group * len(other.groups) + other.group))
    return other.name != INVITATION and one.name != INVITATION and pairs == len(one.groups) == len(other.groups)


def _by_name(name: str, values: pd.Series, *, order: Sequence[str] | None = None) -> Factor:
    text = values.astype("object").where(values.notna(), NOT_STATED).astype("str")
    found = set(text.unique())
    known = [each for each in order if each in found] if order is not None else sorted(found - {NOT_STATED})
    groups = (*known, *([NOT_STATED] if NOT_STATED in found else []))
    return Factor(name=name, groups=groups, group=pd.Index(groups).get_indexer(pd.Index(text)).astype(np.int64))


def _in_bands(name: str, band: pd.Series, labels: Sequence[str], number: pd.Series) -> Factor:
    factor = _by_name(name, band.astype("object"), order=labels)
    is_line = number.nunique() >= _FEWEST_VALUES
    return Factor(
        name=name,
        groups=factor.groups,
        group=factor.group,
        number=number.to_numpy(dtype=float) if is_line else None,
    )


def _tenure(years: pd.Series) -> Factor:
    labels = ["under 1", "1 to 3", "3 to 5", "over 5"]
    return _in_bands("Years as a customer", pd.cut(years, [-1, 1, 3, 5, 500], labels=labels), labels, years)


def _revenue_factor(revenue: pd.Series) -> Factor:
    labels = ["1 (lowest)", "2", "3", "4 (highest)"]
    positive = revenue.where(revenue > 0)
    if positive.nunique() < len(labels):
        return Factor(name="Revenue, quarters", groups=(NOT_STATED,), group=np.zeros(len(revenue), dtype=np.int64))
    ranks = positive.rank(method="average", pct=True)
    band = pd.cut(ranks, [0, 0.25, 0.5, 0.75, 1], labels=labels)
    return _in_bands("Revenue, quarters", band, labels, np.log(positive))


def _invitation(study: Study, rows: pd.DataFrame) -> Factor:
    """Which of the person's invitations it is, by their dates, else by the waves; without either, the first."""
    if "responses.invited_at" in study.available:
        moment = rows["invited_at"]
    elif study.waves:
        moment = rows["wave"].map({wave: place for place, wave in enumerate(study.waves)})
    else:
        return Factor(name=INVITATION, groups=("1st",), group=np.zeros(len(rows), dtype=np.int64))
    place = rows.assign(moment=moment).sort_values("moment", kind="stable").groupby("respondent_id").cumcount()
    number = np.minimum(place.reindex(rows.index).to_numpy(dtype=np.int64), len(_ORDINALS) - 1)
    last = int(number.max())
    groups = list(_ORDINALS[: last + 1])
    if last == len(_ORDINALS) - 1 and int(place.max()) > last:
        groups[-1] += " or later"
    return Factor(name=INVITATION, groups=tuple(groups), group=number)
