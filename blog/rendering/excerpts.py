"""The first words of a post, for lists, feeds and search engines."""

import re
import unicodedata
from html.parser import HTMLParser

MAX_LENGTH = 200

_ELLIPSIS = "…"
_SLICE = 8_192
_MAX_LOOKED_AT = 200_000
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_NOT_AT_THE_END = ("Pd", "Pi", "Po", "Ps")  # dashes, opening quotes and brackets, commas and the like
# Headings announce, code and tables are no sentences, and a note is nothing without its place.
_SKIPPED = ("h2", "h3", "h4", "h5", "h6", "pre", "table", "summary", "figcaption")
_SKIPPED_CLASSES = frozenset({"footnotes", "footnote"})
_VOID = ("br", "col", "hr", "img", "input", "wbr")
_BLOCKS = ("blockquote", "br", "dd", "details", "div", "dl", "dt", "figure", "hr", "li", "ol", "p", "section", "ul")


def excerpt(body_html: str, max_length: int = MAX_LENGTH) -> str:
    """Give the beginning of a rendered post as plain text, not HTML: one line of at most `max_length` characters.

    A longer text is cut after a word, or within one longer than half of it, and then ends with an ellipsis.
    """
    words = _Words(max_length)
    # In slices, because a few words are needed, and a post may be a megabyte, which may be one table.
    for start in range(0, min(len(body_html), _MAX_LOOKED_AT), _SLICE):
        words.feed(body_html[start : start + _SLICE])
        if words.is_enough:
            break
    else:
        words.close()
    text = " ".join(_CONTROLS.sub(" ", "".join(words.pieces)).split())
    return text if len(text) <= max_length else _cut(text, max_length)


class _Words(HTMLParser):
    """Collects the text of sanitised HTML, in which every element is closed."""

    def __init__(self, wanted: int) -> None:
        super().__init__()
        self.pieces: list[str] = []
        self._wanted = wanted
        self._skipping = 0

    @property
    def is_enough(self) -> bool:
        return self._wanted < 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._part(tag)
        if tag not in _VOID and (self._skipping or tag in _SKIPPED or dict(attrs).get("class") in _SKIPPED_CLASSES):
            self._skipping += 1

    def handle_endtag(self, tag: str) -> None:
        if self._skipping:
            self._skipping -= 1
        self._part(tag)

    def _part(self, tag: str) -> None:
        if tag in _BLOCKS:
            self.pieces.append(" ")

    def handle_data(self, data: str) -> None:
        if not self._skipping and not self.is_enough:
            self.pieces.append(data)
            self._wanted -= sum(map(len, data.split()))


def _cut(text: str, max_length: int) -> str:
    room = max_length - len(_ELLIPSIS)
    end = text.rfind(" ", 0, room + 1)
    if end < room // 2:
        end = room
    while end and _is_within_character(text, end):
        end -= 1
    while end and (text[end - 1] == " " or unicodedata.category(text[end - 1]) in _NOT_AT_THE_END):
        end -= 1
    return text[: end or room] + _ELLIPSIS


def _is_within_character(text: str, end: int) -> bool:
    """Tell whether a cut there would split what a reader sees as one character: UAX 29, or most of it."""
    before, after = text[end - 1], text[end]
    return (
        unicodedata.category(after)[0] == "M"  # accents, vowel signs, variation selectors
        or "\u200d" in (before, after)  # families and professions
        or "\u1160" <= after <= "\u11ff"  # the later parts of a Hangul syllable
        or "\U0001f3fb" <= after <= "\U0001f3ff"  # skin tones
        or "\U000e0020" <= after <= "\U000e007f"  # flags of regions
        or (_is_flag_half(after) and _count_flag_halves(text, end) % 2 == 1)
    )


def _is_flag_half(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"


def _count_flag_halves(text: str, end: int) -> int:
    start = end
    while start and _is_flag_half(text[start - 1]):
        start -= 1
    return end - start
