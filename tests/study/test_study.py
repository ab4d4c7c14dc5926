import csv
import io
import json
from itertools import product

import pandas as pd
import pytest

from nps_research import intake as overview
from nps_research.counting.score_counts import score_distribution
from nps_research.errors import CannotAnswerError, ContractError
from nps_research.responding.funnel import response_funnel
from nps_research.responding.representativeness import representativeness
from nps_research.results.display import result_html
from nps_research.score.score import net_promoter_score
from nps_research.study.standard_columns import TABLES
from nps_research.study.study import Study, open_study

LTR = "likelihood_to_recommend"
COLUMNS = f'columns = {{ respondent_id = "id", {LTR} = "nps" }}\n'


def write_study(folder, tables, responses=COLUMNS, rest=""):
    """A study folder: its tables by file name, the first being the responses."""
    for name, content in tables.items():
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    first = next(iter(tables), "answers.csv")
    (folder / "study.toml").write_text(f'name = "S"\n[responses]\nfile = "{first}"\n{responses}{rest}', "utf-8")
    return folder


def opened(folder, content, responses=COLUMNS, rest=""):
    return open_study(write_study(folder, {"answers.csv": content}, responses, rest))


def fault(folder, **options):
    with pytest.raises(ContractError) as caught:
        open_study(folder, **options)
    return str(caught.value)


def of_frame(columns=None, **options):
    return Study.from_frames(responses=pd.DataFrame({LTR: [9]} if columns is None else columns), **options)


# Files as they come


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        ("id,nps,Отзыв\n1,9,Хорошо\n2,3,Долго ждал ответа\n", "utf-8"),
        ("id;nps;Отзыв\n1;9;Хорошо\n2;3;Долго ждал ответа\n", "utf-8-sig"),
        ("id;nps;Отзыв\n1;9;Хорошо\n2;3;Долго ждал ответа\n", "cp1251"),
        ("id\tnps\tAvis\n1\t9\tTrès bien\n2\t3\tDélai trop long\n", "latin1"),
        ("id|nps|Avis\r\n1|9|Très bien\r\n2|3|Délai trop long\r\n", "utf-16"),
    ],
)
def test_separators_and_encodings_are_detected_and_said(tmp_path, content, encoding):
    study = opened(tmp_path, content.encode(encoding))
    assert study.responses[LTR].tolist() == [9, 3]
    assert any("encoding" in note and "detected" in note for note in study.notes)
    assert any("separator" in note and "detected" in note for note in study.notes)


def test_what_was_stated_is_not_said_to_be_detected(tmp_path):
    study = opened(tmp_path, "id;nps\n1;9\n", COLUMNS + 'encoding = "utf-8"\nseparator = ";"\n')
    assert not [note for note in study.notes if "detected" in note]


def test_an_empty_file(tmp_path):
    write_study(tmp_path, {"answers.csv": ""})
    assert "answers.csv is empty" in fault(tmp_path)


def test_a_header_only(tmp_path):
    study = opened(tmp_path, "id,nps\n")
    assert study.base == "0 rows in, 0 accepted, 0 quarantined; 0 answers to the recommendation question"
    assert study.period == "not stated"
    assert not study.can_answer(f"responses.{LTR}")
    for listing in (overview.intake, overview.broken_rules, overview.identity_checks, overview.questions):
        assert "0" in listing(study).finding or "no" in listing(study).finding.lower()


def test_nobody_answered():
    study = of_frame(
        {"respondent_id": list("abc"), "responded_at": [None] * 3, LTR: [None] * 3, "delivered": [1, 1, 0]}
    )
    assert study.responses["response_state"].tolist() == ["nonrespondent", "nonrespondent", "not_reached"]
    assert not study.can_answer(f"responses.{LTR}")
    with pytest.raises(CannotAnswerError, match=LTR):
        score_distribution(study)


def test_everybody_gave_one_score():
    study = of_frame({LTR: [10] * 30})
    row = net_promoter_score(score_distribution(study)).frame.iloc[0]
    assert row["estimate"] == 100
    assert row["conf_low"] < 100 == row["conf_high"]


