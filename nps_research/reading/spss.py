"""SPSS files: codes as they stand, user-missing ones as missing, labels where a study asks for them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyreadstat

from nps_research.errors import ContractError, did_you_mean
from nps_research.reading.raw_table import RawTable, Reading, arrow_of_cells, counted, table_of_arrow, wanted_names


def read_spss(path: Path, columns: Sequence[str] | None, reading: Reading) -> RawTable:
    """An SPSS system file.

    Numeric codes stay codes. A cell whose code the file itself declares user-missing is missing, and
    counted in a note. In the columns that ``value_labels`` names, codes give way to their labels; a
    code without a label stays.
    """
    try:
        _, meta = pyreadstat.read_sav(path, metadataonly=True, encoding=reading.encoding)
        wanted = wanted_names(meta.column_names, columns) or meta.column_names[:1]
        frame, missing_codes = pyreadstat.read_sav(path, user_missing=True, encoding=reading.encoding, usecols=wanted)
    except (pyreadstat.ReadstatError, pyreadstat.PyreadstatError, UnicodeError, OSError, ValueError, OverflowError):
        raise ContractError(
            f"{path.name} cannot be read as an SPSS file: it is damaged, another format, "
            "or of another encoding than it says (encoding = ... states it)"
        ) from None
    _check_labels(path, reading.value_labels, meta)
    arrays, missing = [], {}
    for name in frame.columns:
        cells = frame[name]
        declared = _user_missing(cells, missing_codes.missing_ranges.get(name, []))
        if declared.any():
            missing[name] = int(declared.sum())
            cells = cells.mask(declared)
        if name in reading.value_labels:
            cells = _labelled(cells, meta.variable_value_labels[name])
        arrays.append(_arrow(cells))
    labelled = [name for name in meta.variable_value_labels if name not in reading.value_labels]
    notes = [f"{counted(n, 'cell')} of {name} held a code declared user-missing" for name, n in missing.items()]
    if labelled:
        notes.append(
            f"{counted(len(labelled), 'column')} with value labels kept as codes; value_labels = [...] gives words: "
            + ", ".join(map(repr, labelled))
        )
    stated = {"encoding": reading.encoding} if reading.encoding else {}
    return table_of_arrow(
        pa.table(arrays, names=list(frame.columns)),
        path,
        columns,
        names=meta.column_names,
        read_with=stated,
        notes=(*reading.unused("an SPSS file", "encoding", "value_labels"), *notes),
        questions={name: " ".join(label.split()) for name, label in meta.column_names_to_labels.items() if label},
        value_labels={
            name: {f"{code:g}" if isinstance(code, float) else str(code): label for code, label in labels.items()}
            for name, labels in meta.variable_value_labels.items()
            if name not in reading.value_labels
        },
    )


def _check_labels(path: Path, wanted: Sequence[str], meta: Any) -> None:
    faults = [
        f"there is no column {name!r}{did_you_mean(name, list(meta.column_names))}"
        if name not in meta.column_names
        else f"column {name!r} has no value labels"
        for name in wanted
        if name not in meta.variable_value_labels
    ]
    if faults:
        raise ContractError(f"{path.name}: value_labels: {'; '.join(faults)}")


def _user_missing(cells: pd.Series, ranges: Sequence[Any]) -> pd.Series:
    """Where a cell lies in one of the file's missing ranges; a single code is a range from itself to itself."""
    found = pd.Series(data=False, index=cells.index)
    for limits in ranges:
        if isinstance(limits["lo"], str):
            found |= cells == limits["lo"]
        else:
            found |= pd.to_numeric(cells, errors="coerce").between(limits["lo"], limits["hi"])
    return found


def _labelled(cells: pd.Series, labels: dict[Any, str]) -> pd.Series:
    words = cells.map(labels)
    return words.where(words.notna(), cells)


def _arrow(cells: pd.Series) -> pa.Array:
    """A column as arrow; SPSS stores every number as a float, whole ones become integers again."""
    if pd.api.types.is_float_dtype(cells):
        known = cells.dropna()
        if np.isfinite(known).all() and (known == known.round()).all() and (known.abs() < 2**53).all():
            cells = cells.astype("Int64")
    if pd.api.types.is_object_dtype(cells):
        return arrow_of_cells([None if pd.isna(value) else value for value in cells])
    return pa.array(cells, from_pandas=True)
