"""The sections of a post: what stands under each heading, as plain text with the way to it. Pure: HTML in, text out."""

import re
from typing import NamedTuple

from blog.indexing.words import plain_text

# Every heading as the sanitiser writes it; whatever its level, a section begins there.
_HEADING = re.compile(r'<h[1-6](?: [a-z-]+="[^"]*")*? id="([^"]*)"(?: [a-z-]+="[^"]*")*>(.*?)</h[1-6]>', re.DOTALL)
_BLOCK_END = re.compile(r"</(?:p|li|pre|blockquote|tr|figcaption|dd|dt|h[1-6])>|<hr[ />]|<br[ />]")
# Longer blocks are parted at the ends of sentences.
_LONGEST_PIECE = 600
_SENTENCE_END = re.compile(r"(?<=[.!?。！？])\s+")
# A text beyond that is the work of a machine.
_MOST_SECTIONS = 2000


class Section(NamedTuple):
    """What stands under one heading."""

    heading: str  # empty: before the first one
    anchor: str  # the id of the heading; empty likewise
    pieces: tuple[str, ...]  # its paragraphs and lines, in order, none empty


def sections_of(html: str) -> list[Section]:
    """The sections of a rendered post, in order; those without a word are left out."""
    found, start, heading, anchor = [], 0, "", ""
    for match in _HEADING.finditer(html):
        found.append(Section(heading, anchor, _pieces(html[start : match.start()])))
        start, heading, anchor = match.end(), plain_text(match[2]), match[1]
        if len(found) == _MOST_SECTIONS:
            break
    found.append(Section(heading, anchor, _pieces(html[start:])))
    return [section for section in found if section.pieces]


def _pieces(html: str) -> tuple[str, ...]:
    blocks = (plain_text(block) for block in _BLOCK_END.split(html))
    return tuple(piece for block in blocks if block for piece in _parted(block))


def _parted(block: str) -> list[str]:
    if len(block) <= _LONGEST_PIECE:
        return [block]
    pieces, current = [], ""
    for sentence in _SENTENCE_END.split(block):
        for part in (sentence[at : at + _LONGEST_PIECE] for at in range(0, len(sentence), _LONGEST_PIECE)):
            if current and len(current) + len(part) >= _LONGEST_PIECE:
                pieces.append(current)
                current = part
            else:
                current = f"{current} {part}" if current else part
    return [*pieces, current] if current else pieces
