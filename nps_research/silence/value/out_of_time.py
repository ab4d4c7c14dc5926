"""Predictions of later waves by models that learn only from what was over before: waves, predictions, the check."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from nps_research.counting.landmarks import Landmarks
from nps_research.errors import CannotAnswerError
from nps_research.silence.enough import LEAVERS_TO_LEARN
from nps_research.silence.value.churn_models import Encoding, predict
from nps_research.silence.value.features import Features
from nps_research.typing import Flags, Floats, Integers

Fold = tuple[Integers, Integers]


def fewest_leavers(n_left: int, n_stayed: int, of: str) -> None:
    """Refuse to learn from, or test on, next to no leavers."""
    if n_left < LEAVERS_TO_LEARN or n_stayed < LEAVERS_TO_LEARN:
        raise CannotAnswerError(
            f"{of}: {n_left:,} left and {n_stayed:,} stayed; at least {LEAVERS_TO_LEARN} of each are needed to tell "
            "who leaves."
        )


def time_folds(landmarks: Landmarks) -> list[Fold]:
    """Divide landmarks by time: for each wave that can be predicted, the rows to learn from and to predict."""
    rows, horizon = landmarks.rows, landmarks.horizon_days
    opened = rows.groupby("period")["landmark"].min().sort_values()
    if len(opened) < 2:
        raise CannotAnswerError("There is one wave only: to see how well leaving is predicted, a later one is needed.")
    complete, event = rows["is_complete"].to_numpy(dtype=bool), rows["event"].to_numpy(dtype=bool)
    units = f"{landmarks.unit.capitalize()}s at landmarks whose {horizon:,} days were watched to the end"
    if not complete.any():
        raise CannotAnswerError(
            f"No landmark was watched for {horizon:,} days, the horizon, before the observation ended. A shorter "
            "horizon may do."
        )
    n, n_left = int(complete.sum()), int(event[complete].sum())
    if n_left in (0, n):
        who = "everybody" if n_left else "nobody"
        raise CannotAnswerError(f"{units}: {n:,}, and {who} left within them: nothing to predict.")
    fewest_leavers(n_left, n - n_left, units)
    closed = rows["landmark"] + pd.Timedelta(days=horizon)
    folds, most = [], (-1, 0)
    for period, start in opened.items():
        test = np.flatnonzero(complete & (rows["period"] == period).to_numpy())
        train = np.flatnonzero(complete & (closed <= start).to_numpy())
        left, stayed = int(event[train].sum()), int((~event[train]).sum())
        if len(test) and len(train):
            most = max(most, (left, stayed))
        if len(test) and min(left, stayed) >= LEAVERS_TO_LEARN:
            folds.append((train, test))
    if most[0] < 0:
        raise CannotAnswerError(
            f"No wave came after another one's {horizon:,} days were over, and was itself watched as long: "
            "there is nothing to learn from before a wave that could be predicted. A shorter horizon may do."
        )
    if not folds:
        fewest_leavers(
            *most, f"{landmarks.unit.capitalize()}s to learn from before the last wave that can be predicted"
        )
    tested = event[np.concatenate([test for _, test in folds])]
    fewest_leavers(int(tested.sum()), int((~tested).sum()), f"{landmarks.unit.capitalize()}s in the waves predicted")
    return folds


def predict_later(
    learner: str, features: Features, names: Sequence[str], event: Flags, folds: Sequence[Fold]
) -> Floats:
    """Predict all waves, each by a model of what was over before it (out of time)."""
    found = [predict(learner, Encoding.of(features, names, train), event, test) for train, test in folds]
    return np.concatenate(found)


def shuffle_silence(features: Features, period: pd.Series, rng: np.random.Generator) -> Features:
    """Permute silence within waves: that of each row goes to another, all of it together."""
    other = np.arange(len(period))
    for rows in period.groupby(period, sort=True).indices.values():
        other[rows] = rng.permutation(rows)
    numbers, silence = features.numbers.copy(), list(features.silence)
    numbers[silence] = numbers[silence].to_numpy()[other]
    return replace(features, numbers=numbers)
