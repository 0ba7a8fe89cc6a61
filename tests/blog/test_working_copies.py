"""Working copies: what is typed is kept for its writer alone, offered on return, and gone once it was saved."""

import html
import json
import re
import secrets
from datetime import UTC, datetime

import pytest
import time_machine
from werkzeug.test import TestResponse

from blog.rendering import LONGEST_BODY_BYTES
from blog.working_copies import keeping
from storage import clock
from tests.support import Client, Site

ODD = '\n\tA tab,   blanks\r\n"quotes" & <b>bold</b> </textarea> {{ 7 * 7 }}\n漢字 עברית 🦉👩‍👧\n\n'
KEPT = ODD.replace("\r\n", "\n")
DAYS = 24 * 3600


def put(client: Client, key: str, *, token: str | None = None, **fields: str | bool) -> TestResponse:
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


def test_what_arrives_behind_its_own_save_is_offered_to_nobody(site: Site) -> None:
    post = site.post(body="Before.")
    alan, path = site.client("alan"), f"/posts/{post.slug}/edit"
    fields = {"title": post.title, "body": "Half of", "status": "published", "version": "1", "submission": "one"}
    fields["visibility"] = "public"
    assert put(alan, post.id, **fields, unsent=True).status_code == 204
    assert alan.submit(path, **fields | {"body": "Half of it.", "tags": ""}).status_code == 303
    # The one before the last, and the last; delayed on their way.
    assert put(alan, post.id, **fields | {"body": "Half o"}, unsent=True).status_code == 409
    for is_unsent in (True, False):
        assert put(alan, post.id, **fields | {"body": "Half of it."}, unsent=is_unsent).status_code == 204
    assert site.rows("working_copies") == 0
    # Also when somebody else has saved since.
    assert site.client("edith").submit(path, title="T", body="Hers.", version="2").status_code == 303
    assert put(alan, post.id, **fields | {"body": "Half of it."}, unsent=True).status_code == 204
    assert site.rows("working_copies") == 0
    assert put(alan, post.id, **fields | {"body": "Another form", "submission": "two"}).status_code == 204


def test_what_was_typed_after_going_back_to_a_form_that_was_saved_is_kept_and_offered(site: Site) -> None:
    post = site.post(body="Before.")
    alan, path = site.client("alan"), f"/posts/{post.slug}/edit"
    fields = {"title": post.title, "body": "Saved.", "status": "published", "version": "1", "submission": "one"}
    fields["visibility"] = "public"
    assert alan.submit(path, **fields, tags="").status_code == 303
    assert put(alan, post.id, **fields | {"body": "Saved. And more."}, unsent=False).status_code == 204
    assert "It differs in: text." in alan.get(path).text
    # What was on its way all the time does not take it away; what was saved, typed once more, does.
    assert put(alan, post.id, **fields | {"body": "Sav"}, unsent=True).status_code == 409
    assert put(alan, post.id, **fields, unsent=True).status_code == 204
    assert text_of(alan.get(f"{path}?copy={post.id}").text) == "Saved. And more."
    assert put(alan, post.id, **fields, unsent=False).status_code == 204
    assert site.rows("working_copies") == 0


def test_a_form_that_was_saved_keeps_nothing_of_another_persons(site: Site) -> None:
    post = site.post()
    edith = site.client("edith")
    site.client("alan").submit(f"/posts/{post.slug}/edit", title="A post", body="His.", version="1", submission="one")
    assert put(edith, post.id, title="A post", body="Hers.", submission="one", unsent=True).status_code == 204
    assert site.rows("working_copies") == 1


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


