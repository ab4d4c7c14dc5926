"""Normal limits: as many standard errors from the estimate as the level asks for."""

from __future__ import annotations

from typing import Any

from scipy import stats


def normal_quantile(confidence_level: float) -> float:
    """Compute how many standard errors two-sided normal limits are from the estimate."""
    return float(stats.norm.ppf(0.5 + confidence_level / 2))


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
