"""Risk by score if customers differed in nothing else that is known: tenure, revenue, wave."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from nps_research.counting.checks import check_level
from nps_research.counting.clusters import cluster_codes
from nps_research.counting.outcome_by_score import OutcomeByScore
from nps_research.counting.outcomes import CHURNED, outcome_by_score, outcome_rows
from nps_research.counting.people import WORDS, people_at_invitation
from nps_research.counting.score_bands import band_text, bands_between
from nps_research.errors import CannotAnswerError
from nps_research.results.words import format_interval, format_value, joined, quoted, share
from nps_research.statistics.distributions import normal_ppf
from nps_research.statistics.enough import FEWEST_DIFFERENT, TOLD_APART
from nps_research.statistics.standardised_rates import adjustment, standardised_risks
from nps_research.study.study import Study
from nps_research.thresholds.of_outcome import OfOutcome


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class AdjustedRisk(OfOutcome):
    """Rates by band of scores as observed, and standardised to all customers who answered.

    `frame` columns: term (the band), observed (rate), estimate (adjusted rate), std_error, conf_low, conf_high.
    """

    adjusted_for: tuple[str, ...]
    n: int = 0
    n_clusters: int | None = None

    kind: ClassVar[str] = "adjusted_risk"
    headings: ClassVar[Mapping[str, str]] = {"term": "Score", "observed": "As observed", "estimate": "Adjusted"}
    formats: ClassVar[Mapping[str, str]] = {"observed": "share", "estimate": "share", "std_error": "share"}
    table_columns: ClassVar[tuple[str, ...]] = ("term", "observed", "estimate", "conf_high")

    @property
    def finding(self) -> str:
        first, last = self.records[0], self.records[-1]
        return (
            f"With {joined(self.adjusted_for)} held constant, {quoted(self.outcome)} would apply to "
            f"{share(first['estimate'])} at {first['term']} and {share(last['estimate'])} at {last['term']}."
        )

    @property
    def details(self) -> str:
        rows = self.records
        moved = max(abs(float(row["estimate"] - row["observed"])) for row in rows)
        limits = [format_interval(row["conf_low"], row["conf_high"], "share") for row in (rows[0], rows[-1])]
        return self.said(
            f"{self.confidence_level:.0%} intervals {joined(limits)}. Holding them constant moves no rate by more than "
            f"{format_value(moved, 'share_points').lstrip('+')}."
        )

    @property
    def note(self) -> str:
        alike = "" if self.n_clusters is None else f", errors by {self.n_clusters:,} clusters"
        return (
            f"Logistic regression on bands of scores and {joined(self.adjusted_for)} (numbers as natural splines), "
            f"{self.n:,} answers with all of them known{alike}; each rate is the mean if all had answered so. "
            "What is not known, such as when a contract ends, is not held constant."
        )

    @property
    def alt(self) -> str:
        rows = "; ".join(
            f"{row['term']}: {share(row['observed'])} observed, {share(row['estimate'])} adjusted"
            for row in self.records
        )
        return f"Rate of the outcome by score, as observed and adjusted: {rows}."


def adjusted_risk(study: Study, *, outcome: str = CHURNED, confidence_level: float = 0.95) -> AdjustedRisk:
    """Standardise the rate of an outcome by score to the tenure, revenue and waves of all who answered.

    The estimand is the mean risk of those who answered, had all of them given an answer of this band, if nothing else
    sets customers of different scores apart but what is adjusted for. Logistic regression, natural cubic splines of
    tenure at the invitation and of the logarithm of revenue; errors by the delta method, robust to clusters.

    Parameters
    ----------
    study : Study
        With ``customers.started_at`` or ``customers.revenue``.
    outcome : str
        As in `outcome_by_score`.
    confidence_level : float
        Level of the limits.

    Returns
    -------
    AdjustedRisk

    Raises
    ------
    CannotAnswerError
        If neither tenure nor revenue is known, or outcomes are too few.

    References
    ----------
    Lane, P. W. & Nelder, J. A. (1982). Analysis of covariance and standardization as instances of prediction.
    Biometrics 38, 613-621. doi:10.2307/2530043
    """
    check_level(confidence_level)
    if not {"customers.started_at", "customers.revenue"} & study.available:
        study.require("customers.started_at")
    counted = outcome_by_score(study, outcome=outcome)
    rows, adjusted_for = _covariates(study, outcome_rows(study, outcome=outcome))
    bands = _tenure_bands(counted, rows)
    if len(bands) < 2:
        raise CannotAnswerError(
            f"Outcomes {quoted(counted.outcome)} are too few, score by score, to adjust for anything."
        )
    score = rows["likelihood_to_recommend"].to_numpy(dtype=float)
    band = np.searchsorted([high for _, high in bands], score).astype(np.int64)
    numbers = [name for name in adjusted_for if name != "wave"]
    cluster = counted.design.get("cluster")
    codes = np.arange(len(rows)) if cluster is None else cluster_codes(rows[cluster])
    event = rows["event"].to_numpy(dtype=bool)
    risks, covariance = standardised_risks(
        event,
        band,
        n_groups=len(bands),
        other=adjustment(rows, numbers, [name for name in adjusted_for if name == "wave"]),
        cluster=codes,
    )
    z = normal_ppf(0.5 + confidence_level / 2)
    found = []
    for place, (low, high) in enumerate(bands):
        mean, std_error = float(risks[place]), float(np.sqrt(covariance[place, place]))
        limits = expit(logit(mean) + np.array([-z, z]) * std_error / (mean * (1 - mean)))
        found.append(
            {
                "term": band_text(low, high),
                "observed": float(event[band == place].mean()),
                "estimate": mean,
                "std_error": std_error,
                "conf_low": float(limits[0]),
                "conf_high": float(limits[1]),
            }
        )
    return AdjustedRisk(
        frame=pd.DataFrame(found),
        confidence_level=confidence_level,
        title=f"{quoted(counted.outcome)} by score, other things equal",
        adjusted_for=tuple(WORDS.get(name, name) for name in adjusted_for),
        outcome=counted.outcome,
        dated=counted.dated,
        n=len(rows),
        n_clusters=None if cluster is None else len(np.unique(codes)),
    )


def _covariates(study: Study, rows: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """The rows with what is adjusted for, where all of it is known."""
    people = people_at_invitation(study, rows)
    if study.customers is None or people.empty:
        study.require("customers.started_at", "responses.customer_id")
        raise CannotAnswerError("Nothing says which response is whose.")
    names = [name for name in ("tenure", "log_revenue") if name in people]
    rows = rows.assign(**people[names]).dropna(subset=names).reset_index(drop=True)
    names = [name for name in names if rows[name].nunique() >= FEWEST_DIFFERENT]
    if not names:
        raise CannotAnswerError("Tenure and revenue of those who answered are not known, or hardly differ.")
    if len(study.waves) > 1 and len(rows["wave"].unique()) > 1:
        names.append("wave")
    return rows, names


def _tenure_bands(outcome: OutcomeByScore, rows: pd.DataFrame) -> list[tuple[int, int]]:
    """Bands that pages may show, neighbours joined until each has outcomes of both kinds."""
    score, event = rows["likelihood_to_recommend"].to_numpy(dtype=float), rows["event"].to_numpy(dtype=bool)
    cuts = list(outcome.cuts_shown)
    while cuts:
        bands = bands_between(cuts)
        fewest = [
            min(int((within & event).sum()), int((within & ~event).sum())) * int(within.sum() >= outcome.minimum_cell)
            for within in ((score >= low) & (score <= high) for low, high in bands)
        ]
        place = int(np.argmin(fewest))
        if fewest[place] >= TOLD_APART:
            return bands
        del cuts[min(place, len(cuts) - 1)]
    return bands_between(cuts)
