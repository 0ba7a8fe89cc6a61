"""Passwords: argon2id, at most two at a time, and the same work whether the name exists or not."""

import threading
import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

from auth.users.common_passwords import is_common, is_made_of
from web.errors import Busy, Invalid

SHORTEST, LONGEST = 8, 1000

# OWASP's first choice for argon2id: 19 MiB, two passes; about 50 ms.
_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
# Each hash takes a core and 19 MiB: a storm of sign-ins must not take them all.
_at_once = threading.BoundedSemaphore(2)
_WAIT_SECONDS = 10

# Everybody sees what a site runs on.
_PROGRAM = "byline"
_BETTER = "Take another: a few unrelated words are easy to remember and hard to guess."
_COMMON = f"Many people use this password, so it is among the first that others try. {_BETTER}"
_MADE_OF_NAMES = f"This is little more than your name or the name of the site, which others try first. {_BETTER}"

# Checked where there is no account: same parameters, same time. Of zeros, which no password is known to give.
_COST = f"m={_hasher.memory_cost},t={_hasher.time_cost},p={_hasher.parallelism}"
_NOBODYS_HASH = f"$argon2id$v=19${_COST}${'A' * 22}${'A' * 43}"


def check_password_rules(password: str, *, field: str = "password", words: Iterable[str] = ()) -> None:
    """Raise Invalid unless the password may be used: any characters, 8 to 1,000 of them, and not a common one.

    `words`: the names of the person and of the site, where they are known; a password made of them is common too.
    """
    if not SHORTEST <= len(password) <= LONGEST:
        raise Invalid({field: f"Use {SHORTEST} to {LONGEST:,} characters; 15 or more are better."})
    if not _is_encodable(password):
        raise Invalid({field: "This holds a character that cannot be stored."})
    if is_common(password):
        raise Invalid({field: _COMMON})
    if is_made_of(password, (*words, _PROGRAM)):
        raise Invalid({field: _MADE_OF_NAMES})


def hash_password(password: str) -> str:
    """The hash to store."""
    with _turn():
        return _hasher.hash(_normalised(password))


def is_password_right(stored: str | None, password: str) -> bool:
    """Whether the password is the one behind `stored`; without one, False after the same work."""
    if len(password) > LONGEST or not _is_encodable(password):
        password, stored = "", None
    with _turn():
        try:
            return _hasher.verify(stored or _NOBODYS_HASH, _normalised(password)) and stored is not None
        except (VerifyMismatchError, InvalidHashError):
            return False


def needs_rehash(stored: str) -> bool:
    """Whether the hash was made with older parameters."""
    return _hasher.check_needs_rehash(stored)


def _normalised(password: str) -> str:
    # NIST SP 800-63B, 3.1.1.2: the same password typed on another keyboard must be the same characters.
    return unicodedata.normalize("NFKC", password)


def _is_encodable(password: str) -> bool:
    return not any(0xD800 <= ord(character) < 0xE000 for character in password)


@contextmanager
def _turn() -> Iterator[None]:
    if not _at_once.acquire(timeout=_WAIT_SECONDS):
        raise Busy("Too many people are signing in just now. Try again in a few seconds.", retry_after_seconds=5)
    try:
        yield
    finally:
        _at_once.release()
