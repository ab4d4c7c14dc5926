"""Do intervals of the silence signal cover, and is `worst` said too often? `python -m calibration.silence [--fresh]`.

Made-up units are asked at four landmarks, 90 days apart; a unit is troubled or calm, and stays so for most of a
time. What a unit answers, or that it does not, depends on that alone, and so does how often it leaves, quarter by
quarter: `SCENARIOS`. Tenure tells of trouble as well, in one of them. The truth of each scenario is what the same
quantities come to among `MANY` units (`truths`). Each data set is a row of ``silence_runs.csv``; ``silence.csv`` is
worked out from it by `table`, as a test checks.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from calibration.resumable import fill, fresh_is_asked, generator
from nps_research.counting.landmarks import ANSWERED, Landmarks
from nps_research.silence.signal.contrasts import adjusted_contrasts, ratios
from nps_research.silence.signal.signal import PLACE, group_of, risks_by_state
from nps_research.silence.signal.verdict import silence_verdict
from nps_research.statistics.rate_ratios import MARGIN

RUNS, TABLE, TRUTHS = (
    Path(__file__).with_name(name) for name in ("silence_runs.csv", "silence.csv", "silence_truths.csv")
)
MANY = 100_000  # units whose rates stand for the truth
N_LANDMARKS, QUARTER, HORIZON = 4, 90, 180
SCORES = {"nonrespondent": np.nan, "promoter": 9.0, "passive": 8.0, "detractor": 3.0}
STAYS = 0.8  # chance that a unit stays troubled, or calm, for another quarter; else it is drawn anew


@dataclass(frozen=True)
class Scenario:
    """What is planted.

    Attributes
    ----------
    troubled, calm : tuple of float
        Chances to be silent, promoter, passive, detractor.
    leaves : tuple of float
        Chance to leave per quarter, troubled and calm.
    share : float
        Of units that are troubled.
    by_tenure : bool
        Whether short and very long tenure go with trouble.
    """

    troubled: tuple[float, float, float, float]
    calm: tuple[float, float, float, float]
    leaves: tuple[float, float]
    share: float = 0.25
    by_tenure: bool = False


SCENARIOS = {
    "silent worst": Scenario((0.75, 0.05, 0.10, 0.10), (0.20, 0.35, 0.30, 0.15), (0.20, 0.02)),
    "silent like detractors": Scenario((0.40, 0.05, 0.15, 0.40), (0.10, 0.45, 0.35, 0.10), (0.15, 0.02)),
    "all alike": Scenario((0.30, 0.30, 0.25, 0.15), (0.30, 0.30, 0.25, 0.15), (0.06, 0.06)),
    "tenure behind it": Scenario((0.60, 0.10, 0.10, 0.20), (0.20, 0.30, 0.30, 0.20), (0.15, 0.03), by_tenure=True),
}
SIZES = (300, 1000)
DATA_SETS, WITH_RATIOS = 600, 150  # the first of them also have their hazard ratios looked at
RISKS = ("churn_rate", *(f"risk_difference {state}" for state in ANSWERED))
RATIOS = tuple(f"hazard_ratio {state}" for state in ANSWERED)
ADJUSTED = tuple(f"adjusted_{name} {state}" for name in ("risk_difference", "hazard_ratio") for state in ANSWERED)
LEVEL = 0.95


def draw(scenario: Scenario, n_units: int, rng: np.random.Generator) -> Landmarks:
    """Units at risk at each landmark of one made-up study."""
    tenure = rng.exponential(40.0, n_units)
    odd = np.abs(np.log(np.maximum(tenure, 1.0) / 20.0)) > 1.0
    chance = np.where(odd, 0.5, 0.1) if scenario.by_tenure else np.full(n_units, scenario.share)
    quarters = N_LANDMARKS + HORIZON // QUARTER
    troubled = np.empty((n_units, quarters), dtype=bool)
    troubled[:, 0] = rng.random(n_units) < chance
    for quarter in range(1, quarters):
        anew = rng.random(n_units) < chance
        troubled[:, quarter] = np.where(rng.random(n_units) < STAYS, troubled[:, quarter - 1], anew)
    leaves = rng.random(troubled.shape) < np.where(troubled, *scenario.leaves)
    day = np.where(leaves, QUARTER * np.arange(quarters) + rng.integers(1, QUARTER + 1, troubled.shape), 10_000)
    left = day.min(axis=1)
    of_state = np.where(troubled[:, :N_LANDMARKS, None], np.cumsum(scenario.troubled), np.cumsum(scenario.calm))
    state = (rng.random((n_units, N_LANDMARKS, 1)) > of_state[:, :, :-1]).sum(axis=2)
    unit, landmark = np.nonzero(left[:, None] > QUARTER * np.arange(N_LANDMARKS))
    names = np.array(list(SCORES), dtype=object)[state[unit, landmark]]
    after = left[unit] - QUARTER * landmark
    rows = pd.DataFrame(
        {
            "unit": unit,
            "period": landmark,
            "state": names,
            "score": np.array(list(SCORES.values()))[state[unit, landmark]],
            "n_contacts": 1,
            "silent_share": np.nan,
            "decision_maker_silent": np.nan,
            "days": np.minimum(after, HORIZON).astype(float),
            "event": after <= HORIZON,
            "is_complete": True,
            "tenure": tenure[unit] + 3 * landmark if scenario.by_tenure else np.nan,
            "log_revenue": np.nan,
            "n_earlier": 0,
            "earlier_answer_share": np.nan,
            "silent_in_a_row": 0,
            "answered_before": False,
            "last_score": np.nan,
        }
    )
    return Landmarks(rows=rows, unit="customer", horizon_days=HORIZON, segments=(), left_out={}, knows_delivery=True)


def quantities(landmarks: Landmarks, *, ratios_too: bool = True) -> tuple[str, dict[str, tuple[float, float, float]]]:
    """The verdict, and estimate and limits of each quantity that is looked at."""
    rows = landmarks.classed(promoter_min=9, detractor_max=6)
    group = group_of(rows)
    risks = risks_by_state(rows, group, HORIZON)
    silent, (low, high) = PLACE["nonrespondent"], risks.limits(LEVEL)
    found = {"churn_rate": (float(risks.risk[silent]), float(low[silent]), float(high[silent]))}
    for state, name in zip(ANSWERED, RISKS[1:], strict=True):
        found[name] = risks.difference(silent, PLACE[state], LEVEL)
    adjusted = adjusted_contrasts(landmarks, rows, group, for_verdict=not ratios_too)
    judged = silence_verdict(risks, PLACE, margin=MARGIN, alpha=1 - LEVEL, adjusted=adjusted)
    if ratios_too:
        for names, contrasts in (
            (RATIOS, ratios(rows, group)),
            (ADJUSTED[:3], adjusted.differences),
            (ADJUSTED[3:], adjusted.ratios),
        ):
            limits = contrasts.limits(LEVEL)
            for state, name in zip(ANSWERED, names, strict=True):
                at = PLACE[state]
                found[name] = (float(contrasts.estimate[at]), float(limits[0][at]), float(limits[1][at]))
    return judged.verdict, found


def truth(scenario: str) -> dict[str, object]:
    """What each quantity comes to among very many units; ratios as logarithms."""
    _, found = quantities(draw(SCENARIOS[scenario], MANY, generator({"truth": scenario})))
    return {name: round(float(value[0]), 5) for name, value in found.items()}


@cache
def truths() -> pd.DataFrame:
    """The truth of every scenario, a row each."""
    return pd.read_csv(TRUTHS).set_index("scenario")


def measure(scenario: str, n_units: int, number: int) -> dict[str, object]:
    """Verdict of one data set, and which of its intervals hold the truth: 1, 0, or -1 where there is none."""
    rng = generator({"scenario": scenario, "n_units": n_units, "number": number})
    landmarks = draw(SCENARIOS[scenario], n_units, rng)
    verdict, found = quantities(landmarks, ratios_too=number < WITH_RATIOS)
    planted = truths().loc[scenario]
    held = {
        name: int(low <= planted[name] <= high) if np.isfinite(low) else -1 for name, (_, low, high) in found.items()
    }
    return {"verdict": verdict} | {name: held.get(name, -1) for name in (*RISKS, *RATIOS, *ADJUSTED)}


def table(runs: pd.DataFrame) -> pd.DataFrame:
    """How often each verdict was given and each interval held the truth, a row a scenario and size."""
    rows = []
    for (scenario, n_units), of_cell in runs.groupby(["scenario", "n_units"], sort=False):
        said = of_cell["verdict"].value_counts(normalize=True)
        row = {"scenario": scenario, "n_units": n_units, "data_sets": len(of_cell)}
        row |= {f"says {name}": round(float(said.get(name, 0.0)), 4) for name in sorted(set(runs["verdict"]))}
        for name in (*RISKS, *RATIOS, *ADJUSTED):
            known = of_cell[name][of_cell[name] >= 0]
            row[name] = round(float(known.mean()), 4) if len(known) else np.nan
        rows.append(row)
    return pd.DataFrame(rows)


CELLS: list[dict[str, object]] = [
    {"scenario": scenario, "n_units": n_units, "number": number}
    for n_units in SIZES
    for number in range(DATA_SETS)
    for scenario in SCENARIOS
]

if __name__ == "__main__":
    fresh = fresh_is_asked(__doc__)
    fill(TRUTHS, [{"scenario": scenario} for scenario in SCENARIOS], truth, fresh=fresh)
    table(fill(RUNS, CELLS, measure, fresh=fresh, jobs=2)).to_csv(TABLE, index=False, lineterminator="\n")
