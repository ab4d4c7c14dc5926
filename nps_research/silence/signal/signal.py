"""Silence as a signal: whether those who do not answer leave more often than those who do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from nps_research.counting.checks import check_level
from nps_research.counting.landmarks import ANSWERED, SILENT, STATES, Landmarks, landmarks_of, require_horizon
from nps_research.counting.score_bands import band_text
from nps_research.counting.silence import silence_caveat
from nps_research.errors import CannotAnswerError, ContractError
from nps_research.silence.signal.contrasts import Adjusted, adjusted_contrasts, halves, ratios, ratios_to_all
from nps_research.silence.signal.curves import curves_of
from nps_research.silence.signal.history import histories_of
from nps_research.silence.signal.result import STATE_WORDS, NonresponseSignal
from nps_research.silence.signal.verdict import SilenceVerdict, SilenceWord, silence_verdict
from nps_research.statistics.hazard_ratios import Contrasts
from nps_research.statistics.rate_ratios import MARGIN, checked_margin
from nps_research.statistics.survival import Risks, survival_risks
from nps_research.study.needs import begins_with
from nps_research.study.settings_file import Settings
from nps_research.study.study import Study
from nps_research.typing import Integers

PLACE = {name: place for place, name in enumerate((*STATES, "answered"))}
ALL_RATIO = ("answered", "hazard_ratio")
NOTHING = (np.nan, np.nan, np.nan)


def _who_left(study: Study) -> None:
    """What must be known of who left, by the study's own settings."""
    lines = {"promoter_min": study.settings.promoter_min, "detractor_max": study.settings.detractor_max}
    landmarks = landmarks_of(study)
    _require_leaving(landmarks.classed(**lines), landmarks.horizon_days)


@begins_with(_who_left)
def nonresponse_signal(
    study: Study,
    *,
    horizon_days: int | None = None,
    detractor_max: int | None = None,
    moved_line: int | None = None,
    margin: float = MARGIN,
    confidence_level: float = 0.95,
) -> NonresponseSignal:
    """Compare how often the silent leave with how often promoters, passives and detractors do.

    The estimands are the share of units (accounts where responses belong to accounts, else customers) in a state at a
    landmark that leave within the horizon, averaged over landmarks as they are, and its differences and hazard ratios,
    the silent against each group. It is association: silence tells, it need not bring about.

    Parameters
    ----------
    study : Study
        With dates of invitations, who was silent, and customers' dates of leaving and of the end of observation.
    horizon_days : int, optional
        Days after the landmark; None takes the study's.
    detractor_max : int, optional
        Highest detractor answer; None takes the study's. With another cut the others are passives.
    moved_line : int, optional
        Highest detractor answer by customers' leaving, where `compare_thresholds` says that it is another one: the
        first sentence of the finding then has the verdict by both lines.
    margin : float
        Ratio of rates, above 1, below which two groups count as alike; to be fixed before the data are seen.
    confidence_level : float
        Of limits. One-sided tests are at 1 - confidence_level.

    Returns
    -------
    NonresponseSignal

    Raises
    ------
    CannotAnswerError
        If the study lacks a column that this needs; nobody was silent, answered, left or was watched over the horizon,
        or everybody left.
    ContractError
        If a line or the level is out of range.
    EstimationError
        If the margin is no ratio above 1.

    Notes
    -----
    Nothing is random: the same study gives the same numbers.

    References
    ----------
    van Houwelingen, H. C. (2007). Dynamic prediction by landmarking in event history analysis. Scandinavian Journal of
    Statistics 34, 70-85. doi:10.1111/j.1467-9469.2006.00529.x

    Examples
    --------
    >>> from nps_research.made_up.simulate import Truth, simulate_study
    >>> from nps_research.study.study import Study
    >>> company = simulate_study(Truth(n_accounts=300), rng=np.random.default_rng(1))
    >>> study = Study.from_frames(responses=company.responses.drop(columns="comment"), customers=company.customers)
    >>> nonresponse_signal(study).verdict
    'worst'
    """
    landmarks, convention = landmarks_of(study, horizon_days=horizon_days), study.settings.detractor_max
    line = convention if detractor_max is None else detractor_max
    if _gives_few_away(landmarks, line, study.settings):
        raise CannotAnswerError(
            f"Fewer than {study.settings.minimum_cell} answers lie between {line} and {convention}: beside the study's "
            "own line another one would tell what they did."
        )
    if moved_line is not None and (moved_line == line or _gives_few_away(landmarks, moved_line, study.settings)):
        moved_line = None
    return signal_of(
        landmarks,
        promoter_min=study.settings.promoter_min,
        detractor_max=line,
        moved_line=moved_line,
        margin=margin,
        confidence_level=confidence_level,
        minimum_cell=study.settings.minimum_cell,
        caveat=silence_caveat(study),
        named_line=line != convention,
    )


