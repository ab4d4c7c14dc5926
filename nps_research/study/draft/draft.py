"""A first study.toml for an export, and what is to be said of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from nps_research.reading.sources import read_table
from nps_research.study.draft.customers import customers_toml, guess_customers
from nps_research.study.draft.further import looks_like
from nps_research.study.draft.guessing import guess_columns
from nps_research.study.draft.score import BY_VALUES
from nps_research.study.draft.spelling import listed, quoted_toml
from nps_research.study.draft.telling import Found, answers_of, found_lines, open_questions, warnings_of
from nps_research.study.draft.writing import toml_text

_MOST_QUESTIONS = 3


@dataclass(frozen=True, kw_only=True)
class Draft:
    """A drafted study.

    Attributes
    ----------
    toml : str
        The text of a study.toml. It holds names of columns, counts and codes, and no id, comment or name of a person.
    found : tuple of Found
        What was found, and what was not.
    questions : tuple of str
        At most three, whose answers change the number.
    warnings : tuple of str
        What to know before the number is believed.
    can, cannot : tuple of str
        What the study can answer as drafted, and what is missing for the rest.
    has_score : bool
        Whether a column was taken for the score.
    seems : str
        The further table that a file without a score looks like; empty where it looks like none.
    """

    toml: str
    found: tuple[Found, ...]
    questions: tuple[str, ...]
    warnings: tuple[str, ...]
    can: tuple[str, ...]
    cannot: tuple[str, ...]
    has_score: bool
    seems: str = ""


def draft_study(
    file: Path,
    *,
    name: str | None = None,
    sheet: str | None = None,
    header_rows: int | None = None,
    encoding: str | None = None,
    customers: Path | None = None,
) -> Draft:
    r"""Read an export, guess what its columns mean, and write a study.toml to be checked.

    Parameters
    ----------
    file : Path
        An export with one row per invitation or answer.
    name : str, optional
        Name of the study; the file's name by default.
    sheet, header_rows, encoding : optional
        How to read the file, where that is not to be detected.
    customers : Path, optional
        A second file, of customers or accounts: joined by the column whose ids the answers hold, too.

    Returns
    -------
    Draft

    Raises
    ------
    ContractError
        If a file cannot be read, or `customers` holds none of the ids of the answers.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> export = Path(tempfile.mkdtemp(), "export.csv")
    >>> _ = export.write_text("Respondent ID;NPS\n17;9\n18;10\n19;3\n")
    >>> print(draft_study(export).can[0])
    The score: likelihood_to_recommend from "NPS", with 3 answers.
    """
    table = read_table(file, sheet=sheet, header_rows=header_rows, encoding=encoding)
    guesses, joined = guess_columns(table), None
    if customers is not None:
        second = read_table(customers)
        joined = guess_customers(second, table, guesses.people)
        guesses = guess_columns(table, joined=joined.of_answers)
    stated = {key: value for key, value in (("sheet", sheet), ("header_rows", header_rows)) if value is not None}
    can, cannot = answers_of(guesses, joined)
    toml = toml_text(table, guesses, name=name or file.stem, stated=stated)
    found = list(found_lines(guesses))
    if joined is not None:
        toml += f"\n{customers_toml(second, joined)}\n"
        found.append(
            Found(
                what="Customers",
                columns=listed([joined.key.name, *(column.name for column in joined.standard.values())]),
                why=f"{joined.n_found:,} of {joined.n_ids:,} found by {quoted_toml(joined.of_answers)}",
            )
        )
    has_score = guesses.score.column is not None or guesses.wide is not None
    return Draft(
        toml=toml,
        found=tuple(found),
        questions=tuple(open_questions(guesses, joined))[:_MOST_QUESTIONS],
        warnings=tuple(warnings_of(guesses, joined)),
        can=can,
        cannot=cannot,
        has_score=has_score,
        seems="" if joined is not None or (has_score and guesses.score.why != BY_VALUES) else looks_like(table),
    )
