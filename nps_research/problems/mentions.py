"""Who named which problem when asked: answers, codes, and how the answers were drawn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from nps_research.counting.cluster_sums import ClusterSums
from nps_research.counting.clusters import cluster_codes, clusters_in, declared_cluster, declared_weight
from nps_research.errors import CannotAnswerError, ContractError, did_you_mean
from nps_research.results.words import plain_text
from nps_research.score.limits.linearization import Linearization, of_clusters
from nps_research.statistics.group_sums import group_sums
from nps_research.statistics.normal_limits import drawn_in
from nps_research.statistics.proportions import wilson_limits
from nps_research.study.further_rules import key_of, response_key
from nps_research.study.study import Study
from nps_research.typing import Flags, Floats, Integers

_NO_SPREAD = 1e-20


@dataclass(frozen=True, kw_only=True, eq=False)
class Mentions:
    """Answers to a survey that asked for problems, and the problems that each names.

    Attributes
    ----------
    rows : DataFrame
        Returned forms of the waves that asked.
    codes : tuple of str
        The problems, those of praise last.
    has : ndarray of bool, shape (n_rows, n_codes)
    praise : ndarray of bool, shape (n_codes,)
    """

    rows: pd.DataFrame
    codes: tuple[str, ...]
    has: Flags
    praise: Flags

    def where(self, kept: Flags) -> Mentions:
        """Some of the answers."""
        return Mentions(rows=self.rows[kept], codes=self.codes, has=self.has[kept], praise=self.praise)


def problem_label(study: Study, code: str) -> str:
    """What a problem is called; its code, so marked, where the study gives it no name."""
    known = study.problems.get(code)
    return plain_text(known.label) if known is not None and known.label else f"code {plain_text(code)}"


def mentions_of(study: Study) -> Mentions:
    """Collect who named which problem when asked, over all waves that asked.

    Raises
    ------
    CannotAnswerError
        If no survey asked for problems.
    """
    study.require("problems.problem", "problems.respondent_id")
    named = study.tables["problems"]
    if "source" in named:
        named = named[named["source"].isna() | (named["source"] == "asked")]
    rows = study.responses[study.responses["response_state"].isin(["answered", "item_missing"])]
    keys = response_key(named, rows)
    place = pd.Series(np.arange(len(rows)), key_of(rows, keys))
    place = place[~place.index.duplicated()]
    row = key_of(named, keys).map(place)
    named, row = named[row.notna().to_numpy()], row[row.notna()].astype(np.int64)
    if named.empty:
        raise CannotAnswerError(
            "No problem was asked for in the survey: what comes from comments, calls or complaints says nothing of "
            "those who neither wrote, nor were called, nor complained, so no share can be told."
        )
    listed = dict.fromkeys([*study.problems, *sorted(named["problem"].unique())])
    praised = {code for code, problem in study.problems.items() if problem.praise}
    codes = [code for code in listed if code not in praised]
    codes += [code for code in listed if code in praised and (named["problem"] == code).any()]
    has = np.zeros((len(rows), len(codes)), dtype=bool)
    has[row.to_numpy(), pd.Index(codes).get_indexer(pd.Index(named["problem"]))] = True
    found = Mentions(rows=rows, codes=tuple(codes), has=has, praise=np.array([code in praised for code in codes]))
    if not study.waves:
        return found
    asked = rows["wave"].isin(rows["wave"].to_numpy()[has.any(axis=1)])
    return found.where(asked.to_numpy())


def wave_that_asked(study: Study, mentions: Mentions, wave: str | None) -> str:
    """Find the wave to look at, None being the last that asked for problems; empty where there are no waves."""
    if not study.waves:
        return ""
    if wave is not None and wave not in study.waves:
        raise ContractError(f"There is no wave {wave!r}{did_you_mean(wave, list(study.waves))}")
    asked = set(mentions.rows["wave"].dropna())
    if wave is not None and wave not in asked:
        raise CannotAnswerError(f"In {plain_text(wave)} nobody named a problem, so it is taken as not asked for.")
    return wave or [each for each in study.waves if each in asked][-1]


@dataclass(frozen=True, kw_only=True, eq=False)
class Drawn:
    """How answers were drawn: what each counts, with whom it belongs together, in which stratum.

    Attributes
    ----------
    weight : ndarray, shape (n,)
    cluster : ndarray of int, shape (n,)
    strata : mapping of int to str, or None
        The stratum of each cluster.
    """

    weight: Floats
    cluster: Integers
    strata: Mapping[Any, str] | None = None

    @classmethod
    def of(cls, study: Study, rows: pd.DataFrame) -> Drawn:
        """The design that a study declares."""
        name, weight = declared_cluster(study), declared_weight(study)
        cluster = np.arange(len(rows)) if name is None else cluster_codes(clusters_in(study, rows, name))
        strata = None
        if "responses.stratum" in study.available:
            label = rows["stratum"].astype("str")
            if "wave" in rows and not study.settings.cluster_spans_waves:
                label = label + " " + rows["wave"].astype("str")
            strata = dict(zip(cluster.tolist(), label, strict=True))
        one = np.ones(len(rows)) if weight is None else rows[weight].to_numpy(dtype=np.float64)
        return cls(weight=one, cluster=cluster, strata=strata)

    @property
    def is_simple(self) -> bool:
        """Whether all count the same, each by itself."""
        alone = len(np.unique(self.cluster)) == len(self.cluster)
        return alone and self.strata is None and bool(np.ptp(self.weight) < 1e-9 * self.weight.max())

    def linearized(self, error: Floats, share: Floats | None = None) -> Linearization:
        """Covariance of several estimates from what each answer puts into their errors, shape (n, p).

        Parameters
        ----------
        error : ndarray, shape (n, p)
            Linearised errors of the answers; they add up to those of the estimates.
        share : ndarray, shape (n,), optional
            Each answer's part of all the weight; None is that of `weight`.
        """
        part = self.weight / self.weight.sum() if share is None else share
        m, p = int(self.cluster.max()) + 1, error.shape[1]
        sums = group_sums(np.column_stack([error, part]), self.cluster, m)
        kept = np.flatnonzero(sums[:, -1] > 0)
        clusters = ClusterSums(
            group=np.repeat(np.arange(p), len(kept)),
            label=np.tile(kept, p).astype(object),
            sums=np.zeros((len(kept) * p, 1)),
            strata=self.strata,
        )
        return of_clusters(clusters, sums[kept, :-1].T.ravel(), np.tile(sums[kept, -1], p), p, effective=True)


def share_limits(
    share: Floats, found: Linearization, drawn: Drawn, *, confidence_level: float, outside: float = 1.0
) -> tuple[Floats, Floats]:
    """Compute Wilson's limits of shares as of the number of simple answers that would know them as well.

    They hold for rare problems, too, where normal ones fail (Korn & Graubard 1998). Where nobody, or everybody, has a
    problem each cluster counts once.

    Parameters
    ----------
    share : ndarray, shape (p,)
    found : Linearization
        Of the shares.
    drawn : Drawn
    confidence_level : float
    outside : float
        The part of the population that did not answer, where that narrows the limits; else 1.
    """
    n, k = len(drawn.weight), found.n_clusters
    variance = np.diag(found.covariance)
    alone = drawn.weight.sum() ** 2 / (drawn.weight**2).sum()
    with np.errstate(invalid="ignore", divide="ignore"):
        effective = np.where(variance > _NO_SPREAD, share * (1 - share) / variance * k / (k - 1), k / outside)
    effective = np.where(np.isnan(effective), 1.0, effective)
    if drawn.strata is None:
        effective = np.minimum(effective, alone / outside)
    if not drawn.is_simple:
        effective = effective * drawn_in(found.degrees, quantile=0.5 + confidence_level / 2)
    return wilson_limits(share * effective, effective, confidence_level=confidence_level) if n else (share, share)


def bonferroni_level(confidence_level: float, p: int) -> float:
    """Compute the level at which each of p limits holds, so that all hold together at `confidence_level`."""
    return 1 - (1 - confidence_level) / max(p, 1)


def places_in_words(low: float, high: float) -> str:
    """Spell the ranks that one may have.

    Examples
    --------
    >>> places_in_words(1.0, 3.0), places_in_words(2.0, 2.0), places_in_words(np.nan, np.nan)
    ('1 to 3', '2', '')
    """
    if low != low:
        return ""
    return f"{low:.0f}" if low == high else f"{low:.0f} to {high:.0f}"