def _gives_few_away(landmarks: Landmarks, line: int, settings: Settings) -> bool:
    """Whether another line, shown beside the study's own, would tell what the few between them did."""
    whole, convention = np.floor(landmarks.rows["score"] + 0.5), settings.detractor_max
    between = int(((whole > min(line, convention)) & (whole <= max(line, convention))).sum())
    return 0 < between < settings.minimum_cell


def _require_leaving(rows: pd.DataFrame, horizon_days: int) -> None:
    """Raise CannotAnswerError where nobody was watched over the horizon, or nobody or everybody left."""
    require_horizon(rows, horizon_days)
    event = rows["event"].to_numpy(dtype=bool)
    if not event.any() or event.all():
        whoever = "Nobody" if not event.any() else "Everybody"
        raise CannotAnswerError(
            f"{whoever} is known to have left within {horizon_days} days of a landmark, so leaving cannot be set "
            "against silence."
        )


def signal_of(
    landmarks: Landmarks,
    *,
    promoter_min: int = 9,
    detractor_max: int = 6,
    moved_line: int | None = None,
    margin: float = MARGIN,
    confidence_level: float = 0.95,
    minimum_cell: int = 0,
    caveat: str = "",
    named_line: bool = False,
) -> NonresponseSignal:
    """Compare as `nonresponse_signal`, from landmarks; `named_line` puts the line into the title."""
    check_level(confidence_level)
    checked_margin(margin)
    for name, line in (("detractor_max", detractor_max), ("moved_line", moved_line)):
        if line is not None and not 0 <= line < promoter_min:
            raise ContractError(
                f"{name} = {line!r}: an answer from 0 to {promoter_min - 1}, below promoters, is needed."
            )
    rows = landmarks.classed(promoter_min=promoter_min, detractor_max=detractor_max)
    _require_leaving(rows, landmarks.horizon_days)
    group = group_of(rows)
    risks = risks_by_state(rows, group, landmarks.horizon_days)
    adjusted = adjusted_contrasts(landmarks, rows, group)
    judged = silence_verdict(risks, PLACE, margin=margin, alpha=1 - confidence_level, adjusted=adjusted)
    about: dict[str, Any] = {
        "horizon_days": landmarks.horizon_days,
        "unit": landmarks.unit,
        "confidence_level": confidence_level,
        "minimum_cell": minimum_cell,
        "caveat": caveat,
    }
    of_line = f", detractors {band_text(0, detractor_max)}" if named_line else ""
    moved = None
    if moved_line is not None:
        lines = {"promoter_min": promoter_min, "detractor_max": moved_line}
        moved = verdict_of(landmarks, **lines, margin=margin, alpha=1 - confidence_level)
    early, late, proportional_p = halves(rows, group, landmarks.horizon_days)
    return NonresponseSignal(
        frame=_table(rows, group, risks, judged, adjusted, confidence_level),
        title=f"Churn within {landmarks.horizon_days} days, by answer{of_line}",
        verdict=judged.verdict,
        margin=margin,
        n_units=rows["unit"].nunique(),
        n_landmarks=rows["period"].nunique(),
        detractor_max=detractor_max,
        promoter_min=promoter_min,
        adjusted_for=adjusted.words,
        unconfirmed=judged.unconfirmed,
        lacking=judged.lacking,
        is_rare=judged.is_rare,
        decides_at=judged.decides_at,
        moved_line=moved_line,
        moved_verdict=moved,
        early=early,
        late=late,
        proportional_p=proportional_p,
        left_out=landmarks.left_out,
        curves=curves_of(rows, **about),
        histories=histories_of(rows, **about),
        **about,
    )


