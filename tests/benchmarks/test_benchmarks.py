"""The benchmarks run, their contenders agree, and what is committed is what they wrote."""

import re
from collections import Counter

import numpy as np
import pandas as pd
import pytest

from benchmarks import counting, drivers, measuring, nonresponse, opening, resampling, results, thresholds, whole

HERE = measuring.ROOT / "benchmarks"
COMMITTED = {
    name: pd.read_csv(HERE / f"{name}.csv")
    for name in ("counting", "resampling", "thresholds", "drivers", "nonresponse", "opening", "whole")
}


def test_every_contender_counts_each_made_up_answer(tmp_path, monkeypatch):
    monkeypatch.setattr(measuring, "ROWS_AT_ONCE", 1000)  # so that there are several blocks
    path = tmp_path / "made_up.parquet"
    measuring.write_made_up_answers(path, 2500)
    rows = pd.read_parquet(path)
    assert (len(rows), rows["wave"].nunique(), rows["channel"].nunique(), rows["region"].nunique()) == (2500, 8, 4, 12)
    slow = Counter()
    for wave, channel, region, score in rows.itertuples(index=False):
        slow[f"{wave} · {channel} · {region}", "missing" if np.isnan(score) else str(int(score))] += 1
    assert len({score for _, score in slow}) == 12
    for name, count in counting.CONTENDERS.items():
        assert counting.counts_of(count(str(path))) == slow, name


def test_contenders_take_turns_and_the_fastest_run_and_largest_memory_are_kept(monkeypatch):
    runs = {
        "a": [{"seconds": 3.0, "peak_megabytes": 5.0}, {"seconds": 2.0, "peak_megabytes": 4.0}],
        "b": [{"seconds": 1.0, "peak_megabytes": 7.0}, {"seconds": 6.0, "peak_megabytes": 8.0}],
    }
    order = []

    def run(module, number):
        assert module == "module"
        order.append(number)
        return runs[number].pop(0)

    monkeypatch.setattr(measuring, "in_own_process", run)
    found = measuring.in_turns({"a": ("module", "a"), "b": ("module", "b")}, 2)
    assert order == ["a", "b", "b", "a"]
    assert found == [
        {"contender": "a", "seconds": 2.0, "peak_megabytes": 5.0},
        {"contender": "b", "seconds": 1.0, "peak_megabytes": 8.0},
    ]


def test_both_bootstraps_give_the_same_limits():
    before, after = resampling.made_up_answers(2000)
    ours, theirs = (resample(before, after, 4000) for resample in resampling.CONTENDERS.values())
    truth = 100 * (np.mean(after >= 9) - np.mean(after <= 6) - np.mean(before >= 9) + np.mean(before <= 6))
    for limits in (ours, theirs):
        assert limits["conf_low"] < truth < limits["conf_high"]
        assert limits["conf_high"] - limits["conf_low"] == pytest.approx(2 * 1.96 * ours["std_error"], rel=0.06)
    frame = pd.DataFrame(
        [
            {"answers": 2000, "resamples": 4000, "contender": name, **limits}
            for name, limits in zip(resampling.CONTENDERS, (ours, theirs), strict=True)
        ]
    )
    assert results.limits_apart(frame) < 3.3
    frame.loc[1, "conf_high"] += 0.5 * ours["std_error"]
    assert results.limits_apart(frame) > 3.3


def test_what_silence_means_is_computed_for_made_up_customers_of_any_number():
    study = nonresponse.made_up(2_000)
    assert len(study.responses) == pytest.approx(2_000, rel=0.1)
    assert study.made_up
    for name, step in nonresponse.STEPS.items():
        if name != "nonresponse_value":  # too few leave
            assert step(study) is not None


def test_every_way_of_opening_finds_every_made_up_answer(tmp_path):
    opening.write_tables(tmp_path, 2_000, 500)
    found = {name: read(tmp_path) for name, read in opening.CONTENDERS.items()}
    assert found.pop(opening.CALAMINE) == found.pop(opening.WORKBOOK) == 500
    assert set(found.values()) == {2_000}


