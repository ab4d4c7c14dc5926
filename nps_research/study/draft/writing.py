"""The text of a drafted study.toml: every guess in it says why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from nps_research.reading.raw_table import RawTable, counted
from nps_research.study.draft.columns import ReadColumn
from nps_research.study.draft.guessing import Guesses
from nps_research.study.draft.outcomes import outcome_names, outcome_toml
from nps_research.study.draft.ratings import RatingsGuess
from nps_research.study.draft.spelling import (
    cells_in_words,
    code_list,
    display_name,
    inline_table,
    listed,
    on_one_line,
    quoted_toml,
    rows_in_words,
    toml_key,
    whole_codes,
)


def toml_text(table: RawTable, guesses: Guesses, *, name: str, stated: Mapping[str, str | int]) -> str:
    """Write the whole of a study.toml; `stated` is how the file is to be read, where that was said."""
    ratings = guesses.drivers.columns if guesses.drivers else ()
    asked = guesses.drivers.names if guesses.drivers else {}
    shown = _shown_names([column.name for column in (*ratings, *guesses.segments)], asked)
    outcomes = outcome_names([outcome.column.name for outcome in guesses.outcomes])
    sections = [
        _head(table, name),
        _responses(table, guesses, stated),
        _wide(guesses),
        _columns(guesses),
        _recode(guesses),
        _driver_lines(guesses.drivers, shown),
        _segment_lines(guesses.segments, shown),
        *(
            outcome_toml(outcome, toml_key(outcomes[outcome.column.name]), table="responses")
            for outcome in guesses.outcomes
        ),
        _settings(),
        _unused(guesses),
    ]
    return "\n\n".join(filter(None, sections)) + "\n"


def _shown_names(columns: Sequence[str], asked: Mapping[str, str]) -> dict[str, str]:
    """Column -> display name; the column's own name where two would be shown alike."""
    shown = {column: on_one_line(asked.get(column, "")) or display_name(column) for column in columns}
    times = Counter(shown.values())
    return {column: name if times[name] == 1 else column for column, name in shown.items()}


def _head(table: RawTable, name: str) -> str:
    lines = [
        f"# Drafted from {quoted_toml(table.path.name)}: {table.n_rows:,} rows, {len(table.header):,} columns.",
        "# What columns mean is guessed by their names and values: check every line.",
        *(f"# {note}" for note in map(on_one_line, table.notes)),
    ]
    if len(table.rejected):
        lines.append(f"# {len(table.rejected):,} rows cannot be read: nps-research check lists their lines.")
    lines += [
        "",
        f"name = {quoted_toml(name)}",
        'source = ""   # who asked, and where the data comes from',
        'licence = ""',
    ]
    return "\n".join(lines)


def _responses(table: RawTable, guesses: Guesses, stated: Mapping[str, str | int]) -> str:
    lines = ["[responses]", f"file = {quoted_toml(table.path.name)}"]
    lines += [
        f"{key} = {quoted_toml(value) if isinstance(value, str) else value}"
        for key, value in {**table.read_with, **stated}.items()
    ]
    lines += _wave_lines(table, guesses)
    lines += _excluded(guesses)
    lines += _date_lines(guesses)
    lines += _missing_codes(guesses)
    if guesses.people.repeats and "wave" not in guesses.standard:
        lines.append('# counts = "newest"   # of a person who answered more than once in a wave; also "first", "all"')
    return "\n".join(lines)


def _wave_lines(table: RawTable, guesses: Guesses) -> list[str]:
    if "wave" in guesses.standard or guesses.wide is not None:
        return []
    if guesses.dates.wave_from is not None:
        made = inline_table(
            {"from": quoted_toml(guesses.dates.wave_from), "every": quoted_toml(str(guesses.dates.wave_every))}
        )
        return [f"wave = {made}   # or every month, quarter, half-year, year"]
    return [
        "# No column tells waves apart. With one file per wave, take out file = above and list the files instead:",
        "# [[responses.files]]",
        f"# file = {quoted_toml(table.path.name)}",
        '# wave = "2026"',
    ]


def _excluded(guesses: Guesses) -> list[str]:
    lines = []
    left_out = {s.column.name: s.values for s in guesses.statuses if s.kind == "not real" and s.values}
    if left_out:
        made = inline_table({column: f"[{listed(values)}]" for column, values in left_out.items()})
        said = "; ".join(rows_in_words(values) for values in left_out.values())
        lines.append(f"exclude = {made}   # previews, tests and spam are no answers: {said}")
    for status in guesses.statuses:
        if status.kind == "not finished" and status.values:
            n = sum(status.values.values())
            lines += [
                (
                    f"# {counted(n, 'row')} {'is' if n == 1 else 'are'} not finished, by "
                    f"{quoted_toml(status.column.name)}; answers in them count."
                ),
                (
                    f"# exclude = {inline_table({status.column.name: _codes_as_text(status.values)})}   # would "
                    f"leave them out"
                ),
            ]
    return lines


def _codes_as_text(values: Iterable[str]) -> str:
    return f"[{listed(values)}]"


def _date_lines(guesses: Guesses) -> list[str]:
    lines = []
    if guesses.dates.formats:
        lines.append(
            f"date_format = {inline_table({name: quoted_toml(form) for name, form in guesses.dates.formats.items()})}"
            "   # seconds since 1970; 0 is blank"
        )
    if guesses.dates.unclear:
        named = listed(column.name for column in guesses.dates.unclear)
        lines += [
            f"# The dates in {named} are not written year-month-day, and day and month may stand either way round.",
            '# date_format = "%d.%m.%Y"   # say which, as for strptime: %d day, %m month, %Y year, %H:%M time',
        ]
    return lines


