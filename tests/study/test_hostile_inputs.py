"""Hostile studies, inputs and surroundings of the kinds in tests/cases/hostile: refused, or harmless."""

from __future__ import annotations

import codecs
import io
import json
import os
import sqlite3
import subprocess
import sys
import zipfile
from pathlib import Path
from types import SimpleNamespace

import duckdb
import openpyxl
import pandas as pd
import pytest
from typer.testing import CliRunner

import nps_research as nps
from nps_research import cli
from nps_research.errors import ContractError
from nps_research.reading import containers
from nps_research.reading.read_only import check_one_select, only_read
from nps_research.reading.sources import read_table
from nps_research.report.sanitise import inert_text
from nps_research.results import terminal
from nps_research.study.contact_details import holds_contact
from tests.support.hostile import START, command, refused

# What tells who somebody is


@pytest.mark.parametrize("column", ["interviewer", "account_id"])
def test_a_channel_that_is_a_private_column(study, column):
    refused(study(f'columns = {{ channel = "{column}" }}\n'), f"responses.columns.channel: {column} is private")


def test_a_segment_on_a_column_mapped_as_private(study):
    folder = study('columns = { account_id = "Company" }\nsegments.columns = { Firm = "Company" }\n')
    refused(folder, "responses.segments.Firm: Company is private")


@pytest.mark.parametrize("name", ["Account ID", "E-mail", "Name", "customerId"])
def test_a_private_column_spelt_otherwise(study, name):
    header = ("respondent_id", "likelihood_to_recommend", name)
    refused(study(f'segments.columns = {{ Firm = "{name}" }}\n', header=header), f"{name} is private")
    frame = pd.DataFrame({"likelihood_to_recommend": [9], name: ["x"]})
    with pytest.raises(ContractError, match=f"{name} is private"):
        nps.Study.from_frames(responses=frame, segments=[name])


def test_an_outcome_and_labels_of_a_private_column(study):
    outcome = '[outcomes.left]\ntable = "responses"\ncolumn = "interviewer"\nevent = [1]\nno_event = [0]\n'
    refused(study(f'{outcome}direction = "bad"\n'), "outcomes.left.column: interviewer is private")
    labels = 'segments.columns = { Area = "region" }\nsegments.labels = { account_id = { ACME = "A" } }\n'
    refused(study(labels), "responses.segments.labels.account_id: account_id is private")


def test_the_account_may_be_what_the_limits_allow_for(study):
    assert len(nps.open_study(study('columns = { cluster = "account_id" }\n')).responses) == 60


def test_a_telephone_number_names_no_group(study):
    folder = study('segments.columns = { Area = "region" }\n', region="+380 67 123 45 67")
    opened = nps.open_study(folder)
    assert (len(opened.responses), len(opened.quarantine)) == (0, 60)
    assert opened.violations["rule"].tolist() == ["holds an e-mail address or a telephone number, which names no group"]
    assert "+380 67 123 45 67" in opened.private_values()


CALLS = (
    *("+49 30 1234567", "(555) 123-4567", "555.123.4567", "1-800-555-0100", "5551234567", "0171-1234567", "0671234567"),
    *("01 23 45 67 89", "call 555-0123 now", "tel. 123 4567", "0049 30 1234567", "8 (495) 123-45-67", "600 123 456"),
)
CALLS_NOT = (
    *(
        "2024-12-31",
        "01.12.2024",
        "01.01.2024 - 31.03.2024",
        "2024-01-01 09:00:00",
        "100 000 - 499 999",
        "1000000-5000000",
        "250-1000",
    ),
    *(
        "12345-6789",
        "1234567",
        "20240115",
        "4006381333931",
        "Store 1234567",
        "18-24 25-34 35-44",
        "50 000 000",
        "> 1000000",
    ),
)


def test_what_is_a_telephone_number_and_what_is_none():
    assert holds_contact(pd.Series([*CALLS, *CALLS_NOT])).tolist() == [True] * len(CALLS) + [False] * len(CALLS_NOT)
    assert not holds_contact(pd.Series(["5551234567"]), is_id=True).any()


