"""The same whole numbers from every engine, without ever bringing the rows here."""

import duckdb
import narwhals as nw
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from pyarrow import parquet

from nps_research.counting import cells
from nps_research.counting.score_counts import score_distribution
from nps_research.errors import CannotAnswerError, ContractError
from nps_research.score.score import net_promoter_score
from nps_research.study.study import Study
from tests.support.spark import spark  # noqa: F401  a fixture

LTR = "likelihood_to_recommend"
OPTIONS = [
    {"by": ["wave", "region"], "cluster": "account_id", "weight": "design_weight"},
    {"by": "wave", "cluster": "cluster", "weight": None},
    {"by": "weekday", "cluster": None, "weight": None},
    {"by": "hour", "cluster": None, "weight": None},
    {"by": ["quarter", "region"], "cluster": None, "weight": None},
    {"by": "month", "cluster": "account_id", "weight": None},
]


def made_up_invitations(n: int = 3000) -> pd.DataFrame:
    """Invitations of every fate: answered, returned without an answer, silent, bounced, still open."""
    rng = np.random.default_rng(8)
    invited = pd.Timestamp("2025-01-01") + pd.to_timedelta(rng.integers(0, 400, n), "D")
    fate = rng.choice(["answered", "returned", "silent", "bounced"], n, p=[0.5, 0.1, 0.3, 0.1])
    returned = np.isin(fate, ["answered", "returned"])
    answered_at = invited + pd.to_timedelta(rng.integers(9, 10 * 24, n), "h")
    score = np.clip(np.round(rng.normal(7.5, 2.2, n)), 0, 10)
    region = rng.choice(["north", "south", " west "], n).astype(object)
    region[rng.random(n) < 0.05] = None
    account = np.array([f"a{code}" for code in rng.integers(0, 300, n)], dtype=object)
    account[rng.random(n) < 0.1] = None
    return pd.DataFrame(
        {
            "respondent_id": [f"p{row}" for row in range(n)],
            "account_id": pd.Series(account, dtype="str"),
            "cluster": rng.integers(0, 40, n),
            "wave": np.where(invited < pd.Timestamp("2025-07-01"), "summer", "autumn"),
            "region": pd.Series(region, dtype="str"),
            LTR: pd.Series(np.where(fate == "answered", score, np.nan)).astype("Int64"),
            "delivered": fate != "bounced",
            "responded": returned,
            "invited_at": pd.Series(invited).astype("datetime64[us]"),
            "responded_at": pd.Series(answered_at).where(returned).astype("datetime64[us]"),
            "design_weight": np.round(rng.lognormal(0, 0.6, n), 2),
        }
    )


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    return made_up_invitations()


def arrow(rows: pd.DataFrame) -> pa.Table:
    return pa.Table.from_pandas(rows, preserve_index=False)


def in_duckdb(rows: pd.DataFrame) -> duckdb.DuckDBPyRelation:
    return duckdb.connect().from_arrow(arrow(rows))


def in_polars(rows: pd.DataFrame) -> pl.LazyFrame:
    return pl.from_arrow(arrow(rows)).lazy()


def study_of(responses, **settings) -> Study:
    return Study.from_frames(responses=responses, segments=["region"], settings=settings)


def assert_same(one, other):
    assert (one.groups, one.by, one.ordered, one.design) == (other.groups, other.by, other.ordered, other.design)
    for name in ("counts", "item_missing", "nonrespondents", "not_reached", "pending"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)
    for name in ("weight_sums", "squared_weight_sums"):  # to the last bit
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)
    if one.clusters is not None:
        np.testing.assert_array_equal(one.clusters.group, other.clusters.group)
        np.testing.assert_array_equal(one.clusters.sums, other.clusters.sums)
        labels = [[label for label in dist.clusters.label if " " not in label] for dist in (one, other)]
        assert labels[0] == labels[1]
        assert labels[0]


