"""Failures to sign in: what is said of them, and which are recorded."""

import sqlalchemy as sa

from auth.sessions.events import SESSION_SIGN_IN_FAILED
from auth.signin import throttling
from auth.users import queries as user_queries
from auth.users.events import about
from eventlog.actors import Nobody
from eventlog.log.appending import append_event
from web.signing import Keys

NEUTRAL = "That name and password do not belong together here. Nothing else can be said about them."
EXPIRED = "That sign-in was begun more than ten minutes ago, or in another window. Please begin it once more."


def record_failure(db: sa.Connection, keys: Keys, *, username: str, address: str, step: str = "") -> None:
    """For a known account, once in ten minutes; for an unknown one the same work, so that time tells nothing.

    `step`: where it failed, if not at the password.
    """
    is_due = throttling.is_failure_due(db, keys, username=username)
    user = user_queries.find_user(db, username)
    if is_due and user is not None:
        # The visitor has no session that is worth a name; the failures of an account belong together.
        by = Nobody(f"failed.{user.username}", "(visitor)")
        payload = {"address": address} | ({"step": step} if step else {})
        append_event(db, SESSION_SIGN_IN_FAILED, by=by, subject=about(user.username), payload=payload)
