import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nps_research.counting.clusters import declared_cluster
from nps_research.errors import ContractError
from nps_research.study.contract import Violations
from nps_research.study.standard_columns import CUSTOMERS, PRIVATE, RESPONSES
from nps_research.study.study import Study
from nps_research.study.table_settings import DriverSettings

LTR = "likelihood_to_recommend"


def study_of(customers=None, **options):
    """A study of the columns given; those the contract does not take as options are responses."""
    named = {name: options.pop(name) for name in ("drivers", "segments", "outcomes", "settings") if name in options}
    frame = pd.DataFrame(options)
    return Study.from_frames(responses=frame, customers=None if customers is None else pd.DataFrame(customers), **named)


def broken(study):
    """Rules broken: (column, rule) -> rows."""
    rows = study.violations[["column", "rule", "rows"]].itertuples(index=False)
    return {(column, rule): count for column, rule, count in rows}


# Scores


@pytest.mark.parametrize(
    ("cell", "accepted", "rule"),
    [
        ("11", False, "is not from 0 to 10"),
        ("-1", False, "is not from 0 to 10"),
        ("7.5", False, "is not a whole number"),
        ("ann@example.com", False, "is not a whole number"),
        ("9,0", True, ""),
        ("10 - Extremely likely", True, ""),
        ("n/a", True, ""),
        ("0", True, ""),
        ("10", True, ""),
    ],
)
def test_a_score_is_accepted_or_quarantined(cell, accepted, rule):
    study = study_of(**{LTR: ["5", cell]})
    assert len(study.responses) == 1 + accepted
    assert study.quarantine["line"].tolist() == [2] * (not accepted)
    assert broken(study) == ({} if accepted else {(LTR, rule): 1})


def test_a_quarantined_row_has_every_reason_its_line_and_its_cells():
    study = study_of(
        respondent_id=["a", "", "c"],
        **{LTR: ["9", "11", "8"]},
        invited_at=["2025-01-01", "soon", "2025-01-01"],
        comment=["", "as it came", ""],
    )
    row = study.quarantine.loc[0]
    assert (row["table"], row["file"], row["line"], row["comment"]) == ("responses", "(in memory)", 2, "as it came")
    assert row[LTR] == "11"
    for part in ("respondent_id is missing", f"{LTR} is not from 0 to 10", "invited_at is not a date"):
        assert part in row["reasons"]
    assert study.responses["respondent_id"].tolist() == ["a", "c"]


def test_all_violations_are_reported_at_once_with_counts_and_first_lines():
    study = study_of(**{LTR: [11, 12, 13, 14, 9], "design_weight": [1, -1, 1, 1, None]})
    table = study.violations.set_index("column")
    assert table.loc[LTR, ["rows", "first_lines"]].tolist() == [4, "1, 2, 3"]
    assert broken(study) == {
        (LTR, "is not from 0 to 10"): 4,
        ("design_weight", "is missing"): 1,
        ("design_weight", "is negative"): 1,
    }
    assert len(study.quarantine) == 5  # a row that breaks two rules is quarantined once


def test_a_missing_comparison_breaks_nothing():
    violations = Violations(3)
    violations.add("a", "is bad", pd.Series([True, pd.NA, False], dtype="boolean"))
    assert violations.rows.tolist() == [True, False, False]
    assert violations.reasons().tolist() == ["a is bad", "", ""]


# The same person twice


@pytest.mark.parametrize("scores", [[None, 9], [9, None], [9, 3]])
def test_of_a_person_twice_in_a_wave_the_first_answered_row_is_kept(scores):
    study = study_of(respondent_id=["a", "a"], wave=["1", "1"], responded=[None, None], **{LTR: scores})
    assert study.responses[LTR].tolist() == [9]
    assert len(study.quarantine) == 1
    assert "respondent_id stands twice in one wave" in study.quarantine.loc[0, "reasons"]


def test_the_same_person_in_two_waves_or_touchpoints_is_no_repetition():
    study = study_of(respondent_id=["a"] * 3, wave=["1", "2", "2"], touchpoint=["", "", "call"], **{LTR: [9, 8, 7]})
    assert len(study.responses) == 3


def test_rows_without_an_id_do_not_repeat_each_other():
    assert broken(study_of(respondent_id=["", ""], **{LTR: [9, 8]})) == {("respondent_id", "is missing"): 2}


