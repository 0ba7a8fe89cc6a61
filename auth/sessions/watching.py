"""Whether the session of a request still stands while its answer is sent, which may take minutes."""

import time
from collections.abc import Callable, Generator
from contextlib import closing

import sqlalchemy as sa

from auth.permissions import Permission, is_allowed
from auth.sessions.cookies import browser_session
from auth.sessions.queries import find_signed_in
from storage import clock
from storage.digests import digest_of
from storage.engine import Database
from web.database import current_database

_ASK_SECONDS = 0.5


def watch_session(permission: Permission) -> Callable[[sa.Connection], bool]:
    """For the session of this request; what it returns may be called when the request is over, and asks anew.

    False once the session has ended, or its person is blocked or may it no longer.
    """
    digest = digest_of(browser_session().whole_id or "")
    return lambda db: _may(db, digest, permission)


def while_allowed(pieces: Generator[bytes, None, None], permission: Permission) -> Generator[bytes, None, None]:
    """What is sent while it is made, for as long as the session of this request may have it: asked twice a second.

    After that it breaks off in the middle, which whoever reads it notices, and `pieces` is closed.
    """
    return _while_allowed(pieces, current_database(), watch_session(permission))


def _while_allowed(
    pieces: Generator[bytes, None, None], database: Database, is_allowed_still: Callable[[sa.Connection], bool]
) -> Generator[bytes, None, None]:
    asked_at = time.monotonic()
    with closing(pieces):
        for piece in pieces:
            now = time.monotonic()
            if now >= asked_at + _ASK_SECONDS:
                with database.reading() as db:
                    if not is_allowed_still(db):
                        raise ConnectionAbortedError("Whoever asked for this may have it no longer.")
                asked_at = now
            yield piece


def _may(db: sa.Connection, digest: str, permission: Permission) -> bool:
    found = find_signed_in(db, digest)
    if found is None or not found.session.is_live(clock.now()):
        return False
    return is_allowed(permission, role=found.role, scopes=None)
