"""What the page of the second step carries to show that the first was done: signed, for ten minutes, stored nowhere."""

import sqlalchemy as sa

from auth.signin.failures import EXPIRED, NEUTRAL
from auth.users import queries as user_queries
from auth.users.model import User
from auth.users.roles import find_person
from web.errors import Unauthenticated
from web.signing import Keys

_KIND = "second step"
_SECONDS = 600


def make_proof(keys: Keys, username: str, user_id: int, password_hash: str, *, binding: str) -> str:
    """For somebody who has just shown the password behind that hash, in the browser that `binding` stands for."""
    browser, password = _browser(binding), _password(user_id, password_hash)
    return keys.sign(_KIND, f"{username}.{keys.digest(_KIND, browser)}.{keys.digest(_KIND, password)}")


def find_proven(db: sa.Connection, keys: Keys, proof: str, *, binding: str) -> User:
    """The person whose password was shown in this browser within the last ten minutes.

    Raises Unauthenticated: with the neutral sentence where they are blocked, or the password is another one now.
    """
    read = keys.read(_KIND, proof, max_age_seconds=_SECONDS)
    username, browser, password = read[0].split(".") if read is not None else ("", "", "")
    if not keys.matches(_KIND, _browser(binding), browser):
        raise Unauthenticated(EXPIRED)
    found = user_queries.password_hash_of(db, username)
    if found is None or not keys.matches(_KIND, _password(*found), password):
        raise Unauthenticated(NEUTRAL)
    return find_person(db, username)


def _browser(binding: str) -> str:
    return f"browser\n{binding}"


def _password(user_id: int, password_hash: str) -> str:
    return f"password\n{user_id}\n{password_hash}"
