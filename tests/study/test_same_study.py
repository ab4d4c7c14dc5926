"""Each source gives the same study as the CSV it came from, to the last value."""

import shutil
from pathlib import Path

import duckdb
import pandas as pd
import pyreadstat
import pytest
import sqlalchemy as sa

from nps_research.errors import ContractError
from nps_research.study.study import open_study
from tests.support.postgresql import postgresql_url  # noqa: F401  (a fixture)

DEMO = Path(__file__).parents[2] / "data" / "demo"
WAVE = "2025 Q4"
FILES = {"responses": "responses_2025q4.csv", "customers": "customers.csv"}
DRIVERS = (DEMO / "study.toml").read_text("utf-8").split("[responses.drivers]")[1].split("[customers]")[0]
DATES = ("invited_at", "responded_at", "started_at", "churned_at", "observed_until")


def study(folder, responses, customers, data=None):
    """A study of one wave of the made-up company; the arguments say where its rows come from."""
    folder.mkdir(exist_ok=True)
    (folder / "study.toml").write_text(
        f'name = "Made up"\nmade_up = true\n[[responses.files]]\n{responses}\nwave = "{WAVE}"\n'
        f"[responses.drivers]{DRIVERS}[customers]\n{customers}\n"
        '[customers.segments]\ncolumns = { "Region" = "region", "Role" = "role" }\n',
        encoding="utf-8",
    )
    return open_study(folder, data=data)


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    """The study as its CSV files give it."""
    stated = (f'file = "{file}"' for file in FILES.values())
    return study(tmp_path_factory.mktemp("csv"), *stated, data=DEMO)


def typed_tables():
    """The tables as a database or workbook would hold them: numbers as numbers, dates as dates."""
    for name, file in FILES.items():
        table = pd.read_csv(DEMO / file, keep_default_na=False, na_values=[""], low_memory=False)
        dates = {column: pd.to_datetime(table[column], format="ISO8601") for column in DATES if column in table}
        yield name, table.assign(**dates)


def assert_same(found, expected):
    for name in ("responses", "not_used", "customers"):
        pd.testing.assert_frame_equal(getattr(found, name), getattr(expected, name), check_exact=True)
    assert (found.drivers, found.segments, found.waves) == (expected.drivers, expected.segments, expected.waves)
    assert found.available == expected.available
    counts = ["rows", "accepted", "quarantined"]
    pd.testing.assert_frame_equal(found.files[counts], expected.files[counts])
    pd.testing.assert_frame_equal(found.quarantine[["table", "reasons"]], expected.quarantine[["table", "reasons"]])


def files_of(found):
    """Where the tables came from, but for the problems, which the responses name."""
    return found.files.loc[found.files["table"] != "problems", "file"].tolist()


def test_the_study_has_what_could_come_out_differently(expected):
    assert len(expected.responses) > 1_000
    assert len(expected.customers) > 1_000
    for name in ("invited_at", "responded_at", "likelihood_to_recommend", "comment", "delivered", "Invoicing accuracy"):
        assert expected.responses[name].notna().any()
    assert expected.not_used.to_numpy().any()
    assert expected.responses["comment"].str.contains(r"[^\x00-\x7f]").any()


def test_excel(tmp_path, expected):
    with pd.ExcelWriter(tmp_path / "all.xlsx", engine="openpyxl") as writer:
        for name, table in typed_tables():
            table.to_excel(writer, sheet_name=name, index=False)
    found = study(tmp_path, 'file = "all.xlsx"\nsheet = "responses"', 'file = "all.xlsx"\nsheet = "customers"')
    assert_same(found, expected)
    assert files_of(found) == ["all.xlsx (responses)", "all.xlsx (customers)"]


def test_spss(tmp_path, expected):
    labels = {}
    for name, table in typed_tables():
        if name == "customers":  # regions as codes with labels, as survey programs write them
            regions = sorted(table["region"].dropna().unique())
            labels = dict(enumerate(regions, start=1))
            table = table.assign(region=table["region"].map({region: code for code, region in labels.items()}))
        pyreadstat.write_sav(
            table, tmp_path / f"{name}.sav", variable_value_labels={"region": labels} if name == "customers" else None
        )
    assert len(labels) > 1
    found = study(tmp_path, 'file = "responses.sav"', 'file = "customers.sav"\nvalue_labels = ["region"]')
    assert_same(found, expected)


def test_duckdb(tmp_path, expected):
    with duckdb.connect(str(tmp_path / "all.duckdb")) as connection:
        for name, table in typed_tables():
            connection.register("written", table)
            connection.execute(f"CREATE TABLE {name} AS FROM written")
            connection.unregister("written")
    found = study(tmp_path, 'file = "all.duckdb"\ntable = "responses"', 'file = "all.duckdb"\nquery = "FROM customers"')
    assert_same(found, expected)


def test_parquet(tmp_path, expected):
    for name, table in typed_tables():
        table.to_parquet(tmp_path / f"{name}.parquet")
    assert_same(study(tmp_path, 'file = "responses.parquet"', 'file = "customers.parquet"'), expected)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16(tmp_path, expected, encoding):
    for file in FILES.values():
        (tmp_path / file).write_bytes((DEMO / file).read_text("utf-8").encode(encoding))
    assert_same(study(tmp_path, *(f'file = "{file}"' for file in FILES.values())), expected)


