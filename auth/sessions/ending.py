"""Ending sessions that are not the asker's own."""

import sqlalchemy as sa

from auth.sessions.events import SESSION_ENDED
from auth.sessions.queries import delete_sessions_of
from auth.users.events import about
from auth.users.model import User
from auth.users.roles import find_person
from eventlog.actors import Actor
from eventlog.log.appending import append_event


def end_sessions_of(db: sa.Connection, user: User, *, by: Actor, reason: str, except_id: str | None = None) -> int:
    """End all sessions of a person, but the one named, and record which, if there were any; how many there were."""
    ended = delete_sessions_of(db, user.id, except_id=except_id)
    if ended:
        payload = {"sessions": ended[:100], "count": len(ended), "reason": reason}
        append_event(db, SESSION_ENDED, by=by, subject=about(user.username), payload=payload)
    return len(ended)


def sign_out_everywhere(db: sa.Connection, username: str, *, by: Actor) -> None:
    """End all sessions of a person, but the one that asks. Raises NotFound."""
    end_sessions_of(db, find_person(db, username), by=by, reason="signed out by an owner", except_id=by.log_session)
