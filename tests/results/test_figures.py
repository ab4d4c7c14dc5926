"""Figures: the given axes come back with the right numbers on them, and any text is only text."""

from __future__ import annotations

import warnings
from dataclasses import replace
from functools import cache
from importlib import import_module
from itertools import combinations, pairwise
from pathlib import Path
from pkgutil import walk_packages
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from matplotlib.container import ErrorbarContainer
from matplotlib.figure import Figure
from matplotlib.text import Text

import nps_research as nps
from nps_research.made_up.simulate import simulate_study
from nps_research.made_up.truth import Truth
from nps_research.responding.funnel import ResponseFunnel
from nps_research.results.drawing import house_style, legend_below, literal, name_points, page_figure, svg
from nps_research.results.fitting import NARROW, fit
from nps_research.results.palette import DETRACTOR, PASSIVE, PROMOTER
from nps_research.results.result import Result
from nps_research.score.class_shares import ClassShares
from nps_research.score.trend import Trend
from nps_research.thresholds.comparison import ThresholdComparison
from tests.support.made_up_calls import called_study, called_tables
from tests.support.made_up_ratings import fitted_study
from tests.support.made_up_silence import panel

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.axes import Axes

COUNTS = {"2017": [2, 1, 1, 3, 2, 9, 8, 19, 31, 27, 21], "2018": [9, 1, 2, 3, 4, 9, 8, 19, 31, 20, 18]}
WAVES = nps.ScoreDistribution.from_counts(COUNTS, ordered=True)
AREAS = nps.ScoreDistribution.from_counts(COUNTS)


@pytest.fixture(scope="module")
def demo() -> nps.Study:
    return nps.open_study("data/demo")


def drawn(result: Result) -> Axes:
    with house_style():
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


def test_a_single_dot_is_not_drawn_on_a_page() -> None:
    table = pd.DataFrame({"likelihood_to_recommend": [10, 9, 3, 8] * 20, "area": ["a", "b"] * 40})
    study = nps.Study.from_frames(responses=table, segments=["area"])
    alone, groups = (nps.net_promoter_score(nps.score_distribution(study, by=by)) for by in ((), ("area",)))
    assert "<figure>" not in alone._repr_mimebundle_()["text/html"]
    assert "+25.0" in alone._repr_mimebundle_()["text/html"]
    assert alone.to_json()["alt"] == ""
    assert "<figure>" in groups._repr_mimebundle_()["text/html"]
    assert len(alone.plot().containers) == 1  # whoever asks gets it


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


def test_figures_of_ones_own_can_have_the_house_style_and_nobody_can_change_it() -> None:
    with plt.style.context(nps.style):
        own = {name: mpl.rcParams[name] for name in nps.style}
    with house_style():
        assert own == {name: mpl.rcParams[name] for name in nps.style}
    assert nps.palette["promoter"].lower().encode() in svg(nps.trend(WAVES))
    with pytest.raises(TypeError):
        nps.style["font.size"] = 30  # type: ignore[index]


@pytest.mark.parametrize("name", ["short", "Information booths (upper"])
def test_what_stands_below_is_not_cut_off(name: str) -> None:
    with house_style():
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
        fit(figure)
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


# Every result that has a figure


def figure_classes() -> set[type[Result]]:
    """All classes of results with a figure, those that only others are made from aside."""
    for module in walk_packages(nps.__path__, "nps_research."):
        if not module.name.endswith("__main__"):
            import_module(module.name)
    found, waiting = set(), [Result]
    while waiting:
        for kind in waiting.pop().__subclasses__():
            waiting.append(kind)
            ours = kind.__module__.startswith("nps_research.")
            if kind.has_figure and ours and not kind.__subclasses__():
                found.add(kind)
    return found


@cache
def company() -> nps.Study:
    """A small made-up company with everything that a question can ask for."""
    drawn = simulate_study(Truth(n_accounts=250), rng=np.random.default_rng(1))
    return nps.Study.from_frames(
        responses=drawn.responses.drop(columns="comment"),
        customers=drawn.customers,
        segments=["region", "role"],
        settings={"cluster": "account_id"},
        made_up=True,
    )


@cache
def reasons() -> nps.Study:
    """Customers who gave their reason for leaving."""
    names = {f"c{n:03d}": [(9, 3, None)[n % 3], (None, 9, 3)[n % 3]] for n in range(120)}
    left = {name: f"2024-{2 + n % 7:02d}-{1 + n % 27:02d}" for n, name in enumerate(list(names)[:90])}
    return panel(names, left=left, reason={name: ("price", "closed down")[int(name[1:]) % 2] for name in left})


