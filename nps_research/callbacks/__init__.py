"""Did calling back help: who is due and was called in time, what calls changed, and which employees differ."""

from nps_research.callbacks.call_list import people_to_call_back
from nps_research.callbacks.effect import callback_effect
from nps_research.callbacks.employees import employee_differences
from nps_research.callbacks.queues import queue_effect
from nps_research.callbacks.recovery import recovery_without_calls
from nps_research.callbacks.steps import callback_steps
from nps_research.callbacks.times import callback_times

__all__ = [
    "callback_effect",
    "callback_steps",
    "callback_times",
    "employee_differences",
    "people_to_call_back",
    "queue_effect",
    "recovery_without_calls",
]
