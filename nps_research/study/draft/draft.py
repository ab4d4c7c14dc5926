"""A first study.toml for an export: every guess in it says why, and what the study could answer."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from nps_research.reading.raw_table import RawTable
from nps_research.reading.sources import read_table
from nps_research.study.draft.guessing import Drivers, Guesses, Outcome, ReadColumn, guess_columns

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_PER_WAVE = re.compile(r"(responded|answered|completed)[_ ]?\w?\d+", re.IGNORECASE)
_NO_SCORE = "no column looks like an answer from 0 to 10 to how likely one is to recommend: name it here"


@dataclass(frozen=True, kw_only=True)
class Draft:
    """A drafted study.

    Attributes
    ----------
    toml : str
        The text of a study.toml. It holds names of columns, counts and codes, and no id, comment or name of a person.
    can, cannot : tuple of str
        What the study can answer as drafted, and what is missing for the rest.
    """

    toml: str
    can: tuple[str, ...]
    cannot: tuple[str, ...]


def draft_study(file: Path, *, name: str | None = None) -> Draft:
    r"""Read an export, guess what its columns mean, and write a study.toml to be checked.

    Parameters
    ----------
    file : Path
        An export with one row per invitation or answer.
    name : str, optional
        Name of the study; the file's name by default.

    Returns
    -------
    Draft

    Raises
    ------
    ContractError
        If the file cannot be read.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> export = Path(tempfile.mkdtemp(), "export.csv")
    >>> _ = export.write_text("Respondent ID;NPS\n17;9\n18;10\n19;3\n")
    >>> print(draft_study(export).can[0])
    The score: likelihood_to_recommend from "NPS", with 3 answers.
    """
    table = read_table(file)
    guesses = guess_columns(table)
    can, cannot = _answers(guesses)
    ratings = guesses.drivers.columns if guesses.drivers else ()
    shown = _shown_names([column.name for column in (*ratings, *guesses.segments)])
    outcomes = _outcome_names([outcome.column.name for outcome in guesses.outcomes])
    sections = [
        _head(table, name or file.stem),
        _responses(table, guesses),
        _columns(guesses),
        _driver_lines(guesses.drivers, shown),
        _segment_lines(guesses.segments, shown),
        *(_outcome_lines(outcome, outcomes[outcome.column.name]) for outcome in guesses.outcomes),
        _settings(),
        _unused(guesses),
    ]
    return Draft(toml="\n\n".join(filter(None, sections)) + "\n", can=can, cannot=cannot)


def _quoted(text: str) -> str:
    """A TOML string, on one line whatever is in it."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _toml_key(text: str) -> str:
    return text if _BARE_KEY.fullmatch(text) else _quoted(text)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(map(_quoted, names))


def _display_name(column: str) -> str:
    """A column's name as a reader would write it, where that is only a matter of signs between words."""
    words = re.sub(r"[_\-\s]+", " ", column).strip()
    return words[:1].upper() + words[1:] if words else column


def _shown_names(columns: Sequence[str]) -> dict[str, str]:
    """Column -> display name; the column's own name where two would be shown alike."""
    shown = {column: _display_name(column) for column in columns}
    times = Counter(shown.values())
    return {column: name if times[name] == 1 else column for column, name in shown.items()}


def _outcome_names(columns: Sequence[str]) -> dict[str, str]:
    """Column -> name of the outcome, in lower case with underscores."""
    names = {column: _display_name(column).lower().replace(" ", "_") for column in columns}
    times = Counter(names.values())
    return {column: name if times[name] == 1 else column for column, name in names.items()}


def _head(table: RawTable, name: str) -> str:
    lines = [
        f"# Drafted from {_quoted(table.path.name)}: {table.n_rows:,} rows, {len(table.header):,} columns.",
        "# What columns mean is guessed by their names and values: check every line.",
        *(f"# {note}" for note in map(_one_line, table.notes)),
    ]
    if len(table.rejected):
        lines.append(f"# {len(table.rejected):,} rows cannot be read: nps-research check lists their lines.")
    lines += ["", f"name = {_quoted(name)}", 'source = ""   # who asked, and where the data comes from', 'licence = ""']
    return "\n".join(lines)


