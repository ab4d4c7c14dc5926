"""What calls changed: the next answer, and leaving, of who was called against who was not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, cast

import numpy as np
import pandas as pd

from nps_research.callbacks.cases import JUDGEMENT, LOTTERY, REQUESTED, cases_of, moment_of_answer, scores_after
from nps_research.callbacks.enough import GRACE_DAYS, WORTH_A_CALL, WORTH_KEEPING
from nps_research.counting import trials
from nps_research.counting.before_and_after import answers_before_last, known_before, next_answers
from nps_research.counting.clusters import response_clusters
from nps_research.counting.outcomes import watched_until
from nps_research.counting.people import has_left
from nps_research.counting.trials import Trial, TrialComparison, trial_rows
from nps_research.errors import CannotAnswerError, ContractError
from nps_research.results.words import amount_text, share
from nps_research.statistics.enough import FOUND_WITH
from nps_research.statistics.normal_limits import normal_quantile
from nps_research.study.needs import begins_with
from nps_research.study.study import Study
from nps_research.typing import Flags

CallOutcome = Literal["score", "leaving"]
DESIGNS: Mapping[str, str] = {
    LOTTERY: "A lottery said who is called",
    "capacity": "As many were called as time allowed",
    JUDGEMENT: "Somebody chose whom to call",
    REQUESTED: "Who asked was called",
}


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class CallbackEffect(TrialComparison):
    """What calls changed in the next answer: called against not called, as assigned, by how that was settled.

    `frame` as `TrialComparison`; differences are in points of the answer, 0 to 10.
    """

    margin: float = WORTH_A_CALL
    treated_words: str = "called"
    untreated_words: str = "others"
    outcome_words: str = "points of the next answer (0 to 10)"

    kind: ClassVar[str] = "callback_effect"
    headings: ClassVar[Mapping[str, str]] = {
        **TrialComparison.headings,
        "term": "Who was called",
        "n": "Called",
        "n_other": "Not called",
        "answered": "Of the called known",
        "answered_other": "Of the others known",
    }

    @property
    def finding(self) -> str:
        row = self.best
        if row is None:
            return "Whether calling back helps cannot be told from these cases."
        size = self.spelt(row["estimate"], signed=False)
        match row["verdict"]:
            case trials.SHOWN_BETTER:
                return f"Calling back helped: {self._moved(size)}, as a lottery shows."
            case trials.SHOWN_WORSE:
                return f"Calling back did harm: {self._moved(size, worse=True)}, as a lottery shows."
            case trials.DIFFERS_BETTER:
                return f"The called did better, other things equal: {self._moved(size)}; only a lottery would prove it."
            case trials.DIFFERS_WORSE:
                return (
                    f"The called did worse, other things equal: {self._moved(size, worse=True)}; no lottery was held."
                )
            case trials.GROUP_CHOSEN:
                return "Who was called differed before any call, so what came after shows no effect of calling."
            case trials.NO_LARGER:
                return self._none_larger
        how = "by lottery" if row["term"] == DESIGNS[LOTTERY] else "other things equal"
        seen = f"{how} {self.spelt(row['estimate'])} {self._unit}"
        need = f"; finding {self._least} takes about {amount_text(row['needed'])} cases" if row["needed"] > 0 else ""
        return f"Undecided whether calling back helps: {seen}{need}."

    @property
    def _none_larger(self) -> str:
        return f"Those called came back no more than those not called: {self._least} is ruled out."

    @property
    def _unit(self) -> str:
        return "points in the next answer"

    @property
    def _least(self) -> str:
        return f"a gain of {self.spelt(self.margin, signed=False)} points"

    def _moved(self, size: str, *, worse: bool = False) -> str:
        return f"their next answer is {size} points {'lower' if worse else 'higher'}"


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class CallbackRetention(CallbackEffect):
    """What calls changed in leaving: called against not called, as assigned, by how that was settled.

    `frame` as `TrialComparison`; differences are of shares that left within the horizon, below 0 where fewer of the
    called left.
    """

    margin: float = WORTH_KEEPING
    outcome_words: str = "share that left"

    kind: ClassVar[str] = "callback_retention"
    unit: ClassVar[str] = "share_points"
    formats: ClassVar[Mapping[str, str]] = {
        **CallbackEffect.formats,
        **dict.fromkeys(("naive", "selection", "estimate", "control", "bounds"), "share_points"),
    }

    @property
    def _none_larger(self) -> str:
        row = self.best or {}
        left = f"{share(row['mean'])} of those called and {share(row['mean_other'])} of the others left"
        return f"{left}: {self._least} is ruled out, a smaller one is not."

    @property
    def _unit(self) -> str:
        return "that left"

    @property
    def _least(self) -> str:
        return f"a difference of {100 * self.margin:.0f} percentage points"

    def _moved(self, size: str, *, worse: bool = False) -> str:
        return f"{size} {'more' if worse else 'fewer'} of them left"


def _with_both(study: Study) -> pd.DataFrame:
    """Cases due, some called and some not; refuses where nobody, or everybody, was called."""
    study.require("responses.wave")
    cases = cases_of(study)
    cases = cases[cases["is_due"] & cases["likelihood_to_recommend"].notna()]
    if not cases["assigned"].any():
        raise CannotAnswerError("Nobody who was due a call was called, so there is nothing to compare.")
    named = cases[cases["assignment"].isin(DESIGNS)]
    both = named.groupby("assignment")["assigned"].nunique()
    if not (both > 1).any():
        raise CannotAnswerError(
            "Everybody who was due a call was called, so what calling adds cannot be told: hold back half of the cases "
            f"at random, and this page answers after about {_enough_cases(study, cases):,} of them."
        )
    return named[named["assignment"].isin(both.index[both > 1])]


def _enough_cases(study: Study, cases: pd.DataFrame) -> int:
    """Cases, half of them called, that find a gain of `WORTH_A_CALL` with a chance of 80%, to two digits."""
    following = next_answers(study, cases, after=moment_of_answer(study, cases))
    score = following.loc[following["has_next"], "score"]
    spread, known = (score.std(), score.notna().mean()) if score.notna().sum() > 1 else (2.3, 0.5)
    reach = normal_quantile(0.95) + normal_quantile(2 * FOUND_WITH - 1)
    return int(float(f"{4 * (reach * spread / WORTH_A_CALL) ** 2 / known:.2g}"))


@begins_with(_with_both)
def callback_effect(
    study: Study,
    *,
    outcome: CallOutcome = "score",
    grace_days: int = GRACE_DAYS,
    margin: float | None = None,
    confidence_level: float = 0.95,
) -> CallbackEffect:
    """Compare who was called back with who was not: what the call changed in the next answer, or in leaving.

    The estimand is, among those due who were to be called, the mean of the next wave's answer (or the share that leave
    within the horizon) less what it would have been without the call. Called means assigned to be called, reached or
    not: who can be reached differs.

    Parameters
    ----------
    study : Study
        With `callbacks`. Of a table that lists only those called, the others due are the uncalled.
    outcome : {"score", "leaving"}
        The next wave's answer, from 0 to 10; or leaving within ``outcome_horizon_days`` after the days of grace.
    grace_days : int
        Days after the answer: who was assigned a call in them was called. What comes after them counts, of who was
        still a customer then.
    margin : float, optional
        Smallest difference that matters; None takes 0.5 points, or 5% of customers.
    confidence_level : float

    Returns
    -------
    CallbackEffect
        A row for each way in which it was settled who is called, lotteries first.

    Raises
    ------
    CannotAnswerError
        If no case is recorded; nobody, or everybody, was called; there is no wave, or no date of leaving, after it.
    ContractError
        If `outcome` is none of the two.

    Notes
    -----
    Each answer is a trial that begins with it (Hernan & Robins 2016): nothing from after the answer explains, and who
    left within the days of grace was never at risk of being called in time. People are compared by
    `statistics.adjusted_difference`; of leaving, only rows watched over the whole horizon are known, the others are
    weighted for. Where calls went by judgement, the answer before the last one must not differ (a negative control).

    References
    ----------
    Hernan, M. A. & Robins, J. M. (2016). Using big data to emulate a target trial when a randomized trial is not
    available. American Journal of Epidemiology 183, 758-764. doi:10.1093/aje/kwv254
    """
    if outcome not in ("score", "leaving"):
        raise ContractError(f"outcome = {outcome!r}: score or leaving is needed.")
    cases = _with_both(study)
    landmark = moment_of_answer(study, cases) + pd.Timedelta(days=grace_days)
    called = cases["assigned"] & ~(cases["assigned_at"] > landmark)
    compared = _trials(study, cases, landmark, called, outcome)
    kind = CallbackEffect if outcome == "score" else CallbackRetention
    least = (WORTH_A_CALL if outcome == "score" else WORTH_KEEPING) if margin is None else margin
    frame = trial_rows(
        compared,
        margin=least,
        more_is_better=outcome == "score",
        minimum_cell=study.settings.minimum_cell,
        words=("called", "not called"),
        confidence_level=confidence_level,
    )
    days = study.settings.outcome_horizon_days
    return kind(
        frame=frame,
        confidence_level=confidence_level,
        title="The next answer of who was called" if outcome == "score" else f"Leaving within {days} days, by call",
        minimum_cell=study.settings.minimum_cell,
        margin=least,
    )


def _trials(
    study: Study, cases: pd.DataFrame, landmark: pd.Series, called: pd.Series, outcome: CallOutcome
) -> dict[str, Trial]:
    """A trial for each way in which it was settled who is called."""
    value, known, counts = (scores_after if outcome == "score" else _leaving)(study, cases, landmark)
    if not counts.any():
        what = "a wave after theirs" if outcome == "score" else "customers that were watched long enough after it"
        raise CannotAnswerError(f"What came after the calls is not known yet: no case has {what}.")
    cluster, _ = response_clusters(study, cases)
    found = {}
    for word, name in DESIGNS.items():
        rows = np.asarray(counts & (cases["assignment"] == word))
        if word == LOTTERY:
            rows = rows & cases["has_case"].to_numpy()
        if not rows.any():
            continue
        of_design = cases[rows]
        found[name] = Trial(
            treated=called.to_numpy()[rows],
            outcome=value[rows],
            known=known[rows],
            cluster=cluster[rows],
            covariates=known_before(study, of_design),
            is_random=word == LOTTERY,
            before=answers_before_last(study, of_design) if outcome == "score" else None,
        )
    return found


def _leaving(study: Study, cases: pd.DataFrame, landmark: pd.Series) -> tuple[Any, Flags, Flags]:
    """Who left within the horizon, of whom it is known, and who was at risk in a wave that was watched."""
    study.require("customers.churned_at", "customers.observed_until")
    customers = cast("pd.DataFrame", study.customers).set_index("customer_id")
    left, watched = (cases["customer_id"].map(customers[name]) for name in ("churned_at", "observed_until"))
    end = landmark + pd.Timedelta(days=study.settings.outcome_horizon_days)
    longest = customers["observed_until"].max()
    until = watched_until(left, watched, landmark, end, longest)
    is_there = cases["customer_id"].isin(customers.index) & ~has_left(left, landmark)
    event = (left > landmark) & (left <= end)
    known = (until >= end).to_numpy()
    return event.to_numpy(dtype=bool), known, np.asarray(is_there & (end <= longest))
