"""What counts say of lines: which can be excluded, which shape predicts best, how many more events would tell."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from nps_research.counting.cluster_sums import N_SCORES
from nps_research.statistics.distributions import normal_ppf
from nps_research.thresholds.evidence.resampling import Sample, drawn_tables, fold_tables
from nps_research.thresholds.evidence.shape_models import (
    CUTS,
    PAIRS,
    constant_loglik,
    cut_logliks,
    cut_risks,
    isotonic_risks,
    line_risks,
    loglik,
    pair_logliks,
    pair_risks,
)
from nps_research.typing import Floats, Integers

EDGE = 1e-9  # likelihood ratios this near are equal
CV_FOLDS, N_REPEATS = 10, 20
POWER = 0.8
MODELS = {
    "none": "No relation",
    "convention": "The conventional line",
    "three": "The three conventional groups",
    "best": "The best line",
    "best_three": "The best three groups",
    "straight": "A straight line (logit)",
    "isotonic": "A curve in steps (isotonic)",
}


@dataclass(frozen=True, kw_only=True, eq=False)
class Lines:
    """Every place for one line: how well it fits, and whether it can be excluded.

    Attributes
    ----------
    cuts : ndarray of int
        The highest score below the line.
    best : int
        The one of highest likelihood.
    p_values : ndarray
        Of the likelihood-ratio test of each against the best.
    """

    cuts: Integers
    best: int
    p_values: Floats

    def confidence_set(self, confidence_level: float) -> tuple[int, ...]:
        """The cuts that are not excluded."""
        return tuple(self.cuts[self.p_values > 1 - confidence_level].tolist())


@dataclass(frozen=True, kw_only=True)
class Relation:
    """Whether risk falls with the score at all, or rises: the best line against one risk for all.

    Attributes
    ----------
    falls_p_value, rises_p_value : float
        Of the likelihood ratio in either direction.
    falls_gain, rises_gain : float
        Its logarithm.
    """

    falls_p_value: float
    rises_p_value: float
    falls_gain: float
    rises_gain: float

    def is_absent(self, confidence_level: float) -> bool:
        """Whether none is shown; each direction has half of the error rate."""
        return min(self.falls_p_value, self.rises_p_value) > (1 - confidence_level) / 2

    @property
    def rises(self) -> bool:
        """Whether rising is the more plain; the smallest p-values that draws can give are decided by the gains."""
        return (self.rises_p_value, -self.rises_gain) < (self.falls_p_value, -self.falls_gain)


def single_lines(sample: Sample, *, n_resamples: int, rng: np.random.Generator) -> tuple[Lines, Relation]:
    """Test every line by inverting its likelihood ratio against the best, under each line's own best risks."""
    events, n = sample.pooled.events, sample.pooled.n
    logliks = cut_logliks(events, n)
    shapes = [cut_risks(events, n, int(cut)) for cut in CUTS]
    shapes.append(np.full(N_SCORES, events.sum() / n.sum()))
    drawn, drawn_n = drawn_tables(sample, np.stack(shapes), n_resamples=n_resamples, rng=rng)
    of_drawn = cut_logliks(drawn, drawn_n)
    null = of_drawn[:-1].max(axis=-1) - of_drawn[CUTS, :, CUTS]
    p_values = _p_values(null, logliks.max() - logliks)
    flat, flat_n = drawn[-1], drawn_n if drawn_n.ndim == 1 else drawn_n[-1]
    falls_gain, rises_gain = best_gain(events, n), best_gain(n - events, n)
    falls = float(_p_values(best_gain(flat, flat_n)[None], falls_gain[None])[0])
    rises = float(_p_values(best_gain(flat_n - flat, flat_n)[None], rises_gain[None])[0])
    return (
        Lines(cuts=CUTS, best=int(logliks.argmax()), p_values=p_values),
        Relation(falls_p_value=falls, rises_p_value=rises, falls_gain=float(falls_gain), rises_gain=float(rises_gain)),
    )


def best_gain(events: Floats, n: Floats) -> Floats:
    """How much the best line below which risk is higher gains in log-likelihood over one risk for all."""
    return np.asarray(cut_logliks(events, n).max(axis=-1) - constant_loglik(events, n))


def group_lines(sample: Sample, *, n_resamples: int, rng: np.random.Generator) -> tuple[tuple[Lines, Lines], float]:
    """Lower and upper line of three groups, each tested over every place of the other; p-value of three against two."""
    events, n = sample.pooled.events, sample.pooled.n
    cuts = cut_logliks(events, n)
    pairs = pair_logliks(events, n, cuts)
    best = PAIRS[pairs.argmax()]
    lower, upper = (_one_of_two(sample, pairs, end, best, n_resamples=n_resamples, rng=rng) for end in (0, 1))
    shape = cut_risks(events, n, int(cuts.argmax()))[None]
    drawn, drawn_n = drawn_tables(sample, shape, n_resamples=n_resamples, rng=rng)
    of_cuts = cut_logliks(drawn, drawn_n)
    null = pair_logliks(drawn, drawn_n, of_cuts).max(axis=-1) - of_cuts.max(axis=-1)
    return (lower, upper), float(_p_values(null, np.array([pairs.max() - cuts.max()]))[0])


