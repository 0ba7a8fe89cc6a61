"""Locks in a table of the database, for all processes of one site."""

import secrets

import sqlalchemy as sa

from storage import clock
from storage.engine import Database
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
_HELD = int(HELD_SECONDS * clock.SECOND)


class TableLocks:
    """One row for each lock that is held; one that has run out counts as none."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def take(self, name: str) -> str | None:
        """See `Locks`. Raises Busy and Full, as every writer does."""
        at, token = clock.now(), secrets.token_urlsafe(16)
        with self._database.transaction() as db:
            # All that have run out, so that none is left behind by those who died.
            db.execute(sa.delete(locks_table).where(_l.held_until <= at))
            if db.execute(sa.select(_l.name).where(_l.name == name)).first() is not None:
                return None
            db.execute(sa.insert(locks_table).values(name=name, token=token, held_until=at + _HELD))
        return token

    def extend(self, name: str, token: str) -> bool:
        """See `Locks`."""
        at = clock.now()
        is_mine = sa.and_(_l.name == name, _l.token == token, _l.held_until > at)
        with self._database.transaction(is_checked=False) as db:
            return db.execute(sa.update(locks_table).where(is_mine).values(held_until=at + _HELD)).rowcount == 1

    def release(self, name: str, token: str) -> bool:
        """See `Locks`."""
        is_mine = sa.and_(_l.name == name, _l.token == token)
        with self._database.transaction(is_checked=False) as db:
            # One that has run out is nobody's, and whoever asks learns that it did.
            is_live = db.execute(sa.select(_l.held_until).where(is_mine)).scalar_one_or_none()
            db.execute(sa.delete(locks_table).where(is_mine))
        return is_live is not None and is_live > clock.now()
