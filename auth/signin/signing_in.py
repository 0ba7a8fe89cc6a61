"""Signing in and out, and changing one's own password."""

import sqlalchemy as sa

from auth.principal import Principal
from auth.sessions.ending import end_sessions_of
from auth.sessions.events import SESSION_SIGN_IN_FAILED, SESSION_SIGNED_OUT
from auth.sessions.store import SessionStore
from auth.signin import throttling
from auth.signin.beginning import SignedIn, Visit, begin
from auth.users import queries as user_queries
from auth.users.events import USER_PASSWORD_CHANGED, about
from auth.users.model import User
from auth.users.passwords import check_password_rules, hash_password, is_password_right, needs_rehash
from auth.users.roles import find_person
from eventlog.actors import Actor, Nobody
from eventlog.log.appending import append_event
from storage.engine import Database
from web.errors import Invalid, Unauthenticated
from web.signing import Keys

NEUTRAL = "That name and password do not belong together here. Nothing else can be said about them."


def sign_in(
    database: Database,
    store: SessionStore,
    keys: Keys,
    *,
    username: str,
    password: str,
    visit: Visit,
) -> SignedIn:
    """Begin a session by name and password, and end the one that the browser held.

    Raises TooMany when throttled, Unauthenticated with one neutral sentence when the name is unknown, the password is
    wrong or the person is blocked. The password is checked between two transactions, because that takes its time.
    """
    username = username.strip().lower()
    with database.transaction() as db:
        attempt = throttling.count_attempt(db, keys, username=username, address=visit.address)
    with database.reading() as db:
        found = user_queries.password_hash_of(db, username)
    stored = None if found is None else found[1]
    if not is_password_right(stored, password) or found is None or stored is None:
        with database.transaction() as db:
            record_failure(db, keys, username=username, address=visit.address)
        raise Unauthenticated(NEUTRAL)
    fresh_hash = hash_password(password) if needs_rehash(stored) else None
    with database.transaction() as db:
        # Anew: the person may have been blocked, or the password changed, while it was being checked.
        if user_queries.password_hash_of(db, username) != found:
            raise Unauthenticated(NEUTRAL)
        throttling.take_back(db, attempt)
        if fresh_hash is not None:
            user_queries.replace_password_hash(db, found[0], password_hash=fresh_hash)
        return begin(db, store, find_person(db, username), visit, method="password")


def change_password(database: Database, keys: Keys, *, current: str, new: str, by: Principal, address: str) -> None:
    """Set one's own password and end one's other sessions. `current` is not looked at where there is none yet.

    Raises Invalid, also when the current one is wrong; TooMany, because a stolen session must not be able to guess it.
    """
    check_password_rules(new, field="new_password")
    with database.transaction() as db:
        attempt = throttling.count_attempt(db, keys, username=by.username, address=address)
        found = user_queries.password_hash_of(db, by.username)
    if found is not None and not is_password_right(found[1], current):
        raise Invalid({"current_password": "This is not your current password."})
    fresh_hash = hash_password(new)
    with database.transaction() as db:
        if user_queries.password_hash_of(db, by.username) != found:
            raise Invalid({"current_password": "Your password was changed meanwhile."})
        throttling.take_back(db, attempt)
        user = find_person(db, by.username)
        if user.is_blocked:
            raise Unauthenticated(NEUTRAL)
        _replace_password(db, user, password_hash=fresh_hash, by=by, except_id=by.session_id)


def sign_out(db: sa.Connection, store: SessionStore, whole_id: str, *, by: Principal) -> None:
    """End one's own session. Signing out twice is recorded once."""
    if store.clear(db, whole_id):
        append_event(db, SESSION_SIGNED_OUT, by=by, subject=about(by.username))


def set_password(db: sa.Connection, user: User, *, password_hash: str, by: Actor) -> None:
    """Set somebody's password for them and end their sessions."""
    _replace_password(db, user, password_hash=password_hash, by=by, except_id=None)


def _replace_password(db: sa.Connection, user: User, *, password_hash: str, by: Actor, except_id: str | None) -> None:
    user_queries.replace_password_hash(db, user.id, password_hash=password_hash)
    append_event(db, USER_PASSWORD_CHANGED, by=by, subject=about(user.username))
    end_sessions_of(db, user, by=by, reason="password changed", except_id=except_id)


def record_failure(db: sa.Connection, keys: Keys, *, username: str, address: str) -> None:
    """For a known account, once in ten minutes; for an unknown one the same work, so that time tells nothing."""
    is_due = throttling.is_failure_due(db, keys, username=username)
    user = user_queries.find_user(db, username)
    if is_due and user is not None:
        # The visitor has no session that is worth a name; the failures of an account belong together.
        by = Nobody(f"failed.{user.username}", "(visitor)")
        append_event(db, SESSION_SIGN_IN_FAILED, by=by, subject=about(user.username), payload={"address": address})
