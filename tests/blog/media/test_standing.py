"""Where pictures stand: what keeps one from being deleted, what is told, and that the page says both beforehand."""

import html
import re
from typing import Any

from storage import clock
from tests.blog.media.pictures import picture
from tests.blog.media.test_library import PAGE, rows
from tests.blog.media.test_storing import take_in
from tests.support import Client, Site

KEYS = ("title", "slug", "body", "excerpt", "tags", "status", "publish_at", "publish_offset", "visibility", "kind")


def own_picture(site: Site, name: str) -> Any:
    take_in(site, picture(), name)
    (row,) = [row for row in rows(site) if row.user_id == site.principal(name).user_id]
    return row


def library(client: Client) -> str:
    return " ".join(html.unescape(client.get(PAGE).text).split())


def delete(client: Client, media_id: str) -> tuple[int, str]:
    answer = client.submit(f"{PAGE}/{media_id}/delete", page=PAGE)
    return answer.status_code, " ".join(html.unescape(answer.text).split())


def keep_unsaved(client: Client, body: str, key: str = "new-abc") -> None:
    token = client.form_token(PAGE)
    fields = dict.fromkeys(KEYS, "") | {"title": "Begun", "body": body, "submission": "abc", "version": ""}
    answer = client.put(f"/account/working-copies/{key}", json=fields, headers={"X-CSRF-Token": token})
    assert answer.status_code == 204, answer.text


def test_a_draft_of_somebody_elses_keeps_nobody_from_deleting(site: Site) -> None:
    row = own_picture(site, "ada")
    site.post("alan", body=f"![](/media/{row.digest})", status="draft")
    ada = site.client("ada")
    assert "It stands in no post of yours." in library(ada)
    assert delete(ada, row.id)[0] == 303
    assert rows(site) == []


def test_what_somebody_else_has_published_is_told_beforehand_and_keeps_the_picture(site: Site) -> None:
    row = own_picture(site, "ada")
    later = clock.now() + clock.DAY
    site.post("alan", title="Theirs to come", body=f"![](/media/{row.digest})", publish_at=later)
    ada = site.client("ada")
    page = library(ada)
    assert "It stands in a post of somebody else's" in page
    assert "Theirs to come" not in page
    assert f"/{row.id}/delete" not in page
    status, text = delete(ada, row.id)
    assert status == 409
    assert "It stands in a post of somebody else's" in text
    # Deleted there, or with a file of their own, they need it no more.
    alan = site.client("alan")
    assert alan.submit("/posts/theirs-to-come/delete", version="1").status_code == 303
    assert f"/{row.id}/delete" in library(ada)
    site.post("alan", title="Out", body=f"![](/media/{row.digest})")
    assert "somebody else's" in library(ada)
    take_in(site, picture(), "alan")
    assert "somebody else's" not in library(ada)
    assert delete(ada, row.id)[0] == 303


def test_an_editor_is_told_of_others_drafts_and_deletes_all_the_same(site: Site) -> None:
    row = own_picture(site, "edith")
    site.post("alan", title="Alan's draft", body=f"![](/media/{row.digest})", status="draft")
    edith = site.client("edith")
    page = library(edith)
    assert "Alan's draft" in page
    assert f"/{row.id}/delete" in page
    assert delete(edith, row.id)[0] == 303


def test_a_text_of_ones_own_that_is_not_saved_keeps_its_picture(site: Site) -> None:
    row = own_picture(site, "ada")
    ada, alan = site.client("ada"), site.client("alan")
    keep_unsaved(alan, f"![](/media/{row.digest})")
    assert f"/{row.id}/delete" in library(ada)
    keep_unsaved(ada, f"Look:\n![](/media/{row.digest})")
    page = library(ada)
    assert 'It stands in <a href="/account/working-copies">an unsaved text of yours</a>' in page
    assert f"/{row.id}/delete" not in page
    status, text = delete(ada, row.id)
    assert status == 409
    assert "It stands in an unsaved text of yours (/account/working-copies). Take it out there first." in text
    # One that is too old to be found keeps nothing.
    with site.database.transaction() as db:
        db.exec_driver_sql("UPDATE working_copies SET saved_at = saved_at - ?", (31 * clock.DAY,))
    assert delete(ada, row.id)[0] == 303


def test_an_earlier_revision_is_told_before_its_picture_is_deleted(site: Site) -> None:
    row = own_picture(site, "ada")
    site.post("ada", title="About <cats>", body=f"![](/media/{row.digest})")
    other = site.post("alan", title="Alan's", body=f"![](/media/{row.digest})")
    ada, alan = site.client("ada"), site.client("alan")
    for client, slug, title in ((ada, "about-cats", "About <cats>"), (alan, other.slug, "Alan's")):
        fields = {"title": title, "version": "1", "status": "published", "body": "None."}
        assert client.submit(f"/posts/{slug}/edit", **fields).status_code == 303
    page = library(ada)
    assert '<a href="/posts/about-cats/revisions">' in page
    told = "An earlier revision of “About <cats>” shows it; restoring it will show a gap."
    assert told in re.sub("</?(?:a|bdi)(?: [^>]*)?>", "", page)
    assert "Alan's" not in page
    assert ada.submit("/posts/about-cats/revisions/1/restore", page="/posts/about-cats/revisions").status_code == 303
    page = library(ada)
    assert "An earlier revision" not in page
    assert delete(ada, row.id)[0] == 409
    fields = {"title": "About <cats>", "version": "3", "status": "published", "body": "None."}
    assert ada.submit("/posts/about-cats/edit", **fields).status_code == 303
    status, _text = delete(ada, row.id)
    assert status == 303
    assert rows(site) == []


def test_a_picture_that_stands_in_many_posts_hides_no_other_ones(site: Site) -> None:
    takes = [picture("PNG", (20 + n, 20)) for n in range(2)]
    for file in takes:
        take_in(site, file, "ada")
    first, second = sorted(rows(site), key=lambda row: row.digest)
    site.post("ada", title="The only one", body=f"![](/media/{second.digest})")
    with site.database.transaction() as db:
        for n in range(101):
            db.exec_driver_sql(
                "INSERT INTO posts SELECT ?, ?, author_id, title, body, html, renderer_version, excerpt, summary, tags,"
                " status, visibility, publish_at, published_at, version, created_at, updated_at, deleted_at, kind, lang,"
                " is_hidden"
                " FROM posts WHERE slug = 'the-only-one'",
                (f"00000000-0000-7000-8000-{n:012}", f"copy-{n}"),
            )
            db.exec_driver_sql(
                "INSERT INTO media_uses (post_id, digest) VALUES (?, ?)",
                (f"00000000-0000-7000-8000-{n:012}", first.digest),
            )
    ada = site.client("ada")
    page = library(ada)
    assert 'href="/posts/the-only-one"' in page
    assert "/delete" not in page
    assert delete(ada, second.id)[0] == 409
