"""Posts as programs write them: each endpoint is asked the same questions."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.test import TestResponse

from auth.permissions import Scope
from blog.posts.model import Post
from storage import clock
from tests.support import Client, Site

JSON = {"title": "Hello", "body": "World"}
READ_ONLY = ("id", "url", "html", "author", "created_at", "updated_at", "published_at")

Write = Callable[[Client, Post], TestResponse]

WRITES: dict[str, Write] = {
    "create at /v1/posts": lambda client, _post: client.post("/v1/posts", json=JSON),
    "create at /new": lambda client, _post: client.post("/new", json=JSON),
    "patch": lambda client, post: client.patch(f"/v1/posts/{post.id}", json={"title": "Other"}),
    "delete": lambda client, post: client.delete(f"/v1/posts/{post.id}"),
}
CHANGES = {name: write for name, write in WRITES.items() if not name.startswith("create")}

writes = pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
changes = pytest.mark.parametrize("write", CHANGES.values(), ids=CHANGES)


@writes
def test_nobody_gets_401(site: Site, write: Write) -> None:
    post = site.post()
    answer = write(site.client(), post)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="Byline"'
    assert answer.mimetype == "application/problem+json"
    assert site.rows("revisions") == 1


@writes
def test_a_reader_gets_403(site: Site, write: Write) -> None:
    post = site.post()
    answer = write(site.client(token=site.token("rita")), post)
    assert answer.status_code == 403
    assert "WWW-Authenticate" not in answer.headers  # no scope would help: it is the role that refuses
    assert site.rows("revisions") == 1


@writes
def test_a_blocked_author_gets_401(site: Site, write: Write) -> None:
    post = site.post(by="bob")
    answer = write(site.client(token=site.token("bob")), post)
    assert answer.status_code == 401
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]


@writes
def test_a_read_only_token_gets_403_with_insufficient_scope(site: Site, write: Write) -> None:
    post = site.post()
    answer = write(site.client(token=site.token("alan", Scope.POSTS_READ)), post)
    assert answer.status_code == 403
    assert 'error="insufficient_scope"' in answer.headers["WWW-Authenticate"]


@writes
def test_the_author_an_editor_and_the_owner_may(site: Site, write: Write) -> None:
    for name in ("alan", "edith", "olive"):
        post = site.post(by="alan")
        assert write(site.client(token=site.token(name)), post).status_code in (200, 201, 204), name


@changes
def test_another_author_gets_403_for_what_is_public_and_404_for_a_draft(site: Site, write: Write) -> None:
    ada = site.client(token=site.token("ada"))
    assert write(ada, site.post(by="alan")).status_code == 403
    assert write(ada, site.post(by="alan", status="draft")).status_code == 404


@writes
def test_a_session_needs_the_form_token_in_the_header(site: Site, write: Write) -> None:
    post = site.post()
    alan = site.client("alan")
    assert write(alan, post).status_code == 403
    assert site.rows("revisions") == 1
    alan.environ_base["HTTP_X_CSRF_TOKEN"] = alan.form_token()
    assert write(alan, post).status_code in (200, 201, 204)


@changes
def test_what_a_stranger_may_not_know_is_refused_before_the_form_token_is_looked_at(site: Site, write: Write) -> None:
    assert write(site.client("ada"), site.post(by="alan", status="draft")).status_code == 404


@changes
def test_a_deleted_post_is_gone(site: Site, write: Write) -> None:
    post = site.post()
    alan = site.client(token=site.token("alan"))
    assert alan.delete(f"/v1/posts/{post.id}").status_code == 204
    assert write(alan, post).status_code == 410
    assert alan.get(f"/v1/posts/{post.id}").status_code == 410


@changes
def test_a_stale_version_gets_412_and_changes_nothing(site: Site, write: Write) -> None:
    post = site.post()
    alan = site.client(token=site.token("alan"))
    assert alan.patch(f"/v1/posts/{post.id}", json={"body": "newer"}).status_code == 200
    alan.environ_base["HTTP_IF_MATCH"] = f'"{post.version}"'
    assert write(alan, post).status_code == 412
    alan.environ_base["HTTP_IF_MATCH"] = "nonsense"
    assert write(alan, post).status_code == 412
    assert site.rows("revisions") == 2
    alan.environ_base["HTTP_IF_MATCH"] = f'"{post.version + 1}"'
    assert write(alan, post).status_code in (200, 204)


def test_a_stale_version_in_the_body_gets_412_too(site: Site) -> None:
    post = site.post()
    alan = site.client(token=site.token("alan"))
    assert alan.patch(f"/v1/posts/{post.id}", json={"title": "Other", "version": 1}).status_code == 200
    assert alan.patch(f"/v1/posts/{post.id}", json={"title": "Third", "version": 1}).status_code == 412
    assert alan.delete(f"/v1/posts/{post.id}", json={"version": 1}).status_code == 412


def test_wrong_methods_get_405_with_allow(site: Site) -> None:
    alan = site.client(token=site.token("alan"))
    assert alan.put("/v1/posts", json=JSON).headers["Allow"].replace(" ", "").split(",") != []
    answer = alan.post(f"/v1/posts/{site.post().id}", json=JSON)
    assert answer.status_code == 405
    assert set(answer.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS", "PATCH", "DELETE"}


def test_a_created_post_is_answered_whole(site: Site) -> None:
    alan = site.client(token=site.token("alan"))
    answer = alan.post(
        "/v1/posts",
        json={
            "title": " Ein Fluß ",
            "body": "Some *words*.\r\n\r\nMore.",
            "tags": ["Rivers", "rivers", "Two  Words"],
            "status": "published",
            "visibility": "public",
            "excerpt": "Short.",
            "publish_at": "2020-02-29T12:00:00+02:00",
        },
    )
    assert answer.status_code == 201
    post = answer.json
    assert post is not None
    assert list(post) == [
        "id", "slug", "url", "title", "body", "html", "excerpt", "tags", "status", "visibility", "kind", "lang", "version",
        "author", "created_at", "updated_at", "published_at",
    ]  # fmt: skip
    assert post["title"] == "Ein Fluß"
    assert post["slug"] == "ein-fluss"
    assert post["body"] == "Some *words*.\n\nMore."
    assert "<em>words</em>" in post["html"]
    assert post["tags"] == ["rivers", "two words"]
    assert post["published_at"] == "2020-02-29T10:00:00Z"
    assert post["version"] == 1
    assert answer.headers["ETag"] == '"1"'
    assert alan.get(answer.headers["Location"]).json == post
    assert site.client().get(f"/v1/posts/{post['id']}").json == post


def test_patch_changes_what_it_names_and_keeps_the_rest(site: Site) -> None:
    post = site.post(tags=["one"], excerpt="Kept.")
    alan = site.client(token=site.token("alan"))
    changed = alan.patch(f"/v1/posts/{post.id}", json={"body": "New."}).json
    assert changed is not None
    assert (changed["title"], changed["tags"], changed["excerpt"], changed["version"]) == (
        post.title,
        ["one"],
        "Kept.",
        2,
    )
    assert "New." in changed["html"]


def test_a_patch_that_changes_nothing_makes_no_version(site: Site) -> None:
    post = site.post()
    alan = site.client(token=site.token("alan"))
    for body in ({}, {"title": post.title}, {"body": post.body, "status": "published"}):
        answer = alan.patch(f"/v1/posts/{post.id}", json=body)
        assert answer.json is not None
        assert answer.json["version"] == 1
    assert site.rows("revisions") == 1


@pytest.mark.parametrize("name", [*READ_ONLY, "version", "nonsense", "granted", "__class__", ""])
def test_unknown_and_read_only_fields_are_named(site: Site, name: str) -> None:
    answer = site.client(token=site.token("alan")).post("/v1/posts", json=JSON | {name: "x"})
    assert answer.status_code == 422
    assert answer.json is not None
    assert [fault["field"] for fault in answer.json["errors"]] == [name]
    assert site.rows("posts") == 0


BAD: dict[str, list[Any]] = {
    "title": [None, 5, True, [], {}, "", "  \n ", "x" * 301, "a\x00b", "a\nb", "\ud800", "x" * 1_000_000],
    "slug": [None, 5, "Über", "a b", "-a", "a--b", "a/b", "..", ".", "a.", "x" * 101, "a\x00", "\ud800", "A"],
    "body": [None, 5, [], "a\x00b", "a\x1bb", "\ud800", "x" * (1024 * 1024 + 1)],
    "excerpt": [None, 5, "x" * 1001, "\x07", "\udfff"],
    "tags": [None, "a", 5, [5], ["a,b"], [""], ["a/b"], [".."], ["x" * 51], ["\x00"], ["\ud800"], list("abcdefghijklmnopqrstu")],
    "status": [None, 5, "granted", "Draft", ""],
    "lang": [None, 5, "x", "english", "de_DE", "de-", "-de", "de-DE-1996", "dé", "d\u212a", '"><script>', "de\n", "\ud800", " " * 36],
    "visibility": [None, 5, "saved", "private", "Public"],
    "publish_at": [
        5, 1e300, "tomorrow", "2026-11-20", "2026-11-20T08:15:00", "2026-02-30T00:00:00Z", "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59Z", [],
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("field", "value"), [(field, value) for field, values in BAD.items() for value in values], ids=repr
)
def test_bad_values_are_named_by_field_and_store_nothing(site: Site, field: str, value: object) -> None:
    answer = site.client(token=site.token("alan")).post("/v1/posts", json=JSON | {field: value})
    assert answer.status_code == 422
    assert answer.json is not None
    assert [fault["field"] for fault in answer.json["errors"]] == [field]
    assert answer.json["errors"][0]["detail"][0].isupper()
    assert site.rows("posts") == 0


def test_a_text_is_measured_in_bytes(site: Site) -> None:
    body = '{"title": "x", "body": "%s"}' % ("é" * (512 * 1024 + 1))
    answer = site.client(token=site.token("alan")).post("/v1/posts", data=body, content_type="application/json")
    assert answer.status_code == 422


def test_all_faults_are_named_at_once(site: Site) -> None:
    answer = site.client(token=site.token("alan")).post("/v1/posts", json={"title": "", "slug": "No", "tags": ["/"]})
    assert answer.json is not None
    assert {fault["field"] for fault in answer.json["errors"]} == {"title", "slug", "tags"}


def test_the_longest_text_fits(site: Site) -> None:
    answer = site.client(token=site.token("alan")).post("/v1/posts", json=JSON | {"body": "word " * (1024 * 1024 // 5)})
    assert answer.status_code == 201


def test_what_is_no_json_object_is_400(site: Site) -> None:
    alan = site.client(token=site.token("alan"))
    for body in (
        b"",
        b"{",
        b"[]",
        b'"x"',
        b"null",
        b"5",
        b'{"title": NaN}',
        b'{"title":"a","title":"b"}',
        b"\xff\xfe{}",
    ):
        answer = alan.post("/v1/posts", data=body, content_type="application/json")
        assert answer.status_code == 400, body
    assert alan.post("/v1/posts", data="title=x").status_code == 415


def test_a_proposing_token_writes_drafts_and_publishes_nothing(site: Site) -> None:
    program = site.client(token=site.token("alan", Scope.POSTS_PROPOSE))
    draft = program.post("/v1/posts", json=JSON).json
    assert draft is not None
    assert draft["status"] == "draft"
    assert program.patch(f"/v1/posts/{draft['id']}", json={"title": "Better"}).status_code == 200
    assert program.patch(f"/v1/posts/{draft['id']}", json={"status": "published"}).status_code == 403
    assert program.post("/v1/posts", json=JSON | {"status": "published"}).status_code == 403
    public = site.post(by="alan")
    assert program.patch(f"/v1/posts/{public.id}", json={"title": "Taken over"}).status_code == 403
    assert program.delete(f"/v1/posts/{public.id}").status_code == 403
    assert program.post(f"/posts/{draft['slug']}/publish").status_code == 403
    editors = site.client(token=site.token("edith", Scope.POSTS_PROPOSE))
    assert editors.patch(f"/v1/posts/{draft['id']}", json={"title": "Not hers"}).status_code == 404


def test_an_expired_or_revoked_token_is_401(site: Site) -> None:
    from auth.tokens.issuing import issue

    with site.database.transaction() as db:
        token = issue(db, "alan", scopes=[Scope.POSTS_WRITE], by=site.principal("olive"), days=1)
        db.exec_driver_sql(f"UPDATE tokens SET expires_at = {clock.now()}")
    assert site.client(token=token).post("/v1/posts", json=JSON).status_code == 401


def test_the_list_pages_through_everything_one_may_know(site: Site) -> None:
    for number in range(5):
        site.post(title=f"Public {number}")
    site.post(title="Draft", status="draft")
    site.post(title="Members", visibility="members")
    gone = site.post(title="Gone")
    site.client(token=site.token("alan")).delete(f"/v1/posts/{gone.id}")

    def titles(client: Client) -> list[str]:
        found, path = [], "/v1/posts?limit=2"
        while path:
            page = client.get(path).json
            assert page is not None
            assert len(page["items"]) <= 2
            found += [post["title"] for post in page["items"]]
            path = page["next"]
        return found

    public = [f"Public {number}" for number in (4, 3, 2, 1, 0)]
    assert titles(site.client()) == public
    assert titles(site.client(token=site.token("rita"))) == ["Members", *public]
    assert titles(site.client(token=site.token("alan"))) == ["Members", "Draft", *public]
    assert titles(site.client(token=site.token("ada"))) == ["Members", *public]


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=101",
        "limit=-1",
        "limit=x",
        "limit=",
        "limit=9999999999",
        "before=x",
        "before=1~x",
        "before=-1~" + "0" * 32,
    ],
)
def test_nonsense_in_the_query_is_422(site: Site, query: str) -> None:
    assert site.client().get(f"/v1/posts?{query}").status_code == 422


@pytest.mark.parametrize("post_id", ["x", "0" * 500, "%00", "..", "00000000-0000-0000-0000-000000000000", "%ff"])
def test_ids_that_are_none_are_404(site: Site, post_id: str) -> None:
    assert site.client().get(f"/v1/posts/{post_id}").status_code == 404


def test_patches_of_different_fields_at_once_all_arrive(site: Site) -> None:
    post = site.post()
    token = site.token("alan")
    changes = [{"title": "New title"}, {"body": "New body."}, {"excerpt": "New excerpt."}, {"tags": ["new"]}]
    statuses: list[int] = []

    def patch(change: dict[str, object]) -> None:
        client = site.client(token=token)
        statuses.extend(client.patch(f"/v1/posts/{post.id}", json=change).status_code for _ in range(3))

    threads = [threading.Thread(target=patch, args=(change,)) for change in changes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 12
    after = site.client().get(f"/v1/posts/{post.id}").json
    assert after is not None
    assert (after["title"], after["body"], after["excerpt"], after["tags"]) == (
        "New title",
        "New body.",
        "New excerpt.",
        ["new"],
    )
    assert after["version"] == 5


def test_wrong_types_unknown_names_and_broken_rules_are_named_together(site: Site) -> None:
    body = {"slug": "No", "tags": 5, "nonsense": 1, "publish_at": "soon"}
    answer = site.client(token=site.token("alan")).post("/v1/posts", json=body)
    assert answer.status_code == 422
    assert answer.json is not None
    assert {fault["field"] for fault in answer.json["errors"]} == {"title", "slug", "tags", "nonsense", "publish_at"}


def test_a_proposing_token_is_refused_before_anything_else_is_looked_at(site: Site) -> None:
    program = site.client(token=site.token("alan", Scope.POSTS_PROPOSE))
    draft = program.post("/v1/posts", json=JSON).json
    assert draft is not None
    refused = [
        program.post("/v1/posts", json={"title": "", "status": "published"}),
        program.patch(f"/v1/posts/{draft['id']}", json={"status": "published"}, headers={"If-Match": '"99"'}),
    ]
    for answer in refused:
        assert answer.status_code == 403
        assert "insufficient_scope" in answer.headers["WWW-Authenticate"]


def test_a_token_of_another_scope_is_403_for_what_is_for_members(site: Site) -> None:
    post = site.post(visibility="members")
    program = site.client(token=site.token("rita", Scope.ACCOUNT))
    for path in (f"/v1/posts/{post.id}", f"/posts/{post.slug}"):
        answer = program.get(path)
        assert answer.status_code == 403, path
        assert "insufficient_scope" in answer.headers["WWW-Authenticate"]


@pytest.mark.parametrize(
    "header", ["Bearer", "Bearer ", "bearer bad!", "Bearer a b", "Bearer a,b", "BEARER\tx", "Bearer é"]
)
def test_a_malformed_bearer_is_401_whatever_cookie_comes_along(site: Site, header: str) -> None:
    alan = site.client("alan")
    headers = {"Authorization": header, "X-CSRF-Token": alan.form_token()}
    for answer in (alan.get("/", headers=headers), alan.post("/v1/posts", json=JSON, headers=headers)):
        assert answer.status_code == 401
        assert "invalid_token" in answer.headers["WWW-Authenticate"]
    assert site.rows("posts") == 0


def test_what_grows_when_it_is_normalised_is_measured_as_it_is_stored(site: Site) -> None:
    alan = site.client(token=site.token("alan"))
    assert alan.post("/v1/posts", json=JSON | {"tags": ["İ" * 50]}).status_code == 422
    assert alan.post("/v1/posts", json=JSON | {"title": "\u0958" * 300}).status_code == 422
    for invisible in ("\u200b", "\u202e", "\u00ad"):
        assert alan.post("/v1/posts", json={"title": invisible}).status_code == 422


def test_repeated_names_are_found_in_one_pass(site: Site) -> None:
    import time

    names = [f'"{number}":0' for number in range(60_000)]
    body = "{" + ",".join([*names, names[-1]]) + "}"
    began = time.process_time()
    assert site.client().post("/v1/posts", data=body, content_type="application/json").status_code == 400
    assert time.process_time() - began < 5  # a quadratic search takes minutes


def test_every_change_that_readers_see_makes_pages_older(site: Site) -> None:
    def version() -> int:
        with site.database.reading() as db:
            return int(db.exec_driver_sql("SELECT content_version FROM site").scalar_one())

    alan = site.client(token=site.token("alan"))
    draft = alan.post("/v1/posts", json=JSON).json
    assert draft is not None
    path, before = f"/v1/posts/{draft['id']}", version()
    alan.patch(path, json={"body": "A draft nobody sees."})
    assert version() == before
    for change in ({"status": "published"}, {"body": "Seen."}, {"status": "draft"}):
        alan.patch(path, json=change)
        assert version() > before, change
        before = version()
    alan.patch(path, json={"status": "published"})
    before = version()
    alan.delete(path)
    assert version() > before
