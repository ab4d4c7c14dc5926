"""What calls changed: planted gains found, idle calls not, and every refusal."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nps_research.callbacks.cases import cases_of
from nps_research.callbacks.effect import callback_effect
from nps_research.callbacks.queues import queue_effect
from nps_research.callbacks.steps import callback_steps
from nps_research.counting.before_and_after import answers_before_last, known_before, next_answers
from nps_research.counting.trials import CANNOT, DIFFERS_BETTER, GROUP_CHOSEN, NO_LARGER, NOT_DECIDED, SHOWN_BETTER
from nps_research.errors import CannotAnswerError, ContractError, EstimationError
from nps_research.results.words import share
from nps_research.study.study import open_study
from tests.support.made_up_calls import FIRST, SECOND, called_study, called_tables


def only_row(result):
    (row,) = result.frame.to_dict("records")
    return row


def test_a_lottery_shows_what_calls_did_and_an_idle_one_nothing():
    helped = callback_effect(called_study(called_tables(gain=1.0)))
    row = only_row(helped)
    assert row["verdict"] == SHOWN_BETTER
    assert row["conf_low"] < 1.0 < row["conf_high"]
    assert helped.finding.startswith("Calling back helped: their next answer is")
    idle = only_row(callback_effect(called_study(called_tables(gain=0.0))))
    assert idle["verdict"] == NO_LARGER
    assert idle["naive"] == pytest.approx(idle["estimate"] + idle["selection"])


def test_who_chose_the_content_makes_calls_look_good_and_other_things_equal_it_is_gone():
    study = called_study(called_tables(3000, how="judgement"))
    row = only_row(callback_effect(study))
    assert row["naive_conf_low"] > 0.5
    assert row["conf_low"] < 0 < row["conf_high"]
    assert row["selection_conf_low"] > 0
    assert "only a lottery" not in callback_effect(study).finding
    helped = callback_effect(called_study(called_tables(3000, how="judgement", gain=1.0)))
    assert only_row(helped)["verdict"] == DIFFERS_BETTER
    assert helped.finding.endswith("only a lottery would prove it.")
    assert "times as strong as last earlier answer" in helped.details


def test_a_group_that_differed_before_is_no_effect():
    tables = called_tables(2000, how="judgement")
    called = tables["callbacks"]["assigned"].to_numpy() == 1
    early = tables["responses"].query("wave == '2024 Q4'").assign(wave="2024 Q3")
    early["invited_at"] -= pd.Timedelta(days=90)
    early["responded_at"] -= pd.Timedelta(days=90)
    early["likelihood_to_recommend"] = np.where(called, 9, 2)  # known to who chose, and to nobody else
    later = tables["responses"]["wave"] == "2025 Q2"
    more = np.where(called, 2, 0)
    raised = tables["responses"].loc[later, "likelihood_to_recommend"].astype(float) + more
    tables["responses"].loc[later, "likelihood_to_recommend"] = raised.clip(0, 10).astype("Int64")
    tables["responses"] = pd.concat([early, tables["responses"]], ignore_index=True)
    result = callback_effect(called_study(tables))
    assert only_row(result)["verdict"] == GROUP_CHOSEN
    assert "shows no effect" in result.finding


def test_where_the_called_answer_more_often_bounds_decide():
    plain = only_row(callback_effect(called_study(called_tables(gain=0.7))))
    assert plain["verdict"] == SHOWN_BETTER
    more = only_row(callback_effect(called_study(called_tables(gain=0.7, answers=0.4, more=0.5))))
    assert more["conf_low"] > 0
    assert more["bounds_conf_low"] < 0 < more["bounds_conf_high"]
    assert more["verdict"] == NOT_DECIDED


def test_everybody_called_says_how_many_to_hold_back_and_nobody_called_says_so():
    tables = called_tables(400)
    tables["callbacks"]["assigned"] = 1
    with pytest.raises(CannotAnswerError, match=r"Everybody .* hold back half of the cases .* about [\d,]+ of them"):
        callback_effect(called_study(tables))
    tables["callbacks"] = tables["callbacks"].assign(
        assigned=0, assigned_at=pd.NaT, attempted_at=pd.NaT, reached_at=pd.NaT
    )
    with pytest.raises(CannotAnswerError, match="Nobody who was due a call was called"):
        callback_effect(called_study(tables))


def test_the_cases_said_to_be_needed_are_about_enough():
    tables = called_tables(3000)
    tables["callbacks"]["assigned"] = 1
    with pytest.raises(CannotAnswerError) as refused:
        callback_effect(called_study(tables))
    needed = int(str(refused.value).split("about ")[1].split(" ")[0].replace(",", ""))
    found = [
        only_row(callback_effect(called_study(called_tables(needed, gain=0.5, seed=seed))))["conf_low"] > 0
        for seed in range(60)
    ]
    assert np.mean(found) >= 0.8 - 3.3 * np.sqrt(0.8 * 0.2 / 60)


def test_of_a_table_that_lists_only_the_called_the_others_due_are_the_uncalled():
    tables = called_tables(gain=1.0)
    whole = only_row(callback_effect(called_study(tables)))
    listed = tables["callbacks"].query("assigned == 1").drop(columns=["assigned", "assignment"])
    found = only_row(callback_effect(called_study({**tables, "callbacks": listed})))
    assert (found["n"], found["n_other"]) == (whole["n"], whole["n_other"])
    assert found["verdict"] == DIFFERS_BETTER  # nobody says that lots were drawn
    assert found["estimate"] == pytest.approx(whole["estimate"])


def test_who_is_assigned_after_the_days_of_grace_counts_as_not_called():
    tables = called_tables(600)
    late = tables["callbacks"]["respondent_id"] < "K00300"
    moments = ["assigned_at", "attempted_at", "reached_at"]
    tables["callbacks"].loc[late, moments] += pd.Timedelta(days=30)
    row = only_row(callback_effect(called_study(tables)))
    assert row["n"] == (tables["callbacks"]["assigned"].eq(1) & ~late).sum()
    longer = only_row(callback_effect(called_study(tables), grace_days=40))
    assert longer["n"] == tables["callbacks"]["assigned"].sum()


def with_leavers(tables, days, share_called, share_other):
    rng = np.random.default_rng(5)
    called = tables["callbacks"]["assigned"].to_numpy() == 1
    leaves = rng.random(len(called)) < np.where(called, share_called, share_other)
    moment = pd.Series(FIRST + pd.Timedelta(days=days), index=range(len(called))).where(leaves)
    tables["customers"] = tables["customers"].assign(churned_at=moment, observed_until=pd.Timestamp("2026-06-30"))
    tables["customers"] = tables["customers"].drop(columns="account_id")
    return tables


def test_who_stays_because_of_calls_is_found_and_who_left_at_once_is_not_at_risk():
    tables = with_leavers(called_tables(2000), 60, 0.1, 0.3)
    found = callback_effect(called_study(tables, cluster="respondent_id"), outcome="leaving")
    row = only_row(found)
    assert row["verdict"] == SHOWN_BETTER
    assert row["conf_low"] < -0.2 < row["conf_high"]
    assert "fewer of them left" in found.finding
    at_once = with_leavers(called_tables(2000), 5, 0.0, 0.5)
    gone = at_once["customers"]["churned_at"].notna().sum()
    row = only_row(callback_effect(called_study(at_once, cluster="respondent_id"), outcome="leaving"))
    assert row["n"] + row["n_other"] == 2000 - gone
    assert row["verdict"] == CANNOT
    assert "the outcome is yes of 0 people" in row["reason"]


def test_an_unknown_outcome_and_a_margin_of_nothing_are_refused():
    study = called_study(called_tables(300))
    with pytest.raises(ContractError, match="score or leaving"):
        callback_effect(study, outcome="money")
    with pytest.raises(EstimationError, match="above 0"):
        callback_effect(study).at(0.0)


def test_another_margin_is_as_if_it_had_been_asked_for():
    study = called_study(called_tables(400))
    for margin in (0.1, 0.3, 1.5):
        moved, asked = callback_effect(study).at(margin), callback_effect(study, margin=margin)
        pd.testing.assert_frame_equal(moved.frame, asked.frame)
        assert moved.finding == asked.finding


def test_few_people_are_not_shown():
    tables = called_tables(60)
    study = called_study(tables, minimum_cell=50)
    result = callback_effect(study)
    assert result.best is None
    assert not any(character.isdigit() for character in result.finding)
    assert len(result.shown) == 0


def test_few_uncalled_beside_many_called_are_not_counted_out():
    tables = called_tables(300)
    tables["callbacks"]["assigned"] = (np.arange(300) >= 7).astype(int)
    result = callback_effect(called_study(tables))
    assert only_row(result)["n_other"] == 7
    assert len(result.shown) == 0
    assert "7" not in f"{result.finding}{result.details}"


def test_queues_that_differed_before_show_no_effect():
    tables = called_tables(2000)
    called = tables["callbacks"]["assigned"].to_numpy() == 1
    fast = np.arange(2000) % 2 == 0
    tables["callbacks"]["queue"] = np.where(called, np.where(fast, "today", "next week"), None)
    tables["callbacks"].loc[called & ~fast, ["attempted_at", "reached_at"]] += pd.Timedelta(days=7)
    early = tables["responses"].query("wave == '2024 Q4'").assign(wave="2024 Q3")
    early["invited_at"] -= pd.Timedelta(days=90)
    early["responded_at"] -= pd.Timedelta(days=90)
    early["likelihood_to_recommend"] = np.where(fast, 9, 2)
    later = tables["responses"]["wave"] == "2025 Q2"
    raised = tables["responses"].loc[later, "likelihood_to_recommend"].astype(float) + 2 * fast
    tables["responses"].loc[later, "likelihood_to_recommend"] = raised.clip(0, 10).astype("Int64")
    tables["responses"] = pd.concat([early, tables["responses"]], ignore_index=True)
    result = queue_effect(called_study(tables))
    assert only_row(result)["verdict"] == GROUP_CHOSEN
    assert "shows no effect of calling sooner" in result.finding


def test_nothing_from_after_the_answer_explains():
    tables = called_tables(500)
    study = called_study(tables)
    cases = cases_of(study)
    known = known_before(study, cases)
    changed = {**tables, "responses": tables["responses"].copy()}
    later = changed["responses"]["wave"] == "2025 Q2"
    changed["responses"].loc[later, "likelihood_to_recommend"] = 0
    again = known_before(called_study(changed), cases_of(called_study(changed)))
    pd.testing.assert_frame_equal(known.numbers, again.numbers)
    pd.testing.assert_frame_equal(known.categories, again.categories)
    earlier = tables["responses"].query("wave == '2024 Q4'")["likelihood_to_recommend"].to_numpy(dtype=float)
    assert known.numbers["last earlier answer"].tolist() == earlier.tolist()


def test_the_next_answer_counts_only_from_an_invitation_after_the_moment():
    study = called_study(called_tables(50, answers=1.0))
    cases = cases_of(study)
    before = pd.Series(SECOND - pd.Timedelta(days=1), index=cases.index)
    assert next_answers(study, cases, after=before)["score"].notna().all()
    assert next_answers(study, cases, after=before + pd.Timedelta(days=2))["score"].isna().all()
    last = study.responses[study.responses["wave"] == "2025 Q2"]
    first = study.responses[study.responses["wave"] == "2024 Q4"]
    assert answers_before_last(study, last).tolist() == first["likelihood_to_recommend"].astype(float).tolist()
    assert not next_answers(study, last, after=last["invited_at"])["has_next"].any()


def test_the_faster_queue_is_found_as_assigned():
    tables = called_tables(1500, gain=0.0)
    rng = np.random.default_rng(8)
    fast = rng.random(1500) < 0.5
    called = tables["callbacks"]["assigned"] == 1
    tables["callbacks"]["queue"] = np.where(called, np.where(fast, "today", "next week"), None)
    slow = called & ~fast
    tables["callbacks"].loc[slow, ["attempted_at", "reached_at"]] += pd.Timedelta(days=7)
    later = tables["responses"]["wave"] == "2025 Q2"
    raised = tables["responses"].loc[later, "likelihood_to_recommend"].astype(float) + 2 * (called & fast).to_numpy()
    tables["responses"].loc[later, "likelihood_to_recommend"] = raised.clip(0, 10).astype("Int64")
    result = queue_effect(called_study(tables))
    row = only_row(result)
    assert row["term"] == "today"
    assert row["verdict"] == DIFFERS_BETTER
    assert result.hours < 24 < result.hours_other
    one = {**tables, "callbacks": tables["callbacks"].assign(queue="one")}
    with pytest.raises(CannotAnswerError, match="one queue"):
        queue_effect(called_study(one))


def test_how_far_cases_get_and_who_left_is_told_with_its_base():
    study = open_study(Path(__file__).parents[2] / "data" / "demo")
    steps = callback_steps(study)
    row = steps.frame.set_index("group").loc["all"]
    due, reached = int(row["n"] - row["held_out"]), share(row["reached"] / row["assigned"])
    assert f"Of {due:,} answers due a call" in steps.finding
    assert f"{int(row['assigned']):,} were assigned to somebody; {reached} of these were reached." in steps.finding
    left = callback_effect(study, outcome="leaving")
    best = left.best
    assert left.finding.startswith(
        f"{share(best['mean'])} of those called and {share(best['mean_other'])} of the others"
    )
    assert left.finding.endswith("a smaller one is not.")