def of_scores() -> list[Result]:
    study, by_region = company(), nps.score_distribution(company(), by="region")
    by_wave = nps.score_distribution(study, by="wave")
    return [
        nps.trend(by_wave),
        nps.net_promoter_score(by_region),
        nps.score.net_promoter_score_by_cut(by_region),
        nps.compare_net_promoter_scores(by_region),
        nps.score.score_histogram(by_region, group=by_region.groups[0]),
        nps.score.class_shares(by_wave),
        nps.score.detectable_change(by_wave),
        nps.score.pool_groups(by_region),
        nps.score.compare_designs(study),
        nps.accounts.account_score(study, by="wave"),
        nps.accounts.account_influence(nps.score_distribution(study, cluster="account_id")),
    ]


def of_thresholds() -> list[Result]:
    study = company()
    outcome = nps.outcome_by_score(study)
    return [
        nps.compare_thresholds(outcome, n_resamples=100, rng=np.random.default_rng(2)),
        nps.thresholds.risk_by_score(outcome),
        nps.thresholds.adjusted_risk(study),
        nps.thresholds.calls_by_cut(outcome),
        nps.thresholds.conclusions_by_line(nps.score_distribution(study, by="region"), other=3),
    ]


def of_drivers() -> list[Result]:
    study, model = fitted_study()
    return [
        model,
        model.promoters,
        nps.drivers.importance_performance(model),
        nps.drivers.simulate_improvement(model),
        nps.drivers.rating_asymmetry(model),
        nps.drivers.contribution_spread(model),
        nps.drivers.rating_effect(model, "must-be"),
        nps.drivers.driver_interactions(model),
        nps.drivers.explain_change(model, "2024", "2025"),
        nps.drivers.compare_drivers(study, model),
        nps.drivers.compare_methods(model, n_resamples=20),
        nps.drivers.model_calibration(model),
    ]


def of_silence() -> list[Result]:
    study = company()
    signal, score = nps.nonresponse_signal(study), nps.score_if_all_responded(study, rng=np.random.default_rng(3))
    value = nps.silence.nonresponse_value(study, n_shuffles=1, rng=np.random.default_rng(3))
    of_signal = [signal, signal.curves, signal.adjusted, signal.histories, nps.silence.leaving_reasons(reasons())]
    return [*of_signal, value, value.contributions, score, score.shifts, score.balance, score.evidence]


def of_responding() -> list[Result]:
    study = company()
    return [
        nps.responding.response_funnel(study),
        nps.responding.representativeness(study),
        nps.responding.response_rates(study),
        nps.responding.who_answers(study),
        nps.responding.days_to_answer(study),
        nps.responding.panel_attrition(study),
    ]


def of_calls() -> list[Result]:
    tables = called_tables(600, gain=1.0)
    left = pd.Series(pd.Timestamp("2025-03-20"), index=range(600)).where(pd.Series(range(600)) % 4 == 0)
    tables["customers"] = tables["customers"].assign(churned_at=left, observed_until=pd.Timestamp("2026-06-30"))
    tables["customers"] = tables["customers"].drop(columns="account_id")
    called = tables["callbacks"]["assigned"] == 1
    tables["callbacks"]["queue"] = pd.Series(["fast", "slow"] * 300).where(called)
    tables["responses"]["employee"] = tables["responses"]["respondent_id"].str[-1]
    study = called_study(tables, cluster="respondent_id")
    return [
        nps.callbacks.callback_effect(study, outcome="leaving"),
        nps.callbacks.queue_effect(study),
        nps.callbacks.recovery_without_calls(study),
        nps.callbacks.callback_times(study),
        nps.callbacks.callback_steps(study),
        nps.callbacks.employee_differences(study),
    ]


def of_problems() -> list[Result]:
    study = nps.open_study(Path(__file__).parents[2] / "data" / "demo")
    return [
        nps.problems.pain_map(study),
        nps.problems.problem_owners(study),
        nps.problems.complaints_against_survey(study),
        nps.problems.fix_effect(study),
        nps.problems.comment_shares(study),
    ]


