"""Somebody new."""

import re
import unicodedata
from collections.abc import Iterable

import sqlalchemy as sa

from auth.permissions import Role
from auth.users import queries
from auth.users.events import USER_CREATED, about
from auth.users.passwords import check_password_rules, hash_password
from eventlog.actors import Actor
from eventlog.log.appending import append_event
from eventlog.redaction import without_secrets
from storage import clock
from web.errors import Conflict, Invalid

_USERNAME = re.compile(r"[a-z0-9_-]{1,40}")
_DISPLAY_NAME_LENGTH = 80


def normalise_username(name: str) -> str:
    """The name as it is stored. Raises Invalid when it cannot be one."""
    name = name.strip().lower()
    if not _USERNAME.fullmatch(name):
        raise Invalid({"username": "Use 1 to 40 of the letters a to z, digits, - and _."})
    return name


def check_display_name(name: str) -> str:
    """The display name, trimmed. Raises Invalid."""
    name = unicodedata.normalize("NFC", name.strip())
    if len(name) > _DISPLAY_NAME_LENGTH or any(unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") for c in name):
        raise Invalid({"display_name": f"Use at most {_DISPLAY_NAME_LENGTH} characters, in one line."})
    return name


def prepare_password(password: str, *, words: Iterable[str] = ()) -> str:
    """The hash of a password that passes the rules; made before the transaction, because it takes its time.

    `words`: the names of the person and of the site, where they are known.
    """
    check_password_rules(password, words=words)
    return hash_password(password)


def register(
    db: sa.Connection, username: str, *, role: Role, password_hash: str | None, by: Actor, display_name: str = ""
) -> int:
    """Store a new person and return their id. Raises Invalid for the name, Conflict when it is taken."""
    username = normalise_username(username)
    if queries.find_user(db, username) is not None:
        raise Conflict(f"There is a person named {username} already.")
    user_id = queries.insert_user(
        db,
        username=username,
        display_name=without_secrets(check_display_name(display_name)) or username,
        role=role,
        password_hash=password_hash,
        at=clock.now(),
    )
    append_event(db, USER_CREATED, by=by, subject=about(username), payload={"role": role})
    return user_id
