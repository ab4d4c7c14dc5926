"""Silence as a signal: verdicts where the truth is plain, limits, what is shown, and what cannot be answered."""

import json
from dataclasses import replace
from itertools import product
from typing import get_args

import numpy as np
import pandas as pd
import pytest

from calibration import silence_verdicts
from calibration.silence import SCENARIOS, draw
from nps_research.counting.landmarks import STATES, landmarks_of
from nps_research.errors import CannotAnswerError, NPSResearchError
from nps_research.results.words import MOST_WORDS, format_value
from nps_research.silence.signal.contrasts import Adjusted, adjusted_contrasts
from nps_research.silence.signal.history import histories_of
from nps_research.silence.signal.leaving_reasons import leaving_reasons
from nps_research.silence.signal.signal import (
    PLACE,
    group_of,
    nonresponse_signal,
    risks_by_state,
    signal_of,
    verdict_of,
)
from nps_research.silence.signal.verdict import SilenceWord, silence_verdict
from nps_research.statistics.hazard_ratios import Contrasts
from nps_research.statistics.survival import Risks, survival_risks
from nps_research.study.study import open_study
from tests.support.made_up_silence import panel
from tests.support.published import ROOT


@pytest.fixture(scope="module")
def demo():
    return nonresponse_signal(open_study(ROOT / "data" / "demo"))


def risks_of(rates: dict[str, float], n: int = 4000) -> Risks:
    """Independent groups of n, with these rates as observed."""
    rate = np.array([rates.get(name, np.nan) for name in PLACE])
    size = np.where(np.isfinite(rate), float(n), 0.0)
    return Risks(
        n=size,
        events=np.nan_to_num(rate) * size,
        risk=rate,
        covariance=np.diag(np.nan_to_num(rate * (1 - rate)) / np.maximum(size, 1)),
        n_effective=size,
        clusters=size,
    )


VERDICTS = {
    "worst": (0.30, 0.05, 0.06, 0.15),
    "better": (0.02, 0.08, 0.09, 0.15),
    "like-detractors": (0.16, 0.05, 0.06, 0.16),
    "like-respondents": (0.08, 0.08, 0.08, 0.08),
    "between": (0.10, 0.04, 0.10, 0.25),
}


@pytest.mark.parametrize("verdict", VERDICTS)
def test_verdicts_where_the_truth_is_plain(verdict):
    silent, *others = VERDICTS[verdict]
    rates = dict(zip(("nonrespondent", "promoter", "passive", "detractor"), (silent, *others), strict=True))
    rates |= {"answered": float(np.mean(others))}
    assert silence_verdict(risks_of(rates), PLACE, margin=1.5, alpha=0.05).verdict == verdict


@pytest.mark.parametrize("spared", ["promoter", "passive", "detractor"])
def test_worst_needs_all_three(spared):
    rates = {"nonrespondent": 0.2, "promoter": 0.05, "passive": 0.05, "detractor": 0.05, "answered": 0.08}
    judged = silence_verdict(risks_of(rates | {spared: 0.195}), PLACE, margin=1.5, alpha=0.05)
    assert judged.verdict != "worst"
    assert judged.p_above[spared] > 0.05


@pytest.mark.parametrize("absent", ["promoter", "passive", "detractor"])
def test_no_verdict_without_one_of_the_groups(absent):
    rates = {"nonrespondent": 0.3, "promoter": 0.05, "passive": 0.05, "detractor": 0.05, "answered": 0.05}
    judged = silence_verdict(risks_of(rates | {absent: np.nan}), PLACE, margin=1.5, alpha=0.05)
    assert (judged.verdict, judged.lacking) == ("cannot-tell", absent)


def test_few_leavers_give_no_verdict_and_are_counted_once():
    """Two of the silent and two detractors left: four, though those who answered count two of them again."""
    n, left = {"nonrespondent": 6, "promoter": 900, "passive": 900}, {"nonrespondent": 4}
    size = np.array([n.get(name, 900.0 if name == "detractor" else 0.0) for name in PLACE])
    size[PLACE["answered"]] = 2700
    events = np.array([float(left.get(name, 0)) for name in PLACE])
    events[PLACE["not_reached"]], size[PLACE["not_reached"]] = 3, 50
    rate = events / np.maximum(size, 1)
    risks = Risks(
        n=size,
        events=events,
        risk=rate,
        covariance=np.diag(rate * (1 - rate) / np.maximum(size, 1)),
        n_effective=size,
        clusters=size,
    )
    judged = silence_verdict(risks, PLACE, margin=1.5, alpha=0.05)
    assert (judged.verdict, judged.is_rare) == ("cannot-tell", True)
    one_more = replace(risks, events=events + (np.arange(len(PLACE)) == PLACE["nonrespondent"]))
    assert not silence_verdict(one_more, PLACE, margin=1.5, alpha=0.05).is_rare


