"""Three-way merges: nothing that a side added is lost, whatever the texts are and however long."""

import random
import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blog.texts.merging import Agreed, Choice, Conflict, _find_longest, match, merge

LINES = st.lists(st.sampled_from(["", "a", "b", "c", "- one", "# two", "…"]), max_size=14)
TEXTS = LINES.map("\n".join)
SECONDS = 6  # each takes less than one on a machine that does nothing else
N = 100_000


@st.composite
def edits(draw, bases):
    """A base, and two sides made from it by taking lines out and putting lines in that are nowhere else."""
    base = draw(bases)
    sides = []
    for side in Choice.MINE, Choice.THEIRS:
        lines = []
        for i, line in enumerate([*base, None]):
            lines += [f"{side} {i}.{n}" for n in range(draw(st.sampled_from([0, 0, 0, 1, 2])))]
            if line is not None and draw(st.sampled_from([True, True, False])):
                lines.append(line)
        sides.append(lines)
    return base, *sides


def swap(parts):
    return tuple(Conflict(p.base, p.theirs, p.mine) if isinstance(p, Conflict) else p for p in parts)


@pytest.mark.parametrize(
    ("base", "mine", "theirs", "parts"),
    [
        ("a\nb\nc", "A\nb\nc", "a\nb\nC", [Agreed(("A", "b", "C"))]),
        ("a\nb", "a\nx\nb", "a\nb\ny", [Agreed(("a", "x", "b", "y"))]),
        ("a\nb\nc", "a\nc", "a\nb\nc\nd", [Agreed(("a", "c", "d"))]),
        ("a\nb\nc", "a\nx\nc", "a\ny\nc", [Agreed(("a",)), Conflict(("b",), ("x",), ("y",)), Agreed(("c",))]),
        ("a\nb\nc", "a\nc", "a\ny\nc", [Agreed(("a",)), Conflict(("b",), (), ("y",)), Agreed(("c",))]),
        ("a", "a\nx\ny", "a\nx\nz", [Agreed(("a", "x")), Conflict((), ("y",), ("z",))]),
        ("a\n", "a\nb\n", "a\n", [Agreed(("a", "b", ""))]),
        ("", "a", "", [Agreed(("a",))]),
        ("", "a", "b", [Conflict(("",), ("a",), ("b",))]),
        ("a\nb", "a\r\nb", "a\nb\u2028c", [Conflict(("a", "b"), ("a\r", "b"), ("a", "b\u2028c"))]),
    ],
)
def test_a_merge_to_the_letter(base, mine, theirs, parts):
    assert merge(base, mine, theirs).parts == tuple(parts)


def test_a_person_chooses_for_each_conflict():
    found = merge("a\nb\nc\nd\ne", "a\nB\nc\nD\ne", "a\nβ\nc\nδ\ne")
    assert not found.is_clean
    assert found.build([Choice.MINE, Choice.THEIRS]) == "a\nB\nc\nδ\ne"
    assert found.build([Choice.BOTH, Choice("mine")]) == "a\nB\nβ\nc\nD\ne"
    for choices in ([], [Choice.MINE], [Choice.MINE] * 3):
        with pytest.raises(ValueError, match="2 conflicts"):
            found.build(choices)
    with pytest.raises(ValueError, match="2 conflicts"):
        _ = found.text


@given(TEXTS, TEXTS)
def test_what_one_side_left_alone_follows_the_other(base, side):
    assert merge(base, side, side).text == side
    assert merge(base, base, side).text == side
    assert merge(base, side, base).text == side


@given(TEXTS, TEXTS, TEXTS)
def test_swapping_the_sides_swaps_the_conflicts_and_nothing_else(base, mine, theirs):
    assert merge(base, theirs, mine).parts == swap(merge(base, mine, theirs).parts)


@given(TEXTS, TEXTS, TEXTS)
def test_both_sides_of_all_conflicts_hold_every_line_that_is_new(base, mine, theirs):
    found = merge(base, mine, theirs)
    both = found.build([Choice.BOTH] * len(found.conflicts))
    new = (set(mine.split("\n")) | set(theirs.split("\n"))) - set(base.split("\n"))
    assert new <= set(both.split("\n"))


