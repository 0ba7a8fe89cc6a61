"""A new password for somebody who has forgotten theirs, with a recovery code."""

import sqlalchemy as sa

from auth.factors.checking import record_recovery, take_app_code, take_recovery_code
from auth.factors.queries import find_totp
from auth.signin import throttling
from auth.signin.failures import record_failure
from auth.signin.signing_in import set_password
from auth.users import queries as user_queries
from auth.users.model import User
from auth.users.passwords import check_password_rules, hash_password
from eventlog.actors import Nobody
from storage.engine import Database
from web.errors import Unauthenticated
from web.signing import Keys
from web.site.queries import read_site

NEUTRAL = (
    "That name and recovery code do not belong together here, or a code of your app is missing. Nothing else can be "
    "said about them, and no code was used up."
)
_NOBODY = 0


class _Wrong(Exception):
    """The codes do not belong to that name; none of them is spent."""


def recover(
    database: Database, keys: Keys, *, username: str, code: str, app_code: str, new_password: str, address: str
) -> User:
    """Set a person's password and end all their sessions; the code is spent, and nobody is signed in by it.

    Whoever is asked for codes of an app at a sign-in needs one here too (`app_code`): the recovery codes are one thing
    that somebody has, and two of them would be the whole account. Raises Invalid for the new password; TooMany;
    Unauthenticated with one neutral sentence when the name is unknown, a code wrong or the person blocked. The password
    is hashed in each case, so that time tells nothing.
    """
    username = username.strip().lower()
    with database.reading() as db:
        # No more than was typed: what else belongs to that name is told to nobody before the code is right.
        words = (username, read_site(db).name)
    check_password_rules(new_password, field="new_password", words=words)
    with database.transaction() as db:
        attempt = throttling.count_attempt(db, keys, username=username, address=address)
    fresh_hash = hash_password(new_password)
    try:
        with database.transaction() as db:
            user = _spend(db, username, code=code, app_code=app_code)
            throttling.give_back(db, attempt)
            throttling.let_in(db, keys, username=user.username)
            by = Nobody(f"recovery.{user.username}", user.username, user.id)
            set_password(db, user, password_hash=fresh_hash, by=by, method="recovery code")
            record_recovery(db, user, by=by)
            return user
    except _Wrong:
        with database.transaction() as db:
            record_failure(db, keys, username=username, address=address, step="recovery")
    raise Unauthenticated(NEUTRAL)


def _spend(db: sa.Connection, username: str, *, code: str, app_code: str) -> User:
    """Use up what was typed and give the person it belongs to. Raises _Wrong, which is to undo the transaction."""
    user = user_queries.find_user(db, username)
    whose = _NOBODY if user is None or user.is_blocked else user.id
    is_asked = find_totp(db, whose) is not None
    is_right = take_recovery_code(db, whose, code)
    if user is None or not is_right or (is_asked and not take_app_code(db, whose, app_code)):
        raise _Wrong
    return user
