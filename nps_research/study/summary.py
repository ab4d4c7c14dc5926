"""A study in words: when its data speak, and why there is nothing to work on."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from html import escape

import pandas as pd

from nps_research.results.words import plain_text


def period_of(responses: pd.DataFrame, waves: Sequence[str], minimum_cell: int) -> str:
    """Say from when to when the responses are: in months where dates are known, else by the waves that are shown."""
    dates = [responses[name].dropna() for name in ("invited_at", "responded_at") if name in responses]
    dates = [date for date in dates if len(date)]
    if dates:
        first, last = min(date.min() for date in dates), max(date.max() for date in dates)
        return f"{first:%B %Y} to {last:%B %Y}"
    if not waves:
        return "not stated"
    shown = shown_waves(responses, waves, minimum_cell)
    return f"{shown[0]} to {shown[-1]}" if len(shown) > 2 else " and ".join(shown) or "not stated"


def shown_waves(responses: pd.DataFrame, waves: Sequence[str], minimum_cell: int) -> list[str]:
    """List the waves that are not too small to be shown: by their answers, without any by their people."""
    wave, answered = responses["wave"], responses["response_state"] == "answered"
    answers, people = (rows.value_counts().reindex(list(waves), fill_value=0) for rows in (wave[answered], wave))
    size = answers.where(answers > 0, people)
    return [wave for wave in waves if size[wave] >= minimum_cell]


def base_of(
    files: pd.DataFrame, responses: pd.DataFrame, *, whole: int | None, small_waves: str, apart: int = 0
) -> str:
    """Say how many rows came in and how many answers they hold; of a part, of how many rows of the `whole`.

    How many rows are kept `apart` is said, and what of small waves follows.
    """
    own = files[files["table"] == "responses"]
    rows, kept, quarantined = (int(own[name].sum()) for name in ("rows", "accepted", "quarantined"))
    answers = int((responses["response_state"] == "answered").sum())
    intake = f"{rows:,} rows in, {kept:,} accepted, {quarantined:,} quarantined"
    if "excluded" in own and (excluded := int(own["excluded"].sum())):
        intake += f", {excluded:,} left out as the study says"
    if whole is not None:
        intake = f"{len(responses):,} of {whole:,} accepted rows"
    intake += f", {apart:,} accepted but kept apart (life_stage)" * bool(apart)
    said = f". {small_waves.removesuffix('.')}" * bool(small_waves)
    return f"{intake}; {answers:,} answers to the recommendation question{said}"


def answers_in(responses: pd.DataFrame, available: Collection[str]) -> int:
    """Count the answers to the recommendation question, or to anything where there is no such question."""
    asked = "responses.likelihood_to_recommend" in available
    states = ["answered"] if asked else ["answered", "item_missing"]
    return int(responses["response_state"].isin(states).sum())


def why_nothing_is_accepted(quarantine: pd.DataFrame, violations: pd.DataFrame) -> str:
    """Say why no row of the responses is accepted."""
    n = int((quarantine["table"] == "responses").sum())
    if n == 0:
        return "the responses have a header and no rows"
    rules = violations[violations["table"] == "responses"].to_dict("records")
    most = max(rules, key=lambda rule: int(rule["rows"]), default={"column": "a record", "rule": "cannot be read"})
    return f"none of the {n:,} rows of the responses is accepted; most often {most['column']} {most['rule']}"


def facts_html(title: str, facts: Mapping[str, Sequence[str]]) -> str:
    """Write facts as an HTML table, a row each; what is empty is left out."""
    rows = [
        f'<tr><th scope="row">{escape(name)}</th><td>{"<br>".join(map(_safe, said))}</td></tr>'
        for name, said in facts.items()
        if said
    ]
    return f'<table class="mathjax_ignore"><caption>{_safe(title)}</caption><tbody>{"".join(rows)}</tbody></table>'


def _safe(text: str) -> str:
    return escape(plain_text(text, 200))
