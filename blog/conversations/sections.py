"""The sections of a post: what stands under each heading, as plain text with the way to it. Pure: HTML in, text out."""

import re
from collections.abc import Iterator
from html import unescape
from typing import NamedTuple

from blog.indexing.words import plain_text

# Every heading as the sanitiser writes it; whatever its level, a section begins there.
_HEADING = re.compile(r'<h([1-6])(?: [a-z-]+="[^"]*")*? id="([^"]*)"(?: [a-z-]+="[^"]*")*>(.*?)</h[1-6]>', re.DOTALL)
_BLOCK_END = re.compile(r"</(?:p|li|blockquote|tr|figcaption|summary|dd|dt|h[1-6])>|<hr[ />]|<br[ />]")
_CODE = re.compile(r"<(/?)pre(?: [^<>]*)?>")
# Longer blocks are parted at the ends of sentences, and code at the ends of lines: a piece can be quoted whole.
LONGEST_PIECE = 480
_SENTENCE_END = re.compile(r"(?<=[.!?…])\s+|(?<=[。！？])\s*")
# A text beyond that is the work of a machine: what follows stands under the last of them.
MOST_SECTIONS = 2000
# A longer name of a place, which only a writer's own HTML has, is in no address.
_LONGEST_ANCHOR = 300
# A longer one is several of one heading, each found by itself.
_LONGEST_SECTION = 8000


class Section(NamedTuple):
    """What stands under one heading."""

    heading: str  # empty: before the first one
    anchor: str  # the id of the heading; empty likewise, and where it is too long
    pieces: tuple[str, ...]  # its paragraphs and lines, in order, none empty
    above: tuple[str, ...] = ()  # the headings of the sections that it is a part of, the highest first


def sections_of(html: str) -> list[Section]:
    """The sections of a rendered post, in order; those without a word are left out."""
    found: list[Section] = []
    start, heading, anchor, above = 0, "", "", list[tuple[int, str]]()
    for match in _HEADING.finditer(html):
        if len(found) >= MOST_SECTIONS:
            break
        found += _sections(heading, anchor, html[start : match.start()], above)
        start, level, heading = match.end(), int(match[1]), plain_text(match[3])
        anchor = name if len(name := unescape(match[2])) <= _LONGEST_ANCHOR else ""
        above = [*((other, name) for other, name in above if other < level), (level, heading)]
    return [*found, *_sections(heading, anchor, html[start:], above)]


def _sections(heading: str, anchor: str, html: str, above: list[tuple[int, str]]) -> Iterator[Section]:
    pieces, length, names = list[str](), 0, tuple(name for _level, name in above[:-1])
    for block in _blocks(html):
        for piece in _parted(block):
            if length + len(piece) > _LONGEST_SECTION:
                yield Section(heading, anchor, tuple(pieces), names)
                pieces, length = [], 0
            pieces.append(piece)
            length += len(piece)
    if pieces:
        yield Section(heading, anchor, tuple(pieces), names)


def _blocks(html: str) -> Iterator[list[str]]:
    """Paragraphs, rows and pieces of code, each as the sentences or lines that it is made of."""
    # Of what parts it, every second is the slash of an end.
    before, *rest = _CODE.split(html)
    for slash, part in zip(("/", *rest[::2]), (before, *rest[1::2]), strict=True):
        if not slash:
            yield [line for each in part.split("\n") if (line := plain_text(each))]
        else:
            for block in _BLOCK_END.split(part):
                if text := plain_text(block):
                    yield [text] if len(text) <= LONGEST_PIECE else [each for each in _SENTENCE_END.split(text) if each]


def _parted(parts: list[str]) -> Iterator[str]:
    current = ""
    for part in parts:
        for piece in _cut(part):
            if current and len(current) + 1 + len(piece) > LONGEST_PIECE:
                yield current
                current = piece
            else:
                current = f"{current} {piece}" if current else piece
    if current:
        yield current


def _cut(text: str) -> Iterator[str]:
    """What is longer than any sentence, between its words if it has some."""
    while len(text) > LONGEST_PIECE:
        at = text.rfind(" ", LONGEST_PIECE // 2, LONGEST_PIECE + 1)
        yield text[: LONGEST_PIECE if at < 0 else at]
        text = text[LONGEST_PIECE if at < 0 else at + 1 :]
    if text:
        yield text
