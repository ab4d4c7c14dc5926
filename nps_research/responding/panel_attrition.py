"""Leaving a panel by earlier silence: who had missed waves before, and who is gone at the end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from nps_research.counting.checks import check_level
from nps_research.counting.clusters import response_clusters
from nps_research.counting.people import as_text
from nps_research.counting.shown_groups import groups_not_shown
from nps_research.counting.silence import silence_caveat
from nps_research.errors import CannotAnswerError, ContractError, did_you_mean
from nps_research.responding.enough import LEAVERS_TOLD_APART, MISSES_TOLD_APART
from nps_research.results.result import Result
from nps_research.results.words import format_interval, format_value, joined, plain_text, share
from nps_research.statistics.clustered_rates import clustered_rates
from nps_research.statistics.hazard_ratios import hazard_ratios
from nps_research.study.needs import begins_with
from nps_research.study.study import Study
from nps_research.typing import Flags, Floats, Integers

SAME_TWICE = (
    "Leaving a panel is itself seen as silence, so early silence and leaving are one behaviour measured twice; "
    "and a panel is not a company."
)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class PanelAttrition(Result):
    """Shares gone at the end of the panel, by how many of the earlier invitations were missed.

    `frame` columns: term, misses (the highest stands for so many or more, where the term says so), n (answered the
    landmark wave), events (gone at the end),
    estimate (share gone), conf_low, conf_high, hazard_ratio against no earlier miss with hazard_ratio_conf_low and
    hazard_ratio_conf_high, and the same for adjusted_hazard_ratio.
    """

    wave: str
    gone_waves: int
    n_earlier: int
    adjusted_for: tuple[str, ...] = ()
    by_cluster: bool = False
    caveat: str = ""

    kind: ClassVar[str] = "panel_attrition"
    rows_are_parts: ClassVar[bool] = False  # nothing shows how many left in all, nor of all who answered the wave
    headings: ClassVar[Mapping[str, str]] = {
        "term": "Before the wave",
        "n": "Answered the wave",
        "events": "Gone at the end",
        "estimate": "Share gone",
    }
    formats: ClassVar[Mapping[str, str]] = {"misses": "count", "estimate": "share"}
    table_columns: ClassVar[tuple[str, ...]] = (
        "term",
        "n",
        "events",
        "estimate",
        "conf_high",
        "hazard_ratio",
        "hazard_ratio_conf_high",
        "adjusted_hazard_ratio",
        "adjusted_hazard_ratio_conf_high",
    )

    @property
    def finding(self) -> str:
        rows = self.records
        if not rows:
            return f"Too few answered {plain_text(self.wave)} to tell who left afterwards. {SAME_TWICE}"
        ends = [f"{share(row['estimate'])} of those with {row['term']}" for row in (rows[0], rows[-1])]
        return f"Of those who answered {plain_text(self.wave)}, gone at the end were {joined(ends[: len(rows)])}."

    @property
    def details(self) -> str:
        shares = [
            f"{share(row['estimate'])} of those with {row['term']} "
            f"({self.confidence_level:.0%} interval {format_interval(row['conf_low'], row['conf_high'], 'share')}; "
            f"n = {row['n']:,})"
            for row in self.records
        ]
        if not shares:
            return self.caveat
        return f"Gone at the end: {joined(shares)}. {self._compared}{SAME_TWICE} {self.caveat}".strip()

    @property
    def _compared(self) -> str:
        known = [row for row in self.records if row["misses"] and np.isfinite(row["hazard_ratio"])]
        if not known:
            return ""
        row, named = known[0], "adjusted_hazard_ratio" if self.adjusted_for else "hazard_ratio"
        alike = f", with {joined(self.adjusted_for)} held constant," if self.adjusted_for else ""
        if not np.isfinite(row[named]):
            named, alike = "hazard_ratio", ""
        limits = format_interval(row[f"{named}_conf_low"], row[f"{named}_conf_high"], "number")
        return (
            f"People with {row['term']}{alike} left at {format_value(row[named], 'number')} times the rate of those "
            f"without ({self.confidence_level:.0%} interval {limits}). "
        )

    @property
    def note(self) -> str:
        last = "the last wave" if self.gone_waves == 1 else f"the last {self.gone_waves} waves"
        models = "; adjusted: beside " + joined(self.adjusted_for) if self.adjusted_for else ""
        errors = "errors by clusters" if self.by_cluster else "robust errors"
        earlier = "the wave before" if self.n_earlier == 1 else f"one of the {self.n_earlier} waves before"
        return (
            f"Base: people who returned the form of {plain_text(self.wave)} in time. Gone: returned none of {last}; "
            "not being invited any more counts as gone, and a late answer as an answer. A miss: an invitation to "
            f"{earlier} that got no reply; a wave somebody was not invited to, or was not "
            "reached in, is no miss. Hazard ratios: Cox regression of the waves until leaving, the wave after the last "
            f"answer (Breslow ties, {errors}){models}. Groups are shown without the total of all who left."
        )

    @property
    def alt(self) -> str:
        rows = [
            f"{row['term']} {share(row['estimate'])} ({format_interval(row['conf_low'], row['conf_high'], 'share')})"
            for row in self.records
        ]
        if not rows:
            return "There are too few answers to draw."
        return f"Points with intervals, the share gone at the end of the panel by earlier misses: {'; '.join(rows)}."


@begins_with(lambda study: _panel(study))
def panel_attrition(
    study: Study, *, wave: str | None = None, gone_waves: int | None = None, confidence_level: float = 0.95
) -> PanelAttrition:
    """Estimate panel attrition of a wave's respondents, by earlier invitations they had missed.

    The estimand is the chance that somebody who answered the landmark wave answers none of the last `gone_waves`
    waves, given 0, 1, 2 or more silent waves before it. It describes a panel; nothing says that silence makes people
    leave.

    Parameters
    ----------
    study : Study
        With waves, ids of respondents, and silence.
    wave : str, optional
        The landmark. None takes the wave after the first fifth of the waves (at the least, the second): some waves to
        have missed, and most of the panel still to come.
    gone_waves : int, optional
        Waves at the end of which a member who is gone has answered none. None takes a quarter of the waves.
    confidence_level : float
        Level of the limits.

    Returns
    -------
    PanelAttrition

    Raises
    ------
    CannotAnswerError
        If there are no waves, ids or silence; fewer than three closed waves; or nobody answered the landmark wave.
    ContractError
        If there is no such wave, none before it, or it lies within the last `gone_waves`.

    Notes
    -----
    Waves of which a window is still open are left out. Limits are Wilson's, with effective numbers where people come in
    clusters (accounts). The hazard ratio is that of a Cox regression from the landmark on, Breslow ties and sandwich
    errors; groups, and levels of a segment, with fewer than 5 who left or 5 who stayed are not told apart in it: such
    groups have no hazard ratio, such levels are taken together.

    References
    ----------
    Lugtig, P. (2014). Panel attrition: separating stayers, fast attriters, gradual attriters, and lurkers. Sociological
    Methods & Research 43, 699-723. doi:10.1177/0049124113520305

    Examples
    --------
    >>> from nps_research.study.study import Study
    >>> rows = [(who, wave, int(who % 4 > 0 or wave == 2)) for who in range(80) for wave in (1, 2, 3, 4)]
    >>> table = pd.DataFrame(rows, columns=["respondent_id", "wave", "responded"])
    >>> found = panel_attrition(Study.from_frames(responses=table))
    >>> found.wave, found.frame[["misses", "n", "events"]].values.tolist()
    ('2', [[0, 60, 0], [1, 20, 20]])
    """
    check_level(confidence_level)
    people, waves, place, last = _panel(study, wave, gone_waves)
    gone = np.asarray(~people.returned[:, -last:].any(axis=1))
    after = people.returned[:, place + 1 :]
    last_answer = np.where(after.any(axis=1), after.shape[1] - after[:, ::-1].argmax(axis=1), 0)
    time = np.where(gone, last_answer + 1.0, float(after.shape[1]))
    misses, pooled_from = _pooled(people.silent[:, :place].sum(axis=1), study.settings.minimum_cell)
    groups, group = np.unique(misses, return_inverse=True)
    rates = clustered_rates(gone, group, people.cluster, n_groups=len(groups), confidence_level=confidence_level)
    frame = rates.assign(term=[_term(int(each), pooled_from) for each in groups], misses=groups)
    plain = _hazard_ratios(time, gone, misses, None, people.cluster, confidence_level)
    adjusted_for, covariates = _member_covariates(people.segments, gone)
    adjusted = _hazard_ratios(time, gone, misses, covariates, people.cluster, confidence_level)
    for name, found in (("hazard_ratio", plain), ("adjusted_hazard_ratio", adjusted)):
        for column, values in zip((name, f"{name}_conf_low", f"{name}_conf_high"), found, strict=True):
            frame[column] = [values.get(each, np.nan) for each in groups]
    ends = ("", "_conf_low", "_conf_high")
    ratios = [f"{name}{end}" for name in ("hazard_ratio", "adjusted_hazard_ratio") for end in ends]
    not_named = waves[place] in groups_not_shown(study, ["wave"])
    return PanelAttrition(
        frame=frame[["term", "misses", "n", "events", "estimate", "conf_low", "conf_high", *ratios]],
        confidence_level=confidence_level,
        title="Gone at the end of the panel, by earlier misses",
        minimum_cell=study.settings.minimum_cell,
        wave="the landmark wave" if not_named else waves[place],
        gone_waves=last,
        n_earlier=place,
        adjusted_for=adjusted_for,
        by_cluster=len(np.unique(people.cluster)) < len(gone),
        caveat=silence_caveat(study),
    )


@dataclass(frozen=True, kw_only=True)
class _People:
    """Who answered the landmark wave in time: whether the form came back, or silence, by wave; cluster and segments."""

    returned: Flags
    silent: Flags
    cluster: Integers
    segments: pd.DataFrame


def _panel(study: Study, wave: str | None = None, gone_waves: int | None = None) -> tuple[_People, list[str], int, int]:
    """People by closed wave, those waves, the landmark's place among them, and how many end the panel."""
    study.require("responses.silence", "responses.wave", "responses.respondent_id")
    rows = study.responses
    still_open = set(rows.loc[rows["response_state"] == "pending", "wave"].dropna())
    waves = [each for each in study.waves if each not in still_open]
    if len(waves) < 3:
        raise CannotAnswerError(
            "Who left a panel takes three closed waves at the least, one before the landmark and one after; this study "
            f"has {len(waves)}."
        )
    if wave is not None and wave not in waves:
        raise ContractError(f"There is no closed wave {wave!r}{did_you_mean(wave, waves)}")
    place = max(1, len(waves) // 5) if wave is None else waves.index(wave)
    last = max(1, len(waves) // 4) if gone_waves is None else gone_waves
    if place < 1:
        raise ContractError(f"Wave {wave!r} is the first: nobody can have missed one before it.")
    if not 1 <= last < len(waves) - place:
        raise ContractError(f"gone_waves = {last}: {len(waves) - place - 1} waves come after {waves[place]!r}.")
    rows = rows[rows["wave"].isin(waves)].reset_index(drop=True)
    who, ids = pd.factorize(rows["respondent_id"])
    at = pd.Index(waves).get_indexer(pd.Index(rows["wave"]))
    came_back = rows["response_state"].isin(["answered", "item_missing"]).to_numpy()
    in_time, by_landmark = came_back.copy(), came_back.copy()
    if {"responses.invited_at", "responses.responded_at"} <= study.available:
        window = pd.Timedelta(days=study.settings.response_window_days)
        in_time &= ~(rows["responded_at"] > rows["invited_at"] + window).to_numpy()
        landmark = rows["invited_at"].where(at == place).groupby(who).transform("max") + window
        by_landmark &= ~(rows["responded_at"] > landmark).to_numpy()

    def by_wave(where: Flags) -> Flags:
        found = np.zeros((len(ids), len(waves)), dtype=bool)
        found[who[where], at[where]] = True
        return found

    answered = rows.assign(person=who)[(at == place) & in_time].drop_duplicates("person").sort_values("person")
    if answered.empty:
        raise CannotAnswerError(f"Nobody answered {plain_text(waves[place])} in time, so nobody can be followed.")
    base = answered["person"].to_numpy()
    # What came back after the landmark was not known at it: until then there was silence.
    silent = by_wave((rows["response_state"] == "nonrespondent").to_numpy() | (came_back & ~by_landmark))
    people = _People(
        returned=by_wave(came_back)[base],
        silent=(silent & ~by_wave(by_landmark))[base],
        cluster=response_clusters(study, answered)[0],
        segments=answered[list(study.segments)].reset_index(drop=True),
    )
    return people, waves, place, last


def _pooled(silent: Integers, minimum_cell: int) -> tuple[Integers, int]:
    """Misses with the highest numbers taken together, until so many or more are enough to show; and that number.

    A small group that is left out could be worked out: how many answered the wave stands elsewhere.
    """
    most = min(int(silent.max()), MISSES_TOLD_APART)
    while most > 1 and (silent >= most).sum() < minimum_cell:
        most -= 1
    is_pooled = most == MISSES_TOLD_APART or most < int(silent.max())
    return np.minimum(silent, most), most if is_pooled else MISSES_TOLD_APART


def _term(misses: int, pooled_from: int) -> str:
    if not misses:
        return "no earlier miss"
    more = " or more" if misses == pooled_from else ""
    return f"{misses}{more} earlier {'miss' if misses == 1 and not more else 'misses'}"


def _member_covariates(segments: pd.DataFrame, gone: Flags) -> tuple[tuple[str, ...], Floats | None]:
    """Indicators of the segments' levels but the first, levels with few who left or stayed taken together."""
    names, columns = [], []
    for name in segments:
        level = as_text(segments[name])
        left, stayed = level[gone].value_counts(), level[~gone].value_counts()
        few = [each for each in level.unique() if min(left.get(each, 0), stayed.get(each, 0)) < LEAVERS_TOLD_APART]
        level = level.where(~level.isin(few), "(few)")
        largest_first = level.value_counts().index
        if len(largest_first) > 1:
            names.append(str(name))
            columns += [(level == each).to_numpy(dtype=float) for each in sorted(largest_first[1:])]
    return tuple(names), np.column_stack(columns) if columns else None


def _hazard_ratios(
    time: Floats, gone: Flags, misses: Integers, covariates: Floats | None, cluster: Integers, confidence_level: float
) -> list[dict[int, float]]:
    """Hazard ratios against no earlier miss, their lower and upper limits, by number of misses."""
    enough = {
        int(each)
        for each in np.unique(misses)
        if min(int((gone & (misses == each)).sum()), int((~gone & (misses == each)).sum())) >= LEAVERS_TOLD_APART
    }
    others = sorted(enough - {0})
    if 0 not in enough or not others:
        return [{}, {}, {}]
    used = np.isin(misses, sorted(enough))
    found = hazard_ratios(
        time[used],
        gone[used],
        np.searchsorted([0, *others], misses[used]),
        n_groups=1 + len(others),
        other=None if covariates is None else covariates[used],
        strata=np.zeros(int(used.sum()), dtype=np.int64),
        cluster=pd.factorize(cluster[used])[0],
    )
    low, high = found.limits(confidence_level)  # of no miss against the group: turned round here
    return [
        {each: float(np.exp(-value[row])) for row, each in enumerate(others, 1) if np.isfinite(value[row])}
        for value in (found.estimate, high, low)
    ]
