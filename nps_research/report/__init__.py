"""Reports: run the notebooks a study can feed, and publish what they say as one folder.

The way of a report: `notebooks` reads them, `execute` runs them, `shareable` takes out whatever
must not be shared, `harvest` collects the results, `pages` turns all of it into HTML, `privacy`
looks for what leaked, `publish` swaps the folder whole. `runner` calls them in this order; `cache`
spares it notebooks that would come out the same; `verify` runs a report again and compares.
"""

from nps_research.report import quick_nbformat  # noqa: F401 - before any other brings nbformat
from nps_research.report.execute import Progress
from nps_research.report.runner import NotebookOutcome, ReportOutcome, make_report
from nps_research.report.since import read_earlier
from nps_research.report.verify import Verification, verify_report

__all__ = [
    "NotebookOutcome",
    "Progress",
    "ReportOutcome",
    "Verification",
    "make_report",
    "read_earlier",
    "verify_report",
]
