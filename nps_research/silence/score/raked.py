"""The score of all who were reached, from answers raked to what is known of them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from nps_research.score.raking import rake
from nps_research.statistics.doubly_robust import Reached, Weighted, with_limits
from nps_research.statistics.least_squares import left_over
from nps_research.statistics.logistic import joined_levels


def raked_score(people: Reached, margins: pd.DataFrame, *, confidence_level: float) -> Weighted:
    """Rake the answers to the margins of all who were reached: the score of all.

    The estimand is the score of all in `people`, had all answered, if answering has nothing to do with loyalty but
    through the margins, each by itself. Groups in which few answered are joined. The variance is that of the
    generalised regression estimator, to which raking comes near.

    Raises
    ------
    EstimationError
        If the margins contradict each other among those who answered.

    References
    ----------
    Deville, J.-C. & Särndal, C.-E. (1992). Calibration estimators in survey sampling. Journal of the American
    Statistical Association 87, 376-382. doi:10.1080/01621459.1992.10475217
    """
    yes = people.answered
    joined = pd.DataFrame({name: joined_levels(margins[name], yes).to_numpy() for name in margins})
    joined = joined[[name for name in joined if len(joined[name].unique()) > 1]]
    base = pd.Series(people.base)
    targets = {str(name): base.groupby(joined[name]).sum().to_dict() for name in joined}
    # A person whose design weight is 0 is none of those whom raking may stretch.
    of_answers = joined[yes].assign(base_weight_=people.base[yes])
    of_answers = of_answers[of_answers["base_weight_"] > 0]
    weights = rake(of_answers, targets, base_weight="base_weight_").weights
    total = np.zeros(len(yes))
    total[weights.index] = weights.to_numpy()
    factor = np.divide(total, people.base, out=np.ones(len(yes)), where=total > 0)
    score = float(np.average(people.value, weights=total))
    design = np.column_stack(
        [np.ones(len(yes)), *(pd.get_dummies(joined[name]).to_numpy(dtype=float)[:, 1:] for name in joined)]
    )[yes]
    influence = np.zeros(len(yes))
    influence[yes] = total[yes] * left_over(people.value[yes] - score, design, total[yes])
    chance = np.minimum(1 / factor, 1.0)
    return with_limits(people, score, total, influence, chance, n_columns=design.shape[1], level=confidence_level)
