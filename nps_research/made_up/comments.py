"""What the made-up company's contacts write: problems in many words, praise, and what only sounds like a problem.

The phrases are in ``comments.toml``. A comment tells of one or two of its writer's problems, alone or beside praise;
it may mix languages and have slips of the keyboard. Who tells of none praises, grumbles or says that all is well,
often about the very matter of a problem, so that counting words does not find who has it.
"""

from __future__ import annotations

import tomllib
import unicodedata
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nps_research.typing import Flags

PROBLEM_CODES = (
    "minimum_order", "login_fails", "out_of_stock", "wrong_item", "damaged_goods", "double_invoice", "slow_refund",
    "credit_limit", "excess_packaging", "hand_over", "rude_driver",
)  # fmt: skip
MOST_PROBLEMS_TOLD = 2
_ELSE_WRITES = ("praise", "neutral", "negated", "grievance")
# who tells of no problem: chances of the above at 0-6, at 7-8 (or with the score left blank), at 9-10
_ELSE_CHANCES = ((0.0, 0.2, 0.1, 0.7), (0.3, 0.45, 0.25, 0.0), (0.8, 0.1, 0.1, 0.0))
_GENERAL_CHANCE = {"praise": 0.65, "negated": 0.25}  # else about the matter of a problem that the writer does not have
_MIXED, _ASIDE, _OPENING, _CLOSING = 0.09, 0.25, 0.2, 0.2
_SLIP, _NO_DIACRITICS, _LOWER_CASE, _NO_STOP = 0.15, 0.3, 0.1, 0.2
_MOST_CHANCES = 24  # more than any comment uses


@cache
def comment_phrases() -> dict[str, dict[str, Any]]:
    """What ``comments.toml`` holds: language, then kind of phrase, then code or ``general`` where there are several.

    Examples
    --------
    >>> comment_phrases()["ro"]["problem"]["damaged_goods"][0]
    'Marfa a ajuns deteriorată.'
    """
    return tomllib.loads((files("nps_research.made_up") / "comments.toml").read_text(encoding="utf-8"))


def draw_comments(
    language: NDArray[Any], score: NDArray[Any], had: Flags, *, mentions: float = 0.75, rng: np.random.Generator
) -> tuple[list[str], Flags]:
    """One comment per answer, in its language, and which problems it tells of.

    Parameters
    ----------
    language : ndarray of str, shape (n,)
        ``"en"``, ``"uk"``, ``"ro"`` or ``"ru"``.
    score : ndarray of float, shape (n,)
        0 to 10; nan where the score was left blank.
    had : ndarray of bool, shape (n, 11)
        Which problems the writer has, in the order of `PROBLEM_CODES`.
    mentions : float
        Chance that a problem is told of, each apart; of three or more, two are.
    rng : numpy.random.Generator
        The number of its draws depends on n alone.

    Returns
    -------
    comments : list of str
    told : ndarray of bool, shape (n, 11)
        True codes of each comment; where True, `had` is.

    Examples
    --------
    >>> import numpy as np
    >>> had = np.array([[code == "rude_driver" for code in PROBLEM_CODES]])
    >>> draw_comments(np.array(["en"]), np.array([3.0]), had, mentions=1, rng=np.random.default_rng(1))[0]
    ['Whoever drives your van has no respect for people.']
    """
    rank = rng.random(had.shape)
    told = had & (rng.random(had.shape) < mentions)
    told &= np.where(told, rank, 2).argsort(axis=1).argsort(axis=1) < MOST_PROBLEMS_TOLD
    not_had = np.where(had, -1, rank).argmax(axis=1)
    mood = np.where(np.isnan(score), 1, (score >= 7).astype(int) + (score >= 9))
    chances = rng.random((len(score), _MOST_CHANCES))
    comments = []
    for row, spoken in enumerate(language):
        chance = iter(chances[row].tolist())
        codes = [PROBLEM_CODES[at] for at in np.flatnonzero(told[row])]
        topic = "general" if had[row].all() else PROBLEM_CODES[not_had[row]]
        phrases = comment_phrases()[spoken]
        text = _of_problems(phrases, codes, topic, chance) if codes else _of_none(phrases, mood[row], topic, chance)
        comments.append(_as_typed(text, spoken, chance))
    return comments, told


def _of_problems(phrases: dict[str, Any], codes: list[str], topic: str, chance: Iterator[float]) -> str:
    mixed = phrases.get("mixed", phrases["problem"]) if next(chance) < _MIXED else phrases["problem"]
    said = [_pick(mixed[codes[0]], chance), *(_pick(phrases["problem"][code], chance) for code in codes[1:])]
    if len(said) > 1:
        said = said if next(chance) < 0.5 else said[::-1]
        return _joined(said[0], _pick(phrases["also"], chance), said[1])
    text = said[0]
    if next(chance) < _ASIDE:  # beside what is well
        aside = _of_topic(phrases, "praise" if next(chance) < 0.6 else "negated", topic, chance)
        if next(chance) < 0.6:
            return _joined(aside, _pick(phrases["but"], chance), text)
        return _joined(text, _pick(phrases["otherwise"], chance), aside)
    if next(chance) < _OPENING:
        text = _joined("", _pick(phrases["opening"], chance), text)
    return text + (_pick(phrases["closing"], chance) if next(chance) < _CLOSING else "")


def _of_none(phrases: dict[str, Any], mood: int, topic: str, chance: Iterator[float]) -> str:
    kind = _ELSE_WRITES[int((next(chance) > np.cumsum(_ELSE_CHANCES[mood])[:-1]).sum())]
    if kind == "praise" and "mixed" in phrases and next(chance) < _MIXED:
        return _pick(phrases["mixed"]["praise"], chance)
    return _of_topic(phrases, kind, topic, chance) if kind in _GENERAL_CHANCE else _pick(phrases[kind], chance)


def _of_topic(phrases: dict[str, Any], kind: str, topic: str, chance: Iterator[float]) -> str:
    return _pick(phrases[kind]["general" if next(chance) < _GENERAL_CHANCE[kind] else topic], chance)


def _pick(options: Sequence[str], chance: Iterator[float]) -> str:
    return options[int(next(chance) * len(options))]


def _joined(first: str, join: str, second: str) -> str:
    """Two sentences as one text: the first loses its stop before a comma, the second its capital inside a sentence."""
    keeps_capital = join.isspace() or second.startswith(("I ", "I'")) or second[1:2].isupper()
    inner = second if keeps_capital else second[0].lower() + second[1:]
    return (first if join.startswith(" ") else first.rstrip(".!?")) + join + inner


def _as_typed(text: str, language: str, chance: Iterator[float]) -> str:
    """The text with slips of the keyboard, and without what many leave out."""
    if next(chance) < _SLIP:
        text = _slipped(text, chance)
    if next(chance) < _NO_DIACRITICS and language == "ro":
        text = "".join(each for each in unicodedata.normalize("NFD", text) if not unicodedata.combining(each))
    if next(chance) < _LOWER_CASE:
        text = text.lower()
    return text.removesuffix(".") if next(chance) < _NO_STOP else text


def _slipped(text: str, chance: Iterator[float]) -> str:
    """Two letters inside a word swapped, or one dropped or doubled."""
    inside = [at for at in range(1, len(text) - 2) if text[at - 1 : at + 3].isalpha()]
    if not inside:
        return text
    at = inside[int(next(chance) * len(inside))]
    one, two = text[at], text[at + 1]
    return text[:at] + (two + one, two, one + one + two)[int(next(chance) * 3)] + text[at + 2 :]
