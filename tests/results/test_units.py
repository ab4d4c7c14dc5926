"""What pages show over accounts, weights and few units: random studies, and an attacker who tries to read accounts.

Counting and the results' shared rows alone: no report is made. Then the rules by themselves: the floor and p% rule,
weights in which one answer counts for nearly all, a part of a study beside the whole.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import linprog

from nps_research.accounts.influence import account_influence
from nps_research.accounts.score import account_score
from nps_research.counting.score_counts import score_distribution
from nps_research.counting.shown_groups import groups_not_shown
from nps_research.results.few_units import answers_tell_of_one, tells_of_one
from nps_research.results.result import Result
from nps_research.results.suppression import hidden_groups
from nps_research.score.histogram import score_histogram
from nps_research.score.score import net_promoter_score
from nps_research.study.study import Study

FEWEST = 10
N_STUDIES = 30  # 200 pass too, in a minute or so


def made_up(seed: int) -> tuple[Study, pd.DataFrame]:
    """Answers of accounts of very uneven size, in one or two waves; some bring in nearly all revenue."""
    rng = np.random.default_rng(seed)
    n_accounts = int(rng.integers(2, 40))
    size = np.maximum(rng.lognormal(rng.uniform(0.5, 2.5), rng.uniform(0, 1.2), n_accounts), 1).astype(int)
    size = np.minimum(size, 80)
    account = np.repeat([f"a{code}" for code in range(n_accounts)], size)
    level = np.repeat(rng.choice([0.3, 0.6, 0.75, 0.9], n_accounts), size)
    rows = pd.DataFrame(
        {
            "respondent_id": [f"p{row}" for row in range(len(account))],
            "account_id": account,
            "wave": rng.choice(["W1", "W2"], len(account)) if seed % 2 else "W1",
            "likelihood_to_recommend": rng.binomial(10, level),
        }
    )
    revenue = rng.lognormal(8, rng.choice([0.3, 1, 2, 6]), n_accounts).round(2)
    customers = rows[["respondent_id", "account_id"]].rename(columns={"respondent_id": "customer_id"})
    customers["revenue"] = np.repeat(revenue, size)
    return Study.from_frames(responses=rows, customers=customers), rows.assign(revenue=customers["revenue"])


class Attacker:
    """What is told of the scores of cells (an account in a wave): sums of their answers, and sums of squares.

    Who attacks knows how many answers each cell has and what each account brings in. Squares are told by standard
    errors; a cell's is no less than on the line between neighbouring scores that n answers can have.
    """

    def __init__(self, rows: pd.DataFrame) -> None:
        rows = rows.assign(
            d=(rows["likelihood_to_recommend"] <= 6).astype(int), p=(rows["likelihood_to_recommend"] >= 9).astype(int)
        )
        by = rows.groupby(["account_id", "wave"])
        cells = by.agg(d=("d", "sum"), p=("p", "sum"), n=("d", "size"), revenue=("revenue", "first")).reset_index()
        self.cells, self.n = cells, cells["n"].to_numpy(float)
        self.score = (100 * (cells["p"] - cells["d"]) / cells["n"]).to_numpy()
        one = np.eye(len(cells))
        self.net = np.hstack([-100 * one, 100 * one]) / self.n[:, None]
        self.equal: list[np.ndarray] = []

    def take(self, wave: str, of: str) -> None:
        """Shares of promoters and detractors, and standard errors, over the accounts of a wave."""
        inside = (self.cells["wave"] == wave).to_numpy()
        weight = {"answers": self.n, "accounts": np.ones_like(self.n), "revenue": self.cells["revenue"].to_numpy()}[of]
        own, plain = (np.where(inside, each, 0) / each[inside].sum() for each in (weight, self.n))
        none = np.zeros_like(own)
        self.equal += [np.concatenate([own / self.n, none, none]), np.concatenate([none, own / self.n, none])]
        if of != "answers":
            self._square(own)
        if of == "accounts":
            self._square(plain)
            self._square(own, plain)

    def _square(self, share: np.ndarray, less: np.ndarray | float = 0.0) -> None:
        a = share - less
        b = -share * (self.score @ share) + (0 if np.isscalar(less) else less * (self.score @ less))
        self.equal.append(np.concatenate([2 * a * b @ self.net, a**2]))

    def take_account(self, account: str) -> None:
        """The score of an account, which its influence tells."""
        own = (self.cells["account_id"] == account).to_numpy()
        self.equal.append(np.concatenate([(own * self.n) @ self.net, np.zeros_like(self.n)]))

    def told(self, asked: np.ndarray) -> np.ndarray:
        """Cells among those asked for whose score is told to within 10 points, or exactly."""
        k = len(self.n)
        truth = np.concatenate([self.cells["d"], self.cells["p"], self.score**2])
        matrix = np.array([row / max(np.abs(row).max(), 1e-12) for row in self.equal])
        one = np.eye(k)
        below, limits = [np.hstack([one, one, 0 * one])], [self.n]
        for row in range(k):
            can_be = 100 * np.arange(-self.n[row], self.n[row] + 1) / self.n[row]
            low, high = can_be[:-1, None], can_be[1:, None]
            below.append(np.hstack([(low + high) * self.net[row], np.tile(-one[row], (len(low), 1))]))
            limits.append((low * high).ravel())
        known = {
            "A_eq": matrix,
            "b_eq": matrix @ truth,
            "A_ub": np.vstack(below),
            "b_ub": np.concatenate(limits) + 1e-6,
            "bounds": [(0, n) for n in np.tile(self.n, 2)] + [(0, 1e4)] * k,
        }
        low, high = self.score.copy(), self.score.copy()
        step = np.where(self.n < FEWEST, 100 / self.n, 0)

        def narrow() -> np.ndarray:
            short = (high - low < 20 - 1e-3) | (np.maximum(high - self.score, self.score - low) < step - 1e-3)
            return short & asked

        rng = np.random.default_rng(0)
        for direction in [sign * row for row in [*rng.normal(size=(3, k)), *one] for sign in (1, -1)]:
            if (narrow() & (direction != 0)).any():
                found = linprog(-np.concatenate([direction @ self.net, np.zeros(k)]), **known)
                if found.x is not None:
                    score = self.net @ found.x[: 2 * k]
                    low, high = np.minimum(low, score), np.maximum(high, score)
        return narrow()


def shown_of(study: Study) -> dict[str, Result]:
    by_account = score_distribution(study, cluster="account_id", weight=None)
    return {
        "answers": net_promoter_score(score_distribution(study, by="wave", cluster=None)),
        "accounts": account_score(study, by="wave"),
        "revenue": net_promoter_score(score_distribution(study, by="wave", weight="revenue")),
        "influence": account_influence(by_account),
    }


def attacked(rows: pd.DataFrame, results: dict[str, Result]) -> tuple[Attacker, np.ndarray]:
    """The attacker with all that is shown, and the cells of accounts whose own rows are not."""
    attacker = Attacker(rows)
    for of in ("answers", "accounts", "revenue"):
        for wave in results[of].shown["group"]:
            attacker.take(wave, of)
    whole = rows.assign(
        v=np.select([rows["likelihood_to_recommend"] >= 9, rows["likelihood_to_recommend"] <= 6], [100, -100])
    )
    listed = set()
    for row in results["influence"].shown.to_dict("records"):
        for account, own in whole.groupby("account_id"):
            if len(own) == row["n"] and account not in listed:
                change = (whole["v"].sum() - own["v"].sum()) / max(len(whole) - len(own), 1) - whole["v"].mean()
                if abs(change - row["change"]) < 1e-6:
                    attacker.take_account(account)
                    listed.add(account)
                    break
    return attacker, ~attacker.cells["account_id"].isin(listed).to_numpy()


def test_no_account_can_be_read_and_nearly_all_that_is_safe_is_shown() -> None:
    n_shown = n_lost = 0
    for seed in range(N_STUDIES):
        study, rows = made_up(seed)
        results = shown_of(study)
        attacker, asked = attacked(rows, results)
        if len(attacker.equal):
            plain = Attacker(rows)
            for wave in results["answers"].shown["group"]:
                plain.take(wave, "answers")
            told = attacker.told(asked & attacker.cells["wave"].isin(results["answers"].shown["group"]).to_numpy())
            if told.any():  # what the plain score tells by itself, all being alike, is no secret kept here
                told &= ~plain.told(told)
            assert not told.any(), (seed, attacker.cells[told], [(k, len(r.shown)) for k, r in results.items()])
        n_shown += sum(len(results[of].shown) for of in ("accounts", "revenue", "influence"))
        n_lost += lost(rows, results)
    assert n_shown / (n_shown + n_lost) >= 0.9


def lost(rows: pd.DataFrame, results: dict[str, Result]) -> int:
    """Rows that are hidden and would have told nothing, of ten accounts or more, even to the second largest."""
    n = 0
    for of in ("accounts", "revenue"):
        for wave in set(results["answers"].shown["group"]) - set(results[of].shown["group"]):
            attacker, asked = attacked(rows, results)
            own = attacker.cells["wave"] == wave
            if own.sum() < FEWEST:
                continue
            attacker.take(wave, of)
            size = attacker.cells["revenue"] if of == "revenue" else attacker.cells["n"]
            second = size[own].nlargest(2).index[1]
            attacker.take_account(attacker.cells["account_id"][second])
            asked &= own.to_numpy() & (attacker.cells["account_id"] != attacker.cells["account_id"][second]).to_numpy()
            n += not attacker.told(asked).any()
    return n


# The rules


def counted(size: list[int], weight: list[float] | None = None, **settings: int) -> Study:
    """A study of accounts of these sizes, each answer with its account's weight."""
    rows = pd.DataFrame({"account_id": np.repeat([f"a{row}" for row in range(len(size))], size)})
    rows["likelihood_to_recommend"] = np.tile([10, 8, 3, 9, 6], len(rows))[: len(rows)]
    if weight is not None:
        rows["design_weight"] = np.repeat(weight, size)
    return Study.from_frames(responses=rows, settings=settings)


