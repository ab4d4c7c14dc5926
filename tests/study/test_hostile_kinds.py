"""Other members of the kinds of hostile input in `test_hostile_inputs`: refused, or harmless."""

from __future__ import annotations

import datetime as dt
import os
import sqlite3
import subprocess
import sys

import duckdb
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet
from typer.testing import CliRunner

import nps_research as nps
from nps_research import cli
from nps_research.errors import ContractError, visible
from nps_research.reading import database
from nps_research.reading.read_only import check_one_select
from nps_research.reading.sources import read_table
from nps_research.report.sanitise import inert_text
from nps_research.study.contact_details import holds_contact
from nps_research.study.draft.spelling import quoted_toml
from tests.support.hostile import command, refused

SAYS_WHO = "is private: it tells who somebody is"


# What tells who somebody is


@pytest.mark.parametrize("name", ["Phone", "phone number 2", "E-mail address", "First name", "Ｎame", "Телефон"])
def test_a_column_called_as_a_private_one_in_other_words(study, name):
    header = ("respondent_id", "likelihood_to_recommend", name)
    refused(study(f'segments.columns = {{ Firm = "{name}" }}\n', header=header), SAYS_WHO)
    lazy = duckdb.from_df(pd.DataFrame({"likelihood_to_recommend": [9], name: ["x"]}))  # noqa: F841
    counted = nps.Study.from_frames(responses=duckdb.sql("FROM lazy"))
    with pytest.raises(ContractError, match="tells who answered"):
        nps.counting.score_distribution(counted, by=[name])


def test_a_rating_may_be_of_the_phone(study):
    header = ("respondent_id", "likelihood_to_recommend", "Phone")
    assert nps.open_study(study('drivers.columns = { Phone = "Phone" }\n', header=header, Phone=3)).drivers == (
        "Phone",
    )


def test_a_private_column_of_another_table_and_of_a_wave(study):
    customers = '[customers]\nfile = "a.csv"\ncolumns = { customer_id = "respondent_id", account_id = "Company" }\n'
    refused(study('segments.columns = { Firm = "Company" }\n' + customers), f"segments.Firm: Company {SAYS_WHO}")
    outcome = '[outcomes.left]\ntable = "responses"\ncolumn = "Company"\nevent = ["ACME"]\nno_event = ["x"]\n'
    mapped = 'columns = { account_id = "Company" }\n'
    refused(study(f'{mapped}{outcome}direction = "bad"\n'), f"outcomes.left.column: Company {SAYS_WHO}")
    wide = 'wide.waves = ["1", "2"]\nwide.columns = { channel = "interviewer_{wave}" }\n'
    refused(study(wide), f"responses.columns.channel: interviewer_1 {SAYS_WHO}")


def test_codes_that_may_be_somebodys_are_not_repeated(study):
    call = "+380 67 123 45 67"
    notes = nps.open_study(study(f'exclude = {{ region = ["{call}"] }}\n', region="North")).notes
    assert "responses: 0 rows left out: region is a stated value." in notes
    notes = nps.open_study(study('missing_codes = { account_id = ["ACME"] }\n')).notes
    assert "a.csv: 60 cells of account_id held a stated code for no answer." in notes


def test_a_label_that_is_an_address_names_no_group(study):
    labels = 'segments.columns = { Area = "region" }\nsegments.labels = { Area = { ACME = "ann@example.com" } }\n'
    opened = nps.open_study(study(labels))
    assert opened.violations["rule"].tolist() == ["holds an e-mail address or a telephone number, which names no group"]


CALLS = (
    *("0171–1234567", "555‑123‑4567", "＋３８０６７１２３４５６７", "+380·67·123·45·67", "+380 67 123 45 67"),
    *("00380671234567", "380 67 123 45 67", "44 20 7946 0958", "8(495)1234567", "612 34 56 78", "ann＠example.com"),
)
CALLS_NOT = (
    *("100 000–499 999", "1 000 000 - 4 999 999", "10 20 1990 2000", "18–24 25–34 35–44", "2018–2024", "100 250 500"),
    *("1 2018 2019 2020", "2019/2020 2020/2021", "0–6 7–8 9–10", "01.01.2024–31.03.2024", "192.168.1.100", "1,000,000"),
)


def test_other_ways_to_write_a_telephone_number():
    found = holds_contact(pd.Series([*CALLS, *CALLS_NOT]))
    assert found.tolist() == [True] * len(CALLS) + [False] * len(CALLS_NOT)


# Databases