@pytest.mark.parametrize("bad", [{LTR: ["11", "9"]}, {LTR: ["8", "9"], "delivered": ["no", "yes"]}])
def test_a_row_that_is_bad_anyway_does_not_displace_a_good_one(bad):
    study = study_of(respondent_id=["a", "a"], **bad)
    assert study.responses[LTR].tolist() == [9]


def test_a_row_with_the_score_is_kept_before_one_without():
    study = study_of(
        respondent_id=["a", "a"], wave=["1", "1"], responded_at=["2025-01-02", "2025-01-01"], **{LTR: [None, 9]}
    )
    assert study.responses[LTR].tolist() == [9]


def test_of_answers_with_dates_the_newest_counts():
    dates = ["2025-01-02", "2025-01-09", "2025-01-05"]
    study = study_of(respondent_id=["a"] * 3, wave=["1"] * 3, responded_at=dates, **{LTR: [1, 9, 5]})
    assert study.responses[LTR].tolist() == [9]
    assert broken(study) == {("respondent_id", "stands twice in one wave; the newest answered row is kept"): 2}


def test_the_first_answer_in_the_window_is_kept_beside_the_newest():
    said = {"invited_at": ["2025-01-01"] * 8, "wave": ["1"] * 8, "respondent_id": [*"aaabbcdd"]}
    days = ["01-20", "01-03", "01-05", "02-20", "02-28", "01-02", "01-09", "01-04"]
    study = study_of(**said, responded_at=[f"2025-{day}" for day in days], **{LTR: [1, 2, 3, 4, 5, 6, 7, 11]})
    found = study.responses.set_index("respondent_id")
    assert found[LTR].to_dict() == {"a": 1, "b": 5, "c": 6, "d": 7}  # the newest; an 11 is no answer
    assert found["first_answer"].fillna(-1).to_dict() == {"a": 2, "b": -1, "c": -1, "d": -1}  # b answered late, twice
    assert found.loc["a", "first_answered_at"] == pd.Timestamp("2025-01-03")
    assert "first_answer" not in study_of(respondent_id=["a", "b"], **{LTR: [9, 3]}).responses


def test_without_waves_answers_of_different_moments_all_count_and_a_person_is_a_cluster():
    dates = ["2025-01-02", "2025-04-09 10:00", "2025-04-09 10:00", "2025-05-01", "2025-05-01", None, None]
    study = study_of(respondent_id=["a"] * 7, responded_at=dates, **{LTR: [1, 9, 9, 5, 4, None, None]})
    assert study.responses[LTR].fillna(-1).tolist() == [1, 9, 5, 4, -1, -1]  # a day without an hour tells no double
    assert declared_cluster(study) == "respondent_id"
    assert any("1 person answers several times, and there are no waves" in note for note in study.notes)


# Rows that contradict themselves


@pytest.mark.parametrize(
    ("cells", "column"),
    [
        ({LTR: 9, "delivered": 0}, "delivered"),
        ({LTR: 9, "responded": 0}, "responded"),
        ({LTR: None, "delivered": 0, "responded_at": "2025-01-02"}, "delivered"),
        ({LTR: 9, "invited_at": "2025-01-02", "responded_at": "2025-01-01"}, "responded_at"),
        ({LTR: 9, "invited_at": "2025-01-02T12:00", "responded_at": "2025-01-01T23:59"}, "responded_at"),
    ],
)
def test_a_contradiction_is_quarantined(cells, column):
    study = study_of(**{name: [value] for name, value in cells.items()})
    assert study.responses.empty
    assert {name for name, _ in broken(study)} == {column}


@pytest.mark.parametrize("cells", [{"responded": 0, "responded_at": "2025-01-02"}, {"delivered": 0, "responded": 1}])
def test_a_contradiction_without_a_score_is_quarantined_too(cells):
    study = study_of(**{LTR: [None]}, **{name: [value] for name, value in cells.items()})
    assert study.responses.empty


def test_an_answer_on_the_day_of_the_invitation_is_no_contradiction():
    study = study_of(**{LTR: [9]}, invited_at=["2025-01-02T12:00"], responded_at=["2025-01-02"])
    assert len(study.responses) == 1


# Drivers, segments, outcomes


def rated(cells, **options):
    drivers = DriverSettings(columns={"Price": "Price"}, **options)
    return study_of(**{LTR: [9] * len(cells), "Price": cells, "drivers": drivers})


