"""Numbers inside sentences: how findings spell points, shares, intervals and p-values."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from nps_research.errors import visible

TEXTS = ("text", "name")  # formats
MOST_WORDS = 30  # of a finding
WORDS_OF_TITLE = 4, 20  # of a figure
_COLUMN_WORDS = {
    "account_id": "account",
    "customer_id": "customer",
    "respondent_id": "person",
    "design_weight": "design weight",
}
_COLUMN_NAMES = re.compile(r" \((?:responses\.|customers\.|accounts\.|outcomes)[^()]*\)")
_END_OF_SENTENCE = re.compile(r"\. (?=[A-Z\d+\N{MINUS SIGN}])")
_END_OF_CLAUSE = re.compile(r"[;:] (?![^()]*\))")  # not within brackets


def points(value: float) -> str:
    """Spell NPS points: ``'+39.8'``."""
    return format_value(value, "points")


def share(value: float) -> str:
    """Spell a share of 0 to 1 as a whole percentage: ``'46%'``; small ones keep a decimal."""
    if value != value:
        return "not known"
    return f"{value:.0%}" if value >= 0.095 or value == 0 else f"{value:.1%}"


def title_of(finding: str) -> str:
    """Shorten a finding to a figure's title: its first sentence, as many clauses as a title holds, or none.

    Examples
    --------
    >>> title_of("NPS fell by 22 points in two years; lower ratings of delivery (-11; p < 0.001) go with it. Base: 9.")
    'NPS fell by 22 points in two years; lower ratings of delivery (-11; p < 0.001) go with it'
    """
    sentence = _END_OF_SENTENCE.split(finding, maxsplit=1)[0].rstrip(".")
    ends = [end.start() for end in _END_OF_CLAUSE.finditer(sentence)]
    clauses = [sentence, *(sentence[:end] for end in reversed(ends))]
    least, most = WORDS_OF_TITLE
    return next((clause for clause in clauses if least <= len(clause.split()) <= most), "")


def amount_text(amount: float) -> str:
    """Spell an amount to two or three digits.

    Examples
    --------
    >>> amount_text(912_345.0), amount_text(3_456_789.0), amount_text(1_234.0)
    ('912,000', '3.46 million', '1,230')
    """
    rounded = float(f"{amount:.3g}")
    return f"{rounded / 1e6:,.3g} million" if rounded >= 1e6 else f"{rounded:,.0f}"


def quoted(name: str) -> str:
    """Put a name from the study's file in quotation marks."""
    return f"\N{LEFT DOUBLE QUOTATION MARK}{plain_text(name)}\N{RIGHT DOUBLE QUOTATION MARK}"


def column_in_words(name: str) -> str:
    """Name a column of the contract in a sentence; one of the study's own keeps its name.

    Examples
    --------
    >>> column_in_words("account_id"), column_in_words("run")
    ('account', 'run')
    """
    return _COLUMN_WORDS.get(name, plain_text(name))


def without_column_names(sentence: str) -> str:
    """Take the names of columns out of a sentence on what a study lacks.

    Examples
    --------
    >>> without_column_names("This study does not record the round of the survey (responses.wave).")
    'This study does not record the round of the survey.'
    """
    return _COLUMN_NAMES.sub("", sentence)


def interval_text(row: pd.Series | Mapping[str, Any], confidence_level: float, *, prefix: str = "") -> str:
    """Spell limits in words: ``'95% interval +36.3 to +43.2'``."""
    low, high = row[f"{prefix}conf_low"], row[f"{prefix}conf_high"]
    if low != low or high != high:
        return "limits not known"
    return f"{confidence_level:.0%} interval {points(low)} to {points(high)}"


def p_text(p: float) -> str:
    """Spell a p-value, kept on one line: ``'p = 0.034'`` or ``'p < 0.001'``."""
    text = "p < 0.001" if p < 0.001 else "p > 0.99" if p > 0.99 else f"p = {p:.3f}"
    return text.replace(" ", "\N{NO-BREAK SPACE}")


def joined(items: Sequence[str]) -> str:
    """Join words as a list in a sentence.

    Examples
    --------
    >>> joined(["a", "b", "c"])
    'a, b and c'
    """
    texts = [plain_text(item, 200) for item in items]
    return " and ".join([", ".join(texts[:-1]), texts[-1]]) if len(texts) > 1 else "".join(texts)


BETWEEN = " \N{MIDDLE DOT} "  # the parts of a group that is a combination


_EMAIL = re.compile(r"[^\s@<>\"']{1,200}@[^\s@<>\"']{1,200}\.\w{2,24}")


_SHAPELESS = re.compile(r"[\u200b-\u200f\ufeff]+")


MINUS = "\N{MINUS SIGN}"


DASH = "\N{EM DASH}"


def plain_text(value: object, width: int = 80) -> str:
    r"""Make text from data fit to be shown: one line, control characters shown as such, no e-mail address.

    Examples
    --------
    >>> plain_text("North\n(ask ann@example.com)")
    'North (ask [e-mail])'
    """
    text = _EMAIL.sub("[e-mail]", visible(" ".join(_SHAPELESS.sub(" ", str(value)).split())))
    return text if len(text) <= width else text[: width - 1].rstrip() + "\N{HORIZONTAL ELLIPSIS}"


def format_value(value: Any, style: str) -> str:
    """Spell one value as readers see it.

    `style` is ``"points"`` (+39.8), ``"share"`` (12.3%), ``"share_points"`` (a difference of
    shares, +1.2 pp), ``"count"`` (1,234), ``"p"``, ``"width"`` (5.3), ``"number"`` (0.53),
    ``"fine"`` (0.5321), ``"text"`` or ``"name"`` (of a column: a text with a capital).

    Examples
    --------
    >>> format_value(-5.31, "points"), format_value(0.1234, "share"), format_value(0.00004, "p")
    ('−5.3', '12.3%', '<0.001')
    """
    if value is None or (not isinstance(value, str) and pd.isna(value)):
        return DASH
    if style in TEXTS:
        text = plain_text(value, 300)
        return text if style == "text" else f"{text[:1].upper()}{text[1:]}"
    number = float(value)
    match style:
        case "points":
            text = f"{number:+,.1f}"
            text = "0.0" if round(number, 1) == 0 else text
        case "share":
            text = f"{number:.1%}"
        case "share_points":
            text = f"{_no_negative_zero(100 * number, 1):+.1f} pp"
            text = text.replace("+0.0 pp", "0.0 pp")
        case "count":
            text = f"{number:,.0f}"
        case "p":
            text = "<0.001" if number < 0.001 else ">0.99" if number > 0.99 else f"{number:.3f}"
        case "width":
            text = f"{_no_negative_zero(number, 1):,.1f}"
        case "number":
            text = f"{_no_negative_zero(number, 2):,.2f}"
        case "fine":
            text = f"{_no_negative_zero(number, 4):,.4f}"
        case _:
            raise ValueError(f"no such format: {style!r}")
    return text.replace("-", MINUS)


def _no_negative_zero(number: float, digits: int) -> float:
    return 0.0 if round(number, digits) == 0 else number


def format_interval(low: Any, high: Any, style: str) -> str:
    """Spell the two limits of an interval as one cell, e.g. ``'+36.3 to +43.2'``."""
    if pd.isna(low) or pd.isna(high):
        return DASH
    return f"{format_value(low, style)} to {format_value(high, style)}"
