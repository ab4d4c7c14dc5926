"""`init --customers`: a second file of who left and when, joined by the ids that both hold."""

import tomllib

import pandas as pd
import pytest
from typer.testing import CliRunner

import nps_research as nps
from nps_research import cli
from nps_research.errors import ContractError
from nps_research.study.draft.draft import draft_study

N = 60
ANSWERS = pd.DataFrame(
    {
        "ResponseId": [f"R_{row:04d}" for row in range(N)],
        "EndDate": [f"2025-0{row % 3 + 1}-15 10:00" for row in range(N)],
        "Client ref": [f"K{row % 40:03d}" for row in range(N)],
        "NPS": [row * 7 % 11 for row in range(N)],
    }
)
CUSTOMERS = pd.DataFrame(
    {
        "No": [f"K{row:03d}" for row in range(40)],
        "Customer since": ["2020-05-01"] * 40,
        "Cancelled on": ["2025-04-30" if row % 5 == 0 else "" for row in range(40)],
        "Region": ["North" if row % 2 else "South" for row in range(40)],
    }
)


@pytest.fixture
def files(tmp_path):
    """Write answers and a second file; give the draft of both."""

    def write(answers=ANSWERS, customers=CUSTOMERS):
        answers.to_csv(tmp_path / "answers.csv", index=False)
        customers.to_csv(tmp_path / "crm.csv", index=False)
        return draft_study(tmp_path / "answers.csv", customers=tmp_path / "crm.csv")

    return write


def test_files_are_joined_by_the_column_whose_values_both_hold(files):
    draft = files()
    content = tomllib.loads(draft.toml)
    assert content["responses"]["columns"]["customer_id"] == "Client ref"
    assert content["customers"]["columns"] == {
        "customer_id": "No", "churned_at": "Cancelled on", "started_at": "Customer since",
    }  # fmt: skip
    assert content["customers"]["segments"]["columns"] == {"Region": "Region"}
    assert draft.found[-1].why == '40 of 40 found by "Client ref"'


def test_the_day_until_which_leaving_was_seen_is_asked_and_has_its_place(files, tmp_path):
    draft = files()
    assert "Until which day would leaving have been seen?" in draft.questions[0]
    assert "\n# observed_until = 2025-04-30\n" in draft.toml
    (tmp_path / "study.toml").write_text(draft.toml)
    assert not nps.open_study(tmp_path).can_answer("outcomes.churned")
    (tmp_path / "study.toml").write_text(
        draft.toml.replace("# observed_until = 2025-04-30", "observed_until = 2025-12-31")
    )
    study = nps.open_study(tmp_path)
    counts = nps.outcome_by_score(study)
    left = pd.to_datetime(CUSTOMERS.set_index("No")["Cancelled on"]).reindex(ANSWERS["Client ref"]).to_numpy()
    within = left <= (pd.to_datetime(ANSWERS["EndDate"]) + pd.Timedelta(days=180)).to_numpy()
    assert int(counts.events.sum()) == int(within.sum())
    assert int(counts.n.sum()) == N


def test_a_table_of_accounts_joins_by_the_account(files):
    answers = ANSWERS.assign(Company=[f"Firm {row % 8}" for row in range(N)])
    accounts = pd.DataFrame({"Account": [f"Firm {n}" for n in range(8)], "Annual revenue": range(100, 900, 100)})
    content = tomllib.loads(files(answers, accounts).toml)
    assert content["responses"]["columns"]["account_id"] == "Company"
    assert content["accounts"]["columns"] == {"account_id": "Account", "revenue": "Annual revenue"}
    assert "customers" not in content


def test_contacts_of_accounts_are_customers_where_each_stands_once(files):
    answers = ANSWERS.assign(Company=[f"Firm {row % 40 % 8}" for row in range(N)])
    contacts = CUSTOMERS.assign(Company=[f"Firm {row % 8}" for row in range(40)])
    content = tomllib.loads(files(answers, contacts).toml)
    assert content["customers"]["columns"]["customer_id"] == "No"
    assert content["customers"]["columns"]["account_id"] == "Company"


def test_a_state_without_a_date_is_an_undated_outcome(files):
    state = CUSTOMERS.drop(columns="Cancelled on").assign(
        Status=["Cancelled" if row % 5 == 0 else "Active" for row in range(40)]
    )
    draft = files(customers=state)
    assert tomllib.loads(draft.toml)["outcomes"] == {
        "status": {
            "table": "customers", "column": "Status", "kind": "binary", "event": ["Cancelled"],
            "no_event": ["Active"], "direction": "bad", "dated": False,
        }
    }  # fmt: skip
    assert any("undated, so as association only" in sentence for sentence in draft.can)


def test_accounts_that_stand_twice_are_told_beforehand(files):
    twice = pd.concat([CUSTOMERS, CUSTOMERS.head(3)])
    draft = files(customers=twice)
    assert any("3 rows will be quarantined" in sentence for sentence in draft.warnings)


def test_a_key_that_finds_few_is_refused_with_what_came_nearest(files):
    strangers = CUSTOMERS.assign(No=[f"K{row:03d}" if row < 2 else f"X{row:03d}" for row in range(40)])
    with pytest.raises(ContractError, match=r"'No' comes nearest, with 2 of the 40 in 'Client ref'"):
        files(customers=strangers)


def test_ids_that_some_answers_lack_are_the_customer_and_these_answers_count(files, tmp_path):
    some = ANSWERS.drop(columns="ResponseId").rename(columns={"Client ref": "External Reference"})
    some.loc[::10, "External Reference"] = None
    draft = files(some)
    content = tomllib.loads(draft.toml)
    assert content["responses"]["columns"]["customer_id"] == "External Reference"
    assert "respondent_id" not in content["responses"]["columns"]
    (tmp_path / "study.toml").write_text(draft.toml)
    assert len(nps.open_study(tmp_path).responses) == N


def test_the_command_says_how_many_were_found(files, tmp_path):
    files()
    said = CliRunner().invoke(
        cli.app,
        ["init", str(tmp_path / "answers.csv"), "--customers", str(tmp_path / "crm.csv"), "--out", str(tmp_path / "s")],
    )
    assert said.exit_code == 0
    assert "40 of 40 found" in " ".join(said.output.replace("│", " ").split())


def test_a_list_of_stores_is_no_list_of_customers(files):
    answers = ANSWERS.assign(**{"Store ID": [f"S{row % 12}" for row in range(N)]})
    stores = pd.DataFrame({"Store": [f"S{row}" for row in range(12)], "Size": ["big", "small"] * 6})
    with pytest.raises(ContractError, match=r"'Store' holds the values of 'Store ID', which stands for several people"):
        files(answers, stores)


def test_where_no_day_of_leaving_can_be_read_none_is_named(files):
    unclear = CUSTOMERS.assign(**{"Cancelled on": ["01/02/2025" if row % 5 == 0 else "" for row in range(40)]})
    draft = files(customers=unclear)
    (question,) = (sentence for sentence in draft.questions if "leaving" in sentence)
    assert "The last who left" not in question
    assert "observed_until in [customers]" in question
