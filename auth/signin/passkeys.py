"""Signing in with a passkey, and what passkeys and passwords do to sessions and to each other."""

import sqlalchemy as sa

from auth.passkeys import queries
from auth.passkeys.challenges import Challenge, spend
from auth.passkeys.own import add_passkey, list_own_passkeys, opens, remove_passkey
from auth.passkeys.relying_party import RelyingParty
from auth.passkeys.verifying import Answer, read_answer, verify_answer
from auth.principal import Principal
from auth.sessions.ending import end_sessions_of
from auth.sessions.store import SessionStore
from auth.signin import queries as signin_queries
from auth.signin import throttling
from auth.signin.beginning import SignedIn, Visit, begin
from auth.signin.failures import record_failure
from auth.users import queries as user_queries
from auth.users.events import USER_PASSWORD_REMOVED, about
from auth.users.roles import find_person
from eventlog.log.appending import append_event
from storage import clock
from storage.engine import Database
from web.errors import Conflict, Invalid, Unauthenticated
from web.signing import Keys

NEUTRAL = (
    "This passkey opened nothing here. If the page had been open for over ten minutes, try once more. Nothing else can "
    "be said about it."
)


def sign_in_with_passkey(
    database: Database,
    store: SessionStore,
    keys: Keys,
    *,
    sent: str,
    challenge: Challenge | None,
    party: RelyingParty | None,
    visit: Visit,
) -> SignedIn:
    """Begin a session by a passkey, and end the one that the browser held.

    `challenge`: the one that the page carried, None if it was not good. `party`: None where there are no passkeys.
    Raises TooMany when throttled, Unauthenticated with one neutral sentence for everything else.
    """
    with database.transaction() as db:
        attempt = throttling.count_attempt(db, keys, username=None, address=visit.address)
    answer = _read(sent)
    with database.transaction() as db:
        found = None if answer is None else queries.find_credential(db, answer.credential_id)
        if answer is not None and found is not None and challenge is not None and party is not None:
            sign_count = _verify(answer, found, challenge, party)
            if sign_count is not None and spend(db, challenge):
                named = throttling.name_attempt(keys, attempt, username=found.username, address=visit.address)
                throttling.take_back(db, named)
                at = clock.now()
                queries.note_use(db, found.passkey_id, sign_count=sign_count, day=at - at % clock.DAY)
                return begin(db, store, find_person(db, found.username), visit, method="passkey")
        record_failure(db, keys, username="" if found is None else found.username, address=visit.address)
    raise Unauthenticated(NEUTRAL)


def add_own_passkey(
    db: sa.Connection, sent: str, challenge: Challenge | None, party: RelyingParty, *, name: str, by: Principal
) -> None:
    """Add one and end one's other sessions. Raises Invalid as `add_passkey` does."""
    add_passkey(db, sent, challenge, party, name=name, by=by)
    end_sessions_of(db, find_person(db, by.username), by=by, reason="passkey added", except_id=by.session_id)


def remove_own_passkey(db: sa.Connection, passkey_id: str, *, host: str | None, by: Principal) -> None:
    """Remove one and end one's other sessions. Raises NotFound and Conflict as `remove_passkey` does."""
    remove_passkey(db, passkey_id, host=host, by=by)
    end_sessions_of(db, find_person(db, by.username), by=by, reason="passkey removed", except_id=by.session_id)


def remove_own_password(db: sa.Connection, *, host: str | None, by: Principal) -> None:
    """From now on one signs in with passkeys alone; one's other sessions and links for a new password end.

    Without a password nothing changes. Raises Conflict unless one of one's passkeys opens the site under this name.
    """
    user = find_person(db, by.username)
    if not user_queries.has_password(db, user.id):
        return
    if host is None or not any(opens(passkey, host) for passkey in list_own_passkeys(db, by=by)):
        raise Conflict("Your password is the last way into your account here. Add a passkey first.")
    user_queries.replace_password_hash(db, user.id, password_hash=None)
    signin_queries.end_reset_links_of(db, user.id, at=clock.now())
    append_event(db, USER_PASSWORD_REMOVED, by=by, subject=about(user.username))
    end_sessions_of(db, user, by=by, reason="password removed", except_id=by.session_id)


def _read(sent: str) -> Answer | None:
    try:
        return read_answer(sent)
    except Invalid:
        return None


def _verify(answer: Answer, found: queries.Credential, challenge: Challenge, party: RelyingParty) -> int | None:
    """How often the passkey was used by now; None where it opens nothing."""
    if found.is_blocked or answer.user_handle != found.user_handle:
        return None
    try:
        return verify_answer(answer, challenge, party, public_key=found.public_key, sign_count=found.sign_count)
    except Invalid:
        return None