@pytest.mark.parametrize(
    ("weight", "answers", "told"),
    [
        ([1.0] * 9, 50, True),  # nine units
        ([1.0] * 10, 50, False),
        ([1.0] * 10 + [0.0] * 5, 1, False),  # the rest weigh nothing
        ([1.0] * 9 + [0.0] * 5, 1, True),
        ([1.0] * 10 + [20.0, 66.0], 50, False),  # of 96, 10 are left: 15% of 66
        ([1.0] * 10 + [20.0, 67.0], 50, True),
        ([1.0] * 10 + [2.0, 10.0], 1, False),  # an answer can only be three scores: all that is left must outweigh it
        ([1.0] * 10 + [2.0, 10.1], 1, True),
        ([1.0] * 10 + [2.0, 30.0], 3, False),  # three answers, seven scores: a third of it must be left
        ([1.0] * 10 + [2.0, 30.1], 3, True),
    ],
)
def test_the_floor_and_the_p_rule(weight, answers, told):
    assert tells_of_one(np.array(weight), np.full(len(weight), answers), FEWEST) is told
    assert not tells_of_one(np.array(weight), np.full(len(weight), answers), 1)


def test_weights_of_single_answers_are_judged_on_the_safe_side():
    rng = np.random.default_rng(1)
    for spread in (0.3, 1, 2, 4):
        weight = np.sort(rng.lognormal(0, spread, (500, 12)), axis=1)
        told = answers_tell_of_one(weight.sum(axis=1), (weight**2).sum(axis=1))
        assert told[weight[:, :-2].sum(axis=1) < weight[:, -1]].all()


