"""What pages tell programs: cards for links, search engines, microformats, feeds; the same as people read."""

import json
from typing import Any

import mf2py
import pytest
from bs4 import BeautifulSoup

from blog.media.storing import store
from storage import clock
from tests.blog.media.pictures import picture
from tests.support import Site
from web.site.queries import change_site

HOSTILE = {
    "ends the script": "</script><script>alert(1)</script><!-- <script",
    "quotes": '"\'` &quot; \\" {{ 7*7 }} & &lt;b&gt;',
    "right to left override": "abc\u202egpj.exe\u2066\u2028\u2029",
    "arabic": "رسالة من الميناء",
}


def soup_of(site: Site, path: str) -> BeautifulSoup:
    return BeautifulSoup(site.client().get(path).text, "html5lib")


def card(soup: BeautifulSoup) -> dict[str, str]:
    return {
        str(meta.get("property") or meta.get("name")): str(meta["content"]) for meta in soup.select("meta[content]")
    }


def linked_data(soup: BeautifulSoup) -> dict[str, Any]:
    (script,) = soup.select("script")
    assert script["type"] == "application/ld+json"
    return json.loads(str(script.string))


def microformats(site: Site, path: str) -> list[dict[str, Any]]:
    return mf2py.parse(doc=site.client().get(path).text, url=f"http://localhost:8000{path}")["items"]


def test_a_post_has_a_card_and_data_that_say_what_its_page_says(site: Site) -> None:
    post = site.post("ada", title="The sea", slug="sea", body="It is *wide*.\n\nAnd deep.", tags=["water", "salt"])
    soup = soup_of(site, "/posts/sea")
    url, published = "http://localhost:8000/posts/sea", clock.to_html_time(post.published_at or 0)
    found = card(soup)
    assert found["description"] == found["og:description"] == "It is wide. And deep."
    assert found["og:title"] == "The sea"
    assert found["og:type"] == "article"
    assert found["og:url"] == url == soup.select_one("link[rel=canonical]")["href"]
    assert found["og:site_name"] == "Byline"
    assert found["article:published_time"] == published
    assert "og:image" not in found
    data = linked_data(soup)
    assert data == {
        "@context": "https://schema.org",
        "@type": "BlogPosting",
        "headline": "The sea",
        "url": url,
        "datePublished": published,
        "dateModified": published,
        "author": {"@type": "Person", "name": "Ada", "url": "http://localhost:8000/authors/ada"},
        "inLanguage": "en",
        "description": "It is wide. And deep.",
        "keywords": ["water", "salt"],
    }


def test_the_card_shows_a_picture_of_ours_and_none_of_others(site: Site, tmp_path: Any) -> None:
    files = site.app.extensions["media_files"]
    sent = tmp_path / "picture.png"
    sent.write_bytes(picture("PNG", (40, 30)))
    with sent.open("rb") as stream:
        media, _is_new = store(site.database, files, stream, name="a.png", alt="A", by=site.principal("ada"))
    site.post("ada", title="Both", slug="both", body=f"![x](https://example.org/x.png) ![A]({media.path})")
    site.post("ada", title="Theirs", slug="theirs", body='![a](https://example.org/x.png "src=\\"/media/1\\"")')
    soup = soup_of(site, "/posts/both")
    assert card(soup)["og:image"] == linked_data(soup)["image"] == f"http://localhost:8000{media.path}"
    assert "og:image" not in card(soup_of(site, "/posts/theirs"))


@pytest.mark.parametrize("words", HOSTILE.values(), ids=HOSTILE)
def test_no_words_break_out_of_where_they_stand(site: Site, words: str) -> None:
    post = site.post("ada", title=words, slug="x", body=words, excerpt=words, tags=["a'b&c"])
    site.post("ada", title=words, slug="next")
    with site.database.transaction() as db:
        change_site(db, name=words[:90], tagline=words, language="en", time_zone="UTC")
    soup = soup_of(site, "/posts/x")
    in_one_line = " ".join(post.title.split())
    data, found = linked_data(soup), card(soup)
    assert data["headline"] == found["og:title"] == post.title
    assert data["description"] == found["description"] == in_one_line
    assert data["keywords"] == ["a'b&c"]
    assert [anchor.get_text() for anchor in soup.select("[rel=next] bdi")] == [post.title]
    (entry,) = microformats(site, "/posts/x")
    assert " ".join(entry["properties"]["name"][0].split()) == in_one_line
    assert card(soup_of(site, "/"))["og:title"] == words[:90]


def test_control_characters_of_older_texts_do_no_harm(site: Site) -> None:
    site.post("ada", title="Bell", slug="bell")
    with site.database.transaction() as db:
        db.exec_driver_sql("UPDATE posts SET title = char(66, 7, 27)")
    assert linked_data(soup_of(site, "/posts/bell"))["headline"] == "B\x07\x1b"


