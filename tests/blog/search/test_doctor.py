"""`byline doctor` compares the index with the posts, and makes it anew; the migration fills it."""

import shutil
import threading
from pathlib import Path

import pytest

from auth.principal import VISITOR
from blog.indexing.queries import empty_index
from blog.indexing.words import plain_text, separate
from blog.posts.content import prepare
from blog.posts.writing import write
from blog.rendering.markdown import render
from blog.search import examining
from blog.search.examining import check_index, rebuild_index
from blog.search.searching import search
from storage import clock, sqlite, upgrading
from storage.upgrading import upgrade
from tests.support import SECRET, Site, read_all
from tests.web.test_cli import byline, findings

FAULTS = [
    "DELETE FROM indexed_posts WHERE id = (SELECT min(id) FROM indexed_posts)",
    "DELETE FROM post_words WHERE rowid = (SELECT min(id) FROM indexed_posts)",
    "UPDATE post_words SET body = 'other' WHERE rowid = (SELECT min(id) FROM indexed_posts)",
    "UPDATE post_words SET keys = '' WHERE rowid = (SELECT min(id) FROM indexed_posts)",
    "UPDATE indexed_posts SET published_at = 1",
    "INSERT INTO post_words (rowid, title) VALUES (1, 'nobody’s')",
    "UPDATE posts SET status = 'draft' WHERE slug = 'p0'",
    "DELETE FROM post_words_data WHERE id > 10",
    "DROP TABLE post_words",
]


@pytest.fixture
def filled(site: Site) -> Site:
    """Posts in several states, more than are looked at in one go."""
    for number in range(5):
        site.post(
            title=f"Zanzibar {number}",
            slug=f"p{number}",
            body=f"日本語 *words* &amp; `code` {number}",
            tags=["sea", "ä"],
        )
    site.post(title="Scheduled", publish_at=clock.now() + clock.DAY)
    site.post(title="For members", visibility="members")
    site.post(title="Draft", status="draft")
    return site


@pytest.fixture(autouse=True)
def few_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(examining, "_AT_ONCE", 2)


def doctor(site: Site, *arguments: str):
    return byline(site.folder, "doctor", *arguments, SECRET_KEY=SECRET)


def found(site: Site) -> int:
    with site.database.reading() as db:
        return len(search(db, "zanzibar 日本 code", by=VISITOR).results)


def test_a_whole_index_is_whole_and_looking_at_it_changes_nothing(filled: Site) -> None:
    before = read_all(filled.settings.database_path, "SELECT * FROM post_words_data")
    result = doctor(filled)
    assert "The search index is whole: 7 posts" in findings(result)["ok"]
    assert result.exit_code == 0
    assert read_all(filled.settings.database_path, "SELECT * FROM post_words_data") == before


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_said_and_rebuilding_cures_it(filled: Site, fault: str) -> None:
    filled.close()
    with sqlite.opened(filled.settings.database_path, mode="rw") as connection:
        connection.execute(fault)
    said = doctor(filled)
    assert said.exit_code == 1
    (bad,) = findings(said)["BAD"]
    assert "The search index" in bad
    assert "byline doctor --rebuild-search" in bad
    assert "Traceback" not in said.output
    cured = doctor(filled, "--rebuild-search")
    assert cured.exit_code == 0, cured.output
    assert "The search index is whole" in " ".join(findings(cured)["ok"])
    assert found(filled) == (4 if "draft" in fault else 5)


def test_results_that_were_kept_are_found_anew(filled: Site) -> None:
    with filled.database.transaction() as db:
        empty_index(db)
    for _ in range(2):
        assert "Nothing was found" in filled.client().get("/search?q=zanzibar").text
    rebuild_index(filled.database, lambda _done, _count: None)
    assert "Nothing was found" not in filled.client().get("/search?q=zanzibar").text


