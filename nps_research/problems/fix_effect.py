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
from nps_research.problems.around_fix import ChangeOfProblem, branches_of, changes_of, waves_around
from nps_research.problems.enough import LEAST_CONTROLS
from nps_research.problems.mentions import Drawn, Mentions, mentions_of, problem_label
from nps_research.results.result import Result
from nps_research.results.words import amount_text, joined, plain_text, share
from nps_research.statistics.drift_beyond import beyond_drift
from nps_research.statistics.multiplicity import adjust_p_values
from nps_research.study.needs import begins_with
from nps_research.study.part import value_text
from nps_research.study.study import Study
from nps_research.typing import Flags

RELEVANT = np.log(2)  # a halving: who has seen none where one would have been seen, says that there was none
FELL, NOT_HALVED, UNDECIDED = "fell beyond the others", "not halved beyond the others", "undecided"
PROBLEMS, BRANCHES = "untouched problems", "untouched branches"  # the others


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class FixEffect(Result):
    """Mended problems before and after, against the untouched.

    `frame` columns: term, owner, fixed_on, where (it was mended; empty is everywhere), against (the others: "untouched
    problems"; "untouched branches" where it was mended in some only), n (answers in the waves compared, from where it
    was mended), before, after (shares), others (the ratio of after to before of the others), estimate (the ratio of
    after to before over that of the others; 1 is no fall beyond theirs) with std_error (of its logarithm), conf_low,
    conf_high, p_value, p_adjusted (Holm); smallest_fall (share by which it had to fall to be found with a chance of
    80%), peak (the wave left out, in which the problem was at its highest), needed (answers after the fix that would
    show a halving; nan where none would, or none is needed), verdict ("fell beyond the others", "not halved beyond the
    others", "undecided", or why it cannot be answered).

    Attributes
    ----------
    n_controls : int
        Untouched problems, or branches, where these are fewer.
    drift : float
        How much these drift apart: standard deviation of the logarithm of after over before.
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
        return [row for row in self.records if row["verdict"] in (FELL, NOT_HALVED, UNDECIDED)]

    @property
    def finding(self) -> str:
        rows = self._compared
        fell = [row for row in rows if row["verdict"] == FELL]
        if not rows:
            return "No mended problem can be compared with the untouched ones."
        row = rows[0]
        moved = f"from {share(row['before'])} to {share(row['after'])} after it was mended{_there(row)}"
        if fell:
            others = self._of_others(len(fell) - 1, len(rows) - len(fell))
            return f"{row['term']} fell {moved}, beyond what {row['against']} did{others}."
        if row["verdict"] == NOT_HALVED:
            return f"{row['term']} went {moved}: that it was halved, beyond what {row['against']} did, is ruled out."
        need = f"; needs about {amount_text(row['needed'])} answers after it" if np.isfinite(row["needed"]) else ""
        return f"{row['term']} went {moved}: undecided whether that is beyond {row['against']}{need}."

    @staticmethod
    def _of_others(fell: int, rest: int) -> str:
        """Whether the other mended problems did so, too."""
        too = f"; {fell} other mended did, too" if fell else ""
        return too + (f"; of {rest} other mended no such fall is shown" if rest else "")

    @property
    def details(self) -> str:
        said = []
        for row in self._compared:
            limits = f"{row['conf_low']:.2f} to {row['conf_high']:.2f}"
            peak = f"; {plain_text(row['peak'])}, its peak, is left out" if row["peak"] else ""
            said.append(
                f"{row['term']}{_there(row)}: {row['verdict']}; after to before over the others, "
                f"{row['estimate']:.2f} ({limits}); a fall of {share(row['smallest_fall'])} could have been seen{peak}."
            )
        rest = [row for row in self.records if row["verdict"] not in (FELL, NOT_HALVED, UNDECIDED)]
        said += [f"{row['term']}{_there(row)}: {row['verdict']}" for row in rest]
        return " ".join(said)

    @property
    def note(self) -> str:
        return (
            "Base: answers, waves wholly before the day against waves wholly after it; of those before it the one in "
            "which the problem was at its highest is left out, since it may have been chosen for that."
            f"{self._drift_words} Nobody was assigned the fix, so this is a difference, not an effect. Not halved: a "
            "halving is ruled out."
        )

    @property
    def _others(self) -> str:
        kinds = {row["against"] for row in self._compared} or {PROBLEMS}
        return PROBLEMS if kinds == {PROBLEMS} else f"{BRANCHES}, where it was mended in some only, else {PROBLEMS}"

    @property
    def _drift_words(self) -> str:
        if not self.n_controls:
            return ""
        return (
            f" Trend and season are those of the {self.n_controls} {self._others} (difference in differences of "
            "logarithms); how far these drift apart counts as error (t with "
            f"{max(self.n_controls - 2, 0)} degrees of freedom)."
        )

    @property
    def alt(self) -> str:
        rows = [
            f"{row['term']}{_there(row)} {share(row['before'])} before, {share(row['after'])} after: {row['verdict']}"
            for row in self._compared
        ]
        return f"Share with each mended problem before and after: {'; '.join(rows)}." if rows else "Nothing to draw."

    @property
    def is_drawn(self) -> bool:
        return bool(self._compared)


def _there(row: Mapping[str, Any]) -> str:
    """Where it was mended, after its name; nothing where that is everywhere."""
    return f" in {row['where']}" if row["where"] else ""


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
    touched: what the mended problem did beyond the trend and season of all. Where it was mended in some branches only
    (``fixed_in``), the others are the same problem in the branches nobody touched.

    Parameters
    ----------
    study : Study
        The study; ``fixed_on`` says when a problem was mended, ``fixed_in`` where.
    confidence_level : float
        Level of the limits.

    Returns
    -------
    FixEffect

    Raises
    ------
    CannotAnswerError
        If no problem has a day on which it was mended, or only days before or after all answers; there are no waves; or
        fewer than `enough.LEAST_CONTROLS` untouched problems or branches name it often enough.

    Notes
    -----
    Untouched problems are taken as draws of how a problem drifts that nobody mends: their logarithms of after over
    before have a mean and a variance beyond sampling, and without the fix the mended one would be another draw
    (`statistics.beyond_drift`); untouched branches likewise, of which those that were mended together are taken for
    one. Sampling errors are linearised over the study's clusters, which may be in both times. The wave before the fix
    in which the problem was at its highest is left out: it may have been chosen for that. Who is mended for a high
    share in all waves before still falls a little by itself (``calibration/fix_effect.csv``). Where people name one
    problem only, mending it lifts the others, and the fall looks larger than it is.
    """
    check_level(confidence_level)
    found = _fixed(study)
    drawn = Drawn.of(study, found.rows)
    mended = [code for code in found.codes if code in study.problems and study.problems[code].fixed_on]
    untouched = ~np.isin(found.codes, mended) & ~found.praise
    rows: list[dict[str, Any]] = []
    for code in mended:
        problem = study.problems[code]
        branches = [plain_text(value_text(each)) for values in problem.fixed_in.values() for each in values]
        stated = {
            "term": problem_label(study, code),
            "owner": problem.owner,
            "fixed_on": f"{problem.fixed_on:%Y-%m-%d}",
            "where": joined(branches),
        }
        compared = _against_others(study, found, drawn, code, untouched, confidence_level)
        rows.append({**stated, "n": len(found.rows), "peak": "", **compared})
    columns = ["term", "owner", "fixed_on", "where", "against", "n", "before", "after", "others"]
    columns += ["estimate", "std_error", "conf_low", "conf_high", "p_value"]
    columns += ["smallest_fall", "peak", "needed", "verdict"]
    told = pd.DataFrame(rows).reindex(columns=[*columns, "drift", "n_controls"])
    frame = _decided(told[columns], confidence_level)
    order = frame["verdict"].map({FELL: 0, NOT_HALVED: 1, UNDECIDED: 2}).fillna(3).argsort(kind="stable")
    return FixEffect(
        frame=frame.iloc[order].reset_index(drop=True),
        confidence_level=confidence_level,
        title="Mended problems, before and after",
        minimum_cell=study.settings.minimum_cell,
        n_controls=int(told["n_controls"].min()) if told["n_controls"].notna().any() else 0,
        drift=float(told["drift"].max()),
    )


