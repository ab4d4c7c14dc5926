"""What customers did afterwards, by the answer they gave: events per score 0-10, and of the silent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal, cast

import numpy as np
import pandas as pd

from nps_research.counting.cells import count_cells
from nps_research.counting.cluster_sums import N_SCORES
from nps_research.counting.clusters import declared_cluster
from nps_research.counting.outcome_by_score import OutcomeByScore, OutcomeClusters, OutcomeStrata
from nps_research.counting.people import at_first_answer
from nps_research.counting.score_counts import grouped_cells
from nps_research.counting.shown_groups import groups_not_shown
from nps_research.errors import CannotAnswerError, ContractError, did_you_mean
from nps_research.study.acceptance import yes_and_no
from nps_research.study.response_states import needed_for_churn
from nps_research.study.settings_file import OutcomeSettings
from nps_research.study.study import Study
from nps_research.typing import Flags, Integers

CHURNED = "churned"  # the outcome that is built in
EVENT, NO_EVENT = "event", "no_event"
UNKNOWN = "outcome_unknown"
NO_CUSTOMER = "no_customer"
NO_DATE = "no_date"
GONE = "gone_before_landmark"
UNOBSERVED = "outcome_unobserved"


def outcome_by_score(
    study: Study,
    *,
    outcome: str = CHURNED,
    by: str | Sequence[str] | None = None,
    cluster: str | Literal["auto"] | None = "auto",
    strata: str | Sequence[str] | None = "auto",
) -> OutcomeByScore:
    """Count an outcome per score and group, and among the silent.

    ``"churned"`` is built in: leaving within ``outcome_horizon_days`` after the landmark, ``invited_at`` +
    ``response_window_days``; where no invitations are recorded, after the answer itself. Nothing counts that was not
    known at the landmark: an answer after it is silence, and customers gone by then are not at risk. Who was not
    observed over the whole horizon is left out, whether they left or not: were the leavers alone kept, all would seem
    to leave. Leavers whose ``observed_until`` is missing, or the day they left, are taken to have been watched as
    long as anybody. Rows are invitations: one churn counts at each landmark before it, so cluster by customer, or by
    account where churn is the account's.

    Of who answered an invitation or a wave again, the first answer in the window counts: the outcome may follow it.

    Any other outcome is a yes/no column that the study names. It is counted as it stands, for its rows of known
    outcome.

    Parameters
    ----------
    study : Study
        The study. On a lazy frame, outcomes are columns of the responses; ``"churned"`` needs tables in memory.
    outcome : str
        ``"churned"``, or the name of one of ``study.outcomes``.
    by : str or sequence of str, optional
        Columns to group by, as in `score_distribution`.
    cluster : str or None
        Column within whose values outcomes are alike; its counts are kept. ``"auto"``: the account, where there is
        one and the outcome is the customer's, for contacts of one account share its fate; else what
        `score_distribution` takes, the person where somebody answered twice. None takes outcomes as independent.
    strata : str or sequence of str, optional
        Columns whose values have a baseline of their own: what makes them differ as a whole is not taken for a
        relation of score and outcome. ``"auto"``: the wave, where there are several. A column that says when the
        contract ends, where a study has one, goes here: ``strata=["wave", "contract_ends"]``. None: one baseline.

    Returns
    -------
    OutcomeByScore

    Raises
    ------
    CannotAnswerError
        If the study lacks a column that the outcome needs.
    ContractError
        If there is no such outcome, it is an amount, or a column is named that no study has.

    Examples
    --------
    >>> from nps_research.study.study import Study
    >>> table = pd.DataFrame({"likelihood_to_recommend": [10, 10, 2, None], "Renewed": ["yes", "yes", "no", "no"]})
    >>> renewed = {"table": "responses", "column": "Renewed", "event": ["yes"], "no_event": ["no"], "direction": "good"}
    >>> counted = outcome_by_score(Study.from_frames(responses=table, outcomes={"renewed": renewed}), outcome="renewed")
    >>> counted.n[0, [2, 10]].tolist(), counted.events[0, [2, 10]].tolist()
    ([1, 2], [0, 2])
    """
    study.require("responses.likelihood_to_recommend")
    keys = [by] if isinstance(by, str) else list(by or [])
    settings = _settings_of(study, outcome)
    if cluster == "auto":
        of_customer = settings is None or settings.table == "customers"
        with_account = of_customer and "responses.account_id" in study.available
        cluster = "account_id" if with_account else declared_cluster(study)
    within = _strata(study, keys, strata)
    counted = [*keys, *within]
    if settings is None:
        cells = count_cells(_with_churn(study), counted, cluster=cluster, outcome="outcome")
        fate = cells["outcome"].astype("str")
    elif study.is_lazy:
        cells = count_cells(study, counted, cluster=cluster, outcome=settings.column)
        is_event, is_none = yes_and_no(cells["outcome"], settings)
        fate = pd.Series(UNKNOWN, index=cells.index).mask(is_none, NO_EVENT).mask(is_event, EVENT)
    else:
        cells = count_cells(_with_outcome(study, outcome), counted, cluster=cluster, outcome="outcome")
        fate = cells["outcome"].astype("str")
    return _tabulate(
        study,
        keys,
        within,
        cells.assign(fate=fate),
        outcome=outcome if settings is None else settings.label or outcome,
        direction="bad" if settings is None else settings.direction,
        dated=settings is None or settings.dated,
        horizon_days=study.settings.outcome_horizon_days if settings is None else None,
        after_answers=settings is None and after_answers(study),
        design={} if cluster is None else {"cluster": cluster},
    )


def _strata(study: Study, keys: Sequence[str], strata: str | Sequence[str] | None) -> list[str]:
    """The columns that make strata within groups."""
    if strata == "auto":
        several = study.is_lazy or len(study.waves) > 1
        strata = "wave" if several and study.can_answer("responses.wave") else None
    named = [strata] if isinstance(strata, str) else list(strata or [])
    return [name for name in named if name not in keys]


def yes_no_outcomes(study: Study) -> tuple[str, ...]:
    """Names of the outcomes that a study can count by score, churn first; CannotAnswerError if there is none.

    Examples
    --------
    >>> from nps_research.study.study import Study
    >>> table = pd.DataFrame({"likelihood_to_recommend": [10, 2], "Renewed": ["yes", "no"]})
    >>> renewed = {"table": "responses", "column": "Renewed", "event": ["yes"], "no_event": ["no"], "direction": "good"}
    >>> yes_no_outcomes(Study.from_frames(responses=table, outcomes={"renewed": renewed}))
    ('renewed',)
    """
    named = [name for name, settings in study.outcomes.items() if settings.kind == "binary"]
    found = tuple(name for name in dict.fromkeys([CHURNED, *named]) if f"outcomes.{name}" in study.available)
    if not found:
        study.require("outcomes")
        raise CannotAnswerError("This study knows amounts, but no outcome that is a yes or a no (event_min makes one).")
    return found


def outcome_rows(study: Study, *, outcome: str = CHURNED) -> pd.DataFrame:
    """Answered invitations of known outcome, a row each; as counted by `outcome_by_score`.

    Returns
    -------
    DataFrame
        The columns of the responses, and `event`: whether it happened.
    """
    settings = _settings_of(study, outcome)
    rows = (_with_churn(study) if settings is None else _with_outcome(study, outcome)).responses
    known = (rows["response_state"] == "answered") & rows["outcome"].isin([EVENT, NO_EVENT])
    return rows[known].assign(event=lambda table: table.pop("outcome") == EVENT).reset_index(drop=True)


def _settings_of(study: Study, outcome: str) -> OutcomeSettings | None:
    """What the study says of a yes/no outcome; None for churn, which is built in."""
    settings = study.outcomes.get(outcome)
    if settings is None:
        if outcome != CHURNED:
            raise ContractError(f"There is no outcome {outcome!r}{did_you_mean(outcome, [*study.outcomes, CHURNED])}")
        study.require(*needed_for_churn(study.available))
    elif settings.kind != "binary":
        raise ContractError(f"outcome {outcome}: it is an amount, where a yes/no outcome is needed.")
    elif not study.is_lazy:
        study.require(f"outcomes.{outcome}")
    return settings


def _with_churn(study: Study) -> Study:
    """The study with what is known of each row's customer after its landmark; late answers are silence."""
    study = at_first_answer(study)
    responses, known = study.responses, _customers(study)
    landmark = _landmark(study)
    end = landmark + pd.Timedelta(days=study.settings.outcome_horizon_days)
    left = responses["customer_id"].map(known["churned_at"])
    watched = responses["customer_id"].map(known["observed_until"])
    watched = watched_until(left, watched, landmark, end, known["observed_until"].max())
    reasons = {
        NO_DATE: landmark.isna(),
        NO_CUSTOMER: ~responses["customer_id"].isin(known.index),
        GONE: left <= landmark,
        UNOBSERVED: ~(watched >= end),
        EVENT: left <= end,
    }
    fate = np.select(list(reasons.values()), list(reasons), NO_EVENT)
    state = responses["response_state"]
    if "responded_at" in responses:
        late = (responses["responded_at"] > landmark) & state.isin(["answered", "item_missing"])
        state = state.mask(late, "nonrespondent")
    return replace(study, rows=responses.assign(response_state=state, outcome=fate))


