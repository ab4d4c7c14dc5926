import dataclasses
import math
from collections import Counter
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from nps_research.errors import CannotAnswerError, ContractError
from nps_research.responding.funnel import response_funnel
from nps_research.responding.representativeness import representativeness
from nps_research.statistics.multiplicity import adjust_p_values
from nps_research.study.study import Study, open_study
from tests.support.made_once import made_once

LTR = "likelihood_to_recommend"
DEMO = Path(__file__).parents[2] / "data" / "demo"


@cache
def demo():
    return open_study(DEMO)


def of_frame(columns, **options):
    return Study.from_frames(responses=pd.DataFrame(columns), **options)


# The funnel


def test_the_funnel_is_the_states_counted():
    study = demo()
    frame = response_funnel(study).frame.set_index("group")
    assert frame.index.tolist() == [*study.waves, "all"]
    window = pd.Timedelta(days=study.settings.response_window_days)
    records = study.responses.to_dict("records")
    for group, row in frame.iterrows():
        rows = [r for r in records if group in ("all", r["wave"])]
        states = Counter(r["response_state"] for r in rows)
        late = sum(r["responded_at"] > r["invited_at"] + window for r in rows)
        returned = states["answered"] + states["item_missing"]
        assert row["invited"] == len(rows) == states.total()
        assert row["delivered"] == len(rows) - states["not_reached"]
        assert (row["n"], row["item_missing"], row["returned"]) == (
            states["answered"],
            states["item_missing"],
            returned,
        )
        assert (row["nonrespondents"], row["pending"], row["late"]) == (
            states["nonrespondent"],
            states["pending"],
            late,
        )
        assert row["reach"] == row["delivered"] / row["invited"]
        assert row["response_rate"] == returned / (returned + states["nonrespondent"])


def test_the_demo_answers_as_it_was_made():
    truth = pd.read_json(DEMO / "truth.json", typ="series")["realised"]
    row = response_funnel(demo()).frame.iloc[-1]
    # What is planted counts answers within the window, before some rows were spoiled.
    assert (row["returned"] - row["late"]) / row["delivered"] == pytest.approx(truth["response_rate"], abs=0.001)
    assert row["invited"] == len(demo().responses)
    assert row["delivered"] == pytest.approx(truth["reached"], abs=12)


def test_a_wave_of_which_nobody_answered_has_a_rate_of_zero_and_an_unreached_one_none():
    study = of_frame({"wave": ["1", "2"], "delivered": [1, 0], "responded": [0, 0], LTR: [None, None]})
    frame = response_funnel(study).frame
    assert frame["response_rate"].fillna(-1).tolist() == [0, -1, 0]
    assert frame["reach"].tolist() == [1, 0, 0.5]


def open_window():
    """100 invited long ago, of whom 20 answered, then 100 the day before the data were drawn, 10 answered at once."""
    return of_frame(
        {
            "wave": ["1"] * 100 + ["2"] * 100,
            "invited_at": ["2025-01-01"] * 100 + ["2025-06-01"] * 100,
            "responded_at": ["2025-01-05"] * 20 + [None] * 80 + ["2025-06-02"] * 10 + [None] * 90,
            LTR: [9] * 20 + [None] * 80 + [9] * 10 + [None] * 90,
        }
    )


def test_an_open_window_is_neither_silence_nor_lost():
    frame = response_funnel(open_window()).frame
    assert frame["pending"].tolist() == [0, 90, 90]
    assert frame["nonrespondents"].tolist() == [80, 0, 80]
    assert frame["invited"].tolist() == [100, 100, 200]


def test_the_response_rate_is_that_of_closed_windows():
    rates = response_funnel(open_window()).frame["response_rate"].tolist()
    assert rates[0] == rates[2] == 0.2
    assert math.isnan(rates[1])
    said = "30 came back: a response rate of 20% among those whose window of 14 days has closed (90 are open)."
    assert said in response_funnel(open_window()).finding


def test_reach_is_unknown_where_delivery_is():
    frame = response_funnel(of_frame({"responded": [1, 0], LTR: [9, None]})).frame
    assert frame[["reach", "delivered", "late"]].isna().all(axis=None)


def bars_of(funnel):
    return [tick.get_text() for tick in funnel.plot().get_yticklabels()]


