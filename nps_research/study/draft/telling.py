"""What `init` says of a file: what was found, what only the analyst knows, what was decided."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from nps_research.reading.raw_table import counted
from nps_research.study.draft.columns import ReadColumn
from nps_research.study.draft.customers import CustomersGuess
from nps_research.study.draft.guessing import Guesses
from nps_research.study.draft.score import ScoreGuess
from nps_research.study.draft.spelling import cells_in_words, listed, quoted_toml, rows_in_words, whole_codes

_PER_WAVE = re.compile(r"(responded|answered|completed)[_ ]?\w?\d+", re.IGNORECASE)


_SAID = {
    "likelihood_to_recommend": "The score",
    "respondent_id": "Who answered",
    "customer_id": "The customer",
    "account_id": "The account",
    "cluster": "Answers that belong together",
    "wave": "The wave",
    "invited_at": "When they were invited",
    "responded_at": "When they answered",
    "delivered": "What was delivered",
    "responded": "Who responded",
    "touchpoint": "The touchpoint",
    "channel": "The channel",
    "employee": "Who served",
    "interviewer": "The interviewer",
    "callback_requested": "Who asks to be called",
    "comment": "The comment",
    "design_weight": "The weight",
    "stratum": "The stratum",
}


@dataclass(frozen=True, kw_only=True)
class Found:
    """One line of the table that `init` prints: what was looked for, what was found, and why."""

    what: str
    columns: str
    why: str


def found_lines(guesses: Guesses) -> Iterable[Found]:
    """What was found, in the order of importance, and what was not."""
    if guesses.wide is not None:
        yield Found(
            what="The score", columns=listed(c.name for c in guesses.wide.columns), why="one column for each wave"
        )
    for role, said in _SAID.items():
        if role in guesses.standard:
            guess = guesses.standard[role]
            why = (
                "proved by a column that groups the same answers"
                if role == "likelihood_to_recommend" and guesses.score.proven
                else guess.why
            )
            yield Found(what=said, columns=quoted_toml(guess.column.name), why=why)
        elif role == "wave" and guesses.dates.wave_every:
            dated = guesses.standard[str(guesses.dates.wave_from)].column.name
            yield Found(
                what=said, columns=quoted_toml(dated), why=f"every {guesses.dates.wave_every}, from these dates"
            )
        elif role in ("likelihood_to_recommend", "respondent_id", "wave", "responded_at") and not (
            guesses.wide is not None and role in ("likelihood_to_recommend", "wave")
        ):
            yield Found(what=said, columns="not found", why="")
    if guesses.drivers:
        low, high = guesses.drivers.scale
        yield Found(
            what="Ratings",
            columns=listed(c.name for c in guesses.drivers.columns),
            why=f"on one scale from {low} to {high}",
        )
    if guesses.segments:
        yield Found(what="Groups", columns=listed(c.name for c in guesses.segments), why="words with few values")
    for status in guesses.statuses:
        if status.values:
            done = {"not real": "left out", "not delivered": "not delivered", "not finished": "counted all the same"}
            yield Found(
                what="Status",
                columns=quoted_toml(status.column.name),
                why=f"{done[status.kind]}: {rows_in_words(status.values)}",
            )


def open_questions(guesses: Guesses, joined: CustomersGuess | None = None) -> Iterable[str]:
    """What only the analyst knows and what changes the number, most important first."""
    score = guesses.score
    if score.column is None and score.others:
        yield (
            f"Which column is the answer to how likely one is to recommend: {listed(score.others)}? Name one "
            f"in [responses.columns]."
        )
    elif score.column is None and guesses.wide is None:
        yield f"Which column is the score? {score.nearest}. Name it in [responses.columns]."
    elif score.column is not None:
        yield from _about_the_scale(score, score.column)
    if guesses.dates.unclear:
        yield (
            f"How are the dates in {listed(c.name for c in guesses.dates.unclear)} written: day or month first? "
            'Set date_format = "%d/%m/%Y", or with %m first.'
        )
    if joined is not None and joined.lacks_end:
        last = f" The last who left did so on {joined.watched_until}." if joined.watched_until else ""
        yield (
            f"Until which day would leaving have been seen?{last} "
            f"Without observed_until in [{joined.table}] nobody's loyalty is followed."
        )
    for status in guesses.statuses:
        if status.kind == "not finished" and status.values:
            n = sum(status.values.values())
            yield (
                f"Do unfinished answers count? {quoted_toml(status.column.name)} marks {counted(n, 'row')} as "
                f"not finished; they count now."
            )


def _about_the_scale(score: ScoreGuess, column: ReadColumn) -> Iterable[str]:
    named = quoted_toml(column.name)
    if score.shift:
        yield (
            f"Is {named} coded 1 to 11? No 0 occurs, and {column.codes[11]:,} cells hold 11, so 1 is taken for "
            '0 and 11 for 10. If 11 means "no answer", take out [responses.recode] and set missing_codes.'
        )
    if score.odd:
        told = whole_codes(score.odd)
        what = cells_in_words(told) if told else f"{counted(sum(score.odd.values()), 'cell')} with other words"
        yield f"What does {what} in {named} mean? If it is no answer, set missing_codes; now such rows are quarantined."


def warnings_of(guesses: Guesses, joined: CustomersGuess | None = None) -> Iterable[str]:
    """What was decided that could be otherwise."""
    score = guesses.score
    yield from (f"{remark}." for remark in guesses.people.remarks)
    if joined is not None and joined.n_repeated:
        yield (
            f"{quoted_toml(joined.key.name)} stands in several rows of the second file: of each the first counts, and "
            f"{counted(joined.n_repeated, 'row')} will be quarantined. Is it a list of {joined.table}?"
        )
    if joined is not None and joined.n_found < joined.n_ids:
        yield (
            f"{joined.n_ids - joined.n_found:,} of {joined.n_ids:,} ids among the answers are not in the second file."
        )
    if score.companions:
        named = listed(score.companions)
        if score.proven and score.column is not None:
            yield (
                f"{named} repeats {quoted_toml(score.column.name)} as three groups of promoters, passives and "
                f"detractors: it is left out."
            )
        else:
            yield (
                f"{named} holds three groups or fewer, such as promoter, passive and detractor: it is not the "
                f"score, and is left out."
            )
    if score.column is not None and score.no_answer:
        yield f"{quoted_toml(score.column.name)}: {listed(score.no_answer)} read as no answer (missing_codes)."
    if score.column is not None and score.recode:
        yield (
            f"{quoted_toml(score.column.name)}: values stand for other numbers by their labels ([responses.recode])."
        )
    if score.column is not None and not score.column.cells.empty and max(score.answers, default=0) <= 5:
        yield f"{quoted_toml(score.column.name)} has no answer above 5: is it the answer from 0 to 10?"
    for status in guesses.statuses:
        if status.kind == "not delivered":
            yield (
                f"{quoted_toml(status.column.name)} says what was not delivered: {rows_in_words(status.values)}. Check "
                "that every other value reached the person."
            )
        if status.kind == "not real" and status.values:
            yield (
                f"{quoted_toml(status.column.name)}: previews, tests or spam are left out (exclude): "
                f"{rows_in_words(status.values)}."
            )
    if guesses.drivers:
        for column, why in guesses.drivers.left_out.items():
            yield f"{quoted_toml(column)} is no driver: {why}."


def answers_of(guesses: Guesses, joined: CustomersGuess | None = None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What the study can answer, and what is missing for the rest."""
    standard = guesses.standard
    can: list[str] = []
    cannot: list[str] = []
    score = guesses.score
    if guesses.wide is not None:
        can.append(f"The score: one column for each of {len(guesses.wide.columns)} waves.")
    elif score.column is not None:
        can.append(
            f"The score: likelihood_to_recommend from {quoted_toml(score.column.name)}, with "
            f"{len(score.answers):,} answers."
        )
    else:
        cannot.append(f"The score: {score.nearest or 'several columns could be it: ' + listed(score.others)}.")
    if "wave" in standard:
        waves = len(standard["wave"].column.counts)
        can.append(f"The trend: {waves:,} {'wave' if waves == 1 else 'waves'}.")
    elif guesses.wide is not None:
        can.append(f"The trend: {len(guesses.wide.columns)} waves.")
    elif guesses.dates.wave_every is not None:
        can.append(f"The trend: waves from {guesses.dates.wave_from}, every {guesses.dates.wave_every}.")
    else:
        cannot.append("The trend: no column tells waves apart; one file per wave would do.")
    _answer_response(guesses, can, cannot)
    if guesses.drivers:
        low, high = guesses.drivers.scale
        can.append(f"Drivers: {len(guesses.drivers.columns)} ratings from {low} to {high}.")
    else:
        cannot.append("Drivers: no ratings of single experiences on one scale were found.")
    if joined is not None and "churned_at" in joined.standard:
        waits = ", once it is said until when leaving would have been seen" if joined.lacks_end else ""
        can.append(f"Thresholds: where detractors end, by who left and when{waits}.")
    elif joined is not None and joined.outcomes:
        can.append(
            f"Thresholds: where detractors end, against {listed(o.column.name for o in joined.outcomes)}; undated, "
            "so as association only."
        )
    elif guesses.outcomes:
        names = listed(outcome.column.name for outcome in guesses.outcomes)
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
    delivered = "delivered" in guesses.standard or any(s.kind == "not delivered" for s in guesses.statuses)
    if dated is None and flag is None:
        hint = "no column says whether or when an invitation was answered"
        if len(per_wave) > 1:
            hint += f"; {listed(per_wave[:1])} and {len(per_wave) - 1} like it need one row per person and wave"
        cannot.append(f"Response rates and silence: {hint}.")
    elif not ((dated and dated.column.filled < 1) or (flag and len(flag.column.counts) > 1)):
        cannot.append(
            "Response rates and silence: every row is an answer; those who did not answer are not in the file."
        )
    elif delivered:
        can.append("Response rates and silence: invitations, deliveries and answers are there.")
    else:
        can.append("Response rates and silence: but no column says what was delivered, so bounces pass for silence.")