def lower_line(sample: Sample, *, n_resamples: int, rng: np.random.Generator) -> Lines:
    """The lower line of three groups alone, as `group_lines` tests it."""
    events, n = sample.pooled.events, sample.pooled.n
    pairs = pair_logliks(events, n, cut_logliks(events, n))
    return _one_of_two(sample, pairs, 0, PAIRS[pairs.argmax()], n_resamples=n_resamples, rng=rng)


def _one_of_two(
    sample: Sample, pairs: Floats, end: int, best: Integers, *, n_resamples: int, rng: np.random.Generator
) -> Lines:
    """The lower (`end` 0) or upper line of three groups, tested over every place of the other."""
    places = np.unique(PAIRS[:, end])
    member = places[:, None] == PAIRS[:, end]
    own = np.where(member, pairs, -np.inf)
    table = sample.pooled
    shapes = np.stack([pair_risks(table.events, table.n, pair) for pair in PAIRS[own.argmax(axis=1)]])
    drawn, drawn_n = drawn_tables(sample, shapes, n_resamples=n_resamples, rng=rng)
    of_drawn = pair_logliks(drawn, drawn_n, cut_logliks(drawn, drawn_n))
    null = np.stack([each.max(axis=1) - each[:, rows].max(axis=1) for each, rows in zip(of_drawn, member, strict=True)])
    return Lines(cuts=places, best=int(best[end]), p_values=_p_values(null, pairs.max() - own.max(axis=1)))


def _p_values(null: Floats, observed: Floats) -> Floats:
    """Share of draws, the observed one among them, that are no less extreme; one row of `null` for each observed."""
    return np.asarray((1 + (null >= observed[:, None] - EDGE).sum(axis=1)) / (null.shape[1] + 1))


def cross_validated_deviances(
    sample: Sample, *, detractor_max: int, promoter_min: int, rng: np.random.Generator
) -> dict[str, float]:
    """Deviance of answers left out, of all of them together, under each of `MODELS`; the search for lines is inside.

    Ten folds, twenty times over; clusters are left out whole. One answer of the mean risk, spread evenly over the
    scores, is added to what a model is fitted to, so that no risk is 0 or 1.
    """
    events_out, n_out = fold_tables(sample, n_folds=CV_FOLDS, n_repeats=N_REPEATS, rng=rng)
    events, n = sample.pooled.events - events_out, sample.pooled.n - n_out
    mean = ((events.sum(axis=-1) + 0.5) / (n.sum(axis=-1) + 1))[..., None]
    events, n = events + mean / N_SCORES, n + 1 / N_SCORES
    fits = _fits(events, n, detractor_max=detractor_max, promoter_min=promoter_min)
    return {
        name: float(-2 * loglik(events_out, n_out, fit(events, n)).sum() / len(events_out))
        for name, fit in fits.items()
    }


def _fits(
    events: Floats, n: Floats, *, detractor_max: int, promoter_min: int
) -> dict[str, Callable[[Floats, Floats], Floats]]:
    """How each of `MODELS` gives risks; the best lines are those of `events` and `n`."""
    cuts = cut_logliks(events, n)
    pairs = pair_logliks(events, n, cuts)
    shape = events.shape[:-1]
    convention = np.broadcast_to(np.array([detractor_max, promoter_min - 1]), (*shape, 2))
    best, best_pair = cuts.argmax(axis=-1), PAIRS[pairs.argmax(axis=-1)]
    one_group = detractor_max == promoter_min - 1
    return {
        "none": lambda e, m: np.broadcast_to((e.sum(axis=-1) / m.sum(axis=-1))[..., None], e.shape),
        "convention": lambda e, m: cut_risks(e, m, np.full(shape, detractor_max)),
        "three": lambda e, m: (
            cut_risks(e, m, np.full(shape, detractor_max)) if one_group else pair_risks(e, m, convention)
        ),
        "best": lambda e, m: cut_risks(e, m, best),
        "best_three": lambda e, m: pair_risks(e, m, best_pair),
        "straight": line_risks,
        "isotonic": isotonic_risks,
    }


def events_to_tell_apart(
    table: Sample, leader: str, rivals: list[str], *, gap: float, detractor_max: int, promoter_min: int
) -> float:
    """Events at which the leading shape, if it is the truth, beats its rivals by `gap` with a chance of 80%.

    The likelihood ratio of two fixed shapes grows with the answers, with a variance of four times its mean; a rival
    is what fits the leader's expected events best. An approximation: it takes the risks now seen for the truth.
    Infinite where a rival can take the leader's shape.
    """
    fits = _fits(table.events, table.n, detractor_max=detractor_max, promoter_min=promoter_min)
    risks = fits[leader](table.events, table.n)
    expected = table.n * risks
    theirs = _fits(expected, table.n, detractor_max=detractor_max, promoter_min=promoter_min)
    own = loglik(expected, table.n, risks)
    ratios = [2 * (own - loglik(expected, table.n, theirs[name](expected, table.n))) for name in rivals]
    spare = float(normal_ppf(POWER))
    wanted = (spare + np.sqrt(spare**2 + gap)) ** 2
    least = min(ratios, default=0.0)
    return float(expected.sum() * wanted / least) if least > 1e-6 else float("inf")
