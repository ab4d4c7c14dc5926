"""Rows that a stage of the customer's life set off: accepted as all are, then kept apart from the survey by waves."""

from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import nps_research as nps
from nps_research import cli
from nps_research.errors import ContractError
from nps_research.intake import intake, reading_notes
from nps_research.report.own_words import OwnWords
from nps_research.report.privacy import find_leaks
from nps_research.study.further_tables import FURTHER
from nps_research.study.study import open_study

DEMO = Path(__file__).parents[2] / "data" / "demo"
LTR = "likelihood_to_recommend"
SAID = (
    "4 rows of a survey that goes out by the customer's age (life_stage), 3 of them answered, are kept apart: waves do "
    "not count them."
)


def waves(n=60):
    return pd.DataFrame(
        {
            "respondent_id": [f"person-{k}" for k in range(n)],
            "wave": np.where(np.arange(n) % 2 == 0, "2025 Q1", "2025 Q2"),
            "invited_at": ["2025-02-01" if k % 2 == 0 else "2025-05-01" for k in range(n)],
            "responded_at": [None if k % 5 == 0 else "2025-05-02T10:00" for k in range(n)],
            LTR: [None if k % 5 == 0 else k % 11 for k in range(n)],
            "Region": np.where(np.arange(n) % 3 == 0, "UK", "IE"),
        }
    )


def by_age():
    """Answers of two stages; of one who is in the survey by waves, of two who are not, and one silence."""
    return pd.DataFrame(
        {
            "respondent_id": ["person-1", "person-1", "young-1", "young-2"],
            "wave": "2025 Q2",
            "life_stage": ["month 3", "month 12", "month 3", "month 3"],
            "touchpoint": "onboarding",
            "invited_at": ["2025-04-01", "2025-04-20", "2025-04-01", "2025-04-01"],
            "responded_at": ["2025-04-02T10:00", "2025-04-21T10:00", "2025-04-02T10:00", None],
            LTR: [0, 1, 2, None],
            "Region": ["IE", "IE", "UK", "UK"],
            "Tone": ["warm", "cold", "warm", "cold"],
            "comment": ["nobody called", "still nobody", "the crane came three weeks late", None],
        }
    )


def a_study(responses, **given):
    return nps.Study.from_frames(responses=responses, **({"name": "S", "segments": ["Region"]} | given))


def mixed(**given):
    return a_study(pd.concat([waves(), by_age()], ignore_index=True), **given)


def from_files(folder, **tables):
    folder.mkdir(exist_ok=True)
    text = ['name = "S"']
    for name, frame in tables.items():
        frame.to_csv(folder / f"{name}.csv", index=False)
        text.append(f'[{name}]\nfile = "{name}.csv"')
    segments = '[responses.segments]\ncolumns = { "Region" = "Region" }'
    (folder / "study.toml").write_text("\n".join([*text, segments]), encoding="utf-8")
    return open_study(folder)


def accounted_for(study):
    own = study.files[study.files["table"] == "responses"]
    assert (own["rows"] == own["accepted"] + own["quarantined"]).all()
    return own["accepted"].sum() == len(study.responses) + len(study.by_age)


def assert_same_waves(found, expected):
    """The survey by waves, to the last value."""
    empty = [name for name in expected.responses if name not in found.responses]
    assert expected.responses[empty].isna().all(axis=None)
    pd.testing.assert_frame_equal(found.responses, expected.responses.drop(columns=empty), check_exact=True)
    assert (found.waves, found.segments, found.drivers) == (expected.waves, expected.segments, expected.drivers)
    assert found.available == expected.available
    assert found.settings == expected.settings


def test_the_survey_by_waves_is_the_study_and_the_other_is_kept_apart():
    study = mixed()
    assert_same_waves(study, a_study(waves()))
    assert study.by_age["life_stage"].tolist() == ["month 3", "month 12", "month 3", "month 3"]
    assert study.by_age["response_state"].tolist() == ["answered"] * 3 + ["nonrespondent"]
    assert set(study.by_age) >= set(study.responses)
    assert accounted_for(study)
    assert a_study(waves()).by_age.empty
    assert set(a_study(waves()).by_age) == set(study.responses)


