"""What a report must not show cannot be worked out from what it shows: random studies and an attacker who tries.

The results are those that the notebooks display: their code cells are run here, on made-up studies.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pandas as pd
import pytest
from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure
from matplotlib.text import Text
from scipy.optimize import linprog
from scipy.sparse import block_diag

import nps_research as nps
from nps_research.counting.shown_groups import groups_not_shown
from nps_research.report import make_report, runner
from nps_research.results.result import Result
from nps_research.results.suppression import hidden_groups
from tests.report.test_published_reports import shared_text
from tests.support.made_up_answers import of_classes
from tests.support.run_here import run_here, shown_by

NOTEBOOKS = sorted((Path(__file__).resolve().parents[2] / "notebooks").glob("*.ipynb"))
MOMENTS = ("weekday", "hour")


# Made-up studies


def made_up_study(seed: int, n: int, n_waves: int, minimum_cell: int, **features: bool) -> nps.Study:
    """A made-up study with groups of very uneven size; an area is part of one region."""
    rng = np.random.default_rng(seed)

    def uneven(prefix: str, k: int, size: int) -> np.ndarray:
        return np.array([f"{prefix}{code}" for code in range(k)])[rng.choice(k, size, p=rng.dirichlet(np.full(k, 0.4)))]

    area = uneven("area", 7, n)
    rows = pd.DataFrame(
        {
            "respondent_id": [f"p{row}" for row in range(n)],
            "area": area,
            "region": pd.Series(area).str[-1].map(lambda code: f"region{'AABBCDD'[int(code)]}"),
            "branch": np.where(rng.random(n) < 0.04, None, uneven("branch", 4, n)),
            "wave": [f"wave{name[-1]}" for name in uneven("w", n_waves, n)],
            "likelihood_to_recommend": np.where(
                rng.random(n) < 0.1, np.nan, rng.binomial(10, rng.uniform(0.5, 0.9), n)
            ),
        }
    )
    if features["channels"]:
        rows["channel"] = uneven("channel", 3, n)
    if features["silence"]:
        rows["responded"] = (rows["likelihood_to_recommend"].notna() | (rng.random(n) < 0.3)).astype(int)
    if features["moments"]:
        days = pd.Timestamp("2025-03-03 09:00") + pd.to_timedelta(
            rng.choice(40, n, p=rng.dirichlet(np.full(40, 0.2))), "h"
        )
        rows["responded_at"] = days.where(rows["likelihood_to_recommend"].notna())
    if features["accounts"]:
        rows["account_id"] = uneven("account", 9, n)
    if features["weights"]:
        rows["design_weight"] = np.round(rng.lognormal(0, 0.5, n), 3)
    return of_rows(rows, minimum_cell)


def of_rows(rows: pd.DataFrame, minimum_cell: int) -> nps.Study:
    kept = rows.drop(columns="responded", errors="ignore") if "responded_at" in rows else rows
    return nps.Study.from_frames(
        responses=kept, segments=["region", "area", "branch"], settings={"minimum_cell": minimum_cell}
    )


STUDIES = {
    "seed": st.integers(0, 2**32 - 1),
    "n": st.integers(15, 140),
    "n_waves": st.integers(1, 4),
    "minimum_cell": st.integers(3, 12),
    **{name: st.booleans() for name in ("channels", "silence", "moments", "accounts", "weights")},
}


def displayed(study: nps.Study) -> list[Result]:
    """The results that the notebooks display for a study."""
    results: list[Result] = []
    for path in NOTEBOOKS:
        notebook = json.loads(path.read_text(encoding="utf-8"))
        if not study.can_answer(*notebook["metadata"]["nps_research"]["needs"]):
            continue
        scope = {"study_folder": "", "data_folder": None, "where": {}}
        with mock.patch.object(nps, "open_study", return_value=study):
            for cell in notebook["cells"]:
                tags = {"parameters", "live"} & set(cell["metadata"].get("tags", []))
                if cell["cell_type"] == "code" and not tags:
                    results += shown_by("".join(cell["source"]), scope)
    assert all(isinstance(result, Result) for result in results)
    return results


# The attacker


class Attacker:
    """Works out bounds of a group's answers from a report, by linear programming.

    Knows, of the groups of every grouping (waves, segments, channels, weekdays, hours): which there are; how many
    answers, promoters and detractors there are in all; which groups lie within which of another grouping, so
    that sets of them hold the same people (two groupings at a time, not chains of three). Takes from every
    bundle: the answers of each group; where answers count the same, its promoters and detractors, as its
    shares, score or histogram give them; what the difference of a pair tells of one where the other is known;
    the answers of a group in the last wave, which are no more than its answers; the forms that came back, and the score
    of the wave in which the silent are looked at. Counts are not negative, and
    promoters and detractors together are no more than the answers.
    """

    def __init__(self, study: nps.Study, bundles: list[dict]) -> None:
        self.study, self.weighted = study, "responses.design_weight" in study.available
        answered = study.responses[study.responses["response_state"] == "answered"]
        score = answered["likelihood_to_recommend"].astype(float)
        self.truth = pd.DataFrame(
            {"n": 1, "promoters": (score >= 9).astype(int), "detractors": (score <= 6).astype(int)}
        )
        names = ["wave", *study.segments, *(["channel"] if "responses.channel" in study.available else [])]
        self.labels = answered[names].astype("str").fillna("(not stated)")
        if "responses.responded_at" in study.available:
            moment = answered["responded_at"]
            self.labels = self.labels.assign(weekday=moment.dt.day_name(), hour=moment.dt.strftime("%H:00"))
        cells = [(name, group) for name in self.labels for group in sorted(self.labels[name].unique())]
        self.place = {cell: 3 * row for row, cell in enumerate(cells)}
        self.equal: list[tuple[dict[int, float], float]] = []
        self.at_most: list[tuple[dict[int, float], float]] = []
        self.seen: set[tuple[str, str]] = set()
        self.systems: dict[tuple[str, str], tuple[dict[int, int], dict[str, Any]]] = {}
        for start in self.place.values():
            self.at_most.append(({start + 1: 1, start + 2: 1, start: -1}, 0))
        for offset, kind in enumerate(self.truth):
            for name in self.labels:
                own = {start + offset: 1.0 for (of, _), start in self.place.items() if of == name}
                self.equal.append((own, self.truth[kind].sum()))
        for bundle in bundles:
            self._read(bundle)

    def _same(self, one: str, other: str) -> list[tuple[dict[int, float], float]]:
        """Equations of sets of groups of two groupings that hold the same people."""
        return [
            (
                {self.place[one, group] + offset: 1.0 for group in ones}
                | {self.place[other, group] + offset: -1.0 for group in others},
                0.0,
            )
            for ones, others in same_people(self.labels[one], self.labels[other])
            for offset in range(3)
        ]

    def _read(self, bundle: dict) -> None:
        kind, told = bundle["kind"], bundle["settings"]
        rows = [dict(zip(bundle["columns"], row, strict=True)) for row in bundle["rows"]]
        by = (told.get("by") or ["wave"])[0]
        if kind == "score_histogram" and rows:
            counts = pd.DataFrame(rows).groupby("answer_class")["answers"].sum()
            cell = ("wave", told["group"])
            self._take(cell, counts.sum(), counts.get("promoter", 0), counts.get("detractor", 0))
        if kind == "representativeness":
            for row in rows:
                if (row["term"], row["group"]) in self.place:
                    self.seen.add((row["term"], row["group"]))
                    self.at_most.append(({self.place[row["term"], row["group"]]: -1}, -row["n"]))
        if kind in ("response_rates", "who_answers"):
            self._read_rates(rows)
        if kind == "response_balance":
            for row in rows:
                cell = (str(row["term"]).lower(), row["group"])
                if cell in self.place:
                    self.seen.add(cell)
                    self.at_most.append(({self.place[cell]: -1}, -row["n"]))
        if kind == "score_if_all_responded" and rows and not self.weighted:
            observed = rows[0]
            cell = ("wave", observed["wave"])
            if cell in self.place:
                self._take(cell, observed["n"])
                start = self.place[cell]
                lead = round(observed["estimate"] * observed["n"] / 100)
                self.equal.append(({start + 1: 1, start + 2: -1}, lead))
        others = ("representativeness", "response_rates", "who_answers", "response_balance")
        for row in rows if kind not in others else ():
            for of in [name for name in ("group", "group_a", "group_b") if (by, row.get(name)) in self.place]:
                n = row[of.replace("group", "n")]
                self._take((by, row[of]), n)
                if self.weighted or kind in ("net_promoter_score_differences", "detectable_change", "account_score"):
                    continue
                if "promoter_share" in row and n:
                    self._take((by, row[of]), n, round(row["promoter_share"] * n), round(row["detractor_share"] * n))
                elif row.get("estimate") is not None and kind == "trend" and n:
                    start = self.place[by, row[of]]
                    self.equal.append(({start + 1: 1, start + 2: -1}, round(row["estimate"] * n / 100)))
            change = row.get("estimate", row.get("change"))
            if "group_a" in row and change is not None and not self.weighted and row["n_a"] and row["n_b"]:
                a, b = (self.place[by, row[name]] for name in ("group_a", "group_b"))
                na, nb = 100 / row["n_a"], 100 / row["n_b"]
                self.equal.append(({b + 1: nb, b + 2: -nb, a + 1: -na, a + 2: na}, change))

    def _read_rates(self, rows: list[dict]) -> None:
        """Forms that came back, by group: as many as answers, or more where some came back without one."""
        whole = not (self.study.responses["response_state"] == "item_missing").any()
        for row in rows:
            cell = (str(row.get("term", "wave")).lower(), row["group"])
            if cell not in self.place:
                continue
            if row.get("rr5") is not None:
                self._take(cell, round(row["rr5"] * row["n"]))
            elif whole:
                self._take(cell, row["events"])
            else:
                self.seen.add(cell)
                self.at_most.append(({self.place[cell]: 1}, row["events"]))

    def _take(self, cell: tuple[str, str], *counts: float) -> None:
        self.seen.add(cell)
        for offset, count in enumerate(counts):
            self.equal.append(({self.place[cell] + offset: 1}, float(count)))

    def bounds(self, cell: tuple[str, str]) -> tuple[np.ndarray, np.ndarray]:
        """The least and the most that a group's answers, promoters and detractors can be."""
        tried = [self._bounds(cell, other) for other in self.labels if other != cell[0]]
        return np.max([least for least, _ in tried], axis=0), np.min([most for _, most in tried], axis=0)

    def _bounds(self, cell: tuple[str, str], other: str) -> tuple[np.ndarray, np.ndarray]:
        if (cell[0], other) not in self.systems:
            self.systems[cell[0], other] = self._system(cell[0], other)
        column, known = self.systems[cell[0], other]
        objective = np.zeros((3, 2, len(column)))  # six programs that share nothing, solved as one
        for offset in range(3):
            objective[offset, :, column[self.place[cell] + offset]] = 1, -1
        best = linprog(objective.ravel(), **known)
        assert best.status == 0
        ends = (objective * best.x.reshape(objective.shape)).sum(axis=-1)
        return np.ceil(ends[:, 0] - 1e-6), np.floor(-ends[:, 1] + 1e-6)

    def _system(self, one: str, other: str) -> tuple[dict[int, int], dict[str, Any]]:
        """All that is known of the groups of two groupings, as matrices, six times."""
        starts = [start for (name, _), start in self.place.items() if name in (one, other)]
        column = {start + offset: 3 * row + offset for row, start in enumerate(starts) for offset in range(3)}
        known = {}
        for kind, told in (("eq", self.equal + self._same(one, other)), ("ub", self.at_most)):
            of_these = [(terms, value) for terms, value in told if terms.keys() <= column.keys()]
            matrix = np.zeros((len(of_these), len(column)))
            for row, (terms, _) in enumerate(of_these):
                matrix[row, [column[term] for term in terms]] = list(terms.values())
            known[f"A_{kind}"] = block_diag([matrix] * 6)
            known[f"b_{kind}"] = np.tile([float(value) for _, value in of_these], 6)
        return column, known


