"""Whether somebody whose request takes its time would still be let in: by the same credential, for the same thing."""

from collections.abc import Callable

from flask import request

from auth.permissions import Permission, is_allowed
from auth.principal import principal
from auth.sessions.cookies import browser_session
from auth.sessions.queries import find_signed_in
from auth.sessions.store import digest_of
from auth.tokens.issuing import digest_of as token_digest_of
from auth.tokens.queries import find_bearer
from storage import clock
from storage.engine import Database
from web.database import current_database


def watch_right(permission: Permission) -> Callable[[], bool]:
    """For the principal of this request; what it returns may be called when the request is over, and asks anew.

    False once the session has ended, the token was revoked or has expired, the person is blocked, or may it no longer.
    """
    database = current_database()
    if principal().has_token:
        token_digest = token_digest_of(request.headers["Authorization"].split()[-1])
        return lambda: _may_by_token(database, token_digest, permission)
    session_digest = digest_of(browser_session().whole_id or "")
    return lambda: _may_by_session(database, session_digest, permission)


def _may_by_token(database: Database, digest: str, permission: Permission) -> bool:
    with database.reading() as db:
        found = find_bearer(db, digest, at=clock.now())
    return found is not None and is_allowed(permission, role=found.role, scopes=found.scopes)


def _may_by_session(database: Database, digest: str, permission: Permission) -> bool:
    with database.reading() as db:
        found = find_signed_in(db, digest)
    if found is None or not found.session.is_live(clock.now()):
        return False
    return is_allowed(permission, role=found.role, scopes=None)
