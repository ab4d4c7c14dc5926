"""Leaving a database as it is: one SELECT, in a transaction that only reads, and not for ever."""

from __future__ import annotations

import re
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from nps_research.errors import ContractError
from nps_research.reading.raw_table import counted

QUERY_SECONDS = 20  # unless the study says otherwise
MOST_BYTES = 1 << 31  # of a table in memory
_SQLITE_MAY = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE}
_NO_CODE = re.compile(  # MySQL runs what is in /*! */
    r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|/\*(?!M?!).*?\*/", re.DOTALL
)
# What one database takes for the start or end of a text or comment, and another does not.
_READ_OTHERWISE = re.compile(
    r"[\\$#`\[\0]|\r(?!\n)|//|--(?![ \t\r\n]|$)|/\*(?:(?!\*/).)*/\*|q'", re.DOTALL | re.IGNORECASE
)
_READS = re.compile(r"[\s(]*(?:select|with|values|from|table)\b", re.IGNORECASE)
_WRITES = re.compile(
    r";|\b(?:alter|attach|create|delete|drop|exec|execute|grant|insert|into|merge|truncate|update"
    r"|backup|commit|dbcc|deny|kill|reconfigure|restore|revoke|rollback|shutdown|updatetext|writetext"
    r"|(?:dis|en)able\s+trigger)\b",
    re.IGNORECASE,
)


def check_one_select(query: str, what: str) -> None:
    """Refuse a query that is anything but one SELECT, before a database sees it.

    Words in texts and comments do not count, unless databases differ in what they take for one.

    Examples
    --------
    >>> check_one_select("SELECT id, nps FROM answers WHERE said = 'delete it';", "surveys.db")
    """
    bare = query if _READ_OTHERWISE.search(query) else _NO_CODE.sub(_without_words, query)
    bare = bare.strip().removesuffix(";")
    if not _READS.match(bare) or _WRITES.search(bare):
        raise ContractError(
            f"{what}: query takes one SELECT that only reads, and this is something else, or more: write it as "
            "one SELECT, or name a table with table = ..."
        )


def _without_words(found: re.Match[str]) -> str:
    """A blank instead of a comment, a name instead of a text or quoted name."""
    return " " if found[0].startswith(("--", "/*")) else " x "


def only_read(connection: sa.Connection, seconds: int) -> None:
    """Begin a transaction that cannot write, where the database knows such; it is rolled back in any case."""
    dialect = connection.dialect
    if dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA query_only = ON")
    elif dialect.name in ("mysql", "mariadb"):
        is_mariadb = dialect.name == "mariadb" or getattr(dialect, "is_mariadb", False)
        limit = f"max_statement_time = {seconds}" if is_mariadb else f"max_execution_time = {1000 * seconds}"
        connection.exec_driver_sql(f"SET SESSION {limit}")
        connection.exec_driver_sql("START TRANSACTION READ ONLY")
    elif dialect.name == "postgresql":
        connection.exec_driver_sql(f"SET LOCAL statement_timeout = {1000 * seconds}")
    else:
        try:
            connection.exec_driver_sql("SET TRANSACTION READ ONLY")
        except SQLAlchemyError:  # SQL Server has none: there the query's own words must do
            connection.rollback()


def only_select(connection: sa.Connection) -> None:
    """From now on SQLite itself refuses whatever is no SELECT: ATTACH, VACUUM INTO, PRAGMA, ..."""
    raw: Any = connection.connection.driver_connection
    if isinstance(raw, sqlite3.Connection):
        raw.set_authorizer(lambda action, *_: sqlite3.SQLITE_OK if action in _SQLITE_MAY else sqlite3.SQLITE_DENY)


def stop_of(connection: sa.Connection) -> Callable[[], object]:
    """What another thread calls to stop the connection's statement."""
    raw: Any = connection.connection.driver_connection
    stop: Callable[[], object] = getattr(raw, "interrupt", None) or getattr(raw, "cancel", None) or (lambda: None)
    return stop


class Limits:
    """What reading may take: seconds, told by `is_over`, and bytes."""

    def __init__(self, what: str, seconds: int) -> None:
        self.what, self.seconds = what, seconds
        self.is_over = threading.Event()
        self._bytes = 0

    @contextmanager
    def watched(self, stop: Callable[[], object]) -> Iterator[None]:
        """Stop what runs within, and say so, where it takes longer."""

        def end() -> None:
            self.is_over.set()
            with suppress(Exception):  # it has just ended by itself
                stop()

        timer = threading.Timer(self.seconds, end)
        timer.daemon = True
        timer.start()
        try:
            yield
            self.check()
        except Exception:
            self.check()
            raise
        finally:
            timer.cancel()

    def check(self, n_bytes: int = 0) -> None:
        """Refuse to go on past the time, or past so many bytes more."""
        self._bytes += n_bytes
        if self.is_over.is_set():
            raise ContractError(
                f"{self.what}: stopped after {counted(self.seconds, 'second')}: ask for less, or allow more by "
                "query_seconds = ..."
            ) from None
        if self._bytes > MOST_BYTES:
            raise ContractError(f"{self.what} gives more than {MOST_BYTES >> 30} GB: ask for fewer rows or columns")