def same_people(one: pd.Series, other: pd.Series) -> list[tuple[set[str], set[str]]]:
    """Sets of groups of two groupings that hold the same people; as small as they come."""
    sets: list[tuple[set[str], set[str]]] = []
    for a, b in set(zip(one, other, strict=True)):
        touched = [found for found in sets if a in found[0] or b in found[1]]
        sets = [found for found in sets if found not in touched]
        sets.append(({a}.union(*(found[0] for found in touched)), {b}.union(*(found[1] for found in touched))))
    return sets


@settings(max_examples=10, phases=[Phase.generate])
@given(**STUDIES)
def test_no_hidden_group_can_be_worked_out_from_what_a_report_shows(**made_up):
    whole = made_up_study(**made_up)
    study = nps.counting.without_small_waves(whole)  # which waves it leaves out, and how few answers they have, is said
    smallest = study.settings.minimum_cell
    shown = displayed(whole)
    assert not [
        r for r in shown if {"wave", "group"} & set(r.shown) and r.shown.isin(list(study.left_out_waves)).any(axis=None)
    ]
    attacker = Attacker(study, [result.to_json() for result in shown])
    if len(attacker.truth) < smallest:
        assert not attacker.seen
        return
    for name, group in attacker.place:
        n = int((attacker.labels[name] == group).sum())
        if n >= smallest:
            continue
        assert (name, group) not in attacker.seen
        least, most = attacker.bounds((name, group))
        assert most[0] >= smallest, "it is told that the group is small"
        assert ((least < most) | (most == 0))[1:].all(), "its promoters or detractors are told, and there are some"


