"""Texts made to cost minutes, or to overflow a stack: they cost as much as long ones do, and no word is lost."""

import gc
import time

import pytest

from blog.rendering import excerpt, render
from blog.rendering.bounds import TooIntricate
from blog.rendering.markdown import to_html
from tests.blog.rendering.allowed import Page

MEBIBYTE = 1024 * 1024
N = 100_000
# Without the limits some of these take minutes, or fall over; with them the slowest takes as long as a dozen such texts,
# which are rendered beside it: how fast the machine is at this moment is no matter.
ORDINARY = "Some *words* of a [paragraph](/a), and `code`.\n\n" * 1000
TIMES_AS_LONG = 25

HOSTILE = {
    **{f"{mark} over and over": mark * N for mark in ("[", "]", "*", "_", ">", "(", "`", "~", "<", "|", "\\", "&")},
    "images never ended": "![" * N,
    "images ended once": "![" * (N // 10) + "]",
    "brackets in brackets": "[" * (N // 10) + "a" + "]" * (N // 10),
    "links never ended": "[a](" * (N // 10),
    "link addresses never ended": "[a](b\\(" * (N // 10),
    "link titles never ended": '[a]: b "\n' + "a\n" * (N // 5),
    "bold never ended": "a**" * N,
    "emphasis in emphasis": "*_" * (N // 10) + "a" + "_*" * (N // 10),
    "code of every length": "".join("`" * length + "a" for length in range(1, 1400)),
    "quotes in quotes": ">" * 10_000 + " a",
    "quotes in quotes, spaced": "> " * 10_000 + "a",
    "quotes and lazy lines": ">" * 30 + "a\n" * (N // 20),
    "lists in lists": "- " * 10_000 + "a",
    "numbered lists in lists": "1. " * 10_000 + "a",
    "lists in lists, line by line": "".join("  " * depth + "- a\n" for depth in range(1000)),
    "notes in notes": "".join("    " * depth + f"[^{depth}]: a\n\n" for depth in range(600)) + "[^0]",
    "notes never ended": "[^a]: a\n\n" + "[^" * (N // 10) + "]",
    "notes referred to often": "[^a]: a\n\n" + "[^a] " * (N // 5),
    "a wide table": "|a" * 2000 + "|\n" + "|-" * 2000 + "|\n" + ("|b" * 2000 + "|\n") * 5,
    "a wide table of nothing": "|a" * 500 + "|\n" + "|-" * 500 + "|\n" + "|b\n" * 60,
    "one line": "a" * MEBIBYTE,
    "one line of words": "a " * (MEBIBYTE // 2),
    "addresses in one line": "http://a.b " * (N // 10),
    "addresses with parentheses": "http://a" + ")" * MEBIBYTE,
    "link definitions": "".join(f"[{number}]: /{number}\n" for number in range(50_000)),
    "headings of one name": "# a\n" * (N // 10),
    "html in html": "<div>" * N,
    "html in html, in lines": "<div>\n\n" * (N // 10),
    "formatting in formatting": "a " + "<b>" * (N // 10),
    "formatting opened anew": "<p>" + "".join(f"<b title={n}>" for n in range(1000)) + "\n\na" * 3000,
    "html never ended": "<a " * (N // 10),
    "attributes": "<a " + " ".join(f"a{number}" for number in range(N)) + ">",
    "attributes in a block": "<p " + " ".join(f"a{number}" for number in range(N)) + ">",
    "comments never ended": "<div>\n" + "<!--" * N,
    "instructions never ended": "<div>\n" + "<?" * N,
    "quotes of attributes": "<a b='" * (N // 10) + '<a b="' * (N // 10),
    "entities never ended": "&#" * (N // 10),
    "headings": "# a\n" * N,
    "as many headings as pass": "# a\n" * 45_000,
    "notes in paragraphs": "".join(f"a[^{n}]\n\n[^{n}]: b\n\n" for n in range(N // 5)),
    "notes in a line": "".join(f"[^{n}] " for n in range(N // 5)) + "".join(f"\n\n[^{n}]: b" for n in range(N // 5)),
    "quotes of a word": "> a\n\n" * N,
    "items of a list": "- a\n" * N,
    "tables": "|a|\n|-|\n\n" * N,
    "addresses in brackets": "<http://a.b> " * (N // 10 * 7),
    "addresses without": "http://a.b " * (N // 10 * 9),
    "figures": '![a](b "c")\n\n' * (N // 10 * 7),
    "blocks of html": "<p>a</p>\n\n" * N,
    "code for the highlighter": ("```js\n" + '\\"' * 140 + "\n```\n") * 500,
}  # fmt: skip


def rendered(text):
    """Its HTML, and how many seconds of the processor that and its excerpt took."""
    began = time.process_time()
    html = render(text)
    excerpt(html)
    return html, time.process_time() - began


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_text_is_rendered_and_soon(name):
    _html, before = rendered(ORDINARY)
    html, took = rendered(HOSTILE[name])
    _html, after = rendered(ORDINARY)
    assert took < TIMES_AS_LONG * max(before, after)
    assert len(html) < 9 * MEBIBYTE


def test_what_is_nested_too_deeply_stays_text():
    for mark, depth in (("> ", 200), ("- ", 200), ("1. ", 200), ("> - ", 100)):
        assert "the end" in to_html(mark * depth + "the end\n\nafter")
        assert "after" in to_html(mark * depth + "the end\n\nafter")
    items = "".join("  " * depth + f"- item{depth}.\n" for depth in range(100))
    page = Page(to_html(items + "\nafter"))
    assert all(f"item{depth}." in page.text for depth in range(100))
    assert page.elements[-1][0] == "p"


def test_what_people_nest_is_nested():
    lists = Page(to_html("".join("  " * depth + "- a\n" for depth in range(10))))
    assert [tag for tag, _ in lists.elements].count("ul") == 10
    quotes = Page(to_html("> " * 20 + "a"))
    assert [tag for tag, _ in quotes.elements].count("blockquote") == 20
    assert [tag for tag, _ in Page(to_html("*a **b " * 5 + "c** d*" * 5)).elements if tag == "em"]
    links = Page(to_html("![" * 5 + "a" + "](b)" * 5))
    assert links.elements[1] == ("img", {"src": "b", "alt": "a"})


def test_long_addresses_titles_and_labels_are_exact():
    address, title, label = "/" + "a" * 4000, "t" * 4000, "l" * 900
    assert f'<a href="{address}" title="{title}">' in to_html(f'[a]({address} "{title}")')
    assert f'<a href="{address}" title="{title}">' in to_html(f'[{label}]\n\n[{label}]: {address} "{title}"')
    assert f'href="https://example.org{address}"' in to_html(f"<https://example.org{address}>")


def test_a_longer_address_or_title_stays_text():
    for text in (
        f"[a](/{'a' * 5000})",
        f"[a](<{'a' * 5000}>)",
        f"[a](b '{'t' * 5000}')",
        f"[a]: b '{'t' * 5000}'",
        "[a]: b '" + "t\n" * 5000 + "'",
        f"<https://example.org/{'a' * 5000}>",
        f"[^{'a' * 500}]: b",
    ):
        page = Page(render(text, language=None))
        assert [tag for tag, _ in page.elements] == ["p"]
        assert page.text.split() == text.split()


def test_a_text_that_is_refused_comes_back_whole(monkeypatch):
    monkeypatch.setattr("blog.rendering.bounds.MAX_COST", 1000)
    text = "- a & <b>\n" * 1000
    with pytest.raises(TooIntricate):
        to_html(text)
    page = Page(render(text))
    assert page.elements == [("pre", {"tabindex": "0"})]
    assert page.text == text


def test_a_text_is_refused_before_the_costly_part_begins(monkeypatch):
    monkeypatch.setattr("blog.rendering.bounds.MAX_COST", 20_000)
    monkeypatch.setattr("markdown_it.parser_inline.ParserInline.parse", lambda *_: pytest.fail("began"))
    with pytest.raises(TooIntricate):
        to_html("|a|b|\n|-|-|\n" + "|a|b|\n" * 2000)


def test_what_people_write_is_rendered_at_length():
    paragraph = "Some *words* of `a post` with [a link](https://example.org/) and **more**, as people write them.\n" * 4
    part = f"## A heading\n\n{paragraph}\n- one\n- two\n\n> a quote\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```python\nx = 1\n```\n\n"
    text = part * (MEBIBYTE // 4 // len(part))
    html = to_html(text)
    assert html.count("<h2") == html.count("<table>") == text.count("## A heading")


def test_a_long_table_of_numbers_is_a_table():
    html = to_html("| day | visitors | change |\n|---|--:|--:|\n" + "| 2026-01-01 | 123 | +4 % |\n" * 5000)
    assert html.count("<tr>") == 5001


def test_many_headings_and_notes_are_still_shown_as_such():
    assert render("# a\n" * 40_000).count("<h2 id=") == 40_000
    notes = "".join(f"a[^{number}]\n\n[^{number}]: b\n\n" for number in range(8000))
    assert render(notes).count("<li id=") == 8000


def collections_while(do):
    seen = []
    gc.callbacks.append(lambda phase, info: seen.append(phase))
    try:
        do()
    finally:
        gc.callbacks.pop()
    return seen.count("start")


def test_nothing_is_collected_while_a_text_is_rendered(monkeypatch):
    assert gc.isenabled()
    assert collections_while(lambda: render("Some *words* here.\n\n" * 3000)) < 5
    assert gc.isenabled()
    monkeypatch.setattr("blog.rendering.bounds.MAX_COST", 1000)
    with pytest.raises(TooIntricate):
        to_html("a\n\n" * 1000)
    assert gc.isenabled()
    gc.disable()
    try:
        render("a")
        assert not gc.isenabled()
    finally:
        gc.enable()


MUST_BE_QUICK = {
    **{f"{mark} over and over": mark * N for mark in "[*_>\"'"},
    "a table 2,000 columns wide": "|a" * 2000 + "|\n" + "|-" * 2000 + "|\n" + ('|"b"' * 2000 + "|\n") * 5,
}


@pytest.mark.parametrize("name", MUST_BE_QUICK)
def test_what_a_cat_on_the_keyboard_writes_is_rendered_within_a_second(name):
    began = time.process_time()
    html = render(MUST_BE_QUICK[name], own_host="blog.example")
    assert time.process_time() - began < 1
    assert Page(html).faults == []
