"""What differs between two texts: exact, readable, and found soon."""

import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blog.texts.comparing import CONTEXT, MAX_PIECES, Change, Kind, Piece, apply, compare, to_html
from tests.blog.rendering.allowed import Page
from tests.blog.texts.test_merging import LONG

SECONDS = 10  # the slowest takes a little more than one on a machine that does nothing else
MEBIBYTE = 2**20
WORDS = [
    "word",
    "another",
    "a",
    "漢字",
    "हिन्दी",
    "👩‍👩‍👧",
    "e\u0301",
    ".",
    ",",
    " ",
    "  ",
    "\t",
    "\n",
    "\n\n",
    "\u2028",
    "<b>",
    "'",
]
PROSE = st.lists(st.sampled_from(WORDS), max_size=60).map("".join)
TEXTS = PROSE | st.text(max_size=80) | st.lists(st.integers(0, 30).map(str), max_size=60).map("\n".join)


def undo(changes, new):
    """The old text, from the new one and the changes turned round."""
    turned = {Kind.ADDED: Kind.REMOVED, Kind.REMOVED: Kind.ADDED}
    return apply(
        new,
        [
            Change(
                turned.get(c.kind, c.kind),
                c.new_count,
                c.old_count,
                tuple(Piece(turned.get(p.kind, p.kind), p.text) for p in c.pieces),
            )
            for c in changes
        ],
    )


def pieces(old, new):
    return [(str(piece.kind), piece.text) for change in compare(old, new) for piece in change.pieces]


@given(TEXTS, TEXTS)
def test_applied_to_the_old_text_the_changes_give_the_new_one(old, new):
    changes = compare(old, new)
    assert apply(old, changes) == new
    assert undo(changes, new) == old
    assert all(piece.text or change.kind in (Kind.ADDED, Kind.REMOVED, Kind.SAME) for change in changes for piece in change.pieces)  # fmt: skip


@given(TEXTS, st.data())
def test_a_text_with_a_few_edits_too(old, data):
    new = old
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(new)))
        new = new[:at] + data.draw(PROSE) + new[at + data.draw(st.integers(0, 9)) :]
    changes = compare(old, new)
    assert apply(old, changes) == new
    assert undo(changes, new) == old
    assert (old == new) == all(change.kind in (Kind.SAME, Kind.FOLDED) for change in changes)


@given(TEXTS)
def test_equal_texts_have_nothing_to_show(text):
    count = text.count("\n") + 1
    assert compare(text, text) == [Change(Kind.FOLDED, count, count)]


def test_changes_of_another_text_are_refused():
    changes = compare("a\nb\nc", "a\nx\nc")
    for other in ("a\nc\nb", "a\nb\nc\nd", "a\nb", "A\nb\nc"):
        with pytest.raises(ValueError, match="another text"):
            apply(other, changes)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            "The quick brown fox jumps over the lazy dog.",
            "The slow brown fox leaps over the lazy dog!",
            [
                ("same", "The "), ("removed", "quick"), ("added", "slow"), ("same", " brown fox "),
                ("removed", "jumps"), ("added", "leaps"), ("same", " over the lazy dog"),
                ("removed", "."), ("added", "!"),
            ],
        ),
        # No confetti: a word that stayed by chance among others is not pointed out.
        (
            "Here is a sentence with the words of yesterday in it.",
            "Here is another phrasing with entirely different contents in it.",
            [
                ("same", "Here is "), ("removed", "a sentence with the words of yesterday"),
                ("added", "another phrasing with entirely different contents"), ("same", " in it."),
            ],
        ),
        ("alpha beta gamma", "one two three", [("removed", "alpha beta gamma"), ("added", "one two three")]),
        # A paragraph put before one that changed a little is an addition, and the other keeps its words.
        (
            "It was a fine day in the old town.\n\nThe end",
            "Hear me.\n\nIt was a fine night in the old town.\n\nThe end",
            [
                ("added", "Hear me.\n\n"), ("same", "It was a fine "), ("removed", "day"), ("added", "night"),
                ("same", " in the old town."), ("same", "\nThe end"),
            ],
        ),
        ("今日は天気がいい。", "今日はとても天気がいい。", [("same", "今日は"), ("added", "とても"), ("same", "天気がいい。")]),
        # The end of a line stays where it is.
        (
            "Words that follow it.\n\ngone paragraph\n\nsame",
            "Words that follow.\n\n\nsame",
            [("same", "Words that follow"), ("removed", " it"), ("same", ".\n"), ("removed", "\ngone paragraph"), ("same", "\nsame")],
        ),
        ("so it was\n", "so it was", [("same", "so it was"), ("removed", "")]),
    ],
)  # fmt: skip
def test_it_reads_as_a_person_would_mark_it(old, new, expected):
    assert pieces(old, new) == expected


