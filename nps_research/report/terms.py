"""The glossary's terms in a page's sentences: each leads to its meaning where it first stands."""

from __future__ import annotations

import re
from html import escape

from nps_research.report.sanitise import heading_slug

EVERYDAY = {"answers", "line", "cut", "performance", "bridge", "equivalence"}  # words that sentences use otherwise, too
_ANY_TAG = re.compile(r"(<[^>]*>)")
_SENTENCES = re.compile(r"(<(?:p|li)[ >].*?</(?:p|li)>)", re.DOTALL)
_NEVER_IN = ("a", "code")


class Terms:
    """Links to the terms of a glossary, each once.

    Examples
    --------
    >>> terms = Terms("## Wave")
    >>> terms.linked("<p>In two waves; a wave.</p>")
    '<p>In two <a class="term" href="glossary.html#wave">waves</a>; a wave.</p>'
    """

    def __init__(self, glossary: str) -> None:
        headings = re.findall(r"^## (.+)$", glossary, re.MULTILINE)
        self._place = {
            word: heading_slug(heading)
            for heading in headings
            for word in (each.strip().casefold() for each in re.split(r"[,()]", heading))
            if word and word not in EVERYDAY
        }
        words = "|".join(re.escape(escape(word)) for word in sorted(self._place, key=len, reverse=True))
        self._words = re.compile(rf"(?<![\w-])({words})(s?)(?![\w-])", re.IGNORECASE)
        self._told: set[str] = set()

    def linked(self, html: str) -> str:
        """The same HTML; in its paragraphs and lists, terms that no earlier call linked are links."""
        return _SENTENCES.sub(lambda found: self._in_sentence(found[1]), html)

    def _in_sentence(self, html: str) -> str:
        parts, inside = _ANY_TAG.split(html), 0
        for place, part in enumerate(parts):
            if place % 2:
                name = part.strip("</>").split(maxsplit=1)[0].casefold()
                inside += (1 - 2 * part.startswith("</")) * (name in _NEVER_IN)
            elif not inside:
                parts[place] = self._words.sub(self._link, part)
        return "".join(parts)

    def _link(self, found: re.Match[str]) -> str:
        place = self._place[found[1].casefold()]
        if place in self._told:
            return found[0]
        self._told.add(place)
        return f'<a class="term" href="glossary.html#{place}">{found[0]}</a>'
