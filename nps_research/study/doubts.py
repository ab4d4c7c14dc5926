"""What makes one doubt that a column is the recommendation question, and how many answers the contract cost."""

from __future__ import annotations

import re

import pandas as pd

LITTLE, HALF = 0.05, 0.5  # shares of the answers lost: from here on it is said loudly, and is an error
SHIFT = "recode = { likelihood_to_recommend = { shift = -1 } }"
_LONGEST_SCALE = 10
_LEAST = 30  # answers, of which a value that is missing says something


def score_doubts(scores: pd.Series, column: str) -> list[str]:
    """Say why a column may not hold answers from 0 to 10, and the way out; empty where nothing is odd.

    Parameters
    ----------
    scores : Series
        Whole numbers as they came, those outside 0 to 10 among them; missing where there is none.
    column : str
        The column's name in the file.

    Examples
    --------
    >>> import pandas as pd
    >>> score_doubts(pd.Series([1, 2, 3] * 20), "NPS_GROUP")[0]
    "'NPS_GROUP' holds three values only (1, 2, 3), as a column of detractors, passives and promoters does: map the \
answers themselves under columns, likelihood_to_recommend = ..."
    >>> score_doubts(pd.Series([0, 9, 10] * 20 + [7]), "NPS")
    []
    """
    values = sorted({int(value) for value in scores.dropna().unique()})
    if int(scores.notna().sum()) < _LEAST:
        return []
    way_out = "map the answers themselves under columns, likelihood_to_recommend = ..."
    listed = ", ".join(map(str, values))
    if len(values) == 3:
        odd = f"holds three values only ({listed}), as a column of detractors, passives and promoters does"
        return [f"{column!r} {odd}: {way_out}"]
    if values[-1] <= 5:
        odd = "holds no value above 5, where answers from 0 to 10 are needed"
        return [f"{column!r} {odd}: if another column holds them, {way_out}; another scale gives no Net Promoter Score"]
    if 0 not in values and 11 in values:
        return [f"{column!r} holds 11 and no 0, as answers coded from 1 to 11 do: state {SHIFT}"]
    return []


def helping_line(column: str, rule: str, values: list[str], *, no_zero: bool = False) -> str:
    """The line of study.toml that would help with a broken rule; empty where none would.

    Examples
    --------
    >>> helping_line("likelihood_to_recommend", "is not from 0 to 10", ["99"])
    'missing_codes = { likelihood_to_recommend = [99] }'
    """
    codes = ", ".join(value if re.fullmatch(r"-?\d+(\.\d+)?", value) else f'"{value}"' for value in values)
    if column == "likelihood_to_recommend" and codes:
        return SHIFT if no_zero and "11" in values else f"missing_codes = {{ {column} = [{codes}] }}"
    if rule.startswith("is not a rating") and codes:
        low = rule.removeprefix("is not a rating from ").partition(" ")[0]
        high = max((int(value) for value in values if value.isdecimal()), default=0)
        stretched = f'scales = {{ "{column}" = [{low}, {high}] }}, or ' if int(low) < high <= _LONGEST_SCALE else ""
        return f"under [responses.drivers]: {stretched}missing_codes or not_used_codes = [{codes}]"
    if "date_format" in rule:
        return f'date_format = {{ {column} = "%d.%m.%Y" }}'
    if rule.startswith("is neither yes nor no"):
        return f'columns = {{ {column} = {{ column = "...", no = ["..."] }} }}'
    if rule.startswith("stands twice in one wave"):
        return 'counts = "all", or "newest" to confirm'
    return ""


def lost_answers(violations: pd.DataFrame, lost: int, answers: int, what: str = "answers") -> tuple[str, bool]:
    """Say how many answers, or rows, were lost, to what, and what would help; and whether it is more than half of them.

    Empty where no more than one in twenty is lost.
    """
    if lost <= LITTLE * answers:
        return "", False
    most = violations.sort_values("rows", ascending=False, kind="stable").head(3)
    why = [
        f"{row['column']} {row['rule']}"
        + (f": {row['values']}" if row["values"] else f" ({row['rows']:,})")
        + (f" [{row['would_help']}]" if row["would_help"] else "")
        for row in most.to_dict("records")
    ]
    said = f"{lost:,} of {answers:,} {what} ({lost / answers:.0%}) are lost to the contract"
    return f"{said}: {'; '.join(why)}.", lost > HALF * answers


def end_before_leaving(values: pd.DataFrame, table: str) -> list[str]:
    """Say that one day for all, until which leaving would have been seen, lies before most of the leaving.

    Examples
    --------
    >>> customers = pd.DataFrame({"churned_at": pd.to_datetime(["2025-03-01", "2025-05-01", None])})
    >>> end_before_leaving(customers.assign(observed_until=pd.Timestamp("2024-12-31")), "customers")[0][:54]
    'customers: 2 of 2 who left did so after 2024-12-31, st'
    """
    if not {"churned_at", "observed_until"} <= set(values):
        return []
    ends, left = values["observed_until"].dropna().unique(), values["churned_at"].dropna()
    after = int((left > ends[0]).sum()) if len(ends) == 1 else 0
    if not after or after <= HALF * len(left):
        return []
    said = f"{table}: {after:,} of {len(left):,} who left did so after {ends[0]:%Y-%m-%d}, stated as the day until"
    return [f"{said} which leaving would have been seen: these rows are quarantined. State a later observed_until."]
