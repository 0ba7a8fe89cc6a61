"""A second factor is turned on and off, and recovery codes are made."""

from typing import NamedTuple, Protocol

import sqlalchemy as sa

from auth.factors import queries
from auth.factors.checking import read_digits
from auth.factors.events import (
    RECOVERY_CODES_MADE,
    RECOVERY_CODES_REMOVED,
    SECOND_FACTOR_DISABLED,
    SECOND_FACTOR_ENABLED,
)
from auth.factors.model import RecoveryCodes, Totp
from auth.factors.recovery_codes import digest_of, make_codes
from auth.factors.totp import find_step
from auth.principal import Principal
from auth.users.events import about
from auth.users.model import User
from auth.users.roles import find_person
from eventlog.actors import Actor
from eventlog.log.appending import append_event
from storage import clock
from web.errors import Conflict, Invalid

REASON = "second factor changed"
_NEVER = -1


class EndSessions(Protocol):
    """Ends a person's sessions, but one; sessions stand beside this, so `app.py` hands it in."""

    def __call__(
        self, db: sa.Connection, user: User, *, by: Actor, reason: str, except_id: str | None = None
    ) -> object: ...


class OwnFactors(NamedTuple):
    """What a person has besides a password."""

    totp: Totp | None
    recovery_codes: RecoveryCodes


def find_own(db: sa.Connection, *, by: Principal) -> OwnFactors:
    """One's own."""
    assert by.user_id is not None
    return OwnFactors(queries.find_totp(db, by.user_id), queries.count_recovery_codes(db, by.user_id))


def turn_on(db: sa.Connection, secret: str, code: str, *, by: Principal, end_sessions: EndSessions) -> list[str]:
    """From the next sign-in on, ask for a code of the app that has the secret. Returns fresh recovery codes.

    Raises Invalid when the code is not of that app and of now, Conflict when it is on already.
    """
    assert by.user_id is not None
    if queries.find_totp(db, by.user_id) is not None:
        raise Conflict("It is on already. To change to another app, turn it off first.")
    at = clock.now()
    step = find_step(secret, read_digits(code), at=at, after=_NEVER)
    if step is None:
        raise Invalid({"code": "This is not the code of now. Type the one that the app shows, and look at its clock."})
    queries.insert_totp(db, Totp(by.user_id, secret, step, at))
    append_event(db, SECOND_FACTOR_ENABLED, by=by, subject=about(by.username))
    return make_recovery_codes(db, by=by, end_sessions=end_sessions)


def turn_off(db: sa.Connection, *, by: Principal, end_sessions: EndSessions) -> None:
    """Ask for no code any more. Recovery codes stay. Where it is off already, nothing happens."""
    assert by.user_id is not None
    if queries.delete_totp(db, by.user_id):
        append_event(db, SECOND_FACTOR_DISABLED, by=by, subject=about(by.username))
        _end_others(db, by, end_sessions)


def make_recovery_codes(db: sa.Connection, *, by: Principal, end_sessions: EndSessions) -> list[str]:
    """Fresh ones in the place of those that were left; nobody can find them out again."""
    assert by.user_id is not None
    codes = make_codes()
    queries.replace_recovery_codes(db, by.user_id, map(digest_of, codes), at=clock.now())
    append_event(db, RECOVERY_CODES_MADE, by=by, subject=about(by.username), payload={"count": len(codes)})
    _end_others(db, by, end_sessions)
    return codes


def remove_factors(db: sa.Connection, user: User, *, by: Actor) -> None:
    """For somebody who has lost device and codes: the password alone is enough again. What is not there is no fault."""
    if queries.delete_totp(db, user.id):
        append_event(db, SECOND_FACTOR_DISABLED, by=by, subject=about(user.username))
    if count := queries.replace_recovery_codes(db, user.id, [], at=clock.now()):
        append_event(db, RECOVERY_CODES_REMOVED, by=by, subject=about(user.username), payload={"count": count})


def _end_others(db: sa.Connection, by: Principal, end_sessions: EndSessions) -> None:
    end_sessions(db, find_person(db, by.username), by=by, reason=REASON, except_id=by.session_id)
