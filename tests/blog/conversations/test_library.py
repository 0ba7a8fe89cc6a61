"""The library over the API: saving, granting, and taking both back."""

from pathlib import Path
from typing import Any

import pytest

from auth.permissions import Scope
from blog.posts.model import Post
from storage import sqlite, upgrading
from storage.ids import new_id
from tests.blog.conversations.talking import ask, begin, give, harbour, messages, program, take_back
from tests.support import Client, Site

HELD = {"post", "slug", "title", "url", "source"}


def kinds(site: Site) -> list[str]:
    with site.database.reading() as db:
        rows = db.exec_driver_sql("SELECT kind FROM events WHERE kind LIKE 'library.%' ORDER BY id")
        return [row[0] for row in rows]


def sources(client: Client) -> list[str]:
    """How they came to hold what they may read."""
    return [each["source"] for each in (client.get("/v1/library").json or {})["items"]]


def reads(site: Site, post: Post, visibility: str) -> None:
    """Its author chooses other readers."""
    alan = site.client(token=site.token("alan"))
    assert alan.patch(f"/v1/posts/{post.id}", json={"visibility": visibility}).status_code == 200


def test_saving_is_201_and_again_200_and_removing_204_and_again_404(site: Site) -> None:
    post, rita = harbour(site), program(site)
    first = rita.post("/v1/library", json={"post": post.id})
    assert (first.status_code, set(first.json or {})) == (201, HELD)
    for name in ("harbour", post.id.upper()):
        again = rita.post("/v1/library", json={"post": name})
        assert (again.status_code, again.json) == (200, first.json)
    listed = rita.get("/v1/library").json
    assert listed is not None
    assert [(each["post"], each["source"]) for each in listed["items"]] == [(post.id, "saved")]
    assert rita.delete(f"/v1/library/{post.id}").status_code == 204
    assert rita.delete(f"/v1/library/{post.id}").status_code == 404
    assert rita.get("/v1/library").json == {"items": [], "next": None}
    assert kinds(site) == ["library.saved", "library.removed"]


def test_ones_own_post_is_held_without_a_row(site: Site) -> None:
    harbour(site)
    alan = program(site, "alan")
    answer = alan.post("/v1/library", json={"post": "harbour"})
    assert (answer.status_code, (answer.json or {})["source"]) == (200, "own")
    assert site.rows("library") == 0
    assert kinds(site) == []


def test_a_grant_by_its_author(site: Site) -> None:
    post, alan, rita = harbour(site, visibility="granted"), program(site, "alan", *Scope), program(site)
    assert rita.post("/v1/library", json={"post": post.id}).status_code == 404
    answer = alan.post("/v1/library", json={"post": post.id, "user": "Rita"})
    assert answer.status_code == 201
    assert answer.json is not None
    assert (answer.json["source"], answer.json["user"]) == ("granted", "rita")
    assert alan.post("/v1/library", json={"post": post.id, "user": "rita"}).status_code == 200
    assert rita.post("/v1/library", json={"post": post.id}).json == {
        k: v for k, v in answer.json.items() if k != "user"
    }
    assert alan.delete(f"/v1/library/{post.id}?user=rita").status_code == 204
    assert alan.delete(f"/v1/library/{post.id}?user=rita").status_code == 404
    assert rita.get("/v1/library").json == {"items": [], "next": None}
    assert kinds(site) == ["library.granted", "library.grant_withdrawn"]


def test_a_saved_post_becomes_a_granted_one(site: Site) -> None:
    post, rita = harbour(site), program(site)
    rita.post("/v1/library", json={"post": post.id})
    saved = rita.get("/v1/library").json
    reads(site, post, "granted")
    give(site, post)
    assert sources(rita) == ["granted"]
    assert site.rows("library") == 1
    # What one saved oneself nobody takes away.
    take_back(site, post)
    assert sources(rita) == []
    reads(site, post, "public")
    assert rita.get("/v1/library").json == saved
    assert rita.delete(f"/v1/library/{post.id}").status_code == 204
    assert site.rows("library") == 0


