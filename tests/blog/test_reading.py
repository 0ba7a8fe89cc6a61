"""What readers see: home, one post, one tag, the feed; and what nobody sees who may not."""

from typing import Any

import feedparser
import pytest
import time_machine

from storage import clock
from tests.support import Client, Site

HIDDEN = {
    "a draft": {"status": "draft"},
    "a scheduled post": {"status": "published", "publish_at": clock.now() + clock.DAY},
    "a members' post": {"visibility": "members"},
}


@pytest.mark.parametrize("values", HIDDEN.values(), ids=HIDDEN)
def test_what_a_visitor_may_not_read_is_nowhere(site: Site, values: dict[str, Any]) -> None:
    site.post(title="Zebra", body="zebra text", tags=["zebra"], **values)
    visitor = site.client()
    for path in ("/", "/feed.xml", "/v1/posts"):
        assert "zebra" not in visitor.get(path).text.lower(), path
    assert visitor.get("/tags/zebra").status_code == 404
    assert visitor.get("/posts/zebra").status_code == (401 if "visibility" in values else 404)


def test_members_posts_show_a_visitor_the_title_the_written_excerpt_and_a_link(site: Site) -> None:
    site.post(title="For members", body="Secret words.", visibility="members")
    site.post(title="With excerpt", body="Secret words.", visibility="members", excerpt="Written for all.")
    visitor = site.client()
    page = visitor.get("/posts/for-members")
    assert page.status_code == 401
    assert page.headers["WWW-Authenticate"]
    assert "Set-Cookie" not in page.headers
    assert page.headers["Cache-Control"] == "public, no-cache"
    assert "<form" not in page.text
    assert "/login?next=/posts/for-members" in page.text
    assert "Secret" not in page.text
    assert "Written for all." in visitor.get("/posts/with-excerpt").text
    assert visitor.get("/posts/for-members", headers={"Accept": "application/json"}).status_code == 401


def test_members_read_members_posts_wherever_they_look(site: Site) -> None:
    post = site.post(title="For members", visibility="members", tags=["inner"])
    for client in (site.client("rita"), site.client(token=site.token("rita"))):
        for path in ("/", "/feed.xml", "/tags/inner", "/posts/for-members", f"/v1/posts/{post.id}"):
            answer = client.get(path)
            assert answer.status_code == 200, path
            assert "For members" in answer.text, path
            assert answer.headers["Cache-Control"] == "private, no-store"
            assert "Cookie" in answer.headers["Vary"]


def test_home_pages_through_everything_newest_first(site: Site) -> None:
    for number in range(25):
        with time_machine.travel(clock.now() / clock.SECOND - 10_000 + number * 60):
            site.post(title=f"Post number {number:02}")
    visitor = site.client()
    seen: list[str] = []
    path: str | None = "/"
    while path:
        page = visitor.get(path).text
        found = page.split("Post number ")[1:]
        seen += [named for text in found if (named := text[:2]) not in seen]
        older = page.split('rel="next"')
        path = older[1].split('href="')[1].split('"')[0] if len(older) > 1 else None
    assert seen == [f"{number:02}" for number in reversed(range(25))]


def test_posts_of_the_same_instant_are_all_paged_through(site: Site) -> None:
    with time_machine.travel("2026-01-01T00:00:00Z", tick=False):
        slugs = {site.post(title="Same").slug for _ in range(21)}
    visitor, seen, path = site.client(), set(), "/"
    while path:
        page = visitor.get(path).text
        seen |= {part.split('"')[0] for part in page.split('href="/posts/')[1:]}
        path = page.split('rel="next"')[1].split('href="')[1].split('"')[0] if 'rel="next"' in page else ""
    assert seen == slugs


BAD_CURSORS = [
    "",
    "x",
    "1~",
    "~1",
    "-1~x",
    "1~00000000-0000-0000-0000-00000000000g",
    "9" * 30 + "~" + "0" * 32,
    "%00",
    "%ff",
    "１~" + "0" * 32,
]


@pytest.mark.parametrize("cursor", BAD_CURSORS)
@pytest.mark.parametrize("path", ["/", "/account"])
def test_a_forged_cursor_is_no_page(site: Site, path: str, cursor: str) -> None:
    name = "before" if path == "/" else "after"
    prefix = "" if path == "/" else "draft~"
    assert site.client("alan").get(f"{path}?{name}={prefix}{cursor}").status_code == 404