def _landmark(study: Study) -> pd.Series:
    """The moment after which churn counts: the end of the window, or the answer where no invitations are recorded."""
    if after_answers(study):
        moments: pd.Series = study.responses["responded_at"]
        return moments
    return study.responses["invited_at"] + pd.Timedelta(days=study.settings.response_window_days)


def after_answers(study: Study) -> bool:
    """Whether churn is counted from the day of each answer, since no invitations are recorded."""
    return "responses.invited_at" not in study.available


def watched_until(
    left: pd.Series, watched: pd.Series, landmark: pd.Series, end: pd.Series, longest: pd.Timestamp
) -> pd.Series:
    """The end of each observation; leavers of whom none is said are taken to have been watched as long as anybody.

    CannotAnswerError where stayers were lost sight of, and such leavers were not.
    """
    unsaid = left.notna() & ~(watched > left)
    lost = left.isna() & ~(watched >= end) & (end <= longest)
    if (unsaid & (left > landmark) & (left <= end) & (end <= longest)).any() and lost.any():
        raise CannotAnswerError(
            f"{int(lost.sum()):,} invitations are of customers who stayed, but were not observed over the horizon; "
            "how long those who left would have been observed is not said (observed_until): the rate would be too high."
        )
    return watched.mask(unsaid, longest)