def test_ratings_missing_codes_and_not_used_are_kept_apart():
    study = rated(["1", "5", "0", "BLANK", "6", "", "n/a"], missing_codes=[0, "blank"], not_used_codes=[6])
    assert study.responses["Price"].isna().tolist() == [False, False, True, True, True, True, True]
    assert study.not_used["Price"].tolist() == [False, False, False, False, True, False, False]


@pytest.mark.parametrize("cell", ["0", "6", "-1", "2.5", "good", "ann@example.com"])
def test_a_rating_out_of_scale_is_quarantined(cell):
    study = rated(["3", cell])
    assert broken(study) == {("Price", "is not a rating from 1 to 5, nor a stated code"): 1}
    assert len(study.not_used) == len(study.responses) == 1


@pytest.mark.parametrize("as_type", ["str", "category", object])
def test_labels_are_ratings_without_regard_to_case(as_type):
    cells = pd.Series(["Agree", " DISAGREE ", "3", None], dtype=as_type)
    study = rated(cells, labels={"Agree": 4, "Disagree": 2})
    assert study.responses["Price"].tolist()[:3] == [4, 2, 3]
    assert pd.isna(study.responses["Price"][3])


def test_a_label_outside_the_scale_is_quarantined():
    assert len(rated(["Agree"], labels={"Agree": 9}).quarantine) == 1


def test_rating_rows_stay_beside_their_not_used_marks():
    study = study_of(
        **{LTR: [11, 9, 12, 8], "Price": ["6", "1", "1", "6"]},
        drivers=DriverSettings(columns={"Price": "Price"}, not_used_codes=[6]),
    )
    assert study.not_used["Price"].tolist() == [False, True]
    assert study.responses[LTR].tolist() == [9, 8]


def test_outcome_codes_and_how_many_are_unknown():
    outcome = {"table": "responses", "column": "Told", "event": ["Yes."], "no_event": ["No."], "direction": "good"}
    study = study_of(
        **{LTR: [9] * 5, "Told": ["Yes.", "no.", "I don't remember.", None, "YES."]}, outcomes={"told": outcome}
    )
    assert study.responses["outcome_told"].astype(object).tolist() == [True, False, pd.NA, pd.NA, True]
    assert any("outcome told: 1 cell" in note for note in study.notes)


def test_an_amount_that_is_no_number_is_quarantined():
    outcome = {"table": "responses", "column": "Spent", "kind": "amount", "direction": "good"}
    study = study_of(**{LTR: [9] * 3, "Spent": ["-1.5", "2,5", "much"]}, outcomes={"spent": outcome})
    assert study.responses["outcome_spent"].tolist() == [-1.5, 2.5]
    assert broken(study) == {("outcome_spent", "is not a number"): 1}


def test_a_code_cannot_be_event_and_no_event():
    outcome = {"table": "responses", "column": "o", "event": ["x"], "no_event": ["X "], "direction": "good"}
    with pytest.raises(ContractError, match="both"):
        study_of(**{LTR: [9], "o": ["x"]}, outcomes={"o": outcome})


def test_a_fault_in_an_outcome_is_an_error_of_ours():
    with pytest.raises(ContractError, match="did you mean column"):
        study_of(**{LTR: [9]}, outcomes={"o": {"table": "responses", "colum": "o", "direction": "good"}})


@pytest.mark.parametrize("name", [LTR, "wave", "response_state", "file", "line", "table", "reasons", "outcome_x"])
def test_a_driver_may_not_take_a_name_that_means_something_else(name):
    columns = {LTR: [9], "wave": ["1"], "outcome_x": [1], name: [5]}
    with pytest.raises(ContractError, match=name):
        study_of(**columns, drivers=[name])


def test_a_column_cannot_be_driver_and_segment_under_one_name():
    with pytest.raises(ContractError, match="Price"):
        study_of(**{LTR: [9], "Price": [5]}, drivers=["Price"], segments=["Price"])


@pytest.mark.parametrize("name", PRIVATE)
def test_a_private_column_is_no_segment(name):
    table = RESPONSES if name in RESPONSES else CUSTOMERS
    frames = {"responses": pd.DataFrame({"respondent_id": ["a"], LTR: [9]})}
    if table is CUSTOMERS:
        frames["customers"] = pd.DataFrame({"customer_id": ["a"], name: ["x"]})
    else:
        frames["responses"][name] = ["a"]
    with pytest.raises(ContractError, match=name):
        Study.from_frames(**frames, segments=[name])


# Customers


def customers_of(**columns):
    return study_of(respondent_id=["a"], **{LTR: [9]}, customers=columns)


