"""From invited to answered: what became of each invitation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from nps_research.counting.cells import NOT_STATED
from nps_research.counting.shown_groups import waves_not_shown
from nps_research.counting.silence import require_silence
from nps_research.results.result import KeyNumber, Result
from nps_research.results.words import plain_text, share
from nps_research.study.needs import begins_with
from nps_research.study.response_states import window_open
from nps_research.study.study import Study


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ResponseFunnel(Result):
    """From invited to answered, per wave and for all.

    `frame` columns: group, invited, delivered, returned, n (answered the recommendation question),
    item_missing, nonrespondents, pending, late (answered after the window), reach, response_rate.
    """

    window_days: int | None = 14  # None: when invitations went out is not recorded, and no window is open
    knows_delivery: bool = True

    kind: ClassVar[str] = "response_funnel"
    unsaid: ClassVar[tuple[str, ...]] = (*Result.unsaid, "knows_delivery")
    formats: ClassVar[Mapping[str, str]] = dict.fromkeys(
        ("invited", "delivered", "returned", "pending", "late"), "count"
    )
    table_columns: ClassVar[tuple[str, ...]] = (
        "group",
        "invited",
        "delivered",
        "returned",
        "n",
        "nonrespondents",
        "pending",
        "late",
        "reach",
        "response_rate",
    )
    headings: ClassVar[Mapping[str, str]] = {"group": "Wave", "n": "Answered", "pending": "Still open"}

    @property
    def finding(self) -> str:
        rows = self.records
        if not rows:
            return "There are too few answers to show."
        row = rows[-1]
        reach = row["reach"]
        delivered = "" if pd.isna(reach) else f"{row['delivered']:,} were delivered ({share(reach)}), and of these "
        rate = f"a response rate of {share(row['response_rate'])}"
        if row["pending"]:
            rate += f" among those whose window of {self.window_days} days has closed ({row['pending']:,} are open)"
        if pd.isna(row["response_rate"]):
            rate = "what the response rate is, is not known yet, for every window is still open"
        return (
            f"Of {row['invited']:,} invitations {delivered}{row['returned']:,} came back: {rate}. "
            f"{row['nonrespondents']:,} got no reply."
        )

    @property
    def at_a_glance(self) -> Mapping[str, str]:
        rows = self.records
        if not rows or pd.isna(rows[-1]["response_rate"]):
            return {}
        waves = [row for row in rows[:-1] if row["group"] != NOT_STATED]
        newest = waves[-1] if waves and pd.notna(waves[-1]["response_rate"]) else rows[-1]
        of_waves = f" in {plain_text(newest['group'])}" if newest is not rows[-1] else ", all waves together"
        base = f"{newest['returned'] + newest['nonrespondents']:,}"
        asked = "reached" if self.knows_delivery else "invited"
        sure = f"{share(newest['response_rate'])} of the {base} {asked} returned the form{of_waves * (len(rows) > 1)}."
        return {"answered": self.finding, "sure": sure}

    @property
    def note(self) -> str:
        delivered, among = ("delivered ", " among the reached") if self.knows_delivery else ("", "")
        closed, late = "", ""
        if self.window_days is not None:
            closed = f" whose window of {self.window_days} days has closed"
            late = " Late answers count as answers."
        return f"Response rate: forms returned among {delivered}invitations{closed} (AAPOR RR2{among}).{late}"

    @property
    def alt(self) -> str:
        if not self.records:
            return "There are too few answers to draw."
        row = self.records[-1]
        steps = {
            "invited": "invited",
            "delivered": "delivered",
            "returned": "returned",
            "n": "who answered the question",
        }
        said = [f"{row[name]:,.0f} {words}" for name, words in steps.items() if pd.notna(row[name])]
        return f"Bars: {', '.join(said)}; the silent are hatched."

    @property
    def key_numbers(self) -> tuple[KeyNumber, ...]:
        rows = self.records
        return (
            (KeyNumber(label="Response rate, all waves", estimate=rows[-1]["response_rate"], unit="share"),)
            if rows and pd.notna(rows[-1]["response_rate"])
            else ()
        )


@begins_with(require_silence)
def response_funnel(study: Study) -> ResponseFunnel:
    """Count invitations by final disposition, per wave and for all.

    Parameters
    ----------
    study : Study
        The study; it must say who was delivered or who responded.

    Returns
    -------
    ResponseFunnel

    Raises
    ------
    CannotAnswerError
        If silence cannot be told from a form that came back without this answer.

    Examples
    --------
    >>> from nps_research.study.study import Study
    >>> table = pd.DataFrame({"likelihood_to_recommend": [10, 9, None, None], "responded": [1, 1, 1, 0]})
    >>> response_funnel(Study.from_frames(responses=table)).frame[["invited", "returned", "n"]].values.tolist()
    [[4, 3, 2]]
    """
    require_silence(study)
    responses = study.responses
    window = pd.Timedelta(days=study.settings.response_window_days)
    if {"responses.invited_at", "responses.responded_at"} <= study.available:
        late = responses["responded_at"] > responses["invited_at"] + window
    else:
        late = pd.Series(data=False, index=responses.index)
    is_open = window_open(responses, study.settings)
    state = pd.get_dummies(responses["response_state"]).reindex(
        columns=["answered", "item_missing", "nonrespondent", "not_reached", "pending"], fill_value=False
    )
    returned_early = responses["response_state"].isin(["answered", "item_missing"]) & is_open
    counts = state.assign(late=late, returned_early=returned_early).astype("int64")
    frame = counts.sum().to_frame("all").T
    if study.waves:
        by_wave = counts.groupby(responses["wave"].fillna(NOT_STATED)).sum()
        frame = pd.concat([by_wave.reindex([*study.waves, *by_wave.index.intersection([NOT_STATED])]), frame])
    frame = (
        frame.rename_axis("group").reset_index().rename(columns={"answered": "n", "nonrespondent": "nonrespondents"})
    )
    frame["returned"] = frame["n"] + frame["item_missing"]
    frame["delivered"] = frame["returned"] + frame["nonrespondents"] + frame["pending"]
    frame["invited"] = frame["delivered"] + frame["not_reached"]
    in_time = frame["returned"] - frame["returned_early"]
    closed = in_time + frame["nonrespondents"]
    knows_delivery = "responses.delivered" in study.available
    frame["reach"] = frame["delivered"] / frame["invited"] if knows_delivery else np.nan
    frame["response_rate"] = (in_time / closed).where(closed > 0)
    if not knows_delivery:
        frame["delivered"] = np.nan
    if not frame["n"].any():  # the question was not asked
        frame["n"] = np.nan
    if "responses.invited_at" not in study.available:
        frame["late"] = np.nan
    columns = ["invited", "delivered", "returned", "n", "item_missing", "nonrespondents", "pending", "late"]
    return ResponseFunnel(
        frame=frame[["group", *columns, "reach", "response_rate"]],
        title="From invited to answered",
        minimum_cell=study.settings.minimum_cell,
        hidden=waves_not_shown(study),
        window_days=study.settings.response_window_days if "responses.invited_at" in study.available else None,
        knows_delivery=knows_delivery,
    )
