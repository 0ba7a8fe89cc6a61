"""Texts made to cost minutes, or to overflow a stack: they cost seconds at most, and no word is lost."""

import time

import pytest

from blog.rendering import excerpt, render
from blog.rendering.bounds import TooIntricate
from blog.rendering.markdown import to_html
from tests.blog.rendering.allowed import Page

MEBIBYTE = 1024 * 1024
N = 100_000
# Where these limits are missing it is minutes, or the process falls; with them the slowest takes three seconds.
SECONDS = 10

HOSTILE = {
    **{f"{mark} over and over": mark * N for mark in ("[", "]", "*", "_", ">", "(", "`", "~", "<", "!", "#", "-", "|", "\\", "&")},
    "images never ended": "![" * N,
    "images ended once": "![" * N + "]",
    "brackets in brackets": "[" * (N // 2) + "a" + "]" * (N // 2),
    "links never ended": "[a](" * N,
    "link addresses never ended": "[a](b\\(" * (MEBIBYTE // 7),
    "link titles never ended": '[a]: b "\n' + "a\n" * (MEBIBYTE // 2),
    "bold never ended": "a**" * N,
    "emphasis in emphasis": "*_" * (N // 2) + "a" + "_*" * (N // 2),
    "code of every length": "".join("`" * length + "a" for length in range(1, 1400)),
    "quotes in quotes": ">" * 10_000 + " a",
    "quotes in quotes, spaced": "> " * 10_000 + "a",
    "quotes and lazy lines": ">" * 30 + "a\n" * (MEBIBYTE // 2),
    "lists in lists": "- " * 10_000 + "a",
    "numbered lists in lists": "1. " * 10_000 + "a",
    "lists in lists, line by line": "".join("  " * depth + "- a\n" for depth in range(1000)),
    "notes in notes": "".join("    " * depth + f"[^{depth}]: a\n\n" for depth in range(600)) + "[^0]",
    "notes never ended": "[^a]: a\n\n" + "[^" * (MEBIBYTE // 2),
    "notes referred to often": "[^a]: a\n\n" + "[^a] " * (MEBIBYTE // 5),
    "a wide table": "|a" * 2000 + "|\n" + "|-" * 2000 + "|\n" + ("|b" * 2000 + "|\n") * 20,
    "a wide table of nothing": "|a" * 2000 + "|\n" + "|-" * 2000 + "|\n" + "|b\n" * 2000,
    "a long table": "|a|b|\n|-|-|\n" + "|a|b|\n" * (MEBIBYTE // 6),
    "one line": "a" * MEBIBYTE,
    "one line of words": "a " * (MEBIBYTE // 2),
    "one line of addresses": "http://a.b " * (MEBIBYTE // 11),
    "addresses with parentheses": "http://a" + ")" * MEBIBYTE,
    "colons": ":" * MEBIBYTE,
    "lines": "a\n" * (MEBIBYTE // 2),
    "link definitions": "".join(f"[{number}]: /{number}\n" for number in range(50_000)),
    "link definitions used": "".join(f"[{n}]: /{n}\n" for n in range(20_000)) + "".join(f"[{n}] " for n in range(20_000)),
    "headings of one name": "# a\n" * (MEBIBYTE // 4),
    "html in html": "<div>" * N,
    "html in html, in lines": "<div>\n\n" * (N // 2),
    "formatting in formatting": "a " + "<b>" * N,
    "formatting opened anew": "<p>" + "".join(f"<b title={n}>" for n in range(1000)) + "\n\na" * 3000,
    "html never ended": "<a " * N,
    "attributes": "<a " + " ".join(f"a{number}" for number in range(N)) + ">",
    "attributes in a block": "<p " + " ".join(f"a{number}" for number in range(N)) + ">",
    "comments never ended": "<div>\n" + "<!--" * N,
    "instructions never ended": "<div>\n" + "<?" * N,
    "quotes of attributes": "<a b='" * N + '<a b="' * N,
    "entities never ended": "&#" * N,
    "code for the highlighter": ("```js\n" + '\\"' * 150 + "\n```\n") * 3000,
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_text_is_rendered_and_soon(name):
    began = time.process_time()
    html = render(HOSTILE[name])
    excerpt(html)
    assert time.process_time() - began < SECONDS
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
        page = Page(render(text))
        assert [tag for tag, _ in page.elements] == ["p"]
        assert page.text.split() == text.split()


def test_a_text_that_is_refused_comes_back_whole():
    text = "- a & <b>\n" * 100_000
    with pytest.raises(TooIntricate):
        to_html(text)
    page = Page(render(text))
    assert page.elements == [("pre", {"tabindex": "0"})]
    assert page.text == text


def test_an_honest_megabyte_is_rendered():
    paragraph = "Some *words* of `a post` with [a link](https://example.org/) and **more**, as people write them.\n" * 4
    part = f"## A heading\n\n{paragraph}\n- one\n- two\n\n> a quote\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```python\nx = 1\n```\n\n"
    text = part * (MEBIBYTE // len(part))
    html = to_html(text)
    assert html.count("<h2") == html.count("<table>") == text.count("## A heading")


def test_a_long_table_of_numbers_is_a_table():
    html = to_html("| day | visitors | change |\n|---|--:|--:|\n" + "| 2026-01-01 | 123 | +4 % |\n" * 20_000)
    assert html.count("<tr>") == 20_001
