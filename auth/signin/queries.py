"""Every statement about signing in."""

from dataclasses import dataclass

import sqlalchemy as sa

from auth.signin.model import (
    ResetLink,
    known_places_table,
    reset_links_table,
    setup_links_table,
    signin_counters_table,
)
from auth.users.model import users_table

# A flood of names and addresses may fill this many rows, and then pushes out the oldest.
_MOST_COUNTERS = 50_000


@dataclass(frozen=True, slots=True)
class Counter:
    """Failures under one key."""

    key: str
    failure_count: int
    window_ends_at: int
    lock_count: int
    forget_at: int


_COUNTER = [signin_counters_table.c[field] for field in Counter.__dataclass_fields__]


def read_counters(db: sa.Connection, keys: list[str]) -> dict[str, Counter]:
    """The counters of those keys that have one."""
    rows = db.execute(sa.select(*_COUNTER).where(signin_counters_table.c.key.in_(keys)))
    return {row.key: Counter(*row) for row in rows}


def write_counter(db: sa.Connection, counter: Counter) -> None:
    """Store a counter, new or known."""
    values = {field: getattr(counter, field) for field in Counter.__dataclass_fields__}
    is_this = signin_counters_table.c.key == counter.key
    if db.execute(sa.update(signin_counters_table).where(is_this).values(**values)).rowcount == 0:
        db.execute(sa.insert(signin_counters_table).values(**values))


def delete_counters(db: sa.Connection, keys: list[str]) -> None:
    """Forget these."""
    db.execute(sa.delete(signin_counters_table).where(signin_counters_table.c.key.in_(keys)))


def sweep(db: sa.Connection, *, at: int) -> None:
    """Forget what is over, and the oldest of what is too much."""
    for table in (signin_counters_table, known_places_table):
        db.execute(sa.delete(table).where(table.c.forget_at <= at))
    forget_at = signin_counters_table.c.forget_at
    cut = sa.select(forget_at).order_by(forget_at.desc()).offset(_MOST_COUNTERS).limit(1).scalar_subquery()
    db.execute(sa.delete(signin_counters_table).where(forget_at <= cut))


def is_known_place(db: sa.Connection, key: str, *, at: int) -> bool:
    """Whether that person has signed in from there lately."""
    until = known_until(db, key)
    return until is not None and until > at


def known_until(db: sa.Connection, key: str) -> int | None:
    """When that place is to be forgotten; None: it is not known."""
    query = sa.select(known_places_table.c.forget_at).where(known_places_table.c.key == key)
    return db.execute(query).scalar_one_or_none()


def note_place(db: sa.Connection, key: str, *, forget_at: int) -> None:
    """Remember where somebody has signed in from."""
    is_this = known_places_table.c.key == key
    if db.execute(sa.update(known_places_table).where(is_this).values(forget_at=forget_at)).rowcount == 0:
        db.execute(sa.insert(known_places_table).values(key=key, forget_at=forget_at))


def replace_setup_link(db: sa.Connection, digest: str, *, at: int) -> None:
    """Only the newest link is good."""
    db.execute(sa.delete(setup_links_table))
    db.execute(sa.insert(setup_links_table).values(digest=digest, created_at=at))


def is_setup_link(db: sa.Connection, digest: str) -> bool:
    """Whether that link is good."""
    return (
        db.execute(sa.select(setup_links_table.c.digest).where(setup_links_table.c.digest == digest)).first()
        is not None
    )


def delete_setup_links(db: sa.Connection) -> None:
    """No link is good any more."""
    db.execute(sa.delete(setup_links_table))


def insert_reset_link(
    db: sa.Connection, *, digest: str, user_id: int, created_by: int | None, created_at: int, expires_at: int
) -> None:
    """Store a new one, which nobody has used yet."""
    row = {"digest": digest, "user_id": user_id, "created_by": created_by}
    db.execute(sa.insert(reset_links_table).values(**row, created_at=created_at, expires_at=expires_at))


def find_reset_link(db: sa.Connection, digest: str) -> ResetLink | None:
    """The link of that token, good or not."""
    query = (
        sa.select(users_table.c.username, reset_links_table.c.expires_at, reset_links_table.c.ended_at.is_not(None))
        .join_from(reset_links_table, users_table, users_table.c.id == reset_links_table.c.user_id)
        .where(reset_links_table.c.digest == digest)
    )
    row = db.execute(query).one_or_none()
    return None if row is None else ResetLink(*row)


def end_reset_link(db: sa.Connection, digest: str, *, at: int) -> bool:
    """Spend a link that is good; whether it was."""
    table = reset_links_table
    is_good = sa.and_(table.c.digest == digest, table.c.ended_at.is_(None), table.c.expires_at > at)
    return db.execute(sa.update(table).where(is_good).values(ended_at=at)).rowcount == 1


def end_reset_links_of(db: sa.Connection, user_id: int, *, at: int) -> None:
    """Whatever links that person has, none of them is good any more."""
    _end_reset_links(db, reset_links_table.c.user_id == user_id, at)


def end_reset_links_by(db: sa.Connection, user_id: int, *, at: int) -> None:
    """Whatever links that person has made, none of them is good any more."""
    _end_reset_links(db, reset_links_table.c.created_by == user_id, at)


def sweep_reset_links(db: sa.Connection, *, before: int) -> None:
    """Forget those that have been over since then."""
    db.execute(sa.delete(reset_links_table).where(reset_links_table.c.expires_at < before))


def _end_reset_links(db: sa.Connection, are_these: sa.ColumnElement[bool], at: int) -> None:
    are_good = sa.and_(are_these, reset_links_table.c.ended_at.is_(None))
    db.execute(sa.update(reset_links_table).where(are_good).values(ended_at=at))
