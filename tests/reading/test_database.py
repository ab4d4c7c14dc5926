import datetime as dt
import sqlite3
from decimal import Decimal

import duckdb
import pandas as pd
import pytest
import sqlalchemy as sa

from nps_research.errors import ContractError
from nps_research.reading import database
from nps_research.reading.raw_table import Reading
from nps_research.reading.sources import read_table
from tests.support.postgresql import postgresql_url  # noqa: F401  (a fixture)

ROWS = [("a", 9, dt.date(2025, 12, 31), None), ("b", None, None, 0.1), ("c", 0, dt.date(2025, 1, 1), 1 / 3)]


def duckdb_file(folder, *statements, name="surveys.duckdb"):
    with duckdb.connect(str(folder / name)) as connection:
        connection.execute("CREATE TABLE answers (id VARCHAR, nps INTEGER, day DATE, weight DOUBLE)")
        connection.executemany("INSERT INTO answers VALUES (?, ?, ?, ?)", ROWS)
        for statement in statements:
            connection.execute(statement)
    return folder / name


def sqlite_file(folder, *statements, name="surveys.sqlite"):
    connection = sqlite3.connect(folder / name)
    with connection:
        connection.execute("CREATE TABLE answers (id TEXT, nps INTEGER, day TEXT, weight REAL)")
        rows = [(who, nps, day and day.isoformat(), weight) for who, nps, day, weight in ROWS]
        connection.executemany("INSERT INTO answers VALUES (?, ?, ?, ?)", rows)
        for statement in statements:
            connection.execute(statement)
    connection.close()
    return folder / name


def postgresql_table(url, name="answers", rows=ROWS):
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql(f'DROP TABLE IF EXISTS "{name}"')
        connection.exec_driver_sql(f'CREATE TABLE "{name}" (id text, nps integer, day date, weight double precision)')
        connection.execute(
            sa.text(f'INSERT INTO "{name}" VALUES (:id, :nps, :day, :weight)'),  # noqa: S608
            [dict(zip(("id", "nps", "day", "weight"), row, strict=True)) for row in rows],
        )
    engine.dispose()


def read_url(variable="SURVEY_DB", columns=None, **stated):
    return database.read_database(variable, columns, Reading(**stated))


def assert_rows(table):
    assert table.header == ("id", "nps", "day", "weight")
    assert table.frame["id"].tolist() == ["a", "b", "c"]
    assert table.frame["nps"].tolist() == [9, pd.NA, 0]
    assert str(table.frame["nps"].dtype).startswith("Int")
    assert table.frame["day"].fillna("-").tolist() == ["2025-12-31", "-", "2025-01-01"]
    assert table.frame["weight"].fillna(-1).tolist() == [-1, 0.1, 1 / 3]
    assert table.line.tolist() == [1, 2, 3]


# Files


@pytest.mark.parametrize(
    ("made", "name"),
    [
        (duckdb_file, "surveys.duckdb"), (duckdb_file, "surveys.db"),
        (sqlite_file, "surveys.sqlite"), (sqlite_file, "with # and ?.db"),
    ],
)  # fmt: skip
def test_the_only_table_of_a_file_is_read_and_said(tmp_path, made, name):
    table = read_table(made(tmp_path, name=name))
    assert_rows(table)
    assert table.notes[0] == "table 'answers', the only one"
    unordered = "rows in the order in which the database gives them: no primary key"
    assert (unordered in table.notes) == (made is sqlite_file)  # DuckDB keeps the order in which rows were put in
    assert table.read_with == {"table": "answers"}


@pytest.mark.parametrize("made", [duckdb_file, sqlite_file])
def test_a_stated_table_view_or_query(tmp_path, made):
    path = made(tmp_path, 'CREATE VIEW "we say ""high""" AS SELECT * FROM answers WHERE nps > 5')
    assert_rows(read_table(path, table="answers"))
    assert read_table(path, table='we say "high"').frame["id"].tolist() == ["a"]
    table = read_table(
        path, query="SELECT id, nps AS score FROM answers WHERE id LIKE 'b%' OR id = ':c' OR nps = 0 ORDER BY id"
    )
    assert (table.header, table.frame["id"].tolist(), table.notes) == (("id", "score"), ["b", "c"], ())


