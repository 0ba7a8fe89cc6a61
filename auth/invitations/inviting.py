"""Invitations: an owner makes a link, and may withdraw it."""

import secrets
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

import sqlalchemy as sa

from auth.invitations import queries
from auth.invitations.events import INVITATION_MADE, INVITATION_WITHDRAWN, about
from auth.permissions import Role
from eventlog.actors import Actor
from eventlog.log.appending import append_event
from eventlog.redaction import without_secrets
from storage import clock
from storage.digests import digest_of
from storage.ids import new_id
from web.errors import Invalid, NotFound

LONGEST_DAYS = 90
MOST_USES = 100
LONGEST_NOTE = 100


class Made(NamedTuple):
    """An invitation that was just made, with its token, which nobody can find out again."""

    id: str
    token: str
    role: Role
    uses: int
    expires_at: int

    @property
    def path(self) -> str:
        """The address of the link on this site."""
        return f"/join/{self.token}"

    @property
    def subject(self) -> str:
        """What events about it name."""
        return about(self.id)


def invite(
    db: sa.Connection,
    *,
    role: str,
    days: int,
    uses: int,
    note: str,
    by: Actor,
    parse_faults: Mapping[str, str] = MappingProxyType({}),
) -> Made:
    """Make an invitation. Raises Invalid for all fields at once. `parse_faults`: what else is wrong with them."""
    faults, note = dict(parse_faults), without_secrets(note.strip())
    if role not in set(Role):
        faults["role"] = "Choose reader, author, editor or owner."
    if not 1 <= days <= LONGEST_DAYS:
        faults["days"] = f"Use a number of days from 1 to {LONGEST_DAYS}."
    if not 1 <= uses <= MOST_USES:
        faults["uses"] = f"Use a number of people from 1 to {MOST_USES}."
    if len(note) > LONGEST_NOTE or not note.isprintable():
        faults["note"] = f"Use at most {LONGEST_NOTE} characters that can be shown."
    if faults:
        raise Invalid(faults)
    at = clock.now()
    made = Made(new_id(), secrets.token_urlsafe(32), Role(role), uses, at + days * clock.DAY)
    queries.insert_invitation(
        db,
        invitation_id=made.id,
        digest=digest_of(made.token),
        role=made.role,
        label=note,
        uses=uses,
        created_by=by.user_id,
        created_at=at,
        expires_at=made.expires_at,
    )
    payload = {"role": made.role, "days": days, "uses": uses, "note": note}
    append_event(db, INVITATION_MADE, by=by, subject=about(made.id), payload=payload)
    return made


def withdraw(db: sa.Connection, invitation_id: str, *, by: Actor) -> None:
    """Let an invitation be good no more. Whoever has come by it stays. Twice changes nothing. Raises NotFound."""
    if queries.find_invitation(db, invitation_id=invitation_id) is None:
        raise NotFound("There is no invitation of that id.")
    if queries.withdraw_invitation(db, invitation_id, at=clock.now()):
        append_event(db, INVITATION_WITHDRAWN, by=by, subject=about(invitation_id))


def withdraw_all_by(db: sa.Connection, user_id: int, by: Actor) -> None:
    """Let no invitation of that person be good any more: they run the site no longer."""
    for invitation_id in queries.list_open_of(db, user_id, at=clock.now()):
        withdraw(db, invitation_id, by=by)
