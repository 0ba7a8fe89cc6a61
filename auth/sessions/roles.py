"""Another role, and what that does to sessions."""

import sqlalchemy as sa

from auth.permissions import Role
from auth.sessions.ending import end_sessions_of
from auth.users.links import Links
from auth.users.roles import change_role, find_person
from eventlog.actors import Actor


def give_role(db: sa.Connection, username: str, role: Role, *, by: Actor, links: Links) -> None:
    """Give a person another role and end their sessions, but the one that asks for it.

    The `links` that they made for others as an owner end for good when they are none any more.
    The role they have changes nothing. Raises NotFound; Conflict for the last owner.
    """
    user = find_person(db, username)
    change_role(db, username, role, by=by)
    if role != user.role:
        end_sessions_of(db, user, by=by, reason="role changed", except_id=by.log_session)
    if user.role == Role.OWNER != role:
        links.end_made_by(db, user, by=by)
