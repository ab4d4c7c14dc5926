"""One survey counted in several ways: made-up studies, and San Francisco airport's recomputed from its raw files."""

import csv

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from nps_research.counting.score_counts import score_distribution
from nps_research.errors import CannotAnswerError
from nps_research.score.by_cut import net_promoter_score_by_cut
from nps_research.score.designs import compare_designs
from nps_research.score.limits.independent import score_interval
from nps_research.score.limits.methods import estimate
from nps_research.score.score import net_promoter_score
from nps_research.score.trend import trend
from tests.support.made_up_answers import class_value, made_up_rows, study_of
from tests.support.real_surveys import REAL, real_study

NUMBERS = ["n", "n_effective", "estimate", "std_error", "conf_low", "conf_high"]
CHANGES = ["change", "change_conf_low", "change_conf_high", "change_p_value"]
YEARS = ("2017", "2018")


# Made-up studies


@pytest.mark.parametrize(
    ("weighted", "clustered", "ways"),
    [
        (True, True, [{"cluster": None, "weight": None}, {"cluster": None}, {}]),
        (True, False, [{"weight": None}, {}]),
        (False, True, [{"cluster": None}, {}]),
    ],
)
def test_each_way_of_counting_is_a_trend_of_its_own(weighted, clustered, ways):
    rows = made_up_rows(np.random.default_rng(60))
    rows = rows if weighted else rows.drop(columns="design_weight")
    study = study_of(rows, **({"cluster": "account_id"} if clustered else {}))
    result = compare_designs(study, confidence_level=0.9)
    terms = result.frame["term"].unique().tolist()
    assert len(terms) == len(ways)
    assert ("eighted" in terms[-1], "clustered" in terms[-1].lower()) == (weighted, clustered)
    for term, options in zip(terms, ways, strict=True):
        dist = score_distribution(study, by="wave", **options)
        part = result.frame[result.frame["term"] == term].reset_index(drop=True)
        pd.testing.assert_frame_equal(part[NUMBERS], net_promoter_score(dist, confidence_level=0.9).frame[NUMBERS])
        np.testing.assert_allclose(
            part.loc[1, CHANGES].astype(float), trend(dist, confidence_level=0.9).frame.loc[1, CHANGES].astype(float)
        )


def test_without_waves_the_study_is_one_group():
    study = study_of(made_up_rows(np.random.default_rng(61)).drop(columns="wave"))
    frame = compare_designs(study).frame
    assert frame["group"].tolist() == ["all", "all"]
    assert frame[CHANGES].isna().all(axis=None)
    assert frame["estimate"].iloc[1] == pytest.approx(
        net_promoter_score(score_distribution(study)).frame["estimate"][0]
    )


def test_the_studys_cuts_are_taken():
    rows = made_up_rows(np.random.default_rng(62)).drop(columns="wave")
    for cuts in ({}, {"detractor_max": 3}):
        study = study_of(rows, **cuts)
        expected = net_promoter_score(score_distribution(study), **cuts).frame["estimate"][0]
        assert compare_designs(study).frame["estimate"].iloc[-1] == pytest.approx(expected)


def test_answers_of_low_and_high_weight_are_scored_apart():
    rows = pd.DataFrame(
        {
            "likelihood_to_recommend": [10, 10, 9, 2, 8, 7, 0, 10],
            "design_weight": [1, 1, 1, 1, 1, 1, 5, 5],
            "wave": ["1"] * 8,
        }
    )
    result = compare_designs(study_of(rows, minimum_cell=1))
    assert result.light == {"1": pytest.approx(100 * (3 - 1) / 6)}
    assert result.heavy == {"1": pytest.approx(0)}


def test_equal_weights_have_no_low_and_high():
    rows = made_up_rows(np.random.default_rng(63)).assign(design_weight=2.0)
    result = compare_designs(study_of(rows))
    assert (result.light, result.heavy) == ({}, {})
    plain, weighted = (part["estimate"].tolist() for _, part in result.frame.groupby("term", sort=False))
    assert weighted == pytest.approx(plain)
    assert result.finding


def test_a_wave_is_hidden_in_every_way_of_counting_or_in_none():
    rows = made_up_rows(np.random.default_rng(64), n=120).assign(wave="2025")
    rows.loc[:3, ["wave", "likelihood_to_recommend"]] = ["2024", 10]
    result = compare_designs(study_of(rows, cluster="account_id"))
    assert result.shown.empty  # 2024 has 4 answers, and 2025 would let them be worked out from the total
    assert not [text for text in map(str, result._repr_mimebundle_().values()) if "2024" in text]