def judged(n=4000, adjusted=None, **rates):
    found = risks_of({"nonrespondent": rates.pop("silent"), **rates}, n=n)
    return silence_verdict(found, PLACE, margin=1.5, alpha=0.05, adjusted=adjusted)


def test_groups_within_the_margin_are_alike_and_beyond_it_are_not():
    others = {"promoter": 0.08, "passive": 0.08, "detractor": 0.08}
    for answered, verdict in (
        (0.082, "like-respondents"),
        (0.092, "within-margin"),  # less often, by more than chance
        (0.068, "within-margin"),  # more often
        (0.045, "cannot-tell"),  # nearly twice
        (0.150, "cannot-tell"),
    ):
        assert judged(silent=0.08, answered=answered, **others).verdict == verdict
    for silent in (0.10, 0.20):
        assert "like" not in judged(silent=silent, **dict.fromkeys((*others, "answered"), 0.15)).verdict


def test_like_detractors_needs_passives_below_and_no_difference_from_detractors():
    rates = {"silent": 0.12, "promoter": 0.04, "passive": 0.05, "detractor": 0.125, "answered": 0.07}
    assert judged(**rates).verdict == "like-detractors"
    assert judged(**rates | {"detractor": 0.145}).verdict == "between"
    assert judged(**rates | {"passive": 0.12, "detractor": 0.145}).verdict == "between"


def test_four_percent_against_one_are_hardly_ever_called_alike():
    """Seen in 49% of samples of 1,000 with a margin of 5 points."""
    rng = np.random.default_rng(8)
    for n in (250, 500, 1000):
        said = []
        for _ in range(200):
            silent, *others = rng.binomial(n, [0.04, 0.01, 0.01, 0.01]) / n
            names = dict(zip(("promoter", "passive", "detractor"), others, strict=True))
            said.append(judged(n=n, silent=silent, answered=float(np.mean(others)), **names).verdict)
        assert sum("like" in word or word == "within-margin" for word in said) <= 10
        assert n < 1000 or said.count("worst") > 180


def test_undecided_says_how_many_leavers_would_decide():
    rates = {"silent": 0.12, "promoter": 0.04, "passive": 0.05, "detractor": 0.14, "answered": 0.07}
    few = judged(n=400, **rates)
    assert (few.verdict, few.decides_at) == ("cannot-tell", 104)  # Phi^-1 of 0.95 and 0.90, a log of 1.5
    assert judged(**rates).decides_at is None
    found = risks_of({"nonrespondent": 0.12, **{name: rates[name] for name in list(rates)[1:]}}, n=400)
    twice = replace(found, n=2 * found.n, events=2 * found.events)  # each row and its copy
    assert silence_verdict(twice, PLACE, margin=1.5, alpha=0.05).decides_at == 208


# What is known, held constant


def made_up_landmarks(scenario, n_units, rng):
    drawn = silence_verdicts.draw(scenario, 0.05, n_units, rng)
    return silence_verdicts.landmarks_of_drawn(scenario, drawn)


def held(promoter, passive, detractor, known=("contract",)):
    """Adjusted contrasts from z."""
    z = np.full(len(STATES), np.nan)
    z[1:4] = promoter, passive, detractor
    contrasts = Contrasts(estimate=0.05 * z, std_error=np.full(len(STATES), 0.05))
    return Adjusted(known=known, differences=contrasts, log_odds=contrasts, ratios=contrasts)


def test_worst_needs_all_three_with_what_is_known_held_alike_too():
    rates = {"silent": 0.30, "promoter": 0.05, "passive": 0.06, "detractor": 0.15, "answered": 0.08}
    assert judged(**rates, adjusted=held(3, 3, 1.7)).verdict == "worst"
    for z, unconfirmed in (
        ((3, 3, 1.6), ("detractor",)),
        ((3, 1.6, 3), ("passive",)),
        ((np.nan, 3, 3), ("promoter",)),  # too few left to tell
        ((-3, 0, 3), ("promoter", "passive")),
        ((np.nan,) * 3, ("promoter", "passive", "detractor")),
    ):
        found = judged(**rates, adjusted=held(*z))
        assert (found.verdict, found.unconfirmed) == ("worst-unadjusted", unconfirmed)
    assert judged(**rates, adjusted=held(0, 0, 0, known=())).verdict == "worst"  # nothing is known