def test_limits_over_few_accounts_are_hidden_and_the_score_is_not():
    for size, known in (([30, 20, 10], False), ([5] * 12, True), ([5] * 12 + [900], False)):
        study = counted(size)
        result = net_promoter_score(score_distribution(study, cluster="account_id"))
        row = result.shown.loc[0]
        assert not np.isnan(row["estimate"])
        assert [np.isnan(row[name]) for name in ("std_error", "conf_low", "n_effective")] == [not known] * 3
        assert ("an interval over accounts" in result.full_note) is not known
        assert "nan" not in f"{result} {result.full_note}".lower()
    free = net_promoter_score(score_distribution(counted([30, 20, 10], minimum_cell=1), cluster="account_id"))
    assert not np.isnan(free.frame.loc[0, "std_error"])


def test_a_weight_that_counts_for_nearly_all_is_left_aside_and_why_is_said():
    even, one = counted([1] * 60, [1.0] * 60), counted([1] * 60, [1.0] * 59 + [1e9])
    assert "Weighted by design_weight" in net_promoter_score(even).note
    result = net_promoter_score(one)
    assert result.frame["estimate"][0] == pytest.approx(net_promoter_score(even).frame["estimate"][0])
    assert "Weights are left aside: few answers would count for nearly all" in result.note
    asked = net_promoter_score(score_distribution(one, weight="design_weight"))
    assert asked.shown.empty
    assert asked.finding.startswith("The score is hidden")
    assert "what is weighted" in asked.full_note
    assert "has fewer than 10 answers" not in asked.full_note


