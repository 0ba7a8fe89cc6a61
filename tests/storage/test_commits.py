"""What is remembered until something is committed: by whomever, wherever, and never a moment longer."""

import errno
import itertools
import mmap
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from storage import commits, sqlite
from storage.commits import Commits
from storage.engine import Database
from storage.kept import Unread
from storage.upgrading import upgrade
from tests.folders import another_program
from tests.support import ROOT

RENAME = sa.text("UPDATE site SET name = :name")
NAME = sa.select(sa.text("name FROM site"))


@pytest.fixture
def database(path: Path) -> Iterator[Database]:
    made = Database(path, readers=2)
    yield made
    made.close()


@pytest.fixture
def marks(path: Path) -> Iterator[Commits]:
    made = Commits(path)
    yield made
    made.close()


def rename(database: Database, name: str) -> None:
    with database.transaction() as db:
        db.execute(RENAME, {"name": name})


def counted(database: Database, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Grows by one with each question that is asked of SQLite."""
    asked, take = list[int](), database.kept._take
    monkeypatch.setattr(database.kept, "_take", lambda: asked.append(1) or take())
    return asked


def test_a_mark_stays_while_nothing_is_committed(database: Database, marks: Commits) -> None:
    rename(database, "One")
    before = marks.mark()
    assert before
    with database.reading() as db:
        assert db.execute(NAME).scalar() == "One"
    with database.write_engine.connect() as db:
        db.execute(RENAME, {"name": "Two"})
        assert marks.mark() == before
        db.rollback()
    assert marks.mark() == before


def test_every_commit_makes_another_mark(database: Database, marks: Commits) -> None:
    seen = {marks.mark()}
    for number in range(100):
        rename(database, f"Name {number % 2}")
        seen.add(marks.mark())
        if number % 30 == 0:
            assert database.empty_log(wait_seconds=1)
    assert len(seen) >= 101
    with another_program(marks._path, "UPDATE site SET name = 'elsewhere'"):
        assert marks.mark() not in seen


def test_it_is_asked_again_after_a_commit_and_only_then(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = database.kept.remember(NAME, tuple)
    rename(database, "One")
    assert answer() == ("One",)
    asked = counted(database, monkeypatch)
    assert [answer() for _ in range(5)] == [("One",)] * 5
    assert not asked
    for name in ("Two", "Three"):
        rename(database, name)
        assert [answer() for _ in range(5)] == [(name,)] * 5
    assert len(asked) == 2


def test_what_is_committed_while_it_is_asked_is_seen_next(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    answer, take = database.kept.remember(NAME, tuple), database.kept._take
    rename(database, "One")

    def take_and_be_overtaken() -> Any:
        connection = take()
        connection.execute("BEGIN")
        connection.execute("SELECT name FROM site").fetchone()
        rename(database, "Two")
        return connection

    monkeypatch.setattr(database.kept, "_take", take_and_be_overtaken)
    assert answer() == ("One",)
    monkeypatch.undo()
    database.kept.close()
    assert answer() == ("Two",)


WRITE = """
import sys
from pathlib import Path
import sqlalchemy as sa
from storage.engine import Database

database = Database(Path(sys.argv[1]), readers=1)
first = int(sys.argv[3]) if len(sys.argv) > 3 else 0
for number in range(first, int(sys.argv[2])):
    with database.transaction() as db:
        db.execute(sa.text("UPDATE site SET name = :name"), {"name": f"{number}"})
    print(number, flush=True)
    if number % 50 == 0:
        database.empty_log(wait_seconds=0)
"""


def test_what_another_process_was_told_is_committed_is_seen(database: Database) -> None:
    answer = database.kept.remember(NAME, tuple)
    writing = [sys.executable, "-c", WRITE, str(database.path), "300"]
    with subprocess.Popen(writing, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        acknowledged = -1
        for line in process.stdout:
            acknowledged = int(line)
            found = answer()
            assert found is not None
            assert int(found[0]) >= acknowledged
    assert acknowledged == 299
    assert process.returncode == 0


def test_a_database_without_a_log_is_asked_each_time(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(sqlite.driver.connect(str(path), isolation_level=None)) as connection:
        assert connection.execute("PRAGMA journal_mode = DELETE").fetchone() == ("delete",)
        # What a crash left behind says nothing.
        path.with_name("byline.db-shm").write_bytes(commits._KNOWN_FORMAT + bytes(32 * 1024))
        database = Database(path, readers=1)
        asked, answer = counted(database, monkeypatch), database.kept.remember(NAME, tuple)
        for number in range(3):
            connection.execute("UPDATE site SET name = ?", (f"Name {number}",))
            assert answer() == (f"Name {number}",)
        assert len(asked) == 3
        database.close()


def unknown_format(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commits, "_KNOWN_FORMAT", b"new.")


def refuse(*_arguments: object, **_named: object) -> int:
    raise OSError(errno.EMFILE, "Too many open files")


def index_cannot_be_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "open", refuse)


def index_cannot_be_mapped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mmap, "mmap", refuse)


def nobody_says_what_is_mapped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commits, "_times_mapped", refuse)


@pytest.mark.parametrize(
    "spoil", [unknown_format, index_cannot_be_opened, index_cannot_be_mapped, nobody_says_what_is_mapped]
)
def test_where_it_cannot_be_known_it_is_asked_each_time(
    database: Database, monkeypatch: pytest.MonkeyPatch, spoil: Callable[[pytest.MonkeyPatch], None]
) -> None:
    answer = database.kept.remember(NAME, tuple)
    rename(database, "One")
    with monkeypatch.context() as patch:
        spoil(patch)
        before = open_descriptors()
        asked = counted(database, patch)
        for name in ("Two", "Three", "Four"):
            rename(database, name)
            assert answer() == (name,)
        assert len(asked) == 3
        # The connection that asks and the one that holds the database, with the log; the index, where it was opened.
        assert open_descriptors() <= before + 8
        for number in range(20):
            database.kept.close()
            rename(database, f"{number}")
            assert answer() == (f"{number}",)
        assert open_descriptors() <= before + 8
    database.kept.close()
    assert answer() == ("19",)
    assert database.kept._commits.mark() is not None


def test_a_link_to_a_database_is_followed_to_the_index_beside_it(tmp_path: Path, path: Path) -> None:
    link = tmp_path / "elsewhere" / "byline.db"
    link.parent.mkdir()
    link.symlink_to(path)
    # What was left beside the link by a server that was killed before the database was moved.
    link.with_name("byline.db-shm").write_bytes(commits._KNOWN_FORMAT + bytes(32 * 1024))
    database, writer = Database(link, readers=1), Database(path, readers=1)
    answer = database.kept.remember(NAME, tuple)
    for name in ("One", "Two", "Three"):
        rename(writer, name)
        assert answer() == (name,)
    assert database.kept._commits.mark() is not None
    database.close()
    writer.close()


def test_what_another_program_committed_while_it_was_closed_is_seen(database: Database) -> None:
    answer = database.kept.remember(NAME, tuple)
    for name in ("One", "Two", "Three"):
        answer()
        database.close()
        # The last one to leave takes the log away; the next index begins as this one did.
        with closing(sqlite.driver.connect(str(database.path), isolation_level=None)) as other:
            other.execute("UPDATE site SET name = ?", (name,))
        assert not database.path.with_name("byline.db-wal").exists()
        assert answer() == (name,)


def test_writers_that_are_killed_leave_nothing_stale(database: Database) -> None:
    answer, acknowledged = database.kept.remember(NAME, tuple), -1
    for _ in range(5):
        writing = [sys.executable, "-c", WRITE, str(database.path), "1000000", str(acknowledged + 1)]
        with subprocess.Popen(writing, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            for line in itertools.islice(process.stdout, 40):
                acknowledged = int(line)
                found = answer()
                assert found is not None
                assert int(found[0]) >= acknowledged
            process.kill()
            # What it had said when it died.
            for line in process.stdout:
                if line.endswith("\n"):
                    acknowledged = int(line)
        found = answer()
        assert found is not None
        assert int(found[0]) >= acknowledged


def test_it_does_not_wait_for_another_program(path: Path) -> None:
    database = Database(path, readers=1)
    answer = database.kept.remember(NAME, tuple)
    with another_program(path, "PRAGMA locking_mode = EXCLUSIVE;UPDATE site SET name = 'held'"):
        began = time.monotonic()
        with pytest.raises(Unread):
            answer()
        assert time.monotonic() - began < sqlite.BUSY_TIMEOUT_SECONDS / 2
    assert answer() == ("held",)
    database.close()


def locks_on(inode: int) -> set[str]:
    """This process's locks on a file, as the kernel lists them."""
    rows = [line.split() for line in Path("/proc/locks").read_text().splitlines()]
    return {" ".join(row[1:]) for row in rows if str(os.getpid()) in row and row[-3].rpartition(":")[2] == str(inode)}


def test_sqlites_locks_are_not_lost_by_it(database: Database, path: Path) -> None:
    with database.reading() as db:
        db.execute(NAME).all()
        inode = path.with_name("byline.db-shm").stat().st_ino
        held = locks_on(inode)
        assert held, "this machine does not list locks"
        for _ in range(3):
            marks = Commits(path)
            assert marks.mark()
            marks.close()
            del marks
            assert locks_on(inode) == held


def open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_an_index_that_was_deleted_under_sqlite_keeps_its_locks(database: Database, path: Path, tmp_path: Path) -> None:
    with database.reading() as db:
        db.execute(NAME).all()
        assert database.kept._commits.mark() is not None
        inode = path.with_name("byline.db-shm").stat().st_ino
        held = locks_on(inode)
        assert held
        path.with_name("byline.db-shm").unlink()
        upgrade(tmp_path / "other.db")
        other = Commits(tmp_path / "other.db")
        assert other.mark() is not None
        assert locks_on(inode) == held
        other.close()


def test_opened_again_it_is_mapped_once(database: Database) -> None:
    with database.reading():
        database.kept._commits.mark()
        before = open_descriptors()
        for _ in range(20):
            database.kept.close()
            assert database.kept._commits.mark() is not None
        assert open_descriptors() <= before


def test_descriptors_of_databases_that_are_gone_are_given_back(tmp_path: Path) -> None:
    def open_one(number: int) -> None:
        path = tmp_path / f"{number}.db"
        with closing(sqlite.driver.connect(str(path), isolation_level=None)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("CREATE TABLE t (a)")
            marks = Commits(path)
            assert marks.mark()
            marks.close()

    open_one(0)
    before = open_descriptors()
    for number in range(1, 30):
        open_one(number)
    assert open_descriptors() <= before + 2