def _against_others(
    study: Study, found: Mentions, drawn: Drawn, code: str, untouched: Flags, confidence_level: float
) -> dict[str, Any]:
    """Compare a mended problem with untouched ones; with itself in other branches, where it was mended in some only."""
    problem, at = study.problems[code], found.codes.index(code)
    here, elsewhere = branches_of(study, found.rows, problem)
    if not here.any():
        return {"verdict": "cannot be answered: no answer that may be shown comes from where it was mended."}
    day = pd.Timestamp(str(problem.fixed_on))
    times, peak = waves_around(study, found.where(here), drawn.weight[here], at, day)
    if isinstance(times, str):
        return {"verdict": times}
    before, after = (found.rows["wave"].isin(waves).to_numpy() for waves in times)
    of_here = changes_of(found, drawn, before & here, after & here)
    if problem.fixed_in:
        controls = [changes_of(found, drawn, before & of, after & of)[at] for of in elsewhere]
    else:
        controls = [of_here[other] for other in np.flatnonzero(untouched)]
    return {
        "against": BRANCHES if problem.fixed_in else PROBLEMS,
        "n": sum(of_here[at].answers),
        "peak": "" if peak and peak in groups_not_shown(study, ["wave"]) else peak,
        **_held_against(of_here[at], controls, bool(problem.fixed_in), study.settings.minimum_cell, confidence_level),
    }