@pytest.mark.parametrize(
    "query",
    [
        "SELECT 5 --1 INTO OUTFILE 'x'", "SELECT \"a\\\"b\" INTO OUTFILE 'x' -- \"",
        "SELECT 1 $$ INTO OUTFILE 'x' -- $$",
        "SELECT 1 # '\n INTO OUTFILE 'x' -- '", "SELECT 1 /* /* */ ' */ ; DELETE FROM t --'",
        "SELECT E'\\'', '\\' ; DELETE FROM t; --'", "SELECT 1 -- x\r; DELETE FROM t",
        "SELECT q'!'!' FROM t; DELETE FROM t --'", "SELECT 1 AS [a'] INTO copied FROM t --'",
        "SELECT 1 --\N{NO-BREAK SPACE}b INTO OUTFILE 'x'", "SELECT 1 // '\n INTO x -- '",
        "SELECT 1 ` ; DELETE FROM t --`",
        "SELECT 1 BACKUP DATABASE x TO DISK = 'y'", "SELECT 1 SHUTDOWN", "SELECT 1 ROLLBACK",
    ],
)  # fmt: skip
def test_a_query_that_one_database_reads_otherwise_than_another(query):
    with pytest.raises(ContractError, match=r"^db: query takes one SELECT that only reads"):
        check_one_select(query, "db")


@pytest.mark.parametrize(
    "query", ["SELECT regexp_replace(said, '\\s+', ' ') FROM t", "SELECT `nps` FROM t # all", "SELECT [nps] FROM t\r\n"]
)
def test_a_select_with_such_signs_is_read(query):
    check_one_select(query, "db")


def test_long_cells_are_counted_before_many_rows_are_there(tmp_path, monkeypatch):
    with sqlite3.connect(tmp_path / "a.db") as connection:
        connection.execute("CREATE TABLE t (x)")
    connection.close()
    monkeypatch.setattr("nps_research.reading.read_only.MOST_BYTES", 10_200_000)
    monkeypatch.setattr(database, "_BYTES_FETCHED", 100_000)
    held, as_arrow = [], database.arrow_of_cells
    monkeypatch.setattr(database, "arrow_of_cells", lambda cells: (held.append(len(cells)), as_arrow(cells))[1])
    rows = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c LIMIT 4000) SELECT zeroblob(5000) FROM c"
    with pytest.raises(ContractError, match="gives more than 0 GB"):
        read_table(tmp_path / "a.db", query=rows)
    assert (held[0], held[1] < 25) == (2000, True)


@pytest.mark.parametrize(
    "url", ["postgresql://u:p/w hunter2@h/db", "jdbc:sqlserver://h;password=hunter2", "x://hunter2@h"]
)
def test_a_password_in_whatever_an_error_repeats(study, url):
    assert "hunter2" not in refused(study(f'"{url}" = 1\n'), "study.toml")


# Moments beyond the calendar, numbers beyond arithmetic


def test_moments_beyond_the_calendar_are_quarantined(study):
    folder = study('columns = { responded_at = "day" }\n')
    toml = (folder / "study.toml").read_text(encoding="utf-8").replace("a.csv", "a.duckdb")
    (folder / "study.toml").write_text(toml, encoding="utf-8")
    kinds = ("date", "timestamp", "timestamptz", "timestamp_s", "timestamp_ms")
    for kind, far in [*((kind, "infinity") for kind in kinds), ("date", "10000-01-01"), ("timestamptz", "10000-01-01")]:
        (folder / "a.duckdb").unlink(missing_ok=True)
        with duckdb.connect(str(folder / "a.duckdb")) as connection:
            day = f"if(range = 0, '{far}', '2024-03-01')::{kind}"
            connection.execute(
                f"CREATE TABLE t AS SELECT range respondent_id, 9 likelihood_to_recommend, {day} AS day FROM range(60)"  # noqa: S608
            )
        opened = nps.open_study(folder)
        assert (len(opened.responses), opened.quarantine["line"].tolist()) == (59, [1])


def test_moments_beyond_the_calendar_in_lists_and_parquet(tmp_path):
    day = pa.array([2**31 - 1, 19_000], pa.date32())
    columns = {
        "day": day,
        "days": pa.array([[2**31 - 1], None], pa.list_(pa.date32())),
        "at": pa.array([2**62, 0], pa.timestamp("us", "UTC")),
    }
    parquet.write_table(pa.table(columns), tmp_path / "a.parquet")
    frame = read_table(tmp_path / "a.parquet").frame
    assert frame["day"].tolist() == ["a date beyond the calendar", "2022-01-08"]
    assert frame["days"].iloc[0] == "a date beyond the calendar"
    assert frame["days"].isna().tolist() == [False, True]
    assert frame["at"].iloc[0] == "a date beyond the calendar"
    assert dt.date.fromisoformat(frame["at"].iloc[1][:10]) == dt.date(1970, 1, 1)


