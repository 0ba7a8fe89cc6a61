"""Every statement of the log."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from itertools import pairwise
from typing import Any

import sqlalchemy as sa

from eventlog.log.model import Event, PastSession, event_log_table, events_table, log_sessions_table
from storage.prepared import Prepared

_e = events_table.c
_EVENT = [_e[name] for name in Event.__dataclass_fields__]
_PAYLOAD = list(Event.__dataclass_fields__).index("payload")
_s = log_sessions_table.c
_SESSION = [_s[name] for name in PastSession.__dataclass_fields__]

# What appending needs, put together once: that costs more than to run it.
_LAST_LINK = Prepared(sa.select(_e.id, _e.digest).order_by(_e.id.desc()).limit(1))
_COUNT_EVENT = (
    sa.update(log_sessions_table)
    .where(_s.session_id == sa.bindparam("this_session"))
    .values(
        # A clock that jumped back does not make a session younger.
        last_seen_at=sa.case((_s.last_seen_at < sa.bindparam("at"), sa.bindparam("at")), else_=_s.last_seen_at),
        event_count=_s.event_count + 1,
        first_message=sa.case((_s.first_message == "", sa.bindparam("message")), else_=_s.first_message),
    )
)

_TOGETHER = {"actor", "kind"}  # columns that have an index of both
# Beyond this, a filter counts as common, and how common it is makes no difference.
_COMMON = 10_000


def last_link(db: sa.Connection) -> tuple[int, str] | None:
    """Id and digest of the newest event."""
    row = _LAST_LINK.first(db)
    return None if row is None else (row[0], row[1])


def insert_event(db: sa.Connection, event: Event, *, payload: str, salt: str) -> None:
    """Store an event; its id must be the next one."""
    values = {name: getattr(event, name) for name in Event.__dataclass_fields__}
    db.execute(sa.insert(events_table), values | {"payload": payload, "salt": salt})


def count_event(db: sa.Connection, event: Event, *, first_message: str) -> None:
    """Keep the row of the event's session."""
    values = {"this_session": event.session_id, "at": event.occurred_at, "message": first_message}
    if db.execute(_COUNT_EVENT, values).rowcount == 0:
        row = PastSession(event.session_id, event.actor, event.occurred_at, event.occurred_at, 1, first_message)
        db.execute(sa.insert(log_sessions_table), asdict(row))


def list_payloads(db: sa.Connection, kind: str) -> list[tuple[int, str]]:
    """Ids and payloads, as they are stored, of all events of a kind whose payloads were not emptied."""
    rows = db.execute(sa.select(_e.id, _e.payload).where(_e.kind == kind, _e.payload.is_not(None)))
    return [(row.id, row.payload) for row in rows]


def has_session(db: sa.Connection, session_id: str) -> bool:
    """Whether anything was recorded under it."""
    return db.execute(sa.select(_s.session_id).where(_s.session_id == session_id)).first() is not None


def list_events(
    db: sa.Connection, *conditions: sa.ColumnElement[bool], limit: int | None, newest_first: bool = False
) -> list[Event]:
    """Events in the order of their ids."""
    order = _e.id.desc() if newest_first else _e.id
    query = sa.select(*_EVENT).where(*conditions).order_by(order).limit(limit)
    return [_to_event(row) for row in db.execute(query)]


def matching(db: sa.Connection, values: Mapping[str, str]) -> list[sa.ColumnElement[bool]]:
    """Conditions for events whose columns have these values, to be found by the index of the rarest one.

    The database knows nothing of how the values are spread, so it is told: the other columns are no columns to it.
    """
    lead = next(iter(values), "")
    if len(values) > 1:
        rows = {name: sa.select(_e.id).where(_e[name] == value).limit(_COMMON) for name, value in values.items()}
        counts = [sa.select(sa.func.count()).select_from(r.subquery()).scalar_subquery() for r in rows.values()]
        found = db.execute(sa.select(*counts)).one()
        lead = min(zip(found, values, strict=True), key=lambda pair: pair[0])[1]
    leads = _TOGETHER if lead in _TOGETHER else {lead}
    return [(_e[name] if name in leads else _e[name].concat("")) == value for name, value in values.items()]


def within(start: int, end: int) -> list[sa.ColumnElement[bool]]:
    """Conditions for events from `start` until before `end`, found by their ids, which grow nearly as time does."""
    same = events_table.alias()
    ids = sa.select(sa.func.min(same.c.id), sa.func.max(same.c.id))
    ids = ids.where(same.c.occurred_at >= start, same.c.occurred_at < end)
    first, last = (ids.with_only_columns(column).scalar_subquery() for column in ids.selected_columns)
    at = _e.occurred_at + 0  # not by the index of times: it would have to sort what it finds
    return [_e.id >= first, _e.id <= last, at >= start, at < end]


def count_between(
    db: sa.Connection, conditions: Sequence[sa.ColumnElement[bool]], boundaries: Sequence[int]
) -> list[int]:
    """How many events that meet the conditions lie between each boundary and the next, by one statement."""
    counts = []
    for number, (start, end) in enumerate(pairwise(boundaries)):
        # Without other conditions the index of times answers alone.
        spans = within(start, end) if conditions else [_e.occurred_at >= start, _e.occurred_at < end]
        query = sa.select(sa.literal(number), sa.func.count()).select_from(events_table)
        counts.append(query.where(*conditions, *spans))
    found = {row[0]: int(row[1]) for row in db.execute(sa.union_all(*counts))}
    return [found[number] for number in range(len(counts))]


def list_sessions(db: sa.Connection, *, limit: int | None, actor: str | None = None) -> list[PastSession]:
    """Sessions, the last seen first."""
    query = sa.select(*_SESSION)
    if actor is not None:
        query = query.where(_s.actor == actor)
    query = query.order_by(_s.last_seen_at.desc(), _s.session_id.desc()).limit(limit)
    return [PastSession(*row) for row in db.execute(query)]


def list_links(db: sa.Connection, *, since: int, limit: int) -> Sequence[Any]:
    """What verifying needs of each event: its columns as they are stored, the salt included."""
    return db.execute(sa.select(*_EVENT, _e.salt).where(_e.id > since).order_by(_e.id).limit(limit)).all()


def stored_schema_version(db: sa.Connection) -> int:
    """The form that the log was last written in."""
    return int(db.execute(sa.select(event_log_table.c.schema_version)).scalar_one())


def _to_event(row: Any) -> Event:
    values = list(row)
    values[_PAYLOAD] = None if row.payload is None else json.loads(row.payload)
    return Event(*values)
