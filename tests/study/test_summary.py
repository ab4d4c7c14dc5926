"""A study as a notebook shows it: what it is, in a few rows, and nothing of its respondents."""

from html.parser import HTMLParser

import duckdb
import pandas as pd
import pytest

import nps_research as nps

LTR = "likelihood_to_recommend"
HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "a&b</td></tr></table>",
    "ann.smith@mine.example",
    "two\nlines\u202e",
]


class Tags(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.names, self.text = set(), []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.names.add(tag)

    def handle_data(self, data):
        self.text.append(data)


def rows_of(html):
    return Tags(html.replace("<br>", "\n").replace("</tr>", "\n")).text


def a_study(**changes):
    rows = pd.DataFrame(
        {
            "respondent_id": [f"SECRET-{k}" for k in range(60)],
            LTR: [k % 11 for k in range(60)],
            "wave": ["2024"] * 30 + ["2025"] * 25 + ["2026"] * 5,
            "comment": ["a very private remark"] * 60,
            "Price": [k % 5 + 1 for k in range(60)],
            "Region": ["UK", "IE"] * 30,
        }
    )
    rows.loc[0, LTR] = 11
    return nps.Study.from_frames(
        **({"responses": rows, "drivers": ["Price"], "segments": ["Region"], "name": "Northwind"} | changes)
    )


def test_a_study_shows_what_it_is():
    html = a_study()._repr_html_()
    text = " ".join(rows_of(html))
    assert "<caption>Northwind</caption>" in html
    for row in ("Rows", "60 rows in, 59 accepted, 1 quarantined", "Segments", "Region", "Drivers", "Price", "Period"):
        assert row in text
    assert "What is our Net Promoter Score, and is its change more than noise?" in text
    assert "Which experiences go with promoters" in text
    assert "Where do detractors end" not in text  # it knows no outcome
    assert Tags(html).names == {"table", "caption", "tbody", "tr", "th", "td", "br"}


def test_it_shows_no_respondent_and_no_wave_too_small_to_show():
    html = a_study()._repr_html_()
    assert "SECRET" not in html
    assert "private remark" not in html
    assert "2024, 2025<" in html
    assert html.count("2026") == html.count("2026 is not shown, nor counted in any total") == 1
    assert "2024, 2025, 2026" in a_study(settings={"minimum_cell": 1})._repr_html_()


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_stay_text(name):
    study = a_study(name=name)
    table = study.responses.drop(columns=["response_state"]).rename(columns={"Region": name, "Price": f"{name} 2"})
    table["wave"] = name
    study = nps.Study.from_frames(responses=table, drivers=[f"{name} 2"], segments=[name], name=name)
    html = study._repr_html_()
    assert Tags(html).names <= {"table", "caption", "tbody", "tr", "th", "td", "br"}
    assert "ann.smith@" not in html
    assert "\u202e" not in html


def test_made_up_a_part_and_a_lazy_study_say_so():
    assert "This company does not exist." in a_study(made_up=True)._repr_html_()
    assert "made up" not in a_study()._repr_html_().lower()
    assert "Northwind (Region: UK)" in a_study().where(Region="UK")._repr_html_()
    table = pd.DataFrame({LTR: [9, 10]})
    lazy = nps.Study.from_frames(responses=duckdb.from_df(table), name="Far")
    assert "counted where they lie" in lazy._repr_html_()
