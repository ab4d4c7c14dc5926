"""From rows to counts: against pandas, and every way of saying nothing."""

import numpy as np
import pandas as pd
import pytest

from nps_research.counting.cells import NOT_STATED
from nps_research.counting.score_counts import score_distribution
from nps_research.errors import CannotAnswerError, ContractError
from nps_research.score.trend import trend
from nps_research.study.study import Study
from tests.support.made_up_answers import distribution_of, made_up_rows, study_of


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    return made_up_rows(np.random.default_rng(4))


def counted_by_pandas(rows: pd.DataFrame, keys: list[str]) -> dict[str, list[int]]:
    answered = rows.dropna(subset=["likelihood_to_recommend"])
    return {
        " \N{MIDDLE DOT} ".join(names): part["likelihood_to_recommend"]
        .astype(int)
        .value_counts()
        .reindex(range(11), fill_value=0)
        .tolist()
        for names, part in answered.groupby(keys)
    }


@pytest.mark.parametrize("keys", [["wave"], ["region"], ["wave", "region"]])
def test_counts_are_those_of_pandas(rows, keys):
    dist = distribution_of(rows, by=keys)
    assert dict(zip(dist.groups, dist.counts.tolist(), strict=True)) == counted_by_pandas(rows, keys)
    assert dist.item_missing.sum() == rows["likelihood_to_recommend"].isna().sum()
    assert dist.by == tuple(keys)
    assert dist.ordered == (keys == ["wave"])


def test_weights_are_summed_and_their_squares(rows):
    dist = distribution_of(rows, by="region", cluster="account_id")
    answered = rows.dropna(subset=["likelihood_to_recommend"])
    for row, region in enumerate(dist.groups):
        inside = answered[answered["region"] == region]
        for score in range(11):
            weight = inside.loc[inside["likelihood_to_recommend"] == score, "design_weight"]
            assert dist.weight_sums[row, score] == pytest.approx(weight.sum())
            assert dist.squared_weight_sums[row, score] == pytest.approx((weight**2).sum())
            in_clusters = dist.clusters.sums[dist.clusters.group == row, score].sum()
            assert in_clusters == pytest.approx(weight.sum())
    assert dist.design == {"weight": "design_weight", "cluster": "account_id"}


def test_clusters_hold_each_accounts_answers(rows):
    dist = distribution_of(rows, cluster="account_id", weight=None)
    expected = rows.groupby("account_id")["likelihood_to_recommend"].count()
    found = dict(zip(dist.clusters.label, dist.clusters.sums.sum(axis=1), strict=True))
    assert found == {label: n for label, n in expected.items() if n}


def test_weights_and_clusters_can_be_left_out(rows):
    dist = distribution_of(rows.assign(cluster=rows["account_id"]), cluster=None, weight=None)
    assert (dist.weight_sums, dist.squared_weight_sums, dist.clusters, dist.design) == (None, None, None, {})


def test_the_cluster_column_is_taken_where_there_is_one_and_numbered_anew_in_each_wave(rows):
    numbered = rows.assign(cluster=rows["account_id"])
    per_wave = distribution_of(numbered, by="wave")
    assert len(set(per_wave.clusters.label)) == len(per_wave.clusters.label)  # none in both waves
    spanning = score_distribution(study_of(numbered, cluster_spans_waves=True), by="wave")
    assert len(set(spanning.clusters.label)) < len(spanning.clusters.label)


def test_the_declared_cluster_wins(rows):
    declared = score_distribution(study_of(rows, cluster="account_id"))
    assert declared.design["cluster"] == "account_id"
    assert set(declared.clusters.label) == set(rows.dropna(subset=["likelihood_to_recommend"])["account_id"])


def test_who_belongs_to_no_cluster_is_one_alone():
    table = pd.DataFrame({"account_id": ["a", "a", None, None], "likelihood_to_recommend": [10, 9, 8, 8]})
    dist = distribution_of(table, cluster="account_id")
    assert sorted(dist.clusters.sums.sum(axis=1)) == [1, 1, 2]


def test_silent_and_bounced_are_told_apart_where_the_study_knows():
    table = pd.DataFrame(
        {
            "likelihood_to_recommend": [10, 3, None, None, None],
            "delivered": [1, 1, 1, 1, 0],
            "responded": [1, 1, 1, 0, 0],
        }
    )
    dist = distribution_of(table)
    kinds = (dist.n, dist.item_missing, dist.nonrespondents, dist.not_reached)
    assert [kind.tolist() for kind in kinds] == [[2], [1], [1], [1]]
    assert dist.response_rate.tolist() == [0.75]


def test_without_delivery_or_response_data_every_missing_answer_is_item_nonresponse(rows):
    dist = distribution_of(rows)
    assert dist.item_missing.tolist() == [rows["likelihood_to_recommend"].isna().sum()]
    assert (dist.nonrespondents, dist.not_reached) == (None, None)


def test_weekday_and_hour_of_the_answer():
    table = pd.DataFrame(
        {
            "likelihood_to_recommend": [10, 3, None, 8, None],
            "delivered": 1,
            "invited_at": "2026-03-01",
            "responded_at": ["2026-03-09 08:30", "2026-03-03 22:00", "2026-03-09 08:59", "2026-03-03 07:00", None],
        }
    )
    days = distribution_of(table, by="weekday")
    assert days.groups == ("Monday", "Tuesday")
    assert (days.n.tolist(), days.item_missing.tolist()) == ([1, 2], [1, 0])
    assert days.nonrespondents is None  # who never answered did so on no day
    assert distribution_of(table, by="hour").groups == ("07:00", "08:00", "22:00")


