"""Reach, response and completion rates, each named after AAPOR's definition, with limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from nps_research.counting.cells import NOT_STATED
from nps_research.counting.checks import check_level
from nps_research.counting.clusters import response_clusters
from nps_research.counting.shown_groups import waves_not_shown
from nps_research.counting.silence import silence_caveat
from nps_research.errors import CannotAnswerError
from nps_research.results.result import KeyNumber, Result
from nps_research.results.words import column_in_words, format_interval, plain_text, share
from nps_research.statistics.clustered_rates import clustered_rates
from nps_research.study.response_states import window_open
from nps_research.study.study import Study

_RATES = ("reach", "rr5", "rr2", "rr1", "cooperation")


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ResponseRates(Result):
    """Rates of answering, per wave and for all.

    `frame` columns: group, n (invitations whose window has closed), events (forms returned), estimate (response rate
    of those reached, RR6; where nobody knows who was reached, of all invited, RR2) with std_error, conf_low, conf_high;
    reach, rr5, rr2, rr1 and cooperation, each with limits ``<name>_conf_low`` and ``<name>_conf_high``.
    """

    window_days: int | None = None
    knows_delivery: bool = True
    knows_answers: bool = True
    cluster: str = ""
    caveat: str = ""

    kind: ClassVar[str] = "response_rates"
    rows_are_dots: ClassVar[bool] = True
    formats: ClassVar[Mapping[str, str]] = dict.fromkeys(("estimate", *_RATES[1:]), "share")
    headings: ClassVar[Mapping[str, str]] = {
        "group": "Wave",
        "n": "Invited",
        "events": "Returned",
        "estimate": "Response rate",
        "rr5": "With an answer (RR5)",
        "rr2": "Of all invited (RR2)",
        "rr1": "Of all invited, with an answer (RR1)",
        "cooperation": "Forms with an answer (COOP1)",
    }
    table_columns: ClassVar[tuple[str, ...]] = ("group", "n", "events", "reach", "estimate", "conf_high", *_RATES[1:])

    @property
    def finding(self) -> str:
        rows = self.records
        if not rows or np.isnan(rows[-1]["estimate"]):
            return "There are too few answers to show how many answer."
        row = rows[-1]
        of = "invitations that reached somebody" if self.knows_delivery else "invitations"
        waves = [each for each in rows[:-1] if np.isfinite(each["estimate"])]
        ends = [f"{share(each['estimate'])} in {plain_text(each['group'])}" for each in (*waves[:1], *waves[-1:])]
        by_wave = f": {', '.join(ends)}" if len(waves) > 1 else ""
        return f"Of the {of}, {share(row['estimate'])} came back{by_wave}."

    @property
    def details(self) -> str:
        rows = self.records
        if not rows or np.isnan(rows[-1]["estimate"]):
            return ""
        row = rows[-1]
        answered = (
            f" The recommendation question was answered on {share(row['cooperation'])} of the forms."
            if np.isfinite(row["cooperation"])
            else ""
        )
        reached = (
            f" Of all invitations {share(row['reach'])} reached somebody, and {share(row['rr2'])} came back."
            if self.knows_delivery
            else ""
        )
        waves = [each for each in rows[:-1] if np.isfinite(each["estimate"])]
        ends = sorted(waves, key=lambda each: float(each["estimate"]))
        between = (
            f" By wave it goes from {share(ends[0]['estimate'])} ({plain_text(ends[0]['group'])}) to "
            f"{share(ends[-1]['estimate'])} ({plain_text(ends[-1]['group'])})."
            if len(ends) > 1
            else ""
        )
        limits = format_interval(row["conf_low"], row["conf_high"], "share")
        return (
            f"Of all waves, {self.confidence_level:.0%} interval {limits}.{between}{reached}{answered} {self.caveat}"
        ).strip()

    @property
    def note(self) -> str:
        forms = "(I + P) / (I + P + S"
        closed = f" whose window of {self.window_days} days has closed" if self.window_days else ", all of them"
        silence = "delivered, nothing came back: no contact known" if self.knows_delivery else "nothing came back"
        bounced = ", B bounced (of unknown eligibility)" if self.knows_delivery else ""
        definitions = (
            "After AAPOR (2023): I a form with an answer to the recommendation question (complete), P one without "
            f"(partial), S silence ({silence}){bounced}."
        )
        parts = [f"Base: invitations{closed}.", definitions]
        if self.knows_delivery:
            parts.append(
                f"Response rate: RR6 = {forms}), of those reached. RR2 = {forms} + B). Reach = (I + P + S) / "
                "(I + P + S + B): the contact rate CON1, if whatever was delivered counts as contact."
            )
        else:
            parts.append(f"Response rate: RR2 = {forms}), which here is RR6, too: S holds those never reached.")
        if self.knows_answers:
            one = (
                "RR5 and RR1: the same with I alone above the line."
                if self.knows_delivery
                else "RR5 = I / (I + P + S)."
            )
            parts.append(
                f"{one} COOP1 = I / (I + P), if the silent never saw it; if all of them saw it and refused, it is RR5."
            )
        parts.append("Late answers count as answers; invitations are not weighted.")
        if self.cluster:
            parts.append(f"Limits take what belongs to one {plain_text(self.cluster)} as alike.")
        return " ".join(parts)

    @property
    def alt(self) -> str:
        rows = [
            f"{plain_text(row['group'])} {share(row['estimate'])} "
            f"({format_interval(row['conf_low'], row['conf_high'], 'share')})"
            for row in self.records
            if np.isfinite(row["estimate"])
        ]
        if not rows:
            return "There are too few answers to draw."
        return f"Points with intervals, the response rate per wave and in all: {'; '.join(rows)}."

    @property
    def key_numbers(self) -> tuple[KeyNumber, ...]:
        return tuple(KeyNumber.of(row, "Response rate, all waves", unit="share") for row in self.records[-1:])


def response_rates(study: Study, *, confidence_level: float = 0.95) -> ResponseRates:
    """Compute response rates (AAPOR), reach and cooperation, per wave and for all.

    The estimands are AAPOR's rates of the invitations sent, as draws from all that might be sent so. Stands beside
    `response_funnel`, which has the counts.

    Parameters
    ----------
    study : Study
        The study; it must tell who was silent.
    confidence_level : float
        Level of the limits.

    Returns
    -------
    ResponseRates

    Raises
    ------
    CannotAnswerError
        If nobody was silent or nobody returned a form, as far as is known; or no window has closed.

    Notes
    -----
    ``answered`` is a complete, ``item_missing`` a partial, ``nonrespondent`` an eligible person of whom no contact is
    known, ``not_reached`` of unknown eligibility: the address may be dead because the customer is gone. Everybody who
    was reached is taken as eligible. Limits: see `clustered_rates`.

    References
    ----------
    American Association for Public Opinion Research (2023). Standard Definitions: Final Dispositions of Case Codes and
    Outcome Rates for Surveys. 10th edition.

    Examples
    --------
    >>> from nps_research.study.study import Study
    >>> answers = pd.DataFrame({"likelihood_to_recommend": [9] * 4 + [None] * 6, "delivered": [1] * 8 + [0] * 2})
    >>> rates = response_rates(Study.from_frames(responses=answers.assign(responded=[1] * 5 + [0] * 5))).frame
    >>> rates[["reach", "estimate", "rr5", "rr2", "rr1", "cooperation"]].round(3).values.tolist()
    [[0.8, 0.625, 0.5, 0.5, 0.4, 0.8]]
    """
    check_level(confidence_level)
    study.require("responses.silence")
    rows = study.responses[~window_open(study.responses, study.settings)]
    if rows.empty:
        raise CannotAnswerError("The window of every invitation is still open: who is silent is not known yet.")
    state = rows["response_state"]
    complete, returned = (state == "answered").to_numpy(), state.isin(["answered", "item_missing"]).to_numpy()
    reached = (state != "not_reached").to_numpy()
    cluster, alike = response_clusters(study, rows)
    parts = [(["all"], np.zeros(len(rows), dtype=np.int64))]
    if study.waves:
        wave = rows["wave"].fillna(NOT_STATED)
        named = [each for each in (*study.waves, NOT_STATED) if (wave == each).any()]
        parts.insert(0, (named, pd.Index(named).get_indexer(pd.Index(wave))))
    knows_delivery = "responses.delivered" in study.available
    everybody = np.ones(len(rows), dtype=bool)
    rates = {"estimate": (returned, reached)}
    if knows_delivery:
        rates |= {"reach": (reached, everybody), "rr2": (returned, everybody)}
    if complete.any():
        rates |= {"rr5": (complete, reached), "cooperation": (complete, returned)}
    if knows_delivery and complete.any():
        rates["rr1"] = (complete, everybody)
    tables = []
    for named, group in parts:
        table = pd.DataFrame({"group": named, "n": np.bincount(group, minlength=len(named))})
        table["events"] = np.bincount(group, weights=returned, minlength=len(named)).astype(np.int64)
        for name in ("estimate", *_RATES):
            prefix = "" if name == "estimate" else f"{name}_"
            columns = [name, f"{prefix}conf_low", f"{prefix}conf_high"]
            if name not in rates:
                table[columns] = np.nan
                continue
            event, base = rates[name]
            found = clustered_rates(
                event[base], group[base], cluster[base], n_groups=len(named), confidence_level=confidence_level
            )
            table[columns] = found[["estimate", "conf_low", "conf_high"]]
            if name == "estimate":
                table["std_error"] = found["std_error"]
        tables.append(table)
    return ResponseRates(
        frame=pd.concat(tables, ignore_index=True),
        confidence_level=confidence_level,
        title="How many answer",
        minimum_cell=study.settings.minimum_cell,
        hidden=waves_not_shown(study),
        window_days=study.settings.response_window_days if "responses.invited_at" in study.available else None,
        knows_delivery=knows_delivery,
        knows_answers=bool(complete.any()),
        cluster=column_in_words(alike),
        caveat=silence_caveat(study),
    )
