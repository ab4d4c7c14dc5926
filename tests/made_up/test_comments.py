"""The made-up comments: their true codes, their variety, and that counting words does not find the codes."""

from __future__ import annotations

import re
from collections import Counter
from time import process_time

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer

from nps_research.made_up.comments import PROBLEM_CODES, comment_phrases, draw_comments
from nps_research.made_up.company import LANGUAGES

N_CODES = len(PROBLEM_CODES)
LETTERS = {"uk": "іїєґ", "ru": "ыэъё", "ro": "ăâîșț", "en": ""}


def drawn(n: int, *, seed: int = 1, had_share: float = 0.12, mentions: float = 0.75):
    """Languages, scores, problems, comments and codes."""
    given, rng = np.random.default_rng([seed, 1]), np.random.default_rng(seed)
    language = given.choice(LANGUAGES, n)
    score = np.where(given.random(n) < 0.05, np.nan, given.integers(0, 11, n))
    had = given.random((n, N_CODES)) < had_share
    comments, told = draw_comments(language, score, had, mentions=mentions, rng=rng)
    return language, score, had, comments, told


def all_phrases(language: str, *kinds: str) -> list[str]:
    lists = []
    for kind in kinds:
        of_kind = comment_phrases()[language].get(kind, [])
        lists += of_kind.values() if isinstance(of_kind, dict) else [of_kind]
    return [phrase for each in lists for phrase in each]


# The phrases


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_problem_is_said_in_many_ways(language: str) -> None:
    phrases = comment_phrases()[language]
    assert tuple(phrases["problem"]) == PROBLEM_CODES
    assert min(map(len, phrases["problem"].values())) >= 12
    for kind in ("praise", "negated"):
        assert tuple(phrases[kind]) == ("general", *PROBLEM_CODES)
        assert all(phrases[kind].values())
    assert len(phrases["praise"]["general"]) >= 15
    assert len(phrases["grievance"]) >= 12
    if language != "en":
        assert tuple(phrases["mixed"]) == ("praise", *PROBLEM_CODES)


def test_no_phrase_stands_twice() -> None:
    said = [
        phrase.casefold()
        for language in LANGUAGES
        for phrase in all_phrases(language, "problem", "praise", "negated", "neutral", "grievance", "mixed")
    ]
    assert len(said) > 1000
    assert [phrase for phrase, times in Counter(said).items() if times > 1] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_phrases_are_in_the_letters_of_their_language(language: str) -> None:
    kinds = ("problem", "praise", "negated", "neutral", "grievance")
    text = " ".join(all_phrases(language, *kinds, "opening", "closing", "also", "but", "otherwise")).lower()
    letters = set(filter(str.isalpha, text))
    assert set(LETTERS[language]) - {"ґ", "ъ"} <= letters
    assert not letters & set("".join(each for other, each in LETTERS.items() if other != language))
    assert not letters & set("şţ")  # with a cedilla, as older fonts had them
    if language in ("uk", "ru"):
        assert not letters & set("abcdefghijklmnopqrstuvwxyz")
    else:
        assert all(ord(letter) < 0x400 for letter in letters)


@pytest.mark.parametrize("language", LANGUAGES)
def test_phrases_hold_nothing_that_could_be_a_person_a_number_or_a_formula(language: str) -> None:
    kinds = ("problem", "praise", "negated", "neutral", "grievance", "mixed", "opening", "closing")
    for phrase in all_phrases(language, *kinds):
        assert not re.search(r"@|www|http|\d{3}|[\t\r\n\"=+]", phrase)
        assert phrase[:1] not in "-'|%"
    for phrase in all_phrases(language, "praise", "negated", "neutral", "grievance"):
        assert len(phrase.split()) >= 3


# The draw


def test_codes_are_problems_of_the_writer_and_two_at_most() -> None:
    _, _, had, _, told = drawn(6000, had_share=0.25)
    assert not (told & ~had).any()
    assert told.sum(axis=1).max() == 2
    _, _, all_had, comments, told = drawn(500, had_share=1.0, mentions=0.0)
    assert all_had.all()
    assert not told.any()
    assert all(comments)


