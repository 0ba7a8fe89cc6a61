"""Every statement of retention."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from eventlog.events import LOG_ERASURE_APPLIED
from eventlog.ledger.model import intents_table
from eventlog.log.model import event_log_table, events_table, log_sessions_table, subject_of_person

_e = events_table.c


def count_payloads(db: sa.Connection, *, before: int) -> int:
    """How many payloads are older than a moment."""
    query = sa.select(sa.func.count()).where(_e.occurred_at < before, _e.payload.is_not(None))
    return int(db.execute(query).scalar_one())


def empty_payloads(db: sa.Connection, *, before: int, limit: int) -> int:
    """Empty the payloads of the oldest events before a moment; how many there were."""
    ids = sa.select(_e.id).where(_e.occurred_at < before, _e.payload.is_not(None)).order_by(_e.occurred_at).limit(limit)
    return db.execute(sa.update(events_table).where(_e.id.in_(ids)).values(payload=None, salt=None)).rowcount


def empty_first_messages(db: sa.Connection, *, before: int, limit: int) -> int:
    """Empty the first messages of sessions that began before a moment; how many there were."""
    s = log_sessions_table.c
    ids = sa.select(s.session_id).where(s.first_seen_at < before, s.first_message != "").limit(limit)
    emptied = sa.update(log_sessions_table).where(s.session_id.in_(ids)).values(first_message="")
    return db.execute(emptied).rowcount


def empty_intents(db: sa.Connection, *, before: int, limit: int) -> int:
    """Empty what concluded operations said that were announced before a moment; how many there were."""
    i = intents_table.c
    ids = sa.select(i.call_id).where(i.outcome.is_not(None), i.recorded_at < before, _has_texts()).limit(limit)
    return db.execute(sa.update(intents_table).where(i.call_id.in_(ids)).values(payload="{}", note=None)).rowcount


def empty_payloads_of(db: sa.Connection, name: str, *, before_id: int, limit: int) -> int:
    """Empty payloads of events before that one that a person did, or that are about them; how many there were.

    What they themselves had emptied stays announced.
    """
    is_left = sa.and_(_e.id < before_id, _e.payload.is_not(None), _e.kind != LOG_ERASURE_APPLIED.name)
    whose = (_e.actor == name, _e.subject == subject_of_person(name))
    ids = sa.union(*(sa.select(_e.id).where(is_this, is_left) for is_this in whose)).limit(limit)
    emptied = sa.update(events_table).where(_e.id.in_(sa.select(ids.subquery().c.id))).values(payload=None, salt=None)
    return db.execute(emptied).rowcount


def empty_payloads_among(db: sa.Connection, _name: str, *, ids: Sequence[int], limit: int) -> int:
    """Empty payloads of these events; how many there were."""
    among = sa.select(sa.column("value", sa.Integer)).select_from(sa.func.json_each(json.dumps(ids)))
    left = sa.select(_e.id).where(_e.id.in_(among), _e.payload.is_not(None)).limit(limit)
    return db.execute(sa.update(events_table).where(_e.id.in_(left)).values(payload=None, salt=None)).rowcount


def list_naming(db: sa.Connection, name: str, *, fields: Mapping[str, str]) -> list[int]:
    """Ids of what others recorded of things that are a person's, such as a token: what names them in such a field.

    `fields`: by kind. Of a thing of which nobody else is named, all that others recorded, with details.
    """
    named: list[tuple[int, str | None]] = []
    for kind, field in fields.items():
        query = sa.select(_e.id, _e.subject).where(_e.kind == kind, _e.actor != name, _text_in(field) == name)
        named += [(row.id, row.subject) for row in db.execute(query)]
    ids = {event_id for event_id, _subject in named}
    for subject in {subject for _id, subject in named if subject is not None}:
        rows = db.execute(sa.select(_e.id, _e.kind, _e.actor, _e.payload).where(_e.subject == subject)).all()
        if all(row.id in ids for row in rows if row.kind in fields):
            ids |= {row.id for row in rows if row.actor != name and row.payload not in (None, "{}")}
    return sorted(ids)


def empty_first_messages_of(db: sa.Connection, name: str, *, limit: int) -> int:
    """Empty the first messages of a person's sessions; how many there were."""
    s = log_sessions_table.c
    ids = sa.select(s.session_id).where(s.actor == name, s.first_message != "").limit(limit)
    return db.execute(sa.update(log_sessions_table).where(s.session_id.in_(ids)).values(first_message="")).rowcount


def empty_intents_of(db: sa.Connection, name: str, *, limit: int) -> int:
    """Empty what concluded operations of a person said; how many there were."""
    i = intents_table.c
    ids = sa.select(i.call_id).where(i.actor == name, i.outcome.is_not(None), _has_texts()).limit(limit)
    return db.execute(sa.update(intents_table).where(i.call_id.in_(ids)).values(payload="{}", note=None)).rowcount


def _text_in(field: str) -> sa.ColumnElement[Any]:
    """What a payload holds there; NULL where it was emptied, or is none."""
    return sa.case((sa.func.json_valid(_e.payload), sa.func.json_extract(_e.payload, f'$."{field}"')))


def _has_texts() -> sa.ColumnElement[bool]:
    return (intents_table.c.payload != "{}") | intents_table.c.note.is_not(None)


def stored_retention_days(db: sa.Connection) -> int | None:
    """How many days payloads are kept; None: for ever."""
    days = db.execute(sa.select(event_log_table.c.retention_days)).scalar_one()
    return None if days is None else int(days)


def set_retention_days(db: sa.Connection, days: int | None) -> None:
    """Set how many days payloads are kept."""
    db.execute(sa.update(event_log_table).values(retention_days=days))
