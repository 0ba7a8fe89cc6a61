"""Whether the chain holds: it shows edits to whoever kept a head elsewhere, and claims no more."""

import json
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from sqlalchemy import exc

from eventlog.events import ALSO, LOG_ERASURE_APPLIED, LOG_RETENTION_APPLIED
from eventlog.log import queries
from eventlog.log.encoding import GENESIS, digest_event, digest_payload
from eventlog.log.model import Event, subject_of_person
from storage import clock
from storage.engine import Database

_AT_ONCE = 2000
# Below every id that a table can hold: what stands before the first event is no event of ours.
_BEFORE_ALL = -(2**63)
_TYPES = {
    "id": int, "session_id": str, "kind": str, "actor": str, "subject": str | None, "occurred_at": int,
    "payload": str | None, "payload_digest": str, "previous_digest": str, "digest": str,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a walk along the chain has found."""

    event_count: int
    emptied_count: int  # events whose payloads retention has emptied
    head: str  # the digest of the newest event, or of nothing
    fault: str | None  # the first break, in words
    has_known_head: bool  # whether the head that was asked for stands in the chain


def verify(
    database: Database, *, known_head: str | None = None, progress: Callable[[int], object] | None = None
) -> Verdict:
    """Walk the whole chain, a batch at a time, so that no long snapshot holds writers' logs."""
    with database.reading() as db:
        walk = _Walk(known_head, _announced(queries.list_payloads(db, LOG_ERASURE_APPLIED.name)))
    since = _BEFORE_ALL
    while walk.fault is None:
        try:
            with database.reading() as db:
                rows = queries.list_links(db, since=since, limit=_AT_ONCE)
        except exc.OperationalError:
            # Text that is none cannot even be read.
            return walk.verdict(f"Something after event {walk.last_id} is no text.")
        for *columns, salt in rows:
            walk.step(Event(*columns), salt)
        if progress is not None:
            progress(len(rows))
        if len(rows) < _AT_ONCE:
            break
        since = rows[-1].id
    return walk.verdict(walk.fault or walk.fault_of_emptied())


class _Walk:
    """One way along the chain, and what was seen on it."""

    def __init__(self, known_head: str | None, announced: Mapping[int, int]) -> None:
        self._known_head = known_head
        self._has_known_head = known_head in (None, GENESIS)
        self._head = GENESIS
        self._count = self._emptied_count = 0
        # By event, the one that names it among what an erasure empties. Whether that one is whole, the walk finds.
        self._announced = announced
        # By who did it, and the person that it was about, if any: the newest that no recorded erasure has reached.
        self._emptied: dict[tuple[str, str | None], Event] = {}
        self._retained_before = -1
        self.last_id = 0
        self.fault: str | None = None

    def step(self, event: Event, salt: str | None) -> None:
        """Look at the next event, unless a break was found before it."""
        self.fault = self.fault or _fault(event, salt, self._head, self.last_id)
        if self.fault is not None:
            return
        self._head, self.last_id, self._count = event.digest, event.id, self._count + 1
        self._has_known_head = self._has_known_head or event.digest == self._known_head
        if event.payload is None:
            self._emptied_count += 1
            if self._announced.get(event.id, 0) <= event.id:
                self._note_emptied(event)
        elif event.kind == LOG_RETENTION_APPLIED.name:
            days = json.loads(str(event.payload)).get("days", 0)
            self._retained_before = max(self._retained_before, event.occurred_at - days * clock.DAY)

        if event.kind == LOG_ERASURE_APPLIED.name and event.subject is not None:
            self._emptied = {
                whose: newest
                for whose, newest in self._emptied.items()
                if event.subject not in (subject_of_person(whose[0]), whose[1])
            }

    def _note_emptied(self, event: Event) -> None:
        is_about_person = event.subject is not None and event.subject.startswith(subject_of_person(""))
        whose = event.actor, event.subject if is_about_person else None
        newest = self._emptied.get(whose)
        if newest is None or event.occurred_at > newest.occurred_at:
            self._emptied[whose] = event

    def fault_of_emptied(self) -> str | None:
        """An emptied event that no recorded retention or erasure has reached: somebody else emptied it."""
        newest = max(self._emptied.values(), key=lambda event: event.occurred_at, default=None)
        if newest is None or newest.occurred_at < self._retained_before:
            return None
        return f"The payload of event {newest.id} was emptied, and no retention that is recorded reached so far."

    def verdict(self, fault: str | None) -> Verdict:
        """What was found."""
        return Verdict(self._count, self._emptied_count, self._head, fault, self._has_known_head)


def _announced(payloads: Iterable[tuple[int, str]]) -> dict[int, int]:
    announced: dict[int, int] = {}
    for erasure_id, payload in payloads:
        with suppress(ValueError, AttributeError, TypeError):
            announced |= {int(event_id): erasure_id for event_id in json.loads(payload).get(ALSO, [])}
    return announced


def _fault(event: Event, salt: str | None, head: str, last_id: int) -> str | None:
    payload: Any = event.payload
    if event.id != last_id + 1:
        is_missing = event.id > last_id
        return f"Event {last_id + 1} is missing." if is_missing else f"Event {event.id} was put in before the others."
    for name, expected in _TYPES.items():
        if not isinstance(getattr(event, name), expected):
            return f"The {name} of event {event.id} was changed into something else."
    if event.previous_digest != head:
        return f"Event {event.id} does not follow the one before it."
    if payload is not None and (salt is None or digest_payload(salt, payload) != event.payload_digest):
        return f"The payload of event {event.id} was changed."
    if digest_event(event) != event.digest:
        return f"The envelope of event {event.id} was changed."
    return None