def test_a_known_contract_that_drives_both_is_no_news_of_silence():
    rng = np.random.default_rng(7)
    drawn = [made_up_landmarks("contract alone", 1500, rng) for _ in range(40)]
    words = [verdict_of(each, promoter_min=9, detractor_max=6, margin=1.5, alpha=0.05) for each in drawn]
    assert words.count("worst") <= 4
    assert words.count("worst-unadjusted") >= 30
    signal = signal_of(drawn[0])
    first = signal.in_words.split(". ")[0]
    alike = "other things equal"
    assert first.startswith(f"The silent leave most, but {alike} not shown to leave more often than ")
    assert "With contract held constant, " in signal.details
    answered = [signal_of(each).frame.set_index("state").loc["answered"] for each in drawn[:12]]
    assert all(row["risk_difference_conf_low"] > 0.02 for row in answered)
    end = "adjusted_risk_difference_conf_"
    assert sum(row[f"{end}low"] <= 0 <= row[f"{end}high"] for row in answered) >= 9


def test_log_odds_with_nothing_to_adjust_are_those_of_the_counts():
    landmarks = made_up_landmarks("contract and silence", 3000, np.random.default_rng(3))
    rows = landmarks.rows.drop_duplicates("unit").assign(contract=lambda table: table["unit"] % 2)
    found = adjusted_contrasts(replace(landmarks, rows=rows), rows, group_of(rows)).log_odds
    table = pd.crosstab(group_of(rows), rows["event"]).to_numpy(dtype=float)
    odds, variance = np.log(table[:, 1] / table[:, 0]), (1 / table).sum(axis=1)
    np.testing.assert_allclose(found.estimate[1:4], odds[0] - odds[1:], rtol=0.02)
    np.testing.assert_allclose(found.std_error[1:4], np.sqrt(variance[0] + variance[1:]), rtol=0.02)


def test_the_first_sentence_has_the_verdict_by_both_lines_where_the_line_moved(demo):
    moved = nonresponse_signal(open_study(ROOT / "data" / "demo"), moved_line=3)
    assert (moved.verdict, moved.moved_verdict) == ("worst", "worst")
    for verdict, says in (("worst", "they leave most of all, too"), ("cannot-tell", "this cannot be told")):
        first = replace(moved, moved_verdict=verdict).in_words.split(". ")[0]
        assert first.startswith("With detractors 0-6, the silent leave most of all, also other things equal")
        assert first.endswith(f"; with 0-3, {says}")
        assert len(first.split()) <= 30
    assert "0-3" not in demo.in_words
    assert nonresponse_signal(open_study(ROOT / "data" / "demo"), moved_line=6).moved_line is None


def test_each_test_is_one_sided_at_alpha():
    rates = {"nonrespondent": 0.2, "promoter": 0.05, "passive": 0.05, "detractor": 0.184, "answered": 0.08}
    judged = silence_verdict(risks_of(rates), PLACE, margin=1.5, alpha=0.05)
    assert 0.025 < judged.p_above["detractor"] < 0.05
    assert judged.verdict == "worst"


def test_not_significant_is_not_alike():
    rates = {"nonrespondent": 0.10, "promoter": 0.10, "passive": 0.10, "detractor": 0.10, "answered": 0.10}
    assert silence_verdict(risks_of(rates, n=40), PLACE, margin=1.5, alpha=0.05).verdict == "cannot-tell"


def test_the_demos_silent_are_worst_as_planted(demo):
    assert demo.verdict == "worst"
    frame = demo.frame.set_index("state")
    answers = frame.loc[["promoter", "passive", "detractor"]]
    assert (answers["risk_difference_conf_low"] > 0.1).all()
    assert (answers["adjusted_hazard_ratio_conf_low"] > 1.5).all()
    assert (answers["adjusted_risk_difference_conf_low"] > 0.05).all()
    assert frame.loc["answered", "n"] == answers["n"].sum()
    assert frame.loc["answered", "events"] == answers["events"].sum()
    assert "leave most of all" in demo.in_words
    assert f"Smallest is the gap to {frame.loc[answers['risk_difference'].idxmin(), 'term'].lower()} (" in demo.in_words
    assert demo.adjusted_for[:2] == ("tenure", "revenue")


def test_differences_are_differences_and_lie_within_their_limits(demo):
    frame = demo.frame.set_index("state")
    others = frame.drop("nonrespondent")
    gap = frame.loc["nonrespondent", "churn_rate"] - others["churn_rate"]
    np.testing.assert_allclose(others["risk_difference"], gap)
    for name in ("risk_difference", "hazard_ratio", "adjusted_risk_difference", "adjusted_hazard_ratio"):
        known = others[others[name].notna()]
        assert len(known) >= 3
        assert known[name].between(known[f"{name}_conf_low"], known[f"{name}_conf_high"]).all()
    assert frame["churn_rate"].between(frame["conf_low"], frame["conf_high"]).all()