def test_nothing_is_said_of_deliveries_and_windows_that_are_not_recorded():
    result = response_funnel(of_frame({"responded": [1, 0] * 20, LTR: [9, None] * 20}))
    said = f"{result.finding} {result.full_note} {result.alt} {result.at_a_glance} {result}".lower()
    assert not [word for word in ("deliver", "window", "reached", "late ") if word in said]
    assert result.at_a_glance["sure"] == "50% of the 40 invited returned the form."
    assert bars_of(result) == ["Invited", "Returned", "Answered the question"]
    dated = response_funnel(of_frame({"delivered": 1, "invited_at": "2024-02-01", LTR: [9, None] * 20}))
    assert "among delivered invitations whose window of 14 days has closed" in dated.note
    without_score = response_funnel(of_frame({"delivered": 1, "responded": [1, 0] * 20, LTR: [None] * 40}))
    assert without_score.at_a_glance["sure"] == "50% of the 40 reached returned the form."
    assert bars_of(without_score) == ["Invited", "Delivered", "Returned"]


def test_how_many_answered_is_said_of_the_last_wave():
    rows = {"wave": ["1"] * 40 + ["2"] * 40, "responded": [1, 0] * 20 + [1, 0, 0, 0] * 10}
    result = response_funnel(of_frame(rows | {LTR: [9 if answered else None for answered in rows["responded"]]}))
    assert result.at_a_glance["sure"] == "25% of the 40 invited returned the form in 2."


def test_rows_without_a_wave_have_a_row_of_their_own():
    frame = response_funnel(of_frame({"wave": ["1", None, "2"], "responded": 1, LTR: [9, 8, 7]})).frame
    assert frame["invited"].tolist()[:-1] == [1, 1, 1]


def test_a_funnel_needs_more_than_scores():
    with pytest.raises(CannotAnswerError, match="responded"):
        response_funnel(of_frame({LTR: [9, None]}))


def test_small_waves_are_not_shown_nor_left_to_be_worked_out():
    waves = ["1"] * 100 + ["2"] * 50 + ["3"] * 4
    funnel = response_funnel(of_frame({"wave": waves, "responded": 1, LTR: 9}))
    assert len(funnel.frame) == 4
    shown = funnel.shown.set_index("group")["n"]
    assert "3" not in shown
    assert shown.get("all", 0) - shown.drop("all", errors="ignore").sum() not in range(1, 10)


# Representativeness


def described_by_hand(member, answered, account, level=0.95):
    """Shares and their difference, person by person."""
    base = sum(member) / len(member)
    n = sum(answered)
    share = sum(m for m, a in zip(member, answered, strict=True) if a) / n
    return base, share, share - base, sum(m and a for m, a in zip(member, answered, strict=True))


def small():
    """Twelve customers in six accounts; two came after the invitations, one had left."""
    customers = pd.DataFrame(
        {
            "customer_id": [f"c{row}" for row in range(12)],
            "account_id": [f"a{row // 2}" for row in range(12)],
            "started_at": ["2020-01-01"] * 4 + ["2023-06-01"] * 6 + ["2025-06-01"] * 2,
            "churned_at": ["2024-01-01"] * 2 + [None] * 10,
            "revenue": [5, 5, 10, 10, 20, 20, 40, 40, 80, 80, 1, 1],
            "region": ["N", "S"] * 6,
        }
    )
    responses = pd.DataFrame(
        {
            "respondent_id": [f"c{row}" for row in (2, 3, 4, 5, 6, 9)] + ["stranger"],
            "invited_at": "2025-01-01",
            "responded_at": ["2025-01-02"] * 4 + [None] * 2 + ["2025-01-02"],
            LTR: [9, 8, 7, 6, None, None, 10],
        }
    )
    return Study.from_frames(responses=responses, customers=customers, segments=["region"])


def test_the_base_is_the_customers_alive_when_the_invitations_went_out():
    result = representativeness(small())
    assert result.base == "customers"
    frame = result.frame.set_index(["term", "group"])
    # c2 to c9 are alive; c2, c3, c4, c5 answered; the stranger is in neither.
    north = frame.loc["region", "N"]
    member, answered = [1, 0] * 4, [1, 1, 1, 1, 0, 0, 0, 0]
    base, share, difference, n = described_by_hand(member, answered, None)
    assert (north["n"], north["base_share"], north["answer_share"], north["estimate"]) == (n, base, share, difference)
    years = frame.loc["Years as a customer"]
    assert years["base_share"].to_dict() == {"1 to 3": 6 / 8, "over 5": 2 / 8}
    assert years["answer_share"].to_dict() == {"1 to 3": 2 / 4, "over 5": 2 / 4}
    quarters = frame.loc["Revenue group"]  # of all twelve: up to 5, up to 10, up to 40, above
    assert quarters["base_share"].to_dict() == {"2 of 4": 2 / 8, "3 of 4": 4 / 8, "4 of 4 (highest)": 2 / 8}
    assert quarters["n"].tolist() == [2, 2, 0]