def test_misspelt_columns_are_named_all_at_once_with_what_was_meant(tmp_path):
    write_study(tmp_path, {"answers.csv": "id,NPSS\n1,9\n"}, f'columns = {{ respondent_id = "idd", {LTR} = "NPS" }}\n')
    message = fault(tmp_path)
    message = message.replace("'", "")
    assert "answers.csv: there is no column idd for respondent_id: did you mean id?" in message
    assert f"there is no column NPS for {LTR}: did you mean NPSS?" in message


def test_a_misspelt_standard_name(tmp_path):
    write_study(tmp_path, {"answers.csv": "id,nps\n1,9\n"}, 'columns = { likelihood_to_recomend = "nps" }\n')
    assert "there is no standard column likelihood_to_recomend: did you mean likelihood_to_recommend?" in fault(
        tmp_path
    )


def test_a_column_twice_is_refused_where_it_is_wanted(tmp_path):
    write_study(tmp_path, {"answers.csv": "id,nps,nps\n1,9,3\n"})
    assert f"column 'nps', wanted for {LTR}, is there more than once" in fault(tmp_path)
    with pytest.raises(ContractError, match="more than once"):
        Study.from_frames(responses=pd.DataFrame([[9, 3]], columns=[LTR, LTR]))


def test_a_column_twice_that_nobody_wants_is_said(tmp_path):
    assert any("'x'" in note for note in opened(tmp_path, "id,nps,x,x\n1,9,a,b\n").notes)


def test_a_missing_file_and_a_missing_folder(tmp_path):
    write_study(tmp_path, {})
    (tmp_path / "answer.csv").write_text("id,nps\n1,9\n")
    message = fault(tmp_path)
    assert "there is no file 'answers.csv'" in message
    assert "did you mean 'answer.csv'?" in message
    assert "The data folder 'elsewhere' is not there" in fault(tmp_path, data=tmp_path / "elsewhere")
    assert str(tmp_path) not in message


def test_the_tables_may_lie_elsewhere(tmp_path):
    (tmp_path / "data").mkdir()
    write_study(tmp_path, {})
    (tmp_path / "data" / "answers.csv").write_text("id,nps\n1,9\n")
    by_folder = open_study(tmp_path, data=tmp_path / "data")
    by_file = open_study(tmp_path / "study.toml", data=str(tmp_path / "data"))
    assert by_folder.data_hash == by_file.data_hash
    assert (by_folder.folder, by_folder.data_folder) == (tmp_path, tmp_path / "data")


def test_records_that_are_no_rows_are_quarantined_with_their_line(tmp_path):
    study = opened(tmp_path, 'id,nps\n1,9\n2,9,too,many\n3,"unclosed\n4,8\n')
    assert study.responses["respondent_id"].tolist() == ["1", "4"]
    assert study.quarantine["line"].tolist() == [3, 4]
    assert study.files[["rows", "accepted", "quarantined"]].values.tolist() == [[4, 2, 2]]
    assert study.violations["column"].tolist() == ["record", "record"]


def test_lines_are_those_of_the_file(tmp_path):
    study = opened(tmp_path, 'id,nps,note\n1,9,"two\nlines"\n2,11,\n\n3,12,\n')
    assert study.quarantine["line"].tolist() == [4, 6]
    assert study.violations["first_lines"].tolist() == ["4, 6"]


def test_missing_codes_are_counted_and_only_the_stated_ones(tmp_path):
    codes = f"missing_codes = {{ {LTR} = [11] }}\n"
    study = opened(tmp_path, "id,nps\n1,11\n2,11.0\n3,12\n", COLUMNS + codes)
    assert study.responses["response_state"].tolist() == ["item_missing", "item_missing"]
    assert len(study.quarantine) == 1
    assert any(f"2 cells of {LTR} held a stated code for no answer (11)" in note for note in study.notes)


def test_a_missing_code_for_no_column_is_a_fault(tmp_path):
    write_study(tmp_path, {"answers.csv": "id,nps\n1,9\n"}, COLUMNS + "missing_codes = { likelihood = [11] }\n")
    assert f"missing_codes names likelihood, which has no column: did you mean {LTR}?" in fault(tmp_path)


