"""The leak scan: what counts as a leak, what does not, and where it is looked for."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import nps_research as nps
from nps_research.made_up.comments import PROBLEM_CODES, draw_comments
from nps_research.report.assemble import Part, _public
from nps_research.report.own_words import OwnWords
from nps_research.report.pages import Card
from nps_research.report.privacy import find_leaks, places_of, readable_text
from nps_research.report.provenance import provenance
from tests.support.report_notebooks import CANARY_COMMENT

COMMENT = "Delivery came three weeks late and nobody told us why"


def leaks(text: str, *private: str, public: str = "") -> int:
    found = find_leaks({"page": text}, private=private, public={"page": public}, own=OwnWords([]))
    return len(found.get("page", ()))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("C-1042", "worst account: C-1042."),
        ("c_1042", "c_1042,7"),
        ("1234567", "ids 7654321,1234567;"),
        ("ann@example.com", "mail ANN@Example.com!"),
        ("Ann Smith", "Call Ann Smith first"),
        ("Олена Ковальчук", "Олена Ковальчук чекає"),
        (COMMENT, "it came three weeks late and nobody told anyone"),
        (COMMENT, COMMENT.upper()),
        ("unzuverlässige Zusammenarbeit", "sagt: Unzuverlässige Zusammenarbeit."),
    ],
)
def test_private_values_are_found(value: str, text: str) -> None:
    assert leaks(text, value) == 1
    assert leaks("nothing of the kind", value) == 0


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("42", "42 answers"),
        ("104233", "104233"),
        ("C-1042", "C-10420 and AC-1042x"),
        ("1234567", "0.1234567 and 1,234,567 and 12345678"),
        ("very good", "It is very good."),
        ("fine", "fine"),
        ("Ann Smith", "ann smith"),
        (COMMENT, "Delivery came three times; weeks later nobody told us"),
        ("", "anything"),
    ],
)
def test_plain_words_and_numbers_are_not_leaks(value: str, text: str) -> None:
    assert leaks(text, value) == 0


def test_values_are_counted_once_and_by_page() -> None:
    shared = {"one": "C-1042 C-1042 C-1043", "two": "C-1043", "three": "none"}
    nothing = dict.fromkeys(shared, "")
    found = find_leaks(shared, private=["C-1042", "C-1043"], public=nothing, own=OwnWords([]))
    assert found == {"one": {"C-1042", "C-1043"}, "two": {"C-1043"}}


def test_any_email_is_a_leak_unless_the_author_wrote_it() -> None:
    assert leaks("ask bob@firm.example") == 1
    assert leaks("ask bob@firm.example", public="Contact: Bob@firm.example") == 0


def test_what_the_author_wrote_is_no_secret() -> None:
    question = "How likely are you to recommend us to a friend"
    assert leaks(f"We asked: {question}?", question) == 1
    assert leaks(f"We asked: {question}?", question, public=question) == 0


def test_values_are_found_in_every_kind_of_file() -> None:
    comment = COMMENT.replace("late and", "late <b>and</b> &")
    page = f"<p>{COMMENT.replace(' and', ' <em>and</em>')}</p>"
    assert leaks(readable_text(page, "html"), COMMENT) == 1
    assert leaks(readable_text(f'<img alt="{COMMENT}">', "html"), COMMENT) == 1
    assert leaks(readable_text("<p>Caf&eacute; C&#45;1042</p>", "html"), "C-1042") == 1
    lines = json.dumps({"a": [{"b": "Delivery came\nthree weeks late\nand"}]})
    assert leaks(readable_text(lines, "json"), COMMENT) == 1
    assert leaks(readable_text(json.dumps({"a": [1234567]}), "json"), "1234567") == 1
    assert leaks(readable_text(json.dumps({"C-1042": None}), "json"), "C-1042") == 1
    assert leaks(readable_text(f'group,n\n"{comment}",3\n', "text"), "three weeks late b and b nobody told") == 1


def test_embedded_figures_and_styles_are_not_read_as_text() -> None:
    html = '<style>.C-1042 {}</style><img alt="x" src="data:image/png;base64,AAAA/C1042/BBBB">'
    assert "1042" not in readable_text(html, "html")


def test_words_written_into_a_drawing_are_read() -> None:
    drawing = base64.b64encode(b"<svg><text x='1'>C-1042</text><path d='M 1234567 0'/></svg>").decode()
    html = f'<img alt="x" src="data:image/svg+xml;base64,{drawing}">'
    assert leaks(readable_text(html, "html"), "C-1042", "1234567") == 1
    assert leaks(readable_text(json.dumps([html]), "json"), "C-1042", "1234567") == 1


# What nobody can take a page away with


LABELS = ["Ease of doing business with us", "North America", "2025 Q4", "Q4-2025", "Delivery on time"]


def held(text: str, *private: str) -> set[str]:
    return find_leaks({"page": text}, private=private, public={"page": ""}, own=OwnWords(LABELS)).get("page", set())


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("Ease of doing business with us is a joke", "By Ease of doing business with us: +12.5 (60 answers)."),
        ("North America", "in North America"),  # as a name
        ("Q4-2025", "| Q4-2025 | 60 |"),  # as an id
        ("2025 Q4 and North America", "The waves 2025 Q4 and North America"),
    ],
)
def test_a_label_is_no_leak_whoever_repeats_it(value: str, text: str) -> None:
    assert held(text, value) == set()


def test_what_is_said_beside_a_label_still_leaks() -> None:
    comment = "Delivery on time they said, and my forklift never came to the bay"
    assert held(f"Comments: {comment}", comment) == {comment}
    assert held("In North America: Ann Smith", "Ann Smith") == {"Ann Smith"}
    assert held("Q4-2025 C-1042", "C-1042", "2025-4711") == {"C-1042"}


@pytest.mark.whole
def test_a_sentence_of_the_package_is_no_leak_whoever_repeats_it() -> None:
    """Those of the made-up company's report, with its numbers and labels, cut into runs as the scan does it."""
    golden = json.loads((Path(__file__).parents[1] / "golden" / "demo_results.json").read_text(encoding="utf-8"))
    results = [result["result"] for result in golden]
    labels = {cell for result in results for row in result["rows"] for cell in row if isinstance(cell, str)}
    said = {result[part] for result in results for part in ("title", "finding", "details", "note", "alt")}
    sentences = {sentence for text in said for sentence in re.split(r"(?<=[.:;])\s+", text)}
    page = "\n".join(said)
    found = find_leaks({"page": page}, private=sentences, public={"page": ""}, own=OwnWords(labels))
    assert len(sentences) > 1000
    assert found.get("page", set()) <= {"Each wave against the one before", "Net Promoter Score per unit of revenue"}
    # Those two titles are notebooks' own.