# Databases


@pytest.fixture
def answers_db(tmp_path):
    def make(*statements):
        path = tmp_path / "a.db"
        with sqlite3.connect(path) as connection:
            connection.execute("CREATE TABLE answers (respondent_id, likelihood_to_recommend)")
            connection.executemany("INSERT INTO answers VALUES (?, ?)", [(f"r{row}", row % 11) for row in range(60)])
            for each in statements:
                connection.execute(each)
        connection.close()
        return path

    return make


@pytest.mark.parametrize(
    "query",
    [
        "VACUUM INTO 'copied.db'", "ATTACH 'x.db' AS x", "PRAGMA user_version = 3", "SELECT 1; DELETE FROM answers",
        "WITH x AS (SELECT 1) DELETE FROM answers", "SELECT 1 /*! INTO OUTFILE '/tmp/x' */",
        "SELECT '\\'' INTO OUTFILE 'x'",
        "SELECT * INTO copied FROM answers", "/* a */ COPY answers TO 'x'", "SELECT 1 EXEC xp_cmdshell 'x'", "", "--",
    ],
)  # fmt: skip
def test_a_query_that_is_no_single_select(query):
    with pytest.raises(ContractError, match=r"^db: query takes one SELECT that only reads"):
        check_one_select(query, "db")


@pytest.mark.parametrize(
    "query",
    [
        "select 1;", "WITH x AS (SELECT 1) SELECT * FROM x", "-- first\nSELECT 'delete; into', \"update\" FROM t",
        "FROM t",
        "(SELECT 1) UNION SELECT 2", "SELECT 'it''s; into' /* drop */", "SELECT replace(a, 'x', 'y') FROM t",
    ],
)  # fmt: skip
def test_a_single_select_may_name_anything(query):
    check_one_select(query, "db")


def test_sqlite_itself_refuses_what_is_no_select(answers_db, monkeypatch, tmp_path):
    """Even where the query's words tell nothing."""
    monkeypatch.setattr("nps_research.reading.database.check_one_select", lambda *_: None)
    path = answers_db()
    before = path.read_bytes()
    for query in (f"VACUUM INTO '{tmp_path}/x'", f"ATTACH '{tmp_path}/x' AS x", "PRAGMA user_version = 3"):
        with pytest.raises(ContractError, match="the query failed"):
            read_table(path, query=query)
    assert (path.read_bytes(), [each.name for each in tmp_path.iterdir()]) == (before, ["a.db"])


def test_a_view_without_an_end(answers_db):
    endless = "CREATE VIEW e AS WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT x FROM c"
    with pytest.raises(ContractError, match=r"^a.db: stopped after 1 second: ask for less, or allow more by query_sec"):
        read_table(answers_db(endless), table="e", query_seconds=1)


@pytest.mark.parametrize(
    "query",
    [
        "SELECT sum(a.range * b.range) FROM range(100000000) a, range(100000000) b",
        "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT x FROM c",
    ],
)
def test_a_query_of_duckdb_without_an_end(tmp_path, query):
    with duckdb.connect(str(tmp_path / "a.duckdb")) as connection:
        connection.execute("CREATE TABLE t AS SELECT 1 AS x")
    with pytest.raises(ContractError, match=r"^a.duckdb: stopped after 1 second"):
        read_table(tmp_path / "a.duckdb", query=query, query_seconds=1)


def test_a_table_of_more_bytes_than_are_read(answers_db, monkeypatch):
    monkeypatch.setattr("nps_research.reading.read_only.MOST_BYTES", 100)
    with pytest.raises(ContractError, match=r"^a.db gives more than 0 GB: ask for fewer rows"):
        read_table(answers_db())


