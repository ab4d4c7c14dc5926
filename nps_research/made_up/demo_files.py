"""A made-up company as files: its tables, what is planted in truth.json, and the table of truths in README.md.

``python -m nps_research.made_up.demo_files data/demo`` writes the company that comes with the package, the same bytes
each time.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from nps_research.made_up.comments import PROBLEM_CODES
from nps_research.made_up.counted import Counted
from nps_research.made_up.recount.company_recounted import counted_in
from nps_research.made_up.simulate import DEFAULT_TRUTH, OUTCOME_HORIZON_DAYS, SimulatedStudy, simulate_study
from nps_research.made_up.told import planted
from nps_research.made_up.truth import Truth

DEMO_SEED = 20261138
LARGE = 6_700  # accounts, some 20,000 customers
TABLE_BEGINS, TABLE_ENDS = "<!-- truths: written by demo_files -->", "<!-- end of truths -->"
AS_PARQUET = ("transactions", "contacts", "market")  # the large ones
# rows that break the contract: what is wrong -> the column and what is written into it
BAD_CELLS = {
    "score 11": ("likelihood_to_recommend", "11"),
    "score -1": ("likelihood_to_recommend", "-1"),
    "score 7.5": ("likelihood_to_recommend", "7.5"),
    "answer without delivery": ("delivered", "0"),
    "answer before the invitation": ("responded_at", "2023-12-01T10:00"),
    "unreadable date of invitation": ("invited_at", "mid-August"),
    "unreadable date of the answer": ("responded_at", "2025-13-45T09:00"),
}
WRITTEN_TWICE = "same person twice in the wave"  # a row more, rather than a cell
# wave -> what is wrong -> rows
BAD_ROWS = {
    "2024 Q3": {"score 11": 2, "score -1": 1, "answer without delivery": 2, "unreadable date of invitation": 1},
    "2025 Q3": {
        "score 7.5": 2,
        "unreadable date of the answer": 1,
        "answer before the invitation": 1,
        WRITTEN_TWICE: 2,
    },
}
# unusual, but stated rules read them: wave -> as written -> the score it stands for, rows
ODDITIES: dict[str, dict[str, tuple[int | None, int]]] = {
    "2024 Q3": {"9,0": (9, 3), "n/a": (None, 2)},
    "2025 Q3": {"10 - Extremely likely": (10, 3), "n/a": (None, 2)},
}


def write_demo(folder: Path, truth: Truth = DEFAULT_TRUTH, *, seed: int = DEMO_SEED) -> None:
    """Write a made-up study as files, with truth.json beside them; the same bytes each time.

    Some rows are spoiled on purpose, and some scores written unusually; truth.json lists them.

    Parameters
    ----------
    folder : Path
        Made if it is not there; files of the same names are replaced.
    truth : Truth
        What is planted.
    seed : int
    """
    study = simulate_study(truth, rng=np.random.default_rng(seed))
    spoiling = np.random.default_rng([seed, 1])
    folder.mkdir(parents=True, exist_ok=True)
    _write_csv(study.customers, folder / "customers.csv", date_format="%Y-%m-%d")
    bad_rows, oddities = [], []
    for wave, rows in study.responses.groupby("wave"):
        file = f"responses_{str(wave).replace(' ', '').lower()}.csv"
        table, spoiled, unusual = _spoil(rows.drop(columns="wave"), str(wave), spoiling)
        _write_csv(table, folder / file, date_format="%Y-%m-%dT%H:%M")
        bad_rows += [{"file": file, "what": what, "rows": n} for what, n in spoiled.items()]
        oddities += [{"file": file, "written": written, "rows": n} for written, n in unusual.items()]
    _write_csv(study.by_age, folder / "responses_first_year.csv", date_format="%Y-%m-%dT%H:%M")
    for name, table in study.tables.items():
        if name in AS_PARQUET:
            table.to_parquet(folder / f"{name}.parquet", index=False, compression="zstd")
        else:
            hours = any(
                (times.dropna().dt.normalize() != times.dropna()).any()
                for _, times in table.select_dtypes("datetime").items()
            )
            _write_csv(table, folder / f"{name}.csv", date_format="%Y-%m-%dT%H:%M" if hours else "%Y-%m-%d")
    content = {
        "made_up": True,
        "seed": seed,
        "planted": planted(truth),
        "realised": _realised(study),
        "counted": [_told(each) for each in counted_in(study)],
        "comments": _comments(study),
        "bad_rows": bad_rows,
        "readable_oddities": oddities,
        "parameters": asdict(truth),
    }
    text = json.dumps(content, indent=1, ensure_ascii=False)
    (folder / "truth.json").write_bytes(f"{text}\n".encode())


def table_of_truths(truth: Truth = DEFAULT_TRUTH, *, seed: int = DEMO_SEED) -> str:
    """Write each truth with its planted number and what it came to, in a company of this size and in a large one.

    Parameters
    ----------
    truth : Truth
    seed : int

    Returns
    -------
    str
        A table in Markdown.
    """
    large = replace(truth, n_accounts=LARGE)
    here, there = (counted_in(simulate_study(each, rng=np.random.default_rng(seed))) for each in (truth, large))
    lines = ["| truth | planted | in the demo | in 20,000 customers |", "|---|---|---|---|"]
    for one, other in zip(here, there, strict=True):
        stated = "follows" if np.isnan(one.planted) else _planted_in_words(one.planted, one.unit)
        lines.append(f"| {one.truth} | {stated} | {_counted_in_words(one)} | {_counted_in_words(other)} |")
    return "\n".join(lines)


def _planted_in_words(value: float, unit: str) -> str:
    digits = 1 if unit in ("%", "NPS points") else 2
    written = f"{value:.{digits}f}"
    return f"{written}%" if unit == "%" else f"{written} {unit}".strip()


def _counted_in_words(counted: Counted) -> str:
    digits = 1 if counted.unit in ("%", "NPS points") else 2
    return f"{counted.counted:.{digits}f} ± {counted.error:.{digits}f}"


def _told(counted: Counted) -> dict[str, Any]:
    numbers = {"planted": counted.planted, "counted": counted.counted, "error": counted.error}
    return {
        "truth": counted.truth,
        "unit": counted.unit,
        **{name: None if np.isnan(number) else round(number, 4) for name, number in numbers.items()},
    }


def _comments(study: SimulatedStudy) -> dict[str, Any]:
    """How many comments there are in each language, and how many of them truly name each problem."""
    commented = study.responses["comment"].notna()
    language = study.responses.loc[commented, "language"]
    says = study.latent.loc[commented, [f"says_{code}" for code in PROBLEM_CODES]]
    return {
        "written": {str(name): int(n) for name, n in language.value_counts(sort=False).sort_index().items()},
        "naming": {
            code: {str(name): int(n) for name, n in says[f"says_{code}"].groupby(language).sum().items()}
            for code in PROBLEM_CODES
        },
    }


def _write_csv(table: pd.DataFrame, path: Path, *, date_format: str) -> None:
    table.to_csv(path, index=False, lineterminator="\n", encoding="utf-8", date_format=date_format)


def _spoil(
    rows: pd.DataFrame, wave: str, rng: np.random.Generator
) -> tuple[pd.DataFrame, dict[str, int], dict[str, int]]:
    """A wave's rows with its bad rows and unusual scores, and how many there are of each.

    Bad rows are made of answers of 7 and 8, so that the low scores, which are few, stay whole.
    """
    score = rows["likelihood_to_recommend"]
    table = rows.astype({"likelihood_to_recommend": object, "delivered": object}).copy()
    for column in ("invited_at", "responded_at"):
        table[column] = rows[column].dt.strftime("%Y-%m-%dT%H:%M").astype(object)
    bad = BAD_ROWS.get(wave, {})
    alone = rows["comment"].isna() & (rows["callback_requested"] == 0)  # no case and no code belongs to it
    passive = rng.permutation(rows.index[score.isin([7, 8]) & alone])
    for what, n in bad.items():
        chosen, passive = passive[:n], passive[n:]
        if what == WRITTEN_TWICE:
            table = pd.concat([table, table.loc[chosen]])
        else:
            column, written = BAD_CELLS[what]
            table.loc[chosen, column] = written
    unusual = ODDITIES.get(wave, {})
    for written, (value, n) in unusual.items():
        matching = score.isna() & rows["responded_at"].notna() if value is None else score == value
        table.loc[rng.permutation(rows.index[matching.fillna(False)])[:n], "likelihood_to_recommend"] = written
    return table, bad, {written: n for written, (_, n) in unusual.items()}


def _realised(study: SimulatedStudy) -> dict[str, Any]:
    """What the draw came to, before rows were spoiled: NPS in points (0-6), rates in 0 to 1."""
    responses, latent = study.responses, study.latent
    given, would_be = responses["likelihood_to_recommend"], latent["would_be_score"]
    reached, silent, low = responses["delivered"] == 1, latent["silent"], would_be <= 3
    answered = reached & ~silent & given.notna()
    churn = {"silent": silent, "score 0-3": answered & low, "score 4-10": answered & ~low, "all reached": reached}
    return {
        "accounts": int(study.customers["account_id"].nunique()),
        "contacts": len(study.customers),
        "invitations": len(responses),
        "reached": int(reached.sum()),
        "response_rate": round(float(1 - silent[reached].mean()), 4),
        "net_promoter_score_by_wave": {
            str(wave): _net_promoter_score(scores) for wave, scores in given.groupby(responses["wave"])
        },
        "would_be_net_promoter_score": {
            "answered within the window": _net_promoter_score(would_be[answered]),
            "silent": _net_promoter_score(would_be[silent]),
            "all reached": _net_promoter_score(would_be[reached]),
        },
        "would_be_net_promoter_score_by_wave": {
            str(wave): _net_promoter_score(scores)
            for wave, scores in would_be[reached].groupby(responses["wave"][reached])
        },
        f"churn_within_{OUTCOME_HORIZON_DAYS}_days": {
            group: round(float(latent.loc[rows & latent["at_risk"], "churned"].mean()), 4)
            for group, rows in churn.items()
        },
    }


def _net_promoter_score(scores: pd.Series[Any]) -> float:
    given = scores.dropna()
    return round(100 * float((given >= 9).mean() - (given <= 6).mean()), 2)


def _write_readme(folder: Path) -> None:
    readme = folder / "README.md"
    before, rest = readme.read_text(encoding="utf-8").split(TABLE_BEGINS)
    after = rest.split(TABLE_ENDS)[1]
    text = f"{before}{TABLE_BEGINS}\n\n{table_of_truths()}\n\n{TABLE_ENDS}{after}"
    readme.write_bytes(text.encode())


if __name__ == "__main__":
    write_demo(Path(sys.argv[1]))
    _write_readme(Path(sys.argv[1]))
