"""What may be said of the silent beside those who answered: the rule, and its words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from scipy import stats

from nps_research.counting.landmarks import ANSWERED
from nps_research.silence.enough import LEAVERS_TO_TELL
from nps_research.statistics.survival import Risks

SilenceWord = Literal["worst", "like-detractors", "like-respondents", "between", "better", "cannot-tell"]
MARGIN = 0.05  # two rates this near each other count as alike


@dataclass(frozen=True, kw_only=True)
class SilenceVerdict:
    """A verdict, and why there is none.

    Attributes
    ----------
    verdict : str
        ``"worst"``: the silent leave more often than promoters, passives and detractors, each. ``"better"``: less often
        than each. ``"like-respondents"``: within the margin of all who answered. ``"like-detractors"``: within the
        margin of detractors, and more often than promoters and passives. ``"between"``: more often than promoters, less
        often than detractors. Else ``"cannot-tell"``.
    p_above : mapping of str to float
        One-sided p that the silent leave no more often than promoters, passives, detractors.
    lacking : str
        The group that is missing; empty if none is.
    is_rare : bool
        Whether too few left, or stayed, for any comparison.
    """

    verdict: SilenceWord
    p_above: Mapping[str, float]
    lacking: str = ""
    is_rare: bool = False


def silence_verdict(risks: Risks, place: Mapping[str, int], *, margin: float, alpha: float) -> SilenceVerdict:
    """Compare the silent with each group that answered.

    ``worst`` claims that all of three differences are above zero, so each is tested at `alpha` and all must be rejected
    (an intersection-union test: the chance to claim it wrongly is at most `alpha`, with no adjustment). ``better`` is
    its mirror image. Alike is claimed where both limits at 1 - 2 alpha lie within the margin (two one-sided tests):
    what is not significant is not alike.

    Parameters
    ----------
    risks : Risks
        Of leaving, by group.
    place : mapping of str to int
        Where in `risks` the groups are: nonrespondent, promoter, passive, detractor, answered.
    margin : float
        Difference of rates within which two are alike.
    alpha : float
        Level of each one-sided test.

    Returns
    -------
    SilenceVerdict

    References
    ----------
    Berger, R. L. (1982). Multiparameter hypothesis testing and acceptance sampling. Technometrics 24, 295-300.
    doi:10.2307/1267823
    """
    silent = place["nonrespondent"]
    above = {name: _p_above(risks, silent, place[name]) for name in (*ANSWERED, "answered")}
    below = {name: _p_below(risks, silent, place[name]) for name in ANSWERED}
    lacking = next((name for name in ("nonrespondent", *ANSWERED) if not risks.n[place[name]]), "")

    def alike(name: str) -> bool:
        return max(_p_above(risks, silent, place[name], -margin), _p_below(risks, silent, place[name], margin)) < alpha

    groups = [place[name] for name in ("nonrespondent", *ANSWERED)]
    rare = min(risks.events[groups].sum(), (risks.n - risks.events)[groups].sum())
    verdict: SilenceWord = "cannot-tell"
    if lacking or rare < LEAVERS_TO_TELL:
        verdict = "cannot-tell"
    elif all(above[name] < alpha for name in ANSWERED):
        verdict = "worst"
    elif all(below[name] < alpha for name in ANSWERED):
        verdict = "better"
    elif above["promoter"] < alpha and above["passive"] < alpha and alike("detractor"):
        verdict = "like-detractors"
    elif above["promoter"] < alpha and below["detractor"] < alpha:
        verdict = "between"
    elif alike("answered"):
        verdict = "like-respondents"
    return SilenceVerdict(verdict=verdict, p_above=above, lacking=lacking, is_rare=bool(rare < LEAVERS_TO_TELL))


def _p_above(risks: Risks, one: int, other: int, difference: float = 0.0) -> float:
    """One-sided p that the first group's rate is above the other's by more than a difference."""
    if not risks.n[one] or not risks.n[other]:
        return float("nan")
    return float(stats.norm.sf(risks.statistic(one, other, difference)))


def _p_below(risks: Risks, one: int, other: int, difference: float = 0.0) -> float:
    return 1 - _p_above(risks, one, other, difference)
