"""The table of contents of a text."""

import time

import pytest

from blog.rendering import contents, render


def test_it_has_the_headings_of_two_levels_with_their_ids():
    text = "# One\n## Two `x` & *y*\n### Deeper\n# It's <b>three</b>[^1]\n# Same\n# Same\n\n[^1]: note"
    assert contents(render(text)) == [
        (2, "section_one", "One"),
        (3, "section_two-x--y", "Two x & y"),
        (2, "section_its-three", "It’s three"),
        (2, "section_same", "Same"),
        (2, "section_same-1", "Same"),
    ]


@pytest.mark.parametrize(
    "text", ["", "words", "# a\n# b", "# a\n## b\n### c\n#### d", "# a\n# b\n> # c", "# a\n# b\n# ![](x)"]
)
def test_a_text_with_fewer_than_three_has_none(text):
    assert contents(render(text)) == []


def test_three_are_enough():
    assert [entry.text for entry in contents(render("# a\n## b\n# c"))] == ["a", "b", "c"]


def test_every_entry_leads_to_its_heading():
    html = render(
        "# Über \"uns\"\n# 漢字\n# a < b > c\n<h2 id='own'>Own</h2>\n<h2>No id</h2>\n\n# <i title='<h2 id=x>'>t</i>"
    )
    entries = contents(html)
    assert [entry.text for entry in entries] == ["Über “uns”", "漢字", "a < b > c", "Own", "t"]
    assert all(html.count(f'id="{entry.id}"') == 1 for entry in entries)


def test_a_heading_that_a_writer_left_open_does_no_harm():
    assert [e.text for e in contents(render("# a\n# b\n<h2 id=c>c\n\n# d\n\nwords"))][:2] == ["a", "b"]


def test_long_texts_are_read_soon():
    for text in ("# a\n" * 10_000, "a <b>c</b> " * 50_000 + "\n# a", "> # a\n\n" * 5_000, "# " + "*a* " * 20_000):
        html = render(text) * 2
        began = time.process_time()
        contents(html)
        assert time.process_time() - began < 1


def test_of_very_many_headings_the_first_are_listed():
    entries = contents(render("".join(f"# Heading {number}\n" for number in range(2000))))
    assert [entry.text for entry in entries] == [f"Heading {number}" for number in range(500)]
