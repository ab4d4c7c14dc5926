"""How much each feature moves the predicted risk of leaving: SHAP values on the log-odds scale."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

from nps_research.counting.silence import NO_DELIVERY
from nps_research.results.result import Result
from nps_research.results.words import joined, plain_text

FEATURE_WORDS = {
    "silent": "silent now",
    "silent_in_a_row": "surveys silent in a row",
    "earlier_answer_share": "share of earlier surveys answered",
    "answered_before": "answered before",
    "silent_share": "share of contacts silent",
    "decision_maker_silent": "decision maker silent",
    "tenure": "tenure",
    "log_revenue": "revenue",
    "n_earlier": "surveys before",
    "first_survey": "first survey",
    "n_contacts": "contacts reached",
    "not_reached": "nobody reached",
    "decision_maker_reached": "decision maker reached",
    "promoter": "promoter",
    "detractor": "detractor",
    "score": "score",
    "last_score": "last score",
}


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class SilenceContributions(Result):
    """Mean size of each feature's contribution to the boosted predictions of the last wave predicted.

    `frame` columns: feature, term (in words), block (silence or baseline), n, mean_abs_shap (log-odds), if_silent (mean
    contribution, with its sign, to the risk of the silent). The largest first; none is zero because a feature says
    nothing.
    """

    wave: str
    unit: Literal["account", "customer"]
    knows_delivery: bool = True

    kind: ClassVar[str] = "silence_contributions"
    rows_are_parts: ClassVar[bool] = False
    headings: ClassVar[Mapping[str, str]] = {
        "term": "Known",
        "block": "Belongs to",
        "mean_abs_shap": "Mean size, log-odds",
        "if_silent": "Mean if silent, log-odds",
    }
    formats: ClassVar[Mapping[str, str]] = {"mean_abs_shap": "number", "if_silent": "number"}
    table_columns: ClassVar = ("term", "block", "mean_abs_shap", "if_silent")

    @property
    def finding(self) -> str:
        rows = self.records
        if not rows:
            return "There are too few to show."
        best = plain_text(rows[0]["term"])
        share_of = f"{self._of_silence:.0%} of all that moves the predicted risk"
        return f"The best warning sign is {best}; {share_of} comes from who was silent."

    @property
    def _of_silence(self) -> float:
        total = sum(row["mean_abs_shap"] for row in self.records)
        return sum(row["mean_abs_shap"] for row in self.records if row["block"] == "silence") / total if total else 0.0

    @property
    def details(self) -> str:
        named = [f"{row['term']} ({row['mean_abs_shap']:.2f})" for row in self.records[:3]]
        said = f"Mean size in log-odds: {joined(named)}. " if named else ""
        return (said + ("" if self.knows_delivery else NO_DELIVERY)).strip()

    @property
    def note(self) -> str:
        return (
            f"Mean absolute SHAP values on the log-odds scale, {int(self.frame['n'].iloc[0]):,} {self.unit}s of "
            f"{self.wave}, boosted trees that learnt from what was over before that wave. They say what the model goes "
            "by, not what makes anybody leave; what says nothing has a size above zero too."
        )

    @property
    def alt(self) -> str:
        said = [f"{row['term']} {row['mean_abs_shap']:.2f}" for row in self.records]
        return "Mean size of contributions to the log-odds of leaving: " + "; ".join(said) + "."
