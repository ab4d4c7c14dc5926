"""Tables beside responses and customers: what is accepted, what is set apart and why, from whatever kind of file."""

from __future__ import annotations

import datetime as dt

import duckdb
import numpy as np
import pandas as pd
import pytest

import nps_research as nps
from nps_research.errors import CannotAnswerError, ContractError
from nps_research.made_up.simulate import simulate_study
from nps_research.made_up.truth import Truth
from nps_research.study.further_tables import FURTHER
from nps_research.study.study import open_study

ONES = [f"C{number}" for number in range(1, 7)]
RESPONSES = pd.DataFrame(
    {
        "respondent_id": ONES * 2,
        "account_id": ["A1", "A1", "A2", "A2", "A3", "A3"] * 2,
        "wave": ["2025 Q1"] * 6 + ["2025 Q2"] * 6,
        "invited_at": ["2025-02-10"] * 6 + ["2025-05-10"] * 6,
        "responded_at": ["2025-02-12T10:00"] * 6 + ["2025-05-12T10:00"] * 6,
        "likelihood_to_recommend": [9, 3, 8, 5, 10, 6] * 2,
    }
)
CUSTOMERS = pd.DataFrame(
    {"customer_id": ONES, "account_id": ["A1", "A1", "A2", "A2", "A3", "A3"], "started_at": ["2024-01-01"] * 6}
)
CALLS = {"respondent_id": "C2", "wave": "2025 Q1", "assignment": "random", "assigned_at": "2025-02-13"}
PURCHASE = {"customer_id": "C1", "bought_at": "2025-03-01", "amount": 20.0, "kind": "new"}
WHOLE = {  # a good row of each table
    "callbacks": CALLS | {"attempted_at": "2025-02-14T09:00", "reached_at": "2025-02-14T09:05", "problem": "late"},
    "problems": {"respondent_id": "C2", "wave": "2025 Q1", "problem": "late", "source": "asked"},
    "hand_codes": {"respondent_id": "C2", "wave": "2025 Q1", "coder": "Ann", "problem": "late"},
    "complaints": {"customer_id": "C1", "complained_at": "2025-03-01", "problem": "late", "resolved_at": None},
    "transactions": PURCHASE,
    "memberships": {"customer_id": "C1", "programme": "card", "offered_at": "2025-01-01", "joined_at": "2025-01-02"},
    "referrals": {"referrer_id": "C1", "referred_id": "C9", "asked_at": "2025-01-01", "referred_at": "2025-01-05"},
    "contacts": {"account_id": "A1", "contacted_at": "2025-01-01", "employee": "Bob"},
    "offers": {"customer_id": "C1", "product": "seeds", "offered_at": "2025-01-01", "arm": "Held_back"},
    "units": {"unit": "North", "period": "2025 Q1", "customers_start": 100, "revenue": 5000.0},
    "market": {"person_id": "P1", "brand": "Ours", "likelihood_to_recommend": 8, "is_customer": "yes"},
    "population": {"Region": "North", "customers": 1000},
}


def study(stated=None, experiments=None, responses=RESPONSES, **tables):
    frames = {name: pd.DataFrame(rows if isinstance(rows, list) else [rows]) for name, rows in tables.items()}
    return nps.Study.from_frames(
        responses=responses, customers=CUSTOMERS, tables=frames, problems=stated, experiments=experiments
    )


def reasons(opened, table):
    return opened.quarantine.loc[opened.quarantine["table"] == table, "reasons"].tolist()


def test_a_good_row_of_every_table_is_accepted():
    assert set(WHOLE) == set(FURTHER)
    opened = study(**WHOLE)
    assert reasons(opened, "callbacks") == []
    assert opened.quarantine.empty
    assert {name: len(frame) for name, frame in opened.tables.items()} == dict.fromkeys(FURTHER, 1)
    assert opened.can_answer("callbacks.attempted_at", "market.brand")
    assert opened.missing("complaints.resolved_at") == (
        "This study does not record when it was settled; blank while it is open (complaints.resolved_at)."
    )
    assert opened.tables["offers"]["arm"].tolist() == ["held back"]


