"""How often intervals hold the truth where answers come in accounts, are weighted, or both; and how wide they are.

Writes `clustered_intervals.csv` beside this file. Each cell of it is 4,000 made-up samples of 20, 60 or 300 accounts:
six shapes, accounts of equal or log-normal size whose people agree not at all (`icc` 0), somewhat (0.1) or much (0.3),
weighted by nothing, by log-normal revenue, or by design (single answers). Measured are the 95% interval of the score,
and of the change between two waves, asked of other accounts (the second wave has the airport's shape), of the same
accounts, who think as before, or of half the same and half others of their kind. The last rows are how often the test
of equal scores of eight groups rejects at 5%, though they are equal. Rows that the table has already are not made
again, but with `--fresh`. Run it with `python -m calibration.clustered_intervals`.
"""

from __future__ import annotations

import zlib
from dataclasses import fields
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from calibration import trinomial
from calibration.resumable import fresh_is_asked
from nps_research.counting.cluster_sums import ClusterSums
from nps_research.counting.score_distribution import ScoreDistribution
from nps_research.score.differences import compare_net_promoter_scores
from nps_research.score.limits.independent import VALUES, Estimates
from nps_research.score.limits.methods import estimate
from nps_research.score.score import heterogeneity

if TYPE_CHECKING:
    from numpy.typing import NDArray

TABLE = Path(__file__).with_suffix(".csv")
# Detractors, passives, promoters; "airport": SFO's of both years, rounded.
SHAPES = {"airport": (0.15, 0.35, 0.50)} | {
    name: trinomial.SHAPES[name] for name in ("b2b", "skewed high", "skewed low", "few promoters", "extreme")
}
METHODS = ("linearized", "effective-score")
SHARED = {"change, other accounts": 0.0, "change, same accounts": 1.0, "change, half the same accounts": 0.5}
SCORES = [3, 7, 10]  # one answer standing for each class
N_DRAWS, BLOCK = 4000, 250
N_GROUPS = 8
KEYS = ["accounts", "sizes", "icc", "weights", "shape", "quantity", "method"]


class Design(NamedTuple):
    """How answers are gathered."""

    sizes: str  # "equal": 5 answers an account; "log-normal": 1 and more, about 5; "single": 1 answer
    icc: float
    weights: str  # "none", "revenue" (log-normal, shared among an account's answers), "design" (log-normal)


DESIGNS = [
    *(Design(sizes, icc, "none") for sizes in ("equal", "log-normal") for icc in (0.0, 0.1, 0.3)),
    *(Design("log-normal", icc, "revenue") for icc in (0.0, 0.1, 0.3)),
    Design("single", 0.0, "design"),
]


class Accounts(NamedTuple):
    """Accounts of many draws; arrays of shape (n_draws, m), shares with 3 classes more."""

    size: NDArray[np.int64]
    weight: NDArray[np.float64]  # of each answer
    shares: NDArray[np.float64]


def draw_accounts(rng: np.random.Generator, n_draws: int, m: int, shape: str, design: Design) -> Accounts:
    """Accounts with shares of their own around the shape (Dirichlet), sizes and weights."""
    sizes = {
        "equal": lambda: np.full((n_draws, m), 5),
        "log-normal": lambda: np.ceil(rng.lognormal(1, 1, (n_draws, m))).astype(np.int64),
        "single": lambda: np.ones((n_draws, m), dtype=np.int64),
    }[design.sizes]()
    weights = {
        "none": lambda: np.ones((n_draws, m)),
        "revenue": lambda: rng.lognormal(0, 1, (n_draws, m)) / sizes,
        "design": lambda: rng.lognormal(0, 0.5, (n_draws, m)),
    }[design.weights]()
    shares = np.broadcast_to(np.array(SHAPES[shape]), (n_draws, m, 3))
    if design.icc:
        shares = rng.dirichlet((1 / design.icc - 1) * np.array(SHAPES[shape]), size=(n_draws, m))
    return Accounts(sizes, weights, shares)


