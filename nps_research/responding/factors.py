"""What is known of those invited, by which their answering may be compared: groups, and numbers behind bands."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from nps_research.counting.cells import NOT_STATED
from nps_research.counting.people import QUARTERS, REVENUE, TENURE_BANDS, YEARS, as_text, people_at_invitation
from nps_research.results.group_order import in_order
from nps_research.statistics.enough import FEWEST_DIFFERENT
from nps_research.statistics.standardised_rates import Factor
from nps_research.study.study import Study

INVITATION = "Number of the invitation"
WAVE = "Wave"
_ORDINALS = ("1st", "2nd", "3rd", "4th", "5th", "6th")


def response_factors(study: Study, rows: pd.DataFrame) -> list[Factor]:
    """Collect what response may go with: segments, role, channel, tenure, revenue, number of the invitation, wave.

    `rows` are invitations, numbered from 0.
    """
    found = [_by_name(name, rows[name]) for name in study.segments]
    if "responses.channel" in study.available and "channel" not in study.segments:
        found.append(_by_name("Channel", rows["channel"]))
    known = people_at_invitation(study, rows)
    if "role" in known:
        found.append(_by_name("Role", known["role"]))
    for name, order, number in ((YEARS, TENURE_BANDS, "tenure"), (REVENUE, QUARTERS, "log_revenue")):
        if name in known:
            bends = known[number].nunique() >= FEWEST_DIFFERENT
            found.append(_by_name(name, known[name], order=order, number=known[number] if bends else None))
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


def _by_name(
    name: str, values: pd.Series, *, order: Sequence[str] | None = None, number: pd.Series | None = None
) -> Factor:
    text = as_text(values)
    found = set(text.unique())
    known = [each for each in order if each in found] if order is not None else in_order(found - {NOT_STATED})
    groups = (*known, *([NOT_STATED] if NOT_STATED in found else []))
    group = pd.Index(groups).get_indexer(pd.Index(text)).astype(np.int64)
    return Factor(
        name=name, groups=groups, group=group, number=None if number is None else number.to_numpy(dtype=float)
    )


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
