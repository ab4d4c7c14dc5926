"""Events by score: against the planted truth, loops over rows, and every reason to leave a row out."""

import json
from dataclasses import replace

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from scipy import stats

from nps_research.counting import answers_to_call, outcomes, score_distribution, who_can_be_called
from nps_research.counting.landmarks import landmarks_of
from nps_research.counting.outcome_by_score import OutcomeByScore
from nps_research.counting.outcomes import outcome_by_score
from nps_research.errors import CannotAnswerError, ContractError
from nps_research.made_up.simulate import simulate_study
from nps_research.made_up.truth import Truth
from nps_research.statistics.proportions import wilson_limits
from nps_research.study.study import Study, open_study

LTR = "likelihood_to_recommend"
RENEWED = {"table": "responses", "column": "Renewed", "event": ["yes"], "no_event": ["no"], "direction": "good"}


@pytest.fixture(scope="module")
def company():
    return simulate_study(Truth(n_accounts=150), rng=np.random.default_rng(12))


@pytest.fixture(scope="module")
def study(company) -> Study:
    return Study.from_frames(responses=company.responses, customers=company.customers, made_up=True)


@pytest.fixture(scope="module")
def seen(company) -> pd.DataFrame:
    """The made-up company's rows with what only the simulation knows."""
    known = company.responses[["wave", "account_id", "delivered", "responded_at", LTR]]
    return known.join(company.latent[["silent", "at_risk", "churned"]])


# Churn after the landmark


@pytest.mark.parametrize("dated", [True, False])
def test_an_outcome_follows_the_first_answer_in_the_window_and_the_score_is_of_the_newest(dated):
    invited = pd.Timestamp("2024-01-10")
    people = [f"p{row}" for row in range(40)]
    rows = pd.DataFrame({"respondent_id": people, "wave": "1", "invited_at": invited, LTR: 3.0})
    rows["responded_at"] = invited + pd.Timedelta(days=2)
    silent = rows[20:].assign(responded_at=pd.NaT, **{LTR: np.nan})
    again = rows[:10].assign(responded_at=invited + pd.Timedelta(days=30), **{LTR: 10.0})  # after the window
    left = [invited + pd.Timedelta(days=60) if row % 4 == 0 else pd.NaT for row in range(40)]
    customers = pd.DataFrame({"customer_id": people, "churned_at": left, "observed_until": pd.Timestamp("2025-06-01")})
    customers["kept"] = np.where(pd.isna(left), "yes", "no")
    kept = {"table": "customers", "column": "kept", "event": ["yes"], "no_event": ["no"], "direction": "good"}
    table = pd.concat([again, rows[:20], silent], ignore_index=True)
    study = Study.from_frames(responses=table, customers=customers, outcomes={"kept": kept | {"dated": dated}})
    assert score_distribution(study).counts[0, [3, 10]].tolist() == [10, 10]
    counted = outcome_by_score(study)
    assert (counted.n[0, [3, 10]].tolist(), counted.nonrespondents.tolist()) == ([20, 0], [20])
    states = landmarks_of(study).rows["state"].value_counts()
    assert states.to_dict() == {"detractor": 20, "nonrespondent": 20}
    assert outcome_by_score(study, outcome="kept").n[0, [3, 10]].tolist() == ([20, 0] if dated else [10, 10])


def test_calls_are_of_the_last_wave_and_of_a_dated_outcome_of_known_customers(study):
    counted = outcome_by_score(study)
    last = answers_to_call(study, counted)
    assert last.groups == study.waves[-1:]
    assert last.n.tolist() == score_distribution(study, by="wave").n[-1:].tolist()
    assert who_can_be_called(study).all()
    with pytest.raises(CannotAnswerError, match="is not dated"):
        answers_to_call(study, replace(counted, dated=False))
    for unknown in (None, study.customers.assign(customer_id=study.customers["customer_id"] + "x")):
        with pytest.raises(CannotAnswerError, match="There is nobody to call"):
            answers_to_call(replace(study, customers=unknown), counted)


