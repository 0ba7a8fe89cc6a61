"""The page of one's pictures, without scripts: upload, describe, see where each stands, delete."""

import io
import re
from pathlib import Path
from typing import Any

from werkzeug.test import TestResponse

from blog.media.lookup import pictures_in
from blog.media.variants import SWEEP, make_variants, sweep
from storage import sqlite, upgrading
from tests.blog.media.pictures import DISGUISES, picture
from tests.blog.media.test_storing import files_of, kept, take_in
from tests.support import Client, Site, find_form_token

PAGE = "/account/media"


def upload(client: Client, *files: tuple[bytes, str], **fields: str) -> TestResponse:
    sent: dict[str, Any] = {"csrf_token": client.form_token(PAGE), **fields}
    sent["file"] = [(io.BytesIO(file), name) for file, name in files]
    return client.post(PAGE, data=sent, content_type="multipart/form-data")


def rows(site: Site) -> list[Any]:
    with site.database.reading() as db:
        return list(db.exec_driver_sql("SELECT * FROM media ORDER BY created_at, id"))


def test_several_pictures_are_taken_in_at_once(site: Site) -> None:
    alan = site.client("alan")
    answer = upload(alan, (picture(), "one.jpg"), (picture("PNG"), "two.png"))
    assert (answer.status_code, answer.headers["Location"]) == (303, f"{PAGE}?uploaded=1")
    page = alan.get(f"{PAGE}?uploaded=1")
    assert "Uploaded." in page.text
    assert page.text.count("Needs a description") == 2
    assert "one.jpg" in page.text
    assert page.text.count('width="60" height="40"') == 2


def test_what_cannot_be_taken_is_named_and_the_rest_is_there(site: Site) -> None:
    alan = site.client("alan")
    answer = upload(alan, (picture(), "good.jpg"), (DISGUISES["SVG"](), "bad.svg"), (b"", "empty.png"))
    assert answer.status_code == 422
    assert "bad.svg: This is not a picture" in answer.text
    assert "empty.png: Choose a picture" in answer.text
    assert [row.label for row in rows(site)] == ["good.jpg"]
    nothing = upload(alan)
    assert nothing.status_code == 422
    assert "Choose a picture" in nothing.text


def test_one_picture_brings_its_description_or_is_decorative(site: Site) -> None:
    alan = site.client("alan")
    upload(alan, (picture(), "one.jpg"), alt="Two cats")
    upload(alan, (picture("PNG"), "two.png"), decorative="y")
    assert [(row.alt, bool(row.is_decorative)) for row in rows(site)] == [("Two cats", False), ("", True)]
    assert "Needs a description" not in alan.get(PAGE).text
    refused = upload(alan, (picture("GIF"), "three.gif"), alt="x" * 1001)
    assert refused.status_code == 422
    assert "x" * 1001 in refused.text


def test_a_form_token_that_is_stale_says_that_pictures_have_to_be_chosen_again(site: Site) -> None:
    alan = site.client("alan")
    data = {"csrf_token": "stale", "alt": "Two cats", "file": (io.BytesIO(picture()), "a.jpg")}
    answer = alan.post(PAGE, data=data, content_type="multipart/form-data")
    assert answer.status_code == 403
    assert "Choose the pictures once more" in answer.text
    assert "Two cats" in answer.text
    assert rows(site) == []


def test_a_description_is_changed_and_recorded(site: Site) -> None:
    alan = site.client("alan")
    take_in(site, picture())
    (row,) = rows(site)
    assert alan.submit(f"{PAGE}/{row.id}", page=PAGE, alt=" Two\ncats ").status_code == 303
    assert alan.submit(f"{PAGE}/{row.id}", page=PAGE, alt="Two cats").status_code == 303
    assert rows(site)[0].alt == "Two cats"
    with site.database.reading() as db:
        kinds = db.exec_driver_sql("SELECT kind FROM events WHERE subject = ?", (f"media:{row.id}",)).scalars().all()
    assert kinds == ["media.uploaded", "media.described"]
    assert alan.submit(f"{PAGE}/{row.id}", page=PAGE, alt="", decorative="y").status_code == 303
    assert rows(site)[0].is_decorative
    both = alan.submit(f"{PAGE}/{row.id}", page=PAGE, alt="Cats & dogs", decorative="y")
    assert both.status_code == 422
    assert 'value="Cats &amp; dogs"' in both.text
    assert "take the mark away" in both.text


