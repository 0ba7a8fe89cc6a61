"""What differs between two texts: by line, then by word within the lines that changed, in a form that people can read.

Lines are what stands between `\\n`. Nothing is left out but unchanged lines, which are counted.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import accumulate, pairwise

from markupsafe import Markup, escape

from blog.texts.merging import Budget, match

CONTEXT = 3
"""Unchanged lines that are shown before and after a change."""

MAX_PIECES = 10_000
"""Of lines that changed here and there; what changed beyond them is shown whole, or the page would be too long."""

MAX_CHANGES = 2_000
"""Places that are shown each by itself; the last one then reaches to the end of what changed."""

_BRIDGE = 2  # empty lines between two changes, which do not keep them apart
_IDEOGRAPHS = r"\u2e80-\u9fff\uf900-\ufaff"  # written without spaces: each is a word
_SIGNS = rf"\s!-/:-@\[-^`{{-~\u00ab\u00bb\u2010-\u2027\u2030-\u205e{_IDEOGRAPHS}"
_WORD = re.compile(rf"\n|[^\S\n]+|[^{_SIGNS}]+|[\s\S]")

_Gap = tuple[int, int, int, int]  # from and to in the old, from and to in the new


class Kind(StrEnum):
    """What happened to a piece of text, or to lines."""

    SAME = "same"
    REMOVED = "removed"
    ADDED = "added"
    CHANGED = "changed"  # lines with pieces of all kinds
    FOLDED = "folded"  # unchanged lines, only counted


@dataclass(frozen=True, slots=True)
class Piece:
    """Some characters, within a line or over several."""

    kind: Kind
    text: str


@dataclass(frozen=True, slots=True)
class Change:
    """Lines: how many of the old text, how many of the new, and what is in them."""

    kind: Kind
    old_count: int
    new_count: int
    pieces: tuple[Piece, ...] = ()


def compare(old: str, new: str) -> list[Change]:
    """Give the way from one text to another: changes with the lines around them, all others folded."""
    old_lines, new_lines = old.split("\n"), new.split("\n")
    changes: list[Change] = []
    i = 0
    pieces_left, budget = MAX_PIECES, Budget()
    gaps = _bridge(_find_gaps(match(old_lines, new_lines), old_lines, new_lines), old_lines)
    for start, i_end, j, j_end in _join_beyond(gaps, MAX_CHANGES):
        changes += _show(old_lines[i:start], is_first=i == 0, is_last=False)
        before, after = "\n".join(old_lines[start:i_end]), "\n".join(new_lines[j:j_end])
        pieces = _compare_words(before, after, budget) if pieces_left and i_end > start and j_end > j else ()
        if 0 < len(pieces) <= pieces_left:
            pieces_left -= len(pieces)
            changes.append(Change(Kind.CHANGED, i_end - start, j_end - j, pieces))
        else:
            if i_end > start:
                changes.append(Change(Kind.REMOVED, i_end - start, 0, (Piece(Kind.REMOVED, before),)))
            if j_end > j:
                changes.append(Change(Kind.ADDED, 0, j_end - j, (Piece(Kind.ADDED, after),)))
        i = i_end
    changes += _show(old_lines[i:], is_first=i == 0, is_last=True)
    return changes


def apply(old: str, changes: Sequence[Change]) -> str:
    """Give the new text; a ValueError if the changes were made from another old one."""
    lines = old.split("\n")
    result: list[str] = []
    i = 0
    for change in changes:
        before = "\n".join(lines[i : i + change.old_count])
        if change.kind is Kind.FOLDED:
            result.append(before)
        else:
            if before != "".join(piece.text for piece in change.pieces if piece.kind is not Kind.ADDED):
                raise ValueError("These changes belong to another text.")
            if change.new_count:
                result.append("".join(piece.text for piece in change.pieces if piece.kind is not Kind.REMOVED))
        i += change.old_count
    if i != len(lines):
        raise ValueError("These changes belong to another text.")
    return "\n".join(result)


def to_html(changes: Sequence[Change]) -> Markup:
    """Give the changes as HTML: `<ins>` and `<del>`, which say what they are to those who see no colours."""
    lines = [
        Markup('<p class="folded">{:,} unchanged {}</p>\n').format(
            change.old_count, "line" if change.old_count == 1 else "lines"
        )
        if change.kind is Kind.FOLDED
        else Markup('<p dir="auto">{}</p>\n').format(Markup("").join(map(_write, change.pieces)))
        for change in changes
    ]
    return Markup('<div class="changes">\n{}</div>\n').format(Markup("").join(lines))


def _write(piece: Piece) -> Markup:
    if piece.kind is Kind.SAME:
        return escape(piece.text)
    tag = "ins" if piece.kind is Kind.ADDED else "del"
    # An empty line, or the end of one, has nothing to colour.
    text = piece.text if piece.text.strip(" \n") else piece.text.replace("\n", "¶\n") or "¶"
    return Markup('<{}><span class="unseen">[{}: </span>{}<span class="unseen">]</span></{}>').format(
        tag, piece.kind.value, text, tag
    )


def _show(lines: Sequence[str], *, is_first: bool, is_last: bool) -> Iterator[Change]:
    """Unchanged lines: some next to the changes, the others folded."""
    head, tail = (0 if is_first else CONTEXT), (0 if is_last else CONTEXT)
    folded = len(lines) - head - tail
    if folded < 2 and not (folded == 1 and is_first and is_last):
        head, folded = len(lines), 0
    for kind, part in (
        (Kind.SAME, lines[:head]),
        (Kind.FOLDED, lines[head : head + folded]),
        (Kind.SAME, lines[head + folded :]),
    ):
        if part:
            pieces = (Piece(Kind.SAME, "\n".join(part)),) if kind is Kind.SAME else ()
            yield Change(kind, len(part), len(part), pieces)


def _find_gaps(pairs: list[tuple[int, int]], old: Sequence[str], new: Sequence[str]) -> Iterator[_Gap]:
    """Give the ranges between pairs of equal items."""
    for (i, j), (i_end, j_end) in pairwise([(-1, -1), *pairs, (len(old), len(new))]):
        if (i + 1, j + 1) != (i_end, j_end):
            yield i + 1, i_end, j + 1, j_end


def _bridge(gaps: Iterator[_Gap], old: Sequence[str]) -> list[_Gap]:
    """Join changes with nothing but an empty line between them: together their words find their partners."""
    joined: list[_Gap] = []
    for gap in gaps:
        last = joined[-1] if joined else gap
        if joined and gap[0] - last[1] <= _BRIDGE and not any(map(str.strip, old[last[1] : gap[0]])):
            joined[-1] = (last[0], gap[1], last[2], gap[3])
        else:
            joined.append(gap)
    return joined


def _join_beyond(gaps: list[_Gap], most: int) -> list[_Gap]:
    """The last of so many becomes one with all that follow."""
    if len(gaps) <= most:
        return gaps
    first, last = gaps[most - 1], gaps[-1]
    return [*gaps[: most - 1], (first[0], last[1], first[2], last[3])]


def _compare_words(before: str, after: str, budget: Budget) -> tuple[Piece, ...]:
    """Give the pieces of two runs of lines, or none if they have too little in common to be read as one text."""
    old, new = _WORD.findall(before), _WORD.findall(after)
    old_weights, new_weights = ([0, *accumulate(len(word.strip()) for word in words)] for words in (old, new))

    def weigh(gap: _Gap) -> int:
        return max(old_weights[gap[1]] - old_weights[gap[0]], new_weights[gap[3]] - new_weights[gap[2]])

    def is_confetti(one: _Gap, other: _Gap) -> bool:
        """Tell whether the words between two longer changes stayed by chance. The end of a line is no word."""
        between = old_weights[other[0]] - old_weights[one[1]]
        return between <= min(weigh(one), weigh(other)) and "\n" not in old[one[1] : other[0]]

    gaps: list[_Gap] = []
    for found in _find_gaps(match(old, new, budget), old, new):
        gap = found
        while gaps and is_confetti(gaps[-1], gap):
            last = gaps.pop()
            gap = (last[0], gap[1], last[2], gap[3])
        gaps.append(gap)
    removed = sum(old_weights[gap[1]] - old_weights[gap[0]] for gap in gaps)
    if 4 * (old_weights[-1] - removed) <= min(old_weights[-1], new_weights[-1]):
        return ()
    pieces = []
    done = 0
    for i, i_end, j, j_end in [*gaps, (len(old), len(old), len(new), len(new))]:
        for kind, words in ((Kind.SAME, old[done:i]), (Kind.REMOVED, old[i:i_end]), (Kind.ADDED, new[j:j_end])):
            if words:
                pieces.append(Piece(kind, "".join(words)))
        done = i_end
    return tuple(pieces)
