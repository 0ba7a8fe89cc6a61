"""Disposing of an operation that was announced and never concluded: a person says what became of it."""

import sqlalchemy as sa

from eventlog.actors import Actor
from eventlog.events import OPERATION_DISPOSED
from eventlog.ledger import queries
from eventlog.ledger.announcing import Outcome, record_outcome
from eventlog.ledger.model import Intent
from eventlog.log.appending import append_event
from web.errors import Conflict, Invalid, NotFound


def find_operation(db: sa.Connection, call_id: str) -> Intent:
    """The operation of that call. Raises NotFound."""
    intent = queries.find_intent(db, call_id)
    if intent is None:
        raise NotFound("No operation with that id was announced.")
    return intent


def dispose(db: sa.Connection, call_id: str, outcome: str, *, note: str, by: Actor) -> None:
    """Record what became of it, in the ledger and in the log; nothing is run again.

    Raises NotFound; Conflict when it was concluded meanwhile, with whatever outcome; Invalid.
    """
    intent = find_operation(db, call_id)
    if intent.outcome is not None:
        raise Conflict(f"This operation is concluded already, as {intent.outcome}.")
    note = note.replace("\r\n", "\n").strip()
    if outcome not in set(Outcome):
        raise Invalid({"outcome": "Choose what became of it."})
    record_outcome(db, call_id, Outcome(outcome), note=note or None)
    payload = {"operation": intent.operation, "outcome": outcome} | ({"note": note} if note else {})
    append_event(db, OPERATION_DISPOSED, by=by, subject=f"operation:{call_id}", payload=payload)