@pytest.mark.parametrize("options", OPTIONS, ids=lambda options: str(options["by"]))
@pytest.mark.parametrize("engine", [in_duckdb, in_polars])
def test_a_lazy_frame_is_counted_as_the_same_rows_in_memory(rows, engine, options):
    assert_same(score_distribution(study_of(engine(rows)), **options), score_distribution(study_of(rows), **options))


@pytest.mark.whole
def test_spark_counts_the_same(rows, spark, tmp_path, monkeypatch):  # noqa: F811
    parquet.write_table(arrow(rows), tmp_path / "rows.parquet")
    frame = spark.read.parquet(str(tmp_path / "rows.parquet"))
    brought = []
    of_frame = type(frame)
    for name in ("toArrow", "toPandas", "collect"):
        to_memory = getattr(of_frame, name)
        monkeypatch.setattr(
            of_frame, name, lambda self, *a, f=to_memory, **k: brought.append(f(self, *a, **k)) or brought[-1]
        )
    study = study_of(frame)
    for options in (OPTIONS[0], OPTIONS[3]):
        assert_same(score_distribution(study, **options), score_distribution(study_of(rows), **options))
    assert brought
    assert all(len(found) < len(rows) for found in brought)


def test_each_state_and_score_is_what_a_loop_over_the_rows_finds(rows):
    dist = score_distribution(study_of(in_duckdb(rows)), by="region", cluster=None, weight=None)
    until = max(rows["invited_at"].max(), rows["responded_at"].max())
    kinds = ("item_missing", "nonrespondents", "not_reached", "pending")
    names = ["north", "south", "west", cells.NOT_STATED]
    counts = {name: [0] * 11 for name in names}
    others = {kind: dict.fromkeys(names, 0) for kind in kinds}
    for row in rows.itertuples():
        name = cells.NOT_STATED if pd.isna(row.region) else row.region.strip()
        if not pd.isna(row.likelihood_to_recommend):
            counts[name][row.likelihood_to_recommend] += 1
        elif row.responded:
            others["item_missing"][name] += 1
        elif not row.delivered:
            others["not_reached"][name] += 1
        elif row.invited_at + pd.Timedelta(days=14) > until:
            others["pending"][name] += 1
        else:
            others["nonrespondents"][name] += 1
    assert dict(zip(dist.groups, dist.counts.tolist(), strict=True)) == counts
    for kind in kinds:
        assert dict(zip(dist.groups, getattr(dist, kind).tolist(), strict=True)) == others[kind]
        assert sum(others[kind].values()) > 0
    assert dist.n.sum() + sum(getattr(dist, kind).sum() for kind in kinds) == len(rows)


def test_the_stated_day_of_the_tables_closes_windows(rows):
    options = {"by": "wave", "cluster": None, "weight": None}
    both = [score_distribution(study_of(data, data_until="2026-03-31"), **options) for data in (in_polars(rows), rows)]
    assert both[0].pending.sum() == 0
    assert_same(*both)


def test_a_wave_follows_the_one_invited_before_it(rows):
    assert score_distribution(study_of(in_duckdb(rows)), by="wave").groups == ("summer", "autumn")
    undated = rows.drop(columns=["invited_at"])
    assert score_distribution(study_of(in_duckdb(undated)), by="wave").groups == ("autumn", "summer")


@pytest.mark.parametrize("engine", [in_duckdb, in_polars])
def test_types_that_mean_the_same_are_read_the_same(engine):
    table = pd.DataFrame(
        {
            LTR: [9.0, None, float("nan"), 3.0],
            "responded": pd.array([1, 0, None, 1], dtype="Int64"),
            "wave": [2025, 2024, 2025, 2024],
            "region": pd.Series(["x", "", None, "x"], dtype="category"),
            "responded_at": pd.to_datetime(["2026-03-09", None, None, "2026-03-03"]).tz_localize("UTC"),
        }
    )
    dist = score_distribution(study_of(engine(table)), by=["wave", "region"])
    assert dist.groups == ("2024 · x", f"2024 · {cells.NOT_STATED}", "2025 · x", f"2025 · {cells.NOT_STATED}")
    assert dist.n.tolist() == [1, 0, 1, 0]
    assert dist.nonrespondents.tolist() == [0, 1, 0, 1]
    assert score_distribution(study_of(engine(table)), by="weekday").groups == ("Monday", "Tuesday")


