import sqlite3

import pandas as pd
import pytest

from nps_research import Study, open_study
from nps_research.counting.cells import count_cells
from nps_research.counting.shown_groups import groups_not_shown
from nps_research.errors import CannotAnswerError, ContractError
from nps_research.intake.listings import intake
from nps_research.responding import response_funnel

LTR = "likelihood_to_recommend"
HEADER = "id,sex,r_a,r_b,r_c,nps_a,nps_b,nps_c\n"
WIDE = """
name = "S"
[responses]
file = "members.csv"
columns = {{ respondent_id = "id" }}
missing_codes = {{ respondent_id = ["0"], likelihood_to_recommend = [99] }}
[responses.wide]
waves = {waves}
columns = {{ {columns} }}
[responses.segments]
columns = {{ "Sex" = "sex" }}
"""
BOTH = f'responded = "r_{{wave}}", {LTR} = "nps_{{wave}}"'


def write(folder, body, *, waves='["c", "a", "b"]', columns=BOTH, header=HEADER):
    (folder / "members.csv").write_text(header + body)
    (folder / "study.toml").write_text(WIDE.format(waves=waves, columns=columns))
    return folder


def test_a_line_is_one_invitation_per_wave(tmp_path):
    study = open_study(write(tmp_path, "p1,f,1,0,1,9,,99\np2,m,0,0,1,,,3\n"))
    assert study.waves == ("c", "a", "b")  # as stated, not by the alphabet
    rows = study.responses.set_index(["wave", "respondent_id"]).sort_index()
    assert rows["response_state"].to_dict() == {
        ("a", "p1"): "answered",
        ("a", "p2"): "nonrespondent",
        ("b", "p1"): "nonrespondent",
        ("b", "p2"): "nonrespondent",
        ("c", "p1"): "item_missing",
        ("c", "p2"): "answered",
    }
    assert rows[LTR].dropna().to_dict() == {("a", "p1"): 9, ("c", "p2"): 3}
    assert rows["Sex"].groupby("respondent_id").unique().map(list).to_dict() == {"p1": ["f"], "p2": ["m"]}


def test_rows_in_are_rows_accepted_and_rows_quarantined_and_lines_are_those_of_the_file(tmp_path):
    body = "p1,f,1,0,1,9,,3\np2,m,1,0,0,11,,\np3,f,1,0,1,9,,3,too many\np4,m,2,0,x,,,\n0,f,1,1,1,5,5,5\n"
    study = open_study(write(tmp_path, body))
    assert intake(study).frame["rows"].tolist() == [5, 5, 5]
    assert study.files["file"].tolist() == ["members.csv, c", "members.csv, a", "members.csv, b"]
    assert study.files["wave"].tolist() == ["c", "a", "b"]
    assert (study.files["accepted"] + study.files["quarantined"]).tolist() == [5, 5, 5]
    assert study.files["accepted"].sum() == len(study.responses) == 6
    assert study.files["quarantined"].sum() == len(study.quarantine) == 9
    lines = study.quarantine.groupby("file")["line"].apply(sorted).to_dict()
    # line 3: 11 is no score, in wave a; line 4: too long, in every wave; line 5: not yes nor no, in a and c; 6: no id
    assert lines == {"members.csv, a": [3, 4, 5, 6], "members.csv, b": [4, 6], "members.csv, c": [4, 5, 6]}
    rules = study.violations.set_index("column")
    assert rules.loc["record", "rows"] == 3
    assert rules.loc[LTR, "first_lines"] == "3"


def test_the_file_is_read_once_and_notes_say_so_once(tmp_path, monkeypatch):
    from nps_research.study import raw_rows

    read, calls = raw_rows.read_source, []
    monkeypatch.setattr(raw_rows, "read_source", lambda *given, **named: (calls.append(1), read(*given, **named))[1])
    study = open_study(write(tmp_path, "p1,f,1,0,1,9,,99\n0,m,0,0,1,,,3\n"))
    assert len(calls) == 1
    assert [note for note in study.notes if note.startswith("members.csv")] == [
        "members.csv: encoding utf-8, detected.",
        "members.csv: separator ',', detected.",
        "members.csv: 1 cell of respondent_id held a stated code for no answer (0).",
        f"members.csv, c: 1 cell of {LTR} held a stated code for no answer (99).",
        "members.csv: each line stands for 3 invitations, one per wave.",
    ]


