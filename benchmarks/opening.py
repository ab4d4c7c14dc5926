"""Opening a study of made-up answers: CSV and Parquet beside DuckDB's reading as text, a workbook beside calamine.

The study of tables has as many purchases as the others have answers, and a tenth as many answers, of which each given
one has a case of calls.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import numpy as np
import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import python_calamine

import nps_research as nps
from benchmarks.measuring import SCORE_SHARES, SEED, in_turns, peak_megabytes, timed

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

ROWS, ROWS_OF_WORKBOOK, ROWS_OF_WARM_UP = 1_000_000, 70_000, 2_000
REPEATS = 3
RATINGS = [f"Rating {number}" for number in range(1, 11)]
DUCKDB, CALAMINE, DUCKDB_TABLES = "DuckDB, all as text", "python-calamine alone", "DuckDB, purchases and calls as text"
TABLES = "open_study, a million purchases and 100,000 calls, Parquet"
CSV, CSV_RATINGS, PARQUET, PARQUET_RATINGS, WORKBOOK = (
    "open_study, CSV",
    "open_study, CSV, ten ratings",
    "open_study, Parquet",
    "open_study, Parquet, ten ratings",
    "open_study, workbook",
)
_STUDY = """name = "Made up"
made_up = true
[responses]
file = "{file}"
columns.respondent_id = "ID"
columns.likelihood_to_recommend = "NPS"
columns.invited_at = "Invited"
columns.responded_at = "Responded"
segments.columns = {{ Region = "Region", Plan = "Plan" }}
"""


def made_up(n: int) -> pd.DataFrame:
    """Answers in 17 columns of text: an id, a score, two dates, two groups, ten ratings, a comment on every seventh."""
    rng = np.random.default_rng(SEED)
    answered = rng.random(n) < 0.6

    def words(values: NDArray[np.generic], given: NDArray[np.bool_]) -> pd.Series:
        return pd.Series(values.astype(str)).where(given)

    every = np.ones(n, dtype=bool)
    invited = np.datetime64("2024-01-01", "s") + rng.integers(0, 730, n) * np.timedelta64(86_400, "s")
    after = rng.integers(0, 7 * 86_400, n) * np.timedelta64(1, "s")
    table = {
        "ID": [f"R{row:08d}" for row in range(n)],
        "NPS": words(rng.choice(11, n, p=SCORE_SHARES), answered),
        "Invited": words(invited.astype("datetime64[D]"), every),
        "Responded": words(invited + after, answered),
        "Region": words(np.array([f"Region {number:02d}" for number in range(12)])[rng.integers(0, 12, n)], every),
        "Plan": words(np.array(["Basic", "Plus", "Pro"])[rng.integers(0, 3, n)], every),
    }
    table |= {name: words(rng.integers(1, 6, n), answered & (rng.random(n) < 0.9)) for name in RATINGS}
    table["Comment"] = [f'made-up words, about "delivery" {row}' if row % 7 == 0 else None for row in range(n)]
    return pd.DataFrame(table)


def write_tables(folder: Path, rows: int, rows_of_workbook: int) -> None:
    """The same answers as CSV and Parquet, some of them as a workbook, and a study of each."""
    table = made_up(rows)
    table.to_csv(folder / "answers.csv", index=False, lineterminator="\n")
    pq.write_table(pa.Table.from_pandas(table, preserve_index=False), folder / "answers.parquet")
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("Answers")
    sheet.append(list(table))
    some = table.iloc[:rows_of_workbook]
    some = some.assign(NPS=pd.to_numeric(some["NPS"]), **{name: pd.to_numeric(some[name]) for name in RATINGS})
    for row in some.astype(object).where(some.notna(), None).itertuples(index=False):
        sheet.append(row)
    book.save(folder / "answers.xlsx")
    ratings = "drivers.columns = { " + ", ".join(f'"{name}" = "{name}"' for name in RATINGS) + " }\n"
    for name, file, more in (
        (CSV, "answers.csv", ""),
        (CSV_RATINGS, "answers.csv", ratings),
        (PARQUET, "answers.parquet", ""),
        (PARQUET_RATINGS, "answers.parquet", ratings),
        (WORKBOOK, "answers.xlsx", ratings),
    ):
        (folder / name).mkdir()
        (folder / name / "study.toml").write_text(_STUDY.format(file=file) + more, encoding="utf-8")


def write_purchases_and_calls(folder: Path, rows: int) -> None:
    """Purchases of those who were asked, and a case for each answer, as Parquet, and a study of them."""
    rng = np.random.default_rng([SEED, 1])
    answers = made_up(rows // 10).drop(columns=[*RATINGS, "Comment"])
    answered = answers.loc[answers["NPS"].notna(), ["ID", "Responded"]]
    since = pd.to_datetime(answered["Responded"]) + pd.to_timedelta(rng.integers(1, 72, len(answered)), unit="h")
    calls = pd.DataFrame(
        {
            "respondent_id": answered["ID"],
            "assignment": rng.choice(["random", "judgement"], len(answered)),
            "assigned": 1,
            "assigned_at": since,
            "attempted_at": since + pd.Timedelta(hours=1),
            "reached_at": (since + pd.Timedelta(hours=2)).where(rng.random(len(answered)) < 0.8),
        }
    )
    bought = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 730, rows), unit="D")
    purchases = pd.DataFrame(
        {
            "customer_id": answers["ID"].to_numpy()[rng.integers(len(answers), size=rows)],
            "bought_at": bought,
            "amount": rng.lognormal(3, 1, rows).round(2),
            "product": np.array([f"Product {number}" for number in range(40)])[rng.integers(0, 40, rows)],
            "quantity": rng.integers(1, 9, rows),
            "kind": rng.choice(["new", "renewal", "second"], rows),
        }
    )
    for name, table in (("few", answers), ("calls", calls), ("purchases", purchases)):
        pq.write_table(pa.Table.from_pandas(table, preserve_index=False), folder / f"{name}.parquet")
    (folder / TABLES).mkdir()
    tables = '[callbacks]\nfile = "calls.parquet"\n[transactions]\nfile = "purchases.parquet"\n'
    (folder / TABLES / "study.toml").write_text(_STUDY.format(file="few.parquet") + tables, encoding="utf-8")


def _open_tables(folder: Path) -> int:
    study = nps.open_study(folder / TABLES, data=folder)
    if len(study.quarantine):
        raise AssertionError("A made-up row was not accepted.")
    return len(study.tables["transactions"])


def tables_by_duckdb(folder: Path) -> int:
    """Every cell of the three tables as text, into memory."""
    rows = [
        duckdb.read_parquet(str(folder / f"{name}.parquet")).project("COLUMNS(*)::VARCHAR").to_arrow_table().num_rows
        for name in ("few", "calls", "purchases")
    ]
    return int(rows[-1])


def _study_of(name: str) -> Callable[[Path], int]:
    def opened(folder: Path) -> int:
        study = nps.open_study(folder / name, data=folder)
        if len(study.quarantine):
            raise AssertionError("A made-up answer was not accepted.")
        return len(study.responses)

    return opened


def by_duckdb(folder: Path) -> int:
    """Every cell as text, into memory."""
    table = duckdb.sql(f"FROM read_csv('{folder / 'answers.csv'}', all_varchar = true, header = true)").to_arrow_table()
    return int(table.num_rows)


def by_calamine(folder: Path) -> int:
    """Every cell of the sheet as a value of Python."""
    with python_calamine.CalamineWorkbook.from_path(folder / "answers.xlsx") as book:
        return len(book.get_sheet_by_index(0).to_python()) - 1


CONTENDERS = {
    DUCKDB: by_duckdb,
    **{name: _study_of(name) for name in (CSV, CSV_RATINGS, PARQUET, PARQUET_RATINGS)},
    CALAMINE: by_calamine,
    WORKBOOK: _study_of(WORKBOOK),
    DUCKDB_TABLES: tables_by_duckdb,
    TABLES: _open_tables,
}
_PLAIN = {CALAMINE: (CALAMINE, WORKBOOK), DUCKDB_TABLES: (DUCKDB_TABLES, TABLES)}  # the others: DuckDB


def run_here(contender: str, folder: str, warm_up: str) -> dict[str, object]:
    """One run in this process, after one on small tables."""
    read = CONTENDERS[contender]
    read(Path(warm_up))
    before = time.process_time()
    seconds, rows = timed(lambda: read(Path(folder)))
    busy = time.process_time() - before
    return {"rows": rows, "seconds": seconds, "processor_seconds": busy, "peak_megabytes": peak_megabytes()}


def measure(rows: int = ROWS, rows_of_workbook: int = ROWS_OF_WORKBOOK, repeats: int = REPEATS) -> pd.DataFrame:
    """Seconds and memory of each contender, and how many times as long it took as the plain reader."""
    with tempfile.TemporaryDirectory() as place:
        small, large = Path(place, "small"), Path(place, "large")
        for folder, n, of_workbook in ((small, ROWS_OF_WARM_UP, ROWS_OF_WARM_UP), (large, rows, rows_of_workbook)):
            folder.mkdir()
            write_tables(folder, n, of_workbook)
            write_purchases_and_calls(folder, n)
        found = in_turns({name: ("benchmarks.opening", name, large, small) for name in CONTENDERS}, repeats)
    table = pd.DataFrame(found).round({"seconds": 2, "processor_seconds": 2, "peak_megabytes": 0})
    table.insert(1, "repeats", repeats)
    plain = table.set_index("contender")["processor_seconds"]
    plain_of = {name: reader for reader, names in _PLAIN.items() for name in names}
    of = [plain[plain_of.get(name, DUCKDB)] for name in table["contender"]]
    return table.assign(times_as_long=(table["processor_seconds"] / of).round(2))


if __name__ == "__main__":
    print(json.dumps(run_here(*sys.argv[1:])))
