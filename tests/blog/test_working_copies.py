"""Working copies: what is typed is kept for its writer alone, offered on return, and gone once it was saved."""

import html
import json
import re
import secrets

import pytest
import time_machine
from werkzeug.test import TestResponse

from blog.working_copies import keeping
from storage import clock
from tests.support import Client, Site

ODD = '\n\tA tab,   blanks\r\n"quotes" & <b>bold</b> </textarea> {{ 7 * 7 }}\n漢字 עברית 🦉👩‍👧\n\n'
KEPT = ODD.replace("\r\n", "\n")
DAYS = 24 * 3600


def put(client: Client, key: str, *, token: str | None = None, **fields: str) -> TestResponse:
    """Keep, as the editor's script does it."""
    fields.setdefault("submission", key.removeprefix("new-"))
    headers = {"X-CSRF-Token": client.form_token() if token is None else token, "Accept": "application/json"}
    return client.put(f"/account/working-copies/{key}", json=fields, headers=headers)


def new_key() -> str:
    return f"new-{secrets.token_urlsafe(16)}"


def text_of(page: str) -> str:
    """What the browser would show in the text's field: it drops the first line end."""
    found = re.search(r'<textarea[^>]*name="body"[^>]*>(.*?)</textarea>', page, re.DOTALL)
    assert found is not None
    return html.unescape(found[1]).replace("\r\n", "\n").removeprefix("\n")


def hidden(page: str, name: str) -> str:
    found = re.search(rf'<input[^>]*name="{name}"[^>]*value="([^"]*)"', page)
    assert found is not None
    return found[1]


def offered(client: Client, path: str) -> bool:
    return "?copy=" in client.get(path).text


# A new post


def test_what_is_kept_of_a_new_post_is_offered_and_comes_back_whole(site: Site) -> None:
    alan, key = site.client("alan"), new_key()
    assert not offered(alan, "/new")
    assert put(alan, key, title="Half", body=ODD, tags="a, b", status="published").status_code == 204
    page = alan.get("/new").text
    assert "Half" in page
    assert f"/new?copy={key}" in page
    assert text_of(page) == ""  # offered, not imposed
    continued = alan.get(f"/new?copy={key}").text
    assert text_of(continued) == KEPT
    assert hidden(continued, "submission") == key.removeprefix("new-")
    assert 'value="a, b"' in continued
    assert re.search(r'value="published"[^>]*checked|checked[^>]*value="published"', continued)


def test_several_new_posts_are_kept_side_by_side(site: Site) -> None:
    alan = site.client("alan")
    for title in ("One", "Two", "Three"):
        put(alan, new_key(), title=title, body="words")
    page = alan.get("/new").text
    assert page.count("?copy=") == 3
    assert page.index("Three") < page.index("Two") < page.index("One")


def test_saving_drops_the_copy_in_the_same_transaction(site: Site) -> None:
    alan, key = site.client("alan"), new_key()
    put(alan, key, title="Half", body="words")
    with site.counted_statements() as statements:
        saved = alan.submit("/new", title="Half", body="words", submission=key.removeprefix("new-"))
    assert saved.status_code == 303
    assert site.rows("working_copies") == 0
    order = [s for s in statements if s.startswith(("INSERT INTO posts", "DELETE FROM working_copies"))]
    assert len(order) == 2
    assert not offered(alan, "/new")


def test_a_refused_save_keeps_the_copy(site: Site) -> None:
    alan, key = site.client("alan"), new_key()
    put(alan, key, title="", body="words")
    refused = alan.submit("/new", title="", body="words", submission=key.removeprefix("new-"))
    assert refused.status_code == 422
    assert site.rows("working_copies") == 1


def test_a_copy_that_arrives_after_its_save_is_none(site: Site) -> None:
    alan, key = site.client("alan"), new_key()
    alan.submit("/new", title="Half", body="words\r\n", submission=key.removeprefix("new-"))
    assert put(alan, key, title="Half", body="words\n", status="draft", visibility="public").status_code == 204
    assert site.rows("working_copies") == 0


def test_what_is_typed_on_after_a_save_becomes_a_copy_of_the_post(site: Site) -> None:
    alan, key = site.client("alan"), new_key()
    alan.submit("/new", title="Half", body="words", submission=key.removeprefix("new-"))
    put(alan, key, title="Half", body="words and more", status="draft", visibility="public")
    assert not offered(alan, "/new")
    page = alan.get("/posts/half/edit").text
    assert "It differs in: text." in page
    assert "The text has 3 words, the saved one 1." in page


def test_an_empty_form_is_no_copy(site: Site) -> None:
    alan, key = site.client("alan"), new_key()
    put(alan, key, title="Half")
    assert site.rows("working_copies") == 1
    put(alan, key, title=" ", body="", status="published", visibility="members")
    assert site.rows("working_copies") == 0