def test_a_run_in_its_own_process_tells_seconds_memory_and_limits():
    told = measuring.in_own_process("benchmarks.resampling", "nps_research", "1000", "100")
    assert told["seconds"] > 0
    assert told["peak_megabytes"] > 20 or np.isnan(told["peak_megabytes"])
    assert told["conf_low"] < told["conf_high"]


# What is committed


def test_the_page_is_written_from_the_tables():
    written = (HERE / "README.md").read_text(encoding="utf-8")
    (machine,) = re.findall(r"Measured on (.*)\.\n", written)
    assert results.page(**COMMITTED, machine=machine) == written


def test_the_committed_measurements_meet_the_targets():
    lines = results.targets(**COMMITTED).splitlines()[2:]
    assert (len(lines), sum("times as fast as scikit-learn" in line for line in lines)) == (25, 3)
    missed = [line for line in lines if not line.endswith("| yes |")]
    assert all(
        line.startswith("| open_study, ") for line in missed
    )  # said on the page; the checks of every cell remain
    assert {"nps_research"} < set(COMMITTED["drivers"]["contender"])
    assert COMMITTED["drivers"]["case"].unique().tolist() == list(drivers.CASES)
    assert set(COMMITTED["counting"]["rows"]) == set(counting.REPEATS)
    assert COMMITTED["opening"]["contender"].tolist() == list(opening.CONTENDERS)
    assert COMMITTED["whole"]["contender"].tolist() == list(whole.STEPS)
    sizes = COMMITTED["nonresponse"].groupby("invitations", sort=False)["step"].agg(list)
    assert sizes.to_dict() == {size: [*nonresponse.STEPS, "all"] for size in nonresponse.SIZES}


def test_a_target_that_is_missed_is_said_to_be():
    """The package's own runs take a thousand times as long and as much memory, and give other numbers."""
    of_package = {
        "thresholds": lambda table: table["contender"] != next(iter(thresholds.FROM_COUNTS)),
        "nonresponse": lambda table: table["step"] == "all",
        "opening": lambda table: table["contender"].str.startswith("open_study"),
        "whole": lambda table: table["contender"] == whole.REPORT,
    }
    worse = {}
    for name, table in COMMITTED.items():
        ours = of_package.get(name, lambda table: table["contender"] == "nps_research")(table)
        worse[name] = table.copy()
        for column in table.columns.intersection(["seconds", "processor_seconds", "peak_megabytes", "times_as_long"]):
            worse[name][column] = table[column].mask(ours, 1000 * table[column])
        for column in table.columns.intersection(["check", "conf_high"]):
            worse[name][column] = table[column].mask(ours, table[column] + 10)
    lines = results.targets(**worse).splitlines()[2:]
    assert [line for line in lines if not line.endswith("| no |")] == []


def test_fits_meet_their_target_at_every_size_against_the_fastest_way_of_scikit_learn():
    table = COMMITTED["drivers"].set_index(["case", "contender"])
    for n in drivers.FIT_SIZES:
        of = table.loc[f"{drivers.FITS}, {n:,} rows"]
        assert set(of.index) == {"nps_research", *drivers.WAYS}
        assert (of.loc[list(drivers.WAYS), "seconds"] >= 3 * of.loc["nps_research", "seconds"]).all()
        assert np.ptp(of["check"]) < 0.01  # they fit alike


def test_the_figure_shows_the_table():
    table = COMMITTED["counting"]
    for axes, column in zip(results.figure_of(table).axes, ("seconds", "peak_megabytes"), strict=True):
        assert axes.get_xscale() == axes.get_yscale() == "log"
        for line in axes.get_lines():
            rows = table[table["contender"] == line.get_label()]
            np.testing.assert_array_equal(line.get_xydata(), rows[["rows", column]])
        assert {line.get_label() for line in axes.get_lines()} == set(counting.CONTENDERS)
