"""Whom to look after: silent accounts or customers by the revenue that may leave with them, with reasons in words."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from nps_research.counting.landmarks import SILENT, landmarks_of
from nps_research.counting.silence import silence_caveat
from nps_research.errors import CannotAnswerError
from nps_research.results.few_units import tells_of_one
from nps_research.results.listing import Listing
from nps_research.results.words import amount_text, plain_text
from nps_research.silence.value.churn_models import Encoding, contributions, fit_boosted
from nps_research.silence.value.features import features_of
from nps_research.silence.value.out_of_time import fewest_leavers
from nps_research.study.study import Study

MOST_REASONS = 3  # of a customer
LEAST_LOG_ODDS = 0.05  # a contribution that adds less is no reason
SAID_TOGETHER = {
    **dict.fromkeys(("silent", "silent_in_a_row", "score", "promoter", "detractor"), "silent"),
    "n_contacts": "silent_share",
}


def watch_list(study: Study, *, horizon_days: int | None = None) -> Listing:
    """List those who were silent in the last wave (whose window has closed) and are not known to have left.

    They stand in order of the revenue at risk.

    The predicted risk is the chance to leave within the horizon after the last landmark, by boosted trees that learnt
    from all landmarks whose horizon was watched to the end, with the silence and earlier scores. A reason is what adds
    most to it: what goes with leaving on average, not what makes this account or customer leave.

    Parameters
    ----------
    study : Study
        As for `nonresponse_value`. Without revenue the list is in order of the risk.
    horizon_days : int, optional
        Days after the landmark over which leaving counts; None takes the study's.

    Returns
    -------
    Listing
        `people` columns: the id, wave (of the last landmark), predicted_risk, revenue, revenue_at_risk (their product,
        a year's revenue if revenue is a year's), silent_in_a_row, last_answer (0 to 10, of an account the mean of its
        contacts), reasons. Those without known revenue come last, by risk.

    Raises
    ------
    CannotAnswerError
        If nobody was silent, or too few left, or too few stayed, to learn from.
    """
    landmarks = landmarks_of(study, horizon_days=horizon_days)
    rows, horizon = landmarks.rows, landmarks.horizon_days
    features = features_of(landmarks)
    event, complete = rows["event"].to_numpy(dtype=bool), rows["is_complete"].to_numpy(dtype=bool)
    learnt = np.flatnonzero(complete)
    units = f"{landmarks.unit.capitalize()}s"
    fewest_leavers(int(event[learnt].sum()), int((~event[learnt]).sum()), f"{units} to learn from")
    encoding = Encoding.of(features, (*features.baseline, *features.silence, *features.scores), learnt)
    booster = fit_boosted(encoding, event)

    owners = landmarks.owners[landmarks.owners["unit"] >= 0].drop_duplicates("unit", keep="last").set_index("unit")
    is_last = ~rows["unit"].duplicated(keep="last") & (rows["state"] == SILENT)
    is_last &= rows["unit"].map(owners["state"]) == SILENT  # nor heard at a later landmark that nobody watched
    newest = str(landmarks.owners.sort_values("landmark")["period"].iloc[-1])
    is_last &= rows["unit"].map(owners["period"]) == newest  # who was asked before only is another matter
    stays = rows["unit"].map(owners["churned_at"]).isna()
    listed = np.flatnonzero(is_last & stays)
    if not len(listed):
        raise CannotAnswerError(
            f"Of the {landmarks.unit}s that are not known to have left nobody was silent in {plain_text(newest)}."
        )
    chosen = rows.iloc[listed]
    risk = np.asarray(booster.predict(encoding.matrix(listed), num_threads=1))
    people = pd.DataFrame(
        {
            f"{landmarks.unit}_id": chosen["unit"].map(owners["id"]).to_numpy(),
            "wave": chosen["period"].to_numpy(),
            "predicted_risk": risk.round(3),
        }
    )
    order = ["predicted_risk"]
    if chosen["log_revenue"].notna().any():
        revenue = np.exp(chosen["log_revenue"].to_numpy())
        people = people.assign(revenue=revenue.round(2), revenue_at_risk=(risk * revenue).round(2))
        order = ["revenue_at_risk", "predicted_risk"]
    people["silent_in_a_row"] = chosen["silent_in_a_row"].to_numpy()
    people["last_answer"] = chosen["last_score"].round(1).to_numpy()
    people["reasons"] = _reasons(contributions(booster, encoding, listed), features.numbers, chosen, MOST_REASONS)
    found = Listing.of_people(
        people.sort_values(order, ascending=False, kind="stable", ignore_index=True),
        title=f"Silent {landmarks.unit}s to look after, {newest}",
        who=f"{landmarks.unit}s, silent in {plain_text(newest)} and not known to have left,",
        remark=(
            f"In order of {'revenue at risk' if 'revenue' in people else 'predicted risk'}. Risk: chance to leave "
            f"within {horizon} days after the survey closed, by boosted trees; some of these days may be over. Reasons "
            "are what goes with leaving on average, and a way into the talk, not what makes anybody leave."
        ),
        minimum_cell=study.settings.minimum_cell,
        at_stake=_at_stake(people, study.settings.minimum_cell),
    )
    return replace(found, says=f"{found.says} {silence_caveat(study)}".strip())


def _at_stake(people: pd.DataFrame, minimum_cell: int) -> str:
    """Revenue and expected loss of all on the list, in words; nothing where a total would tell of one of them."""
    if "revenue" not in people:
        return ""
    revenue, loss = (people[name].dropna().to_numpy(dtype=float) for name in ("revenue", "revenue_at_risk"))
    alone = np.full(len(revenue), np.inf)  # an amount is not one of a few possible ones, as a score is
    if any(tells_of_one(amount, alone, minimum_cell) for amount in (revenue, loss)):
        return ""
    return f": revenue of {amount_text(revenue.sum())}, expected loss {amount_text(loss.sum())}"


def _reasons(moved: pd.DataFrame, numbers: pd.DataFrame, chosen: pd.DataFrame, n_reasons: int) -> list[str]:
    """For each row what adds most to its risk, in words, the strongest first."""
    together = moved.rename(columns=SAID_TOGETHER).T.groupby(level=0, sort=False).sum().T
    middle = numbers.median()
    order = np.argsort(-together.to_numpy(), axis=1, kind="stable")
    names, strength = list(map(str, together.columns)), together.to_numpy()
    found = []
    for place, (row, (_, said)) in enumerate(zip(order, chosen.iterrows(), strict=True)):
        known = numbers.loc[chosen.index[place]]
        words = [
            _in_words(names[column], known, said, middle) for column in row if strength[place, column] >= LEAST_LOG_ODDS
        ]
        found.append("; ".join(dict.fromkeys([word for word in words if word][:n_reasons])))
    return found


def _in_words(name: str, known: pd.Series, said: pd.Series, middle: pd.Series) -> str:
    """A feature and its value as a reason; empty where it makes none."""
    value = known.get(name, np.nan)
    match name:
        case "silent":
            n = int(known["silent_in_a_row"])
            if n == 1:  # of an account its contacts say so
                return "" if "silent_share" in known else "silent in the last survey"
            return f"silent {n} surveys in a row"
        case "earlier_answer_share":
            n = int(said["n_earlier"])
            return f"answered {round(value * n)} of {n} earlier surveys" if n else "surveyed for the first time"
        case "answered_before":
            return "answered before, then went quiet" if value else "never answered before"
        case "silent_share":
            n = int(said["n_contacts"])
            return f"none of {n} contacts answered" if n > 1 else "its only contact did not answer"
        case "decision_maker_silent":
            return "decision maker silent" if value == 1 else ""
        case "tenure":
            return (
                f"{'short' if value < middle[name] else 'long'} tenure ({value:.0f} months)" if value == value else ""
            )
        case "log_revenue":
            return f"{'small' if value < middle[name] else 'large'} revenue" if value == value else "revenue not known"
        case "n_earlier":
            return f"surveys before: {int(value)}"
        case "first_survey":
            return "surveyed for the first time" if value else ""
        case "last_score":
            return "no earlier answer" if np.isnan(value) else f"last answer {value:.0f}"
        case "decision_maker_reached" | "not_reached":
            return ""
    if name in said:
        return f"{plain_text(name, 40)}: {plain_text(said[name], 40)}"
    return ""
