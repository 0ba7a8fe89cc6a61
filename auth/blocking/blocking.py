"""Block and unblock. Both take effect at the next request, because every request asks for the status."""

import sqlalchemy as sa

from auth.sessions.ending import end_sessions_of
from auth.users import queries
from auth.users.events import USER_BLOCKED, USER_UNBLOCKED, about
from auth.users.roles import find_person, keep_an_owner
from eventlog.actors import Actor
from eventlog.log.appending import append_event
from eventlog.redaction import without_secrets
from storage import clock
from web.errors import Conflict, Invalid

_LONGEST_REASON = 500


def block(db: sa.Connection, username: str, *, reason: str = "", by: Actor) -> None:
    """Block a person and end their sessions. Blocking twice changes nothing.

    Raises NotFound; Conflict for oneself and for the last owner; Invalid for a reason over 500 characters.
    """
    user = find_person(db, username)
    if len(reason) > _LONGEST_REASON:
        raise Invalid({"reason": f"Use at most {_LONGEST_REASON} characters."})
    if by.user_id == user.id:
        raise Conflict("You cannot block yourself.")
    if user.is_blocked:
        return
    keep_an_owner(db, user)
    queries.set_block(db, user.id, at=clock.now(), reason=without_secrets(reason.strip()) or None)
    append_event(db, USER_BLOCKED, by=by, subject=about(user.username), payload={"reason": reason.strip()})
    end_sessions_of(db, user, by=by, reason="blocked")


def unblock(db: sa.Connection, username: str, *, by: Actor) -> None:
    """Lift the block. Sessions that it ended stay ended. Raises NotFound."""
    user = find_person(db, username)
    if user.is_blocked:
        queries.set_block(db, user.id, at=None, reason=None)
        append_event(db, USER_UNBLOCKED, by=by, subject=about(user.username))
