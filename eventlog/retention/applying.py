"""Retention: payloads older than the limit are emptied, envelopes stay, and the bytes are gone from the files."""

import time
from collections.abc import Callable, Mapping
from typing import Any

import sqlalchemy as sa

from eventlog.actors import Actor, server
from eventlog.events import LOG_RETENTION_APPLIED, LOG_RETENTION_CHANGED
from eventlog.log.appending import append_event
from eventlog.retention import queries
from storage import clock
from storage.engine import Database
from web.errors import Invalid

# The daily job.
RETAIN = "log.retain"
MOST_DAYS = 36_500

# Small enough that a writer who waits for one batch hardly notices.
_BATCH = 500
# Who reads an older state is waited for so long; after that the next run tries again.
_ERASE_SECONDS = 30.0


def apply_retention(
    database: Database,
    ttl_days: int,
    *,
    by: Actor | None = None,
    is_dry_run: bool = False,
    progress: Callable[[int], object] | None = None,
) -> int:
    """Empty the payloads of events older than `ttl_days`; how many. Stopped in the middle, it goes on where it was.

    That it is applied is recorded before the first one is emptied. Without `by` it is the server. Raises Invalid for
    a number of days below 0 or over 36,500.
    """
    if not 0 <= ttl_days <= MOST_DAYS:
        raise Invalid({"days": f"Use a number of days from 0 to {MOST_DAYS:,}."})
    before = clock.now() - ttl_days * clock.DAY
    with database.reading() as db:
        waiting = queries.count_payloads(db, before=before)
    if is_dry_run:
        return waiting
    if waiting:
        with database.transaction() as db:
            payload = {"days": ttl_days, "count": waiting}
            append_event(db, LOG_RETENTION_APPLIED, by=by or server(), payload=payload)
    emptied = _in_batches(database, queries.empty_payloads, before, progress or (lambda _count: None))
    for repeat_payloads in (queries.empty_first_messages, queries.empty_intents):
        _in_batches(database, repeat_payloads, before, lambda _count: None)
    return emptied


def retain(
    database: Database, ttl_days: int, *, by: Actor, progress: Callable[[int], object] | None = None
) -> tuple[int, bool]:
    """Apply retention and erase the bytes.

    Returns how many payloads, and whether the write-ahead log is rid of them: it keeps them while somebody reads an
    older state, and whoever applies retention next tries again.
    """
    count = apply_retention(database, ttl_days, by=by, progress=progress)
    return count, database.empty_log(wait_seconds=_ERASE_SECONDS)


def _in_batches(database: Database, empty: Callable[..., int], before: int, progress: Callable[[int], object]) -> int:
    emptied, batch = 0, _BATCH
    while batch == _BATCH:
        began = time.monotonic()
        with database.transaction() as db:
            batch = empty(db, before=before, limit=_BATCH)
        # SQLite does not queue its writers: who waits tries again, and must find the door open half of the time.
        time.sleep(time.monotonic() - began)
        emptied += batch
        progress(batch)
    return emptied


def retain_daily(database: Database, _payload: Mapping[str, Any]) -> int:
    """Apply the site's limit, if it has one; when to do so again."""
    with database.reading() as db:
        days = queries.stored_retention_days(db)
    if days is not None:
        retain(database, days, by=server())
    return clock.now() + clock.DAY


def change_retention(db: sa.Connection, days: str, *, by: Actor) -> None:
    """Set how many days payloads are kept, from what somebody typed; nothing means for ever. Raises Invalid."""
    text = days.strip()
    is_number = text.isascii() and text.isdecimal() and len(text) <= len(str(MOST_DAYS))
    if text and not (is_number and 1 <= int(text) <= MOST_DAYS):
        raise Invalid({"days": f"Use a number of days from 1 to {MOST_DAYS:,}, or leave it empty."})
    wanted = int(text) if text else None
    if wanted != queries.stored_retention_days(db):
        queries.set_retention_days(db, wanted)
        append_event(db, LOG_RETENTION_CHANGED, by=by, payload={"days": wanted})
