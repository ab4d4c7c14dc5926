"""The committed tables of calibration/: that the package gives them, and what is said of them."""

import itertools
import re

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from calibration import difference_grid, resumable, score_differences, score_intervals
from calibration.trinomial import SHAPES, truth_of
from nps_research.score.differences import compare_net_promoter_scores
from nps_research.score.limits.independent import VALUES
from nps_research.score.limits.methods import estimate, suitable_method
from nps_research.score.score import net_promoter_score
from tests.score.test_coverage import every_table, of_tables, tolerance
from tests.support.made_up_answers import of_classes

SCORES = pd.read_csv(score_intervals.TABLE)
DIFFERENCES = pd.read_csv(score_differences.TABLE)
GRID = pd.read_csv(difference_grid.TABLE)


def is_due(coverage: pd.Series, n: pd.Series) -> pd.Series:
    """At least 0.925 up to 100 answers; above, as near 0.95 as 4,000 drawn samples could tell."""
    return ((n <= 100) & (coverage >= 0.925)) | ((n > 100) & ((coverage - 0.95).abs() <= tolerance(4000)))


@pytest.mark.parametrize(
    ("table", "study"), [(SCORES, score_intervals), (DIFFERENCES, score_differences)], ids=["scores", "differences"]
)
def test_the_committed_tables_hold_every_cell_once_and_in_order(table, study):
    assert table[list(study.CELLS[0])].to_dict("records") == study.CELLS
    assert table["coverage"].between(0, 1).all()
    assert (table["mean_width"] > 0).all()


# Recomputed: every table, through the package's own front


@pytest.mark.parametrize("n", [10, 30])
@pytest.mark.parametrize("method", ["wald", "adjusted-wald", "score"])
def test_the_table_of_intervals_is_what_the_package_gives(n, method):
    tables = every_table(n)
    found = estimate(of_tables(tables.astype(int)), method=method, confidence_level=0.95)
    for row in SCORES[(SCORES["n"] == n) & (SCORES["method"] == method)].to_dict("records"):
        chance = stats.multinomial.pmf(tables, n, SHAPES[row["shape"]])
        truth = truth_of(row["shape"])
        held = (found.conf_low <= truth + 1e-9) & (truth - 1e-9 <= found.conf_high)
        assert row["coverage"] == pytest.approx(chance @ held, abs=2e-5)
        assert row["mean_width"] == pytest.approx(chance @ (found.conf_high - found.conf_low), abs=2e-3)
        assert row["net_promoter_score"] == pytest.approx(truth, abs=1e-6)


def slow_percentile_limits(table: np.ndarray) -> tuple[float, float]:
    """Every resample with its probability, the scores sorted."""
    n = int(table.sum())
    resamples = every_table(n)
    chance = pd.Series(stats.multinomial.pmf(resamples, n, table / n)).groupby((resamples @ VALUES / n).round(9)).sum()
    below = chance.sort_index().cumsum()
    return below.index[below > 0.025][0], below.index[below > 0.975][0]


def test_the_table_of_intervals_holds_the_percentile_limits_of_endlessly_many_resamples():
    tables = every_table(10)
    low, high = np.transpose([slow_percentile_limits(table) for table in tables])
    for row in SCORES[(SCORES["n"] == 10) & (SCORES["method"] == "bootstrap")].to_dict("records"):
        chance = stats.multinomial.pmf(tables, 10, SHAPES[row["shape"]])
        truth = truth_of(row["shape"])
        assert row["coverage"] == pytest.approx(chance @ ((low <= truth + 1e-9) & (truth - 1e-9 <= high)), abs=2e-5)
        assert row["mean_width"] == pytest.approx(chance @ (high - low), abs=2e-3)


def test_the_package_draws_towards_these_percentile_limits():
    tables = np.random.default_rng(1).multinomial(100, SHAPES["SFO 2017"], size=20)
    low, high = score_intervals.percentile_limits(tables.astype(float))
    drawn = estimate(
        of_tables(tables), method="bootstrap", confidence_level=0.95, n_resamples=200_000,
        rng=np.random.default_rng(2),
    )  # fmt: skip
    for exact, found in ((low, drawn.conf_low), (high, drawn.conf_high)):
        assert np.abs(exact - found).max() <= 1 + 1e-9  # one answer in 100
        assert np.mean(np.abs(exact - found) < 1e-9) > 0.8