MAKERS: dict[Callable[[], list[Result]], set[str]] = {  # and the classes that it makes
    of_scores: {
        "AccountInfluence", "ClassShares", "AccountScores", "DesignComparison", "DetectableChange", "NetPromoterScores",
        "PooledGroups", "ScoreDifferences", "ScoreHistogram", "ScoresByCut", "Trend",
    },
    of_thresholds: {
        "AdjustedRisk", "CallsByCut", "LineConclusions", "RiskByScore", "ThresholdComparison",
    },
    of_drivers: {
        "ContributionSpread", "DriverInteractions", "DriverList", "DriverMethods", "DriverModel", "DriversByGroup",
        "ImportancePerformance", "Improvement", "ModelCalibration", "RatingAsymmetry", "RatingEffect", "ScoreBridge",
    },
    of_silence: {
        "AdjustedSilence", "EarlierScores", "LeavingReasons", "NonresponseSignal", "NonresponseValue",
        "ResponseBalance", "RetentionCurves", "SilenceContributions", "SilenceHistory", "SilentScore", "SilentShifts",
    },
    of_responding: {
        "DaysToAnswer", "PanelAttrition", "Representativeness", "ResponseFunnel", "ResponseRates", "WhoAnswers",
    },
    of_calls: {
        "CallbackRetention", "CallbackSteps", "CallbackTimes", "EmployeeDifferences", "QueueEffect",
        "RecoveryWithoutCalls",
    },
    of_problems: {"CommentShares", "ComplaintsAgainstSurvey", "FixEffect", "PainMap", "ProblemOwners"},
}  # fmt: skip


def test_every_class_with_a_figure_is_drawn_here() -> None:
    assert {kind.__name__ for kind in figure_classes()} == set().union(*MAKERS.values())


@pytest.mark.parametrize("make", MAKERS)
def test_each_figure_is_drawn_whole_on_the_axes_given_and_on_new_ones(make: Callable[[], list[Result]]) -> None:
    plt.switch_backend("agg")
    results = make()
    assert {type(result).__name__ for result in results} == MAKERS[make]
    state = np.random.get_state()[1].tolist()  # type: ignore[index]  # noqa: NPY002
    for result in results:
        ax = whole(result)
        assert ax.get_xlabel() or isinstance(result, ClassShares | ResponseFunnel | Trend)
        if not isinstance(result, ThresholdComparison):
            assert ax.get_title(loc="left").replace("\n", " ").startswith(literal(result.title, 160))
        on_page(result)
        on_page(result, narrow=True)
        ax = result.plot()
        assert ax.get_figure() is plt.gcf()
        assert len(plt.gcf().axes) == 1
        plt.close("all")
    assert np.random.get_state()[1].tolist() == state  # type: ignore[index]  # noqa: NPY002


def whole(result: Result) -> Axes:
    """Draw a result as a page does, and hold that nothing on it is cut off or stands on its neighbour."""
    name = type(result).__name__
    with house_style():
        figure = Figure(layout="constrained")
        given = figure.subplots()
        assert result.plot(given) is given
        fit(figure)
        figure.draw_without_rendering()
    _hold_whole(figure, name)
    message = figure.texts[0] if figure.texts else None
    assert (message.get_text().replace("\n", " ") if message else "") == literal(result.message, 200), name
    if message:
        assert not message.get_window_extent().overlaps(given._left_title.get_window_extent()), name  # type: ignore[attr-defined]
    return given


def on_page(result: Result, *, narrow: bool = False) -> None:
    """Draw a result as a page does, or for a phone, and hold that all of it can be read there, without its message."""
    name = f"{type(result).__name__} on a page{', narrow' * narrow}"
    with house_style():
        figure = page_figure(result, narrow=narrow)
        figure.draw_without_rendering()
    assert not figure.get_suptitle(), name
    _hold_whole(figure, name)
    if not narrow:
        return
    assert figure.get_figwidth() == NARROW
    (ax,) = figure.axes
    texts = [ax._left_title, *(text for text in ax.texts if text.get_text() and text.get_visible())]  # type: ignore[attr-defined]
    for one, other in combinations(texts, 2):
        assert not one.get_window_extent().overlaps(other.get_window_extent()), (name, one.get_text(), other.get_text())
    smallest = min(text.get_fontsize() for text in figure.findobj(Text) if text.get_text().strip())
    assert smallest * ON_A_PHONE / (72 * NARROW) >= 9, name


