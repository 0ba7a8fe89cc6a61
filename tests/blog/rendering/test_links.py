"""Links that leave the site say so, whoever wrote them and however."""

import random

import pytest

from blog.rendering import render
from tests.blog.rendering.allowed import Page

OWN = "blog.example"
AWAY = [
    "https://other.example/", "http://other.example", "//other.example/a", "HTTPS://OTHER.example", "https:other.example",
    "https:/other.example", "https:///other.example", "https:\\\\other.example", "\\\\other.example", "/\\other.example",
    "\thttps://other.example", "ht\ntps://other.example", "https://blog.example@other.example/", "https://blog.example.other",
    "https://blog.example:8443/", "https://user:blog.example@other.example", "https://sub.blog.example",
    "https://other.example#@blog.example", "https://other.example\\@blog.example", "http://[::1]/",
    "https://" + "é" * 400, "https://ü" + "." * 9,
]  # fmt: skip
HERE = [
    "/a", "a", "#a", "?a", "", "../a", "https://blog.example/a", "http://BLOG.example", "//blog.example/a", "https://blog.example:443/",
    "https://me@blog.example/", "mailto:a@other.example", "/a?b=https://other.example", "#https://other.example", "https://blog.example./",
]  # fmt: skip


def rels(html: str) -> list[str]:
    page = Page(html)
    assert page.faults == []
    return [attributes.get("rel", "") for tag, attributes in page.elements if tag == "a"]


@pytest.mark.parametrize("url", AWAY)
def test_a_link_that_leaves_is_external(url):
    assert rels(render(f'<a href="{url}">a</a>', own_host=OWN)) == ["noopener external"]


@pytest.mark.parametrize("url", HERE)
def test_a_link_that_stays_is_not(url):
    assert rels(render(f'<a href="{url}">a</a>', own_host=OWN)) == ["noopener"]


def test_links_of_markdown_too():
    text = "[a](https://other.example) <https://other.example> https://other.example [b](/c) https://blog.example"
    assert rels(render(text, own_host=OWN)) == ["noopener external"] * 3 + ["noopener"] * 2


def test_without_a_host_of_ones_own_nothing_is_marked():
    for own_host in (None, ""):
        assert rels(render("https://other.example", own_host=own_host)) == ["noopener"]


def test_hosts_are_compared_as_they_are_asked_for():
    assert (
        rels(render("https://bücher.example https://xn--bcher-kva.example", own_host="bücher.example"))
        == ["noopener"] * 2
    )
    assert rels(render("<http://localhost:8000/a> <http://localhost:9000>", own_host="localhost:8000")) == [
        "noopener",
        "noopener external",
    ]


def test_a_writer_can_neither_hide_nor_fake_the_mark():
    html = render(
        '<a href="https://other.example" rel="nofollow me">a</a> <a href="/b" rel="external">b</a>', own_host=OWN
    )
    assert rels(html) == ["noopener external", "noopener"]


def test_each_link_is_judged_by_its_own_address_in_whatever_order_it_is_written():
    chance = random.Random(4)
    links, expected = [], []
    for _ in range(500):
        href, rel = chance.choice(
            [
                ("href='//other.example'", "noopener external"),
                ("href='/a'", "noopener"),
                ("href='javascript:alert(1)'", "noopener"),
                ("id='a'", "noopener"),
                ("href='https://other.example' href='/a'", "noopener external"),
            ]
        )
        attributes = [href, "title='href=//other.example'", "rel='external'", "class='x'", "lang='en'"]
        chance.shuffle(attributes)
        links.append(f"<a {' '.join(attributes)}>a</a>")
        expected.append(rel)
    assert rels(render(" ".join(links), own_host=OWN)) == expected