def test_it_is_rebuilt_beside_somebody_who_writes(filled: Site) -> None:
    """Whoever saves meanwhile keeps the index too; both meet in the same state."""
    halfway, may_go_on = threading.Event(), threading.Event()

    def wait(done: int, _count: int) -> None:
        if done == 4:
            halfway.set()
            assert may_go_on.wait(30)

    rebuilding = threading.Thread(target=rebuild_index, args=(filled.database, wait))
    rebuilding.start()
    try:
        assert halfway.wait(30)
        with filled.database.transaction() as db:
            write(
                db,
                prepare({"title": "Meanwhile", "body": "zanzibar 日本 code", "status": "published"}),
                by=filled.principal("alan"),
            )
    finally:
        may_go_on.set()
        rebuilding.join(30)
    assert check_index(filled.database, lambda _done, _count: None) == (True, "The search index is whole: 8 posts")
    assert found(filled) == 6


def test_there_must_be_a_database_to_rebuild_it_in(tmp_path: Path) -> None:
    refused = byline(tmp_path / "instance", "doctor", "--rebuild-search")
    assert refused.exit_code == 1
    assert "no database of this version" in refused.stderr


def test_the_migration_fills_the_index_as_saving_would(
    filled: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = filled.settings.database_path
    query = "SELECT w.title, w.tags, w.body, w.keys, w.name, i.published_at FROM post_words w JOIN indexed_posts i ON i.id = w.rowid ORDER BY i.published_at"
    before = read_all(path, query)
    filled.close()
    former = tmp_path / "migrations"
    shutil.copytree(upgrading._MIGRATIONS, former)
    for file in (former / "versions").glob("[0-9]*_*.py"):
        if file.name > "0007":
            file.unlink()
    old = tmp_path / "old.db"
    with monkeypatch.context() as patched:
        patched.setattr(upgrading, "_MIGRATIONS", former)
        upgrade(old)
    with sqlite.opened(old, mode="rw") as connection:
        connection.execute("ATTACH ? AS other", (str(path),))
        connection.execute("PRAGMA foreign_keys = OFF")
        for table in ("users", "posts"):
            there = ", ".join(row[1] for row in connection.execute(f"PRAGMA main.table_info({table})"))
            connection.execute(f"INSERT INTO {table} ({there}) SELECT {there} FROM other.{table}")
    upgrade(old)
    after = read_all(old, query)
    assert len(after) == 7
    assert after == before


def test_alembic_lets_the_index_be_when_it_rebuilds_the_posts(
    filled: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled.close()
    migrations = tmp_path / "migrations"
    shutil.copytree(upgrading._MIGRATIONS, migrations)
    monkeypatch.setattr(upgrading, "_MIGRATIONS", migrations)
    last = upgrading.head()
    following = f"{int(last) + 1:04}"
    (migrations / "versions" / f"{following}_the_next.py").write_text(
        f'import sqlalchemy as sa\nfrom alembic import op\n\nrevision = "{following}"\ndown_revision = "{last}"\n\n\n'
        "def upgrade() -> None:\n"
        '    with op.batch_alter_table("posts") as posts:\n'
        '        posts.alter_column("excerpt", existing_type=sa.Text(), nullable=True)\n'
    )
    upgrade(filled.settings.database_path)
    whole = check_index(filled.database, lambda _done, _count: None)
    assert whole == (True, "The search index is whole: 7 posts")
    assert found(filled) == 5


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>One<br>two</p><p>three</p>", "One two three"),
        ("<p>in<em>divid</em>ual</p>", "individual"),
        ('<p><a href="/x" title="a > b">link</a> &lt;tag&gt; &amp;amp; &#1;x</p>', "link <tag> &amp; x"),
        ("<pre><code>a\n  b</code></pre>", "a b"),
        ("<address>x</address><aside>y</aside>", "x y"),
        ("", ""),
    ],
)
def test_the_words_of_a_page_are_what_somebody_reads(html: str, text: str) -> None:
    assert plain_text(html) == text


def test_separators_stand_beside_what_is_a_word_by_itself_and_nowhere_else() -> None:
    assert separate("Python 3") == "Python 3"
    assert separate("é日本x") == "é\x1f日\x1f\x1f本\x1fx"


def test_the_number_of_a_footnote_is_no_part_of_a_word() -> None:
    html = render("The gryphon[^1] sleeps[^1] on 9 m<sup>2</sup>.\n\n[^1]: The *note* [here](/a).")
    assert plain_text(html) == "The gryphon sleeps on 9 m2. The note here."
