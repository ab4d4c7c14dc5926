"""What has to be said of silence wherever it is spoken of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nps_research.counting.cells import records_silence
from nps_research.errors import CannotAnswerError

if TYPE_CHECKING:
    from nps_research.study.study import Study

__all__ = ["NO_DELIVERY", "require_silence", "silence_caveat"]

NO_DELIVERY = (
    "This study does not say which invitations were delivered: silence and a wrong address cannot be told apart."
)


def silence_caveat(study: Study) -> str:
    """Sentence for findings of a study that cannot tell silence from a bounce; empty where delivery is known."""
    return "" if "responses.delivered" in study.available else NO_DELIVERY


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