# A post that is there


def test_a_copy_of_a_post_is_offered_beside_what_is_saved(site: Site) -> None:
    post = site.post(body="Some words.")
    alan = site.client("alan")
    fields = {"title": post.title, "slug": post.slug, "body": "Some more words.\n", "tags": "x", "version": "1"}
    fields |= {"status": "published", "visibility": "public", "submission": "s1"}
    assert put(alan, post.id, **fields).status_code == 204
    page = alan.get(f"/posts/{post.slug}/edit").text
    assert "It differs in: text, tags." in page
    assert "The text has 3 words, the saved one 2." in page
    assert "Another version was saved" not in page
    assert text_of(page) == "Some words."
    continued = alan.get(f"/posts/{post.slug}/edit?copy={post.id}").text
    assert text_of(continued) == "Some more words.\n"
    assert hidden(continued, "version") == "1"
    saved = alan.submit(f"/posts/{post.slug}/edit", **fields)
    assert saved.status_code == 303
    assert site.rows("working_copies") == 0
    assert not offered(alan, f"/posts/{post.slug}/edit")


def test_what_differs_in_nothing_is_neither_kept_nor_offered(site: Site) -> None:
    post = site.post(body="Some words.", tags=["one", "two"])
    alan = site.client("alan")
    same = {"title": f" {post.title} ", "slug": "", "body": post.body, "tags": "One,two", "status": "published"}
    put(alan, post.id, **same, visibility="public", submission="s1")
    assert site.rows("working_copies") == 0


def test_the_version_of_the_copy_goes_along_so_that_a_save_in_between_is_not_overwritten(site: Site) -> None:
    post = site.post()
    alan = site.client("alan")
    put(alan, post.id, title=post.title, body="Mine", version="1", submission="s1", status="published")
    alan.submit(f"/posts/{post.slug}/edit", title="Other", body="Theirs", version="1", submission="s2")
    assert site.rows("working_copies") == 1, "typed into another form"
    assert "Another version was saved since" in alan.get(f"/posts/{post.slug}/edit").text
    continued = alan.get(f"/posts/{post.slug}/edit?copy={post.id}").text
    stale = alan.submit(
        f"/posts/{post.slug}/edit", title="A post", body="Mine", version=hidden(continued, "version"), submission="s1"
    )
    assert stale.status_code == 409
    assert "Mine" in stale.text
    assert "Theirs" in stale.text


def test_another_tab_does_not_write_over_what_is_kept(site: Site) -> None:
    post = site.post()
    alan = site.client("alan")
    assert put(alan, post.id, title="T", body="First tab", submission="one").status_code == 204
    assert put(alan, post.id, title="T", body="Second tab", submission="two").status_code == 409
    assert text_of(alan.get(f"/posts/{post.slug}/edit?copy={post.id}").text) == "First tab"
    assert put(alan, post.id, title="T", body="First tab, more", submission="one").status_code == 204


def test_discarding_needs_the_form_and_leads_back(site: Site) -> None:
    post = site.post()
    alan = site.client("alan")
    put(alan, post.id, title="T", body="Not wanted", submission="one")
    path, editor = f"/account/working-copies/{post.id}/discard", f"/posts/{post.slug}/edit"
    assert alan.post(path, data={"back": editor}).status_code == 403
    assert site.rows("working_copies") == 1
    done = alan.submit(path, page=editor, back=editor)
    assert (done.status_code, done.headers["Location"]) == (303, editor)
    assert site.rows("working_copies") == 0
    for back in ("//evil.example/edit", "/posts/..\\/edit", "https://evil.example/new", ""):
        assert alan.submit(path, page=editor, back=back).headers["Location"] == "/account"


def test_a_copy_that_is_gone_says_so(site: Site) -> None:
    post = site.post()
    alan = site.client("alan")
    missing = [f"/new?copy={new_key()}", "/new?copy=../../x", f"/posts/{post.slug}/edit?copy={post.id}"]
    put(alan, post.id, title="T", body="kept", submission="one")
    missing[2] += "x"
    for path in (*missing, f"/new?copy={post.id}"):
        assert alan.get(path).status_code == 404, path


# Who


