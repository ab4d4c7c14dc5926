"""Exports that cannot be right, or cannot be told: asked about or refused in words, never guessed."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from nps_research import cli

N = 120
SCORE = np.random.default_rng(20261128).integers(0, 11, N)
IDS = [f"C{row:04d}" for row in range(N)]


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Write tables into a folder, draft a study of the first, edit it, check it; what was said, and the exit code."""
    monkeypatch.setattr(cli.console, "width", 500)
    monkeypatch.chdir(tmp_path)

    def run(edit=("", ""), **tables) -> tuple[str, int]:
        for name, table in tables.items():
            pd.DataFrame(table).to_csv(f"{name}.csv", index=False)
        second = ["--customers", "crm.csv"] if "crm" in tables else []
        said = CliRunner().invoke(cli.app, ["init", "answers.csv", "--out", "study", *second])
        if said.exit_code:
            return said.output, said.exit_code
        toml = Path("study", "study.toml")
        assert edit[0] in toml.read_text(encoding="utf-8")
        toml.write_text(toml.read_text(encoding="utf-8").replace(*edit), encoding="utf-8")
        checked = CliRunner().invoke(cli.app, ["check", "study", "--data", "."])
        return said.output + checked.output, checked.exit_code

    return run


def test_of_two_questions_that_could_be_the_score_neither_is_guessed(run):
    ours, app = "How likely are you to recommend us?", "How likely are you to recommend our app?"
    said, code = run(answers={"id": IDS, ours: SCORE, app: SCORE[::-1]})
    assert code == 1
    assert f'Which column is the answer to how likely one is to recommend: "{ours}", "{app}"?' in said
    assert "As drafted" not in said


def test_the_line_of_the_question_makes_the_score(run):
    ours, app = "How likely are you to recommend us?", "How likely are you to recommend our app?"
    edit = (f'# likelihood_to_recommend = "{ours}"', f'likelihood_to_recommend = "{ours}"')
    assert run(edit, answers={"id": IDS, ours: SCORE, app: SCORE[::-1]})[1] == 0