def test_a_table_comes_in_the_order_of_its_primary_key(tmp_path):
    keyed = (
        "CREATE TABLE keyed (id TEXT PRIMARY KEY, nps INTEGER)",
        "INSERT INTO keyed VALUES ('c', 1), ('a', 2), ('b', 3)",
    )
    table = read_table(sqlite_file(tmp_path, *keyed), table="keyed")
    assert (table.frame["id"].tolist(), table.notes) == (["a", "b", "c"], ())


@pytest.mark.parametrize("made", [duckdb_file, sqlite_file])
def test_of_several_tables_one_must_be_stated(tmp_path, made):
    path = made(tmp_path, "CREATE TABLE customers (id INTEGER)")
    with pytest.raises(ContractError, match=rf"^{path.name} holds 2 tables: state table = .*\(answers, customers\)$"):
        read_table(path)
    with pytest.raises(ContractError, match=rf"^{path.name}: there is no table 'answer': did you mean answers\?$"):
        read_table(path, table="answer")


@pytest.mark.parametrize("made", [duckdb_file, sqlite_file])
def test_a_file_without_a_table(tmp_path, made):
    path = made(tmp_path, "DROP TABLE answers")
    with pytest.raises(ContractError, match=rf"^{path.name} is empty: it holds no table$"):
        read_table(path)


def test_tables_of_another_schema(tmp_path):
    path = duckdb_file(tmp_path, "CREATE SCHEMA survey", "CREATE TABLE survey.answers AS SELECT 7 AS nps")
    assert read_table(path, table="survey.answers").frame["nps"].tolist() == [7]


def test_types_of_duckdb_become_plain_ones(tmp_path):
    kinds = (
        "SELECT 12.50::DECIMAL(9,2) AS revenue, 170141183460469231731687303715884105727::HUGEINT AS huge, "
        "'a'::ENUM('a', 'b') AS word, TRUE AS yes, TIMESTAMP '2025-12-31 09:30:00' AS at, 'x'::BLOB AS bytes"
    )
    frame = read_table(duckdb_file(tmp_path), query=kinds).frame
    assert Decimal(frame["revenue"][0]) == Decimal("12.50")
    assert frame["huge"].tolist() == ["170141183460469231731687303715884105727"]
    assert frame[["word", "bytes"]].to_numpy().tolist() == [["a", "x"]]
    assert (str(frame["yes"].dtype), frame["yes"][0]) == ("boolean", True)
    assert frame["at"].tolist() == [pd.Timestamp("2025-12-31 09:30")]


def test_a_column_of_several_kinds_becomes_text(tmp_path, monkeypatch):
    monkeypatch.setattr(database, "_ROWS_FETCHED", 2)
    rows = "(NULL), (1), (2.0), ('word'), (3.5), (x'61')"
    path = sqlite_file(tmp_path, "CREATE TABLE mixed (cell)", f"INSERT INTO mixed VALUES {rows}")  # noqa: S608
    assert read_table(path, table="mixed").frame["cell"].fillna("-").tolist() == ["-", "1", "2", "word", "3.5", "a"]


QUERIES = {
    "SELECT id FROM answer": r"it names a table or function that is not there",
    "SELECT SECRET FROM answers": r"it names a column that is not there",
    "SELECT FROM WHERE": r"it is not valid SQL",
}


@pytest.mark.parametrize("query", QUERIES)
@pytest.mark.parametrize("made", [duckdb_file, sqlite_file])
def test_a_query_that_fails(tmp_path, made, query):
    path = made(tmp_path)
    before = path.read_bytes()
    reason = QUERIES[query] if made is duckdb_file else r"the database refused it \(OperationalError\)"
    with pytest.raises(ContractError, match=rf"^{path.name}: the query failed: ({reason})") as caught:
        read_table(path, query=query)
    assert path.read_bytes() == before
    assert "SECRET" not in str(caught.value)


