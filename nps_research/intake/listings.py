"""What came in: rows, rules, formats, identities, and which questions the study can answer."""

from __future__ import annotations

import pandas as pd

from nps_research.counting.shown_groups import groups_not_shown, without_small_waves
from nps_research.results.listing import Listing
from nps_research.results.words import joined
from nps_research.study.further_tables import FURTHER
from nps_research.study.repeats import STANDS_TWICE
from nps_research.study.standard_columns import TABLES
from nps_research.study.study import Study


def intake(study: Study) -> Listing:
    """Count rows in, accepted and quarantined, per file.

    Parameters
    ----------
    study : Study
        The study.

    Returns
    -------
    Listing
        `frame` columns: table, file, wave, rows, accepted, quarantined.

    Examples
    --------
    >>> from nps_research.study.study import Study
    >>> study = Study.from_frames(responses=pd.DataFrame({"likelihood_to_recommend": [10, 9, 11]}))
    >>> intake(study).finding
    '3 rows came in: 2 are accepted, 1 is quarantined with a reason.'
    """
    excluded = int(study.files["excluded"].sum()) if "excluded" in study.files else 0
    left_out = f"; {excluded:,} {'is' if excluded == 1 else 'are'} left out as the study says" if excluded else ""
    several = study.files["table"].where(~study.files["table"].isin(FURTHER), "further tables")
    of_table = study.files.groupby(several, sort=False)[["rows", "accepted", "quarantined"]].sum()
    said, whole = [], []
    for number, (table, row) in enumerate(of_table.iterrows()):
        rows, accepted, quarantined = map(int, row)
        if number and not quarantined:
            whole.append(f"{rows:,} rows of {table}")
            continue
        held = "1 is" if quarantined == 1 else f"{quarantined:,} are" if quarantined else "none is"
        reason = " with a reason" if quarantined else ""
        of = f" of {table}" if len(of_table) > 1 else ""
        said.append(f"{rows:,} rows{of} came in: {accepted:,} are accepted, {held} quarantined{reason}")
    if whole:
        said.append(f"All {joined(whole)} are accepted")
    counted = without_small_waves(study)
    return Listing(
        frame=study.files,
        hidden=groups_not_shown(counted, ["wave"]) | frozenset(counted.left_out_waves) if study.waves else None,
        title=f"Rows in = rows accepted + rows quarantined{' + rows left out' if excluded else ''}",
        says=f"{'. '.join(said)}{left_out}.",
        glance={"data": f"{'. '.join(said)}{left_out}."},
        remark="Quarantined rows are in no number here. They are written to the private folder, for repair."
        + (f" Accepted, but kept apart (life_stage): {apart:,}." if (apart := len(study.by_age)) else ""),
    )


def broken_rules(study: Study) -> Listing:
    """List the rules of the contract that rows broke: which, how often, where first.

    Parameters
    ----------
    study : Study
        The study.

    Returns
    -------
    Listing
        `frame` columns: table, column, rule, rows, first_lines. A row may break several rules.

    Examples
    --------
    >>> from nps_research.study.study import Study
    >>> study = Study.from_frames(responses=pd.DataFrame({"likelihood_to_recommend": [10, 9, 11]}))
    >>> broken_rules(study).frame[["rule", "rows"]].values.tolist()
    [['is not from 0 to 10', 1]]
    """
    n = len(study.violations)
    says = f"Rows break {n} rule{'s' * (n != 1)} of the contract." if n else "No row breaks a rule of the contract."
    return Listing(frame=study.violations, title="Rules that rows broke", says=says)


def reading_notes(study: Study) -> Listing:
    """List what was detected rather than stated, and which cells were read by a rule.

    Parameters
    ----------
    study : Study
        The study.

    Returns
    -------
    Listing
        `frame` column: note.

    Examples
    --------
    >>> from nps_research.study.study import Study
    >>> study = Study.from_frames(responses=pd.DataFrame({"likelihood_to_recommend": ["10", "9,0"]}))
    >>> reading_notes(study).frame["note"].iloc[0]
    'likelihood_to_recommend: zeros after the decimal sign dropped: 1 cell.'
    """
    n = len(study.notes)
    says = (
        f"{n} thing{'s' * (n != 1)} about the files {'were' if n != 1 else 'was'} detected or read by a rule."
        if n
        else "Every cell was read as it stands."
    )
    return Listing(frame=pd.DataFrame({"note": study.notes}, dtype="str"), title="How the files were read", says=says)