def test_rates_without_censoring_are_plain_shares(demo):
    rows = landmarks_of(open_study(ROOT / "data" / "demo")).classed(promoter_min=9, detractor_max=6)
    rows = rows[rows["is_complete"]]
    plain = rows.groupby("state")["event"].agg(["size", "sum", "mean"])
    frame = demo.frame.set_index("state").drop("answered")
    np.testing.assert_allclose(frame["churn_rate"], plain["mean"].loc[frame.index])
    assert frame["n"].tolist() == plain["size"].loc[frame.index].tolist()


def test_another_cut_moves_the_detractors_only(demo):
    other = nonresponse_signal(open_study(ROOT / "data" / "demo"), detractor_max=3)
    one, two = demo.frame.set_index("state"), other.frame.set_index("state")
    assert two.loc["detractor", "n"] < one.loc["detractor", "n"]
    kept = ["nonrespondent", "promoter", "answered"]
    np.testing.assert_allclose(one.loc[kept, "churn_rate"], two.loc[kept, "churn_rate"])
    assert "0 to 3" in other.note
    assert (demo.title, other.title) == (
        "Churn within 180 days, by answer",
        "Churn within 180 days, by answer, detractors 0-3",
    )


def test_copies_of_a_unit_do_not_make_surer():
    """The same units three times over under their own names narrow the limits; under one name they do not."""
    rows = draw(SCENARIOS["silent worst"], 200, np.random.default_rng(2)).classed(promoter_min=9, detractor_max=6)
    thrice = pd.concat([rows] * 3, ignore_index=True)
    apart = thrice.assign(unit=np.arange(3).repeat(len(rows)) * 1000 + thrice["unit"])
    width = []
    for table in (rows, thrice, apart):
        low, high = risks_by_state(table, group_of(table), 180).limits(0.95)
        width.append(high[0] - low[0])
    assert width[1] == pytest.approx(width[0], rel=0.02)
    assert width[2] < 0.65 * width[0]


def test_copies_of_a_unit_do_not_make_contrasts_or_the_log_rank_test_surer():
    once = draw(SCENARIOS["tenure behind it"], 400, np.random.default_rng(3))
    thrice = replace(once, rows=pd.concat([once.rows] * 3, ignore_index=True))
    one, three = signal_of(once), signal_of(thrice)
    assert three.curves.z == pytest.approx(one.curves.z, rel=1e-6)
    for name in ("hazard_ratio", "adjusted_hazard_ratio", "adjusted_risk_difference"):
        for end in ("_conf_low", "_conf_high"):
            np.testing.assert_allclose(three.frame[name + end], one.frame[name + end], rtol=0.02, atol=0.002)


def test_ratios_and_the_log_rank_test_compare_within_landmarks():
    """At each landmark silent and promoters leave alike; the silent are many at that with much leaving."""
    rng = np.random.default_rng(4)
    calm, troubled = np.repeat([0, 1], 4000), rng.random(8000)
    silent = rng.random(8000) < np.where(calm == 0, 0.8, 0.2)
    event = troubled < np.where(calm == 0, 0.3, 0.05)
    base = draw(SCENARIOS["all alike"], 10, rng).rows.iloc[[0]]
    rows = pd.concat([base] * 8000, ignore_index=True).assign(
        unit=np.arange(8000),
        period=calm,
        state=np.where(silent, "nonrespondent", "promoter"),
        score=np.where(silent, np.nan, 9.0),
        event=event,
        days=np.where(event, rng.integers(1, 181, 8000), 180).astype(float),
    )
    signal = signal_of(replace(draw(SCENARIOS["all alike"], 10, rng), rows=rows))
    ratio = signal.frame.set_index("state").loc["promoter"]
    assert ratio["hazard_ratio_conf_low"] < 1 < ratio["hazard_ratio_conf_high"]
    assert ratio["risk_difference_conf_low"] > 0.05
    assert abs(signal.curves.z) < 3.3


def test_the_halves_of_the_horizon_hold_the_leavers_of_each():
    landmarks = draw(SCENARIOS["silent worst"], 400, np.random.default_rng(3))
    late = landmarks.rows["event"] & (landmarks.rows["days"] <= 90)
    signal = signal_of(replace(landmarks, rows=landmarks.rows.assign(event=landmarks.rows["event"] & ~late)))
    assert np.isnan(signal.early)
    assert signal.late > 1


def test_histories_and_curves_have_their_signs_and_limits_the_right_way_round(demo):
    frame = demo.histories.frame.set_index("term")
    others = frame.drop("Answered")
    np.testing.assert_allclose(others["risk_difference"], others["churn_rate"] - frame.loc["Answered", "churn_rate"])
    assert (
        others["risk_difference"].between(others["risk_difference_conf_low"], others["risk_difference_conf_high"]).all()
    )
    curves = demo.curves.frame
    assert curves["estimate"].between(curves["conf_low"], curves["conf_high"]).all()


