"""Small figures of the first page: whole or none, and nothing that its text does not say."""

from __future__ import annotations

import base64
import re
from typing import Any

import pytest
from matplotlib.figure import Figure

from nps_research.report.at_a_glance import at_a_glance
from nps_research.report.harvest import HarvestedResult
from nps_research.report.small_figures import _DRAWS, MOST_BARS, small_figure


def result(kind: str, columns: list[str], rows: list[list[Any]], **said: Any) -> HarvestedResult:
    settings = {"confidence_level": 0.95} | said.pop("settings", {})
    bundle = {"kind": kind, "columns": columns, "rows": rows, "settings": settings, "alt": "As drawn.", **said}
    return HarvestedResult(notebook="01_score", position=1, name=kind, headline=True, bundle=bundle)


def groups(n: int, **settings: Any) -> HarvestedResult:
    rows = [[f"g{number}", float(number)] for number in range(n)]
    return result("net_promoter_score", ["group", "estimate"], rows, settings=settings)


def n_bars(figure: str) -> int:
    drawing = base64.b64decode(re.findall(r"base64,([^\"]+)", figure)[0]).decode()
    return len(set(re.findall(r'<g id="patch_(\d+)">\n\s+<path d="[^"]+" clip-path', drawing)))


@pytest.mark.parametrize("n", [2, MOST_BARS])
def test_all_groups_are_drawn(n: int) -> None:
    assert n_bars(small_figure(groups(n))) == n


@pytest.mark.parametrize("n", [1, MOST_BARS + 1])
def test_one_group_is_no_figure_nor_are_more_than_fit(n: int) -> None:
    assert not small_figure(groups(n))


def test_groups_without_a_proven_difference_are_no_figure() -> None:
    assert small_figure(groups(3, heterogeneity_p_value=0.049))
    assert not small_figure(groups(3, heterogeneity_p_value=0.051))


def test_of_drivers_the_first_are_drawn() -> None:
    rows = [[f"r{number}", 20.0 - number] for number in range(14)]
    assert n_bars(small_figure(result("driver_model", ["term", "estimate"], rows))) == 5


def test_response_over_many_waves_is_a_line_without_the_total() -> None:
    rows = [[f"w{number:02}", 0.6] for number in range(2, 26)] + [["all", 0.63]]
    figure = small_figure(result("response_funnel", ["group", "response_rate"], rows))
    assert figure
    assert n_bars(figure) == 0
    assert not small_figure(result("response_funnel", ["group", "response_rate"], rows[-2:]))


def test_what_stands_on_top_is_what_happened_whatever_kind_says_it() -> None:
    one = result("net_promoter_score", ["group", "estimate"], [["all", 5.0]], at_a_glance={"happened": "NPS is +5.0."})
    assert at_a_glance([groups(2), one]).on_top is one
    assert at_a_glance([groups(2)]).on_top is None
    rates = [["a", 0.6], ["b", 0.5]]
    asked = result("response_funnel", ["group", "response_rate"], rates, at_a_glance={"answered": "55% answered."})
    assert at_a_glance([asked, one]).on_top is one
    alone = at_a_glance([asked])
    assert (alone.on_top, alone.happened[0].text) == (asked, "55% answered.")


def test_waves_are_divided_into_the_three_classes() -> None:
    columns = ["group", "promoter_share", "passive_share", "detractor_share"]
    rows = [["2017", 0.5, 0.3, 0.2], ["2018", 0.4, 0.3, 0.3]]
    assert n_bars(small_figure(result("class_shares", columns, rows))) == 6
    assert not small_figure(result("class_shares", columns, rows[:1]))


def test_a_share_is_a_percentage_on_the_axis_and_a_score_is_not() -> None:
    for kind, value, said in (("response_funnel", "response_rate", "40%"), ("trend", "estimate", "0.4")):
        ax = Figure().subplots()
        _DRAWS[kind](ax, [{"group": "w1", value: 0.46}, {"group": "w2", value: 0.52}])
        assert ax.yaxis.get_major_formatter().format_ticks([0.4]) == [said]


def test_a_long_name_is_broken_and_not_cut() -> None:
    ax = Figure().subplots()
    terms = ["Improved research productivity", "Helped advance career"]
    _DRAWS["driver_model"](ax, [{"term": term, "estimate": 20.0} for term in terms])
    shown = [tick.get_text() for tick in ax.get_yticklabels()]
    assert [" ".join(text.split("\n")) for text in shown] == terms
    assert "\n" in shown[0]