def into_database(url):
    engine = sa.create_engine(url)
    for name, table in typed_tables():
        table.to_sql(name, engine, index_label="row", if_exists="replace")
        if engine.dialect.name == "postgresql":
            with engine.begin() as connection:  # stored backwards, so that the order is the key's
                connection.exec_driver_sql(f"CREATE TABLE turned AS SELECT * FROM {name} ORDER BY row DESC")  # noqa: S608
                connection.exec_driver_sql(f"DROP TABLE {name}")
                connection.exec_driver_sql(f"ALTER TABLE turned RENAME TO {name}")
                connection.exec_driver_sql(f"ALTER TABLE {name} ADD PRIMARY KEY (row)")
    engine.dispose()


BY_URL = (
    'url_variable = "SURVEY_DB"\ntable = "responses"',
    'url_variable = "SURVEY_DB"\nquery = "SELECT * FROM customers ORDER BY row"',
)


def test_sqlite(tmp_path, expected, monkeypatch):
    monkeypatch.setenv("SURVEY_DB", f"sqlite:///{tmp_path}/all.sqlite")
    into_database(f"sqlite:///{tmp_path}/all.sqlite")
    assert_same(study(tmp_path, *BY_URL), expected)
    stated = (f'file = "all.sqlite"\ntable = "{name}"' for name in FILES)
    assert_same(study(tmp_path, *stated), expected)


def test_postgresql(tmp_path, expected, monkeypatch, postgresql_url):  # noqa: F811
    monkeypatch.setenv("SURVEY_DB", postgresql_url)
    into_database(postgresql_url)
    found = study(tmp_path, *BY_URL)
    assert_same(found, expected)
    assert files_of(found) == ["SURVEY_DB (responses)", "SURVEY_DB"]


def test_the_hash_of_a_study_follows_the_rows_in_its_database(tmp_path, monkeypatch):
    url = f"sqlite:///{tmp_path}/all.sqlite"
    monkeypatch.setenv("SURVEY_DB", url)
    into_database(url)
    first, again = study(tmp_path, *BY_URL), study(tmp_path, *BY_URL)
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE responses SET likelihood_to_recommend = 0 WHERE rowid = 1")
    engine.dispose()
    assert first.data_hash == again.data_hash != study(tmp_path, *BY_URL).data_hash


def test_two_sheets_of_one_workbook_are_two_waves(tmp_path):
    answers = {"2024": [9, 10, 3], "2025": [8, 11]}
    with pd.ExcelWriter(tmp_path / "answers.xlsx", engine="openpyxl") as writer:
        for wave, scores in answers.items():
            pd.DataFrame({"likelihood_to_recommend": scores}).to_excel(writer, sheet_name=wave, index=False)
    files = "".join(f'[[responses.files]]\nfile = "answers.xlsx"\nsheet = "{w}"\nwave = "{w}"\n' for w in answers)
    (tmp_path / "study.toml").write_text(f'name = "Made up"\n{files}')
    found = open_study(tmp_path)
    assert found.waves == ("2024", "2025")
    assert found.files[["file", "rows", "accepted"]].to_numpy().tolist() == [
        ["answers.xlsx (2024)", 3, 3], ["answers.xlsx (2025)", 2, 1]
    ]  # fmt: skip
    assert found.quarantine["line"].tolist() == [3]


@pytest.mark.parametrize(
    ("stated", "said"),
    [
        ('url_variable = "postgresql://u:SECRET@host/x"', "must be the name of an environment variable"),
        ('file = "a.csv"\nurl_variable = "SURVEY_DB"', "and one only"),
        ('file = "a.db"\ntable = "x"\nquery = "SELECT 1"', "not both"),
        ('file = "a.csv"\nheader_rows = 0', "header_rows"),
        ('file = "a.csv"\nshet = "x"', "did you mean sheet"),
    ],
)
def test_what_a_study_may_not_say_of_a_source(tmp_path, stated, said):
    with pytest.raises(ContractError, match=said) as caught:
        study(tmp_path, stated, 'file = "b.csv"')
    assert "SECRET" not in str(caught.value)


def test_one_source_listed_twice(tmp_path):
    twice = 'file = "a.csv"\n[[responses.files]]\nfile = "a.csv"'
    with pytest.raises(ContractError, match=r"a\.csv: listed more than once"):
        study(tmp_path, twice, 'file = "b.csv"')


def test_columns_wanted_of_a_workbook_are_asked_for_by_its_name(tmp_path):
    shutil.copy(DEMO / FILES["customers"], tmp_path)
    pd.DataFrame({"likelihood_to_recommend": [9]}).to_excel(tmp_path / "answers.xlsx", index=False)
    with pytest.raises(
        ContractError, match=r"answers\.xlsx: there is no column 'delivery_on_time' for Delivery on time"
    ):
        study(tmp_path, 'file = "answers.xlsx"', 'file = "customers.csv"')
