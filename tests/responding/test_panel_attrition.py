import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize_scalar

from nps_research.errors import CannotAnswerError, ContractError, EstimationError
from nps_research.responding.panel_attrition import SAME_TWICE, panel_attrition
from nps_research.statistics.proportions import wilson_limits
from nps_research.study.study import Study, open_study

DEMO = Path(__file__).parents[2] / "data" / "demo"


def panel(rng, n=400, waves=10, cluster=None):
    """Members with a lasting bent to answer, some of whom stop for good."""
    bent = rng.beta(5, 2, n)
    stops = np.where(rng.random(n) < 0.9 * (1 - bent), rng.integers(2, waves + 1, n), waves)
    rows = [
        (person, f"w{wave:02d}", int(rng.random() < bent[person] and wave < stops[person]), "ab"[person % 2])
        for person in range(n)
        for wave in range(waves)
    ]
    table = pd.DataFrame(rows, columns=["respondent_id", "wave", "responded", "part"])
    if cluster:
        table["account_id"] = table["respondent_id"] // cluster
    settings = {"cluster": "account_id" if cluster else "respondent_id"}
    return table, Study.from_frames(responses=table, segments=["part"], settings=settings)


def by_hand(table, place, last):
    """Misses, gone and time of each person, wave by wave."""
    found = []
    for _, rows in table.groupby("respondent_id"):
        answers = rows.sort_values("wave")["responded"].tolist()
        if not answers[place]:
            continue
        gone = not any(answers[-last:])
        left = max(wave for wave, answer in enumerate(answers) if answer) + 1
        time = left - place if gone else len(answers) - 1 - place
        found.append((min(answers[:place].count(0), 3), gone, time))
    return pd.DataFrame(found, columns=["misses", "gone", "time"])


def test_rates_are_those_counted_person_by_person():
    table, study = panel(np.random.default_rng(1))
    result = panel_attrition(study, wave="w04", gone_waves=3)
    people = by_hand(table, 4, 3)
    counted = people.groupby("misses")["gone"].agg(["size", "sum"])
    frame = result.frame.set_index("misses")
    assert frame["n"].tolist() == counted["size"].tolist()
    assert frame["events"].tolist() == counted["sum"].tolist()
    low, high = wilson_limits(frame["events"].to_numpy(), frame["n"].to_numpy(), confidence_level=0.95)
    assert frame["conf_low"].to_numpy() == pytest.approx(low, abs=1e-12)
    assert frame["conf_high"].to_numpy() == pytest.approx(high, abs=1e-12)


def test_the_hazard_ratio_is_where_breslows_partial_likelihood_is_highest():
    table, _ = panel(np.random.default_rng(2), n=300)
    study_of_two = Study.from_frames(responses=table[table["wave"] >= "w03"], settings={"cluster": "respondent_id"})
    row = panel_attrition(study_of_two, wave="w04", gone_waves=3).frame.iloc[1]
    people = by_hand(table[table["wave"] >= "w03"], 1, 3)

    def minus_likelihood(log_ratio):
        risk = np.exp(log_ratio * people["misses"])
        return -sum(
            log_ratio * each["misses"] - np.log(risk[people["time"] >= each["time"]].sum())
            for each in people[people["gone"]].to_dict("records")
        )

    best = minimize_scalar(minus_likelihood, bounds=(-3, 3), method="bounded", options={"xatol": 1e-8})
    assert row["hazard_ratio"] == pytest.approx(np.exp(best.x), rel=1e-4)
    assert row["hazard_ratio_conf_low"] < row["hazard_ratio"] < row["hazard_ratio_conf_high"]


def test_adjusting_takes_off_what_a_segment_explains():
    rng = np.random.default_rng(3)
    kind = np.repeat(["steady", "restless"], 1500)  # the restless miss more and leave more; misses say no more
    misses = np.where(rng.random(3000) < np.where(kind == "steady", 0.1, 0.6), 0, 1)  # 1: answered the first wave
    leaves = rng.random(3000) < np.where(kind == "steady", 0.1, 0.5)
    columns = [misses, np.ones(3000), ~leaves, ~leaves]
    table = pd.concat(
        [
            pd.DataFrame({"respondent_id": range(3000), "wave": w, "responded": c.astype(int), "kind": kind})
            for w, c in zip("1234", columns, strict=True)
        ]
    )
    row = panel_attrition(Study.from_frames(responses=table, segments=["kind"]), wave="2", gone_waves=2).frame.iloc[1]
    assert row["hazard_ratio"] > 1.5
    assert row["adjusted_hazard_ratio_conf_low"] < 1 < row["adjusted_hazard_ratio_conf_high"]
    assert 0.8 < row["adjusted_hazard_ratio"] < 1.25