@pytest.mark.parametrize(
    ("name", "is_mariadb", "said"),
    [
        ("mysql", False, ["SET SESSION max_execution_time = 20000", "START TRANSACTION READ ONLY"]),
        ("mysql", True, ["SET SESSION max_statement_time = 20", "START TRANSACTION READ ONLY"]),
        ("postgresql", False, ["SET LOCAL statement_timeout = 20000"]),
        ("oracle", False, ["SET TRANSACTION READ ONLY"]),
        ("sqlite", False, ["PRAGMA query_only = ON"]),
    ],
)
def test_a_transaction_that_only_reads(name, is_mariadb, said):
    heard: list[str] = []
    dialect = SimpleNamespace(name=name, is_mariadb=is_mariadb)
    only_read(SimpleNamespace(dialect=dialect, exec_driver_sql=heard.append), 20)  # type: ignore[arg-type]
    assert heard == said


def test_nothing_is_put_beside_a_database(answers_db, tmp_path):
    path = answers_db()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.close()
    assert len(read_table(path).frame) == 60
    assert [each.name for each in tmp_path.iterdir()] == ["a.db"]


def test_what_another_program_has_not_yet_put_into_its_database_is_read(answers_db):
    path = answers_db()
    other = sqlite3.connect(path)
    other.execute("PRAGMA journal_mode = WAL")
    other.execute("INSERT INTO answers VALUES ('late', 9)")
    other.commit()
    assert len(read_table(path).frame) == 61
    other.close()


# Files


ADDRESS = "postgresql://u:hunter2@h/db"


def test_an_address_where_a_path_is_meant(study):
    folder = study()
    for words in (
        ["check", str(folder), "--data", ADDRESS],
        ["check", ADDRESS],
        ["init", ADDRESS],
        ["studies", ADDRESS],
    ):
        result = CliRunner().invoke(cli.app, words)
        assert "hunter2" not in result.output
        assert isinstance(result.exception, SystemExit | None)
    for wrong in (f'"{ADDRESS}" = 1', f'table = "{ADDRESS}"\nquery = "x"', f'url_variable = "{ADDRESS}"'):
        assert "hunter2" not in refused(study(wrong + "\n"), "study.toml")


def test_a_link_that_leads_out_of_the_data(study, tmp_path):
    folder = study()
    (tmp_path / "outside").mkdir()
    (folder / "a.csv").rename(tmp_path / "outside" / "a.csv")
    (folder / "inner").symlink_to(tmp_path / "outside")
    (folder / "study.toml").write_text(START.replace("a.csv", "inner/a.csv"))
    assert "outside" not in refused(folder, "inner/a.csv is a link that leads out of the data folder")
    (folder / "kept").mkdir()
    (tmp_path / "outside" / "a.csv").rename(folder / "kept" / "b.csv")
    (folder / "a.csv").symlink_to("kept/b.csv")
    (tmp_path / "linked").symlink_to(folder)
    (folder / "study.toml").write_text(START)
    assert len(nps.open_study(tmp_path / "linked").responses) == 60  # a link that stays inside, and one to the study


def test_what_unpacks_to_more_than_is_read(tmp_path, monkeypatch):
    book = openpyxl.Workbook()
    for row in range(2000):
        book.active.append([row] * 20)
    book.save(tmp_path / "a.xlsx")
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", "a,b\n" * 100_000)
    monkeypatch.setattr(containers, "_LARGEST", 100_000)
    for name in ("a.xlsx", "a.zip"):
        with pytest.raises(ContractError, match=rf"^{name} unpacks to more than 0 GB: "):
            read_table(tmp_path / name)


# Text that does something, and surroundings that are short of something


CONTROLS = "\x1b[2J\x07\x9b2J\u202e"


def test_control_characters_of_every_name_are_shown_as_such(study, tmp_path):
    header = ("respondent_id", "likelihood_to_recommend", "re\x1bgion", "wave")
    spelt = json.dumps(CONTROLS)[1:-1]
    toml = f'name = "{spelt}"\n[responses]\nfile = "a.csv"\nsegments.columns = {{ "A{spelt}" = "re\\u001bgion" }}\n'
    folder = study(toml=toml, header=header, **{"re\x1bgion": f"North{CONTROLS}", "wave": f"W{CONTROLS}"})
    result = CliRunner().invoke(cli.app, ["check", str(folder)])
    assert result.exit_code == 0
    assert not set(result.output) & set(CONTROLS) - set("[2J")
    assert r"\x1b[2J\x07\x9b2J\u202e" in result.output
    listed = CliRunner().invoke(cli.app, ["studies", str(tmp_path)])
    assert r"\x1b[2J\x07\x9b2J\u202e" in listed.output
    refused(study(f'file2 = "{spelt}"\n"x{spelt}" = 1\n'), r"x\x1b[2J")