def test_where_nothing_is_a_score_the_nearest_is_named_and_why_it_is_none(run):
    said, code = run(
        answers={"id": IDS, "Age": 20 + SCORE, "Satisfaction": SCORE % 5 + 1, "Region": ["N", "S"] * (N // 2)}
    )
    assert code == 1
    assert "'Satisfaction' comes nearest, with whole numbers from 1 to 5: the score needs answers from 0 to 10" in said


def test_accounts_that_stand_twice_are_counted_before_and_quarantined_after(run):
    firms = [f"Firm {row % 12}" for row in range(N)]
    accounts = [f"Firm {row % 12}" for row in range(15)]
    said, code = run(
        answers={"Contact ID": IDS, "Company": firms, "NPS": SCORE}, crm={"Company": accounts, "ARR": range(15)}
    )
    assert code == 0
    assert "3 rows will be quarantined" in said
    assert "stands twice; the first row is kept" in said


def test_a_key_that_matches_three_in_a_hundred_is_no_key(run):
    others = [*IDS[:4], *(f"X{row}" for row in range(N - 4))]
    said, code = run(answers={"Customer ID": IDS, "NPS": SCORE}, crm={"Customer ID": others, "ARR": range(N)})
    assert code == 1
    assert "'Customer ID' comes nearest, with 4 of the 120 in 'Customer ID'" in said


def test_one_end_for_all_before_all_leaving_is_told(run):
    left = ["2025-11-10" if row % 7 == 0 else "" for row in range(N)]
    dates = pd.date_range("2025-01-01", periods=N).strftime("%Y-%m-%d")
    said, _ = run(
        ("# observed_until = 2025-11-10", "observed_until = 2024-12-31"),
        answers={"Customer ID": IDS, "NPS": SCORE, "Date": dates},
        crm={"Customer ID": IDS, "Churn date": left},
    )
    assert "Warning: customers: 18 of 18 who left did so after 2024-12-31" in said
    assert "State a later observed_until" in said


def test_exclude_that_leaves_nothing_is_an_error(run):
    said, code = run(
        ("[responses]\n", '[responses]\nexclude = { Status = ["complete"] }\n'),
        answers={"id": IDS, "NPS": SCORE, "Status": "complete"},
    )
    assert code == 1
    assert "exclude and only leave none of 120 rows: Status is complete" in said


def answers(score=SCORE, **more) -> str:
    dates = pd.date_range("2025-01-01", periods=N).astype(str)
    return pd.DataFrame({"id": IDS, "score": score, "date": dates, **more}).to_csv(index=False)


def checked(tmp_path, monkeypatch, content: bytes, name="answers.csv") -> tuple[str, int]:
    """What `init` and `check` say of one file, and the exit code."""
    monkeypatch.setattr(cli.console, "width", 500)
    monkeypatch.chdir(tmp_path)
    Path(name).write_bytes(content)
    said = CliRunner().invoke(cli.app, ["init", name, "--out", "study"])
    if said.exit_code:
        return said.output, said.exit_code
    found = CliRunner().invoke(cli.app, ["check", "study", "--data", "."])
    return said.output + found.output, found.exit_code


ALL = f"{N} rows in, {N} accepted, 0 quarantined; {N} answers"
BUT_ONE = f"{N + 1} rows in, {N} accepted, 1 quarantined; {N} answers"
WORDED = {10: "10 - extremely likely", 0: "0 - not at all likely"}
LINES = answers().splitlines()
FILES = {
    "the header again in the middle": ("\n".join([*LINES[:61], LINES[0], *LINES[61:]]).encode(), BUT_ONE),
    "a sum at the foot": (f"{answers()}Total,{SCORE.sum()},\n".encode(), BUT_ONE),
    "a mean at the foot": (f"{answers()}Average,{SCORE.mean():.0f},\n".encode(), BUT_ONE),
    "UTF-16 with tabs, named .csv": (answers().replace(",", "\t").encode("utf-16"), ALL),
    "scores with words": (answers([WORDED.get(score, str(score)) for score in SCORE]).encode(), ALL),
    "9.0 and 9,0 in one column": (
        answers([f"{score}.0" if row % 2 else f"{score},0" for row, score in enumerate(SCORE)]).encode(),
        ALL,
    ),
    "Windows-1251": (answers(city=["Кишинёв", "Бельцы"] * (N // 2)).encode("cp1251"), ALL),
    "blanks that do not break": (answers([f"\u00a0{score} " for score in SCORE]).encode(), ALL),
}


@pytest.fixture
def counted_right(tmp_path, monkeypatch):
    """Whether one of the files above is counted right."""

    def counted_right(name: str) -> bool:
        content, right = FILES[name]
        said, code = checked(tmp_path, monkeypatch, content)
        return code == 0 and right in said

    return counted_right


def test_the_header_again_in_the_middle(counted_right):
    assert counted_right("the header again in the middle")


def test_a_sum_at_the_foot(counted_right):
    assert counted_right("a sum at the foot")


def test_a_mean_at_the_foot(counted_right):
    assert counted_right("a mean at the foot")


def test_utf_16_with_tabs_named_csv(counted_right):
    assert counted_right("UTF-16 with tabs, named .csv")


def test_scores_with_words(counted_right):
    assert counted_right("scores with words")


def test_both_decimal_signs_in_one_column(counted_right):
    assert counted_right("9.0 and 9,0 in one column")


def test_windows_1251(counted_right):
    assert counted_right("Windows-1251")


def test_blanks_that_do_not_break(counted_right):
    assert counted_right("blanks that do not break")


def test_two_columns_of_one_name_are_refused(tmp_path, monkeypatch):
    said, code = checked(tmp_path, monkeypatch, answers().replace("id,score,date", "id,score,score").encode())
    assert code == 1
    assert "column 'score', wanted for likelihood_to_recommend, is there more than once" in said


def test_a_web_page_named_as_a_workbook_is_refused(tmp_path, monkeypatch):
    page = "<html><table><tr><td>id</td><td>score</td></tr></table></html>"
    said, code = checked(tmp_path, monkeypatch, page.encode(), name="answers.xls")
    assert code == 1
    assert "files ending in '.xls' are not read" in said


DIGITS = ("\N{FULLWIDTH DIGIT ZERO}", "\N{ARABIC-INDIC DIGIT ZERO}", "\N{DEVANAGARI DIGIT ZERO}")


@pytest.mark.parametrize(
    "written",
    [
        "{}/10".format,
        "{} / 10".format,
        "{} out of 10".format,
        *(lambda score, zero=zero: "".join(chr(ord(zero) + int(digit)) for digit in str(score)) for zero in DIGITS),
    ],
    ids=["9/10", "9 / 10", "9 out of 10", "full width", "Arabic", "Devanagari"],
)
def test_answers_out_of_ten_and_in_other_digits_are_drafted_with_what_each_stands_for(run, written):
    plain, _ = run(answers={"id": IDS, "NPS": SCORE})
    Path("study", "study.toml").unlink()
    said, code = run(answers={"id": IDS, "NPS": [written(score) for score in SCORE]})
    assert code == 0
    (as_drafted,) = (line for line in said.splitlines() if line.startswith("As drafted"))
    assert as_drafted in plain
    assert "codes replaced by their values, as stated: 120 cells" in said


@pytest.mark.parametrize("written", ["{}/5", "{} out of 5", "{} von 5"])
def test_answers_out_of_another_number_are_no_score(run, written):
    said, _ = run(answers={"id": IDS, "NPS": [written.format(score % 5 + 1) for score in SCORE]})
    assert "'NPS' is named so, but" in said
    assert "As drafted" not in said


def test_dates_in_the_future_are_what_is_wrong_and_not_the_score(run):
    said, code = run(answers={"id": IDS, "NPS": SCORE, "date": ["2199-03-05"] * N})
    assert code == 1
    refused = "none of the 120 rows of the responses is accepted; most often responded_at is not from 1990 to tomorrow"
    assert f"As drafted, {refused}." in said
    assert said.endswith(f"Error: {refused}\n")
    assert "does not record" not in said


def test_a_web_page_named_csv_is_refused_before_anything_is_drafted(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("answers.csv").write_text("<!DOCTYPE html>\n<p>Please, sign in</p>\n", encoding="utf-8")
    said = CliRunner().invoke(cli.app, ["init", "answers.csv", "--out", "study"])
    assert said.exit_code == 1
    assert said.output.startswith("Error: answers.csv is a web page, not a table")
    assert not Path("study").exists()


def test_lines_of_separators_alone_do_not_take_the_id_away_and_are_quarantined(run):
    said, code = run(answers={"id": [*IDS, None], "NPS": [*SCORE.tolist(), None], "date": ["2025-03-05"] * N + [None]})
    assert code == 0
    assert "121 rows came in: 120 are accepted, 1 is quarantined" in said
    assert "responses.respondent_id" in said
    assert "1 record with every cell empty" in said
    assert "it is taken for the customer" not in said
