"""Counting answers per score by three keys, from Parquet: the package, pandas, Polars and bare DuckDB SQL."""

from __future__ import annotations

import hashlib
import json
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import numpy as np
import pandas as pd
import polars as pl

import nps_research as nps
from benchmarks.measuring import KEYS, OURS, in_turns, peak_megabytes, timed, write_made_up_answers

if TYPE_CHECKING:
    from collections.abc import Mapping

SCORE = "likelihood_to_recommend"
MISSING = 11  # after the scores 0 to 10, where a missing one is coded
REPEATS = {10_000: 5, 100_000: 5, 1_000_000: 5, 10_000_000: 7, 100_000_000: 3}  # rows: how often each is run
MOST_ROWS_IN_MEMORY = 10_000_000  # more do not fit the memory of a small machine in pandas


def by_nps_research(path: str) -> nps.ScoreDistribution:
    """Through a study's front door."""
    study = nps.Study.from_frames(responses=duckdb.read_parquet(path), segments=["region"], made_up=True)
    return nps.score_distribution(study, by=list(KEYS))


def by_pandas(path: str) -> pd.DataFrame:
    """Read, and group by."""
    rows = pd.read_parquet(path, columns=[*KEYS, SCORE])
    return rows.groupby([*KEYS, SCORE], dropna=False).size().rename("n").reset_index()


def by_coded_pandas(path: str) -> pd.DataFrame:
    """Keys stay coded as Parquet holds them; their codes and the score make one integer a row, and these are counted.

    The fastest of what was tried: twice as fast as to group by the coded keys themselves, `observed=True, sort=False`.
    """
    rows = pd.read_parquet(path, columns=[*KEYS, SCORE], read_dictionary=list(KEYS))
    code = rows[SCORE].fillna(MISSING).astype("int32")
    size = MISSING + 1
    for key in KEYS:
        code += rows[key].cat.codes.astype("int32") * size
        size *= len(rows[key].cat.categories)
    found = code.value_counts(sort=False).rename("n").rename_axis("code").reset_index()
    rest, score = np.divmod(found["code"], MISSING + 1)
    for key in KEYS:
        labels = rows[key].cat.categories
        found[key] = labels.take(rest % len(labels))
        rest //= len(labels)
    return found.assign(**{SCORE: score.where(score < MISSING)})


def by_polars(path: str) -> pd.DataFrame:
    """A lazy scan and group-by, streamed: of its engines the fastest."""
    counted = pl.scan_parquet(path).group_by([*KEYS, SCORE]).agg(pl.len().alias("n"))
    return counted.collect(engine="streaming").to_pandas()


def by_sql(path: str) -> pd.DataFrame:
    """One statement."""
    statement = f"SELECT {', '.join(KEYS)}, {SCORE}, count(*) AS n FROM read_parquet(?) GROUP BY ALL"  # noqa: S608
    return duckdb.execute(statement, [path]).df()


CODED, POLARS, SQL = "pandas, dictionary-coded keys", "Polars", "bare DuckDB SQL"
PANDAS = {"pandas group-by": by_pandas, CODED: by_coded_pandas}
CONTENDERS = {OURS: by_nps_research, **PANDAS, POLARS: by_polars, SQL: by_sql}


def counts_of(found: nps.ScoreDistribution | pd.DataFrame) -> dict[tuple[str, str], int]:
    """How many by group and score, whoever counted."""
    if isinstance(found, nps.ScoreDistribution):
        scores = [*map(str, range(11)), "missing"]
        cells = np.column_stack([found.counts, found.item_missing]).tolist()
        table = {group: dict(zip(scores, row, strict=True)) for group, row in zip(found.groups, cells, strict=True)}
        return {(group, score): n for group, row in table.items() for score, n in row.items() if n}
    group = found[list(KEYS)].agg(" \N{MIDDLE DOT} ".join, axis=1)
    score = ["missing" if pd.isna(value) else f"{value:.0f}" for value in found[SCORE]]
    return dict(zip(zip(group, score, strict=True), found["n"].tolist(), strict=True))


def run_here(contender: str, path: str, warm_up: str) -> dict[str, object]:
    """One run in this process, after one on a small file; with a digest of the counts."""
    count = CONTENDERS[contender]
    count(warm_up)
    seconds, found = timed(lambda: count(path))
    digest = hashlib.sha256(repr(sorted(counts_of(found).items())).encode()).hexdigest()
    return {"seconds": seconds, "peak_megabytes": peak_megabytes(), "digest": digest}


def measure(repeats: Mapping[int, int] = REPEATS) -> pd.DataFrame:
    """Seconds and memory of each contender at each number of rows; fails where they count differently."""
    measured = []
    with tempfile.TemporaryDirectory() as folder:
        small, path = Path(folder) / "small.parquet", Path(folder) / "made_up.parquet"
        write_made_up_answers(small, 10_000)
        for n, times in repeats.items():
            print(f"  {n:,} rows", flush=True)
            write_made_up_answers(path, n)
            taking_part = [name for name in CONTENDERS if n <= MOST_ROWS_IN_MEMORY or name not in PANDAS]
            found = in_turns({name: ("benchmarks.counting", name, path, small) for name in taking_part}, times)
            if len({each.pop("digest") for each in found}) != 1:
                raise AssertionError(f"The contenders count {n:,} rows differently.")
            measured += [{"rows": n, "repeats": times, **each} for each in found]
    return pd.DataFrame(measured).round({"seconds": 4, "peak_megabytes": 0})


if __name__ == "__main__":
    print(json.dumps(run_here(*sys.argv[1:])))
