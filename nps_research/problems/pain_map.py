"""Which problems customers have: how many, how much revenue, which NPS points go with them, and which comes first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from nps_research.counting.checks import check_level
from nps_research.counting.shown_groups import groups_not_shown
from nps_research.errors import CannotAnswerError
from nps_research.problems.enough import LEAST_WITH
from nps_research.problems.mentions import (
    Drawn,
    Mentions,
    mentions_of,
    places_in_words,
    problem_label,
    share_limits,
    wave_that_asked,
)
from nps_research.problems.points import pairs_test, points_lost, recoded_answers
from nps_research.problems.population import CustomerBase
from nps_research.problems.revenue import revenue_tells, revenue_with
from nps_research.results.result import KeyNumber, Result
from nps_research.results.words import format_interval, format_value, joined, p_text, plain_text, points, share
from nps_research.statistics.randomness import DEFAULT_SEED
from nps_research.statistics.rank_limits import draws_of, rank_limits
from nps_research.study.needs import begins_with
from nps_research.study.study import Study
from nps_research.typing import Flags, Floats


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class PainMap(Result):
    """Problems of one wave, and codes of praise apart.

    `frame` columns: term, is_praise, is_unnamed (a code without a label), owner, n (answers), events (who named it),
    estimate (share of the customers; of the answers where the customer base is not known) with std_error, conf_low,
    conf_high; customers (how many that is), revenue_share, coefficient (NPS points of who has it against who has not,
    all other problems equal) and points (share x coefficient: the NPS points that go with it), each with limits;
    p_adjusted (Holm, of the points), verdict ("shown", "not shown"), cost, priority (revenue share x points of who
    has it; share in place of the revenue share where revenue is not known; over cost where every problem has one)
    with rank_low and rank_high, which hold together.

    Attributes
    ----------
    wave : str
    customers : float
        In the whole base; nan where not known.
    by_revenue, by_cost : bool
        What goes into the priority.
    interaction_p_value, n_pairs
        Of the test whether two problems together are other than their sum, and of how many pairs.
    base_words : str
        Why customers or revenue are not counted.
    unnamed : int
        Codes without a name, which are not ranked.
    """

    wave: str = ""
    customers: float = np.nan
    by_revenue: bool = False
    by_cost: bool = False
    interaction_p_value: float = np.nan
    n_pairs: int = 0
    base_words: str = ""
    unnamed: int = 0

    kind: ClassVar[str] = "pain_map"
    rows_are_parts: ClassVar[bool] = False
    headings: ClassVar[Mapping[str, str]] = {
        "term": "Problem",
        "events": "Named by",
        "estimate": "Share",
        "revenue_share": "Share of revenue",
        "points": "NPS points that go with it",
        "ranks": "Place",
        "verdict": "Link with NPS",
    }
    formats: ClassVar[Mapping[str, str]] = {
        "estimate": "share",
        "customers": "count",
        "revenue_share": "share",
        "points": "points",
        "ranks": "text",
    }
    table_columns: ClassVar[tuple[str, ...]] = (
        *("term", "events", "estimate", "conf_high", "customers", "customers_conf_high", "revenue_share"),
        *("points", "points_conf_high", "verdict", "ranks", "owner"),
    )

    @cached_property
    def shown(self) -> pd.DataFrame:
        rows = super().shown
        few = (rows["events"] < self.minimum_cell) & ((rows["events"] > 0) | rows["is_unnamed"])
        rows = rows[~few].drop(columns="is_unnamed").reset_index(drop=True)
        return rows.assign(ranks=list(map(places_in_words, rows["rank_low"], rows["rank_high"])))

    @property
    def _ranked(self) -> list[dict[str, Any]]:
        return [row for row in self.records if row["rank_low"] == row["rank_low"]]

    @property
    def finding(self) -> str:
        rows = self._ranked
        if not self.records:
            return "There are too few answers to show which problems customers have."
        whom = "customers" if self.customers == self.customers else "those who answered"
        if not rows:
            most = max(self.records, key=lambda row: float(row["estimate"]))
            named = f"{format_value(most['term'], 'name')} is named most, by {share(most['estimate'])} of {whom}"
            return f"{named}; no problem can be ranked."
        leaders = [row for row in rows if row["rank_low"] == 1]
        first = rows[0]
        said = f"{share(first['estimate'])} of {whom} have it, {points(first['points'])} NPS points go with it"
        if len(leaders) == 1:
            return f"Mend first: {first['term']}. {said}."
        leads = "promises most for its cost" if self.by_cost else "goes with most"
        open_still = f"Which of {len(leaders)} problems to mend first is too close to call."
        return f"{first['term']} {leads}: {said}. {open_still}"

    @property
    def details(self) -> str:
        rows = self._ranked
        if not rows:
            return ""
        first = rows[0]
        level = f"{self.confidence_level:.0%} interval"
        said = [
            f"{first['term']}: {level} {format_interval(first['conf_low'], first['conf_high'], 'share')} of the base",
            f"{format_interval(first['points_conf_low'], first['points_conf_high'], 'points')} NPS points",
        ]
        if first["customers"] == first["customers"]:
            limits = format_interval(first["customers_conf_low"], first["customers_conf_high"], "count")
            said.insert(1, f"{limits} customers")
        linked = [row["term"] for row in rows if row["verdict"] == "shown"]
        of_linked = f" A link with NPS is shown for {joined(linked)}." if linked else ""
        return f"{', '.join(said)}.{of_linked} {self._together}".strip()

    @property
    def _together(self) -> str:
        if self.n_pairs == 0:
            return "Too few have two problems at once to see whether these are worse together."
        sure = self.interaction_p_value < 1 - self.confidence_level
        word = "is shown" if sure else "is not shown"
        return f"That two problems together are other than their sum {word} ({p_text(self.interaction_p_value)})."

    @property
    def note(self) -> str:
        by = "share of revenue" if self.by_revenue else "share"
        over = ", over cost" if self.by_cost else ""
        named = (
            f" {self.unnamed} codes have no name and are not ranked: give them a label in study.toml."
            if self.unnamed
            else ""
        )
        wave = f", {plain_text(self.wave)}" if self.wave else ""
        n = self.records[0]["n"] if self.records else 0
        stand_for = f", which stand for {self.customers:,.0f} customers" if self.customers == self.customers else ""
        return (
            f"Base: {n:,} answers{wave}{stand_for}. NPS points that go with a problem: share x difference in NPS "
            "between who has it and who has not, all problems together; what the score would gain if nobody had it and "
            "all else stayed. Only an association, not an effect. Place: by "
            f"{by} x points of who has it{over}, from-to, all places hold together. Only problems that were named "
            f"count; what the silent have is not known. {self.base_words}"
            f"{named}"
        ).strip()

    @property
    def alt(self) -> str:
        rows = [
            f"{row['term']} {share(row['estimate'])} ({format_interval(row['conf_low'], row['conf_high'], 'share')})"
            for row in self.records
        ]
        return f"Points with intervals, the share that has each problem: {'; '.join(rows)}."

    @property
    def key_numbers(self) -> tuple[KeyNumber, ...]:
        return tuple(KeyNumber.of(row, f"Have it: {row['term']}", unit="share") for row in self._ranked[:1])


def _scored_mentions(study: Study) -> Mentions:
    """All answers to the recommendation question in waves that asked for problems."""
    study.require("responses.likelihood_to_recommend")
    found = mentions_of(study)
    return found.where((found.rows["response_state"] == "answered").to_numpy())


@begins_with(_scored_mentions)
def pain_map(study: Study, *, wave: str | None = None, confidence_level: float = 0.95) -> PainMap:
    """Map problems: how many customers have each, their revenue, the NPS points that go with it, and its priority.

    The estimands are, in the customer base that the answers stand for: the share with each problem; the coefficients of
    the least-squares line of -100, 0, 100 on all problems together; share times coefficient, which in an additive model
    is what the score would gain if nobody had the problem and all else stayed.

    Parameters
    ----------
    study : Study
        The study; its survey asked for problems.
    wave : str, optional
        None takes the last that asked.
    confidence_level : float
        Level of the limits.

    Returns
    -------
    PainMap

    Raises
    ------
    CannotAnswerError
        If no survey asked for problems, or nobody in the wave was asked to recommend.

    Notes
    -----
    Answers are post-stratified to the groups of the study's `population`, where it has one, and clusters, strata and
    weights are the study's; errors are linearised, limits of shares Wilson's for the effective number of answers. That
    the base is finite narrows them where `enough.SMALL_PART` of it answered, and no fewer have a problem than named it.
    An account's revenue is shared by its answers. Whether problems are worse together is asked by a score test of all
    pairs that `enough.LEAST_TOGETHER` have.

    References
    ----------
    Korn, E. L. & Graubard, B. I. (1998). Confidence intervals for proportions with small expected number of positive
    counts estimated from survey data. Survey Methodology 24, 193-201.

    Mogstad, M. et al. (2024). Inference for ranks. Review of Economic Studies 91, 476-518. doi:10.1093/restud/rdad006

    Examples
    --------
    >>> rows = pd.DataFrame({"respondent_id": range(1000), "likelihood_to_recommend": 9, "problems": None})
    >>> rows.loc[:4, "problems"] = "late"
    >>> base = pd.DataFrame({"customers": [1_000_000]})
    >>> study = Study.from_frames(responses=rows, tables={"population": base})
    >>> pain_map(study).frame[["customers", "customers_conf_low", "customers_conf_high"]].round(0).values.tolist()
    [[5000.0, 2138.0, 11651.0]]
    """
    check_level(confidence_level)
    asked = _scored_mentions(study)
    chosen = wave_that_asked(study, asked, wave)
    found = asked.where((asked.rows["wave"] == chosen).to_numpy()) if chosen else asked
    if found.rows.empty:
        raise CannotAnswerError("Nobody answered the recommendation question in this wave.")
    drawn = Drawn.of(study, found.rows)
    base = CustomerBase.of(study, found.rows, drawn)
    drawn = replace(drawn, weight=base.weight)
    enough = max(LEAST_WITH, study.settings.minimum_cell)
    named = np.array([bool(study.problems[c].label) if c in study.problems else False for c in found.codes])
    frame = pd.DataFrame({"term": [problem_label(study, code) for code in found.codes], "is_praise": found.praise})
    known = [study.problems.get(code) for code in found.codes]
    frame["is_unnamed"] = ~named
    frame["owner"] = [each.owner if each else None for each in known]
    frame["cost"] = [np.nan if each is None or each.cost is None else each.cost for each in known]
    frame["n"], frame["events"] = len(found.rows), found.has.sum(axis=0)
    y = recoded_answers(study, found)
    value, error = _shares(frame, found.has, base, drawn, confidence_level)
    fitted = points_lost(frame, y, found, base, drawn, enough, confidence_level, value, error)
    revenue, revenue_error, why = revenue_with(study, found, base, drawn)
    by_revenue = revenue is not None
    reach, reach_error = (value, error) if revenue is None else (revenue, revenue_error)
    of_revenue = ("revenue_share", "revenue_share_conf_low", "revenue_share_conf_high")
    frame[[*of_revenue]] = np.nan
    if revenue is not None:
        told = np.array([revenue_tells(study, found.rows, has) for has in found.has.T])
        ends = share_limits(revenue, drawn.linearized(revenue_error), drawn, confidence_level=confidence_level)
        for name, each in zip(of_revenue, (revenue, *ends), strict=True):
            frame[name] = np.where(told, np.nan, each)
    ranked = named & ~found.praise & np.isfinite(frame["points"].to_numpy(dtype=float))
    by_cost = bool(ranked.any() and (frame.loc[ranked, "cost"] > 0).all())
    cost = np.where(by_cost, frame["cost"], 1.0)
    with np.errstate(invalid="ignore"):
        priority = -reach * fitted.coefficient / cost
        priority_error = -(reach * fitted.error + fitted.coefficient * reach_error) / cost
    frame["priority"] = np.where(ranked & frame["revenue_share"].notna() if by_revenue else ranked, priority, np.nan)
    frame[["rank_low", "rank_high"]] = np.nan
    if ranked.any():
        covariance = drawn.linearized(priority_error[:, ranked]).covariance
        if np.isfinite(covariance).all():
            rng = np.random.default_rng(DEFAULT_SEED)
            ranks = rank_limits(priority[ranked], draws_of(covariance), confidence_level=confidence_level, rng=rng)
            frame.loc[ranked, ["rank_low", "rank_high"]] = ranks.T.astype(float)
    may_be_first = (frame["rank_low"] == 1).to_numpy()
    most = priority if by_cost or may_be_first.sum() == 1 else -frame["points"].to_numpy(dtype=float)
    order = np.lexsort([-value, -np.where(ranked, most, -np.inf), ~may_be_first, found.praise])
    hidden = chosen in groups_not_shown(study, ["wave"] if chosen else [])
    p_value, n_pairs = pairs_test(y, found, base, drawn)
    return PainMap(
        frame=frame.iloc[order[:0] if hidden else order].reset_index(drop=True),
        confidence_level=confidence_level,
        title="Problems" + (f", {chosen}" if chosen and not hidden else ""),
        minimum_cell=study.settings.minimum_cell,
        wave="" if hidden else chosen,
        customers=base.customers,
        by_revenue=by_revenue,
        by_cost=by_cost,
        interaction_p_value=p_value,
        n_pairs=n_pairs,
        base_words=f"{base.why_not} {why}".strip(),
        unnamed=int((~named & ~found.praise).sum()),
    )


def _shares(
    frame: pd.DataFrame, has: Flags, base: CustomerBase, drawn: Drawn, confidence_level: float
) -> tuple[Floats, Floats]:
    """Add shares, and how many customers these are; returns the shares and their linearised errors."""
    weight = base.weight / base.weight.sum()
    value = weight @ has
    error = weight[:, None] * base.less_group_mean(has.astype(float), base.weight)
    fewer = np.sqrt(1 - base.answered_part)[:, None]
    found = drawn.linearized(error * fewer)
    outside = float(np.clip(1 - base.answered_part.mean(), 1e-9, 1))
    low, high = share_limits(value, found, drawn, confidence_level=confidence_level, outside=outside)
    frame["estimate"], frame["std_error"] = value, np.sqrt(np.diag(found.covariance))
    if base.customers == base.customers:  # no fewer have it than said so, nor have it not
        events = frame["events"].to_numpy()
        low = np.maximum(low, events / base.customers)
        high = np.minimum(high, 1 - (len(has) - events) / base.customers)
    frame["conf_low"], frame["conf_high"] = low, high
    for name in ("estimate", "conf_low", "conf_high"):
        of_base = "customers" if name == "estimate" else f"customers_{name}"
        frame[of_base] = frame[name] * base.customers
    return value, error