BAD = [
    ("callbacks", {"respondent_id": "C99"}, "respondent_id belongs to no accepted response"),
    ("callbacks", {"wave": "2020 Q1"}, "respondent_id belongs to no accepted response"),
    ("callbacks", {"assigned_at": "2025-02-11"}, "assigned_at is before the answer"),
    ("callbacks", {"reached_at": "2025-02-13T08:00"}, "reached_at is before attempted_at"),
    ("callbacks", {"assignment": "whim"}, "assignment is none of: random, capacity, judgement, all, requested"),
    ("problems", {"problem": " "}, "problem is missing"),
    ("hand_codes", {"inclusion_probability": 1.5}, "inclusion_probability is not above 0 and at most 1"),
    ("complaints", {"resolved_at": "2025-02-01"}, "resolved_at is before complained_at"),
    ("complaints", {"customer_id": "C99"}, "customer_id belongs to no accepted customer"),
    ("transactions", {"amount": -5.0}, "amount is negative, and the row is no return"),
    ("transactions", {"bought_at": "2023-12-31"}, "bought_at is before the customer's start"),
    ("memberships", {"joined_at": "2024-12-31"}, "joined_at is before offered_at"),
    ("referrals", {"referred_id": "C1"}, "referred_id is the referrer"),
    ("contacts", {"account_id": None}, "customer_id is missing"),
    ("contacts", {"account_id": "A9"}, "account_id belongs to no accepted account"),
    ("offers", {"accepted_at": "2025-01-02"}, "accepted_at is there, though the offer was held back"),
    ("units", {"period": None}, "period is missing"),
    ("units", {"customers_start": -1}, "customers_start is negative"),
    ("market", {"likelihood_to_recommend": 11}, "likelihood_to_recommend is not from 0 to 10"),
    ("population", {"customers": None}, "customers is missing"),
]


@pytest.mark.parametrize(("table", "changed", "reason"), BAD)
def test_a_row_that_breaks_a_rule_is_set_apart_with_its_reason(table, changed, reason):
    good = WHOLE[table] | ({"customer_id": None} if table == "contacts" else {})
    opened = study(**{table: [good | changed]})
    assert reasons(opened, table) == [reason]
    own = opened.files[opened.files["table"] == table]
    assert own[["rows", "accepted", "quarantined"]].values.tolist() == [[1, 0, 1]]


@pytest.mark.parametrize("table", [name for name, each in FURTHER.items() if each.rules.alone])
def test_what_may_stand_once_is_kept_once(table):
    opened = study(**{table: [WHOLE[table]] * 2})
    assert len(opened.tables[table]) == 1
    assert reasons(opened, table) == [f"{FURTHER[table].rules.alone[0]} stands twice; the first row is kept"]


def test_a_case_without_a_wave_may_belong_to_several_responses():
    opened = study(callbacks=[{"respondent_id": "C2", "assignment": "random"}])
    which = "its wave and responded_at would say which"
    assert reasons(opened, "callbacks") == [f"respondent_id belongs to several responses; {which}"]


def test_a_case_without_a_wave_is_of_the_last_response_before_it():
    cases = [
        {"respondent_id": "C2", "assigned_at": "2025-06-01"},
        {"respondent_id": "C2", "assigned_at": "2025-02-12"},  # any hour of the day of the answer
        {"respondent_id": "C3", "assigned_at": "2025-05-12T09:00", "closed_at": "2025-05-13"},
        {"respondent_id": "C4", "assigned_at": "2025-01-01"},
    ]
    opened = study(callbacks=cases)
    assert opened.tables["callbacks"]["wave"].tolist() == ["2025 Q2", "2025 Q1", "2025 Q1"]
    assert opened.tables["callbacks"]["responded_at"].dt.day.tolist() == [12, 12, 12]
    (why,) = reasons(opened, "callbacks")
    assert why == "assigned_at is before the answer"
    assert "callbacks: of several responses of one person, the last before it: 3 rows." in opened.notes
    at_other_hours = [f"2025-0{month}-12T{hour:02d}:00" for month in (2, 5) for hour in range(10, 16)]
    without_waves = RESPONSES.drop(columns="wave").assign(responded_at=at_other_hours)
    opened = study(callbacks=cases, responses=without_waves)
    assert reasons(opened, "callbacks") == ["assigned_at is before the answer"]
    answered = opened.tables["callbacks"]["responded_at"]
    assert answered.dt.strftime("%m %H").tolist() == ["05 11", "02 11", "02 12"]


