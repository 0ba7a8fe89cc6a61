"""Block and unblock. Both take effect at the next request, because every request asks for the status."""

import sqlalchemy as sa

from auth.principal import Principal
from auth.sessions.queries import delete_sessions_of
from auth.users import queries
from auth.users.roles import find_person, keep_an_owner
from storage import clock
from web.errors import Conflict, Invalid

_LONGEST_REASON = 500


def block(db: sa.Connection, username: str, *, reason: str = "", by: Principal | None) -> None:
    """Block a person and end their sessions. Blocking twice changes nothing. `by=None`: from the command line.

    Raises NotFound; Conflict for oneself and for the last owner; Invalid for a reason over 500 characters.
    """
    user = find_person(db, username)
    if len(reason) > _LONGEST_REASON:
        raise Invalid({"reason": f"Use at most {_LONGEST_REASON} characters."})
    if by is not None and by.user_id == user.id:
        raise Conflict("You cannot block yourself.")
    if user.is_blocked:
        return
    keep_an_owner(db, user)
    queries.set_block(db, user.id, at=clock.now(), reason=reason.strip() or None)
    delete_sessions_of(db, user.id)


def unblock(db: sa.Connection, username: str) -> None:
    """Lift the block. Sessions that it ended stay ended. Raises NotFound."""
    queries.set_block(db, find_person(db, username).id, at=None, reason=None)