def test_curves_start_at_all_and_end_at_the_rate(demo):
    curves = demo.curves.frame
    assert (curves.loc[curves["day"] == 0, "estimate"] == 1).all()
    last = curves[curves["day"] == 180].set_index("group")["estimate"]
    rate = demo.frame.set_index("term")["churn_rate"]
    low, high = (1 - demo.frame.set_index("term")[name] for name in ("conf_high", "conf_low"))
    limits = curves[curves["day"] == 180].set_index("group")[["conf_low", "conf_high"]]
    for group in last.index:
        assert last[group] == pytest.approx(1 - rate[group])
        assert limits.loc[group].tolist() == pytest.approx([low[group], high[group]])
    for _, rows in curves.groupby("group"):
        assert rows["estimate"].is_monotonic_decreasing


def test_at_risk_are_those_who_neither_left_nor_were_lost_before_the_day():
    landmarks = draw(SCENARIOS["silent worst"], 300, np.random.default_rng(6))
    rows = landmarks.classed(promoter_min=9, detractor_max=6)
    curves = signal_of(landmarks).curves.frame
    for state, words in (("nonrespondent", "The silent"), ("passive", "Passives")):
        days = rows.loc[rows["state"] == state, "days"]
        at_risk = curves[curves["group"] == words].set_index("day")["n_at_risk"]
        assert at_risk.to_dict() == {day: int((days >= day).sum()) for day in (0, 30, 60, 90, 120, 150, 180)}
    week = signal_of(replace(landmarks, horizon_days=2)).curves.frame
    assert week[week["group"] == "Passives"]["day"].tolist() == [0, 1, 2]


def test_verdicts_are_tested_at_one_minus_the_level():
    """Of these units the silent leave more often than each, the largest of three p lying between 0.025 and 0.05."""
    signal = signal_of(draw(SCENARIOS["silent worst"], 100, np.random.default_rng(1)))
    largest = signal.frame.set_index("state").loc[["promoter", "passive", "detractor"], "p_value"].max()
    assert 0.025 < largest < 0.05
    assert signal.verdict == "worst"


def test_a_small_region_in_which_nobody_left_takes_no_adjusted_contrast_away():
    landmarks = draw(SCENARIOS["silent worst"], 800, np.random.default_rng(1))
    rows = landmarks.rows.assign(region=np.where(landmarks.rows["unit"] % 2, "north", "south"))
    stays = rows.groupby("unit")["event"].max()
    of_tiny = rows["unit"].isin(stays.index[~stays][:4])  # with the first row, too
    tiny = replace(landmarks, rows=rows.assign(region=rows["region"].mask(of_tiny, "tiny")), segments=("region",))
    without = replace(landmarks, rows=rows[~of_tiny].reset_index(drop=True), segments=("region",))
    found, expected = (
        adjusted_contrasts(each, of := each.classed(promoter_min=9, detractor_max=6), group_of(of)).ratios
        for each in (tiny, without)
    )
    answers = [PLACE["promoter"], PLACE["passive"], PLACE["detractor"]]
    assert np.isfinite(found.estimate[answers]).all()
    np.testing.assert_allclose(found.estimate, expected.estimate, rtol=1e-6)
    np.testing.assert_allclose(found.std_error, expected.std_error, rtol=1e-6)


def test_longer_silence_goes_with_more_leaving(demo):
    frame = demo.histories.frame.set_index("term")
    rate = frame["churn_rate"]
    in_a_row = ["Silent once, after answering", "Silent twice in a row", "Silent three times or more in a row"]
    assert (rate[in_a_row[1:]] > 1.3 * rate[in_a_row[0]]).all()  # who is silent for long has disengaged
    assert rate["Never answered, though asked before"] > rate["Went quiet: answered once, silent now"]
    silent = demo.frame.set_index("state").loc["nonrespondent", "n"]
    assert frame.loc[[*in_a_row, "Silent, asked for the first time"], "n"].sum() == silent


def test_results_display_and_hold_nobodys_id(demo):
    private = open_study(ROOT / "data" / "demo").private_values()
    for result in (demo, demo.curves, demo.histories, demo.adjusted):
        bundle = result._repr_mimebundle_()
        text = json.dumps(result.to_json()) + bundle["text/html"]
        assert "data:image/svg+xml" in text
        assert not any(f'"{value}"' in text for value in private)
        assert result.plot().get_title(loc="left")
    assert "curves" not in demo.settings


def test_small_groups_are_not_shown_nor_what_would_give_them_away(demo):
    frame = demo.frame.assign(n=np.where(demo.frame["state"] == "detractor", 4, demo.frame["n"]))
    shown = replace(demo, frame=frame, minimum_cell=10).shown["state"].tolist()
    assert "detractor" not in shown
    assert "answered" not in shown  # detractors are the rest of it