def test_a_case_of_somebody_who_was_silent_once_is_of_the_answer():
    silent = RESPONSES.copy()
    silent.loc[1, ["responded_at", "likelihood_to_recommend"]] = None  # C2 in the first wave
    silent.loc[[2, 8], ["responded_at", "likelihood_to_recommend"]] = None  # C3 in both
    only_once = silent.drop(index=11).reset_index(drop=True)  # C6 was asked once
    cases = [{"respondent_id": each, "assigned_at": "2025-06-01"} for each in ("C2", "C1", "C3", "C6")]
    opened = study(callbacks=cases, responses=only_once)
    settled = opened.tables["callbacks"]
    assert settled["respondent_id"].tolist() == ["C2", "C1", "C6"]
    assert settled["wave"].tolist() == ["2025 Q2", "2025 Q2", "2025 Q1"]
    assert reasons(opened, "callbacks") == ["respondent_id belongs to no accepted response"]


def test_every_case_of_a_made_up_company_finds_its_wave_again():
    company = simulate_study(Truth(n_accounts=300), rng=np.random.default_rng(8))
    cases = company.tables["callbacks"].dropna(subset="assigned_at")
    tables = {"callbacks": cases.drop(columns=["wave", "problem"])}
    rows = company.responses[["respondent_id", "wave", "invited_at", "responded_at", "likelihood_to_recommend"]]
    opened = nps.Study.from_frames(responses=rows, tables=tables)
    assert opened.quarantine.empty
    assert len(cases) > 100
    assert opened.tables["callbacks"]["wave"].tolist() == cases["wave"].tolist()


def test_problems_of_one_person_s_several_answers_stay_with_their_own():
    rows = pd.concat([RESPONSES.assign(touchpoint="shop", problems="late"), RESPONSES.assign(touchpoint="web")])
    rows = rows.assign(problems=rows["problems"].where(rows["touchpoint"] == "shop", "dear"))
    opened = study(responses=rows.reset_index(drop=True))
    assert opened.quarantine.empty
    named = opened.tables["problems"]
    assert len(named) == 24
    assert named.groupby("touchpoint")["problem"].unique().map(list).to_dict() == {"shop": ["late"], "web": ["dear"]}
    undated = RESPONSES.drop(columns="wave").assign(problems="late")
    assert len(study(responses=undated).tables["problems"]) == 12  # by the moment of the answer


@pytest.mark.parametrize("word", ["none", "n/a", "-", "None"])
def test_a_word_for_no_answer_is_no_problem_unless_it_is_one_of_the_study_s(word):
    rows = RESPONSES.assign(problems=f"late; {word}")
    opened = study(responses=rows)
    assert opened.quarantine.empty
    assert set(opened.tables["problems"]["problem"]) == {"late"}
    assert "problems of the responses: a word for no problem names none: 12 cells." in opened.notes
    called = study(callbacks=[CALLS | {"problem": word}])
    assert called.tables["callbacks"]["problem"].isna().tolist() == [True]
    assert "callbacks.problem: a word for no answer read as blank: 1 cell." in called.notes
    listed = study({"late": {"label": "Late"}, "none": {"label": "No problem"}}, responses=rows)
    assert set(listed.tables["problems"]["problem"]) == ({"late", "none"} if word.lower() == "none" else {"late"})


def test_codes_are_read_with_and_without_capitals():
    opened = study({"late": {"label": "Late"}}, problems=[WHOLE["problems"] | {"problem": "LATE "}])
    assert opened.tables["problems"]["problem"].tolist() == ["late"]
    assert "problems.problem: capitals left out: 1 cell." in opened.notes


