"""A token that may propose: it writes and changes drafts, and nothing that it does is seen by readers."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import time_machine
from werkzeug.test import TestResponse

from auth.permissions import Scope
from auth.principal import Principal
from blog.posts.content import prepare
from blog.posts.deleting import delete
from blog.posts.model import Post, Status
from blog.posts.publishing import publish, unpublish
from blog.posts.queries.revisions import find_revision, is_numbered
from blog.posts.writing import change, write
from blog.revisions.restoring import prepare_restore, restore
from storage import clock
from tests.asking import ROUTES, Question
from tests.support import Client, Site
from web.errors import Forbidden

LATER = clock.to_rfc3339(clock.now() + clock.DAY)
DRAFT = {"title": "Proposed", "body": "Words."}
OUT = DRAFT | {"status": "published"}

Write = Callable[[Client, Post], TestResponse]


def proposer(site: Site, name: str = "alan", *more: Scope) -> Client:
    return site.client(token=site.token(name, Scope.POSTS_PROPOSE, *more))


def state_of(site: Site) -> list[Any]:
    """Everything of the posts, and all that was recorded about them."""
    with site.database.reading() as db:
        return [
            list(db.exec_driver_sql(statement))
            for statement in (
                "SELECT * FROM posts ORDER BY id",
                "SELECT * FROM revisions ORDER BY post_id, number",
                "SELECT * FROM former_slugs ORDER BY slug",
                "SELECT kind, subject FROM events WHERE kind LIKE 'post.%%' ORDER BY id",
            )
        ]


def is_refused(answer: TestResponse) -> bool:
    assert answer.status_code == 403, answer.status
    return 'error="insufficient_scope"' in answer.headers["WWW-Authenticate"]


CREATE: dict[str, Write] = {
    "API": lambda client, _post: client.post("/v1/posts", json=OUT),
    "API, planned": lambda client, _post: client.post("/v1/posts", json=OUT | {"publish_at": LATER}),
    "JSON": lambda client, _post: client.post("/new", json=OUT),
    "form": lambda client, _post: client.post("/new", data=OUT),
    "form, planned": lambda client, _post: client.post("/new", data=OUT | {"publish_at": "2099-01-01T08:00"}),
}
LET_OUT: dict[str, Write] = {
    "PATCH": lambda client, post: client.patch(f"/v1/posts/{post.id}", json={"status": "published"}),
    "PATCH, planned": lambda client, post: client.patch(
        f"/v1/posts/{post.id}", json={"status": "published", "publish_at": LATER}
    ),
    "form": lambda client, post: client.post(f"/posts/{post.slug}/edit", data={"status": "published"}),
    "button": lambda client, post: client.post(f"/posts/{post.slug}/publish"),
}
TOUCH: dict[str, Write] = {
    "PATCH of the title": lambda client, post: client.patch(f"/v1/posts/{post.id}", json={"title": "Other"}),
    "PATCH of nothing": lambda client, post: client.patch(f"/v1/posts/{post.id}", json={}),
    "PATCH to a draft": lambda client, post: client.patch(f"/v1/posts/{post.id}", json={"status": "draft"}),
    "PATCH of the moment": lambda client, post: client.patch(f"/v1/posts/{post.id}", json={"publish_at": LATER}),
    "PATCH of the readers": lambda client, post: client.patch(f"/v1/posts/{post.id}", json={"visibility": "members"}),
    "DELETE": lambda client, post: client.delete(f"/v1/posts/{post.id}"),
    "restore": lambda client, post: client.post(f"/v1/posts/{post.id}/revisions/1/restore"),
    "form": lambda client, post: client.post(f"/posts/{post.slug}/edit", data={"title": "Other"}),
    "form to a draft": lambda client, post: client.post(f"/posts/{post.slug}/edit", data={"status": "draft"}),
    "form of restoring": lambda client, post: client.post(f"/posts/{post.slug}/revisions/1/restore"),
    "form of deleting": lambda client, post: client.post(f"/posts/{post.slug}/delete"),
    "button to publish": lambda client, post: client.post(f"/posts/{post.slug}/publish"),
    "button to take back": lambda client, post: client.post(f"/posts/{post.slug}/unpublish"),
}


@pytest.mark.parametrize("write", CREATE.values(), ids=CREATE)
def test_nothing_begins_as_published(site: Site, write: Write) -> None:
    post = site.post()
    before = state_of(site)
    assert is_refused(write(proposer(site), post))
    assert state_of(site) == before


@pytest.mark.parametrize("write", LET_OUT.values(), ids=LET_OUT)
def test_no_draft_is_let_out(site: Site, write: Write) -> None:
    post = site.post(status="draft")
    before = state_of(site)
    assert is_refused(write(proposer(site), post))
    assert state_of(site) == before


@pytest.mark.parametrize("write", TOUCH.values(), ids=TOUCH)
@pytest.mark.parametrize("planned", [False, True], ids=["published", "planned"])
def test_what_is_published_or_planned_stays_as_it_is(site: Site, write: Write, planned: bool) -> None:
    post = site.post(title="First words")
    with site.database.transaction() as db:
        moment = {"publish_at": clock.now() + clock.DAY} if planned else {}
        words = prepare({"title": "Second words", **moment}, current=post)
        post = change(db, post.id, words, by=site.principal("alan"))
    before = state_of(site)
    assert is_refused(write(proposer(site), post))
    assert state_of(site) == before


def test_drafts_are_written_changed_gone_back_in_and_deleted(site: Site) -> None:
    program = proposer(site)
    made = program.post("/v1/posts", json=DRAFT)
    assert (made.status_code, made.json and made.json["status"]) == (201, "draft")
    assert made.json is not None
    path = f"/v1/posts/{made.json['id']}"
    assert program.get(path).status_code == 200
    assert program.patch(path, json={"body": "Better.", "tags": ["new"], "status": "draft"}).status_code == 200
    assert program.post("/posts/proposed/edit", data={"title": "By the form"}).status_code == 303
    back = program.post(f"{path}/revisions/1/restore").json
    assert back is not None
    assert (back["title"], back["body"], back["status"], back["version"]) == ("Proposed", "Words.", "draft", 4)
    assert program.post("/new", data=DRAFT).status_code == 303
    assert program.post("/new", json=DRAFT).status_code == 201
    assert site.client().get("/v1/posts").json == {"items": [], "next": None}
    assert site.client().get("/posts/proposed").status_code == 404
    assert program.delete(path).status_code == 204
    assert program.post("/posts/proposed-2/delete").status_code == 303
    # What the person publishes is theirs to publish.
    assert site.client("alan").submit("/posts/proposed-3/publish", page="/posts/proposed-3").status_code == 303
    assert site.client().get("/posts/proposed-3").status_code == 200


def test_a_proposed_moment_is_no_plan(site: Site) -> None:
    program = proposer(site)
    made = program.post("/v1/posts", json=DRAFT | {"publish_at": LATER}).json
    assert made is not None
    assert program.patch(f"/v1/posts/{made['id']}", json={"publish_at": LATER}).status_code == 200
    with time_machine.travel((clock.now() + 2 * clock.DAY) / clock.SECOND):
        assert site.client().get("/posts/proposed").status_code == 404
        assert "Proposed" not in site.client().get("/").text
        assert "Proposed" not in site.client().get("/feed.xml").text


def test_going_back_to_a_revision_that_was_published_publishes_nothing(site: Site) -> None:
    post = site.post(title="Was out", body="Then.")
    with site.database.transaction() as db:
        taken_back = unpublish(db, post.id, by=site.principal("alan"))
        words = prepare({"body": "Now."}, current=taken_back)
        change(db, post.id, words, by=site.principal("alan"))
    for path in (f"/v1/posts/{post.id}/revisions/1/restore", f"/posts/{post.slug}/revisions/1/restore"):
        assert proposer(site).post(path).status_code in (200, 303)
        assert site.client().get(f"/posts/{post.slug}").status_code == 404
    with site.database.reading() as db:
        assert db.exec_driver_sql("SELECT status, body FROM posts").one() == ("draft", "Then.")


def test_it_knows_only_the_posts_of_its_person(site: Site) -> None:
    post = site.post(status="draft")
    for name in ("ada", "edith", "olive"):
        program = proposer(site, name)
        assert program.get(f"/v1/posts/{post.id}").status_code == 404
        assert program.patch(f"/v1/posts/{post.id}", json={"title": "Taken over"}).status_code == 404
    public = site.post()
    assert proposer(site, "edith").patch(f"/v1/posts/{public.id}", json={"title": "Taken over"}).status_code == 403


@pytest.mark.parametrize("scope", sorted(set(Scope) - {Scope.POSTS_WRITE, Scope.POSTS_PROPOSE}))
def test_no_other_scope_adds_publishing_to_it(site: Site, scope: Scope) -> None:
    program = proposer(site, "olive", scope)
    assert is_refused(program.post("/v1/posts", json=OUT))
    assert program.post("/v1/posts", json=DRAFT).status_code == 201


def test_with_the_scope_that_publishes_it_publishes(site: Site) -> None:
    assert proposer(site, "alan", Scope.POSTS_WRITE).post("/v1/posts", json=OUT).status_code == 201


# Whatever writes: these are the routes that take what it sends, about drafts. All others refuse it.
TAKEN = {
    "POST /new",
    "POST /v1/posts",
    "PATCH /v1/posts/{id}",
    "DELETE /v1/posts/{id}",
    "POST /v1/posts/{id}/revisions/{n}/restore",
    "POST /posts/{slug}/edit",
    "POST /posts/{slug}/delete",
    "POST /posts/{slug}/revisions/{n}/restore",
}
# Nobody's: they look at a password, at a code, at a link, or at a session that a token is not.
NOBODYS = {
    "POST /login",
    "POST /logout",
    "POST /setup/{}",
    "POST /join",
    "POST /join/{}",
    "POST /reset/{}",
    "POST /login/code",
    "POST /login/passkey",
    "POST /login/recover",
}


def test_every_other_route_that_writes_refuses_it(site: Site) -> None:
    post = site.post(status="draft", slug="words", title="Words")
    program = proposer(site, "olive")
    own = site.post("olive", status="draft", slug="own", title="Own")
    before = state_of(site)
    refused = set()
    for route in ROUTES:
        for method in sorted(route.methods - {"GET", "HEAD", "OPTIONS"}):
            name = f"{method} {route.path}"
            if is_known(name):
                continue
            for slug, post_id in ((own.slug, own.id), (post.slug, post.id)):
                path = route.path.replace("/posts/nothing", f"/posts/{slug}").replace(_SOME_ID, post_id)
                answer = Question(method, path).ask(program)
                assert answer.status_code == 403, f"{method} {path}: {answer.status}"
            refused.add(name)
    assert len(refused) > 20
    assert state_of(site) == before


_SOME_ID = "6f1cbd5e-8a3c-4a7e-9d55-0e9b0a0c0d01"


def is_known(name: str) -> bool:
    """Whether a question is among those that are taken, or nobody's."""
    form = name.replace("/posts/nothing", "/posts/{slug}").replace(_SOME_ID, "{id}")
    form = form.replace("/revisions/1/", "/revisions/{n}/").replace("/nothing", "/{}")
    return form in TAKEN | NOBODYS


