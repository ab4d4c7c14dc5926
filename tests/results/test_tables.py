"""Result, its JSON bundle and its HTML: what is shown, how it is spelt, and what is held back."""

from __future__ import annotations

import importlib
import json
import pkgutil
import re
from dataclasses import FrozenInstanceError, dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import nh3
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook

import nps_research
from nps_research.results.display import result_html
from nps_research.results.result import MIME_TYPE, KeyNumber, Result
from nps_research.results.suppression import hidden_rows
from nps_research.results.tables import COLUMNS, table_html
from nps_research.results.words import format_interval, format_value, plain_text

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.axes import Axes


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Bars(Result):
    kind: ClassVar[str] = "bars"

    @property
    def finding(self) -> str:
        return f"{len(self.shown)} groups."

    @property
    def alt(self) -> str:
        return "Bars."

    @property
    def key_numbers(self) -> tuple[KeyNumber, ...]:
        return (KeyNumber(label="NPS", estimate=1 / 3, conf_low=np.nan),)

    def plot(self, ax: Axes | None = None) -> Axes:
        assert ax is not None
        ax.bar(self.shown["group"], self.shown["estimate"])
        return ax


def bars(n: list[int], minimum_cell: int = 10, groups: list[str] | None = None) -> Bars:
    frame = pd.DataFrame({"group": groups or [f"g{row}" for row in range(len(n))], "n": n, "estimate": 1.25})
    return Bars(frame=frame.assign(conf_low=-0.04, conf_high=2.5), minimum_cell=minimum_cell, title="Bars & more")


@pytest.mark.parametrize(
    ("n", "hidden"),
    [
        ([120, 40, 12, 3], [False, False, True, True]),  # 3 alone could be worked out: 12 goes with it
        ([120, 40, 6, 7], [False, False, True, True]),  # 13 together: nothing more needs to go
        ([120, 40, 12], [False, False, False]),
        ([5, 5], [True, True]),
        ([9], [True]),
        ([120, 0, 3], [True, False, True]),  # the empty group hides nobody
        ([], []),
    ],
)
def test_small_groups_are_hidden_and_cannot_be_worked_out(n: list[int], hidden: list[bool]) -> None:
    assert hidden_rows(n, 10).tolist() == hidden


@given(st.lists(st.integers(0, 60), max_size=12), st.integers(1, 30))
def test_what_is_hidden_is_never_fewer_than_the_smallest_cell(n: list[int], minimum: int) -> None:
    hidden = hidden_rows(n, minimum)
    size = np.array(n, dtype=int)
    assert not ((size > 0) & (size < minimum) & ~hidden).any()
    if hidden.any() and (size[~hidden] > 0).any():
        assert size[hidden].sum() >= minimum


def test_hidden_groups_are_in_the_frame_and_nowhere_else() -> None:
    result = bars([120, 40, 12, 3], groups=["A", "B", "C", "Tiny town"])
    assert len(result.frame) == 4
    bundle = result._repr_mimebundle_()
    assert "Tiny town" not in json.dumps(bundle)
    assert "2 groups are not shown" in bundle["text/html"]
    assert [row[0] for row in bundle[MIME_TYPE]["rows"]] == ["A", "B"]
    assert "2 groups are not shown: each has fewer than 10 answers" in result.full_note


def test_a_workbook_and_a_styler_hold_what_is_shown_and_are_inert(tmp_path: Path) -> None:
    result = bars([120, 40, 12, 3], groups=["=1+1", "<b>B</b>", "C", "Tiny town"])
    result.to_excel(tmp_path / "bars.xlsx")
    (sheet,) = load_workbook(tmp_path / "bars.xlsx").worksheets
    rows = list(sheet.iter_rows(values_only=True))
    assert sheet.title == "Bars & more"
    assert rows[-2:] == [("=1+1", 120, 1.25, -0.04, 2.5), ("<b>B</b>", 40, 1.25, -0.04, 2.5)]
    assert {cell.data_type for row in sheet.iter_rows() for cell in row if cell.value is not None} == {"s", "n"}
    html = result.style.to_html()
    assert "Tiny town" not in html
    assert "<b>" not in html
    assert "Bars &amp; more" in html
    said = [re.sub("<[^>]*>", "", cell) for cell in re.findall(r"<td.*?</td>", html)]
    assert said == ["=1+1", "120", "+1.2", "0.0", "+2.5", "&lt;b&gt;B&lt;/b&gt;", "40", "+1.2", "0.0", "+2.5"]
    heads = [re.sub("<[^>]*>", "", cell) for cell in re.findall(r"<th .*?</th>", html)]
    assert heads == ["Group", "Answers", "NPS", "NPS, lower 95% limit", "NPS, upper 95% limit"]
    assert [html.count(f"text-align: {side}") for side in ("left", "right")] == [1, 4]


