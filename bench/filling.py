"""A log of any length, filled as fast as it goes: the columns, indexes and the chain are those of a real one."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count, islice
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from eventlog.log.encoding import GENESIS, canonical, digest_event, digest_payload
from eventlog.log.model import Event, events_table, log_sessions_table
from storage import clock
from storage.engine import Database
from storage.upgrading import upgrade

# Events of a session; sessions at a time.
PER_SESSION, AT_A_TIME = 150, 16
PAYLOADS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("post.edited", {"version": 12, "slug": "what-we-learnt-in-the-spring"}),
    ("post.created", {"version": 1, "slug": "fifty-percent", "title": "50% of “nothing” & the rest", "kind": "post"}),
    ("session.signed_in", {"device": "Firefox on Linux", "address": "203.0.113.0", "remember": True}),
    ("operation.disposed", {"operation": "log.export", "outcome": "failed", "note": "The disk was full.\nMade room."}),
)
_SALT = "0" * 32
# The first is so many minutes old.
_BACK = 1_000_000


def rows() -> Iterator[dict[str, Any]]:
    """Events as they would be stored, in a chain that holds, of sessions that take turns."""
    digest, began = GENESIS, clock.now() - _BACK * clock.MINUTE
    for number in count():
        kind, payload = PAYLOADS[number % len(PAYLOADS)]
        text = canonical(payload | {"n": number})
        session = number // (PER_SESSION * AT_A_TIME) * AT_A_TIME + number % AT_A_TIME
        values: dict[str, Any] = {
            "id": number + 1,
            "session_id": f"7.{session}",
            "kind": kind,
            "actor": f"author{session % 50}",
        }
        values |= {"subject": f"post:{number % 997}", "occurred_at": began + number * clock.MINUTE}
        values |= {"payload_digest": digest_payload(_SALT, text), "previous_digest": digest}
        digest = digest_event(Event(**values, payload=None, digest=""))
        yield values | {"payload": text, "salt": _SALT, "digest": digest}


@contextmanager
def filled(folder: Path, event_count: int) -> Iterator[Database]:
    """A database of so many events, as they are stored."""
    path = folder / f"{event_count}.db"
    upgrade(path)
    database, found = Database(path, readers=2), islice(rows(), event_count)
    while batch := list(islice(found, 10_000)):
        with database.transaction() as db:
            db.execute(sa.insert(events_table), batch)
    e = events_table.c
    counted = sa.select(
        e.session_id, sa.func.min(e.actor), sa.func.min(e.occurred_at), sa.func.max(e.occurred_at), sa.func.count(),
        sa.literal("Firefox on Linux"),
    ).group_by(e.session_id)  # fmt: skip
    with database.transaction() as db:
        db.execute(sa.insert(log_sessions_table).from_select(list(log_sessions_table.c), counted))
        db.exec_driver_sql("CREATE TABLE bare (id INTEGER PRIMARY KEY, words TEXT)")
    yield database
    database.close()
