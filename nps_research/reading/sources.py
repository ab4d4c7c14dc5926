"""Where tables come from: one reader per format behind `read_table`, and databases behind `read_source`.

Nothing is repaired on the way in. Text arrives as it stands in the source but for surrounding blanks;
what was detected rather than stated is said in the notes; a record that cannot be read is listed
with its line and reason, never dropped.
"""

from __future__ import annotations

import codecs
import hashlib
import os
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path

import pandas as pd
import pyarrow as pa
from pyarrow import parquet

from nps_research.errors import ContractError, check_no_address
from nps_research.reading.containers import kind_of
from nps_research.reading.delimited import read_delimited
from nps_research.reading.file_settings import FileSettings
from nps_research.reading.raw_table import RawTable, Reading, table_of_arrow, wanted_names


def read_table(
    path: Path,
    *,
    columns: Sequence[str] | None = None,
    encoding: str | None = None,
    separator: str | None = None,
    sheet: str | None = None,
    header_rows: int | None = None,
    table: str | None = None,
    query: str | None = None,
    query_seconds: int | None = None,
    value_labels: Sequence[str] = (),
) -> RawTable:
    r"""Read one file as it stands.

    Parameters
    ----------
    path : Path
        ``.csv``, ``.tsv`` or ``.txt`` (text with separators), also packed (``.gz``, ``.zip``), ``.xlsx``, ``.xlsm``
        (Excel), ``.sav``, ``.zsav`` (SPSS), ``.parquet``, or ``.duckdb``, ``.db``, ``.sqlite`` (DuckDB or SQLite).
        Where the first bytes say that the file is another of these, they are believed.
    columns : sequence of str, optional
        Columns to keep; all by default. A name the file lacks is left out: compare with `RawTable.header`.
    encoding, separator, sheet, header_rows, table, query, query_seconds, value_labels : optional
        As in `Reading`; detected where not given.

    Returns
    -------
    RawTable

    Raises
    ------
    ContractError
        The file is missing, empty, damaged, protected, of another format, or does not decode; or it holds
        nothing such as is stated: no such encoding, separator, sheet, table.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp(), "answers.csv")
    >>> _ = path.write_text("id;nps\n1;9\n2; 10\n3;9;9\n")
    >>> table = read_table(path)
    >>> table.frame["nps"].tolist(), table.line.tolist()
    (['9', '10'], [2, 3])
    >>> table.rejected.to_dict("records")
    [{'line': 4, 'reason': 'has 3 fields where the header has 2'}]
    """
    check_no_address(path, "What is to be read")
    try:
        _check_file(path)
    except OSError as error:  # no right to look, or a name that no file can have
        raise ContractError(f"{path.name[:80]!r} cannot be read: {error.strerror}") from None
    named = _KINDS.get(path.suffix.lower())
    if named is None:
        raise ContractError(f"{path.name}: files ending in {path.suffix!r} are not read; allowed: {', '.join(_KINDS)}")
    reading = Reading(
        encoding=encoding,
        separator=separator,
        sheet=sheet,
        header_rows=header_rows,
        table=table,
        query=query,
        query_seconds=query_seconds,
        value_labels=tuple(value_labels),
    )
    try:
        kind = kind_of(path)
        if kind in ("text", "packed"):
            _check_text_is_meant(path, named, kind)
            return _READERS[named](path, columns, reading)
        raw = _READERS[kind](path, columns, reading)
        if kind == named:
            return raw
        note = f"named {path.suffix}, but {_IN_WORDS[kind]} by its first bytes, and read as one"
        return replace(raw, notes=(note, *raw.notes))
    except OSError as error:
        raise ContractError(f"{path.name} cannot be read: {error.strerror or type(error).__name__}") from None


def read_source(source: FileSettings, folder: Path, *, columns: Sequence[str] | None = None) -> RawTable:
    """Read what a study.toml names: a file in `folder`, or a table or query behind a database's URL.

    Parameters
    ----------
    source : FileSettings
        One of `TableSettings.sources`.
    folder : Path
        Folder of the tables.
    columns : sequence of str, optional
        Columns to keep; all by default.

    Raises
    ------
    ContractError
        As `read_table` does; or the database cannot be reached, or goes away.
    """
    reading = Reading(**{key: getattr(source, key) for key in Reading.__dataclass_fields__})
    if source.url_variable is not None:
        from nps_research.reading.database import read_database

        return read_database(source.url_variable, columns, reading)
    return read_table(path_inside(folder, source.file or ""), columns=columns, **vars(reading))