def test_what_the_histories_and_the_states_show_together_gives_no_small_group_away(demo):
    # bounced ones would hide the detractors from the total of this table, but not from that of the histories
    sizes = {"nonrespondent": 100, "promoter": 60, "passive": 40, "detractor": 4, "answered": 104, "not_reached": 8}
    small = replace(demo, frame=demo.frame.assign(n=demo.frame["state"].map(sizes)), minimum_cell=10)
    assert not {"detractor", "passive", "answered"} & set(small.shown["state"])
    history = demo.histories.frame
    last = "Silent three times or more in a row"
    n = history["n"].mask(history["term"] == last, 4)
    shown = set(replace(demo.histories, frame=history.assign(n=n), minimum_cell=10).shown["term"])
    of_silent = {"Silent, asked for the first time", "Silent once, after answering", "Silent twice in a row", last}
    assert len(of_silent - shown) >= 2


def test_curves_show_nothing_that_the_total_of_the_histories_would_turn_into_a_small_group():
    answers = answers_of(6, [None]) | {f"d{n}": [3] for n in range(4)}
    answers |= {f"p{n}": [9] for n in range(60)} | {f"q{n}": [8] for n in range(40)}
    left = dict.fromkeys(["c000", "c001", "d0", "d1", "q3", *(f"p{n}" for n in range(20))], "2024-05-01")
    study = panel(answers, left=left, reason=dict.fromkeys(left, "price"), minimum_cell=10)
    signal = nonresponse_signal(study)
    assert set(signal.curves.shown["group"]) == {"Promoters"}  # with passives, detractors were the rest of "Answered"
    assert "Answered" in set(signal.histories.shown["term"])
    reasons = leaving_reasons(study)
    assert reasons.shown.empty  # or it would tell of six silent how many left
    assert "Too few were silent" in reasons.finding
    assert reasons.to_json()["alt"] == "There are too few to draw."


@pytest.mark.parametrize("verdict", get_args(SilenceWord))
@pytest.mark.parametrize("hidden", [(), ("detractor",), ("promoter", "passive", "detractor"), ("nonrespondent",)])
def test_findings_are_whole_sentences_for_every_verdict_whatever_is_hidden(demo, verdict, hidden):
    n = demo.frame["n"].mask(demo.frame["state"].isin(hidden), 4)
    p_value = demo.frame["p_value"].mask(demo.frame["state"] == "detractor", 0.5)
    frame = demo.frame.assign(n=n, p_value=p_value)
    for is_rare, moved in product((False, True), (None, *get_args(SilenceWord))):
        about = {"is_rare": is_rare, "moved_line": None if moved is None else 3, "moved_verdict": moved}
        about |= {"unconfirmed": ("detractor",), "decides_at": None if moved is None else 104}
        said = replace(demo, frame=frame, verdict=verdict, minimum_cell=10, **about).finding
        assert said.endswith(".")
        assert len(said.split(". ")[0].split()) <= MOST_WORDS
        assert not any(broken in said for broken in ("nan", "against .", "beside  ", "beside it", "than ;", "the the"))


def test_rates_within_the_margin_that_chance_does_not_explain_are_said_to_differ(demo):
    within = replace(demo, verdict="within-margin")
    said = "The silent leave {} often than those who answer (by less than 1.5 times); other"
    assert within.finding.startswith(said.format("more"))
    less = replace(within, frame=demo.frame.assign(risk_difference=-0.01))
    assert less.finding.startswith(said.format("less"))


@pytest.mark.parametrize(
    ("change", "says"), [(0.0, "more often"), (-0.21, "no difference is shown"), (-0.5, "less often")]
)
def test_the_first_sentence_says_what_becomes_of_it_with_other_things_alike(demo, change, says):
    moved = [name for name in demo.frame if name.startswith("adjusted_risk_difference")]
    frame = demo.frame.assign(**{name: demo.frame[name] + change for name in moved})
    first = replace(demo, frame=frame, verdict="like-respondents").in_words.split(". ")[0]
    row = frame.set_index("state").loc["answered"]
    gap = format_value(row["adjusted_risk_difference"], "share_points")
    assert f"other things equal, {says}" in first
    of_all = f"Region and Industry held constant, {gap} beside those who answered ("
    assert of_all in replace(demo, frame=frame, verdict="like-respondents").details
    few = replace(demo, verdict="worst-unadjusted", adjusted_for=(), unconfirmed=("detractor",))
    assert few.in_words.startswith("The silent leave most, but too few left to hold anything else equal.")


def test_nobody_watched_to_the_horizon_no_rate_for_it():
    rng = np.random.default_rng(1)
    names = {f"c{n}": [[9, 7, 3, None][rng.integers(4)]] for n in range(120)}
    study = panel(
        names,
        left=dict.fromkeys(list(names)[:30], "2024-02-10"),
        reason=dict.fromkeys(names, "price"),
        observed_until=dict.fromkeys(names, "2024-03-01"),
    )
    for estimate in (nonresponse_signal, leaving_reasons):
        with pytest.raises(CannotAnswerError, match="Nobody was watched for 180 days"):
            estimate(study)
    assert nonresponse_signal(study, horizon_days=30).n_units == 120


