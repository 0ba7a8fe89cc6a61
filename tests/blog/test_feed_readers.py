"""Real readers of feeds: what they find, what they ask again for, and that a post is the same one for ever."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import feedparser
import pytest
import requests

from tests.support import SECRET, Server, Site

FEEDS = ["/feed.xml", "/rss.xml", "/tags/one/feed.xml", "/authors/alan/feed.xml"]
HOSTILE = "A \x01 title \x0b with \x1b & <b>signs</b> ]]> \U0001f600 \ufffe"


@pytest.mark.parametrize("path", FEEDS)
def test_feedparser_finds_nothing_wrong(site: Site, path: str) -> None:
    made = [site.post("alan", title=f"Post {n}", body=f"Words *{n}* & <b>more</b>", tags=["one"]) for n in range(3)]
    answer = site.client().get(path)
    feed = feedparser.parse(answer.data, response_headers={"content-type": answer.headers["Content-Type"]})
    assert not feed.bozo
    assert [entry.title for entry in feed.entries] == ["Post 2", "Post 1", "Post 0"]
    assert {entry.link for entry in feed.entries} == {f"http://localhost:8000/posts/{post.slug}" for post in made}
    assert feed.entries[0].content[0].value.startswith("<p>Words <em>2</em> &amp;") or "<em>2</em>" in str(
        feed.entries[0]
    )
    links = {(link.rel, link.href) for link in feed.feed.links}
    assert ("self", f"http://localhost:8000{path}") in links


@pytest.mark.parametrize("path", [*FEEDS, "/feed.json"])
def test_asking_again_costs_a_304_until_something_changes(site: Site, path: str) -> None:
    post = site.post("alan", title="First", tags=["one"])
    first = site.client().get(path)
    conditional = {"If-None-Match": first.headers["ETag"]}
    assert site.client().get(path, headers=conditional).status_code == 304
    program = site.client(token=site.token("alan"))
    assert program.patch(f"/v1/posts/{post.id}", json={"title": "Other"}).status_code == 200
    changed = site.client().get(path, headers=conditional)
    assert changed.status_code == 200
    assert "Other" in changed.text


def test_an_entry_keeps_its_id_whatever_is_changed(site: Site) -> None:
    post, program = site.post("alan", title="First", tags=["one"]), site.client(token=site.token("alan"))

    def entry() -> feedparser.FeedParserDict:
        return feedparser.parse(site.client().get("/feed.xml").data).entries[0]

    before = entry()
    program.patch(f"/v1/posts/{post.id}", json={"title": "Other", "slug": "elsewhere"})
    after = entry()
    assert after.id == before.id == f"urn:uuid:{post.id}"
    assert after.published == before.published
    assert after.updated > before.updated
    assert after.link != before.link


@pytest.mark.parametrize("path", FEEDS)
def test_what_xml_forbids_never_reaches_a_feed(site: Site, path: str) -> None:
    site.post("alan", title="Plain", body="Words\n\n<p>raw ]]></p>", tags=["one"])
    with site.database.transaction() as db:
        # However it came into the database.
        db.exec_driver_sql("UPDATE posts SET title = ?, html = html || ?", (HOSTILE, HOSTILE))
        db.exec_driver_sql("UPDATE site SET content_version = content_version + 1")
    feed = feedparser.parse(site.client().get(path).data)
    assert not feed.bozo
    assert len(feed.entries) == 1


NEWSBOAT = shutil.which("newsboat")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    running = Server(tmp_path / "instance", processes=1, SECRET_KEY=SECRET, BYLINE_API_TOKEN="byl_" + "t" * 43).start()
    yield running
    running.kill()


@pytest.mark.skipif(NEWSBOAT is None, reason="newsboat is not installed")
def test_newsboat_reads_a_post_once(server: Server, tmp_path: Path) -> None:
    headers = {"Authorization": "Bearer byl_" + "t" * 43}

    def publish(title: str) -> None:
        fields = {"title": title, "body": "Words", "status": "published"}
        requests.post(f"{server.url}/v1/posts", json=fields, headers=headers, timeout=30).raise_for_status()

    urls, cache, settings = tmp_path / "urls", tmp_path / "cache.db", tmp_path / "config"
    urls.write_text(f"{server.url}/feed.xml\n")
    settings.write_text("")

    def read() -> str:
        assert NEWSBOAT is not None
        command = [NEWSBOAT, "-u", str(urls), "-c", str(cache), "-C", str(settings)]
        environment = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
        subprocess.run([*command, "-x", "reload"], check=True, capture_output=True, timeout=60, env=environment)
        told = subprocess.run(
            [*command, "-x", "print-unread"], check=True, capture_output=True, text=True, timeout=60, env=environment
        )
        return told.stdout

    publish("First")
    assert read().startswith("1 ")
    assert read().startswith("1 ")
    publish("Second")
    assert read().startswith("2 ")
