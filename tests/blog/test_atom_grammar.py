"""Atom feeds against the grammar of RFC 4287, and against what the RFC demands beside it."""

from pathlib import Path

import pytest
from lxml import etree

from tests.support import Site

GRAMMAR = etree.RelaxNG(etree.parse(Path(__file__).with_name("rfc4287.rng")))
ATOM = {"atom": "http://www.w3.org/2005/Atom"}
FEEDS = ["/feed.xml", "/tags/one/feed.xml", "/authors/alan/feed.xml"]


def _assert_valid(feed: bytes) -> etree._Element:
    tree = etree.fromstring(feed)
    assert GRAMMAR.validate(tree), GRAMMAR.error_log
    # 4.1.1 and 4.1.2: every entry has an author, content or an alternate link, and one alternate of a kind.
    for entry in tree.iterfind("atom:entry", ATOM):
        assert entry.find("atom:author", ATOM) is not None
        assert entry.find("atom:content", ATOM) is not None
        alternates = [link.get("type") for link in entry.iterfind("atom:link[@rel='alternate']", ATOM)]
        assert len(alternates) == len(set(alternates)) == 1
    ids = [found.text for found in tree.iterfind(".//atom:id", ATOM)]
    assert len(ids) == len(set(ids))
    return tree


@pytest.mark.parametrize("path", FEEDS)
def test_a_feed_follows_the_grammar(site: Site, path: str) -> None:
    for number in range(3):
        site.post("alan", title=f"Post {number}", body="Words & <b>more</b>\n\n```python\nx = 1 < 2\n```", tags=["one"])
    body = ']]> & "<i>" \u2028'
    site.post("alan", title="]]> & <b>signs</b> \U0001f600", body=body, tags=["one", "two & 3"], lang="ar")
    tree = _assert_valid(site.client().get(path).data)
    assert len(tree.findall("atom:entry", ATOM)) == 4


def test_a_feed_without_posts_follows_it_too(site: Site) -> None:
    _assert_valid(site.client().get("/feed.xml").data)


@pytest.mark.parametrize(
    "spoilt",
    [
        pytest.param((b"</updated>", b"Z</updated>"), id="a date that is none"),
        pytest.param((b"<entry>", b"<entry><id>urn:x</id>"), id="two ids"),
        pytest.param((b"<generator>", b"<generator when='now'>"), id="an attribute of nobody"),
        pytest.param((b'type="html"', b'type="words"'), id="content of no type"),
    ],
)
def test_the_grammar_finds_what_is_wrong(site: Site, spoilt: tuple[bytes, bytes]) -> None:
    site.post("alan", title="Post")
    feed = site.client().get("/feed.xml").data
    assert GRAMMAR.validate(etree.fromstring(feed))
    assert not GRAMMAR.validate(etree.fromstring(feed.replace(*spoilt)))
