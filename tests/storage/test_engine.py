"""Connections and transactions: what is committed stays, who must wait waits, and readers never do."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from storage import sqlite
from storage.engine import Database
from storage.errors import Busy, Damaged, Full
from storage.prepared import Prepared
from storage.upgrading import upgrade
from storage.watching import forbid_statements
from tests.folders import another_program

RENAME = sa.text("UPDATE site SET name = :name")
NAME = sa.text("SELECT name FROM site")
PREPARED = Prepared(sa.select(sa.column("name")).select_from(sa.table("site")))


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    path = tmp_path / "byline.db"
    upgrade(path)
    made = Database(path, readers=4)
    with made.transaction() as db:
        db.execute(RENAME, {"name": "Byline"})
    yield made
    made.close()


def name_in(database: Database) -> str:
    with database.reading() as db:
        return str(db.execute(NAME).scalar_one())


def name_by_sqlalchemy(db: sa.Connection) -> str:
    return str(db.execute(NAME).scalar_one())


def name_by_driver(db: sa.Connection) -> str:
    [(name,)] = PREPARED.all(db)
    return str(name)


WAYS = [name_by_sqlalchemy, name_by_driver]


def pragma(db: sa.Connection, name: str) -> Any:
    return db.exec_driver_sql(f"PRAGMA {name}").scalar_one()


# How connections are set up


def test_the_sqlite_in_use_may_have_several_writers() -> None:
    assert sqlite.allows_many_writers()
    assert tuple(int(part) for part in sqlite.version().split(".")) >= (3, 51, 3)


def test_what_is_written_is_synced_at_every_commit_and_what_is_deleted_is_overwritten(database: Database) -> None:
    with database.transaction() as db:
        assert pragma(db, "journal_mode") == "wal"
        assert pragma(db, "synchronous") == 2  # FULL
        assert pragma(db, "secure_delete") == 1
        assert pragma(db, "foreign_keys") == 1


def test_readers_wait_five_seconds_at_most_and_cannot_write(database: Database) -> None:
    with database.reading() as db:
        assert pragma(db, "query_only") == 1
        assert pragma(db, "foreign_keys") == 1
        assert pragma(db, "busy_timeout") == 5000
        with pytest.raises(sa.exc.OperationalError, match="readonly"):
            db.execute(RENAME, {"name": "Written"})
    assert name_in(database) == "Byline"


def test_every_connection_of_the_pools_is_set_up(database: Database) -> None:
    all_are_in_use = threading.Barrier(4)

    def settings() -> tuple[Any, ...]:
        with database.reading() as db:
            all_are_in_use.wait(10)
            return tuple(pragma(db, name) for name in ("query_only", "foreign_keys", "busy_timeout"))

    with ThreadPoolExecutor(4) as pool:
        assert {each.result(20) for each in [pool.submit(settings) for _ in range(4)]} == {(1, 1, 5000)}


# Transactions


def test_a_transaction_holds_the_lock_from_its_first_moment(database: Database) -> None:
    # Begun as a reader, it would fail at its first write with nothing to wait for, whatever the timeout (trap 5).
    other = sqlite.driver.connect(str(database.path), isolation_level=None, timeout=0)
    with database.transaction(), pytest.raises(sqlite.driver.OperationalError) as refused:
        other.execute("BEGIN IMMEDIATE")
    assert isinstance(sqlite.refusal_for(refused.value), Busy)
    other.execute("BEGIN IMMEDIATE")
    other.close()


def test_reading_before_writing_does_not_fail_when_another_process_writes_meanwhile(database: Database) -> None:
    other = Database(database.path, readers=1)
    has_read = threading.Event()

    def overtake() -> None:
        has_read.wait(10)
        with other.transaction() as db:
            db.execute(RENAME, {"name": db.execute(NAME).scalar_one() + " and theirs"})

    with ThreadPoolExecutor(1) as pool:
        overtaking = pool.submit(overtake)
        with database.transaction() as db:
            name = db.execute(NAME).scalar_one()
            has_read.set()
            db.execute(RENAME, {"name": f"{name} and ours"})
        overtaking.result(10)
    other.close()
    assert name_in(database) == "Byline and ours and theirs"


def test_an_exception_leaves_nothing_written_and_no_lock(database: Database) -> None:
    with pytest.raises(ZeroDivisionError):
        _write_half(database)
    assert name_in(database) == "Byline"
    other = sqlite.driver.connect(str(database.path), isolation_level=None, timeout=0)
    other.execute("BEGIN IMMEDIATE")
    other.close()


def _write_half(database: Database) -> None:
    with database.transaction() as db:
        db.execute(RENAME, {"name": "Half"})
        _ = 1 / 0


@pytest.mark.parametrize("ask", WAYS)
def test_a_reader_that_failed_sees_what_is_new_the_next_time(
    database: Database, ask: Callable[[sa.Connection], str]
) -> None:
    single = Database(database.path, readers=1)
    with pytest.raises(ZeroDivisionError):
        _read_half(single, ask)
    with database.transaction() as db:
        db.execute(RENAME, {"name": "Newer"})
    assert name_in(single) == "Newer"
    single.close()


def _read_half(database: Database, ask: Callable[[sa.Connection], str]) -> None:
    with database.reading() as db:
        ask(db)
        _ = 1 / 0


class _FailingOnce(sqlite.driver.Connection):
    """A connection of the driver's whose first end of a transaction fails."""

    has_failed = False

    def commit(self) -> None:
        if not self.has_failed:
            self.has_failed = True
            raise sqlite.driver.OperationalError("disk I/O error")
        super().commit()


