"""What held each respondent's score down, for those who call them back."""

from __future__ import annotations

import numpy as np
import pandas as pd

from nps_research.drivers.model import DriverModel
from nps_research.errors import EstimationError, did_you_mean
from nps_research.results.listing import Listing
from nps_research.study.study import Study

MOST_REASONS_NAMED = 3  # ratings of a person: more are no way into a talk
LEAST_POINTS = 1.0  # a contribution that takes away less is no reason
WHO = ("respondent_id", "customer_id", "account_id", "wave", "likelihood_to_recommend")


def explain_respondents(
    study: Study, model: DriverModel, *, wave: str | None = None, among: pd.Series | None = None
) -> Listing:
    """List the detractors of a wave with the (at most three) ratings that took most from their expected answer.

    A reason is a rating whose contribution, by trees that did not see the respondent, is below zero by a point or more:
    what goes with such a rating on average, not what this person thought. Only ratings above noise are reasons.

    Parameters
    ----------
    study : Study
    model : DriverModel
        Of `study`.
    wave : str, optional
        None: the last; all answers where there are no waves.
    among : Series of bool, optional
        Which responses of the study are on the list, such as `counting.who_can_be_called` gives; None: all.

    Returns
    -------
    Listing
        `people` columns: the ids that the study has, wave, likelihood_to_recommend, predicted (NPS points, kept
        within -100 and 100), then reason_1, rating_1, points_1, and so on; the worst predicted first.

    Raises
    ------
    EstimationError
        If there is no such wave.
    """
    rows = study.responses.loc[model.data.index]
    rows = rows if among is None else rows[among[rows.index]]
    if wave is None and study.waves:
        wave = study.waves[-1]
    if wave is not None:
        if wave not in study.waves:
            raise EstimationError(f"There is no wave {wave!r}{did_you_mean(wave, list(study.waves))}")
        rows = rows[rows["wave"] == wave]
    rows = rows[rows["likelihood_to_recommend"] <= study.settings.detractor_max]
    real = model.leaders
    contributions = model.contributions.loc[rows.index, real].to_numpy()
    ratings = rows[real].to_numpy(dtype=np.float64, na_value=np.nan)
    people = rows[[name for name in WHO if name in rows]].assign(
        predicted=model.predictions.loc[rows.index].clip(-100, 100).round(1).to_numpy()
    )
    order = np.argsort(contributions, axis=1, kind="stable")
    for position in range(min(MOST_REASONS_NAMED, len(real))):
        place = order[:, position]
        points = np.take_along_axis(contributions, place[:, None], axis=1)[:, 0]
        rating = np.take_along_axis(ratings, place[:, None], axis=1)[:, 0]
        counts = points <= -LEAST_POINTS
        people[f"reason_{position + 1}"] = np.where(counts, np.array(real, dtype=object)[place], "")
        people[f"rating_{position + 1}"] = pd.array(
            [
                f"{value:g}" if take and np.isfinite(value) else "not rated" if take else ""
                for value, take in zip(rating, counts, strict=True)
            ],
            dtype="str",
        )
        people[f"points_{position + 1}"] = np.where(counts, points.round(1), np.nan)
    return Listing.of_people(
        people.sort_values("predicted", kind="stable", ignore_index=True),
        title=f"Detractors to call{f', {wave}' if wave else ''}, with what held their score down",
        who=f"detractors{f' of {wave}' if wave else ''}",
        remark=(
            "Each with up to "
            f"{MOST_REASONS_NAMED} ratings that took most from the expected answer: what goes with such a rating on "
            "average, and a way into the talk, not a finding about the person."
        ),
        minimum_cell=study.settings.minimum_cell,
    )
