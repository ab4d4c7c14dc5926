"""Tables that slow studies fill cell by cell; cells that are in the file already are not measured again.

A study is a module of this folder with a table of the same name beside it. `python -m calibration.NAME` goes on
where an earlier run stopped; with `--fresh` it starts anew, as it must when the code under study has changed.
Numbers drawn at random come from `generator`, so that a cell's do not depend on which cells ran before it.
"""

from __future__ import annotations

import argparse
import csv
import json
import zlib
from concurrent.futures import ProcessPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from nps_research.statistics.randomness import DEFAULT_SEED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    Cell = Mapping[str, object]


def fresh_is_asked(description: str | None) -> bool:
    """Whether the command line says --fresh."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fresh", action="store_true", help="measure every cell anew")
    return bool(parser.parse_args().fresh)


def generator(cell: Cell) -> np.random.Generator:
    """Random numbers of this cell alone."""
    return np.random.default_rng([DEFAULT_SEED, zlib.crc32(json.dumps(dict(cell)).encode())])


def fill(
    path: Path, cells: Sequence[Cell], measure: Callable[..., Cell], *, fresh: bool = False, jobs: int = 1
) -> pd.DataFrame:
    """Measure the cells that the table at `path` lacks, write it after each, and return it.

    `measure` takes a cell's values by name and returns the further columns. Rows stand in the order of `cells`;
    rows of no cell are dropped. With several `jobs` as many cells are measured side by side.
    """
    known = {} if fresh or not path.exists() else _rows(path, list(cells[0]))
    wanted = [_key(cell) for cell in cells]
    rows = {key: known[key] for key in wanted if key in known}
    absent = [(key, cell) for key, cell in zip(wanted, cells, strict=True) if key not in rows]
    for (key, cell), found in zip(absent, _measured(measure, [cell for _, cell in absent], jobs), strict=True):
        rows[key] = {name: str(value) for name, value in {**cell, **found}.items()}
        _write(path, [rows[each] for each in wanted if each in rows])
        print(f"{path.stem}: {len(rows)} of {len(cells)}: {', '.join(key)}", flush=True)
    _write(path, [rows[key] for key in wanted])
    return pd.read_csv(path)


def _measured(measure: Callable[..., Cell], cells: Sequence[Cell], jobs: int) -> Iterator[Cell]:
    if jobs == 1:
        yield from (measure(**cell) for cell in cells)
        return
    with ProcessPoolExecutor(jobs) as pool:
        waiting = [pool.submit(measure, **cell) for cell in cells]
        for future in waiting:
            yield future.result()


def _key(cell: Cell) -> tuple[str, ...]:
    return tuple(str(value) for value in cell.values())


def _rows(path: Path, names: Sequence[str]) -> dict[tuple[str, ...], dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return {tuple(row[name] for name in names): row for row in csv.DictReader(file)}


def _write(path: Path, rows: Sequence[Mapping[str, str]]) -> None:
    part = path.with_suffix(".part")
    with part.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    part.replace(path)
