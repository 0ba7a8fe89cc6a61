"""Export, then import into an empty site, then export: the same folder, byte for byte."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from blog.posts.content import LONGEST_BODY_BYTES, Content, prepare
from blog.posts.deleting import delete
from blog.posts.surroundings import surroundings_of
from blog.posts.writing import change, write
from blog.series.arranging import add_part, create_series, move_part, rename_series
from blog.tagging.renaming import rename_tag
from blog.transfer.links import incoming, outgoing
from storage import clock
from tests.blog.media.pictures import animated, picture, with_exif
from tests.blog.transfer.folders import Template, add_picture, contents, export, take_in
from tests.support import Site
from web.errors import Invalid

DIGEST = "0123456789abcdef" * 4
COLUMNS = (
    "id, slug, author_id, title, body, html, excerpt, summary, tags, status, visibility, publish_at, published_at, "
    "created_at, updated_at, deleted_at, kind, lang"
)
KINDS: list[Callable[[], bytes]] = [
    lambda: picture("JPEG", exif=with_exif(6)),
    lambda: picture("PNG", size=(31, 17)),
    lambda: picture("WEBP", exif=with_exif(8)),
    lambda: picture("GIF"),
    lambda: animated("WEBP"),
    lambda: picture("AVIF"),
]

hostile = st.sampled_from([
    "---", "...", "+++", "null", "~", "1e3", "0x10", "2026-01-01", "true", "'", '"', "\\", ": ", "#", "- a", "[x]", "{}",
    "&a", "*a", "!a", "%", "@", "`", "|", ">", "…", "\u2028", "\ufeff", "\u202e", "𝔘", "e\u0301", "🧨", "ﬁ", "a" * 300,
])  # fmt: skip
line = st.lists(hostile | st.text(max_size=12), max_size=5).map("".join)
links = st.sampled_from([
    "![a](/media/{d})", "![](</media/{d}>)", "[x]: /media/{d}\n", '<img src="/media/{d}">', "`![a](/media/{d})`",
    "![a](media/{d}.jpg)", "![a](./media/{d}.jpg)", "![a](././media/{d}.png)", "![a](/media/{d}.jpg)",
    "![a](x/../media/{d}.gif)", "![a](%6dedia/{d}.webp#y)", "![a](media/{d}.avif?q)", "![a](../{d}.png)",
    "https://example.org/media/{d}", "/media/{d}", "![a](/media/{d}/800.webp)", "![a](/media/{d}", "](<a](/media/{d}>",
    "![a](nowhere.png)", "[a](other.md)",
])  # fmt: skip
block = st.builds(lambda text, digest: (text, digest), links, st.integers(0, len(KINDS)))
body = st.lists(line | block | st.just("\n") | st.just("\n\n---\n\n"), max_size=8)
moment = st.integers(-20_000 * clock.DAY, 60_000 * clock.DAY)
post = st.fixed_dictionaries(
    {
        "title": line,
        "slug": st.sampled_from(["", "a", "0", "true", "null", "a-b", "2026-01-01", "index", "readme"]),
        "body": body,
        "excerpt": line,
        "tags": st.lists(st.text(max_size=8) | st.sampled_from(["true", "1", "C#", "ß", "日本"]), max_size=4),
        "status": st.sampled_from(["draft", "published"]),
        "visibility": st.sampled_from(["public", "members"]),
        "kind": st.sampled_from(["post", "page"]),
        "lang": st.sampled_from(["", "de", "no", "pt-br", "zh-Hant-TW"]),
        "publish_at": st.none() | moment,
        "by": st.sampled_from(["alan", "ada", "olive", "bob"]),
        "renamed": st.none() | st.sampled_from(["c", "1", "d-d"]),
        "is_deleted": st.booleans(),
    }
)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Template:
    return Template(tmp_path_factory.mktemp("round-trip"))


def rows(site: Site, columns: str, rest: str) -> list[tuple[Any, ...]]:
    with site.database.reading() as db:
        return [tuple(row) for row in db.exec_driver_sql(f"SELECT {columns} FROM {rest}")]


def prepared(site: Site, values: dict[str, Any]) -> Content | None:
    """What the site takes; some of the hostile is refused where it is written, in a form as in a file."""
    with site.database.reading() as db:
        around = surroundings_of(db, values["body"], author_id=None, own_host=None)
    try:
        return prepare(values, surroundings=around)
    except Invalid:
        return None


def fill(site: Site, posts: list[dict[str, Any]]) -> None:
    digests = [DIGEST, *(add_picture(site, make(), alt="Alt “text” \\ 🧨" * (n % 2)) for n, make in enumerate(KINDS))]
    for n, values in enumerate(posts):
        parts = [p if isinstance(p, str) else p[0].replace("{d}", digests[p[1]]) for p in values["body"]]
        content = prepared(site, values | {"title": f"{values['title']}.", "body": "".join(parts)})
        content = content or prepare({"title": f"Number {n}"} | {k: values[k] for k in ("status", "kind")})
        by = site.principal(values["by"])
        try:
            with site.database.transaction() as db:
                made = write(db, content, by=by)
                if values["renamed"]:
                    new = prepare({"slug": values["renamed"], "status": "draft"}, current=made)
                    made = change(db, made.id, new, by=by)
                if values["is_deleted"]:
                    delete(db, made.id, by=by)
        except Invalid:
            pass  # its address is another one's


@pytest.mark.parametrize("examples", [10, pytest.param(100, marks=pytest.mark.soak)])
def test_what_comes_in_goes_out_the_same(template: Template, tmp_path: Path, examples: int) -> None:
    run = settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck))
    run(given(posts=st.lists(post, min_size=1, max_size=8))(_go_round))(template=template, tmp_path=tmp_path)


def _go_round(template: Template, tmp_path: Path, posts: list[dict[str, Any]]) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    try:
        with template.site() as site, template.site() as empty:
            fill(site, posts)
            exported = export(site, first)
            assert exported.post_count == len(rows(site, "id", "posts WHERE deleted_at IS NULL"))
            imported = take_in(empty, first)
            assert (imported.faults, imported.made_count) == ([], exported.post_count)
            export(empty, second)
            assert contents(second) == contents(first)
            alive = "posts WHERE deleted_at IS NULL ORDER BY id"
            assert rows(empty, COLUMNS, alive) == rows(site, COLUMNS, alive)
            # Again: nothing is new.
            again = take_in(empty, first)
            assert (again.faults, again.same_count, again.picture_count) == ([], exported.post_count, 0)
            assert rows(empty, "count(*)", "revisions") == [(exported.post_count,)]
    finally:
        shutil.rmtree(first, ignore_errors=True)
        shutil.rmtree(second, ignore_errors=True)


@given(body=st.lists(line | links.map(lambda text: text.replace("{d}", DIGEST)), max_size=12).map("".join))
def test_links_come_back_as_they_were(body: str) -> None:
    names = {DIGEST: f"{DIGEST}.jpg"}

    def find(target: str, path: str) -> str:
        return f"/media/{DIGEST}" if path == f"media/{DIGEST}.jpg" else target

    assert incoming(outgoing(body, names), "", find) == body
    assert incoming(outgoing(body, {}), "", find) == body


def test_the_longest_text_full_of_pictures_comes_back(template: Template, tmp_path: Path) -> None:
    with template.site() as site, template.site() as empty:
        link = f"![](/media/{add_picture(site, picture())})\n"
        text = (link * (LONGEST_BODY_BYTES // len(link) + 1))[:LONGEST_BODY_BYTES]
        made = site.post(body=text)
        export(site, tmp_path / "out")
        assert take_in(empty, tmp_path / "out").faults == []
        assert rows(empty, "body", f"posts WHERE id = '{made.id}'") == [(text,)]


SERIES = """
    SELECT series.slug, series.title, username, posts.slug FROM series JOIN users ON users.id = series.author_id
    LEFT JOIN series_posts ON series_id = series.id LEFT JOIN posts ON posts.id = post_id
    WHERE posts.deleted_at IS NULL ORDER BY series.slug, position
