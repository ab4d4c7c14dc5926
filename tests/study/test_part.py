"""A part of a study: which rows it has, what it keeps of the whole, and what is refused."""

import dataclasses

import duckdb
import numpy as np
import pandas as pd
import pytest

import nps_research as nps
from nps_research.errors import CannotAnswerError, ContractError
from nps_research.study.response_states import window_open
from nps_research.study.standard_columns import PRIVATE

LTR = "likelihood_to_recommend"


def responses(n=120):
    rows = pd.DataFrame(
        {
            "respondent_id": [f"person-{k}" for k in range(n)],
            "customer_id": [f"c{k}" for k in range(n)],
            LTR: [None if k % 5 == 0 else k % 11 for k in range(n)],
            "wave": np.where(np.arange(n) % 3 == 0, "2024", "2025"),
            "channel": np.where(np.arange(n) % 2 == 0, "phone", "web"),
            "invited_at": pd.date_range("2024-01-01", periods=n).astype("datetime64[s]"),
            "responded": [k % 5 != 0 for k in range(n)],
            "question_position": np.where(np.arange(n) % 4 == 0, "first", "last"),
            "Price": [k % 6 if k % 6 else None for k in range(n)],
            "Plan": np.where(np.arange(n) % 2 == 0, "basic", "gold"),
        }
    )
    rows.loc[rows["channel"] == "web", "question_position"] = None
    return rows


def customers(n=160):
    regions = [("UK", "IE", "FR")[k % 3] for k in range(n)]
    return pd.DataFrame({"customer_id": [f"c{k}" for k in range(n)], "Region": regions, "revenue": range(1, n + 1)})


def a_study(**changes):
    given = {"responses": responses(), "customers": customers(), "drivers": ["Price"], "segments": ["Region", "Plan"]}
    return nps.Study.from_frames(**(given | {"name": "S", "made_up": True} | changes))


def test_a_part_by_values_has_these_rows_and_no_others():
    study = a_study()
    whole = study.responses
    for values, rows in (
        ({"Region": "UK"}, whole["Region"] == "UK"),
        ({"Region": ["UK", "IE"]}, whole["Region"].isin(["UK", "IE"])),
        ({"Region": {"UK"}, "wave": "2024"}, (whole["Region"] == "UK") & (whole["wave"] == "2024")),
        ({"wave": 2024}, whole["wave"] == "2024"),
        ({"Price": 5}, whole["Price"] == 5),
        ({"Price": [4.0, "5"]}, whole["Price"].isin([4, 5])),
        ({"responded": True}, whole["responded"].astype(bool)),
        ({"response_state": "nonrespondent"}, whole["response_state"] == "nonrespondent"),
    ):
        part, rows = study.where(**values), rows.fillna(value=False).astype(bool)
        pd.testing.assert_frame_equal(part.responses, whole[rows].reset_index(drop=True))
        pd.testing.assert_frame_equal(part.not_used, study.not_used[rows.to_numpy()].reset_index(drop=True))


def test_a_part_by_rows():
    study = a_study()
    mask = study.responses["invited_at"] >= "2024-03-01"
    for rows in (mask, mask.to_numpy(), mask.tolist(), lambda rows: rows["invited_at"] >= "2024-03-01"):
        part = study.where(rows)
        assert part.responses["respondent_id"].tolist() == study.responses.loc[mask, "respondent_id"].tolist()
        assert part.name == "S (chosen rows)"
        assert part.folder is None
    with_missing = mask.astype("boolean").where(mask.index != mask.index[mask][0])
    assert len(study.where(with_missing).responses) == mask.sum() - 1
    assert study.where(mask, Region="UK").name == "S (chosen rows; Region: UK)"