def test_churn_by_score_is_that_of_the_simulation(study, seen):
    counted = outcome_by_score(study, by="wave", cluster="account_id")
    at_risk = seen[seen["at_risk"] & (seen["delivered"] == 1)]
    for row, wave in enumerate(counted.groups):
        of_wave = at_risk[at_risk["wave"] == wave]
        answered = of_wave[~of_wave["silent"]]
        for score in range(11):
            rows = answered[answered[LTR] == score]
            assert (counted.n[row, score], counted.events[row, score]) == (len(rows), rows["churned"].sum())
        silent = of_wave[of_wave["silent"]]
        assert counted.nonrespondents[row] == len(silent)
        assert counted.nonrespondent_events[row] == silent["churned"].sum()
    assert counted.nonrespondent_events.sum() > 20
    assert counted.events.sum() > 20
    assert (counted.direction, counted.dated, counted.ordered, counted.by) == ("bad", True, True, ("wave",))


def test_each_row_is_counted_once(study, seen):
    counted = outcome_by_score(study)
    out = {reason: int(n[0]) for reason, n in counted.left_out.items()}
    assert out[outcomes.GONE] == (~seen["at_risk"]).sum() > 0
    assert out["not_reached"] == (seen["at_risk"] & (seen["delivered"] == 0)).sum()
    missing = seen["at_risk"] & ~seen["silent"] & (seen["delivered"] == 1) & seen[LTR].isna()
    assert out["item_missing"] == missing.sum()
    assert set(out) == {outcomes.GONE, "not_reached", "item_missing"}
    assert counted.n.sum() + counted.nonrespondents.sum() + sum(out.values()) == len(seen)


def test_clusters_hold_the_counts_of_each_account(study, seen):
    counted = outcome_by_score(study, by="wave", cluster="account_id")
    clusters = counted.clusters
    at_risk = seen[seen["at_risk"] & (seen["delivered"] == 1)]
    answered = at_risk[~at_risk["silent"] & at_risk[LTR].notna()]
    keys = [(counted.groups[group], label) for group, label in zip(clusters.group, clusters.label, strict=True)]
    assert len(set(keys)) == len(keys)
    expected = answered.groupby(["wave", "account_id"])["churned"].agg(["size", "sum"])
    found = {key: (n.sum(), k.sum()) for key, n, k in zip(keys, clusters.n, clusters.events, strict=True) if n.sum()}
    assert found == {key: tuple(row) for key, row in zip(expected.index, expected.to_numpy(), strict=True)}
    for row in range(len(counted.groups)):
        inside = clusters.group == row
        np.testing.assert_array_equal(clusters.events[inside].sum(axis=0), counted.events[row])
        assert clusters.nonrespondents[inside].sum() == counted.nonrespondents[row]
        assert clusters.nonrespondent_events[inside].sum() == counted.nonrespondent_events[row]
    assert counted.design == {"cluster": "account_id"}


def test_the_demo_shows_the_rates_it_was_made_with():
    demo = open_study("data/demo")
    assert demo.can_answer("outcomes", "outcomes.churned")
    counted = outcome_by_score(demo)
    with open("data/demo/truth.json", encoding="utf-8") as file:  # noqa: PTH123
        planted = json.load(file)["realised"]["churn_within_180_days"]
    rates = {
        "score 0-3": counted.events[0, :4].sum() / counted.n[0, :4].sum(),
        "score 4-10": counted.events[0, 4:].sum() / counted.n[0, 4:].sum(),
        "silent": counted.nonrespondent_events[0] / counted.nonrespondents[0],
    }
    assert rates == pytest.approx({name: planted[name] for name in rates}, abs=0.003)  # 15 rows of thousands are spoilt


def dates(**columns) -> Study:
    """One invitation of 1 January (landmark 15 January, horizon to 14 July) for each customer."""
    n = len(columns["churned_at"])
    who = [f"c{row}" for row in range(n)]
    answered = columns.pop("responded_at", ["2025-01-05"] * n)
    responses = pd.DataFrame(
        {
            "respondent_id": who,
            LTR: [5 if day else None for day in answered],
            "invited_at": "2025-01-01",
            "responded_at": answered,
        }
    )
    return Study.from_frames(responses=responses, customers=pd.DataFrame({"customer_id": who, **columns}))