def test_words_are_read_as_experiments_and_shops_write_them():
    offer = WHOLE["offers"]
    arms = ["treatment", "Control group", "Held-Back", "offered"]
    opened = study(offers=[offer | {"arm": arm, "product": str(place)} for place, arm in enumerate(arms)])
    assert opened.tables["offers"]["arm"].tolist() == ["offered", "held back", "held back", "offered"]
    assert "offers.arm: other words read as held back: 1 cell." in opened.notes
    opened = study(transactions=[PURCHASE | {"kind": "Sale"}, PURCHASE | {"kind": "Refund", "amount": -3.0}])
    assert opened.quarantine.empty
    assert opened.tables["transactions"]["kind"].fillna("").tolist() == ["", "return"]
    assert "transactions.kind: other words read as blank: 1 cell." in opened.notes
    strange = study(transactions=[PURCHASE | {"kind": "whim"}])
    assert reasons(strange, "transactions") == ["kind is none of: new, renewal, second, return"]


def test_no_product_number_is_a_telephone_number():
    opened = study(transactions=[PURCHASE | {"product": "036000291452"}, PURCHASE | {"product": "4006381333"}])
    assert opened.quarantine.empty


def test_an_account_of_any_table_is_an_account_of_the_study(tmp_path):
    tables = {
        "responses": RESPONSES,
        "customers": CUSTOMERS.assign(parent_account_id="P1"),
        "accounts": pd.DataFrame({"account_id": ["A1", "A2", "A3", "A7"], "revenue": 1.0}),
        "contacts": pd.DataFrame({"account_id": ["A7", "P1", "A9"], "contacted_at": "2025-01-01"}),
    }
    text = ['name = "S"']
    for name, frame in tables.items():
        frame.to_csv(tmp_path / f"{name}.csv", index=False)
        text.append(f'[{name}]\nfile = "{name}.csv"')
    (tmp_path / "study.toml").write_text("\n".join(text), encoding="utf-8")
    opened = open_study(tmp_path)
    assert opened.tables["contacts"]["account_id"].tolist() == ["A7", "P1"]
    assert reasons(opened, "contacts") == ["account_id belongs to no accepted account"]


def test_rows_of_nobody_are_set_apart_where_no_customer_is_accepted():
    left_early = CUSTOMERS.assign(churned_at="2023-01-01")
    opened = nps.Study.from_frames(
        responses=RESPONSES.drop(columns="account_id"),
        customers=left_early,
        tables={"transactions": pd.DataFrame([PURCHASE])},
    )
    assert reasons(opened, "transactions") == ["customer_id belongs to no accepted customer"]


def test_what_was_bought_or_joined_long_ago_is_no_slip():
    recent = [WHOLE["memberships"] | {"programme": str(number)} for number in range(30)]
    old = {"customer_id": "C1", "programme": "old", "joined_at": "2024-02-01", "left_at": "2024-03-01"}
    early = [PURCHASE | {"bought_at": "2024-01-02"}] + [PURCHASE | {"bought_at": "2026-11-02"}] * 40
    opened = study(memberships=[*recent, old], transactions=early)
    assert opened.quarantine.empty
    assert len(study(transactions=[PURCHASE | {"bought_at": "1931-01-01"}]).quarantine) == 1


def test_who_is_to_leave_a_programme_is_still_a_member():
    opened = study(memberships=[WHOLE["memberships"] | {"left_at": "2031-12-31"}])
    assert opened.quarantine.empty
    assert opened.tables["memberships"]["left_at"].isna().tolist() == [True]
    assert "left_at: a date yet to come, so still a member: 1 cell." in opened.notes
    same_day = [
        WHOLE["memberships"] | {"left_at": "2025-02-01T18:00"},
        WHOLE["memberships"] | {"offered_at": None, "joined_at": "2025-02-01"},
    ]
    assert study(memberships=same_day).quarantine.empty
    left_only = WHOLE["memberships"] | {"joined_at": None, "left_at": "2025-02-01"}
    assert reasons(study(memberships=[left_only]), "memberships") == ["left_at is there, though nothing was joined"]


@pytest.mark.parametrize(
    ("table", "column"), [("units", "unit"), ("market", "person_id"), ("market", "brand"), ("population", "Region")]
)
def test_a_row_that_sums_up_the_others_is_none(table, column):
    frames = {table: [WHOLE[table], WHOLE[table] | {column: "Total"}]}
    opened = nps.Study.from_frames(
        responses=RESPONSES.assign(Region="North"),
        segments=["Region"],
        customers=CUSTOMERS,
        tables={name: pd.DataFrame(rows) for name, rows in frames.items()},
    )
    assert reasons(opened, table) == [f"{column} names a sum or a mean of the rows"]


