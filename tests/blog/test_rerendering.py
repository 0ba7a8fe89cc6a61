"""Pages made anew: by the running site's job, without a revision, a version or an event, and never over a newer text."""

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from blog.media.storing import describe, store
from blog.media.variants import make_variants
from blog.posts import rerendering
from blog.posts.content import prepare, render_in
from blog.posts.publishing import publish, unpublish
from blog.posts.queries.finding import find_post
from blog.posts.rerendering import RERENDER, plan_rerendering, plan_rerendering_around, rerender
from blog.posts.writing import change
from blog.rendering import RENDERER_VERSION
from storage import sqlite
from tests.blog.media.pictures import picture
from tests.folders import run_byline
from tests.support import SECRET, Server, Site, make_site, read_all

OLD = "<p>As an older renderer made it.</p>"
_KEPT = "SELECT id, slug, title, body, excerpt, status, version, created_at, updated_at, published_at, deleted_at FROM posts"


def age(site: Site) -> None:
    """Every page is as an older renderer made it."""
    with site.database.transaction() as db:
        db.exec_driver_sql("UPDATE posts SET html = ?, summary = 'old', renderer_version = 0", (OLD,))


def until(is_so: Callable[[], bool]) -> None:
    """Until something that another process does is done."""
    deadline = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def stale_count(folder: Path) -> int:
    query = f"SELECT count(*) FROM posts WHERE renderer_version < {RENDERER_VERSION}"
    return int(read_all(folder / "byline.db", query)[0][0])


def run_jobs(site: Site) -> int:
    """All that is planned for now; returns how many turns it took."""
    turns = 0
    while True:
        with site.database.transaction() as db:
            row = db.exec_driver_sql("SELECT id FROM jobs WHERE kind = ? LIMIT 1", (RERENDER,)).first()
            if row is None:
                return turns
            db.exec_driver_sql("DELETE FROM jobs WHERE id = ?", (row[0],))
        while rerender(site.database, {}, own_host=None) is not None:
            turns += 1
        turns += 1


def test_a_start_makes_every_page_of_an_older_renderer_anew_and_nothing_else(tmp_path: Path) -> None:
    site = make_site(tmp_path / "instance")
    posts = [site.post(title=f"Post {number}", body=f'"Quoted" {number}') for number in range(45)]
    posts.append(site.post(title="Draft", body='"Drafted"', status="draft"))
    posts.append(site.post(title="With an excerpt", excerpt="By its author.", body="Text."))
    gone = site.post(title="Gone", body='"Gone"')
    site.client("alan").submit(f"/posts/{gone.slug}/delete", version="1")
    age(site)
    site.close()
    database = site.folder / "byline.db"
    before = read_all(database, _KEPT)
    revisions = read_all(database, "SELECT * FROM revisions ORDER BY post_id, number")
    server = Server(site.folder, SECRET_KEY=SECRET).start()
    try:
        until(lambda: stale_count(site.folder) == 0)
        page = server.browser().get(f"/posts/{posts[0].slug}")
        assert "“Quoted” 0" in page.text
        assert OLD not in page.text
        assert "“Quoted” 44" in server.browser().get("/").text
        until(lambda: read_all(database, f"SELECT * FROM jobs WHERE kind = '{RERENDER}'") == [])
    finally:
        assert server.stop() == 0
    assert read_all(database, _KEPT) == before
    assert read_all(database, "SELECT * FROM revisions ORDER BY post_id, number") == revisions
    # A start claims epochs; nothing is said of posts but what was said before.
    assert read_all(database, "SELECT count(*) FROM events WHERE kind LIKE 'post.edited%'") == [(0,)]
    rows = dict(map(tuple, read_all(database, "SELECT id, html FROM posts")))
    assert rows == {post.id: post.html for post in [*posts, gone]}
    summaries = dict(map(tuple, read_all(database, "SELECT id, summary FROM posts")))
    assert summaries == {post.id: post.summary for post in [*posts, gone]}