@pytest.mark.parametrize(
    ("churned_at", "observed_until", "counts"),
    [
        ("2025-01-15", "2026-01-01", outcomes.GONE),  # on the landmark: not at risk
        ("2025-01-16", "2026-01-01", "event"),
        ("2025-07-14", "2026-01-01", "event"),  # the horizon's last day
        ("2025-07-15", "2026-01-01", "no_event"),
        (None, "2025-07-14", "no_event"),
        (None, "2025-07-13", outcomes.UNOBSERVED),
        (None, None, outcomes.UNOBSERVED),
        ("2025-03-01", "2025-06-30", outcomes.UNOBSERVED),  # left, but others would not have been seen to the end
        ("2025-03-01", "2025-03-01", "event"),  # watched until they left
        ("2025-03-01", None, "event"),
    ],
)
def test_the_edges_of_landmark_and_horizon(churned_at, observed_until, counts):
    study = dates(churned_at=[churned_at, "2025-02-01"], observed_until=[observed_until, "2026-01-01"])
    counted = outcome_by_score(study)
    n, events = counted.n.sum() - 1, counted.events.sum() - 1  # less the second customer, who makes the columns
    expected = {"event": (1, 1), "no_event": (1, 0)}.get(counts, (0, 0))
    assert (n, events) == expected
    assert {reason: int(rows.sum()) for reason, rows in counted.left_out.items()} == ({} if n else {counts: 1})


def test_leavers_of_unknown_watch_are_not_counted_where_stayers_were_lost():
    leaver, lost, watched = ("2025-03-01", "2025-03-01"), (None, "2025-04-01"), (None, "2026-01-01")

    def company(*people: tuple[str | None, str]) -> Study:
        return dates(churned_at=[left for left, _ in people], observed_until=[until for _, until in people])

    counted = outcome_by_score(company(leaver, watched, watched))
    assert (counted.n.sum(), counted.events.sum()) == (3, 1)
    with pytest.raises(CannotAnswerError, match="1 invitations are of customers who stayed"):
        outcome_by_score(company(leaver, lost, watched))


def test_an_answer_after_the_window_is_silence_at_the_landmark():
    study = dates(
        churned_at=["2025-03-01", None, None],
        observed_until=["2026-01-01"] * 3,
        responded_at=["2025-01-15T00:01", "2025-01-15", None],
    )
    counted = outcome_by_score(study)
    assert (counted.n[0, 5], counted.events[0, 5]) == (1, 0)
    assert (counted.nonrespondents.tolist(), counted.nonrespondent_events.tolist()) == ([2], [1])


def test_strangers_and_rows_without_a_date_of_invitation_are_left_out():
    responses = pd.DataFrame(
        {"respondent_id": ["c0", "c1", "x"], LTR: 9, "invited_at": ["2025-01-01", None, "2025-01-01"]}
    )
    customers = pd.DataFrame(
        {"customer_id": ["c0", "c1"], "churned_at": ["2025-02-01", None], "observed_until": "2026"}
    )
    customers["observed_until"] = "2026-01-01"
    counted = outcome_by_score(Study.from_frames(responses=responses, customers=customers))
    assert {reason: int(n[0]) for reason, n in counted.left_out.items()} == {
        outcomes.NO_CUSTOMER: 1,
        outcomes.NO_DATE: 1,
    }
    assert counted.nonrespondents is None
    assert counted.events[0, 9] == 1


def test_without_invitations_churn_follows_the_day_of_each_answer(company):
    answers = company.responses[company.responses["responded_at"].notna()].drop(columns=["invited_at", "delivered"])
    counted = outcome_by_score(Study.from_frames(responses=answers, customers=company.customers))
    people = company.customers.set_index("customer_id")
    expected = np.zeros((2, 11), dtype=int)
    for row in answers.dropna(subset=[LTR]).itertuples():
        left, end = people.loc[row.respondent_id, ["churned_at", "observed_until"]]
        horizon = row.responded_at + pd.Timedelta(days=180)
        if not left <= row.responded_at and end >= horizon:
            expected[:, int(getattr(row, LTR))] += (1, int(left <= horizon))
    assert counted.n[0].tolist() == expected[0].tolist()
    assert counted.events[0].tolist() == expected[1].tolist()
    assert counted.after_answers
    assert counted.nonrespondents is None


