"""Every statement of retention."""

import sqlalchemy as sa

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
    """Empty payloads of events before that one that a person did, or that are about them; how many there were."""
    is_left = sa.and_(_e.id < before_id, _e.payload.is_not(None))
    whose = (_e.actor == name, _e.subject == subject_of_person(name))
    ids = sa.union(*(sa.select(_e.id).where(is_this, is_left) for is_this in whose)).limit(limit)
    emptied = sa.update(events_table).where(_e.id.in_(sa.select(ids.subquery().c.id))).values(payload=None, salt=None)
    return db.execute(emptied).rowcount


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


def _has_texts() -> sa.ColumnElement[bool]:
    return (intents_table.c.payload != "{}") | intents_table.c.note.is_not(None)


def stored_retention_days(db: sa.Connection) -> int | None:
    """How many days payloads are kept; None: for ever."""
    days = db.execute(sa.select(event_log_table.c.retention_days)).scalar_one()
    return None if days is None else int(days)


def set_retention_days(db: sa.Connection, days: int | None) -> None:
    """Set how many days payloads are kept."""
    db.execute(sa.update(event_log_table).values(retention_days=days))
