"""The database file is made whole, upgraded after a copy, or refused with a sentence and left as it was."""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

import app  # noqa: F401 - every table is declared once the whole house is there
from storage import sqlite, upgrading
from storage.engine import Database
from storage.errors import Busy, Damaged, FolderUnusable, Full, SchemaNewer
from storage.schema import metadata
from storage.upgrading import copy_database, head, revision_of, upgrade
from tests.folders import another_program, clean_environment, fingerprint
from tests.support import ROOT, Site, integrity, read_all

# A batch rebuild of the table that everything refers to.
REBUILD = """
def upgrade() -> None:
    with op.batch_alter_table("users") as users:
        users.add_column(sa.Column("motto", sa.Text(), nullable=False, server_default=""))
        users.alter_column("display_name", existing_type=sa.Text(), nullable=True)
"""
# Enough to leave the cache and stand in the file, or in its log, before the commit.
HALF = """
def upgrade() -> None:
    op.execute("PRAGMA cache_size = 1")
    op.execute("CREATE TABLE ballast AS SELECT hex(zeroblob(3000)) AS bytes FROM posts, users, sessions, epochs")
    op.execute("UPDATE posts SET title = 'Half', body = hex(zeroblob(30000))")
"""

# The revision that the code knows last, and the one that the tests let it learn.
FORMER = head()
NEXT = f"{int(FORMER) + 1:04}"

Spoil = Callable[[Path], object]


