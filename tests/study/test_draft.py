import csv
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nps_research.reading.raw_table import named_columns
from nps_research.study.draft.draft import draft_study
from nps_research.study.settings_file import StudyFile
from tests.support.real_surveys import REAL


def write(folder: Path, columns: Mapping[str, Sequence[object]], separator: str = ",") -> Path:
    path = folder / "export.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, delimiter=separator)
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))
    return path


def drafted(path: Path) -> dict[str, Any]:
    content = tomllib.loads(draft_study(path).toml)
    StudyFile.model_validate(content)
    return content


N = 120
COMPANY: dict[str, Sequence[object]] = {
    "Response ID": [f"r-{row}" for row in range(N)],
    "CustomerID": [row // 2 + 900_000 for row in range(N)],
    "Company": [f"Firm {row % 20}" for row in range(N)],
    "E-Mail": [f"canary{row}@example.com" for row in range(N)],
    "Wave": ["2025-Q1", "2025-Q2"] * (N // 2),
    "Invited at": ["2025-01-02"] * N,
    "Delivered": ["yes"] * (N - 1) + ["no"],
    "Responded at": ["2025-01-05" if row % 3 else "" for row in range(N)],
    "How likely are you to recommend us to a friend?": [row % 11 if row % 3 else "" for row in range(N)],
    "Overall satisfaction": [row % 5 + 1 for row in range(N)],
    "rating_price": [row % 5 + 1 for row in range(N)],
    "rating_service": [(row * 7) % 5 + 1 for row in range(N)],
    "rating_delivery": [9 if row % 10 == 0 else row % 5 + 1 for row in range(N)],
    "Region": [["North", "South", "East"][row % 3] for row in range(N)],
    "Channel": [["web", "phone"][row % 2] for row in range(N)],
    "Churned": ["yes" if row % 9 == 0 else "no" for row in range(N)],
    "Call back": ["yes" if row % 2 else "no" for row in range(N)],
    "Kommentar": [f"private remark number {row}" for row in range(N)],
    "Amount paid": [f"{row}.5" for row in range(N)],
}


def test_a_whole_company_is_understood(tmp_path):
    study = drafted(write(tmp_path, COMPANY, ";"))
    assert study["responses"]["separator"] == ";"
    assert study["responses"]["columns"] == {
        "likelihood_to_recommend": "How likely are you to recommend us to a friend?",
        "respondent_id": "Response ID",
        "customer_id": "CustomerID",
        "account_id": "Company",
        "wave": "Wave",
        "invited_at": "Invited at",
        "delivered": "Delivered",
        "responded_at": "Responded at",
        "channel": "Channel",
        "callback_requested": "Call back",
        "comment": "Kommentar",
    }
    assert study["responses"]["drivers"] == {
        "scale": [1, 5],
        "columns": {
            "Rating price": "rating_price",
            "Rating service": "rating_service",
            "Rating delivery": "rating_delivery",
        },
    }
    assert study["responses"]["segments"]["columns"] == {"Region": "Region"}
    assert study["outcomes"] == {
        "churned": {
            "table": "responses", "column": "Churned", "kind": "binary",
            "event": ["yes"], "no_event": ["no"], "direction": "bad", "dated": False,
        }
    }  # fmt: skip


def test_comments_say_what_the_lines_cannot(tmp_path):
    toml = draft_study(write(tmp_path, COMPANY)).toml
    assert "# They also hold 9 (12 cells), outside the scale." in toml
    assert '# Left out, an overall rating, not a single experience: "Overall satisfaction"' in toml
    assert '#   names or addresses of persons: "E-Mail"' in toml
    assert '#   numbers or ids: "Amount paid"' in toml


def test_no_id_address_comment_or_company_is_copied(tmp_path):
    draft = draft_study(write(tmp_path, COMPANY))
    everything = draft.toml + "".join(draft.can + draft.cannot)
    for canary in ("canary", "private remark", "900", "r-1", "Firm 1", "North"):
        assert canary not in everything


def test_what_it_can_answer(tmp_path):
    draft = draft_study(write(tmp_path, COMPANY))
    assert draft.cannot == ()
    assert [sentence.split(":")[0] for sentence in draft.can] == [
        "The score", "The trend", "Response rates and silence", "Drivers", "Thresholds", "Scores by account",
    ]  # fmt: skip
    assert "with 80 answers" in draft.can[0]
    assert "2 waves" in draft.can[1]


def test_what_is_missing_is_said(tmp_path):
    draft = draft_study(write(tmp_path, {"colour": ["red", "blue"] * 10}))
    assert draft.can == ()
    assert len(draft.cannot) == 6
    assert '# likelihood_to_recommend = ""' in draft.toml
    assert "columns" in tomllib.loads(draft.toml)["responses"]


def test_silence_needs_rows_without_an_answer(tmp_path):
    answered = COMPANY | {"Responded at": ["2025-01-05"] * N}
    assert any("every row is an answer" in sentence for sentence in draft_study(write(tmp_path, answered)).cannot)
    undelivered = {name: cells for name, cells in COMPANY.items() if name != "Delivered"}
    assert any("bounces pass for silence" in sentence for sentence in draft_study(write(tmp_path, undelivered)).can)


def test_header_only_is_guessed_by_names(tmp_path):
    draft = draft_study(write(tmp_path, {"RESPNUM": [], "NPS": [], "colour": []}))
    assert tomllib.loads(draft.toml)["responses"]["columns"] == {
        "likelihood_to_recommend": "NPS",
        "respondent_id": "RESPNUM",
    }
    assert 'likelihood_to_recommend = "NPS"   # by its name\n' in draft.toml
    assert "with 0 answers" in draft.can[0]


@pytest.mark.parametrize(
    "name",
    ["NPS", "NETPRO", "LTR", "Likely-To-Recommend", "LikelihoodToRecommend", "Net Promoter Score", "nps_score",
     "Wie wahrscheinlich ist es, dass Sie uns weiterempfehlen?", "Recommanderiez-vous notre société ?",
     "Оцените вероятность, что вы порекомендуете нас", "Чи порадите ви нас друзям?"],
)  # fmt: skip
def test_names_of_the_score(tmp_path, name):
    study = drafted(write(tmp_path, {"row": range(22), name: [*range(11)] * 2, "other": [*range(11)] * 2}))
    assert study["responses"]["columns"] == {"likelihood_to_recommend": name}


def test_labelled_answers_are_a_score(tmp_path):
    answers = ["10 - Extremely likely", "9", "0 - Not at all likely", "9,0", "n/a"] * 5
    draft = draft_study(write(tmp_path, {"NPS": answers}))
    assert tomllib.loads(draft.toml)["responses"]["columns"] == {"likelihood_to_recommend": "NPS"}
    assert "with 20 answers" in draft.can[0]


def test_other_candidates_for_the_score_are_named(tmp_path):
    draft = draft_study(write(tmp_path, {"Old NPS": [*range(11)], "NPS": [*range(11)], "nps_group": ["Promoter"] * 11}))
    assert 'likelihood_to_recommend = "NPS"   # by its name and values; also possible: "Old NPS"' in draft.toml


def test_a_nameless_score_is_taken_only_where_it_is_the_only_one(tmp_path):
    one = draft_study(write(tmp_path, {"Q1": [*range(11)], "Q2": ["x"] * 11}))
    assert 'likelihood_to_recommend = "Q1"   # by its values alone' in one.toml
    two = draft_study(write(tmp_path, {"Q1": [*range(11)], "Q2": [*range(11)]}))
    assert [f'# likelihood_to_recommend = "{name}"' in two.toml for name in ("Q1", "Q2")] == [True, True]
    assert "likelihood_to_recommend" not in tomllib.loads(two.toml)["responses"]["columns"]
    assert two.questions[0].startswith('Which column is the answer to how likely one is to recommend: "Q1", "Q2"?')


def test_odd_codes_of_the_score_are_suggested_not_set(tmp_path):
    draft = draft_study(write(tmp_path, {"NPS": [*range(11)] * 9 + [11, 99, 99]}))
    assert "# likelihood_to_recommend holds 11 (1 cell), 99 (2 cells), outside 0 to 10." in draft.toml
    assert "# missing_codes = { likelihood_to_recommend = [11, 99] }" in draft.toml
    assert "missing_codes" not in tomllib.loads(draft.toml)["responses"]


def test_dates_whose_order_is_open_are_asked_about(tmp_path):
    draft = draft_study(write(tmp_path, {"NPS": [9, 3], "Sent": ["03.01.2025", "01.02.2025"]}))
    assert 'The dates in "Sent" are not written year-month-day' in draft.toml
    assert '# date_format = "%d.%m.%Y"' in draft.toml
    assert draft.questions == (
        'How are the dates in "Sent" written: day or month first? Set date_format = "%d/%m/%Y", or with %m first.',
    )
    known = draft_study(write(tmp_path, {"NPS": [9, 3], "Sent": ["31.01.2025", "01.02.2025"]}))
    assert "date_format" not in known.toml


def test_names_that_would_be_shown_alike_keep_their_own(tmp_path):
    words = ["a", "b", "c"] * 8
    study = drafted(write(tmp_path, {"my_group": words, "my group": words, "My group": words, "other-one": words}))
    assert study["responses"]["segments"]["columns"] == {
        "my_group": "my_group", "my group": "my group", "My group": "My group", "Other one": "other-one",
    }  # fmt: skip


def test_slots_for_several_answers_and_overall_ratings_are_no_drivers(tmp_path):
    answers = [1, 2, 3, 4, 5] * 20
    rarely = [*answers[:20], *[""] * 80]
    slots = {"q3_1": rarely, "q3_2": rarely, "q3_3": rarely}
    overall = {"overall rating": answers, "overall quality": answers}
    assert "drivers" not in drafted(write(tmp_path, slots))["responses"]
    assert "drivers" not in drafted(write(tmp_path, overall))["responses"]
    assert "drivers" in drafted(write(tmp_path, {"q3_1": answers, "q3_2": answers, "q3_3": answers}))["responses"]


def test_parquet_has_no_encoding(tmp_path):
    path = tmp_path / "export.parquet"
    pd.DataFrame({"NPS": [9, 10, None, 3], "id": [1, 2, 3, 4]}).to_parquet(path)
    study = drafted(path)
    assert study["responses"]["file"] == "export.parquet"
    assert not {"encoding", "separator"} & set(study["responses"])
    assert study["responses"]["columns"] == {"likelihood_to_recommend": "NPS", "respondent_id": "id"}


_KINDS = [[*range(11)] * 3, ["yes", "no", "yes"] * 11, ["a", "b", "c"] * 11, [1, 2, 3, 4, 5, 1, 2, 3, 4, 5, 9] * 3]
_NAME = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\ufeff"), min_size=1, max_size=12),
    st.sampled_from(
        ["nps", 'a"b', "a.b", "a\\b", "a\nb", "a\x7fb", "#", "'''", '"""', "[x]", "rating = 1", "churned", "Churned"]
    ),
)  # fmt: skip


@given(columns=st.dictionaries(_NAME, st.sampled_from(_KINDS), min_size=1, max_size=8), name=_NAME)
def test_any_column_name_gives_valid_toml_that_names_it_rightly(tmp_path_factory, columns, name):
    path = write(tmp_path_factory.mktemp("hostile"), columns)
    study = tomllib.loads(draft_study(path, name=name).toml)
    responses = study["responses"]
    named = [
        *responses["columns"].values(),
        *responses.get("drivers", {}).get("columns", {}).values(),
        *responses.get("segments", {}).get("columns", {}).values(),
        *(outcome["column"] for outcome in study.get("outcomes", {}).values()),
    ]
    assert study["name"] == name
    assert set(named) <= set(named_columns(list(columns)).positions)
    assert len(named) == len(set(named))


# Real files


@pytest.mark.real
@pytest.mark.parametrize(("year", "odd"), [("2017", 84), ("2018", 159)])
def test_sfo(year, odd):
    draft = draft_study(REAL / "sfo-airport" / f"sfo_{year}.csv")
    responses = tomllib.loads(draft.toml)["responses"]
    assert responses["columns"] == {
        "likelihood_to_recommend": "NETPRO",
        "respondent_id": "RESPNUM",
        "design_weight": "WEIGHT",
        "cluster": "RUNID",
        "stratum": "STRATA",
    }
    assert f"holds 11 ({odd} cells)" in draft.toml
    assert responses["drivers"]["scale"] == [1, 5]
    drivers = set(responses["drivers"]["columns"].values())
    assert sum(column.startswith("Q7") for column in drivers) == 14
    assert not {"Q7ALL", "Q9ALL", "Q9All"} & drivers
    assert "BAREA" in responses["segments"]["columns"].values()


@pytest.mark.real
def test_carpentries():
    study = tomllib.loads(draft_study(REAL / "carpentries" / "longterm_2017_10.csv").toml)
    assert study["responses"]["columns"] == {"likelihood_to_recommend": "Likely-To-Recommend"}
    assert study["outcomes"]["recommended"]["event"] == ["Yes."]
    assert study["outcomes"]["recommended"]["no_event"] == ["No."]
    assert study["outcomes"]["recommended"]["direction"] == "good"
    assert len(study["responses"]["drivers"]["columns"]) == 7
    assert study["responses"]["drivers"]["labels"]["Strongly agree"] == 5


@pytest.mark.real
def test_garden_centre():
    responses = tomllib.loads(draft_study(REAL / "garden-centre" / "nps.csv").toml)["responses"]
    assert responses["columns"] == {"likelihood_to_recommend": "nps", "respondent_id": "id"}
    assert responses["drivers"] == {
        "scale": [1, 10],
        "columns": {"Satisfaction": "satisfaction", "Intention": "intention"},
    }


@pytest.mark.real
def test_taps():
    draft = draft_study(REAL / "taps-panel" / "taps_wave_participation.csv")
    columns = tomllib.loads(draft.toml)["responses"]["columns"]
    assert columns == {"respondent_id": "wustlid", "design_weight": "basewt", "stratum": "strata"}
    assert any('"responded_w02" and 23 like it' in sentence for sentence in draft.cannot)


# Ratings by their values

MOOD = [(row * 37 % 100) / 100 for row in range(200)]
MOVING = {
    "NPS": [round(10 * mood) for mood in MOOD],
    "Counter": [1 + round(4 * mood) for mood in MOOD],
    "Till": [1 + round(4 * mood**2) for mood in MOOD],
    "Parking": [1 + round(4 * mood**0.5) for mood in MOOD],
    "Shop floor": [1 + row * 61 % 5 for row in range(200)],  # codes: they go with nothing
}


def test_columns_that_move_with_the_score_are_a_battery_whatever_they_are_called(tmp_path):
    drivers = drafted(write(tmp_path, MOVING))["responses"]["drivers"]
    assert drivers["scale"] == [1, 5]
    assert set(drivers["columns"].values()) == {"Counter", "Till", "Parking"}


def test_labels_at_the_ends_of_a_scale_are_ratings(tmp_path):
    labelled = {1: "1 - sehr unzufrieden", 5: "5 - sehr zufrieden"}
    columns = {name: [labelled.get(cell, cell) if name != "NPS" else cell for cell in MOVING[name]] for name in MOVING}
    drivers = drafted(write(tmp_path, columns))["responses"]["drivers"]
    assert drivers["labels"] == {"1 - sehr unzufrieden": 1, "5 - sehr zufrieden": 5}
    assert len(drivers["columns"]) == 3


@pytest.mark.parametrize(
    "words",
    [
        ["Strongly disagree", "Disagree", "Somewhat disagree", "Neutral", "Somewhat agree", "Agree", "Strongly agree"],
        ["trifft gar nicht zu", "trifft eher nicht zu", "teils/teils", "trifft eher zu", "trifft voll zu"],
        ["Pas du tout d'accord", "Plutôt pas d'accord", "Neutre", "Plutôt d'accord", "Tout à fait d'accord"],
        ["Discordo totalmente", "Discordo", "Neutro", "Concordo", "Concordo totalmente"],
        ["Зовсім не згоден", "Не згоден", "Нейтрально", "Згоден", "Повністю згоден"],
        ["Bardzo niezadowolona", "Niezadowolona", "Neutralnie", "Zadowolona", "Bardzo zadowolona"],
    ],
)
def test_answers_in_words_are_ratings_of_as_many_levels(tmp_path, words):
    columns = {"NPS": MOVING["NPS"]} | {f"Q{n}": [words[(row + n) % len(words)] for row in range(200)] for n in (1, 2)}
    drivers = drafted(write(tmp_path, columns))["responses"]["drivers"]
    assert drivers["scale"] == [1, len(words)]
    assert drivers["labels"] == {word: level for level, word in enumerate(words, start=1)}


def test_a_level_that_nobody_chose_is_on_the_scale(tmp_path):
    words = ["Very dissatisfied", "Dissatisfied", "Neutral", "Satisfied"]
    columns = {"NPS": MOVING["NPS"]} | {f"Q{n}": [words[(row + n) % 4] for row in range(200)] for n in (1, 2)}
    assert drafted(write(tmp_path, columns))["responses"]["drivers"]["scale"] == [1, 5]