def test_a_stated_date_format_is_used(tmp_path):
    columns = 'columns = { likelihood_to_recommend = "nps", responded_at = "when" }\ndate_format = "%d.%m.%Y"\n'
    study = opened(tmp_path, "nps,when\n9,31.12.2025\n9,2025-12-31\n", columns)
    assert study.responses["responded_at"].tolist() == [pd.Timestamp("2025-12-31")]
    assert len(study.quarantine) == 1


def test_a_date_format_that_is_none_is_a_fault_of_the_file(tmp_path):
    columns = 'columns = { likelihood_to_recommend = "nps", responded_at = "when" }\ndate_format = "%Q"\n'
    write_study(tmp_path, {"answers.csv": "nps,when\n9,31.12.2025\n"}, columns)
    assert "date_format" in fault(tmp_path)


def test_nothing_that_says_who_answered(tmp_path):
    write_study(tmp_path, {"answers.csv": "id,nps\n1,9\n"}, 'columns = { respondent_id = "id" }\n')
    assert "nothing says who answered or what" in fault(tmp_path)


def test_the_score_may_be_absent_where_the_response_is_known():
    study = of_frame({"responded": [1, 0]})
    assert study.responses["response_state"].tolist() == ["item_missing", "nonrespondent"]


def test_a_cluster_setting_names_a_column():
    assert (
        of_frame({LTR: [9], "account_id": ["a"]}, settings={"cluster": "account_id"}).settings.cluster == "account_id"
    )
    with pytest.raises(ContractError, match=r"cluster = 'acount_id'.*did you mean account_id\?"):
        of_frame({LTR: [9], "account_id": ["a"]}, settings={"cluster": "acount_id"})


def test_several_files_are_one_table_with_their_own_columns(tmp_path):
    (tmp_path / "a.csv").write_text("id,nps,Price\n1,9,5\n")
    (tmp_path / "b.csv").write_text("id;q1;Cost\n1;11;4\n2;8;9\n")
    (tmp_path / "study.toml").write_text(
        'name = "S"\n[responses]\n' + COLUMNS + '[responses.drivers]\ncolumns = { "Price" = "Price" }\n'
        '[[responses.files]]\nfile = "a.csv"\nwave = "1"\n[[responses.files]]\nfile = "b.csv"\nwave = "2"\n'
        f'columns = {{ {LTR} = "q1" }}\ndrivers = {{ "Price" = "Cost" }}\nmissing_codes = {{ {LTR} = [11] }}\n'
    )
    study = open_study(tmp_path)
    assert study.responses[["wave", "Price"]].values.tolist() == [["1", 5], ["2", 4]]
    assert study.files[["wave", "rows", "accepted", "quarantined"]].values.tolist() == [["1", 1, 1, 0], ["2", 2, 1, 1]]
    assert study.quarantine[["file", "line"]].values.tolist() == [["b.csv", 3]]


def test_the_hash_follows_the_data():
    studies = [of_frame({LTR: scores}) for scores in ([9, 8], [9, 8], [9, 7])]
    assert studies[0].data_hash == studies[1].data_hash != studies[2].data_hash


# What became of an invitation


INVITED = pd.Timestamp("2025-03-01")
LONG_AFTER = "2025-12-31"


def state_by_definition(row, *, has, until, window=14):
    """The state of a row that does not contradict itself, from the definitions in words."""
    if row[LTR] is not None:
        return "answered"
    if not has & {"delivered", "responded", "responded_at"}:
        return "item_missing"  # nothing tells silence from a form without this answer
    if row["responded"] == 1 or row["responded_at"] is not None:
        return "item_missing"
    if row["delivered"] == 0:
        return "not_reached"
    if "invited_at" in has and INVITED + pd.Timedelta(days=window) > pd.Timestamp(until):
        return "pending"
    return "nonrespondent"


def contradicts_itself(row):
    returned = row[LTR] is not None or row["responded_at"] is not None or row["responded"] == 1
    said_no = row["responded"] == 0 and (row[LTR] is not None or row["responded_at"] is not None)
    return said_no or (row["delivered"] == 0 and returned)


ROWS = [
    dict(zip(("delivered", "responded", "responded_at", LTR), values, strict=True))
    for values in product([None, 0, 1], [None, 0, 1], [None, "2025-03-05", "2025-04-30"], [None, 0, 9])
]
SETS = [
    {LTR, *names}
    for names in product(*[[name, LTR] for name in ("delivered", "responded", "responded_at", "invited_at")])
]