def test_far_from_a_change_lines_are_folded():
    old = [f"line {n}" for n in range(40)]
    new = [*old[:20], "new", *old[20:]]
    found = compare("\n".join(old), "\n".join(new))
    counts = [(change.kind, change.old_count) for change in found]
    assert counts == [
        (Kind.FOLDED, 20 - CONTEXT), (Kind.SAME, CONTEXT), (Kind.ADDED, 0), (Kind.SAME, CONTEXT), (Kind.FOLDED, 20 - CONTEXT)
    ]  # fmt: skip


def test_a_single_line_is_shown_and_not_folded():
    lines = [f"line {n}" for n in range(2 * CONTEXT + 1)]
    found = compare("\n".join(["a", *lines, "b"]), "\n".join(["x", *lines, "y"]))
    assert [change.kind for change in found] == ["removed", "added", "same", "removed", "added"]


def test_html_says_what_it_is_in_words_and_is_escaped():
    lines = "\n".join(f"line {n}" for n in range(9))
    html = to_html(compare(f"one <script>alert(1)</script> & two\n{lines}", f"one <script>alert(2)</script>\n{lines}"))
    page = Page(html)
    assert "<script" not in html
    assert "[removed: " in page.text
    assert "6 unchanged lines" in page.text
    assert [tag for tag, _ in page.elements].count("del") == html.count("<del>") > 0
    shown = to_html(compare('a "x" b', "a <y> b"))
    assert shown == (
        '<div class="changes">\n<p dir="auto">a <del><span class="unseen">[removed: </span>&#34;x&#34;'
        '<span class="unseen">]</span></del><ins><span class="unseen">[added: </span>&lt;y&gt;'
        '<span class="unseen">]</span></ins> b</p>\n</div>\n'
    )


def test_an_empty_line_that_came_or_went_can_be_seen():
    assert "</span>¶<span" in to_html(compare("a\nb", "a\n\nb"))
    assert "<del>" in to_html(compare("a\n", "a"))


chance = random.Random(4)
LONG_TEXTS = {name: texts[:2] for name, texts in LONG.items()} | {
    "commas": ("a," * (MEBIBYTE // 2), "b," * (MEBIBYTE // 2)),
    "letters and signs": tuple("".join(chance.choices("ab,.; ", k=MEBIBYTE)) for _ in range(2)),
    "ideographs": tuple("".join(chance.choices("今日は天気", k=MEBIBYTE // 3)) for _ in range(2)),
    "words in another order": tuple(" ".join(chance.sample([f"w{n}" for n in range(120_000)], 120_000)) for _ in "ab"),
    "a word in every line": tuple("\n".join(f"word{n} {side} {n}" for n in range(70_000)) for side in "ab"),
}


@pytest.mark.parametrize("name", LONG_TEXTS)
def test_long_texts_are_compared_soon(name):
    old, new = LONG_TEXTS[name]
    began = time.process_time()
    changes = compare(old, new)
    html = to_html(changes)
    assert time.process_time() - began < SECONDS
    assert apply(old, changes) == new
    assert len(html) < 4 * MEBIBYTE
    assert sum(len(change.pieces) for change in changes if change.kind is Kind.CHANGED) <= MAX_PIECES
