"""Following the log: each event once, in the order of their ids, while it is recorded."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import sqlalchemy as sa

from eventlog.log.encoding import encode_event
from eventlog.log.following import events_since
from eventlog.log.model import Event
from storage.engine import Database
from storage.errors import Busy
from web.sse import HEARTBEAT, Places, format_event, format_retry

_RETRY_MILLISECONDS = 3000
_AT_ONCE = 100
_FALLBACK = "Ask again without Accept: text/event-stream: the plain list, from your last id on, holds the same events."


@dataclass(frozen=True, slots=True)
class Pace:
    """How often a stream does what, and how long it lasts. In seconds."""

    poll: float = 0.25
    heartbeat: float = 15.0  # without an event
    longest: float = 300.0


@dataclass(frozen=True, slots=True)
class Followed:
    """What is followed, for whom, and until when."""

    session_id: str | None  # None: all of them
    since: int  # exclusive
    is_interrupted: Callable[[], bool]
    is_still_allowed: Callable[[sa.Connection], bool]


def follow(database: Database, followed: Followed, *, places: Places, pace: Pace) -> Iterator[bytes]:
    """The stream, which has its place when this returns and gives it back when it ends, is closed, or is dropped.

    It ends when it is interrupted, the asker loses the right, the database does not answer, or its time is over; the
    client then comes back for the rest. Raises Busy when there is no place.
    """
    stream = _hold_place(database, followed, places, pace)
    # A generator gives nothing back that it did not take: it must have begun before anything can go wrong.
    next(stream)
    return stream


def _hold_place(database: Database, followed: Followed, places: Places, pace: Pace) -> Iterator[bytes]:
    with places.taken(otherwise=_FALLBACK):
        yield b""
        yield format_retry(_RETRY_MILLISECONDS).encode()
        try:
            yield from _events(database, followed, pace)
        except Busy:
            return


def _events(database: Database, followed: Followed, pace: Pace) -> Iterator[bytes]:
    last = followed.since
    began = sent_at = time.monotonic()
    while (now := time.monotonic()) < began + pace.longest and not followed.is_interrupted():
        # The snapshot is left before a byte leaves: a client that reads slowly must not hold back checkpoints.
        with database.reading() as db:
            # In the same one: nothing is sent that was recorded after the asker lost the right.
            if not followed.is_still_allowed(db):
                return
            events = events_since(db, followed.session_id, last, _AT_ONCE)
        if events:
            last, sent_at = events[-1].id, now
            yield "".join(map(_format, events)).encode()
        elif now >= sent_at + pace.heartbeat:
            sent_at = now
            yield HEARTBEAT.encode()
        if len(events) < _AT_ONCE:
            time.sleep(pace.poll)


def _format(event: Event) -> str:
    return format_event(encode_event(event), event=event.kind, id=event.id)
