"""SilentScore: the observed score beside what it would be if all had answered, and what is said of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from nps_research.results.listing import NotAnswered
from nps_research.results.result import KeyNumber, Result
from nps_research.results.words import interval_text, joined, points, share
from nps_research.silence.score.balance import ResponseBalance
from nps_research.silence.score.earlier_scores import EarlierScores
from nps_research.silence.score.estimates import DOUBLY_ROBUST, HIGHEST, LOWEST, NAIVE, OBSERVED, PREFERRED, RAKED
from nps_research.silence.score.shifts import SilentShifts
from nps_research.silence.score.thin_groups import RULE, HardlyAnswering
from nps_research.statistics.thin_response import RESPONSE_FLOOR


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class SilentScore(Result):
    """The observed score beside what it would be if all had answered.

    `frame` columns: wave, term (the method), n (answers), estimate, std_error, conf_low, conf_high, n_effective
    (Kish's, of the weights), largest_weight (times the mean weight), n_trimmed, smallest_chance (to answer, as
    modelled). Bounds and the naive product follow from the counts and have no error.
    """

    wave: str = ""
    n_reached: int = 0
    n_silent: int = 0
    n_item_missing: int = 0
    adjusted_for: tuple[str, ...] = ()
    largest_allowed: float = 10.0
    response_floor: float = RESPONSE_FLOOR
    hardly_answering: HardlyAnswering | None = None
    truth: float | None = None
    remarks: tuple[str, ...] = ()
    caveat: str = ""
    asked: str = "reached"
    knows_windows: bool = True
    shifts: SilentShifts
    balance_: ResponseBalance | None = None
    evidence_: EarlierScores | None = None
    no_evidence: str = ""

    kind: ClassVar[str] = "score_if_all_responded"
    headings: ClassVar[Mapping[str, str]] = {
        "term": "If all had answered",
        "largest_weight": "Largest weight, times the mean",
        "n_trimmed": "Weights brought down",
    }
    formats: ClassVar[Mapping[str, str]] = {"largest_weight": "width", "n_trimmed": "count"}
    table_columns: ClassVar = ("term", "n", "estimate", "conf_high", "n_effective", "largest_weight", "n_trimmed")

    @property
    def balance(self) -> ResponseBalance | NotAnswered:
        """Those who answered against all who were reached; not answered where nothing is known of them."""
        nothing = "Nothing is known of the silent but that they were silent, so nothing can be compared."
        return self.balance_ or NotAnswered(says=nothing)

    @property
    def evidence(self) -> EarlierScores | NotAnswered:
        """What the silent said earlier; not answered where they had not been asked, or it is not known."""
        return self.evidence_ or NotAnswered(says=self.no_evidence)

    @property
    def settings(self) -> dict[str, Any]:
        private = {"shifts", "balance_", "evidence_", "knows_windows", "asked"}
        if not self.records:  # counts of a wave that is not shown
            private |= {"n_reached", "n_silent", "n_item_missing", "wave", "remarks", "hardly_answering", "truth"}
        thin = {} if self.hardly_answering is None else {"hardly_answering": self.hardly_answering.plain}
        return {name: value for name, value in (super().settings | thin).items() if name not in private}

    @property
    def _by_term(self) -> dict[str, dict[str, Any]]:
        return {row["term"]: row for row in self.records}

    @property
    def _preferred(self) -> dict[str, Any] | None:
        rows = self._by_term
        return next((rows[name] for name in PREFERRED if name in rows), None)

    @property
    def finding(self) -> str:
        rows = self._by_term
        if not rows:
            return "There are too few answers to show."
        of_wave = f" in {self.wave}" if self.wave else ""
        low, high, best = rows[LOWEST]["estimate"], rows[HIGHEST]["estimate"], self._preferred
        silent = (
            f"{share(self.n_silent / self.n_reached)} of the {self.n_reached:,} {self.asked} gave no score{of_wave}"
        )
        all_ = f"{silent}: without assumptions the NPS of all is {points(low)} to {points(high)}"
        alike = "" if best is None else f"; if they think like similar people who answered, {points(best['estimate'])}"
        return f"{all_}{alike}."

    @property
    def details(self) -> str:
        rows = self._by_term
        if not rows:
            return self.caveat
        says = (
            f"{self.n_silent:,} of {self.n_reached:,} people {self.asked} gave no score; each 10 points that they "
            f"think below similar people who answered move the NPS of all by {points(-10 * self.shifts.silent_share)}. "
        )
        if self.hardly_answering is not None:
            says += f"{self.hardly_answering.sentence(self.confidence_level)} "
        says += f"Those who answered gave an NPS of {_score(rows[OBSERVED], self.confidence_level)}; "
        best = self._preferred
        if best is not None:
            moved, name = best["estimate"] - rows[OBSERVED]["estimate"], best["term"].removeprefix("weighted: ")
            also = ", and with what they would answer predicted from those who did" if name == DOUBLY_ROBUST else ""
            says += (
                f"weighted to resemble all who were {self.asked}{also} ({name}), it is {points(best['estimate'])} "
                f"({interval_text(best, self.confidence_level)}: sampling error only, if those who did not answer "
                f"think like similar people who did): weighting moves it by {points(moved)}. "
            )
        else:
            says += f"they cannot be weighted to resemble all who were {self.asked}. "
        if self.truth is not None:
            says += f"The company is made up, and its NPS, had all answered, is {points(self.truth)}. "
        return (
            f"{says}Weighting cannot know whether the silent think otherwise than those who answered and resemble "
            f"them, and these data cannot tell. {self.caveat}"
        ).strip()

    @property
    def message(self) -> str:
        rows = self._by_term
        if not rows:
            return ""
        ends = [points(rows[end]["estimate"]) for end in (LOWEST, HIGHEST)]
        return f"Had all answered{f' in {self.wave}' if self.wave else ''}, the NPS would be from {' to '.join(ends)}"

    @property
    def at_a_glance(self) -> Mapping[str, str]:
        return {"sure": self.finding} if self._by_term else {}

    @property
    def note(self) -> str:
        if not self.records:
            return ""
        closed = " and whose window has closed; late answers count" if self.knows_windows else ""
        known = f"Known of all: {joined(self.adjusted_for)}. " if self.adjusted_for else ""
        n_returned = self.n_item_missing
        missing = f"{n_returned:,} of those without an answer returned the form. " if n_returned else ""
        once = self.frame["term"] != DOUBLY_ROBUST  # whose weights are those of another row
        trimmed = self.frame.loc[once, "n_trimmed"].sum() if "n_trimmed" in self.frame else 0
        largest = f"{self.largest_allowed:g} times the mean"
        cap = f"Weights above {largest} are brought down to it ({int(trimmed):,} were). " if self.adjusted_for else ""
        both = (
            "The doubly robust estimate takes the boosted weights and, for what they leave, predicts everybody's "
            "answer from what is known of them: it is right if either is. "
            if DOUBLY_ROBUST in self._by_term
            else ""
        )
        best, smallest = self._preferred, ""
        if best is not None and best["term"] != RAKED:
            smallest = (
                f"The smallest modelled chance to answer is {share(best['smallest_chance'])}, and the weighted answers "
                f"are worth {best['n_effective']:,.0f} equal ones. "
            )
        remarks = f"{' '.join(self.remarks)} " if self.remarks else ""
        return (
            f"All who were {self.asked}{closed}. {missing}{known}Limits of weighted "
            "scores are about these people: chance lies in who of them answered. Those of the observed score are the "
            f"usual ones, about people like those who answered. {cap}{both}{smallest}"
            f"{RULE if self.adjusted_for else ''}Bounds are arithmetic and have no limits. "
            f"{NAIVE} ({points(self._by_term[NAIVE]['estimate'])}) is no estimate: it "
            "supposes that the silent would come out at exactly 0 points, as many promoters as detractors among them. "
            f"{remarks}"
        ).strip()

    @property
    def alt(self) -> str:
        if not self.records:
            return "There are too few answers to draw."
        rows = self._by_term
        shown = [f"{term} {points(row['estimate'])}" for term, row in rows.items() if term not in (LOWEST, HIGHEST)]
        thin = self.hardly_answering
        open_ = "" if thin is None or not np.isfinite(thin.low) else f", and another what some leave open, {thin.range}"
        return (
            f"Points with interval bars: {'; '.join(shown)}; a hatched bar behind them spans what is possible, from "
            f"{points(rows[LOWEST]['estimate'])} to {points(rows[HIGHEST]['estimate'])}{open_}."
        )

    @property
    def key_numbers(self) -> tuple[KeyNumber, ...]:
        row, of_wave = self._preferred, f", {self.wave}" if self.wave else ""
        if row is None:
            return ()
        low, high, how, thin = row["conf_low"], row["conf_high"], row["term"], self.hardly_answering
        if thin is not None and np.isfinite(thin.low):
            low, high = min(thin.conf_low, row["estimate"]), max(thin.conf_high, row["estimate"])
            how += "; of some hardly anybody did"
        label = f"NPS if all had answered{of_wave} ({how})"
        return (KeyNumber(label=label, estimate=row["estimate"], conf_low=low, conf_high=high),)


def _score(row: Mapping[str, Any], level: float) -> str:
    return f"{points(row['estimate'])} ({interval_text(row, level)})"