def test_several_rows_of_a_population_say_of_whom_they_are(tmp_path):
    RESPONSES.to_csv(tmp_path / "responses.csv", index=False)
    pd.DataFrame({"Region": ["N", "S"], "customers": [1, 2]}).to_csv(tmp_path / "population.csv", index=False)
    text = 'name = "S"\n[responses]\nfile = "responses.csv"\n[population]\nfile = "population.csv"'
    (tmp_path / "study.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ContractError, match=r"nothing says of whom each is.*\[population.segments\]"):
        open_study(tmp_path)
    (tmp_path / "study.toml").write_text(
        f'{text}\n[population.segments]\ncolumns = {{ "revenue" = "Region" }}', encoding="utf-8"
    )
    with pytest.raises(ContractError, match="a segment cannot be called revenue"):
        open_study(tmp_path)


@pytest.mark.parametrize(
    ("table", "mapped"),
    [("callbacks", 'outcome = "Note"'), ("callbacks", 'queue = "Caller"'), ("transactions", 'product = "basket_id"')],
)
def test_a_private_column_of_any_table_is_no_public_one(tmp_path, table, mapped):
    RESPONSES.to_csv(tmp_path / "responses.csv", index=False)
    pd.DataFrame([WHOLE[table]]).assign(Note="angry", Caller="Zora", basket_id="B1").to_csv(
        tmp_path / "table.csv", index=False
    )
    (tmp_path / "study.toml").write_text(
        f'name = "S"\n[responses]\nfile = "responses.csv"\n[{table}]\nfile = "table.csv"\ncolumns = {{ {mapped} }}',
        encoding="utf-8",
    )
    with pytest.raises(ContractError, match="is private"):
        open_study(tmp_path)


def test_coders_overlap_only_in_rows_that_are_accepted():
    codes = [
        {"respondent_id": "C1", "wave": "2025 Q1", "coder": "Ann", "problem": "late"},
        {"respondent_id": "C1", "wave": "2025 Q1", "coder": "Bob", "problem": "late", "inclusion_probability": 0.0},
        {"respondent_id": "C2", "wave": "2025 Q1", "coder": "Bob", "problem": "late", "inclusion_probability": 0.5},
    ]
    assert any("no comment was coded by two coders" in note for note in study(hand_codes=codes).notes)


@pytest.mark.parametrize("ids", [[7.0, None, 9.0], ["7.0", None, "9.0"]])
def test_ids_that_were_stored_as_floats_are_the_same_ids(ids):
    responses = pd.DataFrame({"respondent_id": ["7", "8", "9"], "likelihood_to_recommend": [9, 8, 7]})
    contacts = pd.DataFrame({"customer_id": ids, "contacted_at": "2025-01-01"}).dropna()
    opened = nps.Study.from_frames(responses=responses, tables={"contacts": contacts})
    assert opened.tables["contacts"]["customer_id"].tolist() == ["7", "9"]
    said = "customer_id: a whole number without its .0: 2 cells."
    assert (said in opened.notes) == isinstance(ids[0], str)


def test_ids_that_nobody_can_be_held_against_are_said():
    nameless = RESPONSES[["likelihood_to_recommend", "responded_at"]]
    tables = {"transactions": pd.DataFrame([PURCHASE]), "contacts": pd.DataFrame([WHOLE["contacts"]])}
    opened = nps.Study.from_frames(responses=nameless, tables=tables)
    assert len(opened.tables["transactions"]) == 1
    for said in (
        "transactions: the study names no customer, so any customer of this table is taken for one of its own.",
        "contacts: the study names no account, so any account of this table is taken for one of its own.",
    ):
        assert said in opened.notes
    assert not any("taken for one of its own" in note for note in study(transactions=PURCHASE).notes)


def test_units_and_groups_that_join_nothing_are_said():
    tables = {
        "units": pd.DataFrame([WHOLE["units"] | {"unit": "Mars", "period": "1999"}]),
        "population": pd.DataFrame([WHOLE["population"]]),
    }
    rows = RESPONSES.assign(Branch="North")
    opened = nps.Study.from_frames(responses=rows, segments=["Branch"], customers=CUSTOMERS, tables=tables)
    said = [note for note in opened.notes if note.startswith(("units", "population"))]
    assert said == [
        "units: none of them is a group of the responses, so no score can be told beside them.",
        "units: no period is called as a wave of the responses, so no score can be told beside them.",
        "population: the responses have no segment Region, so they cannot be weighed by it.",
    ]
    joined = {"units": pd.DataFrame([WHOLE["units"] | {"unit": "north"}])}
    fitting = nps.Study.from_frames(responses=rows, segments=["Branch"], customers=CUSTOMERS, tables=joined)
    assert not [note for note in fitting.notes if note.startswith("units")]


def test_a_date_without_an_hour_may_be_any_hour_of_its_day():
    same_day = {"assigned_at": "2025-02-12", "attempted_at": "2025-02-12"}
    assert reasons(study(callbacks=[CALLS | same_day]), "callbacks") == []


def test_a_lazy_frame_takes_no_further_tables():
    lazy = duckdb.from_df(RESPONSES[["likelihood_to_recommend"]])
    with pytest.raises(ContractError, match="a lazy frame of responses takes no further tables"):
        nps.Study.from_frames(responses=lazy, tables={"units": pd.DataFrame([WHOLE["units"]])})


def test_much_lost_is_said():
    rows = [PURCHASE | {"customer_id": "C99" if row < 3 else "C1"} for row in range(40)]
    [said] = study(transactions=rows).warnings
    assert said == (
        "3 of 40 rows of transactions (8%) are lost to the contract: customer_id belongs to no accepted customer (3)."
    )
    assert study(transactions=rows[2:]).warnings == ()


def test_memberships_of_one_programme_do_not_overlap():
    first = WHOLE["memberships"] | {"left_at": "2025-03-01"}
    rows = [first, first | {"joined_at": "2025-02-01", "left_at": None}, first | {"joined_at": "2025-03-01"}]
    rows += [first | {"joined_at": "2025-02-01", "programme": "club"}, first | {"joined_at": None, "left_at": None}]
    opened = study(memberships=rows)
    assert reasons(opened, "memberships") == ["joined_at is within an earlier membership of the same programme"]
    assert len(opened.tables["memberships"]) == 4


def test_returns_are_below_zero_and_a_sign_that_was_turned_is_said():
    rows = [PURCHASE, PURCHASE | {"kind": "return", "amount": 5.0}, PURCHASE | {"kind": "return", "amount": -7.0}]
    opened = study(transactions=rows)
    assert opened.tables["transactions"]["amount"].tolist() == [20.0, -5.0, -7.0]
    assert "amount: of a return and above 0, so its sign was turned: 1 cell." in opened.notes


def test_codes_are_among_the_problems_of_the_study():
    stated = {"late": {"label": "Late delivery", "owner": "head office", "fixed_on": "2025-03-01"}, "rude": {}}
    opened = study(stated, problems=[WHOLE["problems"], WHOLE["problems"] | {"problem": "slow"}])
    assert reasons(opened, "problems") == ["problem is none of the study's problems"]
    assert opened.problems["late"].fixed_on == dt.date(2025, 3, 1)


def test_a_fix_before_all_answers_is_said():
    opened = nps.Study.from_frames(responses=RESPONSES, problems={"late": {"fixed_on": "2020-01-01"}})
    assert "problems.late: fixed_on lies before all answers, so whether that helped cannot be told." in opened.notes


def test_coders_who_have_no_comment_in_common_are_said():
    apart = [WHOLE["hand_codes"], WHOLE["hand_codes"] | {"respondent_id": "C3", "coder": "Bob"}]
    said = "hand_codes: no comment was coded by two coders, so how far they agree cannot be told."
    assert said in study(hand_codes=apart).notes
    together = [*apart, WHOLE["hand_codes"] | {"coder": "Bob"}]
    assert said not in study(hand_codes=together).notes


def test_problems_that_responses_name_become_rows():
    named = RESPONSES.assign(problems=["late; rude", "late", None, "", "rude|late"] + [None] * 7)
    opened = nps.Study.from_frames(responses=named)
    assert opened.tables["problems"]["problem"].tolist() == ["late", "rude", "late", "rude", "late"]
    assert opened.tables["problems"]["respondent_id"].tolist() == ["C1", "C1", "C2", "C5", "C5"]
    assert set(opened.tables["problems"]["source"]) == {"asked"}


def test_a_customer_in_two_accounts_is_set_apart_with_that_reason():
    twice = pd.concat([CUSTOMERS, CUSTOMERS.head(1).assign(account_id="A3")], ignore_index=True)
    opened = nps.Study.from_frames(responses=RESPONSES, customers=twice)
    assert reasons(opened, "customers") == ["customer_id belongs to several accounts; the first row is kept"]


def test_a_contract_that_ends_in_the_future_is_no_day_of_the_data():
    ends = CUSTOMERS.assign(contract_ends_at="2031-12-31")
    opened = nps.Study.from_frames(responses=RESPONSES, customers=ends)
    assert opened.quarantine.empty
    assert opened.settings.data_until.date() == dt.date(2025, 5, 12)
    soon = CUSTOMERS.assign(contract_ends_at="2025-12-31")
    assert nps.Study.from_frames(responses=RESPONSES, customers=soon).settings.data_until == opened.settings.data_until


def test_an_experiment_names_a_column():
    with pytest.raises(ContractError, match=r"experiments\.chanel: the responses have no such column"):
        study(experiments={"chanel": {"randomised": True}})
    assigned = RESPONSES.assign(question_position="first")
    opened = study(experiments={"question_position": {"randomised": True}}, responses=assigned)
    assert opened.experiments["question_position"].randomised


def test_a_table_without_the_columns_that_say_anything_is_refused():
    with pytest.raises(ContractError, match="transactions: no column is bought_at"):
        study(transactions={"customer_id": "C1"})
    with pytest.raises(ContractError, match="there is no table calls"):
        study(calls={"respondent_id": "C1"})
    with pytest.raises(ContractError, match="callbacks: the responses have no respondent_id"):
        study(responses=RESPONSES.drop(columns="respondent_id"), callbacks=CALLS)


def test_a_part_of_a_study_has_the_rows_of_its_people():
    tables = {
        "callbacks": [CALLS, CALLS | {"wave": "2025 Q2", "assigned_at": "2025-05-20"}],
        "transactions": [PURCHASE, PURCHASE | {"customer_id": "C2"}],
        "units": WHOLE["units"],
    }
    whole = study(**tables)
    part = whole.where(wave="2025 Q2")
    assert part.tables["callbacks"]["wave"].tolist() == ["2025 Q2"]
    assert len(part.tables["transactions"]) == 2
    assert len(part.tables["units"]) == 1
    alone = whole.where(lambda rows: rows["respondent_id"] == "C1")
    assert alone.tables["transactions"]["customer_id"].tolist() == ["C1"]
    assert alone.tables["callbacks"].empty
    with pytest.raises(CannotAnswerError, match="callbacks"):
        alone.require("callbacks.assigned_at")


def test_private_cells_of_every_table_are_private():
    opened = study(
        callbacks=[CALLS | {"caller": "Ann Caller", "note": "rang twice"}, CALLS | {"caller": "Eve Late", "wave": "x"}],
        contacts=[WHOLE["contacts"]],
        transactions=[PURCHASE | {"basket_id": "B-1007"}],
    )
    assert {"Ann Caller", "rang twice", "Eve Late", "Bob", "B-1007"} <= opened.private_values()
    assert "random" not in opened.private_values()


def test_problems_named_in_several_columns(tmp_path):
    named = RESPONSES.assign(first=["late", "rude"] + [None] * 10, second=[None, "late "] + [""] * 10)
    named.to_csv(tmp_path / "answers.csv", index=False)
    stated = 'name = "S"\n[responses]\nfile = "answers.csv"\ncolumns.problems = { columns = ["first", "second"] }\n'
    (tmp_path / "study.toml").write_text(stated, encoding="utf-8")
    rows = open_study(tmp_path).tables["problems"]
    assert rows[["respondent_id", "problem"]].values.tolist() == [["C1", "late"], ["C2", "rude"], ["C2", "late"]]
    (tmp_path / "study.toml").write_text(stated + 'missing_codes = { problems = ["late"] }\n', encoding="utf-8")
    without = open_study(tmp_path)
    assert without.tables["problems"]["problem"].tolist() == ["rude"]
    assert "answers.csv: 2 cells of problems held a stated code for no answer (late)." in without.notes
    (tmp_path / "study.toml").write_text(stated.replace("columns.problems", "columns.wave"), encoding="utf-8")
    with pytest.raises(ContractError, match="takes one column; wave holds no several columns"):
        open_study(tmp_path)


FOLDER = """name = "Made-up shop"
made_up = true
[responses]
file = "answers.csv"
[customers]
file = "customers.csv"
[transactions]
file = "{file}"
{more}
columns = {{ customer_id = "Client", bought_at = "Date", amount = "Total", kind = "Type" }}
[problems.late]
label = "Late delivery"
fixed_on = 2025-03-01
"""


def lay(folder, name, frame):
    if name.endswith(".csv"):
        frame.to_csv(folder / name, index=False)
    elif name.endswith(".xlsx"):
        frame.to_excel(folder / name, index=False)
    elif name.endswith(".parquet"):
        frame.to_parquet(folder / name, index=False)
    else:
        with duckdb.connect(str(folder / name)) as connection:
            connection.execute("CREATE TABLE sales AS SELECT * FROM frame")


@pytest.mark.parametrize("name", ["sales.csv", "sales.xlsx", "sales.parquet", "sales.duckdb"])
def test_the_same_from_whatever_kind_of_file(tmp_path, name):
    rng = np.random.default_rng(7)
    sales = pd.DataFrame(
        {
            "Client": rng.choice([*ONES, "C99"], 60),
            "Date": pd.Timestamp("2025-01-01") + pd.to_timedelta(rng.integers(0, 150, 60), unit="D"),
            "Total": rng.integers(-3, 90, 60) / 4,
            "Type": rng.choice(["new", "return", "renewal"], 60),
        }
    )
    RESPONSES.to_csv(tmp_path / "answers.csv", index=False)
    CUSTOMERS.to_csv(tmp_path / "customers.csv", index=False)
    lay(tmp_path, name, sales)
    (tmp_path / "study.toml").write_text(FOLDER.format(file=name, more=""), encoding="utf-8")
    opened = open_study(tmp_path)
    standard = sales.rename(columns={"Client": "customer_id", "Date": "bought_at", "Total": "amount", "Type": "kind"})
    memory = study(transactions=standard.to_dict("records"))
    pd.testing.assert_frame_equal(opened.tables["transactions"], memory.tables["transactions"], check_dtype=False)
    assert sorted(reasons(opened, "transactions")) == sorted(reasons(memory, "transactions"))
    assert opened.problems["late"].label == "Late delivery"


def test_what_study_toml_may_not_say_of_further_tables(tmp_path):
    def refuse(more):
        (tmp_path / "study.toml").write_text(f'name = "S"\n[responses]\nfile = "answers.csv"\n{more}', encoding="utf-8")
        with pytest.raises(ContractError) as refused:
            open_study(tmp_path)
        return str(refused.value)

    RESPONSES.to_csv(tmp_path / "answers.csv", index=False)
    said = refuse('[callbacks]\nfile = "calls.csv"\nsegments.columns = { Desk = "desk" }\n')
    assert "only responses, customers, accounts and population have segments" in said
    assert "callbacks.file" in refuse("[callbacks]\nfile = 3\n")
    assert "needs either file" in refuse('[transactions]\ncolumns = { amount = "Total" }\n')
    assert "problems.late.ownr is not known: did you mean owner?" in refuse('[problems.late]\nownr = "nobody"\n')
    assert "a problem needs a name" in refuse('[problems.""]\nlabel = "x"\n')
    assert "experiments.wave.randomised is missing" in refuse("[experiments.wave]\nsince = 2025-01-01\n")
    assert "callbacks.columns.outcome: Caller is private" in refuse(
        '[callbacks]\nfile = "calls.csv"\ncolumns = { caller = "Caller", outcome = "Caller" }\n'
    )
