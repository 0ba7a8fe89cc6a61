"""Every statement about sessions."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from auth.permissions import Role
from auth.sessions.events import SESSION_MOVED, SESSION_SIGNED_IN
from auth.sessions.model import (
    ABSOLUTE_LIMIT,
    IDLE_LIMIT,
    IDLE_LIMIT_UNREMEMBERED,
    Session,
    epochs_table,
    sessions_table,
)
from auth.users.model import users_table
from eventlog.log.model import events_table, log_sessions_table
from storage.prepared import Prepared

# `epoch.counter`; what else the log calls a session has another form.
_SIGN_IN_ID = r"^[0-9]+\.[0-9]+$"
_SESSION = [sessions_table.c[field] for field in Session.__dataclass_fields__]
SIGNED_IN = (
    sa.select(
        *_SESSION,
        users_table.c.username,
        users_table.c.display_name,
        users_table.c.role,
        users_table.c.time_zone,
        sa.case((users_table.c.newcomer_at > sessions_table.c.devices_seen_at, users_table.c.newcomer)),
    )
    .join(users_table, users_table.c.id == sessions_table.c.user_id)
    .where(sessions_table.c.digest == sa.bindparam("digest"), users_table.c.blocked_at.is_(None))
)
_ROLE = Prepared(
    sa.select(users_table.c.role)
    .join(sessions_table, sessions_table.c.user_id == users_table.c.id)
    .where(sessions_table.c.id == sa.bindparam("session_id"), users_table.c.blocked_at.is_(None))
)


class SignedIn(NamedTuple):
    """A session and whose it is."""

    session: Session
    username: str
    display_name: str
    role: Role
    time_zone: str | None
    newcomer: str | None  # who signed in as them since, in words


class Place(NamedTuple):
    """Where a page of a list ends."""

    last_seen_at: int
    id: str
    is_live: bool = True  # counts only where the live ones come first


class SessionRow(NamedTuple):
    """A sign-in session, and what the log knows of it."""

    id: str
    created_at: int
    last_seen_at: int
    event_count: int
    first_message: str
    is_live: int  # 1 or 0
    signed_in: str | None  # the payload of the event with which it began, as JSON


class Signed(NamedTuple):
    """The live sessions whose cookies one key has signed."""

    signed_with: str | None  # None: nobody knows which
    session_count: int
    ends_by: int  # the last of them, if none is seen again


def find_signed_in(db: sa.Connection, digest: str) -> SignedIn | None:
    """The session behind a whole id and its person, unless that person is blocked. One statement."""
    return to_signed_in(db.execute(SIGNED_IN, {"digest": digest}).one_or_none())


def to_signed_in(row: Sequence[Any] | None) -> SignedIn | None:
    """A row that `SIGNED_IN` has found, as it is."""
    if row is None:
        return None
    *session, username, display_name, role, time_zone, newcomer = row
    return SignedIn(Session(*session), username, display_name, Role(role), time_zone, newcomer)


def role_by_session(db: sa.Connection, session_id: str) -> Role | None:
    """The role of whose session it is; None when it has ended, or that person is blocked."""
    found = _ROLE.first(db, session_id=session_id)
    return None if found is None else Role(found[0])


def claim_epoch(db: sa.Connection, *, at: int) -> int:
    """A number that no other process has, had, or will have: later than every stored one and than the clock says.

    The clock (milliseconds) keeps it growing when an older copy of the database is restored.
    """
    last = db.execute(sa.select(sa.func.max(epochs_table.c.epoch))).scalar_one()
    epoch = max(at // 1000, (last or 0) + 1)
    db.execute(sa.insert(epochs_table).values(epoch=epoch, started_at=at))
    return int(epoch)


def insert_session(db: sa.Connection, session: Session, *, digest: str, signed_with: str | None) -> None:
    """The only INSERT: a sign-in."""
    values = {field: getattr(session, field) for field in Session.__dataclass_fields__}
    db.execute(sa.insert(sessions_table).values(**values, digest=digest, signed_with=signed_with))


def find_session(db: sa.Connection, digest: str) -> Session | None:
    """The session behind a whole id."""
    row = db.execute(sa.select(*_SESSION).where(sessions_table.c.digest == digest)).one_or_none()
    return None if row is None else Session(*row)


def touch_session(db: sa.Connection, session_id: str, *, at: int, unless_since: int, signed_with: str) -> bool:
    """Note that it was seen and which key signs its cookie, unless both are known, or it has ended meanwhile.

    It is known to be seen when it was since `unless_since`.
    """
    s = sessions_table.c
    is_due = sa.or_(s.last_seen_at <= unless_since, s.signed_with.is_distinct_from(signed_with))
    statement = (
        sa.update(sessions_table).where(s.id == session_id, is_due).values(last_seen_at=at, signed_with=signed_with)
    )
    return db.execute(statement).rowcount == 1


def delete_session(db: sa.Connection, digest: str) -> bool:
    """End one session; whether there was one."""
    return db.execute(sa.delete(sessions_table).where(sessions_table.c.digest == digest)).rowcount == 1


def delete_sessions_of(db: sa.Connection, user_id: int, *, except_id: str | None = None) -> list[str]:
    """End all sessions of a person, but the one named; the ids of those there were."""
    statement = sa.delete(sessions_table).where(sessions_table.c.user_id == user_id)
    if except_id is not None:
        statement = statement.where(sessions_table.c.id != except_id)
    return sorted(db.execute(statement.returning(sessions_table.c.id)).scalars())


def delete_expired_sessions_of(db: sa.Connection, user_id: int, *, at: int) -> None:
    """Forget a person's sessions that are past a limit."""
    db.execute(sa.delete(sessions_table).where(sessions_table.c.user_id == user_id, ~_is_live(at)))