def _hold_whole(figure: Figure, name: str) -> None:
    """Hold that nothing on a figure is cut off or stands on its neighbour."""
    (ax,) = figure.axes
    for text in figure.findobj(Text):
        if text.get_text().strip() and text.get_visible() and not _is_tick_out_of_sight(text, ax):
            box = text.get_window_extent()
            corners = [(box.x0, box.y0), (box.x1, box.y1)]
            assert all(figure.bbox.padded(1.5).contains(*corner) for corner in corners), (name, text.get_text(), box)
            assert text.get_fontsize() >= 8.25, (name, text.get_text())  # 11 px on a page of 1280
    for axis in (ax.xaxis, ax.yaxis):
        boxes = [text.get_window_extent() for text in axis.get_ticklabels() if text.get_text()]
        assert not any(one.overlaps(other) for one, other in pairwise(boxes)), name
    legend = ax.get_legend()
    if legend is not None:
        under = [ax.xaxis.label, *ax.xaxis.get_ticklabels()]
        assert not any(legend.get_window_extent().overlaps(text.get_window_extent()) for text in under), name


def _is_tick_out_of_sight(text: Text, ax: Axes) -> bool:
    """Whether it is the name of a tick beyond the axis' limits, which matplotlib keeps and does not draw."""
    for axis, (low, high) in ((ax.xaxis, sorted(ax.get_xlim())), (ax.yaxis, sorted(ax.get_ylim()))):
        for tick in (*axis.get_major_ticks(), *axis.get_minor_ticks()):
            if text in (tick.label1, tick.label2):
                return not low <= tick.get_loc() <= high
    return False


ON_A_PHONE = 330  # px of a figure in a window of 375
LONG = "Information booths and desks in the arrivals hall (lower level), Terminal $2"


def test_long_names_are_neither_cut_nor_overprinted() -> None:
    names = [f"{number} {LONG}" for number in range(1, 9)]
    counts = {name: np.add(COUNTS["2017"], number).tolist() for number, name in enumerate(names)}
    for ordered in (False, True):
        dist = nps.ScoreDistribution.from_counts(counts, ordered=ordered)
        scores = nps.net_promoter_score(dist, title=f"{LONG}: {LONG}")
        ax = whole(scores)
        assert "\n" in ax.get_title(loc="left")
        whole(nps.score.net_promoter_score_by_cut(dist))
        whole(nps.compare_net_promoter_scores(dist, pairs="consecutive"))
        whole(nps.score.pool_groups(dist))


def test_a_figure_is_as_large_as_is_asked() -> None:
    plt.switch_backend("agg")
    figure = (
        nps.net_promoter_score(nps.ScoreDistribution.from_counts(COUNTS)).plot(figsize=(5, 3)).get_figure(root=True)
    )
    assert figure is not None
    assert figure.get_size_inches().tolist() == [5, 3]
    plt.close("all")


@pytest.mark.parametrize("layout", ["constrained", None])
def test_labels_of_points_stand_apart(layout: Any) -> None:
    with house_style():
        ax = Figure(layout=layout).subplots()
        places = [(1.0, 1.0), (1.01, 1.0), (1.02, 1.0), (1.0, 1.02), (3.0, 1.01)]
        ax.plot(*np.transpose(places), "o")
        name_points(ax, places, ["Product quality", "Invoicing", "Order tracking", "Newsletter", "Support response"])
        boxes = [text.get_window_extent() for text in ax.texts if text.get_text()]
    assert not any(one.overlaps(other) for one, other in combinations(boxes, 2))
    assert all(ax.bbox.x0 <= box.x0 and box.x1 <= ax.bbox.x1 for box in boxes)


def test_a_title_stands_above_the_power_of_ten_of_an_axis_of_numbers() -> None:
    with house_style():
        figure = Figure(layout="constrained")
        ax = figure.subplots()
        ax.plot([1e8, 2e8])
        title = ax.set_title("Revenue")
        fit(figure)
        figure.draw_without_rendering()
    power = ax.yaxis.get_offset_text()
    assert power.get_text() == "1e8"
    assert not title.get_window_extent().overlaps(power.get_window_extent())


# What is drawn anew


def test_bars_of_the_silent_are_hatched_and_as_long_as_their_rates() -> None:
    signal = nps.nonresponse_signal(reasons())
    for result in (signal, signal.histories):
        bars: list[Any] = list(drawn(result).patches)
        rows = result.shown
        assert [bar.get_width() for bar in bars] == pytest.approx((100 * rows["churn_rate"]).tolist())
        quiet = rows["term"].str.contains("silent|never", case=False).tolist()
        assert [bool(bar.get_hatch()) for bar in bars] == quiet
        assert any(quiet) != all(quiet)