def test_an_account_whose_contacts_all_answered_is_not_one_where_some_did():
    account = {"a": "X", "b": "X", "c": "Y", "d": "Y", "e": "Z", "f": "Z"}
    answers = {"a": [9], "b": [8], "c": [3], "d": [None], "e": [None], "f": [None]}
    study = panel(answers, account=account, left={"Z": "2024-05-01"})
    rows = landmarks_of(study).classed(promoter_min=9, detractor_max=6)
    about = {"horizon_days": 180, "unit": "account", "confidence_level": 0.95}
    n = histories_of(rows, **about).frame.set_index("term")["n"]
    assert n["All contacts answered"] == n["Some contacts answered, some were silent"] == 1


def test_units_that_are_in_both_groups_make_the_adjusted_difference_surer():
    """Every unit is silent once and a detractor once, and leaves after both or after neither."""
    rng = np.random.default_rng(3)
    landmarks = draw(SCENARIOS["tenure behind it"], 300, rng)
    first = landmarks.rows.drop_duplicates("unit").reset_index(drop=True)
    event = rng.random(len(first)) < 0.3
    pair = [first.assign(event=event, state=state, days=90.0) for state in ("nonrespondent", "detractor")]
    rows = pd.concat(pair, ignore_index=True)
    together = adjusted_contrasts(landmarks, rows, group_of(rows)).differences.std_error[PLACE["detractor"]]
    apart = rows.assign(unit=np.arange(len(rows)))
    alone = adjusted_contrasts(landmarks, apart, group_of(rows)).differences.std_error[PLACE["detractor"]]
    assert together < 0.1 * alone


def test_another_line_is_not_shown_where_few_answers_lie_between_it_and_the_studys_own():
    rng = np.random.default_rng(1)
    names = {f"c{n}": [[9, 7, 3, None][rng.integers(4)] for _ in range(2)] for n in range(120)} | {"few": [5, 5]}
    left = dict.fromkeys(list(names)[:40], "2024-06-01")
    study = panel(names, left=left, minimum_cell=5)
    with pytest.raises(CannotAnswerError, match="Fewer than 5 answers lie between 3 and 6"):
        nonresponse_signal(study, detractor_max=3)
    assert nonresponse_signal(study, detractor_max=7).detractor_max == 7


def test_what_is_left_out_is_counted_in_the_note(demo):
    assert "Left out: " in demo.note
    assert "landmarks of accounts that had left by then" in demo.note


# Why they left


def reasons_study(observed_until=None):
    rng = np.random.default_rng(9)
    names = {f"c{n:03d}": [[9, 3, None][rng.integers(3)] for _ in range(2)] for n in range(200)}
    leavers = list(names)[:120]
    left = {name: f"2024-{rng.integers(2, 9):02d}-{rng.integers(1, 28):02d}" for name in leavers}
    reason = {name: ["price", "closed down"][rng.integers(2)] for name in leavers[10:]}
    return panel(names, left=left, reason=reason, observed_until=observed_until)


def test_without_censoring_incidence_is_the_plain_share_and_reasons_add_up_to_all_leavers():
    study = reasons_study()
    found = leaving_reasons(study).frame.set_index("term")
    rows = landmarks_of(study).rows
    for name, quiet in (("silent", True), ("answered", False)):
        of = rows[(rows["state"] == "nonrespondent") == quiet]
        for reason in ("price", "closed down"):
            assert found.loc[reason, name] == pytest.approx((of["reason"] == reason).mean())
        assert found[name].sum() == pytest.approx(of["event"].mean())
    np.testing.assert_allclose(found["estimate"], found["silent"] - found["answered"])
    assert found.loc["not stated", "n"] > 0
    assert found["n"].sum() == rows["event"].sum()


def test_reasons_that_differ_by_no_more_than_chance_are_said_to():
    verdict = "Chance alone could make that difference."
    found = leaving_reasons(reasons_study())
    (most,) = [row for row in found.records if abs(row["estimate"]) == found.frame["estimate"].abs().max()]
    assert (verdict in found.finding) == (most["conf_low"] <= 0 <= most["conf_high"])
    apart = found.frame.assign(conf_low=found.frame["estimate"] - 0.001, conf_high=found.frame["estimate"] + 0.001)
    assert verdict not in replace(found, frame=apart).finding


