"""Numbers inside sentences: how findings spell points, shares, intervals and p-values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nps_research.results.tables import format_value, plain_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

__all__ = ["interval_text", "joined", "p_text", "points", "quoted", "share"]


def points(value: float) -> str:
    """NPS points: ``'+39.8'``."""
    return format_value(value, "points")


def share(value: float) -> str:
    """A share of 0 to 1 as a whole percentage: ``'46%'``; small ones keep a decimal."""
    return f"{value:.0%}" if value >= 0.095 or value == 0 else f"{value:.1%}"


def quoted(name: str) -> str:
    """A name from the study's file, in quotation marks."""
    return f"\N{LEFT DOUBLE QUOTATION MARK}{plain_text(name)}\N{RIGHT DOUBLE QUOTATION MARK}"


def interval_text(row: pd.Series | Mapping[str, Any], confidence_level: float, *, prefix: str = "") -> str:
    """Limits in words: ``'95% interval +36.3 to +43.2'``."""
    low, high = row[f"{prefix}conf_low"], row[f"{prefix}conf_high"]
    if low != low or high != high:
        return "limits not known"
    return f"{confidence_level:.0%} interval {points(low)} to {points(high)}"


def p_text(p: float) -> str:
    """``'p = 0.034'`` or ``'p < 0.001'``, kept on one line."""
    return ("p < 0.001" if p < 0.001 else f"p = {p:.3f}").replace(" ", "\N{NO-BREAK SPACE}")


def joined(items: Sequence[str]) -> str:
    """Words as a list in a sentence.

    Examples
    --------
    >>> joined(["a", "b", "c"])
    'a, b and c'
    """
    texts = [plain_text(item, 200) for item in items]
    return " and ".join([", ".join(texts[:-1]), texts[-1]]) if len(texts) > 1 else "".join(texts)
