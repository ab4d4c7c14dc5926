"""Scores of many small groups, each drawn towards the whole by as much as its answers leave open."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from scipy import special

from nps_research.counting.checks import check_level
from nps_research.counting.given import as_distribution, by_finest_segment
from nps_research.counting.score_distribution import ScoreDistribution
from nps_research.errors import CannotAnswerError
from nps_research.results.words import column_in_words, joined, p_text, plain_text, points
from nps_research.score.limits.design_effects import group_design_effects
from nps_research.score.limits.independent import VALUES, ZERO
from nps_research.score.score import equality
from nps_research.score.scored import ByLines, no_score
from nps_research.statistics.randomness import DEFAULT_SEED
from nps_research.study.study import Study
from nps_research.typing import Floats

# Likenesses of answers within a group, 1 / (1 + concentration), over which the limits average.
LIKENESS = ((np.arange(200) + 0.5) / 200) ** 2
# One group may be unlike all others: beforehand the chance that there are such groups at all, the share of groups that
# then are, and the concentration of their shares around the overall ones, as good as none.
ANY_UNLIKE, SHARE_UNLIKE, OF_UNLIKE = 0.1, 0.1, 2.0


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class PooledGroups(ByLines):
    """Scores of groups, raw beside pooled.

    `frame` columns: group, n, n_effective (independent answers that would tell as much), raw_estimate, estimate
    (pooled), std_error, conf_low, conf_high (the pooled score's), shrinkage (how far the raw score was drawn to the
    overall one: 0 not at all, 1 wholly). `overall_estimate` is the groups' mean, to which all are drawn,
    `answer_std_dev` the standard deviation of one effective answer around it, both in points. `concentration` is
    the likeliest of the groups' true shares around the overall ones, in answers; infinite where the raw shares differ
    no more than by chance. `half_drawn_at` is how many effective answers a group drawn half-way has.
    `heterogeneity_p_value` tests that all groups have one score, as `net_promoter_score` does.
    """

    concentration: float
    overall_estimate: float
    answer_std_dev: float
    half_drawn_at: float
    heterogeneity_p_value: float | None = None
    by: tuple[str, ...] = ()
    design: Mapping[str, str]

    kind: ClassVar[str] = "pooled_groups"
    table_columns: ClassVar[tuple[str, ...]] = ("group", "n", "raw_estimate", "estimate", "conf_high", "shrinkage")
    headings: ClassVar[Mapping[str, str]] = {
        "raw_estimate": "NPS, raw",
        "estimate": "NPS, pooled",
        "shrinkage": "Drawn to the groups' mean by",
    }
    formats: ClassVar[Mapping[str, str]] = {"raw_estimate": "points", "shrinkage": "share"}

    @property
    def finding(self) -> str:
        rows = self.answered
        if not rows:
            return no_score(self)
        by = f"by {joined(self.by)}, the" if self.by else "the"
        low, high = (pick(rows, key=lambda row: float(row["estimate"])) for pick in (min, max))
        ends = [f"{points(row['estimate'])} ({plain_text(row['group'])})" for row in (low, high)]
        return f"Without the luck of small numbers, {by} NPS runs from {ends[0]} to {ends[1]}."

    @property
    def details(self) -> str:
        rows = self.answered
        if not rows:
            return ""
        raw = [pick(rows, key=lambda row: float(row["raw_estimate"])) for pick in (min, max)]
        pooled = [pick(rows, key=lambda row: float(row["estimate"])) for pick in (min, max)]
        p, chance = self.heterogeneity_p_value, ""
        if p is not None:
            beyond = p < 1 - self.confidence_level
            alone = "Taken alone, these groups differ by more than chance explains"
            told = f"{alone} ({p_text(p)}, not adjusted for other groupings)"
            chance = f" {told if beyond else f'Chance alone could spread them so wide ({p_text(p)})'}."
        return f"The raw NPS runs from {' to '.join(map(self._raw, raw))}.{chance} Pooled, from {self.ends(*pooled)}."

    def _raw(self, row: Mapping[str, Any]) -> str:
        return f"{points(row['raw_estimate'])} ({plain_text(row['group'])}, {row['n']:,} answers)"

    @property
    def note(self) -> str:
        if not self.answered:
            return ""
        weight, cluster = (column_in_words(self.design.get(name, "")) for name in ("weight", "cluster"))
        how = (
            f"A group of about {self.half_drawn_at:,.0f} effective answers is drawn half-way to the groups' mean of "
            f"{points(self.overall_estimate)}, a larger one less, a smaller one more. In that mean a group counts as "
            "far as it tells of the others: it is not the score of all answers together."
        )
        effective = " and ".join(
            [f"weighted by {weight}"] * bool(weight) + [f"alike within one {cluster}"] * bool(cluster)
        )
        counted = f" Answers are {effective}: {self._counting} of them count as one." if effective else ""
        return f"{how} Partial pooling (Dirichlet-multinomial). Each limit holds for one group.{counted}"

    @property
    def _counting(self) -> str:
        """How many answers count as one, over the groups shown."""
        effects = [row["n"] / row["n_effective"] for row in self.answered]
        return " to ".join(dict.fromkeys(f"{pick(effects):.2f}" for pick in (min, max))) if effects else "several"

    @property
    def alt(self) -> str:
        rows = [
            f"{plain_text(row['group'])} {row['n']:,} answers, raw {points(row['raw_estimate'])}, pooled "
            f"{points(row['estimate'])}"
            for row in self.answered
        ]
        return (
            f"Funnel plot of the NPS against the number of answers around the groups' mean of "
            f"{points(self.overall_estimate)}, raw scores hollow and pooled ones full: {'; '.join(rows)}."
        )


def pool_groups(
    dist: ScoreDistribution | Study,
    *,
    promoter_min: int | None = None,
    detractor_max: int | None = None,
    confidence_level: float = 0.95,
    n_draws: int = 10_000,
    rng: np.random.Generator | None = None,
) -> PooledGroups:
    """Estimate groups' Net Promoter Scores by partial pooling, so that a group of 4 answers is not the best one.

    The estimand is each group's true score, in points. The groups' shares of detractors, passives and
    promoters are taken as drawn from one Dirichlet distribution, its mean and concentration A estimated from
    all groups (empirical Bayes). Given A, a group's pooled score is a mix of the raw score and the overall one, at
    n / (n + A) and A / (n + A). `concentration` is the maximum of the Dirichlet-multinomial likelihood;
    where the raw scores spread no wider than chance, it is infinite.

    Taking A as known at that maximum draws the groups together too much, and makes limits too narrow (with few
    groups badly so). So pooled scores are averaged over A by its likelihood, the share of variance between groups,
    1 / (1 + A), being uniform beforehand (after Morris 1983); limits, the posterior's quantiles by
    simulation, are averaged over the mean too. In ``calibration/pooling.csv``, with 5, 20 and 60 groups of 4 to 100
    answers, 95% limits held 94 to 97% of the true scores where answers were independent and groups differed, 93 to 98%
    where they were weighted or clustered, and more where groups did not differ at all; where groups differed, the
    mean squared error was 5 to 56% of the raw scores'.

    One group may be unlike all others. It may so come from a second, wide distribution; how likely that is, group by
    group, the answers tell. Then it keeps nearly its own score, and the others are drawn together as if it were not
    there (a contaminated prior, Berger & Berliner 1986). Where one of twelve is 75 points below the others, its limits
    held its true score in 72% of studies with 30 answers a group, 90% with 60 and 94% with 100.

    Parameters
    ----------
    dist : ScoreDistribution or Study
        Answers per group; a Study is counted by the segment with the most groups, or by wave. Weighted or clustered
        ones are scaled down to effective answers, group by group: see
        `score.limits.design_effects.group_design_effects`. Clusters that span groups are taken as independent.
    promoter_min, detractor_max : int, optional
        Lowest promoter and highest detractor answer; None takes the study's.
    confidence_level : float
        Level of the limits.
    n_draws : int
        Draws from the posterior.
    rng : numpy.random.Generator, optional
        Source of the draws; None starts a fixed one.

    Returns
    -------
    PooledGroups

    Raises
    ------
    CannotAnswerError
        If fewer than two groups have answers.
    EstimationError
        If a cut or level is impossible.

    Notes
    -----
    Groups are exchangeable beforehand: nothing but their answers is known to set one apart. A group
    without answers has the overall score, with limits for a group not yet seen. Groups too small to show take
    no part in the scores of those that are shown; their own rows are pooled with all.

    References
    ----------
    Berger, J. & Berliner, L. M. (1986). Robust Bayes and empirical Bayes analysis with epsilon-contaminated priors. The
    Annals of Statistics 14(2), 461-486. doi:10.1214/aos/1176349933
    Mosimann, J. E. (1962). On the compound multinomial distribution, the multivariate beta-distribution,
    and correlations among proportions. Biometrika 49, 65-82. doi:10.1093/biomet/49.1-2.65
    Morris, C. N. (1983). Parametric empirical Bayes inference: theory and applications. Journal of the
    American Statistical Association 78(381), 47-55. doi:10.1080/01621459.1983.10477920
    Spiegelhalter, D. J. (2005). Funnel plots for comparing institutional performance. Statistics in Medicine
    24(8), 1185-1202. doi:10.1002/sim.1970

    Examples
    --------
    >>> from nps_research.counting.score_distribution import ScoreDistribution
    >>> counts = {"A": [0] * 9 + [0, 4], "B": [30] + [0] * 7 + [20, 0, 50], "C": [10] + [0] * 7 + [50, 0, 40]}
    >>> pool_groups(ScoreDistribution.from_counts(counts)).frame[["raw_estimate", "estimate"]].round().values.tolist()
    [[100.0, 68.0], [20.0, 21.0], [30.0, 30.0]]
    """
    check_level(confidence_level)
    dist = as_distribution(by_finest_segment(dist), promoter_min=promoter_min, detractor_max=detractor_max)
    if (dist.n > 0).sum() < 2:
        raise CannotAnswerError(f"Pooling needs two groups with answers or more; {int((dist.n > 0).sum())} arrived.")
    if dist.hidden.any():
        return _apart(dist, confidence_level=confidence_level, n_draws=n_draws, rng=rng)
    shares = dist.shares
    n = np.where(dist.weights.sum(axis=1) > 0, dist.n / group_design_effects(dist), 0.0)  # 0: without weight
    raw = shares @ VALUES
    counts = np.nan_to_num(shares) * n[:, None]
    if (counts.sum(axis=0) > ZERO).sum() < 2:
        raise CannotAnswerError("All answers fall in one class, which does not tell how much answers vary.")
    posterior = _posterior(counts)
    mean = posterior.probability @ posterior.mean
    core = posterior.concentration[:, None]
    towards = (1 - posterior.unlike) * core / (core + n) + posterior.unlike * OF_UNLIKE / (OF_UNLIKE + n)
    given = towards * (posterior.mean @ VALUES)[:, None] + (1 - towards) * np.nan_to_num(raw)
    pooled = posterior.probability @ given
    draws = _score_draws(counts, posterior, n_draws, np.random.default_rng(DEFAULT_SEED) if rng is None else rng)
    low, high = np.quantile(draws, [0.5 - confidence_level / 2, 0.5 + confidence_level / 2], axis=0)
    frame = pd.DataFrame(
        {
            "group": list(dist.groups),
            "n": dist.n,
            "n_effective": n,
            "raw_estimate": raw,
            "estimate": pooled,
            "std_error": draws.std(axis=0),
            "conf_low": low,
            "conf_high": high,
            "shrinkage": posterior.probability @ towards,
        }
    )
    return PooledGroups(
        frame=dist.with_keys(frame),
        confidence_level=confidence_level,
        title=f"Net Promoter Score, pooled{dist.by_words}",
        **dist.of_results,
        concentration=fit_dirichlet(counts)[1],
        overall_estimate=float(mean @ VALUES),
        answer_std_dev=math.sqrt(max(float(mean @ VALUES**2 - (mean @ VALUES) ** 2), 0.0)),
        half_drawn_at=_half_drawn_at(posterior),
        heterogeneity_p_value=equality(dist),
        by=dist.by,
        design=dist.design,
    )


def _apart(dist: ScoreDistribution, **options: Any) -> PooledGroups:
    """Groups that are shown pooled with each other alone: what depended on the others would tell of them."""
    everybody = replace(dist, not_shown=frozenset(), minimum_cell=0)
    of_results = {name: value for name, value in dist.of_results.items() if name != "hidden"}
    if (dist.n[~dist.hidden] > 0).sum() < 2:
        unsaid: dict[str, Any] = dict.fromkeys(
            ("concentration", "overall_estimate", "answer_std_dev", "half_drawn_at"), math.nan
        )
        nobody = replace(pool_groups(everybody, **options), **of_results | unsaid | {"hidden": frozenset(dist.groups)})
        return replace(nobody, heterogeneity_p_value=None)
    shown = pool_groups(dist.select([group for group in dist.groups if group not in dist.hidden_groups]), **options)
    rest = pool_groups(everybody, **options).frame[dist.hidden]
    frame = pd.concat([shown.frame, rest])
    frame = frame.sort_values("group", key=lambda names: names.map(dist.place), ignore_index=True)
    return replace(shown, frame=frame, **dist.of_results)


def fit_dirichlet(counts: Floats) -> tuple[Floats, float]:
    """Mean and concentration of the groups' shares, by maximum likelihood; concentration may be infinite.

    The likelihood falls as concentration comes down from infinity where sum_g [sum_k x (x - 1) / m_k -
    n (n - 1)] <= 0, with m the pooled shares: the spread is then no wider than chance makes it. Counts, a row a group
    and a column a class, may be of effective answers.
    """
    mean = counts.sum(axis=0) / counts.sum()
    seen = mean > 0
    x, n = counts[:, seen], counts.sum(axis=1)
    wider = (x * (x - 1) / mean[seen]).sum() - (n * (n - 1)).sum()
    if wider <= ZERO:
        return mean, math.inf

    def loss(log_alpha: Floats) -> tuple[float, Floats]:
        alpha = np.exp(log_alpha)
        total = alpha.sum()
        value = special.gammaln(alpha + x) - special.gammaln(alpha)
        slope = (special.digamma(alpha + x) - special.digamma(alpha)).sum(axis=0)
        slope += (special.digamma(total) - special.digamma(total + n)).sum()
        value_of_totals = special.gammaln(total) - special.gammaln(total + n)
        return -float(value.sum() + value_of_totals.sum()), -slope * alpha

    excess = (n * (n - 1)).sum()
    start = np.log(mean[seen] * max(excess / wider, 0.1))
    from scipy.optimize import minimize  # late: it takes longer than most commands

    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=[(-12, 14)] * len(start), tol=1e-12)
    alpha = np.zeros(len(mean))
    alpha[seen] = np.exp(found.x)
    return alpha / alpha.sum(), float(alpha.sum())


@dataclass(frozen=True, kw_only=True)
class _Posterior:
    """How likely each concentration is, without and with groups unlike the others, and the overall shares given it.

    Attributes
    ----------
    probability, concentration : ndarray, shape (n_grid,)
    mean : ndarray, shape (n_grid, n_classes)
        Overall shares, each group weighing as much as it tells of them.
    known : ndarray, shape (n_grid,)
        Independent answers that would tell as much of the overall shares.
    unlike : ndarray, shape (n_grid, n_groups)
        How likely each group is unlike the others.
    """

    probability: Floats
    concentration: Floats
    mean: Floats
    known: Floats
    unlike: Floats


def _posterior(counts: Floats) -> _Posterior:
    """Concentration by its likelihood at the mean that suits it, times how well that mean is known."""
    n = counts.sum(axis=1)
    weight = n / (1 + np.outer(LIKENESS, np.maximum(n - 1, 0)))
    alike = _posterior_of_likeness(counts, weight, share=0.0)
    some = _posterior_of_likeness(counts, weight, share=SHARE_UNLIKE)
    some = _posterior_of_likeness(counts, weight * (1 - some[-1]), share=SHARE_UNLIKE)  # of means without who is unlike
    fit, mean, known, unlike = (np.concatenate(both) for both in zip(alike, some, strict=True))
    fit += np.repeat(np.log([1 - ANY_UNLIKE, ANY_UNLIKE]), len(LIKENESS))
    chance = np.exp(fit - fit.max())
    return _Posterior(
        probability=chance / chance.sum(),
        concentration=np.tile(1 / LIKENESS - 1, 2),
        mean=mean,
        known=known,
        unlike=unlike,
    )


def _posterior_of_likeness(counts: Floats, weight: Floats, *, share: float) -> tuple[Floats, Floats, Floats, Floats]:
    """Log posterior of each concentration; mean, how well it is known, and who is unlike, if a share of groups is."""
    n, seen = counts.sum(axis=1), counts.sum(axis=0) > 0
    raw = np.divide(counts, n[:, None], out=np.zeros_like(counts), where=n[:, None] > 0)
    concentration, known = 1 / LIKENESS - 1, weight.sum(axis=1)
    mean = weight @ raw / known[:, None]
    likelihood, unlike = _log_likelihood(counts[:, seen], concentration, mean[:, seen]), np.zeros_like(weight)
    if share:
        wide = _log_likelihood(counts[:, seen], np.full_like(concentration, OF_UNLIKE), mean[:, seen])
        wide = np.where(concentration[:, None] > OF_UNLIKE, math.log(share) + wide, -np.inf)
        either = np.logaddexp(math.log(1 - share) + likelihood, wide)
        likelihood, unlike = either, np.exp(wide - either)
    fit = (
        likelihood.sum(axis=1) - (seen.sum() - 1) / 2 * np.log(known) + np.log(LIKENESS) / 2
    )  # the grid is finer near 0
    return fit, mean, known, unlike


def _log_likelihood(counts: Floats, concentration: Floats, mean: Floats) -> Floats:
    """Of each group's counts, Dirichlet-multinomial, shape (n_grid, n_groups)."""
    alpha, n = (concentration[:, None] * mean)[:, None], counts.sum(axis=1)
    of_classes = (special.gammaln(alpha + counts) - special.gammaln(alpha)).sum(axis=2)
    return np.asarray(
        of_classes + special.gammaln(concentration)[:, None] - special.gammaln(concentration[:, None] + n)
    )


