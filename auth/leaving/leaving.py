"""Deleting an account. Whoever had it is nobody from their next request on; what takes long is done by a job."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from auth.leaving import queries
from auth.sessions.ending import end_sessions_of
from auth.users.events import USER_DELETED, about
from auth.users.model import User
from auth.users.roles import find_person, keep_an_owner
from auth.users.writings import Writings
from eventlog.actors import Actor
from eventlog.log.appending import append_event
from eventlog.retention.erasing import announce_erasure, erase_details
from storage import clock
from storage.engine import Database
from storage.jobs import enqueue
from web.errors import Invalid
from web.site.queries import touch

# The job.
LEAVE = "people.leave"


def heirs_of(db: sa.Connection, user: User, *, by: Actor) -> list[str]:
    """Whom everything that this person has written may be given to: by themself, to owners only."""
    return queries.list_heirs(db, user.id, are_owners=by.user_id == user.id)


def leave(db: sa.Connection, username: str, *, to: str | None, by: Actor, writings: Writings) -> dict[str, Any]:
    """Delete an account. What its person has written is given `to` somebody, or with None deleted, for good.

    At once: they are nobody, what was private is gone, and readers find what they have written under the new name or
    not at all. `finish_leaving` does the rest with what this returns, which is stored as a job.

    Raises NotFound; Conflict for the last owner; Invalid for somebody whom it cannot be given to.
    """
    user = find_person(db, username)
    keep_an_owner(db, user)
    if to is not None and to not in heirs_of(db, user, by=by):
        raise Invalid({"to": "Choose somebody who writes here and is not blocked."})
    heir = None if to is None else find_person(db, to)
    at, count = clock.now(), writings.count(db, user.id)
    if heir is not None:
        writings.give(db, user.id, heir.id)
    else:
        writings.withdraw(db, user.id)
    end_sessions_of(db, user, by=by, reason="account deleted")
    queries.delete_belongings(db, user.id)
    queries.keep_name_only(db, user.id, at=at, has_hidden_posts=heir is None)
    touch(db)
    announced = announce_erasure(db, user.username, by=by)
    # After that one, so that it keeps its details.
    payload = {"posts": "deleted" if heir is None else "given", "count": count}
    if heir is not None:
        payload["to"] = heir.username
    append_event(db, USER_DELETED, by=by, subject=about(user.username), payload=payload)
    rest = {"user_id": user.id, "username": user.username, "is_given": heir is not None, **announced._asdict()}
    enqueue(db, LEAVE, rest, run_at=at)
    return rest


def finish_leaving(database: Database, rest: Mapping[str, Any], *, writings: Writings) -> int | None:
    """Do the next piece of the rest; when to do the one after that, None when all is done. Safe to do twice."""
    username = str(rest["username"])
    if rest["is_given"]:
        has_more = writings.finish_giving(database, username)
    else:
        has_more = writings.finish_erasing(database, int(rest["user_id"]))
    if has_more:
        return clock.now()
    erase_details(database, username, before_id=int(rest["before_id"]), other_ids=rest.get("other_ids", []))
    return None
