"""Figures: the given axes come back with the right numbers on them, and any text is only text."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.container import ErrorbarContainer
from matplotlib.figure import Figure

import nps_research as nps
from nps_research.results.drawing import DETRACTOR, PASSIVE, PROMOTER, _keep_inside, legend_below, style, svg

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from nps_research.results.result import Result

COUNTS = {"2017": [2, 1, 1, 3, 2, 9, 8, 19, 31, 27, 21], "2018": [9, 1, 2, 3, 4, 9, 8, 19, 31, 20, 18]}
WAVES = nps.ScoreDistribution.from_counts(COUNTS, ordered=True)
AREAS = nps.ScoreDistribution.from_counts(COUNTS)


@pytest.fixture(scope="module")
def demo() -> nps.Study:
    return nps.open_study("data/demo")


def drawn(result: Result) -> Axes:
    with style():
        ax = Figure().subplots()
        assert result.plot(ax) is ax
    return ax


def error_bars(ax: Axes) -> tuple[list[float], list[list[float]]]:
    """Points along x and the ends of their bars."""
    (container,) = [each for each in ax.containers if isinstance(each, ErrorbarContainer)]
    line, _, (bars,) = container.lines
    assert line is not None
    return np.asarray(line.get_xdata()).tolist(), [sorted(map(float, segment[:, 0])) for segment in bars.get_segments()]


def test_histogram_shows_each_share_in_the_palette() -> None:
    result = nps.score.score_histogram(AREAS, group="2017")
    ax = drawn(result)
    bars: list[Any] = list(ax.patches)
    assert [bar.get_height() for bar in bars] == pytest.approx([100 * n / 124 for n in COUNTS["2017"]])
    colours = [to_hex(bar.get_facecolor()).upper() for bar in bars]
    assert colours == [DETRACTOR.upper()] * 7 + [PASSIVE.upper()] * 2 + [PROMOTER.upper()] * 2
    words = " ".join(text.get_text() for text in ax.texts)
    assert "Detractors 21%" in words
    assert "Promoters 39%" in words


def test_groups_are_sorted_and_waves_in_order() -> None:
    by_area = drawn(nps.net_promoter_score(AREAS))
    assert [label.get_text().split()[0] for label in by_area.get_yticklabels()] == ["2017", "2018"]
    x, limits = error_bars(by_area)
    frame = nps.net_promoter_score(AREAS).frame.sort_values("estimate", ascending=False)
    assert x == pytest.approx(frame["estimate"].tolist())
    assert np.array(limits) == pytest.approx(frame[["conf_low", "conf_high"]].to_numpy())
    swapped = nps.ScoreDistribution.from_counts({"low": COUNTS["2018"], "high": COUNTS["2017"]}, ordered=True)
    names = [label.get_text().split()[0] for label in drawn(nps.net_promoter_score(swapped)).get_yticklabels()]
    assert names == ["low", "high"]


def test_trend_is_a_line_in_order_of_time_with_its_band() -> None:
    result = nps.trend(WAVES)
    ax = drawn(result)
    line = ax.lines[0]
    assert np.asarray(line.get_ydata()).tolist() == pytest.approx(result.frame["estimate"].tolist())
    assert [label.get_text() for label in ax.get_xticklabels()] == ["2017", "2018"]
    band = ax.collections[0].get_datalim(ax.transData)
    assert (band.y0, band.y1) == pytest.approx((result.frame["conf_low"].min(), result.frame["conf_high"].max()))
    assert "points" in ax.get_ylabel()


def test_differences_and_cuts_name_what_they_compare() -> None:
    ax = drawn(nps.compare_net_promoter_scores(AREAS))
    assert [label.get_text() for label in ax.get_yticklabels()] == ["2018 - 2017"]
    by_cut = nps.score.net_promoter_score_by_cut(AREAS)
    ax = drawn(by_cut)
    assert error_bars(ax)[0] == pytest.approx(by_cut.frame["estimate"].tolist())
    assert ax.get_yticklabels()[0].get_text() == "2017, detractors 0-6"


def test_funnel_shrinks_and_hatches_the_silent(demo: nps.Study) -> None:
    result = nps.responding.response_funnel(demo)
    ax = drawn(result)
    row = result.frame.iloc[-1]
    bars: list[Any] = list(ax.patches)
    assert [bar.get_width() for bar in bars[:4]] == [row[name] for name in ("invited", "delivered", "returned", "n")]
    (silent,) = [bar for bar in bars if bar.get_hatch()]
    assert silent.get_width() == row["nonrespondents"]
    assert silent.get_x() == row["returned"]


def test_representativeness_pairs_two_points_a_group(demo: nps.Study) -> None:
    result = nps.responding.representativeness(demo)
    ax = drawn(result)
    base, answers = ax.lines
    assert np.asarray(base.get_xdata()).tolist() == pytest.approx((100 * result.frame["base_share"]).tolist())
    assert np.asarray(answers.get_xdata()).tolist() == pytest.approx((100 * result.frame["answer_share"]).tolist())


def test_designs_are_drawn_one_by_one(demo: nps.Study) -> None:
    result = nps.score.compare_designs(demo)
    assert error_bars(drawn(result))[0] == pytest.approx(result.frame["estimate"].tolist())


@pytest.mark.parametrize(
    "name", ["$\\frac{1}{0}$", "<script>", "a" * 300, "Ґрунт і ґава", "名\x00前", "\n\n", "%s {0}"]
)
def test_any_text_can_be_a_label(name: str) -> None:
    dist = nps.ScoreDistribution.from_counts({name: COUNTS["2017"], "b": COUNTS["2018"]}, ordered=True)
    for result in (nps.net_promoter_score(dist), nps.trend(dist), nps.compare_net_promoter_scores(dist)):
        assert svg(result).startswith(b"<?xml")
        plt.switch_backend("agg")
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Glyph", category=UserWarning)
            result.plot()
            plt.gcf().canvas.draw()  # as a live notebook would, without our style
        plt.close("all")


def test_same_result_same_bytes_whatever_the_reader_has_set() -> None:
    first = svg(nps.trend(WAVES))
    with mpl.rc_context({"font.size": 30, "axes.facecolor": "red", "svg.fonttype": "none"}):
        assert svg(nps.trend(WAVES)) == first
    assert b"<dc:date>" not in first


@pytest.mark.parametrize("name", ["short", "Information booths (upper"])
def test_what_stands_below_is_not_cut_off(name: str) -> None:
    with style():
        figure = Figure(layout="constrained")
        ax = figure.subplots()
        for place, part in enumerate(("Making promoters", "Keeping from detractors", "95% interval")):
            ax.barh([name], [1], left=place, label=part)
        legend_below(ax, ncols=3)
        ax.set_xlabel("Contribution to the expected answer, NPS points (vermilion: low rating, blue: high rating)")
        legend = ax.get_legend()
        assert legend is not None
        figure.draw_without_rendering()
        before, label_before = legend.get_window_extent(), ax.xaxis.label.get_window_extent()
        _keep_inside(ax)
        figure.draw_without_rendering()
    extent = legend.get_window_extent()
    label = ax.xaxis.label.get_window_extent()
    assert figure.bbox.x0 <= min(extent.x0, label.x0)
    assert label.x1 <= figure.bbox.x1 + 1
    assert (label.x0 < label_before.x0) == (label_before.x1 > figure.bbox.x1) == (name != "short")
    assert extent.x1 <= figure.bbox.x1 + 1
    assert (extent.x0 < before.x0) == (before.x1 > figure.bbox.x1) == (name != "short")


def test_without_axes_a_new_figure_comes_and_nothing_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plt, "show", lambda: pytest.fail("a plot must not show itself"))
    plt.switch_backend("agg")
    ax = nps.trend(WAVES).plot()
    assert ax.get_title(loc="left")
    plt.close("all")


def test_a_group_without_answers_is_left_out() -> None:
    dist = nps.ScoreDistribution.from_counts({"a": COUNTS["2017"], "nobody": [0] * 11})
    labels = [label.get_text() for label in drawn(nps.net_promoter_score(dist)).get_yticklabels()]
    assert labels == ["a (n = 124)"]
    assert nps.net_promoter_score(dist).frame["estimate"].isna().tolist() == [False, True]
