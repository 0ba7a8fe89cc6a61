"""Folders that somebody else has filled: what is taken in, what is refused, and that nothing else is read."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from blog.posts.queries.finding import find_by_former_slug, find_post
from blog.series.arranging import add_part, create_series, move_part
from blog.series.queries import list_parts
from blog.transfer import folder as folders
from blog.transfer.fields import read_fields
from blog.transfer.folder import Folder
from blog.transfer.front_matter import FrontMatterFault, parse
from storage import clock
from tests.blog.media.pictures import picture, png_bomb
from tests.blog.transfer.folders import add_picture, contents, export, take_in, write_file
from tests.support import Site
from web.errors import Conflict, NotFound

ID = "11111111-2222-4333-8444-555555555555"


def test_dates_author_and_former_addresses_are_kept_and_the_log_knows(site: Site, tmp_path: Path) -> None:
    write_file(
        tmp_path / "in",
        "hello.md",
        f"""---
id: {ID}
title: "Hello"
slug: "hello"
status: "published"
visibility: "members"
tags: ["One", "two"]
excerpt: "Short."
published_at: 2020-02-03T04:05:06.000007Z
created_at: 2020-01-01T00:00:00Z
updated_at: 2021-01-01T00:00:00Z
author: "Ada"
former_slugs: ["hallo", "hi"]
---

