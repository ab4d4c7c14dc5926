"""Whatever arrives: a study, or an error in our own words; and every row is accepted or quarantined.

The examples are the same everywhere. To look for new ones, as long as one likes:

    HYPOTHESIS_PROFILE=search pytest tests/reading/test_reader_fuzz.py
"""

from __future__ import annotations

import copy
import csv
import datetime as dt
import decimal
import io
import json
import re
import sqlite3
import tempfile
import tomllib
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import openpyxl
import pandas as pd
import pyarrow as pa
import pyreadstat
import pytest
from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.utils.exceptions import IllegalCharacterError
from pyarrow import parquet

from nps_research.errors import NPSResearchError
from nps_research.reading.file_settings import FileSettings
from nps_research.reading.sources import read_table
from nps_research.study.draft.draft import draft_study
from nps_research.study.settings_file import Settings, StudyFile
from nps_research.study.standard_columns import RESPONSES
from nps_research.study.study import open_study

if TYPE_CHECKING:
    from collections.abc import Iterator

CANARY = "CANARY-7431"  # in cells, never in errors
ENDINGS = (".csv", ".tsv", ".txt", ".xlsx", ".xlsm", ".sav", ".zsav", ".parquet", ".duckdb", ".db", ".sqlite")
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin1", "cp1251", "cp1252", "koi8-u")
LTR = "likelihood_to_recommend"

pytestmark = pytest.mark.filterwarnings("error")


def share(of_examples: float) -> settings:
    """Settings with a share of the profile's examples; a slow format has fewer."""
    checks = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
    return settings(max_examples=int(of_examples * settings().max_examples), suppress_health_check=checks)


@contextmanager
def explained() -> Iterator[None]:
    """Only errors of ours may come, in one line or more of plain text, without a cell."""
    try:
        yield
    except NPSResearchError as error:
        event(f"refused: {type(error).__name__}")
        said = str(error)
        assert CANARY not in said
        assert len(said) > 15
    else:
        event("read")


def adds_up(folder: Path, **options: Path) -> None:
    """A study either opens with every row in it, or says why not."""
    with explained():
        study = open_study(folder, **options)
        for table, accepted in (("responses", study.responses), ("customers", study.customers)):
            if accepted is None:
                continue
            held_back = study.quarantine[study.quarantine["table"] == table]
            counts = study.files[study.files["table"] == table]
            assert counts["rows"].sum() == len(accepted) + len(held_back)
            assert counts["accepted"].sum() == len(accepted)
            assert held_back["reasons"].str.len().gt(0).all()
            assert not held_back.duplicated(["file", "line"]).any()
        assert CANARY not in " ".join([*study.notes, study.base, study.period, study.violations.to_string()])


CELLS = st.one_of(
    st.sampled_from(["", " ", "0", "9", "10", "11", "-1", "9,0", "7.5", "10 - Yes", "n/a", "yes", "2025-01-09"]),
    st.sampled_from(["31.12.2025", "01/02/2025 5:00 PM", "1e400", "٣", "=1+1", "\t=1", "ann@example.com", "nan", "∞"]),
    st.sampled_from(["<script>", "a\nb", "a\rb", "\x00", '"', '""', "'", ";", ",", "|", "\ufeff", "99999999999999999"]),
    st.sampled_from(["0001-01-01", "9999-12-31", "2025-01-01T00:00+23:59", "2025-02-30", "00:00", "1" * 400, CANARY]),
    st.text(max_size=6),
)
NAMES = st.one_of(
    st.sampled_from([*RESPONSES, "ID", "NPS", "Price", "Region", "", " ", "NPS ", "nps"]), st.text(max_size=4)
)
ROWS = st.integers(1, 5).flatmap(lambda width: st.lists(st.lists(CELLS, min_size=width, max_size=width), max_size=8))
PIECES = st.one_of(
    CELLS,
    st.sampled_from([",", ";", "\t", "|", "\n", "\r\n", "\r", '"', '"\n', '",', '""', "\n\n", ",,,", "\v", "\x85"]),
)