"""


def test_series_former_tags_and_pictures_that_stand_nowhere_come_along(template: Template, tmp_path: Path) -> None:
    with template.site() as site, template.site() as empty:
        shown, unseen = add_picture(site, KINDS[1](), alt="Shown"), add_picture(site, KINDS[2](), alt="Unseen")
        add_picture(site, KINDS[1](), by="ada", alt="Shown")
        alan, edith = site.principal("alan"), site.principal("edith")
        posts = [site.post(title=f"Part {n}", body=f"![](/media/{shown})", tags=["boat"]) for n in range(4)]
        with site.database.transaction() as db:
            series = create_series(db, title="At sea", by=alan)
            twin = create_series(db, title="Another", by=alan)
            rename_series(db, twin.id, title="At sea", by=alan)
            create_series(db, title="Empty", by=edith)
            for post in posts:
                add_part(db, series.id, slug=post.slug, by=alan)
            move_part(db, series.id, posts[2].id, place=1, by=alan)
            delete(db, posts[1].id, by=alan)
            rename_tag(db, "boat", "boats", by=edith)
            rename_tag(db, "boats", "ships", by=edith)
        export(site, tmp_path / "first")
        imported = take_in(empty, tmp_path / "first")
        assert (imported.faults, imported.notes, imported.picture_count) == ([], [], 3)
        for columns, rest in (
            ("digest, alt, label, username", "media JOIN users ON users.id = user_id ORDER BY digest, username"),
            ("tag, present", "former_tags ORDER BY tag"),
        ):
            assert rows(empty, columns, rest) == rows(site, columns, rest) != []
        assert rows(empty, "*", f"({SERIES})") == rows(site, "*", f"({SERIES})")
        assert [row[3] for row in rows(empty, "*", f"({SERIES})")] == [None, "part-2", "part-0", "part-3", None]
        assert unseen in {row[0] for row in rows(empty, "digest", "media")}
        assert empty.client().get("/tags/boat").headers["Location"].endswith("/tags/ships")
        export(empty, tmp_path / "second")
        assert contents(tmp_path / "second") == contents(tmp_path / "first")
        # Again: nothing is new, and the log says nothing.
        events = rows(empty, "count(*)", "events")
        again = take_in(empty, tmp_path / "first")
        assert (again.faults, again.notes, again.picture_count, again.same_count) == ([], [], 0, 3)
        assert rows(empty, "count(*)", "events") == events
