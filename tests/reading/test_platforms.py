"""Exports of survey platforms, after their documented formats; all answers are made up."""

import csv
import json

import openpyxl
import pytest

from nps_research.errors import ContractError
from nps_research.reading.sources import read_table
from nps_research.study.draft.draft import draft_study

# Qualtrics: names, question texts, {"ImportId": ...}; then the answers.
QUALTRICS = {
    "StartDate": ("Start Date", {"ImportId": "startDate", "timeZone": "America/Denver"}),
    "EndDate": ("End Date", {"ImportId": "endDate", "timeZone": "America/Denver"}),
    "Status": ("Response Type", {"ImportId": "status"}),
    "IPAddress": ("IP Address", {"ImportId": "ipAddress"}),
    "Progress": ("Progress", {"ImportId": "progress"}),
    "Duration (in seconds)": ("Duration (in seconds)", {"ImportId": "duration"}),
    "Finished": ("Finished", {"ImportId": "finished"}),
    "RecordedDate": ("Recorded Date", {"ImportId": "recordedDate", "timeZone": "America/Denver"}),
    "ResponseId": ("Response ID", {"ImportId": "_recordId"}),
    "Q1_NPS_GROUP": ("How likely are you\nto recommend us? - Group", {"ImportId": "QID1_NPS_GROUP"}),
    "Q1": ('How likely are you\nto recommend us, "all in all"?', {"ImportId": "QID1"}),
    "Q2_4_TEXT": ("Why? - Other, please say", {"ImportId": "QID2_4_TEXT"}),
}
START, END = "2025-10-01 09:00:00", "2025-10-01 09:05:00"
QUALTRICS_ANSWERS = [
    [
        START,
        END,
        "IP Address",
        "192.0.2.1",
        "100",
        "300",
        "True",
        END,
        "R_1aaaaaaaaaaaaaa",
        "Promoter",
        "10",
        "fine, thanks",
    ],
    [START, END, "Survey Preview", "", "100", "300", "True", END, "R_2bbbbbbbbbbbbbb", "Detractor", "3", "two\nlines"],
]


def qualtrics_rows():
    texts, imports = zip(*QUALTRICS.values(), strict=True)
    return [
        list(QUALTRICS),
        list(texts),
        [json.dumps(mark, separators=(",", ":")) for mark in imports],
        *QUALTRICS_ANSWERS,
    ]


# SurveyMonkey: questions over their first columns; below them the choices, or words for one answer.
MONKEY_ROWS = [
    ["Respondent ID", "Collector ID", "Start Date", "End Date", "IP Address", "Email Address", "First Name",
     "Last Name", "Custom Data 1",
     "How likely are you to recommend us?", "Which do you use?", "", "", "How do you rate us?", "",
     "What could be better?"],
    ["", "", "", "", "", "", "", "", "", "Response", "Phone", "Chat", "Other (please specify)", "Price", "Speed",
     "Open-Ended Response"],
    ["114000000001", "400000001", "10/01/2025 09:00:00 AM", "10/01/2025 09:05:00 AM", "192.0.2.1", "", "", "", "",
     "10 - Extremely likely", "Phone", "", "by fax", "4", "5", "nothing"],
    ["114000000002", "400000001", "10/13/2025 09:00:00 AM", "10/13/2025 09:05:00 AM", "192.0.2.2", "", "", "", "",
     "3", "", "Chat", "", "2", "", "your, say, prices"],
]  # fmt: skip
MONKEY_HEADER = (
    *MONKEY_ROWS[0][:10], "Which do you use?: Phone", "Which do you use?: Chat",
    "Which do you use?: Other (please specify)", "How do you rate us?: Price", "How do you rate us?: Speed",
    "What could be better?",
)  # fmt: skip


def as_csv(path, rows, **options):
    with path.open("w", newline="", encoding=options.pop("encoding", "utf-8-sig")) as file:
        csv.writer(file, **options).writerows(rows)
    return path


def as_tsv(path, rows):
    return as_csv(path.with_suffix(".tsv"), rows, delimiter="\t", encoding="utf-16")