def test_two_problems_are_told_of_as_often_as_each_apart() -> None:
    _, _, had, _, told = drawn(12_000)
    both = told[had.sum(axis=1) == 2].sum(axis=1) == 2
    assert abs(both.mean() - 0.75**2) <= 3.3 * np.sqrt(0.75**2 * (1 - 0.75**2) / len(both))
    once = told[had.sum(axis=1) == 1].any(axis=1)
    assert abs(once.mean() - 0.75) <= 3.3 * np.sqrt(0.75 * 0.25 / len(once))


def test_of_many_problems_each_is_as_likely_to_be_told_of() -> None:
    _, _, _, _, told = drawn(8000, had_share=1.0, mentions=1.0)
    error = np.sqrt(2 / N_CODES * (1 - 2 / N_CODES) / len(told))
    assert (np.abs(told.mean(axis=0) - 2 / N_CODES) <= 4 * error).all()


def bare(text: str) -> str:
    return re.sub(r"[^\w\s]", "", text).casefold()


def test_every_phrasing_of_every_problem_is_used_in_every_language() -> None:
    language, _, _, comments, told = drawn(12_000)
    for each in LANGUAGES:
        assert told[language == each].any(axis=0).all()
        text = "\n".join(bare(comment) for comment in np.array(comments, dtype=object)[language == each])
        assert [phrase for phrase in all_phrases(each, "problem") if bare(phrase) not in text] == []


def test_a_comment_holds_a_phrase_of_each_of_its_problems_and_of_no_other() -> None:
    """Where no slip changed it: codes are read from the text again, by brute force."""
    language, _, _, comments, told = drawn(2000)
    exact = 0
    for spoken, comment, codes in zip(language, comments, told, strict=True):
        phrases = comment_phrases()[spoken]
        lists = (phrases["problem"], phrases.get("mixed", {}))
        held = [
            any(f" {bare(phrase)} " in f" {bare(comment)} " for each in lists for phrase in each.get(code, []))
            for code in PROBLEM_CODES
        ]
        assert not (np.array(held) & ~codes).any()
        exact += held == list(codes)
    assert exact / len(comments) > 0.85  # the rest have slips, or Romanian without diacritics


def test_who_has_no_problem_is_never_coded_whatever_is_praised_or_denied() -> None:
    language, _, _, comments, told = drawn(4000, had_share=0.0)
    assert not told.any()
    texts = {each: set() for each in LANGUAGES}
    for spoken, comment in zip(language, comments, strict=True):
        texts[spoken].add(comment)
    for each in LANGUAGES:
        for kind in ("praise", "negated"):
            traps = [phrase for code in PROBLEM_CODES for phrase in comment_phrases()[each][kind][code]]
            assert len(set(traps) & texts[each]) > len(traps) / 2
        assert not set(all_phrases(each, "problem", "opening", "closing")) & texts[each]


def test_nobody_praises_or_denies_a_problem_that_they_have() -> None:
    had = np.tile(np.array(PROBLEM_CODES) != "wrong_item", (3000, 1))
    score = np.tile([5.0, 8.0, 10.0], 1000)
    for mentions in (0.0, 0.1):
        comments, _ = draw_comments(np.repeat("en", 3000), score, had, mentions=mentions, rng=np.random.default_rng(1))
        text = "\n".join(map(bare, comments))
        for kind in ("praise", "negated"):
            said = {
                code: [bare(phrase) in text for phrase in phrases]
                for code, phrases in comment_phrases()["en"][kind].items()
            }
            assert {code for code, each in said.items() if any(each)} == {"general", "wrong_item"}


