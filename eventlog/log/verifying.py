"""Whether the chain holds: it shows edits to whoever kept a head elsewhere, and claims no more."""

from dataclasses import dataclass

from eventlog.log import queries
from eventlog.log.encoding import GENESIS, digest_event, digest_payload
from eventlog.log.model import Event
from storage.engine import Database

_AT_ONCE = 2000


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a walk along the chain has found."""

    event_count: int
    head: str  # the digest of the newest event, or of nothing
    fault: str | None  # the first break, in words
    has_known_head: bool  # whether the head that was asked for stands in the chain


def verify(database: Database, *, known_head: str | None = None) -> Verdict:
    """Walk the whole chain, a batch at a time, so that no long snapshot holds writers' logs."""
    head, count, last_id = GENESIS, 0, 0
    has_known = known_head is None or known_head == GENESIS
    while True:
        with database.reading() as db:
            rows = queries.list_links(db, since=last_id, limit=_AT_ONCE)
        if not rows:
            return Verdict(count, head, None, has_known)
        for *columns, salt in rows:
            event = Event(*columns)
            fault = _fault(event, salt, head, last_id)
            if fault is not None:
                return Verdict(count, head, fault, has_known)
            head, count, last_id = event.digest, count + 1, event.id
            has_known = has_known or head == known_head


def _fault(event: Event, salt: str | None, head: str, last_id: int) -> str | None:
    payload: object = event.payload
    if event.id != last_id + 1:
        return f"Event {last_id + 1} is missing."
    if event.previous_digest != head:
        return f"Event {event.id} does not follow the one before it."
    if isinstance(payload, str) and not _is_what_it_was(event, salt, payload):
        return f"The payload of event {event.id} was changed."
    if digest_event(event) != event.digest:
        return f"The envelope of event {event.id} was changed."
    return None


def _is_what_it_was(event: Event, salt: str | None, payload: str) -> bool:
    return salt is not None and digest_payload(salt, payload) == event.payload_digest
