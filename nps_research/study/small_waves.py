"""Waves of so few answers that they are shown nowhere, nor counted in any total they could be worked out from."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import pandas as pd

from nps_research.results.words import joined

NO_WAVE = ""  # rows that belong to no wave
_WAVES_NAMED = 3  # small waves that a sentence names at most


def small_waves_of(
    responses: pd.DataFrame, waves: Sequence[str], minimum_cell: int, *, part: pd.DataFrame | None = None
) -> dict[str, int]:
    """Find the waves to leave out, with their answers: too small to show, and together too small, too.

    Of a `part` of the responses the same waves are left out as of all, with their answers in it: else a report on the
    part and one on all would differ by a few answers. Nothing is left out of a part of such waves alone.

    Counted in a total, their answers could be worked out from it and from the waves that are shown. Where they hold
    `minimum_cell` answers or more together, or no wave is large enough to be shown, nothing is left out.

    Examples
    --------
    >>> rows = pd.DataFrame({"wave": ["1987"] + ["2023"] * 12, "response_state": "answered"})
    >>> small_waves_of(rows, ["1987", "2023"], 10)
    {'1987': 1}
    """
    if not waves:
        return {}
    n = _answers_by_wave(responses, waves)
    small = {wave: count for wave, count in n.items() if 0 < count < minimum_cell}
    if not 0 < sum(small.values()) < minimum_cell <= max(n.values()):
        return {}
    of_part = n if part is None else _answers_by_wave(part, waves)
    kept = sum(count for wave, count in of_part.items() if wave not in small)
    return {wave: of_part[wave] for wave in small if of_part[wave]} if kept else {}


def _answers_by_wave(responses: pd.DataFrame, waves: Sequence[str]) -> dict[str, int]:
    answered = responses.loc[responses["response_state"] == "answered", "wave"].fillna(NO_WAVE).value_counts()
    return {wave: int(answered.get(wave, 0)) for wave in (*waves, NO_WAVE)}


def without_waves(responses: pd.DataFrame, waves: Collection[str]) -> pd.DataFrame:
    """Rows of other waves, `NO_WAVE` being one."""
    return responses[~responses["wave"].fillna(NO_WAVE).isin(list(waves))] if waves else responses


def small_waves_said(small: Mapping[str, int], minimum_cell: int) -> str:
    """Say which waves are left out, and why; nothing where none is.

    Examples
    --------
    >>> small_waves_said({"W2": 4}, 10)
    'W2 is not shown, nor counted in any total: it has 4 answers, and 10 are the least.'
    """
    if not small:
        return ""
    named = [f"{wave or 'what belongs to no wave'} ({n})" for wave, n in small.items()]
    if len(named) == 1:
        wave, n = next(iter(small.items()))
        has = f"it has {n} answer{'s' * (n != 1)}, and {minimum_cell} are the least."
        return f"{wave or 'What belongs to no wave'} is not shown, nor counted in any total: {has}"
    who = joined(named) if len(named) <= _WAVES_NAMED else f"{len(named)} waves of {sum(small.values())} answers"
    return (
        f"{who[0].upper()}{who[1:]} are not shown, nor counted in any total: "
        f"{minimum_cell} answers are the least that a wave is shown with."
    )
