"""What may be said of the silent beside those who answered: the rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from nps_research.counting.landmarks import ANSWERED, SILENT
from nps_research.silence.enough import LEAVERS_TO_TELL
from nps_research.silence.signal.contrasts import Adjusted
from nps_research.statistics.distributions import normal_sf
from nps_research.statistics.rate_ratios import events_to_decide
from nps_research.statistics.survival import Risks

SilenceWord = Literal[
    "worst",
    "worst-unadjusted",
    "better",
    "like-detractors",
    "between",
    "like-respondents",
    "within-margin",
    "cannot-tell",
]


@dataclass(frozen=True, kw_only=True)
class SilenceVerdict:
    """A verdict, and why there is none.

    Attributes
    ----------
    verdict : str
        ``"worst"``: the silent leave more often than promoters, passives and detractors, each, as they are and with
        what is known of them held constant; ``"worst-unadjusted"``: only as they are. ``"better"``: less often than
        each. ``"like-detractors"``: more often than promoters and passives, alike with detractors. ``"between"``: more
        often than promoters, less often than detractors. ``"like-respondents"``: alike with all who answered;
        ``"within-margin"``: their rates differ by more than chance, but by less than the margin. Else
        ``"cannot-tell"``.
    p_above : mapping of str to float
        One-sided p that the silent leave no more often than promoters, passives, detractors, all who answered.
    unconfirmed : tuple of str
        Groups against which the silent are not shown to leave more often with what is known held constant.
    lacking : str
        The group that is missing; empty if none is.
    is_rare : bool
        Whether too few left, or stayed, for any comparison.
    decides_at : int or None
        Where nothing can be told, leavers among the silent and in each group that would do.
    """

    verdict: SilenceWord
    p_above: Mapping[str, float]
    unconfirmed: tuple[str, ...] = ()
    lacking: str = ""
    is_rare: bool = False
    decides_at: int | None = None


def silence_verdict(
    risks: Risks, place: Mapping[str, int], *, margin: float, alpha: float, adjusted: Adjusted | None = None
) -> SilenceVerdict:
    """Compare the silent with each group that answered.

    ``worst`` claims that all of three differences are above zero, and all of three with what is known held constant, so
    each is tested at `alpha` and all must be rejected (an intersection-union test: the chance to claim it wrongly is
    at most `alpha`, with no adjustment). ``better`` is its mirror image, as they are. Alike is claimed where the ratio
    of two rates is shown to be below the margin, and above one over it (two one-sided tests), and their difference is
    not shown: what is not significant is not alike, and what differs by more than chance is not either.

    Parameters
    ----------
    risks : Risks
        Of leaving, by group.
    place : mapping of str to int
        Where in `risks` the groups are: nonrespondent, promoter, passive, detractor, answered.
    margin : float
        Ratio of rates, above 1, below which two are alike.
    alpha : float
        Level of each one-sided test.
    adjusted : Adjusted, optional
        The silent against each group with what is known held constant; None, as where nothing is known, takes them as
        they are.

    Returns
    -------
    SilenceVerdict

    References
    ----------
    Berger, R. L. (1982). Multiparameter hypothesis testing and acceptance sampling. Technometrics 24, 295-300.
    doi:10.2307/1267823
    """
    silent = place[SILENT]
    above = {name: _p_above(risks, silent, place[name]) for name in (*ANSWERED, "answered")}
    p_alike = {
        name: float(risks.ratio(silent, place[name], margin=margin, alpha=alpha).p_alike[0])
        for name in above
        if risks.n[place[name]] and risks.n[silent]
    }
    is_above, is_below, is_within = (
        {name for name, p in p_of.items() if p < alpha}
        for p_of in (above, {name: 1 - p for name, p in above.items()}, p_alike)
    )
    is_alike = is_within - is_above - is_below
    unconfirmed = _unconfirmed(adjusted, place, alpha)
    lacking = next((name for name in (SILENT, *ANSWERED) if not risks.n[place[name]]), "")
    groups = [place[name] for name in (SILENT, *ANSWERED)]
    rare = min(risks.events[groups].sum(), (risks.n - risks.events)[groups].sum())
    verdict: SilenceWord = "cannot-tell"
    decides_at = None
    if lacking or rare < LEAVERS_TO_TELL:
        verdict = "cannot-tell"
    elif is_above.issuperset(ANSWERED):
        verdict = "worst-unadjusted" if unconfirmed else "worst"
    elif is_below.issuperset(ANSWERED):
        verdict = "better"
    elif is_above.issuperset(("promoter", "passive")) and "detractor" in is_alike:
        verdict = "like-detractors"
    elif "promoter" in is_above and "detractor" in is_below:
        verdict = "between"
    elif "answered" in is_within:
        verdict = "like-respondents" if "answered" in is_alike else "within-margin"
    else:
        is_open = [name for name in ANSWERED if name not in is_above | is_below | is_alike]
        decides_at = _decides_at(risks, silent, [place[name] for name in is_open], margin, alpha)
    return SilenceVerdict(
        verdict=verdict,
        p_above=above,
        unconfirmed=unconfirmed,
        lacking=lacking,
        is_rare=bool(rare < LEAVERS_TO_TELL),
        decides_at=decides_at,
    )


def _p_above(risks: Risks, one: int, other: int) -> float:
    """One-sided p that the first group's rate is above the other's."""
    if not risks.n[one] or not risks.n[other]:
        return float("nan")
    return float(normal_sf(risks.statistic(one, other)))


def _unconfirmed(adjusted: Adjusted | None, place: Mapping[str, int], alpha: float) -> tuple[str, ...]:
    """Groups that the silent are not shown to be above, what is known held constant; too few to tell is not shown."""
    if adjusted is None or not adjusted.known:
        return ()
    with np.errstate(invalid="ignore", divide="ignore"):
        p_above = normal_sf(adjusted.log_odds.estimate / adjusted.log_odds.std_error)
    return tuple(name for name in ANSWERED if not p_above[place[name]] < alpha)


def _decides_at(risks: Risks, silent: int, others: Sequence[int], margin: float, alpha: float) -> int | None:
    """Leavers a group that would tell of those of whom it is open, for the one with the fewest."""
    counts = [(risks.effective_counts(silent, other, of_ratio=True), other) for other in others]
    if not counts:
        return None
    there, design_effect = min(
        (min(events, other_events), max(risks.n[silent] / n, risks.n[other] / other_n))
        for (events, n, other_events, other_n), other in counts
    )
    return events_to_decide(margin, alpha=alpha, there=there, design_effect=design_effect, both_sides=True)
