"""All public functions of counts: whose lines they take, and what they say of a Study and of what is neither."""

import inspect
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import nps_research as nps

ROOMS = (nps.score, nps.thresholds, nps.accounts)
FUNCTIONS = {name: getattr(room, name) for room in ROOMS for name in room.__all__}
PARAMETERS = {name: inspect.signature(function).parameters for name, function in FUNCTIONS.items()}
KIND = {name: str(next(iter(parameters.values())).annotation) for name, parameters in PARAMETERS.items()}
OF_DISTRIBUTION = sorted(name for name, kind in KIND.items() if "ScoreDistribution" in kind)
OF_OUTCOME = sorted(name for name, kind in KIND.items() if "OutcomeByScore" in kind)
NAMES_OF_LINES = {"promoter_min", "detractor_max", "lines"}
# A frame of people; what answers are expected; the lines only decide which scores stand together; lines are tested.
WITHOUT_LINES = {"rake", "required_responses", "adjusted_risk", "compare_segments"}
WITH_LINES = sorted(FUNCTIONS.keys() - WITHOUT_LINES)


def made_up_study(**settings):
    rng = np.random.default_rng(14)
    n = 900
    rows = pd.DataFrame(
        {
            "likelihood_to_recommend": rng.choice(11, size=n, p=np.array([2, 1, 2, 3, 3, 6, 7, 14, 20, 18, 24]) / 100),
            "wave": np.repeat(["2025 Q1", "2025 Q2"], n // 2),
            "region": rng.choice(["North", "South", "West"], size=n),
            "account_id": rng.integers(0, 60, size=n).astype(str),
        }
    )
    risk = np.where(rows["likelihood_to_recommend"] <= 3, 0.5, 0.1)
    rows["Left"] = np.where(rng.random(n) < risk, "yes", "no")
    left = {"table": "responses", "column": "Left", "event": ["yes"], "no_event": ["no"], "direction": "bad"}
    return nps.Study.from_frames(
        responses=rows,
        segments=["region"],
        outcomes={"left": left},
        settings={"cluster": "account_id", "minimum_cell": 1, **settings},
    )


@pytest.fixture(scope="module")
def ordinary():
    return made_up_study()


@pytest.fixture(scope="module")
def own():
    return made_up_study(detractor_max=3, promoter_min=8)


def told(name, given, **named):
    """All that a function says, as text."""
    quick = {"n_resamples": 200} if "n_resamples" in PARAMETERS[name] else {}
    answer = FUNCTIONS[name](given, **quick, **named)
    if name == "cut_slider":
        return str([child.value for child in answer.children])
    return f"{answer.to_json()} {answer.frame.to_csv()}"


def lines(name, promoter_min, detractor_max):
    """The lines as a function takes them."""
    several = (detractor_max, 3 if detractor_max == 6 else 6)
    named = {"promoter_min": promoter_min, "detractor_max": detractor_max, "lines": several}
    if "Sequence" in str(PARAMETERS[name].get("detractor_max", "")):
        named["detractor_max"] = several
    return {key: value for key, value in named.items() if key in PARAMETERS[name]}


def test_every_function_but_those_known_has_lines():
    assert {name for name in FUNCTIONS if not NAMES_OF_LINES & set(PARAMETERS[name])} == WITHOUT_LINES
    assert all(PARAMETERS[name][line].default is None for name in WITH_LINES for line in lines(name, 9, 6))


@pytest.mark.parametrize("name", WITH_LINES)
def test_the_lines_of_a_study_hold_where_none_are_named(name, ordinary, own):
    by_own_lines = told(name, own)
    assert by_own_lines == told(name, own, **lines(name, 8, 3)) == told(name, ordinary, **lines(name, 8, 3))
    assert told(name, ordinary) == told(name, own, **lines(name, 9, 6))
    assert by_own_lines != told(name, ordinary)


WHOLE, BY_WAVE = {"by": None}, {"by": "wave"}
COUNTED = {
    "account_influence": {"cluster": "account_id", "weight": None},
    "compare_net_promoter_scores": BY_WAVE,
    "conclusions_by_line": BY_WAVE,
    "cut_slider": WHOLE,
    "detectable_change": BY_WAVE,
    "net_promoter_score": WHOLE,
    "net_promoter_score_by_cut": WHOLE,
    "plan_next_survey": BY_WAVE,
    "pool_groups": {"by": "region"},
    "score_histogram": WHOLE,
    "class_shares": BY_WAVE,
    "trend": BY_WAVE,
}


@pytest.mark.parametrize("name", OF_DISTRIBUTION)
def test_a_study_is_counted_as_its_question_needs(name, own):
    assert told(name, own) == told(name, nps.score_distribution(own, **COUNTED[name]))


@pytest.mark.parametrize("name", OF_OUTCOME)
def test_the_only_outcome_of_a_study_is_counted(name, own):
    by = "region" if name == "compare_segments" else None
    assert told(name, own) == told(name, nps.outcome_by_score(own, outcome="left", by=by))


@pytest.mark.parametrize("name", OF_DISTRIBUTION + OF_OUTCOME)
def test_what_is_neither_counts_nor_a_study_is_refused_in_words(name, own):
    wanted, other = "ScoreDistribution", nps.outcome_by_score(own, outcome="left")
    if name in OF_OUTCOME:
        wanted, other = "OutcomeByScore", nps.score_distribution(own)
    for wrong in (own.responses, other, "data/demo", None):
        with pytest.raises(TypeError, match=f"^{type(wrong).__name__} arrived; a {wanted}, .* or a Study is needed"):
            FUNCTIONS[name](wrong)
    with pytest.raises(TypeError, match=r"Study\.from_frames"):
        FUNCTIONS[name](own.responses)


def test_a_study_of_several_outcomes_is_asked_which(own):

    two = replace(
        own, outcomes={**own.outcomes, "right": own.outcomes["left"]}, available=own.available | {"outcomes.right"}
    )
    with pytest.raises(nps.errors.ContractError, match="several outcomes, left and right: count one, as by outcome_by"):
        nps.compare_thresholds(two)


def test_a_study_without_waves_has_no_trend():
    one = nps.Study.from_frames(responses=pd.DataFrame({"likelihood_to_recommend": [10, 9, 3]}))
    with pytest.raises(nps.errors.CannotAnswerError, match="does not record the round of the survey"):
        nps.trend(one)
    assert nps.thresholds.conclusions_by_line(one).frame["other"].tolist() == pytest.approx([100 / 3])


def test_a_score_follows_the_line_of_its_study():
    rows = pd.DataFrame({"likelihood_to_recommend": [10, 10, 8, 5, 4, 3]})
    study = nps.Study.from_frames(responses=rows, settings={"detractor_max": 3})
    dist = nps.score_distribution(study)
    assert nps.net_promoter_score(dist).frame["estimate"].tolist() == pytest.approx([100 / 6])
    assert nps.net_promoter_score(dist, detractor_max=6).frame["estimate"].tolist() == pytest.approx([-100 / 6])
    assert "detractors 0-3" in nps.net_promoter_score(dist).note
