"""Whether a code is right, which uses it up."""

import unicodedata
from enum import StrEnum

import sqlalchemy as sa

from auth.factors import queries
from auth.factors.events import RECOVERY_CODES_USED
from auth.factors.recovery_codes import digest_of
from auth.factors.totp import find_step
from auth.users.events import about
from auth.users.model import User
from eventlog.actors import Actor
from eventlog.log.appending import append_event
from storage import clock

_LONGEST = 100


class Kind(StrEnum):
    """What a right code was."""

    CODE = "code"
    RECOVERY_CODE = "recovery code"


def take_code(db: sa.Connection, user_id: int, typed: str) -> Kind | None:
    """Use up a code from the person's app, or one of their recovery codes; None when it is neither, or was used."""
    if take_app_code(db, user_id, typed):
        return Kind.CODE
    return Kind.RECOVERY_CODE if take_recovery_code(db, user_id, typed) else None


def take_app_code(db: sa.Connection, user_id: int, typed: str) -> bool:
    """Use up a code of the person's app; whether it is right, and neither it nor a later one was used."""
    totp = queries.find_totp(db, user_id)
    if totp is None:
        return False
    step = find_step(totp.secret, read_digits(typed), at=clock.now(), after=totp.last_step)
    return step is not None and queries.advance_step(db, user_id, step)


def take_recovery_code(db: sa.Connection, user_id: int, typed: str) -> bool:
    """Spend a recovery code of a person; whether it was one. The same work for a person who does not exist."""
    digest = digest_of(typed if len(typed) <= _LONGEST else "")
    return queries.delete_recovery_code(db, user_id, digest)


def record_recovery(db: sa.Connection, user: User, *, by: Actor) -> None:
    """Record that a recovery code was spent, and how many are left."""
    left = queries.count_recovery_codes(db, user.id).count
    append_event(db, RECOVERY_CODES_USED, by=by, subject=about(user.username), payload={"left": left})


def read_digits(typed: str) -> str:
    """A code as apps show it, in groups, or as other keyboards write digits."""
    plain = "".join(typed[:_LONGEST].split()).replace("-", "")
    return "".join(str(unicodedata.decimal(sign, sign)) for sign in plain)
