"""Texts in feeds are read elsewhere: each of their links and pictures is found from anywhere."""

import feedparser
import pytest
from lxml import html

from blog.feeds.links import with_whole_links
from blog.rendering.sanitising import sanitise
from tests.blog.media.pictures import picture
from tests.blog.transfer.folders import add_picture
from tests.support import Site

URL = "https://example.org/posts/sea"
BODY = "## Deep\n\n[down](#deep) [over](/posts/land?a=1&b=2) [away](https://else.org/x) [beside](land)\n\nA note.[^1]\n\n[^1]: It."


@pytest.mark.parametrize(
    ("written", "whole"),
    [
        ('<a href="#x">', "https://example.org/posts/sea#section_x"),
        ('<a href="/a?b=1&amp;c=%41">', "https://example.org/a?b=1&c=%41"),
        ('<a href="land">', "https://example.org/posts/land"),
        ('<a href="#">', "https://example.org/posts/sea#"),
        ('<a href="../up">', "https://example.org/up"),
        ('<a href="?q">', "https://example.org/posts/sea?q"),
        ('<a href="">', "https://example.org/posts/sea"),
        ('<a href="//else.org/x">', "https://else.org/x"),
        ('<a href="HTTP://else.org/x?a=1&amp;b">', "HTTP://else.org/x?a=1&b"),
        ('<a href="mailto:a@b.org">', "mailto:a@b.org"),
        ('<a title="a href=" href="/x">', "https://example.org/x"),
        ('<a title=" href=&quot;/y&quot;>" href="/x&quot;y">', 'https://example.org/x"y'),
        ('<a href="//[">', "//["),
    ],
)
def test_a_link_is_made_whole(written: str, whole: str) -> None:
    page = sanitise(f"{written}x</a>")
    link = html.fromstring(with_whole_links(page, URL))
    before = html.fromstring(page)
    assert link.get("href") == whole
    assert {name: value for name, value in link.items() if name != "href"} == {
        name: value for name, value in before.items() if name != "href"
    }


def test_words_that_look_like_links_stay_as_they_are() -> None:
    page = sanitise('<p title="x">Write &lt;a href="/x"&gt; or <code>&lt;img src="/y"&gt;</code> src="/z".</p>')
    assert with_whole_links(page, URL) == page
    assert 'src="/z"' in page


def test_pictures_and_their_copies_are_made_whole() -> None:
    page = sanitise('<img src="/media/a.webp" alt=" src=" srcset="/media/a-640.webp 640w, /media/a-1280.webp 1280w">')
    image = html.fromstring(with_whole_links(page, URL))
    assert image.get("src") == "https://example.org/media/a.webp"
    at = "https://example.org/media"
    assert image.get("srcset") == f"{at}/a-640.webp 640w, {at}/a-1280.webp 1280w"
    assert image.get("alt") == " src="


@pytest.mark.parametrize("path", ["/feed.xml", "/rss.xml", "/feed.json"])
def test_every_feed_has_whole_links(site: Site, path: str) -> None:
    digest = add_picture(site, picture("PNG", size=(31, 17)))
    site.post(slug="sea", body=f"{BODY}\n\n![x](/media/{digest})")
    answer = site.client().get(path)
    if path.endswith("json"):
        content = answer.get_json(force=True)["items"][0]["content_html"]
    else:
        # feedparser resolves what it finds: the text as it was sent is asked for.
        content = feedparser.parse(answer.data, resolve_relative_uris=False).entries[0].content[0].value
    found = [link for _, _, link, _ in html.fragment_fromstring(content, create_parent=True).iterlinks()]
    here = "http://localhost:8000/posts/sea"
    assert f"{here}#section_deep" in found
    assert "http://localhost:8000/posts/land?a=1&b=2" in found
    assert any(link.startswith(f"http://localhost:8000/media/{digest}") for link in found)
    assert "https://else.org/x" in found
    assert [link for link in found if not link.startswith(("http://localhost:8000/", "https://else.org/"))] == []
    # On its own page they stay short.
    assert 'href="#section_deep"' in site.client().get("/posts/sea").text