def _missing_codes(guesses: Guesses) -> list[str]:
    score = guesses.score
    lines = []
    if score.no_answer:
        lines.append(
            f"missing_codes = {inline_table({'likelihood_to_recommend': code_list(score.no_answer)})}   # no "
            f"answers, in words"
        )
    if score.odd:
        inline = inline_table(
            {"likelihood_to_recommend": code_list([*score.no_answer, *map(str, whole_codes(score.odd))])}
        )
        lines += [
            f"# likelihood_to_recommend holds {cells_in_words(whole_codes(score.odd))}, outside 0 to 10."
            if whole_codes(score.odd)
            else f"# {counted(sum(score.odd.values()), 'cell')} of likelihood_to_recommend hold words that are "
            f"no answer from 0 to 10.",
            "# If that stands for no answer, take the # off the next line; as it is, these rows are quarantined.",
            f"# missing_codes = {inline}",
        ]
    return lines


def _wide(guesses: Guesses) -> str:
    if guesses.wide is None:
        return ""
    waves = inline_table({shown: quoted_toml(spelt) for shown, spelt in guesses.wide.waves.items()})
    return "\n".join(
        [
            "[responses.wide]   # each line of the file stands for one answer per wave",
            f"waves = {waves}",
            f"columns = {inline_table({'likelihood_to_recommend': quoted_toml(guesses.wide.stem)})}",
        ]
    )


def _columns(guesses: Guesses) -> str:
    lines = ["[responses.columns]"]
    if "likelihood_to_recommend" not in guesses.standard and guesses.wide is None:
        if guesses.score.others:
            lines.append("# Which of these is the answer to how likely one is to recommend? Take the # off one line:")
            lines += [f"# likelihood_to_recommend = {quoted_toml(name)}" for name in guesses.score.others]
        else:
            lines.append(
                '# likelihood_to_recommend = ""   # no column looks like an answer from 0 to 10 to how likely one is '
                "to recommend: name it here"
            )
    for role, guess in guesses.standard.items():
        others = f"; also possible: {listed(guess.others)}" if guess.others else ""
        column = quoted_toml(guess.column.name)
        if role == "responded_at" and guesses.dates.clock is not None:
            column = inline_table({"date": column, "time": quoted_toml(guesses.dates.clock.name)})
        asked = f": {on_one_line(guess.column.question)[:80]}" if guess.column.question else ""
        lines.append(f"{role} = {column}   # {guess.why}{asked}{others}")
    for status in guesses.statuses:
        if status.kind == "not delivered" and "delivered" not in guesses.standard:
            made = inline_table({"column": quoted_toml(status.column.name), "no": f"[{listed(status.values)}]"})
            lines.append(f"delivered = {made}   # {rows_in_words(status.values)}")
    return "\n".join(lines)


def _recode(guesses: Guesses) -> str:
    score = guesses.score
    if score.shift:
        recode = inline_table({"shift": score.shift})
        why = "codes run from 1 to 11 and no 0 occurs: 1 stands for 0, 11 for 10"
    elif score.recode:
        recode = inline_table(score.recode)
        why = "the answers that these values stand for"
    else:
        return ""
    return f"[responses.recode]   # {why}\nlikelihood_to_recommend = {recode}"


def _driver_lines(drivers: RatingsGuess | None, shown: dict[str, str]) -> str:
    if drivers is None:
        return ""
    low, high = drivers.scale
    lines = ["[responses.drivers]   # columns on one rating scale", f"scale = [{low}, {high}]"]
    if drivers.labels:
        lines.append(f"labels = {inline_table(drivers.labels)}")
    if drivers.odd_codes:
        lines += [
            f"# They also hold {cells_in_words(drivers.odd_codes)}, outside the scale.",
            "# Sort each code into one of these; as it is, rows with them are quarantined.",
            f"# missing_codes = {list(drivers.odd_codes)}    # asked, not answered",
            f"# not_used_codes = {list(drivers.odd_codes)}   # never used",
        ]
    if drivers.reversed:
        lines += [
            "# Is a high number bad in any of these? Then name it, so that it is turned round:",
            f"# reverse = [{listed(shown[column] for column in drivers.reversed)}]",
        ]
    lines += [
        f"# Left out, {why}: {listed(column for column, reason in drivers.left_out.items() if reason == why)}"
        for why in dict.fromkeys(drivers.left_out.values())
    ]
    lines += ["", "[responses.drivers.columns]   # the name shown to readers = the column in the file"]
    return "\n".join([*lines, *_named_columns(drivers.columns, shown)])


def _segment_lines(segments: Sequence[ReadColumn], shown: dict[str, str]) -> str:
    if not segments:
        return ""
    heading = "[responses.segments.columns]   # words with 2 to 30 values, by which to compare"
    return "\n".join([heading, *_named_columns(segments, shown)])


def _named_columns(columns: Sequence[ReadColumn], shown: dict[str, str]) -> list[str]:
    return [f"{toml_key(shown[column.name])} = {quoted_toml(column.name)}" for column in columns]


def _settings() -> str:
    return "\n".join(
        [
            "[settings]   # the defaults; take a # off to change one",
            "# promoter_min = 9",
            "# detractor_max = 6",
            "# target = 20   # the score that is aimed at; there is none by default",
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
        f"#   {remark}: {listed(column for column, what in guesses.unused.items() if what == remark)}"
        for remark in dict.fromkeys(guesses.unused.values())
    ]
    return "\n".join(["# Columns not used:", *lines])