def _half_drawn_at(posterior: _Posterior) -> float:
    """Effective answers of a group that is drawn half-way to the overall score."""

    def drawn_past_half(log_n: float) -> float:
        n = math.exp(log_n)
        return float(posterior.probability @ (posterior.concentration / (posterior.concentration + n))) - 0.5

    from scipy.optimize import brentq  # late: it takes longer than most commands

    return math.exp(brentq(drawn_past_half, -30, 30))


def _score_draws(counts: Floats, posterior: _Posterior, n_draws: int, rng: np.random.Generator) -> Floats:
    """Draws of the groups' true scores, concentration and mean drawn too, shape (n_draws, n_groups)."""
    row = rng.choice(len(posterior.probability), size=n_draws, p=posterior.probability)
    mean = _dirichlet(posterior.known[row, None] * posterior.mean[row], rng)
    unlike = rng.random((n_draws, len(counts))) < posterior.unlike[row]
    concentration = np.where(unlike, OF_UNLIKE, posterior.concentration[row, None])
    shares = _dirichlet(counts + concentration[..., None] * mean[:, None, :], rng)
    return np.asarray(shares @ VALUES, dtype=np.float64)


def _dirichlet(alpha: Floats, rng: np.random.Generator) -> Floats:
    """Draws of shares, classes along the last axis."""
    drawn = rng.standard_gamma(np.maximum(alpha, 1e-12)) + 1e-300
    return np.asarray(drawn / drawn.sum(axis=-1, keepdims=True), dtype=np.float64)
