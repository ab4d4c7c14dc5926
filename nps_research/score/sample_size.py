"""How many answers, and how many invitations, a survey needs."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
import pandas as pd

from nps_research.errors import EstimationError
from nps_research.results.result import Result
from nps_research.results.words import format_value, plain_text, share
from nps_research.score.limits.independent import PSEUDO_COUNTS, VALUES, adjusted_wald
from nps_research.score.limits.methods import METHOD_WORDS
from nps_research.statistics.distributions import normal_ppf
from nps_research.typing import Floats

# Widths shown beside the one asked for where none are named, as multiples of it.
LADDER = (0.4, 0.5, 0.6, 0.8, 1.0, 1.2, 1.6, 2.0, 3.0)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class RequiredResponses(Result):
    """Answers and invitations needed, for the width asked for and for others around it.

    `frame` columns: margin_of_error or difference (points; the other is missing), n_independent (answers
    that would do, were they independent and the population unlimited), n (answers needed; per wave, for
    a difference), invitations (missing, where the response rate is not given).
    """

    asked: float
    promoter_share: float
    detractor_share: float
    power: float | None
    response_rate: float | None
    population: int | None
    design_effect: float
    method: Literal["wald", "adjusted-wald"]
    like: str = ""
    n_like: int = 0

    kind: ClassVar[str] = "required_responses"
    table_columns: ClassVar[tuple[str, ...]] = ("margin_of_error", "difference", "n", "invitations")
    headings: ClassVar[Mapping[str, str]] = {"difference": "Difference to be found, points", "n": "Answers needed"}
    formats: ClassVar[Mapping[str, str]] = {"difference": "width", "n_independent": "width", "invitations": "count"}
    has_figure: ClassVar[bool] = False

    @property
    def width(self) -> Literal["margin_of_error", "difference"]:
        """Which column holds the width asked for."""
        return "margin_of_error" if self.power is None else "difference"

    @property
    def needed(self) -> dict[str, Any]:
        """The row of the width asked for."""
        return next(row for row in self.records if row[self.width] == self.asked)

    @property
    def finding(self) -> str:
        row, wide = self.needed, format_value(self.asked, "width")
        if self.power is None:
            need = f"For a margin of error of {wide} points you need {row['n']:,} answers"
        else:
            need = f"To find a change of {wide} points you need {row['n']:,} answers in each wave"
        if self._too_few_people:
            return f"{need}: more than the {self.population:,} people there are to invite can be expected to give."
        like = plain_text(self.like)
        return f"{need}; {like} had {self.n_like:,}." if like else f"{need}."

    @property
    def _too_few_people(self) -> bool:
        return (
            self.response_rate is not None
            and self.population is not None
            and self.needed["invitations"] > self.population
        )

    @property
    def details(self) -> str:
        said = [] if self.power is None else [f"With {share(self.power)} power, between two waves."]
        if self.response_rate is not None:
            said.append(
                f"That takes {self.needed['invitations']:,} invitations, if {share(self.response_rate)} of them bring "
                "an answer."
            )
        return " ".join(said)

    @property
    def at_a_glance(self) -> Mapping[str, str]:
        return {"ask": self.finding} if self.power is not None and self.needed["n"] > self.n_like else {}

    @property
    def note(self) -> str:
        assumed = (
            f"If {share(self.promoter_share)} are promoters and {share(self.detractor_share)} detractors"
            f"{self.like and ' as in ' + plain_text(self.like)}, at {self.confidence_level:.0%} confidence. Limits: "
            f"{METHOD_WORDS[self.method]}."
        )
        people = "" if self.population is None else f" Drawn without replacement from {self.population:,}."
        alike = (
            " Answers are taken as independent."
            if self.design_effect == 1
            else f" Answers within clusters are alike, or weighted: {self.design_effect:.2f} of them tell as much as "
            "one independent answer."
        )
        apart = (
            "" if self.power is None else " Waves are taken as independent; the same people asked again may be fewer."
        )
        silent = "" if self.response_rate is None else " More invitations do not cure that the silent may differ."
        return assumed + people + alike + apart + silent


def required_responses(
    *,
    margin_of_error: float = 5.0,
    promoter_share: float = 0.4,
    detractor_share: float = 0.2,
    confidence_level: float = 0.95,
    difference: float | None = None,
    power: float = 0.8,
    response_rate: float | None = None,
    population: int | None = None,
    cluster_size: float = 1.0,
    intraclass_correlation: float = 0.0,
    design_effect: float = 1.0,
    beside: Sequence[float] | None = None,
    method: Literal["wald", "adjusted-wald"] = "wald",
) -> RequiredResponses:
    """Compute the sample size, and invitations, for a margin of error or to find a difference between two waves.

    The estimand is the number of answers with which the expected half-width of the score's limits is at
    most `margin_of_error`; with `difference`, the number per wave with which a two-sided test finds a
    true difference of that many points with probability `power`.

    Independent answers needed are v (z / margin)^2, with v = 100^2 (p + d - (p - d)^2) the variance of one
    answer at a share p of promoters and d of detractors; for a difference 2 v ((z + z_power) / difference)^2,
    both waves having the shares given. ``"adjusted-wald"`` takes the smallest whole number that does, with
    the pseudo-answers counted. Clusters multiply the number by 1 + (cluster_size - 1)
    intraclass_correlation, and `design_effect` multiplies it too; a population of N then takes n to
    n / (1 + (n - 1) / N), never above N.

    Parameters
    ----------
    margin_of_error : float
        Half-width of the limits, in points; not used where `difference` is given.
    promoter_share, detractor_share : float
        What the answers are expected to be, 0 to 1.
    confidence_level : float
        Level of the limits, or 1 less the level of the test.
    difference : float, optional
        Difference between two independent waves, in points; its sign does not matter.
    power : float
        Probability of finding the difference, 0.5 or more.
    response_rate : float, optional
        Share of invitations that bring an answer, above 0; without it no invitations are given.
    population : int, optional
        How many there are to draw from; None takes them as unlimited.
    cluster_size : float
        Answers per cluster (account), on average.
    intraclass_correlation : float
        How alike answers within a cluster are, 0 to 1.
    design_effect : float
        How many answers tell as much as one independent answer, for other reasons than those clusters: weights; or
        as an earlier survey had it.
    beside : sequence of float, optional
        Other margins (or differences) to show; None takes some around the one asked for.
    method : {"wald", "adjusted-wald"}
        How the limits will be made.

    Returns
    -------
    RequiredResponses

    Raises
    ------
    EstimationError
        If an argument is out of its range, or all answers are expected to be alike under ``"wald"``.

    Notes
    -----
    The quantiles are normal. Where few clusters answer (under 30 or so), t limits are wider. The correction
    for a finite population says how well the score of that very population is known; leave it out where the
    score is to stand for customers to come.

    References
    ----------
    Cochran, W. G. (1977). Sampling Techniques, 3rd edition. Wiley. Chapters 4 and 9.
    Rocks, B. (2016). Interval estimation for the Net Promoter Score. The American Statistician 70(4),
    365-372. doi:10.1080/00031305.2016.1198279

    Examples
    --------
    >>> needed = required_responses(response_rate=0.2)
    >>> needed.finding
    'For a margin of error of 5.0 points you need 861 answers.'
    >>> needed.details
    'That takes 4,305 invitations, if 20% of them bring an answer.'
    """
    _require(
        ("margin_of_error", margin_of_error, 0 < margin_of_error <= 100, "more than 0, at most 100 points"),
        ("promoter_share", promoter_share, 0 <= promoter_share <= 1, "a share of 0 to 1"),
        ("detractor_share", detractor_share, 0 <= detractor_share <= 1, "a share of 0 to 1"),
        ("confidence_level", confidence_level, 0 < confidence_level < 1, "a level between 0 and 1, e.g. 0.95,"),
        (
            "difference",
            difference,
            difference is None or 0 < abs(difference) <= 200,
            "one of 200 points at most, not 0,",
        ),
        ("power", power, 0.5 <= power < 1, "a probability of at least 0.5 and below 1"),
        ("response_rate", response_rate, response_rate is None or 0 < response_rate <= 1, "more than 0, at most 1"),
        ("population", population, population is None or population >= 1, "1 or more"),
        ("cluster_size", cluster_size, 1 <= cluster_size < math.inf, "1 or more"),
        ("intraclass_correlation", intraclass_correlation, 0 <= intraclass_correlation <= 1, "0 to 1"),
        ("design_effect", design_effect, 0 < design_effect < math.inf, "a number above 0"),
        ("beside", beside, all(0 < width <= 200 for width in beside or ()), "points above 0, at most 200,"),
        ("method", method, method in ("wald", "adjusted-wald"), "'wald' or 'adjusted-wald'"),
        (
            "promoter_share + detractor_share",
            promoter_share + detractor_share,
            promoter_share + detractor_share <= 1 + 1e-9,
            "at most 1",
        ),
    )
    shares = np.array([detractor_share, max(1 - promoter_share - detractor_share, 0.0), promoter_share])
    if method == "wald" and _variance(shares) == 0:
        raise EstimationError(
            "Where all answers are expected to be alike, method 'wald' knows no error; take 'adjusted-wald'."
        )
    asked = margin_of_error if difference is None else abs(difference)
    needed_power = None if difference is None else power
    design_effect *= 1 + (cluster_size - 1) * intraclass_correlation
    widest = 100.0 if difference is None else 200.0
    around = [asked * times for times in LADDER] if beside is None else beside
    widths = sorted({asked, *(float(width) for width in around if width <= widest)})
    independent = [
        _independent_answers(width, shares, confidence_level=confidence_level, power=needed_power, method=method)
        for width in widths
    ]
    answers = [_whole_number(_of_population(design_effect * n, population)) for n in independent]
    invitations = [pd.NA if response_rate is None else _whole_number(n / response_rate) for n in answers]
    frame = pd.DataFrame(
        {
            "margin_of_error": widths if difference is None else np.nan,
            "difference": np.nan if difference is None else widths,
            "n_independent": independent,
            "n": answers,
            "invitations": pd.array(invitations, dtype="Int64"),
        }
    )
    return RequiredResponses(
        frame=frame,
        confidence_level=confidence_level,
        title="Answers needed" if difference is None else "Answers needed per wave",
        asked=asked,
        promoter_share=promoter_share,
        detractor_share=detractor_share,
        power=needed_power,
        response_rate=response_rate,
        population=population,
        design_effect=design_effect,
        method=method,
    )


def _require(*rules: tuple[str, object, bool, str]) -> None:
    broken = [f"{name} = {value!r}: {allowed} is needed." for name, value, holds, allowed in rules if not holds]
    if broken:
        raise EstimationError(" ".join(broken))


def _variance(shares: Floats) -> float:
    """Variance of one answer, in squared points."""
    return max(float(shares @ VALUES**2 - (shares @ VALUES) ** 2), 0.0)


def _independent_answers(
    width: float, shares: Floats, *, confidence_level: float, power: float | None, method: str
) -> float:
    """Independent answers needed for a margin of error or, with power, for a difference of `width` points."""
    z = float(normal_ppf(0.5 + confidence_level / 2))
    z_power = 0.0 if power is None else float(normal_ppf(power))
    waves = 1 if power is None else 2
    variance = waves * _variance(shares)
    if method == "wald":
        return variance * ((z + z_power) / width) ** 2

    def does(n: int) -> bool:
        std_error = float(adjusted_wald(n * shares[None, :], confidence_level=confidence_level).std_error[0])
        limit = z * math.sqrt(waves) * std_error
        if power is None:
            return limit <= width
        # The adjusted score, and its error, move by n / (n + 3) of a true difference.
        moved = n / (n + PSEUDO_COUNTS.sum())
        return bool(limit <= moved * (width - z_power * math.sqrt(variance / n)))

    return float(_smallest(does))


def _smallest(does: Callable[[int], bool]) -> int:
    """The smallest whole number that does, where every larger one does too."""
    high = 1
    while not does(high):
        high *= 2
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if does(middle) else (middle, high)
    return high


def _of_population(n: float, population: int | None) -> float:
    return n if population is None else n / (1 + (n - 1) / population)


def _whole_number(n: float) -> int:
    """Rounded up, but not for the last bits."""
    return max(math.ceil(n * (1 - 1e-12)), 1)
