"""Normal limits: as many standard errors from the estimate as the level asks for."""

from __future__ import annotations

from typing import Any

import numpy as np

from nps_research.statistics.distributions import normal_ppf, t_ppf
from nps_research.typing import Floats, Numbers


def normal_quantile(confidence_level: float) -> float:
    """Compute how many standard errors two-sided normal limits are from the estimate."""
    return float(normal_ppf(0.5 + confidence_level / 2))


def drawn_in(degrees: Numbers | float, *, quantile: float) -> Floats:
    """Compute the part of an effective number that makes normal limits those of t, at one degree or more.

    Limits from an effective number of independent rows are as wide as normal ones; where few clusters tell how unsure
    they are, t is wider.

    References
    ----------
    Korn, E. L. & Graubard, B. I. (1998). Confidence intervals for proportions with small expected number of positive
    counts estimated from survey data. Survey Methodology 24, 193-201.
    """
    return np.asarray((normal_ppf(quantile) / t_ppf(quantile, np.maximum(degrees, 1))) ** 2)


def with_normal_limits(
    estimate: Any, std_error: Any, confidence_level: float, *, name: str = "estimate"
) -> dict[str, Any]:
    """Name an estimate, its standard error and its normal limits as columns; all but ``estimate`` prefix theirs."""
    reach, prefix = normal_quantile(confidence_level) * std_error, "" if name == "estimate" else f"{name}_"
    return {
        name: estimate,
        f"{prefix}std_error": std_error,
        f"{prefix}conf_low": estimate - reach,
        f"{prefix}conf_high": estimate + reach,
    }
