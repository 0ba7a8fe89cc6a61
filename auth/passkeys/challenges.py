"""Challenges: what a device signs to show that it is there now.

A page carries its challenge, signed, so that showing it stores nothing. It is good for ten minutes, for one purpose, in
the browser that it was made for, and once.
"""

import hashlib
import secrets
from dataclasses import dataclass
from enum import StrEnum

import sqlalchemy as sa

from auth.passkeys import queries
from storage import clock
from web.signing import Keys

GOOD_FOR = 10 * clock.MINUTE
# Longer than a signature is good, also when the clock was put right meanwhile.
_REMEMBERED_FOR = clock.HOUR
_NONCE_BYTES = 32
_LONGEST = 500


class Purpose(StrEnum):
    """What a challenge is for: one made for the one thing is never good for the other."""

    SIGN_IN = "sign_in"
    ADD = "add"


@dataclass(frozen=True, slots=True)
class Challenge:
    """A challenge and, where a passkey is to be added, what the device shall call its person; both in base 64."""

    nonce: str
    user_handle: str = ""


def make_challenge(user_handle: str = "") -> Challenge:
    """A fresh one. Nothing is written."""
    return Challenge(secrets.token_urlsafe(_NONCE_BYTES), user_handle)


def sign_challenge(keys: Keys, purpose: Purpose, challenge: Challenge, *, browser: str) -> str:
    """How a page carries it. `browser`: the id of the session, saved or not, that the page is shown to."""
    return keys.sign(_kind(purpose, browser), f"{challenge.nonce}.{challenge.user_handle}")


def read_challenge(keys: Keys, purpose: Purpose, signed: str, *, browser: str) -> Challenge | None:
    """The challenge that came back; None unless it is ours, for this purpose and this browser, and young enough."""
    if len(signed) > _LONGEST:
        return None
    read = keys.read(_kind(purpose, browser), signed, max_age_seconds=GOOD_FOR // clock.SECOND)
    return None if read is None else Challenge(*read[0].split("."))


def spend(db: sa.Connection, challenge: Challenge) -> bool:
    """Use it up, in the transaction of what it is used for; False when it was used before."""
    at = clock.now()
    digest = hashlib.sha256(challenge.nonce.encode()).hexdigest()
    return queries.spend_challenge(db, digest, at=at, forget_at=at + _REMEMBERED_FOR)


def _kind(purpose: Purpose, browser: str) -> str:
    # Each kind has a signing key of its own, and so each browser has.
    return f"passkey.{purpose}.{browser}"