def test_silence_is_not_known_where_no_row_tells_of_it(rows):
    says_nothing = rows[[LTR, "region"]].assign(delivered=pd.array([None] * len(rows), dtype="boolean"))
    dist = score_distribution(study_of(in_duckdb(says_nothing)))
    assert (dist.nonrespondents, dist.not_reached, dist.pending) == (None, None, None)
    assert dist.item_missing.tolist() == [rows[LTR].isna().sum()]


# The rows stay where they are


@pytest.fixture
def brought(monkeypatch) -> list[int]:
    """How many rows each query brought into memory."""
    lengths = []
    collect = nw.LazyFrame.collect
    monkeypatch.setattr(
        nw.LazyFrame, "collect", lambda self, *a, **k: lengths.append(len(found := collect(self, *a, **k))) or found
    )
    return lengths


@pytest.mark.parametrize("engine", [in_duckdb, in_polars])
def test_no_more_than_the_cells_is_brought_into_memory(rows, engine, brought):
    score_distribution(study_of(engine(rows)), by="region", cluster=None, weight=None)
    # the latest date; then groups x scores and other states x open or not x flags
    assert len(brought) == 2
    assert brought[0] == 1
    assert brought[1] < 4 * (11 + 4) * 2 * 2


def test_more_cells_than_memory_is_meant_for_are_refused(rows, monkeypatch, brought):
    monkeypatch.setattr(cells, "MOST_CELLS", 500)
    study = study_of(in_polars(rows))
    assert score_distribution(study, by="wave", cluster=None, weight=None).n.sum() > 500
    with pytest.raises(CannotAnswerError, match=r"more than 500 different combinations of likelihood.*design_weight"):
        score_distribution(study, cluster=None)
    assert max(brought) == 501
    lone = rows[[LTR, "region", "account_id"]].assign(account_id=pd.Series([None] * len(rows), dtype="str"))
    with pytest.raises(CannotAnswerError, match="belong to none"):
        score_distribution(
            study_of(in_polars(lone.assign(account_id=lone["account_id"].where(lone.index > 0, "a")))),
            cluster="account_id",
        )


def test_what_needs_the_rows_says_so(rows):
    study = study_of(in_duckdb(rows))
    with pytest.raises(CannotAnswerError, match="lazy frame: they can be counted"):
        _ = study.responses
    assert "lazy frame" in repr(study)
    assert study.period == "not stated"
    assert study.can_answer(f"responses.{LTR}", "responses.segments")
    assert not study.can_answer("responses.channel")
    assert len(net_promoter_score(score_distribution(study, by="wave")).frame) == 2


# At the door


def fault(responses, **options) -> str:
    with pytest.raises(ContractError) as caught:
        Study.from_frames(responses=responses, **options)
    return str(caught.value)


@pytest.mark.parametrize("engine", [in_duckdb, in_polars])
def test_all_wrong_names_and_types_are_told_at_once(engine):
    table = pd.DataFrame(
        {LTR: ["9"], "responded_at": ["2025-01-01"], "delivered": [1.5], "wave": [1.5], "regoin": ["n"]}
    )
    said = fault(engine(table), segments=["region"], drivers=["price"], settings={"cluster": "acount"})
    for part in (
        "there is no column 'price'",
        "'region': did you mean regoin",
        "no column 'acount'",
        f"{LTR} holds String, where numbers are needed",
        "responded_at holds String, where dates, or timestamps",
        "delivered holds Float64, where booleans, or 1 and 0",
        "wave holds Float64, where text or whole numbers",
    ):
        assert part in said