@st.composite
def csv_texts(draw: st.DrawFn) -> str:
    """A header that begins well, and text in which quotes, separators and line ends stand anywhere."""
    separator = draw(st.sampled_from(",;\t|"))
    head = separator.join(
        draw(st.sampled_from([["ID", "NPS"], ["ID", "NPS", "Price"], ["NPS"], ["NPS", "NPS"], ['"ID', "NPS"]]))
    )
    end = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    lines = draw(
        st.lists(
            st.lists(PIECES, max_size=6).map("".join) | st.lists(CELLS, max_size=4).map(separator.join), max_size=8
        )
    )
    return (
        draw(st.sampled_from(["", "\n", " \n", "\ufeff"])) + end.join([head, *lines]) + draw(st.sampled_from(["", end]))
    )


@st.composite
def encoded(draw: st.DrawFn, texts: st.SearchStrategy[str]) -> bytes:
    content = draw(texts).encode(draw(st.sampled_from(ENCODINGS)), errors="replace")
    if draw(st.integers(0, 4)) == 0:
        place = draw(st.integers(0, len(content)))
        content = content[:place] + draw(st.binary(max_size=3)) + content[place + draw(st.integers(0, 2)) :]
    return content


STATED = st.fixed_dictionaries(
    {},
    optional={
        "encoding": st.sampled_from(
            [*ENCODINGS, "utf-7", "unicode_escape", "idna", "punycode", "rot13", "hex", "utf\x008"]
        ),
        "separator": st.sampled_from([",", ";", "\t", "|", " ", '"', "\n", "\x00", "a", "é", "\ud7ff"]),
        "header_rows": st.integers(1, 5),
    },
)


@share(1)
@given(content=st.binary(max_size=300) | encoded(csv_texts()), ending=st.sampled_from(ENDINGS), stated=STATED)
def test_any_bytes_under_any_ending(content, ending, stated):
    with tempfile.TemporaryDirectory() as place, explained():
        path = Path(place, f"answers{ending}")
        path.write_bytes(content)
        read_table(path, **stated)


@share(1)
@given(content=encoded(csv_texts()), stated=st.just({}) | STATED)
def test_any_text_is_a_study_or_is_refused(content, stated):
    with tempfile.TemporaryDirectory() as place:
        Path(place, "answers.csv").write_bytes(content)
        columns = {"respondent_id": "ID", LTR: "NPS"} if b"I" in content else {LTR: "NPS"}
        settings_of = {"file": "answers.csv", "columns": columns, **stated}
        Path(place, "study.toml").write_text(toml({"name": "Made up", "responses": settings_of}), encoding="utf-8")
        adds_up(Path(place))


@share(1)
@given(text=csv_texts())
def test_without_quotes_every_line_that_is_not_blank_is_a_row(text):
    """Counted without the reader: a line is a row."""
    plain = text.replace('"', "'").replace("\x00", "")
    lines = [line for line in re.split("\r\n|\n|\r", plain.removeprefix("\ufeff")) if line.strip()]
    with tempfile.TemporaryDirectory() as place, explained():
        path = Path(place, "answers.csv")
        path.write_text(plain, encoding="utf-8", newline="")
        table = read_table(path, encoding="utf-8", separator=",", header_rows=1)
        assert table.n_rows == len(lines) - 1
        assert len(set(table.line) | set(table.rejected["line"])) == table.n_rows


@share(1)
@given(
    header=st.lists(NAMES, min_size=1, max_size=5),
    rows=ROWS,
    separator=st.sampled_from(",;\t|"),
    encoding=st.sampled_from(ENCODINGS),
)
def test_every_row_that_a_writer_wrote_comes_back(header, rows, separator, encoding):
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=separator, quoting=csv.QUOTE_ALL)
    writer.writerows([header, *rows])
    content = buffer.getvalue().encode(encoding, errors="replace")
    with tempfile.TemporaryDirectory() as place, explained():
        path = Path(place, "answers.csv")
        path.write_bytes(content)
        assert read_table(path, encoding=encoding, separator=separator, header_rows=1).n_rows == len(rows)


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.datetimes(min_value=dt.datetime(1, 1, 1), max_value=dt.datetime(9999, 12, 31)),
    st.dates(),
    st.times(),
    st.timedeltas(),
    st.decimals(allow_nan=False, allow_infinity=True),
    st.just(decimal.Decimal("nan")),
    st.binary(max_size=4),
    CELLS,
)