# The rule stands in the capabilities, whatever leads there.


def test_the_capabilities_refuse_whatever_leads_to_them(site: Site) -> None:
    public, draft = site.post(title="First"), site.post(status="draft")
    person = site.principal("alan")
    by = replace(person, session_id=None, token_id="t", scopes=frozenset({Scope.POSTS_PROPOSE}))
    with site.database.reading() as db:
        first = find_revision(db, public, is_numbered(1))
    assert first is not None
    with site.app.test_request_context("/"):
        back = prepare_restore(public, first)

    def attempts(who: Principal) -> list[Callable[[Any], object]]:
        return [
            lambda db: write(db, prepare(OUT), by=who),
            lambda db: change(db, draft.id, prepare({"status": Status.PUBLISHED}, current=draft), by=who),
            lambda db: change(db, public.id, prepare({"title": "Other"}, current=public), by=who),
            lambda db: restore(db, public, back, by=who),
            lambda db: publish(db, draft.id, by=who),
            lambda db: unpublish(db, public.id, by=who),
            lambda db: delete(db, public.id, by=who),
        ]

    for attempt in attempts(by):
        with pytest.raises(Forbidden), site.database.transaction() as db:
            attempt(db)
    for attempt in attempts(person):  # not because it could not be done at all
        with site.database.transaction() as db:
            attempt(db)
            db.rollback()


def test_published_between_the_look_and_the_save_it_is_refused(site: Site) -> None:
    draft = site.post(status="draft")
    by = replace(site.principal("alan"), session_id=None, token_id="t", scopes=frozenset({Scope.POSTS_PROPOSE}))
    content = prepare({"title": "Looked at as a draft"}, current=draft)
    with site.database.transaction() as db:
        publish(db, draft.id, by=site.principal("alan"))
    with pytest.raises(Forbidden), site.database.transaction() as db:
        change(db, draft.id, content, by=by)
