"""`init --as TABLE`: a file that is no survey becomes a part of a study; one that looks like such is called so."""

from __future__ import annotations

import pandas as pd
import pytest
from typer.testing import CliRunner

from nps_research.cli import app
from nps_research.reading.sources import read_table
from nps_research.study.draft.further import draft_further, looks_like
from nps_research.study.further_tables import FURTHER
from nps_research.study.study import open_study
from tests.study.test_further_tables import CUSTOMERS, RESPONSES

ONES = [f"C{number}" for number in range(1, 7)]
ORDERS = pd.DataFrame(
    {
        "Order ID": [f"SO-{row}" for row in range(12)],
        "Customer ID": ONES * 2,
        "Order Date": [f"2025-03-{row + 1:02d}" for row in range(12)],
        "Product": ["seeds", "pots"] * 6,
        "Qty": [1, 2, 3] * 4,
        "Total": [9.5, 20.0, 7.25, 11.0] * 3,
    }
)
TICKETS = pd.DataFrame(
    {
        "Ticket": range(1, 13),
        "Requester ID": ONES * 2,
        "Created at": [f"2025-03-{row + 1:02d} 10:00" for row in range(12)],
        "Solved at": [f"2025-03-{row + 2:02d} 12:00" for row in range(12)],
        "Category": ["late", "rude", "late"] * 4,
        "Via": ["e-mail", "phone"] * 6,
    }
)
CALLS = pd.DataFrame(
    {
        "Contact ID": ONES * 2,
        "Wave": ["2025 Q1"] * 6 + ["2025 Q2"] * 6,
        "Call date": [f"2025-06-{row + 1:02d}" for row in range(12)],
        "Agent": ["Ann Lee", "Bob May"] * 6,
        "Disposition": ["solved", "voicemail", "open"] * 4,
        "Notes": ["asked for a refund of the late parcel", "nobody picked up the phone"] * 6,
    }
)


def read(tmp_path, frame, name="file.csv"):
    frame.to_csv(tmp_path / name, index=False)
    return read_table(tmp_path / name)


@pytest.mark.parametrize(
    ("frame", "table", "columns"),
    [
        (
            ORDERS,
            "transactions",
            {
                "customer_id": "Customer ID",
                "bought_at": "Order Date",
                "amount": "Total",
                "basket_id": "Order ID",
                "product": "Product",
                "quantity": "Qty",
            },
        ),
        (
            TICKETS,
            "complaints",
            {
                "customer_id": "Requester ID",
                "complained_at": "Created at",
                "resolved_at": "Solved at",
                "channel": "Via",
                "problem": "Category",
            },
        ),
        (
            CALLS,
            "callbacks",
            {
                "respondent_id": "Contact ID",
                "wave": "Wave",
                "attempted_at": "Call date",
                "caller": "Agent",
                "outcome": "Disposition",
                "note": "Notes",
            },
        ),
    ],
)
def test_columns_are_guessed_and_the_kind_of_file_is_called(tmp_path, frame, table, columns):
    read_in = read(tmp_path, frame)
    draft = draft_further(read_in, table)
    assert dict(draft.columns) == columns
    assert draft.lacks == ()
    assert looks_like(read_in) == table


@pytest.mark.parametrize("table", list(FURTHER))
def test_standard_names_are_found_by_themselves(tmp_path, table):
    frame = pd.DataFrame({name: [""] for name in FURTHER[table].columns})
    draft = draft_further(read(tmp_path, frame), table)
    assert set(draft.columns) >= set(FURTHER[table].columns) - {"assigned", "touchpoint"}


def test_a_survey_looks_like_no_other_file(tmp_path):
    assert looks_like(read(tmp_path, RESPONSES)) == ""


def run(*arguments):
    return CliRunner().invoke(app, [str(each) for each in arguments])


def test_a_table_is_added_to_a_study_and_read(tmp_path):
    RESPONSES.to_csv(tmp_path / "answers.csv", index=False)
    CUSTOMERS.to_csv(tmp_path / "customers.csv", index=False)
    for name, frame in (("orders.csv", ORDERS), ("calls.csv", CALLS)):
        frame.to_csv(tmp_path / name, index=False)
    study = tmp_path / "study.toml"
    study.write_text(
        'name = "Made up"\n[responses]\nfile = "answers.csv"\n[customers]\nfile = "customers.csv"\n', "utf-8"
    )
    refused = run("init", tmp_path / "orders.csv", "--out", tmp_path / "new")
    assert refused.exit_code == 1
    assert "looks like an order list" in refused.stderr
    assert not (tmp_path / "new").exists()
    for name, table in (("orders.csv", "transactions"), ("calls.csv", "callbacks")):
        added = run("init", tmp_path / name, "--as", table, "--out", tmp_path)
        assert added.exit_code == 0, added.stderr
        assert f"Added [{table}]" in added.stdout
    before = study.read_text("utf-8")
    again = run("init", tmp_path / "calls.csv", "--as", "callbacks", "--out", tmp_path)
    assert "has [callbacks] already" in again.stderr
    assert study.read_text("utf-8") == before
    assert "Ann Lee" not in before
    opened = open_study(tmp_path)
    assert {name: len(frame) for name, frame in opened.tables.items()} == {"callbacks": 12, "transactions": 12}
    checked = run("check", tmp_path)
    assert "2 further tables came in." in checked.stdout
    assert "Did calling back help?" in checked.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--as", "calbacks"], "there is no table calbacks: did you mean callbacks?"),
        (["--as", "callbacks"], "name its folder with --out"),
    ],
)
def test_what_cannot_be_added_is_refused(tmp_path, arguments, said):
    CALLS.to_csv(tmp_path / "calls.csv", index=False)
    refused = run("init", tmp_path / "calls.csv", "--out", tmp_path / "nowhere", *arguments)
    assert refused.exit_code == 1
    assert said in refused.stderr.replace("\n", " ")


def test_what_was_not_found_is_asked(tmp_path):
    draft = draft_further(read(tmp_path, TICKETS.drop(columns=["Requester ID"])), "complaints")
    assert draft.lacks == ("customer_id",)
    assert '# customer_id = "?"' in draft.toml
