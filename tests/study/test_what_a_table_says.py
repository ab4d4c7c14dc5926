"""What study.toml says of a table: rows left out, constants, waves of dates, codes, which answer counts."""

import re

import pandas as pd
import pytest
from typer.testing import CliRunner

from nps_research.cli import app
from nps_research.errors import ContractError
from nps_research.intake import intake
from nps_research.study.study import open_study

LTR = "likelihood_to_recommend"


def opened(folder, content, responses="", tables=(), rest=""):
    """The study of one file of responses, and others by name."""
    for name, text in (("a.csv", content), *dict(tables).items()):
        (folder / name).write_text(text, "utf-8")
    (folder / "study.toml").write_text(f'name = "S"\n[responses]\nfile = "a.csv"\n{responses}\n{rest}', "utf-8")
    return open_study(folder)


def fault(folder, content, responses="", **options):
    with pytest.raises(ContractError) as caught:
        opened(folder, content, responses, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def noted(study, *parts):
    return [note for note in study.notes if all(part in note for part in parts)]


def counts(study):
    return study.files[[name for name in study.files if name not in ("table", "file", "wave")]].to_dict("records")


NPS = f'columns = {{ {LTR} = "NPS" }}\n'

# Waves of dates


@pytest.mark.parametrize(
    ("every", "waves"),
    [
        ("month", ("2023-12", "2024-01", "2024-07")),
        ("quarter", ("2023 Q4", "2024 Q1", "2024 Q3")),
        ("half-year", ("2023 H2", "2024 H1", "2024 H2")),
        ("year", ("2023", "2024")),
    ],
)
def test_waves_are_made_of_invitations_and_the_silent_belong_to_theirs(tmp_path, every, waves):
    content = "NPS,invited_at,responded_at\n9,2024-07-01,2024-07-02\n,2024-01-31,\n3,2023-12-31,2024-01-03\n5,,\n"
    study = opened(tmp_path, content, NPS + f'wave = {{ from = "invited_at", every = "{every}" }}')
    assert study.waves == waves
    assert study.responses["wave"].fillna("-").tolist() == [
        waves[-1],
        waves[-2 if every != "year" else -1],
        waves[0],
        "-",
    ]
    assert noted(study, f"{len(waves)} waves made of invited_at, one every {every}; 1 row without that date")


def test_waves_of_answers_where_invitations_are_not_recorded(tmp_path):
    content = "NPS,responded_at\n9,2024-05-01\n,\n3,2023-12-31\n"
    study = opened(tmp_path, content, NPS + 'wave = { from = "responded_at", every = "quarter" }')
    assert study.waves == ("2023 Q4", "2024 Q2")
    assert study.responses["wave"].isna().tolist() == [False, True, False]


def test_the_silent_belong_to_a_wave_of_answers_by_their_invitation(tmp_path):
    content = "NPS,invited_at,responded_at\n9,2024-03-30,2024-04-02\n,2024-03-30,\n3,2024-01-05,2024-01-06\n"
    study = opened(tmp_path, content, NPS + 'wave = { from = "responded_at", every = "quarter" }')
    assert study.responses["wave"].tolist() == ["2024 Q2", "2024 Q1", "2024 Q1"]
    assert noted(study, "made of responded_at, one every quarter; 1 row without that date by the invitation's.")


def test_waves_of_a_date_that_is_not_there(tmp_path):
    says = fault(tmp_path, "NPS,responded_at\n9,2024-05-01\n", NPS + 'wave = { from = "invited_at", every = "year" }')
    assert (
        says == 'responses: wave is made from "invited_at", which the responses do not have: did you mean responded_at?'
    )


@pytest.mark.parametrize(
    ("said", "part"),
    [
        ('wave = { from = "invitd_at", every = "year" }', "responses.wave.from: input should be 'invited_at' or 'resp"),
        ('wave = { from = "invited_at", every = "week" }', "responses.wave.every: input should be 'month', 'quarter'"),
        ('wave = { form = "invited_at", every = "year" }', "responses.wave.form is not known: did you mean from?"),
        ('wave = { from = "invited_at", every = "year" }\ncolumns = { wave = "W" }', "one of them"),
        ("wave = [2024]", "responses: wave: takes one value for all rows"),
    ],
)
def test_what_a_wave_may_not_say(tmp_path, said, part):
    assert part in fault(tmp_path, "NPS,invited_at\n9,2024-05-01\n", said)


# Rows left out

STATUS = (
    "NPS,Status,Finished\n9,IP Address,True\n0,Survey Preview,True\n3,spam,True\n10,IP Address,False\n8,IP Address,1\n"
)


BOTH = 'exclude = { Status = ["Survey Preview", "Spam"] }\nonly = { Finished = [true] }'


def test_rows_are_left_out_before_anything_else_and_counted(tmp_path):
    study = opened(
        tmp_path, STATUS, NPS + 'exclude = { Status = ["Survey Preview", "Spam"] }\nonly = { Finished = [true] }'
    )
    assert study.responses[LTR].tolist() == [9, 8]
    assert counts(study) == [{"rows": 5, "accepted": 2, "quarantined": 0, "excluded": 3}]
    assert noted(study, "3 rows left out: Status is Survey Preview or Spam; Finished is not True.")
    assert study.base.startswith("5 rows in, 2 accepted, 0 quarantined, 3 left out as the study says")
    says = "5 rows came in: 2 are accepted, none is quarantined; 3 are left out as the study says."
    assert intake(study).finding == says


def test_lines_are_those_of_the_file_still(tmp_path):
    study = opened(tmp_path, STATUS + "11,IP,1\n", NPS + 'exclude = { Status = ["Spam"] }')
    assert study.quarantine["line"].tolist() == [7]
    assert counts(study) == [{"rows": 6, "accepted": 4, "quarantined": 1, "excluded": 1}]


def test_a_code_that_no_row_has_is_said(tmp_path):
    study = opened(tmp_path, STATUS, NPS + 'exclude = { Status = ["Survey Preveiw"] }')
    assert noted(study, "0 rows left out: Status is Survey Preveiw. No row has Status Survey Preveiw.")
    assert list(study.files) == ["table", "file", "wave", "rows", "accepted", "quarantined"]


def test_leaving_out_all_is_an_error(tmp_path):
    says = fault(tmp_path, STATUS, NPS + 'only = { Status = ["Complete"] }')
    assert says == "responses: exclude and only leave none of 5 rows: Status is not Complete."


def test_values_that_may_be_somebodys_own_are_not_repeated(tmp_path):
    content = "id,NPS,mail\n" + "".join(f"R{row},9,p{row}@example.com\n" for row in range(40))
    columns = f'columns = {{ {LTR} = "NPS", respondent_id = "id" }}\n'
    study = opened(
        tmp_path, content, columns + 'exclude = { id = ["R7"], mail = ["p8@example.com", "p9@example.com"] }'
    )
    assert noted(study, "3 rows left out: id is a stated value; mail is one of 2 stated values.")
    assert not re.search(r"R7|p8@", " ".join(study.notes))


@pytest.mark.parametrize(
    ("said", "part"),
    [
        (
            'exclude = { Statsu = ["Spam"] }',
            "there is no column 'Statsu', by which rows are left out: did you mean 'Status'?",
        ),
        ("exclude = { Status = [] }", "responses.exclude.Status: list should have at least 1 item"),
        ('only = { Status = "Spam" }', "responses.only.Status"),
        ('exclud = { Status = ["Spam"] }', "responses.exclud is not known: did you mean exclude?"),
    ],
)
def test_what_leaving_out_may_not_say(tmp_path, said, part):
    assert part in fault(tmp_path, STATUS, NPS + said)


def test_customers_may_be_left_out_too(tmp_path):
    study = opened(
        tmp_path,
        "respondent_id,NPS\n1,9\n",
        NPS,
        tables={"c.csv": "customer_id,Test\n1,no\n2,yes\n"},
        rest='[customers]\nfile = "c.csv"\nexclude = { Test = ["yes"] }',
    )
    assert study.customers["customer_id"].tolist() == ["1"]
    assert study.files["excluded"].tolist() == [0, 1]


# Constants


def test_a_constant_stands_for_a_column_the_file_lacks(tmp_path):
    study = opened(
        tmp_path,
        "respondent_id,NPS\n1,9\n2,3\n",
        NPS + 'channel = "email"\nwave = "2024"\ninvited_at = 2024-01-05\ndelivered = true',
        tables={"c.csv": "customer_id,churned_at\n1,\n2,2024-08-01\n"},
        rest='[customers]\nfile = "c.csv"\nobserved_until = 2025-12-31',
    )
    assert study.responses["channel"].tolist() == ["email", "email"]
    assert study.waves == ("2024",)
    assert study.responses["invited_at"].tolist() == [pd.Timestamp("2024-01-05")] * 2
    assert study.customers["observed_until"].tolist() == [pd.Timestamp("2025-12-31")] * 2
    assert study.can_answer("outcomes.churned", "responses.delivered")


def test_a_constant_is_not_used_where_the_file_has_the_column(tmp_path):
    study = opened(tmp_path, "NPS,channel\n9,sms\n", NPS + 'channel = "email"')
    assert study.responses["channel"].tolist() == ["sms"]
    assert noted(study, "channel is stated as one value for all rows, and not used: the file has the column")


def test_each_file_may_have_its_own(tmp_path):
    (tmp_path / "b.csv").write_text("NPS\n3\n")
    text = f'name = "S"\n[responses]\n{NPS}channel = "web"\n[[responses.files]]\nfile = "b.csv"\nchannel = "sms"\n'
    (tmp_path / "c.csv").write_text("NPS\n4\n")
    (tmp_path / "study.toml").write_text(text + '[[responses.files]]\nfile = "c.csv"\n')
    assert open_study(tmp_path).responses["channel"].tolist() == ["sms", "web"]


@pytest.mark.parametrize(
    ("said", "part"),
    [
        ('respondent_id = "x"', "responses.respondent_id: is each row's own, and cannot be one value for all"),
        ('delivered = "perhaps"', "responses.delivered: 'perhaps' arrived, where true or false is needed"),
        ('invited_at = "soon"', "responses.invited_at: 'soon' arrived, where a date is needed"),
        ("observed_until = 2025-01-01", "observed_until is no column of responses"),
        ('chanel = "email"', "responses.chanel is not known: did you mean channel?"),
        ('channel = "email"\ncolumns = { channel = "C" }', "one of them"),
        ('channel = ["email"]', "responses: channel: takes one value for all rows"),
    ],
)
def test_what_a_constant_may_not_be(tmp_path, said, part):
    assert part in fault(tmp_path, "NPS\n9\n", said)


# Yes and no by codes; date and time apart; formats of dates


@pytest.mark.parametrize(
    ("codes", "delivered"),
    [
        ('no = ["Bounced"]', [True, True, False, pd.NA, True]),
        ('yes = ["Sent", "Responded"]', [True, True, False, pd.NA, False]),
        ('yes = ["sent", "Responded"], no = ["Bounced"]', [True, True, False, pd.NA, pd.NA]),
    ],
)
def test_codes_say_yes_and_no(tmp_path, codes, delivered):
    content = "NPS,Status\n9,Responded\n,Sent\n,Bounced\n,\n,Opened\n"
    study = opened(tmp_path, content, f'columns = {{ {LTR} = "NPS", delivered = {{ column = "Status", {codes} }} }}')
    assert study.responses["delivered"].tolist() == delivered
    unclear = noted(study, "1 cell of delivered: neither a stated yes nor a stated no, so not known")
    assert bool(unclear) == ("yes" in codes and "no" in codes)


@pytest.mark.parametrize(
    ("mapped", "part"),
    [
        ('delivered = { column = "Status" }', "responses.columns.delivered: needs yes = [...] or no = [...]"),
        ('delivered = { colum = "Status", no = ["x"] }', "columns.delivered.colum is not known: did you mean column?"),
        ('delivered = { column = "S", yes = ["x"], no = ["X "] }', "a code cannot be both yes and no: x"),
        ('delivered = { column = "Statsu", no = ["x"] }', "there is no column 'Statsu' for delivered: did you mean"),
        ('wave = { column = "Status", no = ["x"] }', "columns.wave: takes one column; wave holds no yes and no"),
        ('wave = { date = "Status", time = "x" }', "columns.wave: takes one column; wave holds no date and time"),
        ('invited_at = { date = "Status" }', "responses.columns.invited_at.time is missing"),
        ("invited_at = 5", "responses.columns.invited_at: input should be a valid string (5 arrived)"),
    ],
)
def test_what_a_mapped_column_may_not_be(tmp_path, mapped, part):
    assert part in fault(tmp_path, "NPS,Status\n9,x\n", f'columns = {{ {LTR} = "NPS", {mapped} }}')


def test_date_and_time_apart_are_one_moment(tmp_path):
    content = "NPS,Date,Time\n9,31/01/2024,08:05\n8,01/02/2024,\n7,,09:00\n6,2024-02-01 00:00:00,9:30 PM\n"
    study = opened(
        tmp_path, content, f'columns = {{ {LTR} = "NPS", responded_at = {{ date = "Date", time = "Time" }} }}'
    )
    moments = ["2024-01-31 08:05", "2024-02-01", None, "2024-02-01 21:30"]
    assert study.responses["responded_at"].tolist() == [pd.Timestamp(moment) for moment in moments]


def test_each_date_may_have_its_own_format(tmp_path):
    content = "NPS,invited_at,responded_at\n9,1704067200,02.01.2024\n,1704067200,\n"
    formats = 'date_format = { responded_at = "%d.%m.%Y", invited_at = "unix" }'
    study = opened(tmp_path, content, NPS + formats)
    assert study.responses["invited_at"].tolist() == [pd.Timestamp("2024-01-01")] * 2
    assert study.responses["responded_at"][0] == pd.Timestamp("2024-01-02")
    assert "no moment: did you mean responded_at?" in fault(tmp_path, content, 'date_format = { responded = "unix" }')
    assert "'%Q' is no format of dates" in fault(tmp_path, content, NPS + 'date_format = "%Q"')
    assert "responses.date_format: must be a format such as" in fault(tmp_path, content, NPS + "date_format = 5")


# Which answer counts

TWICE = "id,NPS,responded_at\na,1,2024-01-05\na,9,2024-03-01\nb,7,2024-01-07\na,5,2024-02-01\n"
BY_QUARTER = (
    f'columns = {{ {LTR} = "NPS", respondent_id = "id" }}\nwave = {{ from = "responded_at", every = "quarter" }}\n'
)


@pytest.mark.parametrize(
    ("said", "scores", "rule"),
    [
        ("", [9, 7], "the newest answered row is kept"),
        ('counts = "newest"', [9, 7], "the newest answered row is kept"),
        ('counts = "first"', [1, 7], "the first answered row is kept"),
        ('counts = "all"', [1, 9, 7, 5], None),
    ],
)
def test_which_answer_of_a_person_in_a_wave_counts(tmp_path, said, scores, rule):
    study = opened(tmp_path, TWICE, BY_QUARTER + said)
    assert study.responses[LTR].tolist() == scores
    assert study.violations["rule"].tolist() == ([f"stands twice in one wave; {rule}"] if rule else [])
    assert counts(study) == [{"rows": 4, "accepted": len(scores), "quarantined": 4 - len(scores)}]


def test_counts_is_one_of_three(tmp_path):
    assert "responses.counts: input should be 'newest', 'first' or 'all' ('last' arrived)" in fault(
        tmp_path, TWICE, BY_QUARTER + 'counts = "last"'
    )


# A mapped column is not also taken by its own name


def test_a_mapped_column_is_not_taken_by_its_own_name_too(tmp_path):
    content = "NPS,responded,wave\n9,2024-01-05,x\n8,2024-01-06,y\n"
    study = opened(tmp_path, content, f'columns = {{ {LTR} = "NPS", responded_at = "responded", channel = "wave" }}')
    assert study.violations.empty
    assert "responded" not in study.responses
    assert study.waves == ()
    assert study.responses["channel"].tolist() == ["x", "y"]


# Recoding, scales, turned round

CODES = "NPS\n" + "".join(f"{value}\n" for value in [1, 11, 10, 7, 11, "n/a"])


@pytest.mark.parametrize(
    "recode", ["{ shift = -1 }", "{ 1 = 0, 7 = 6, 10 = 9, 11 = 10 }", "{ 01 = 0, 7 = 6, 10 = 9, 11 = 10 }"]
)
def test_codes_of_the_score_get_their_values(tmp_path, recode):
    study = opened(tmp_path, CODES, NPS + f"recode = {{ {LTR} = {recode} }}")
    assert study.responses[LTR].fillna(-1).tolist() == [0, 10, 9, 6, 10, -1]
    assert study.violations.empty
    assert noted(study, "as stated: 5 cells")


def test_words_may_be_recoded_and_a_code_without_a_value_is_quarantined(tmp_path):
    study = opened(tmp_path, "NPS\nVery likely\nunlikely\n7\nperhaps\n", NPS + RECODE_WORDS)
    assert study.responses[LTR].tolist() == [10, 2]
    assert study.violations[["rule", "rows", "values"]].to_numpy().tolist() == [
        ["has a code without a value in recode", 2, "7 (1 cell)"]  # the word may be somebody's
    ]


RECODE_WORDS = f'recode = {{ {LTR} = {{ "very likely" = 10, "Unlikely" = 2 }} }}'


@pytest.mark.parametrize(
    ("recode", "part"),
    [
        (f"{{ {LTR} = {{ shift = 0 }} }}", "needs shift = -1, or a value for each code"),
        (f"{{ {LTR} = {{ shift = -1, 1 = 0 }} }}", "not both"),
        (f"{{ {LTR} = {{ 1 = 12 }} }}", "input should be less than or equal to 10 (12 arrived)"),
        ("{ wave = { shift = 1 } }", f"responses.recode: wave: only {LTR} is recoded"),
    ],
)
def test_what_a_recode_may_not_be(tmp_path, recode, part):
    assert part in fault(tmp_path, CODES, NPS + f"recode = {recode}")


RATED = "NPS,Price,Wait,Staff\n9,6,1,5\n3,1,5,1\n7,,,6\n"
DRIVERS = '[responses.drivers]\ncolumns = { Price = "Price", Wait = "Wait", Staff = "Staff" }\n'


def test_ratings_have_scales_of_their_own_and_are_stretched_to_one(tmp_path):
    said = DRIVERS + 'scales = { Price = [1, 6] }\nreverse = ["Wait"]\nmissing_codes = []\n'
    study = opened(tmp_path, RATED, NPS + said)
    assert study.driver_scale == (1, 5)
    assert study.responses["Price"].tolist() == [5, 1]
    assert study.responses["Wait"].tolist() == [5, 1]  # 1 was good
    assert study.violations[["column", "rule", "values"]].to_numpy().tolist() == [
        ["Staff", "is not a rating from 1 to 5, nor a stated code", "6 (1 cell)"]
    ]
    assert noted(study, "Price: its scale of 1 to 6 is stretched to 1 to 5.")
    assert noted(study, "Wait: turned round, 1 for 5: 2 cells.")


@pytest.mark.parametrize(
    ("said", "part"),
    [
        ("scales = { Pric = [1, 6] }", "scales: Pric is no rating: did you mean Price?"),
        ("scales = { Price = [6, 1] }", "scales: that of Price must rise"),
        ('reverse = ["wait"]', "reverse: wait is no rating: did you mean Wait?"),
        ("scales = { Price = 6 }", "responses.drivers.scales.Price"),
    ],
)
def test_what_ratings_may_not_say(tmp_path, said, part):
    assert part in fault(tmp_path, RATED, NPS + DRIVERS + said)


# Accounts

ANSWERS = "respondent_id,account_id,NPS,invited_at,responded_at\n1,A,9,2024-01-01,2024-01-02\n"
ANSWERS += "2,A,3,2024-01-01,2024-01-02\n3,B,7,2024-01-01,2024-01-02\n4,X,7,2024-01-01,2024-01-02\n"
ACCOUNTS = "account_id,churned_at,observed_until,revenue,Industry,Renewed\nA,,2025-06-30,5,Retail,yes\n"
ACCOUNTS += "B,2024-09-01,2025-06-30,7,Food,no\nC,,2025-06-30,1,Food,no\nA,,2025-06-30,6,Food,no\n"
SAID = """
[accounts]
file = "accounts.csv"
segments = { columns = { Industry = "Industry" } }
[outcomes.renewed]
table = "accounts"
column = "Renewed"
event = ["yes"]
no_event = ["no"]
direction = "good"
label = "renewed the contract"
"""


def test_accounts_are_a_table_of_their_own(tmp_path):
    study = opened(tmp_path, ANSWERS, NPS, tables={"accounts.csv": ACCOUNTS}, rest=SAID)
    assert study.customers["account_id"].tolist() == ["A", "A", "B", "X"]
    assert study.customers["revenue"].fillna(0).tolist() == [5, 5, 7, 0]
    assert study.customers["churned_at"].isna().tolist() == [True, True, False, True]
    assert study.responses["Industry"].fillna("-").tolist() == ["Retail", "Retail", "Food", "-"]
    assert study.customers["outcome_renewed"].tolist() == [True, True, False, pd.NA]
    assert study.can_answer("outcomes.churned", "outcomes.renewed", "customers.revenue", "responses.segments")
    assert study.outcomes["renewed"].label == "renewed the contract"
    assert noted(study, "accounts: 1 of 2 accounts has no customer here.") == []
    assert noted(study, "accounts: 1 of 3 accounts has no customer here.")
    assert noted(study, "accounts: 1 customer belongs to no accepted account.")
    assert study.violations[["table", "column", "rule", "first_lines"]].to_numpy().tolist() == [
        ["accounts", "account_id", "stands twice; the first row is kept", "5"]
    ]
    assert study.files["table"].tolist() == ["responses", "accounts"]


def test_accounts_join_customers_that_have_their_own(tmp_path):
    customers = "customer_id,account_id,revenue\n1,A,\n2,B,\n9,C,\n"
    rest = '[customers]\nfile = "c.csv"\n[accounts]\nfile = "accounts.csv"'
    study = opened(tmp_path, ANSWERS, NPS, tables={"accounts.csv": ACCOUNTS, "c.csv": customers}, rest=rest)
    assert study.customers["account_id"].tolist() == ["A", "B", "C"]
    assert study.customers["revenue"].tolist() == [5, 7, 1]
    assert study.customers["observed_until"].notna().all()


THEIRS = '[accounts]\nfile = "accounts.csv"\n'


@pytest.mark.parametrize(
    ("said", "part"),
    [
        (THEIRS + 'wave = { from = "invited_at", every = "year" }', "only responses may be wide"),
        (THEIRS + 'role = "user"', "accounts.role is not known: role is no column of accounts"),
        ('[account]\nfile = "accounts.csv"', "account is not known: did you mean accounts?"),
        (SAID.replace("[accounts]", "[customers]"), "outcomes.renewed.table: there is no [accounts]"),
        (THEIRS + 'columns = { account_id = "acount_id" }', "did you mean 'account_id'?"),
        (THEIRS + 'exclude = { account_id = ["A", "B", "C"] }', "leave none of 4 rows"),
    ],
)
def test_what_accounts_may_not_say(tmp_path, said, part):
    assert part in fault(tmp_path, ANSWERS, NPS, tables={"accounts.csv": ACCOUNTS}, rest=said)


# Loud where it matters


def rules(study):
    return study.violations[["column", "rule", "values", "would_help"]].to_numpy().tolist()


def test_offending_values_and_the_line_that_would_help(tmp_path):
    cells = ["9"] * 40 + ["0", "11", "99", "99", "Don't know", "ann@example.com", "4711", "12"]
    study = opened(tmp_path, "NPS,mail\n" + "".join(f"{cell},x\n" for cell in cells), NPS)
    assert rules(study) == [
        [LTR, "is not a whole number", "Don't know (1 cell)", f'missing_codes = {{ {LTR} = ["Don\'t know"] }}'],
        [
            LTR,
            "is not from 0 to 10",
            "99 (2 cells), 11 (1 cell), 12 (1 cell)",
            f"missing_codes = {{ {LTR} = [99, 11, 12] }}",
        ],
    ]
    assert "ann@" not in study.violations.to_csv()
    assert "4711" not in study.violations.to_csv()  # may be somebody's id, of a shifted row
    (warning,) = study.warnings
    assert warning.startswith("7 of 48 answers (15%) are lost to the contract: ")
    assert f"[missing_codes = {{ {LTR} = [99, 11, 12] }}]" in warning
    assert not study.too_much_lost


def test_nothing_is_said_of_few_lost_answers_and_an_error_where_half_are(tmp_path):
    assert opened(tmp_path, "NPS\n" + "9\n0\n7\n" * 20 + "12\n", NPS).warnings == ()
    study = opened(tmp_path, "NPS\n" + "9\n" * 10 + "12\n" * 11, NPS)
    assert study.too_much_lost
    assert study.warnings[0].startswith("11 of 21 answers (52%) are lost")


def test_answers_that_do_not_count_as_stated_are_not_lost(tmp_path):
    assert "3 of 4" in opened(tmp_path, TWICE.replace("b,7", "a,7"), BY_QUARTER).warnings[0]
    assert opened(tmp_path, TWICE, BY_QUARTER + 'counts = "newest"').warnings == ()


@pytest.mark.parametrize(
    ("scores", "part"),
    [
        ([1, 2, 3] * 20, "'NPS' holds three values only (1, 2, 3)"),
        ([1, 2, 3, 4, 5] * 20, "'NPS' holds no value above 5"),
        ([1, 5, 9, 10, 11] * 20, "'NPS' holds 11 and no 0, as answers coded from 1 to 11 do: state recode = {"),
    ],
)
def test_a_score_that_is_none_is_doubted(tmp_path, scores, part):
    study = opened(tmp_path, "NPS\n" + "\n".join(map(str, scores)), NPS)
    assert part in study.warnings[0]


def test_dates_that_cannot_be_right_are_quarantined_and_do_not_make_silence(tmp_path):
    rows = "".join(f"R{row},9,2025-11-{1 + row % 20:02},2025-11-{2 + row % 20:02}\n" for row in range(30))
    silent = "".join(f"S{row},,2025-11-25,\n" for row in range(60))
    slips = "T1,9,2025-11-25,2052-11-26\nT2,9,1985-11-25,2025-11-26\nT3,9,2019-01-01,2025-11-26\n"
    study = opened(tmp_path, f"respondent_id,NPS,invited_at,responded_at\n{rows}{silent}{slips}", NPS)
    assert sorted(rules(study)) == [
        ["invited_at", "is more than two years away from the other dates", "2019-01-01 (1 cell)", ""],
        ["invited_at", "is not from 1990 to tomorrow", "1985-11-25 (1 cell)", ""],
        ["responded_at", "is not from 1990 to tomorrow", "2052-11-26 (1 cell)", ""],
    ]
    assert (study.responses["response_state"] == "pending").sum() == 60
    assert study.settings.data_until == pd.Timestamp("2025-11-25")
    assert noted(study, "The tables reach until 25 November 2025 (responses.invited_at)")


def test_the_day_of_the_data_is_the_latest_of_any_table_that_came_about(tmp_path):
    content = "respondent_id,NPS,invited_at,responded_at\n1,9,2025-01-01,2025-01-02\n2,,2025-01-01,\n"
    customers = "customer_id,churned_at,observed_until\n1,2025-03-01,2199-12-31\n2,2199-06-01,2025-02-01\n"
    rest = '[customers]\nfile = "c.csv"\nstarted_at = 2025-04-01'
    study = opened(tmp_path, content, NPS, tables={"c.csv": customers.replace("2025-03-01", "2025-05-01")}, rest=rest)
    assert study.settings.data_until == pd.Timestamp("2025-05-01")
    assert study.responses["response_state"].tolist() == ["answered", "nonrespondent"]
    assert study.customers["churned_at"].isna().tolist() == [False, True]
    assert noted(study, "churned_at: a date yet to come, so not yet left: 1 cell.")


@pytest.mark.parametrize(
    ("scores", "options", "code", "said"),
    [
        ("9\n0\n7\n3\n" * 20, ["--strict"], 0, None),
        ("9\n0\n7\n" * 20 + "12\n" * 10, [], 0, "Warning: 10 of 70 answers (14%) are lost"),
        ("9\n0\n7\n" * 20 + "12\n" * 10, ["--strict"], 1, "Warning: 10 of 70 answers (14%) are lost"),
        ("9\n0\n7\n" * 20 + "12\n" * 90, [], 1, "Error: more than half of the answers are lost"),
    ],
)
def test_check_is_loud_at_its_end(tmp_path, scores, options, code, said):
    opened(tmp_path, "NPS\n" + scores, NPS + 'wave = "2024"')
    ended = CliRunner().invoke(app, ["check", str(tmp_path), *options])
    assert ended.exit_code == code
    assert said is None or said in ended.output
    assert "Warning" in ended.output or said is None
