"""The score per unit of revenue: by hand, its error over accounts, and who is left out."""

import numpy as np
import pandas as pd
import pytest

from nps_research.counting.score_counts import score_distribution
from nps_research.errors import CannotAnswerError, ContractError
from nps_research.score.score import net_promoter_score
from nps_research.score.trend import trend
from nps_research.study.study import Study
from tests.support.made_up_answers import class_value, made_up_rows


def customers_of(rows: pd.DataFrame, revenue: dict[str, float]) -> pd.DataFrame:
    """One customer for each respondent, with the account's revenue."""
    people = rows.drop_duplicates("respondent_id")
    return pd.DataFrame(
        {
            "customer_id": people["respondent_id"],
            "account_id": people["account_id"],
            "revenue": people["account_id"].map(revenue),
        }
    )


def made_up_study(seed: int, *, n: int = 400, revenue=None) -> tuple[Study, pd.DataFrame, dict[str, float]]:
    rng = np.random.default_rng(seed)
    rows = made_up_rows(rng, n=n)
    accounts = sorted(rows["account_id"].unique())
    revenue = revenue or dict(zip(accounts, rng.lognormal(8, 1, len(accounts)).round(2), strict=True))
    study = Study.from_frames(responses=rows, customers=customers_of(rows, revenue), segments=["region"])
    return study, rows, revenue


def by_hand(rows: pd.DataFrame, revenue: dict[str, float]) -> tuple[float, float, float]:
    """Score per unit of revenue, its standard error over accounts, and their effective number."""
    answered = rows.dropna(subset=["likelihood_to_recommend"])
    own = {
        account: np.mean([class_value(score) for score in part["likelihood_to_recommend"]])
        for account, part in answered.groupby("account_id")
        if not np.isnan(revenue.get(account, np.nan))
    }
    total = sum(revenue[account] for account in own)
    score = sum(revenue[account] * own[account] for account in own) / total
    k = total**2 / sum(revenue[account] ** 2 for account in own)
    squares = sum((revenue[account] * (own[account] - score) / total) ** 2 for account in own)
    return score, float(np.sqrt(k / (k - 1) * squares)), k


def test_the_score_is_each_accounts_own_weighted_by_its_revenue():
    study, rows, revenue = made_up_study(70)
    row = net_promoter_score(score_distribution(study, weight="revenue")).frame.loc[0]
    score, error, _ = by_hand(rows, revenue)
    assert row["estimate"] == pytest.approx(score)
    assert row["std_error"] == pytest.approx(error)
    spread = row["promoter_share"] + row["detractor_share"] - (score / 100) ** 2
    assert row["n_effective"] == pytest.approx(1e4 * spread / error**2)
    assert row["n_effective"] < row["n"] == rows["likelihood_to_recommend"].notna().sum()
    assert row["estimate"] != pytest.approx(net_promoter_score(score_distribution(study)).frame["estimate"][0], abs=0.5)


def test_within_each_group_revenue_is_shared_anew():
    study, rows, revenue = made_up_study(71)
    for name in ("wave", "region"):
        dist = score_distribution(study, by=name, weight="revenue")
        expected = [by_hand(rows[rows[name] == group], revenue)[0] for group in dist.groups]
        assert net_promoter_score(dist).frame["estimate"].tolist() == pytest.approx(expected)
    change = trend(score_distribution(study, by="wave", weight="revenue"))
    assert "accounts answered in both of the last two waves" in change.note
    assert "Weighted by revenue." in change.note


def test_equal_revenue_is_every_account_alike():
    rows = made_up_rows(np.random.default_rng(72))
    study, rows, _ = made_up_study(72, revenue=dict.fromkeys(rows["account_id"], 5000.0))
    means = [
        np.mean([class_value(score) for score in part["likelihood_to_recommend"].dropna()])
        for _, part in rows.groupby("account_id")
    ]
    row = net_promoter_score(score_distribution(study, weight="revenue")).frame.loc[0]
    assert row["estimate"] == pytest.approx(np.mean(means))
    assert row["std_error"] == pytest.approx(np.std(means, ddof=1) / np.sqrt(len(means)))


def test_squares_of_weights_are_those_of_single_answers():
    study, rows, revenue = made_up_study(73)
    answered = rows.dropna(subset=["likelihood_to_recommend"])
    each = answered["account_id"].map(revenue) / answered.groupby("account_id")["account_id"].transform("size")
    dist = score_distribution(study, weight="revenue")
    assert dist.squared_weight_sums.sum() == pytest.approx((each**2).sum())
    assert dist.weight_sums.sum() == pytest.approx(each.sum())


