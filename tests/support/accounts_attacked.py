"""An attacker who works out single accounts' scores from all that is shown over accounts, by linear programming."""

from __future__ import annotations

import copy
from collections.abc import Collection, Iterator

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.optimize import linprog

FEWEST = 10  # answers of which nobody's may be told
KNOWN = 20.0  # points between the least and the most a score may be: less is to within 10


class Attacker:
    """What is told of the scores of accounts, in a wave and in all: sums of their answers, and sums of squares.

    Who attacks knows how many answers each account has in each wave, in which area it is and what it brings in.
    Squares are told by standard errors; a score's is no less than on the line between neighbours that n answers can
    have, or on a tangent.
    """

    def __init__(self, rows: pd.DataFrame) -> None:
        score = rows["likelihood_to_recommend"]
        rows = pd.DataFrame({"wave": "all", "area": "all"}, index=rows.index).assign(**rows)
        rows = rows.assign(d=(score <= 6).astype(int), p=(score >= 9).astype(int))
        by = rows.groupby(["account_id", "wave"], sort=True)
        atoms = by.agg(
            d=("d", "sum"), p=("p", "sum"), n=("d", "size"), revenue=("revenue", "first"), area=("area", "first")
        ).reset_index()
        one, code = np.eye(len(atoms)), pd.factorize(atoms["account_id"])[0]
        several = atoms["wave"].nunique() > 1
        of_unit = np.vstack([one, np.eye(code.max() + 1)[:, code]]) if several else one
        first = np.concatenate([np.arange(len(atoms)), np.unique(code, return_index=True)[1] if several else []])
        self.units = atoms.loc[first, ["account_id", "wave", "area", "revenue"]].reset_index(drop=True)
        self.units["whole"] = np.arange(len(first)) >= (len(atoms) if several else 0)
        self.most, self.of_unit = atoms["n"].to_numpy(float), of_unit
        self.n = of_unit @ self.most
        self.net = np.hstack([-of_unit, of_unit]) * 100 / self.n[:, None]
        counts = np.concatenate([atoms["d"], atoms["p"]]).astype(float)
        self.score = self.net @ counts
        self.truth = np.concatenate([counts, self.score**2])
        self.equal: list[np.ndarray] = []
        self.squared = np.zeros(len(self.n), dtype=bool)
        self.listed = np.zeros(len(self.n), dtype=bool)

    def copy(self) -> Attacker:
        other = copy.copy(self)
        other.equal, other.squared = list(self.equal), self.squared.copy()
        other.listed = self.listed.copy()
        return other

    def inside(self, by: str, group: str) -> np.ndarray:
        """The units that a group of a grouping holds; of "all" those of all waves together."""
        if by == "wave":
            return ((self.units["wave"] == group) & (np.arange(len(self.n)) < len(self.most))).to_numpy()
        return (self.units["whole"] & ((by == "all") | (self.units["area"] == group))).to_numpy()

    def take(self, by: str, group: str, of: str, *, error: bool) -> None:
        """Shares of promoters and detractors over a group's accounts, and the standard error where it is shown."""
        inside = self.inside(by, group)
        weight = {"answers": self.n, "accounts": np.ones_like(self.n), "revenue": self.units["revenue"].to_numpy()}[of]
        own, plain = (np.where(inside, each, 0) / each[inside].sum() for each in (weight, self.n))
        none, sums = np.zeros(len(self.most)), (own / self.n) @ self.of_unit
        for counts in ((sums, none), (none, sums)):
            self.equal.append(np.concatenate([*counts, np.zeros_like(own)]))
        if error:
            self._square(own)
        if of == "accounts":
            self._square(plain)
            self._square(own, plain)

    def _square(self, share: np.ndarray, less: np.ndarray | float = 0.0) -> None:
        a = share - less
        b = -share * (self.score @ share) + (0 if np.isscalar(less) else less * (self.score @ less))
        self.equal.append(np.concatenate([2 * a * b @ self.net, a**2]))
        self.squared |= a != 0

    def take_influence(self, accounts: Collection[str], *, error: bool) -> None:
        """The scores of accounts whose influence is shown, and the error of the score of all, of its margin."""
        self.listed = self.inside("all", "all") & self.units["account_id"].isin(accounts).to_numpy()
        for unit in np.flatnonzero(self.listed):
            self.take_unit(unit)
        if error:
            self.take("all", "all", "answers", error=True)

    def take_unit(self, unit: int) -> None:
        """The score of one account."""
        self.equal.append(np.concatenate([self.n[unit] * self.net[unit], np.zeros_like(self.n)]))

    def told(self, asked: np.ndarray | None = None) -> np.ndarray:
        """Units asked for, and not shown, whose score is told to within 10 points, or of few answers exactly.

        Of an account whose influence is shown, only few answers are asked for, unless all are alike.
        """
        account = self.units["account_id"]
        parts = account.isin(account[self.listed]).to_numpy()
        alike = account.isin(account[self.listed & (np.abs(self.score) > 99.99)]).to_numpy()
        asked = ~self.listed & ~alike & ~(parts & (self.n >= FEWEST)) & (True if asked is None else asked)
        if not self.equal or not asked.any():
            return np.zeros_like(asked)
        matrix = np.array([row / max(np.abs(row).max(), 1e-12) for row in self.equal])
        below, limits = zip(*self._limits(), strict=True)
        known = {
            "A_eq": sparse.csr_array(matrix),
            "b_eq": matrix @ self.truth,
            "A_ub": sparse.vstack(below, format="csr"),
            "b_ub": np.concatenate(limits),
            "bounds": [(0, most) for most in [*np.tile(self.most, 2), *np.full(len(self.n), 1e4)]],
        }
        low, high = self.score.copy(), self.score.copy()
        step = np.where(self.n < FEWEST, 100 / self.n, 0)

        def narrow() -> np.ndarray:
            short = ((high - low < KNOWN - 1e-3) & ~parts) | (
                np.maximum(high - self.score, self.score - low) < step - 1e-3
            )
            return short & asked

        some = np.random.default_rng(0).normal(size=(3, len(self.n))) * asked
        for direction in [sign * row for row in [*some, *np.eye(len(self.n))] for sign in (1, -1)]:
            if (narrow() & (direction != 0)).any():
                found = linprog(-np.concatenate([direction @ self.net, np.zeros(len(self.n))]), **known)
                if found.x is not None:
                    score = self.net @ found.x[: 2 * len(self.most)]
                    low, high = np.minimum(low, score), np.maximum(high, score)
        return narrow()

    def _limits(self) -> Iterator[tuple[sparse.csr_array, np.ndarray]]:
        one, none = np.eye(len(self.most)), np.zeros((len(self.most), len(self.n)))
        yield sparse.csr_array(np.hstack([one, one, none])), self.most + 1e-6
        for unit in np.flatnonzero(self.squared):
            n = self.n[unit]
            can_be = np.linspace(-100, 100, 2 * int(n) + 1)
            near = self.score[unit] + np.array([-30, -10, -3, 0, 3, 10, 30])
            ends = (can_be[:-1], can_be[1:]) if n <= 20 else (near, near)
            cuts = np.zeros((len(ends[0]), len(self.truth)))
            cuts[:, : 2 * len(self.most)] = np.outer(sum(ends), self.net[unit])
            cuts[:, 2 * len(self.most) + unit] = -1
            yield sparse.csr_array(cuts), ends[0] * ends[1] + 1e-6
