"""Data that make trouble on their way through: too long, too many, with odd characters, or gone half-way."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import sys
from decimal import Decimal
from typing import TYPE_CHECKING

import pandas as pd
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from nps_research import cli
from nps_research.errors import ContractError, visible
from nps_research.reading import database
from nps_research.reading.sources import read_table
from nps_research.reading.text_lines import long_cells
from nps_research.report import runner
from nps_research.report.harvest import exact_parquet
from nps_research.report.provenance import CHECKOUT
from nps_research.report.publish import private_folder
from nps_research.results.csv_files import csv_text
from nps_research.study.study import open_study
from tests.support.postgresql import running
from tests.support.report_command import CELL, Place, obey_permissions
from tests.support.report_notebooks import code, notebook, write_notebooks
from tests.support.run_here import run_here

if TYPE_CHECKING:
    from pathlib import Path

LTR = "likelihood_to_recommend"
CONTROLS = [*map(chr, range(32)), "\x7f", "\x85", "\ufeff", "\u200b"]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def study_of(folder: Path, text: str, *, encoding: str = "utf-8", more: str = "") -> Path:
    """A study folder around one export."""
    folder.mkdir(exist_ok=True)
    (folder / "answers.csv").write_bytes(text.encode(encoding))
    columns = 'columns = { respondent_id = "ID", likelihood_to_recommend = "NPS", comment = "Comment" }'
    study = f'name = "Made up"\nmade_up = true\n[responses]\nfile = "answers.csv"\n{columns}\n{more}'
    (folder / "study.toml").write_text(study, encoding="utf-8")
    return folder


# A database that goes away


@pytest.mark.skipif(sys.platform == "win32", reason="a server of POSIX")
def test_the_database_gone_half_way(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.with_report()
    with running() as server:
        answers = pd.DataFrame({"id": [f"r{row}" for row in range(20_000)], "nps": 9, "said": CELL})
        engine = sa.create_engine(server.url)
        answers.to_sql("answers", engine, index=False)
        engine.dispose()
        source = 'url_variable = "SURVEY_DB"\ncolumns = { respondent_id = "id", likelihood_to_recommend = "nps" }'
        (place.study / "study.toml").write_text(f'name = "Made up"\n[responses]\n{source}\n', encoding="utf-8")
        monkeypatch.setenv("SURVEY_DB", server.url)
        monkeypatch.setattr(database, "_ROWS_FETCHED", 2_000)
        monkeypatch.setattr(runner, "own_notebooks", lambda: place.folder / "quick" / "notebooks")
        as_arrow, up = database.arrow_of_cells, [True]

        def cut_off(cells):
            if up.pop():
                server.go_down()
            up.append(False)
            return as_arrow(cells)

        monkeypatch.setattr(database, "arrow_of_cells", cut_off)
        report = ["report", str(place.study), "--out", str(place.out)]
        cut = CliRunner().invoke(cli.app, report)
        server.come_up()
        assert cut.exit_code == 1
        assert re.fullmatch(
            r"Error: SURVEY_DB: the database went away after [\d,]+ rows; none of them is used\n", cut.output
        )
        place.assert_as_before()
        healed = CliRunner().invoke(cli.app, report)
        assert healed.exit_code == 0, healed.output
        assert "20,000 rows in, 20,000 accepted" in healed.output


def test_an_address_names_no_group(tmp_path: Path) -> None:
    text = "ID,NPS,Comment,Region\na,9,fine,North\nb,9,fine,ann@example.com\n"
    study = open_study(study_of(tmp_path, text, more='[responses.segments]\ncolumns = { Region = "Region" }\n'))
    assert study.responses["Region"].tolist() == ["North"]
    assert study.quarantine["reasons"].tolist() == [
        "Region holds an e-mail address or a telephone number, which names no group"
    ]


# Cells that are too long


@pytest.mark.whole
@pytest.mark.parametrize("encoding", ["utf-8", "latin1"])
def test_a_comment_of_ten_million_characters(place: Place, encoding: str) -> None:
    """One accepted, one quarantined: whole in the private folder, nowhere in the report."""
    long = "sch\u00f6n " + "x" * 10_000_000
    text = f"ID,NPS,Comment\na,9,{long}\nb,99,{long}\n" + "".join(f"r{row},9,fine\n" for row in range(30))
    study_of(place.study, text, encoding=encoding)
    place.report()
    study = open_study(place.study)
    assert study.responses["comment"].str.len().max() == len(long)
    assert CliRunner().invoke(cli.app, ["check", str(place.study)]).exit_code == 0
    assert max(map(len, place.files(shared=True).values())) < 100_000
    with long_cells():
        (row,) = csv.DictReader(io.StringIO(place.files()["out-private/quarantine.csv"].decode()))
    assert row["comment"] == long
    assert pd.read_parquet(private_folder(place.out) / "quarantine.parquet")["comment"].tolist() == [long]


@pytest.mark.parametrize(
    "cell",
    ["9" + " " * 10_000_000 + "1", "1" * 10_000_000, "9" + ":" * 10_000_000, "n@" * 5_000_000],
    ids=["blanks", "digits", "signs", "addresses"],
)
def test_a_score_of_ten_million_characters(tmp_path: Path, cell: str) -> None:
    """Time grows with the length of a cell, not with its square: else this would take days."""
    text = f"ID,NPS,Comment\na,{cell},fine\n" + "".join(f"r{row},{row % 11},fine\n" for row in range(30))
    study = open_study(study_of(tmp_path, text))
    assert study.quarantine["reasons"].tolist() == [f"{LTR} is not a whole number"]


# NUL


def test_a_nul_byte_in_a_cell_a_header_and_a_name(place: Place) -> None:
    """It is a character like others, and stands in no page."""
    text = (
        "ID,NPS,Comment,Re\x00gion\n"
        + "".join(f"r{row}\x00,9,f\x00ine,No\x00rth\n" for row in range(30))
        + "b,9\x00,x,y\n"
    )
    study_of(place.study, text, more='[responses.segments]\ncolumns = { "A\\u0000rea" = "Re\\u0000gion" }\n')
    path = place.study / "study.toml"
    path.write_text(path.read_text(encoding="utf-8").replace("Made up", "Made\\u0000 up"), encoding="utf-8")
    study = open_study(place.study)
    assert study.responses["A\x00rea"].unique().tolist() == ["No\x00rth"]
    assert study.responses["respondent_id"].iloc[0] == "r0\x00"
    assert study.quarantine["reasons"].tolist() == [f"{LTR} is not a whole number"]
    place.report()
    assert not [name for name, content in place.files(shared=True).items() if b"\x00" in content]
    assert pd.read_parquet(private_folder(place.out) / "quarantine.parquet")[LTR].tolist() == ["9\x00"]


@pytest.mark.parametrize(
    ("stated", "said"),
    [
        ('file = "an\\u0000swers.csv"', r"there is no file 'an\\x00swers.csv' in the folder"),
        ('file = "answers.csv"\nencoding = "utf\\u00008"', r"there is no encoding 'utf\\x008'"),
        ('file = "answers.csv"\nseparator = "\\u0000"', r"there is no column 'ID'"),
    ],
)
def test_a_nul_byte_in_what_is_stated(place: Place, stated: str, said: str) -> None:
    path = place.study / "study.toml"
    path.write_text(path.read_text(encoding="utf-8").replace('file = "answers.csv"', stated), encoding="utf-8")
    with pytest.raises(ContractError, match=said):
        open_study(place.study)


# Formulas


FORMULAS = ['=HYPERLINK("//a.b","c")', "+1+1", "-1-1", "@SUM(1)", "\uff1d1+1", "=1\tb", "=1\rb"]


def test_formulas_come_out_as_text_and_exact_in_parquet(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """In names of groups, which are shared, and in quarantined cells, which are not."""
    header = "ID,NPS,Comment,Region\n"
    cells = [formula.replace('"', '""') for formula in FORMULAS]
    rows = "".join(f'{n}-{row},{row % 11},fine,"{cell}"\n' for n, cell in enumerate(cells) for row in range(12))
    rows += "".join(f'b{n},99,"{cell}, I wrote",x\n' for n, cell in enumerate(cells))
    study_of(place.study, header + rows, more='[responses.segments]\ncolumns = { "=Region" = "Region" }\n')
    ask = code(
        "import nps_research as nps\nstudy = nps.open_study(study_folder, data=data_folder)\n"
        "nps.net_promoter_score(nps.score_distribution(study, by='=Region'))"
    )
    folder = write_notebooks(place.folder / "asks", n01_asks=notebook("Asks", ask))
    monkeypatch.setattr(runner, "run_notebooks", run_here)
    runner.make_report(open_study(place.study), notebooks=folder, out=place.out)
    shared, private = place.files(shared=True), place.files()
    (table,) = [content.decode() for name, content in shared.items() if name.startswith("out/tables/")]
    groups = [row["group"] for row in csv.DictReader(io.StringIO(table, newline=""))]
    assert sorted(groups) == sorted(f"'{formula}".replace("\r", " ") for formula in FORMULAS)
    results = json.loads(shared["out/results.json"])["results"]
    assert {row[0] for row in results[0]["result"]["rows"]} == set(FORMULAS)
    quarantined = list(csv.DictReader(io.StringIO(private["out-private/quarantine.csv"].decode(), newline="")))
    assert [row["comment"] for row in quarantined] == [
        f"'{formula}, I wrote".replace("\r", " ") for formula in FORMULAS
    ]
    assert [row["likelihood_to_recommend"] for row in quarantined] == ["99"] * len(FORMULAS)
    exact = pd.read_parquet(private_folder(place.out) / "quarantine.parquet")
    assert exact["comment"].tolist() == [f"{formula}, I wrote" for formula in FORMULAS]


@given(
    text=st.tuples(
        st.text(st.sampled_from([*CONTROLS, " ", "\u00a0"]), max_size=2),
        st.sampled_from(["", "=", "+", "-", "@", "\uff1d", "'", '"', "a", "5"]),
        st.text(max_size=4),
    ).map("".join)
)
def test_no_cell_of_a_csv_begins_like_a_formula(text: str) -> None:
    (row,) = csv.reader(io.StringIO(csv_text([text], []), newline=""))
    shown = row[0] if row else ""
    begins = shown.lstrip("".join(CONTROLS) + " \u00a0")[:1]
    assert shown.startswith("'") or begins not in ("=", "+", "-", "@", "\uff1d")
    assert shown[:1] not in ("\t", "\r", "\n", "\x00")
    assert shown.removeprefix("'") == visible(text.removeprefix("'").replace("\r", " "))


def test_parquet_keeps_every_cell_of_several_kinds() -> None:
    frame = pd.DataFrame(
        {"text": ["=1", None], "number": [1.5, float("nan")], "both": pd.Series([1, "x"], dtype=object)}
    )
    back = pd.read_parquet(io.BytesIO(exact_parquet(frame)))
    assert back["text"].dropna().tolist() == ["=1"]
    assert back["number"].iloc[0] == 1.5
    assert back["both"].tolist() == ["1", "x"]


# Codecs and values that the fuzz test found


@pytest.mark.parametrize("stated", ["punycode", "idna", "unicode_escape", "raw_unicode_escape", "utf-7"])
def test_an_encoding_that_is_none_of_files(tmp_path: Path, stated: str) -> None:
    study_of(tmp_path, "ID,NPS,Comment\n\\ud800,9,+2AA-\n")
    with pytest.raises(ContractError, match=f"there is no encoding '{stated}', stated for answers.csv"):
        read_table(tmp_path / "answers.csv", encoding=stated)


@pytest.mark.parametrize(
    ("stated", "content"),
    [("utf-16", b"\nNPS"), ("utf-32", b"\nNPS"), ("utf-32", b"\xff\xfe\n\0I\0D\0")],
    ids=["utf-16", "utf-32", "utf-32 for utf-16"],
)
def test_utf_16_stated_where_there_is_no_mark(tmp_path: Path, stated: str, content: bytes) -> None:
    (tmp_path / "answers.csv").write_bytes(content)
    with pytest.raises(ContractError, match=f"does not decode as {stated}, the encoding stated, from line 1 on"):
        read_table(tmp_path / "answers.csv", encoding=stated)


def test_a_database_may_hold_infinite_numbers() -> None:
    assert database.arrow_of_cells([Decimal("Infinity"), None]).to_pylist() == ["Infinity", None]


# Two million rows in 2 GB


@pytest.mark.whole
def test_rows_take_no_more_memory_than_their_share() -> None:
    """A tenth of the rows in a tenth of what 2 GB leave; all of them: benchmarks/two_million_rows.py.

    Packages and DuckDB's own buffers, 100 MB, are there however many rows there are.
    """
    command = [sys.executable, "benchmarks/two_million_rows.py", "--rows", "200000"]
    run = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    measured = json.loads(run.stdout)
    assert measured["rows"] == 200_000
    assert measured["answers"] > 70_000
    fixed = measured["mb_before"] + 100
    assert measured["mb_peak"] - fixed <= (2048 - fixed) / 10, measured


# Files that may not be read


@pytest.mark.skipif(sys.platform == "win32", reason="permissions of POSIX")
@pytest.mark.parametrize("file", ["answers.csv", "study.toml"])
def test_a_file_without_read_permission(place: Place, file: str) -> None:
    path = place.with_report().study / file
    path.chmod(0)
    run = place.start(fault=obey_permissions)
    assert run.ends() == 1
    assert run.errors.startswith(f"Error: {file} cannot be read: Permission denied")
    place.assert_as_before()
    path.chmod(0o600)
    place.assert_heals()


def test_a_file_name_that_no_file_can_have(place: Place) -> None:
    path = place.study / "study.toml"
    path.write_text(path.read_text(encoding="utf-8").replace("answers.csv", "x" * 300 + ".csv"), encoding="utf-8")
    with pytest.raises(ContractError, match=r"^'x{80}' cannot be read: File name too long$"):
        open_study(place.study)