def _held_against(
    change: ChangeOfProblem,
    controls: list[ChangeOfProblem],
    of_branches: bool,
    minimum_cell: int,
    confidence_level: float,
) -> dict[str, Any]:
    """A change against those of controls, in words and numbers."""
    usable = [each for each in controls if each.is_known]
    if len(usable) < LEAST_CONTROLS:
        what = "branches" if of_branches else "problems"
        why = "name it enough" if of_branches else "are named enough"
        if sum(each.is_named for each in controls) >= LEAST_CONTROLS:
            why = "have answers in more than one cluster"
        return {"verdict": f"cannot be answered: {LEAST_CONTROLS} untouched {what} are needed, {len(usable)} {why}."}
    if not change.is_known or min(change.answers) < minimum_cell:
        return {"verdict": "cannot be answered: too few name it."}
    beyond = beyond_drift(
        change.log_ratio,
        change.variance,
        np.array([each.log_ratio for each in usable]),
        np.array([each.variance for each in usable]),
        relevant=RELEVANT,
        confidence_level=confidence_level,
    )
    needed, room = np.nan, beyond.room - change.of_before
    if room > 0:
        needed = np.ceil(change.answers[1] * max(change.variance - change.of_before, 0.0) / room)
    return {
        "before": change.shares[0],
        "after": change.shares[1],
        "others": np.exp(beyond.mean),
        "estimate": np.exp(beyond.estimate),
        "std_error": beyond.std_error,
        "conf_low": np.exp(beyond.conf_low),
        "conf_high": np.exp(beyond.conf_high),
        "p_value": beyond.p_value,
        "smallest_fall": 1 - np.exp(-beyond.smallest),
        "needed": needed,
        "drift": beyond.between,
        "n_controls": len(usable),
    }


def _decided(frame: pd.DataFrame, confidence_level: float) -> pd.DataFrame:
    """Add Holm's p-values, and verdicts where none is there yet."""
    adjusted = adjust_p_values(frame["p_value"].to_numpy(dtype=float))
    fell = (adjusted < 1 - confidence_level) & (frame["estimate"] < 1)
    no_halving = (frame["conf_low"] > np.exp(-RELEVANT)) & (frame["conf_high"] >= 1)
    decided = np.where(fell, FELL, np.where(no_halving, NOT_HALVED, UNDECIDED))
    verdict = frame["verdict"].where(frame["verdict"].notna(), pd.Series(decided, frame.index))
    needed = frame["needed"].mask(verdict != UNDECIDED)
    place = list(frame.columns).index("p_value") + 1
    frame = frame.assign(verdict=verdict, needed=needed)
    frame.insert(place, "p_adjusted", adjusted)
    return frame