def distribution(
    rng: np.random.Generator, waves: list[Accounts], *, clustered: bool, shared: float
) -> ScoreDistribution:
    """Answers of each draw's waves, a draw's waves one after the other, as groups of one distribution.

    The first accounts, a share `shared` of them, are the same in all waves. Accounts of different draws have the same
    labels, so that there are few: nothing compares draws.
    """
    counts = np.stack([rng.multinomial(part.size, part.shares) for part in waves], axis=1)
    weight = np.stack([part.weight for part in waves], axis=1)[..., None]
    n_draws, n_waves, m, _ = counts.shape

    def per_score(values: NDArray[np.float64]) -> NDArray[np.float64]:
        spread = np.zeros((*values.shape[:-1], 11))
        spread[..., SCORES] = values
        return spread.reshape(n_draws * n_waves, *values.shape[2:-1], 11)

    sums = per_score(counts * weight)
    names = [f"{0 if account < shared * m else wave}-{account}" for wave in range(n_waves) for account in range(m)]
    clusters = ClusterSums(
        group=np.repeat(np.arange(n_draws * n_waves), m),
        label=np.tile(np.array(names, dtype=object), n_draws),
        sums=sums.reshape(-1, 11),
    )
    return ScoreDistribution(
        groups=tuple(f"{draw}-{wave}" for draw in range(n_draws) for wave in range(n_waves)),
        counts=per_score(counts).sum(axis=1).astype(np.int64),
        weight_sums=sums.sum(axis=1),
        squared_weight_sums=per_score(counts * weight**2).sum(axis=1),
        clusters=clusters if clustered else None,
    )


def truth(shape: str) -> float:
    """The score of a shape."""
    return float(VALUES @ np.array(SHAPES[shape]))


def held_and_width(dist: ScoreDistribution, method: str, quantity: str, true: float) -> tuple[float, float]:
    """Share of draws whose limits hold the truth, and their mean width."""
    if quantity == "score":
        found = estimate(dist, method=method, confidence_level=0.95)
        low, high = found.conf_low, found.conf_high
    else:
        pairs = list(zip(dist.groups[::2], dist.groups[1::2], strict=True))
        frame = compare_net_promoter_scores(dist, pairs=pairs, method=method, adjust="none").frame
        low, high = frame["conf_low"].to_numpy(), frame["conf_high"].to_numpy()
    return float(np.mean((low <= true + 1e-9) & (true - 1e-9 <= high))), float(np.mean(high - low))