def path_inside(folder: Path, file: str) -> Path:
    """The path of a file in the data folder; ContractError where a link leads out of it."""
    path = folder / file
    with suppress(ValueError):  # a name that no file can have
        if not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder)):
            raise ContractError(f"{file} is a link that leads out of the data folder: put the file itself inside")
    return path


def sha256_of(paths: Iterable[Path], frames: Iterable[pd.DataFrame] = ()) -> str:
    """Hash of the names (without folders) and contents of files, in the order given, and of tables from databases.

    Examples
    --------
    >>> sha256_of([])[:12]
    'e3b0c44298fc'
    """
    digest = hashlib.sha256()
    for path in paths:
        with path.open("rb") as file:
            digest.update(path.name.encode() + b"\0" + hashlib.file_digest(file, "sha256").digest())
    for frame in frames:
        digest.update("\0".join(map(str, frame.columns)).encode())
        digest.update(pd.util.hash_pandas_object(frame.astype("str"), index=False).to_numpy().tobytes())
    return digest.hexdigest()


def _check_file(path: Path) -> None:
    if path.is_dir():
        raise ContractError(f"{path.name} is a folder where a file is expected")
    if not path.is_file():
        folder = path.parent
        names = sorted(file.name for file in folder.iterdir() if file.is_file()) if folder.is_dir() else []
        close = get_close_matches(path.name, names)
        hint = f"; did you mean {' or '.join(map(repr, close))}?" if close else ""
        raise ContractError(f"there is no file {path.name!r} in the folder {folder.name!r}{hint}")
    if path.stat().st_size == 0:
        raise ContractError(f"{path.name} is empty: 0 bytes, where a header and records are expected")


def _check_text_is_meant(path: Path, named: str, kind: str) -> None:
    """Refuse text that is no table, or has the name of a workbook, in words that help; others refuse by themselves."""
    if kind != "text":
        return
    with path.open("rb") as file:
        start = file.read(4096)
    if start.removeprefix(codecs.BOM_UTF8).lstrip().lower().startswith(_WEB_PAGE):
        raise ContractError(
            f"{path.name} is a web page, not a table: what was saved may ask to sign in, or show the table. "
            "Download the export again, as .csv or .xlsx"
        )
    if named == "workbook" and start and 0 not in start and b"\n" in start:
        raise ContractError(
            f"{path.name} cannot be read as a workbook: its first bytes are text. Named .csv, it is read as a table"
        )


def _read_parquet(path: Path, columns: Sequence[str] | None, reading: Reading) -> RawTable:
    try:
        with parquet.ParquetFile(path) as file:
            names = file.schema_arrow.names
            table = file.read(columns=wanted_names(names, columns))
    except (pa.ArrowException, OSError):
        raise ContractError(f"{path.name} cannot be read as Parquet: it is damaged, or another format") from None
    return table_of_arrow(table, path, columns, names=names, notes=reading.unused("Parquet"))


# The libraries behind these three are slow to import, and most studies need none of them.


def _read_workbook(path: Path, columns: Sequence[str] | None, reading: Reading) -> RawTable:
    from nps_research.reading.workbook import read_workbook

    return read_workbook(path, columns, reading)


def _read_spss(path: Path, columns: Sequence[str] | None, reading: Reading) -> RawTable:
    from nps_research.reading.spss import read_spss

    return read_spss(path, columns, reading)


def _read_database_file(path: Path, columns: Sequence[str] | None, reading: Reading) -> RawTable:
    from nps_research.reading.database import read_database_file

    return read_database_file(path, columns, reading)


_Reader = Callable[[Path, Sequence[str] | None, Reading], RawTable]
_READERS: dict[str, _Reader] = {
    "text": read_delimited,
    "workbook": _read_workbook,
    "spss": _read_spss,
    "parquet": _read_parquet,
    "database": _read_database_file,
}
_KINDS = {
    **dict.fromkeys((".csv", ".tsv", ".txt"), "text"),
    **dict.fromkeys((".xlsx", ".xlsm"), "workbook"),
    **dict.fromkeys((".sav", ".zsav"), "spss"),
    ".parquet": "parquet",
    **dict.fromkeys((".duckdb", ".db", ".sqlite"), "database"),
    **dict.fromkeys((".gz", ".zip"), "text"),
}
_WEB_PAGE = (b"<!doctype", b"<html", b"<head", b"<body", b"<table", b"<?xml")
_IN_WORDS = {"workbook": "a workbook", "spss": "an SPSS file", "parquet": "a Parquet file", "database": "a database"}
