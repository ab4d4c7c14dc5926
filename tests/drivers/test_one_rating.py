"""A study with one rating, or one above noise: nothing is set against itself, nothing is called the most of one."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from nps_research.drivers.effects import rating_effect
from nps_research.drivers.fit_drivers import fit_drivers, fit_drivers_from_frame
from nps_research.drivers.groups import compare_drivers
from nps_research.drivers.methods import compare_methods
from nps_research.drivers.model import MOST_LEADERS
from nps_research.drivers.priorities import importance_performance, simulate_improvement
from nps_research.errors import CannotAnswerError
from nps_research.study.study import Study
from nps_research.study.table_settings import DriverSettings

if TYPE_CHECKING:
    from nps_research.drivers.model import DriverModel

YEARS = [str(year) for year in range(12)]


def made_up(n: int = 2400) -> pd.DataFrame:
    """A rating of 1 to 10 that moves the answer, and one that does not; years as segments."""
    rng = np.random.default_rng(3)
    table = pd.DataFrame(rng.integers(1, 11, (n, 2)), columns=["Delivery", "Newsletter"])
    answer = (2 + 0.8 * table["Delivery"] + rng.normal(0, 1.5, n)).round().clip(0, 10)
    return table.assign(likelihood_to_recommend=answer, years=np.resize(YEARS, n))


@pytest.fixture(scope="module")
def study() -> Study:
    settings = DriverSettings(columns={"Delivery": "Delivery"}, scale=(1, 10))
    return Study.from_frames(responses=made_up().drop(columns="Newsletter"), drivers=settings, segments=["years"])


@pytest.fixture(scope="module")
def model(study: Study) -> DriverModel:
    return fit_drivers(study, n_resamples=20, rng=np.random.default_rng(1))


def test_the_only_rating_is_not_called_the_most(model: DriverModel) -> None:
    said = " ".join([model.in_words, model.promoters.in_words, model.detractors.in_words])
    assert "ost of all" not in said
    assert "Most is at stake" not in said
    assert "comes first" not in model.in_words
    assert "All ratings together" not in said
    row = model.frame.iloc[0]
    assert (
        f"well score {row['estimate']:.0f} NPS points above those who rate it poorly, other ratings equal."
        in model.finding
    )
    assert model.finding.startswith("The rating that matters is Delivery: customers who rate it well score ")
    assert "Holm" not in model.note


def test_the_only_rating_is_not_set_against_itself(model: DriverModel) -> None:
    with pytest.raises(CannotAnswerError, match="There is one rating, so no rating can be set against"):
        importance_performance(model)
    with pytest.raises(CannotAnswerError, match="With one rating methods have nothing to share out"):
        compare_methods(model)


def test_the_only_rating_above_noise_is_not_set_against_itself(few_resamples: int) -> None:
    table = made_up()
    model = fit_drivers_from_frame(
        table[["Delivery", "Newsletter"]], table["likelihood_to_recommend"], scale=(1, 10), n_resamples=few_resamples
    )
    assert model.leaders == ["Delivery"]
    with pytest.raises(CannotAnswerError, match=r"Only one rating \(Delivery\) is above noise, so no rating can be"):
        importance_performance(model)
    assert "Only Delivery is above noise: customers who rate it well" in model.finding


def test_first_place_is_called_open_where_ranks_overlap() -> None:
    rng = np.random.default_rng(5)
    ratings = pd.DataFrame(rng.integers(1, 6, (800, 2)), columns=["Price", "Support"])
    answer = (1 + 0.9 * ratings["Price"] + 0.9 * ratings["Support"] + rng.normal(0, 1.5, 800)).round().clip(0, 10)
    model = fit_drivers_from_frame(ratings, answer, n_resamples=20)
    assert model.shown["ranks"].iloc[0] == "1 to 2"
    assert " lead: customers who rate" in model.finding
    assert "its rank is from 1 to 2." in model.details


def test_first_place_among_many_is_called_open(few_resamples: int) -> None:
    rng = np.random.default_rng(5)
    names = ["Price", "Support", "Delivery", "Quality", "Advice"]
    ratings = pd.DataFrame(rng.integers(1, 6, (600, 5)), columns=names)
    answer = (0.4 * ratings.sum(axis=1) + 1 + rng.normal(0, 1.5, 600)).round().clip(0, 10)
    model = fit_drivers_from_frame(ratings, answer, n_resamples=20)
    leaders = model.shown.loc[model.shown["rank_low"] == 1, "term"]
    assert len(leaders) > MOST_LEADERS
    assert model.finding.startswith(
        f"First place is open among {len(leaders)} ratings: customers who rate {leaders.iloc[0]} well"
    )


def test_groups_that_are_numbers_stand_in_their_order(study: Study, model: DriverModel) -> None:
    found = compare_drivers(study, model)
    assert found.frame["group"].tolist() == YEARS
    assert "by 1 test (of a rating in a grouping)" in found.finding
    assert "1 tests" not in found.note


def test_improvement_says_how_much_higher(model: DriverModel) -> None:
    found = simulate_improvement(model)
    row = found.frame.iloc[0]
    said = f"Poor ratings of Delivery one point higher go with +{row['estimate']:.1f} NPS points (95% interval "
    assert found.in_words.startswith(said)


def test_legend_and_axis_label_stay_apart_in_a_low_figure(model: DriverModel) -> None:
    ax = model.plot()
    figure = ax.get_figure(root=True)
    assert figure is not None
    figure.canvas.draw()
    legend = ax.get_legend()
    assert legend is not None
    assert not legend.get_window_extent().overlaps(ax.xaxis.label.get_window_extent())


def test_labels_of_ten_ratings_stay_apart(model: DriverModel) -> None:
    ax = rating_effect(model, "Delivery").plot()
    figure = ax.get_figure(root=True)
    assert figure is not None
    figure.canvas.draw()
    boxes = [text.get_window_extent() for text in ax.get_xticklabels()]
    assert len(boxes) == 10
    assert not any(left.overlaps(right) for left, right in pairwise(boxes))
    assert ax.get_xlabel() == "Rating given, and number of answers"
