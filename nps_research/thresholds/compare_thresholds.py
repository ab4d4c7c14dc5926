"""Where detractors end: every line between scores, tested on what customers did afterwards."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from nps_research.counting.checks import check_level
from nps_research.counting.cluster_sums import N_SCORES
from nps_research.counting.given import as_outcome
from nps_research.counting.outcome_by_score import OutcomeByScore
from nps_research.counting.outcomes import outcome_by_score, yes_no_outcomes
from nps_research.errors import EstimationError
from nps_research.results.words import quoted
from nps_research.statistics.proportions import ratio_limits, wilson_limits
from nps_research.statistics.randomness import DEFAULT_SEED
from nps_research.study.needs import begins_with
from nps_research.study.study import Study
from nps_research.thresholds.comparison import ThresholdComparison
from nps_research.thresholds.evidence.lines import MODELS, cross_validated_deviances, group_lines, single_lines
from nps_research.thresholds.evidence.resampling import Sample, resampled_tables
from nps_research.thresholds.evidence.shape_models import CUTS, cut_logliks, isotonic_risks, loglik
from nps_research.thresholds.evidence.verdict import largest_difference, line_verdict, lines_to_plant
from nps_research.thresholds.evidence.visible import visible_ratios
from nps_research.thresholds.risk_by_score import rates_of_bands
from nps_research.thresholds.shapes import GroupLines, ThresholdModels, three_groups
from nps_research.typing import Floats

SCORES = np.arange(N_SCORES)


@begins_with(lambda study: outcome_by_score(study, outcome=yes_no_outcomes(study)[0]))
def compare_thresholds(
    outcome: OutcomeByScore | Study,
    *,
    detractor_max: int | None = None,
    promoter_min: int | None = None,
    n_resamples: int = 2000,
    confidence_level: float = 0.95,
    rng: np.random.Generator | None = None,
) -> ThresholdComparison:
    """Test every line between scores for a change in risk, and judge whether the convention can stand.

    The estimand is the cut c of a two-step risk: one risk at scores up to c, a lower one above. Its confidence set
    inverts the likelihood-ratio test of each cut against the best, with the null distribution drawn under that cut:
    binomial for independent answers, by signs of whole clusters' residuals where there are clusters. Strata of the
    counts, such as waves, have baselines of their own: the odds of the event at a score are the stratum's times the
    score's, and what makes waves differ as a whole is no relation. Whether a step is the right shape at all is judged
    by the deviance of answers left out, against no relation, the conventional two and three groups, the best three
    groups, a straight line on the logit scale and a monotone curve.

    The verdict: ``"reversed"`` or ``"flat"`` by the best line's gain over one risk for all (each direction at half of
    1 - `confidence_level`), ``"flat"`` only where a doubled risk below the convention, planted in draws of which each
    is searched as the data are, is found in 80%;
    ``"move"`` where the convention is outside the set and the best line's deviance is lower than that of the
    convention, of its three groups and of the straight line by `MOVE_GAP`; ``"keep"`` where the convention (two groups
    with 6 inside the set, or three groups better than any two) beats the straight line by `SHAPE_GAP` and no other
    line beats it by `MOVE_GAP`; ``"gradual"`` where the straight line or the monotone curve beats every line by
    `SHAPE_GAP`; else ``"undecided"``. Deviances are divided by the design effect of clusters. How often each verdict is
    right: ``calibration/thresholds.csv``. A risk that falls smoothly but steeply at the low end can look like a line.

    Parameters
    ----------
    outcome : OutcomeByScore or Study
        One group's outcomes by score; of a Study churn is counted, or its only yes/no outcome.
    detractor_max, promoter_min : int, optional
        The convention; None takes the study's.
    n_resamples : int
        Tables drawn for each test; of counts, so that they cost the same at any number of answers.
    confidence_level : float
        Level of the confidence sets and limits.
    rng : numpy.random.Generator, optional
        Source of the draws; None starts a fixed one.

    Returns
    -------
    ThresholdComparison
        Where there are no events, or nothing but events, undecided with the reason.

    Raises
    ------
    EstimationError
        If there are several groups, or lines or level are impossible.

    References
    ----------
    Hinkley, D. V. (1970). Inference about the change-point in a sequence of random variables. Biometrika 57, 1-17.
    doi:10.1093/biomet/57.1.1

    Examples
    --------
    >>> from nps_research.counting.outcome_by_score import OutcomeByScore
    >>> n = [60, 60, 60, 80, 150, 300, 400, 700, 1300, 1000, 1600]
    >>> events = [12, 12, 12, 16, 8, 15, 20, 35, 65, 50, 80]
    >>> found = compare_thresholds(OutcomeByScore.from_counts(n, events), n_resamples=500)
    >>> found.verdict, found.best_cut, found.confidence_set
    ('move', 3, (3,))
    """
    check_level(confidence_level)
    outcome = as_outcome(outcome, promoter_min=promoter_min, detractor_max=detractor_max)
    lines = {"detractor_max": outcome.detractor_max, "promoter_min": outcome.promoter_min}
    if n_resamples < 100:
        raise EstimationError(f"n_resamples = {n_resamples}: 100 or more are needed.")
    sample = Sample.in_strata(outcome)
    frame = _lines_frame(outcome, sample, confidence_level)
    rng = np.random.default_rng(DEFAULT_SEED) if rng is None else rng
    n, n_bad = int(sample.n.sum()), int(sample.events.sum())
    said: dict[str, Any] = {
        "confidence_level": confidence_level,
        "title": f"Every line between scores, by {quoted(outcome.outcome)}",
        "minimum_cell": outcome.minimum_cell,
        "outcome": outcome.outcome,
        "direction": outcome.direction,
        "dated": outcome.dated,
        **lines,
        "n": n,
        "n_events": int(outcome.events.sum()),
        "n_clusters": None if outcome.clusters is None else sample.n_clusters,
        "strata": () if outcome.strata is None else outcome.strata.by,
        "n_resamples": n_resamples,
        "cuts_shown": outcome.cuts_shown,
        "classes": rates_of_bands(outcome, confidence_level=confidence_level),
    }
    if outcome.is_hidden and n:
        said |= {"n": 0, "n_events": 0, "n_clusters": None, "strata": ()}
    if why := _why_undecided(outcome, sample, n, n_bad):
        return ThresholdComparison(
            frame=frame.assign(p_value=np.nan, selection_share=np.nan),
            verdict="undecided",
            reason=why,
            best_cut=None,
            confidence_set=tuple(CUTS.tolist()),
            models=ThresholdModels(frame=pd.DataFrame(columns=["term", "deviance", "gap"])),
            three_groups=GroupLines(frame=pd.DataFrame(), p_value=float("nan"), better=False),
            required_events=None,
            largest_difference=float("nan"),
            **said,
        )
    table = sample.pooled
    single, relation = single_lines(sample, n_resamples=n_resamples, rng=rng)
    pair, three_p_value = group_lines(sample, n_resamples=n_resamples, rng=rng)
    deviances = cross_validated_deviances(sample, **lines, rng=rng)
    selected = cut_logliks(*resampled_tables(sample, n_resamples=n_resamples, rng=rng)).argmax(axis=-1)
    deff = max(table.design_effect_of_cut(cut) for cut in (single.best, outcome.detractor_max))
    scaled = {name: value / deff for name, value in deviances.items()}
    visible = None
    if relation.is_absent(confidence_level):
        planted, alpha = lines_to_plant(outcome.detractor_max), (1 - confidence_level) / 2
        visible = visible_ratios(sample, planted, alpha=alpha, n_resamples=n_resamples, rng=rng)
    judgement = line_verdict(
        sample,
        single,
        relation,
        pair[0],
        scaled,
        visible=visible,
        deff=deff,
        **lines,
        confidence_level=confidence_level,
    )
    lowest = min(scaled.values())
    return ThresholdComparison(
        frame=frame.assign(
            p_value=single.p_values, selection_share=np.bincount(selected, minlength=len(CUTS)) / n_resamples
        ),
        verdict=judgement.verdict,
        reason=judgement.reason,
        best_cut=single.best,
        confidence_set=single.confidence_set(confidence_level),
        models=ThresholdModels(
            frame=pd.DataFrame(
                {
                    "term": list(MODELS.values()),
                    "deviance": [1000 * deviances[name] / n for name in MODELS],
                    "gap": [scaled[name] - lowest for name in MODELS],
                }
            ),
            title=f"How well shapes of risk predict answers left out, by {quoted(outcome.outcome)}",
            design_effect=deff,
        ),
        three_groups=three_groups(
            pair, three_p_value, scaled, outcome.convention, confidence_level=confidence_level, outcome=outcome.outcome
        ),
        required_events=judgement.required_events,
        largest_difference=largest_difference(table, outcome.detractor_max, deff, confidence_level),
        relation_p_value=min(relation.falls_p_value, relation.rises_p_value),
        **said,
    )


def _why_undecided(outcome: OutcomeByScore, sample: Sample, n: int, n_bad: int) -> str:
    """Why nothing can be compared, if so."""
    if outcome.is_hidden and n:
        return f"Too few answers have a known outcome to show anything: {outcome.minimum_cell} are needed."
    if n == 0:
        return "There is no answer with a known outcome."
    if n_bad in (0, n):
        return "The outcome is the same for all who answered, so nothing can set one score apart from another."
    if (outcome.n[0] > 0).sum() < 2:
        return "All answered with one score."
    if not sample.has_both or (sample.pooled.n > 0).sum() < 2:
        return "Within each wave the outcome is the same for all, or all answered with one score."
    if sample.n_clusters < 10:
        return f"{sample.n_clusters} independent answers or clusters are too few to judge by: 10 are needed."
    return ""


def _lines_frame(outcome: OutcomeByScore, sample: Sample, confidence_level: float) -> pd.DataFrame:
    """Counts of every cut as they are, and ratios at one baseline, as the outcome counts them."""
    whole, table = Sample.of_group(outcome), sample.pooled
    below_n, below, above_n, above = _sides(outcome.n[0].astype(float), outcome.events[0].astype(float))
    m, x, rest_m, rest_x = _sides(table.n, table.events if outcome.direction == "bad" else table.n - table.events)
    deff = np.array([table.design_effect_of_cut(int(cut)) for cut in CUTS])
    low, high = ratio_limits(x / deff, m / deff, rest_x / deff, rest_m / deff, confidence_level=confidence_level)
    with np.errstate(invalid="ignore", divide="ignore"):
        rate_below, rate_above = below / below_n, above / above_n
        std_error = np.sqrt(deff * (1 / x - 1 / m + 1 / rest_x - 1 / rest_m))
        ratio = (x / m) / (rest_x / rest_m)
    limits: dict[str, Floats] = {}
    for name, happened, of, scores in (
        ("rate_below", below, below_n, list(CUTS[:, None] >= SCORES)),
        ("rate_above", above, above_n, list(CUTS[:, None] < SCORES)),
    ):
        alike = np.array([whole.design_effect(side) for side in scores])
        ends = wilson_limits(happened / alike, of / alike, confidence_level=confidence_level)
        limits |= {f"{name}_conf_low": ends[0], f"{name}_conf_high": ends[1]}
    best = loglik(table.events, table.n, isotonic_risks(table.events, table.n))
    return pd.DataFrame(
        {
            "cut": CUTS,
            "n_below": below_n.astype(np.int64),
            "events_below": below.astype(np.int64),
            "rate_below": rate_below,
            "rate_above": rate_above,
            **limits,
            "risk_ratio": ratio,
            "std_error": np.where(np.isfinite(std_error), std_error, np.nan),
            "conf_low": np.where(np.isnan(ratio), np.nan, low),
            "conf_high": np.where(np.isnan(ratio), np.nan, high),
            "deviance": 2 * (best - cut_logliks(table.events, table.n)) if table.n.sum() else np.nan,
        }
    )


def _sides(n: Floats, events: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Answers and events below each cut, and above it."""
    below_n, below = np.cumsum(n)[:-1], np.cumsum(events)[:-1]
    return below_n, below, n.sum() - below_n, events.sum() - below