def test_nobody_sees_anothers_copy(site: Site) -> None:
    post = site.post("alan", status="draft")
    alan, key = site.client("alan"), new_key()
    put(alan, key, title="Secret plans", body="hidden words")
    put(alan, post.id, title="Secret plans", body="hidden words", submission="s")
    for name in ("ada", "edith", "olive"):
        other = site.client(name)
        assert "Secret" not in other.get("/new").text
        assert other.get(f"/new?copy={key}").status_code == 404
        kept = other.get(f"/account/working-copies/{key}")
        assert kept.get_json()["fields"] is None
        assert other.submit(f"/account/working-copies/{key}/discard", page="/new", back="/new").status_code == 303
        assert other.get("/account/submissions/s").get_json() == {"is_saved": False}
    for name in ("edith", "olive"):
        other = site.client(name)
        assert "hidden words" not in other.get(f"/posts/{post.slug}/edit").text
        assert other.get(f"/posts/{post.slug}/edit?copy={post.id}").status_code == 404
    assert site.rows("working_copies") == 2
    assert alan.get(f"/account/working-copies/{key}").get_json()["fields"]["body"] == "hidden words"


def test_each_editor_of_a_post_has_a_copy_of_their_own(site: Site) -> None:
    post = site.post("alan")
    for name in ("alan", "edith"):
        assert put(site.client(name), post.id, title="T", body=f"By {name}", submission="s").status_code == 204
    for name in ("alan", "edith"):
        page = site.client(name).get(f"/posts/{post.slug}/edit?copy={post.id}").text
        assert text_of(page) == f"By {name}"


def test_who_may_not_write_keeps_nothing(site: Site) -> None:
    draft, public = site.post("alan", status="draft", title="Draft"), site.post("alan")
    token = site.client("ada").form_token()
    anonymous = site.client()
    for accept in ("application/json", "text/html"):
        path = f"/account/working-copies/{draft.id}"
        answer = anonymous.put(path, json={"body": "x", "submission": "s"}, headers={"Accept": accept})
        assert answer.status_code == 401
        assert "WWW-Authenticate" in answer.headers
    ada = site.client("ada")
    assert put(ada, draft.id, submission="s", body="x").status_code == 404
    assert put(ada, public.id, submission="s", body="x").status_code == 403
    assert put(site.client("rita"), public.id, submission="s", body="x", token=token).status_code == 403
    bearer = site.client(token=site.token("alan"))
    assert put(bearer, public.id, submission="s", body="x", token="").status_code == 403
    assert bearer.post("/account/preview", json={"body": "x"}).status_code == 403
    assert site.rows("working_copies") == 0


def test_losing_the_right_to_edit_ends_offer_and_keeping(site: Site) -> None:
    post = site.post("alan", status="draft")
    edith = site.client("edith")
    put(edith, post.id, title="T", body="Edited", submission="s")
    token = edith.form_token()
    with site.database.transaction() as db:
        db.exec_driver_sql("UPDATE users SET role = 'author' WHERE username = 'edith'")
    assert edith.get(f"/posts/{post.slug}/edit").status_code == 404
    assert edith.get(f"/account/working-copies/{post.id}", headers={"Accept": "application/json"}).status_code == 404
    assert put(edith, post.id, title="T", body="Again", submission="s", token=token).status_code == 404
    assert "Edited" not in edith.get("/new").text


def test_a_deleted_post_takes_no_copy(site: Site) -> None:
    post = site.post()
    alan = site.client("alan")
    alan.submit(f"/posts/{post.slug}/delete", version="1")
    assert put(alan, post.id, body="x", submission="s").status_code == 410


# Bad input and bounds


def test_a_write_needs_the_form_token(site: Site) -> None:
    alan, key = site.client("alan"), new_key()
    assert put(alan, key, body="x", token="wrong").status_code == 403
    assert put(alan, key, body="x", token="").status_code == 403
    assert site.rows("working_copies") == 0


def test_what_is_no_key_is_not_found(site: Site) -> None:
    alan = site.client("alan")
    for key in (
        "new-",
        "nothing",
        "new-" + "x" * 101,
        "new-a%20b",
        "new-%00",
        "%C3%A9",
        "6F1CBD5E8A3C4A7E9D550E9B0A0C0D01",
    ):
        assert put(alan, key, body="x", submission="s").status_code == 404, key


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"body": "x" * (keeping.LONGEST_BODY_BYTES + 1), "submission": "s"}, "body"),
        ({"title": "x" * 10_001, "submission": "s"}, "title"),
        ({"body": 7, "submission": "s"}, "body"),
        ({"body": "x"}, "submission"),
        ({"body": "x", "submission": "a b"}, "submission"),
        ({"body": "x", "submission": "s", "author": "olive"}, "author"),
        ({"body": "\ud800", "submission": "s"}, "body"),
    ],
)
def test_a_fault_is_named(site: Site, body: dict[str, object], field: str) -> None:
    alan = site.client("alan")
    headers = {"X-CSRF-Token": alan.form_token(), "Content-Type": "application/json"}
    answer = alan.put(f"/account/working-copies/{new_key()}", data=json.dumps(body), headers=headers)
    assert answer.status_code == 422
    assert [fault["field"] for fault in answer.get_json()["errors"]] == [field]
    assert site.rows("working_copies") == 0