def dated_rows():
    return pd.DataFrame(
        {
            "likelihood_to_recommend": [10, 3, None, 8, 7, None],
            "delivered": 1,
            "invited_at": ["2024-12-20", "2025-09-30", "2025-09-30", "2025-10-01", "2026-01-01", None],
            "responded_at": ["2025-01-02 09:00", "2025-10-01", "2025-12-31 23:59", "2025-10-09", None, None],
        }
    )


def test_months_quarters_and_years_of_the_answer_else_of_the_invitation():
    months = distribution_of(dated_rows(), by="month")
    assert months.groups == ("2025-01", "2025-10", "2025-12", "2026-01")
    assert (months.n.tolist(), months.item_missing.tolist()) == ([1, 2, 0, 1], [0, 0, 1, 0])
    assert months.ordered
    assert months.nonrespondents is None  # silence has no date
    assert distribution_of(dated_rows(), by="quarter").groups == ("2025 Q1", "2025 Q4", "2026 Q1")
    assert distribution_of(dated_rows(), by=["year", "quarter"]).keys[0] == ("2025", "2025 Q1")
    assert trend(distribution_of(dated_rows(), by="year")).frame["group"].tolist() == ["2025", "2026"]


def test_quarters_of_the_invitation_where_answers_are_not_dated():
    quarters = distribution_of(dated_rows().drop(columns="responded_at"), by="quarter")
    assert quarters.groups == ("2024 Q4", "2025 Q3", "2025 Q4", "2026 Q1", NOT_STATED)
    assert quarters.nonrespondents.tolist() == [0, 1, 0, 0, 1]


def test_a_column_of_that_name_comes_before_the_dates():
    rows = dated_rows().assign(month=list("babaab"))
    months = score_distribution(Study.from_frames(responses=rows, segments=["month"]), by="month")
    assert months.groups == ("a", "b")
    assert not months.ordered


def test_a_study_without_dates_has_no_quarters():
    with pytest.raises(CannotAnswerError, match=r"responses\.responded_at.*responses\.invited_at"):
        distribution_of(dated_rows()[["likelihood_to_recommend"]], by="quarter")


def test_groups_stand_in_the_order_readers_expect():
    table = pd.DataFrame(
        {"likelihood_to_recommend": [1, 2, 3, 4, 5, 6], "region": ["10", "9", "other", "Area 2", None, "9"]}
    )
    assert distribution_of(table, by="region").groups == ("9", "10", "Area 2", "other", NOT_STATED)


def test_nobody_answered():
    table = pd.DataFrame(
        {"likelihood_to_recommend": [None, None], "responded": [0, 0], "account_id": ["a", "b"], "design_weight": 1.0}
    )
    with pytest.raises(CannotAnswerError, match="likelihood_to_recommend"):
        distribution_of(table, cluster="account_id")


def test_a_group_in_which_nobody_answered_stays_in():
    table = pd.DataFrame({"likelihood_to_recommend": [None, 4], "region": ["north", "south"], "account_id": ["a", "b"]})
    dist = distribution_of(table, by="region", cluster="account_id")
    assert (dist.groups, dist.n.tolist(), dist.item_missing.tolist()) == (("north", "south"), [0, 1], [1, 0])


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"by": "regoin"}, "no column 'regoin': did you mean region"),
        ({"cluster": "acount_id"}, "no column 'acount_id': did you mean account_id"),
        ({"weight": "design_wieght"}, "did you mean design_weight"),
    ],
)
def test_a_misspelt_column_is_met_with_a_guess(rows, options, says):
    with pytest.raises(ContractError, match=says):
        distribution_of(rows, **options)


def test_a_standard_column_that_the_study_lacks_is_named(rows):
    with pytest.raises(CannotAnswerError, match=r"responses\.channel"):
        distribution_of(rows, by="channel")
    with pytest.raises(CannotAnswerError, match=r"responses\.responded_at"):
        distribution_of(rows, by="weekday")


def test_a_weight_that_is_no_number_is_refused_without_its_cells(rows):
    with pytest.raises(ContractError, match="region") as caught:
        distribution_of(rows, weight="region")
    assert "north" not in str(caught.value)


def test_counting_leaves_the_study_as_it_was(rows):
    study = study_of(rows)
    before = study.responses.copy(deep=True)
    score_distribution(study, by=["wave", "region"], cluster="account_id")
    pd.testing.assert_frame_equal(study.responses, before)


@pytest.mark.parametrize("name", ["respondent_id", "account_id", "comment", "cluster"])
def test_who_answered_cannot_be_grouped_by(name):
    table = pd.DataFrame({"likelihood_to_recommend": [9, 8], name: ["a", "b"]})
    with pytest.raises(ContractError, match=f"{name} tells who answered"):
        score_distribution(Study.from_frames(responses=table), by=name)


def test_columns_whose_names_differ_in_case_alone():
    table = pd.DataFrame({"likelihood_to_recommend": [9, 8, 1], "channel": list("xxy"), "Channel": list("abb")})
    study = Study.from_frames(responses=table, segments=["Channel"], settings={"minimum_cell": 2})
    assert score_distribution(study, by="channel").n.tolist() == [2, 1]
    assert score_distribution(study, by="Channel").n.tolist() == [1, 2]


def test_a_sum_hides_what_a_part_hid():
    tables = [{"A": 30, "B": 12, "C": 8}, {"A": 30, "B": 10, "D": 10}]
    parts = [
        score_distribution(
            Study.from_frames(
                responses=pd.DataFrame(
                    {"likelihood_to_recommend": 9, "area": [name for name, n in sizes.items() for _ in range(n)]}
                ),
                segments=["area"],
            ),
            by="area",
        )
        for sizes in tables
    ]
    assert parts[0].hidden_groups == {"B", "C"}
    assert {"B", "C"} <= (parts[0] + parts[1]).hidden_groups
