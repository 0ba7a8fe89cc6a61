"""Hidden posts: while their author is blocked, readers find nothing of them, as if they were not published."""

import json

import pytest
import time_machine

from app import LINKS
from auth.blocking.blocking import block, unblock
from auth.permissions import Scope
from blog.posts.hiding import hide
from blog.posts.queries.lists import NEXT_PUBLICATION
from blog.previews.sharing import share
from blog.series.arranging import add_part, create_series
from storage import clock
from tests.support import TESTER, Site
from web.site.queries import CONTENT_VERSION

WORD = "zebrafinch"


@pytest.fixture
def written(site: Site) -> Site:
    """Ada has a post under every kind of list; alan one beside it."""
    site.post("alan", title="Alan's", slug="alans", tags=["birds"])
    site.post("ada", title=f"About the {WORD}", slug="mine", body=f"{WORD}\n\nand more", tags=[WORD, "birds"])
    site.post("ada", title=f"{WORD} for members", slug="inside", visibility="members", tags=[WORD])
    site.post("ada", title=f"The page of the {WORD}", slug="finch-page", kind="page")
    site.post("ada", title="Later", slug="later", publish_at=clock.now() + clock.HOUR)
    site.post("ada", title=f"A draft on the {WORD}", slug="draft", status="draft")
    ada = site.client("ada")
    moved = {"title": f"About the {WORD}", "body": WORD, "slug": "moved", "tags": f"{WORD}, birds", "version": "1"}
    assert ada.submit("/posts/mine/edit", **moved, status="published").status_code == 303
    assert (
        ada.submit("/posts/moved/edit", **moved | {"slug": "mine", "version": "2"}, status="published").status_code
        == 303
    )
    by = site.principal("ada")
    with site.database.transaction() as db:
        series = create_series(db, title="Finches", slug="finches", by=by)
        for slug in ("mine", "inside"):
            add_part(db, series.id, slug=slug, by=by)
    return site


def hide_ada(site: Site) -> None:
    with site.database.transaction() as db:
        block(db, "ada", by=TESTER, links=LINKS, hide=hide)


def show_ada(site: Site) -> None:
    with site.database.transaction() as db:
        unblock(db, "ada", by=TESTER, hide=hide)


ADDRESSES = [
    *("/posts/mine", "/posts/mine.md", "/posts/moved", "/posts/inside", "/posts/inside.md", "/finch-page"),
    *(f"/tags/{WORD}", f"/tags/{WORD}/feed.xml", "/authors/ada", "/authors/ada/feed.xml"),
]
LISTS = [
    *("/", "/tags", "/tags/birds", "/tags/birds/feed.xml", "/archive", "/feed.xml", "/rss.xml", "/feed.json"),
    *("/sitemap.xml", "/series/finches", f"/search?q={WORD}", "/search?q=author:ada", "/posts/alans", "/v1/posts"),
]


@pytest.mark.parametrize("name", [None, "rita", "alan", "edith"])
def test_every_reader_finds_nothing_of_them(written: Site, name: str | None) -> None:
    client = written.client(name)
    before = {path: client.get(path) for path in (*ADDRESSES, *LISTS)}
    if name is not None:
        assert all(before[path].status_code in (200, 301) for path in ADDRESSES)
    assert any(WORD in before[path].text for path in LISTS)
    hide_ada(written)
    is_editor = name == "edith"
    for path in ADDRESSES:
        answer = client.get(path)
        is_theirs_to_know = is_editor and path.startswith(("/posts", "/finch"))
        assert answer.status_code == (before[path].status_code if is_theirs_to_know else 404), path
        assert is_theirs_to_know or "About the" not in answer.text
    for path in LISTS:
        if is_editor and path == "/v1/posts":
            continue
        text = client.get(path).text.replace(f"q={WORD}", "").replace(f'value="{WORD}"', "").replace(f"“{WORD}”", "")
        text = text.replace(f'"{WORD}"', "") if path.startswith("/search") else text
        assert "About the" not in text, path
        assert "/posts/mine" not in text, path
        assert "/posts/inside" not in text, path
        assert "finch-page" not in text, path
    show_ada(written)
    for path in (*ADDRESSES, *LISTS):
        assert client.get(path).status_code == before[path].status_code, path
        assert (WORD in client.get(path).text) == (WORD in before[path].text), path


def test_counts_leave_them_out(written: Site) -> None:
    reader = written.client()
    assert "birds" in reader.get("/tags").text
    assert json.loads(reader.get("/feed.json").text)["items"]
    hide_ada(written)
    assert [item["title"] for item in json.loads(reader.get("/feed.json").text)["items"]] == ["Alan's"]
    assert WORD not in reader.get("/tags").text
    year = clock.to_datetime(clock.now()).year
    assert f"/archive/{year}" not in reader.get("/archive").text or "1 post" in reader.get("/archive").text


