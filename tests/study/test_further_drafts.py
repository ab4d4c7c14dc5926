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


@pytest.mark.parametrize(
    ("table", "header", "rows", "columns"),
    [
        (
            "transactions",
            "Order No,Customer No,Order date,Item,Qty,Unit price,Line total",
            ["S1,C1,2025-08-03,Lamp,3,10,30", "S2,C2,2025-08-04,Desk,2,50,100"],
            {"amount": "Line total", "product": "Item", "basket_id": "Order No"},
        ),
        (
            "transactions",
            "Verkaufsbeleg;Belegdatum;Kundennummer;Auftragsmenge;Rabatt;Nettowert",
            ["4711;2025-08-03;C1;2;1;80", "4712;2025-08-04;C2;1;0;90"],
            {"basket_id": "Verkaufsbeleg", "bought_at": "Belegdatum", "amount": "Nettowert"},
        ),
        (
            "contacts",
            "Customer,Next meeting date,Visit date,Type,Owner",
            ["C1,2026-08-09,2025-08-03,Visit,Ann", "C2,2026-08-10,2025-08-04,Call,Bob"],
            {"contacted_at": "Visit date", "employee": "Owner"},
        ),
        (
            "offers",
            "Customer ID,Age group,Test group,Product,Sent,Accepted",
            ["C1,18-30,treatment,Lamp,2025-08-03,", "C2,31-50,control,Desk,2025-08-03,"],
            {"arm": "Test group"},
        ),
        (
            "callbacks",
            "Respondent ID,Assignment,Assigned,Created,First attempt,Ended at,User",
            ["C1,random,yes,2025-08-03,2025-08-04,2025-08-04,Ann", "C2,random,no,2025-08-03,,,Bob"],
            {"assigned": "Assigned", "assigned_at": "Created", "attempted_at": "First attempt", "caller": "User"},
        ),
        (
            "units",
            "Region,Branch,Month,New sales,Sales",
            ["North,Berlin,2025 Q1,5,90", "North,Hamburg,2025 Q1,6,80"],
            {"unit": "Branch", "period": "Month", "revenue": "Sales"},
        ),
        (
            "memberships",
            "Mitgliedsnummer;Kunde;Kartenart;Eintrittsdatum;Austrittsdatum",
            ["99000000;C1;Gold;2024-05-28;", "99000001;C2;Silber;2024-07-10;2025-01-01"],
            {
                "customer_id": "Kunde",
                "programme": "Kartenart",
                "joined_at": "Eintrittsdatum",
                "left_at": "Austrittsdatum",
            },
        ),
    ],
)
def test_of_several_columns_called_so_the_best_is_taken(tmp_path, table, header, rows, columns):
    (tmp_path / "file.csv").write_text("\n".join([header, *rows]), encoding="utf-8")
    draft = draft_further(read_table(tmp_path / "file.csv"), table, {"customer_id": set(ONES)})
    assert {name: draft.columns.get(name) for name in columns} == columns


def test_words_that_are_none_of_a_column_s_are_not_taken_for_it(tmp_path):
    types = ORDERS.assign(Type=["New Business", "Existing Business"] * 6)
    assert "kind" not in draft_further(read(tmp_path, types), "transactions").columns
    assert draft_further(read(tmp_path, types.assign(Type="Sale")), "transactions").columns["kind"] == "Type"


def test_the_study_s_own_ids_say_which_column_is_the_customer(tmp_path):
    RESPONSES.to_csv(tmp_path / "survey.csv", index=False)
    (tmp_path / "study.toml").write_text('name = "S"\n[responses]\nfile = "survey.csv"\n', encoding="utf-8")
    tickets = TICKETS.rename(columns={"Requester ID": "Requester external id"})
    tickets.insert(1, "Requester", [f"Person {row}" for row in range(12)])
    tickets.to_csv(tmp_path / "tickets.csv", index=False)
    told = run("init", tmp_path / "tickets.csv", "--as", "Complaints", "--out", tmp_path)
    assert told.exit_code == 0
    opened = open_study(tmp_path)
    assert len(opened.tables["complaints"]) == 12
    assert "Requester external id" in told.output


def test_a_draft_of_a_population_says_its_segments(tmp_path):
    RESPONSES.assign(Region="North").to_csv(tmp_path / "survey.csv", index=False)
    text = 'name = "S"\n[responses]\nfile = "survey.csv"\n[responses.segments]\ncolumns = { "Region" = "Region" }\n'
    (tmp_path / "study.toml").write_text(text, encoding="utf-8")
    base = pd.DataFrame({"Region": ["North", "South"], "Number of customers": [1000, 2000]})
    base.to_csv(tmp_path / "base.csv", index=False)
    assert run("init", tmp_path / "base.csv", "--as", "population", "--out", tmp_path).exit_code == 0
    assert open_study(tmp_path).tables["population"]["Region"].tolist() == ["North", "South"]


@pytest.mark.parametrize("table", ["customers", "accounts"])
def test_customers_and_accounts_are_joined_when_a_survey_is_drafted(tmp_path, table):
    (tmp_path / "study.toml").write_text('name = "S"\n[responses]\nfile = "survey.csv"\n', encoding="utf-8")
    ORDERS.to_csv(tmp_path / "orders.csv", index=False)
    told = run("init", tmp_path / "orders.csv", "--as", table, "--out", tmp_path)
    assert told.exit_code == 1
    assert "--customers" in told.output


def test_who_served_is_nobody_s_group(tmp_path):
    from nps_research.study.draft.draft import draft_study

    survey = pd.DataFrame(
        {
            "Customer ID": [f"C{row}" for row in range(60)],
            "Date": "2025-01-05",
            "NPS": [row % 11 for row in range(60)],
            "Agent": ["Ann Lee", "Bob May", "Cleo Roy"] * 20,
            "Account Owner": ["Dan Fox", "Eve Ash"] * 30,
            "Store manager": ["Fay Ito", "Gus Orr"] * 30,
            "Region": ["North", "South"] * 30,
        }
    )
    survey.to_csv(tmp_path / "survey.csv", index=False)
    toml = draft_study(tmp_path / "survey.csv").toml
    (tmp_path / "study.toml").write_text(toml, encoding="utf-8")
    opened = open_study(tmp_path)
    assert opened.segments == ("Region",)
    assert "Ann Lee" in opened.private_values()


def test_customers_who_were_never_asked_are_known_by_their_ids_too(tmp_path):
    RESPONSES.head(2).to_csv(tmp_path / "survey.csv", index=False)
    CUSTOMERS.to_csv(tmp_path / "customers.csv", index=False)
    text = 'name = "S"\n[responses]\nfile = "survey.csv"\n[customers]\nfile = "customers.csv"\n'
    (tmp_path / "study.toml").write_text(text, encoding="utf-8")
    orders = ORDERS.rename(columns={"Customer ID": "External reference"})
    orders.insert(0, "Customer", [f"Person {row}" for row in range(12)])
    orders[orders["External reference"] > "C2"].to_csv(tmp_path / "orders.csv", index=False)
    assert run("init", tmp_path / "orders.csv", "--as", "transactions", "--out", tmp_path).exit_code == 0
    assert len(open_study(tmp_path).tables["transactions"]) == 8