def test_an_outcome_is_called_by_its_label(renewals):
    named = RENEWED | {"label": "renewed within a year"}
    study = Study.from_frames(responses=renewals[[LTR, "Renewed"]], outcomes={"renewed": named})
    assert outcome_by_score(study, outcome="renewed").outcome == "renewed within a year"


def test_what_churn_needs_is_named(study):
    with pytest.raises(CannotAnswerError, match=r"customers\.churned_at"):
        outcome_by_score(Study.from_frames(responses=pd.DataFrame({LTR: [9], "invited_at": "2025-01-01"})))
    nameless = pd.DataFrame({LTR: [9], "invited_at": "2025-01-01"})
    customers = pd.DataFrame({"customer_id": ["a"], "churned_at": "2025-02-01", "observed_until": "2026-01-01"})
    with pytest.raises(CannotAnswerError, match=r"responses\.customer_id"):
        outcome_by_score(Study.from_frames(responses=nameless, customers=customers))


# Outcomes that the study names


@pytest.fixture(scope="module")
def renewals() -> pd.DataFrame:
    rng = np.random.default_rng(5)
    n = 900
    score = rng.integers(0, 11, n)
    return pd.DataFrame(
        {
            "respondent_id": [f"p{row}" for row in range(n)],
            "account_id": [f"a{code}" if code else None for code in rng.integers(0, 60, n)],
            LTR: pd.Series(np.where(rng.random(n) < 0.7, score, np.nan)).astype("Int64"),
            "responded": rng.random(n) < 0.2,
            "region": rng.choice(["north", "south"], n),
            "Renewed": rng.choice(["yes", "no", "unsure", None], n, p=[0.5, 0.3, 0.1, 0.1]),
        }
    ).assign(responded=lambda table: table["responded"] | table[LTR].notna())


@pytest.mark.parametrize(
    "engine",
    [
        lambda rows: rows,
        lambda rows: duckdb.connect().from_arrow(pa.Table.from_pandas(rows, preserve_index=False)),
        lambda rows: pl.from_arrow(pa.Table.from_pandas(rows, preserve_index=False)).lazy(),
    ],
    ids=["in memory", "DuckDB", "Polars"],
)
def test_a_named_outcome_is_what_a_loop_over_the_rows_finds(renewals, engine):
    study = Study.from_frames(responses=engine(renewals), segments=["region"], outcomes={"renewed": RENEWED})
    counted = outcome_by_score(study, outcome="renewed", by="region", cluster="account_id")
    n, events = np.zeros((2, 11), dtype=int), np.zeros((2, 11), dtype=int)
    silent, silent_events, unknown, item_missing = (np.zeros(2, dtype=int) for _ in range(4))
    lone = 0
    for row in renewals.itertuples():
        group = ["north", "south"].index(row.region)
        if row.Renewed not in ("yes", "no"):
            unknown[group] += 1
            continue
        if not row.responded:
            silent[group] += 1
            silent_events[group] += row.Renewed == "yes"
        elif pd.isna(row.likelihood_to_recommend):
            item_missing[group] += 1
            continue
        else:
            n[group, row.likelihood_to_recommend] += 1
            events[group, row.likelihood_to_recommend] += row.Renewed == "yes"
        lone += pd.isna(row.account_id)
    np.testing.assert_array_equal(counted.n, n)
    np.testing.assert_array_equal(counted.events, events)
    np.testing.assert_array_equal(counted.nonrespondents, silent)
    np.testing.assert_array_equal(counted.nonrespondent_events, silent_events)
    assert {reason: rows.tolist() for reason, rows in counted.left_out.items()} == {
        outcomes.UNKNOWN: unknown.tolist(),
        "item_missing": item_missing.tolist(),
    }
    assert sum(" " in label for label in counted.clusters.label) == lone > 0
    assert counted.clusters.n.sum() == n.sum()
    assert (counted.direction, counted.dated, counted.outcome) == ("good", False, "renewed")


