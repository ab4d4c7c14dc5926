"""The facts known of the real surveys."""

import dataclasses
from functools import cache

import pandas as pd
import pytest

from nps_research import intake as overview
from nps_research.counting.score_counts import score_distribution
from nps_research.errors import CannotAnswerError
from nps_research.responding.funnel import response_funnel
from nps_research.responding.panel_attrition import SAME_TWICE, panel_attrition
from nps_research.responding.representativeness import representativeness
from nps_research.responding.response_rates import response_rates
from nps_research.score.score import net_promoter_score
from tests.support.real_surveys import REAL, real_study

NAMES = ("sfo-airport", "carpentries", "garden-centre", "taps-panel")
LTR = "likelihood_to_recommend"

pytestmark = pytest.mark.real


@cache
def study(name):
    return real_study(name)


def scores(name, **cuts):
    frame = net_promoter_score(score_distribution(study(name), by="wave", cluster=None, weight=None), **cuts).frame
    return frame.set_index("group")["estimate"].round(1).to_dict()


@pytest.mark.parametrize(
    ("name", "rows"),
    [("sfo-airport", None), ("carpentries", 476), ("garden-centre", 13_954), ("taps-panel", 24 * 2_457)],
)
def test_every_row_is_accepted(name, rows):
    opened = study(name)
    assert opened.quarantine.empty
    assert opened.violations.empty
    assert len(opened.responses) == opened.files.query("table == 'responses'")["rows"].sum()
    assert rows is None or len(opened.responses) == rows


@pytest.mark.parametrize("name", NAMES)
def test_what_is_never_shared_is_known(name):
    opened = study(name)
    assert opened.made_up is False
    assert opened.licence
    has_ids = opened.can_answer("responses.respondent_id")
    assert has_ids == (name != "carpentries")
    assert bool(opened.private_values()) == has_ids


# San Francisco International Airport


def test_sfo_scores_by_wave_with_both_cuts():
    assert study("sfo-airport").waves == ("2017", "2018")
    assert scores("sfo-airport") == {"2017": 39.8, "2018": 31.0}
    assert scores("sfo-airport", detractor_max=3) == {"2017": 50.5, "2018": 44.6}


def test_sfo_missing_answers():
    responses = study("sfo-airport").responses
    missing = responses.groupby("wave")[LTR].apply(lambda score: int(score.isna().sum()))
    assert missing.to_dict() == {"2017": 85, "2018": 159}
    assert set(responses["response_state"]) == {"answered", "item_missing"}
    notes = " ".join(study("sfo-airport").notes)
    assert "encoding" in notes
    assert "blanks around" in notes


def test_sfo_counts_by_score_are_those_of_the_files():
    for wave in ("2017", "2018"):
        raw = pd.read_csv(REAL / "sfo-airport" / f"sfo_{wave}.csv", encoding="latin1", dtype=str)
        raw.columns = raw.columns.str.strip()
        codes = pd.to_numeric(raw["NETPRO"]).value_counts()
        responses = study("sfo-airport").responses
        counted = responses.loc[responses["wave"] == wave, LTR].value_counts()
        assert counted.to_dict() == codes.drop(11).to_dict()


def test_sfo_ratings_never_used_are_kept_apart_from_missing():
    opened = study("sfo-airport")
    raw = pd.read_csv(REAL / "sfo-airport" / "sfo_2018.csv", encoding="latin1", dtype=str)
    raw.columns = raw.columns.str.strip()
    of_wave = (opened.responses["wave"] == "2018").to_numpy()
    for driver, column in (("Moving walkways", "Q7WALKWAY"), ("Restaurants", "Q7FOOD")):
        code = pd.to_numeric(raw[column], errors="coerce")
        assert opened.not_used.loc[of_wave, driver].sum() == (code == 6).sum() > 0
        ratings = opened.responses.loc[of_wave, driver]
        assert ratings.notna().sum() == code.between(1, 5).sum()
        assert ratings.mean() == pytest.approx(code[code.between(1, 5)].mean())


def test_sfo_has_its_design_and_no_silence():
    opened = study("sfo-airport")
    assert opened.can_answer("responses.design_weight", "responses.cluster", "responses.drivers", "responses.segments")
    assert not opened.can_answer("responses.responded_at")
    assert not opened.can_answer("outcomes")
    frame = net_promoter_score(score_distribution(opened, by="wave")).frame
    assert frame["nonrespondents"].isna().all()
    for question in (response_funnel, representativeness):
        with pytest.raises(CannotAnswerError):
            question(opened)


# The Carpentries