def test_a_wrong_column_is_said_once_a_wave_and_others_once(tmp_path):
    folder = write(tmp_path, "p1,f,1,0,1,9,,3\n", columns='responded = "resp_{wave}", touchpiont = "t_{wave}"')
    with pytest.raises(ContractError, match="did you mean touchpoint"):
        open_study(folder)
    folder = write(tmp_path, "p1,f,1,0,1,9,,3\n", waves='["a", "b", "d"]', columns='responded = "r_{wave}"')
    text = (folder / "study.toml").read_text()
    (folder / "study.toml").write_text(text.replace('"Sex" = "sex"', '"Sex" = "sexx"').replace(f", {LTR} = [99]", ""))
    with pytest.raises(ContractError) as caught:
        open_study(folder)
    message = str(caught.value)
    assert "members.csv, d: there is no column 'r_d' for responded: did you mean 'r_" in message
    assert message.count("'sexx'") == 1
    assert "members.csv: there is no column 'sexx' for Sex: did you mean 'sex'?" in message


@pytest.mark.parametrize(
    ("key", "name"),
    [("", "members.db"), ('table = "m"\n', "members.db (m)"), ('query = "SELECT * FROM m"\n', "members.db")],
)
def test_a_table_of_a_database_may_be_wide_too(tmp_path, key, name):
    connection = sqlite3.connect(tmp_path / "members.db")
    pd.DataFrame({"id": ["p1", "p2"], "sex": ["f", "m"], "r_a": [1, 0], "r_b": [0, 1]}).to_sql("m", connection)
    connection.close()
    text = WIDE.format(waves='["a", "b"]', columns='responded = "r_{wave}"').replace(f", {LTR} = [99]", "")
    (tmp_path / "study.toml").write_text(text.replace('"members.csv"\n', f'"members.db"\n{key}'))
    study = open_study(tmp_path)
    assert study.responses["response_state"].tolist() == ["item_missing", *["nonrespondent"] * 2, "item_missing"]
    assert study.files["file"].tolist() == [f"{name}, a", f"{name}, b"]
    assert f"{name}: each line stands for 2 invitations, one per wave." in study.notes


# Silence without scores


def test_a_study_without_scores_is_counted():
    table = pd.DataFrame({"respondent_id": range(30), "wave": "1", "responded": [1, 0] * 15, "sex": "f"})
    study = Study.from_frames(responses=table, segments=["sex"])
    assert response_funnel(study).frame["returned"].tolist() == [15, 15]
    assert groups_not_shown(study, ["sex"]) == frozenset()
    assert set(count_cells(study, ["wave"])["state"]) == {"item_missing", "nonrespondent"}


@pytest.mark.parametrize(
    ("columns", "known"),
    [
        ({LTR: [9, None]}, False),
        ({LTR: [9, None], "responded": [1, 0]}, True),
        ({LTR: [9, None], "responded": [1, 1]}, False),
        ({LTR: [None, None], "responded": [0, 0]}, False),
        ({"responded": [1, 0]}, True),
        ({LTR: [9, None], "delivered": [1, 0]}, False),
        ({LTR: [9, 8], "responded_at": ["2025-01-01"] * 2}, False),
        ({LTR: [9, None], "responded_at": ["2025-01-01", None]}, True),
    ],
)
def test_silence_is_known_where_some_were_silent_and_some_were_not(columns, known):
    study = Study.from_frames(responses=pd.DataFrame(columns))
    assert study.can_answer("responses.silence") == known
    if not known:
        with pytest.raises(CannotAnswerError, match=r"who was silent beside .* \(responses.silence\)"):
            study.require("responses.silence")