@pytest.fixture
def old(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A database with a few rows of everything, and code that is about to learn another migration."""
    for number in range(20):
        site.post(title=f"Post {number}", tags=["one", "two"])
    site.client("alan")
    site.close()
    migrations = tmp_path / "migrations"
    shutil.copytree(upgrading._MIGRATIONS, migrations)
    monkeypatch.setattr(upgrading, "_MIGRATIONS", migrations)
    return site.settings.database_path


def learn(migration: str) -> Path:
    """Let the code know another migration; where it stands."""
    head_lines = (
        "import os\n\nimport sqlalchemy as sa\nfrom alembic import op\n\n"
        f'revision = "{NEXT}"\ndown_revision = "{FORMER}"\n'
    )
    file = upgrading._MIGRATIONS / "versions" / f"{NEXT}_the_next.py"
    file.write_text(head_lines + migration)
    return file


def execute(path: Path, *statements: str) -> None:
    connection = sqlite.driver.connect(str(path), isolation_level=None)
    for statement in statements:
        connection.execute(statement)
    connection.close()


# A new database


def test_a_new_database_is_one_whole_private_file(tmp_path: Path) -> None:
    path = tmp_path / "byline.db"
    assert upgrade(path) is None
    assert [each.name for each in tmp_path.iterdir()] == ["byline.db"]
    assert path.stat().st_mode & 0o777 == 0o600
    assert revision_of(path) == head()
    assert integrity(path) == "ok"


def test_a_new_database_can_be_written_while_it_is_read(path: Path) -> None:
    database = Database(path, readers=1)
    with database.reading() as reader:
        reader.exec_driver_sql("SELECT name FROM site").one()
        with database.transaction(wait_seconds=0) as db:
            db.exec_driver_sql("UPDATE site SET name = 'Written'")
    database.close()


def test_upgrading_what_is_current_changes_nothing(path: Path) -> None:
    before = fingerprint(path.parent)
    assert upgrade(path) is None
    assert fingerprint(path.parent) == before


def test_processes_that_make_it_at_once_agree_on_one(tmp_path: Path) -> None:
    program = (
        "import os, sys; from pathlib import Path; from storage.upgrading import upgrade;"
        "from storage.engine import Database; import alembic.command, alembic.config;"
        "path = Path(sys.argv[1]); start, go = os.pipe();"
        "\nfor number in range(4):\n"
        "    if os.fork() == 0:\n"
        "        os.close(go); os.read(start, 1); upgrade(path); database = Database(path, readers=1)\n"
        "        with database.transaction() as db:\n"
        "            db.exec_driver_sql(f'INSERT INTO epochs VALUES ({number}, 0)')\n"
        "        database.close(); os._exit(0)\n"
        "os.close(go)\n"
        "sys.exit(sum(os.wait()[1] != 0 for _ in range(4)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "byline.db")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert read_all(tmp_path / "byline.db", "SELECT count(*) FROM epochs") == [(4,)]
    assert [each.name for each in tmp_path.iterdir()] == ["byline.db"]


def test_a_place_where_it_cannot_be_made_is_refused_in_words(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    for place in (tmp_path / "missing" / "byline.db", file / "byline.db"):
        with pytest.raises(FolderUnusable, match=f"{place} cannot be made: "):
            upgrade(place)
    assert [each.name for each in tmp_path.iterdir()] == ["file"]


def test_a_log_without_its_database_is_refused_for_it_would_be_replayed_into_the_new_one(path: Path) -> None:
    stale = _kill_while_writing(path)
    path.unlink()
    before = fingerprint(path.parent)
    with pytest.raises(Damaged, match=r"byline.db is missing, but its log .*byline.db-wal is there"):
        upgrade(path)
    assert fingerprint(path.parent) == before
    stale.unlink()
    assert upgrade(path) is None


def test_the_models_and_the_migrations_agree(path: Path, tmp_path: Path) -> None:
    engine = sa.create_engine(sa.URL.create("sqlite", database=str(path)), module=sqlite.driver)
    with engine.connect() as connection:
        opts = {"compare_type": True, "compare_server_default": True, "include_name": _is_ours}
        context = MigrationContext.configure(connection, opts=opts)
        assert compare_metadata(context, metadata) == []
        migrated = _described(connection)
    engine.dispose()
    from_models = sa.create_engine("sqlite://", module=sqlite.driver)
    with from_models.connect() as connection:
        metadata.create_all(connection)
        assert migrated == _described(connection)
    from_models.dispose()


def _is_ours(name: str | None, kind: str = "table", _parents: object = None) -> bool:
    # The table of the search's words, and those that SQLite keeps behind it, are no tables as others are.
    return kind != "table" or name is None or not name.startswith("post_words")


def _described(connection: sa.Connection) -> dict[str, Any]:
    """What autogenerate does not compare too: checks, keys and what happens to children."""
    inspector = sa.inspect(connection)
    questions = (
        inspector.get_columns,
        inspector.get_pk_constraint,
        inspector.get_foreign_keys,
        inspector.get_unique_constraints,
        inspector.get_check_constraints,
        inspector.get_indexes,
    )
    tables = [table for table in inspector.get_table_names() if table != "alembic_version" and _is_ours(table)]
    described = {table: [_sorted(str(ask(table))) for ask in questions] for table in tables}
    conditions = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql LIKE '% WHERE %' ORDER BY name"
    return described | {"conditions": [str(row) for row in connection.exec_driver_sql(conditions)]}


def _sorted(text: str) -> list[str]:
    # A condition of an index is shown by where it lies in memory; SQLite's own text of it is compared in the end.
    return sorted(re.sub(r"<[^>]*TextClause[^>]*>", "a condition", text).strip("[]").split("}, {"))


# What is refused


def _cut(size: int | None) -> Spoil:
    return lambda path: os.truncate(path, path.stat().st_size // 2 if size is None else size)


def _overwrite(path: Path) -> None:
    path.write_bytes(b"Dear diary, this is not a database. " * 1000)


def _spoil_a_page(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(4096 * 3)
        file.write(b"\xff" * 4096)


def _replace_by_anothers(path: Path) -> None:
    path.unlink()
    execute(path, "CREATE TABLE notes (text TEXT)", "INSERT INTO notes VALUES ('somebody''s')")


def _replace_by_anothers_with_migrations(path: Path) -> None:
    path.unlink()
    execute(path, "CREATE TABLE alembic_version (version_num)", "INSERT INTO alembic_version VALUES ('ae1027a6acf')")


def _forget_revision(path: Path) -> None:
    execute(path, "DELETE FROM alembic_version")


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        pytest.param(_cut(None), "is damaged", id="cut to half"),
        pytest.param(_cut(100), "is damaged", id="cut to 100 bytes"),
        pytest.param(_cut(0), "is empty", id="empty"),
        pytest.param(_overwrite, "is damaged: file is not a database", id="not a database"),
        pytest.param(_spoil_a_page, "is damaged", id="a page overwritten"),
        pytest.param(_replace_by_anothers, "is not a database of Byline", id="another program's"),
        pytest.param(_replace_by_anothers_with_migrations, "is not a database of Byline", id="another Alembic's"),
        pytest.param(_forget_revision, "is not a database of Byline", id="without a revision"),
    ],
)
def test_what_is_no_whole_database_of_ours_is_refused_and_left_as_it_is(
    path: Path, spoil: Spoil, sentence: str
) -> None:
    spoil(path)
    before = fingerprint(path.parent)
    with pytest.raises(Damaged, match=sentence) as refused:
        upgrade(path)
    assert str(path) in str(refused.value)
    assert fingerprint(path.parent) == before


def test_a_newer_schema_is_refused_and_left_as_it_is_log_and_all(path: Path) -> None:
    execute(path, "UPDATE alembic_version SET version_num = '0999'")
    log = _kill_while_writing(path)
    assert log.stat().st_size > 0
    before = fingerprint(path.parent)
    with pytest.raises(SchemaNewer, match=rf"newer version of Byline .*0999.*this one knows {FORMER}"):
        upgrade(path)
    assert fingerprint(path.parent) == before


def test_a_database_that_another_program_keeps_to_itself_is_busy_not_damaged(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "BUSY_TIMEOUT_SECONDS", 0.2)
    execute(path, "PRAGMA journal_mode = DELETE")
    with another_program(path, "BEGIN EXCLUSIVE"), pytest.raises(Busy, match="held by another program"):
        upgrade(path)


def test_what_kill_9_left_in_the_log_is_there_afterwards(path: Path) -> None:
    _kill_while_writing(path)
    assert upgrade(path) is None
    assert read_all(path, "SELECT epoch FROM epochs") == [(1,)]


# Upgrades


def test_an_upgrade_keeps_a_copy_children_and_triggers(old: Path) -> None:
    execute(
        old,
        "CREATE TRIGGER on_users AFTER UPDATE ON users BEGIN UPDATE site SET tagline = 'fired'; END",
        "CREATE TRIGGER on_posts AFTER DELETE ON posts BEGIN DELETE FROM users WHERE id = old.author_id; END",
    )
    tables = ("users", "posts", "post_tags", "revisions", "sessions")
    before = {table: read_all(old, f"SELECT count(*) FROM {table}") for table in tables}
    triggers = read_all(old, "SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'trigger' ORDER BY name")
    learn(REBUILD)
    kept = upgrade(old)
    assert kept == f"byline.db.before-{NEXT}"
    assert revision_of(old) == NEXT
    assert {table: read_all(old, f"SELECT count(*) FROM {table}") for table in tables} == before
    assert read_all(old, "SELECT DISTINCT motto FROM users") == [("",)]
    query = "SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'trigger' ORDER BY name"
    assert read_all(old, query) == triggers
    execute(old, "UPDATE users SET motto = 'Onward'")
    assert read_all(old, "SELECT tagline FROM site") == [("fired",)]
    assert read_all(old, "PRAGMA foreign_key_check") == []
    assert integrity(old) == "ok"


def test_the_copy_is_the_former_database_for_its_owner_alone(old: Path) -> None:
    before = read_all(old, "SELECT * FROM posts ORDER BY id")
    learn(REBUILD)
    kept = upgrade(old)
    assert kept is not None
    copy = old.with_name(kept)
    assert revision_of_copy(copy) == FORMER
    assert read_all(copy, "SELECT * FROM posts ORDER BY id") == before
    assert copy.stat().st_mode & 0o777 == 0o600
    assert not [each.name for each in old.parent.iterdir() if "unfinished" in each.name]


def test_a_trigger_that_the_migration_takes_away_stays_away(old: Path) -> None:
    execute(old, "CREATE TRIGGER on_users AFTER UPDATE ON users BEGIN UPDATE site SET tagline = 'fired'; END")
    learn(REBUILD.replace("    with op.batch", '    op.execute("DROP TRIGGER on_users")\n    with op.batch'))
    upgrade(old)
    assert read_all(old, "SELECT name FROM sqlite_master WHERE type = 'trigger'") == []


def test_foreign_keys_are_kept_again_after_the_upgrade(old: Path) -> None:
    learn(REBUILD)
    upgrade(old)
    database = Database(old, readers=1)
    with pytest.raises(sa.exc.IntegrityError), database.transaction() as db:
        db.exec_driver_sql("DELETE FROM users WHERE username = 'alan'")
    database.close()


def test_an_upgrade_that_fails_half_way_changes_nothing_and_can_be_tried_again(old: Path) -> None:
    before = _content(old)
    learn(HALF + '    raise RuntimeError("half way")\n')
    with pytest.raises(RuntimeError, match="half way"):
        upgrade(old)
    assert revision_of(old) == FORMER == revision_of_copy(old.with_name(f"byline.db.before-{NEXT}"))
    assert _content(old) == before
    learn(REBUILD)
    upgrade(old)
    assert revision_of(old) == NEXT


def test_an_upgrade_that_would_orphan_rows_is_refused_and_changes_nothing(old: Path) -> None:
    before = _content(old)
    learn("def upgrade() -> None:\n    op.execute(\"DELETE FROM users WHERE username = 'alan'\")\n")
    with pytest.raises(Damaged, match=r"would orphan [0-9]+ rows; nothing was changed"):
        upgrade(old)
    assert _content(old) == before
    assert revision_of(old) == FORMER


def test_an_upgrade_waits_for_another_program_and_then_says_so(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "BUSY_TIMEOUT_SECONDS", 0.2)
    learn(REBUILD)
    with another_program(old), pytest.raises(Busy, match="held by another program"):
        upgrade(old)
    assert revision_of(old) == FORMER


def test_a_full_disk_stops_an_upgrade_in_words_and_changes_nothing(old: Path) -> None:
    learn(REBUILD)
    before = fingerprint(old.parent)
    done = _upgrade_elsewhere(old, "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192));")
    assert done.stdout.startswith("Full: "), done
    assert fingerprint(old.parent) == before


@pytest.mark.parametrize("journal", ["WAL", "DELETE"])
def test_kill_9_during_an_upgrade_leaves_the_former_database(old: Path, journal: str) -> None:
    # DELETE is what a backup that was put in its place by hand is in.
    execute(old, f"PRAGMA journal_mode = {journal}")
    before = _content(old)
    file = learn(HALF + "    os.kill(os.getpid(), 9)\n")
    assert _upgrade_elsewhere(old).returncode == -signal.SIGKILL
    file.unlink()
    assert upgrade(old) is None
    assert _content(old) == before
    assert integrity(old) == "ok"


def test_a_write_that_kill_9_cut_off_in_a_database_without_a_log_is_rolled_back(path: Path) -> None:
    execute(path, "PRAGMA journal_mode = DELETE", "INSERT INTO epochs VALUES (1, 0)")
    program = (
        "import os, sys; from storage import sqlite;"
        "db = sqlite.driver.connect(sys.argv[1], isolation_level=None);"
        "[db.execute(each) for each in ('PRAGMA cache_size = 1', 'BEGIN', 'DELETE FROM epochs', "
        "'CREATE TABLE ballast (bytes)', 'INSERT INTO ballast VALUES (zeroblob(1000000))')];"
        "os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", program, str(path)], cwd=ROOT, check=False)
    assert path.with_name("byline.db-journal").exists()
    assert upgrade(path) is None
    assert read_all(path, "SELECT epoch FROM epochs") == [(1,)]


def revision_of_copy(path: Path) -> str:
    return str(read_all(path, "SELECT version_num FROM alembic_version")[0][0])


def _content(path: Path) -> dict[str, list[Any]]:
    tables = [name for (name,) in read_all(path, "SELECT name FROM sqlite_master WHERE type = 'table'")]
    return {table: read_all(path, f"SELECT * FROM {table}") for table in tables}


def _upgrade_elsewhere(path: Path, first: str = "") -> "subprocess.CompletedProcess[str]":
    """In a process of its own, which knows the same migrations."""
    program = (
        f"{first}\nimport sys\nfrom pathlib import Path\nfrom storage import upgrading\n"
        "upgrading._MIGRATIONS = Path(sys.argv[2])\n"
        "try:\n    upgrading.upgrade(Path(sys.argv[1]))\n"
        "except Exception as error:\n    print(f'{type(error).__name__}: {error}')"
    )
    return subprocess.run(
        [sys.executable, "-B", "-c", program, str(path), str(upgrading._MIGRATIONS)],
        cwd=ROOT,
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def _kill_while_writing(path: Path) -> Path:
    """One commit that only the log holds; where the log is."""
    program = (
        "import os, sys; from pathlib import Path; from storage.engine import Database;"
        "database = Database(Path(sys.argv[1]), readers=1)\n"
        "with database.transaction() as db:\n    db.exec_driver_sql('INSERT INTO epochs VALUES (1, 0)')\n"
        "os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", program, str(path)], cwd=ROOT, check=False)
    log = path.with_name(f"{path.name}-wal")
    assert log.stat().st_size > 0
    return log


# Copies


def test_a_copy_is_one_whole_private_file_made_while_others_write(path: Path) -> None:
    with another_program(path, "BEGIN IMMEDIATE;INSERT INTO epochs VALUES (7, 0)"):
        copy_database(path, path.with_name("copy"))
    assert sorted(each.name for each in path.parent.iterdir() if each.name.startswith("copy")) == ["copy"]
    assert path.with_name("copy").stat().st_mode & 0o777 == 0o600
    assert read_all(path.with_name("copy"), "SELECT count(*) FROM epochs") == [(0,)]
    assert revision_of_copy(path.with_name("copy")) == head()


def test_a_copy_that_fails_leaves_nothing(path: Path) -> None:
    program = (
        "import resource, sys; from pathlib import Path; from storage.upgrading import copy_database;"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192));"
        "\ntry:\n    copy_database(Path(sys.argv[1]), Path(sys.argv[2]))\n"
        "except Exception as error:\n    print(type(error).__name__)"
    )
    done = subprocess.run(
        [sys.executable, "-B", "-c", program, str(path), str(path.with_name("copy"))],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == Full.__name__
    assert not [each.name for each in path.parent.iterdir() if each.name.startswith("copy")]
