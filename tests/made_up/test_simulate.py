"""The made-up company: what is planted is in what its survey brings in."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from nps_research.made_up.simulate import SimulatedStudy, simulate_study
from nps_research.made_up.truth import Truth

Z = 3.3  # two-sided error of 0.1% per comparison


@pytest.fixture(scope="module")
def study() -> SimulatedStudy:
    return simulate_study(Truth(n_accounts=12_000), rng=np.random.default_rng(2))


@pytest.fixture(scope="module")
def table(study) -> pd.DataFrame:
    """Everything known about each invitation, latent or not."""
    seen = study.responses.drop(columns=list(study.truth.drivers))
    people = study.customers.set_index("customer_id").drop(columns=["account_id", "language", "account_manager"])
    table: pd.DataFrame = seen.join(study.latent).join(people, on="respondent_id")
    table["months"] = (table["invited_at"] - table["started_at"]).dt.days / 30.4375
    table["answered"] = (table["delivered"] == 1) & ~table["silent"] & table["likelihood_to_recommend"].notna()
    return table


def fit(y, x, account) -> tuple[np.ndarray, np.ndarray]:
    """Least squares with an intercept: slopes and their standard errors, clustered by account."""
    design = np.column_stack([np.ones(len(y)), np.asarray(x, dtype=float)])
    y = np.asarray(y, dtype=float)
    bread = np.linalg.inv(design.T @ design)
    slopes = bread @ design.T @ y
    scores = pd.DataFrame(design * (y - design @ slopes)[:, None]).groupby(np.asarray(account)).sum().to_numpy()
    return slopes[1:], np.sqrt(np.diag(bread @ scores.T @ scores @ bread))[1:]


def z_of(y, x, account) -> float:
    slopes, errors = fit(y, np.asarray(x, dtype=float)[:, None], account)
    return float(slopes[0] / errors[0])


def net_promoter_score(scores) -> float:
    return 100 * float((scores >= 9).mean() - (scores <= 6).mean())


# The calendar


def test_everybody_there_is_invited_mid_quarter_and_answers_after_that(study, table):
    invited = table["invited_at"]
    assert set(invited.dt.day_of_week) == {1, 2, 3}
    assert set(invited.dt.month) == {2, 5, 8, 11}
    assert invited.dt.day.between(12, 20).all()
    assert (table["started_at"] < invited).all()
    assert not (table["churned_at"] <= invited).any()
    answered = table.dropna(subset="responded_at")
    assert (answered["responded_at"] > answered["invited_at"]).all()
    assert not (answered["churned_at"] <= answered["responded_at"]).any()
    assert (answered["delivered"] == 1).all()
    delay = (answered["responded_at"] - answered["invited_at"]).dt.days
    assert 0.01 < (delay >= 14).mean() < 0.06
    closes = invited.max() + pd.Timedelta(days=14 + 180)
    assert closes < study.customers["observed_until"].min()


def test_each_contact_is_invited_once_a_wave_until_the_account_leaves(study, table):
    assert not table.duplicated(["respondent_id", "wave"]).any()
    customers = study.customers
    omits = customers["account_manager"] == f"E{study.truth.employees:02d}"
    stays = customers["churned_at"].isna() & (customers["started_at"] < "2024-01-01")
    times = table["respondent_id"].value_counts().reindex(customers["customer_id"], fill_value=0)
    assert (times.loc[customers.loc[stays & ~omits, "customer_id"]] == 8).all()
    assert times.loc[customers.loc[stays & omits, "customer_id"]].mean() < 7.5


def test_one_employee_leaves_out_who_would_score_low(study, table):
    low = (table["would_be_score"] <= 6).groupby(table["employee"]).mean()
    omits = f"E{study.truth.employees:02d}"
    assert low.idxmin() == omits
    assert low[omits] < 0.5 * low.drop(omits).min()


# The planted truths


def test_silent_are_worst_then_0_to_3(table):
    rows = table[table["at_risk"] & (table["delivered"] == 1)]
    low = rows["answered"] & (rows["would_be_score"] <= 3)
    high = rows["answered"] & (rows["would_be_score"] >= 4)
    pairs = {"silent over 0-3": (rows["silent"], low), "0-3 over 4-10": (low, high)}
    for name, (worse, better) in pairs.items():
        both = rows[worse | better]
        assert z_of(both["churned"], worse[both.index], both["account_id"]) > Z, name


def test_from_4_to_10_the_score_says_nothing_about_churn(table):
    rows = table[table["at_risk"] & table["answered"] & (table["would_be_score"] >= 4)]
    assert abs(z_of(rows["churned"], rows["would_be_score"], rows["account_id"])) < Z
    for score in range(4, 11):
        assert abs(z_of(rows["churned"], rows["would_be_score"] == score, rows["account_id"])) < Z, score


def test_within_0_to_3_churn_is_alike_too(table):
    rows = table[table["at_risk"] & table["answered"] & (table["would_be_score"] <= 3)]
    assert abs(z_of(rows["churned"], rows["would_be_score"], rows["account_id"])) < Z


def test_silence_adds_to_tenure_and_revenue_which_tell_something(study, table):
    rows = table[table["at_risk"] & (table["delivered"] == 1)]
    large = rows["revenue"] >= study.truth.large_revenue
    stage = pd.cut(rows["months"], [0, 12, 36, 1000], labels=["new", "middle", "old"])
    middle = stage == "middle"
    assert z_of(rows["churned"], large, rows["account_id"]) < -Z
    assert z_of(rows["churned"], middle, rows["account_id"]) > Z
    for key, stratum in rows.groupby([stage, large], observed=True):
        assert z_of(stratum["churned"], stratum["silent"], stratum["account_id"]) > Z, key


def test_disengagement_has_nothing_to_do_with_the_score(table):
    rows = table[table["life_month"] > 12]  # young accounts have had less time to disengage, and have low months
    by_wave = rows.groupby("wave")["would_be_score"].transform("mean")
    assert abs(z_of(rows["disengaged"], rows["would_be_score"] - by_wave, rows["account_id"])) < Z


def test_a_rejection_lasts_but_cannot_be_foreseen_from_a_score_of_4_to_10(table):
    table = table.assign(rejects=table["would_be_score"] <= 3)
    following = table.groupby("respondent_id")[["rejects"]].shift(-1)["rejects"]
    rows = table[following.notna()]
    assert len(rows) > 100_000
    assert z_of(following[rows.index], rows["rejects"], rows["account_id"]) > 30
    content = rows[~rows["rejects"]]
    assert abs(z_of(following[content.index], content["would_be_score"], content["account_id"])) < Z
    same_wave = table.groupby(["account_id", "wave"])["rejects"]
    others = (same_wave.transform("sum") - table["rejects"]) / (same_wave.transform("size") - 1)
    rows = table[np.isfinite(others)]
    assert abs(z_of(rows["rejects"], others[rows.index], rows["account_id"])) < Z


def test_there_is_nothing_to_find_in_industry_and_language(table):
    reached = table[table["delivered"] == 1]
    for value in table["industry"].unique():
        for outcome in ("would_be_score", "silent", "churned"):
            assert abs(z_of(reached[outcome], reached["industry"] == value, reached["account_id"])) < Z, (
                value,
                outcome,
            )
    for column in ("region", "language"):  # which go with the score a little, by region
        for value in table[column].unique():
            assert abs(z_of(reached["churned"], reached[column] == value, reached["account_id"])) < Z, value
    by_region = reached.groupby("region")["would_be_score"].mean()
    assert by_region["Moldova"] < by_region.drop("Moldova").min() - 0.1


def test_how_people_are_asked_moves_the_answer_alone(table):
    reached = table[table["delivered"] == 1]
    by_lot = reached[reached["assigned_channel"].notna()]
    for rows, is_value in ((reached, reached["question_position"] == "last"), (by_lot, by_lot["channel"] == "phone")):
        for outcome in ("silent", "churned"):
            # who answers differs a little, since the chance to answer rises with the answer
            assert abs(z_of(rows[outcome], is_value, rows["account_id"])) < 2 * Z, outcome
    assert z_of(reached["would_be_score"], reached["question_position"] == "last", reached["account_id"]) < -10
    assert z_of(by_lot["would_be_score"], by_lot["channel"] == "phone", by_lot["account_id"]) > Z
    started_early = reached["started_at"] < "2023-01-01"
    assert z_of(reached["channel"] == "phone", started_early, reached["account_id"]) > 10


def test_who_leaves_the_newsletter_does_so_as_a_customer_and_means_nothing_by_it(study, table):
    customers = study.customers
    left = customers.dropna(subset="unsubscribed_at")
    assert (left["unsubscribed_at"] > left["started_at"]).all()
    assert not (left["unsubscribed_at"] >= left["churned_at"]).any()
    assert left["unsubscribed_at"].between("2024-01-01", "2026-09-30").all()
    begins = customers["started_at"].clip(lower=pd.Timestamp("2024-01-01"))
    ends = customers["churned_at"].fillna(pd.Timestamp("2026-09-30"))
    ends = customers["unsubscribed_at"].fillna(ends)
    a_year = len(left) / ((ends - begins).dt.days.clip(lower=0).sum() / 365)
    assert abs(a_year - 0.06) < Z * a_year / np.sqrt(len(left)) + 0.001  # whole days
    before = (table["unsubscribed_at"] < table["invited_at"]).to_numpy()
    reached = table["delivered"] == 1
    old = reached & (table["started_at"] < "2024-01-01")  # who is there for longer has had more time to leave it
    wave = table["wave"] == "2025 Q4"
    for outcome in ("would_be_score", "silent", "churned"):
        rows = table[old & wave]
        assert abs(z_of(rows[outcome], before[rows.index], rows["account_id"])) < Z, outcome


def test_who_asks_by_phone_is_of_one_kind_each(study):
    asked = study.responses.dropna(subset="interviewer")
    kinds = asked.groupby("interviewer")["surveyor_kind"].unique()
    assert kinds.map(len).eq(1).all()
    assert kinds.map(lambda names: names[0]).value_counts().to_dict() == {"independent": 9, "account manager": 3}
    assert study.responses.loc[study.responses["interviewer"].isna(), "surveyor_kind"].isna().all()


def test_the_chance_to_answer_rises_with_the_score_not_given(study, table):
    rows = table[table["at_risk"] & (table["delivered"] == 1)]
    answers = rows["responded_at"].notna()
    for disengaged in (False, True):
        for score in range(11):
            cell = ((rows["would_be_score"] == score) & (rows["disengaged"] == disengaged)).to_numpy()
            p = rows["answer_chance"].to_numpy()[cell]
            error = np.sqrt(np.sum(p * (1 - p)))
            assert abs(answers[cell].sum() - p.sum()) < Z * error + 1, (score, disengaged)
    chance = rows.loc[~rows["disengaged"]].groupby("would_be_score")["answer_chance"].mean()
    assert chance.is_monotonic_increasing
    assert chance[10] / chance[4] == pytest.approx(np.exp(6 * study.truth.answer_slope), rel=0.05)
    silent, heard = rows[rows["silent"]], rows[rows["answered"]]
    assert net_promoter_score(silent["would_be_score"]) < net_promoter_score(heard["would_be_score"]) - 10


def test_a_bad_must_be_makes_contacts_reject_and_a_good_one_gains_nothing(study, table):
    first = study.company.experience[:, 0, list(study.truth.drivers).index("product_quality")]
    for rating, chance in enumerate(study.truth.rejection_by_rating, start=1):
        rejected = study.lives.score[first == rating, 0] <= 3  # before any call, and before any have left
        assert abs(rejected.mean() - chance) < Z * np.sqrt(chance * (1 - chance) / len(rejected)), rating
    content = table[(table["would_be_score"] >= 4) & (table["product_quality"] >= 3)]
    columns = list(study.truth.drivers)
    slopes, errors = fit(content["would_be_score"], content[columns], content["account_id"])
    must_be = columns.index("product_quality")
    assert abs(slopes[must_be]) < Z * errors[must_be]


def level_effects(study) -> pd.DataFrame:
    """Score points of each rating against a rating of 1, all drivers held; all who do not reject, asked or not."""
    drivers, score = list(study.truth.drivers), study.lives.score.ravel()
    ratings = pd.DataFrame(study.company.experience.reshape(-1, len(drivers)), columns=drivers)[score >= 4]
    account = np.repeat(study.company.account, study.lives.score.shape[1])
    levels = pd.get_dummies(ratings.astype("category"), drop_first=True, dtype=np.float32)
    slopes, errors = fit(score[score >= 4], levels, account[score >= 4])
    effects = pd.DataFrame({"effect": slopes, "error": errors}, index=levels.columns)
    effects.index = pd.MultiIndex.from_tuples([(name[:-2], int(name[-1])) for name in levels.columns])
    return effects


def test_drivers_do_what_is_planted(study):
    effects = level_effects(study)
    for column, driver in study.truth.drivers.items():
        effect, error = effects.loc[column, "effect"], effects.loc[column, "error"]
        if driver.kind in {"idle", "shadow", "must-be"}:
            assert (effect.abs() < Z * error).all(), column
        elif driver.kind == "delighter":
            assert (effect[[2, 3, 4]].abs() < Z * error[[2, 3, 4]]).all(), column
            assert effect[5] > 0.5 * driver.weight
        else:
            assert 0.6 * driver.weight < effect[5] / 4 / used_share(study, column) < driver.weight, column


def used_share(study, column: str) -> float:
    ratings = study.responses[column].dropna()
    return float((ratings <= 5).mean())


def test_drivers_that_do_nothing_are_correlated_with_the_score_all_the_same(table):
    for column in ("documentation", "newsletter", "order_tracking"):
        assert z_of(table["would_be_score"], table[column], table["account_id"]) > 10
    correlations = table[["delivery_on_time", "order_tracking", "newsletter"]].corr()["delivery_on_time"]
    assert correlations["order_tracking"] > 0.7 > 0.35 > correlations["newsletter"] > 0.15


def test_ratings_are_missing_and_not_used_as_planted(study):
    returned = study.responses[study.responses["responded_at"].notna()]
    assert study.responses.loc[study.responses["responded_at"].isna(), list(study.truth.drivers)].isna().all(axis=None)
    role = returned["respondent_id"].map(study.customers.set_index("customer_id")["role"])
    for column, driver in study.truth.drivers.items():
        missing = returned[column].isna()
        tolerance = Z * np.sqrt(driver.missing * (1 - driver.missing) / len(returned))
        assert abs(missing.mean() - driver.missing) < tolerance, column
        given = returned.loc[~missing, ["respondent_id", column]]
        by_person = (given[column] == 6).groupby(given["respondent_id"]).mean()
        roles = by_person.index.map(study.customers.set_index("customer_id")["role"])
        for name, share in zip(["decision maker", "influencer", "user"], driver.not_used, strict=True):
            people = by_person[roles == name]
            assert abs(people.mean() - share) <= Z * np.sqrt(share * (1 - share) / len(people)), (column, name)
    assert set(role) == {"decision maker", "influencer", "user"}


def test_the_third_and_ninth_month_are_low(table):
    by_month = table[table["life_month"] <= 12].groupby("life_month")["would_be_score"].agg(net_promoter_score)
    others = by_month.drop([3, 9])
    assert len(others) == 10
    assert others.min() > by_month[9] + 20
    assert others.min() > by_month[3] + 20
    assert others.max() - others.min() < 12


def test_without_planted_dips_no_month_is_low():
    flat = simulate_study(Truth(n_accounts=6000, life_dips={}), rng=np.random.default_rng(3))
    month, score = flat.latent["life_month"], flat.latent["would_be_score"]
    for dip in (3, 9):
        assert abs(z_of(score, month == dip, flat.responses["account_id"])) < Z


def expected_rating(mean: float) -> float:
    """Mean of a normal deviate around `mean`, standard deviation 1, rounded and kept within 1 to 5."""
    return 1 + float(norm.sf(np.array([1.5, 2.5, 3.5, 4.5]) - mean).sum())


def test_two_ratings_fall_with_2025_q2_and_nps_with_them(study, table):
    for at, (column, driver) in enumerate(study.truth.drivers.items()):
        for wave, fall in {"2025 Q1": 0.0, "2025 Q2": driver.fall, "2025 Q4": driver.fall}.items():
            ratings = study.company.experience[:, study.company.calendar.labels.index(wave), at]
            error = ratings.std() / np.sqrt(len(ratings))
            assert abs(ratings.mean() - expected_rating(driver.mean - fall)) < Z * error, (column, wave)
    fallen = [column for column, driver in study.truth.drivers.items() if driver.fall]
    assert fallen == ["delivery_on_time", "support_response"]
    score = table.groupby("wave")["would_be_score"].agg(net_promoter_score)
    assert -24 < score["2025 Q2"] - score["2025 Q1"] < -10
    assert abs(score["2025 Q1"] - score["2024 Q4"]) < 4


def test_answers_within_an_account_are_alike(table):
    wave = table[(table["wave"] == "2024 Q1") & (table["would_be_score"] >= 4)]
    accounts = wave.groupby("account_id")["would_be_score"]
    pairs = accounts.agg(["first", "last", "size"]).query("size > 1")
    assert 0.1 < pairs["first"].corr(pairs["last"]) < 0.3


def test_revenue_has_a_heavy_tail(study):
    revenue = study.customers.groupby("account_id")["revenue"].first()
    deviation = study.truth.revenue_log_deviation
    assert abs(np.log(revenue).std() - deviation) < Z * deviation / np.sqrt(2 * len(revenue))
    assert revenue.nlargest(len(revenue) // 10).sum() > 0.5 * revenue.sum()


def test_small_and_other_panels_can_be_drawn():
    small = simulate_study(Truth(n_accounts=30, n_waves=3), rng=np.random.default_rng(4))
    assert list(small.responses["wave"].unique()) == ["2024 Q1", "2024 Q2", "2024 Q3"]
    assert set(small.customers["observed_until"]) == {pd.Timestamp("2025-06-30")}
