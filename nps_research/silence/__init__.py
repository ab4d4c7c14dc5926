"""What silence means: whether the silent leave, what knowing them adds, and the score had they answered."""

from nps_research.silence.score.full_response import score_if_all_responded
from nps_research.silence.signal.leaving_reasons import leaving_reasons
from nps_research.silence.signal.signal import nonresponse_signal
from nps_research.silence.value.features import check_features
from nps_research.silence.value.value import nonresponse_value
from nps_research.silence.value.watch_list import watch_list

__all__ = [
    "check_features",
    "leaving_reasons",
    "nonresponse_signal",
    "nonresponse_value",
    "score_if_all_responded",
    "watch_list",
]