@pytest.mark.parametrize("until", ["2025-03-14", "2025-03-15", LONG_AFTER])
@pytest.mark.parametrize("has", SETS, ids=lambda has: "+".join(sorted(has - {LTR})) or "score alone")
def test_states_are_those_of_the_definitions(has, until):
    rows = [{name: value if name in has else None for name, value in row.items()} for row in ROWS]
    rows = [row for row in rows if not contradicts_itself(row)]
    frame = pd.DataFrame(rows, dtype=object)
    frame["invited_at"] = INVITED.isoformat()
    study = of_frame(frame[sorted(has)], settings={"data_until": until})
    assert study.quarantine.empty
    expected = [state_by_definition(row, has=has, until=until) for row in rows]
    assert study.responses["response_state"].tolist() == expected


def test_the_window_closes_by_the_latest_date_unless_the_day_of_the_data_is_stated():
    table = {"invited_at": ["2025-03-01", "2025-03-10"], "responded_at": [None, "2025-03-12"], LTR: [None, 9]}
    assert of_frame(table).responses["response_state"][0] == "pending"
    assert of_frame(table, settings={"response_window_days": 11}).responses["response_state"][0] == "nonrespondent"
    until = {"data_until": "2025-06-01"}
    assert of_frame(table, settings=until).responses["response_state"][0] == "nonrespondent"


def test_late_answers_are_answers():
    table = {"invited_at": ["2025-03-01"], "responded_at": ["2025-08-01"], LTR: [3]}
    assert of_frame(table).responses["response_state"].tolist() == ["answered"]


def test_without_delivery_data_silence_is_missing_not_zero():
    frame = net_promoter_score(score_distribution(of_frame({LTR: [9, None]}))).frame
    assert frame["item_missing"].tolist() == [1]
    assert frame[["nonrespondents", "response_rate"]].isna().all(axis=None)


def test_with_delivery_data_silence_is_counted():
    table = {LTR: [9, None, None, None], "responded": [1, 1, 0, 0], "delivered": [1, 1, 1, 0]}
    row = net_promoter_score(score_distribution(of_frame(table))).frame.iloc[0]
    assert (row["n"], row["item_missing"], row["nonrespondents"], row["response_rate"]) == (1, 1, 1, 2 / 3)


def test_a_response_column_without_a_value_tells_nothing():
    study = of_frame({LTR: [9, None], "responded": [None, None]})
    assert study.responses["response_state"].tolist() == ["answered", "item_missing"]


# Waves


def test_waves_are_ordered_by_first_invitation():
    table = {
        "wave": ["b", "a", "b", "never"],
        "invited_at": ["2025-01-02", "2025-02-01", "2025-03-01", None],
        LTR: [9] * 4,
    }
    assert of_frame(table).waves == ("b", "a", "never")


def test_waves_are_ordered_by_file_where_no_date_is_known(tmp_path):
    for name in ("z.csv", "a.csv"):
        (tmp_path / name).write_text("id,nps\n1,9\n")
    (tmp_path / "study.toml").write_text(
        'name = "S"\n[responses]\n' + COLUMNS + '[[responses.files]]\nfile = "z.csv"\nwave = "winter"\n'
        '[[responses.files]]\nfile = "a.csv"\nwave = "autumn"\n'
        "[settings]\nminimum_cell = 1\n"
    )
    study = open_study(tmp_path)
    assert study.waves == ("winter", "autumn")
    assert study.period == "winter and autumn"


def test_waves_are_ordered_by_name_where_nothing_else_is_known():
    study = of_frame({"wave": ["2025 Q2", None, "2024 Q4", "2025 Q1"], LTR: [9] * 4}, settings={"minimum_cell": 1})
    assert study.waves == ("2024 Q4", "2025 Q1", "2025 Q2")
    assert study.period == "2024 Q4 to 2025 Q2"


def test_the_period_is_that_of_the_dates():
    table = {"invited_at": ["2025-01-30", "2025-02-01"], "responded_at": ["2025-02-02", "2025-03-01"], LTR: [9, 9]}
    assert of_frame(table).period == "January 2025 to March 2025"


