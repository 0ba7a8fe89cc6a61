"""What nobody sane would write, through every page that shows it: a clear answer, soon, and the text kept."""

import html
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from werkzeug.test import TestResponse

from blog.media.storing import store
from blog.media.variants import sweep
from storage import clock
from tests.blog.media.pictures import picture
from tests.support import PASSWORD, Client, Site, find_form_token, make_site

SECONDS = 2.0  # one, on a machine that does nothing else
MANY = 100_000
TEXTS = {
    "brackets": "[" * MANY,
    "closed brackets": "[" * (MANY // 2) + "]" * (MANY // 2),
    "links": "[a](" * (MANY // 4),
    "stars": "*" * MANY,
    "stars and letters": "*a" * (MANY // 2),
    "underscores": "_" * MANY,
    "underscores and letters": "_a " * (MANY // 3),
    "quotes": ">" * MANY,
    "quotes on lines": ">\n" * (MANY // 2),
    "backticks": "`" * MANY,
    "backslashes": "\\" * MANY,
    "exclamations": "![" * (MANY // 2),
    "quotation marks": "\"'" * (MANY // 2),
    "table": "|a" * 2000 + "|\n" + "|-" * 2000 + "|\n" + ("|b" * 2000 + "|\n") * 5,
    "table without cells": "|" * 2001 + "\n" + "|-" * 2000 + "|\n",
    "lists": "\n".join(" " * n + "- a" for n in range(400)),
    "headings": "# a\n" * 20_000,
    "footnotes": "".join(f"[^{n}]" for n in range(5000)) + "\n\n" + "".join(f"[^{n}]: a\n" for n in range(5000)),
    "tags": "<b>" * 30_000,
    "entities": "&amp;" * 20_000,
}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    site = make_site(tmp_path_factory.mktemp("hostile") / "instance")
    yield site
    site.close()


@pytest.fixture
def alan(site: Site) -> Client:
    return site.client("alan")


def own_text(page: str) -> str:
    found = re.search(r'<textarea[^>]*name="body"[^>]*>(.*?)</textarea>', page, re.DOTALL)
    assert found is not None
    return html.unescape(found[1]).replace("\r\n", "\n").removeprefix("\n")


_PARAMETERS = [pytest.param(name, marks=pytest.mark.soak if place % 3 else []) for place, name in enumerate(TEXTS)]


@pytest.mark.parametrize("name", _PARAMETERS)
def test_no_page_takes_long(shared: Site, name: str) -> None:
    text, writer = TEXTS[name], shared.client("alan")
    token = writer.form_token()
    took: dict[str, float] = {}

    def soon(what: str, answer_with: int, ask) -> TestResponse:
        begun = time.thread_time()  # whatever else the machine does meanwhile
        answer = ask()
        took[what] = time.thread_time() - begun
        assert answer.status_code == answer_with, what
        return answer

    def submit(path: str, **fields: str) -> TestResponse:
        data = {"csrf_token": token, "title": name, **fields}
        return writer.post(path, data=data, content_type="multipart/form-data")

    preview = soon("preview", 200, lambda: submit("/new", body=text, action="preview"))
    assert own_text(preview.text) == text
    made = soon("save", 303, lambda: submit("/new", body=text, status="published"))
    path = made.headers["Location"]
    visitor = shared.client()
    for page in (path, "/", "/feed.xml"):
        soon(page, 200, lambda page=page: visitor.get(page))
    assert own_text(soon("edit", 200, lambda: writer.get(f"{path}/edit")).text) == text
    other = text[: len(text) // 2] + "\nchanged\n" + text[len(text) // 2 :]
    soon("second save", 303, lambda: submit(f"{path}/edit", body=other, version="1"))
    mine = text + "\nand mine"
    met = soon("merge page", 409, lambda: submit(f"{path}/edit", body=mine, version="1"))
    assert own_text(met.text) == mine
    merge = {"body": mine, "version": "2", "base_version": "1", "action": "merge"}
    soon("merge", 200, lambda: submit(f"{path}/edit", **merge))
    for page in (f"{path}/revisions", f"{path}/revisions/1", f"{path}/revisions/1..2"):
        soon(page, 200, lambda page=page: writer.get(page))
    soon("restore", 303, lambda: submit(f"{path}/revisions/1/restore"))
    headers = {"X-CSRF-Token": token}
    soon("preview beside", 200, lambda: writer.post("/account/preview", json={"body": text}, headers=headers))
    assert {what: seconds for what, seconds in took.items() if seconds > SECONDS} == {}


# Moments of the clock's change in Berlin: 2027-03-28 02:00 becomes 03:00, and 2027-10-31 03:00 becomes 02:00.


@pytest.fixture
def in_berlin(site: Site) -> Client:
    fields = {"name": "Byline", "tagline": "", "language": "en", "time_zone": "Europe/Berlin"}
    assert site.client("olive").submit("/admin/settings", **fields).status_code in (200, 303)
    return site.client("alan")


@pytest.mark.parametrize("minute", ["2027-03-28T02:00", "2027-03-28T02:30", "2027-03-28T02:59"])
def test_a_minute_that_does_not_exist_is_refused_with_the_text(site: Site, in_berlin: Client, minute: str) -> None:
    fields = {"title": "Spring", "body": "What I wrote.", "status": "published"}
    refused = in_berlin.submit("/new", publish_at=minute, **fields)
    assert refused.status_code == 422
    assert "This minute does not exist there" in refused.text
    assert own_text(refused.text) == "What I wrote."
    assert minute in refused.text
    assert site.rows("posts") == 0
    for real, utc in (("2027-03-28T01:59", "2027-03-28T00:59:00Z"), ("2027-03-28T03:00", "2027-03-28T01:00:00Z")):
        assert in_berlin.submit("/new", publish_at=real, **fields).status_code == 303
        assert moments(site)[-1] == utc


@pytest.mark.parametrize("minute", ["2027-10-31T02:00", "2027-10-31T02:30", "2027-10-31T02:59"])
def test_a_minute_that_comes_twice_is_the_first_and_stays_it(site: Site, in_berlin: Client, minute: str) -> None:
    fields = {"title": "Autumn", "body": "Words.", "status": "published", "publish_at": minute}
    assert in_berlin.submit("/new", **fields).status_code == 303
    first = f"2027-10-31T00:{minute[-2:]}:00Z"
    assert moments(site) == [first]
    page = in_berlin.get("/posts/autumn/edit").text
    assert f'value="{minute}"' in page
    assert in_berlin.submit("/posts/autumn/edit", version="1", **fields | {"title": "Winter"}).status_code == 303
    assert moments(site) == [first]
    # The other one can be chosen where the offset is said, and the form then leaves it alone.
    token = site.client(token=site.token("alan"))
    post_id = token.get("/v1/posts").json["items"][0]["id"]
    second = f"{minute}:00+01:00"
    assert token.patch(f"/v1/posts/{post_id}", json={"publish_at": second}).status_code == 200
    assert moments(site) == [f"2027-10-31T01:{minute[-2:]}:00Z"]
    assert in_berlin.submit("/posts/autumn/edit", version="3", **fields | {"title": "Again"}).status_code == 303
    assert moments(site) == [f"2027-10-31T01:{minute[-2:]}:00Z"]


@pytest.mark.parametrize(
    "minute",
    ["2027-02-29T10:00", "2027-13-01T10:00", "2027-01-01T24:01", "tomorrow", "0000-01-01T00:00", "9999-12-31T23:59",
     "0001-01-01T00:00", "2027-01-01T10:00+01:00", "99999-01-01T00:00", "\u0662\u0660\u0662\u0667-01-01T10:00",
     "2027-01-01T10:00\x00", "1" * 5000],
)  # fmt: skip
def test_a_moment_that_is_none_is_refused_beside_its_field(site: Site, in_berlin: Client, minute: str) -> None:
    answer = in_berlin.submit("/new", title="When", body="What I wrote.", status="published", publish_at=minute)
    assert answer.status_code == 422
    assert 'id="field-publish_at-error"' in answer.text
    assert own_text(answer.text) == "What I wrote."
    assert site.rows("posts") == 0


# What is gone meanwhile


@pytest.mark.parametrize("action", ["save", "merge", "preview"])
def test_a_post_that_was_deleted_meanwhile_leaves_the_text_on_the_page(site: Site, alan: Client, action: str) -> None:
    post = site.post(body="Begun.", slug="going")
    page = "/posts/going/edit"
    token = alan.form_token(page)
    assert site.client("edith").submit("/posts/going/delete", version="1").status_code == 303
    text = '\nWhat I "wrote" & <b>\n' * 500
    fields = {"csrf_token": token, "title": post.title, "body": text, "version": "1", "base_version": "1"}
    answer = alan.post(page, data=fields | {"action": action}, content_type="multipart/form-data")
    assert answer.status_code == 410
    kept = re.search(r'<textarea readonly[^>]*aria-label="What you wrote">\n(.*?)</textarea>', answer.text, re.DOTALL)
    assert kept is not None
    assert html.unescape(kept[1]).replace("\r\n", "\n") == text
    assert site.rows("revisions") == 1


def test_signing_in_over_a_post_that_is_gone_keeps_the_text(site: Site, alan: Client) -> None:
    site.post(body="Begun.", slug="going")
    token = alan.form_token("/posts/going/edit")
    with site.database.transaction() as db:
        db.exec_driver_sql("DELETE FROM sessions")
    sent = {"csrf_token": token, "title": "T", "body": "What I wrote.", "version": "1"}
    page = alan.post("/posts/going/edit", data=sent, content_type="multipart/form-data")
    assert page.status_code == 401
    with site.database.transaction() as db:
        db.exec_driver_sql("UPDATE posts SET deleted_at = ?", (clock.now(),))
    hidden = dict(re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', page.text))
    assert hidden["kept.body"] == "What I wrote."
    hidden |= {"csrf_token": find_form_token(page.text), "username": "alan", "password": PASSWORD}
    answer = alan.post("/login", data=hidden, content_type="multipart/form-data")
    assert answer.status_code == 410
    assert "What I wrote." in answer.text


def test_a_revision_whose_picture_is_gone_comes_back_with_its_words(site: Site, alan: Client, tmp_path: Path) -> None:
    files = site.app.extensions["media_files"]
    with (tmp_path / "a.png").open("w+b") as sent:
        sent.write(picture("PNG"))
        sent.seek(0)
        media, _is_new = store(site.database, files, sent, name="a.png", alt="Corners", by=site.principal("alan"))
    body = f'Before.\n\n![Seen]({media.path} "A caption")\n\nAfter.'
    assert alan.submit("/new", title="Pictured", body=body, status="published").status_code == 303
    assert alan.submit("/posts/pictured/edit", title="Pictured", body="Without.", version="1").status_code == 303
    assert alan.submit(f"/account/media/{media.id}/delete", page="/account/media").status_code == 303
    sweep(site.database, {"digests": [media.digest]}, files=files)
    assert site.client().get(media.path).status_code == 404
    for path in ("/posts/pictured/revisions/1", "/posts/pictured/revisions/1..2"):
        assert alan.get(path).status_code == 200
    restored = alan.submit("/posts/pictured/revisions/1/restore", page="/posts/pictured/revisions/1")
    assert restored.status_code == 303
    page = site.client().get("/posts/pictured")
    assert page.status_code == 200
    for words in ("Before.", "After.", 'alt="Seen"', "A caption"):
        assert words in page.text
    assert own_text(alan.get("/posts/pictured/edit").text) == body


def moments(site: Site) -> list[str]:
    """When posts come out, in the order of their making."""
    with site.database.reading() as db:
        found = db.exec_driver_sql("SELECT publish_at FROM posts ORDER BY created_at, id").scalars()
        return [clock.to_rfc3339(at) for at in found]