def test_it_is_said_wherever_rows_are_accounted_for():
    study = mixed()
    assert SAID in study.notes
    assert reading_notes(study).frame["note"].tolist()[-1] == SAID
    assert study.base.startswith("64 rows in, 64 accepted, 0 quarantined, 4 accepted but kept apart (life_stage); 48 ")
    assert intake(study).finding == "64 rows came in: 64 are accepted, none is quarantined."
    assert intake(study).remark.endswith("Accepted, but kept apart (life_stage): 4.")
    alone = a_study(pd.concat([waves(), by_age().tail(1)], ignore_index=True))
    assert alone.notes[-1].startswith("1 row of a survey")
    assert "(life_stage), 0 of them answered, is kept apart: waves" in alone.notes[-1]
    assert intake(alone).remark.endswith("kept apart (life_stage): 1.")
    for said in (*a_study(waves()).notes, a_study(waves()).base, intake(a_study(waves())).remark):
        assert "life_stage" not in said


def test_where_all_rows_have_a_life_stage_nothing_is_kept_apart():
    study = a_study(by_age())
    assert len(study.responses) == 4
    assert study.by_age.empty
    assert study.can_answer("responses.life_stage")
    assert not any("kept apart" in said for said in (*study.notes, study.base, intake(study).remark))
    bad = by_age().assign(life_stage=[None, "month 12", "month 3", "month 3"], **{LTR: [11, 1, 2, None]})
    assert len(a_study(bad).responses) == 3  # those without a stage are all quarantined
    assert a_study(bad).by_age.empty


def test_a_column_that_only_the_other_survey_fills_is_no_group():
    study = mixed(segments=["Region", "Tone"])
    assert study.segments == ("Region",)
    assert not {"Tone", "touchpoint", "life_stage", "comment"} & set(study.responses)
    assert not study.can_answer("responses.life_stage")
    assert not study.can_answer("responses.comment")
    assert study.by_age["Tone"].tolist() == ["warm", "cold", "warm", "cold"]
    assert mixed(segments=["Tone"], settings={"cluster": "Tone"}).responses["Tone"].isna().all()
    rated = pd.concat([waves(), by_age().assign(Speed=[1, 2, 3, None])], ignore_index=True)
    assert a_study(rated, drivers=["Speed"]).drivers == ()
    assert list(a_study(rated, drivers=["Speed"]).not_used) == []


def test_one_person_may_answer_several_life_stages_of_one_wave_but_none_of_them_twice():
    again = by_age().iloc[[0]].assign(responded_at="2025-04-09T10:00", **{LTR: 9})
    study = a_study(pd.concat([waves(), by_age(), again], ignore_index=True))
    assert study.quarantine["reasons"].tolist() == [
        "respondent_id stands twice in one wave; the newest answered row is kept"
    ]
    assert study.quarantine["line"].tolist() == [61]
    assert study.by_age[LTR].dropna().tolist() == [1, 2, 9]
    assert study.by_age.loc[study.by_age[LTR] == 9, "first_answer"].tolist() == [0]
    assert "first_answer" not in study.responses
    assert accounted_for(study)
    wave_again = waves().iloc[[1]].assign(responded_at="2025-05-03T10:00", **{LTR: 9})
    study = a_study(pd.concat([by_age(), waves(), wave_again], ignore_index=True))
    assert_same_waves(study, a_study(pd.concat([waves(), wave_again], ignore_index=True)))
    assert study.responses["first_answer"].dropna().tolist() == [1]
    assert len(study.by_age) == 4


