"""Revisions: every save can be looked at, compared and gone back to, and nothing is lost by it."""

import pytest

from auth.permissions import Scope
from eventlog.log.following import events_since
from tests.support import Client, Site


@pytest.fixture
def alan(site: Site) -> Client:
    return site.client("alan")


def three_saves(site: Site, client: Client) -> str:
    """A post with three revisions; its slug."""
    post = site.post("alan", title="River", body="One.\n\nTwo.\n\nThree.", slug="river", tags=["water"])
    version = post.version
    for body in ("One.\n\nTwo and a half.\n\nThree.", "Nothing else <b>but</b> this."):
        page = {"title": "River", "body": body, "version": str(version), "status": "published"}
        assert client.submit(f"/posts/{post.slug}/edit", **page).status_code == 303
        version += 1
    return post.slug


def test_the_list_says_who_when_how_and_how_long(site: Site, alan: Client) -> None:
    slug = three_saves(site, alan)
    token = site.token("alan")
    post_id = site.client().get("/v1/posts", headers={"Authorization": f"Bearer {token}"}).json["items"][0]["id"]
    patched = site.client().patch(
        f"/v1/posts/{post_id}", json={"body": "Ü"}, headers={"Authorization": f"Bearer {token}"}
    )
    assert patched.status_code == 200
    page = alan.get(f"/posts/{slug}/revisions").text
    assert [f"Revision {number}" in page for number in (1, 2, 3, 4)] == [True] * 4
    assert "through the API, published, 2 bytes" in page
    assert page.count("in the editor") == 3
    items = site.client().get(f"/v1/posts/{post_id}/revisions", headers={"Authorization": f"Bearer {token}"}).json
    assert [item["number"] for item in items["items"]] == [4, 3, 2, 1]
    assert items["items"][0]["origin"] == "api"
    assert items["next"] is None


def test_one_revision_is_shown_as_it_was(site: Site, alan: Client) -> None:
    slug = three_saves(site, alan)
    assert "Two and a half." in alan.get(f"/posts/{slug}/revisions/2").text
    for path in (f"/posts/{slug}/revisions/4", f"/posts/{slug}/revisions/0", f"/posts/{slug}/revisions/{10**30}"):
        assert alan.get(path).status_code == 404
    assert alan.get(f"/posts/{slug}/revisions/x").status_code == 404


def test_what_changed_is_marked_by_word(site: Site, alan: Client) -> None:
    slug = three_saves(site, alan)
    page = alan.get(f"/posts/{slug}/revisions/1..2").text
    assert "and a half" in page.partition("<ins>")[2].partition("</ins>")[0]
    assert "&lt;b&gt;but&lt;/b&gt;" in alan.get(f"/posts/{slug}/revisions/2..3").text
    assert "These two revisions are the same." in alan.get(f"/posts/{slug}/revisions/2..2").text
    assert alan.get(f"/posts/{slug}/revisions/1..9").status_code == 404


def test_going_back_makes_a_new_revision_and_leaves_the_state_alone(site: Site, alan: Client) -> None:
    slug = three_saves(site, alan)
    before = site.rows("revisions")
    answer = alan.submit(f"/posts/{slug}/revisions/1/restore", page=f"/posts/{slug}/revisions")
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/posts/{slug}")
    assert site.rows("revisions") == before + 1
    assert "Three." in site.client().get(f"/posts/{slug}").text
    again = alan.submit(f"/posts/{slug}/revisions/1/restore", page=f"/posts/{slug}/revisions")
    assert again.status_code == 303
    assert site.rows("revisions") == before + 1
    with site.database.reading() as db:
        newest = events_since(db, None, 0, 0)[-1]
    assert (newest.kind, newest.payload["version"]) == ("post.edited", 4)


def test_the_api_shows_compares_and_goes_back(site: Site, alan: Client) -> None:
    three_saves(site, alan)
    headers = {"Authorization": f"Bearer {site.token('alan')}"}
    client = site.client()
    post_id = client.get("/v1/posts", headers=headers).json["items"][0]["id"]
    whole = client.get(f"/v1/posts/{post_id}/revisions/1", headers=headers).json
    assert (whole["number"], whole["body"], whole["tags"]) == (1, "One.\n\nTwo.\n\nThree.", ["water"])
    changes = client.get(f"/v1/posts/{post_id}/revisions/1..2", headers=headers).json["changes"]
    assert any(piece["kind"] == "added" for change in changes for piece in change["pieces"])
    restored = client.post(f"/v1/posts/{post_id}/revisions/1/restore", headers=headers)
    assert (restored.status_code, restored.json["version"], restored.headers["ETag"]) == (200, 4, '"4"')
    page = client.get(f"/v1/posts/{post_id}/revisions?limit=2", headers=headers).json
    assert [item["number"] for item in page["items"]] == [4, 3]
    assert page["items"][0]["origin"] == "restore"
    rest = client.get(page["next"].partition("localhost:8000")[2] or page["next"], headers=headers).json
    assert [item["number"] for item in rest["items"]] == [2, 1]


def test_nobody_else_sees_or_restores_them(site: Site, alan: Client) -> None:
    slug = three_saves(site, alan)
    for path in (f"/posts/{slug}/revisions", f"/posts/{slug}/revisions/1", f"/posts/{slug}/revisions/1..2"):
        assert site.client().get(path).status_code == 303
        assert site.client("rita").get(path).status_code == 403
        assert site.client("ada").get(path).status_code == 403
        assert site.client("edith").get(path).status_code == 200
    restore = f"/posts/{slug}/revisions/1/restore"
    assert site.client().post(restore).status_code == 401
    assert site.client("ada").post(restore).status_code == 403
    assert alan.post(restore).status_code == 403  # without its form token
    reads = {"Authorization": f"Bearer {site.token('alan', Scope.POSTS_READ)}"}
    assert (
        site.client().get("/v1/posts/6f1cbd5e-8a3c-4a7e-9d55-0e9b0a0c0d01/revisions", headers=reads).status_code == 403
    )


def test_long_lists_have_pages(site: Site, alan: Client) -> None:
    slug = three_saves(site, alan)
    with site.database.transaction() as db:
        db.exec_driver_sql(
            "WITH RECURSIVE n(i) AS (SELECT 4 UNION ALL SELECT i + 1 FROM n WHERE i < 130) INSERT INTO revisions "
            "(post_id, number, user_id, made_at, slug, title, body, excerpt, tags, status, visibility) SELECT post_id, i, "
            "user_id, made_at, slug, title, body, excerpt, tags, status, visibility FROM n, revisions WHERE number = 1"
        )
    seen: list[str] = []
    path: str | None = f"/posts/{slug}/revisions"
    while path is not None:
        page = alan.get(path).text
        seen += [part.partition("<")[0].split(",")[0] for part in page.split(">Revision ")[1:]]
        path = page.partition('rel="next" href="')[2].partition('"')[0] or None
    assert seen == [str(number) for number in range(130, 0, -1)]
    assert alan.get(f"/posts/{slug}/revisions?before=x").status_code == 422


def test_what_changed_beside_the_text_is_named(site: Site, alan: Client) -> None:
    site.post("alan", title="River", slug="river", status="draft")
    form = {"title": "River", "version": "1", "status": "draft", "kind": "page", "publish_at": "2099-01-01T09:00"}
    assert alan.submit("/posts/river/edit", **form, body="Some *words*.").status_code == 303
    page = alan.get("/posts/river/revisions/1..2").text
    assert '<del dir="auto">post</del> <ins dir="auto">page</ins>' in page
    assert "2099-01-01T09:00:00Z" in page
