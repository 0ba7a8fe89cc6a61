"""Nothing that is kept is ever stale: after every change a visitor gets what would be rendered now, in every process."""

from collections.abc import Callable, Iterator

import pytest
import time_machine

from app import create_app
from auth.permissions import Role
from auth.users.roles import change_role
from blog.posts.rerendering import rerender
from blog.series.arranging import add_part, create_series
from storage import clock
from tests.support import TESTER, Client, Site, find_form_token
from web.site.queries import touch

NOW = 1_800_000_000
PATHS = [
    "/", "/posts/first", "/posts/second", "/posts/renamed", "/about", "/tags/one", "/tags/two", "/tags/three",
    "/authors/alan", "/archive", "/feed.xml", "/rss.xml", "/feed.json", "/tags/one/feed.xml", "/authors/alan/feed.xml",
    "/sitemap.xml", "/robots.txt", "/series/walks",
]  # fmt: skip


class Places:
    """Two processes of one site, as far as they can tell, and visitors who ask both."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.other = create_app(site.settings, testing=True)
        self.visitors = [Client(app) for app in (site.app, self.other)]
        self.first, by = site.post("alan", title="First", slug="first", tags=["one"]), site.principal("alan")
        with site.database.transaction() as db:
            series = create_series(db, title="Walks", by=by)
            add_part(db, series.id, slug="first", by=by)
        self.second = site.post("alan", title="Second", slug="second", tags=["one", "two"])
        self.alan = site.client("alan")
        self.program = site.client(token=site.token("alan"))

    def warm(self) -> None:
        for visitor in self.visitors:
            for path in PATHS:
                visitor.get(path)
                visitor.get(path, headers={"Accept-Encoding": "gzip"})

    def check(self) -> int:
        """Every page of both processes is what is rendered past the cache; returns how many were asked for."""
        for visitor in self.visitors:
            for path in PATHS:
                kept = visitor.get(path)
                # What comes with a type is not answered from what is kept.
                rendered = visitor.get(path, headers={"Content-Type": "text/plain"})
                assert "X-Request-Id" in rendered.headers
                assert kept.status_code == rendered.status_code, path
                if kept.status_code == 200:
                    assert kept.data == rendered.data, path
                assert kept.headers.get("Location") == rendered.headers.get("Location"), path
        return len(PATHS)


@pytest.fixture
def places(site: Site) -> Iterator[Places]:
    with time_machine.travel(NOW, tick=False):
        made = Places(site)
        yield made
        made.other.extensions["database"].close()


def patch(**fields: object) -> Callable[[Places], object]:
    return lambda places: places.program.patch(f"/v1/posts/{places.first.id}", json=fields)


def submit(path: str, **fields: str) -> Callable[[Places], object]:
    def send(places: Places) -> object:
        olive = places.site.client("olive")
        token = find_form_token(olive.get("/account").text)
        return olive.post(path, data={"csrf_token": token, **fields}, content_type="multipart/form-data")

    return send


def delete_and_restore(places: Places) -> None:
    places.program.delete(f"/v1/posts/{places.first.id}")
    places.check()
    submit(f"/account/bin/{places.first.id}/restore")(places)
    places.check()
    patch(status="published")(places)


def rerender_all(places: Places) -> None:
    with places.site.database.transaction() as db:
        db.exec_driver_sql("UPDATE posts SET renderer_version = 0, html = '<p>older</p>'")
        touch(db)
    places.warm()
    rerender(places.site.database, {}, own_host="localhost:8000")


def lower_role(places: Places) -> None:
    with places.site.database.transaction() as db:
        change_role(db, "alan", Role.READER, by=TESTER)


CHANGES: dict[str, Callable[[Places], object]] = {
    "a new post": lambda places: places.site.post("ada", title="Third", tags=["one"]),
    "a new page": lambda places: places.site.post("ada", title="About", slug="about", kind="page"),
    "another text": patch(body="Other words"),
    "another title": patch(title="Other title"),
    "another address": patch(slug="renamed"),
    "other tags": patch(tags=["two"]),
    "for members now": patch(visibility="members"),
    "a draft now": patch(status="draft"),
    "a page now": patch(kind="page"),
    "due later": patch(publish_at="2030-01-01T00:00:00Z"),
    "deleted": lambda places: places.program.delete(f"/v1/posts/{places.first.id}"),
    "deleted and restored": delete_and_restore,
    "made anew by a later renderer": rerender_all,
    "a tag under another name": submit("/admin/tags/rename", tag="one", name="three"),
    "by form": lambda places: places.alan.submit("/new", title="Fourth", body="Words", status="published"),
    "unpublished": submit("/posts/first/unpublish"),
    "another name of the site": submit("/admin/settings", name="Elsewhere", language="fr", time_zone="Asia/Tokyo"),
    "the author may write no more": lower_role,
    "another name of the author": lambda places: places.alan.submit(
        "/account/profile", display_name="Somebody else", biography="Words about me", time_zone="", version="1"
    ),
}


@pytest.mark.parametrize("change", CHANGES, ids=str)
def test_after_a_change_every_process_answers_with_what_is_now(places: Places, change: str) -> None:
    places.warm()
    before = version(places.site)
    CHANGES[change](places)
    assert version(places.site) > before
    places.check()


def version(site: Site) -> int:
    with site.database.reading() as db:
        return int(db.exec_driver_sql("SELECT content_version FROM site").scalar_one())


def test_a_post_comes_out_at_its_minute_in_every_process(site: Site) -> None:
    with time_machine.travel(NOW, tick=False) as travel:
        places = Places(site)
        due = (NOW + 60) * clock.SECOND
        site.post("ada", title="Due", slug="due", publish_at=due)
        site.post("ada", title="Due later", slug="later", publish_at=(NOW + 120) * clock.SECOND)
        for moment, out in ((59, []), (60, ["Due"]), (119, ["Due"]), (120, ["Due", "Due later"])):
            travel.move_to(NOW + moment, tick=False)
            for visitor in places.visitors:
                for _ in range(2):
                    for path in ("/", "/feed.xml", "/archive", "/sitemap.xml"):
                        page = visitor.get(path).text
                        found = [title for title in ("Due", "Due later") if f">{title}<" in page]
                        if path == "/sitemap.xml":
                            found = [
                                title
                                for title in ("Due", "Due later")
                                if f"/posts/{title.split()[-1].lower()}<" in page
                            ]
                        assert found == out, (moment, path)
                    assert visitor.get("/posts/due").status_code == (200 if out else 404)
        places.other.extensions["database"].close()


def test_a_visitor_never_gets_what_was_rendered_for_somebody_nor_the_other_way(site: Site) -> None:
    site.post("alan", title="Members", slug="inside", visibility="members", body="Hidden lines")
    site.post("alan", title="Draft", slug="draft", status="draft", body="Unfinished lines")
    askers = [site.client(), site.client("alan"), site.client("rita"), site.client(token=site.token("olive"))]
    alone = {
        path: [make_one.get(path).status_code for make_one in askers] for path in ("/posts/inside", "/posts/draft", "/")
    }
    for _ in range(2):
        for path, statuses in alone.items():
            for asker, status in zip(askers, statuses, strict=True):
                answer = asker.get(path)
                assert answer.status_code == status
                is_visitor = asker is askers[0]
                assert ("public" in answer.headers["Cache-Control"]) == is_visitor
                assert ("Sign out" in answer.text) == (asker is not askers[0])
                if is_visitor:
                    assert "lines" not in answer.text
                else:
                    assert "ETag" not in answer.headers


def test_cookies_of_visitors_meet_what_is_kept_and_a_signed_in_one_goes_past(site: Site) -> None:
    visitor = site.client()
    visitor.get("/login")
    assert visitor.get_cookie("session") is not None
    plain = site.client().get("/")
    with site.counted_statements() as statements:
        assert visitor.get("/").data == plain.data
        visitor.set_cookie("session", "forged.s.nonsense")
        visitor.set_cookie("_analytics", "1")
        assert visitor.get("/").data == plain.data
    assert statements == []
    alan = site.client("alan")
    assert "Sign out" in alan.get("/").text
    with site.database.transaction() as db:
        db.exec_driver_sql("DELETE FROM sessions")
    answer = alan.get("/")
    assert "Sign out" not in answer.text
    assert "session=;" in answer.headers["Set-Cookie"]


@pytest.mark.parametrize(
    "query", ["?before=0~x&before=1", "?unknown=1", "?before=%00", "?%ff", "?" + "a&" * 1000, "?&&="]
)
def test_a_query_that_means_nothing_is_answered_and_not_kept(site: Site, query: str) -> None:
    site.post("alan", title="First", slug="first")
    before = site.app.extensions["page_cache"].store.size_bytes
    for path in ("/", "/posts/first", "/feed.xml", "/archive", "/sitemap.xml", "/search"):
        assert site.client().get(path + query).status_code < 500
    assert site.app.extensions["page_cache"].store.size_bytes == before