def _one_line(text: str) -> str:
    return _quoted(text)[1:-1].replace('\\"', '"')


def _responses(table: RawTable, guesses: Guesses) -> str:
    lines = ["[responses]", f"file = {_quoted(table.path.name)}"]
    lines += [
        f"{key} = {_quoted(value) if isinstance(value, str) else value}" for key, value in table.read_with.items()
    ]
    score = guesses.standard.get("likelihood_to_recommend")
    odd = {code: n for code, n in score.column.scores.items() if not 0 <= code <= 10} if score else {}
    if odd:
        lines += [
            f"# likelihood_to_recommend holds {_code_counts(odd)}, outside 0 to 10.",
            "# If that stands for no answer, take the # off the next line; as it is, these rows are quarantined.",
            f"# missing_codes = {{ likelihood_to_recommend = {list(odd)} }}",
        ]
    dates = [guess.column for role, guess in guesses.standard.items() if role.endswith("_at")]
    unclear = [column.name for column in dates if column.cells.size and not column.is_iso_date]
    if unclear:
        lines += [
            f"# The dates in {_listed(unclear)} are not written year-month-day: say how, as for strptime.",
            '# date_format = "%d.%m.%Y"',
        ]
    if "wave" not in guesses.standard:
        lines += [
            "# No column tells waves apart. With one file per wave, take out file = above and list the files instead:",
            "# [[responses.files]]",
            f"# file = {_quoted(table.path.name)}",
            '# wave = "2026"',
        ]
    return "\n".join(lines)


def _code_counts(codes: dict[int, int]) -> str:
    return ", ".join(f"{code} ({n:,} {'cell' if n == 1 else 'cells'})" for code, n in codes.items())


def _columns(guesses: Guesses) -> str:
    lines = ["[responses.columns]"]
    if "likelihood_to_recommend" not in guesses.standard:
        lines.append(f'# likelihood_to_recommend = ""   # {_NO_SCORE}')
    for role, guess in guesses.standard.items():
        others = f"; also possible: {_listed(guess.others)}" if guess.others else ""
        lines.append(f"{role} = {_quoted(guess.column.name)}   # {guess.why}{others}")
    return "\n".join(lines)


def _driver_lines(drivers: Drivers | None, shown: dict[str, str]) -> str:
    if drivers is None:
        return ""
    low, high = drivers.scale
    lines = ["[responses.drivers]   # columns on one rating scale", f"scale = [{low}, {high}]"]
    if drivers.labels:
        labels = ", ".join(f"{_toml_key(label)} = {rating}" for label, rating in drivers.labels.items())
        lines.append(f"labels = {{ {labels} }}")
    if drivers.odd_codes:
        lines += [
            f"# They also hold {_code_counts(drivers.odd_codes)}, outside the scale.",
            "# Sort each code into one of these; as it is, rows with them are quarantined.",
            f"# missing_codes = {list(drivers.odd_codes)}    # asked, not answered",
            f"# not_used_codes = {list(drivers.odd_codes)}   # never used",
        ]
    lines += [
        f"# Left out, {why}: {_listed(column for column, reason in drivers.left_out.items() if reason == why)}"
        for why in dict.fromkeys(drivers.left_out.values())
    ]
    lines += ["", "[responses.drivers.columns]   # the name shown to readers = the column in the file"]
    return "\n".join([*lines, *_named_column(drivers.columns, shown)])


def _segment_lines(segments: Sequence[ReadColumn], shown: dict[str, str]) -> str:
    if not segments:
        return ""
    heading = "[responses.segments.columns]   # words with 2 to 30 values, by which to compare"
    return "\n".join([heading, *_named_column(segments, shown)])


def _named_column(columns: Sequence[ReadColumn], shown: dict[str, str]) -> list[str]:
    return [f"{_toml_key(shown[column.name])} = {_quoted(column.name)}" for column in columns]


