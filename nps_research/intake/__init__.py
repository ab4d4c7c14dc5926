"""What came in: rows, rules, formats, identities, and which questions the study can answer."""

from nps_research.intake.listings import broken_rules, identity_checks, intake, reading_notes
from nps_research.intake.questions import questions

__all__ = ["broken_rules", "identity_checks", "intake", "questions", "reading_notes"]
