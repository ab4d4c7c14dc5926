"""The committed made-up company: its files are what the generator writes, and whole; so is its table of truths."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from nps_research.made_up.demo_files import TABLE_BEGINS, TABLE_ENDS, table_of_truths, write_demo
from nps_research.made_up.truth import Truth
from nps_research.study.study import open_study

DEMO = Path(__file__).parents[2] / "data" / "demo"
WAVES = 8
TABLES = 11


@pytest.fixture(scope="module")
def demo_files() -> dict[str, pd.DataFrame]:
    return {path.name: pd.read_csv(path, dtype=str, keep_default_na=False) for path in sorted(DEMO.glob("*.csv"))}


@pytest.fixture(scope="module")
def of_waves(demo_files) -> dict[str, pd.DataFrame]:
    return {name: rows for name, rows in demo_files.items() if name.startswith("responses_20")}


@pytest.fixture(scope="module")
def demo_truth():
    return json.loads((DEMO / "truth.json").read_text(encoding="utf-8"))


def test_generator_writes_the_committed_bytes(tmp_path):
    write_demo(tmp_path)
    written = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    committed = {path.name: path.read_bytes() for path in DEMO.iterdir() if path.name in written}
    assert len(written) == WAVES + TABLES + 3  # the survey by age, customers, truth
    assert written == committed


def test_another_seed_writes_other_answers(tmp_path):
    write_demo(tmp_path, replace(Truth(), n_accounts=50), seed=1)
    write_demo(tmp_path / "other", replace(Truth(), n_accounts=50), seed=2)
    assert (tmp_path / "customers.csv").read_bytes() != (tmp_path / "other" / "customers.csv").read_bytes()


def test_files_are_small_utf8_and_end_lines_in_one_way():
    assert sum(path.stat().st_size for path in DEMO.iterdir()) < 6_000_000
    for path in [*DEMO.glob("*.csv"), DEMO / "truth.json"]:
        content = path.read_bytes()
        assert b"\r" not in content
        assert content.decode("utf-8").endswith("\n")


def test_every_row_of_every_table_is_accepted_but_the_bad_ones(demo_truth):
    study = open_study(DEMO)
    bad = sum(each["rows"] for each in demo_truth["bad_rows"])
    quarantined = study.files.groupby("table")["quarantined"].sum()
    assert quarantined["responses"] == bad == 12
    assert (quarantined.drop("responses") == 0).all()
    assert len(study.tables) == TABLES + 1  # the problems are named in the responses
    assert len(study.by_age) == len(pd.read_csv(DEMO / "responses_first_year.csv"))


def test_the_table_of_truths_is_the_committed_one():
    written = (DEMO / "README.md").read_text(encoding="utf-8").split(TABLE_BEGINS)[1].split(TABLE_ENDS)[0]
    assert written.strip() == table_of_truths()


def test_truth_says_what_was_planted_and_what_it_came_to(demo_truth):
    counted = demo_truth["counted"]
    assert len({each["truth"] for each in counted}) == len(counted) > 80
    known = [each for each in counted if each["planted"] is not None]
    assert [each for each in known if abs(each["counted"] - each["planted"]) > 3.5 * each["error"] + 1e-9] == []
    assert all(truth["says"].endswith(".") for truth in demo_truth["planted"].values())


def test_bad_rows_are_as_many_as_written_down(of_waves, demo_truth):
    assert sum(bad["rows"] for bad in demo_truth["bad_rows"]) == 12
    counted = []
    for name, rows in of_waves.items():
        score, answered = rows["likelihood_to_recommend"], rows["responded_at"] != ""
        invited_at = pd.to_datetime(rows["invited_at"], errors="coerce", format="%Y-%m-%dT%H:%M")
        responded_at = pd.to_datetime(rows["responded_at"], errors="coerce", format="%Y-%m-%dT%H:%M")
        found = {
            "score 11": score == "11",
            "score -1": score == "-1",
            "score 7.5": score == "7.5",
            "answer without delivery": (rows["delivered"] == "0") & answered,
            "unreadable date of invitation": invited_at.isna(),
            "unreadable date of the answer": responded_at.isna() & answered,
            "answer before the invitation": responded_at < invited_at,
            "same person twice in the wave": rows["respondent_id"].duplicated(),
        }
        counted += [{"file": name, "what": what, "rows": int(is_bad.sum())} for what, is_bad in found.items()]
        readable = score[~found["score 11"] & ~found["score -1"] & ~found["score 7.5"]]
        odd = readable[~readable.isin(["", *map(str, range(11))])].value_counts()
        planted = {
            oddity["written"]: oddity["rows"] for oddity in demo_truth["readable_oddities"] if oddity["file"] == name
        }
        assert odd.to_dict() == planted
    by_rule = sorted((bad for bad in counted if bad["rows"]), key=str)
    assert by_rule == sorted(demo_truth["bad_rows"], key=str)


def test_account_fields_agree_across_its_contacts(demo_files):
    customers = demo_files["customers.csv"]
    assert customers["customer_id"].is_unique
    assert customers["account_id"].nunique() == 1200
    fields = ["started_at", "churned_at", "observed_until", "revenue", "region", "industry"]
    assert (customers.groupby("account_id")[fields].nunique() == 1).all(axis=None)
    role = customers["role"] == "decision maker"
    assert (role.groupby(customers["account_id"]).sum() == 1).all()


def test_responses_join_to_customers(demo_files):
    account = demo_files["customers.csv"].set_index("customer_id")["account_id"]
    responses = pd.concat([rows for name, rows in demo_files.items() if name.startswith("responses")])
    assert (account.loc[responses["respondent_id"]].to_numpy() == responses["account_id"].to_numpy()).all()


@pytest.mark.parametrize(
    ("language", "letters"), [("en", "[A-Za-z]"), ("uk", "[іїєІЇЄ]"), ("ro", "[ăâîșțĂÎȘȚ]"), ("ru", "[ыэёЫЭЁ]")]
)
def test_names_and_comments_are_in_the_contact_s_language(demo_files, of_waves, language, letters):
    responses = pd.concat(of_waves.values())
    comments = responses.loc[(responses["language"] == language) & (responses["comment"] != ""), "comment"]
    customers = demo_files["customers.csv"]
    names = customers.loc[customers["language"] == language, "name"]
    assert len(comments) > 50
    assert comments.str.contains(letters).any()
    assert names.str.contains(letters).any()
    is_cyrillic = language in {"uk", "ru"}
    assert (comments.str.contains("[А-Яа-яІіЇїЄє]") == is_cyrillic).mean() > 0.97  # some mix languages
    assert (names.str.contains("[А-Яа-я]") == is_cyrillic).all()


def test_some_mailboxes_are_shared_and_all_are_made_up(demo_files):
    customers = demo_files["customers.csv"]
    shared = customers[customers["email"].duplicated(keep=False)]
    assert 5 <= shared["email"].nunique() <= 30
    assert shared["email"].str.startswith("office@").all()
    assert customers["email"].str.fullmatch(r"[a-z0-9.]+@a\d+\.example\.(com|org)").all()


def test_the_demo_looks_like_a_survey(demo_truth):
    realised = demo_truth["realised"]
    assert realised["accounts"] == 1200
    assert 3400 < realised["contacts"] < 3800
    assert 0.35 < realised["response_rate"] < 0.5
    churn = realised["churn_within_180_days"]
    assert churn["silent"] > churn["score 0-3"] > 2 * churn["score 4-10"]
    by_wave = realised["net_promoter_score_by_wave"]
    assert by_wave["2025 Q2"] < by_wave["2025 Q1"] - 5
    would_be = realised["would_be_net_promoter_score"]
    assert would_be["silent"] < would_be["answered within the window"] - 10