def test_what_one_survey_asks_says_nothing_of_the_other():
    plain = pd.DataFrame({"respondent_id": ["a", "a", "b", "c"], LTR: [9, 3, None, 8]})
    plain["responded_at"] = ["2025-03-01T10:00", "2025-04-01T10:00", None, "2025-03-05T09:00"]
    plain["design_weight"] = [1.0, 2.0, None, 1.0]
    other = by_age().drop(columns=["wave"]).assign(responded=[True, True, True, False])
    both = a_study(pd.concat([plain, other], ignore_index=True), segments=())
    alone = a_study(plain.assign(invited_at=pd.NaT, responded=pd.Series(dtype="boolean")), segments=())
    pd.testing.assert_frame_equal(both.responses[list(alone.responses)], alone.responses, check_exact=True)
    assert both.available == alone.available
    assert both.quarantine.empty
    assert len(both.responses) == 4  # 'invited_at' of the other survey makes no repeat of the second answer of "a"
    unsaid = plain.drop(columns="responded_at").iloc[1:]
    both = a_study(pd.concat([unsaid, other], ignore_index=True), segments=())
    assert both.responses["response_state"].tolist() == ["answered", "item_missing", "answered"]


def test_broken_rows_of_both_surveys_are_quarantined_with_what_they_held():
    rows = pd.concat([waves(), by_age()], ignore_index=True)
    rows[LTR] = rows[LTR].astype(object)
    rows.loc[[0, 61], LTR] = ["many", 12]
    rows.loc[61:62, "responded_at"] = "2025-01-01"
    study = a_study(rows)
    assert study.quarantine["line"].tolist() == [1, 62, 63]
    rules = study.violations.set_index("rule")
    assert rules.loc["is not from 0 to 10", ["rows", "values", "first_lines"]].tolist() == [1, "12 (1 cell)", "62"]
    assert rules.loc["is before invited_at", ["rows", "first_lines"]].tolist() == [2, "62, 63"]
    assert accounted_for(study)


def test_a_row_of_a_further_table_finds_a_response_of_either_survey():
    calls = pd.DataFrame(
        {
            "respondent_id": ["young-1", "person-1", "person-1", "person-1", "nobody"],
            "wave": "2025 Q2",
            "life_stage": ["month 3", "month 12", None, "month 36", None],
            "attempted_at": "2025-06-01",
        }
    )
    study = mixed(tables={"callbacks": calls})
    assert study.tables["callbacks"]["life_stage"].fillna("").tolist() == ["month 3", "month 12", ""]
    assert study.quarantine["reasons"].tolist() == ["respondent_id belongs to no accepted response"] * 2
    study = mixed(tables={"callbacks": calls.drop(columns="life_stage").drop_duplicates()})
    settled = study.tables["callbacks"]  # of several, the last before it
    assert settled["respondent_id"].tolist() == ["young-1", "person-1"]
    assert settled["life_stage"].fillna("").tolist() == ["month 3", ""]
    assert settled["responded_at"].astype("str").tolist() == ["2025-04-02 10:00:00", "2025-05-02 10:00:00"]
    undated = mixed(tables={"callbacks": calls[["respondent_id", "wave"]].drop_duplicates()})
    assert "its touchpoint, life_stage and responded_at would say which" in undated.quarantine["reasons"].tolist()[0]
    early = mixed(tables={"callbacks": calls.head(1).assign(attempted_at="2025-04-01")})
    assert early.quarantine["reasons"].tolist() == ["attempted_at is before the answer"]
    bought = pd.DataFrame({"customer_id": ["young-2"], "bought_at": ["2025-01-01"]})
    assert len(mixed(tables={"transactions": bought}).tables["transactions"]) == 1


def test_problems_named_in_answers_of_either_survey_become_rows():
    rows = pd.concat([waves().assign(problems="late"), by_age().assign(problems="late; dear")], ignore_index=True)
    problems = a_study(rows).tables["problems"]
    assert problems["life_stage"].notna().sum() == 8
    assert len(problems) == 68
    only = a_study(pd.concat([waves(), by_age().assign(problems="late")], ignore_index=True)).tables["problems"]
    assert len(only) == 4