def test_a_customer_twice_is_kept_once():
    study = customers_of(customer_id=["a", "b", "a", ""], role=["x", "y", "z", ""])
    assert study.customers["role"].tolist() == ["x", "y"]
    assert broken(study) == {
        ("customer_id", "is missing"): 1,
        ("customer_id", "stands twice; the first row is kept"): 1,
    }


def test_a_bad_customer_does_not_displace_a_good_one():
    assert customers_of(customer_id=["a", "a"], revenue=[-1, 5]).customers["revenue"].tolist() == [5]


@pytest.mark.parametrize(
    ("columns", "column", "rule"),
    [
        ({"started_at": "2025-02-01", "churned_at": "2025-01-31"}, "churned_at", "is before started_at"),
        ({"churned_at": "2025-02-01", "observed_until": "2025-01-31"}, "churned_at", "is after observed_until"),
        ({"revenue": "-0.01"}, "revenue", "is negative"),
        ({"revenue": "lots"}, "revenue", "is not a number"),
    ],
)
def test_a_customer_that_breaks_a_rule_is_quarantined(columns, column, rule):
    study = customers_of(customer_id=["a", "b"], **{name: [None, value] for name, value in columns.items()})
    assert study.customers["customer_id"].tolist() == ["a"]
    assert broken(study) == {(column, rule): 1}


def test_what_happens_on_the_last_day_is_in_order():
    columns = {"started_at": "2025-01-31", "churned_at": "2025-01-31", "observed_until": "2025-01-31"}
    assert broken(customers_of(customer_id=["a"], **{name: [value] for name, value in columns.items()})) == {}


@pytest.mark.parametrize("name", ["started_at", "churned_at", "observed_until", "revenue"])
def test_fields_of_an_account_must_agree_across_its_rows(name):
    values = ["5", "6", "7", "5", "5"] if name == "revenue" else ["2025-01-01", None, None, "2025-01-02", "2025-01-02"]
    study = customers_of(customer_id=list("abcde"), account_id=["A", "A", "", "B", "B"], **{name: values})
    assert broken(study) == {(name, "differs between rows of one account"): 2}
    assert study.customers["customer_id"].tolist() == ["c", "d", "e"]


def test_customers_need_an_id():
    with pytest.raises(ContractError, match="customer_id"):
        customers_of(revenue=[5])


# Typed frames


def test_a_typed_frame_and_its_text_make_the_same_study():
    typed = pd.DataFrame(
        {
            "respondent_id": pd.Series([1.0, 2.0, 3.0, 4.0]),
            LTR: pd.Series([9, None, 0, 10], dtype="Int64"),
            "invited_at": pd.Series(pd.to_datetime(["2025-01-01"] * 4)).dt.tz_localize("UTC"),
            "responded_at": pd.Series(pd.to_datetime(["2025-01-02", None, "2025-01-03", "2025-01-04"])),
            "delivered": pd.Series([True, False, True, None], dtype="boolean"),
            "channel": pd.Series(["web", "web", None, "phone"], dtype="category"),
            "design_weight": np.array([1, 2, 3, 4], dtype="float32"),
            "price": pd.Series([1.0, np.nan, 5.0, 3.0]),
        }
    )
    text = pd.DataFrame(
        {
            "respondent_id": ["1", "2", "3", "4"],
            LTR: ["9", "", "0", "10"],
            "invited_at": ["2025-01-01"] * 4,
            "responded_at": ["2025-01-02", "", "2025-01-03", "2025-01-04"],
            "delivered": ["yes", "no", "yes", ""],
            "channel": ["web", "web", "", "phone"],
            "design_weight": ["1", "2", "3", "4"],
            "price": ["1", "", "5", "3"],
        }
    )
    studies = [Study.from_frames(responses=frame, drivers=["price"], segments=["channel"]) for frame in (typed, text)]
    assert studies[0].quarantine.empty
    pd.testing.assert_frame_equal(studies[0].responses, studies[1].responses)


# Always


JUNK = st.one_of(
    st.none(),
    st.sampled_from(["", "0", "5", "10", "11", "-1", "9,0", "7.5", "10 - Yes", "n/a", "yes", "no", "1", "2025-01-01"]),
    st.sampled_from(["2025-01-09T10:00Z", "1.1.25", "a", "b", "<script>", "x\ny", "\x00", "ann@example.com", "1,234"]),
    st.text(max_size=8),
)
RESPONSE_COLUMNS = [*RESPONSES, "Price", "Region"]
CUSTOMER_COLUMNS = [*CUSTOMERS, "Industry"]