def test_what_seaborn_and_shap_draw_is_the_same_to_the_byte() -> None:
    model = fitted_study()[1]
    for result in (
        nps.score.score_histogram(AREAS, group="2017"),
        nps.silence.leaving_reasons(reasons()),
        nps.drivers.compare_methods(model, n_resamples=20),
        nps.drivers.rating_effect(model, "must-be"),
        nps.drivers.contribution_spread(model),
    ):
        drawings = set()
        for seed in (1, 2):
            np.random.seed(seed)  # noqa: NPY002 - the reader's own state must not matter
            drawings.add(svg(result))
        assert len(drawings) == 1


def test_reasons_have_a_bar_for_the_silent_and_one_for_those_who_answered() -> None:
    result = nps.silence.leaving_reasons(reasons())
    ax = drawn(result)
    silent, answered = (each for each in ax.containers if not isinstance(each, ErrorbarContainer))
    for of_them, name in ((silent, "silent"), (answered, "answered")):
        bars: list[Any] = list(of_them)
        assert [bar.get_width() for bar in bars] == pytest.approx((100 * result.shown[name]).tolist())
        assert all((bar.get_hatch() is not None) == (name == "silent") for bar in bars)
    ends = [sorted(map(float, line[:, 0])) for line in ax.collections[0].get_segments()]  # type: ignore[attr-defined]
    limits = result.shown[["silent_conf_low", "silent_conf_high"]].to_numpy()
    assert np.array(ends) == pytest.approx(100 * limits)


def test_methods_are_a_heat_map_of_ranks() -> None:
    result = nps.drivers.compare_methods(fitted_study()[1], n_resamples=20)
    ax = drawn(result)
    rows = result.shown.dropna(subset=["rank_estimate"])
    ranks = rows[[name for name in rows if name.startswith("rank_") and "conf" not in name]]
    (mesh,) = ax.collections
    assert sorted(np.asarray(mesh.get_array()).ravel()) == sorted(ranks.to_numpy().ravel())
    written = [text.get_text() for text in ax.texts]
    assert written[::6] == [f"{rank:.0f}" for rank in rows["rank_estimate"]]
    assert [text.get_text() for text in ax.get_yticklabels()] == rows["term"].tolist()
    apart = np.ptp(ranks.to_numpy(), axis=1) >= 2
    assert [text.get_fontweight() == "bold" for text in ax.get_yticklabels()] == apart.tolist()


def test_lines_not_excluded_are_full_and_the_others_hollow() -> None:
    n, events = [60, 60, 60, 80, 150, 300, 400, 700, 1300, 1000, 1600], [12, 12, 12, 16, 8, 15, 20, 35, 65, 50, 80]
    result = nps.compare_thresholds(nps.OutcomeByScore.from_counts(n, events), n_resamples=100)
    ax = drawn(result)
    rows = result.shown
    kept = rows["p_value"] > 0.05
    found = {}
    for container in ax.containers:
        line = container.lines[0]  # type: ignore[attr-defined]
        found[container.get_label()] = np.asarray(line.get_xdata()).tolist()
    expected = {"Cannot be excluded": rows["risk_ratio"][kept], "Excluded": rows["risk_ratio"][~kept]}
    assert found == {name: pytest.approx(ratios.tolist()) for name, ratios in expected.items() if len(ratios)}
    assert [text.get_text().removesuffix(" (convention)") for text in ax.get_yticklabels()] == rows["cut"].tolist()


def test_dots_of_a_rating_are_our_contributions_at_ratings_that_are_shown() -> None:
    model = fitted_study()[1]
    result = nps.drivers.rating_effect(model, "must-be")
    ax = drawn(result)
    at, value = np.asarray(ax.collections[0].get_offsets()).T
    assert sorted(value) == pytest.approx(sorted(result.dots["contribution"]))
    assert set(np.round(value, 9)) <= set(model.contributions["must-be"].round(9))
    names = result.shown["term"].tolist()
    assert np.abs(at - np.rint(at)).max() <= 0.25
    pairs = sorted(zip((names[int(place)] for place in np.rint(at)), value, strict=True))
    expected = sorted(zip(result.dots["term"], result.dots["contribution"], strict=True))
    assert [name for name, _ in pairs] == [name for name, _ in expected]
    few = replace(result, frame=result.frame.assign(n=result.frame["n"].mask(result.frame["term"] == "1", 4)))
    few = replace(few, minimum_cell=10)
    hidden = set(result.frame["term"]) - set(few.shown["term"])
    assert "1" in hidden
    shown = np.asarray(drawn(few).collections[0].get_offsets())
    assert len(shown) == (~result.dots["term"].isin(hidden)).sum()
