"""Block and unblock. Both take effect at the next request, because every request asks for the status."""

from collections.abc import Callable

import sqlalchemy as sa

from auth.sessions.ending import end_sessions_of
from auth.users import queries
from auth.users.events import USER_BLOCKED, USER_POSTS_HIDDEN, USER_POSTS_SHOWN, USER_UNBLOCKED, about
from auth.users.links import Links
from auth.users.model import User
from auth.users.roles import find_person, keep_an_owner
from eventlog.actors import Actor
from eventlog.log.appending import append_event
from eventlog.redaction import without_secrets
from storage import clock
from web.errors import Conflict, Invalid
from web.site.queries import touch

_LONGEST_REASON = 500

# Hides from readers what the person of that id has written (True), or shows it again.
Hide = Callable[[sa.Connection, int, bool], None]


def block(
    db: sa.Connection, username: str, *, reason: str = "", by: Actor, links: Links, hide: Hide | None = None
) -> None:
    """Block a person and end their sessions; with `hide`, readers find nothing of theirs either until it is lifted.

    The `links` that they made for others end for good, and so does one that was made for them.

    Blocking twice changes nothing. Raises NotFound; Conflict for oneself and for the last owner; Invalid for a reason
    over 500 characters.
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
    links.end_made_by(db, user, by=by)
    links.end_resets_for(db, user.id)
    if hide is not None:
        _set_hidden(db, user, True, by=by, hide=hide)


def unblock(db: sa.Connection, username: str, *, by: Actor, hide: Hide | None = None) -> None:
    """Lift the block, and show what was hidden with it. Sessions and links that it ended stay ended.

    Tokens were there all the time, and opened nothing: they do so again. Raises NotFound.
    """
    user = find_person(db, username)
    if not user.is_blocked:
        return
    queries.set_block(db, user.id, at=None, reason=None)
    append_event(db, USER_UNBLOCKED, by=by, subject=about(user.username))
    if user.has_hidden_posts:
        assert hide is not None, "What was hidden has to be shown again."
        _set_hidden(db, user, False, by=by, hide=hide)


def set_hidden(db: sa.Connection, username: str, is_hidden: bool, *, by: Actor, hide: Hide) -> None:
    """Hide what a blocked person has written, or show it again. Raises NotFound; Conflict for who is not blocked."""
    user = find_person(db, username)
    if not user.is_blocked:
        raise Conflict("Only the posts of somebody who is blocked can be hidden.")
    if user.has_hidden_posts != is_hidden:
        _set_hidden(db, user, is_hidden, by=by, hide=hide)


def _set_hidden(db: sa.Connection, user: User, is_hidden: bool, *, by: Actor, hide: Hide) -> None:
    queries.set_hidden(db, user.id, is_hidden)
    hide(db, user.id, is_hidden)
    # Readers find them and their author no longer, or again.
    touch(db)
    append_event(db, USER_POSTS_HIDDEN if is_hidden else USER_POSTS_SHOWN, by=by, subject=about(user.username))