def of_misses(groups):
    """`groups`: misses of the first wave, gone at the end, segment, how many; of four waves all answered the second."""
    rows = []
    for misses, gone, kind, n in groups:
        for _ in range(n):
            answers = [1 - misses, 1, 1 - gone, 1 - gone]
            rows += [(len(rows) // 4, wave, answer, kind) for wave, answer in zip("1234", answers, strict=True)]
    table = pd.DataFrame(rows, columns=["respondent_id", "wave", "responded", "kind"])
    study = Study.from_frames(responses=table, segments=["kind"])
    return panel_attrition(study, wave="2", gone_waves=2).frame.set_index("misses")


@pytest.mark.parametrize(("left", "is_told"), [(4, False), (5, True)])
def test_a_group_of_five_leavers_has_a_hazard_ratio_and_one_of_four_has_none(left, is_told):
    frame = of_misses([(0, 0, "a", 100), (0, 1, "a", 20), (1, 0, "a", 30), (1, 1, "a", left)])
    assert np.isfinite(frame.loc[1, "hazard_ratio"]) == is_told


def test_a_small_segment_of_which_nobody_left_takes_no_adjusted_ratio_away():
    large = [(0, 0, "a", 60), (0, 1, "a", 9), (1, 0, "a", 20), (1, 1, "a", 8)]
    large += [(0, 0, "b", 40), (0, 1, "b", 12), (1, 0, "b", 15), (1, 1, "b", 12)]
    alone, beside = of_misses(large), of_misses([(1, 0, "tiny", 3), *large])
    for name in ("adjusted_hazard_ratio", "adjusted_hazard_ratio_conf_low"):
        assert beside.loc[1, name] == pytest.approx(alone.loc[1, name])


def test_levels_with_few_leavers_stand_together():
    large = [(0, 0, "a", 60), (0, 1, "a", 9), (1, 0, "a", 30), (1, 1, "a", 12)]
    apart, together = (
        of_misses([*large, (0, 0, one, 30), (0, 1, one, 3), (1, 0, other, 10), (1, 1, other, 4)])
        for one, other in ("bc", "dd")
    )
    assert apart.loc[1, "adjusted_hazard_ratio"] == pytest.approx(together.loc[1, "adjusted_hazard_ratio"])


def test_accounts_that_leave_together_widen_the_limits():
    table, _ = panel(np.random.default_rng(4), n=120)
    twins = pd.concat([table.assign(respondent_id=table["respondent_id"] * 3 + k) for k in range(3)])
    twins["account_id"] = twins["respondent_id"] // 3
    alone = panel_attrition(Study.from_frames(responses=twins, settings={"cluster": "respondent_id"})).frame
    together = panel_attrition(Study.from_frames(responses=twins, settings={"cluster": "account_id"})).frame
    assert together["estimate"].tolist() == alone["estimate"].tolist()
    for name in ("", "hazard_ratio_"):
        wide = np.log(together[f"{name}conf_high"] / together[f"{name}conf_low"])
        narrow = np.log(alone[f"{name}conf_high"] / alone[f"{name}conf_low"])
        assert (wide / narrow).iloc[1] == pytest.approx(np.sqrt(3), rel=0.15)


def dated(rows):
    """`rows`: person, wave, day of the answer after the invitation or None; waves are 90 days apart."""
    table = pd.DataFrame(rows, columns=["respondent_id", "wave", "day"])
    table["invited_at"] = pd.Timestamp("2024-01-01") + pd.to_timedelta(90 * table["wave"], unit="D")
    table["responded_at"] = table["invited_at"] + pd.to_timedelta(table["day"], unit="D")
    return Study.from_frames(responses=table.drop(columns="day"), settings={"data_until": "2026-01-01"})


def test_an_answer_after_the_landmark_was_silence_at_it():
    rows = [(person, wave, 1.0) for person in range(20) for wave in range(4)]
    rows = [row for row in rows if row[:2] not in {(0, 0), (1, 0), (2, 1)}]
    # person 0 answers the first wave before the landmark, 1 after it; 2 answers the landmark wave too late
    study = dated([*rows, (0, 0, 50.0), (1, 0, 120.0), (2, 1, 20.0), (20, 0, None)])
    frame = panel_attrition(study, wave="1", gone_waves=1).frame.set_index("misses")
    assert frame["n"].to_dict() == {0: 18, 1: 1}


def test_a_late_answer_is_no_leaving_and_one_of_two_answers_in_a_wave_is_no_miss():
    rows = [(person, wave, 1.0) for person in range(20) for wave in range(4)]
    rows = [row for row in rows if row != (0, 3)]
    study = dated([*rows, (0, 3, 30.0), (20, 0, None)])  # person 0 answers the last wave too late
    assert panel_attrition(study, wave="1", gone_waves=1).frame["events"].tolist() == [0]
    table = pd.DataFrame(rows, columns=["respondent_id", "wave", "day"]).assign(responded=1, touchpoint="shop")
    again = table[table["wave"] == 0].assign(responded=0, touchpoint="phone")
    twice = Study.from_frames(responses=pd.concat([table, again]).drop(columns="day"))
    assert panel_attrition(twice, wave="1", gone_waves=2).frame["misses"].tolist() == [0]


def test_not_being_invited_any_more_is_gone_and_not_yet_is_no_miss():
    rows = [(person, wave, 1.0) for person in range(30) for wave in range(4)]
    rows = [row for row in rows if not (row[0] < 10 and row[1] > 1) and not (row[0] >= 20 and row[1] == 0)]
    frame = panel_attrition(dated([*rows, (30, 0, None)]), wave="1", gone_waves=2).frame
    assert frame[["misses", "n", "events"]].to_numpy().tolist() == [[0, 30, 10]]


def test_waves_that_are_still_open_are_left_out():
    rows = [(person, wave, 1.0) for person in range(30) for wave in range(4)] + [(30, 0, None)]
    study = dated(rows + [(person, 8, None if person % 2 else 1.0) for person in range(30)])
    assert "8" in study.waves
    assert set(study.responses.loc[study.responses["wave"] == "8", "response_state"]) == {"item_missing", "pending"}
    assert panel_attrition(study).frame["events"].sum() == 0


def test_the_landmark_and_the_end_by_themselves():
    _, study = panel(np.random.default_rng(5), waves=24, n=100)
    result = panel_attrition(study)
    assert (result.wave, result.gone_waves, result.n_earlier) == ("w04", 6, 4)
    _, study = panel(np.random.default_rng(5), waves=3, n=100)
    result = panel_attrition(study)
    assert (result.wave, result.gone_waves) == ("w01", 1)


def test_the_demo_says_what_was_found_and_what_it_is_not():
    result = panel_attrition(open_study(DEMO))
    assert SAME_TWICE in result.in_words
    assert "Region, Industry and Role" in result.in_words
    assert "errors by clusters" in result.note
    json.dumps(result.to_json(), allow_nan=False)
    assert "nps-finding" in result._repr_mimebundle_()["text/html"]
    axes = result.plot()
    assert axes.get_yticklabels()[0].get_text().startswith("no earlier miss")


def test_small_groups_are_not_shown():
    rows = [(person, wave, int(person < 95 or wave != 0)) for person in range(100) for wave in range(4)]
    table = pd.DataFrame(rows, columns=["respondent_id", "wave", "responded"])
    result = panel_attrition(Study.from_frames(responses=table), wave="1", gone_waves=2)
    assert result.frame["n"].tolist() == [95, 5]
    assert result.shown["n"].tolist() == [95]
    assert "1 earlier miss" not in json.dumps(result.to_json())


@pytest.mark.parametrize(
    ("missed", "shown"),
    [
        ([60, 20, 12, 11], [("no earlier miss", 60), ("1 earlier miss", 20), ("2 earlier misses", 12),
                            ("3 or more earlier misses", 11)]),
        ([60, 20, 12, 3], [("no earlier miss", 60), ("1 earlier miss", 20), ("2 or more earlier misses", 15)]),
        ([60, 20, 5, 3], [("no earlier miss", 60), ("1 or more earlier misses", 28)]),
        ([60, 20, 5], [("no earlier miss", 60), ("1 or more earlier misses", 25)]),
        ([60, 20, 12], [("no earlier miss", 60), ("1 earlier miss", 20), ("2 earlier misses", 12)]),
    ],
)  # fmt: skip
def test_small_groups_are_taken_together_so_that_none_can_be_worked_out(missed, shown):
    numbers = np.repeat(np.arange(len(missed)), missed)
    rows = [(who, wave, int(wave >= misses)) for who, misses in enumerate(numbers) for wave in range(6)]
    table = pd.DataFrame(rows, columns=["respondent_id", "wave", "responded"])
    result = panel_attrition(Study.from_frames(responses=table), wave="3", gone_waves=1)
    assert list(result.shown[["term", "n"]].itertuples(index=False, name=None)) == shown
    assert result.n_hidden == 0


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"wave": "w2"}, ContractError, "did you mean w0"),
        ({"wave": "w00"}, ContractError, "first"),
        ({"wave": "w04", "gone_waves": 6}, ContractError, "5 waves come after"),
        ({"gone_waves": 0}, ContractError, "gone_waves = 0"),
        ({"confidence_level": 95}, EstimationError, "confidence_level"),
    ],
)
def test_what_cannot_be_asked(options, error, said):
    _, study = panel(np.random.default_rng(6), n=50)
    with pytest.raises(error, match=said):
        panel_attrition(study, **options)


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"respondent_id": [1, 1, 1], "wave": [1, 2, 3], "responded": 1}, "silence"),
        (
            {
                "respondent_id": [1, 1, 1],
                "responded": [1, 0, 1],
                "invited_at": ["2025-01-01", "2025-03-01", "2025-06-01"],
            },
            "round of the survey",
        ),
        ({"wave": [1, 2, 3], "responded": [1, 0, 1]}, "who was asked"),
        ({"respondent_id": [1, 1], "wave": [1, 2], "responded": [1, 0]}, "has 2"),
        ({"respondent_id": [1, 1, 1], "wave": [1, 2, 3], "responded": [1, 0, 1]}, "Nobody answered 2"),
    ],
)
def test_what_the_data_cannot_tell(columns, said):
    with pytest.raises(CannotAnswerError, match=said):
        panel_attrition(Study.from_frames(responses=pd.DataFrame(columns)))