def test_shares_of_a_column_sum_to_one_and_differences_to_nothing():
    frame = representativeness(demo()).frame
    sums = frame.groupby("term")[["base_share", "answer_share", "estimate"]].sum()
    assert sums["base_share"].to_numpy() == pytest.approx(1)
    assert sums["answer_share"].to_numpy() == pytest.approx(1)
    assert sums["estimate"].to_numpy() == pytest.approx(0, abs=1e-12)
    assert frame.groupby("term")["n"].sum().nunique() == 1


def test_limits_and_p_values_fit_each_other():
    frame = representativeness(demo(), confidence_level=0.9).frame
    excludes_nothing = (frame["conf_low"] > 0) | (frame["conf_high"] < 0)
    assert (excludes_nothing == (frame["p_value"] < 0.1)).all()
    assert excludes_nothing.any()
    middle = (frame["conf_low"] + frame["conf_high"]) / 2
    assert middle.to_numpy() == pytest.approx(frame["estimate"].to_numpy(), abs=1e-12)
    assert frame["p_adjusted"].to_numpy() == pytest.approx(adjust_p_values(frame["p_value"].to_numpy()))


def test_the_demo_finds_the_role_and_nothing_that_was_not_planted():
    frame = representativeness(demo()).frame
    assert set(frame.loc[frame["p_adjusted"] < 0.05, "term"]) == {"Role"}


def test_without_customers_the_base_is_the_invited():
    study = of_frame(
        {
            "respondent_id": list("abcdef"),
            LTR: [9, 8, 7, None, None, None],
            "responded": [1, 1, 1, 1, 0, 0],
            "region": list("NNSSSN"),
        },
        segments=["region"],
    )
    result = representativeness(study)
    assert result.base == "invitations"
    assert "account" not in result.note
    assert result.frame["base_share"].tolist() == [0.5, 0.5]
    # A form without this answer is no answer.
    assert result.frame["n"].tolist() == [2, 1]


def test_the_last_wave_is_taken_unless_one_is_named():
    study = demo()
    assert representativeness(study).wave == study.waves[-1]
    first = representativeness(study, wave=study.waves[0])
    answered = study.responses.query("wave == @study.waves[0] and response_state == 'answered'")["customer_id"]
    alive = study.customers["customer_id"].isin(answered)
    assert first.frame.groupby("term")["n"].sum().unique().tolist() == [int(alive.sum())]


def test_a_wave_that_is_none_is_an_error():
    with pytest.raises(ContractError, match="2025 Q4"):
        representativeness(demo(), wave="2025 Q5")


@pytest.mark.parametrize(
    ("columns", "options"),
    [({LTR: [9, None], "region": ["N", "S"]}, {"segments": ["region"]}), ({LTR: [9, None], "responded": [1, 0]}, {})],
)
def test_what_representativeness_needs(columns, options):
    with pytest.raises(CannotAnswerError):
        representativeness(of_frame(columns, **options))


def answering(answers):
    """A study of people in two groups, of whom some answered."""
    n = sum(sum(pair) for pair in answers.values())
    state = [flag for yes, no in answers.values() for flag in [1] * yes + [0] * no]
    region = [group for group, pair in answers.items() for _ in range(sum(pair))]
    return of_frame(
        {"respondent_id": range(n), "responded": state, LTR: [9 if flag else None for flag in state], "region": region},
        segments=["region"],
    )


def test_a_group_of_which_nobody_answers_is_found():
    result = representativeness(answering({"N": (200, 0), "S": (0, 100)}))
    assert (result.frame["p_adjusted"] < 0.001).all()
    assert "do not differ" not in result.finding


def test_where_nobody_answered_nothing_is_claimed():
    with pytest.raises(CannotAnswerError):
        representativeness(answering({"N": (0, 200), "S": (0, 100)}))


def test_the_error_is_the_textbook_one_where_everybody_is_alone():
    # Of 2000 invited 100 answered: the share of a simple random sample, base fixed.
    frame = representativeness(answering({"N": (60, 940), "S": (40, 960)})).frame
    expected = math.sqrt(0.6 * 0.4 / 99)
    assert frame["std_error"].to_numpy() == pytest.approx(expected, rel=0.04)
    half = frame["conf_high"] - frame["estimate"]
    assert half.to_numpy() == pytest.approx((stats.t.ppf(0.975, 99) * frame["std_error"]).to_numpy(), rel=0.02)


# Coverage: who answers has nothing to do with the groups, but colleagues answer alike


REPEATS = 400