def test_one_heavy_answer_hides_the_weighted_score_of_its_group_and_what_would_give_it_away():
    rows = pd.DataFrame({"likelihood_to_recommend": [10, 8, 3] * 100, "area": np.repeat(list("abc"), [30, 60, 210])})
    rows["design_weight"] = [100.0, *[1.0] * 29, *[4.0] * 270]
    study = Study.from_frames(responses=rows, segments=["area"])
    dist = score_distribution(study, by="area")
    assert dist.few_units == {"a"}
    assert dist.small_groups == frozenset()
    assert "a" in dist.hidden_groups
    assert score_histogram(dist, group="a").shown["answers"].sum() == 30  # counts of answers tell nothing of weights
    assert net_promoter_score(score_distribution(study, by="area", weight=None)).shown["group"].tolist() == list("abc")


def test_a_chain_over_three_groupings_is_broken():
    rows = pd.DataFrame([("a1", "b2", "c1"), ("a2", "b1", "c1"), ("a2", "b2", "c2")], columns=list("abc"))
    answers = np.array([[1, 2, 2], [10, 10, 10], [10, 20, 10]])  # a1 and b1 are c1; no two groupings tell of a1
    found = hidden_groups(rows, answers=answers, people=answers.sum(axis=1), minimum_cell=FEWEST)
    assert found["a"] == {"a1", "a2"}
    assert found["b"] or found["c"]
    assert not hidden_groups(rows[["a", "b"]], answers=answers, people=answers.sum(axis=1), minimum_cell=FEWEST)["b"]


def test_a_part_is_not_to_be_taken_from_the_whole_group_by_group():
    size = {("UK", "x"): 60, ("UK", "y"): 40, ("UK", "z"): 50, ("IE", "x"): 4, ("IE", "y"): 40, ("IE", "z"): 50}
    rows = pd.DataFrame([key for key, n in size.items() for _ in range(n)], columns=["Region", "area"])
    rows["likelihood_to_recommend"] = np.tile([10, 8, 3], len(rows))[: len(rows)]
    study = Study.from_frames(responses=rows, segments=["Region", "area"])
    assert groups_not_shown(study, ["area"]) == frozenset()
    part = study.where(Region="UK")
    assert "x" in groups_not_shown(part, ["area"])  # 64 in all, 60 here: 4 others
    assert len(groups_not_shown(part, ["area"])) == 2
    assert groups_not_shown(part, []) == frozenset()
    assert groups_not_shown(study.where(area="z"), ["Region"]) == frozenset()


def test_scores_over_accounts_of_a_part_are_hidden_where_the_rest_has_few_accounts():
    size = [4] * 30
    rows = pd.DataFrame({"account_id": np.repeat([f"a{row}" for row in range(30)], size)})
    rows["likelihood_to_recommend"] = np.tile([10, 8, 3, 9, 6], len(rows))[: len(rows)]
    rows["Region"] = np.repeat(["UK", "IE"], [27 * 4, 3 * 4])
    study = Study.from_frames(responses=rows, segments=["Region"])
    assert len(account_score(study).shown) == 1
    assert account_score(study.where(Region="UK")).shown.empty
    assert len(net_promoter_score(study.where(Region="UK")).shown) == 1