def test_too_few_answers_on_one_side_of_the_weights_are_not_scored_apart():
    rows = made_up_rows(np.random.default_rng(66), n=120).assign(design_weight=1.0, wave="2025")
    rows.loc[:3, "design_weight"] = 3.0
    result = compare_designs(study_of(rows))
    assert (result.light, result.heavy) == ({}, {})
    assert len(result.shown) == 2


def test_a_hidden_wave_is_not_given_away_by_the_change_after_it():
    rows = pd.concat(
        [made_up_rows(np.random.default_rng(67), n=n).assign(wave=wave) for n, wave in ((9, "1"), (9, "2"), (90, "3"))]
    )
    result = compare_designs(study_of(rows.assign(respondent_id=range(len(rows))), cluster="account_id"))
    assert result.frame.query("group == '3'")["change"].notna().all()
    assert result.shown.query("group == '3'")["change"].isna().all()


def test_a_study_without_weights_and_clusters_counts_in_one_way():
    with pytest.raises(CannotAnswerError, match="neither weights nor clusters"):
        compare_designs(study_of(made_up_rows(np.random.default_rng(65)).drop(columns="design_weight")))


# San Francisco airport


@pytest.fixture(scope="module")
def sfo():
    return real_study("sfo-airport")


@pytest.fixture(scope="module")
def raw() -> dict[str, list[tuple[int, float, str]]]:
    """Score, weight and interviewing run of each answer, read without the package."""
    found = {}
    for year in YEARS:
        with (REAL / "sfo-airport" / f"sfo_{year}.csv").open(encoding="latin1", newline="") as file:
            rows = csv.reader(file)
            at = {name.strip(): place for place, name in enumerate(next(rows))}
            cells = [[row[at[name]].strip() for name in ("NETPRO", "WEIGHT", "RUNID")] for row in rows]
        # Who carries no run's number is a run alone.
        runs = [run or f"alone {place}" for place, (_, _, run) in enumerate(cells)]
        table = [(int(s or 11), float(w), run) for (s, w, _), run in zip(cells, runs, strict=True)]
        found[year] = [row for row in table if row[0] <= 10]
        found[f"{year} missing"] = [row for row in table if row[0] > 10]
    return found


def by_hand(answers, *, weighted, clustered, detractor_max=6) -> tuple[float, float, float]:
    """Score, its standard error, and the effective number of clusters, (sum w)^2 / sum w^2."""
    value = np.array([class_value(score, detractor_max=detractor_max) for score, _, _ in answers], dtype=float)
    weight = np.array([w for _, w, _ in answers]) if weighted else np.ones(len(answers))
    score = (weight * value).sum() / weight.sum()
    parts: dict[object, float] = {}
    weights: dict[object, float] = {}
    for place, (_, _, run) in enumerate(answers):
        key = run if clustered else place
        parts[key] = parts.get(key, 0.0) + weight[place] * (value[place] - score) / weight.sum()
        weights[key] = weights.get(key, 0.0) + weight[place]
    k = sum(weights.values()) ** 2 / sum(w**2 for w in weights.values())
    return score, float(np.sqrt(k / (k - 1) * sum(part**2 for part in parts.values()))), k


@pytest.mark.real
def test_sfo_unweighted_scores_are_the_known_ones(sfo):
    dist = score_distribution(sfo, by="wave", cluster=None, weight=None)
    assert dist.groups == YEARS
    assert dist.item_missing.tolist() == [85, 159]
    frame = net_promoter_score_by_cut(dist).frame
    assert frame["term"].tolist() == ["0-6", "0-3"] * 2
    assert frame["estimate"].round(1).tolist() == [39.8, 50.5, 31.0, 44.6]
    assert dist.nonrespondents is None  # silence cannot be seen in this survey


@pytest.mark.real
def test_sfo_counts_are_those_of_the_raw_files(sfo, raw):
    dist = score_distribution(sfo, by="wave")
    for row, year in enumerate(YEARS):
        counts = np.bincount([score for score, _, _ in raw[year]], minlength=11)
        assert dist.counts[row].tolist() == counts.tolist()
        assert dist.item_missing[row] == len(raw[f"{year} missing"])
        weights = np.bincount([s for s, _, _ in raw[year]], weights=[w for _, w, _ in raw[year]], minlength=11)
        np.testing.assert_allclose(dist.weight_sums[row], weights)


