"""A link with which somebody sets a new password, who has forgotten theirs: an owner makes the link alone."""

import secrets
from typing import NamedTuple

import sqlalchemy as sa

from auth.signin import queries, throttling
from auth.signin.events import USER_RESET_LINK_MADE
from auth.signin.model import ResetLink
from auth.signin.signing_in import set_password
from auth.users.events import about
from auth.users.roles import find_person
from eventlog.actors import Actor, Nobody
from eventlog.log.appending import append_event
from storage import clock
from storage.digests import digest_of
from web.errors import Conflict, Gone, NotFound
from web.signing import Keys

LIFETIME = clock.DAY
# How long an old link is told apart from one that never was.
_REMEMBER = 30 * clock.DAY
_OVER = "This link is over"
_EXPIRED = "It has expired. Ask an owner of this site for another one."
_ENDED = (
    "It has been used, or was made void since. If it was you who used it, sign in. Otherwise ask an owner of this site "
    "for another one."
)


class MadeLink(NamedTuple):
    """A link that was just made, with its token, which nobody can find out again."""

    token: str
    username: str
    expires_at: int

    @property
    def path(self) -> str:
        """The address of the link on this site."""
        return f"/reset/{self.token}"


def make_reset_link(db: sa.Connection, username: str, *, by: Actor) -> MadeLink:
    """Make a link for a person; the one that they had before is void.

    Raises NotFound; Conflict for oneself, who knows a password or is asked for it, and for somebody blocked.
    """
    user = find_person(db, username)
    if user.id == by.user_id:
        raise Conflict("Set your own password on your own page, or let another owner make a link for you.")
    if user.is_blocked:
        raise Conflict(f"{user.username} is blocked, and cannot sign in with any password. Unblock them first.")
    at = clock.now()
    made = MadeLink(secrets.token_urlsafe(32), user.username, at + LIFETIME)
    queries.sweep_reset_links(db, before=at - _REMEMBER)
    queries.end_reset_links_of(db, user.id, at=at)
    queries.insert_reset_link(
        db,
        digest=digest_of(made.token),
        user_id=user.id,
        created_by=by.user_id,
        created_at=at,
        expires_at=made.expires_at,
    )
    payload = {"hours": LIFETIME // clock.HOUR}
    append_event(db, USER_RESET_LINK_MADE, by=by, subject=about(user.username), payload=payload)
    return made


def find_reset_link(db: sa.Connection, token: str) -> ResetLink:
    """The link, and whose password it sets. Raises NotFound for one that was never made, Gone for one that is over."""
    link = queries.find_reset_link(db, digest_of(token))
    if link is None:
        raise NotFound("This is no link of this site. Look whether the whole of it came over.")
    if link.is_ended:
        raise Gone(_ENDED, title=_OVER, offers_sign_in=True)
    if link.expires_at <= clock.now():
        raise Gone(_EXPIRED, title=_OVER)
    return link


def reset_password(db: sa.Connection, keys: Keys, token: str, *, password_hash: str) -> None:
    """Set the password, end every session of that person and spend the link; of many at once, one succeeds.

    Nobody is signed in by it: whatever else a sign-in asks for, it still asks. Failures before
    it keep them out no more. Raises as `find_reset_link` does.
    """
    link = find_reset_link(db, token)
    if not queries.end_reset_link(db, digest_of(token), at=clock.now()):
        raise Gone(_ENDED, title=_OVER, offers_sign_in=True)
    person = find_person(db, link.username)
    by = Nobody(f"reset.{person.username}", "(reset link)")
    set_password(db, person, password_hash=password_hash, by=by, method="reset link")
    throttling.let_in(db, keys, username=person.username)


def end_links_by(db: sa.Connection, user_id: int) -> None:
    """Whatever links that person has made, none of them is good any more."""
    queries.end_reset_links_by(db, user_id, at=clock.now())


def end_links_for(db: sa.Connection, user_id: int) -> None:
    """Whatever links were made for that person, none of them is good any more."""
    queries.end_reset_links_of(db, user_id, at=clock.now())