# Words
""",
    )
    imported = take_in(site, tmp_path / "in")
    assert (imported.made_count, imported.faults, imported.notes) == (1, [], [])
    with site.database.reading() as db:
        post = find_post(db, post_id=ID)
        assert post == find_by_former_slug(db, "hallo") == find_by_former_slug(db, "hi")
        events = db.exec_driver_sql("SELECT kind, actor FROM events WHERE subject = ?", (f"post:{ID}",)).fetchall()
        origins = db.exec_driver_sql("SELECT number, origin, user_id FROM revisions").fetchall()
    assert post is not None
    assert (post.author_username, post.tags, post.excerpt) == ("ada", ["one", "two"], "Short.")
    assert clock.to_rfc3339(post.published_at or 0) == "2020-02-03T04:05:06.000007Z"
    assert clock.to_rfc3339(post.created_at) == "2020-01-01T00:00:00Z"
    assert clock.to_rfc3339(post.updated_at) == "2021-01-01T00:00:00Z"
    assert [tuple(row) for row in events] == [("post.created", "(command line)"), ("post.published", "(command line)")]
    assert [tuple(row) for row in origins] == [(1, "import", post.author_id)]
    assert site.client("rita").get("/posts/hi").headers["Location"].endswith("/posts/hello")


def test_the_same_changes_nothing_and_another_text_is_a_revision(site: Site, tmp_path: Path) -> None:
    made = site.post(title="Mine", body="One")
    export(site, tmp_path / "out")
    assert take_in(site, tmp_path / "out").same_count == 1
    file = tmp_path / "out" / "mine.md"
    file.write_text(file.read_text().replace("One", "Two"))
    imported = take_in(site, tmp_path / "out")
    assert (imported.changed_count, imported.made_count, imported.faults) == (1, 0, [])
    assert take_in(site, tmp_path / "out").same_count == 1
    with site.database.reading() as db:
        post = find_post(db, post_id=made.id)
        origins = db.exec_driver_sql("SELECT number, origin FROM revisions ORDER BY number").fetchall()
        kinds = db.exec_driver_sql("SELECT kind FROM events WHERE subject = ?", (f"post:{made.id}",)).scalars().all()
    assert post is not None
    assert (post.body, post.version, post.published_at) == ("Two", 2, made.published_at)
    assert [tuple(row) for row in origins] == [(1, "form"), (2, "import")]
    assert list(kinds) == ["post.created", "post.published", "post.edited"]


def test_a_bad_file_is_named_and_the_others_are_imported(site: Site, tmp_path: Path) -> None:
    site.post(title="There already")
    gone = site.post(title="Gone")
    site.client("alan").submit("/posts/gone/delete", version="1")
    bad: dict[str, tuple[str | bytes, str]] = {
        "a/latin.md": (b"---\ntitle: a\n---\n\nGr\xfc\xdfe", "not UTF-8 (byte 21)"),
        "cut.md": ("---\ntitle: a\n", "three dashes"),
        "toml.md": ("+++\ntitle = 'a'\n+++\n", "TOML"),
        "yaml.md": ("---\ntitle: [a\n---\n", "not YAML"),
        "long.md": ("---\ntitle: a\nauthor: ada\n---\n" + "x" * (1024 * 1024 + 1), "1 MiB"),
        "huge.md": ("---\ntitle: a\n---\n" + "x" * (8 * 1024 * 1024), "too large"),
        "control.md": ("---\ntitle: a\nauthor: ada\n---\nx\x00y", "U+0000"),
        "date.md": ("---\ntitle: a\ndate: yesterday\nauthor: ada\n---\n", "must be a time"),
        "year.md": ("---\ntitle: a\ndate: 0001-01-01\nauthor: ada\n---\n", "must be a time"),
        "title.md": (f"---\ntitle: {'x' * 301}\nauthor: ada\n---\n", "300 characters"),
        "list.md": ("---\ntitle: [a]\nauthor: ada\n---\n", "must be words"),
        "tags.md": ("---\ntitle: a\ntags: [a/b]\nauthor: ada\n---\n", "Tags are words"),
        "state.md": ("---\ntitle: a\nstatus: odd\nauthor: ada\n---\n", "draft or published"),
        "slug.md": ("---\ntitle: a\nslug: ../../etc/passwd\nauthor: ada\n---\n", "small letters"),
        "page.md": ("---\ntitle: a\nslug: admin\nkind: page\nauthor: ada\n---\n", "site itself"),
        "former.md": ("---\ntitle: a\nformer_slugs: [A/B]\nauthor: ada\n---\n", "cannot be an address"),
        "taken.md": ("---\ntitle: a\nslug: there-already\nauthor: ada\n---\n", "Another post has"),
        "gone.md": (f"---\nid: {gone.id}\ntitle: a\nauthor: ada\n---\n", "was deleted"),
        "nobody.md": ("---\ntitle: a\n---\n", "--author NAME"),
        "unknown.md": ("---\ntitle: a\nauthor: Zoe\n---\n", "'zoe' is nobody here"),
        "zz-twice.md": (f"---\nid: {ID}\ntitle: a\nauthor: ada\n---\n", "the same post as good.md"),
    }
    for name, (content, _fault) in bad.items():
        write_file(tmp_path / "in", name, content)
    write_file(tmp_path / "in", "good.md", f"---\nid: {ID}\ntitle: Good\nauthor: ada\n---\n")
    before = site.rows("posts")
    imported = take_in(site, tmp_path / "in")
    found = dict(imported.faults)
    assert {name: fault for name, (_content, fault) in bad.items() if fault not in found[name]} == {}
    assert len(imported.faults) == len(bad)
    assert imported.made_count == 1
    assert site.rows("posts") == site.rows("revisions") == before + 1


def test_whose_posts_are_that_name_nobody(site: Site, tmp_path: Path) -> None:
    write_file(tmp_path / "in", "a.md", "---\ntitle: a\n---\n")
    write_file(tmp_path / "in", "b.md", "---\ntitle: b\nauthor: Zoe Somebody\n---\n")
    write_file(tmp_path / "in", "c.md", "---\ntitle: c\nauthors: [alan, zoe]\n---\n")
    with pytest.raises(NotFound):
        take_in(site, tmp_path / "in", author="zoe")
    assert take_in(site, tmp_path / "in", author="Edith").made_count == 3
    with site.database.reading() as db:
        authors = {slug: post.author_username for slug in "abc" if (post := find_post(db, slug=slug))}
    assert authors == {"a": "edith", "b": "edith", "c": "alan"}


def test_pictures_come_along_cleaned_and_described(site: Site, tmp_path: Path) -> None:
    write_file(
        tmp_path / "in", "posts/trip/index.md", "---\ntitle: T\nauthor: ada\n---\n![](a%20b.jpg) ![](/img/c.png)\n"
    )
    write_file(tmp_path / "in", "posts/trip/a b.jpg", picture("JPEG", comment=b"Secretphone"))
    write_file(tmp_path / "in", "img/c.png", picture("PNG"))
    imported = take_in(site, tmp_path / "in")
    assert (imported.faults, imported.notes, imported.picture_count) == ([], [], 2)
    with site.database.reading() as db:
        post = find_post(db, slug="trip")
        owners = db.exec_driver_sql("SELECT DISTINCT user_id, label FROM media ORDER BY label").fetchall()
    assert post is not None
    assert post.body.count("/media/") == 2
    assert 'width="60" height="40"' in post.html
    assert [tuple(row) for row in owners] == [(post.author_id, "a b.jpg"), (post.author_id, "c.png")]
    served = site.client().get(post.body[4:75])
    assert served.status_code == 200
    assert b"Secretphone" not in served.data
    export(site, tmp_path / "out")
    assert len(list((tmp_path / "out" / "media").glob("*.*"))) == 3


def test_nothing_outside_the_folder_is_read(site: Site, tmp_path: Path) -> None:
    write_file(tmp_path, "secret.png", picture("PNG"))
    write_file(tmp_path, "secrets/in.png", picture("PNG"))
    write_file(tmp_path, "secret.md", "---\ntitle: secret\nauthor: ada\n---\n")
    write_file(tmp_path / "in", "fine.gif", picture("GIF"))
    targets = (
        "../secret.png", "a/../../secret.png", "%2e%2e/secret.png", "../../../../../etc/passwd.png", "link.png",
        "folder/in.png", "pipe.png", "gone.png", "bomb.png", "page.svg", f"/media/{'0' * 64}",
    )  # fmt: skip
    text = "\n".join(f"![]({target})" for target in (*targets, "fine.gif", "../../etc/passwd", "/gone.png"))
    text += f"\n![]({tmp_path}/secret.png) ![](file://{tmp_path}/secret.png) ![](x\0.png)".replace("\0", "%00")
    write_file(tmp_path / "in", "post.md", f"---\ntitle: a\nauthor: ada\n---\n{text}")
    (tmp_path / "in" / "link.png").symlink_to(tmp_path / "secret.png")
    (tmp_path / "in" / "link.md").symlink_to(tmp_path / "secret.md")
    (tmp_path / "in" / "folder").symlink_to(tmp_path / "secrets")
    os.mkfifo(tmp_path / "in" / "pipe.png")
    os.mkfifo(tmp_path / "in" / "pipe.md")
    write_file(tmp_path / "in", "bomb.png", png_bomb(20_000, 20_000))
    write_file(tmp_path / "in", "page.svg", "<svg xmlns='http://www.w3.org/2000/svg'/>")
    imported = take_in(site, tmp_path / "in")
    assert imported.made_count == 1
    faults = dict(imported.faults)
    assert set(faults) == {"link.md", "folder", "pipe.md"}
    assert all("ink" in faults[name] for name in ("link.md", "folder"))
    assert imported.picture_count == site.rows("media") == 1
    noted = dict(sentence.split(": ", 1) for _name, sentence in imported.notes)
    assert set(noted) == set(targets)
    assert "out of the folder" in noted["../secret.png"]
    assert "link" in noted["link.png"]
    assert "link" in noted["folder/in.png"]
    with site.database.reading() as db:
        post = find_post(db, slug="post")
    assert post is not None
    assert post.body.count("/media/") == 2  # the good one, and the one that was never here
    assert all(f"]({target})" in post.body for target in targets)


def test_a_picture_of_the_folder_is_found_again_without_decoding(site: Site, tmp_path: Path) -> None:
    digest = add_picture(site, picture(), alt="What it shows")
    site.post(body=f"![](/media/{digest})")
    export(site, tmp_path / "out")
    (tmp_path / "out" / "media" / "descriptions.json").write_text("[[" * 100_000)
    imported = take_in(site, tmp_path / "out")
    assert (imported.same_count, imported.faults) == (1, [])
    assert [name for name, _sentence in imported.notes] == ["media/descriptions.json"]


def test_folders_that_are_none_or_too_full(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NotFound):
        Folder(tmp_path / "nowhere")
    write_file(tmp_path, "file", "")
    with pytest.raises(NotFound):
        Folder(tmp_path / "file")
    (tmp_path / ".out.unfinished-abc").mkdir()
    with pytest.raises(Conflict, match="never finished"):
        Folder(tmp_path / ".out.unfinished-abc")
    for number in range(3):
        write_file(tmp_path / "in", f"{number}.md", "---\ntitle: a\nauthor: ada\n---\n")
    monkeypatch.setattr(folders, "MOST_FILES", 2)
    with pytest.raises(Conflict, match="more than 2"):
        take_in(site, tmp_path / "in")
    (tmp_path / "empty").mkdir()
    assert take_in(site, tmp_path / "empty").made_count == 0


def test_the_same_files_without_ids_again_are_the_same_posts(site: Site, tmp_path: Path) -> None:
    write_file(tmp_path / "in", "_posts/2020-05-06-some-day.md", "---\nlayout: post\ndate: 2020-05-06\n---\nText\n")
    assert take_in(site, tmp_path / "in", author="ada").made_count == 1
    assert take_in(site, tmp_path / "in", author="ada").same_count == 1
    with site.database.reading() as db:
        post = find_post(db, slug="some-day")
    assert post is not None
    assert post.title == "some day"


FOREIGN = [
    ("2020-01-02-on-the-road.md", "title: Road\ntags: a, b\ncategories: [C]", ("on-the-road", "published", ["a", "b", "C"])),
    ("content/posts/x/index.md", "title: X\ndraft: true\ndate: 2020-01-01", ("x", "draft", [])),
    ("a.md", "title: A\npublished: false", ("a", "draft", [])),
    ("b.md", 'title: B\nstatus: publish\ndate: "2020-01-02 03:04:05 +0100"', ("b", "published", [])),
    ("c.md", "title: C\nslug: other\ndate_published: 2020-01-01T00:00:00.000Z\ntags:\n  - x\n  - y", ("other", "published", ["x", "y"])),
    ("Über uns.md", "type: page", ("uber-uns", "published", [])),
    ("d.md", None, ("d", "draft", [])),
]  # fmt: skip


@pytest.mark.parametrize(("path", "fields", "expected"), FOREIGN)
def test_files_of_other_programs(path: str, fields: str | None, expected: tuple[str, str, list[str]]) -> None:
    text = "Words" if fields is None else f"---\n{fields}\n---\nWords"
    read, _body = parse(text)
    incoming = read_fields(read, path, zone=UTC, now=clock.now())
    changes = incoming.changes
    assert (changes["slug"], changes["status"], [tag.strip() for tag in changes["tags"]]) == expected
    assert changes["title"]
    if path.startswith("2020-01-02"):
        assert incoming.published_at == clock.from_datetime(datetime(2020, 1, 2, tzinfo=UTC))
    assert (incoming.published_at is None) == (changes["status"] == "draft")


def test_a_date_to_come_is_a_schedule() -> None:
    now, later = clock.now(), clock.to_rfc3339(clock.now() + clock.DAY)
    zone = UTC
    for state, published in (("draft", None), ("published", now + clock.DAY)):
        read, _body = parse(f"---\ntitle: a\nstatus: {state}\ndate: {later}\n---\n")
        incoming = read_fields(read, "a.md", zone=zone, now=now)
        assert abs(incoming.changes["publish_at"] - now - clock.DAY) < clock.SECOND
        assert (incoming.published_at is None) == (published is None)
        assert incoming.created_at <= now
    with pytest.raises(FrontMatterFault):
        read_fields({"former_slugs": ["x" * 101]}, "a.md", zone=zone, now=now)


def test_what_stands_there_is_not_written_over(site: Site, tmp_path: Path) -> None:
    site.post()
    write_file(tmp_path / "full", "a", "mine")
    write_file(tmp_path, "file", "mine")
    for target in (tmp_path / "full", tmp_path / "file"):
        with pytest.raises(Conflict):
            export(site, target)
    with pytest.raises(NotFound):
        export(site, tmp_path / "no" / "where")
    assert contents(tmp_path / "full") == {"a": b"mine"}
    (tmp_path / "empty").mkdir()
    assert export(site, tmp_path / "empty").post_count == 1
    assert sorted(path.name for path in tmp_path.iterdir() if "unfinished" in path.name) == []


HOSTILE_BESIDE = {
    "media/descriptions.json": [
        ('{"../../secret.png": {"owners": ["ada"]}}', "no name of a picture"),
        ('{"/etc/a.png": {"owners": ["ada"]}}', "no name of a picture"),
        ('{"gone.png": {"owners": ["ada"]}}', "There is no such file"),
        ('{"a.png": {"owners": ["nobody"]}}', "--author NAME"),
        ('{"a.png": {"owners": "ada"}}', "no list of names"),
        ('{"a.png": {"alt": "\\ud800"}}', "half of a character"),
    ],
    "series.json": [
        ("{", "cannot be read"),
        ("[" * 100_000, "nested too deeply"),
        ("{}", "not a list"),
        ("[1]", "not an object for each series"),
        ('[{"slug": "a/b", "title": "A", "author": "ada", "posts": []}]', "address cannot be"),
        ('[{"slug": "a", "title": "A", "author": "ada", "posts": [1]}]', "no list of ids"),
        ('[{"slug": "a", "title": "\\ud800", "author": "ada", "posts": []}]', "half of a character"),
        ('[{"slug": "a", "title": "", "author": "ada", "posts": []}]', "Give it a title"),
        ('[{"slug": "a", "title": "A", "author": "zoe", "posts": []}]', "nobody here"),
        ('[{"slug": "taken", "title": "A", "author": "ada", "posts": []}]', "Another series stands at taken"),
        (f'[{{"slug": "a", "title": "A", "author": "ada", "posts": ["{ID}"]}}]', "is not here"),
    ],
    "former_tags.json": [
        ("[]", "not an object"),
        ('{"a": 1}', "not an object"),
        ('{"a/b": "c"}', "Tags are words"),
        ('{"borne": "c"}', "a tag of its own here"),
    ],
}


@pytest.mark.parametrize("path", HOSTILE_BESIDE)
def test_what_lies_beside_the_posts_may_be_anything(site: Site, tmp_path: Path, path: str) -> None:
    site.post(tags=["borne"])
    with site.database.transaction() as db:
        create_series(db, title="Mine", slug="taken", by=site.principal("alan"))
    write_file(tmp_path, "secret.png", picture("PNG"))
    for number, (content, fault) in enumerate(HOSTILE_BESIDE[path]):
        folder = tmp_path / f"in-{number}"
        write_file(folder, "hello.md", "---\ntitle: Hello\nauthor: ada\n---\n")
        write_file(folder, path, content)
        imported = take_in(site, folder)
        assert imported.made_count + imported.same_count == 1
        assert [fault in sentence for _path, sentence in imported.faults + imported.notes] == [True], content
    assert (site.rows("media"), site.rows("former_tags")) == (0, 0)
    assert site.rows("series") == (2 if path == "series.json" else 1)


def test_a_series_that_is_there_keeps_what_was_put_into_it_here(site: Site, tmp_path: Path) -> None:
    first, second = site.post(title="First"), site.post(title="Second")
    alan = site.principal("alan")
    with site.database.transaction() as db:
        series = create_series(db, title="Mine", by=alan)
        add_part(db, series.id, slug=first.slug, by=alan)
        add_part(db, series.id, slug=second.slug, by=alan)
    export(site, tmp_path / "out")
    third = site.post(title="Third")
    with site.database.transaction() as db:
        add_part(db, series.id, slug=third.slug, by=alan)
        move_part(db, series.id, third.id, place=1, by=alan)
        move_part(db, series.id, second.id, place=1, by=alan)
    assert take_in(site, tmp_path / "out").faults == []
    with site.database.reading() as db:
        parts = list_parts(db, series.id, by=alan, at=clock.now())
    assert [part.title for part in parts] == ["First", "Second", "Third"]


def test_a_post_that_comes_in_is_written_as_any_other(site: Site, tmp_path: Path, monkeypatch) -> None:
    seen = []
    monkeypatch.setattr("blog.posts.writing.keep_uses", lambda _db, post_id, body: seen.append((post_id, body)))
    write_file(tmp_path / "in", "a.md", f"---\nid: {ID}\ntitle: A\nauthor: ada\n---\nOne")
    assert take_in(site, tmp_path / "in").made_count == 1
    write_file(tmp_path / "in", "a.md", f"---\nid: {ID}\ntitle: A\nauthor: ada\n---\nTwo")
    assert take_in(site, tmp_path / "in").changed_count == 1
    assert seen == [(ID, "One"), (ID, "Two")]


def test_a_file_without_a_date_does_not_make_its_post_new(site: Site, tmp_path: Path) -> None:
    write_file(tmp_path / "in", "a.md", f"---\nid: {ID}\ntitle: A\nauthor: ada\n---\nOne")
    take_in(site, tmp_path / "in")
    with site.database.reading() as db:
        before = find_post(db, post_id=ID)
    write_file(tmp_path / "in", "a.md", f"---\nid: {ID}\ntitle: A\nauthor: ada\n---\nTwo")
    assert take_in(site, tmp_path / "in").changed_count == 1
    with site.database.reading() as db:
        after = find_post(db, post_id=ID)
    assert before is not None
    assert after is not None
    assert (after.body, after.published_at) == ("Two", before.published_at)