def test_the_longest_text_is_kept_and_one_over_two_mebibytes_is_refused_unread(site: Site) -> None:
    alan, key = site.client("alan"), new_key()
    longest = "é" * (keeping.LONGEST_BODY_BYTES // 2)
    headers = {"X-CSRF-Token": alan.form_token(), "Content-Type": "application/json"}
    body = json.dumps({"body": longest, "submission": "s"}, ensure_ascii=False)
    assert alan.put(f"/account/working-copies/{key}", data=body.encode(), headers=headers).status_code == 204
    assert text_of(alan.get(f"/new?copy={key}").text) == longest
    too_long = json.dumps({"body": "x" * (2 << 20), "submission": "s"})
    assert alan.put(f"/account/working-copies/{key}", data=too_long, headers=headers).status_code == 413


def test_malformed_and_other_kinds_of_bodies_are_refused(site: Site) -> None:
    alan, key = site.client("alan"), new_key()
    token = {"X-CSRF-Token": alan.form_token()}
    path = f"/account/working-copies/{key}"
    assert alan.put(path, data="{", headers=token, content_type="application/json").status_code == 400
    assert alan.put(path, data="[]", headers=token, content_type="application/json").status_code == 400
    assert alan.put(path, data="body=x", headers=token, content_type="text/plain").status_code == 415


def test_copies_are_bounded_by_number_and_age(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "MOST_COPIES", 5)
    alan, ada = site.client("alan"), site.client("ada")
    put(ada, new_key(), title="Of somebody else")
    keys = [new_key() for _ in range(7)]
    for number, key in enumerate(keys):
        put(alan, key, title=f"Number {number}")
    page = alan.get("/new").text
    assert [f"Number {n}" in page for n in range(7)] == [False, False, True, True, True, True, True]
    assert site.rows("working_copies") == 6
    with time_machine.travel(clock.to_datetime(clock.now()).timestamp() + 31 * DAYS, tick=True):
        alan = site.client("alan")
        assert not offered(alan, "/new")
        assert alan.get(f"/new?copy={keys[6]}").status_code == 404
        put(alan, new_key(), title="The only one")
        assert site.rows("working_copies") == 2


def test_keeping_is_no_change_that_anybody_sees(site: Site) -> None:
    post = site.post()
    alan = site.client("alan")
    with site.database.reading() as db:
        before = db.exec_driver_sql("SELECT * FROM site").all()
    counts = {table: site.rows(table) for table in ("events", "revisions", "posts")}
    put(alan, post.id, title="Kept", body="Kept", submission="s")
    put(alan, new_key(), title="Kept", body="Kept")
    assert {table: site.rows(table) for table in counts} == counts
    with site.database.reading() as db:
        assert db.exec_driver_sql("SELECT * FROM site").all() == before
        assert db.exec_driver_sql("SELECT version FROM posts").scalar_one() == 1
    assert "Kept" not in site.client().get(f"/posts/{post.slug}").text


# The preview and the page


def test_the_preview_is_what_readers_will_get(site: Site) -> None:
    alan = site.client("alan")
    body = "# One\r\n\r\n*two* <script>alert(1)</script> <img src=x onerror=alert(1)>\n"
    headers = {"X-CSRF-Token": alan.form_token()}
    answer = alan.post("/account/preview", json={"body": body}, headers=headers)
    assert answer.status_code == 200
    assert answer.mimetype == "text/html"
    post = site.post(body=body.replace("\r\n", "\n"))
    assert answer.text == post.html
    assert "onerror" not in answer.text
    assert "<script" not in answer.text
    assert "no-store" in answer.headers["Cache-Control"]
    assert alan.post("/account/preview", json={"body": body}).status_code == 403
    assert site.client().post("/account/preview", json={"body": body}).status_code == 401
    too_long = {"body": "x" * (keeping.LONGEST_BODY_BYTES + 1)}
    assert alan.post("/account/preview", json=too_long, headers=headers).status_code == 422


def test_only_the_editor_may_run_a_script(site: Site) -> None:
    post = site.post()
    alan = site.client("alan")
    for path in ("/new", f"/posts/{post.slug}/edit"):
        policy = alan.get(path).headers["Content-Security-Policy"]
        assert "script-src 'self'" in policy
        assert "unsafe" not in policy
    for path in ("/", f"/posts/{post.slug}", "/account", "/login"):
        assert "script-src" not in alan.get(path).headers["Content-Security-Policy"]
        assert "<script" not in alan.get(path).text


def test_a_form_says_whether_it_was_saved(site: Site) -> None:
    alan = site.client("alan")
    alan.submit("/new", title="One", submission="sent")
    assert alan.get("/account/submissions/sent").get_json() == {"is_saved": True}
    assert alan.get("/account/submissions/other").get_json() == {"is_saved": False}
