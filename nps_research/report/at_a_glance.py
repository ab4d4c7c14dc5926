"""The report's first screen: what happened, why, what to do next and how sure that is, from what results say of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nps_research.report.harvest import HarvestedResult

NOT_RECORDED = "How many were asked and did not answer is not recorded; what they think is not known."
NO_PROOF = "What goes with the score is no proof of what moves it; only a trial can tell."
MOST_SAID = 2  # sentences on how sure


@dataclass(frozen=True, kw_only=True)
class Said:
    """A sentence of the first screen, and the notebook that it comes from, if any."""

    text: str
    notebook: str = ""


@dataclass(frozen=True, kw_only=True)
class AtAGlance:
    """The four answers of the first screen, and a line on the data; each empty where no result has it.

    Attributes
    ----------
    happened, why, next, sure, data : tuple of Said
    on_top : HarvestedResult or None
        The result that says what happened.
    """

    happened: tuple[Said, ...]
    why: tuple[Said, ...]
    next: tuple[Said, ...]
    sure: tuple[Said, ...]
    data: tuple[Said, ...]
    on_top: HarvestedResult | None


def at_a_glance(results: Sequence[HarvestedResult]) -> AtAGlance:
    """Collect what results say of the first screen, in the order of the notebooks.

    Where no result says what happened to a score, it begins with how many answered.
    """

    def those(key: str) -> list[Said]:
        found = ((result, result.bundle.get("at_a_glance", {}).get(key)) for result in results)
        return [Said(text=text, notebook=result.notebook) for result, text in found if text]

    on_top = next((key for key in ("happened", "answered") if those(key)), "")
    happened = [*those(on_top)[:1], *those("target")[:1], *those("groups")[:1]]
    why = [*those("change")[:1], *those("why")[:1]]
    first = next((result for result in results if result.bundle.get("at_a_glance", {}).get(on_top)), None)
    # To improve first, to call by the last list there is (of those at risk, not of all detractors), to ask next time.
    to_do = [*those("improve")[:1], *those("call")[-1:], *those("ask")[:1]]
    sure = those("sure")[:MOST_SAID] or [Said(text=NOT_RECORDED)]
    sure += [Said(text=NO_PROOF)] if why else []
    return AtAGlance(
        happened=tuple(happened),
        why=tuple(why),
        next=tuple(to_do),
        sure=tuple(sure) if happened else (),
        data=tuple(those("data")[:1]),
        on_top=first,
    )


def answers_by_key(bundles: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """The first screen's sentences by what they answer, from results as plain data; of several calls the last."""
    found: dict[str, str] = {}
    for bundle in bundles:
        for key, text in bundle.get("at_a_glance", {}).items():
            if key == "call" or key not in found:
                found[key] = text
    return found