def verdict_of(
    landmarks: Landmarks, *, promoter_min: int, detractor_max: int, margin: float, alpha: float
) -> SilenceWord:
    """Give the verdict alone, by any lines."""
    rows = landmarks.classed(promoter_min=promoter_min, detractor_max=detractor_max)
    group = group_of(rows)
    risks = risks_by_state(rows, group, landmarks.horizon_days)
    found = silence_verdict(risks, PLACE, margin=margin, alpha=alpha).verdict
    if found != "worst":  # no other word rests on what is held constant
        return found
    adjusted = adjusted_contrasts(landmarks, rows, group, for_verdict=True)
    return silence_verdict(risks, PLACE, margin=margin, alpha=alpha, adjusted=adjusted).verdict


def group_of(rows: pd.DataFrame) -> Integers:
    """Code each row's state as its place among `STATES`."""
    return pd.Categorical(rows["state"], STATES).codes.astype(np.int64)


def risks_by_state(rows: pd.DataFrame, group: Integers, horizon_days: int) -> Risks:
    """Estimate the risk of leaving within the horizon, per state and, last, of who answered; in order of `PLACE`."""
    answered = np.flatnonzero(np.isin(group, [PLACE[name] for name in ANSWERED]))
    doubled = np.concatenate([np.arange(len(rows)), answered])
    return survival_risks(
        rows["days"].to_numpy()[doubled],
        rows["event"].to_numpy(dtype=bool)[doubled],
        np.concatenate([group, np.full(len(answered), PLACE["answered"])]),
        rows["unit"].to_numpy()[doubled],
        n_groups=len(PLACE),
        at=[horizon_days],
    )[0]


def _table(
    rows: pd.DataFrame,
    group: Integers,
    risks: Risks,
    judged: SilenceVerdict,
    adjusted: Adjusted,
    confidence_level: float,
) -> pd.DataFrame:
    """A row a state that occurs."""
    low, high = risks.limits(confidence_level)
    contrasts: dict[str, tuple[Contrasts, Callable[[Any], Any]]] = {
        "hazard_ratio": (ratios(rows, group), np.exp),
        "adjusted_risk_difference": (adjusted.differences, np.asarray),
        "adjusted_hazard_ratio": (adjusted.ratios, np.exp),
    }
    found = []
    for state, where in PLACE.items():
        if not risks.n[where]:
            continue
        row: dict[str, Any] = {
            "term": STATE_WORDS[state],
            "state": state,
            "n": int(risks.n[where]),
            "events": int(risks.events[where]),
            "churn_rate": float(risks.risk[where]),
            "conf_low": float(low[where]),
            "conf_high": float(high[where]),
            "p_value": judged.p_above.get(state, np.nan),
        }
        against = state != SILENT
        row |= _named(
            "risk_difference", *(risks.difference(PLACE[SILENT], where, confidence_level) if against else NOTHING)
        )
        for name, (contrast, scale) in contrasts.items():
            of_state, at = (ratios_to_all(rows, group), 1) if (state, name) == ALL_RATIO else (contrast, where)
            known = against and at < len(of_state.estimate)
            limits = of_state.limits(confidence_level)
            row |= _named(name, *(scale(value[at]) for value in (of_state.estimate, *limits)) if known else NOTHING)
        found.append(row)
    return pd.DataFrame(found)


def _named(name: str, estimate: float, low: float, high: float) -> dict[str, float]:
    return {name: float(estimate), f"{name}_conf_low": float(low), f"{name}_conf_high": float(high)}