def identity_checks(study: Study) -> Listing:
    """Count duplicates, and identities that several people seem to share.

    Nothing is changed: the counts say where to look before people are paired over waves or called.

    Parameters
    ----------
    study : Study
        The study.

    Returns
    -------
    Listing
        `frame` columns: term, identities (how many), people (rows or customers behind them). Only the
        checks that the study has the columns for.

    Examples
    --------
    >>> from nps_research.study.study import Study
    >>> responses = pd.DataFrame({"respondent_id": ["a", "a"], "likelihood_to_recommend": [9, 3]})
    >>> identity_checks(study=Study.from_frames(responses=responses)).frame.values.tolist()
    [['One respondent, several rows in one wave (quarantined but for one)', 1, 2]]
    """
    rows: list[tuple[str, int, int]] = []

    def several(term: str, table: pd.DataFrame, identity: list[str], people: str) -> None:
        known = table.dropna(subset=[*identity, people])
        behind = known.groupby(identity)[people].nunique()
        rows.append((term, int((behind > 1).sum()), int(behind[behind > 1].sum())))

    responses, customers = study.responses, study.customers
    if "responses.respondent_id" in study.available:
        repeated = study.quarantine[study.quarantine["reasons"].str.contains(STANDS_TWICE, regex=False)]
        again = repeated.drop_duplicates([name for name in ("respondent_id", "wave") if name in repeated])
        rows.append(
            (
                "One respondent, several rows in one wave (quarantined but for one)",
                len(again),
                len(repeated) + len(again),
            )
        )
        if "responses.account_id" in study.available:
            several("One respondent, several accounts", responses, ["respondent_id"], "account_id")
    if {"responses.respondent_id", "responses.account_id", "responses.responded_at"} <= study.available:
        minute = responses["responded_at"].dt.floor("min").where(responses["responded_at"].dt.hour.notna())
        timed = responses.assign(minute=minute)[responses["responded_at"] != responses["responded_at"].dt.normalize()]
        several(
            "One account, several respondents answering in the same minute",
            timed,
            ["account_id", "minute"],
            "respondent_id",
        )
    if customers is not None and "customers.email" in study.available:
        several(
            "One e-mail address, several customers",
            customers.assign(address=customers["email"].str.lower()),
            ["address"],
            "customer_id",
        )
    if customers is not None and {"customers.name", "customers.account_id"} <= study.available:
        several("One name within an account, several customers", customers, ["account_id", "name"], "customer_id")
    frame = pd.DataFrame(rows, columns=["term", "identities", "people"])
    found = frame[frame["identities"] > 0]
    if frame.empty:
        says = "Without an id of the respondent nobody can be checked for standing twice."
    elif found.empty:
        says = "No identity seems to be shared by several people, and nobody stands twice."
    else:
        worst = found.sort_values("people").iloc[-1]
        says = (
            f"{len(found)} of {len(frame)} checks find shared or repeated identities; most people in: "
            f"{str(worst['term']).lower()} ({int(worst['identities'])} identities, {int(worst['people'])} people)."
        )
    return Listing(frame=frame, title="Duplicates and shared identities", says=says)


def further_tables(study: Study) -> Listing:
    """List the tables beside responses and customers: what a row is, how many are accepted, which question they feed.

    Parameters
    ----------
    study : Study
        The study.

    Returns
    -------
    Listing
        `frame` columns: table, term (what a row is), accepted, question.

    Examples
    --------
    >>> from nps_research.study.study import Study
    >>> answers = pd.DataFrame({"respondent_id": ["a"], "likelihood_to_recommend": [3]})
    >>> calls = pd.DataFrame({"respondent_id": ["a"], "attempted_at": ["2025-01-01"]})
    >>> study = Study.from_frames(responses=answers, tables={"callbacks": calls})
    >>> further_tables(study).frame.values.tolist()
    [['callbacks', 'one case of one response', 1, 'Did calling back help?']]
    """
    rows = [(name, FURTHER[name].row, len(frame), FURTHER[name].question) for name, frame in study.tables.items()]
    n = len(rows)
    return Listing(
        frame=pd.DataFrame(rows, columns=["table", "term", "accepted", "question"]),
        title="Further tables, and the question each is for",
        says=f"{n} further table{'s' * (n != 1)} came in." if n else "There are no further tables.",
    )


def columns_filled(study: Study) -> pd.DataFrame:
    """List each standard column that a study holds, ratings and segments: what it means, how many rows have a value.

    Columns: column, says, filled.
    """
    known = [
        (f"{table}.{name}", name, column.says, frame)
        for table, frame in {"responses": study.responses, "customers": study.customers, **study.tables}.items()
        if frame is not None
        for name, column in TABLES[table].items()
        if f"{table}.{name}" in study.available
    ]
    known += [(name, name, "a rating of one experience", study.responses) for name in study.drivers]
    known += [(name, name, "a column to compare groups by", study.responses) for name in study.segments]
    rows = [
        (shown, says, f"{int(frame[name].notna().sum()):,} of {len(frame):,}") for shown, name, says, frame in known
    ]
    return pd.DataFrame(rows, columns=["column", "says", "filled"])