@pytest.mark.parametrize("visibility", ["public", "members"])
def test_what_others_read_too_is_not_granted(site: Site, visibility: str) -> None:
    post, alan, rita = harbour(site, visibility=visibility), program(site, "alan", *Scope), program(site)
    rita.post("/v1/library", json={"post": post.id})
    refused = alan.post("/v1/library", json={"post": post.id, "user": "rita"})
    assert refused.status_code == 409
    assert "Only those whom you grant it" in (refused.json or {})["detail"]
    assert alan.delete(f"/v1/library/{post.id}?user=rita").status_code == 404
    assert sources(rita) == ["saved"]
    assert kinds(site) == ["library.saved"]


def test_a_grant_is_declined_by_whoever_got_it(site: Site) -> None:
    post, rita = harbour(site, visibility="granted"), program(site)
    give(site, post)
    conversation = begin(rita, save=False)
    assert ask(rita, conversation).status_code == 201
    assert rita.delete(f"/v1/library/{post.id}").status_code == 204
    assert rita.delete(f"/v1/library/{post.id}").status_code == 404
    assert sources(rita) == []
    assert ask(rita, conversation).status_code == 403
    assert [each["role"] for each in messages(rita, conversation)] == ["reader"]
    assert kinds(site) == ["library.granted", "library.grant_declined"]
    give(site, post)
    assert sources(rita) == ["granted"]
    assert len(messages(rita, conversation)) == 2


def test_what_is_granted_has_a_button_that_removes_it(site: Site) -> None:
    post, rita = harbour(site, visibility="granted"), site.client("rita")
    give(site, post)
    page = rita.get("/library").text
    assert "only if it is granted again" in page
    assert f'action="/library/{post.id}/remove"' in page
    assert rita.submit(f"/library/{post.id}/remove", page="/library").headers["Location"] == "/library"
    assert rita.get("/posts/harbour").status_code == 404
    log = site.client("olive").get("/admin/log").text
    assert "took a post that was granted to them out of their library" in log


def test_the_page_of_grants_offers_none_where_others_read_too(site: Site) -> None:
    post, alan = harbour(site, visibility="granted"), site.client("alan")
    path = "/posts/harbour/grants"
    assert alan.submit(path, username="rita").status_code == 303
    reads(site, post, "public")
    page = alan.get(path).text
    assert 'name="username"' not in page
    assert 'href="/posts/harbour/edit"' in page
    refused = alan.submit(path, page="/account/profile", username="ada")
    assert (refused.status_code, 'value="ada"' in refused.text) == (409, True)
    assert alan.submit(f"{path}/rita/withdraw", page=path).status_code == 303
    assert site.rows("library") == 0


@pytest.mark.parametrize("name", ["ada", "rita"])
def test_nobody_grants_what_is_not_theirs_to_change(site: Site, name: str) -> None:
    post = harbour(site, visibility="granted")
    client = program(site, name, *Scope)
    for target in ("rita", "ada"):
        assert client.post("/v1/library", json={"post": post.id, "user": target}).status_code == 404
        assert client.delete(f"/v1/library/{post.id}?user={target}").status_code == 404
    assert site.rows("library") == 0


def test_a_grant_needs_a_token_that_may_write(site: Site) -> None:
    post = harbour(site)
    assert program(site, "alan").post("/v1/library", json={"post": post.id, "user": "rita"}).status_code == 403
    assert site.rows("library") == 0


def test_a_token_that_may_only_propose_grants_nothing_and_takes_nothing_back(site: Site) -> None:
    post = harbour(site, visibility="granted")
    give(site, post)
    proposing = program(site, "alan", Scope.POSTS_PROPOSE, Scope.CONVERSATIONS)
    for refused in (
        proposing.post("/v1/library", json={"post": post.id, "user": "ada"}),
        proposing.delete(f"/v1/library/{post.id}?user=rita"),
    ):
        assert refused.status_code == 403
        assert 'error="insufficient_scope"' in refused.headers["WWW-Authenticate"]
    assert program(site).get("/v1/library").json["items"][0]["source"] == "granted"
    assert site.rows("library") == 1


