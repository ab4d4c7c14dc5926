"""Whether a mended problem fell beyond what the untouched problems did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from nps_research.counting.checks import check_level
from nps_research.counting.shown_groups import groups_not_shown
from nps_research.errors import CannotAnswerError
from nps_research.problems.enough import LEAST_CONTROLS, LEAST_WITH
from nps_research.problems.mentions import Drawn, Mentions, mentions_of, problem_label
from nps_research.results.result import Result
from nps_research.results.words import amount_text, plain_text, share
from nps_research.statistics.distributions import t_ppf, t_sf
from nps_research.statistics.enough import FOUND_WITH
from nps_research.statistics.multiplicity import adjust_p_values
from nps_research.study.needs import begins_with
from nps_research.study.study import Study
from nps_research.typing import Flags, Floats

RELEVANT = np.log(2)  # a halving: who has seen none where one would have been seen, says that there was none
FELL, NO_MORE, UNDECIDED = "fell beyond the others", "fell no more than the others", "undecided"


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class FixEffect(Result):
    """Mended problems before and after, against the untouched.

    `frame` columns: term, owner, fixed_on, n (answers in the waves compared), before, after (shares), others (the ratio
    of after to before of the untouched problems), estimate (the ratio of after to before over that of the others; 1 is
    no fall beyond theirs) with std_error (of its logarithm), conf_low, conf_high, p_value, p_adjusted (Holm);
    smallest_fall (share by which it had to fall to be found with a chance of 80%), peak (the wave left out, in which
    the problem was at its highest), needed (answers after the fix that would show a halving; nan where none would, or
    none is needed), verdict ("fell beyond the others", "fell no more than the others", "undecided", or why it
    cannot be answered).

    Attributes
    ----------
    n_controls : int
        Untouched problems.
    drift : float
        How much untouched problems drift apart: standard deviation of the logarithm of after over before.
    """

    n_controls: int = 0
    drift: float = np.nan

    kind: ClassVar[str] = "fix_effect"
    rows_are_parts: ClassVar[bool] = False
    headings: ClassVar[Mapping[str, str]] = {
        "term": "Problem",
        "fixed_on": "Mended on",
        "others": "Others, after to before",
        "estimate": "After to before, beyond the others",
        "smallest_fall": "Smallest fall to be seen",
    }
    formats: ClassVar[Mapping[str, str]] = {
        "before": "share",
        "after": "share",
        "others": "number",
        "estimate": "number",
        "smallest_fall": "share",
        "fixed_on": "text",
        "peak": "text",
    }
    table_columns: ClassVar[tuple[str, ...]] = (
        *("term", "fixed_on", "before", "after", "others", "estimate", "conf_high", "smallest_fall", "verdict"),
    )

    @property
    def _compared(self) -> list[dict[str, Any]]:
        return [row for row in self.records if row["verdict"] in (FELL, NO_MORE, UNDECIDED)]

    @property
    def finding(self) -> str:
        rows = self._compared
        fell = [row for row in rows if row["verdict"] == FELL]
        if not rows:
            return "No mended problem can be compared with the untouched ones."
        if fell:
            row = fell[0]
            return (
                f"{row['term']} fell from {share(row['before'])} to {share(row['after'])} after it was mended, beyond "
                f"what untouched problems did{self._and_others(rows, fell)}."
            )
        row = rows[0]
        moved = f"{row['term']} went from {share(row['before'])} to {share(row['after'])}"
        if row["verdict"] == NO_MORE:
            return f"{moved} after it was mended: no more than untouched problems."
        need = f"; needs about {amount_text(row['needed'])} answers after it" if np.isfinite(row["needed"]) else ""
        return f"{moved} after it was mended: undecided whether that is beyond the untouched problems{need}."

    @staticmethod
    def _and_others(rows: list[dict[str, Any]], fell: list[dict[str, Any]]) -> str:
        rest = len(rows) - len(fell)
        if not rest:
            return ""
        return f"; of {rest} other mended no such fall is shown"

    @property
    def details(self) -> str:
        said = []
        for row in self._compared:
            limits = f"{row['conf_low']:.2f} to {row['conf_high']:.2f}"
            peak = f"; {plain_text(row['peak'])}, its peak, is left out" if row["peak"] else ""
            said.append(
                f"{row['term']}: {row['verdict']}; after to before over the others, {row['estimate']:.2f} ({limits}); "
                f"a fall of {share(row['smallest_fall'])} could have been seen{peak}."
            )
        rest = [row for row in self.records if row["verdict"] not in (FELL, NO_MORE, UNDECIDED)]
        said += [f"{row['term']}: {row['verdict']}" for row in rest]
        return " ".join(said)

    @property
    def note(self) -> str:
        return (
            f"Base: answers, waves wholly before the day against waves wholly after it; the wave before it is left out "
            "where the problem was at its highest, since it may have been chosen for that. Trend and season are those "
            f"of the {self.n_controls} untouched problems (difference in differences of logarithms); how far these "
            f"drift apart counts as error (t with {max(self.n_controls - 2, 0)} degrees of freedom). Nobody was "
            "assigned the fix, so this is a difference, not an effect. Fell no more: a halving is ruled out."
        )

    @property
    def alt(self) -> str:
        rows = [
            f"{row['term']} {share(row['before'])} before, {share(row['after'])} after: {row['verdict']}"
            for row in self._compared
        ]
        return f"Share with each mended problem before and after: {'; '.join(rows)}." if rows else "Nothing to draw."

    @property
    def is_drawn(self) -> bool:
        return bool(self._compared)


def _fixed(study: Study) -> Mentions:
    """Answers that name problems, in waves, where some problem has a day on which it was mended."""
    study.require("problems.problem", "problems.respondent_id", "responses.wave")
    if not any(problem.fixed_on for problem in study.problems.values()):
        raise CannotAnswerError(
            "No problem has a day on which it was mended: state fixed_on under [problems.NAME] in study.toml; a fall "
            "that is looked for in the numbers would be exploratory."
        )
    dated = [name for name in ("invited_at", "responded_at") if f"responses.{name}" in study.available]
    if not dated:
        study.require("responses.invited_at")
    found = mentions_of(study)
    found = found.where((~found.rows["wave"].isna() & found.rows[dated[0]].notna()).to_numpy())
    moment = found.rows[dated[0]]
    days = [pd.Timestamp(each.fixed_on) for each in study.problems.values() if each.fixed_on]
    if all(day <= moment.min() for day in days):
        raise CannotAnswerError("Every fix is dated before all answers, so there is nothing to compare it with.")
    if all(day > moment.max() for day in days):
        raise CannotAnswerError("Every fix is dated after all answers, so what came of it is not known yet.")
    return Mentions(rows=found.rows.assign(moment=moment), codes=found.codes, has=found.has, praise=found.praise)


@begins_with(_fixed)
def fix_effect(study: Study, *, confidence_level: float = 0.95) -> FixEffect:
    """Compare mended problems before and after with the untouched ones (difference in differences).

    The estimand is the ratio of the share after to the share before, over the same ratio of the problems nobody
    touched: what the mended problem did beyond the trend and season of all.

    Parameters
    ----------
    study : Study
        The study; ``fixed_on`` says when a problem was mended.
    confidence_level : float
        Level of the limits.

    Returns
    -------
    FixEffect

    Raises
    ------
    CannotAnswerError
        If no problem has a day on which it was mended, or only days before or after all answers; there are no waves; or
        fewer than `enough.LEAST_CONTROLS` untouched problems are named often enough.

    Notes
    -----
    Untouched problems are taken as draws of how a problem drifts that nobody mends: their logarithms of after over
    before have a mean and a variance between problems beyond sampling (DerSimonian & Laird 1986), and without the fix
    the mended one would be another draw. Limits are those of such a draw, with t on the controls less two (Higgins,
    Thompson & Spiegelhalter 2009). Sampling errors are linearised over the study's clusters, which may be in both
    times. Where the share was highest in the last wave before the fix, that wave is left out: it may have been chosen
    for it. Shares that carry over from wave to wave leave some of the peak in the waves before (``calibration/
    fix_effect.csv``).

    References
    ----------
    Higgins, J. P. T., Thompson, S. G. & Spiegelhalter, D. J. (2009). A re-evaluation of random-effects meta-analysis.
    Journal of the Royal Statistical Society A 172, 137-159. doi:10.1111/j.1467-985X.2008.00552.x
    """
    check_level(confidence_level)
    found = _fixed(study)
    drawn = Drawn.of(study, found.rows)
    days = {code: pd.Timestamp(each.fixed_on) for code, each in study.problems.items() if each.fixed_on}
    untouched = np.array([code not in days for code in found.codes]) & ~found.praise
    rows: list[dict[str, Any]] = []
    drifts, controls = [], []
    for code in (each for each in found.codes if each in days):
        at, day = found.codes.index(code), days[code]
        row: dict[str, Any] = {"term": problem_label(study, code), "owner": study.problems[code].owner}
        row["fixed_on"] = f"{day:%Y-%m-%d}"
        times, peak = _times_of(study, found, drawn, at, day)
        row["peak"] = "" if peak in groups_not_shown(study, ["wave"]) else peak
        if isinstance(times, str):
            rows.append({**row, "n": len(found.rows), "verdict": times})
            continue
        compared = _compared_with_others(found, drawn, at, untouched, times, confidence_level)
        if "drift" in compared:
            drifts.append(compared.pop("drift"))
            controls.append(compared.pop("n_controls"))
        rows.append({**row, "n": int((times[0] | times[1]).sum()), **compared})
    names = ["before", "after", "others", "estimate", "std_error", "conf_low", "conf_high", "p_value"]
    columns = ["term", "owner", "fixed_on", "n", *names, "smallest_fall", "peak", "needed", "verdict"]
    frame = pd.DataFrame(rows).reindex(columns=columns)
    frame = _decided(frame, confidence_level)
    order = frame["verdict"].map({FELL: 0, NO_MORE: 1, UNDECIDED: 2}).fillna(3).argsort(kind="stable")
    return FixEffect(
        frame=frame.iloc[order].reset_index(drop=True),
        confidence_level=confidence_level,
        title="Mended problems, before and after",
        minimum_cell=study.settings.minimum_cell,
        n_controls=min(controls, default=0),
        drift=float(np.max(drifts)) if drifts else np.nan,
    )


def _times_of(
    study: Study, found: Mentions, drawn: Drawn, at: int, day: pd.Timestamp
) -> tuple[tuple[Flags, Flags] | str, str]:
    """Rows of the waves before and after a day, the peak left out, and which that was; or why there are none."""
    by_wave = found.rows.groupby("wave")["moment"]
    earliest, latest = by_wave.min().to_dict(), by_wave.max().to_dict()
    before = [wave for wave in study.waves if wave in latest and latest[wave] < day]
    after = [wave for wave in study.waves if wave in earliest and earliest[wave] >= day]
    if not before:
        return "cannot be answered: the fix is dated before all answers.", ""
    if not after:
        return "cannot be answered: the fix is dated after all answers.", ""
    wave = found.rows["wave"].to_numpy()
    has, peak = found.has[:, at], ""
    shares = [float(np.average(has[wave == each], weights=drawn.weight[wave == each])) for each in before]
    if len(before) > 1 and shares[-1] == max(shares):
        peak, before = before[-1], before[:-1]
    return (np.isin(wave, before), np.isin(wave, after)), peak


def _log_changes(found: Mentions, drawn: Drawn, times: tuple[Flags, Flags]) -> tuple[Floats, Floats, Floats, Floats]:
    """Shares before and after, log ratio of the second to the first, and its linearised variance, of each problem."""
    error, shares = np.zeros(found.has.shape), []
    for sign, rows in zip((-1.0, 1.0), times, strict=True):
        weight = np.where(rows, drawn.weight, 0.0) / drawn.weight[rows].sum()
        value = weight @ found.has
        with np.errstate(invalid="ignore", divide="ignore"):
            error += sign * weight[:, None] * (found.has - value) / value
        shares.append(value)
    before, after = shares
    known = (before > 0) & (after > 0)
    variance = np.full(len(before), np.nan)
    inside = times[0] | times[1]
    part = np.where(inside, drawn.weight, 0.0) / drawn.weight[inside].sum()
    variance[known] = np.diag(drawn.linearized(error[:, known], part).covariance)
    with np.errstate(invalid="ignore", divide="ignore"):
        return before, after, np.where(known, np.log(after / before), np.nan), variance


def drift_between(change: Floats, variance: Floats) -> tuple[float, float, float]:
    """Compute mean, its variance, and the variance between draws beyond sampling (DerSimonian & Laird 1986).

    Examples
    --------
    >>> drift_between(np.array([0.0, 1.0, 2.0]), np.full(3, 0.1))
    (1.0, 0.3333333333333333, 0.9)
    """
    weight = 1 / variance
    fixed = weight @ change / weight.sum()
    spread = weight @ (change - fixed) ** 2 - (len(change) - 1)
    between = max(0.0, float(spread / (weight.sum() - (weight**2).sum() / weight.sum())))
    weight = 1 / (variance + between)
    return float(weight @ change / weight.sum()), float(1 / weight.sum()), round(between, 15)


def _compared_with_others(
    found: Mentions, drawn: Drawn, at: int, untouched: Flags, times: tuple[Flags, Flags], confidence_level: float
) -> dict[str, Any]:
    before, after, change, variance = _log_changes(found, drawn, times)
    named = np.stack([found.has[rows].sum(axis=0) for rows in times])
    usable = untouched & (named.min(axis=0) >= LEAST_WITH) & (variance > 0)
    k = int(usable.sum())
    if k < LEAST_CONTROLS:
        return {"verdict": f"cannot be answered: {LEAST_CONTROLS} untouched problems are needed, {k} are named enough."}
    row: dict[str, Any] = {"before": before[at], "after": after[at]}
    if named[0, at] < LEAST_WITH or not variance[at] > 0:
        return {**row, "verdict": "cannot be answered: too few name it."}
    mean, of_mean, between = drift_between(change[usable], variance[usable])
    error = np.sqrt(variance[at] + of_mean + between)
    beyond, degrees = change[at] - mean, k - 2
    quantile, of_power = t_ppf(0.5 + confidence_level / 2, degrees), t_ppf(FOUND_WITH, degrees)
    needed = np.nan
    left = (RELEVANT / (quantile + of_power)) ** 2 - of_mean - between
    if left > 0:
        needed = np.ceil(times[1].sum() * variance[at] / left)
    return {
        **row,
        "others": np.exp(mean),
        "estimate": np.exp(beyond),
        "std_error": error,
        "conf_low": np.exp(beyond - quantile * error),
        "conf_high": np.exp(beyond + quantile * error),
        "p_value": float(2 * t_sf(abs(beyond) / error, degrees)),
        "smallest_fall": 1 - np.exp(-(quantile + of_power) * error),
        "needed": needed,
        "drift": float(np.sqrt(between)),
        "n_controls": k,
    }


def _decided(frame: pd.DataFrame, confidence_level: float) -> pd.DataFrame:
    """Add Holm's p-values, and verdicts where none is there yet."""
    adjusted = adjust_p_values(frame["p_value"].to_numpy(dtype=float))
    fell = (adjusted < 1 - confidence_level) & (frame["estimate"] < 1)
    no_more = frame["conf_low"] > np.exp(-RELEVANT)
    decided = np.where(fell, FELL, np.where(no_more, NO_MORE, UNDECIDED))
    verdict = frame["verdict"].where(frame["verdict"].notna(), pd.Series(decided, frame.index))
    needed = frame["needed"].mask(verdict != UNDECIDED)
    place = list(frame.columns).index("p_value") + 1
    frame = frame.assign(verdict=verdict, needed=needed)
    frame.insert(place, "p_adjusted", adjusted)
    return frame
