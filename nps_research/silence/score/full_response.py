"""The hole in the score: what NPS would be if everyone who was reached had answered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from nps_research.counting.checks import check_cuts, check_level
from nps_research.counting.people import covariates_at_invitation, in_words
from nps_research.counting.shown_groups import groups_not_shown
from nps_research.counting.silence import silence_caveat, who_was_asked
from nps_research.errors import ContractError
from nps_research.silence.score.balance import response_balance
from nps_research.silence.score.earlier_scores import evidence_of
from nps_research.silence.score.estimates import (
    DOUBLY_ROBUST,
    OBSERVED,
    PREFERRED,
    frame_of,
    observed_score,
    people_of,
    previous_score,
    reached_rows,
    weighted_scores,
    without_limits_of_few,
)
from nps_research.silence.score.result import SilentScore
from nps_research.silence.score.shifts import silent_shifts
from nps_research.silence.score.thin_groups import hardly_answering
from nps_research.statistics.doubly_robust import worst_case_bounds
from nps_research.study.needs import begins_with
from nps_research.study.planted import planted_score_of_all
from nps_research.study.study import Study

SHIFTS = (0.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0)


@begins_with(reached_rows)
def score_if_all_responded(
    study: Study,
    *,
    wave: str | None = None,
    detractor_max: int | None = None,
    largest_weight: float = 10.0,
    shifts: Sequence[float] = SHIFTS,
    confidence_level: float = 0.95,
    rng: np.random.Generator | None = None,
) -> SilentScore:
    """Estimate the Net Promoter Score if everyone who was reached had answered (unit non-response).

    The estimand is the score of all people of the wave who were reached and whose window has closed. It is observed
    for those who answered; raked, weighted by the inverse of the chance to answer, and doubly robust (those weights
    beside a prediction of everybody's answer), it is that of all if answering has nothing to do with loyalty but
    through what was known before the invitation; and it lies between the bounds whatever the silent think. Groups that
    hardly answer are named, and of their silent nothing is supposed in the range that then stands beside it. The
    finding and the shifts take the doubly robust estimate where there is one. `shifts` says what it would be if the
    silent came out below it.

    Parameters
    ----------
    study : Study
        With a record of who answered: ``responses.responded``, ``responded_at`` or ``delivered``.
    wave : str, optional
        None takes the last wave whose windows have all closed (else the last with any closed); all invitations
        together where the study has no waves.
    detractor_max : int, optional
        Highest detractor answer; None takes the study's.
    largest_weight : float
        Weights above so many times the mean are brought down to it.
    shifts : sequence of float
        Points by which the silent might come out below their weighted estimate.
    confidence_level : float
        Level of the limits.
    rng : numpy.random.Generator, optional
        Draws the folds of the boosted trees; None starts a fixed one.

    Returns
    -------
    SilentScore
        With ``shifts``, ``balance`` and ``evidence``, results of their own.

    Raises
    ------
    CannotAnswerError
        If silence is not recorded, no window has closed, nobody was silent or nobody answered.
    ContractError
        If there is no such wave, or a setting is impossible.

    Notes
    -----
    Answers of one account, or of the study's cluster, may go together. A returned form without this answer counts
    as no answer. Design weights are taken where all who were reached have one.

    Assumptions. Answers are missing at random, given what was known before the invitation, and everybody had some
    chance to answer. Besides, each weighted estimate needs its model of who answers to be right; the doubly robust one
    needs this model or that of the answers to be right, or both to come near: its error is of the size of the product
    of theirs. Its trees learn from other accounts than those they speak of. Where both models are wrong it may be worse
    than either, above all where weights are large (Kang & Schafer, 2007).

    Coverage is in ``calibration/silent_score.csv`` and ``calibration/doubly_robust.csv``. Where answering follows what
    is known one by one, however bent, weights and the doubly robust estimate are nominal, and the latter's limits are
    little wider. Where tenure and revenue cross strongly, weights from some hundreds of answers mend most of the error
    and not all; the doubly robust estimate mends most of what they leave, which is why it is read first. Where
    answering follows the score itself, neither mends it. How often groups that hardly answer are named is in
    ``calibration/hardly_answering.csv``.

    References
    ----------
    Robins, J. M., Rotnitzky, A. & Zhao, L. P. (1994). Estimation of regression coefficients when some regressors are
    not always observed. Journal of the American Statistical Association 89, 846-866.
    doi:10.1080/01621459.1994.10476818

    Chernozhukov, V., Chetverikov, D., Demirer, M., Duflo, E., Hansen, C., Newey, W. & Robins, J. (2018).
    Double/debiased machine learning for treatment and structural parameters. The Econometrics Journal 21, C1-C68.
    doi:10.1111/ectj.12097

    Kang, J. D. Y. & Schafer, J. L. (2007). Demystifying double robustness: a comparison of alternative strategies for
    estimating a population mean from incomplete data. Statistical Science 22, 523-539. doi:10.1214/07-STS227

    Examples
    --------
    >>> import pandas as pd
    >>> from nps_research.study.study import Study
    >>> table = pd.DataFrame({"likelihood_to_recommend": [10] * 20 + [3] * 10 + [None] * 10})
    >>> table["responded"] = table["likelihood_to_recommend"].notna().astype(int)
    >>> found = score_if_all_responded(Study.from_frames(responses=table))
    >>> found.frame.set_index("term")["estimate"].round(1).to_dict() # doctest: +NORMALIZE_WHITESPACE
    {'observed': 33.3, 'bound: all silent detractors': 0.0, 'bound: all silent promoters': 50.0,
     'NPS x response rate': 25.0}
    """
    check_level(confidence_level)
    lowest = study.settings.detractor_max if detractor_max is None else detractor_max
    check_cuts(study.settings.promoter_min, lowest)
    if not largest_weight > 1:
        raise ContractError(f"largest_weight must be above 1; it is {largest_weight!r}.")
    if not len(shifts) or not np.isfinite(np.asarray(shifts, dtype=float)).all():
        raise ContractError("shifts must be at least one number of points.")
    chosen, rows = reached_rows(study, wave)
    people, remarks = people_of(study, rows, lowest)
    observed = observed_score(study, rows, people, lowest, confidence_level)
    known = covariates_at_invitation(study, rows, detractor_max=lowest)
    weighted, refused = weighted_scores(people, known, largest_weight, confidence_level, rng)
    fewest = study.settings.minimum_cell
    weighted = {name: without_limits_of_few(found, people, fewest) for name, found in weighted.items()}
    if any(np.isnan(found.std_error) for found in (observed, *weighted.values())):
        remarks.append("Limits are hidden where few accounts or people answered; answers of others would show them.")
    bounds = worst_case_bounds(people)

    n_answers = int(people.answered.sum())
    is_hidden = n_answers < study.settings.minimum_cell or chosen in groups_not_shown(study, ["wave"] * bool(chosen))
    named, of_title = ("", "") if is_hidden or not chosen else (chosen, f", {chosen}")
    of_result: dict[str, Any] = {
        "confidence_level": confidence_level,
        "minimum_cell": study.settings.minimum_cell,
        "hidden": frozenset([chosen]) if is_hidden else None,
        "caveat": silence_caveat(study),
    }
    evidence, no_evidence = evidence_of(
        study,
        rows,
        people,
        known,
        lowest,
        is_used=bool(weighted),
        title=f"What the silent last said{of_title}",
        **of_result,
    )
    based_on = next((name for name in PREFERRED if name in weighted), OBSERVED)
    balance, thin = None, None
    if in_words(known):
        weights = {
            name.removeprefix("weighted: "): found.weights for name, found in weighted.items() if name != DOUBLY_ROBUST
        }
        balance = response_balance(study, people, known, weights, wave=chosen, caveat=of_result["caveat"])
        thin = hardly_answering(
            people,
            known,
            hidden=balance.hidden or frozenset(),
            largest_weight=largest_weight,
            confidence_level=confidence_level,
        )
    if balance is not None and thin is not None and not is_hidden:
        balance = replace(balance, caveat=f"Hardly anybody answered of {thin.who}. {balance.caveat}".strip())
    hint = evidence.hint if evidence is not None else no_evidence
    if thin is not None and not is_hidden:
        hint = f"{hint} Of {thin.who} hardly anybody answered, and no limits here know it.".strip()
    shift_table = silent_shifts(
        people,
        weighted.get(based_on, observed),
        based_on=based_on,
        bounds=bounds,
        shifts=shifts,
        margin=(observed.conf_high - observed.conf_low) / 2,
        previous=previous_score(study, chosen, lowest),
        wave=chosen,
        hint=hint,
        title=f"NPS of all, if the silent think less well{of_title}",
        **of_result,
    )
    return SilentScore(
        frame=frame_of(chosen, people, {OBSERVED: observed, **weighted}, bounds),
        title=f"NPS if all had answered{of_title}",
        wave=named,
        n_reached=len(rows),
        n_silent=len(rows) - n_answers,
        n_item_missing=int((rows["response_state"] == "item_missing").sum()),
        adjusted_for=in_words(known) if weighted else (),
        largest_allowed=largest_weight,
        hardly_answering=thin,
        truth=planted_score_of_all(study, chosen, lowest),
        remarks=(*remarks, *refused),
        shifts=shift_table,
        balance_=balance,
        evidence_=evidence,
        no_evidence=no_evidence,
        **of_result,
        asked=who_was_asked(study),
        knows_windows="responses.invited_at" in study.available,
    )