def test_one_hidden_group_is_one() -> None:
    class NoParts(Bars):
        rows_are_parts: ClassVar[bool] = False

    result = NoParts(frame=bars([120, 40, 3]).frame, minimum_cell=10)
    assert "1 group is not shown: it has fewer than 10 answers." in result.full_note


def test_bundle_is_plain_json_with_missing_values_and_no_last_bits() -> None:
    result = bars([20, 30])
    bundle = result.to_json()
    assert json.loads(json.dumps(bundle, allow_nan=False)) == bundle
    number = bundle["key_numbers"][0]
    assert number["estimate"] == 0.333333333333
    assert number["conf_low"] is None
    assert bundle["columns"] == ["group", "n", "estimate", "conf_low", "conf_high"]
    assert bundle["settings"] == {"confidence_level": 0.95, "minimum_cell": 10}


def test_results_are_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        bars([20]).title = "other"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("value", "style", "text"),
    [
        (39.84, "points", "+39.8"),
        (-0.04, "points", "0.0"),
        (-5.31, "points", "\N{MINUS SIGN}5.3"),
        (0.1234, "share", "12.3%"),
        (-0.0331, "share_points", "\N{MINUS SIGN}3.3 pp"),
        (-0.0004, "share_points", "0.0 pp"),
        (0.0004, "share_points", "0.0 pp"),
        (0.1, "share_points", "+10.0 pp"),
        (-0.004, "number", "0.00"),
        (-0.006, "number", "\N{MINUS SIGN}0.01"),
        (-0.00004, "fine", "0.0000"),
        (-0.04, "width", "0.0"),
        (12345, "count", "12,345"),
        (1202.211, "number", "1,202.21"),
        (-1202.25, "width", "\N{MINUS SIGN}1,202.2"),
        (1202.21, "points", "+1,202.2"),
        ("channel", "name", "Channel"),
        (0.0004, "p", "<0.001"),
        (0.0537, "p", "0.054"),
        (None, "points", "\N{EM DASH}"),
        (pd.NA, "count", "\N{EM DASH}"),
        (float("nan"), "share", "\N{EM DASH}"),
        ("a\nb", "text", "a b"),
    ],
)
def test_values_are_spelt_one_way(value: Any, style: str, text: str) -> None:
    assert format_value(value, style) == text


def test_intervals_are_one_column_and_missing_ones_a_dash() -> None:
    assert format_interval(-1.0, 2.0, "points") == "\N{MINUS SIGN}1.0 to +2.0"
    assert format_interval(float("nan"), 2.0, "points") == "\N{EM DASH}"
    html = table_html(bars([20, 30]))
    assert html.count('scope="col"') == 4  # group, answers, NPS, interval
    assert html.count('scope="row"') == 2
    assert "0.0 to +2.5" in html


@given(st.text(max_size=200))
def test_text_from_data_is_one_short_line_without_addresses(text: str) -> None:
    shown = plain_text(text)
    assert len(shown) <= 80
    assert not any(ord(letter) < 32 for letter in shown)
    assert "someone@example.com" not in plain_text(f"{text} someone@example.com")


@given(st.text(min_size=1, max_size=60))
def test_html_of_any_group_is_inert(name: str) -> None:
    html = table_html(bars([20, 30], groups=[f"{name}<script>alert(1)</script>", "b"]))
    assert "<script" not in html
    allowed = nh3.clean(
        html,
        tags={"table", "caption", "thead", "tbody", "tr", "th", "td"},
        attributes={"th": {"scope", "class"}, "td": {"class"}},
    )
    assert allowed.count("<td") == html.count("<td") == 6


def test_figure_table_and_note_stand_under_the_finding() -> None:
    html = result_html(bars([20, 30]))
    order = [html.index(part) for part in ("2 groups.", "<figure><img", "<table>")]
    assert order == sorted(order)
    assert 'alt="Bars."' in html
    assert html == result_html(bars([20, 30]))  # the same bytes


def test_nothing_to_show_is_a_sentence_and_no_empty_table() -> None:
    html = result_html(bars([3]))
    assert "0 groups." in html
    assert "<table" not in html
    assert "<img" not in html


def test_no_class_says_again_what_columns_say_of_all():
    for module in pkgutil.walk_packages(nps_research.__path__, "nps_research."):
        importlib.import_module(module.name)
    again = []
    for result in (each for each in every_subclass(Result) if each.__module__.startswith("nps_research")):
        for place, said in enumerate((vars(result).get("headings"), vars(result).get("formats"))):
            for name, text in said.items() if isinstance(said, dict) else ():
                standard = COLUMNS.get(name, (name.replace("_", " ").capitalize(), ""))[place]
                if standard == text:
                    again.append(f"{result.__name__}.{name}: {text}")
    assert again == []


def every_subclass(kind):
    return [each for child in kind.__subclasses__() for each in (child, *every_subclass(child))]