# Nothing that is shown depends on who is in which of the hidden groups


def columns_of(study: nps.Study) -> pd.DataFrame:
    """The rows of a study as they came."""
    return study.responses.drop(columns=["response_state", "customer_id"])


def unlike(study: nps.Study, name: str, rng: np.random.Generator) -> nps.Study | None:
    """The study with the people of one grouping's hidden groups dealt anew to these groups."""
    hidden = sorted(groups_not_shown(study, [name]) - {"(not stated)"})
    rows = columns_of(study)
    of_these = rows[name].isin(hidden).to_numpy()
    if len(hidden) < 2:
        return None
    dealt = rows.copy()
    dealt.loc[of_these, name] = rng.permutation(rows.loc[of_these, name].to_numpy())
    return of_rows(dealt, study.settings.minimum_cell)


@settings(max_examples=4, phases=[Phase.generate])
@given(**STUDIES, name=st.sampled_from(["branch", "wave", "channel"]))
def test_what_is_shown_does_not_depend_on_who_is_in_which_hidden_group(name, **made_up):
    study = made_up_study(**made_up | {"channels": True, "accounts": False})
    study = of_rows(columns_of(nps.counting.without_small_waves(study)), study.settings.minimum_cell)
    other = unlike(study, name, np.random.default_rng(made_up["seed"]))
    assume(other is not None)
    for by in ([name], *([segment, "wave"] for segment in ("region", "area", "branch", "channel"))):
        assume(groups_not_shown(study, by) == groups_not_shown(other, by))
    one, two = ([result.to_json() for result in displayed(each)] for each in (study, other))
    assert one == two