@pytest.mark.parametrize(
    ("user", "status"), [("nobody-here", 404), ("alan", 409), ("\x00", 404), ("x" * 500, 404), ("🐙", 404)]
)
def test_a_grant_to_somebody_who_cannot_have_it(site: Site, user: str, status: int) -> None:
    harbour(site)
    alan = program(site, "alan", *Scope)
    assert alan.post("/v1/library", json={"post": "harbour", "user": user}).status_code == status
    assert site.rows("library") == 0


@pytest.mark.parametrize(
    "body",
    [{}, {"post": ""}, {"post": " "}, {"post": 5}, {"post": None}, {"post": "a", "x": 1}, {"post": "a", "user": 5}]
    + [{"post": "harbour", "user": user} for user in ("", " ", None)],
)
def test_a_body_that_makes_no_sense(site: Site, body: Any) -> None:
    harbour(site)
    assert program(site).post("/v1/library", json=body).status_code == 422
    assert site.rows("library") == 0


def test_a_grant_taken_back_from_nobody_leaves_what_one_saved(site: Site) -> None:
    post, rita = harbour(site), program(site)
    rita.post("/v1/library", json={"post": "harbour"})
    for user in ("", "%20"):
        assert rita.delete(f"/v1/library/{post.id}?user={user}").status_code == 422
    assert sources(rita) == ["saved"]


@pytest.mark.parametrize(
    "name", ["unknown", "\x00", "../x", "x" * 5000, "b341f6d4-f750-47ed-9509-49e5ad2fadf3", "é", "%00"]
)
def test_a_post_that_is_not_there(site: Site, name: str) -> None:
    rita = program(site)
    assert rita.post("/v1/library", json={"post": name}).status_code == 404
    assert rita.delete("/v1/library/" + name.replace("/", "").replace("\x00", "")).status_code == 404


def test_a_draft_is_not_there_and_a_deleted_one_is_gone(site: Site) -> None:
    draft, deleted = site.post("alan", slug="draft", status="draft"), harbour(site)
    assert site.client(token=site.token("alan")).delete(f"/v1/posts/{deleted.id}").status_code == 204
    rita = program(site)
    assert rita.post("/v1/library", json={"post": draft.id}).status_code == 404
    assert rita.post("/v1/library", json={"post": deleted.id}).status_code == 410


def test_order_of_refusals(site: Site) -> None:
    post = harbour(site)
    path = f"/v1/library/{post.id}"
    for client in (site.client(), site.client(token="byl_" + "x" * 43)):
        assert client.get("/v1/library").status_code == 401
        assert client.post("/v1/library", json={"bad": 1}).status_code == 401
        assert client.delete(path).status_code == 401
    other = site.client(token=site.token("rita", *[scope for scope in Scope if scope != Scope.CONVERSATIONS]))
    assert other.get("/v1/library").status_code == 403
    assert other.post("/v1/library", json={"bad": 1}).status_code == 403
    assert other.delete(path).status_code == 403
    browser = site.client("rita")
    assert browser.post("/v1/library", json={"bad": 1}).status_code == 403
    assert browser.delete("/v1/library/none").status_code == 404
    assert browser.delete(path).status_code in (403, 404)
    headers = {"X-CSRF-Token": browser.form_token("/account/profile")}
    assert browser.post("/v1/library", json={"bad": 1}, headers=headers).status_code == 422
    assert browser.post("/v1/library", json={"post": post.id}, headers=headers).status_code == 201
    assert browser.delete(path).status_code == 403
    assert browser.delete(path, headers=headers).status_code == 204