def test_tables_of_responses_tell_a_life_stage():
    of_response = {name for name, table in FURTHER.items() if table.rules.of_response}
    assert of_response == {name for name, table in FURTHER.items() if "life_stage" in table.columns}
    assert all("life_stage" in FURTHER[name].rules.alone for name in of_response)


def test_accounts_are_of_whoever_was_asked_in_either_survey(tmp_path):
    accounts = pd.DataFrame({"account_id": ["A", "B"], "revenue": [5.0, 7.0]})
    rows = pd.concat([waves().assign(account_id="A"), by_age().assign(account_id="B")], ignore_index=True)
    rows.loc[rows["respondent_id"] == "person-1", "account_id"] = "A"
    study = from_files(tmp_path, responses=rows, accounts=accounts)
    revenue = study.customers.set_index("customer_id")["revenue"]
    assert len(revenue) == 62
    assert revenue[["person-1", "young-1"]].tolist() == [5.0, 7.0]
    assert not any("has no customer here" in note for note in study.notes)


def test_a_part_takes_the_rows_that_have_its_values_or_are_of_its_people():
    calls = pd.DataFrame({"respondent_id": ["young-1", "young-2", "person-1"], "life_stage": "month 3"})
    calls["wave"] = "2025 Q2"
    study = mixed(tables={"callbacks": calls})
    ids = {"UK": ["young-1", "young-2"], "IE": ["person-1", "person-1"]}
    for region, people in ids.items():
        part = study.where(Region=region)
        assert part.by_age["respondent_id"].tolist() == people
        assert part.tables["callbacks"]["respondent_id"].tolist() == list(dict.fromkeys(people))
        assert f"accepted rows, {len(people)} accepted but kept apart (life_stage)" in part.base
    assert study.where(wave="2025 Q1").by_age.empty
    assert len(study.where(wave="2025 Q2", response_state="answered").by_age) == 3
    chosen = study.where(lambda rows: rows["respondent_id"] == "person-1")
    assert chosen.by_age["respondent_id"].tolist() == ["person-1"] * 2
    assert study.where(lambda rows: rows["respondent_id"] == "person-2").by_age.empty
    nameless = a_study(pd.concat([waves(), by_age()], ignore_index=True).drop(columns="respondent_id"))
    assert nameless.where(lambda rows: rows["Region"] == "UK").by_age.empty  # row numbers are nobody
    assert len(nameless.where(Region="UK").by_age) == 2


def test_small_waves_that_are_left_out_leave_the_other_survey_as_it_is():
    rows = pd.concat([waves(), waves(3).assign(wave="1987"), by_age()], ignore_index=True)
    calls = pd.DataFrame({"respondent_id": ["young-1"], "life_stage": "month 3", "wave": "2025 Q2"})
    study = a_study(rows, tables={"callbacks": calls})
    shown = nps.counting.without_small_waves(study)
    assert dict(shown.left_out_waves) == {"1987": 2}
    assert len(shown.by_age) == 4
    assert len(shown.tables["callbacks"]) == 1


def test_private_values_of_the_other_survey_are_looked_for_in_reports():
    private = mixed().private_values()
    assert {"the crane came three weeks late", "young-2", "person-1"} <= private
    leaks = find_leaks(
        {"page": "<p>the crane came three weeks late</p>"}, private=private, public={"page": ""}, own=OwnWords([])
    )
    assert leaks == {"page": {"the crane came three weeks late"}}
    nameless = a_study(pd.concat([waves(), by_age()], ignore_index=True).drop(columns="respondent_id"))
    assert nameless.private_values() == {"nobody called", "still nobody", "the crane came three weeks late"}


def test_a_lazy_frame_cannot_keep_rows_apart():
    frame = pd.concat([waves(), by_age()], ignore_index=True)[["respondent_id", LTR, "life_stage"]]
    with pytest.raises(ContractError, match="rows that a stage of life set off \\(life_stage\\) are kept apart"):
        nps.Study.from_frames(responses=duckdb.from_df(frame))


