"""One table of strata that have baselines of their own: what makes waves differ as a whole is taken out.

Within each stratum the odds of the event at a score are the stratum's times the score's. Events stay as they are, and
each answer without the event counts as often as its stratum's odds say; then events over such answers are the odds of
the scores, whatever the strata's score mixes are. A stratum alone stays as it is; one without events, or with nothing
else, tells nothing. Tables have strata in the axis before the last, scores in the last.

References
----------
Breslow, N. E. & Day, N. E. (1987). Statistical Methods in Cancer Research II. IARC, section 4.4: baselines and relative
risks by turns, which comes to the conditional likelihood where events are rare.
"""

from __future__ import annotations

import numpy as np

from nps_research.typing import Floats

_TURNS = 3  # strata with much the same mix of scores, as waves have, settle in two
_SURE = 1e-9


def stratum_weights(events: Floats, n: Floats) -> Floats:
    """How often an answer without the event counts in each stratum, shape (..., n_strata).

    0 where a stratum tells nothing; 1 for all where none does.

    Examples
    --------
    >>> n = np.full((2, 2), 100.0)
    >>> stratum_weights(np.array([[10.0, 10], [20, 20]]), n).round(2).tolist()
    [0.63, 1.42]
    """
    others, total = n - events, events.sum(axis=-1)
    others_of, odds = others.sum(axis=-1), np.ones((*events.shape[:-2], events.shape[-1]))
    tells = (total > 0) & (others_of > 0)
    happened = np.einsum("...sk,...s->...k", events, tells.astype(float))
    for _ in range(_TURNS):
        expected = np.einsum("...sk,...k->...s", others, odds)
        weights = np.divide(total, expected, out=np.zeros_like(total), where=tells & (expected > 0))
        at_risk = np.einsum("...sk,...s->...k", others, weights)
        odds = np.divide(np.maximum(happened, 0), at_risk, out=np.zeros_like(at_risk), where=at_risk > 0)
    size, kept = (weights * others_of).sum(axis=-1), (others_of * (weights > 0)).sum(axis=-1)
    weights *= np.divide(kept, size, out=np.zeros_like(size), where=size > 0)[..., None]
    return np.where(tells.any(axis=-1, keepdims=True), weights, 1.0)


def at_one_baseline(events: Floats, n: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Events and answers per score at one baseline, by the weights of `stratum_weights`."""
    happened = np.einsum("...sk,...s->...k", events, (weights > 0).astype(float))
    others = np.einsum("...sk,...s->...k", n - events, weights)
    return happened, happened + others


def stratum_risks(events: Floats, n: Floats, risks: Floats) -> Floats:
    """Risks per stratum and score with the scores' odds of `risks` that give each stratum the events it has.

    `risks` has shape (n_shapes, ..., n_scores) for tables of shape (..., n_strata, n_scores).
    """
    odds = np.clip(risks, 0, 1 - _SURE) / (1 - np.clip(risks, 0, 1 - _SURE))
    expected = np.einsum("...sk,n...k->n...s", n - events, odds)
    total = np.broadcast_to(events.sum(axis=-1), expected.shape)
    level = np.divide(total, expected, out=np.zeros_like(expected), where=expected > 0)
    of_cells = level[..., None] * odds[..., None, :]
    return np.asarray(of_cells / (1 + of_cells))
