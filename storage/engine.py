"""Connections and transactions: many readers, one writer, and no reader waiting behind a writer."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event, exc

from storage import sqlite
from storage.errors import Busy
from storage.kept import KeptConnections
from storage.readers import Readers
from storage.watching import refuse_forbidden

# One that writes and these that wait; whoever comes after is told to come back, so that threads remain for readers.
_WAITING_WRITERS = 8
# While a checkpoint waits for readers, nobody else can write.
_CHECKPOINT_SECONDS, _CHECKPOINT_PAUSE_SECONDS = 0.2, 0.1
_ERRORS = (exc.DBAPIError, sqlite.driver.DatabaseError)


class Database:
    """The database of one process. It opens nothing until it is used, and may not be used before the fork: SQLite
    forbids carrying connections across.

    Readers have a pool of their own. All writes of the process go through one connection, which is also the only one
    that checkpoints. `kept` is for small questions that may not wait. `check_writer`, where there is one, is asked at
    the beginning of each transaction, and raises what stands against it: nothing is written then.
    """

    def __init__(self, path: Path, *, readers: int, watch_statements: bool = False) -> None:
        self.path = path
        self.read_engine = _create_engine(path, writes=False, pool_size=readers, is_watched=watch_statements)
        self.write_engine = _create_engine(path, writes=True, pool_size=1, is_watched=watch_statements)
        self.kept = KeptConnections(path)
        self._readers = Readers(self.read_engine, most=readers, wait_seconds=sqlite.BUSY_TIMEOUT_SECONDS)
        self.check_writer: Callable[[sa.Connection], None] | None = None
        self._admission = threading.BoundedSemaphore(1 + _WAITING_WRITERS)
        self._turn = threading.Lock()
        self._writing_thread: int | None = None
        self._reads_once = watch_statements
        self._reading = threading.local()

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """One consistent snapshot to read from. Writing through it is refused by SQLite.

        Not within another one of the same thread, which might wait for itself: with `watch_statements` a RuntimeError.
        """
        if self._reads_once and getattr(self._reading, "is_open", False):
            raise RuntimeError("This thread reads already: pass its connection on.")
        self._reading.is_open = True
        try:
            connection = self._readers.take()
            try:
                # Below SQLAlchemy, which takes five times as long; what it executes is in this transaction too.
                driver_connection: Any = connection.connection.dbapi_connection
                driver_connection.execute("BEGIN")
                yield connection
                driver_connection.commit()
            except BaseException:
                # The pool sees to it that no transaction is left.
                connection.close()
                raise
            finally:
                self._readers.give_back(connection)
        except _ERRORS as error:
            _translate(error)
            raise
        finally:
            self._reading.is_open = False

    @contextmanager
    def transaction(
        self, *, wait_seconds: float = sqlite.BUSY_TIMEOUT_SECONDS, is_checked: bool = True
    ) -> Iterator[sa.Connection]:
        """Read and write in one transaction, committed and synced when the block ends, rolled back when it raises.

        Raises Busy when the turn to write did not come within `wait_seconds`, Full when the disk takes no more, and
        what `check_writer` raises; that is not asked (`is_checked=False`) by what only notes how something has ended.
        """
        with self._turn_to_write(wait_seconds) as connection, connection.begin():
            if is_checked and self.check_writer is not None:
                self.check_writer(connection)
            yield connection

    def empty_log(self, *, wait_seconds: float) -> bool:
        """Take the write-ahead log into the database and cut it to nothing: what was erased is then gone from it too.

        False when somebody read an older state for so long. Other writers wait a fraction of a second for each try.
        """
        deadline = time.monotonic() + wait_seconds
        while True:
            with self._turn_to_write(_CHECKPOINT_SECONDS) as connection:
                is_held = _checkpoint(connection)
            if not is_held or time.monotonic() >= deadline:
                return not is_held
            time.sleep(_CHECKPOINT_PAUSE_SECONDS)

    @contextmanager
    def _turn_to_write(self, wait_seconds: float) -> Iterator[sa.Connection]:
        if self._writing_thread == threading.get_ident():
            raise RuntimeError("A transaction is open already in this thread: pass its connection on.")
        if not self._admission.acquire(blocking=False):
            raise Busy("Too many writers are waiting.")
        try:
            deadline = time.monotonic() + wait_seconds
            if not self._turn.acquire(timeout=wait_seconds):
                raise Busy("Another request was writing for too long.")
            self._writing_thread = threading.get_ident()
            try:
                with translated_errors(), self.write_engine.connect() as connection:
                    _set_busy_timeout(connection, deadline - time.monotonic())
                    yield connection
            finally:
                self._writing_thread = None
                self._turn.release()
        finally:
            self._admission.release()

    def close(self) -> None:
        """Release every connection."""
        self._readers.close()
        self.read_engine.dispose()
        self.write_engine.dispose()
        self.kept.close()


@contextmanager
def translated_errors() -> Iterator[None]:
    """Raise Busy, Full and Damaged in place of SQLAlchemy's and the driver's errors of those kinds; others pass."""
    try:
        yield
    except _ERRORS as error:
        _translate(error)
        raise


def _translate(error: Exception) -> None:
    """Raise what it is called on this floor; return where it has no name here."""
    refusal = sqlite.refusal_for(getattr(error, "orig", None) or error)
    if refusal is not None:
        raise refusal from error


def _create_engine(path: Path, *, writes: bool, pool_size: int, is_watched: bool) -> sa.Engine:
    engine = sa.create_engine(
        sa.URL.create("sqlite", database=str(path)),
        module=sqlite.driver,
        pool_size=pool_size,
        # There are never more than whoever reads or writes is let in for, so nobody waits here.
        max_overflow=0,
        pool_timeout=0,
        # The text of an error ends in the log; what a statement carries may be a password's hash or a draft.
        hide_parameters=True,
        execution_options={"is_watched": is_watched},
    )
    begin = "BEGIN IMMEDIATE" if writes else "BEGIN"

    @event.listens_for(engine, "connect")
    def prepare(connection: object, _record: object) -> None:
        sqlite.prepare(connection, writes=writes)

    @event.listens_for(engine, "begin")
    def begin_in_words(connection: sa.Connection) -> None:
        driver_connection: Any = connection.connection.dbapi_connection
        # `Database.reading` has begun it already.
        if writes or not driver_connection.in_transaction:
            driver_connection.execute(begin)

    if is_watched:
        event.listen(engine, "before_cursor_execute", _refuse_forbidden)
    return engine


def _set_busy_timeout(connection: sa.Connection, seconds: float) -> None:
    # Below SQLAlchemy, whose first statement would already begin the transaction.
    _driver_cursor(connection).execute(f"PRAGMA busy_timeout = {max(0, int(seconds * 1000))}")


def _checkpoint(connection: sa.Connection) -> bool:
    """Whether somebody held it back. Below SQLAlchemy, whose first statement would begin a transaction."""
    try:
        (is_held, *_pages) = _driver_cursor(connection).execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    except sqlite.driver.DatabaseError as error:
        raise sqlite.refusal_for(error) or error from error
    return bool(is_held)


def _driver_cursor(connection: sa.Connection) -> Any:
    driver_connection = connection.connection.dbapi_connection
    assert driver_connection is not None
    return driver_connection.cursor()


def _refuse_forbidden(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
    refuse_forbidden(statement)
