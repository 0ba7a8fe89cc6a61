"""The first words of a post."""

import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from blog.rendering import excerpt, render

LONG = "word " * 100


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ""),
        ("Short *and* `sweet`.", "Short and sweet."),
        ("One\nline.\n\nAnd   another.", "One line. And another."),
        ("# Title\n\nText", "Text"),
        ("Before\n\n```python\ncode\n```\n\n    code\n\nafter", "Before after"),
        ("| a |\n|---|\n| b |\n\nafter", "after"),
        ("A note[^1] here.\n\n[^1]: Not shown.", "A note here."),
        ("- [x] done\n- to do\n\n> quoted", "done to do quoted"),
        ("![alt](x) [a *link*](y)", "a link"),
        ("1 < 2 &amp; 3 > 2 &lt;b&gt;", "1 < 2 & 3 > 2 <b>"),
        ("<details><summary>More</summary>\n\nHidden *words*\n</details>", "Hidden words"),
        ("a<br>b<sup>2</sup> &nbsp; c", "a b2 c"),
    ],
)
def test_an_excerpt_is_the_text_and_nothing_else(text, words):
    assert excerpt(render(text)) == words


def test_a_long_text_is_cut_after_a_word():
    assert excerpt(f"<p>{LONG}</p>") == "word " * 39 + "word…"


def test_a_text_that_just_fits_is_not_cut():
    assert excerpt(f"<p>{'a' * 200}</p>") == "a" * 200
    assert excerpt(f"<p>{'a' * 201}</p>") == "a" * 199 + "…"
    assert excerpt("<p>one two</p>", max_length=7) == "one two"
    assert excerpt("<p>one two</p>", max_length=6) == "one…"


@pytest.mark.parametrize("end", [",", ".", ";", ":", "?", "!", " –", " —", " (", ' "', " „"])
def test_nothing_hangs_before_the_ellipsis(end):
    assert excerpt(f"<p>aaaa bbb{end} cccc</p>", max_length=12) == "aaaa bbb…"


@pytest.mark.parametrize(
    "character",
    ["e\u0301", "👩‍👩‍👧‍👦", "🇩🇪", "👍🏽", "❤\ufe0f", "\u1112\u1161\u11ab", "नि", "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"],
)  # fmt: skip
def test_what_readers_see_as_one_character_is_not_split(character):
    for before in range(12):
        cut = excerpt(f"<p>{'a' * before}{character * 100}</p>", max_length=40)
        assert cut.endswith("…")
        assert len(cut) <= 40
        whole, rest = divmod(len(cut) - 1 - before, len(character))
        assert (whole > 0, rest) == (True, 0)


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=400), st.integers(min_value=2, max_value=250))
@example("\u0301" * 400, 200)
@example("." * 400, 200)
def test_an_excerpt_is_one_line_and_never_too_long(text, max_length):
    cut = excerpt(render(text), max_length)
    assert len(cut) <= max_length
    assert cut == " ".join(cut.split())
    assert not [character for character in cut if unicodedata.category(character) == "Cc"]


def test_only_the_beginning_of_a_long_post_is_read():
    assert excerpt("<p>Beginning.</p>" + "<p>word</p>" * 500_000).startswith("Beginning. word word")
    assert excerpt("<pre>" + "code " * 500_000 + "</pre><p>word</p>") == ""