def last_seen_by_user(db: sa.Connection) -> dict[int, int]:
    """When each person who has a session was last seen."""
    latest = sa.func.max(sessions_table.c.last_seen_at)
    return {row[0]: row[1] for row in db.execute(sa.select(sessions_table.c.user_id, latest).group_by("user_id"))}


def list_sessions_of(
    db: sa.Connection,
    user_id: int,
    actor: str,
    *,
    at: int,
    limit: int,
    before: Place | None,
    with_past: bool,
    live_first: bool = False,
) -> list[SessionRow]:
    """A person's live sessions, and with `with_past` also the ended ones that the log knows, the last seen first.

    `live_first`: all that are live, and then the others.
    """
    s, known = sessions_table.c, log_sessions_table.c
    # A row is touched once an hour at most; an event tells of a later moment.
    seen = sa.case((known.last_seen_at > s.last_seen_at, known.last_seen_at), else_=s.last_seen_at)
    count, first = sa.func.coalesce(known.event_count, 0), sa.func.coalesce(known.first_message, "")
    found: sa.Select[Any] | sa.CompoundSelect[Any] = (
        sa.select(
            s.id,
            s.created_at,
            seen.label("last_seen_at"),
            count.label("event_count"),
            first.label("first"),
            sa.literal(1).label("is_live"),
        )
        .join_from(sessions_table, log_sessions_table, known.session_id == s.id, isouter=True)
        .where(s.user_id == user_id, _is_live(at))
    )
    if with_past:
        past = sa.select(
            known.session_id,
            known.first_seen_at,
            known.last_seen_at,
            known.event_count,
            known.first_message,
            sa.literal(0),
        ).where(known.actor == actor, known.session_id.regexp_match(_SIGN_IN_ID), ~_is_still_live(at))
        found = sa.union_all(found, past)
    listed = found.subquery()
    e = events_table.c
    signed_in = (
        sa.select(e.payload)
        .where(e.session_id == listed.c.id, e.kind == SESSION_SIGNED_IN.name)
        .order_by(e.id)
        .limit(1)
        .scalar_subquery()
    )
    order: list[sa.ColumnElement[Any]] = [listed.c.last_seen_at, listed.c.id]
    place: list[int | str] = [] if before is None else [before.last_seen_at, before.id]
    if live_first:
        order = [listed.c.is_live, *order]
        place = [] if before is None else [int(before.is_live), *place]
    query = sa.select(*listed.c, signed_in).order_by(*(column.desc() for column in order)).limit(limit)
    if place:
        query = query.where(sa.tuple_(*order) < sa.tuple_(*place))
    return [SessionRow._make(row) for row in db.execute(query)]