def test_a_page_in_the_cache_is_not_the_old_one_afterwards(site: Site) -> None:
    post, visitor = site.post(body='"Quoted"'), site.client()
    age(site)
    assert OLD in visitor.get(f"/posts/{post.slug}").text
    with site.database.transaction() as db:
        plan_rerendering(db)
    assert run_jobs(site) == 1
    assert "“Quoted”" in visitor.get(f"/posts/{post.slug}").text


def test_another_language_of_the_site_sets_other_quotation_marks_everywhere(site: Site) -> None:
    post, draft = site.post(body='"Quoted"'), site.post(body='"Drafted"', status="draft")
    olive = site.client("olive")
    fields = {"name": "Byline", "tagline": "", "time_zone": "UTC"}
    assert olive.submit("/admin/settings", language="de", **fields).status_code in (200, 303)
    assert run_jobs(site) == 1
    assert "„Quoted“" in site.client().get(f"/posts/{post.slug}").text
    assert "„Drafted“" in site.client("alan").get(f"/posts/{draft.slug}").text
    assert site.rows("revisions") == 2
    # Another name of the site concerns no page's text.
    assert olive.submit("/admin/settings", language="de", **fields | {"name": "Other"}).status_code in (200, 303)
    assert run_jobs(site) == 0


def test_a_post_that_was_saved_meanwhile_is_not_overwritten(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    changed, renamed, untouched = (site.post(title=title, body='"Begun"') for title in ("a", "b", "c"))
    age(site)
    is_first = True

    def render_slowly(*args, **kwargs):
        nonlocal is_first
        if is_first:
            is_first = False
            with site.database.transaction() as db:
                change(db, changed.id, prepare({"body": '"Newer"'}, current=changed), by=site.principal("alan"))
                change(db, renamed.id, prepare({"title": "B"}, current=renamed), by=site.principal("alan"))
        return render_in(*args, **kwargs)

    monkeypatch.setattr(rerendering, "render_in", render_slowly)
    assert rerender(site.database, {}, own_host=None) is not None  # one that was saved is still an older one's
    pages = pages_of(site)
    assert pages[changed.id] == ("<p>“Newer”</p>\n", RENDERER_VERSION, 2)
    assert pages[untouched.id] == ("<p>“Begun”</p>\n", RENDERER_VERSION, 1)
    assert pages[renamed.id] == (OLD, 0, 2)
    assert rerender(site.database, {}, own_host=None) is None
    assert pages_of(site)[renamed.id] == ("<p>“Begun”</p>\n", RENDERER_VERSION, 2)


def test_a_save_of_the_same_text_does_not_bring_the_older_page_back(site: Site) -> None:
    post = site.post(body='"Begun"')
    age(site)
    with site.database.reading() as db:
        seen = find_post(db, post_id=post.id)
    assert seen is not None
    assert seen.html == OLD
    prepared = prepare({"title": "Renamed"}, current=seen)
    assert rerender(site.database, {}, own_host=None) is None
    with site.database.transaction() as db:
        saved = change(db, post.id, prepared, by=site.principal("alan"))
    assert (saved.html, saved.renderer_version, saved.title) == ("<p>“Begun”</p>\n", RENDERER_VERSION, "Renamed")
    assert saved.summary == "“Begun”"


def test_publishing_an_older_page_leaves_it_to_the_job(site: Site) -> None:
    post = site.post(body='"Begun"', status="draft")
    age(site)
    for act in (publish, unpublish, publish):
        with site.database.transaction() as db:
            act(db, post.id, by=site.principal("alan"))
    assert pages_of(site)[post.id] == (OLD, 0, 4)
    with site.database.transaction() as db:
        plan_rerendering(db)
    run_jobs(site)
    assert pages_of(site)[post.id] == ("<p>“Begun”</p>\n", RENDERER_VERSION, 4)


def test_a_page_gets_the_smaller_pictures_when_they_are_there(site: Site, tmp_path: Path) -> None:
    with (tmp_path / "wide.png").open("w+b") as sent:
        sent.write(picture("PNG", (900, 600)))
        sent.seek(0)
        files, by = site.app.extensions["media_files"], site.principal("alan")
        media, _is_new = store(site.database, files, sent, name="wide.png", alt="Four corners", by=by)
    alan = site.client("alan")
    fields = {"title": "Picture", "body": f"Seen:\n\n![]({media.path})", "status": "published"}
    assert alan.submit("/new", **fields).status_code == 303
    other = site.post(body="No picture.")
    before = site.client().get("/posts/picture").text
    assert 'width="900"' in before
    assert "srcset" not in before
    make = partial(make_variants, files=files, announce=plan_rerendering_around)
    make(site.database, {"digest": media.digest})
    assert run_jobs(site) == 1
    after = site.client().get("/posts/picture").text
    assert f'srcset="{media.path}/640.webp 640w, {media.path} 900w"' in after
    assert site.rows("revisions") == 2
    assert pages_of(site)[other.id][0] == other.html
    # What it shows is told later: the texts that leave it to the picture say it too.
    assert 'alt="Four corners"' in after
    with site.database.transaction() as db:
        describe(db, media.id, alt="Red, green, blue, white", is_decorative=False, by=by)
        jobs = db.exec_driver_sql("SELECT count(*) FROM jobs WHERE kind = 'media.make_variants'").scalar_one()
    assert jobs == 2
    make(site.database, {"digest": media.digest})
    run_jobs(site)
    assert 'alt="Red, green, blue, white"' in site.client().get("/posts/picture").text
    assert {version for _html, _renderer, version in pages_of(site).values()} == {1}


def test_the_running_site_brings_the_smaller_pictures_into_the_page(server: Server) -> None:
    olive = server.browser()
    olive.sign_in()
    token = olive.get("/new").text.split('name="csrf_token"')[1].split('value="')[1].split('"')[0]
    sent = olive.post(
        "/v1/media", files={"file": ("a.png", picture("PNG", (700, 500)))}, headers={"X-CSRF-Token": token}
    )
    path = "/media/" + sent.json()["url"][-64:]
    body = f"![Corners]({path})"
    assert olive.submit("/new", {"title": "Wide", "body": body, "status": "published"}).status_code == 303
    visitor = server.browser()
    until(lambda: f'srcset="{path}/640.webp 640w' in visitor.get("/posts/wide").text)
    assert read_all(server.folder / "byline.db", "SELECT version FROM posts") == [(1,)]


def test_a_job_that_was_killed_half_way_is_taken_up_again(tmp_path: Path) -> None:
    site = make_site(tmp_path / "instance")
    for number in range(60):
        site.post(title=f"Post {number}")
    age(site)
    with site.database.transaction() as db:  # so long that the job is seen at it
        db.exec_driver_sql("UPDATE posts SET body = ?", ('"Quoted" *words*\n\n' * 1500,))
    site.close()
    server = Server(site.folder, processes=1, SECRET_KEY=SECRET).start()
    until(lambda: 0 < stale_count(site.folder) < 60)
    server.kill()
    assert stale_count(site.folder) > 0
    with sqlite.opened(site.folder / "byline.db", mode="rw") as db:  # what is left need not take as long
        db.execute(f"UPDATE posts SET body = '\"Quoted\"' WHERE renderer_version < {RENDERER_VERSION}")
    server.start()
    try:
        until(lambda: stale_count(site.folder) == 0)
    finally:
        server.kill()
    assert read_all(site.folder / "byline.db", "SELECT count(*), sum(version) FROM posts") == [(60, 60)]
    assert run_byline(site.folder, "log", "verify", environment={"SECRET_KEY": SECRET}).returncode == 0


def pages_of(site: Site) -> dict[str, tuple[str, int, int]]:
    """Page, renderer and version of each post."""
    with site.database.reading() as db:
        rows = db.exec_driver_sql("SELECT id, html, renderer_version, version FROM posts")
        return {post_id: (html, renderer, version) for post_id, html, renderer, version in rows}
