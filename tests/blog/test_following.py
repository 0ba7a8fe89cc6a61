"""Feeds, maps and the archive: what is out is there, and nothing else, for programs and people."""

import feedparser
import pytest

from storage import clock
from tests.support import Site


@pytest.fixture
def filled(site: Site) -> Site:
    site.post(
        "alan", title="River & sea", slug="river", tags=["water"], body="Some *words*, \x0b no.".replace("\x0b", "")
    )
    site.post("ada", title="Engine", slug="engine", tags=["steam"])
    site.post("ada", title="For members", slug="hidden", visibility="members", tags=["water"])
    site.post("alan", title="Draft", slug="draft", status="draft", tags=["water"])
    site.post("alan", title="Later", slug="later", publish_at=clock.now() + clock.DAY)
    site.post("alan", title="About", slug="about", kind="page")
    return site


@pytest.mark.parametrize(
    ("path", "titles"),
    [
        ("/feed.xml", ["Engine", "River & sea"]),
        ("/rss.xml", ["Engine", "River & sea"]),
        ("/tags/water/feed.xml", ["River & sea"]),
        ("/authors/ada/feed.xml", ["Engine"]),
    ],
)
def test_feeds_hold_whole_texts_of_what_is_out(filled: Site, path: str, titles: list[str]) -> None:
    answer = filled.client().get(path)
    feed = feedparser.parse(answer.data)
    assert not feed.bozo
    assert [entry.title for entry in feed.entries] == titles
    assert any(link.rel == "self" and link.href.endswith(path) for link in feed.feed.links)
    by_title = {entry.title: entry for entry in feed.entries}
    if "River & sea" in by_title:
        assert "<em>words</em>" in by_title["River & sea"].content[0].value
        assert by_title["River & sea"].published_parsed is not None
    assert len({entry.id for entry in feed.entries}) == len(titles)


def test_the_json_feed_is_one(filled: Site) -> None:
    answer = filled.client().get("/feed.json")
    assert answer.mimetype == "application/feed+json"
    feed = answer.get_json(force=True)
    assert feed["version"] == "https://jsonfeed.org/version/1.1"
    assert [item["title"] for item in feed["items"]] == ["Engine", "River & sea"]
    assert feed["feed_url"].endswith("/feed.json")


@pytest.mark.parametrize(
    "path", ["/tags/nothing/feed.xml", "/authors/rita/feed.xml", "/authors/x/feed.xml", "/tags/%00/feed.xml"]
)
def test_what_is_not_there_has_no_feed(filled: Site, path: str) -> None:
    assert filled.client().get(path).status_code == 404


def test_the_map_names_what_a_visitor_may_read_whoever_asks(filled: Site) -> None:
    for client in (filled.client(), filled.client("olive")):
        text = client.get("/sitemap.xml").text
        for path in ("/posts/river", "/posts/engine", "/about"):
            assert f"{path}</loc>" in text
        for slug in ("hidden", "draft", "later"):
            assert slug not in text
    assert filled.client().get("/sitemap.xml?part=2").status_code == 404
    assert filled.client().get("/sitemap.xml?part=x").status_code == 422


def test_robots_are_told_what_is_not_for_them_and_where_the_map_is(filled: Site) -> None:
    answer = filled.client().get("/robots.txt")
    assert answer.mimetype == "text/plain"
    assert "Disallow: /admin" in answer.text
    assert "/sitemap.xml" in answer.text.splitlines()[-1]
