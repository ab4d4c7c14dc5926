"""What a question is answered with where it is not answered, and lists of people."""

import copy
import dataclasses
import pickle

import numpy as np
import pandas as pd
import pytest
from IPython.core.formatters import DisplayFormatter

import nps_research as nps
from nps_research.errors import CannotAnswerError, ContractError
from nps_research.results.listing import Listing, NotAnswered, attempt
from nps_research.results.result import MIME_TYPE

SAYS = "This study does not record the round of the survey (responses.wave)."


def a_study() -> nps.Study:
    return nps.Study.from_frames(responses=pd.DataFrame({"likelihood_to_recommend": [10, 9, 3]}))


def unanswered() -> NotAnswered:
    return NotAnswered(says=SAYS)


# attempt


def test_an_attempt_says_what_is_missing_and_hides_no_other_error():
    study = a_study()
    result = attempt(study.require, "responses.wave")
    assert isinstance(result, NotAnswered)
    assert result.finding == SAYS
    assert result.to_json()["rows"] == []
    with pytest.raises(ContractError) as caught:
        attempt(study.require, "responses.waves")
    assert not isinstance(caught.value, CannotAnswerError)
    with pytest.raises(ZeroDivisionError):
        attempt(divmod, 1, 0)


def test_an_attempt_passes_everything_on_and_gives_back_what_comes():
    calls = []

    def question(*args, **kwargs):
        calls.append((args, kwargs))
        return calls

    assert attempt(question, 1, "two", three=3) is calls
    assert calls == [((1, "two"), {"three": 3})]


@pytest.mark.parametrize("given", ["function", "argument", "keyword"])
def test_what_is_asked_of_an_unanswered_question_is_that_question_and_nothing_is_called(given):
    before = unanswered()

    def never(*_args, **_kwargs):
        raise AssertionError

    asked = {"function": (before, 1), "argument": (never, 1, before), "keyword": (never, 1)}[given]
    assert attempt(*asked, **({"counted": before} if given == "keyword" else {})) is before


def test_counting_may_be_attempted_first():
    counted = nps.attempt(nps.score_distribution, a_study(), by="wave")
    assert nps.attempt(nps.net_promoter_score, counted) is counted
    counted = nps.attempt(nps.score_distribution, a_study())
    assert nps.attempt(nps.net_promoter_score, counted).is_answered


# Parts of what is not answered


def test_a_part_of_an_unanswered_result_is_that_result():
    signal = unanswered()
    assert signal.curves is signal
    assert signal.shifts.evidence is signal
    assert not signal.is_answered


def test_what_a_result_has_it_has_still():
    result = unanswered()
    assert (result.finding, result.note, result.kind, result.key_numbers) == (SAYS, "", "not_answered", ())
    assert len(result.frame) == 0
    assert result.people is None
    assert repr(result) == f"<NotAnswered: {SAYS}>"


@pytest.mark.parametrize(
    "name",
    ["_repr_html_", "_repr_png_", "_ipython_display_", "_ipython_canary_method_should_not_exist_", "__array__", "_x"],
)
def test_what_is_private_or_looked_up_by_others_is_not_there(name):
    assert not hasattr(unanswered(), name)


def test_an_unanswered_result_is_copied_and_pickled_as_what_it_is():
    result = unanswered()
    for again in (
        copy.copy(result),
        copy.deepcopy(result),
        pickle.loads(pickle.dumps(result)),  # noqa: S301 - ours
        dataclasses.replace(result),
    ):
        assert type(again) is NotAnswered
        assert again is not result
        assert again.says == SAYS
        assert again.curves is again


def test_a_half_made_one_lacks_its_fields_and_does_not_go_round_in_circles():
    empty = NotAnswered.__new__(NotAnswered)
    with pytest.raises(AttributeError):
        _ = empty.says
    with pytest.raises(AttributeError):  # not hidden behind the property
        _ = empty.finding


def test_jupyter_displays_an_unanswered_result_by_its_bundle():
    data, _ = DisplayFormatter().format(unanswered())
    assert data["text/plain"] == repr(unanswered())
    assert data[MIME_TYPE]["kind"] == "not_answered"


def test_numpy_and_pandas_take_it_for_one_thing():
    result = unanswered()
    assert np.array([result], dtype=object)[0] is result
    assert pd.Series([result], dtype=object).iloc[0] is result


# Whom to call


def test_a_list_of_people_is_a_listing_that_shows_none_of_them():
    found = Listing.of_people(
        pd.DataFrame({"respondent_id": ["SECRET-7"] * 12}), title="t", who="people", remark="", minimum_cell=10
    )
    assert found.to_json()["kind"] == "call_list"
    assert found.finding.startswith("12 people are on the list")
    assert "SECRET" not in f"{found!r}{found._repr_mimebundle_()}"
