"""Every statement about sessions."""

from typing import NamedTuple

import sqlalchemy as sa

from auth.permissions import Role
from auth.sessions.model import ABSOLUTE_LIMIT, Session, epochs_table, sessions_table
from auth.users.model import users_table

_SESSION = [sessions_table.c[field] for field in Session.__dataclass_fields__]
_SIGNED_IN = (
    sa.select(*_SESSION, users_table.c.username, users_table.c.display_name, users_table.c.role)
    .join(users_table, users_table.c.id == sessions_table.c.user_id)
    .where(sessions_table.c.digest == sa.bindparam("digest"), users_table.c.blocked_at.is_(None))
)


class SignedIn(NamedTuple):
    """A session and whose it is."""

    session: Session
    username: str
    display_name: str
    role: Role


def find_signed_in(db: sa.Connection, digest: str) -> SignedIn | None:
    """The session behind a whole id and its person, unless that person is blocked. One statement."""
    row = db.execute(_SIGNED_IN, {"digest": digest}).one_or_none()
    if row is None:
        return None
    *session, username, display_name, role = row
    return SignedIn(Session(*session), username, display_name, Role(role))


def claim_epoch(db: sa.Connection, *, at: int) -> int:
    """A number that no other process has, had, or will have: later than every stored one and than the clock says.

    The clock (milliseconds) keeps it growing when an older copy of the database is restored.
    """
    last = db.execute(sa.select(sa.func.max(epochs_table.c.epoch))).scalar_one()
    epoch = max(at // 1000, (last or 0) + 1)
    db.execute(sa.insert(epochs_table).values(epoch=epoch, started_at=at))
    return int(epoch)


def insert_session(db: sa.Connection, session: Session, *, digest: str) -> None:
    """The only INSERT: a sign-in."""
    values = {field: getattr(session, field) for field in Session.__dataclass_fields__}
    db.execute(sa.insert(sessions_table).values(**values, digest=digest))


def find_session(db: sa.Connection, digest: str) -> Session | None:
    """The session behind a whole id."""
    row = db.execute(sa.select(*_SESSION).where(sessions_table.c.digest == digest)).one_or_none()
    return None if row is None else Session(*row)


def touch_session(db: sa.Connection, session_id: str, *, at: int, unless_since: int) -> bool:
    """Note that it was seen, unless it was seen since `unless_since`, or has ended meanwhile."""
    statement = (
        sa.update(sessions_table)
        .where(sessions_table.c.id == session_id, sessions_table.c.last_seen_at <= unless_since)
        .values(last_seen_at=at)
    )
    return db.execute(statement).rowcount == 1


def delete_session(db: sa.Connection, digest: str) -> bool:
    """End one session; whether there was one."""
    return db.execute(sa.delete(sessions_table).where(sessions_table.c.digest == digest)).rowcount == 1


def delete_sessions_of(db: sa.Connection, user_id: int, *, except_id: str | None = None) -> int:
    """End all sessions of a person, but the one named; how many there were."""
    statement = sa.delete(sessions_table).where(sessions_table.c.user_id == user_id)
    if except_id is not None:
        statement = statement.where(sessions_table.c.id != except_id)
    return db.execute(statement).rowcount


def delete_expired_sessions_of(db: sa.Connection, user_id: int, *, at: int) -> None:
    """Forget a person's sessions that are past the absolute limit."""
    is_over = sessions_table.c.created_at <= at - ABSOLUTE_LIMIT
    db.execute(sa.delete(sessions_table).where(sessions_table.c.user_id == user_id, is_over))


def last_seen_by_user(db: sa.Connection) -> dict[int, int]:
    """When each person who has a session was last seen."""
    latest = sa.func.max(sessions_table.c.last_seen_at)
    return {row[0]: row[1] for row in db.execute(sa.select(sessions_table.c.user_id, latest).group_by("user_id"))}
