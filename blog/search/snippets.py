"""The place in a text where the words that were looked for stand, with these words marked. Pure."""

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

from markupsafe import Markup, escape

from blog.indexing.words import SEPARATOR
from blog.search.language import Word

_LENGTH = 240
_LEAD = 60  # how much stands before the first marked word
_MOST_MATCHES = 200
_ELLIPSIS = "…"
_LETTER, _GAP = r"[^\W_]", r"[\W_]{1,20}"


class _Folded(dict[int, str]):
    """Each character as the index compares it: small, and without its accents; always one for one."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        bare = unicodedata.normalize("NFD", character)[0].lower()
        self[code] = folded = bare if len(bare) == 1 else character
        return folded


_FOLDED = _Folded()


def mark(text: str, words: Sequence[Word]) -> Markup:
    """The whole text, its separators taken out, with the words marked."""
    return _marked(text, 0, len(text), _matches(text, words))


def snippet(text: str, words: Sequence[Word]) -> Markup | None:
    """The part of the text in which most of the words stand; None when none of them does."""
    matches = _matches(text, words)
    if not matches:
        return None
    # Separators take no room on the page.
    length = _LENGTH + text.count(SEPARATOR, matches[0][0], matches[0][0] + 2 * _LENGTH)
    best = max(range(len(matches)), key=lambda first: (_count_different(text, matches, first, length), -first))
    start = _at_word(text, max(0, matches[best][0] - _LEAD), matches[best][0])
    end = _end_of_word(text, max(start + length, matches[best][1]))
    marked = _marked(text, start, end, matches)
    return Markup("").join([_ELLIPSIS if start else "", marked, _ELLIPSIS if end < len(text) else ""])


def _matches(text: str, words: Sequence[Word]) -> list[tuple[int, int]]:
    pattern = _pattern(tuple(words))
    if pattern is None:
        return []
    found: list[tuple[int, int]] = []
    for match in pattern.finditer(text.lower() if text.isascii() else text.translate(_FOLDED)):
        found.append(match.span())
        if len(found) == _MOST_MATCHES:
            break
    return found


@lru_cache(256)
def _pattern(words: tuple[Word, ...]) -> re.Pattern[str] | None:
    alternatives = []
    for word in words:
        pieces = [re.escape(piece.translate(_FOLDED)) for piece in word.pieces]
        end = rf"{_LETTER}*" if word.is_beginning else rf"(?!{_LETTER})"
        alternatives.append(_GAP.join(pieces) + end)
    # Longer ones first: of a phrase and a word of it, the phrase is marked.
    alternatives.sort(key=len, reverse=True)
    return re.compile(rf"(?<!{_LETTER})(?:{'|'.join(alternatives)})") if alternatives else None


def _count_different(text: str, matches: Sequence[tuple[int, int]], first: int, length: int) -> int:
    limit = matches[first][0] - _LEAD + length
    return len({text[start:end].lower() for start, end in matches[first : first + 40] if end <= limit})


def _at_word(text: str, position: int, limit: int) -> int:
    if position == 0:
        return 0
    space = re.compile(rf"[\s{SEPARATOR}]").search(text, position, limit)
    return limit if space is None else space.end()


def _end_of_word(text: str, position: int) -> int:
    if position >= len(text):
        return len(text)
    space = max(text.rfind(" ", position - 40, position), text.rfind(SEPARATOR, position - 40, position))
    return position if space < 0 else space


def _marked(text: str, start: int, end: int, matches: Sequence[tuple[int, int]]) -> Markup:
    pieces, position = [], start
    for begins, ends in matches:
        if start <= begins and ends <= end:
            pieces += [_shown(text[position:begins]), Markup("<mark>"), _shown(text[begins:ends]), Markup("</mark>")]
            position = ends
    return Markup("").join([*pieces, _shown(text[position:end])])


def _shown(text: str) -> Markup:
    return escape(text.replace(SEPARATOR, ""))
