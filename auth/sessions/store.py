"""The session store: create, exists, get, set, clear.

`create` mints an id and writes nothing. Only `set` inserts a row. `clear` removes it for good: nothing here writes a
row back, so a slow request never revives a session that was ended while it ran.
"""

import itertools
import secrets

import sqlalchemy as sa

from auth.sessions import queries
from auth.sessions.model import Session
from eventlog.actors import server
from eventlog.events import SERVER_STARTED
from eventlog.log.appending import append_event
from storage import clock
from storage.digests import digest_of
from storage.engine import Database

_SECRET_BYTES = 24


class SessionStore:
    """The sessions of one process. Its ids are `epoch.counter.secret`, unique over all processes and restarts."""

    def __init__(self, epoch: int, *, signed_with: str | None = None) -> None:
        self._epoch = epoch
        self._signed_with = signed_with
        self._counter = itertools.count(1)

    @classmethod
    def open(cls, database: Database, *, signed_with: str | None = None) -> "SessionStore":
        """Claim an epoch for this process, with one durable write. `signed_with` names the key that signs cookies."""
        with database.transaction() as db:
            epoch = queries.claim_epoch(db, at=clock.now())
            append_event(db, SERVER_STARTED, by=server(epoch), payload={"epoch": epoch})
        return cls(epoch, signed_with=signed_with)

    def create(self) -> str:
        """A fresh whole id. Nothing is written."""
        return f"{self._epoch}.{next(self._counter)}.{secrets.token_urlsafe(_SECRET_BYTES)}"

    def set(self, db: sa.Connection, whole_id: str, *, user_id: int, is_remembered: bool) -> Session:
        """Write the row of a sign-in. The id must be fresh."""
        at = clock.now()
        session = Session(name_of(whole_id), user_id, is_remembered, at, last_seen_at=at, devices_seen_at=at)
        queries.delete_expired_sessions_of(db, user_id, at=at)
        queries.insert_session(db, session, digest=digest_of(whole_id), signed_with=self._signed_with)
        return session

    def get(self, db: sa.Connection, whole_id: str) -> Session | None:
        """The live session of an id, or None."""
        session = queries.find_session(db, digest_of(whole_id))
        return session if session is not None and session.is_live(clock.now()) else None

    def exists(self, db: sa.Connection, whole_id: str) -> bool:
        """Whether a live row is there."""
        return self.get(db, whole_id) is not None

    def clear(self, db: sa.Connection, whole_id: str) -> bool:
        """End a session; whether there was one."""
        return queries.delete_session(db, digest_of(whole_id))


def name_of(whole_id: str) -> str:
    """The part that may be shown and logged: `epoch.counter`."""
    return whole_id.rpartition(".")[0]
