"""study.toml and its tables: contract, acceptance, quarantine."""

from nps_research.study.levers import with_levers
from nps_research.study.study import Study, open_study

__all__ = ["Study", "open_study", "with_levers"]