def coverage(m: int, shape: str, design: Design, quantity: str, *, n_draws: int = N_DRAWS) -> list[dict[str, object]]:
    """Coverage and mean width of each method over the same draws."""
    rng = np.random.default_rng(zlib.crc32(f"{m} {shape} {design} {quantity}".encode()))
    found: dict[str, list[tuple[float, float]]] = {method: [] for method in METHODS}
    for _ in range(n_draws // BLOCK):
        waves = [draw_accounts(rng, BLOCK, m, shape, design)]
        if quantity != "score":
            other = "airport" if not SHARED[quantity] else shape
            second = waves[0] if SHARED[quantity] == 1 else draw_accounts(rng, BLOCK, m, other, design)
            both, same = zip(waves[0], second, strict=True), int(SHARED[quantity] * m)
            waves.append(Accounts(*(np.hstack([kept[:, :same], drawn[:, same:]]) for kept, drawn in both)))
        true = 0.0 if SHARED.get(quantity) else truth("airport") - truth(shape)
        true = truth(shape) if quantity == "score" else true
        dist = distribution(rng, waves, clustered=design.sizes != "single", shared=SHARED.get(quantity, 0.0))
        for method in METHODS:
            found[method].append(held_and_width(dist, method, quantity, true))
    means = {method: np.mean(values, axis=0) for method, values in found.items()}
    return [
        row_of(m, shape, design, quantity, method, held, mean_width=round(float(width), 3))
        for method, (held, width) in means.items()
    ]


def rejections(m: int, shape: str, design: Design, *, shared: bool, n_draws: int = N_DRAWS) -> list[dict[str, object]]:
    """How often eight equal groups are called different at 5%."""
    quantity = f"{N_GROUPS} equal groups, {'same' if shared else 'other'} accounts"
    rng = np.random.default_rng(zlib.crc32(f"{m} {shape} {design} {quantity}".encode()))
    rejected: dict[str, list[bool]] = {method: [] for method in METHODS}
    per_block = BLOCK // N_GROUPS
    for _ in range(n_draws // per_block):
        first = draw_accounts(rng, per_block, m, shape, design)
        others = [first if shared else draw_accounts(rng, per_block, m, shape, design) for _ in range(N_GROUPS - 1)]
        dist = distribution(rng, [first, *others], clustered=design.sizes != "single", shared=shared)
        for method in METHODS:
            found = estimate(dist, method=method, confidence_level=0.95)
            for draw in range(per_block):
                p = heterogeneity(*groups_of_draw(dist, found, draw))
                rejected[method].append(p is not None and p < 0.05)
    return [row_of(m, shape, design, quantity, method, np.mean(values)) for method, values in rejected.items()]


def groups_of_draw(
    dist: ScoreDistribution, found: Estimates, draw: int, n_groups: int = N_GROUPS
) -> tuple[ScoreDistribution, Estimates]:
    """One draw's groups: their counts, and their estimates among those of all."""
    rows = np.arange(draw * n_groups, (draw + 1) * n_groups)
    own = {field.name: getattr(found, field.name)[rows] for field in fields(found) if field.name != "covariance"}
    estimates = Estimates(**own, covariance=found.covariance[np.ix_(rows, rows)])
    return ScoreDistribution(groups=tuple(dist.groups[row] for row in rows), counts=dist.counts[rows]), estimates


def row_of(
    m: int, shape: str, design: Design, quantity: str, method: str, rate: float, *, mean_width: float | None = None
) -> dict[str, object]:
    """A row of the table; `rate` is coverage, of equal groups the share rejected."""
    keys = dict(zip(KEYS, (m, design.sizes, design.icc, design.weights, shape, quantity, method), strict=True))
    return {**keys, "rate": round(float(rate), 5), "mean_width": mean_width}


def main() -> None:
    """Write the cells that the table has not, one after the other, and show the worst of each kind."""
    done = set()
    if fresh_is_asked(__doc__):
        TABLE.unlink(missing_ok=True)
    if TABLE.exists():
        done = set(pd.read_csv(TABLE)[KEYS[:-1]].drop_duplicates().itertuples(index=False, name=None))
    quantities = ["score", *SHARED]
    cells = [
        (m, shape, design, quantity)
        for m, design, shape, quantity in product((20, 60, 300), DESIGNS, SHAPES, quantities)
        if design.sizes != "single" or not SHARED.get(quantity)
    ]
    groups = [f"{N_GROUPS} equal groups, {who} accounts" for who in ("other", "same")]
    tested = [Design("equal", 0.3, "none"), Design("log-normal", 0.1, "none"), Design("log-normal", 0.1, "revenue")]
    cells += [
        (m, shape, design, quantity)
        for m, design, shape, quantity in product((10, 20, 60), tested, ("airport", "skewed high"), groups)
    ]
    for m, shape, design, quantity in cells:
        if (m, *design, shape, quantity) in done:
            continue
        if quantity in quantities:
            rows = coverage(m, shape, design, quantity)
        else:
            rows = rejections(m, shape, design, shared=quantity == groups[-1])
        pd.DataFrame(rows).to_csv(TABLE, mode="a", header=not TABLE.exists(), index=False, lineterminator="\n")
    order = {cell: place for place, cell in enumerate((m, *design, shape, what) for m, shape, design, what in cells)}
    table = pd.read_csv(TABLE)
    place = [order[cell] for cell in table[KEYS[:-1]].itertuples(index=False, name=None)]
    table = table.iloc[np.lexsort((table["method"], place))]
    table.to_csv(TABLE, index=False, lineterminator="\n")
    table["extreme"] = table["shape"] == "extreme"
    worst = table.groupby(["quantity", "accounts", "extreme", "method"])["rate"].agg(["min", "mean", "max"])
    print(worst.round(3).to_string())


if __name__ == "__main__":
    main()
