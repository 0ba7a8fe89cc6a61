"""Straight quotation marks as the printers of a language set them. Nothing else is touched: no dashes, no (c)."""

import re
import unicodedata
from collections.abc import Callable, Iterator

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.token import Token

APOSTROPHE = "’"
_MAX_OPEN = 50  # marks without a partner, after which a closing one looks no further back
_NBSP = "\u00a0"

# Outer pair, inner pair; see the table of each language's Wikipedia article on its quotation marks.
_ENGLISH = ("“", "”", "‘", "’")
_FRENCH = (f"«{_NBSP}", f"{_NBSP}»", f"‹{_NBSP}", f"{_NBSP}›")
_GERMAN = ("„", "“", "‚", "‘")
_SWEDISH = ("”", "”", "’", "’")
_SPANISH = ("«", "»", "“", "”")
_SWISS = ("«", "»", "‹", "›")
_RUSSIAN = ("«", "»", "„", "“")
_POLISH = ("„", "”", "«", "»")
_MARKS = {
    **dict.fromkeys(("de", "cs", "sk", "sl", "bg", "is", "lt", "lb", "et", "ka", "mk"), _GERMAN),
    **dict.fromkeys(("de-ch", "de-li", "fr-ch", "it-ch", "rm"), _SWISS),
    **dict.fromkeys(("fr", "br", "oc"), _FRENCH),
    **dict.fromkeys(("es", "it", "pt", "ca", "gl", "eu", "el", "sq"), _SPANISH),
    **dict.fromkeys(("ru", "uk", "be", "hy"), _RUSSIAN),
    **dict.fromkeys(("pl", "ro", "hu"), _POLISH),
    **dict.fromkeys(("sv", "fi"), _SWEDISH),
    **dict.fromkeys(("hr", "sr", "bs"), ("„", "”", "‚", "’")),
    **dict.fromkeys(("no", "nb", "nn"), ("«", "»", "‘", "’")),
    "da": ("»", "«", "›", "‹"),
    "pt-br": _ENGLISH,
    "es-mx": _ENGLISH,
}
_CODE = re.compile(r"<(/?)(?:code|kbd|pre|samp|var)(?![a-z0-9-])", re.IGNORECASE)
_QUOTE = re.compile("[\"']")


def find_marks(language: str) -> tuple[str, str, str, str]:
    """Give a language's marks, from a tag such as `de` or `de-CH`: outer pair, inner pair; English if unknown."""
    tag = language.lower().replace("_", "-")
    return _MARKS.get(tag) or _MARKS.get(tag.partition("-")[0]) or _ENGLISH


def set_quotes(parser: MarkdownIt, language: str) -> None:
    """Tell a parser to turn quotes in the text, except those escaped by the writer, in code, and in addresses."""
    parser.core.ruler.before("text_join", "escaped_quotes", _keep_escaped)
    parser.core.ruler.push("quotes", _make_rule(find_marks(language)))


def _keep_escaped(state: StateCore) -> None:
    for token in state.tokens:
        for part in token.children or ():
            if part.type == "text_special" and _QUOTE.fullmatch(part.content):
                part.type = "escaped_quote"


def _make_rule(marks: tuple[str, str, str, str]) -> Callable[[StateCore], None]:
    def turn(state: StateCore) -> None:
        depth = 0
        for token in state.tokens:
            if token.type == "html_block":
                depth = _count_code(token.content, depth)
            elif token.type == "inline" and token.children:
                texts, depth = _find_texts(token.children, depth)
                _turn(token.children, texts, marks)

    return turn


def _count_code(html: str, depth: int) -> int:
    for closing in _CODE.findall(html):
        depth = max(depth - 1, 0) if closing else depth + 1
    return depth


def _find_texts(parts: list[Token], depth: int) -> tuple[set[int], int]:
    """Give the numbers of the parts whose quotes may be turned, and how deep in code written as HTML they end."""
    texts = set()
    is_address = False
    for number, part in enumerate(parts):
        if part.type == "html_inline":
            depth = _count_code(part.content, depth)
        elif part.type in ("link_open", "link_close"):
            is_address = part.type == "link_open" and part.info == "auto"
        elif part.type == "text" and not depth and not is_address:
            texts.add(number)
    return texts, depth


def _turn(parts: list[Token], texts: set[int], marks: tuple[str, str, str, str]) -> None:
    """Replace the quotes of one paragraph, each by what stands around it and by its partner, as markdown-it does."""
    shown = ["\n" if part.type in ("softbreak", "hardbreak") else part.content for part in parts]
    line = f" {''.join(shown)} "
    if not _QUOTE.search(line):
        return
    turned: dict[int, str] = {}
    waiting: list[tuple[int, str, int]] = []  # place, mark and level of those without a partner
    for place, level in _find_quotes(parts, shown, texts):
        while waiting and waiting[-1][2] > level:
            waiting.pop()
        if place < 0:
            continue
        mark = line[place]
        can_open, can_close = _judge(line[place - 1], mark, line[place + 1])
        partner = _find_partner(waiting, mark, level) if can_close else -1
        if partner >= 0:
            outer = 0 if mark == '"' else 2
            turned[waiting[partner][0]], turned[place] = marks[outer], marks[outer + 1]
            del waiting[partner:]
        elif can_open:
            waiting.append((place, mark, level))
        if mark == "'" and place not in turned and (not can_open or line[place + 1].isalnum()):
            turned[place] = APOSTROPHE
    end = 1
    for number, (part, content) in enumerate(zip(parts, shown, strict=True)):
        start, end = end, end + len(content)
        if part.type == "escaped_quote":
            part.type = "text"
        elif number in texts and _QUOTE.search(content):
            part.content = "".join(turned.get(start + n, character) for n, character in enumerate(content))


def _find_quotes(parts: list[Token], shown: list[str], texts: set[int]) -> Iterator[tuple[int, int]]:
    """Give the place and level of every quote, and -1 with the level of every part."""
    end = 1
    for number, (part, content) in enumerate(zip(parts, shown, strict=True)):
        start, end = end, end + len(content)
        yield -1, part.level
        if number in texts:
            yield from ((start + found.start(), part.level) for found in _QUOTE.finditer(content))


def _judge(before: str, mark: str, after: str) -> tuple[bool, bool]:
    """Tell whether a mark between these characters can open, and whether it can close."""
    is_sign_before, is_sign_after = (unicodedata.category(character)[0] in "PS" for character in (before, after))
    can_open = not after.isspace() and (not is_sign_after or before.isspace() or is_sign_before)
    can_close = not before.isspace() and (not is_sign_before or after.isspace() or is_sign_after)
    if mark == after == '"' and "0" <= before <= "9":
        return False, False  # inches
    if can_open and can_close:  # between signs, or within a word
        return is_sign_before, is_sign_after
    return can_open, can_close


def _find_partner(waiting: list[tuple[int, str, int]], mark: str, level: int) -> int:
    for number in range(len(waiting) - 1, max(len(waiting) - _MAX_OPEN, 0) - 1, -1):
        if waiting[number][2] < level:
            break
        if waiting[number][1] == mark:
            return number
    return -1