def test_lists_have_limits_and_places(site: Site) -> None:
    rita = program(site)
    for number in range(5):
        harbour(site, slug=f"post-{number}")
        rita.post("/v1/library", json={"post": f"post-{number}"})
    seen: list[str] = []
    path = "/v1/library?limit=2"
    while path:
        page = rita.get(path).json
        assert page is not None
        seen += [each["slug"] for each in page["items"]]
        path = (page["next"] or "").removeprefix("http://localhost:8000")
    assert seen == [f"post-{number}" for number in (4, 3, 2, 1, 0)]
    for query in ("limit=0", "limit=101", "limit=x", "before=x", "before=1~x", f"before=-1~{new_id()}"):
        assert rita.get(f"/v1/library?{query}").status_code == 422


def test_what_may_not_be_read_any_more_leaves_the_list(site: Site) -> None:
    post, rita = harbour(site), program(site)
    rita.post("/v1/library", json={"post": post.id})
    alan = site.client(token=site.token("alan"))
    for change, count in (
        ({"status": "draft"}, 0),
        ({"status": "published"}, 1),
        ({"visibility": "granted"}, 0),
        ({"visibility": "members"}, 1),
    ):
        assert alan.patch(f"/v1/posts/{post.id}", json=change).status_code == 200
        listed = rita.get("/v1/library").json
        assert listed is not None
        assert len(listed["items"]) == count


def test_what_is_not_held_any_more_is_not_asked_and_leaves_ones_own_words(site: Site) -> None:
    post, rita = harbour(site), program(site)
    conversation = begin(rita)
    assert ask(rita, conversation).status_code == 201
    assert rita.delete(f"/v1/library/{post.id}").status_code == 204
    refused = ask(rita, conversation)
    assert refused.status_code == 403
    assert [each["role"] for each in messages(rita, conversation)] == ["reader"]
    for answer in (
        rita.get(f"/v1/conversations/{conversation}"),
        rita.patch(f"/v1/conversations/{conversation}", json={"title": "x"}),
        rita.put(f"/v1/conversations/{conversation}", json={"post": post.id}),
    ):
        assert answer.status_code == 200
        assert answer.json is not None
        assert answer.json["preview"] == ""
    listed = rita.get("/v1/conversations").json
    assert listed is not None
    assert listed["items"][0]["preview"] == ""
    rita.post("/v1/library", json={"post": post.id})
    assert len(messages(rita, conversation)) == 2
    assert ask(rita, conversation).status_code == 201


def test_whoever_wrote_a_post_may_take_back_grants_after_giving_it_another_address(site: Site) -> None:
    post = harbour(site, visibility="granted")
    give(site, post)
    alan = site.client(token=site.token("alan", *Scope))
    assert alan.patch(f"/v1/posts/{post.id}", json={"slug": "elsewhere"}).status_code == 200
    rita = program(site)
    assert rita.post("/v1/library", json={"post": "harbour"}).json["slug"] == "elsewhere"
    take_back(site, post)
    assert rita.post("/v1/library", json={"post": "harbour"}).status_code == 404


def test_what_was_saved_before_the_upgrade_counts_as_saved(tmp_path: Path) -> None:
    path = tmp_path / "byline.db"
    upgrading._migrate(path, to="0019")
    with sqlite.opened(path, mode="rw") as db:
        for number, name in enumerate(("alan", "rita"), start=1):
            user = "INSERT INTO users (id, username, display_name, role, created_at) VALUES (?, ?, '', 'author', 0)"
            db.execute(user, (number, name))
        for number, source in enumerate(("saved", "granted"), start=1):
            db.execute(_POST_OF_0019, (source, source))
            db.execute("INSERT INTO library VALUES (2, ?, ?, ?)", (source, source, number))
    upgrading.upgrade(path)
    with sqlite.opened(path, mode="ro") as db:
        found = db.execute("SELECT source, created_at, saved_at FROM library ORDER BY created_at").fetchall()
    assert found == [("saved", 1, 1), ("granted", 2, None)]


_POST_OF_0019 = """
INSERT INTO posts (id, slug, author_id, title, body, html, renderer_version, excerpt, summary, tags, status, visibility,
                   published_at, version, created_at, updated_at)
VALUES (?, ?, 1, '', '', '', 1, '', '', '', 'published', 'public', 0, 1, 0, 0)
"""
