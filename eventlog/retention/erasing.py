"""Erasing what the log says of somebody who has left: the details of their events are emptied, the envelopes stay."""

import time
from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import sqlalchemy as sa

from eventlog.actors import Actor
from eventlog.events import ALSO, LOG_ERASURE_APPLIED
from eventlog.kinds import fields_of_persons
from eventlog.log.appending import append_event
from eventlog.log.model import subject_of_person
from eventlog.retention import queries
from storage.engine import Database

_BATCH = 500
_ERASE_SECONDS = 10.0
# So many ids in one event, which has a bound.
_NAMED_AT_ONCE = 4_000
# What else repeats what was in a payload.
_REPEATED = (queries.empty_first_messages_of, queries.empty_intents_of)


class Announced(NamedTuple):
    """What is to be emptied beside what a person did, and what has them for its subject."""

    before_id: int  # the first event that says so: what comes from there on stays
    other_ids: list[int]  # what others recorded of things that are theirs, such as a token


def announce_erasure(db: sa.Connection, name: str, *, by: Actor) -> Announced:
    """Record that the details of all events until now that this person did, or that are about them, are emptied.

    Whoever verifies the log finds by it that those were emptied for a reason.
    """
    others = queries.list_naming(db, name, fields=fields_of_persons())
    before_ids = []
    for start in range(0, len(others) or 1, _NAMED_AT_ONCE):
        payload = {ALSO: others[start : start + _NAMED_AT_ONCE]} if others else {}
        said = append_event(db, LOG_ERASURE_APPLIED, by=by, subject=subject_of_person(name), payload=payload)
        before_ids.append(said.id)
    return Announced(before_ids[0], others)


def erase_details(database: Database, name: str, *, before_id: int, other_ids: Sequence[int]) -> None:
    """Empty them, a batch at a time, and what else repeats them; then the bytes are gone from the files too.

    Stopped in the middle, it goes on where it was.
    """
    of_others = partial(queries.empty_payloads_among, ids=other_ids)
    for empty in (partial(queries.empty_payloads_of, before_id=before_id), of_others, *_REPEATED):
        batch = _BATCH
        while batch == _BATCH:
            began = time.monotonic()
            with database.transaction() as db:
                batch = empty(db, name, limit=_BATCH)
            # SQLite does not queue its writers: who waits tries again, and must find the door open half of the time.
            time.sleep(time.monotonic() - began)
    database.empty_log(wait_seconds=_ERASE_SECONDS)