def test_carpentries_outcome_by_score():
    responses = study("carpentries").responses
    raw = pd.read_csv(REAL / "carpentries" / "longterm_2017_10.csv", dtype=str, keep_default_na=False)
    assert len(raw) == 476
    assert responses[LTR].notna().sum() == (raw["Likely-To-Recommend"] != "").sum()
    told = responses["outcome_recommended"]
    assert int(told.sum()) == (raw["Recommended"] == "Yes.").sum()
    assert int((~told).sum()) == (raw["Recommended"] == "No.").sum()
    bands = pd.cut(responses[LTR].astype("Float64"), [-1, 3, 6, 8, 10], labels=["0-3", "4-6", "7-8", "9-10"])
    counted = told.groupby(bands, observed=False).agg(["sum", "count"])
    assert counted.astype(int).T.to_dict("list") == {
        "0-3": [0, 9],
        "4-6": [16, 46],
        "7-8": [85, 97],
        "9-10": [197, 206],
    }


def test_carpentries_has_no_ids_no_waves_and_an_undated_outcome():
    opened = study("carpentries")
    assert any("row number stands in" in note for note in opened.notes)
    assert any(note.startswith("outcome recommended:") for note in opened.notes)
    assert opened.outcomes["recommended"].dated is False
    assert opened.can_answer("outcomes.recommended", "responses.drivers", "responses.segments")
    for need in ("responses.wave", "responses.responded_at", "customers.churned_at", "responses.respondent_id"):
        assert not opened.can_answer(need)


def test_carpentries_agreement_is_read_from_its_words():
    opened = study("carpentries")
    raw = pd.read_csv(REAL / "carpentries" / "longterm_2017_10.csv", dtype=str)
    words = raw["Gained-Confidence-With-Data"].str.strip().str.lower().value_counts()
    ratings = opened.responses["Gained confidence with data"].value_counts()
    assert ratings[5] == words["strongly agree"]
    assert ratings[1] == words["strongly disagree"]
    assert len(opened.drivers) == 7


# The garden centre


def test_garden_centre_scores_begin_at_one():
    responses = study("garden-centre").responses
    assert sorted(responses[LTR].dropna().unique()) == list(range(1, 11))
    raw = pd.read_csv(REAL / "garden-centre" / "nps.csv")
    assert responses[LTR].mean() == pytest.approx(raw["nps"].mean())


def test_garden_centre_amounts_keep_returns_and_come_from_before_the_survey():
    opened = study("garden-centre")
    raw = pd.read_csv(REAL / "garden-centre" / "nps.csv")
    tickets = opened.responses["outcome_average_ticket"]
    assert tickets.sum() == pytest.approx(raw["CaTicket"].sum())
    assert (tickets < 0).sum() == (raw["CaTicket"] < 0).sum() > 0
    assert opened.outcomes["average_ticket"].dated is False


def test_garden_centre_cannot_tell_silence_nor_waves():
    answered = overview.questions(study("garden-centre")).frame.set_index("term")["answer"]
    assert answered["What is the score?"] == "yes"
    assert answered["What drives loyalty?"] == "no"  # its one rating is of the visit as a whole
    assert answered["How many answer, and how many are silent?"] == "no"
    assert answered["Did it move from wave to wave?"] == "no"
    with pytest.raises(CannotAnswerError):
        response_funnel(study("garden-centre"))


# The American Panel Survey


def test_taps_members_gone_by_earlier_misses():
    panel = study("taps-panel")
    all_shown = dataclasses.replace(panel, settings=panel.settings.model_copy(update={"minimum_cell": 1}))
    frame = panel_attrition(all_shown, wave="w06", gone_waves=6).frame
    assert frame["n"].tolist() == [1352, 120, 33, 6]
    assert (100 * frame["estimate"]).round(1).tolist()[:3] == [13.7, 31.7, 39.4]
    result = panel_attrition(panel, wave="w06", gone_waves=6)
    frame = result.frame.set_index("misses")
    assert frame[["term", "n", "events"]].values.tolist() == [
        ["no earlier miss", 1352, 185],
        ["1 earlier miss", 120, 38],
        ["2 or more earlier misses", 39, 17],
    ]
    assert result.n_hidden == 0
    assert SAME_TWICE in result.in_words
    for name in ("hazard_ratio", "adjusted_hazard_ratio"):
        assert (frame[f"{name}_conf_low"].loc[[1, 2]] > 1).all()
    assert result.adjusted_for == study("taps-panel").segments


def test_taps_counts_are_those_of_the_file():
    raw = pd.read_csv(REAL / "taps-panel" / "taps_wave_participation.csv")
    opened = study("taps-panel")
    rates = response_rates(opened)
    frame = rates.frame.set_index("group")
    for wave in opened.waves:
        assert frame.loc[wave, ["n", "events"]].tolist() == [len(raw), raw[f"responded_{wave}"].sum()]
    assert rates.caveat
    assert rates.in_words.endswith(rates.caveat)
    resembles = representativeness(opened).frame
    assert (resembles.groupby("term")["n"].sum() == raw["responded_w25"].sum()).all()
    assert opened.can_answer("responses.silence")
    assert not opened.can_answer("responses.likelihood_to_recommend")
    assert opened.period == "w02 to w25"