def test_adjusted_p_values_pooled_scores_and_bootstrap_limits_tell_nothing_of_hidden_groups():
    classes = {"c": [1, 1, 2], "d": [7, 2, 3], "a": [30, 30, 60], "b": [50, 40, 50]}
    dealt = classes | {"c": [3, 1, 0], "d": [5, 2, 5]}
    for make in (
        nps.compare_net_promoter_scores,
        nps.score.pool_groups,
        lambda dist: nps.net_promoter_score(dist, method="bootstrap"),
    ):
        one, two = (make(replace(of_classes(**each), minimum_cell=10)) for each in (classes, dealt))
        assert not one.frame.equals(two.frame)
        assert one.to_json() == two.to_json()
        assert "a" in one.finding


# The rule


def groups(rows: list[tuple[str, ...]], n: list[int], minimum_cell: int = 10, **parts) -> dict:
    answers = np.array([[0, size, 0] for size in n])
    labels = pd.DataFrame(rows, columns=["one", "other", "both"][: len(rows[0])])
    return hidden_groups(labels, answers=answers, people=answers.sum(axis=1), minimum_cell=minimum_cell, **parts)


def test_a_group_within_another_is_not_left_alone_with_groups_that_are_shown():
    rows = [("north", "n1"), ("north", "n2"), ("south", "s1"), ("south", "s2"), ("west", "w1")]
    found = groups(rows, [5, 40, 60, 6, 12])
    assert found == {"one": frozenset(), "other": {"n1", "n2", "s1", "s2"}}  # 5 and 6 are 11, but not within a region


