"""What changed since an earlier report: its answers on the first screen, beside those of now."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from nps_research.errors import ReportError
from nps_research.report.at_a_glance import answers_by_key
from nps_research.report.harvest import HarvestedResult
from nps_research.report.publish import MADE_BY
from nps_research.results.words import plain_text
from nps_research.study.study import Study

LABELS = {
    "happened": "What happened",
    "target": "Target",
    "groups": "By group",
    "change": "Why it moved",
    "why": "What matters most",
    "improve": "Improve first",
    "call": "Call",
    "ask": "Ask",
    "sure": "How sure",
}
_MOST_SAID = 400  # characters of a sentence


@dataclass(frozen=True, kw_only=True)
class Earlier:
    """What a later report keeps of an earlier one, to be held against it.

    Attributes
    ----------
    name, period, data : str
        Of the study; the hash of its data.
    n_answers : int
    sha256 : str
        Of its ``results.json``.
    said : dict of str to str
        Its sentences on the first screen, by the keys of `LABELS`.
    """

    name: str
    period: str
    data: str
    n_answers: int
    sha256: str
    said: dict[str, str]

    def to_json(self) -> dict[str, Any]:
        """As it stands in the later report's ``results.json``."""
        return asdict(self)

    @classmethod
    def from_json(cls, stated: Any) -> Earlier:
        """What `to_json` gave; TypeError if it is none."""
        earlier = cls(**stated)
        texts = [earlier.name, earlier.period, earlier.data, earlier.sha256, *dict(earlier.said).values()]
        if not isinstance(earlier.n_answers, int) or not all(isinstance(text, str) for text in texts):
            raise TypeError("since")
        return earlier


@dataclass(frozen=True, kw_only=True)
class Change:
    """One answer of the first screen that is not what it was; `was` or `now` is empty where nothing is said of it."""

    label: str
    was: str
    now: str


@dataclass(frozen=True, kw_only=True)
class Since:
    """What the first page says of the time since an earlier report.

    Attributes
    ----------
    period, sha256 : str
        Of the earlier report.
    news : str
        How many answers came since, in a sentence.
    changes : tuple of Change
    """

    period: str
    sha256: str
    news: str
    changes: tuple[Change, ...]


def read_earlier(path: Path) -> Earlier:
    """Read the ``results.json`` of an earlier report, or that of its folder; ReportError if it is none."""
    path = path / "results.json" if path.is_dir() else path
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ReportError(f"{path} cannot be read; name the results.json of an earlier report") from error
    try:
        found = json.loads(content)
        if found["made_by"] != MADE_BY or found["schema"] != 1:
            raise ValueError("of another program or version")
        study, results = found["study"], [each["result"] for each in found["results"]]
        said = {key: plain_text(text, _MOST_SAID) for key, text in answers_by_key(results).items() if key in LABELS}
        return Earlier(
            name=str(study["name"]),
            period=plain_text(study["period"], _MOST_SAID),
            data=str(found["made_from"]["data"]),
            n_answers=int(study["n_answers"]),
            sha256=sha256(content).hexdigest(),
            said=said,
        )
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise ReportError(
            f"{path} is not the results.json of a report of this version; make that report again, and name it"
        ) from error


def check_earlier(earlier: Earlier, study: Study) -> None:
    """ReportError where the earlier report is of another study."""
    if earlier.name != study.name:
        raise ReportError(
            f"the earlier report is of another study ({plain_text(earlier.name)!r}, not {plain_text(study.name)!r})"
        )


def since_earlier(earlier: Earlier, study: Study, data: str, results: Sequence[HarvestedResult]) -> Since:
    """Hold the first screen against that of an earlier report.

    Where the data are others, but fewer than ``minimum_cell`` answers more or less than then, what changed would tell
    of these few, and is left out.
    """
    now, then, fewest = study.n_answers, earlier.n_answers, study.settings.minimum_cell
    if data != earlier.data and abs(now - then) < fewest:
        news = f"Fewer than {fewest} answers more or less than then: what changed with them is not told."
        return Since(period=earlier.period, sha256=earlier.sha256, news=news, changes=())
    news = f"{abs(now - then):,} {'more' if now > then else 'fewer'} answers: {now:,} now, {then:,} then."
    said = answers_by_key([result.bundle for result in results])
    pairs = ((key, earlier.said.get(key, ""), plain_text(said.get(key, ""), _MOST_SAID)) for key in LABELS)
    changes = [Change(label=LABELS[key], was=was, now=now) for key, was, now in pairs if was != now]
    told = ["The data are the same as then." if data == earlier.data else news]
    told += [] if changes else ["Nothing on this first screen has changed."]
    return Since(period=earlier.period, sha256=earlier.sha256, news=" ".join(told), changes=tuple(changes))