@pytest.mark.parametrize("why", ["lowered", "passed on", "deleted"])
def test_words_that_cannot_be_saved_any_more_can_be_read_copied_and_discarded(site: Site, why: str) -> None:
    post = site.post("alan", status="draft", title="Private plans")
    alan, key = site.client("alan"), new_key()
    put(alan, post.id, title="My title", body=ODD, tags="a, b", submission="s")
    put(alan, key, title="Other", body="of a new one")
    path = f"/account/working-copies/{post.id}"
    assert f'href="/posts/{post.slug}/edit?copy={post.id}"' in alan.get(f"{path}/text").text
    change = {
        "lowered": "UPDATE users SET role = 'reader' WHERE username = 'alan'",
        "passed on": "UPDATE posts SET title = 'Hers', author_id = (SELECT id FROM users WHERE username = 'ada')",
        "deleted": "UPDATE posts SET deleted_at = 1",
    }
    with site.database.transaction() as db:
        db.exec_driver_sql(change[why])
    assert alan.get(f"/posts/{post.slug}/edit?copy={post.id}").status_code in (403, 404, 410)
    assert "2 of the 50 that fit" in alan.get("/account").text
    assert "My title" in alan.get("/account/working-copies").text
    page = alan.get(f"{path}/text")
    assert page.status_code == 200
    found = re.search(r'<textarea id="kept-body"[^>]*readonly[^>]*>\n(.*?)</textarea>', page.text, re.DOTALL)
    assert found is not None
    assert html.unescape(found[1]) == KEPT
    assert "a, b" in page.text
    assert "?copy=" not in page.text
    assert "cannot be saved" in page.text
    assert "Hers" not in page.text
    assert ("?copy=" in alan.get(f"/account/working-copies/{key}/text").text) is (why != "lowered")
    for name in ("ada", "olive"):
        assert site.client(name).get(f"{path}/text").status_code == 404
        assert "My title" not in site.client(name).get("/account/working-copies").text
    assert site.client("rita").get(f"{path}/text").status_code == 404
    assert site.client().get(f"{path}/text").status_code == 303
    assert site.client(token=site.token("alan")).get(f"{path}/text").status_code == 403
    listed = "/account/working-copies"
    assert alan.submit(f"{path}/discard", page=listed, back=listed).headers["Location"] == listed
    assert alan.get(f"{path}/text").status_code == 404


def test_a_time_stays_what_was_meant_when_the_writers_zone_is_another_one_now(site: Site) -> None:
    alan, key = site.client("alan"), new_key()

    def move_to(zone: str) -> None:
        with site.database.transaction() as db:
            db.exec_driver_sql("UPDATE users SET time_zone = ? WHERE username = 'alan'", (zone,))

    move_to("Europe/Berlin")
    assert hidden(alan.get("/new").text, "time_zone") == "Europe/Berlin"
    times = {"publish_at": "2030-06-01T12:00", "time_zone": "Europe/Berlin"}
    put(alan, key, title="Later", body="words", status="published", **times)
    post = site.post(publish_at=clock.from_datetime(datetime(2030, 1, 1, 8, tzinfo=UTC)))
    same = {"title": post.title, "body": post.body, "status": "published", "submission": "s"}
    same["visibility"] = "public"
    move_to("America/New_York")
    # The same moment, in the zone that the form showed, is no difference; the same digits are one.
    put(alan, post.id, **same, publish_at="2030-01-01T09:00", time_zone="Europe/Berlin")
    assert site.rows("working_copies") == 1
    put(alan, post.id, **same, publish_at="2030-01-01T08:00", time_zone="Europe/Berlin")
    page = alan.get(f"/posts/{post.slug}/edit").text
    assert "It differs in: moment of publication." in page
    assert "To be published at 2030-01-01 08:00, Europe/Berlin time." in page
    assert "To be published at 2030-06-01 12:00, Europe/Berlin time." in alan.get("/new").text
    assert "2030-06-01 12:00 Europe/Berlin" in alan.get(f"/account/working-copies/{key}/text").text
    continued = alan.get(f"/new?copy={key}").text
    assert hidden(continued, "time_zone") == "Europe/Berlin"
    assert "Europe/Berlin time; yours is now America/New_York." in continued
    sent = {"title": "Later", "body": "words", "status": "published", "visibility": "public", **times}
    assert alan.submit("/new", **sent, submission=key.removeprefix("new-")).status_code == 303
    with site.database.reading() as db:
        at = db.exec_driver_sql("SELECT published_at FROM posts WHERE title = 'Later'").scalar_one()
    assert clock.to_rfc3339(at) == "2030-06-01T10:00:00Z"