def _outcome_lines(outcome: Outcome, name: str) -> str:
    lines = [
        f"[outcomes.{_toml_key(name)}]   # a yes/no column that sounds like an outcome",
        'table = "responses"',
        f"column = {_quoted(outcome.column.name)}",
        'kind = "binary"',
        f"event = [{_listed(outcome.event)}]",
        f"no_event = [{_listed(outcome.no_event)}]",
    ]
    if outcome.n_neither:
        lines.append(f"# {outcome.n_neither:,} answers are neither, and count as unknown.")
    lines += [f'direction = "{outcome.direction}"', "dated = false   # asked in the same survey, or without a date"]
    return "\n".join(lines)


def _settings() -> str:
    return "\n".join(
        [
            "[settings]   # the defaults; take a # off to change one",
            "# promoter_min = 9",
            "# detractor_max = 6",
            "# response_window_days = 14",
            "# outcome_horizon_days = 180",
            "# minimum_cell = 10",
            "# seed = 20261122",
        ]
    )


def _unused(guesses: Guesses) -> str:
    if not guesses.unused:
        return ""
    lines = [
        f"#   {remark}: {_listed(column for column, what in guesses.unused.items() if what == remark)}"
        for remark in dict.fromkeys(guesses.unused.values())
    ]
    return "\n".join(["# Columns not used:", *lines])


def _answers(guesses: Guesses) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What the study can answer, and what is missing for the rest."""
    standard = guesses.standard
    can: list[str] = []
    cannot: list[str] = []
    score = standard.get("likelihood_to_recommend")
    if score:
        answers = sum(n for code, n in score.column.scores.items() if 0 <= code <= 10)
        can.append(f"The score: likelihood_to_recommend from {_quoted(score.column.name)}, with {answers:,} answers.")
    else:
        cannot.append("The score: no column looks like an answer from 0 to 10.")
    if "wave" in standard:
        waves = len(standard["wave"].column.counts)
        can.append(f"The trend: {waves:,} {'wave' if waves == 1 else 'waves'}.")
    else:
        cannot.append("The trend: no column tells waves apart; one file per wave would do.")
    _answer_response(guesses, can, cannot)
    if guesses.drivers:
        low, high = guesses.drivers.scale
        can.append(f"Drivers: {len(guesses.drivers.columns)} ratings from {low} to {high}.")
    else:
        cannot.append("Drivers: no ratings of single experiences on one scale were found.")
    if guesses.outcomes:
        names = _listed(outcome.column.name for outcome in guesses.outcomes)
        can.append(f"Thresholds: where detractors end, against {names}; undated, so as association only.")
    else:
        cannot.append("Thresholds: no outcome, such as churned, renewed or recommended, was found.")
    if "account_id" in standard:
        can.append(f"Scores by account: {len(standard['account_id'].column.counts):,} accounts.")
    else:
        cannot.append("Scores by account: no column names the account.")
    return tuple(can), tuple(cannot)


def _answer_response(guesses: Guesses, can: list[str], cannot: list[str]) -> None:
    dated, flag = guesses.standard.get("responded_at"), guesses.standard.get("responded")
    per_wave = [column for column in guesses.unused if _PER_WAVE.fullmatch(column)]
    if dated is None and flag is None:
        hint = "no column says whether or when an invitation was answered"
        if len(per_wave) > 1:
            hint += f"; {_listed(per_wave[:1])} and {len(per_wave) - 1} like it need one row per person and wave"
        cannot.append(f"Response rates and silence: {hint}.")
    elif not ((dated and dated.column.filled < 1) or (flag and len(flag.column.counts) > 1)):
        cannot.append(
            "Response rates and silence: every row is an answer; those who did not answer are not in the file."
        )
    elif "delivered" in guesses.standard:
        can.append("Response rates and silence: invitations, deliveries and answers are there.")
    else:
        can.append("Response rates and silence: but no column says what was delivered, so bounces pass for silence.")