def test_nobody_else_touches_it(site: Site) -> None:
    take_in(site, picture())
    (row,) = rows(site)
    for name, status in (("ada", 404), ("edith", 404), ("rita", 403)):
        client = site.client(name)
        token = site.app.extensions["keys"]
        assert token is not None
        page = "/account/password"
        for path in (f"{PAGE}/{row.id}", f"{PAGE}/{row.id}/delete"):
            assert client.submit(path, page=page, alt="Mine").status_code == status, (name, path)
    assert site.client(token=site.token("alan")).get(PAGE).status_code == 403
    assert site.client().get(PAGE).status_code == 303
    assert rows(site)[0].alt == ""
    for media_id in ("nothing", row.id.upper(), "00000000-0000-0000-0000-000000000000"):
        assert site.client("alan").submit(f"{PAGE}/{media_id}", page=PAGE, alt="x").status_code == 404


def test_what_was_typed_survives_a_sign_in_that_expired(site: Site) -> None:
    take_in(site, picture())
    (row,) = rows(site)
    answer = site.client().post(f"{PAGE}/{row.id}", data={"alt": "Two cats"})
    assert answer.status_code == 401
    assert "Two cats" in answer.text
    assert f'value="{PAGE}/{row.id}"' in answer.text


def test_where_each_stands_is_said_and_keeps_it_from_being_deleted(site: Site) -> None:
    take_in(site, picture())
    (row,) = rows(site)
    alan = site.client("alan")
    post = site.post("alan", title="About <cats>", body=f"![Two cats](/media/{row.digest})")
    site.post("ada", title="Somebody else's", body=f"![Two cats](/media/{row.digest})")
    page = alan.get(PAGE).text
    assert "About &lt;cats&gt;" in page
    assert "Somebody else" not in page
    assert "/delete" not in page
    refused = alan.submit(f"{PAGE}/{row.id}/delete", page=PAGE)
    assert refused.status_code == 409
    assert f"/posts/{post.slug}" in refused.text
    assert "a post of somebody else&#39;s" in refused.text
    assert len(rows(site)) == 1


def test_what_stands_nowhere_is_deleted_with_its_files(site: Site) -> None:
    take_in(site, picture("PNG", (700, 500)))
    (row,) = rows(site)
    make_variants(site.database, {"digest": row.digest}, files=files_of(site))
    alan = site.client("alan")
    assert alan.submit(f"{PAGE}/{row.id}/delete", page=PAGE).status_code == 303
    assert site.client().get(f"/media/{row.digest}").status_code == 404
    assert site.client().get(f"/media/{row.digest}/640.webp").status_code == 404
    assert (rows(site), site.rows("media_variants")) == ([], 0)
    with site.database.reading() as db:
        (payload,) = db.exec_driver_sql(
            "SELECT payload FROM jobs WHERE kind = ? AND payload <> '{}'", (SWEEP,)
        ).scalars()
    digests = re.findall("[0-9a-f]{64}", payload)
    assert sorted(digests) == kept(site)
    for _twice in range(2):
        assert sweep(site.database, {"digests": digests}, files=files_of(site)) is None
    assert kept(site) == []
    assert alan.submit(f"{PAGE}/{row.id}/delete", page=PAGE).status_code == 404


def test_a_file_that_somebody_else_has_too_stays(site: Site) -> None:
    take_in(site, picture())
    take_in(site, picture(), "ada")
    alans, adas = rows(site)
    site.post("ada", title="Hers", body=f"![](/media/{adas.digest})")
    assert site.client("alan").submit(f"{PAGE}/{alans.id}/delete", page=PAGE).status_code == 303
    assert sweep(site.database, {"digests": [adas.digest]}, files=files_of(site)) is None
    assert site.client().get(f"/media/{adas.digest}").status_code == 200


def test_the_page_costs_the_same_with_many_pictures(site: Site) -> None:
    alan = site.client("alan")
    counts = []
    for number in range(30):
        take_in(site, picture("PNG", (20 + number, 20)))
        if number in (1, 29):
            with site.counted_statements() as seen:
                page = alan.get(PAGE)
            counts.append(len(seen))
    assert counts[0] == counts[1]
    older = re.search(r'href="(/account/media\?before=[^"]+)"', page.text)
    assert older is not None
    assert page.text.count("<li id=") == 24
    assert alan.get(older[1]).text.count("<li id=") == 6
    assert alan.get(f"{PAGE}?before=x").status_code == 404
    assert find_form_token(page.text)


# For whoever renders


def test_the_pictures_of_a_text_are_found_in_one_statement(site: Site) -> None:
    take_in(site, picture("PNG", (1400, 700)))
    take_in(site, picture("JPEG", (60, 40)))
    large, small = rows(site)
    make_variants(site.database, {"digest": large.digest}, files=files_of(site))
    site.client("alan").submit(f"{PAGE}/{large.id}", page=PAGE, alt="A wide view")
    text = (
        f"![](/media/{large.digest}) ![](http://localhost:8000/media/{small.digest}) ![](/media/{'0' * 64}) "
        f"/media/{large.digest}/640.webp /media/{small.digest}0"
    )
    with site.counted_statements() as seen, site.database.reading() as db:
        found = pictures_in(db, text, author_id=large.user_id)
        assert pictures_in(db, "nothing", author_id=large.user_id) == {}
    assert len(seen) == 1
    path = f"/media/{large.digest}"
    assert sorted(found) == sorted([path, f"/media/{small.digest}"])
    assert (found[path].width, found[path].height, found[path].alt) == (1400, 700, "A wide view")
    assert found[path].srcset == f"{path}/640.webp 640w, {path}/1280.webp 1280w, {path} 1400w"
    assert found[f"/media/{small.digest}"].srcset == ""