@pytest.mark.parametrize(("n_a", "n_b", "method"), [(10, 10, "adjusted-wald"), (10, 10, "score"), (15, 15, "score")])
def test_the_table_of_differences_is_what_the_package_gives(n_a, n_b, method):
    tables = [every_table(n) for n in (n_a, n_b)]
    dist = of_tables(np.concatenate(tables).astype(int))
    groups = dist.groups[: len(tables[0])], dist.groups[len(tables[0]) :]
    frame = compare_net_promoter_scores(
        dist, pairs=list(itertools.product(*groups)), method=method, adjust="none"
    ).frame
    rows = DIFFERENCES[(DIFFERENCES["n_a"] == n_a) & (DIFFERENCES["n_b"] == n_b) & (DIFFERENCES["method"] == method)]
    assert len(rows) == len(score_differences.SHAPES)
    for row in rows.to_dict("records"):
        shapes = row["shape_a"], row["shape_b"]
        chance_a, chance_b = (
            stats.multinomial.pmf(each, each[0].sum(), SHAPES[shape])
            for each, shape in zip(tables, shapes, strict=True)
        )
        chance = np.outer(chance_a, chance_b).ravel()
        truth = truth_of(shapes[1]) - truth_of(shapes[0])
        held = (frame["conf_low"] <= truth + 1e-9) & (truth - 1e-9 <= frame["conf_high"])
        assert row["coverage"] == pytest.approx(chance @ held, abs=2e-5)
        assert row["mean_width"] == pytest.approx(chance @ (frame["conf_high"] - frame["conf_low"]), abs=2e-3)


# What the tables say


def test_the_default_interval_is_the_only_one_to_hold_what_is_due_everywhere():
    due = is_due(SCORES["coverage"], SCORES["n"]).groupby(SCORES["method"]).all()
    assert due.to_dict() == {"wald": False, "adjusted-wald": False, "score": True, "bootstrap": False}
    assert due[suitable_method(of_classes(all=(20, 30, 50)))]


def test_what_is_said_of_the_default_interval_stands_in_the_table():
    said = re.sub(r"\s+", " ", net_promoter_score.__doc__)
    least = SCORES.loc[SCORES["method"] == "score", "coverage"].min()
    assert f"never below {np.floor(1000 * least) / 1000} and nearest to nominal from 30 answers on" in said
    away = score_intervals.summary(SCORES)["away"].unstack("method")
    assert (away.idxmin(axis=1) == "score").to_dict() == {n: n >= 30 for n in score_intervals.SIZES}


def test_what_is_said_of_the_default_difference_stands_in_the_table():
    assert suitable_method(of_classes(a=(20, 30, 50), b=(10, 30, 60))) == "score"
    said = re.sub(r"\s+", " ", compare_net_promoter_scores.__doc__)
    own = GRID[GRID["method"] == "score"]
    assert (own["enough"] >= 0.99).all()
    assert f"cover at least {np.floor(1000 * own['least'].min()) / 1000} from 10 answers on" in said
    usual = GRID[GRID["method"] == "adjusted-wald"]
    assert f"of adjusted Wald, {np.floor(1000 * usual['least'].min()) / 1000}" in said


def test_a_row_of_the_grid_of_differences_is_what_it_was():
    (row,) = GRID[(GRID["n_a"] == 10) & (GRID["n_b"] == 10) & (GRID["method"] == "score")].to_dict("records")
    assert difference_grid.measure(10, 10, "score") == {
        name: row[name] for name in ("pairs", "least", "mean", "enough")
    }


# Going on where a study stopped


def counted(measured: list[int]):
    def measure(n: int) -> dict[str, object]:
        measured.append(n)
        return {"square": n * n}

    return measure


def test_a_study_goes_on_where_it_stopped(tmp_path, capsys):
    path, measured = tmp_path / "squares.csv", []

    def interrupted(n: int) -> dict[str, object]:
        if n == 3:
            raise KeyboardInterrupt
        return counted(measured)(n)

    cells = [{"n": n} for n in (2, 1, 3)]
    with pytest.raises(KeyboardInterrupt):
        resumable.fill(path, cells, interrupted)
    assert path.read_bytes() == b"n,square\n2,4\n1,1\n"
    resumable.fill(path, cells, counted(measured))
    assert measured == [2, 1, 3]
    assert path.read_bytes() == b"n,square\n2,4\n1,1\n3,9\n"
    resumable.fill(path, cells[1:], counted(measured), fresh=True)  # anew, and without the cell that is gone
    assert measured == [2, 1, 3, 1, 3]
    assert path.read_bytes() == b"n,square\n1,1\n3,9\n"
    assert resumable.fill(path, cells[1:], counted(measured))["square"].tolist() == [1, 9]
    assert [each.name for each in tmp_path.iterdir()] == ["squares.csv"]
    assert "squares: 3 of 3: 3" in capsys.readouterr().out


def test_random_numbers_are_the_cell_s_own():
    first, again, other = (resumable.generator({"n": n}).random() for n in (1, 1, 2))
    assert first == again != other
