"""Every statement of the ledger."""

import json
from dataclasses import asdict
from typing import Any

import sqlalchemy as sa

from eventlog.ledger.model import Intent, intents_table

_INTENT = [intents_table.c[name] for name in Intent.__dataclass_fields__]


def find_intent(db: sa.Connection, call_id: str) -> Intent | None:
    """The intent of that call."""
    row = db.execute(sa.select(*_INTENT).where(intents_table.c.call_id == call_id)).one_or_none()
    return None if row is None else _to_intent(row)


def insert_intent(db: sa.Connection, intent: Intent, *, payload: str) -> None:
    """Store an intent; its call must be new."""
    db.execute(sa.insert(intents_table), asdict(intent) | {"payload": payload})


def conclude_intent(db: sa.Connection, call_id: str, *, outcome: str, note: str | None, at: int) -> None:
    """Say what became of it."""
    is_this = intents_table.c.call_id == call_id
    db.execute(sa.update(intents_table).where(is_this).values(outcome=outcome, note=note, concluded_at=at))


def list_open_intents(
    db: sa.Connection, *, session_id: str | None = None, operation: str | None = None
) -> list[Intent]:
    """Intents without an outcome, the oldest first."""
    query = sa.select(*_INTENT).where(intents_table.c.outcome.is_(None))
    if session_id is not None:
        query = query.where(intents_table.c.session_id == session_id)
    if operation is not None:
        query = query.where(intents_table.c.operation == operation)
    rows = db.execute(query.order_by(intents_table.c.recorded_at, intents_table.c.call_id))
    return [_to_intent(row) for row in rows]


def _to_intent(row: Any) -> Intent:
    return Intent(**dict(row._mapping) | {"payload": json.loads(row.payload)})