def uses(site: Site, *, is_current: bool = True) -> list[tuple[str, str]]:
    with site.database.reading() as db:
        rows = db.exec_driver_sql(
            f"SELECT slug, digest FROM media_uses JOIN posts ON posts.id = post_id"
            f" WHERE is_current = {is_current} ORDER BY 1, 2"
        )
        return [(slug, digest[:2]) for slug, digest in rows]


def test_where_pictures_stand_is_kept_with_every_change(site: Site) -> None:
    a, b = "aa" * 32, "bb" * 32
    post = site.post("alan", title="One", body=f"![](/media/{a}) ![](/media/{a}) <img src=/media/{b}>")
    site.post("alan", title="Two", body="No picture.")
    assert uses(site) == [("one", "aa"), ("one", "bb")]
    alan = site.client("alan")
    fields = {"title": "One", "version": "1", "status": "published"}
    assert alan.submit("/posts/one/edit", body=f"![](/media/{b}/640.webp)", **fields).status_code == 303
    assert uses(site) == [("one", "bb")]
    assert uses(site, is_current=False) == [("one", "aa")]
    # A title is no reason to read the text; and one that goes back to its words goes back to their pictures.
    with site.counted_statements() as statements:
        changed = alan.submit(
            "/posts/one/edit", **fields | {"title": "1", "version": "2"}, body=f"![](/media/{b}/640.webp)"
        )
    assert changed.status_code == 303
    assert [statement for statement in statements if "media_uses" in statement] == []
    assert alan.submit("/posts/one/revisions/1/restore", page="/posts/one/revisions").status_code == 303
    assert uses(site) == [("one", "aa"), ("one", "bb")]
    assert alan.submit("/posts/one/delete", version="4").status_code == 303
    assert alan.submit(f"/account/bin/{post.id}/restore", page="/account/bin").status_code == 303
    assert uses(site) == [("one", "aa"), ("one", "bb")]


def test_the_page_reads_no_text_to_say_where_each_stands(site: Site) -> None:
    take_in(site, picture())
    (row,) = rows(site)
    site.post("alan", title="Here", body=f"![](/media/{row.digest})")
    alan = site.client("alan")
    with site.counted_statements() as statements:
        assert "Here" in alan.get(PAGE).text
        assert alan.submit(f"{PAGE}/{row.id}/delete", page=PAGE).status_code == 409
    assert [statement for statement in statements if "body" in statement] == []


def test_a_migration_finds_the_pictures_of_the_posts_that_are_there(tmp_path: Path) -> None:
    a, c = (f"![](/media/{pair * 32})" for pair in ("ab", "cd"))
    path = tmp_path / "byline.db"
    upgrading._migrate(path, to="0007")
    with sqlite.opened(path, mode="rw") as db:
        db.execute(
            "INSERT INTO users (id, username, display_name, role, created_at) VALUES (1, 'alan', '', 'author', 0)"
        )
        # Each post with all that it ever said, the present text last.
        for slug, bodies in {"one": [a + a], "two": ["/media/none"], "three": [c + a, a]}.items():
            db.execute(_POST_OF_0007, (slug, slug, bodies[-1], len(bodies)))
            for number, body in enumerate(bodies, start=1):
                db.execute(_REVISION_OF_0007, (slug, number, slug, body))
    upgrading.upgrade(path)
    with sqlite.opened(path, mode="ro") as db:
        found = db.execute("SELECT post_id, substr(digest, 1, 2), is_current FROM media_uses ORDER BY 1, 2").fetchall()
        stale = db.execute("SELECT slug FROM posts WHERE renderer_version = 0 ORDER BY slug").fetchall()
    assert found == [("one", "ab", 1), ("three", "ab", 1), ("three", "cd", 0)]
    assert stale == [("one",), ("three",)]


_POST_OF_0007 = """
INSERT INTO posts (id, slug, author_id, title, body, html, renderer_version, excerpt, summary, tags, status, visibility,
                   published_at, version, created_at, updated_at)
VALUES (?, ?, 1, '', ?, '', 1, '', '', '', 'published', 'public', 0, ?, 0, 0)
"""
_REVISION_OF_0007 = """
INSERT INTO revisions (post_id, number, user_id, made_at, slug, title, body, excerpt, tags, status, visibility)
VALUES (?, ?, 1, 0, ?, '', ?, '', '', 'published', 'public')
"""
