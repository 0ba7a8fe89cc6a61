"""Locks in a table of the database, for all processes of one site."""

import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from storage import clock
from storage.engine import Database
from storage.errors import Busy
from storage.locks.holding import HELD_SECONDS
from storage.schema import metadata

locks_table = sa.Table(
    "locks",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("token", sa.Text, nullable=False),
    sa.Column("held_until", sa.Integer, nullable=False, index=True),
)

_l = locks_table.c
_WAIT_SECONDS = 5.0


class TableLocks:
    """One row for each lock that is held; one that has run out counts as none."""

    def __init__(self, database: Database, *, held_seconds: float = HELD_SECONDS) -> None:
        self._database = database
        self._held = int(held_seconds * clock.SECOND)
        # However many ask at once, one of them waits for its turn to write: the other places are for pages.
        self._turn = threading.Lock()

    def take(self, name: str) -> str | None:
        """See `Locks`. Raises Busy and Full, as every writer does."""
        if self._is_held(name):
            return None
        token = secrets.token_urlsafe(16)
        with self._waiting():
            # Who came first may hold it by now, and then nothing has to be written to know it.
            if self._is_held(name):
                return None
            with self._database.transaction() as db:
                at = clock.now()
                # All that have run out, so that none is left behind by those who died.
                db.execute(sa.delete(locks_table).where(_l.held_until <= at))
                if db.execute(sa.select(_l.name).where(_l.name == name)).first() is not None:
                    return None
                db.execute(sa.insert(locks_table).values(name=name, token=token, held_until=at + self._held))
        return token

    def extend(self, name: str, token: str) -> bool:
        """See `Locks`. Raises Busy and Full likewise."""
        with self._waiting(), self._database.transaction(is_checked=False) as db:
            at = clock.now()
            is_mine = sa.and_(_l.name == name, _l.token == token, _l.held_until > at)
            return db.execute(sa.update(locks_table).where(is_mine).values(held_until=at + self._held)).rowcount == 1

    def release(self, name: str, token: str) -> bool:
        """See `Locks`. Raises Busy and Full likewise; it then runs out by itself."""
        with self._waiting(), self._database.transaction(is_checked=False) as db:
            # One that has run out is nobody's, and whoever asks learns that it did.
            is_mine = sa.and_(_l.name == name, _l.token == token, _l.held_until > clock.now())
            return db.execute(sa.delete(locks_table).where(is_mine)).rowcount == 1

    def _is_held(self, name: str) -> bool:
        with self._database.reading() as db:
            is_held = sa.and_(_l.name == name, _l.held_until > clock.now())
            return db.execute(sa.select(_l.name).where(is_held)).first() is not None

    @contextmanager
    def _waiting(self) -> Iterator[None]:
        if not self._turn.acquire(timeout=_WAIT_SECONDS):
            raise Busy("Too many locks are being written.")
        try:
            yield
        finally:
            self._turn.release()
