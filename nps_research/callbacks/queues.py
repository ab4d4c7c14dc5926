"""Whether it helps to be called sooner: cases of the faster queue against those of slower ones, as put into them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from nps_research.callbacks.cases import cases_of, moment_of_answer, scores_after
from nps_research.callbacks.effect import CallbackEffect
from nps_research.callbacks.enough import GRACE_DAYS, WORTH_A_CALL
from nps_research.counting import trials
from nps_research.counting.before_and_after import answers_before_last, known_before
from nps_research.counting.clusters import response_clusters
from nps_research.counting.trials import Trial, trial_rows
from nps_research.errors import CannotAnswerError
from nps_research.results.words import amount_text
from nps_research.study.needs import begins_with
from nps_research.study.study import Study


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class QueueEffect(CallbackEffect):
    """What a faster queue changed in the next answer: cases as they were put into queues, called or not.

    `frame` as `TrialComparison`; one row.

    Attributes
    ----------
    hours, hours_other : float
        Median hours from the answer to the first call, in the faster queue and the others.
    """

    treated_words: str = "cases of the faster queue"
    hours: float = np.nan
    hours_other: float = np.nan

    kind: ClassVar[str] = "queue_effect"
    headings: ClassVar[Mapping[str, str]] = {
        **CallbackEffect.headings,
        "term": "Faster queue",
        "n": "Faster",
        "n_other": "Slower",
        "answered": "Of the faster known",
    }

    @property
    def finding(self) -> str:
        row = self.best
        if row is None:
            return "Whether calling sooner helps cannot be told from these cases."
        times = f"called after {self.hours:.0f} instead of {self.hours_other:.0f} hours"
        size = self.spelt(row["estimate"], signed=False)
        if row["verdict"] == trials.DIFFERS_BETTER:
            return f"Who was {times} answered {size} points higher the next time, other things equal."
        if row["verdict"] == trials.DIFFERS_WORSE:
            return f"Who was {times} answered {size} points lower the next time, other things equal."
        if row["verdict"] == trials.GROUP_CHOSEN:
            return "Who was put into which queue differed before, so what came after shows no effect of calling sooner."
        if row["verdict"] == trials.NO_LARGER:
            return f"Who was {times} answered no higher: {self._least} is ruled out."
        return f"Whether it helps to be {times} is undecided; about {amount_text(row['needed'])} cases would show it."


def _with_queues(study: Study) -> pd.DataFrame:
    """Cases that were put into queues, two at least, and when they were first called."""
    study.require("callbacks.queue", "callbacks.attempted_at", "responses.wave")
    cases = cases_of(study)
    cases = cases[cases["queue"].notna() & cases["likelihood_to_recommend"].notna() & cases["assigned"]]
    if cases["queue"].nunique() < 2:
        raise CannotAnswerError("All cases were put into one queue, so there is no faster one to compare.")
    return cases


@begins_with(_with_queues)
def queue_effect(
    study: Study, *, grace_days: int = GRACE_DAYS, margin: float = WORTH_A_CALL, confidence_level: float = 0.95
) -> QueueEffect:
    """Compare cases put into the faster queue with those put into slower ones: whether it helps to be called sooner.

    The estimand is, among those put into the faster queue, the mean next answer less what it would have been in a
    slower one. Queues are compared as assigned: easy cases are called fast, and who leaves before the call is never
    called, so realised times compare unlike people.

    Parameters
    ----------
    study : Study
        Its `callbacks` say the queue and the first attempt.
    grace_days, margin, confidence_level
        As in `callback_effect`.

    Returns
    -------
    QueueEffect

    Raises
    ------
    CannotAnswerError
        If there are not two queues, or no next wave.
    """
    cases = _with_queues(study)
    moment = moment_of_answer(study, cases)
    hours = (cases["attempted_at"] - moment).dt.total_seconds() / 3600
    fastest = str(hours.groupby(cases["queue"]).median().idxmin())
    treated = cases["queue"] == fastest
    landmark = moment + pd.Timedelta(days=grace_days)
    value, known, counts = scores_after(study, cases, landmark)
    if not counts.any():
        raise CannotAnswerError("What came after the calls is not known yet: no case has a wave after its own.")
    cluster, _ = response_clusters(study, cases)
    chosen = cases[counts]
    trial = Trial(
        treated=treated.to_numpy()[counts],
        outcome=value[counts],
        known=known[counts],
        cluster=cluster[counts],
        covariates=known_before(study, chosen),
        before=answers_before_last(study, chosen),
    )
    frame = trial_rows(
        {fastest: trial},
        margin=margin,
        more_is_better=True,
        minimum_cell=study.settings.minimum_cell,
        words=("in the faster queue", "in a slower one"),
        confidence_level=confidence_level,
    )
    return QueueEffect(
        frame=frame,
        confidence_level=confidence_level,
        title="The next answer by queue",
        minimum_cell=study.settings.minimum_cell,
        margin=margin,
        hours=float(hours[treated].median()),
        hours_other=float(hours[~treated].median()),
    )
