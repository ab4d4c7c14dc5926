"""The errors this package raises on purpose.

Their texts are safe to share: they name columns, rules and counts, never a respondent's id,
e-mail, comment or an unreadable cell. Every other exception is a fault of ours, and reports
show no more of it than its class.
"""

__all__ = ["CannotAnswerError", "ContractError", "EstimationError", "NPSResearchError", "ReportError"]


class NPSResearchError(Exception):
    """Base of all errors raised by nps_research."""


class ContractError(NPSResearchError):
    """A study's settings or tables break the data contract."""


class CannotAnswerError(ContractError):
    """A study lacks the columns that a question needs."""


class EstimationError(NPSResearchError):
    """The data given cannot support the estimate asked for."""


class ReportError(NPSResearchError):
    """A report could not be made or published."""
