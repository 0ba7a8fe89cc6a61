"""Three states of a text become one: what only one side changed is taken, what both changed is put before a person.

Lines are what stands between `\\n`; whoever hands in texts has made line ends alike. No word of either side is lost:
every line that a side added is in an agreed part or in a conflict.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

_MAX_SPLITS = 8
MAX_TABLE_BITS = 200_000_000
"""Of the tables that find the longest common parts of runs: 25 MB, about a tenth of a second. Beyond them: no match."""


class Budget:
    """How much may still be spent on tables; one for all matches that answer one question."""

    def __init__(self) -> None:
        self._bits_left = MAX_TABLE_BITS

    def allows(self, bits: int) -> bool:
        """Take them, if so many are left."""
        if bits > self._bits_left:
            return False
        self._bits_left -= bits
        return True


class Choice(StrEnum):
    """What a person decides about one conflict."""

    MINE = "mine"
    THEIRS = "theirs"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class Agreed:
    """Lines that are settled."""

    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Conflict:
    """Lines that both sides changed, each in its own way; no lines on a side means that it took them out."""

    base: tuple[str, ...]
    mine: tuple[str, ...]
    theirs: tuple[str, ...]

    def choose(self, choice: Choice) -> tuple[str, ...]:
        """Give the lines that stay: for both, mine stand before theirs."""
        return {Choice.MINE: self.mine, Choice.THEIRS: self.theirs, Choice.BOTH: self.mine + self.theirs}[choice]


@dataclass(frozen=True, slots=True)
class Merge:
    """The outcome, in the order of the text."""

    parts: tuple[Agreed | Conflict, ...]

    @property
    def conflicts(self) -> tuple[Conflict, ...]:
        """What a person has to decide, in the order in which `build` wants the choices."""
        return tuple(part for part in self.parts if isinstance(part, Conflict))

    @property
    def is_clean(self) -> bool:
        """Whether there is nothing to decide."""
        return not self.conflicts

    @property
    def text(self) -> str:
        """The merged text; a ValueError unless the merge is clean."""
        return self.build(())

    def build(self, choices: Sequence[Choice]) -> str:
        """Give the text after one choice for each conflict; a ValueError for more or fewer."""
        if len(choices) != len(self.conflicts):
            raise ValueError(f"{len(self.conflicts)} conflicts need as many choices, not {len(choices)}.")
        left = iter(choices)
        parts = (part.lines if isinstance(part, Agreed) else part.choose(next(left)) for part in self.parts)
        return "\n".join(line for lines in parts for line in lines)


def merge(base: str, mine: str, theirs: str) -> Merge:
    """Merge two texts that were both made from `base`: what one side left alone follows the other.

    Mine and theirs are treated alike: swapping them swaps the sides of the conflicts and changes nothing else.
    """
    parts: list[Agreed | Conflict] = []
    settled: list[str] = []
    for part in _resolve_all(*(text.split("\n") for text in (base, mine, theirs))):
        if isinstance(part, Conflict):
            if settled:
                parts.append(Agreed(tuple(settled)))
            settled = []
            parts.append(part)
        else:
            settled += part
    if settled:
        parts.append(Agreed(tuple(settled)))
    return Merge(tuple(parts))


def _resolve_all(base: list[str], mine: list[str], theirs: list[str]) -> Iterator[Conflict | Sequence[str]]:
    """Walk from one line that both sides kept to the next, and settle what lies between."""
    in_mine, in_theirs = dict(match(base, mine)), dict(match(base, theirs))
    b = m = t = 0
    for i, j in in_mine.items():
        k = in_theirs.get(i, -1)
        if k >= 0:
            if (b, m, t) != (i, j, k):
                yield from _resolve(base[b:i], mine[m:j], theirs[t:k])
            yield (base[i],)
            b, m, t = i + 1, j + 1, k + 1
    yield from _resolve(base[b:], mine[m:], theirs[t:])


def _resolve(base: list[str], mine: list[str], theirs: list[str]) -> Iterator[Conflict | Sequence[str]]:
    if mine in (theirs, base):
        yield theirs
    elif theirs == base:
        yield mine
    else:
        # Where both sides begin or end alike there is nothing to decide.
        head = _count_alike(mine, theirs)
        tail = _count_alike(mine[head:][::-1], theirs[head:][::-1])
        yield mine[:head]
        yield Conflict(tuple(base), tuple(mine[head : len(mine) - tail]), tuple(theirs[head : len(theirs) - tail]))
        yield mine[len(mine) - tail :]


def match(old: Sequence[Hashable], new: Sequence[Hashable], budget: Budget | None = None) -> list[tuple[int, int]]:
    """Pair positions of equal items, rising on both sides. Always right, and the longest such list in most cases.

    Items that occur once on both sides are anchors (patience diff), which reads better than the longest list of all;
    between them it is the longest. Long runs without anchors, beyond the budget, are left without pairs.
    """
    budget = budget or Budget()
    pairs: list[tuple[int, int]] = []
    left = [(0, len(old), 0, len(new), _MAX_SPLITS)]
    while left:
        i, i_end, j, j_end, splits = left.pop()
        while i < i_end and j < j_end and old[i] == new[j]:
            pairs.append((i, j))
            i, j = i + 1, j + 1
        while i < i_end and j < j_end and old[i_end - 1] == new[j_end - 1]:
            i_end, j_end = i_end - 1, j_end - 1
            pairs.append((i_end, j_end))
        if i == i_end or j == j_end:
            continue
        anchors = _find_anchors(old[i:i_end], new[j:j_end]) if splits else []
        if anchors:
            pairs += ((i + a, j + b) for a, b in anchors)
            for (a, b), (c, d) in pairwise([(-1, -1), *anchors, (i_end - i, j_end - j)]):
                left.append((i + a + 1, i + c, j + b + 1, j + d, splits - 1))
        elif budget.allows((i_end - i) * (j_end - j)):
            pairs += ((i + a, j + b) for a, b in _find_longest(old[i:i_end], new[j:j_end]))
    return sorted(pairs)


def _count_alike(one: Sequence[Hashable], other: Sequence[Hashable]) -> int:
    return next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _find_anchors(old: Sequence[Hashable], new: Sequence[Hashable]) -> list[tuple[int, int]]:
    """Give the longest rising list of items that occur once on each side."""
    in_old, in_new = Counter(old), Counter(new)
    place = {item: j for j, item in enumerate(new) if in_new[item] == 1}
    unique = [(i, place[item]) for i, item in enumerate(old) if in_old[item] == 1 and item in place]
    ends: list[int] = []  # of the rising lists of each length, the smallest last place
    last: list[int] = []  # and which of `unique` it is
    before: list[int] = []
    for n, (_, j) in enumerate(unique):
        length = bisect_left(ends, j)
        before.append(last[length - 1] if length else -1)
        ends[length : length + 1] = [j]
        last[length : length + 1] = [n]
    chain = []
    n = last[-1] if last else -1
    while n >= 0:
        chain.append(unique[n])
        n = before[n]
    return chain[::-1]


def _find_longest(old: Sequence[Hashable], new: Sequence[Hashable]) -> Iterator[tuple[int, int]]:
    """Give a longest common subsequence, last pair first: a row of bits for each item of the longer side (Hyyrö)."""
    if len(old) < len(new):
        yield from ((i, j) for j, i in _find_longest(new, old))
        return
    places: dict[Hashable, int] = {}
    for j, item in enumerate(new):
        places[item] = places.get(item, 0) | 1 << j
    rows = [(1 << len(new)) - 1]  # a bit is 0 where one more item of `new` makes the common part longer
    for item in old:
        row = rows[-1]
        hit = row & places.get(item, 0)
        rows.append(((row + hit) | (row - hit)) & rows[0])
    i, j = len(old), len(new)
    while i and j:
        if rows[i] >> (j - 1) & 1:
            j -= 1
        elif rows[i - 1] >> (j - 1) & 1:
            i, j = i - 1, j - 1
            yield i, j
        else:
            i -= 1