def test_no_file_of_a_report_holds_a_control_character():
    assert inert_text(f"<p>{CONTROLS}\ud800</p>\n", is_json=False) == "<p>\\x1b[2J\\x07\\x9b2J\\u202e\\ud800</p>\n"
    text = json.dumps([CONTROLS], ensure_ascii=False)
    assert "\x9b" in text
    assert "\x9b" not in inert_text(text, is_json=True)
    assert json.loads(inert_text(text, is_json=True)) == [CONTROLS]


@pytest.mark.parametrize(
    "wrong", ["x = " + "[" * 5000 + "]" * 5000, "x = " + "[" * 50 + "]" * 50, "a." * 2000 + "b = 1"]
)
def test_a_study_file_nested_deeply(study, wrong):
    refused(study(wrong + "\n"), "nested too deeply")


@pytest.mark.parametrize("setting", ["[settings]\nseed =", "missing_codes.likelihood_to_recommend = [ ", "delivered ="])
def test_a_whole_number_of_five_thousand_digits(study, setting):
    """In base 16, too, in which Python reads it, and then cannot write it."""
    for number in ("9" * 5000, "0x" + "f" * 5000):
        refused(study(f"{setting} {number}{' ]' if '[ ' in setting else ''}\n"), "study.toml")


@pytest.mark.parametrize("day", ["9999-12-31", "0001-01-01"])
def test_a_day_of_the_data_that_is_none(study, day):
    refused(study(f"[settings]\ndata_until = {day}\n"), "settings.data_until")


def test_output_that_cannot_hold_the_names(study, tmp_path):
    rows = "".join(f"r{row},{row % 11},Північ\n" for row in range(60))
    (tmp_path / "a.csv").write_text("Респондент,Оцінка NPS,Регіон\n" + rows, encoding="utf-8")
    (folder := study()).joinpath("study.toml").write_text(START.replace("Made up", "Опитування"), encoding="utf-8")
    drafted = command("init", tmp_path / "a.csv", "--out", tmp_path / "new", PYTHONIOENCODING="cp1252")
    assert drafted.returncode == 0
    assert b"The NPS is -50.0 (95% interval -66.5 to -28.3)" in drafted.stdout  # a minus is not lost
    for words in (["check", folder], ["studies", tmp_path]):
        ended = command(*words, PYTHONIOENCODING="ascii")
        assert (ended.returncode, b"Traceback" in ended.stderr) == (0, False)
        assert b"??????????" in ended.stdout


def test_a_reader_of_the_output_who_goes(study):
    """As `| head -1` does, and a terminal that is closed."""
    folder = study()
    read, write = os.pipe()
    os.close(read)
    root = str(Path(nps.__file__).parents[1])
    ended = subprocess.run(
        [sys.executable, "-m", "nps_research.cli", "check", str(folder)],
        env=os.environ | {"PYTHONPATH": root}, stdout=write, stderr=subprocess.PIPE, timeout=120, check=False,
    )  # fmt: skip
    os.close(write)
    assert ended.stderr == b""


def test_a_character_that_no_encoding_holds_is_replaced_by_the_nearest():
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii", errors="strict")
    codecs.register_error(terminal._NEAREST, terminal._nearest_character)
    stream.reconfigure(errors=terminal._NEAREST)
    stream.write("\N{MINUS SIGN}5 \N{EM DASH} Ї\ud800")
    stream.flush()
    assert stream.buffer.getvalue() == b"-5 - ??"  # type: ignore[attr-defined]
