"""Databases: a DuckDB or SQLite file, or whatever SQLAlchemy reaches by a URL.

They are opened to be read only (`read_only`). Errors say what went wrong by the kind of error alone: the text that a
database gives with it can hold values, and its URL a password.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

import duckdb
import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError

from nps_research.errors import ContractError, did_you_mean
from nps_research.reading.raw_table import RawTable, Reading, arrow_of_cells, arrow_of_parts, counted, table_of_arrow
from nps_research.reading.read_only import QUERY_SECONDS, Limits, check_one_select, only_read, only_select, stop_of

_Tables = dict[str, tuple[str | None, str]]  # as study.toml may state them -> schema, name
_SQLITE = b"SQLite format 3\0"
_DUCKDB = b"DUCK"  # behind a checksum of eight bytes
_ROWS_FETCHED = 2_000  # at once, and fewer where they are long
_BYTES_FETCHED = 1 << 25
_SECONDS_TO_CONNECT = 15
_SERVERS = ("postgresql", "mysql", "mariadb")  # whose drivers take a limit to connect
_SYSTEM_SCHEMAS = ("information_schema", "pg_catalog", "pg_toast", "sys", "mysql", "performance_schema")
_COLON = re.compile(r"(?<![:\w\\]):(?=\w)")  # SQLAlchemy would take it for the start of a parameter
_REASONS = {
    ("CatalogException", "UndefinedTable", "UndefinedFunction"): "it names a table or function that is not there",
    ("BinderException", "UndefinedColumn"): "it names a column that is not there",
    ("ParserException", "SyntaxError"): "it is not valid SQL, or more than a single select",
    ("PermissionException", "InsufficientPrivilege"): "the right to read what it names is lacking",
    ("InvalidInputException", "ReadOnlySqlTransaction"): "it would change the database, or read outside it",
}


def read_database_file(path: Path, columns: Sequence[str] | None, reading: Reading) -> RawTable:
    """Read a table or query of a DuckDB or SQLite file, told apart by their first bytes."""
    with path.open("rb") as file:
        start = file.read(16)
    if start == _SQLITE:
        return _read_engine(sa.create_engine(_sqlite_url(path)), path, columns, reading)
    if start[8:12] == _DUCKDB:
        return _read_duckdb(path, columns, reading)
    raise ContractError(f"{path.name} is neither a DuckDB nor a SQLite database: it is damaged, or another format")


def read_database(url_variable: str, columns: Sequence[str] | None, reading: Reading) -> RawTable:
    """Read a table or query of the database whose URL an environment variable holds.

    Parameters
    ----------
    url_variable : str
        Name of the variable, e.g. ``SURVEY_DB``; its value is a URL as SQLAlchemy reads them,
        e.g. ``postgresql://reader@host/surveys``.
    columns : sequence of str or None
        Columns to keep; all where None.
    reading : Reading
        States ``table`` or ``query``.

    Raises
    ------
    ContractError
        The variable is not set or holds no URL, the driver is not installed, the database cannot be
        reached, refuses the query, or goes away before the last row.
    """
    stated = os.environ.get(url_variable)
    if not stated:
        raise ContractError(f"the environment variable {url_variable}, which is to hold the database's URL, is not set")
    try:
        url = sa.make_url(stated)
        if url.drivername == "postgresql":  # psycopg, where SQLAlchemy 2.0 would take its predecessor
            url = url.set(drivername="postgresql+psycopg")
        elif url.get_backend_name() == "sqlite" and url.database:
            url = _sqlite_url(Path(url.database))
        limit = {"connect_timeout": _SECONDS_TO_CONNECT} if url.get_backend_name() in _SERVERS else {}
        engine = sa.create_engine(url, connect_args=limit)
    except ModuleNotFoundError as error:
        raise ContractError(
            f"{url_variable}: the driver {error.name} is not installed (for PostgreSQL: pip install 'psycopg[binary]')"
        ) from None
    except (ArgumentError, NoSuchModuleError, ValueError):
        raise ContractError(
            f"{url_variable} holds no database URL, such as postgresql://host/name, or names an unknown database"
        ) from None
    return _read_engine(engine, Path(url_variable), columns, reading)


def _sqlite_url(path: Path) -> sa.URL:
    """SQLite's address of a file to be read; nothing is put beside one that no program has open."""
    place = path.resolve()
    is_open = any(place.with_name(f"{place.name}{end}").exists() for end in ("-wal", "-journal"))
    how = {"mode": "ro"} if is_open else {"mode": "ro", "immutable": "1"}
    return sa.URL.create("sqlite", database=place.as_uri(), query={**how, "uri": "true"})


# DuckDB


def _read_duckdb(path: Path, columns: Sequence[str] | None, reading: Reading) -> RawTable:
    try:
        # A query may look at the tables of this file, and at nothing else on the machine; nothing is put beside it.
        connection = duckdb.connect(
            str(path), read_only=True, config={"enable_external_access": "false", "temp_directory": ""}
        )
    except duckdb.Error:
        raise ContractError(
            f"{path.name} cannot be opened as a DuckDB file: it is damaged, of a newer version, "
            "or another program holds it open for writing"
        ) from None
    chosen: str | None = None
    notes: tuple[str, ...] = ()
    query = reading.query
    limits = _limits_of(path.name, reading)
    try:
        with connection, limits.watched(connection.interrupt):
            if query is None:
                tables = _duckdb_tables(connection)
                chosen, notes = _choose_table(path.name, tables, reading.table)
                query = "FROM " + ".".join('"' + str(part).replace('"', '""') + '"' for part in tables[chosen])
            relation = connection.sql(query)
            if relation is None:
                raise _no_rows(path.name)
            batches = relation.to_arrow_reader(_ROWS_FETCHED)
            kept = []
            for batch in batches:
                limits.check(batch.nbytes)
                kept.append(batch)
            table = pa.Table.from_batches(kept, batches.schema)
    except (duckdb.Error, pa.ArrowException, OSError) as error:
        raise ContractError(f"{path.name}: the query failed: {_fault_in_words(type(error).__name__)}") from None
    return _ended_query(table, path, columns, reading, chosen, notes)


