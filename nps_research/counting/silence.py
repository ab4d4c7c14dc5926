"""What has to be said of silence wherever it is spoken of."""

from __future__ import annotations

import pandas as pd

from nps_research.errors import CannotAnswerError
from nps_research.study.study import Study

NO_DELIVERY = (
    "This study does not say which invitations were delivered: silence and a wrong address cannot be told apart."
)


def silence_caveat(study: Study) -> str:
    """Sentence for findings of a study that cannot tell silence from a bounce; empty where delivery is known."""
    return "" if "responses.delivered" in study.available else NO_DELIVERY


def who_was_asked(study: Study) -> str:
    """``"reached"``, or ``"invited"`` where a study cannot tell whom its invitations reached."""
    return "reached" if "responses.delivered" in study.available else "invited"


def require_silence(study: Study) -> None:
    """Raise CannotAnswerError, which says why, where a study cannot tell who was silent."""
    known = {"responses.delivered", "responses.responded", "responses.responded_at"} & study.available
    if not known:
        raise CannotAnswerError(
            "Who was silent is not known: this study records neither who was reached (responses.delivered) nor who "
            "returned the form (responses.responded or responses.responded_at)."
        )
    if not records_silence(study):
        raise CannotAnswerError(
            "Who was silent is not known: every row of this study is an answer; those who did not answer are not there."
        )


_SAYS_WHO = ("delivered", "responded", "responded_at")  # any of them tells who was silent


def records_silence(study: Study) -> bool:
    """Whether a study in memory can tell who was silent.

    It cannot where `responded_at` alone says who answered, and is there on every row: such an export has no rows of
    those who did not answer.
    """
    flags = {"responses.delivered", "responses.responded"} & study.available
    dated = "responses.responded_at" in study.available
    return bool(flags) or (dated and bool(study.responses["responded_at"].isna().any()))


def tells_silence(study: Study, cells: pd.DataFrame) -> bool:
    """Whether the study records who was reached, or who returned the form: on one row at least."""
    if not study.is_lazy:
        return records_silence(study)
    flags = any(cells[name].notna().any() for name in ("delivered", "responded") if name in cells)
    return flags or ("dated" in cells and bool(cells["dated"].any()))