@pytest.mark.parametrize("ask", WAYS)
def test_a_reader_whose_end_failed_leaves_nothing_open(
    database: Database, ask: Callable[[sa.Connection], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    single = Database(database.path, readers=1)
    connect = partial(sqlite.driver.connect, factory=_FailingOnce)
    monkeypatch.setattr(single.read_engine.dialect, "connect", lambda *args, **more: connect(*args, **more))
    with pytest.raises(sqlite.driver.OperationalError), single.reading() as db:
        ask(db)
    with database.transaction() as db:
        db.execute(RENAME, {"name": "Newer"})
    assert name_in(single) == "Newer"
    single.close()


def test_a_writer_never_ends_what_another_has_begun(database: Database) -> None:
    with database.write_engine.connect() as connection:
        left_open: Any = connection.connection.dbapi_connection
    # Taken back into the pool, it is begun behind its back.
    left_open.execute("BEGIN IMMEDIATE")
    left_open.execute("UPDATE site SET name = 'Half'")
    with pytest.raises(sqlite.driver.OperationalError, match="within a transaction"), database.transaction():
        pass
    assert name_in(database) == "Byline"


@pytest.mark.parametrize("then", WAYS)
@pytest.mark.parametrize("first", WAYS)
def test_a_reader_keeps_its_snapshot_to_the_end_however_it_asks(
    database: Database, first: Callable[[sa.Connection], str], then: Callable[[sa.Connection], str]
) -> None:
    single = Database(database.path, readers=1)
    with single.reading() as reader:
        assert first(reader) == "Byline"
        with database.transaction() as db:
            db.execute(RENAME, {"name": "Newer"})
        assert then(reader) == "Byline"
    assert name_in(single) == "Newer"
    single.close()


def test_a_transaction_inside_a_transaction_is_a_mistake_that_is_named(database: Database) -> None:
    with pytest.raises(RuntimeError, match="open already"), database.transaction(), database.transaction():
        pass
    with database.transaction() as db:
        db.execute(RENAME, {"name": "Afterwards"})
    assert name_in(database) == "Afterwards"


def test_foreign_keys_are_kept(database: Database) -> None:
    orphan = "INSERT INTO post_tags (tag, post_id) VALUES ('a', 'nobody')"
    with pytest.raises(sa.exc.IntegrityError), database.transaction() as db:
        db.exec_driver_sql(orphan)


def test_what_a_failed_statement_carried_is_not_in_the_text_of_the_error(database: Database) -> None:
    # It ends in the log, and may be a password's hash or somebody's draft.
    twice = sa.text("INSERT INTO epochs (epoch, started_at) VALUES (1, :at), (1, :at)")
    with pytest.raises(sa.exc.IntegrityError) as refused, database.transaction() as db:
        db.execute(twice, {"at": "a secret"})
    assert "a secret" not in str(refused.value)


def test_closing_leaves_one_file(database: Database) -> None:
    with database.transaction() as db:
        db.execute(RENAME, {"name": "Closed"})
    assert name_in(database) == "Closed"
    database.close()
    assert [path.name for path in database.path.parent.iterdir()] == ["byline.db"]


# Waiting


def test_readers_go_on_while_another_program_writes(database: Database) -> None:
    with another_program(database.path):
        began = time.monotonic()
        assert name_in(database) == "Byline"
        assert time.monotonic() - began < 1


def test_a_writer_waits_for_another_program_as_long_as_it_was_told(database: Database) -> None:
    with another_program(database.path):
        began = time.monotonic()
        with pytest.raises(Busy), database.transaction(wait_seconds=0.5):
            pass
        waited = time.monotonic() - began
    assert 0.5 <= waited < 2
    with database.transaction() as db:
        db.execute(RENAME, {"name": "Afterwards"})
    assert name_in(database) == "Afterwards"


def test_a_writer_waits_for_its_turn_as_long_as_it_was_told(database: Database) -> None:
    entered, leave = threading.Event(), threading.Event()

    def hold() -> None:
        with database.transaction():
            entered.set()
            leave.wait(20)

    with ThreadPoolExecutor(1) as pool:
        holding = pool.submit(hold)
        assert entered.wait(10)
        began = time.monotonic()
        with pytest.raises(Busy), database.transaction(wait_seconds=0.5):
            pass
        waited = time.monotonic() - began
        with pytest.raises(Busy), database.transaction(wait_seconds=0):
            pass
        leave.set()
        holding.result(10)
    assert 0.5 <= waited < 2


def test_one_writes_eight_wait_the_surplus_is_told_at_once_and_readers_wait_for_none_of_them(
    database: Database,
) -> None:
    refused: list[float] = []
    all_surplus_refused = threading.Event()

    def write(number: int) -> bool:
        began = time.monotonic()
        try:
            with database.transaction(wait_seconds=30) as db:
                db.execute(sa.text("INSERT INTO epochs (epoch, started_at) VALUES (:n, 0)"), {"n": number})
        except Busy:
            refused.append(time.monotonic() - began)
            if len(refused) == 11:
                all_surplus_refused.set()
            return False
        return True

    with ThreadPoolExecutor(20) as pool, another_program(database.path):
        writing = [pool.submit(write, number) for number in range(20)]
        assert all_surplus_refused.wait(10)
        began = time.monotonic()
        with ThreadPoolExecutor(4) as readers:
            assert {each.result(10) for each in [readers.submit(name_in, database) for _ in range(20)]} == {"Byline"}
        reading_took = time.monotonic() - began
    stored = [each.result(30) for each in writing]
    assert sum(stored) == 9
    assert max(refused) < 1
    assert reading_took < 1
    with database.reading() as db:
        assert db.exec_driver_sql("SELECT count(*) FROM epochs").scalar_one() == 9


# A disk that is full, a file that is damaged


def test_when_the_disk_is_full_nothing_is_written_and_reading_goes_on(database: Database) -> None:
    _limit_pages(database, to=0)
    with pytest.raises(Full), database.transaction() as db:
        db.exec_driver_sql("UPDATE site SET name = 'Half', tagline = hex(zeroblob(1000000))")
    assert name_in(database) == "Byline"
    _limit_pages(database, to=1_000_000)
    with database.transaction() as db:
        db.execute(RENAME, {"name": "Room again"})
    assert name_in(database) == "Room again"
    with database.reading() as db:
        assert pragma(db, "integrity_check") == "ok"


def test_a_damaged_page_is_called_damage(database: Database) -> None:
    with database.transaction() as db:
        root = db.exec_driver_sql("SELECT rootpage FROM sqlite_master WHERE name = 'site'").scalar_one()
    database.close()
    with database.path.open("r+b") as file:
        file.seek((root - 1) * 4096)
        file.write(os.urandom(4096))
    damaged = Database(database.path, readers=1)
    with pytest.raises(Damaged):
        name_in(damaged)
    damaged.close()


def _limit_pages(database: Database, *, to: int) -> None:
    with database.write_engine.connect() as connection:
        driver_connection = connection.connection.dbapi_connection
        assert driver_connection is not None
        driver_connection.cursor().execute(f"PRAGMA max_page_count = {to or 1}")


def test_a_reading_inside_a_reading_is_named_where_somebody_watches(database: Database) -> None:
    """Whoever holds a connection and waits for another one may wait for himself."""
    watching = Database(database.path, readers=2, watch_statements=True)
    with pytest.raises(RuntimeError, match="reads already"), watching.reading(), watching.reading():
        pass
    with watching.reading() as db:
        assert db.execute(NAME).scalar_one() == "Byline"
    watching.close()


# Building a page reads nothing


def test_a_forbidden_statement_is_raised_where_somebody_watches(database: Database) -> None:
    watching = Database(database.path, readers=1, watch_statements=True)
    with watching.reading() as db:
        sentence = "issued while a page was built: SELECT name FROM site"
        with pytest.raises(RuntimeError, match=sentence), forbid_statements("while a page was built"):
            db.execute(NAME)
        assert db.execute(NAME).scalar_one() == "Byline"
    watching.close()
    with database.reading() as db, forbid_statements("while a page was built"):
        assert db.execute(NAME).scalar_one() == "Byline"


def test_what_one_thread_must_not_do_another_may(database: Database) -> None:
    watching = Database(database.path, readers=2, watch_statements=True)
    with forbid_statements("here"), ThreadPoolExecutor(1) as pool:
        assert pool.submit(name_in, watching).result(10) == "Byline"
    watching.close()
