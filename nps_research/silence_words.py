"""What has to be said of silence wherever it is spoken of."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nps_research.study import Study

__all__ = ["NO_DELIVERY", "silence_caveat"]

NO_DELIVERY = (
    "This study does not say which invitations were delivered: silence and a wrong address cannot be told apart."
)


def silence_caveat(study: Study) -> str:
    """Sentence for findings of a study that cannot tell silence from a bounce; empty where delivery is known."""
    return "" if "responses.delivered" in study.available else NO_DELIVERY