@cache
def base_study():
    """2,000 people in 800 accounts; region and size belong to the account, role to the person."""
    rng = np.random.default_rng(7)
    account = np.sort(rng.integers(0, 800, 2_000))
    region = rng.choice(["N", "S", "W"], 800, p=[0.5, 0.3, 0.2])
    size = rng.choice(["large", "small"], 800, p=[0.25, 0.75])
    return of_frame(
        {
            "respondent_id": np.arange(2_000).astype(str),
            "account_id": account.astype(str),
            LTR: [9] * 1_999 + [None],
            "responded": [1] * 1_999 + [0],
            "region": region[account],
            "size": size[account],
            "role": rng.choice(["user", "buyer"], 2_000),
        },
        segments=["region", "size", "role"],
        settings={"minimum_cell": 1},  # what is hidden is not the matter here, and takes time to find
    )


def at_random(rate):
    """Frames of `REPEATS` studies in which accounts answer with a chance of their own, whoever they are."""
    return made_once(f"representativeness-at-{rate}", lambda _: draw_at_random(rate))


def draw_at_random(rate):
    study = base_study()
    rng = np.random.default_rng(11)
    account = study.responses["account_id"].astype(int).to_numpy()
    frames = []
    for _ in range(REPEATS):
        chance = rng.beta(rate, 1 - rate, 800)[account]
        state = np.where(rng.random(len(account)) < chance, "answered", "nonrespondent")
        drawn = dataclasses.replace(study, rows=study.responses.assign(response_state=state))
        frames.append(representativeness(drawn).frame)
    return pd.concat(frames, keys=range(REPEATS), names=["repeat", "row"]).reset_index("repeat")


def covered(frame, level=0.95):
    """Share of intervals that hold no difference, per group, and what it may differ by from the level."""
    holds = (frame["conf_low"] <= 0) & (frame["conf_high"] >= 0)
    return holds.groupby([frame["term"], frame["group"]]).mean(), 3.3 * math.sqrt(level * (1 - level) / REPEATS)


def test_intervals_hold_no_difference_in_95_of_100_where_few_answer():
    coverage, allowance = covered(at_random(0.08))
    assert len(coverage) == 7
    assert (coverage - 0.95).abs().max() <= allowance


def test_intervals_hold_no_difference_in_95_of_100_where_half_answer():
    coverage, allowance = covered(at_random(0.5))
    assert (coverage - 0.95).abs().max() <= allowance


def test_colleagues_who_answer_alike_are_not_counted_as_independent():
    frame = at_random(0.08)
    alone = np.sqrt(frame["answer_share"] * (1 - frame["answer_share"]) / (0.08 * 2_000))
    of_accounts = frame["term"] != "role"
    assert (frame["std_error"] / alone)[of_accounts].mean() > 1.2
    assert (frame["std_error"] / alone)[~of_accounts].mean() == pytest.approx(1, abs=0.06)


@pytest.mark.parametrize("rate", [0.08, 0.5])
def test_a_difference_is_claimed_falsely_in_no_more_than_5_of_100_studies(rate):
    frame = at_random(rate)
    false_claims = (frame.groupby("repeat")["p_adjusted"].min() < 0.05).mean()
    assert false_claims <= 0.05 + 3.3 * math.sqrt(0.05 * 0.95 / REPEATS)


def test_while_every_window_is_open_no_rate_is_known():
    dates = {"invited_at": ["2025-11-20"] * 40, "responded_at": ["2025-11-28"] * 20 + [None] * 20}
    table = pd.DataFrame({"likelihood_to_recommend": [9] * 20 + [None] * 20, **dates})
    found = response_funnel(Study.from_frames(responses=table))
    assert "what the response rate is, is not known yet, for every window is still open" in found.finding
    assert "nan" not in found.finding
    assert found.key_numbers == ()
    study = Study.from_frames(responses=table.assign(area=["N", "S"] * 20), segments=["area"])
    assert study.missing("responses.silence") == study.where(area="N").missing("responses.silence")
    assert study.missing("responses.silence").startswith("Who is silent is not known yet")
    with pytest.raises(CannotAnswerError, match="is not known yet"):
        representativeness(study)


def test_groups_that_are_spans_of_numbers_stand_in_order_of_size() -> None:
    income = ["10 to 29", "100 and over", "30 to 99", "under 10"] * 20
    table = pd.DataFrame(
        {"Income": income, "likelihood_to_recommend": [9, 8, 7, None] * 20, "responded": [1, 1, 1, 0] * 20}
    )
    table["respondent_id"] = [f"r{row:03d}" for row in range(len(table))]
    found = representativeness(Study.from_frames(responses=table, segments=["Income"]))
    assert found.frame["group"].tolist() == ["under 10", "10 to 29", "30 to 99", "100 and over"]
