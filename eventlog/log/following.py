"""Reading the log in its order."""

import sqlalchemy as sa

from eventlog.errors import SchemaMismatch, UnknownSession
from eventlog.log import queries
from eventlog.log.model import SCHEMA_VERSION, Event, PastSession, events_table
from storage.engine import Database

_e = events_table.c
_LARGEST_ID = 2**63 - 1


def events_since(db: sa.Connection, session_id: str | None, since: int, limit: int) -> list[Event]:
    """Events after id `since`, ascending, of one session or of all (None); `limit <= 0` means all there are.

    Raises UnknownSession.
    """
    if session_id is not None and not queries.has_session(db, session_id):
        raise UnknownSession(f"Nothing was recorded under the session {session_id}.")
    of_it = [] if session_id is None else [_e.session_id == session_id]
    # No id is beyond what the database can count to.
    after = _e.id > min(max(since, 0), _LARGEST_ID)
    return queries.list_events(db, *of_it, after, limit=min(limit, _LARGEST_ID) if limit > 0 else None)


def list_past_sessions(db: sa.Connection, limit: int, *, actor: str | None = None) -> list[PastSession]:
    """Sessions, the last seen first; `limit <= 0` means all."""
    return queries.list_sessions(db, limit=limit if limit > 0 else None, actor=actor)


def check_schema(database: Database) -> None:
    """Raise SchemaMismatch when a newer version has written this log."""
    with database.reading() as db:
        stored = queries.stored_schema_version(db)
    if stored > SCHEMA_VERSION:
        raise SchemaMismatch(
            f"The event log was written by a newer version of Byline (form {stored}, this one knows {SCHEMA_VERSION}). "
            "Run that version; nothing was changed."
        )
