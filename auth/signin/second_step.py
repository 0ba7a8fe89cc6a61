"""The second step of signing in: a code, for those who have turned that on."""

from auth.factors.checking import Kind, record_recovery, take_code
from auth.factors.queries import find_totp
from auth.sessions.store import SessionStore
from auth.signin import throttling
from auth.signin.beginning import SignedIn, Visit, begin
from auth.signin.failures import EXPIRED, record_failure
from auth.signin.proof import find_proven
from eventlog.actors import Nobody
from storage.engine import Database
from web.errors import Unauthenticated
from web.signing import Keys

_WRONG = "That code is not right, or was used already. Wait for the next one in your app, or use a recovery code."


class WrongCode(Unauthenticated):
    """The first step was done, and another code may be tried."""


def finish_sign_in(
    database: Database, store: SessionStore, keys: Keys, *, proof: str, typed: str, visit: Visit, binding: str
) -> SignedIn:
    """Begin a session with a code from the app or a recovery code, which is thereby used up.

    Raises Unauthenticated where the first step has to be done again; TooMany; WrongCode, which counts like a wrong
    password.
    """
    with database.transaction() as db:
        user = find_proven(db, keys, proof, binding=binding)
        if find_totp(db, user.id) is None:
            # Turned off meanwhile. The password alone is shown on the other page.
            raise Unauthenticated(EXPIRED)
        attempt = throttling.count_attempt(db, keys, username=user.username, address=visit.address)
        kind = take_code(db, user.id, typed)
        if kind is not None:
            throttling.take_back(db, attempt)
            signed_in = begin(db, store, user, visit, method=f"password and {kind}")
            if kind is Kind.RECOVERY_CODE:
                record_recovery(db, user, by=Nobody(signed_in.session.id, user.username, user.id))
            return signed_in
        record_failure(db, keys, username=user.username, address=visit.address, step="code")
    raise WrongCode(_WRONG)
