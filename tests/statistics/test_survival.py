"""Curves, rates, the log-rank test and hazard ratios: against R, brute force, and each other."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from nps_research.statistics.cox import cox
from nps_research.statistics.hazard_ratios import hazard_ratios
from nps_research.statistics.rate_ratios import rate_ratios
from nps_research.statistics.standardised_rates import adjustment, standardised_risks
from nps_research.statistics.survival import log_rank, survival, survival_risks
from tests.support.published import ROOT

REFERENCE = ROOT / "tests" / "reference"
LUNG = pd.read_csv(REFERENCE / "surv_lung_inst.csv")
R = json.loads((REFERENCE / "survival_lung.json").read_text())
# R's lung has one man more, whose institution is missing: he died between days 321 and 332, as its log-rank test says
DAYS = np.append(LUNG["time"].to_numpy(dtype=float), 325.0)
DIED = np.append(LUNG["status"].to_numpy() == 2, True)
MAN = np.append(LUNG["sex"].to_numpy() == 1, True)


@pytest.mark.parametrize("row", R["km_lung_by_sex"], ids=lambda row: f"{row['strata']} day {row['time']}")
def test_kaplan_meier_is_survfits(row):
    member = (row["strata"] == "sex=1") == MAN
    stayed, greenwood, at_risk = survival(DAYS[member], DIED[member])
    day = row["time"]
    assert stayed[day] == pytest.approx(row["surv"], rel=1e-12)
    assert stayed[day] * np.sqrt(greenwood[day]) == pytest.approx(row["std.err"], rel=1e-10)
    assert at_risk[day] == row["n.risk"]


@pytest.mark.parametrize("day", [90, 180, 365, 700])
def test_the_jackknife_of_independent_rows_is_greenwoods_error(day):
    risks = survival_risks(DAYS, DIED, 1 - MAN.astype(int), np.arange(len(DAYS)), n_groups=2, at=[day])[0]
    for place, member in enumerate([MAN, ~MAN]):
        stayed, greenwood, _ = survival(DAYS[member], DIED[member])
        assert risks.risk[place] == pytest.approx(1 - stayed[day], rel=1e-12)
        n = len(DAYS)
        # Greenwood's, but for m / (m - 1) and what little the squares of single influences differ with censoring
        assert risks.covariance[place, place] * (n - 1) / n == pytest.approx(
            stayed[day] ** 2 * greenwood[day], rel=0.02
        )
    assert abs(risks.covariance[0, 1]) < 1e-15


def test_influence_is_what_a_row_more_of_weight_does():
    """Brute force: each row is given a thousandth more weight."""
    rng = np.random.default_rng(3)
    days, left = rng.integers(1, 12, 40).astype(float), rng.random(40) < 0.5
    cluster = rng.integers(0, 12, 40)

    def risk(weight):
        stayed = 1.0
        for day in range(1, 9):
            stayed *= 1 - weight[left & (days == day)].sum() / weight[days >= day].sum()
        return 1 - stayed

    nudged = [(risk(1 + 1e-6 * np.eye(40)[row]) - risk(np.ones(40))) / 1e-6 for row in range(40)]
    sums = np.bincount(cluster, nudged)
    found = survival_risks(days, left, np.zeros(40, int), cluster, n_groups=1, at=[8])[0]
    assert found.risk[0] == pytest.approx(risk(np.ones(40)), rel=1e-12)
    assert found.covariance[0, 0] == pytest.approx((sums**2).sum() * 12 / 11, rel=1e-4)


def test_a_group_without_leavers_counts_as_many_rows_as_it_has_where_rows_are_independent():
    left = np.arange(400) % 4 == 0
    group = np.arange(400) // 200
    days, each = np.where(left, 50.0, 180.0), np.arange(400)
    calm = survival_risks(days, left & (group == 0), group, each, n_groups=2, at=[180])[0]
    assert calm.n_effective[1] == pytest.approx(200, rel=0.01)
    # the same rows in a third group, as all who answered are: nothing gets less sure
    both = np.concatenate([each, each])
    three = survival_risks(
        days[both], (left & (group == 0))[both], np.append(group, np.full(400, 2)), both, n_groups=3, at=[180]
    )[0]
    assert three.n_effective[1] == pytest.approx(200, rel=0.01)
    # clusters of 8 that leave as one: 25 rows' worth, and so in the calm group
    as_one = (each // 8 % 4 == 0) & (group == 0)
    eights = survival_risks(np.where(as_one, 50.0, 180.0), as_one, group, each // 8, n_groups=2, at=[180])[0]
    np.testing.assert_allclose(eights.n_effective, [25, 25], rtol=0.05)


@pytest.mark.parametrize("alike", [0.8, 0.0, -0.5])
def test_limits_of_a_difference_know_that_units_stand_in_both_groups(alike):
    """Every unit has a row in each group, which leave together, apart, or one in place of the other."""
    rng = np.random.default_rng(8)
    n, m = 2000, 2000
    one = rng.random(n) < 0.4
    same, drawn = rng.random(n) < abs(alike), rng.random(n) < 0.4
    other = np.where(same, one if alike > 0 else ~one & (rng.random(n) < 2 / 3), drawn)
    left, unit, group = np.concatenate([one, other]), np.tile(np.arange(n), 2), np.repeat([0, 1], n)
    risks = survival_risks(np.full(2 * n, 9.0), left, group, unit, n_groups=2, at=[9])[0]
    _, low, high = risks.difference(0, 1, 0.95)
    error = (one.astype(float) - other).std() / np.sqrt(m)
    assert (high - low) / 2 / 1.96 == pytest.approx(error, rel=0.02)
    assert risks.statistic(0, 1) == pytest.approx((one.mean() - other.mean()) / error, rel=0.03)


def test_a_rate_is_never_surer_than_as_many_independent_rows():
    """Clusters that each hold one leaver and one stayer do not err at all; n rows count as n none the less."""
    left, cluster = np.tile([True, False], 50), np.arange(100) // 2
    left[:2] = True
    risks = survival_risks(np.full(100, 9.0), left, np.zeros(100, int), cluster, n_groups=1, at=[9])[0]
    assert risks.n_effective[0] == 100


def test_log_rank_is_survdiffs():
    z, p = log_rank(DAYS, DIED, MAN)
    assert z**2 == pytest.approx(R["logrank"]["chisq"], rel=1e-10)
    assert p == pytest.approx(R["logrank"]["p"], rel=1e-8, abs=0)


def test_log_rank_within_strata_is_statsmodels():
    from statsmodels.duration.survfunc import survdiff

    rng = np.random.default_rng(4)
    strata = rng.integers(0, 3, len(DAYS))
    z, p = log_rank(DAYS, DIED, MAN, strata=strata)
    theirs = survdiff(DAYS, DIED.astype(float), MAN.astype(int), strata=strata)
    assert (z**2, p) == pytest.approx(theirs, rel=1e-8)


def test_copies_of_a_cluster_add_nothing_to_the_clustered_log_rank_test():
    each = np.arange(len(DAYS))
    once, _ = log_rank(DAYS, DIED, MAN, cluster=each)
    thrice, _ = log_rank(np.tile(DAYS, 3), np.tile(DIED, 3), np.tile(MAN, 3), cluster=np.tile(each, 3))
    assert thrice == pytest.approx(once, rel=1e-9)
    assert abs(log_rank(np.tile(DAYS, 3), np.tile(DIED, 3), np.tile(MAN, 3))[0]) > 1.6 * abs(once)


def test_clustered_cox_is_coxphs():
    theirs = json.loads((REFERENCE / "cox_lung_cluster.json").read_text())["breslow"]
    found = hazard_ratios(
        LUNG["time"].to_numpy(dtype=float),
        LUNG["status"].to_numpy() == 2,
        LUNG["sex"].to_numpy() - 1,
        n_groups=2,
        other=LUNG[["age"]].to_numpy(dtype=float),
        strata=np.zeros(len(LUNG), dtype=int),
        cluster=pd.factorize(LUNG["inst"])[0],
    )
    assert -found.estimate[1] == pytest.approx(theirs["coef"][1], abs=1e-7)
    assert found.std_error[1] == pytest.approx(theirs["robust_se"][1], abs=1e-7)


def test_cox_with_strata_and_clusters_is_statsmodels():
    from statsmodels.duration.hazard_regression import PHReg

    rng = np.random.default_rng(6)
    n = 600
    design = np.column_stack([rng.standard_normal((n, 3)), rng.random(n) < 0.3]) + 5
    days = np.ceil(rng.exponential(60 * np.exp(-0.5 * design[:, 0])))
    died, days = days <= 40, np.minimum(days, 40)
    strata, cluster = rng.integers(0, 4, n), rng.integers(0, 90, n)
    found = cox(days, died, design, strata=strata, cluster=cluster)
    theirs = PHReg(days, design, status=died.astype(float), strata=strata, ties="breslow").fit(groups=cluster)
    np.testing.assert_allclose(found[0], theirs.params, rtol=1e-7)
    np.testing.assert_allclose(np.sqrt(np.diag(found[1])), theirs.bse, rtol=1e-7)


def test_cox_without_a_maximum_gives_nothing():
    """All of one group leave before any other: the ratio has no end."""
    days = np.repeat([1.0, 9.0], 30)
    member = np.repeat([1.0, 0.0], 30)[:, None]
    assert cox(days, np.ones(60, dtype=bool), member, strata=np.zeros(60, int), cluster=np.arange(60)) is None


def test_a_group_without_an_event_has_no_hazard_ratio_and_does_not_disturb_the_others():
    group = np.arange(len(DAYS)) % 2
    shared = {"strata": np.zeros(len(DAYS), int), "cluster": np.arange(len(DAYS))}
    two = hazard_ratios(DAYS, DIED, group, n_groups=2, **shared)
    spared = np.where(np.arange(len(DAYS)) < 30, 2, group)
    three = hazard_ratios(DAYS, DIED & (spared != 2), spared, n_groups=3, **shared)
    assert np.isnan(three.estimate[2])
    assert np.isfinite(three.estimate[1])
    assert np.isfinite(two.estimate[1])
    assert np.isnan(two.estimate[0])


def test_standardised_risks_undo_confounding_that_is_known():
    rng = np.random.default_rng(7)
    n = 40_000
    older = rng.random(n) < 0.5
    group = (rng.random(n) < np.where(older, 0.8, 0.2)).astype(int)
    event = rng.random(n) < 0.1 + 0.2 * older + 0.1 * group
    raw = event[group == 1].mean() - event[group == 0].mean()
    rows = pd.DataFrame({"older": older.astype(str)})
    risks, covariance = standardised_risks(
        event, group, n_groups=2, other=adjustment(rows, [], ["older"]), cluster=np.arange(n)
    )
    error = np.sqrt(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1])
    assert raw > 0.2
    assert risks[1] - risks[0] == pytest.approx(0.1, abs=3.3 * error + 0.01)


def test_missing_numbers_are_their_own_indicator_and_constant_columns_do_no_harm():
    rows = pd.DataFrame(
        {"tenure": [1.0, np.nan, 3.0, 2.0], "same": [5.0] * 4, "none": [np.nan] * 4, "seg": list("abab")}
    )
    design = adjustment(rows, ["tenure", "same", "none"], ["seg"])
    assert design.shape == (4, 5)
    assert design[:, 1].tolist() == [1, 2, 3, 2]
    assert design[:, 2].tolist() == [0, 1, 0, 0]


@given(
    hnp.arrays(np.int64, 40, elements=st.integers(1, 30)),
    hnp.arrays(np.bool_, 40),
    hnp.arrays(np.int64, 40, elements=st.integers(0, 2)),
)
def test_survival_never_rises_and_limits_hold_the_rate(days, left, group):
    stayed, _, at_risk = survival(days.astype(float), left)
    assert stayed[0] == 1
    assert (np.diff(stayed) <= 0).all()
    assert (np.diff(at_risk) <= 0).all()
    for risks in survival_risks(days.astype(float), left, group, np.arange(40) // 2, n_groups=3, at=[5, 30]):
        low, high = risks.limits(0.95)
        known = risks.n > 0
        assert ((low <= risks.risk + 1e-12) & (risks.risk <= high + 1e-12))[known].all()
        assert ((low >= 0) & (high <= 1))[known].all()
        assert (risks.n_effective <= risks.n + 1e-9)[known].all()
        if known[:2].all():
            estimate, lower, upper = risks.difference(0, 1, 0.95)
            assert lower - 1e-9 <= estimate <= upper + 1e-9
            assert risks.difference(1, 0, 0.95)[0] == -estimate


def test_ratios_err_as_leaving_out_a_unit_at_a_time_says():
    """Units of which most stand in both groups, with the same fate."""
    rng = np.random.default_rng(6)
    unit, group = np.repeat(np.arange(400), 2), np.tile([0, 1], 400)
    group[rng.random(800) < 0.1] = 0
    fate = rng.random(400) < 0.2
    chance = rng.random(800)
    left = np.where(group == 0, fate[unit] | (chance < 0.3), fate[unit] & (chance < 0.5))
    days = np.where(left, 40.0, 90.0)
    risks = survival_risks(days, left, group, unit, n_groups=2, at=[90])[0]
    x, n, y, m = risks.effective_counts(0, 1, of_ratio=True)
    logs = []
    for gone in range(400):
        kept = unit != gone
        logs.append(np.log(left[kept & (group == 0)].mean() / left[kept & (group == 1)].mean()))
    assert (1 - x / n) / x + (1 - y / m) / y == pytest.approx(399 * np.var(logs), rel=0.05)
    assert x / n == pytest.approx(risks.risk[0])
    size = np.bincount(unit[group == 0], minlength=400)
    assert risks.clusters[0] == pytest.approx(size.sum() ** 2 / (size**2).sum())
    found = risks.ratio(0, 1, margin=1.5, alpha=0.05)
    expected = rate_ratios(*np.array([[x], [n], [y], [m]]), margin=1.5, alpha=0.05, degrees=min(risks.clusters) - 1)
    assert found.p_not_better[0] == pytest.approx(expected.p_not_better[0])
    few = replace(risks, clusters=np.array([9.0, 5.0])).ratio(0, 1, margin=1.5, alpha=0.05)
    assert np.ptp(np.log(few.limits(0.9))) / np.ptp(np.log(found.limits(0.9))) == pytest.approx(2.132 / 1.645, rel=0.02)
