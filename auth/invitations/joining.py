"""Somebody new makes an account: by an invitation, or of their own accord where the site is open."""

from dataclasses import dataclass

import sqlalchemy as sa

from auth.invitations import queries
from auth.invitations.events import INVITATION_USED, about
from auth.invitations.model import Invitation, State
from auth.permissions import Role
from auth.users.passwords import check_password_rules
from auth.users.registering import check_display_name, normalise_username, register
from eventlog.actors import Actor, Nobody
from eventlog.log.appending import append_event
from storage import clock
from storage.digests import digest_of
from web.errors import Conflict, Gone, Invalid, NotFound
from web.site.model import Registration
from web.site.queries import read_site

_OVER = "This invitation is over"
_WHY = {
    State.WITHDRAWN: "It was withdrawn by an owner of this site. Ask for another one.",
    State.USED_UP: "It has been used up already. If that was you, sign in. Otherwise ask whoever gave it to you.",
    State.EXPIRED: "It has expired. Ask whoever gave it to you for another one.",
}
_CLOSED = "Nobody can make an account on this site at the moment, also not with an invitation. Ask its owner."


@dataclass(frozen=True, slots=True)
class Newcomer:
    """What somebody new says of themselves; the password has passed the rules and is hashed."""

    username: str
    display_name: str
    password_hash: str


def check_newcomer(*, username: str, display_name: str, password: str, site_name: str) -> None:
    """Raise Invalid, for all fields at once, for what no account can be made of, whoever has one already."""
    faults: dict[str, str] = {}
    for check, text in ((normalise_username, username), (check_display_name, display_name)):
        try:
            check(text)
        except Invalid as invalid:
            faults |= invalid.fields
    try:
        check_password_rules(password, words=(username, display_name, site_name))
    except Invalid as invalid:
        faults |= invalid.fields
    if faults:
        raise Invalid(faults)


def find_open_invitation(db: sa.Connection, token: str) -> Invitation:
    """The invitation that a link holds.

    Raises NotFound for one that was never made, Gone for one that is over, or while the site takes nobody.
    """
    invitation = queries.find_invitation(db, digest=digest_of(token))
    if invitation is None:
        raise NotFound("This is no invitation of this site. Look whether the whole link came over.")
    if read_site(db).registration == Registration.CLOSED:
        raise Gone(_CLOSED, title="This site takes nobody new")
    state = invitation.state(clock.now())
    if why := _WHY.get(state):
        raise Gone(why, title=_OVER, offers_sign_in=state is State.USED_UP)
    return invitation


def join(db: sa.Connection, token: str, newcomer: Newcomer) -> int:
    """Make an account by an invitation, which gives the role; of many at once, no more come in than it is good for.

    Raises NotFound and Gone as `find_open_invitation` does, Invalid for the names. Returns the person's id.
    """
    invitation = find_open_invitation(db, token)
    if not queries.take_use(db, invitation.id, at=clock.now()):
        raise Gone(_WHY[State.USED_UP], title=_OVER, offers_sign_in=True)
    by = Nobody(f"invitation.{invitation.id}", "(invitation)")
    user_id = _make(db, newcomer, role=invitation.role, by=by)
    payload = {"user": normalise_username(newcomer.username), "role": invitation.role}
    append_event(db, INVITATION_USED, by=by, subject=about(invitation.id), payload=payload)
    return user_id


def check_openness(db: sa.Connection) -> None:
    """Raise NotFound unless anybody may make an account."""
    if not read_site(db).is_open:
        raise NotFound


def register_oneself(db: sa.Connection, newcomer: Newcomer) -> int:
    """Make an account of one's own accord, as a reader. Raises NotFound where the site is not open, Invalid."""
    check_openness(db)
    return _make(db, newcomer, role=Role.READER, by=Nobody("registration", "(registration)"))


def _make(db: sa.Connection, newcomer: Newcomer, *, role: Role, by: Actor) -> int:
    try:
        return register(
            db,
            newcomer.username,
            role=role,
            password_hash=newcomer.password_hash,
            by=by,
            display_name=newcomer.display_name,
        )
    except Conflict:
        raise Invalid({"username": "Somebody has this name already. Choose another one."}) from None