@pytest.mark.parametrize("query", ["SELEC id", "DELETE FROM answers", "CREATE TABLE more (id INTEGER)"])
@pytest.mark.parametrize("made", [duckdb_file, sqlite_file])
def test_a_query_that_would_write(tmp_path, made, query):
    path = made(tmp_path)
    before = path.read_bytes()
    with pytest.raises(ContractError, match=rf"^{path.name}: query takes one SELECT that only reads"):
        read_table(path, query=query)
    assert path.read_bytes() == before


def test_a_query_sees_no_other_file(tmp_path):
    (tmp_path / "other.csv").write_text("a,b\nSECRET,2\n")
    with pytest.raises(ContractError, match="the right to read what it names is lacking"):
        read_table(duckdb_file(tmp_path), query=f"FROM read_csv('{tmp_path}/other.csv')")


def test_a_cell_that_a_query_cannot_read_is_not_shown(tmp_path):
    path = duckdb_file(tmp_path, "UPDATE answers SET id = 'SECRET'")
    with pytest.raises(ContractError, match=r"refused it \(ConversionException\)") as caught:
        read_table(path, query="SELECT id::INTEGER FROM answers")
    assert "SECRET" not in str(caught.value)


@pytest.mark.parametrize("made", [duckdb_file, sqlite_file])
@pytest.mark.parametrize(
    "damage",
    [lambda c: c[:200], lambda c: b"id,nps\nSECRET,9\n" * 9, lambda c: c[:100] + b"\xff" * (len(c) - 100)],
    ids=["cut", "another format", "overwritten"],
)  # fmt: skip
def test_a_damaged_file(tmp_path, made, damage):
    path = made(tmp_path)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(
        ContractError, match=rf"^{path.name}\b.* (damaged|cannot be reached or read|query failed)"
    ) as caught:
        read_table(path)
    assert "SECRET" not in str(caught.value)
    assert str(tmp_path) not in str(caught.value)


# URLs


@pytest.fixture
def sqlite_url(tmp_path, monkeypatch):
    path = sqlite_file(tmp_path)
    monkeypatch.setenv("SURVEY_DB", f"sqlite:///{path}")
    return path


def test_a_url_to_sqlite(sqlite_url):
    table = read_url()
    assert_rows(table)
    assert (table.path.name, table.read_with) == ("SURVEY_DB", {"table": "answers"})
    assert read_url(query="SELECT nps FROM answers", columns=["nps", "x"]).frame["nps"].tolist() == [9, pd.NA, 0]


def test_a_url_to_a_file_that_is_not_there_makes_none(tmp_path, monkeypatch):
    monkeypatch.setenv("SURVEY_DB", f"sqlite:///{tmp_path}/nothing.sqlite")
    with pytest.raises(ContractError, match=r"^SURVEY_DB: the database cannot be reached") as caught:
        read_url(table="answers")
    assert str(tmp_path) not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_variable_that_is_not_set(monkeypatch):
    monkeypatch.delenv("SURVEY_DB", raising=False)
    with pytest.raises(ContractError, match=r"variable SURVEY_DB, .* is not set$"):
        read_url()


@pytest.mark.parametrize("url", ["PASSWORD", "nosql://u:PASSWORD@host/x", "postgresql://u:PASSWORD@host:port/x"])
def test_a_variable_that_holds_no_url(monkeypatch, url):
    monkeypatch.setenv("SURVEY_DB", url)
    with pytest.raises(ContractError, match=r"^SURVEY_DB holds no database URL") as caught:
        read_url()
    assert "PASSWORD" not in str(caught.value)


def test_a_driver_that_is_not_installed(monkeypatch):
    monkeypatch.setenv("SURVEY_DB", "mysql+mysqldb://u:PASSWORD@host/x")
    with pytest.raises(ContractError, match=r"^SURVEY_DB: the driver MySQLdb is not installed") as caught:
        read_url()
    assert "PASSWORD" not in str(caught.value)