def test_a_table_of_two_groupings_is_not_solved_along_its_rows_and_columns():
    size = [4, 30, 40, 50, 60, 70, 20, 80, 90]
    rows = [(r, w, f"{r} {w}") for r in "abc" for w in "xyz"]
    hidden = groups(rows, size, parts={"both": ["one", "other"]})["both"]
    assert "a x" in hidden
    cells = pd.Series([cell in hidden for *_, cell in rows])
    for side in (0, 1):  # a row or column with a hidden cell has another, and these hold 10 answers or more
        assert cells.groupby([row[side] for row in rows]).sum().isin([0, 2, 3]).all()
    assert len(hidden) == 4


def test_combinations_with_a_hidden_group_are_hidden():
    rows = [(r, w, f"{r} {w}") for r in "abc" for w in "xy"]
    found = groups(rows, [2, 3, 12, 20, 100, 120], parts={"both": ["one", "other"]})
    assert found["one"] == {"a", "b"}
    assert {"a x", "a y", "b x", "b y"} <= found["both"]


def test_groups_nobody_answered_in_are_shown_where_they_are_large():
    people = np.array([30, 4, 60, 70])
    labels = pd.DataFrame({"one": ["silent", "few", "c", "d"]})
    answers = np.array([[0], [0], [40], [50]])
    assert hidden_groups(labels, answers=answers, people=people, minimum_cell=10) == {"one": {"few"}}


def test_a_wave_hidden_in_the_trend_is_hidden_everywhere():
    rows = pd.DataFrame(
        {
            "likelihood_to_recommend": [10, 8, 3] * 172,
            "wave": np.repeat(["2023", "2024", "2025"], [500, 7, 9]),
            "design_weight": np.tile([1.0, 2.0], 258),
            "respondent_id": [f"p{row}" for row in range(516)],
        }
    )
    study = of_rows(rows.assign(region="r", area="a", branch="b"), 10)
    results = [result.to_json() for result in displayed(study)]
    (said,) = {result["finding"] for result in results if result["kind"] == "trend"}
    assert said.endswith("2024 and 2025 are not shown: fewer than 10 answers.")
    shown = json.dumps(results).replace("2024 and 2025 are not shown", "") + study.period
    assert "2023" in shown
    assert "2024" not in shown
    assert "2025" not in shown


# A report


def test_names_of_hidden_groups_are_nowhere_in_a_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "run_notebooks", run_here)
    rng = np.random.default_rng(5)
    names = ["Plainville", "Middleton", "Kumquat Bay", "Tinyhamlet"]
    size = [220, 160, 14, 5]
    rows = pd.DataFrame(
        {
            "respondent_id": [f"p{row}" for row in range(sum(size))],
            "likelihood_to_recommend": rng.integers(0, 11, sum(size)),
            "town": np.repeat(names, size),
            "wave": rng.permutation(np.repeat(["Spring", "Summer", "Octember", "Nonember"], [200, 180, 15, 4])),
            "responded": 1,
        }
    )
    folder = tmp_path / "study"
    folder.mkdir()
    rows.to_csv(folder / "rows.csv", index=False)
    (folder / "study.toml").write_text(
        'name = "Made-up towns"\nmade_up = true\n[responses]\nfile = "rows.csv"\n'
        "[responses.columns]\n"
        + "".join(f'{name} = "{name}"\n' for name in rows if name != "town")
        + '[responses.segments]\ncolumns = { Town = "town" }\n',
        encoding="utf-8",
    )
    out = make_report(nps.open_study(folder), out=tmp_path / "report").out
    said = shared_text(out)
    assert len(list(out.glob("tables/*.csv"))) > 5
    for name in ("Plainville", "Middleton", "Spring", "Summer", "Octember"):
        assert name in said
    for name in ("Kumquat", "Tinyhamlet"):
        assert name not in said
    why = "Nonember is not shown, nor counted in any total: it has 4 answers, and 10 are the least"
    assert why in (out / "index.html").read_text(encoding="utf-8")
    assert "Nonember" not in said.replace(why, "")
    for result in displayed(nps.open_study(folder)):
        if result.has_figure and len(result.shown):
            drawn = " ".join(text.get_text() for text in result.plot(Figure().subplots()).findobj(Text))
            assert not re.search("Kumquat|Tinyhamlet|Nonember", drawn)