def test_a_part_keeps_what_is_the_study_s(tmp_path):
    study = dataclasses.replace(a_study(settings={"minimum_cell": 7, "seed": 3}), folder=tmp_path, data_folder=tmp_path)
    part = study.where(Region=["UK", "IE"])
    assert part.name == "S (Region: IE, UK)"
    for name in ("made_up", "outcomes", "folder", "data_folder", "drivers", "driver_scale", "segments", "source"):
        assert getattr(part, name) == getattr(study, name)
    assert (part.settings.minimum_cell, part.settings.seed) == (7, 3)
    for name in ("quarantine", "files", "violations"):
        assert getattr(part, name) is getattr(study, name)
    assert part.whole is study
    assert study.whole is None
    assert part.part == {"Region": ("IE", "UK")}
    assert part.base == "80 of 120 accepted rows; 64 answers to the recommendation question"
    assert part.notes[-1] == "This is a part of the study (Region: IE, UK); files and rules are of all of it."
    assert study.where() is study


def test_a_part_of_a_part_is_a_part_of_the_whole():
    study = a_study()
    twice = study.where(Region=["UK", "IE"], wave="2024").where(Region="UK")
    at_once = study.where(Region="UK", wave="2024")
    pd.testing.assert_frame_equal(twice.responses, at_once.responses)
    assert twice.name == at_once.name == "S (Region: UK; wave: 2024)"
    assert twice.whole is study


def test_every_part_has_a_hash_of_its_own():
    study = a_study()
    mask = study.responses["Region"] == "UK"
    parts = [study.where(Region="UK"), study.where(Region="IE"), study.where(mask), study.where(~mask), study]
    assert len({part.data_hash for part in parts}) == len(parts)
    assert study.where(Region="UK").data_hash == a_study().where(Region={"UK"}).data_hash


def test_customers_of_other_values_go_and_all_others_stay():
    study = a_study()
    assert set(study.where(Region="UK").customers["Region"]) == {"UK"}
    assert len(study.where(Region="UK").customers) == 54  # those who were not invited, too
    assert study.where(channel="web").customers is study.customers


def test_a_column_of_one_value_compares_nothing_any_more():
    study = a_study()
    assert study.where(Region="UK").segments == ("Plan",)
    both = study.where(Region="UK", Plan="gold")
    assert both.segments == ()
    assert not both.can_answer("responses.segments")
    assert study.where(wave="2024").waves == ("2024",)


def test_what_a_part_records_is_looked_up_in_the_part():
    study = a_study()
    assert study.can_answer("responses.question_position", "responses.silence", "responses.drivers")
    web = study.where(channel="web")
    assert not web.can_answer("responses.question_position")
    assert web.can_answer("responses.silence", "responses.drivers", "responses.segments", "customers.revenue")
    assert not study.where(response_state="answered").can_answer("responses.silence")
    assert not study.where(lambda rows: rows["Price"].isna()).can_answer("responses.drivers")
    known = {need for need in study.available if study.where(Region=["UK", "IE", "FR"]).can_answer(need)}
    assert known == study.available


def test_churn_is_known_in_a_part_where_its_customers_have_the_dates():
    rows = customers().assign(observed_until=pd.Timestamp("2025-12-31"), churned_at=pd.NaT)
    rows.loc[rows["Region"] == "UK", "churned_at"] = pd.Timestamp("2025-01-01")
    study = a_study(customers=rows)
    assert study.where(Region="UK").can_answer("outcomes.churned", "outcomes")
    assert not study.where(Region="IE").can_answer("outcomes")


def test_the_day_of_the_data_is_that_of_the_whole():
    study = a_study()
    early = study.where(wave="2024", channel="phone").where(lambda rows: rows["invited_at"] < "2024-03-01")
    assert not window_open(early.responses, early.settings).any()
    assert a_study(settings={"data_until": "2025-01-01"}).where(wave="2024").settings.data_until.year == 2025


