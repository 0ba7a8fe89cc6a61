"""The ledger: an effect outside the database is announced before and concluded after.

A crash in between leaves an intent without an outcome, an orphan. Nothing runs again by itself: a person says what
became of it.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from eventlog.actors import Actor
from eventlog.errors import OrphanIntents
from eventlog.ledger import queries
from eventlog.ledger.model import Intent
from eventlog.log.encoding import canonical
from eventlog.log.payloads import encode_payload
from eventlog.redaction import redact
from storage import clock
from storage.engine import Database
from storage.errors import Full
from storage.ids import new_id
from web.errors import Conflict, Invalid, NotFound

_LONGEST_NOTE = 1000
_LONGEST_ERROR = 64 * 1024


class Outcome(StrEnum):
    """What became of an operation."""

    DONE = "done"
    FAILED = "failed"
    ABANDONED = "abandoned"


def record_intent(
    database: Database, operation: str, *, by: Actor, call_id: str, payload: Mapping[str, Any] | None = None
) -> Intent:
    """Announce an operation; when this returns, the announcement is committed and synced.

    The first record of a call wins: the same again returns it, a different one raises Conflict.
    """
    with database.transaction() as db:
        return announce(db, operation, by=by, call_id=call_id, payload=payload)


def announce(
    db: sa.Connection, operation: str, *, by: Actor, call_id: str, payload: Mapping[str, Any] | None = None
) -> Intent:
    """The same in a transaction that is open: nothing may begin before that is committed."""
    text = encode_payload(payload or {})
    known = queries.find_intent(db, call_id)
    if known is not None:
        if (known.operation, known.session_id, canonical(known.payload)) != (operation, by.log_session, text):
            raise Conflict(f"The call {call_id} was announced already, as something else.")
        return known
    intent = Intent(call_id, by.log_session, by.log_name, operation, {}, clock.now(), None, None, None)
    queries.insert_intent(db, intent, payload=text)
    found = queries.find_intent(db, call_id)
    assert found is not None
    return found


def record_outcome(db: sa.Connection, call_id: str, outcome: Outcome, *, note: str | None = None) -> None:
    """Say what became of an operation, once. Raises NotFound; Conflict when another outcome stands there."""
    if note is not None and len(note) > _LONGEST_NOTE:
        raise Invalid({"note": f"Use at most {_LONGEST_NOTE:,} characters."})
    intent = queries.find_intent(db, call_id)
    if intent is None:
        raise NotFound(f"No operation {call_id} was announced.")
    if intent.outcome is not None:
        if intent.outcome == outcome:
            return
        raise Conflict(f"The operation {call_id} is {intent.outcome} already.")
    clean = None if note is None else str(redact(note)[0])
    queries.conclude_intent(db, call_id, outcome=outcome, note=clean, at=clock.now())


def orphan_intents(db: sa.Connection, session_id: str | None = None) -> list[Intent]:
    """Intents without an outcome, of one session or of all; those of operations that run at this moment among them."""
    return queries.list_open_intents(db, session_id=session_id)


def check_no_orphans(db: sa.Connection, operation: str, *, by: Actor) -> None:
    """Raise OrphanIntents when this session began the same operation before and nobody knows how it ended."""
    left = queries.list_open_intents(db, session_id=by.log_session, operation=operation)
    if left:
        raise OrphanIntents([intent.call_id for intent in left])


@contextmanager
def operation(
    database: Database, name: str, *, by: Actor, payload: Mapping[str, Any] | None = None, is_mutating: bool = True
) -> Iterator[str]:
    """Announce, let the block do it, and conclude: done, failed when it raises, abandoned when it is called off.

    Yields the call's id. Raises OrphanIntents before anything is done when the same session left such an operation
    open. What changes nothing (`is_mutating=False`) may as well be begun again, and is done also where the disk has no
    room for its announcement: to save one's data elsewhere may be the way out.
    """
    call_id = new_id()
    with nullcontext() if is_mutating else suppress(Full):
        if is_mutating:
            with database.reading() as db:
                check_no_orphans(db, name, by=by)
        record_intent(database, name, by=by, call_id=call_id, payload=payload)
    try:
        yield call_id
    except BaseException as error:
        _conclude(database, call_id, *outcome_of(error))
        raise
    _conclude(database, call_id, Outcome.DONE, None)


def outcome_of(error: BaseException) -> tuple[Outcome, str]:
    """What an error means for an operation: a closed generator and an interrupted command were called off."""
    return Outcome.FAILED if isinstance(error, Exception) else Outcome.ABANDONED, _in_words(error)


def _conclude(database: Database, call_id: str, outcome: Outcome, note: str | None) -> None:
    # On a full disk it stays open; and it was never announced where there was no room for that.
    with suppress(Full, NotFound), database.transaction(is_checked=False) as db:
        record_outcome(db, call_id, outcome, note=note)


def _in_words(error: BaseException) -> str:
    """What went wrong, short enough for a note; secrets go before it is cut, which could make them unrecognisable."""
    # Names of files may hold what is no character.
    text = f"{type(error).__name__}: {error}".encode("utf-8", "backslashreplace").decode()
    return str(redact(text[:_LONGEST_ERROR])[0])[:_LONGEST_NOTE]