def test_one_reason_for_all_gives_the_rates_and_limits_of_leaving_at_all():
    rng = np.random.default_rng(9)
    names = {f"c{n:03d}": [[9, 3, None][rng.integers(3)] for _ in range(4)] for n in range(200)}
    left = {name: f"2024-{rng.integers(2, 12):02d}-15" for name in list(names)[:120]}
    study = panel(names, left=left, reason=dict.fromkeys(left, "price"))
    (row,), states = leaving_reasons(study).records, nonresponse_signal(study).frame.set_index("state")
    for group, state in (("silent", "nonrespondent"), ("answered", "answered")):
        found = [row[f"{group}{end}"] for end in ("", "_conf_low", "_conf_high")]
        assert found == pytest.approx(states.loc[state, ["churn_rate", "conf_low", "conf_high"]].tolist())
    gap = states.loc["answered", [f"risk_difference{end}" for end in ("", "_conf_low", "_conf_high")]]
    assert [row["estimate"], row["conf_low"], row["conf_high"]] == pytest.approx(gap.tolist())


def test_with_censoring_incidence_agrees_with_aalen_and_johansen():
    from statsmodels.duration.survfunc import CumIncidenceRight

    rng = np.random.default_rng(2)
    n, horizon = 30_000, 180
    leaving = np.ceil(rng.exponential(300, n))
    reason = rng.integers(1, 3, n)
    watched = np.minimum(np.ceil(rng.uniform(20, 400, n)), horizon)
    days, event = np.minimum(leaving, watched), leaving <= watched
    theirs = CumIncidenceRight(days, np.where(event, reason, 0)).cinc[0][-1]
    for_it = event & (reason == 1)
    ours = survival_risks(
        np.where(for_it, days, watched), for_it, np.zeros(n, int), np.arange(n), n_groups=1, at=[horizon]
    )[0]
    assert ours.risk[0] == pytest.approx(theirs, abs=3.3 * 2 * np.sqrt(ours.covariance[0, 0]))


def test_reasons_display_and_need_to_be_known():
    found = leaving_reasons(reasons_study())
    assert "data:image/svg+xml" in found._repr_mimebundle_()["text/html"]
    assert "reason" in found.finding
    with pytest.raises(CannotAnswerError, match="churn_reason"):
        leaving_reasons(panel({"a": [9], "b": [None]}, left={"a": "2024-05-01"}))


# What cannot be told, and is said to be so


def answers_of(n: int, given) -> dict:
    return {f"c{number:03d}": given for number in range(n)}


def test_nobody_left():
    study = panel(answers_of(20, [9, None]) | {"d": [3, None]})
    with pytest.raises(CannotAnswerError, match="Nobody is known to have left within 180 days"):
        nonresponse_signal(study)


def test_everybody_left():
    names = answers_of(20, [9, None])
    with pytest.raises(CannotAnswerError, match="Everybody is known to have left"):
        nonresponse_signal(panel(names, left=dict.fromkeys(names, "2024-05-20")))


def test_no_detractors_no_verdict():
    rng = np.random.default_rng(1)
    names = {f"c{n}": [[9, None][rng.integers(2)], [8, None][rng.integers(2)]] for n in range(80)}
    left = dict.fromkeys(list(names)[:30], "2024-06-01")
    signal = nonresponse_signal(panel(names, left=left))
    assert signal.verdict == "cannot-tell"
    assert "There are no detractors" in signal.finding


def test_without_delivery_every_finding_says_that_silence_may_be_a_wrong_address():
    rng = np.random.default_rng(1)
    names = {f"c{n}": [[9, 7, 3, None][rng.integers(4)] for _ in range(2)] for n in range(120)}
    left = dict.fromkeys(list(names)[:40], "2024-06-01")
    signal = nonresponse_signal(panel(names, left=left, delivered=False))
    for result in (signal, signal.curves, signal.histories, signal.adjusted):
        assert "cannot be told apart" in result.in_words
    signal = nonresponse_signal(panel(names, left=left))
    assert "cannot be told apart" not in signal.in_words


def test_one_wave_only_has_a_signal_but_no_history_of_silence():
    rng = np.random.default_rng(1)
    names = {f"c{n}": [[9, 7, 3, None][rng.integers(4)]] for n in range(150)}
    left = dict.fromkeys(list(names)[:40], "2024-05-01")
    signal = nonresponse_signal(panel(names, left=left))
    assert signal.n_landmarks == 1
    assert set(signal.histories.frame["term"]) == {"Answered", "Silent, asked for the first time"}


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"margin": 0.05}, "margin = 0.05: a ratio of rates above 1 is needed"),
        ({"detractor_max": 9}, "detractor_max = 9: .* below promoters"),
        ({"moved_line": 9}, "moved_line = 9: .* below promoters"),
    ],
)
def test_settings_out_of_range(options, says):
    landmarks = draw(SCENARIOS["all alike"], 100, np.random.default_rng(1))
    with pytest.raises(NPSResearchError, match=says):
        signal_of(landmarks, **options)