def test_a_frame_without_the_answer_is_met_with_a_guess():
    assert "did you mean likelihod_to_recommend" in fault(in_polars(pd.DataFrame({"likelihod_to_recommend": [9]})))


def test_a_zone_other_than_utc_is_refused():
    table = pd.DataFrame({LTR: [9], "responded_at": pd.to_datetime(["2025-01-01"]).tz_localize("Europe/Berlin")})
    assert "without zone or in UTC" in fault(in_polars(table))


def test_a_segment_with_a_private_name_is_refused(rows):
    assert "respondent_id is private" in fault(in_duckdb(rows), segments=["respondent_id"])


@pytest.mark.parametrize("thing", [[9, 10], pl.DataFrame({LTR: [9]})])
def test_what_is_no_table_is_refused(thing):
    assert "a pandas DataFrame is needed, or a lazy frame" in fault(thing)


def test_customers_do_not_go_with_a_lazy_frame(rows):
    assert "takes no customers" in fault(in_duckdb(rows), customers=pd.DataFrame({"customer_id": ["p1"]}))


def test_what_needs_rows_is_refused_for_the_lazy_frame_and_not_for_want_of_columns():
    table = pd.DataFrame({LTR: [9.0, None] * 20, "delivered": [1] * 40, "responded": [1, 0] * 20})
    for study in (Study.from_frames(responses=in_engine(table)) for in_engine in (in_duckdb, in_polars)):
        assert "are a lazy frame" in study.missing("responses.silence")
        assert study.missing("responses.wave") == "This study does not record the round of the survey (responses.wave)."
    assert Study.from_frames(responses=table).missing("responses.silence") == ""


# Values, when they are counted


@pytest.mark.parametrize("engine", [in_duckdb, in_polars])
def test_rows_that_break_a_rule_stop_the_count_with_every_rule_and_how_many(engine):
    table = pd.DataFrame(
        {
            LTR: [11.0, 11.0, 7.5, 9.0, 9.0, None, 10.0],
            "delivered": [1, 1, 1, 0, 2, 0, 1],
            "responded": [1, 1, 1, 1, 1, 1, 1],
            "invited_at": pd.to_datetime(["2025-01-02 15:00"] * 7),
            "responded_at": pd.to_datetime([*["2025-01-02 09:00"] * 6, "2025-01-01 23:00"]),
            "region": [*["north"] * 6, "ann@example.com"],
        }
    )
    with pytest.raises(ContractError) as caught:
        score_distribution(study_of(engine(table)), by="region")
    said = str(caught.value)
    for part in (
        f"{LTR} is not from 0 to 10 (2 rows)",
        f"{LTR} is not a whole number (1 row)",
        "delivered is neither yes nor no (1/0, true/false, yes/no) (1 row)",
        "delivered says no, yet there is an answer (1 row)",
        "delivered says no, yet responded says yes (2 rows)",
        "responded_at is before invited_at (1 row)",
        "holds an e-mail address or a telephone number, which names no group (1 row)",
    ):
        assert part in said
    assert "ann" not in said


def test_weights_are_missing_or_negative_nowhere(rows):
    weights = rows["design_weight"].where(rows.index > 9, -1.0).where(rows.index > 4)
    with pytest.raises(
        ContractError, match=r"design_weight is missing \(\d rows?\); design_weight is negative"
    ) as caught:
        score_distribution(study_of(in_duckdb(rows.assign(design_weight=weights))))
    assert "-1" not in str(caught.value)


def test_no_row_has_an_answer(rows):
    silent = rows.assign(**{LTR: pd.array([None] * len(rows), dtype="Int64")})
    with pytest.raises(CannotAnswerError, match="No row of the lazy frame has an answer"):
        score_distribution(study_of(in_duckdb(silent)))