@pytest.mark.real
@pytest.mark.parametrize(("weighted", "clustered"), [(False, True), (True, False), (True, True)])
@pytest.mark.parametrize("detractor_max", [6, 3])
def test_sfo_scores_and_errors_are_those_computed_by_hand(sfo, raw, weighted, clustered, detractor_max):
    dist = score_distribution(
        sfo, by="wave", weight="auto" if weighted else None, cluster="auto" if clustered else None
    )
    frame = net_promoter_score(dist, detractor_max=detractor_max).frame
    for row, year in enumerate(YEARS):
        score, error, k = by_hand(raw[year], weighted=weighted, clustered=clustered, detractor_max=detractor_max)
        assert frame.loc[row, "estimate"] == pytest.approx(score)
        assert frame.loc[row, "std_error"] == pytest.approx(error)
        promoters, detractors = frame.loc[row, ["promoter_share", "detractor_share"]]
        told = 1e4 * (promoters + detractors - (score / 100) ** 2) / error**2
        told *= (stats.norm.ppf(0.975) / stats.t.ppf(0.975, k - 1)) ** 2
        independent = by_hand(raw[year], weighted=weighted, clustered=False)[2]  # never more than these
        told = min(told, independent)
        shares = np.array([[detractors, 1 - promoters - detractors, promoters]])
        expected = score_interval(shares * told, confidence_level=0.95)
        assert frame.loc[row, "conf_low"] == pytest.approx(expected.conf_low[0])
        assert frame.loc[row, "conf_high"] == pytest.approx(expected.conf_high[0])


@pytest.mark.real
def test_sfo_fell_by_five_points_and_that_is_not_established(sfo, raw):
    result = trend(score_distribution(sfo, by="wave"))
    assert result.frame["estimate"].round(1).tolist() == [40.4, 35.1]
    change = result.frame.loc[1]
    assert change["change"] == pytest.approx(-5.3, abs=0.05)
    (a, va, ka), (b, vb, kb) = (
        (score, error**2, k) for score, error, k in (by_hand(raw[y], weighted=True, clustered=True) for y in YEARS)
    )
    freedom = min(ka, kb) - 1
    half = stats.t.ppf(0.975, freedom) * np.sqrt(va + vb)
    assert change[["change_conf_low", "change_conf_high"]].tolist() == pytest.approx([b - a - half, b - a + half])
    assert change["change_conf_low"] < 0 < change["change_conf_high"]
    assert "down 5.3 since 2017, likely but not proven" in result.in_words


@pytest.mark.real
def test_sfo_runs_of_one_number_are_other_runs_in_another_year(sfo, raw):
    assert {run for _, _, run in raw["2017"]} & {run for _, _, run in raw["2018"]}
    dist = score_distribution(sfo, by="wave")
    found = estimate(dist, method="linearized", confidence_level=0.95)
    assert found.covariance[0, 1] == 0
    assert (found.degrees + 1).tolist() == [len({run for _, _, run in raw[year]}) for year in YEARS]


@pytest.mark.real
def test_sfo_designs_show_the_unweighted_fall_beside_the_surveys_own(sfo):
    result = compare_designs(sfo)
    by_term = dict(list(result.frame.groupby("term", sort=False)))
    plain, own = next(iter(by_term.values())), list(by_term.values())[-1]
    assert plain["estimate"].round(1).tolist() == [39.8, 31.0]
    assert own["estimate"].round(1).tolist() == [40.4, 35.1]
    assert plain["change_p_value"].iloc[1] < 0.05 < own["change_p_value"].iloc[1]
    assert (own["n_effective"].to_numpy() < plain["n_effective"].to_numpy()).all()
    assert "−5.3, likely but not proven." in result.finding


def test_a_change_whose_error_is_not_known_is_not_called_established_or_not():
    rows = pd.DataFrame({"likelihood_to_recommend": [3, 7, 10] * 40, "wave": ["a"] * 60 + ["b"] * 60})
    rows["cluster"] = [*(row % 12 for row in range(60)), *[1] * 60]
    result = compare_designs(study_of(rows))
    assert "how surely cannot be told from these clusters" in result.finding
    assert "nan" not in result.finding + result.note
