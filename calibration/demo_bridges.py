"""Whether the bridge between two waves finds the fall planted in the made-up company, in twenty others like it.

Fills `demo_bridges.csv` beside this file: companies drawn as the one in data/demo is, with other seeds. What is planted
is taken from one very large company (`planted_falls`): its NPS in the wave of the fall, among those who answered, with
the same luck but without the fall of one rating, of the other, or of both. Columns: NPS points of the two ratings that
fell and of all ratings together, each with its limits and whether they hold what is planted; drivers found above noise
that are planted, and that are not; the classes of the must-be and the delighter.
Run it with `python -m calibration.demo_bridges`.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np

from calibration.resumable import fill, fresh_is_asked
from nps_research.drivers.asymmetry import rating_asymmetry
from nps_research.drivers.bridge import explain_change
from nps_research.drivers.fit_drivers import fit_drivers
from nps_research.made_up.simulate import simulate_study
from nps_research.made_up.survey import NOT_USED
from nps_research.made_up.truth import Truth
from nps_research.study.study import Study
from nps_research.study.table_settings import DriverSettings

TABLE = Path(__file__).with_suffix(".csv")
WAVES = ("2025 Q1", "2025 Q2")
FELL = ("delivery_on_time", "support_response")
LARGE = 30_000  # accounts
N_RESAMPLES = 40
CELLS = [{"seed": seed} for seed in range(101, 121)]


def score_of_wave(fallen: tuple[str, ...]) -> float:
    """NPS of the very large company in the wave of the fall, if only these ratings had fallen."""
    truth = Truth(n_accounts=LARGE)
    drivers = {name: driver if name in fallen else replace(driver, fall=0.0) for name, driver in truth.drivers.items()}
    company = simulate_study(replace(truth, drivers=drivers), rng=np.random.default_rng(1))
    answered = company.responses["likelihood_to_recommend"].notna() & (company.responses["wave"] == WAVES[1])
    score = company.responses.loc[answered, "likelihood_to_recommend"]
    return float(100 * ((score >= 9).mean() - (score <= 6).mean()))


@cache
def planted_falls() -> dict[str, float]:
    """NPS points planted: of each rating that fell, averaged over which fell first, and of both."""
    score = {fallen: score_of_wave(fallen) for fallen in ((), FELL[:1], FELL[1:], FELL)}
    none, first, second, both = score.values()
    return {
        FELL[0]: ((first - none) + (both - second)) / 2,
        FELL[1]: ((second - none) + (both - first)) / 2,
        "all": both - none,
    }


def measure(seed: int) -> dict[str, object]:
    """One company."""
    company = simulate_study(rng=np.random.default_rng(seed))
    drivers = company.truth.drivers
    study = Study.from_frames(
        responses=company.responses.drop(columns="comment"),
        drivers=DriverSettings(columns={name: name for name in drivers}, not_used_codes=[NOT_USED]),
        settings={"cluster": "account_id"},
        made_up=True,
    )
    model = fit_drivers(study, by="wave", n_resamples=N_RESAMPLES, rng=np.random.default_rng(seed))
    bridge = explain_change(model, *WAVES)
    rows = bridge.frame.set_index("term")
    limits = {name: [rows.loc[name, f"rating_points{end}"] for end in ("", "_conf_low", "_conf_high")] for name in FELL}
    limits["all"] = [bridge.rating_points[end] for end in ("estimate", "conf_low", "conf_high")]
    found: dict[str, object] = {}
    for name, (estimate, low, high) in limits.items():
        truth = planted_falls()[name]
        found |= {
            f"{name}_planted": round(truth, 2),
            name: round(float(estimate), 2),
            f"{name}_conf_low": round(float(low), 2),
            f"{name}_conf_high": round(float(high), 2),
            f"{name}_held": bool(low <= truth <= high),
        }
    above = model.frame.set_index("term")["above_noise"]
    real = [name for name, driver in drivers.items() if driver.kind not in ("idle", "shadow")]
    classes = rating_asymmetry(model).frame.set_index("term")["class"]
    return {
        **found,
        "planted_found": int(above[real].sum()),
        "planted": len(real),
        "noise_found": int(above.drop(real).sum()),
        "must_be": classes["product_quality"],
        "delighter": classes["account_manager"],
    }


if __name__ == "__main__":
    print(fill(TABLE, CELLS, measure, fresh=fresh_is_asked(__doc__), jobs=2).to_string(index=False))
