"""A machine that codes comments, by letters or by meaning, and never those of people it learned from."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy.sparse import issparse

from nps_research.problems.meanings import meanings
from nps_research.statistics.boosting import folds_of_clusters
from nps_research.typing import Flags, Floats, Integers

LEAST_TO_LEARN = 4  # comments of a language with a code, and without, from which it is learned
_LETTERS = (2, 4)  # in a row
_SOFTNESS, _SOFTNESS_OF_MEANING = 10.0, 100.0  # of the penalty on slopes: scikit-learn's C

Read = list[tuple[Integers, Any]]  # what is learned together: which rows, and a row of numbers of each


def letter_frequencies(comment: pd.Series, language: pd.Series) -> Read:
    """Count the letters in a row of each comment, by language: which rows, and how often each two to four of them.

    Parameters
    ----------
    comment, language : Series of str, shape (n,)
    """
    from sklearn.feature_extraction.text import TfidfVectorizer  # late: importing it takes longer than most commands

    found = []
    for name in language.unique():
        rows = np.flatnonzero((language == name).to_numpy())
        letters = TfidfVectorizer(analyzer="char_wb", ngram_range=_LETTERS, sublinear_tf=True)
        found.append((rows, letters.fit_transform(comment.iloc[rows].str.casefold())))
    return found


def by_meaning(comment: pd.Series) -> Read:
    """Read comments by a language model, all languages together.

    Parameters
    ----------
    comment : Series of str, shape (n,)

    Raises
    ------
    CannotAnswerError
        Without the extra `themes`, which brings the model.
    """
    vectors = meanings(comment)
    return [(np.arange(len(comment)), vectors - vectors.mean(axis=0))]


def cross_predicted(read: Read, person: Integers, coded: Flags, truth: Floats, rng: np.random.Generator) -> Floats:
    """Predict each comment's codes from the hand codes of other people (cross-prediction), shape (n, n_codes).

    People are drawn into five folds. Of each fold the comments, coded by hand or not, are predicted by models trained
    on the coded comments of the other folds: so what the machine has seen never corrects it. Models are logistic
    regressions, one for each code: on frequencies of two to four letters, for each language by itself, or on vectors of
    meaning, for all together. Where too few have a code to learn from, its share among all coded comments of the other
    folds stands in.

    Parameters
    ----------
    read : list of (ndarray of int, sparse matrix or ndarray)
        Of `letter_frequencies` or `by_meaning`.
    person : ndarray of int, shape (n,)
        Whose comment it is.
    coded : ndarray of bool, shape (n,)
        Which comments were coded by hand.
    truth : ndarray, shape (n_coded, n_codes)
        What coders said of these, 0 to 1: the share of them that gave the code.
    rng : numpy.random.Generator
        Draws the folds.

    Returns
    -------
    ndarray, shape (n, n_codes)
        Between 0 and 1.

    References
    ----------
    Zrnic, T. & Candès, E. J. (2024). Cross-prediction-powered inference. PNAS 121, e2322083121.
    doi:10.1073/pnas.2322083121
    """
    from sklearn.base import clone  # late: importing it takes longer than most commands
    from sklearn.linear_model import LogisticRegression

    fold = folds_of_clusters(person, rng)
    given = np.full((len(person), truth.shape[1]), np.nan)
    given[coded] = truth
    predicted = np.empty_like(given)
    for number in range(int(fold.max()) + 1):
        learned = coded & (fold != number)
        predicted[fold == number] = given[learned].mean(axis=0) if learned.any() else 0.0
    for together, table in read:
        if issparse(table):
            learner = LogisticRegression(C=_SOFTNESS, solver="liblinear", dual=True, random_state=0)
        else:
            learner = LogisticRegression(C=_SOFTNESS_OF_MEANING, max_iter=1000)
        for number in range(int(fold.max()) + 1):
            learned = np.flatnonzero((coded & (fold != number))[together])
            left_out = np.flatnonzero((fold == number)[together])
            if not len(left_out):
                continue
            of_fold = table[left_out]
            for code in range(truth.shape[1]):
                said = given[together[learned], code] >= 0.5
                if min(said.sum(), (~said).sum()) < LEAST_TO_LEARN:
                    continue
                model = clone(learner).fit(table[learned], said)
                predicted[together[left_out], code] = model.predict_proba(of_fold)[:, 1]
    return predicted
