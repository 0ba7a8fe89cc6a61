"""Signing in and out, and changing one's own password."""

from dataclasses import dataclass

import sqlalchemy as sa

from auth.principal import Principal
from auth.sessions import queries as session_queries
from auth.sessions.model import Session
from auth.sessions.store import SessionStore
from auth.signin import throttling
from auth.users import queries as user_queries
from auth.users.model import User
from auth.users.passwords import check_password_rules, hash_password, is_password_right, needs_rehash
from auth.users.roles import find_person
from storage.engine import Database
from web.errors import Invalid, Unauthenticated
from web.signing import Keys

NEUTRAL = "That name and password do not belong together here. Nothing else can be said about them."


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session that was just begun; its whole id goes into the cookie."""

    whole_id: str
    session: Session
    user: User


def sign_in(
    database: Database,
    store: SessionStore,
    keys: Keys,
    *,
    username: str,
    password: str,
    is_remembered: bool,
    address: str,
    former_id: str | None,
) -> SignedIn:
    """Begin a session, and end the one that the browser held (`former_id`).

    Raises TooMany when throttled, Unauthenticated with one neutral sentence when the name is unknown, the password is
    wrong or the person is blocked. The password is checked between two transactions, because that takes its time.
    """
    username = username.strip().lower()
    with database.transaction() as db:
        attempt = throttling.count_attempt(db, keys, username=username, address=address)
    with database.reading() as db:
        found = user_queries.password_hash_of(db, username)
    stored = None if found is None else found[1]
    if not is_password_right(stored, password) or found is None or stored is None:
        raise Unauthenticated(NEUTRAL)
    fresh_hash = hash_password(password) if needs_rehash(stored) else None
    with database.transaction() as db:
        # Anew: the person may have been blocked, or the password changed, while it was being checked.
        if user_queries.password_hash_of(db, username) != found:
            raise Unauthenticated(NEUTRAL)
        throttling.take_back(db, attempt)
        if fresh_hash is not None:
            user_queries.replace_password_hash(db, found[0], password_hash=fresh_hash)
        if former_id is not None:
            store.clear(db, former_id)
        whole_id = store.create()
        session = store.set(db, whole_id, user_id=found[0], is_remembered=is_remembered)
        user = find_person(db, username)
    return SignedIn(whole_id, session, user)


def change_password(database: Database, keys: Keys, *, current: str, new: str, by: Principal, address: str) -> None:
    """Set one's own password and end one's other sessions.

    Raises Invalid, also when the current one is wrong; TooMany, because a stolen session must not be able to guess it.
    """
    check_password_rules(new, field="new_password")
    with database.transaction() as db:
        attempt = throttling.count_attempt(db, keys, username=by.username, address=address)
        found = user_queries.password_hash_of(db, by.username)
    if found is None or not is_password_right(found[1], current):
        raise Invalid({"current_password": "This is not your current password."})
    fresh_hash = hash_password(new)
    with database.transaction() as db:
        if user_queries.password_hash_of(db, by.username) != found:
            raise Invalid({"current_password": "Your password was changed meanwhile."})
        throttling.take_back(db, attempt)
        user_queries.replace_password_hash(db, found[0], password_hash=fresh_hash)
        session_queries.delete_sessions_of(db, found[0], except_id=by.session_id)


def set_password(db: sa.Connection, user_id: int, *, password_hash: str) -> None:
    """Set somebody's password for them and end their sessions."""
    user_queries.replace_password_hash(db, user_id, password_hash=password_hash)
    session_queries.delete_sessions_of(db, user_id)