def test_a_comment_of_the_made_up_people_is_no_sentence_of_the_package() -> None:
    language = np.repeat(np.array(["en", "uk", "ro", "ru"]), 250)
    score = np.tile(np.arange(10.0), 100)
    had = np.arange(1000)[:, None] % 20 == np.arange(len(PROBLEM_CODES))
    drawn, _ = draw_comments(language, score, had, rng=np.random.default_rng(1))
    made_up = {comment for comment in drawn if len(comment) >= 20}
    assert len(made_up) > 500
    made_up |= {COMMENT, CANARY_COMMENT}
    assert held("\n".join(made_up), *made_up) == made_up


def test_of_a_page_held_back_the_private_folder_says_which_value_stood_where() -> None:
    places = places_of("C-1042", {"a.html": f"worst account: C-1042, {COMMENT}", "b.csv": "x", "c.csv": "1,c_1042"})
    assert places == [f"a.html: ... worst account: C-1042, {COMMENT[:60]} ...", "c.csv: ... 1,c_1042 ..."]
    assert places_of(COMMENT, {"a": "it came three weeks late and nobody told anyone"})[0].startswith("a: ...")


MADE_FROM = ["1b5cb99edf54", "with local changes", "0.1.0", "3.11", "20261122"]
FOOTER = (
    "nps_research 0.1.0 · commit 1b5cb99edf54 with local changes · packages 1b5cb99edf54 · Python 3.11 · seed 20261122"
)


@pytest.mark.parametrize(
    "value",
    [
        FOOTER,  # copied from an earlier report
        "From September 2025 to December 2025",
        "Accepted Quarantined",  # two headings, as a name
        "width=device-width, initial-scale=1",
        "47 landmarks of accounts that had left by then",
        "By “churned”, detractors end at 3, not at 6",
        "utf-8",
        "20261122",
        "1.3e-52 to 2.4e-50 by September 2025",
    ],
)
def test_what_every_report_says_is_no_leak_whoever_repeats_it(value: str) -> None:
    own = OwnWords([*MADE_FROM, "churned"])
    assert find_leaks({"page": value}, private=[value], public={"page": ""}, own=own) == {}


def test_what_a_report_was_made_from_is_no_secret() -> None:
    study = nps.Study.from_frames(responses=pd.DataFrame({"likelihood_to_recommend": [9, 3]}))
    made_from = provenance(study)
    commit, _, more = made_from.commit.partition(" ")
    footer = f"data {made_from.data[:12]} · nps_research {made_from.version} · commit {commit[:12]} {more} · packages"
    said = [f"{footer} {made_from.lock[:12]} · Python {made_from.python} · seed {made_from.seed}", str(made_from.seed)]
    said += ["What drives loyalty? Who stops answering for good?", "01_score", "Silent accounts to look after"]
    written = "Silent accounts to look after"
    card = Card(name="01_score", title="", question="", state="made", reason="")
    own = OwnWords(_public(study, made_from, [Part(card=card, files={}, written=written)]))
    assert find_leaks({"page": "\n".join(said)}, private=said, public={"page": ""}, own=own) == {}


def test_words_of_a_description_are_no_secret_only_as_they_stand_there() -> None:
    described = OwnWords(
        ["Everybody who bought a truck was asked on the telephone", "the driver and the bay were late"]
    )
    for comment in ("Who was late on the telephone", "the driver who bought the truck and the bay"):
        assert find_leaks({"page": comment}, private=[comment], public={"page": ""}, own=described)


def test_what_tells_the_browser_how_to_show_a_page_is_not_read() -> None:
    page = '<meta http-equiv="Content-Security-Policy" content="style-src \'sha256-VVHdn3Ic3\'"><p>fine</p>'
    assert leaks(readable_text(page, "html"), "VVHdn3Ic3") == 0