def test_accounts_without_known_revenue_are_left_out_and_said():
    _, rows, revenue = made_up_study(74)
    accounts = sorted(revenue)
    unknown = {accounts[0], accounts[1]}
    revenue |= dict.fromkeys(unknown, np.nan)
    study, _, _ = made_up_study(74, revenue=revenue)
    result = net_promoter_score(score_distribution(study, weight="revenue"))
    kept = rows[~rows["account_id"].isin(unknown)]
    assert result.frame["estimate"][0] == pytest.approx(by_hand(rows, revenue)[0])
    assert result.frame["n"][0] == kept["likelihood_to_recommend"].notna().sum()
    assert f"Left out, as their revenue is not known: 2 of {len(accounts)} accounts." in result.note


def test_negative_revenue_is_quarantined_and_so_unknown_and_zero_weighs_nothing():
    _, rows, revenue = made_up_study(75)
    first, second = sorted(revenue)[:2]
    study, _, _ = made_up_study(75, revenue=revenue | {first: -10.0, second: 0.0})
    assert study.quarantine["reasons"].str.contains("revenue is negative").any()
    result = net_promoter_score(score_distribution(study, weight="revenue"))
    rest = {account: value for account, value in revenue.items() if account not in (first, second)}
    assert result.frame["estimate"][0] == pytest.approx(by_hand(rows, rest)[0])
    assert f"not known: 1 of {len(revenue)} accounts." in result.note
    assert f"bring in nothing: 1 of {len(revenue)} accounts." in result.note


def test_answers_of_no_account_are_left_out():
    _, rows, revenue = made_up_study(76)
    rows.loc[0, "account_id"] = None
    rows.loc[0, "likelihood_to_recommend"] = 10
    study = Study.from_frames(responses=rows, customers=customers_of(rows, revenue))
    result = net_promoter_score(score_distribution(study, weight="revenue"))
    assert result.frame["estimate"][0] == pytest.approx(by_hand(rows.iloc[1:], revenue)[0])
    assert "not known: 1 of" in result.note


def test_without_accounts_customers_are_weighted():
    rows = pd.DataFrame(
        {"respondent_id": ["a", "b", "c", "a"], "wave": ["1", "1", "1", "2"], "likelihood_to_recommend": [10, 3, 8, 0]}
    )
    customers = pd.DataFrame({"customer_id": ["a", "b", "c"], "revenue": [100.0, 50, 50]})
    dist = score_distribution(Study.from_frames(responses=rows, customers=customers), weight="revenue")
    assert dist.design["cluster"] == "respondent_id"
    assert net_promoter_score(dist).frame["estimate"][0] == pytest.approx((100 * 0 - 50 * 100 + 0) / 200)


def test_where_all_revenue_is_nothing_there_is_no_score():
    rows = made_up_rows(np.random.default_rng(77), n=80)
    study, _, _ = made_up_study(77, n=80, revenue=dict.fromkeys(rows["account_id"], 0.0))
    frame = net_promoter_score(score_distribution(study, weight="revenue")).frame
    assert frame[["estimate", "std_error", "conf_low", "conf_high"]].isna().all(axis=None)


def test_what_cannot_be_weighted_by_revenue_is_refused():
    study, rows, _ = made_up_study(78)
    with pytest.raises(ContractError, match=r"cluster = 'region'.*clustered by account_id"):
        score_distribution(study, weight="revenue", cluster="region")
    with pytest.raises(CannotAnswerError, match=r"customers\.revenue"):
        score_distribution(Study.from_frames(responses=rows), weight="revenue")
    unnamed = rows.drop(columns="account_id")
    with pytest.raises(CannotAnswerError, match=r"responses\.account_id"):
        score_distribution(Study.from_frames(responses=unnamed, customers=study.customers), weight="revenue")


def test_groups_too_small_once_unknown_revenue_is_left_out_are_hidden_and_have_no_rates():
    n = 60
    table = pd.DataFrame(
        {
            "respondent_id": [f"p{row}" for row in range(n)],
            "account_id": [f"a{row}" for row in range(n)],
            "likelihood_to_recommend": [9, 3, 8] * (n // 3),
            "responded": 1,
            "region": ["N"] * 30 + ["S"] * 30,
        }
    )
    customers = pd.DataFrame({"customer_id": table["respondent_id"], "account_id": table["account_id"], "revenue": 5.0})
    customers.loc[35:, "revenue"] = None  # of region S, five accounts' revenue is known
    study = Study.from_frames(responses=table, customers=customers, segments=["region"])
    assert not score_distribution(study, by="region").hidden_groups
    dist = score_distribution(study, by="region", weight="revenue")
    assert dist.n.tolist() == [30, 5]
    assert dist.hidden_groups == {"N", "S"}
    assert dist.response_rate is None
