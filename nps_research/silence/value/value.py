"""Whether knowing who is silent improves the prediction of who leaves, beyond what is known without any answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import numpy as np
import pandas as pd

from nps_research.counting.checks import check_level
from nps_research.counting.landmarks import Landmarks, landmarks_of
from nps_research.counting.silence import NO_DELIVERY
from nps_research.results.result import KeyNumber, Result
from nps_research.results.words import format_interval, format_value, joined, p_text, share
from nps_research.silence.value.churn_models import BOOSTED, LEARNERS, Encoding, contributions, fit_boosted
from nps_research.silence.value.contributions import FEATURE_WORDS, SilenceContributions
from nps_research.silence.value.features import Features, features_of
from nps_research.silence.value.out_of_time import Fold, predict_later, shuffle_silence, time_folds
from nps_research.statistics.prediction_metrics import compare_predictions
from nps_research.statistics.randomness import DEFAULT_SEED
from nps_research.study.needs import begins_with
from nps_research.study.study import Study
from nps_research.typing import Flags

ValueWord = Literal["adds", "adds nothing shown", "cannot tell"]

WORTHWHILE = 0.02  # of the log loss: a gain below it is none worth speaking of
WITH_SILENCE, WITH_SCORES, SHUFFLED = "silence", "silence and scores", "silence shuffled"
LOSS, FOUND = "log loss", "leavers in the top tenth"


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class NonresponseValue(Result):
    """Predictions of later waves without and with the silence.

    `frame` columns: learner (boosted, logistic), added (silence; silence and scores; silence shuffled: the check), term
    (the measure), n (predictions), without, with, estimate (with minus without), std_error, conf_low, conf_high,
    p_value (one-sided, that it adds nothing).

    Attributes
    ----------
    verdict : str
        ``"adds"``: both learners' log loss is lower with the silence, each with a one-sided p below one minus the
        level, and lower than with any shuffled silence. ``"adds nothing shown"``: not so, and both limits exclude a
        gain of 2% of the log loss. ``"cannot tell"``: neither.
    beyond : tuple of str
        What the baseline knows, in words.
    waves : tuple of str
        Waves predicted.
    n_units, n_leavers : int
        Units in these waves, and leavings over all of them.
    shuffled : tuple of (str, float)
        Learner and difference in log loss of each refit with shuffled silence.
    by_feature : DataFrame
        What `contributions` shows.
    """

    verdict: ValueWord
    unit: Literal["account", "customer"]
    horizon_days: int
    beyond: tuple[str, ...]
    waves: tuple[str, ...]
    n_units: int
    n_leavers: int
    knows_delivery: bool
    shuffled: tuple[tuple[str, float], ...] = ()
    by_feature: pd.DataFrame = field(repr=False, default_factory=pd.DataFrame)

    kind: ClassVar[str] = "nonresponse_value"
    rows_are_parts: ClassVar[bool] = False
    headings: ClassVar[Mapping[str, str]] = {"term": "Measure", "n": "Predictions", "estimate": "Difference"}
    formats: ClassVar[Mapping[str, str]] = {"without": "fine", "with": "fine", "estimate": "fine", "std_error": "fine"}
    table_columns: ClassVar = ("term", "learner", "added", "without", "with", "estimate", "conf_high", "p_value")

    def row(self, term: str, *, learner: str = BOOSTED, added: str = WITH_SILENCE) -> dict[str, Any]:
        """One row of the frame."""
        rows = self.frame
        found = rows[(rows["term"] == term) & (rows["learner"] == learner) & (rows["added"] == added)]
        return {str(name): value for name, value in found.iloc[0].items()}

    @property
    def contributions(self) -> SilenceContributions:
        """How much each feature moves the boosted predictions of the last wave."""
        return SilenceContributions(
            frame=self.by_feature,
            title="What moves the predicted risk",
            minimum_cell=self.minimum_cell,
            wave=self.waves[-1],
            unit=self.unit,
            knows_delivery=self.knows_delivery,
        )

    @property
    def finding(self) -> str:
        found = self.row(FOUND)
        held = f"{share(found['with'])} of those who left, {share(found['without'])} without"
        return {
            "adds": "Knowing who is silent helps to foresee who leaves: the riskiest tenth then holds "
            f"{held} (within {self.horizon_days} days).",
            "adds nothing shown": "Knowing who is silent is not shown to help foresee who leaves, beyond what is known "
            "anyway; these models gain next to nothing from it.",
            "cannot tell": "Whether knowing who is silent helps to foresee who leaves, beyond what is known anyway, "
            "cannot be told from these data.",
        }[self.verdict]

    @property
    def details(self) -> str:
        found = self.row(FOUND)
        limits = format_interval(found["conf_low"], found["conf_high"], "share_points")
        caveat = "" if self.knows_delivery else f" {NO_DELIVERY}"
        pairs = self.row("AUC")
        return (
            f"Known anyway: {joined(self.beyond)}. The tenth of {self.unit}s with the highest predicted risk held "
            f"{share(found['with'])} of those who left within {self.horizon_days} days with the silence known, "
            f"{share(found['without'])} without (difference {format_value(found['estimate'], 'share_points')}, "
            f"{self.confidence_level:.0%} interval {limits}). Of two {self.unit}s, one who left and one who stayed, "
            f"the leaver has the higher risk {100 * pairs['with']:.0f} times in 100 with the silence known, "
            f"{100 * pairs['without']:.0f} times without.{caveat}"
        )

    @property
    def note(self) -> str:
        worst = max(self.row(LOSS, learner=learner)["p_value"] for learner in LEARNERS)
        shuffled = [change for _, change in self.shuffled]
        check = ""
        if shuffled:
            check = (
                f" Check: with the silence shuffled among the {self.unit}s of a wave the log loss changes by "
                f"{format_interval(min(shuffled), max(shuffled), 'fine')} over {len(shuffled)} refits, where a gain "
                "would be below zero."
            )
        return (
            f"{len(self.waves)} waves predicted, {self.n_units:,} {self.unit}s, {self.n_leavers:,} leavings; each "
            f"wave by models that learnt only from {self.unit}s whose {self.horizon_days} days were over before it. "
            f"Without: {joined(self.beyond)}. With: also who returned the form and who did not, now and before, but "
            "nothing of what was said; with that as well (“silence and scores”) the tenth with the highest risk held "
            f"{share(self.row(FOUND, added=WITH_SCORES)['with'])}. “Adds” is declared on the log loss alone: lower for "
            f"both learners, and lower than with any shuffled silence; the larger one-sided {p_text(worst)}. “Next to "
            f"nothing” is less than {WORTHWHILE:.0%} of the log loss. The sentence above is of the boosted trees. "
            f"Limits are linearised by {self.unit}, for the models as they are.{check} Revenue and segments are as the "
            "customer table has them, not dated."
        )

    @property
    def alt(self) -> str:
        said = [
            f"{row['term']}, {row['learner']}: {share(row['without'])} without, {share(row['with'])} with"
            for row in self.drawn
        ]
        return "Measures of prediction without the silence and with it. " + "; ".join(said) + "."

    @property
    def drawn(self) -> list[dict[str, Any]]:
        """The rows of the figure: the measure that the finding speaks of, by each learner."""
        return [self.row(FOUND, learner=learner) for learner in LEARNERS]

    @property
    def key_numbers(self) -> tuple[KeyNumber, ...]:
        row = self.row(FOUND)
        return (
            KeyNumber(
                label="Leavers in the top tenth, gained by the silence",
                estimate=row["estimate"],
                conf_low=row["conf_low"],
                conf_high=row["conf_high"],
                unit="share",
            ),
        )

    @property
    def settings(self) -> dict[str, Any]:
        return {name: value for name, value in super().settings.items() if name not in ("by_feature", "shuffled")}


@begins_with(lambda study: time_folds(landmarks_of(study)))
def nonresponse_value(
    study: Study,
    *,
    horizon_days: int | None = None,
    extra_features: pd.DataFrame | None = None,
    n_shuffles: int = 5,
    confidence_level: float = 0.95,
    rng: np.random.Generator | None = None,
) -> NonresponseValue:
    """Compare predictions of who leaves, made without knowing who is silent and with it.

    The estimand is the difference in predictive performance, with the silence minus without, for accounts (customers,
    where no accounts are known) at the landmarks of later waves, between two models that learnt from the same earlier
    landmarks, whose horizon was over before the wave's first landmark. All waves with enough to learn from are
    predicted, and their predictions pooled. Two learners: a logistic regression with natural splines (a ridge of 1 on
    standardised columns), and boosted trees; both with a baseline that may bend, for with straight lines silence would
    stand for the bend. Silence is who returned the form, now and before, and for accounts how many contacts and whether
    the decision maker; what was said is apart. How often and whom the survey reached is in the baseline.

    Parameters
    ----------
    study : Study
        With dates of invitations, and customers with dates of leaving and of the end of their observation.
    horizon_days : int, optional
        Days after the landmark over which leaving counts; None takes the study's.
    extra_features : DataFrame, optional
        Features for the baseline: ``account_id`` (``customer_id``, where no accounts are known), ``wave`` (of a study
        without waves the quarter, as ``2025Q1``; left out: for all waves), ``known_at`` (the day on which the row was
        known), and a column a feature. See `check_features`.
    n_shuffles : int
        Refits with the silence shuffled among the units of a wave, which must gain nothing.
    confidence_level : float
        Of the limits; one minus it is the level of the verdict.
    rng : numpy.random.Generator, optional
        Shuffles.

    Returns
    -------
    NonresponseValue

    Raises
    ------
    CannotAnswerError
        If there is one wave only, no wave with an earlier one whose horizon was over, nobody or everybody left, too few
        left, or nobody was silent.
    ContractError
        If a feature was known only after a landmark, or nobody says when it was known.

    Notes
    -----
    Training rows and tested rows share units, and leavings near two waves count twice: limits are by unit. They do not
    hold how models would differ had others been there to learn from. Where silence adds nothing, the larger model is on
    average the worse one, so that the verdict is cautious.

    References
    ----------
    Steyerberg, E. W. et al. (2010). Assessing the performance of prediction models. Epidemiology 21, 128-138.
    doi:10.1097/EDE.0b013e3181c30fb2

    Diebold, F. X. & Mariano, R. S. (1995). Comparing predictive accuracy. Journal of Business & Economic Statistics 13,
    253-263. doi:10.1080/07350015.1995.10524599
    """
    return value_of_silence(
        landmarks_of(study, horizon_days=horizon_days),
        extra_features=extra_features,
        n_shuffles=n_shuffles,
        confidence_level=confidence_level,
        minimum_cell=study.settings.minimum_cell,
        rng=rng,
    )


def value_of_silence(
    landmarks: Landmarks,
    *,
    extra_features: pd.DataFrame | None = None,
    n_shuffles: int = 5,
    confidence_level: float = 0.95,
    minimum_cell: int = 0,
    rng: np.random.Generator | None = None,
) -> NonresponseValue:
    """Compare predictions as `nonresponse_value`, of landmarks that are there already."""
    check_level(confidence_level)
    rng = np.random.default_rng(DEFAULT_SEED) if rng is None else rng
    rows = landmarks.rows
    features = features_of(landmarks, extra_features)
    folds = time_folds(landmarks)
    tested = np.concatenate([test for _, test in folds])
    event = rows["event"].to_numpy(dtype=bool)

    blocks = {
        WITH_SILENCE: (*features.baseline, *features.silence),
        WITH_SCORES: (*features.baseline, *features.silence, *features.scores),
    }
    truth = event[tested].astype(float)
    wave = np.repeat(np.arange(len(folds)), [len(test) for _, test in folds])
    same = {"wave": wave, "cluster": rows["unit"].to_numpy()[tested], "confidence_level": confidence_level}
    found, shuffled = [], []
    others = [shuffle_silence(features, rows["period"], rng) for _ in range(n_shuffles)]
    for learner in LEARNERS:
        without = predict_later(learner, features, features.baseline, event, folds)
        for added, names in blocks.items():
            after = predict_later(learner, features, names, event, folds)
            found.append(compare_predictions(truth, without, after, **same).assign(learner=learner, added=added))
        refits = [predict_later(learner, other, blocks[WITH_SILENCE], event, folds) for other in others]
        losses = [compare_predictions(truth, without, after, **same, terms=[LOSS]) for after in refits]
        if losses:
            shuffled += [(learner, float(table["estimate"].iloc[0])) for table in losses]
            found.append(_average(losses).assign(learner=learner, added=SHUFFLED))

    frame = pd.concat(found, ignore_index=True)
    order = ["learner", "added", "term"]
    return NonresponseValue(
        frame=frame[[*order, *frame.columns.difference(order, sort=False)]],
        confidence_level=confidence_level,
        title="What the silence adds to the prediction",
        minimum_cell=minimum_cell,
        verdict=_verdict(frame, shuffled, 1 - confidence_level),
        unit=landmarks.unit,
        horizon_days=landmarks.horizon_days,
        beyond=_known_features(features, landmarks, extra_features),
        waves=tuple(str(rows["period"].iloc[test[0]]) for _, test in folds),
        n_units=int(rows["unit"].iloc[tested].nunique()),
        n_leavers=int(truth.sum()),
        knows_delivery=landmarks.knows_delivery,
        shuffled=tuple(shuffled),
        by_feature=_by_feature(features, blocks[WITH_SILENCE], event, folds[-1]),
    )


def _average(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """The mean over shuffles; their spread is no sampling error, so that there are no limits."""
    mean = tables[0].copy()
    for name in ("with", "estimate"):
        mean[name] = np.mean([table[name] for table in tables], axis=0)
    mean[["std_error", "conf_low", "conf_high", "p_value"]] = np.nan
    return mean


def _verdict(frame: pd.DataFrame, shuffled: Sequence[tuple[str, float]], level: float) -> ValueWord:
    losses = frame[(frame["term"] == LOSS) & (frame["added"] == WITH_SILENCE)].set_index("learner")
    gained = dict(zip(losses.index, losses["estimate"].astype(float), strict=True))
    below = all(gained[learner] < change for learner, change in shuffled)
    if below and (losses["p_value"] <= level).all():
        return "adds"
    if (losses["conf_low"] > -WORTHWHILE * losses["without"]).all():
        return "adds nothing shown"
    return "cannot tell"


def _known_features(features: Features, landmarks: Landmarks, extra: pd.DataFrame | None) -> tuple[str, ...]:
    """The baseline in words."""
    found = [FEATURE_WORDS[name] for name in ("tenure", "log_revenue") if name in features.baseline]
    found += [name.lower() if name.istitle() else name for name in landmarks.segments]
    if extra is not None:
        found += [name for name in features.baseline if name in extra and name not in found]
    return (*found, "how often the survey came")


def _by_feature(features: Features, names: Sequence[str], event: Flags, fold: Fold) -> pd.DataFrame:
    """Mean size of each feature's contribution to the boosted predictions of a wave."""
    train, test = fold
    encoding = Encoding.of(features, names, train)
    moved = contributions(fit_boosted(encoding, event), encoding, test)
    silent = features.numbers["silent"].to_numpy()[test] == 1
    table = pd.DataFrame(
        {
            "feature": moved.columns,
            "term": [FEATURE_WORDS.get(str(name), str(name)) for name in moved.columns],
            "block": np.where(moved.columns.isin(features.silence), WITH_SILENCE, "baseline"),
            "n": len(test),
            "mean_abs_shap": moved.abs().mean().to_numpy(),
            "if_silent": moved[silent].mean().to_numpy() if silent.any() else np.nan,
        }
    )
    table = table[(table["block"] == WITH_SILENCE) | (table["mean_abs_shap"] > 0)]
    return table.sort_values("mean_abs_shap", ascending=False, kind="stable", ignore_index=True)