# PostgreSQL


@pytest.fixture
def in_postgresql(postgresql_url, monkeypatch):  # noqa: F811
    postgresql_table(postgresql_url)
    monkeypatch.setenv("SURVEY_DB", postgresql_url)
    return postgresql_url


def statement(url, sql):
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        result = connection.exec_driver_sql(sql)
        rows = result.fetchall() if result.returns_rows else []
    engine.dispose()
    return rows


def test_postgresql_by_table_and_by_query(in_postgresql, monkeypatch):
    assert_rows(read_url(table="answers"))
    query = "SELECT id, nps::text AS nps FROM answers WHERE id LIKE 'a%' OR id = ' :b' ORDER BY id"
    assert read_url(query=query).frame.to_numpy().tolist() == [["a", "9"]]
    monkeypatch.setenv("SURVEY_DB", in_postgresql.replace("postgresql+psycopg", "postgresql"))
    assert_rows(read_url(table="answers"))


def test_postgresql_knows_its_tables(in_postgresql):
    statement(in_postgresql, "CREATE SCHEMA IF NOT EXISTS polls")
    statement(in_postgresql, 'CREATE OR REPLACE VIEW polls."High Scores" AS SELECT 9 AS nps')
    assert read_url(table="polls.High Scores").frame["nps"].tolist() == [9]
    with pytest.raises(ContractError, match=r"^SURVEY_DB: there is no table 'answerz': did you mean answers\?$"):
        read_url(table="answerz")


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("SELECT * FROM nowhere", "it names a table or function that is not there"),
        ("SELECT nothing FROM answers", "it names a column that is not there"),
        ("SELECT FROM WHERE", "it is not valid SQL"),
        ("SELECT setval('s', 1)", "it would change the database, or read outside it"),
        ("SELECT ('SECRET' || id)::integer FROM answers", r"the database refused it \(InvalidTextRepresentation\)"),
    ],
)
def test_a_query_that_postgresql_refuses(in_postgresql, query, said):
    statement(in_postgresql, "CREATE SEQUENCE IF NOT EXISTS s")
    with pytest.raises(ContractError, match=f"^SURVEY_DB: the query failed: {said}") as caught:
        read_url(query=query)
    assert "SECRET" not in str(caught.value)
    assert statement(in_postgresql, "SELECT count(*) FROM answers")[0][0] == 3


def test_postgresql_gone_half_way(in_postgresql, monkeypatch):
    rows = [(f"r{row}", row % 11, None, None) for row in range(30_000)]
    postgresql_table(in_postgresql, "many", rows)
    monkeypatch.setattr(database, "_ROWS_FETCHED", 5_000)
    assert len(read_url(table="many").frame) == 30_000
    as_arrow, calls = database.arrow_of_cells, []

    def cut_off(cells):
        if not calls:
            calls.append(len(cells))
            others = "pid <> pg_backend_pid() AND backend_type = 'client backend'"
            kill = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}"  # noqa: S608
            killed = statement(in_postgresql, kill)
            assert killed == [(True,)]
        return as_arrow(cells)

    monkeypatch.setattr(database, "arrow_of_cells", cut_off)
    with pytest.raises(ContractError, match=r"^SURVEY_DB: the database went away after 5,000 rows; none") as caught:
        read_url(table="many")
    assert calls == [5_000]
    assert "not-for-others" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_a_server_that_is_not_there(postgresql_url, tmp_path, monkeypatch):  # noqa: F811
    monkeypatch.setenv("SURVEY_DB", f"postgresql://u:PASSWORD@/x?host={tmp_path}")
    with pytest.raises(ContractError, match=r"^SURVEY_DB: the database cannot be reached") as caught:
        read_url(table="answers")
    assert "PASSWORD" not in str(caught.value)
    assert str(tmp_path) not in str(caught.value)
