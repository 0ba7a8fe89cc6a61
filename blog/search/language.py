"""What people type into the search: words, "phrases", -exclusions, tag: and author:. Pure, and answers to anything.

None of it reaches FTS5 as syntax: every word is quoted, and what holds no letter and no digit is left out.
"""

import re
import unicodedata
from dataclasses import dataclass

from blog.indexing.words import key_of_author, key_of_tag, key_of_title, separate

# A question that people type is far below. Each word costs time for every post that holds it.
MOST_WORDS = 16
MOST_CHARACTERS = 1000
# From then on the last word may be the beginning of one.
_SHORTEST_BEGINNING = 3

_PART = re.compile(
    r"""(?P<minus>-)?(?:(?P<filter>tag|author):)?(?:"(?P<phrase>[^"]*)"?|(?P<word>[^\s"]+))""", re.IGNORECASE
)
_QUOTES = str.maketrans(dict.fromkeys("“”„‟«»＂", '"'))
_ACCENTS = frozenset(map(chr, range(0x300, 0x332)))
_COLUMNS = "{title tags body}"


@dataclass(frozen=True, slots=True)
class Word:
    """A word, or several that must stand side by side."""

    pieces: tuple[str, ...]
    is_beginning: bool = False  # the last piece may be the beginning of a word

    @property
    def expression(self) -> str:
        """The same for FTS5; the whole word counts for more than one that only begins with it."""
        quoted = f'"{" ".join(self.pieces)}"'
        return f"({quoted} OR {quoted} *)" if self.is_beginning else quoted


@dataclass(frozen=True, slots=True)
class Question:
    """What was asked, in the words of the index."""

    words: tuple[Word, ...] = ()
    without: tuple[Word, ...] = ()
    keys: tuple[str, ...] = ()
    without_keys: tuple[str, ...] = ()
    is_shortened: bool = False  # it was too long to be used whole
    is_any: bool = False  # one of the words is enough

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to look for or to leave out."""
        return not (self.words or self.without or self.keys or self.without_keys)

    @property
    def wanted(self) -> str:
        """The expression of FTS5 for what must be there; empty: nothing must."""
        parts = [f'keys : "{key}"' for key in self.keys]
        if self.words:
            joint = " OR " if self.is_any else " AND "
            words = f"{_COLUMNS} : ({joint.join(word.expression for word in self.words)})"
            # Whoever has the name has the words: the name only weighs.
            name = key_of_title(" ".join(piece for word in self.words for piece in word.pieces))
            parts.append(f'({words} OR name : "{name}")')
        return " AND ".join(parts)

    @property
    def unwanted(self) -> str:
        """The expression of FTS5 for what must not be there; empty: anything may."""
        parts = [f'keys : "{key}"' for key in self.without_keys]
        if self.without:
            parts.append(f"{_COLUMNS} : ({' OR '.join(word.expression for word in self.without)})")
        return " OR ".join(parts)


def understand(text: str) -> Question:
    """What was asked."""
    is_shortened = len(text) > MOST_CHARACTERS
    text = text[:MOST_CHARACTERS].translate(_QUOTES)
    words: list[Word] = []
    without: list[Word] = []
    keys: list[str] = []
    without_keys: list[str] = []
    left, may_begin = MOST_WORDS, False
    for part in _PART.finditer(text):
        value = part["word"] if part["phrase"] is None else part["phrase"]
        pieces = [] if part["filter"] else _pieces(value)
        key = _key(part["filter"], value) if part["filter"] else ""
        if not pieces and not key:
            continue
        if not left:
            is_shortened = True
            break
        if key:
            (without_keys if part["minus"] else keys).append(key)
            left -= 1
        else:
            is_shortened = is_shortened or len(pieces) > left
            (without if part["minus"] else words).append(Word(tuple(pieces[:left])))
            left -= min(left, len(pieces))
        may_begin = bool(pieces and not part["minus"] and part["phrase"] is None and part.end() == len(text.rstrip()))
    if may_begin and not is_shortened and len(words[-1].pieces[-1]) >= _SHORTEST_BEGINNING:
        words[-1] = Word(words[-1].pieces, is_beginning=True)
    return Question(tuple(words), tuple(without), tuple(keys), tuple(without_keys), is_shortened)


def _pieces(text: str) -> list[str]:
    """What the index takes for words, or for single characters that are words."""
    return "".join(_kept(character) for character in separate(text)).split()


def _kept(character: str) -> str:
    category = unicodedata.category(character)
    if category[0] in "LN" or category == "Co":
        return character
    # Accents that compose with nothing are no part of a word; the signs of other scripts part words, as in FTS5.
    return "" if character in _ACCENTS else " "


def _key(name: str, value: str) -> str:
    value = " ".join(unicodedata.normalize("NFC", value).split())
    if not any(c.isprintable() and not c.isspace() for c in value):
        return ""
    return key_of_tag(value) if name.lower() == "tag" else key_of_author(value.removeprefix("@"))
