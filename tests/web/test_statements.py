"""What a page costs in statements: identity 0, 1 or 1, and no page costs more because there is more."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from jinja2 import ChoiceLoader, DictLoader
from sqlalchemy import Connection
from structlog.testing import capture_logs

from auth.guards import public
from auth.principal import principal
from blog.posts.content import prepare
from blog.posts.model import posts_table
from blog.posts.writing import change, write
from tests.support import Client, Site, make_site
from web.database import reading
from web.render import render_page
from web.site.queries import read_site, touch

PAGES = ["/", "/posts/hello", "/tags/one", "/feed.xml", "/v1/posts", "/login", "/?before=0~nonsense", "/posts/nothing"]
NOWHERE = ["/nowhere", "/v1/nowhere", "/posts/", "/a/b/c", "/posts/hello/"]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    made = make_site(tmp_path_factory.mktemp("statements") / "instance")
    made.post(title="Hello", tags=["one"])
    made.post(title="About", slug="about", kind="page")
    moved = made.post(title="Moved", slug="before")
    with made.database.transaction() as db:
        change(db, moved.id, prepare({"slug": "after"}, current=moved), by=made.principal("alan"))
    yield made
    made.close()


def about_identity(statements: list[str]) -> list[str]:
    """Those that look for who is asking: sessions, tokens, or people for their own sake."""
    return [
        statement
        for statement in statements
        if "sessions" in statement or "tokens" in statement or ("users" in statement and "posts" not in statement)
    ]


def statements_for(site: Site, client: Client, path: str, **more: object) -> list[str]:
    with site.counted_statements() as statements:
        client.get(path, **more)
    return list(statements)


@pytest.mark.parametrize("path", [*PAGES, *NOWHERE])
def test_a_visitor_costs_no_statement_for_identity(site: Site, path: str) -> None:
    form_cookie = site.client()
    form_cookie.get("/login")
    junk_cookie = site.client()
    junk_cookie.set_cookie("session", "1.2.three.s.junk")
    for client in (site.client(), form_cookie, junk_cookie):
        assert about_identity(statements_for(site, client, path)) == []


@pytest.mark.parametrize("path", [*PAGES, *NOWHERE, "/account", "/new", "/admin/settings"])
def test_somebody_signed_in_costs_one(site: Site, path: str) -> None:
    assert len(about_identity(statements_for(site, site.client("olive"), path))) == 1


@pytest.mark.parametrize("path", [*PAGES, *NOWHERE, "/account", "/new"])
def test_a_bearer_costs_one_also_when_it_is_bad_or_a_cookie_comes_with_it(site: Site, path: str) -> None:
    good = {"Authorization": f"Bearer {site.token('olive')}"}
    site.client().get("/", headers=good)  # the first use of a token is recorded
    bad = {"Authorization": "Bearer byl_of-nobody"}
    for client in (site.client(), site.client("alan")):
        for headers in (good, bad):
            found = about_identity(statements_for(site, client, path, headers=headers))
            assert len(found) == 1
            assert "sessions" not in found[0]


@pytest.mark.parametrize("path", ["/healthz", "/static/site.css", "/favicon.ico", "/static/nothing.css"])
def test_health_and_files_never_ask_who_it_is(site: Site, path: str) -> None:
    for client in (site.client(), site.client("olive"), site.client(token=site.token("olive"))):
        with site.counted_statements() as statements:
            answer = client.get(path)
        assert about_identity(statements) == []
        assert "Set-Cookie" not in answer.headers
        if answer.status_code == 200:
            assert statements == []


def test_readiness_asks_the_database_one_thing_and_not_who_it_is(site: Site) -> None:
    for client in (site.client(), site.client("olive")):
        statements = statements_for(site, client, "/readyz")
        assert len(statements) == 1
        assert about_identity(statements) == []


def test_reading_never_writes(site: Site) -> None:
    alan = site.client("alan")
    for path in [*PAGES, *NOWHERE, "/account", "/new", "/posts/hello/edit"]:
        statements = statements_for(site, alan, path)
        assert [statement for statement in statements if not statement.startswith("SELECT")] == []


def test_a_page_costs_as_many_statements_with_a_thousand_posts_as_with_ten(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    site = make_site(tmp_path_factory.mktemp("growing") / "instance")
    paths = ["/", "/posts/post-3", "/tags/one", "/feed.xml", "/v1/posts", "/account", "/new", "/posts/post-3/edit"]
    content = {"body": "Words.", "tags": ["one", "two"], "status": "published"}
    with site.database.transaction() as db:
        for number in range(10):
            write(db, prepare({**content, "title": f"Post {number}"}), by=site.principal("alan"))
    askers = (site.client(), site.client("alan"))
    with_ten = [len(statements_for(site, asker, path)) for asker in askers for path in paths]
    with site.database.transaction() as db:
        db.exec_driver_sql("PRAGMA defer_foreign_keys = ON")  # tags come before their posts
        _multiply(db, 100)
        touch(db)
    assert site.rows("posts") == 1000
    assert [len(statements_for(site, asker, path)) for asker in askers for path in paths] == with_ten
    assert max(with_ten) <= 5  # who is asking, the site, the post, whether one may change it, and what was kept of it
    site.close()


@pytest.mark.parametrize(
    ("path", "loaded"),
    [
        *((path, set()) for path in ("/", "/tags/one", "/tags", "/authors/alan", "/archive", "/search?q=hello")),
        *((path, set()) for path in ("/sitemap.xml", "/account", "/library")),
        *((path, {"html"}) for path in ("/posts/hello", "/posts/before", "/about", "/feed.xml", "/feed.json")),
        *((path, {"html"}) for path in ("/rss.xml", "/tags/one/feed.xml", "/authors/alan/feed.xml")),
        ("/posts/hello.md", {"html", "body"}),
    ],
)
def test_a_page_loads_no_text_that_it_does_not_show(site: Site, path: str, loaded: set[str]) -> None:
    for asker in (site.client("rita"), site.client("alan")):  # nothing is kept for those who are signed in
        assert texts_loaded(site, asker, path) == loaded


def test_what_a_link_opens_is_loaded_without_its_markdown(site: Site) -> None:
    opened = site.client("alan").submit("/posts/hello/previews", days="7").text
    link = re.search(r"/preview/[\w-]{43}", opened)
    assert link is not None
    assert texts_loaded(site, site.client(), link[0]) == {"html"}


def texts_loaded(site: Site, asker: Client, path: str) -> set[str]:
    """The texts of posts that the statements of a page read."""
    statements = statements_for(site, asker, path)
    assert len(statements) > 1, path
    return {name for name in ("html", "body") if any(f"posts.{name}" in statement for statement in statements)}


def _multiply(db: Connection, times: int) -> None:
    """As many posts as there are, over again: everything the same but id, slug and the moment it came out."""
    columns = [column.name for column in posts_table.c]
    changed = {"id": "id || '-' || n", "slug": "slug || '-' || n", "published_at": "published_at - n"}
    values = ", ".join(changed.get(name, name) for name in columns)
    numbers = f"WITH RECURSIVE copies(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM copies WHERE n < {times - 1})"
    db.exec_driver_sql(f"{numbers} INSERT INTO post_tags SELECT tag, post_id || '-' || n FROM post_tags, copies")
    db.exec_driver_sql(f"{numbers} INSERT INTO posts ({', '.join(columns)}) SELECT {values} FROM posts, copies")


# Building a page reads nothing


def add_page(site: Site, template: str, path: str, **arguments: Any) -> None:
    """A page of that template."""
    own = site.app.jinja_env.loader
    assert own is not None
    site.app.jinja_env.loader = ChoiceLoader([DictLoader({"page.html": template}), own])
    site.app.add_url_rule(path, path, public(lambda: render_page("page.html", **arguments)))


def test_a_statement_inside_a_template_raises(tmp_path_factory: pytest.TempPathFactory) -> None:
    site = make_site(tmp_path_factory.mktemp("template") / "instance")
    add_page(site, "{{ ask() }}", "/asking", ask=_ask)
    with capture_logs(), pytest.raises(RuntimeError, match="A statement was issued while a page was built"):
        site.client().get("/asking")
    assert site.client().get("/").status_code == 200
    site.close()


def _ask() -> str:
    with reading() as db:
        return read_site(db).name


def test_templates_know_the_principal_as_an_argument_and_no_lazy_user(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    site = make_site(tmp_path_factory.mktemp("lazy") / "instance")
    add_page(site, "{{ principal.username }}|{{ current_user is defined }}", "/who")
    assert site.client("alan").get("/who").text == "alan|False"
    assert site.client().get("/who").text == "|False"
    site.close()


def test_the_principal_is_found_once_however_often_it_is_asked_for(tmp_path_factory: pytest.TempPathFactory) -> None:
    site = make_site(tmp_path_factory.mktemp("once") / "instance")
    site.app.add_url_rule("/often", "often", public(lambda: " ".join(principal().username for _ in range(10))))
    alan = site.client("alan")
    with site.counted_statements() as statements:
        assert alan.get("/often").text.split() == ["alan"] * 10
    assert len(statements) == 1
    site.close()
