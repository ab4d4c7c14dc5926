"""Looking for what must not be shared: respondents' ids, e-mails, names and comments.

Both sides become sequences of words. A value of up to five words leaks where exactly these words
follow each other in the shared text, a longer one where any five of its words do. What the
notebook's author, the study's own description and the package say is no secret.
"""

from __future__ import annotations

import base64
import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from html import unescape
from typing import Any

from nps_research.report.own_words import OwnWords, words_of

_RUN = 5  # words
_MIN_CHARACTERS = 20  # of a comment, or of five words in a row of one, to be somebody's own words
_MIN_DIGITS = 7  # of an id without letters
_MIN_ID = 4  # characters of an id with letters and digits
_AROUND = 60  # characters

_ADDRESS = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")
_NAME = re.compile(r"[^\W\d_][\w'\u2019.-]*(?: [^\W\d_][\w'\u2019.-]*){1,3}")
_OF_THE_BROWSER = re.compile(r"<style>.*?</style>|<meta http-equiv=[^>]*>", re.DOTALL)
_DATA_URI = re.compile(r"data:([\w/+.-]*)[\w;=-]*,([A-Za-z0-9+/=%]*)")
_ATTRIBUTE = re.compile(r"=\"([^\"]*)\"|='([^']*)'")
_TAG = re.compile(r"<[^>]*>")

Run = tuple[str, ...]


def find_leaks(
    shared: Mapping[str, str], *, private: Iterable[str], public: Mapping[str, str], own: OwnWords
) -> dict[str, set[str]]:
    """Find the private values that each shared text shows.

    The private values are gone through once, so that time grows with their number and not with
    that of the texts. Values too plain to tell anybody apart are not looked for: ids need a
    letter and a digit and 4 characters, or 7 digits; names two words, each with a capital;
    comments 20 characters. What a page says of its own accord, or a label, is no leak, whoever else says it.

    Parameters
    ----------
    shared : mapping of str to str
        Readable text (see `readable_text`), by name.
    private : iterable of str
        Ids, e-mails, names, comments.
    public : mapping of str to str
        Text whose words are no secret in the shared text of the same name.
    own : OwnWords
        What is no secret anywhere.

    Returns
    -------
    dict of str to set of str
        Only the texts that show any. An e-mail address counts even where it is not in `private`.

    Examples
    --------
    >>> found = find_leaks({"page": "Ask C-1042."}, private=["C-1042", "C-1043"], public={"page": ""}, own=OwnWords([]))
    >>> found
    {'page': {'C-1042'}}
    """
    runs = {name: _runs(text) - _runs(public[name]) for name, text in shared.items()}
    found = {name: _emails(text) - _emails(public[name]) for name, text in shared.items()}
    everywhere = set().union(*runs.values())
    for value in private:
        telling = [run for run in _telling_runs(value) if run in everywhere and not own.has(value, run)]
        for name in runs if telling else ():
            if any(run in runs[name] for run in telling):
                found[name].add(value.strip())
    return {name: values for name, values in found.items() if values}


def places_of(value: str, texts: Mapping[str, str]) -> list[str]:
    """Where texts show a value, each by its name and the words around."""
    places = []
    for name, text in texts.items():
        readable = unicodedata.normalize("NFKC", text)
        for run in {tuple(words_of(value)), *_telling_runs(value)}:
            found = re.search(r"[\W_]*?".join(map(re.escape, run)), readable, re.IGNORECASE)
            if run and found:
                around = readable[max(0, found.start() - _AROUND) : found.end() + _AROUND]
                places.append(f"{name}: ... {' '.join(around.split())} ...")
                break
    return places


def _emails(text: str) -> set[str]:
    return {address.casefold() for address in _ADDRESS.findall(text)}


def _runs(text: str) -> set[Run]:
    """All runs of one to five words, as written and in small letters."""
    written = words_of(text)
    small = [word.casefold() for word in written]
    return {
        tuple(words[start : start + length])
        for words in (written, small)
        for length in range(1, _RUN + 1)
        for start in range(len(words) - length + 1)
    }


def _telling_runs(value: str) -> Iterator[Run]:
    """The runs of words that give a private value away."""
    value = value.strip()
    written = tuple(words_of(value))
    words = tuple(word.casefold() for word in written)
    if not words:
        return
    is_one = len(value.split()) == 1
    if is_one and not ("@" in value or _is_distinctive(value)):
        return
    if _NAME.fullmatch(value) and len(written) > 1 and all(part[0].isupper() for part in value.split()):
        yield written
    elif len(words) > _RUN:
        windows = (words[start : start + _RUN] for start in range(len(words) - _RUN + 1))
        yield from (run for run in windows if is_one or len(" ".join(run)) >= _MIN_CHARACTERS)
    elif is_one or len(value) >= _MIN_CHARACTERS or (_is_distinctive("".join(words)) and len(words) <= 2):
        yield words


def _is_distinctive(text: str) -> bool:
    digits = sum(character.isdigit() for character in text)
    has_letter = any(character.isalpha() for character in text)
    return (has_letter and digits > 0 and len(text) >= _MIN_ID) or digits >= _MIN_DIGITS


def readable_text(content: str, kind: str) -> str:
    """Join whatever a reader, or a program, could read in a shared ``"html"`` or ``"json"`` file, or in plain text."""
    if kind == "html":
        return _html_text(content)
    if kind == "json":
        return "\n".join(_html_text(text) if "<" in text else text for text in _strings(json.loads(content)))
    return content


def _html_text(html: str) -> str:
    """Text between the tags, then that inside their attributes."""
    html = _DATA_URI.sub(_drawn_text, _OF_THE_BROWSER.sub("", html))
    attributes = "\n".join(double or single for double, single in _ATTRIBUTE.findall(html))
    return unescape(f"{_TAG.sub(' ', html)}\n{attributes}")


def _drawn_text(uri: re.Match[str]) -> str:
    """What an embedded drawing says in words; nothing of other data."""
    if uri[1] != "image/svg+xml":
        return ""
    return _TAG.sub(" ", base64.b64decode(uri[2]).decode("utf-8", errors="replace"))


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from _strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)
    elif isinstance(value, int):
        yield str(value)
