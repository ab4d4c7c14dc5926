"""Whether the shift table holds the score of all in made-up companies, whose silent think less well.

Fills `demo_silent_score.csv` beside this file: companies drawn as the one in data/demo is, of 300 accounts each, with
other seeds. There the chance to answer rises with the score not yet given, so weighting misses, which is published.
The shift planted is taken from one very large company: how far its silent come out below their weighted estimate.
Columns, for the last wave: people reached; the score of all, that of those who answered and the doubly robust one with
its limits, in NPS points; whether these hold the score of all; the shift planted; and whether the limits at that
shift hold it. Run it with `python -m calibration.demo_silent_score`.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np

from calibration.resumable import fill, fresh_is_asked
from nps_research.counting.people import covariates_at_invitation
from nps_research.made_up.simulate import SimulatedStudy, simulate_study
from nps_research.made_up.truth import Truth
from nps_research.silence.score.estimates import DOUBLY_ROBUST, OBSERVED, people_of, reached_rows
from nps_research.silence.score.full_response import score_if_all_responded
from nps_research.statistics.doubly_robust import inverse_propensity_score
from nps_research.statistics.predicted_answers import predicted_value
from nps_research.statistics.propensity import response_propensity
from nps_research.study.study import Study

TABLE = Path(__file__).with_suffix(".csv")
ACCOUNTS = 300
LARGE = 20_000  # accounts
CELLS = [{"seed": seed} for seed in range(101, 121)]


def study_of(company: SimulatedStudy) -> Study:
    """The company as a study."""
    return Study.from_frames(
        responses=company.responses.drop(columns="comment"),
        customers=company.customers,
        segments=["region", "industry"],
        settings={"cluster": "account_id"},
        made_up=True,
    )


def would_be(company: SimulatedStudy, study: Study) -> np.ndarray:
    """NPS points of everybody reached in the last wave, had they answered."""
    if len(study.responses) != len(company.latent):
        raise ValueError("rows were not accepted")
    score = company.latent["would_be_score"].to_numpy()[reached_rows(study, None)[1].index]
    return 100.0 * (score >= study.settings.promoter_min) - 100.0 * (score <= study.settings.detractor_max)


@cache
def planted_shift() -> float:
    """By how much the silent of a very large company come out below their weighted estimate."""
    company = simulate_study(Truth(n_accounts=LARGE), rng=np.random.default_rng(1))
    study = study_of(company)
    rows = reached_rows(study, None)[1]
    people, _ = people_of(study, rows, study.settings.detractor_max)
    known = covariates_at_invitation(study, rows)
    propensity = response_propensity(people.answered, known, cluster=people.cluster, model="boosted")
    found = inverse_propensity_score(
        people, propensity, largest_weight=10.0, confidence_level=0.95, predicted=predicted_value(people, known)
    )
    return people.of_silent(found.estimate) - float(would_be(company, study)[~people.answered].mean())


def measure(seed: int) -> dict[str, object]:
    """One company."""
    company = simulate_study(Truth(n_accounts=ACCOUNTS), rng=np.random.default_rng(seed))
    study = study_of(company)
    truth, planted = float(would_be(company, study).mean()), planted_shift()
    found = score_if_all_responded(study, shifts=[planted])
    rows = found.frame.set_index("term")
    weighted = rows.loc[DOUBLY_ROBUST]
    table = found.shifts.frame
    at = table[np.isclose(table["shift"], planted)].iloc[0]
    return {
        "reached": found.n_reached,
        "of_all": round(truth, 2),
        "observed": round(float(rows.loc[OBSERVED, "estimate"]), 2),
        "weighted": round(float(weighted["estimate"]), 2),
        "conf_low": round(float(weighted["conf_low"]), 2),
        "conf_high": round(float(weighted["conf_high"]), 2),
        "weighted_held": bool(weighted["conf_low"] <= truth <= weighted["conf_high"]),
        "planted": round(planted, 2),
        "shifted_held": bool(at["conf_low"] <= truth <= at["conf_high"]),
    }


if __name__ == "__main__":
    print(fill(TABLE, CELLS, measure, fresh=fresh_is_asked(__doc__)).to_string(index=False))