def _duckdb_tables(connection: duckdb.DuckDBPyConnection) -> _Tables:
    found = connection.execute(
        "SELECT schema_name, table_name FROM duckdb_tables() WHERE NOT internal UNION ALL "
        "SELECT schema_name, view_name FROM duckdb_views() WHERE NOT internal ORDER BY ALL"
    ).fetchall()
    return {name if schema == "main" else f"{schema}.{name}": (schema, name) for schema, name in found}


# SQLAlchemy


def _read_engine(engine: sa.Engine, path: Path, columns: Sequence[str] | None, reading: Reading) -> RawTable:
    what, chosen = path.name, None
    notes: tuple[str, ...] = ()
    parts: list[list[pa.Array]] = []
    fetched, connected = 0, False
    limits = _limits_of(what, reading)
    try:
        with engine.connect() as connection, limits.watched(stop_of(connection)):
            connected = True
            connection = connection.execution_options(postgresql_readonly=True)
            only_read(connection, limits.seconds)
            if reading.query is not None:
                query: sa.Executable = sa.text(_COLON.sub(r"\:", reading.query))
            else:
                tables = _tables(connection)
                chosen, notes = _choose_table(what, tables, reading.table)
                schema, name = tables[chosen]
                key = sa.inspect(connection).get_pk_constraint(name, schema)["constrained_columns"]
                notes = notes if key else (*notes, "rows in the order in which the database gives them: no primary key")
                query = (
                    sa.select(sa.text("*")).select_from(sa.table(name, schema=schema)).order_by(*map(sa.column, key))
                )
            only_select(connection)
            with connection.execute(query, execution_options={"stream_results": True}) as result:
                if not result.returns_rows:
                    raise _no_rows(what)
                names = list(result.keys())
                wanted = _ROWS_FETCHED
                while rows := result.fetchmany(wanted):
                    parts.append([arrow_of_cells(cells) for cells in zip(*rows, strict=True)])
                    fetched += len(rows)
                    n_bytes = sum(part.nbytes for part in parts[-1])
                    limits.check(n_bytes)
                    wanted = min(_ROWS_FETCHED, max(1, _BYTES_FETCHED * len(rows) // max(1, n_bytes)))
    except SQLAlchemyError as error:
        raise ContractError(f"{what}: {_what_failed(error, connected, fetched)}") from None
    finally:
        engine.dispose()
    arrays = [arrow_of_parts([part[position] for part in parts]) for position in range(len(names))]
    return _ended_query(pa.table(arrays, names=names), path, columns, reading, chosen, notes)


def _tables(connection: sa.Connection) -> _Tables:
    """Tables and views of the default schema by name, those of others as ``schema.name``."""
    inspector = sa.inspect(connection)
    own = inspector.default_schema_name
    return {
        name if schema == own else f"{schema}.{name}": (schema, name)
        for schema in inspector.get_schema_names()
        if schema.lower() not in _SYSTEM_SCHEMAS
        for name in sorted([*inspector.get_table_names(schema), *inspector.get_view_names(schema)])
    }


def _what_failed(error: SQLAlchemyError, connected: bool, fetched: int) -> str:
    kind = type(error.orig if isinstance(error, DBAPIError) else error).__name__
    if not connected:
        return (
            f"the database cannot be reached or read ({kind}): check its address, the user's rights, and that it runs"
        )
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return f"the database went away after {counted(fetched, 'row')}; none of them is used"
    return f"the query failed: {_fault_in_words(kind)}"


# Both


def _limits_of(what: str, reading: Reading) -> Limits:
    """What reading may take; a query that is none is refused here."""
    if reading.query is not None:
        check_one_select(reading.query, what)
    return Limits(what, reading.query_seconds or QUERY_SECONDS)


def _choose_table(what: str, tables: _Tables, stated: str | None) -> tuple[str, tuple[str, ...]]:
    if stated is not None:
        if stated not in tables:
            raise ContractError(f"{what}: there is no table {stated!r}{did_you_mean(stated, list(tables))}")
        return stated, ()
    if len(tables) == 1:
        (only,) = tables
        return only, (f"table {only!r}, the only one",)
    if not tables:
        raise ContractError(f"{what} is empty: it holds no table")
    raise ContractError(f"{what} holds {len(tables)} tables: state table = ... or query = ... ({', '.join(tables)})")


def _no_rows(what: str) -> ContractError:
    return ContractError(f"{what}: the query gives no table: a select is needed")


def _fault_in_words(kind: str) -> str:
    """What an error of a database says by its class; nothing of its text."""
    known = next((reason for kinds, reason in _REASONS.items() if kind in kinds), None)
    return known or f"the database refused it ({kind})"


def _ended_query(
    table: pa.Table,
    path: Path,
    columns: Sequence[str] | None,
    reading: Reading,
    chosen: str | None,
    notes: Sequence[str],
) -> RawTable:
    return table_of_arrow(
        table,
        path,
        columns,
        read_with={"table": chosen} if chosen else {},
        notes=(*reading.unused("a database", "table", "query", "query_seconds"), *notes),
    )
