"""A study by other lines and another horizon than its own, and up to a wave."""

import pandas as pd
import pytest

import nps_research as nps
from nps_research.errors import ContractError

ANSWERS = pd.DataFrame(
    {
        "customer_id": [f"c{k}" for k in range(66)],
        "likelihood_to_recommend": [k % 11 for k in range(66)],
        "wave": ["2023"] * 22 + ["2024"] * 22 + ["2025"] * 22,
    }
)


def a_study():
    return nps.Study.from_frames(responses=ANSWERS, name="S")


def test_nothing_set_is_the_study_itself():
    study = a_study()
    assert nps.study.with_levers(study) is study


def test_a_last_wave_leaves_those_before_it():
    study = nps.study.with_levers(a_study(), last_wave="2024")
    assert study.waves == ("2023", "2024")
    assert len(study.responses) == 44
    assert nps.trend(nps.score_distribution(study, by="wave")).frame["group"].tolist() == ["2023", "2024"]


def test_another_line_counts_everywhere_and_changes_nothing_else():
    study = nps.study.with_levers(a_study(), detractor_max=3, horizon_days=90)
    assert study.settings == a_study().settings.model_copy(update={"detractor_max": 3, "outcome_horizon_days": 90})
    counted = nps.score_distribution(study)
    assert counted.detractor_max == 3
    assert nps.net_promoter_score(counted).frame["detractor_share"].iloc[0] == 4 / 11


@pytest.mark.parametrize(
    ("levers", "said"),
    [
        ({"last_wave": "2042"}, "There is no wave '2042': did you mean"),
        ({"detractor_max": 9}, "must be below promoter_min"),
        ({"horizon_days": 0}, "outcome_horizon_days"),
    ],
)
def test_what_cannot_be_is_refused(levers, said):
    with pytest.raises(ContractError, match=said):
        nps.study.with_levers(a_study(), **levers)