@given(edits(LINES))
def test_no_line_is_dropped_that_one_side_added(edit):
    _, mine, theirs = edit
    found = merge(*("\n".join(lines) for lines in edit))
    both = found.build([Choice.BOTH] * len(found.conflicts)).split("\n")
    for side, lines in ((Choice.MINE, mine), (Choice.THEIRS, theirs)):
        added = [line for line in lines if line.startswith(side)]
        assert [line for line in both if line.startswith(side)] == added
        chosen = found.build([side] * len(found.conflicts)).split("\n")
        assert [line for line in chosen if line.startswith(side)] == added


@given(edits(st.integers(1, 14).map(lambda n: [f"{i}." for i in range(n)])))
def test_a_line_that_both_kept_stays_and_one_that_either_took_out_is_gone(edit):
    base, mine, theirs = map(list, edit)
    found = merge(*("\n".join(lines) for lines in edit))
    agreed = {line for part in found.parts if isinstance(part, Agreed) for line in part.lines}
    for line in base:
        is_kept = line in mine and line in theirs
        assert (line in agreed) == is_kept


@given(st.lists(st.sampled_from("abcd ")), st.lists(st.sampled_from("abcd ")))
def test_pairs_are_equal_and_rise(old, new):
    pairs = match(old, new)
    assert all(old[i] == new[j] for i, j in pairs)
    assert all(a < c and b < d for (a, b), (c, d) in pairwise(pairs))


@given(st.lists(st.sampled_from("abc")), st.lists(st.sampled_from("abc")))
def test_without_anchors_no_longer_list_of_pairs_exists(old, new):
    longest = [[0] * (len(new) + 1) for _ in range(len(old) + 1)]
    for i, one in enumerate(old):
        for j, other in enumerate(new):
            longest[i + 1][j + 1] = longest[i][j] + 1 if one == other else max(longest[i][j + 1], longest[i + 1][j])
    pairs = list(_find_longest(old, new))[::-1]
    assert len(pairs) == longest[-1][-1]
    assert all(old[i] == new[j] for i, j in pairs)
    assert pairs == sorted(pairs)


chance = random.Random(4)
WORDS = [f"line {n}" for n in range(N)]
LONG = {
    "all lines equal": ("x\n" * N, "x\n" * (N - 1), "x\n" * (N + 1)),
    "all lines different": ("\n".join(WORDS), "\n".join(f"m{w}" for w in WORDS), "\n".join(f"t{w}" for w in WORDS)),
    "in another order": ("\n".join(WORDS), "\n".join(WORDS[::-1]), "\n".join(chance.sample(WORDS, N))),
    "of two kinds": tuple("\n".join(chance.choices("ab", k=N)) for _ in range(3)),
    "of two kinds, between anchors": tuple(
        "\n".join(line for n in range(36) for line in (f"anchor{n}", *chance.choices("ab", k=14_000))) for _ in range(3)
    ),
    "paragraphs rewritten": tuple("\n\n".join(f"{s}{w}" for w in WORDS[: N // 2]) for s in "bmt"),
    "empty lines": ("\n" * 2**20, "\n" * (2**20 - 2) + "a", "b" + "\n" * (2**20 - 3)),
    "one line of a mebibyte": ("x" * 2**20, "x" * (2**20 - 1) + "y", "z" * 2**20),
    "few against many": ("a\nb\nc\n" * 50, "\n".join(chance.choices("abcd", k=500_000)), "a\nb\n" * 200_000),
    "turned": ("a\nb\n" * 30_000, "b\na\na\n" * 30_000, "a\na\nb\n" * 30_000),
    "a few edits in a mebibyte": (
        "\n".join(f"{w} " * 2 for w in WORDS[:50_000]),
        "\n".join(f"{w} " * 2 + "!" * (n % 999 == 0) for n, w in enumerate(WORDS[:50_000])),
        "\n".join(f"{w} " * 2 + "?" * (n % 999 == 5) for n, w in enumerate(WORDS[:50_000])),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", LONG)
def test_long_texts_are_merged_soon(name):
    base, mine, theirs = LONG[name]
    began = time.process_time()
    found = merge(base, mine, theirs)
    assert time.process_time() - began < SECONDS
    both = set(found.build([Choice.BOTH] * len(found.conflicts)).split("\n"))
    assert (set(mine.split("\n")) | set(theirs.split("\n"))) - set(base.split("\n")) <= both
    if name == "a few edits in a mebibyte":
        assert found.is_clean
        assert found.text.count("!") == mine.count("!")
        assert found.text.count("?") == theirs.count("?")
