"""What customers did afterwards, by the answer they gave: events per score 0-10, and of the silent."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, cast

import numpy as np
import pandas as pd

from nps_research.assembly import NEEDED_FOR_CHURN
from nps_research.cells import FROM_ANSWER, count_cells, tells_silence
from nps_research.counting import groups_of
from nps_research.distribution import N_SCORES
from nps_research.errors import CannotAnswerError, ContractError
from nps_research.parsing import has_code
from nps_research.proportions import wilson_limits
from nps_research.study_file import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from nps_research.study import Study

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]

__all__ = ["CHURNED", "Direction", "OutcomeByScore", "OutcomeClusters", "outcome_by_score"]

Direction = Literal["good", "bad"]

CHURNED = "churned"  # the outcome that is built in
EVENT, NO_EVENT = "event", "no_event"
UNKNOWN = "outcome_unknown"
NO_CUSTOMER = "no_customer"
NO_INVITATION_DATE = "no_invitation_date"
GONE = "gone_before_landmark"
UNOBSERVED = "outcome_unobserved"


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class OutcomeClusters:
    """Counts per cluster, one row for each cluster that occurs in a group.

    Attributes
    ----------
    group : ndarray of int, shape (n_rows,)
        Position of the group.
    label : ndarray of object, shape (n_rows,)
        The cluster's identity; private. The same label in two groups is the same cluster.
    n, events : ndarray of int, shape (n_rows, 11)
        Answers at risk, and events among them, per score 0 to 10.
    nonrespondents, nonrespondent_events : ndarray of int, shape (n_rows,)
        The silent at risk, and events among them.
    """

    group: Integers
    label: NDArray[np.object_]
    n: Integers
    events: Integers
    nonrespondents: Integers
    nonrespondent_events: Integers


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class OutcomeByScore:
    """Events per score 0-10 and group: all that comparisons of thresholds need.

    Attributes
    ----------
    groups : tuple of str
        Names of the groups.
    n, events : ndarray of int, shape (n_groups, 11)
        Answers at risk of the event, and events among them, per score 0 to 10.
    nonrespondents, nonrespondent_events : ndarray of int, shape (n_groups,), or None
        The silent at risk, and events among them; None where the data cannot tell who was silent.
    left_out : mapping of str to ndarray of int, shape (n_groups,)
        Rows in none of these, by reason. All together are the rows counted.
    clusters : OutcomeClusters or None
        The same per cluster.
    outcome : str
        Name of the outcome.
    direction : {"good", "bad"}
        Whether the event is good (renewed) or bad (left).
    dated : bool or None
        Whether the event came after the answer; if not, all that follows is association only. None: not said.
    by : tuple of str
        What the groups are groups of.
    ordered : bool
        Whether the groups follow each other in time.
    minimum_cell : int
        Smallest number of answers that shared pages may show for a group.
    design : mapping
        ``"cluster"``: the column, if any.
    confidence_level : float
        Level of the limits in `frame`.
    """

    groups: tuple[str, ...]
    n: Integers
    events: Integers
    nonrespondents: Integers | None = None
    nonrespondent_events: Integers | None = None
    left_out: Mapping[str, Integers] = field(default_factory=dict)
    clusters: OutcomeClusters | None = None
    outcome: str = "event"
    direction: Direction = "bad"
    dated: bool | None = None
    by: tuple[str, ...] = ()
    ordered: bool = False
    minimum_cell: int = 0
    design: Mapping[str, str] = field(default_factory=dict)
    confidence_level: float = 0.95

    @classmethod
    def from_counts(
        cls,
        n: Sequence[int],
        events: Sequence[int],
        nonrespondents: tuple[int, int] | None = None,
        direction: Direction = "bad",
    ) -> OutcomeByScore:
        """An outcome by score from counts that are known already.

        Parameters
        ----------
        n, events : 11 ints
            Answers per score 0, 1, ..., 10, and events among them.
        nonrespondents : (int, int), optional
            The silent, and events among them.
        direction : {"bad", "good"}
            Whether the event is bad (left) or good (renewed, recommended).

        Raises
        ------
        ContractError
            If there are not 11 counts each, one is negative or no whole number, or events are more than answers.

        Examples
        --------
        >>> outcome = OutcomeByScore.from_counts([4, 0, 0, 0, 0, 5, 0, 0, 0, 0, 20], [2, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1])
        >>> outcome.frame.query("n > 0")[["likelihood_to_recommend", "estimate"]].values.tolist()
        [[0.0, 0.5], [5.0, 0.2], [10.0, 0.05]]
        """
        if direction not in ("good", "bad"):
            raise ContractError(f"direction = {direction!r}: 'good' or 'bad' is needed.")
        counts = {"n": _whole("n", n, N_SCORES), "events": _whole("events", events, N_SCORES)}
        if (above := counts["events"] > counts["n"]).any():
            scores = ", ".join(str(score) for score in np.flatnonzero(above))
            raise ContractError(f"events: there are more than answers at score {scores}.")
        silent: dict[str, Any] = {}
        if nonrespondents is not None:
            there, left = _whole("nonrespondents", nonrespondents, 2)
            if left > there:
                raise ContractError("nonrespondents: there are more events among them than there are of them.")
            silent = {"nonrespondents": np.array([there]), "nonrespondent_events": np.array([left])}
        return cls(
            groups=("all",), n=counts["n"][None, :], events=counts["events"][None, :], direction=direction, **silent
        )

    @property
    def frame(self) -> pd.DataFrame:
        """One row per group and score: group, likelihood_to_recommend, n, events, estimate, conf_low, conf_high.

        `estimate` is the rate of events among the answers, 0 to 1, with Wilson's score limits, which take answers as
        independent; NaN where a score has none.
        """
        low, high = wilson_limits(self.events, self.n, confidence_level=self.confidence_level)
        with np.errstate(invalid="ignore", divide="ignore"):
            rate = self.events / self.n
        return pd.DataFrame(
            {
                "group": np.repeat(np.array(self.groups, dtype=object), N_SCORES),
                "likelihood_to_recommend": np.tile(np.arange(N_SCORES), len(self.groups)),
                "n": self.n.ravel(),
                "events": self.events.ravel(),
                "estimate": rate.ravel(),
                "conf_low": low.ravel(),
                "conf_high": high.ravel(),
            }
        )

    def __repr__(self) -> str:
        return (
            f"<OutcomeByScore: {self.outcome}, {len(self.groups)} groups, {int(self.n.sum()):,} answers, "
            f"{int(self.events.sum()):,} events>"
        )


def outcome_by_score(
    study: Study, *, outcome: str = CHURNED, by: str | Sequence[str] | None = None, cluster: str | None = None
) -> OutcomeByScore:
    """Count an outcome per score and group, and among the silent.

    ``"churned"`` is built in: leaving within ``outcome_horizon_days`` after the landmark, ``invited_at`` +
    ``response_window_days``. Nothing counts that was not known at the landmark: an answer after it is silence, and
    customers gone by then are not at risk. Who was not observed over the whole horizon is left out, whether they
    left or not: were the leavers alone kept, all would seem to leave. Leavers whose ``observed_until`` is missing,
    or the day they left, are taken to have been watched as long as anybody. Rows are invitations: one churn counts at
    each landmark before it, so cluster by customer, or by account where churn is the account's.

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
    cluster : str, optional
        Column within whose values outcomes are alike; its counts are kept.

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
    >>> from nps_research.study import Study
    >>> table = pd.DataFrame({"likelihood_to_recommend": [10, 10, 2, None], "Renewed": ["yes", "yes", "no", "no"]})
    >>> renewed = {"table": "responses", "column": "Renewed", "event": ["yes"], "no_event": ["no"], "direction": "good"}
    >>> counted = outcome_by_score(Study.from_frames(responses=table, outcomes={"renewed": renewed}), outcome="renewed")
    >>> counted.n[0, [2, 10]].tolist(), counted.events[0, [2, 10]].tolist()
    ([1, 2], [0, 2])
    """
    study.require("responses.likelihood_to_recommend")
    keys = [by] if isinstance(by, str) else list(by or [])
    settings = study.outcomes.get(outcome)
    if settings is None and outcome != CHURNED:
        raise ContractError(f"There is no outcome {outcome!r}{did_you_mean(outcome, [*study.outcomes, CHURNED])}")
    if settings is not None and settings.kind != "binary":
        raise ContractError(f"outcome {outcome}: it is an amount, where a yes/no outcome is needed.")
    if settings is None:
        study.require(*NEEDED_FOR_CHURN)
        cells = count_cells(_with_churn(study), keys, cluster=cluster, outcome="outcome")
        fate = cells["outcome"].astype("str")
    elif study.is_lazy:
        cells = count_cells(study, keys, cluster=cluster, outcome=settings.column)
        is_event, is_none = has_code(cells["outcome"], settings.event), has_code(cells["outcome"], settings.no_event)
        fate = pd.Series(UNKNOWN, index=cells.index).mask(is_none, NO_EVENT).mask(is_event, EVENT)
    else:
        study.require(f"outcomes.{outcome}")
        cells = count_cells(_with_outcome(study, outcome), keys, cluster=cluster, outcome="outcome")
        fate = cells["outcome"].astype("str")
    return _tabulate(
        study,
        keys,
        cells.assign(fate=fate),
        outcome=outcome,
        direction="bad" if settings is None else settings.direction,
        dated=settings is None or settings.dated,
        design={} if cluster is None else {"cluster": cluster},
    )


def _with_churn(study: Study) -> Study:
    """The study with what is known of each invitation's customer after its landmark; late answers are silence."""
    responses, known = study.responses, _customers(study)
    landmark = responses["invited_at"] + pd.Timedelta(days=study.settings.response_window_days)
    end = landmark + pd.Timedelta(days=study.settings.outcome_horizon_days)
    left = responses["customer_id"].map(known["churned_at"])
    watched = responses["customer_id"].map(known["observed_until"])
    longest, unsaid = known["observed_until"].max(), left.notna() & ~(watched > left)
    lost = left.isna() & ~(watched >= end) & (end <= longest)
    if (unsaid & (left > landmark) & (left <= end) & (end <= longest)).any() and lost.any():
        raise CannotAnswerError(
            f"{int(lost.sum()):,} invitations are of customers who stayed, but were not observed over the horizon; "
            "how long those who left would have been observed is not said (observed_until): the rate would be too high."
        )
    watched = watched.mask(unsaid, longest)
    reasons = {
        NO_INVITATION_DATE: landmark.isna(),
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


def _customers(study: Study) -> pd.DataFrame:
    """Customers by id, where something says which response is whose."""
    if not {"responses.respondent_id", "responses.customer_id"} & study.available:
        study.require("responses.customer_id")
    return cast("pd.DataFrame", study.customers).set_index("customer_id")


def _with_outcome(study: Study, outcome: str) -> Study:
    """The study with a yes/no outcome in words, beside each invitation."""
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


def _tabulate(study: Study, keys: Sequence[str], cells: pd.DataFrame, **said: Any) -> OutcomeByScore:
    """Cells as counts: at risk and events, per score and of the silent; what is left out, per reason."""
    knows_silence = tells_silence(study, cells) and not set(keys) & set(FROM_ANSWER)
    if set(keys) & set(FROM_ANSWER):  # who did not answer did so on no day
        cells = cells[cells["state"].isin(["answered", "item_missing"])]
    groups, place = groups_of(study, keys, cells)
    n, fate = cells["n"].to_numpy(), cells["fate"].to_numpy(dtype=object)
    known, event = np.isin(fate, [EVENT, NO_EVENT]), fate == EVENT
    answered = known & (cells["state"] == "answered").to_numpy()
    silent = known & (cells["state"] == "nonrespondent").to_numpy()
    score = cells["score"].fillna(-1).astype(int).to_numpy()
    reason = np.where(known, cells["state"].to_numpy(dtype=object), fate)
    out = ~answered & ~silent

    def per_score(row: Integers, rows: int, where: NDArray[np.bool_]) -> Integers:
        total = np.zeros((rows, N_SCORES), dtype=np.int64)
        np.add.at(total, (row[where], score[where]), n[where])
        return total

    def per_row(row: Integers, rows: int, where: NDArray[np.bool_]) -> Integers:
        total = np.zeros(rows, dtype=np.int64)
        np.add.at(total, row[where], n[where])
        return total

    def counts(row: Integers, rows: int) -> dict[str, Any]:
        return {
            "n": per_score(row, rows, answered),
            "events": per_score(row, rows, answered & event),
            "nonrespondents": per_row(row, rows, silent),
            "nonrespondent_events": per_row(row, rows, silent & event),
        }

    clusters = None
    if "cluster" in cells:
        at_risk = answered | silent
        code, labels = pd.factorize(cells["cluster"].to_numpy(dtype=object))
        of_row = np.stack([place, code])
        present, row = np.unique(of_row[:, at_risk], axis=1, return_inverse=True)
        position = np.zeros(len(cells), dtype=np.int64)
        position[at_risk] = row.ravel()
        clusters = OutcomeClusters(
            group=present[0].astype(np.int64),
            label=np.asarray(labels, dtype=object)[present[1]],
            **counts(position, present.shape[1]),
        )
    total = counts(place, len(groups))
    if not knows_silence:
        del total["nonrespondents"], total["nonrespondent_events"]
    return OutcomeByScore(
        groups=groups,
        **total,
        left_out={name: per_row(place, len(groups), out & (reason == name)) for name in sorted(set(reason[out]))},
        clusters=clusters,
        by=tuple(keys),
        ordered=list(keys) == ["wave"],
        minimum_cell=study.settings.minimum_cell,
        **said,
    )


def _whole(name: str, values: Sequence[int], size: int) -> Integers:
    try:
        given = np.asarray(values, dtype=float)
    except (TypeError, ValueError):
        given = np.array([])
    if given.shape != (size,):
        what = "11 counts are needed, for scores 0 to 10" if size == N_SCORES else "two are: of people, and of events"
        raise ContractError(f"{name}: {given.size} values arrived; {what}.")
    if not (np.isfinite(given) & (given >= 0) & (given == np.round(given))).all():
        raise ContractError(f"{name}: every count must be a whole number of 0 or more.")
    return given.astype(np.int64)
