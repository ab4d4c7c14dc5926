"""What a file is by its first bytes, whatever its name says; text inside gzip and zip is unpacked."""

from __future__ import annotations

import gzip
import io
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from nps_research.errors import ContractError

OLD_CONTAINER = bytes.fromhex("d0cf11e0a1b11ae1")  # of .xls, and of a workbook with a password
_GZIP = b"\x1f\x8b"
_ZIP = b"PK\x03\x04"
_KINDS_BY_BYTES = {
    OLD_CONTAINER: "workbook",
    b"PAR1": "parquet",
    b"$FL2": "spss",
    b"$FL3": "spss",
    b"SQLite format 3\0": "database",
}
_LARGEST = 1 << 30


@dataclass(frozen=True)
class FileContent:
    """The bytes of a text file, to be opened as often as needed; `name` is said in errors."""

    name: str
    open: Callable[[], BinaryIO]
    notes: tuple[str, ...] = ()


def kind_of(path: Path) -> str:
    """What the first bytes say: workbook, parquet, spss, database, packed, or else text."""
    with path.open("rb") as file:
        start = file.read(16)
    if start.startswith(_ZIP):
        return "workbook" if _is_workbook(path) else "packed"
    if start.startswith(_GZIP):
        return "packed"
    if start[8:12] == b"DUCK":
        return "database"
    return next((kind for mark, kind in _KINDS_BY_BYTES.items() if start.startswith(mark)), "text")


def text_content(path: Path) -> FileContent:
    """The text of a file, unpacked where it is packed.

    Raises
    ------
    ContractError
        It is damaged, unpacks to more than 1 GB, or holds another number of files than one, or no text.
    """
    if kind_of(path) != "packed":
        return FileContent(path.name, lambda: path.open("rb"))
    try:
        with path.open("rb") as file:
            is_gzip = file.read(2) == _GZIP
        if is_gzip:
            with gzip.open(path) as packed:
                unpacked, note = packed.read(_LARGEST + 1), "unpacked: a gzip file"
        else:
            unpacked, note = _only_file(path)
    except (OSError, EOFError, zlib.error, zipfile.BadZipFile, NotImplementedError, RuntimeError, ValueError) as error:
        if isinstance(error, OSError) and error.errno:
            raise
        raise ContractError(
            f"{path.name} cannot be unpacked: it is damaged, protected by a password, or packed in an unknown way"
        ) from None
    if len(unpacked) > _LARGEST:
        raise _too_large(path, "unpack it, and name the file in it")
    if unpacked.startswith((_ZIP, _GZIP, *_KINDS_BY_BYTES)) or unpacked[8:12] == b"DUCK":
        raise ContractError(f"{path.name} holds a packed file that is no text: unpack it, and name the file in it")
    if not unpacked:
        raise ContractError(f"{path.name} is empty: 0 bytes are in it, where a header and records are expected")
    return FileContent(path.name, lambda: io.BytesIO(unpacked), (note,))


def check_workbook_size(path: Path) -> None:
    """Refuse a workbook whose parts say that they unpack to more than 1 GB; its readers read no more than they say."""
    with zipfile.ZipFile(path) as archive:
        if sum(part.file_size for part in archive.infolist()) > _LARGEST:
            raise _too_large(path, "save the sheet that is meant as .csv")


def _too_large(path: Path, way_out: str) -> ContractError:
    return ContractError(f"{path.name} unpacks to more than {_LARGEST >> 30} GB: {way_out}")


def _is_workbook(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            return "[Content_Types].xml" in archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return False


def _only_file(path: Path) -> tuple[bytes, str]:
    """The one file of an archive; what macOS adds does not count."""
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if not name.endswith("/") and not name.startswith("__MACOSX/")]
        if len(names) != 1:
            raise ContractError(
                f"{path.name} is a zip archive of {len(names)} files, where one is expected: "
                "unpack it, and name the file that is meant"
            )
        if archive.getinfo(names[0]).file_size > _LARGEST:
            raise _too_large(path, "unpack it, and name the file in it")
        with archive.open(names[0]) as packed:
            return packed.read(_LARGEST + 1), f"unpacked: {names[0]!r}, the only file in a zip archive"