# What a study can answer


def test_needs():
    outcome = {"table": "responses", "column": "o", "event": ["y"], "no_event": ["n"], "direction": "bad"}
    study = of_frame(
        {"respondent_id": ["a"], LTR: [9], "price": [4], "region": ["N"], "o": ["y"], "channel": [None]},
        drivers=["price"],
        segments=["region"],
        outcomes={"left": outcome},
    )
    held = ("respondent_id", LTR, "drivers", "segments")
    assert study.can_answer(*(f"responses.{name}" for name in held), "outcomes", "outcomes.left")
    assert study.can_answer()
    assert study.missing("responses.respondent_id") == ""
    study.require("outcomes.left")
    # An empty column is none.
    for need in ("responses.channel", "responses.wave", "customers.churned_at", "outcomes.stayed"):
        assert not study.can_answer("responses.respondent_id", need)
    assert "channel" in study.missing("responses.channel")


def test_what_is_missing_is_one_sentence_in_words():
    with pytest.raises(CannotAnswerError) as caught:
        of_frame().require("responses.wave", f"responses.{LTR}", "customers.churned_at")
    message = str(caught.value)
    for part in ("responses.wave", "the round of the survey", "customers.churned_at", "when the customer left"):
        assert part in message
    assert LTR not in message
    assert message.count(".") == 3  # of the two names, and of the one sentence


def test_what_is_missing_is_explained_as_a_question_that_is_not_answered():
    study = of_frame()
    explained = study.explain_missing("responses.wave", "outcomes")
    assert not explained.is_answered
    assert explained.finding == study.missing("responses.wave", "outcomes") != ""
    with pytest.raises(ContractError, match=f"Nothing is missing: this study records responses.{LTR}"):
        study.explain_missing(f"responses.{LTR}")


def test_every_standard_column_can_be_asked_for():
    study = of_frame()
    for table, columns in TABLES.items():
        for name, column in columns.items():
            missing = study.missing(f"{table}.{name}")
            assert missing == "" if (table, name) == ("responses", LTR) else column.says in missing


@pytest.mark.parametrize(
    ("need", "meant"),
    [
        ("responses.likelyhood_to_recommend", f"responses.{LTR}"),
        ("response.wave", "responses.wave"),
        ("customers.churned", "customers.churned_at"),
        ("outcome", "outcomes"),
    ],
)
def test_a_misspelt_need_is_an_error_not_a_no(need, meant):
    with pytest.raises(ContractError, match=f"The contract has no {need}: did you mean {meant}") as caught:
        of_frame().can_answer(need)
    assert not isinstance(caught.value, CannotAnswerError)


# Without an id


def test_without_an_id_row_numbers_stand_in_and_nothing_is_joined():
    customers = pd.DataFrame({"customer_id": ["1", "2"], "region": ["N", "S"]})
    study = of_frame({LTR: [9, 8]}, customers=customers)
    assert study.responses["respondent_id"].tolist() == ["1", "2"]
    assert not study.can_answer("responses.respondent_id")
    assert any("row number stands in" in note for note in study.notes)
    assert study.private_values() == {"1", "2"}  # of the customers, who have real ids
    with pytest.raises(CannotAnswerError):
        representativeness(study)


def test_without_an_id_segments_of_customers_are_not_of_the_responses():
    customers = pd.DataFrame({"customer_id": ["1", "2"], "region": ["N", "S"]})
    study = of_frame({LTR: [9, 8]}, customers=customers, segments=["region"])
    assert set(study.segments) <= set(study.responses)
    assert not study.can_answer("responses.segments")


# Customers


def joined():
    return of_frame(
        {"respondent_id": list("abcd"), LTR: [9, 8, 7, 6]},
        customers=pd.DataFrame({"customer_id": list("cbax"), "region": ["South", "North", None, "East"]}),
        segments=["region"],
    )


def test_segments_of_customers_come_to_the_responses():
    study = joined()
    assert study.responses["region"].fillna("-").tolist() == ["-", "North", "South", "-"]
    assert study.segments == ("region",)


def test_strangers_are_counted():
    assert "responses: 1 rows belong to no accepted customer." in joined().notes