def test_an_outcome_of_customers_is_brought_to_their_answers():
    responses = pd.DataFrame({"respondent_id": ["a", "b", "c", "x"], LTR: [10, 10, 10, 10]})
    customers = pd.DataFrame({"customer_id": ["a", "b", "c"], "Renewed": ["yes", "no", "unsure"]})
    settings = {**RENEWED, "table": "customers", "dated": True}
    study = Study.from_frames(responses=responses, customers=customers, outcomes={"renewed": settings})
    counted = outcome_by_score(study, outcome="renewed")
    assert (counted.n[0, 10], counted.events[0, 10], counted.dated) == (2, 1, True)
    assert {reason: int(n[0]) for reason, n in counted.left_out.items()} == {
        outcomes.UNKNOWN: 1,
        outcomes.NO_CUSTOMER: 1,
    }


def test_by_the_day_of_the_answer_the_silent_are_on_no_day(study):
    counted = outcome_by_score(study, by="weekday")
    assert counted.nonrespondents is None
    assert counted.n.sum() == outcome_by_score(study).n.sum()
    assert "Monday" in counted.groups


def test_an_outcome_that_is_none(renewals):
    amount = {"table": "responses", "column": "spent", "kind": "amount", "direction": "good"}
    study = Study.from_frames(responses=renewals.assign(spent=1.5), outcomes={"renewed": RENEWED, "spending": amount})
    with pytest.raises(ContractError, match="no outcome 'renewd': did you mean renewed"):
        outcome_by_score(study, outcome="renewd")
    with pytest.raises(ContractError, match="spending: it is an amount"):
        outcome_by_score(study, outcome="spending")


# From counts

N = [12, 5, 6, 9, 11, 20, 30, 60, 120, 90, 100]
EVENTS = [6, 2, 0, 3, 1, 2, 4, 5, 9, 6, 100]


def test_rates_have_the_limits_of_scipy():
    frame = OutcomeByScore.from_counts(N, EVENTS, nonrespondents=(300, 60)).frame
    assert frame.columns.tolist() == ["group", LTR, "n", "events", "estimate", "conf_low", "conf_high"]
    for row, (n, events) in enumerate(zip(N, EVENTS, strict=True)):
        limits = stats.binomtest(events, n).proportion_ci(method="wilson")
        assert frame.loc[row, "estimate"] == events / n
        assert frame.loc[row, ["conf_low", "conf_high"]].tolist() == pytest.approx([limits.low, limits.high], abs=1e-12)


def test_a_score_that_nobody_gave_has_no_rate():
    low, high = wilson_limits(np.array([0, 0, 3]), np.array([0, 3, 3]), confidence_level=0.9)
    assert np.isnan([low[0], high[0]]).all()
    assert (low[1], high[2]) == (0, 1)


def test_counts_are_kept_as_given():
    counted = OutcomeByScore.from_counts(N, EVENTS, nonrespondents=(300, 60), direction="good")
    assert (counted.n[0].tolist(), counted.events[0].tolist()) == (N, EVENTS)
    assert (counted.nonrespondents[0], counted.nonrespondent_events[0]) == (300, 60)
    assert (counted.direction, counted.dated, counted.groups, counted.clusters) == ("good", None, ("all",), None)


@pytest.mark.parametrize(
    ("counts", "says"),
    [
        ({"n": N[:10]}, "n: 10 values arrived; 11 counts are needed"),
        ({"events": [*EVENTS[:10], 101]}, "events: there are more than answers at score 10"),
        ({"n": [*N[:10], 100.5]}, "n: every count must be a whole number"),
        ({"events": [-1, *EVENTS[1:]]}, "events: every count"),
        ({"n": ["many"] * 11}, "n: 0 values arrived"),
        ({"nonrespondents": (3, 4)}, "more events among them"),
        ({"nonrespondents": (3,)}, "two are: of people, and of events"),
        ({"direction": "up"}, "direction = 'up': 'good' or 'bad'"),
    ],
)
def test_impossible_counts_are_refused(counts, says):
    with pytest.raises(ContractError, match=says):
        OutcomeByScore.from_counts(**{"n": N, "events": EVENTS, **counts})