@st.composite
def typed_tables(draw: st.DrawFn) -> dict[str, list[object]]:
    """Columns of one kind each, or of any."""
    n_rows = draw(st.integers(0, 6))
    names = draw(st.lists(NAMES, min_size=1, max_size=4, unique=True))
    kinds = st.sampled_from(
        [VALUES, CELLS, st.floats() | st.none(), st.booleans(), st.dates() | st.none(), st.integers(-99, 99)]
    )
    return {name: draw(st.lists(draw(kinds), min_size=n_rows, max_size=n_rows)) for name in names}


def opens(path: Path, table: dict[str, list[object]], **stated: object) -> None:
    """Read as a table and as a study; both account for every row."""
    n_rows = len(next(iter(table.values())))
    with explained():
        assert read_table(path, **stated).n_rows == n_rows
    score = next(iter(table))
    responses = {"file": path.name, "columns": {LTR: score}, **stated}
    Path(path.parent, "study.toml").write_text(toml({"name": "Made up", "responses": responses}), encoding="utf-8")
    adds_up(path.parent)


@share(0.3)
@given(table=typed_tables())
def test_workbooks(table):
    book = openpyxl.Workbook()
    rows = [list(table), *zip(*table.values(), strict=True)]
    for row in rows:
        try:
            book.active.append([ILLEGAL_CHARACTERS_RE.sub("", cell) if isinstance(cell, str) else cell for cell in row])
        except (ValueError, IllegalCharacterError):  # not a value of a workbook
            assume(False)
    with tempfile.TemporaryDirectory() as place:
        book.save(Path(place, "answers.xlsx"))
        with explained():
            read_table(Path(place, "answers.xlsx"))
        Path(place, "study.toml").write_text(
            toml({"name": "Made up", "responses": {"file": "answers.xlsx", "columns": {LTR: next(iter(table))}}}),
            encoding="utf-8",
        )
        adds_up(Path(place))


@share(0.5)
@given(table=typed_tables())
def test_parquet_files(table):
    try:
        arrow = pa.table({name: pa.array(cells) for name, cells in table.items()})
    except (pa.ArrowException, OverflowError, TypeError, ValueError):  # not a table of arrow
        assume(False)
    with tempfile.TemporaryDirectory() as place:
        path = Path(place, "answers.parquet")
        parquet.write_table(arrow, path)
        opens(path, table)


@share(0.3)
@given(table=typed_tables())
def test_sqlite_files(table):
    cells = [[sqlite_value(value) for value in row] for row in zip(*table.values(), strict=True)]
    names = [f'"{name}"'.replace("\x00", "") for name in table if '"' not in name]
    assume(len(names) == len(table) and len({name.lower() for name in names}) == len(names))
    with tempfile.TemporaryDirectory() as place:
        path = Path(place, "answers.db")
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute(f"CREATE TABLE answers ({', '.join(names)})")
            connection.executemany(f"INSERT INTO answers VALUES ({', '.join('?' * len(names))})", cells)  # noqa: S608
        opens(path, table)


def sqlite_value(value: object) -> object:
    if isinstance(value, int) and abs(value) > 2**62:
        return str(value)
    return value if isinstance(value, (int, float, str, bytes, type(None))) else str(value)


@share(0.2)
@given(table=typed_tables())
def test_duckdb_files(table):
    try:
        arrow = pa.table({name: pa.array(cells) for name, cells in table.items()})
    except (pa.ArrowException, OverflowError, TypeError, ValueError):  # not a table of arrow
        assume(False)
    with tempfile.TemporaryDirectory() as place:
        path = Path(place, "answers.duckdb")
        try:
            with duckdb.connect(str(path)) as connection:
                connection.register("arrow", arrow)
                connection.execute("CREATE TABLE answers AS FROM arrow")
        except duckdb.Error:  # not a table of DuckDB
            assume(False)
        opens(path, table)