def test_revisions_and_previews_are_hidden_too(written: Site) -> None:
    by = written.principal("ada")
    with written.database.reading() as db:
        post_id = db.exec_driver_sql("SELECT id FROM posts WHERE slug = 'draft'").scalar_one()
    with written.database.transaction() as db:
        token = share(db, post_id, days=7, by=by)
    visitor = written.client()
    assert visitor.get(f"/preview/{token}").status_code == 200
    hide_ada(written)
    assert visitor.get(f"/preview/{token}").status_code == 404
    for path in ("/posts/mine/revisions", "/posts/mine/revisions/1", "/posts/mine/revisions/1..2"):
        assert written.client("alan").get(path).status_code == 404, path
        assert written.client("edith").get(path).status_code == 200, path
    program = written.client(token=written.token("alan", Scope.POSTS_READ))
    with written.database.reading() as db:
        mine = db.exec_driver_sql("SELECT id FROM posts WHERE slug = 'mine'").scalar_one()
    assert program.get(f"/v1/posts/{mine}").status_code == 404
    show_ada(written)
    assert visitor.get(f"/preview/{token}").status_code == 200


def test_editors_find_them_on_the_desk_and_are_told(written: Site) -> None:
    hide_ada(written)
    edith = written.client("edith")
    assert "Hidden." in edith.get("/posts/mine").text
    assert "noindex" in edith.get("/posts/mine").text
    desk = edith.get("/account?whose=all").text
    assert desk.count('<span class="flag">Hidden</span>') == 5
    # What an editor changes there, or publishes, stays hidden.
    page = {"title": "Edited", "body": "x", "slug": "mine", "tags": "", "version": "3", "status": "published"}
    assert edith.submit("/posts/mine/edit", **page).status_code == 303
    assert edith.submit("/posts/draft/publish", page="/posts/draft").status_code == 303
    assert [written.client().get(f"/posts/{slug}").status_code for slug in ("mine", "draft")] == [404, 404]
    assert "Edited" not in written.client().get("/").text


def test_a_post_that_is_written_for_them_meanwhile_is_hidden_too(written: Site) -> None:
    hide_ada(written)
    written.post("ada", title="Imported", slug="imported")
    assert written.client().get("/posts/imported").status_code == 404
    show_ada(written)
    assert written.client().get("/posts/imported").status_code == 200


def test_a_hidden_post_does_not_come_out_when_its_moment_comes(written: Site) -> None:
    at = clock.now()
    hide_ada(written)
    with written.database.reading() as db:
        assert db.execute(NEXT_PUBLICATION, {"at": at}).scalar_one() is None
    with time_machine.travel((at + 2 * clock.HOUR) / clock.SECOND, tick=False):
        assert written.client().get("/posts/later").status_code == 404
        assert "Later" not in written.client().get("/").text
        show_ada(written)
        assert written.client().get("/posts/later").status_code == 200
        assert "Later" in written.client().get("/").text


def test_pages_that_were_kept_are_older_after_it(written: Site) -> None:
    with written.database.reading() as db:
        before = db.execute(CONTENT_VERSION).scalar_one()
    hide_ada(written)
    with written.database.reading() as db:
        assert db.execute(CONTENT_VERSION).scalar_one() > before


def test_a_deleted_post_still_says_so(written: Site) -> None:
    assert written.client("ada").submit("/posts/mine/delete", version="3").status_code == 303
    hide_ada(written)
    assert written.client().get("/posts/mine").status_code == 410


def test_no_list_walks_over_what_is_hidden(written: Site) -> None:
    """Each list finds its posts in the index, where hidden ones stand apart."""
    reader = written.client()
    paths = ("/", "/archive", "/feed.json", "/sitemap.xml", "/posts/alans")
    with written.counted_statements() as seen:
        for path in paths:
            assert reader.get(path).status_code == 200
    listing = [each for each in dict.fromkeys(seen) if "posts.is_hidden" in each and "posts.published_at <=" in each]
    assert len(listing) >= 4
    for statement in listing:
        with written.database.reading() as db:
            filled = statement.count("?")
            plan = [str(row[-1]) for row in db.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", (1,) * filled)]
        posts = [step for step in plan if " posts " in step]
        assert posts, plan
        for step in posts:
            assert "ix_posts_reading (status=? AND is_hidden=?" in step or "(id=?)" in step, step
        assert "series_posts" in statement or not any("TEMP B-TREE FOR ORDER BY" in step for step in plan), plan
