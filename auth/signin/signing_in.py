"""Signing in and out, and changing one's own password."""

from typing import NamedTuple

import sqlalchemy as sa

from auth.factors.queries import find_totp
from auth.principal import Principal
from auth.sessions.ending import end_sessions_of
from auth.sessions.events import SESSION_SIGNED_OUT
from auth.sessions.store import SessionStore
from auth.signin import queries as signin_queries
from auth.signin import throttling
from auth.signin.beginning import SignedIn, Visit, begin
from auth.signin.failures import NEUTRAL, record_failure
from auth.signin.proof import make_proof
from auth.users import queries as user_queries
from auth.users.events import USER_PASSWORD_CHANGED, about
from auth.users.model import User
from auth.users.passwords import check_password_rules, hash_password, is_password_right, needs_rehash
from auth.users.roles import find_person
from eventlog.actors import Actor
from eventlog.log.appending import append_event
from storage import clock
from storage.engine import Database
from web.errors import Invalid, Unauthenticated
from web.signing import Keys
from web.site.queries import read_site


class CodeAsked(NamedTuple):
    """The password was right, and a code is asked for as well; the proof travels with the page that asks."""

    username: str
    proof: str


def sign_in(
    database: Database,
    store: SessionStore,
    keys: Keys,
    *,
    username: str,
    password: str,
    visit: Visit,
    binding: str,
) -> SignedIn | CodeAsked:
    """Begin a session by name and password, and end the one that the browser held; or ask for the second factor.

    Where a code is asked for, nothing has begun, and failures count on. `binding`: the browser, for the second step.

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
        if fresh_hash is not None:
            user_queries.replace_password_hash(db, found[0], password_hash=fresh_hash)
        if find_totp(db, found[0]) is not None:
            throttling.give_back(db, attempt)
            return CodeAsked(username, make_proof(keys, username, found[0], fresh_hash or stored, binding=binding))
        throttling.take_back(db, attempt)
        return begin(db, store, find_person(db, username), visit, method="password")


def change_password(database: Database, keys: Keys, *, current: str, new: str, by: Principal, address: str) -> None:
    """Set one's own password and end one's other sessions. `current` is not looked at where there is none yet.

    Raises Invalid, also when the current one is wrong; TooMany, because a stolen session must not be able to guess it.
    """
    with database.reading() as db:
        words = (by.username, by.display_name, read_site(db).name)
    check_password_rules(new, field="new_password", words=words)
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
        _replace_password(db, user, password_hash=fresh_hash, by=by, method="own page", except_id=by.session_id)


def sign_out(db: sa.Connection, store: SessionStore, whole_id: str, *, by: Principal) -> None:
    """End one's own session. Signing out twice is recorded once."""
    if store.clear(db, whole_id):
        append_event(db, SESSION_SIGNED_OUT, by=by, subject=about(by.username))


def set_password(db: sa.Connection, user: User, *, password_hash: str, by: Actor, method: str = "command line") -> None:
    """Set somebody's password without the former one, and end all their sessions. `method`: by what right."""
    _replace_password(db, user, password_hash=password_hash, by=by, method=method, except_id=None)


def _replace_password(
    db: sa.Connection, user: User, *, password_hash: str, by: Actor, method: str, except_id: str | None
) -> None:
    user_queries.replace_password_hash(db, user.id, password_hash=password_hash)
    # Whoever knows the new one needs no link any more, and nobody else shall have one.
    signin_queries.end_reset_links_of(db, user.id, at=clock.now())
    append_event(db, USER_PASSWORD_CHANGED, by=by, subject=about(user.username), payload={"method": method})
    end_sessions_of(db, user, by=by, reason="password changed", except_id=except_id)
