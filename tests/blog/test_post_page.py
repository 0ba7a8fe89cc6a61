"""What the page of a post leads to: neighbours, tags, its Markdown. Nobody finds by them what they may not read."""

import re
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import time_machine

from auth.principal import VISITOR
from blog.posts import outline as outlines
from blog.posts.queries.finding import find_post
from blog.posts.queries.lists import find_neighbours
from blog.posts.reading_time import minutes_to_read
from blog.rendering import contents, render
from blog.transfer.front_matter import parse
from storage import clock
from tests.support import Client, Site, make_site
from tests.web.test_statements import _multiply as multiply

STATES = ("out", "draft", "scheduled", "unpublished", "deleted")
VISIBILITIES = ("public", "members")
ASKERS = (None, "rita", "alan", "edith")  # alan has written all of it, edith may edit all of it
WORDS = "Nobody but readers finds these words."


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A post in each state for everybody and for members, each under a tag of its own, among some that are out."""
    site = make_site(tmp_path_factory.mktemp("around") / "instance")
    alan = site.client("alan")
    site.post("ada", title="First", slug="first")
    for state, visibility in product(STATES, VISIBILITIES):
        name = f"{state}-{visibility}"
        values: dict[str, object] = {"status": "draft"} if state == "draft" else {}
        if state == "scheduled":
            values = {"publish_at": clock.now() + clock.DAY}
        site.post("alan", title=name, slug=name, tags=[name], visibility=visibility, body=WORDS, **values)
        if state == "unpublished":
            assert alan.submit(f"/posts/{name}/unpublish", page="/new").status_code == 303
        if state == "deleted":
            assert alan.submit(f"/posts/{name}/delete", version="1").status_code == 303
    with time_machine.travel(clock.now() / clock.SECOND, tick=False):
        for _ in range(3):
            site.post("ada", title="Same instant")
    site.post("ada", title="About", slug="about", kind="page", tags=["about"])
    site.post("ada", title="Last", slug="last", tags=["last"])
    yield site
    site.close()


def may_find(asker: str | None) -> list[str]:
    """The names of what was made in each state that somebody finds as a reader."""
    return ["out-public", *(["out-members"] if asker else [])]


def walk(client: Client, path: str, rel: str) -> list[str]:
    """The pages that a reader passes who goes on and on."""
    passed = [path]
    while found := re.search(rf'rel="{rel}" href="([^"]+)"', client.get(passed[-1]).text):
        passed.append(found[1])
        assert len(passed) < 50
    return passed


@pytest.mark.parametrize("asker", ASKERS)
def test_whoever_walks_on_passes_what_is_theirs_to_read_and_nothing_else(filled: Site, asker: str | None) -> None:
    client = filled.client(asker)
    there = walk(client, "/posts/first", "next")
    assert there[-1] == "/posts/last"
    assert len(set(there)) == len(there)
    among = {path.removeprefix("/posts/") for path in there if "same-instant" not in path}
    assert among == {"first", "last", *may_find(asker)}
    assert len([path for path in there if "same-instant" in path]) == 3
    assert walk(client, "/posts/last", "prev") == there[::-1]


@pytest.mark.parametrize("asker", ASKERS)
def test_tags_are_counted_among_what_is_theirs_to_read(filled: Site, asker: str | None) -> None:
    page = filled.client(asker).get("/tags").text
    counted = re.findall(r'href="/tags/([^"]+)"><bdi>[^<]+</bdi></a> \((\d+)\)', page)
    assert counted == [(name, "1") for name in sorted(["last", *may_find(asker)])]


@pytest.mark.parametrize("asker", ASKERS)
@pytest.mark.parametrize("name", [f"{state}-{visibility}" for state, visibility in product(STATES, VISIBILITIES)])
def test_the_markdown_and_the_metadata_are_for_whom_the_page_is(filled: Site, name: str, asker: str | None) -> None:
    client = filled.client(asker)
    page, markdown = client.get(f"/posts/{name}"), client.get(f"/posts/{name}.md")
    assert markdown.status_code == page.status_code
    assert (WORDS in markdown.text) == (WORDS in page.text) == (page.status_code == 200)
    assert (markdown.mimetype == "text/markdown") == (page.status_code == 200)
    assert page.headers["Cache-Control"] == markdown.headers["Cache-Control"]
    is_for_all = name == "out-public"
    assert ("application/ld+json" in page.text) == is_for_all
    assert ("noindex" in page.text) == (not is_for_all)
    assert ('property="og:description"' in page.text) == is_for_all
    # Whether there is something to know of it at all.
    expected = {"draft": 404, "scheduled": 404, "unpublished": 404, "deleted": 410, "out": 200}[name.split("-")[0]]
    if asker in ("alan", "edith") and expected == 404:
        expected = 200
    if name == "out-members" and asker is None:
        expected = 401
    assert page.status_code == expected


def test_a_draft_and_a_page_lead_to_no_neighbours(filled: Site) -> None:
    for path in ("/posts/draft-public", "/posts/scheduled-public", "/about"):
        page = filled.client("alan").get(path).text
        assert 'rel="prev"' not in page
        assert 'rel="next"' not in page


def test_neighbours_and_what_is_around_cost_three_statements_by_an_index(filled: Site) -> None:
    with filled.counted_statements() as statements:
        assert filled.client().get("/posts/out-public?x=1").status_code == 200
    about_posts = [statement for statement in statements if "posts" in statement and "min(" not in statement]
    assert len(about_posts) <= 3
    around = next(statement for statement in about_posts if "UNION ALL" in statement)
    with filled.database.reading() as db:
        plan = db.exec_driver_sql(f"EXPLAIN QUERY PLAN {around}", (0,) * around.count("?")).all()
    steps = [row[-1] for row in plan]
    searches = [step for step in steps if "ix_posts_reading" in step]
    assert len([step for step in searches if re.search(r"SEARCH .*\(status=\? AND .*published_at", step)]) == 2, steps
    assert [step for step in steps if "TEMP B-TREE" in step or re.search(r"SCAN posts", step)] == []


def test_the_oldest_post_finds_its_neighbours_as_fast_as_the_newest(tmp_path: Path) -> None:
    site = make_site(tmp_path / "instance")
    for number in range(3):
        site.post("ada", title=f"Post {number}", slug=f"post-{number}")
    with site.database.transaction() as db:
        multiply(db, 500)
    steps = 0

    def count_step() -> int:
        nonlocal steps
        steps += 1
        return 0

    at, found = clock.now(), {}
    for rank in (0, 1, 750, 1498, 1499):
        with site.database.reading() as db:
            newest_first = "SELECT slug FROM posts ORDER BY published_at DESC, id DESC LIMIT 1 OFFSET"
            post = find_post(db, slug=db.exec_driver_sql(f"{newest_first} {rank}").scalar_one())
            assert post is not None
            # Once before, for the driver keeps a statement that is prepared: reading its words takes steps, too.
            find_neighbours(db, post, by=VISITOR, at=at)
            driver_connection: Any = db.connection.driver_connection
            steps = 0
            driver_connection.set_progress_handler(count_step, 1)
            try:
                before, after = find_neighbours(db, post, by=VISITOR, at=at)
            finally:
                driver_connection.set_progress_handler(None, 0)
        assert (before is None, after is None) == (rank == 1499, rank == 0)
        found[rank] = steps
    # The machine's own steps, which are as many whatever else it does.
    assert 0 < max(found.values()) < 300, found
    site.close()


# The Markdown


def test_the_markdown_is_what_the_author_wrote_with_its_front_matter(site: Site) -> None:
    body = "Some *words*,\n\n---\n\nand 漢字 after a line.\n"
    post = site.post("alan", title='A "title": é', slug="one", body=body, tags=["b", "a"], excerpt="In short")
    answer = site.client().get("/posts/one.md")
    assert answer.headers["Content-Type"] == "text/markdown; charset=utf-8"
    assert 'rel="canonical"' in answer.headers["Link"]
    fields, text = parse(answer.text)
    assert text == body
    assert (fields["id"], fields["title"], fields["tags"]) == (post.id, 'A "title": é', ["b", "a"])
    assert '<link rel="alternate" type="text/markdown" title="Markdown" href="/posts/one.md">' in (
        site.client().get("/posts/one").text
    )


def test_a_former_address_leads_to_the_markdown_and_is_not_told(site: Site) -> None:
    site.post("alan", title="Secret plan", slug="secret-plan", status="draft")
    alan = site.client("alan")
    changed = {"version": "1", "title": "A plan", "body": "Words.", "status": "published", "slug": "plan"}
    assert alan.submit("/posts/secret-plan/edit", **changed).status_code == 303
    moved = site.client().get("/posts/secret-plan.md")
    assert (moved.status_code, moved.headers["Location"]) == (301, "/posts/plan.md")
    assert "secret" not in site.client().get("/posts/plan.md").text


def test_pages_and_what_is_nowhere_have_no_markdown(site: Site) -> None:
    site.post("alan", title="About", slug="about", kind="page")
    for path in ("/posts/about.md", "/about.md", "/posts/nothing.md", "/posts/.md", "/posts/%00.md"):
        assert site.client().get(path).status_code == 404, path
    assert "text/markdown" not in site.client().get("/about").text


def test_a_program_without_a_right_is_told_so_about_the_markdown(site: Site) -> None:
    site.post("alan", title="Inner", slug="inner", body=WORDS, visibility="members", excerpt="For all.")
    refused = site.client().get("/posts/inner.md", headers={"Accept": "application/json"})
    assert (refused.status_code, refused.mimetype) == (401, "application/problem+json")
    page = site.client().get("/posts/inner.md")
    assert page.status_code == 401
    assert page.headers["WWW-Authenticate"]
    assert "For all." in page.text
    assert 'href="http://localhost:8000/posts/inner"' in page.text
    assert WORDS in site.client(token=site.token("rita")).get("/posts/inner.md").text


def test_what_cannot_be_written_as_a_file_is_refused_and_not_a_fault(site: Site) -> None:
    site.post("alan", title="Bell", slug="bell")
    with site.database.transaction() as db:
        db.exec_driver_sql("UPDATE posts SET title = char(66, 7)")
    assert site.client().get("/posts/bell.md").status_code == 409
    assert site.client().get("/posts/bell").status_code == 200


# What is gone, and what is new


def test_what_is_gone_says_so_to_everybody_and_is_kept_as_a_page_is(site: Site) -> None:
    site.post("alan", title="Zebra", slug="zebra", body=WORDS)
    assert site.client("alan").submit("/posts/zebra/delete", version="1").status_code == 303
    for path in ("/posts/zebra", "/posts/zebra.md"):
        gone = site.client().get(path)
        assert gone.status_code == 410
        assert "deleted" in gone.text
        assert "Zebra" not in gone.text
        assert gone.headers["Cache-Control"] == "public, no-cache"
        with site.counted_statements() as statements:
            assert site.client().get(path).status_code == 410
        assert [statement for statement in statements if "posts.slug" in statement] == []


def test_the_neighbours_and_the_tags_are_new_as_soon_as_a_post_is_out(site: Site) -> None:
    site.post("alan", title="One", slug="one", tags=["a"])
    visitor, alan = site.client(), site.client("alan")
    assert "Later:" not in visitor.get("/posts/one").text
    assert "(1)" in visitor.get("/tags").text
    assert alan.submit("/new", title="Two", slug="two", tags="a", body="W", status="published").status_code == 303
    assert "Later:" in visitor.get("/posts/one").text
    assert "(2)" in visitor.get("/tags").text
    assert alan.submit("/posts/two/delete", version="1").status_code == 303
    assert "Later:" not in visitor.get("/posts/one").text
    assert "(1)" in visitor.get("/tags").text


def test_tags_stand_by_name_whatever_their_accents(site: Site) -> None:
    assert "Nothing is tagged yet." in site.client().get("/tags").text
    site.post(title="One", tags=["zebra", "école", "ebb", "fish & chips"])
    found = re.findall(r"<bdi>([^<]+)</bdi></a> \(1\)", site.client().get("/tags").text)
    assert found == ["ebb", "école", "fish &amp; chips", "zebra"]


# How long it takes


@pytest.mark.parametrize(
    ("markdown", "minutes"),
    [
        ("", 1),
        ("word " * 220, 1),
        ("word " * 660, 3),
        ("слово " * 660, 3),
        ("[word](https://example.org/a/b 'a > b')\n\n" * 440, 2),
        ("銀河鉄道の夜、カムパネルラ。" * 100, 3),  # 1,400 characters
        ("中文" * 500, 2),
        ("한국어 글" * 250, 2),
        ("中文" * 500 + " " + "word " * 220, 3),
    ],
)
def test_reading_takes_as_long_as_there_are_words_or_characters(markdown: str, minutes: int) -> None:
    assert minutes_to_read(render(markdown)) == minutes


def test_an_outline_is_found_once_for_a_text_and_each_time_for_a_long_one(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at = list[str]()
    monkeypatch.setattr(outlines, "minutes_to_read", lambda html: looked_at.append(html) or minutes_to_read(html))
    texts = [render(f"# One {number}\n# Two\n# Three\n" + "word " * 500) for number in range(3)]
    for text in texts * 2:
        assert outlines.outline(text) == (contents(text), 2, None)
    assert looked_at == texts
    long = render("word " * 5000)
    assert {outlines.outline(long).minutes for _ in range(2)} == {23}
    assert looked_at == [*texts, long, long]


def test_the_page_says_how_long_who_wrote_it_and_how_to_follow(site: Site) -> None:
    site.post("ada", title="Long", slug="long", body="word " * 660)
    page = site.client().get("/posts/long").text
    assert "3 min to read" in page
    assert '<a class="p-author h-card" href="/authors/ada">Ada</a>' in page
    assert 'follow <a href="/feed.xml">' in page
    assert 'href="/authors/ada/feed.xml"' in page
    draft = site.client("ada").get(f"/posts/{site.post('ada', title='Draft', status='draft').slug}").text
    assert "feed reader" not in draft