def last_moves(db: sa.Connection, actor: str, session_ids: list[str]) -> dict[str, str | None]:
    """The payloads, as JSON, with which sessions of a person were last seen to have moved; those that have."""
    e = events_table.c
    is_one = sa.and_(e.actor == actor, e.kind == SESSION_MOVED.name, e.session_id.in_(session_ids))
    newest = sa.select(sa.func.max(e.id)).where(is_one).group_by(e.session_id)
    rows = db.execute(sa.select(e.session_id, e.payload).where(e.id.in_(newest)))
    return {row.session_id: row.payload for row in rows}


def last_place_of(db: sa.Connection, session_id: str) -> tuple[str | None] | None:
    """The payload, as JSON, of the event that last said where a session is; None where no event ever did."""
    e = events_table.c
    says_where = e.kind.in_([SESSION_SIGNED_IN.name, SESSION_MOVED.name])
    query = sa.select(e.payload).where(e.session_id == session_id, says_where).order_by(e.id.desc()).limit(1)
    row = db.execute(query).one_or_none()
    return None if row is None else (row.payload,)


def count_live_by_key(db: sa.Connection, *, at: int) -> list[Signed]:
    """The live sessions, by the key that signed their cookies."""
    s = sessions_table.c
    idle_end, end = s.last_seen_at + _idle_limit(), s.created_at + ABSOLUTE_LIMIT
    ends_at = sa.case((idle_end < end, idle_end), else_=end)
    query = sa.select(s.signed_with, sa.func.count(), sa.func.max(ends_at)).where(_is_live(at)).group_by(s.signed_with)
    return [Signed._make(row) for row in db.execute(query)]


def set_newcomer(db: sa.Connection, user_id: int, words: str, *, at: int) -> None:
    """Note who has signed in last."""
    statement = sa.update(users_table).where(users_table.c.id == user_id)
    db.execute(statement.values(newcomer=words, newcomer_at=at))


def note_newcomer_seen(db: sa.Connection, session_id: str) -> None:
    """Whoever has signed in until now is no news to that session any more, if it is still there."""
    newest = sa.select(users_table.c.newcomer_at).where(users_table.c.id == sessions_table.c.user_id).scalar_subquery()
    values = {"devices_seen_at": sa.func.coalesce(newest, sessions_table.c.devices_seen_at)}
    db.execute(sa.update(sessions_table).where(sessions_table.c.id == session_id).values(values))


def is_session_of(db: sa.Connection, session_id: str, *, user_id: int | None, at: int) -> bool:
    """Whether it is a live session of that person."""
    is_this = sa.and_(sessions_table.c.id == session_id, sessions_table.c.user_id == user_id, _is_live(at))
    return db.execute(sa.select(sessions_table.c.id).where(is_this)).first() is not None


def delete_session_of(db: sa.Connection, session_id: str, *, user_id: int | None) -> None:
    """End one session of that person."""
    is_this = sa.and_(sessions_table.c.id == session_id, sessions_table.c.user_id == user_id)
    db.execute(sa.delete(sessions_table).where(is_this))


def _is_live(at: int) -> sa.ColumnElement[bool]:
    """`Session.is_live`, as a condition."""
    s = sessions_table.c
    return sa.and_(s.last_seen_at + _idle_limit() > at, s.created_at + ABSOLUTE_LIMIT > at)


def _idle_limit() -> sa.ColumnElement[int]:
    return sa.case((sessions_table.c.is_remembered.is_(True), IDLE_LIMIT), else_=IDLE_LIMIT_UNREMEMBERED)


def _is_still_live(at: int) -> sa.ColumnElement[bool]:
    return sa.exists().where(sessions_table.c.id == log_sessions_table.c.session_id, _is_live(at))