def junk_table(columns, always):
    names = st.lists(st.sampled_from(columns), unique=True, max_size=7).map(
        lambda found: list({always: 0} | dict.fromkeys(found))
    )
    rows = st.integers(0, 12)
    return st.tuples(names, rows).flatmap(
        lambda shape: st.tuples(*[st.lists(JUNK, min_size=shape[1], max_size=shape[1]) for _ in shape[0]]).map(
            lambda cells: pd.DataFrame(dict(zip(shape[0], cells, strict=True)), dtype=object)
        )
    )


@settings(max_examples=60, deadline=None)
@given(responses=junk_table(RESPONSE_COLUMNS, LTR), customers=junk_table(CUSTOMER_COLUMNS, "customer_id"))
def test_rows_in_are_rows_accepted_and_rows_quarantined(responses, customers):
    before = responses.copy(deep=True), customers.copy(deep=True)
    study = Study.from_frames(
        responses=responses,
        customers=customers,
        drivers=[name for name in ["Price"] if name in responses],
        segments=[name for name in ["Region", "Industry"] if name in responses or name in customers],
    )
    for table, came, accepted in (("responses", responses, study.responses), ("customers", customers, study.customers)):
        held_back = study.quarantine[study.quarantine["table"] == table]
        assert len(came) == len(accepted) + len(held_back)
        counts = study.files[study.files["table"] == table].iloc[0]
        assert counts[["rows", "accepted", "quarantined"]].tolist() == [len(came), len(accepted), len(held_back)]
        assert held_back["reasons"].str.len().gt(0).all()
        assert held_back["line"].is_unique
    keeps_the_rules(study)
    pd.testing.assert_frame_equal(responses, before[0])
    pd.testing.assert_frame_equal(customers, before[1])


def keeps_the_rules(study):
    """No accepted row breaks a rule, row by row and without the contract's own code."""
    for row in study.responses.to_dict("records"):
        held = {name: value for name, value in row.items() if not pd.isna(value)}
        assert held.get(LTR, 0) in range(11)
        assert held.get("Price", 1) in range(1, 6)
        assert held.get("design_weight", 0) >= 0
        if LTR in held:
            assert held.get("delivered", True)
            assert held.get("responded", True)
        if "responded_at" in held:
            assert held.get("delivered", True)
            assert held["responded_at"] >= held.get("invited_at", held["responded_at"]).normalize()
        assert "respondent_id" in held
    moments = [name for name in ("invited_at", "responded_at") if f"responses.{name}" in study.available]
    wave = "wave" if "wave" in study.responses else next(iter(moments), "wave")
    seen = [
        tuple(map(str, (row.get(name) for name in ("respondent_id", wave, "touchpoint"))))
        for row in study.responses.to_dict("records")
        if wave != "responded_at" or row[wave] != row[wave].normalize()
    ]
    assert len(seen) == len(set(seen))
    customers = study.customers.to_dict("records")
    assert len({row["customer_id"] for row in customers}) == len(customers)
    for row in customers:
        held = {name: value for name, value in row.items() if not pd.isna(value)}
        assert held.get("revenue", 0) >= 0
        if "churned_at" in held:
            assert (
                held.get("started_at", held["churned_at"])
                <= held["churned_at"]
                <= held.get("observed_until", held["churned_at"])
            )


@pytest.mark.parametrize(
    "text", ["<script>alert(1)</script>", r"$\frac{1}{0}$", "a\nb", "\x00", "javascript:alert(1)", "**b**"]
)
def test_hostile_text_is_text(text):
    study = study_of(
        **{LTR: [9, 11], text: ["5", "6"], "group" + text: [text, text]},
        comment=[text, text],
        wave=[text, text],
        drivers=[text],
        segments=["group" + text],
    )
    assert study.responses["comment"].tolist() == [text]
    assert study.responses["group" + text].tolist() == [text]
    assert study.waves == (text,)
    assert study.responses[text].tolist() == [5]


@pytest.mark.parametrize("name", ["weekday", "hour"])
def test_a_segment_cannot_have_the_name_of_a_moment_of_the_answer(name):
    table = pd.DataFrame({"likelihood_to_recommend": [9, 8], name: ["am", "pm"]})
    with pytest.raises(ContractError, match=f"a segment cannot be called {name}"):
        Study.from_frames(responses=table, segments=[name])
