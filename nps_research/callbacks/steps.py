"""How far cases got: due, assigned, called, reached, closed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import pandas as pd

from nps_research.callbacks.cases import ASKED, LOTTERY, SCORED, cases_of
from nps_research.results.result import Result
from nps_research.results.words import share
from nps_research.study.needs import begins_with
from nps_research.study.study import Study

STEPS_OF_CASES: Mapping[str, str] = {
    "due": "Due a call",
    "to_call": "Not held out by a lottery",
    "assigned": "Assigned",
    "attempted": "Called",
    "reached": "Reached",
    "closed": "Closed",
}


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class CallbackSteps(Result):
    """How many of those due a call came how far.

    `frame` columns: group (why they were due, and all), n (due), held_out (by a lottery, on purpose), to_call (the
    others), assigned, attempted, reached, closed; assigned_share, reached_share (of those to call).

    Attributes
    ----------
    n_without_case : int
        Due, but in no row of the table of cases.
    """

    n_without_case: int = 0

    kind: ClassVar[str] = "callback_steps"
    headings: ClassVar[Mapping[str, str]] = {
        "group": "Due because they",
        "n": "Due",
        "held_out": "Held out by a lottery",
        "attempted": "Called",
        "reached_share": "Reached, of those to call",
    }
    formats: ClassVar[Mapping[str, str]] = {
        **dict.fromkeys(("held_out", "assigned", "attempted", "reached", "closed"), "count"),
        "reached_share": "share",
    }
    table_columns: ClassVar[tuple[str, ...]] = (
        *("group", "n", "held_out", "assigned", "attempted", "reached", "closed", "reached_share"),
    )

    @property
    def finding(self) -> str:
        total = next((row for row in self.records if row["group"] == "all"), None)
        if total is None:
            return "Too few were due a call to say how far their cases got."
        due = f"{total['n'] - total['held_out']:,} answers due a call"
        held = " and not held out by a lottery" if total["held_out"] else ""
        if not total["assigned"]:
            return f"Of {due}{held} none was assigned to anybody."
        reached = share(total["reached"] / total["assigned"])
        return f"Of {due}{held}, {total['assigned']:,} were assigned to somebody; {reached} of these were reached."

    @property
    def note(self) -> str:
        without = f" {self.n_without_case:,} were due and have no case." if self.n_without_case else ""
        return (
            "Base: answers of waves in which calls were made; due are detractors, by the study's line, and who asked "
            f"to be called.{without}"
        )

    @property
    def alt(self) -> str:
        rows = [
            f"{row['group']} {row['n']:,} due, {row['assigned']:,} assigned, {row['reached']:,} reached"
            for row in self.records
        ]
        return f"Bars, how far cases got: {'; '.join(rows)}."


@begins_with(cases_of)
def callback_steps(study: Study) -> CallbackSteps:
    """Count how far cases got, from due to closed, by why they were due.

    Parameters
    ----------
    study : Study
        With `callbacks`.

    Returns
    -------
    CallbackSteps

    Raises
    ------
    CannotAnswerError
        If no case is recorded.

    Examples
    --------
    >>> answers = pd.DataFrame({"respondent_id": ["a", "b", "c"], "likelihood_to_recommend": [2, 6, 9]})
    >>> cases = pd.DataFrame({"respondent_id": ["a"], "reached_at": ["2025-03-01"]})
    >>> callback_steps(Study.from_frames(responses=answers, tables={"callbacks": cases})).frame["reached"].tolist()
    [1, 0, 1]
    """
    cases = cases_of(study)
    due = cases[cases["is_due"]]
    held_out = (due["assignment"] == LOTTERY) & due["has_case"] & ~due["assigned"]
    counted = pd.DataFrame(
        {
            "group": due["reason"],
            "n": 1,
            "held_out": held_out,
            "to_call": ~held_out,
            "assigned": due["assigned"],
            "attempted": due["attempted_at"].notna() | due["reached_at"].notna(),
            "reached": due["reached_at"].notna(),
            "closed": due["closed_at"].notna(),
        }
    )
    columns = list(counted.columns[1:])
    by_reason = counted.groupby("group")[columns].sum().reindex([SCORED, ASKED], fill_value=0)
    frame = pd.concat([by_reason, by_reason.sum().to_frame("all").T]).rename_axis("group").reset_index()
    frame[columns] = frame[columns].astype("int64")
    whole = frame["to_call"].where(frame["to_call"] > 0)
    frame["assigned_share"], frame["reached_share"] = frame["assigned"] / whole, frame["reached"] / whole
    return CallbackSteps(
        frame=frame,
        title="How far cases got",
        minimum_cell=study.settings.minimum_cell,
        n_without_case=int((~due["has_case"]).sum()),
    )