def test_a_post_is_an_entry_with_its_author(site: Site) -> None:
    site.post("ada", title="The sea", slug="sea", body="It is *wide*.", tags=["water"], excerpt="Wide,\nand more")
    site.post("ada", title="Later", slug="later")
    changed = {
        "version": "1",
        "title": "The sea",
        "body": "It is *wide*!",
        "tags": "water",
        "excerpt": "Wide,\nand more",
    }
    with site.database.transaction() as db:
        db.exec_driver_sql(f"UPDATE posts SET published_at = published_at - 3 * {clock.DAY} WHERE slug = 'sea'")
    assert site.client("ada").submit("/posts/sea/edit", status="published", **changed).status_code == 303
    (entry,) = microformats(site, "/posts/sea")
    assert entry["type"] == ["h-entry"]
    said = entry["properties"]
    assert said["name"] == ["The sea"]
    assert said["url"] == ["http://localhost:8000/posts/sea"]
    assert said["category"] == ["water"]
    assert said["content"][0]["html"].strip() == "<p>It is <em>wide</em>!</p>"
    assert [" ".join(words.split()) for words in said["summary"]] == ["Wide, and more"]
    assert said["published"][0] < said["updated"][0]
    (author,) = said["author"]
    assert author["type"] == ["h-card"]
    assert author["properties"]["name"] == ["Ada"]
    assert author["properties"]["url"] == ["http://localhost:8000/authors/ada"]


def test_a_list_is_a_feed_of_entries(site: Site) -> None:
    site.post("ada", title="The sea", slug="sea", body="It is wide.", tags=["water"])
    site.post("ada", title="The river", slug="river", body="It is long.", tags=["water"])
    for path, name in (("/", "Byline"), ("/tags/water", "water – Byline"), ("/authors/ada", "Ada – Byline")):
        _check_feed(path, name, microformats(site, path))


def _check_feed(path: str, name: str, items: list[dict[str, Any]]) -> None:
    (feed,) = [item for item in items if item["type"] == ["h-feed"]]
    assert feed["properties"]["name"] == [name]
    assert [entry["properties"]["name"][0] for entry in feed["children"]] == ["The river", "The sea"]
    for entry in feed["children"]:
        assert entry["properties"]["url"][0].startswith("http://localhost:8000/posts/")
        assert entry["properties"]["summary"]
        assert entry["properties"]["published"]
        assert entry["properties"]["author"][0]["properties"]["name"] == ["Ada"]
    people = [item for item in items if item["type"] == ["h-card"]]
    assert [person["properties"]["url"] for person in people] == (
        [["http://localhost:8000/authors/ada"]] if path.startswith("/authors") else []
    )


def test_of_a_members_post_nothing_is_told_but_what_is_written_for_all(site: Site) -> None:
    site.post("ada", title="Inner", slug="inner", body="Secret words.", visibility="members", tags=["inner"])
    site.post("ada", title="Told", slug="told", body="Secret words.", visibility="members", excerpt="For all.")
    assert card(soup_of(site, "/posts/told"))["og:description"] == "For all."
    for path in ("/posts/inner", "/posts/told"):
        soup = soup_of(site, path)
        assert soup.select("script") == []
        assert "Secret" not in str(soup)
        assert card(soup)["robots"] == "noindex"
    assert "description" not in card(soup_of(site, "/posts/inner"))


def test_a_preview_and_a_draft_tell_programs_nothing(site: Site) -> None:
    site.post("ada", title="Half", slug="half", body="Half a text.", status="draft", tags=["x"])
    ada = site.client("ada")
    made = ada.submit("/posts/half/previews", days="3").text
    link = BeautifulSoup(made, "html5lib").select_one('[href*="/preview/"]')
    assert link is not None
    path = str(link["href"]).split("localhost:8000")[-1]
    for page in (site.client().get(path).text, ada.get("/posts/half").text):
        assert "Half a text." in page
        assert 'content="noindex"' in page
        assert "og:" not in page
        assert "ld+json" not in page
        assert 'name="description"' not in page


FEEDS = {"/feed.xml": "application/atom+xml", "/rss.xml": "application/rss+xml", "/feed.json": "application/feed+json"}
OWN_FEEDS = {
    **dict.fromkeys(["/", "/posts/sea", "/archive", "/tags", "/about", "/nowhere"]),
    "/tags/water%20%26%20salt": "/tags/water%20%26%20salt/feed.xml",
    "/authors/ada": "/authors/ada/feed.xml",
}


def test_every_page_names_the_feeds_that_there_are(site: Site) -> None:
    site.post("ada", title="The sea", slug="sea", tags=["water & salt"])
    site.post("ada", title="About", slug="about", kind="page")
    for path, own in OWN_FEEDS.items():
        soup = soup_of(site, path)
        found = {str(link["href"]): str(link["type"]) for link in soup.select("head link[rel=alternate]")}
        found.pop("/posts/sea.md", None)
        assert found == {**FEEDS, **({own: "application/atom+xml"} if own else {})}, path
        for href, kind in found.items():
            assert site.client().get(href).mimetype == kind
        assert soup.select_one('footer a[href="/tags"]'), path
        assert soup.select_one('footer a[href="/archive"]'), path
