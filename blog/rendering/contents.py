"""The table of contents of a rendered text."""

import re
from collections.abc import Iterator
from html import unescape
from itertools import islice
from typing import NamedTuple

FEWEST_ENTRIES = 3
"""A shorter text is seen at a glance."""

# Every tag as the sanitiser writes them, so that none is looked for inside the attributes of another.
_TAG = re.compile(r'<(/?)([a-z][a-z0-9]*)((?: [a-z-]+="[^"]*")*)>')
_ID = re.compile(r' id="([^"]*)"')
_SKIPPED = ("sup", "rp", "rt")  # a note is nothing without its place, nor is how a word is spoken


MOST_ENTRIES = 500
"""A longer one is no help, and takes a page longer than its text."""


class Entry(NamedTuple):
    """A heading: h2 or h3, the id to link to, and its words."""

    level: int
    id: str
    text: str


def contents(body_html: str) -> list[Entry]:
    """Give the h2 and h3 of a text in order, from the HTML that `render` gave; none if there are fewer than three.

    Of very many only the first. Left out are headings without words or without an id (an author's own HTML), and those
    of quoted texts.
    """
    if body_html.count("<h2") + body_html.count("<h3") < FEWEST_ENTRIES:
        return []
    entries = list(islice(_find_headings(body_html), MOST_ENTRIES))
    return entries if len(entries) >= FEWEST_ENTRIES else []


def _find_headings(html: str) -> Iterator[Entry]:
    name, words = "", ""
    quotes = skipping = done = 0
    for tag in _TAG.finditer(html):
        closing, element, attributes = tag.groups()
        if name and not skipping:
            words += html[done : tag.start()]
        done = tag.end()
        if element == "blockquote":
            quotes += -1 if closing else 1
        elif element in _SKIPPED:
            skipping += -1 if closing else 1
        elif element in ("h2", "h3"):
            text = " ".join(unescape(words).split())
            if closing and name and text:
                yield Entry(int(element[1]), name, text)
            found = None if closing or quotes else _ID.search(attributes)
            name, words = unescape(found[1]) if found else "", ""