def test_a_file_gives_the_same_study_as_a_frame(tmp_path):
    rows = pd.concat([waves(), by_age()], ignore_index=True)
    found, expected = from_files(tmp_path, responses=rows), a_study(rows)
    assert_same_waves(found, expected)
    pd.testing.assert_frame_equal(found.by_age, expected.by_age, check_exact=True)
    assert found.notes[-1] == expected.notes[-1] == SAID


def test_waves_made_of_dates_are_counted_without_the_other_survey(tmp_path):
    made = 'wave = { from = "invited_at", every = "month" }'
    rows = {"invited_at": ["2025-01-05", "2025-02-05", "2025-03-05"], "life_stage": [None, None, "month 3"], LTR: 9}
    pd.DataFrame(rows).to_csv(tmp_path / "a.csv", index=False)
    (tmp_path / "study.toml").write_text(f'name = "S"\n[responses]\nfile = "a.csv"\n{made}', encoding="utf-8")
    found = open_study(tmp_path)
    assert found.waves == ("2025-01", "2025-02")
    assert any(note.startswith("wave: 2 waves made of invited_at") for note in found.notes)
    assert found.by_age["wave"].tolist() == ["2025-03"]


def test_the_day_of_the_data_is_the_latest_date_of_either_survey():
    late = by_age().assign(responded_at="2025-05-20", invited_at="2025-05-19")
    study = a_study(pd.concat([waves(), late], ignore_index=True))
    assert str(study.settings.data_until)[:10] == "2025-05-20"
    assert set(study.responses["response_state"]) == {"answered", "nonrespondent"}  # two weeks later they are silent
    assert "pending" in set(a_study(waves()).responses["response_state"])


def test_check_says_it(tmp_path, monkeypatch):
    monkeypatch.setattr(cli.console, "width", 300)
    from_files(tmp_path, responses=pd.concat([waves(), by_age()], ignore_index=True))
    said = CliRunner().invoke(cli.app, ["check", str(tmp_path)]).output
    assert SAID in said
    assert "responses.life_stage" not in said


@pytest.fixture(scope="module")
def without_the_other_survey(tmp_path_factory):
    """The made-up company without the file of the survey by age."""
    folder = tmp_path_factory.mktemp("demo")
    stated = (DEMO / "study.toml").read_text("utf-8")
    before, after = stated.split('[[responses.files]]\nfile = "responses_first_year.csv"')
    (folder / "study.toml").write_text(before + after.split("\n", 1)[1], encoding="utf-8")
    return open_study(folder, data=DEMO)


def asked_of(study):
    """Results of the pages that would count the other survey, by name."""
    by_wave = nps.score_distribution(study, by="wave")
    signal = nps.nonresponse_signal(study)
    answers = {
        "trend": nps.trend(by_wave),
        "score": nps.net_promoter_score(nps.score_distribution(study, by="Region")),
        "funnel": nps.responding.response_funnel(study),
        "response": nps.responding.response_rates(study),
        "who": nps.responding.who_answers(study),
        "represent": nps.responding.representativeness(study),
        "panel": nps.responding.panel_attrition(study),
        "signal": signal,
        "curves": signal.curves,
        "histories": signal.histories,
        "adjusted": signal.adjusted,
    }
    return {name: answer.frame for name, answer in answers.items()}


def test_scores_response_rates_and_landmarks_are_those_without_the_other_survey(without_the_other_survey):
    both, alone = open_study(DEMO), without_the_other_survey
    assert len(both.by_age) > 800
    assert len(alone.by_age) == 0
    assert accounted_for(both)
    assert_same_waves(both, alone)
    found, expected = asked_of(both), asked_of(alone)
    for name, frame in expected.items():
        assert len(frame)
        pd.testing.assert_frame_equal(found[name], frame, check_exact=True, obj=name)