@pytest.mark.parametrize("number", ["1e308", "1e-320", "1e200"])
def test_numbers_that_cannot_be_counted_with(study, number):
    header = ("respondent_id", "likelihood_to_recommend", "design_weight", "paid")
    amount = '[outcomes.o]\ntable = "responses"\ncolumn = "paid"\nkind = "amount"\ndirection = "good"\n'
    opened = nps.open_study(study(amount, header=header, design_weight=number, paid=number))
    rules = dict(zip(opened.violations["column"], opened.violations["rule"], strict=True))
    assert rules["design_weight"] == rules["outcome_o"] == "is larger than 1e15, or nearer to 0 than 1e-15"


@pytest.mark.parametrize("number", ["nan", "inf", "-inf"])
def test_a_constant_that_is_no_number(study, number):
    for name in ("wave", "design_weight", "delivered"):
        refused(study(f"{name} = {number}\n"), f"responses.{name}: {number} arrived, where")


def test_a_date_format_that_says_a_thing_twice(study):
    toml = 'date_format = "%Y%Y"\ncolumns = { responded_at = "region" }\n'
    refused(study(toml, region="2024-01-05"), "date_format = '%Y%Y' is no format of dates")


# Text that does something, and surroundings that are short of something


UNSEEN = "\u200b\u200e\u200f\u061c\u2060\ufeff\u00ad\U000e0041"


def test_characters_without_width_are_shown_as_such():
    assert visible(UNSEEN) == r"\u200b\u200e\u200f\u061c\u2060\ufeff\xad\U000e0041"
    assert visible("👩‍💻 می‌خواهم") == "👩‍💻 می‌خواهم"  # what joins is meant
    assert inert_text(f'"{UNSEEN[-1]}"', is_json=True) == r'"\udb40\udc41"'


def test_a_drafted_study_holds_no_control_character(study, tmp_path):
    hidden = "\x9b2J\u202e\U000e0041\x7f"
    (tmp_path / f"a{hidden}b.csv").write_text(
        f"id,nps,A{hidden}B\n" + "".join(f"r{row},{row % 11},{'NS'[row % 2]}{hidden}S\n" for row in range(60))
    )
    drafted = CliRunner().invoke(cli.app, ["init", str(tmp_path / f"a{hidden}b.csv"), "--out", str(tmp_path / "new")])
    assert drafted.exit_code == 0
    toml = (tmp_path / "new" / "study.toml").read_text(encoding="utf-8")
    assert not set(hidden[0] + hidden[3:]) & set(toml)
    assert nps.open_study(tmp_path / "new", data=tmp_path).segments
    assert quoted_toml("\x7f\U000e0041") == r'"\u007f\U000e0041"'


def test_a_file_name_that_is_no_text_is_refused_and_nothing_is_made(tmp_path):
    path = os.fsencode(tmp_path) + b"/\xff.csv"
    with open(path, "w", encoding="utf-8") as file:  # noqa: PTH123
        file.write("id,nps\n" + "".join(f"r{row},{row % 11}\n" for row in range(60)))
    ended = command("init", os.fsdecode(path), "--out", tmp_path / "new")
    assert (ended.returncode, ended.stderr.count(b"\n")) == (1, 1)
    assert ended.stderr.startswith(rb'Error: "\udcff.csv" is no text that study.toml can hold')
    assert not (tmp_path / "new").exists()


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no device that is always full")  # noqa: PTH110
@pytest.mark.parametrize("words", [["studies", "."], ["--help"], ["demo", "new"]])
def test_whatever_cannot_be_written_is_an_error_in_a_line(tmp_path, words):
    with open("/dev/full", "w") as full:  # noqa: PTH123
        ended = subprocess.run(
            [sys.executable, "-m", "nps_research.cli", *words],
            env=os.environ | {"PYTHONPATH": os.path.dirname(os.path.dirname(nps.__file__))},  # noqa: PTH120
            cwd=tmp_path, stdout=full, stderr=subprocess.PIPE, timeout=120, check=False,
        )  # fmt: skip
    assert (ended.returncode, ended.stderr) == (1, b"Error: No space left on device\n")


@pytest.mark.parametrize("cells", [[1 + 2j] * 3, [b"8"] * 3, [{8}] * 3, [[8]] * 3, [pd.Timedelta(days=8)] * 3])
def test_cells_of_frames_that_are_no_numbers_are_unreadable(cells):
    frame = pd.DataFrame({"likelihood_to_recommend": [9, 8, 7], "delivery": cells})
    opened = nps.Study.from_frames(responses=frame, drivers=["delivery"])
    [told] = opened.violations[["rule", "rows"]].to_dict("records")
    assert told == {"rule": "is not a rating from 1 to 5, nor a stated code", "rows": 3}