def test_the_customer_is_the_respondent_unless_said_otherwise():
    table = {"respondent_id": ["a", "b"], LTR: [9, 8]}
    assert of_frame(table).responses["customer_id"].tolist() == ["a", "b"]
    customers = pd.DataFrame({"customer_id": ["K"], "region": ["North"]})
    study = of_frame({**table, "customer_id": ["K", "K"]}, customers=customers, segments=["region"])
    assert study.responses["region"].tolist() == ["North", "North"]


# What is never shared


CANARIES = {
    "respondent_id": "CANARY-RESP-77",
    "customer_id": "CANARY-CUST-77",
    "account_id": "CANARY-ACCT-77",
    "interviewer": "Canary Interviewer",
    "comment": "canary comment about the hat of my neighbour",
    "name": "Canary Nightingale",
    "email": "canary@example.com",
}
MISPLACED = "canary.misplaced@example.com"


def planted(*, good=40):
    """A study with canaries in good rows and in quarantined ones, and cells shifted to the wrong column."""
    n = good + 4
    responses = pd.DataFrame(
        {
            "respondent_id": [f"R{row}" for row in range(n)],
            "customer_id": [f"C{row}" for row in range(n)],
            "account_id": [f"A{row // 2}" for row in range(n)],
            LTR: [str(row % 11) for row in range(n)],
            "wave": ["1", "2"] * (n // 2),
            "invited_at": ["2025-01-01", "2025-04-01"] * (n // 2),
            "responded_at": ["2025-01-03", "2025-04-03"] * (n // 2),
            "interviewer": "Someone Else",
            "comment": "",
            "Price": "4",
            "told": ["y", "n"] * (n // 2),
        },
        dtype=object,
    )
    for place, suffix in ((0, ""), (good, "-Q")):  # an accepted row, a quarantined one
        for name in ("respondent_id", "customer_id", "account_id", "interviewer", "comment"):
            responses.loc[place, name] = CANARIES[name] + suffix
    responses.loc[good - 1, [LTR, "responded_at"]] = ""  # one who was silent
    responses.loc[good, "invited_at"] = "CANARY-DATE-77"
    responses.loc[good + 1, LTR] = MISPLACED
    responses.loc[good + 2, ["Price", "told"]] = MISPLACED
    responses.loc[good + 3, ["responded_at", "wave"]] = [CANARIES["comment"], "1"]
    customers = pd.DataFrame(
        {
            "customer_id": responses["customer_id"],
            "account_id": responses["account_id"],
            "name": [f"Person {row}" for row in range(n)],
            "email": [f"p{row}@example.org" for row in range(n)],
            "region": ["North", "South"] * (n // 2),
            "revenue": "5",
        },
        dtype=object,
    )
    customers.loc[0, ["name", "email"]] = [CANARIES["name"], CANARIES["email"]]
    customers.loc[1, ["name", "email", "revenue"]] = [CANARIES["name"] + "-Q", "q" + CANARIES["email"], MISPLACED]
    customers.loc[2:3, "account_id"] = ["A-two", "A-three"]
    outcome = {"table": "responses", "column": "told", "event": ["y"], "no_event": ["n"], "direction": "good"}
    return Study.from_frames(
        responses=responses,
        customers=customers,
        drivers=["Price"],
        segments=["region"],
        outcomes={"told": outcome},
        name="Planted",
    )


def texts_of(result):
    bundle = result._repr_mimebundle_()
    return [bundle["text/plain"], result_html(result), json.dumps(result.to_json(), ensure_ascii=False)]


RESULTS = [
    overview.intake,
    overview.broken_rules,
    overview.reading_notes,
    overview.identity_checks,
    overview.questions,
    response_funnel,
    representativeness,
    lambda study: net_promoter_score(score_distribution(study, by="region")),
]


def shared_texts(study):
    texts = [repr(study), study.base, study.period, *study.notes, study.violations.to_csv(), study.files.to_csv()]
    return texts + [text for result in RESULTS for text in texts_of(result(study))]


def test_private_values_hold_every_id_name_address_and_comment_quarantined_ones_too():
    found = planted().private_values()
    assert set(CANARIES.values()) <= found
    for name in ("respondent_id", "customer_id", "account_id", "interviewer", "comment", "name"):
        assert CANARIES[name] + "-Q" in found
    assert "q" + CANARIES["email"] in found
    assert not {"North", "South", "1", "2", "Planted"} & found


def test_private_values_hold_the_ids_of_a_study_without_an_accepted_row():
    assert of_frame({"respondent_id": ["CANARY-1"], LTR: [11]}).private_values() == {"CANARY-1"}


def test_private_values_hold_addresses_in_the_wrong_column():
    assert MISPLACED in planted().private_values()


def test_canaries_are_in_nothing_that_is_shared():
    study = planted()
    assert len(study.quarantine) >= 5
    assert MISPLACED in study.quarantine.to_csv()  # where it belongs
    texts = shared_texts(study)
    assert len(texts) > 30
    for text in texts:
        assert "canary" not in text.lower()


@pytest.mark.parametrize("column", ["wave", "channel", "region", "touchpoint", "cluster"])
def test_a_row_with_an_address_for_a_group_is_quarantined(column):
    table = {"respondent_id": list("ab"), LTR: [9, 8], column: ["North", MISPLACED]}
    study = of_frame(table, segments=["region"] if column == "region" else ())
    assert study.responses["respondent_id"].tolist() == ["a"]
    assert MISPLACED not in " ".join([repr(study), study.period, *study.waves, study.violations.to_csv()])


def error_text(make):
    with pytest.raises(ContractError) as caught:
        make()
    return str(caught.value).lower()


def test_no_error_shows_a_cell(tmp_path):
    rows = f'{CANARIES["respondent_id"]},9,{CANARIES["email"]},"{CANARIES["comment"]}"\n'
    content = "id,nps,mail,words\n" + rows
    broken = [
        'columns = { respondent_id = "idd", likelihood_to_recommend = "npss" }\n',
        COLUMNS + "missing_codes = { likelihood = [11] }\n",
        COLUMNS + '[responses.drivers]\ncolumns = { "Price" = "pricing" }\n',
        'columns = { respondent_id = "id" }\n',
        COLUMNS + '[settings]\ncluster = "runid"\n',
    ]
    for responses in broken:
        folder = write_study(tmp_path, {"answers.csv": content}, responses)
        assert "canary" not in error_text(lambda folder=folder: open_study(folder))
    for call in (
        lambda: planted().require("responses.stratum"),
        lambda: planted().can_answer("responses.strat"),
        lambda: score_distribution(planted(), by="regoin"),
        lambda: representativeness(of_frame({LTR: [9], "comment": [CANARIES["comment"]]})),
    ):
        assert "canary" not in error_text(call)


def test_a_file_without_a_header_does_not_show_its_first_record_in_the_error(tmp_path):
    content = f"{CANARIES['respondent_id']},9,{CANARIES['email']}\nR2,8,p@example.com\n"
    folder = write_study(tmp_path, {"answers.csv": content})
    assert "canary" not in error_text(lambda: open_study(folder))


def test_column_names_in_an_error_are_one_line_of_text(tmp_path):
    table = io.StringIO()
    csv.writer(table).writerow(["id", "two\nlines\x1b[31m", "\u202eevil"])
    message = fault(write_study(tmp_path, {"answers.csv": table.getvalue()}))
    assert not set("\n\x1b\u202e") & set(message)


@pytest.mark.parametrize(
    "text", ["<script>alert(1)</script>", "<img src=x onerror=alert(1)>", r"$\frac{1}{0}$", "[a](javascript:b)"]
)
def test_hostile_names_are_escaped_where_they_are_shown(text):
    study = of_frame(
        {
            "respondent_id": [f"R{row}" for row in range(60)],
            LTR: [9, 3, 10] * 19 + [None] * 3,
            "wave": [text, "other"] * 30,
            "responded": [1] * 57 + [0] * 3,
            text: [text, "b", "b"] * 20,
        },
        segments=[text],
        name=text,
    )
    for result in (
        response_funnel(study),
        representativeness(study),
        overview.intake(study),
        overview.questions(study),
    ):
        html = result_html(result)
        assert "<script" not in html
        assert "<img src=x" not in html