@pytest.mark.parametrize(
    "query", ["?" + "&".join(f"k{n}=v" for n in range(1000)), "?page=-1", "?%00=%00", "?a=%ff", "?=&&="]
)
def test_unknown_queries_change_nothing(site: Site, query: str) -> None:
    site.post()
    for path in ("/", "/posts/a-post", "/feed.xml"):
        assert site.client().get(path + query).status_code == 200


@pytest.mark.parametrize(
    "tag", ["x", "..", "%2e%2e", "a%2fb", "%00", "%ff", "x" * 5000, "<script>", "c%23", "%F0%9F%A6%93"]
)
def test_tags_that_nothing_bears_are_404(site: Site, tag: str) -> None:
    assert site.client().get(f"/tags/{tag}").status_code == 404


def test_a_tag_is_found_in_any_case_and_script(site: Site) -> None:
    site.post(tags=["Straße", "日本 語", "a+b&c"])
    for address in ("straße", "STRAßE", "%E6%97%A5%E6%9C%AC%20%E8%AA%9E", "a+b&c", "a%2Bb%26c"):
        assert site.client().get(f"/tags/{address}").status_code == 200, address
    page = site.client().get("/posts/a-post").text
    for address in ("/tags/stra%C3%9Fe", "/tags/%E6%97%A5%E6%9C%AC%20%E8%AA%9E"):
        assert address in page


def test_head_gives_the_headers_of_get(site: Site) -> None:
    site.post()
    for path in ("/", "/posts/a-post", "/feed.xml", "/nothing", "/v1/posts"):
        get, head = site.client().get(path), site.client().head(path)
        assert head.status_code == get.status_code
        assert head.data == b""
        ignored = {"X-Request-Id", "Date"}
        assert {k: v for k, v in head.headers.items() if k not in ignored} == {
            k: v for k, v in get.headers.items() if k not in ignored
        }


def test_the_feed_is_atom_that_feedparser_reads_without_complaint(site: Site) -> None:
    nasty = site.post(
        title="</title> & <b>\u200b", body="Text with ]]> and &amp; — 漢字 🖋\n\n<script>x</script>", tags=["a&b"]
    )
    site.post(title="Another")
    feed = feedparser.parse(site.client().get("/feed.xml").data)
    assert not feed.bozo
    assert feed.feed.id
    assert [entry.id for entry in feed.entries][1] == f"urn:uuid:{nasty.id}"
    entry = feed.entries[1]
    assert entry.title == nasty.title or "&lt;b&gt;" in entry.title
    assert "漢字 🖋" in entry.content[0].value
    assert "<script" not in entry.content[0].value
    assert entry.link.endswith(f"/posts/{nasty.slug}")
    assert entry.published_parsed
    assert [tag.term for tag in entry.tags] == ["a&b"]


def test_an_empty_site_tells_its_owner_how_to_begin_and_a_visitor_that_nothing_is_here(site: Site) -> None:
    assert "/new" in site.client("olive").get("/").text
    assert "Nothing is here yet" in site.client().get("/").text
    assert not feedparser.parse(site.client().get("/feed.xml").data).bozo


def test_the_footer_says_who_is_signed_in(site: Site) -> None:
    site.post()
    for path in ("/", "/posts/a-post"):
        assert "Rita" in site.client("rita").get(path).text
        assert 'action="/logout"' in site.client("rita").get(path).text
        visitor = site.client().get(path).text
        assert "/login" in visitor
        assert "/logout" not in visitor


def test_only_who_may_edit_sees_the_buttons(site: Site) -> None:
    site.post(by="alan")

    def sees_edit(client: Client) -> bool:
        return "/posts/a-post/edit" in client.get("/posts/a-post").text

    assert [name for name in ("olive", "edith", "alan", "ada", "rita") if sees_edit(site.client(name))] == [
        "olive",
        "edith",
        "alan",
    ]
    assert not sees_edit(site.client())


def test_a_readers_page_is_small(site: Site) -> None:
    site.post(body="A paragraph of ordinary length, which says something and then ends. " * 60)
    page = site.client().get("/posts/a-post").data
    styles = [part.split(b'"')[0] for part in page.split(b'rel="stylesheet" href="')[1:]]
    assert styles
    size = len(page) + sum(len(site.client().get(style.decode()).data) for style in styles)
    assert size < 15_000 + len(site.client().get("/v1/posts").json["items"][0]["html"])