def _customers(study: Study) -> pd.DataFrame:
    """Customers by id, where something says which response is whose."""
    if not {"responses.respondent_id", "responses.customer_id"} & study.available:
        study.require("responses.customer_id")
    return cast("pd.DataFrame", study.customers).set_index("customer_id")


def _with_outcome(study: Study, outcome: str) -> Study:
    """The study with a yes/no outcome in words, beside each invitation."""
    if study.outcomes[outcome].table == "customers" and study.outcomes[outcome].dated:
        study = at_first_answer(study)
    responses, name = study.responses, f"outcome_{outcome}"
    if study.outcomes[outcome].table == "responses":
        happened, is_stranger = responses[name], pd.Series(data=False, index=responses.index)
    else:
        known = _customers(study)
        happened = responses["customer_id"].map(known[name].astype("boolean"))
        is_stranger = ~responses["customer_id"].isin(known.index)
    reasons = {
        NO_CUSTOMER: is_stranger,
        UNKNOWN: happened.isna(),
        EVENT: happened.astype("boolean").fillna(value=False),
    }
    fate = np.select([where.to_numpy(dtype=bool) for where in reasons.values()], list(reasons), NO_EVENT)
    return replace(study, rows=responses.assign(outcome=fate))


def _tabulate(
    study: Study, keys: Sequence[str], within: Sequence[str], cells: pd.DataFrame, **said: Any
) -> OutcomeByScore:
    """Cells as counts: at risk and events, per score and of the silent, by stratum; what is left out, per reason."""
    cells, place, knows_silence, grouped = grouped_cells(study, keys, cells)
    n_groups = len(grouped["groups"])
    n, fate = cells["n"].to_numpy(), cells["fate"].to_numpy(dtype=object)
    known, event = np.isin(fate, [EVENT, NO_EVENT]), fate == EVENT
    answered = known & (cells["state"] == "answered").to_numpy()
    silent = known & (cells["state"] == "nonrespondent").to_numpy()
    score = cells["score"].fillna(-1).astype(int).to_numpy()
    reason = np.where(known, cells["state"].to_numpy(dtype=object), fate)
    out = ~answered & ~silent

    def per_row(row: Integers, rows: int, where: Flags) -> Integers:
        total = np.zeros(rows, dtype=np.int64)
        np.add.at(total, row[where], n[where])
        return total

    def per_score(row: Integers, rows: int, where: Flags) -> Integers:
        return per_row(row * N_SCORES + score, rows * N_SCORES, where).reshape(rows, N_SCORES)

    def counts(row: Integers, rows: int) -> dict[str, Any]:
        return {
            "n": per_score(row, rows, answered),
            "events": per_score(row, rows, answered & event),
            "nonrespondents": per_row(row, rows, silent),
            "nonrespondent_events": per_row(row, rows, silent & event),
        }

    of_strata = [f"key{len(keys) + position}" for position in range(len(within))]
    stratum = np.zeros(len(cells), dtype=np.int64)
    if of_strata and answered.any():
        stratum[answered] = cells.loc[answered, of_strata].groupby(of_strata).ngroup()
    n_strata = int(stratum.max(initial=0)) + 1
    strata = None
    if n_strata > 1:
        rows = n_groups * n_strata
        by_stratum = [per_score(place * n_strata + stratum, rows, where) for where in (answered, answered & event)]
        happened = [values.reshape(n_groups, n_strata, N_SCORES) for values in by_stratum]
        strata = OutcomeStrata(by=tuple(within), n=happened[0], events=happened[1])
    clusters = None
    if "cluster" in cells:
        at_risk = answered | silent
        code, labels = pd.factorize(cells["cluster"].to_numpy(dtype=object))
        of_row = np.stack([place, code, stratum])
        present, row = np.unique(of_row[:, at_risk], axis=1, return_inverse=True)
        position = np.zeros(len(cells), dtype=np.int64)
        position[at_risk] = row.ravel()
        clusters = OutcomeClusters(
            group=present[0].astype(np.int64),
            label=np.asarray(labels, dtype=object)[present[1]],
            stratum=None if strata is None else present[2].astype(np.int64),
            **counts(position, present.shape[1]),
        )
    total = counts(place, n_groups)
    if not knows_silence:
        del total["nonrespondents"], total["nonrespondent_events"]
    return OutcomeByScore(
        **grouped,
        **total,
        left_out={name: per_row(place, n_groups, out & (reason == name)) for name in sorted(set(reason[out]))},
        clusters=clusters,
        strata=strata,
        not_shown=frozenset() if study.is_lazy else groups_not_shown(study, keys),
        **said,
    )