def test_the_score_of_a_part_is_that_of_its_rows():
    study = a_study()
    by_region = nps.net_promoter_score(nps.score_distribution(study, by="Region")).frame.set_index("group")
    alone = nps.net_promoter_score(nps.score_distribution(study.where(Region="UK"))).frame.iloc[0]
    assert alone["estimate"] == by_region.loc["UK", "estimate"]
    assert alone["n"] == by_region.loc["UK", "n"]


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"region": "UK"}, "where: there is no column 'region': did you mean Region?"),
        ({"Region": "Uk"}, "where: no row has Region 'Uk': did you mean UK?"),
        ({"Region": ["UK", "XX"]}, "where: no row has Region 'XX' (allowed: UK, IE, FR)."),
        ({"Region": []}, "where: no value of Region is given."),
        ({"Region": "UK", "Plan": "gold", "question_position": "first"}, "where: no row has all of "),
        ({"invited_at": "2024-01-01"}, "where: invited_at holds dates, of which a part is chosen by rows"),
        ({"<script>": "x"}, "where: there is no column '<script>' (allowed: "),
    ],
)
def test_what_is_not_there_is_said(values, says):
    with pytest.raises(ContractError) as caught:
        a_study().where(**values)
    assert str(caught.value).startswith(says)


@pytest.mark.parametrize("name", PRIVATE)
def test_private_columns_are_refused_by_name_and_no_value_is_told(name):
    with pytest.raises(ContractError) as caught:
        a_study().where(**{name: "person-7"})
    assert str(caught.value) == (f"where: {name} belongs to respondents: no part of a study is named by its values.")
    with pytest.raises(ContractError) as caught:
        a_study().where(nothing="x")
    assert not set(PRIVATE) & set(str(caught.value).replace(",", " ").replace(")", " ").split())


def test_groups_too_small_to_show_are_not_proposed():
    study = a_study(responses=responses().assign(Plan=["tiny"] * 3 + ["gold"] * 117))
    with pytest.raises(ContractError, match=r"no row has Plan 'tin' \(allowed: gold\)"):
        study.where(Plan="tin")


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        (lambda rows: rows["wave"] == "1999", "where: no row is chosen."),
        ([True], "where: 120 rows need a mark each, in their order; 1 arrived."),
        (list(range(120)), "where: rows are chosen by True and False; int64 arrived."),
        (lambda rows: rows["wave"], "where: rows are chosen by True and False; str arrived."),
        (lambda rows: (rows["wave"] == "2024").sample(frac=1, random_state=1), "where: 120 rows need a mark each"),
    ],
)
def test_rows_that_cannot_be_meant_are_refused(rows, says):
    with pytest.raises(ContractError) as caught:
        a_study().where(rows)
    assert str(caught.value).startswith(says)


def test_rows_and_values_that_do_not_meet_are_refused():
    with pytest.raises(ContractError, match="no row that is chosen has these values"):
        a_study().where(lambda rows: rows["wave"] == "2024", wave="2025")


def test_a_lazy_study_is_filtered_where_it_lies():
    table = responses().drop(columns=["customer_id"]).assign(year=np.arange(120) % 2 + 2024)
    connection = duckdb.connect()
    connection.register("answers", table)
    lazy = nps.Study.from_frames(responses=connection.sql("from answers"), segments=["Plan", "year"], name="S")
    eager = nps.Study.from_frames(responses=table, segments=["Plan", "year"], name="S")
    for values in ({"Plan": "gold"}, {"Plan": "gold", "wave": ["2024"]}, {"year": 2025}):
        part, same = lazy.where(**values), eager.where(**values)
        assert part.is_lazy
        assert part.name == same.name
        counted = nps.score_distribution(part), nps.score_distribution(same)
        np.testing.assert_array_equal(counted[0].counts, counted[1].counts)
        np.testing.assert_array_equal(counted[0].nonrespondents, counted[1].nonrespondents)
    assert lazy.where(Plan="gold").data_hash != lazy.data_hash
    with pytest.raises(ContractError, match="no row has Plan 'silver'"):
        lazy.where(Plan="silver")
    with pytest.raises(ContractError, match="respondent_id belongs to respondents"):
        lazy.where(respondent_id="person-7")
    with pytest.raises(CannotAnswerError, match="of which a part is taken by values"):
        lazy.where(lambda rows: rows["wave"] == "2024")
    connection.close()
