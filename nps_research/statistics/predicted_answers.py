"""What each person who was reached would answer, in NPS points, as far as those who resemble them tell."""

from __future__ import annotations

import numpy as np

from nps_research.statistics.boosting import boosted_trees, folds_left_out, tree_features
from nps_research.statistics.covariates import Covariates
from nps_research.statistics.doubly_robust import Reached
from nps_research.statistics.randomness import DEFAULT_SEED
from nps_research.typing import Floats

FAST_RATE = 0.2  # twice that of the trees for who answers; see the notes
N_SPLITS = 3


def predicted_value(people: Reached, covariates: Covariates, *, rng: np.random.Generator | None = None) -> Floats:
    """Predict the NPS points of everybody who was reached, from the answers of others who resemble them.

    The estimand is E(points | covariates) among those who answered: -100 of a detractor, 0 of a passive, 100 of a
    promoter. Trees by squared error, grown on the answers of four folds of clusters, predict the fifth, so that
    nobody's prediction has seen their own answer or one of their account; it is the mean over three divisions into
    folds. Where answers are too few for trees it is the mean of the others' answers.

    Parameters
    ----------
    people : Reached
        Who answered and what; their design weights weigh the answers.
    covariates : Covariates
        What was known of the same people.
    rng : numpy.random.Generator, optional
        Draws the folds; None starts a fixed one.

    Returns
    -------
    ndarray, shape (n,)
        In points, within -100 and 100.

    Raises
    ------
    EstimationError
        If there are fewer clusters than folds.

    Notes
    -----
    Trees go further than would predict best: what a smoothed model leaves out stays in the score of all as bias, while
    chance errors of a prediction largely cancel between those who answered and the rest (undersmoothing). The mean over
    three divisions keeps most of the score's dependence on how the folds fell away.

    References
    ----------
    Chernozhukov, V., Chetverikov, D., Demirer, M., Duflo, E., Hansen, C., Newey, W. & Robins, J. (2018).
    Double/debiased machine learning for treatment and structural parameters. The Econometrics Journal 21, C1-C68.
    doi:10.1111/ectj.12097

    Examples
    --------
    >>> import pandas as pd
    >>> from nps_research.statistics.covariates import Covariates
    >>> from nps_research.statistics.doubly_robust import Reached
    >>> area = pd.DataFrame({"area": ["N"] * 200 + ["S"] * 200})
    >>> people = Reached(
    ...     answered=np.arange(400) % 2 == 0, value=np.where(area["area"] == "N", 100.0, -100.0), base=np.ones(400),
    ...     cluster=np.arange(400)
    ... )
    >>> covariates = Covariates(numbers=pd.DataFrame(index=area.index), categories=area)
    >>> predicted_value(people, covariates)[[0, 399]].round(2).tolist()
    [100.0, -100.0]
    """
    rng = rng or np.random.default_rng(DEFAULT_SEED)
    features, total = tree_features(people.answered, covariates), np.zeros(len(people.answered))
    for _ in range(N_SPLITS):
        for out in folds_left_out(people.cluster, rng):
            of = people.answered & ~out
            value, weight = people.value[of], people.base[of]
            centre = float(np.average(value, weights=weight))
            booster = boosted_trees(
                features[of],
                value - centre,
                objective="regression",
                weight=weight / weight.mean(),
                learning_rate=FAST_RATE,
            )
            total[out] += centre + np.asarray(booster.predict(features[out]))
    return np.clip(total / N_SPLITS, -100.0, 100.0)
