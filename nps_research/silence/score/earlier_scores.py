"""What those who are silent now said when they last answered: a hint at how far below they may be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from nps_research.counting.people import earlier_answers
from nps_research.results.result import Result
from nps_research.results.words import interval_text, points
from nps_research.statistics.covariates import Covariates
from nps_research.statistics.distributions import t_ppf
from nps_research.statistics.doubly_robust import Reached
from nps_research.statistics.enough import PER_COLUMN
from nps_research.statistics.least_squares import regress
from nps_research.statistics.logistic import design_matrix
from nps_research.study.study import Study
from nps_research.typing import Floats

AGAIN, SILENT_NOW = "answered again", "silent now"
AS_THEY_ARE, ALIKE = "silent less answered again", "the same, other things equal"


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class EarlierScores(Result):
    """The last earlier answers of those who answered again and of those who are silent now.

    `frame` columns: wave, term, n (people), estimate (NPS of their last earlier answers, or a difference of it),
    std_error, conf_low, conf_high.
    """

    is_used: bool = False
    caveat: str = ""

    kind: ClassVar[str] = "earlier_scores"
    headings: ClassVar[Mapping[str, str]] = {"term": "Who", "n": "People", "estimate": "Last earlier NPS"}
    table_columns: ClassVar = ("term", "n", "estimate", "conf_high")
    rows_are_parts: ClassVar[bool] = False

    @cached_property
    def shown(self) -> pd.DataFrame:
        rows = super().shown
        return rows if len(rows) == len(self.frame) else self.frame.iloc[:0]  # a difference would give the other away

    @property
    def difference(self) -> Mapping[str, Any] | None:
        """The difference, other things equal where that could be had; None where it may not be shown."""
        return self.records[-1] if self.records else None

    @property
    def hint(self) -> str:
        """The difference as a hint at the shift, in a sentence."""
        row = self.difference
        if row is None:
            return ""
        return (
            f"A hint at the shift: those of the silent who had answered before differed then by "
            f"{points(row['estimate'])} from those who answered again ({interval_text(row, self.confidence_level)})."
        )

    @property
    def finding(self) -> str:
        if not self.records:
            return "Too few of the silent had answered before to say what they thought then."
        row = self.records[-1]
        sure = row["conf_low"] > 0 or row["conf_high"] < 0
        gap = f"{points(row['estimate'])} NPS points"
        if not sure:
            return (
                f"When they last answered, the silent did not provably think otherwise than who answered again ({gap})."
            )
        how = "better" if row["estimate"] > 0 else "worse"
        return f"When they last answered, the silent thought {how} than who answered again: {gap}."

    @property
    def details(self) -> str:
        if not self.records:
            return self.caveat
        rows = {row["term"]: row for row in self.records}
        again, silent = rows[AGAIN], rows[SILENT_NOW]
        row = self.records[-1]
        alike = "; other things equal, they differed by" if row["term"] == ALIKE else ": a difference of"
        return (
            f"When they last answered, the {silent['n']:,} who are silent now gave an NPS of "
            f"{points(silent['estimate'])}, the {again['n']:,} who answered again {points(again['estimate'])}"
            f"{alike} {points(row['estimate'])} ({interval_text(row, self.confidence_level)}). "
            "This is a hint at how the silent differ, not a measurement: they did answer once, and scores may have "
            f"moved since. {self.caveat}"
        ).strip()

    @property
    def note(self) -> str:
        used = (
            " The weighting knows the class of these answers already, so this difference is in the weighted scores, "
            "and a shift stands for what has come since and for those who never answered."
            if self.is_used
            else ""
        )
        return (
            "People of this wave who had answered an earlier one, by their latest earlier answer known when "
            "they were invited. Errors let people of one account go together." + used
        )

    @property
    def alt(self) -> str:
        rows = "; ".join(
            f"{row['term']} {points(row['estimate'])}, {interval_text(row, self.confidence_level)}"
            for row in self.records
        )
        return f"Points with interval bars, NPS of the last earlier answers: {rows or 'too few to draw'}."


def evidence_of(
    study: Study, rows: pd.DataFrame, people: Reached, covariates: Covariates, detractor_max: int, **of_result: Any
) -> tuple[EarlierScores | None, str]:
    """Compare what the silent said earlier; or None, and why not in a sentence."""
    earlier = earlier_answers(study, rows)
    if earlier is None:
        return None, (
            "What the silent thought earlier is not known: that takes earlier waves, invitations with dates, and ids."
        )
    last = earlier["last_score"].to_numpy(dtype=float)
    value = 100.0 * (last >= study.settings.promoter_min) - 100.0 * (last <= detractor_max)
    value[np.isnan(last)] = np.nan
    had = ~np.isnan(value)
    few = min((had & people.answered).sum(), (had & ~people.answered).sum()) < 2
    if few or len(np.unique(people.cluster[had])) < 2:
        return None, "What the silent thought earlier is not known: too few of them had answered before."
    wave = str(rows["wave"].iloc[0])
    return earlier_scores(people, value, covariates, wave=wave, **of_result), ""


def earlier_scores(
    people: Reached,
    earlier_value: Floats,
    covariates: Covariates,
    *,
    wave: str,
    confidence_level: float,
    is_used: bool,
    **of_result: Any,
) -> EarlierScores:
    """Compare the last earlier NPS of those silent now with that of those who answered again.

    The estimand is that difference among people reached now who answered before; then the same with covariates held
    alike (least squares by design weights, numbers as splines), with errors robust to clusters.

    Parameters
    ----------
    people : Reached
        Who answered now.
    earlier_value : ndarray, shape (n,)
        NPS points of the last earlier answer; nan of who gave none.
    covariates : Covariates
        Row by row beside `people`; the last answer itself is left out.
    wave : str
        The wave, for the frame.
    confidence_level : float
        Level of the limits.
    is_used : bool
        Whether a weighting knows these answers.
    **of_result
        Further fields of the result.

    Returns
    -------
    EarlierScores

    References
    ----------
    Lin, I.-F. & Schaeffer, N. C. (1995). Using survey participants to estimate the impact of nonparticipation. Public
    Opinion Quarterly 59, 236-258.
    """
    had = ~np.isnan(earlier_value)
    value, silent = earlier_value[had], ~people.answered[had]
    cluster, base = people.cluster[had], people.base[had]
    plain = np.column_stack([np.ones(len(value)), silent])
    codes = np.unique(cluster, return_inverse=True)[1]
    fitted = regress(value, plain, base, codes)
    counts = {AGAIN: int((~silent).sum()), SILENT_NOW: int(silent.sum())}
    rows = [
        _row(term, n, float(contrast @ fitted.coefficient), float(contrast @ fitted.covariance @ contrast))
        for term, n, contrast in (
            (AGAIN, counts[AGAIN], np.array([1.0, 0.0])),
            (SILENT_NOW, counts[SILENT_NOW], np.array([1.0, 1.0])),
            (AS_THEY_ARE, len(value), np.array([0.0, 1.0])),
        )
    ]
    known = Covariates(
        numbers=covariates.numbers[had].dropna(axis=1, how="all"),
        categories=covariates.categories[had].drop(columns="last_answer", errors="ignore"),
    )
    others = design_matrix(~silent, known)[:, 1:]
    if others.shape[1] and min(counts.values()) >= PER_COLUMN * others.shape[1]:
        fitted = regress(value, np.column_stack([plain, others]), base, codes)
        rows.append(_row(ALIKE, len(value), float(fitted.coefficient[1]), float(fitted.covariance[1, 1])))
    frame = pd.DataFrame(rows)
    half_width = float(t_ppf(0.5 + confidence_level / 2, max(codes.max(), 1))) * frame["std_error"]
    frame["conf_low"], frame["conf_high"] = frame["estimate"] - half_width, frame["estimate"] + half_width
    frame.insert(0, "wave", wave)
    return EarlierScores(frame=frame, confidence_level=confidence_level, is_used=is_used, **of_result)


def _row(term: str, n: int, estimate: float, variance: float) -> dict[str, Any]:
    return {"term": term, "n": n, "estimate": estimate, "std_error": float(np.sqrt(variance))}