def as_workbook(path, rows):
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append([cell or None for cell in row])
    book.save(path.with_suffix(".xlsx"))
    return path.with_suffix(".xlsx")


@pytest.mark.parametrize("written", [as_csv, as_tsv, as_workbook])
def test_qualtrics_is_detected_by_its_third_row(tmp_path, written):
    table = read_table(written(tmp_path / "export.csv", qualtrics_rows()))
    assert table.header == tuple(QUALTRICS)
    assert table.frame.fillna("").to_numpy().tolist() == QUALTRICS_ANSWERS
    assert "Qualtrics export, detected: names from the first of 3 header rows" in table.notes
    assert "times are written in the time zone America/Denver, and kept as written" in table.notes
    assert table.read_with["header_rows"] == 3


def test_lines_below_a_qualtrics_header_of_several_lines(tmp_path):
    table = read_table(as_csv(tmp_path / "export.csv", qualtrics_rows()))
    assert table.line.tolist() == [6, 7]  # two question texts, in one row, hold a line end each


def test_an_answer_in_braces_is_no_qualtrics_header(tmp_path):
    rows = [["id", "why"], ["1", "{}"], ['{"ImportId":"x"}', "plain"], ["3", "{"]]
    table = read_table(as_csv(tmp_path / "export.csv", rows))
    assert table.frame["id"].tolist() == ["1", '{"ImportId":"x"}', "3"]
    assert not any("Qualtrics" in note for note in table.notes)


def test_init_of_a_qualtrics_export_states_its_header(tmp_path):
    toml = draft_study(as_csv(tmp_path / "export.csv", qualtrics_rows())).toml
    assert "\nheader_rows = 3\n" in toml
    assert 'respondent_id = "ResponseId"' in toml


@pytest.mark.parametrize("written", [as_csv, as_tsv, as_workbook])
def test_surveymonkey_is_detected_and_its_choices_named(tmp_path, written):
    table = read_table(written(tmp_path / "export.csv", MONKEY_ROWS))
    assert table.header == MONKEY_HEADER
    assert table.frame.fillna("").to_numpy().tolist() == MONKEY_ROWS[2:]
    assert "SurveyMonkey export, detected: names joined from 2 header rows" in table.notes
    assert table.line.tolist() == [3, 4]


def test_a_surveymonkey_export_with_renamed_columns_is_read_as_stated(tmp_path):
    rows = [["Numer", *MONKEY_ROWS[0][1:]], *MONKEY_ROWS[1:]]
    path = as_csv(tmp_path / "export.csv", rows)
    assert len(read_table(path).frame) == 3
    assert read_table(path, header_rows=2).header == ("Numer", *MONKEY_HEADER[1:])


def test_a_surveymonkey_export_with_one_header_row_keeps_its_first_record(tmp_path):
    rows = [["Respondent ID", "Collector ID", "NPS"], ["1", "4", "9"], ["2", "4", "3"]]
    assert read_table(as_csv(tmp_path / "export.csv", rows)).frame["NPS"].tolist() == ["9", "3"]


def test_a_first_record_without_an_id_is_not_taken_for_choices(tmp_path):
    rows = [["Respondent ID", "NPS"], ["", "9"], ["2", "3"]]
    assert read_table(as_csv(tmp_path / "export.csv", rows)).frame["NPS"].tolist() == ["9", "3"]


def test_one_stated_header_row_turns_detection_off(tmp_path):
    path = as_csv(tmp_path / "export.csv", MONKEY_ROWS)
    assert len(read_table(path, header_rows=1).frame) == 3


@pytest.mark.parametrize("text", ["a,b\n", "a,b\n1\n2,3\n", "a,b\n\n1,2\n"])
def test_header_rows_that_are_not_there(tmp_path, text):
    path = tmp_path / "answers.csv"
    path.write_text(text)
    with pytest.raises(ContractError, match=r"answers\.csv: header_rows = 2 is stated, but from line 1 on"):
        read_table(path, header_rows=2)