@pytest.fixture(scope="module")
def whole_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One sound file of each binary format."""
    place = tmp_path_factory.mktemp("whole")
    table = pd.DataFrame({"ID": [f"r{row}" for row in range(40)], "NPS": [float(row % 11) for row in range(40)]})
    table.to_excel(place / "a.xlsx", index=False)
    parquet.write_table(pa.Table.from_pandas(table), place / "a.parquet")
    pyreadstat.write_sav(table, place / "a.sav")
    pyreadstat.write_sav(table, place / "a.zsav", compress=True)
    with closing(sqlite3.connect(place / "a.db")) as connection, connection:
        table.to_sql("answers", connection, index=False)
    with duckdb.connect(str(place / "a.duckdb")) as connection:
        connection.register("frame", table)
        connection.execute("CREATE TABLE answers AS FROM frame")
    return place


SHARES = st.floats(0, 1, exclude_max=True)


@share(1)
@given(
    ending=st.sampled_from([".xlsx", ".parquet", ".sav", ".zsav", ".db", ".duckdb"]),
    bytes_changed=st.lists(st.tuples(SHARES, st.integers(0, 255)), max_size=4),
    kept=st.just(1.0) | SHARES,
)
def test_damaged_files(whole_files, ending, bytes_changed, kept):
    content = bytearray((whole_files / f"a{ending}").read_bytes())
    for place, byte in bytes_changed:
        content[int(place * len(content))] = byte
    with tempfile.TemporaryDirectory() as folder, explained():
        path = Path(folder, f"answers{ending}")
        path.write_bytes(content[: int(kept * len(content))])
        read_table(path)


# study.toml

WORDS = st.one_of(
    st.sampled_from(["answers.csv", "people.csv", "ID", "NPS", "Price", "Region", "utf-8", ";", "%d.%m.%Y", "churned"]),
    st.sampled_from(
        ["", ".", "..", "/etc/passwd", "a\x00b", "a/b", "con", "x" * 300, "é", "\N{GRINNING FACE}", "{", "["]
    ),
    st.text(max_size=4),
)
LEAVES = st.one_of(WORDS, st.integers(-(2**40), 2**40), st.floats(), st.booleans(), st.dates(), st.datetimes())
ANY = LEAVES | st.lists(LEAVES, max_size=3) | st.dictionaries(WORDS, LEAVES | st.lists(LEAVES, max_size=2), max_size=3)


RICH: dict[str, object] = {
    "name": "Made up",
    "responses": {
        "date_format": "%Y-%m-%d",
        "missing_codes": {LTR: [12, "x"]},
        "columns": {"respondent_id": "ID", LTR: "NPS", "responded_at": "When", "comment": "Comment"},
        "drivers": {"scale": [1, 5], "columns": {"Price": "Price"}, "missing_codes": [0], "not_used_codes": [6]},
        "segments": {"columns": {"Region": "Region"}, "labels": {"Region": {"North": "Nord"}}},
        "files": [
            {"file": "answers.csv", "wave": "1", "separator": ","},
            {"file": "more.csv", "wave": "2", "encoding": "utf-8", "header_rows": 1, "drivers": {"Price": "Prize"}},
        ],
    },
    "customers": {"file": "people.csv", "columns": {"customer_id": "ID", "revenue": "Price"}},
    "outcomes": {
        "left": {"table": "responses", "column": "NPS", "event": [9], "no_event": [3], "direction": "bad"},
        "spent": {"table": "customers", "column": "NPS", "kind": "amount", "direction": "good", "dated": True},
    },
    "settings": {"promoter_min": 9, "minimum_cell": 2, "cluster": "respondent_id", "data_until": dt.date(2025, 3, 1)},
}
VALUE = st.one_of(
    ANY,
    WORDS,
    st.sampled_from([*RESPONSES, "ID", "Price", "When", "more.csv", "empty.csv", "no.csv", "a\x00.csv", "latin1"]),
    st.sampled_from([[0, 10], [], ["x"], [9, "9"], {}, -1, 0, 10, "%Q", "%", "%d", "NOT_SET", "amount"]),
)


def like(value: object) -> st.SearchStrategy[object]:
    """Values of the same kind, which more often get past the first check."""
    match value:
        case bool() | dict():
            return VALUE
        case int():
            return st.integers(-1, 12)
        case list():
            return st.lists(st.sampled_from([0, 1, 3, 6, 9, 10, 12, "x", "9", 1.5, "nan"]), max_size=3)
        case dt.date():
            return st.dates()
        case _:
            known = [*RESPONSES, "ID", "NPS", "Price", "Region", "When", "Comment", "answers.csv", "more.csv", "latin1"]
            return st.sampled_from(known) | WORDS


def places_in(content: object) -> Iterator[tuple[dict[str, object] | list[object], str | int]]:
    """Every key and position of a nested mapping, as container and key."""
    pairs = content.items() if isinstance(content, dict) else enumerate(content) if isinstance(content, list) else ()
    for name, inner in list(pairs):
        yield content, name
        yield from places_in(inner)


@st.composite
def settings_with_faults(draw: st.DrawFn) -> dict[str, object]:
    """Settings of every kind, a few of which are taken away, replaced, or joined by another."""
    content = copy.deepcopy(RICH)
    for _ in range(draw(st.integers(0, 3))):
        container, name = draw(st.sampled_from(list(places_in(content))))
        match draw(st.sampled_from(["away", "like", "like", "replaced", "joined"])):
            case "away":
                del container[name]
            case "like":
                container[name] = draw(like(container[name]))
            case "replaced":
                container[name] = draw(VALUE)
            case _ if isinstance(container, dict):
                allowed = [*StudyFile.model_fields, *FileSettings.model_fields, *Settings.model_fields, *RESPONSES]
                container[draw(st.sampled_from(allowed) | WORDS)] = draw(VALUE)
            case _:
                container.append(draw(VALUE))
    return content


def toml(content: dict[str, object]) -> str:
    """A mapping as TOML, on one line each."""
    return "".join(f"{key(name)} = {value_of(value)}\n" for name, value in content.items())


def key(name: str) -> str:
    return value_of(name)


def value_of(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key(name)} = {value_of(item)}" for name, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(value_of, value)) + "]"
    if isinstance(value, (dt.date, dt.datetime)):
        return value.isoformat()
    if isinstance(value, float):
        return repr(value)
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


@pytest.fixture(scope="module")
def some_tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tables to be described well or badly."""
    place = tmp_path_factory.mktemp("tables")
    text = f"ID,NPS,Price,Region,When,Comment\n1,9,4,North,2025-01-31,{CANARY}\n2,12,6,,31.01.2025,\n3,x,,b@c.de,,\n4\n"
    (place / "answers.csv").write_text(text, encoding="utf-8")
    (place / "more.csv").write_text("ID,NPS,Prize,Region,When,Comment\n1,3,5,South,2025-02-01,\n", encoding="utf-8")
    (place / "people.csv").write_text("ID,NPS,Price\n1,5,a\n1,5,\n,7,1\n", encoding="utf-8")
    (place / "empty.csv").write_text("", encoding="utf-8")
    return place


@share(1)
@given(content=settings_with_faults())
def test_any_settings(some_tables, content):
    with tempfile.TemporaryDirectory() as place:
        text = toml(content)
        tomllib.loads(text)
        Path(place, "study.toml").write_text(text, encoding="utf-8")
        adds_up(Path(place), data=some_tables)


@share(1)
@given(data=st.data())
def test_a_study_file_with_slips_of_the_pen(some_tables, data):
    text = toml(RICH)
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(text)))
        text = (
            text[:place]
            + data.draw(st.text(max_size=2) | st.sampled_from(list('[]{}"=,#\n')))
            + text[place + data.draw(st.integers(0, 2)) :]
        )
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "study.toml").write_bytes(text.encode("utf-8", errors="surrogatepass"))
        adds_up(Path(folder), data=some_tables)


@share(0.3)
@given(content=encoded(csv_texts()))
def test_a_draft_of_any_export_is_a_study_file_or_is_refused(content):
    with tempfile.TemporaryDirectory() as place, explained():
        path = Path(place, "answers.csv")
        path.write_bytes(content)
        draft = draft_study(path)
        assert CANARY not in draft.toml
        Path(place, "study.toml").write_text(draft.toml, encoding="utf-8", newline="\n")
        adds_up(Path(place))
