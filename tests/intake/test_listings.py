import json
from pathlib import Path

import pandas as pd
import pytest

from nps_research import intake as overview
from nps_research.results.display import result_html
from nps_research.study.study import Study, open_study

LTR = "likelihood_to_recommend"
DEMO = Path(__file__).parents[2] / "data" / "demo"


@pytest.fixture(scope="module")
def demo():
    return open_study(DEMO)


@pytest.fixture(scope="module")
def truth():
    return json.loads((DEMO / "truth.json").read_text("utf-8"))


def of_frame(columns=None, **options):
    return Study.from_frames(responses=pd.DataFrame({LTR: [9]} if columns is None else columns), **options)


# Rows in, rules broken


def test_the_demo_loses_the_rows_that_were_spoiled_and_no_other(demo, truth):
    spoiled = {}
    for bad in truth["bad_rows"]:
        spoiled[bad["file"]] = spoiled.get(bad["file"], 0) + bad["rows"]
    quarantined = demo.files.set_index("file")["quarantined"]
    assert quarantined[quarantined > 0].to_dict() == spoiled
    of_core = demo.files["table"].where(demo.files["table"].isin(["responses", "customers"]), "further tables")
    of_table = demo.files.groupby(of_core)[["rows", "accepted"]].sum()  # each by itself: rows of two are no base
    for n in of_table.to_numpy().ravel():
        assert f"{n:,}" in overview.intake(demo).finding
    assert overview.intake(demo).finding.startswith(demo.base.partition(" rows in")[0])


def test_the_counts_of_the_demo_are_those_of_its_files(demo):
    for row in demo.files[demo.files["table"] != "problems"].to_dict("records"):
        path = DEMO / row["file"]
        read = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path, dtype=str)
        assert row["rows"] == len(read)
        assert row["rows"] == row["accepted"] + row["quarantined"]


def test_unusual_but_readable_cells_of_the_demo_are_counted(demo, truth):
    unusual = sum(entry["rows"] for entry in truth["readable_oddities"])
    counts = [int(note.rsplit(": ", 1)[1].split(" ")[0]) for note in demo.notes if note.startswith(f"{LTR}: ")]
    assert sum(counts) == unusual == 10
    assert overview.reading_notes(demo).frame["note"].tolist() == list(demo.notes)


def test_broken_rules_are_listed_and_none_is_said_so(demo):
    assert len(overview.broken_rules(demo).frame) == len(demo.violations) > 5
    assert str(len(demo.violations)) in overview.broken_rules(demo).finding
    clean = overview.broken_rules(of_frame())
    assert clean.frame.empty
    assert "No row" in clean.finding


# Shared identities


def people(listing, part):
    rows = listing.frame[listing.frame["term"].str.contains(part)]
    assert len(rows) == 1
    return rows[["identities", "people"]].values.tolist()[0]


def identities():
    responses = pd.DataFrame(
        {
            "respondent_id": ["a", "a", "a", "b", "c", "d"],
            "account_id": ["A", "A", "B", "A", "A", "A"],
            "wave": ["1", "1", "2", "1", "1", "1"],
            "responded_at": [
                "2025-01-01T10:00:05",
                "2025-01-01T10:00:05",
                "2025-04-01",
                "2025-01-01T10:00:59",
                "2025-01-01T10:01:00",
                "2025-01-01T10:01:20",
            ],
            LTR: [9] * 6,
        }
    )
    customers = pd.DataFrame(
        {
            "customer_id": list("abcdef"),
            "account_id": ["A", "A", "A", "A", "B", "B"],
            "name": ["Ann", "Ann", "Bob", "Cid", "Ann", None],
            "email": ["x@example.com", "X@example.com", "x@EXAMPLE.com", "c@example.com", None, None],
        }
    )
    return Study.from_frames(responses=responses, customers=customers)


def test_identities_are_counted_by_hand():
    listing = overview.identity_checks(identities())
    assert people(listing, "several rows in one wave") == [1, 2]
    assert people(listing, "One respondent, several accounts") == [1, 2]
    # 10:00 holds a and b, 10:01 holds c and d; the date alone of the second wave is no minute.
    assert people(listing, "same minute") == [2, 4]
    assert people(listing, "One e-mail address") == [1, 3]
    assert people(listing, "One name within an account") == [1, 2]


def test_only_checks_with_columns_are_made():
    assert len(overview.identity_checks(of_frame({"respondent_id": ["a"], LTR: [9]})).frame) == 1
    nothing = overview.identity_checks(of_frame())
    assert nothing.frame.empty
    assert "Without an id" in nothing.finding


def test_the_mailboxes_that_the_demo_shares_are_found(demo):
    customers = pd.read_csv(DEMO / "customers.csv", dtype=str)
    shared = customers["email"].str.lower().value_counts()
    shared = shared[shared > 1]
    assert people(overview.identity_checks(demo), "One e-mail address") == [len(shared), int(shared.sum())]


# All of them


@pytest.mark.parametrize(
    "listing",
    [overview.intake, overview.broken_rules, overview.reading_notes, overview.identity_checks, overview.questions],
)
def test_a_listing_has_a_sentence_a_title_and_a_table(demo, listing):
    result = listing(demo)
    assert result.finding.endswith(".")
    assert result.to_json()["columns"] == list(result.frame.columns)
    assert len(result.to_json()["rows"]) == len(result.frame)
    assert result_html(result).count("<tr>") == len(result.frame) + 1
