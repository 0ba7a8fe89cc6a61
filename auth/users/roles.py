"""Who may do what from now on."""

import sqlalchemy as sa

from auth.permissions import Role
from auth.users import queries
from auth.users.events import USER_ROLE_CHANGED, about
from auth.users.model import User
from eventlog.actors import Actor
from eventlog.log.appending import append_event
from web.errors import Conflict, NotFound
from web.site.queries import touch


def find_person(db: sa.Connection, username: str) -> User:
    """The person of that name. Raises NotFound, also for somebody who has left."""
    user = queries.find_user(db, username.strip().lower())
    if user is None or user.deleted_at is not None:
        raise NotFound(f"There is nobody named {username}.")
    return user


def change_role(db: sa.Connection, username: str, role: Role, *, by: Actor) -> None:
    """Give a person another role, from their next request on. Raises NotFound; Conflict for the last owner."""
    user = find_person(db, username)
    if user.role == Role.OWNER and role != Role.OWNER:
        keep_an_owner(db, user)
    if role != user.role:
        queries.set_role(db, user.id, role)
        # Whoever may not write is nobody to readers.
        touch(db)
        payload = {"from": user.role, "to": role}
        append_event(db, USER_ROLE_CHANGED, by=by, subject=about(user.username), payload=payload)


def keep_an_owner(db: sa.Connection, user: User) -> None:
    """Raise Conflict if the place would be left without an owner when `user` no longer is one."""
    if user.role == Role.OWNER and not user.is_blocked and queries.count_active_owners(db) == 1:
        raise Conflict(f"{user.username} is the last owner. Make somebody else an owner first.")