def test_a_copy_that_was_kept_before_zones_were_is_read_in_ones_own(site: Site) -> None:
    alan, key = site.client("alan"), new_key()
    put(alan, key, title="Old", body="words", publish_at="2030-06-01T12:00")
    with site.database.transaction() as db:
        fields = json.loads(db.exec_driver_sql("SELECT fields FROM working_copies").scalar_one())
        old = json.dumps({name: fields[name] for name in fields if name not in ("time_zone", "publish_offset")})
        db.exec_driver_sql("UPDATE working_copies SET fields = ?", (old,))
    for path in ("/new", "/account/working-copies", f"/account/working-copies/{key}/text"):
        assert "Old" in alan.get(path).text
    assert hidden(alan.get(f"/new?copy={key}").text, "time_zone") == "UTC"
    assert put(alan, key, title="Old", body="words and more").status_code == 204


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
        ({"body": "x" * (LONGEST_BODY_BYTES + 1), "submission": "s"}, "body"),
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
    longest = "é" * (LONGEST_BODY_BYTES // 2)
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


def test_the_one_too_many_is_refused_and_none_is_dropped_for_it(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "MOST_COPIES", 5)
    alan, ada = site.client("alan"), site.client("ada")
    post = site.post()
    put(ada, new_key(), title="Of somebody else")
    assert "that fit" not in alan.get("/new").text
    keys = [new_key() for _ in range(7)]
    assert [put(alan, key, title=f"Number {n}").status_code for n, key in enumerate(keys)] == [204] * 5 + [409] * 2
    refused = put(alan, post.id, title="T", body="Another", submission="s")
    assert refused.status_code == 409
    assert "Save or discard one of them" in refused.get_json()["detail"]
    assert put(alan, keys[0], title="Number 0", body="More of it").status_code == 204
    for path in ("/new", f"/posts/{post.slug}/edit"):
        page = alan.get(path).text
        assert "5 unsaved texts of yours are kept, and no more fit" in page
        assert "/account/working-copies" in page
    page = alan.get("/account/working-copies").text
    assert [f"Number {n}<" in page for n in range(7)] == [True] * 5 + [False] * 2
    assert "5 of the 5 that fit are kept" in page
    assert site.rows("working_copies") == 6
    # A save needs no room, and makes some; so does discarding.
    assert alan.submit("/new", title="Number 0", body="x", submission=keys[0].removeprefix("new-")).status_code == 303
    assert put(alan, keys[5], title="Number 5").status_code == 204
    done = alan.submit(
        f"/account/working-copies/{keys[1]}/discard", page="/account/working-copies", back="/account/working-copies"
    )
    assert (done.status_code, done.headers["Location"]) == (303, "/account/working-copies")
    assert put(alan, keys[6], title="Number 6").status_code == 204
    assert put(alan, new_key(), title="Number 7").status_code == 409


def test_copies_end_after_thirty_days(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "MOST_COPIES", 2)
    alan, keys = site.client("alan"), [new_key(), new_key()]
    for key in keys:
        put(alan, key, title="Old")
    with time_machine.travel(clock.to_datetime(clock.now()).timestamp() + 31 * DAYS, tick=True):
        alan = site.client("alan")
        assert not offered(alan, "/new")
        assert "Old" not in alan.get("/account/working-copies").text
        assert alan.get(f"/new?copy={keys[1]}").status_code == 404
        assert alan.get(f"/account/working-copies/{keys[1]}/text").status_code == 404
        assert put(alan, new_key(), title="The only one").status_code == 204
        assert site.rows("working_copies") == 1


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
    too_long = {"body": "x" * (LONGEST_BODY_BYTES + 1)}
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
        # What a post's page says of itself to search engines is no program.
        assert "<script" not in alan.get(path).text.replace('<script type="application/ld+json">', "")


def test_a_form_says_whether_it_was_saved(site: Site) -> None:
    alan = site.client("alan")
    alan.submit("/new", title="One", submission="sent")
    assert alan.get("/account/submissions/sent").get_json() == {"is_saved": True}
    assert alan.get("/account/submissions/other").get_json() == {"is_saved": False}