def test_tone_follows_the_score() -> None:
    language = np.repeat("en", 3000)
    score = np.tile([2.0, np.nan, 10.0], 1000)
    comments, _ = draw_comments(language, score, np.zeros((3000, N_CODES), dtype=bool), rng=np.random.default_rng(1))
    grievance, praise = (set(all_phrases("en", kind)) for kind in ("grievance", "praise"))
    low, blank, high = (comments[at::3] for at in range(3))
    assert sum(comment in grievance for comment in low) > 400
    assert sum(comment in praise for comment in high) > 400
    assert not set(low) & praise
    assert not set(high + blank) & grievance


def test_same_rng_same_text_and_as_many_draws_whatever_is_written() -> None:
    assert drawn(500)[3] == drawn(500)[3] != drawn(500, seed=2)[3]
    after = []
    for had_share in (0.0, 1.0):
        rng = np.random.default_rng(3)
        had = np.full((50, N_CODES), had_share == 1.0)
        draw_comments(np.repeat("uk", 50), np.full(50, 5.0), had, rng=rng)
        after.append(rng.random())
    assert after[0] == after[1]


def test_comments_differ() -> None:
    *_, comments, told = drawn(6000, had_share=0.2)
    with_problems = [comment for comment, any_told in zip(comments, told.any(axis=1), strict=True) if any_told][:3000]
    assert len(with_problems) == 3000
    assert len(set(with_problems)) > 1500


def test_mixed_languages_and_slips_are_as_frequent_as_planned() -> None:
    language, _, _, comments, _ = drawn(12_000)
    mixed = {each: [bare(phrase) for phrase in all_phrases(each, "mixed")] for each in LANGUAGES}
    plain = [bare(comment) for comment in comments]
    share = np.mean([any(each in text for each in mixed[spoken]) for spoken, text in zip(language, plain, strict=True)])
    assert 0.03 < share < 0.06  # those without a slip
    assert 0.1 < np.mean([comment == comment.lower() for comment in comments]) < 0.16
    romanian = [comment for comment, spoken in zip(comments, language, strict=True) if spoken == "ro"]
    assert 0.3 < np.mean([comment.isascii() for comment in romanian]) < 0.55


def test_thousands_are_drawn_in_a_moment() -> None:
    begun = process_time()
    drawn(15_000)
    assert process_time() - begun < 2


# Simple methods of coding


def share_right(found, told) -> float:
    return float((np.asarray(found) == told).all(axis=1).mean())


def test_the_nearest_comment_by_letters_does_not_give_the_codes_away() -> None:
    """Each of 1,500 comments gets the codes of the most similar of 3,000 others, coded without a mistake."""
    *_, known, known_codes = drawn(3000)
    *_, comments, told = drawn(1500, seed=2)
    letters = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), sublinear_tf=True)
    near = (letters.fit_transform(known) @ letters.transform(comments).T).toarray().argmax(axis=0)
    assert 0.5 < share_right(known_codes[near], told) < 0.75


def test_keywords_do_not_give_the_codes_away() -> None:
    """Beginnings of words that an analyst would look for, in all four languages."""
    keywords = {
        "minimum_order": "minimum|мінімал|минимал|minim",
        "login_fails": "log in|login|sign|password|парол|вхід|увійти|войти|вход|parol|autentific|loghez",
        "out_of_stock": "stock|склад|наявн|наличи|stoc|depozit",
        "wrong_item": "wrong|не той|не тот|greși|плута|перепут",
        "damaged_goods": "damag|broken|пошкод|бит|повреж|deterior|spart",
        "double_invoice": "invoice|рахун|счет|счёт|factur",
        "slow_refund": "refund|return|поверн|возврат|ramburs|retur",
        "credit_limit": "credit|limit|кредит|ліміт|лимит",
        "excess_packaging": "packag|плівк|упаков|плёнк|ambal",
        "hand_over": "service|departm|сервіс|сервис|відділ|отдел",
        "rude_driver": "driver|воді|водит|șofer",
    }
    *_, comments, told = drawn(4000)
    found = [[bool(re.search(keywords[code], comment.lower())) for code in PROBLEM_CODES] for comment in comments]
    assert 0.2 < share_right(found, told) < 0.8
