"""Erasing what the log says of somebody who has left: the details of their events are emptied, the envelopes stay."""

import time
from functools import partial

import sqlalchemy as sa

from eventlog.actors import Actor
from eventlog.events import LOG_ERASURE_APPLIED
from eventlog.log.appending import append_event
from eventlog.log.model import subject_of_person
from eventlog.retention import queries
from storage.engine import Database

_BATCH = 500
_ERASE_SECONDS = 10.0
# What else repeats what was in a payload.
_REPEATED = (queries.empty_first_messages_of, queries.empty_intents_of)


def announce_erasure(db: sa.Connection, name: str, *, by: Actor) -> int:
    """Record that the details of all events until now that this person did, or that are about them, are emptied.

    Returns the id of that event: whoever verifies the log finds by it that those were emptied for a reason.
    """
    return append_event(db, LOG_ERASURE_APPLIED, by=by, subject=subject_of_person(name)).id


def erase_details(database: Database, name: str, *, before_id: int) -> None:
    """Empty them, a batch at a time, and what else repeats them; then the bytes are gone from the files too.

    Stopped in the middle, it goes on where it was.
    """
    for empty in (partial(queries.empty_payloads_of, before_id=before_id), *_REPEATED):
        batch = _BATCH
        while batch == _BATCH:
            began = time.monotonic()
            with database.transaction() as db:
                batch = empty(db, name, limit=_BATCH)
            # SQLite does not queue its writers: who waits tries again, and must find the door open half of the time.
            time.sleep(time.monotonic() - began)
    database.empty_log(wait_seconds=_ERASE_SECONDS)
