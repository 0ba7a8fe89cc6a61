"""The beginning of a session, whichever way somebody has shown who they are."""

from dataclasses import dataclass

import sqlalchemy as sa

from auth.sessions.events import SESSION_ENDED, SESSION_SIGNED_IN
from auth.sessions.model import Session
from auth.sessions.newcomers import announce_newcomer
from auth.sessions.queries import find_signed_in
from auth.sessions.store import SessionStore, name_of
from auth.signin.devices import describe_device
from auth.users.events import about
from auth.users.model import User
from eventlog.actors import Nobody
from eventlog.log.appending import append_event
from storage.digests import digest_of


@dataclass(frozen=True, slots=True)
class Visit:
    """The browser that somebody signs in with."""

    address: str
    user_agent: str
    is_remembered: bool  # whether the session outlives it
    former_id: str | None  # the whole id of the session that it held until now


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session that was just begun; its whole id goes into the cookie."""

    whole_id: str
    session: Session
    user: User


def begin(db: sa.Connection, store: SessionStore, user: User, visit: Visit, *, method: str) -> SignedIn:
    """Begin a session of a person who has shown who they are, and end the one that the browser held.

    That the person is not blocked was read in the same transaction. `method`: the way in, for the log and the page of
    devices.
    """
    whole_id = store.create()
    session = store.set(db, whole_id, user_id=user.id, is_remembered=visit.is_remembered)
    device = describe_device(visit.user_agent)
    by = Nobody(session.id, user.username, user.id)
    payload = {
        "address": visit.address,
        "device": device,
        "is_remembered": visit.is_remembered,
        "method": method,
    }
    append_event(db, SESSION_SIGNED_IN, by=by, subject=about(user.username), payload=payload, first_message=device)
    former = None if visit.former_id is None else find_signed_in(db, digest_of(visit.former_id))
    if former is None or former.session.user_id != user.id:
        announce_newcomer(db, session, device=device, address=visit.address)
    if visit.former_id is not None and store.clear(db, visit.former_id):
        ended = {"sessions": [name_of(visit.former_id)], "count": 1, "reason": "signed in again"}
        whose = about(former.username) if former is not None else None
        append_event(db, SESSION_ENDED, by=by, subject=whose, payload=ended)
    return SignedIn(whole_id, session, user)
