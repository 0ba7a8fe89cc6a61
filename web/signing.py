"""Signatures with key rotation: the current key signs, older ones still verify.

Every kind of token has a salt of its own, so that a token of one kind is never good as another.
"""

import hashlib
import os
import secrets
import time
from pathlib import Path

from flask import current_app
from itsdangerous import BadSignature, SignatureExpired, Signer, TimestampSigner

from web.settings import Settings

SECRET_FILE = "secret_key"


class Keys:
    """The signing keys of one site, by which everything that it hands out is recognised again."""

    def __init__(self, current: str, fallbacks: tuple[str, ...] = ()) -> None:
        self._current = current
        # itsdangerous signs with the last key of the list and verifies with any.
        self._all = [*fallbacks, current]

    def sign(self, kind: str, text: str) -> str:
        """`text`, the time and a signature, separated by dots."""
        return self._timed(kind, self._all).sign(text).decode()

    def read(self, kind: str, signed: str, *, max_age_seconds: int) -> tuple[str, int] | None:
        """The text and when it was signed (seconds), or None when it is not ours, of another kind, or too old."""
        try:
            text, signed_at = self._timed(kind, self._all).unsign(signed, max_age_seconds, return_timestamp=True)
        except (BadSignature, SignatureExpired, UnicodeError):
            return None
        # A clock that was put back would make a cookie from the future immortal.
        moment = int(signed_at.timestamp())
        return (text.decode(), moment) if moment <= time.time() + 300 else None

    def is_current(self, kind: str, signed: str) -> bool:
        """Whether the current key made this signature; if not, it is time to sign anew."""
        return self._timed(kind, [self._current]).validate(signed)

    def digest(self, kind: str, text: str) -> str:
        """A keyed digest of `text`, the same for as long as the current key is."""
        return self._plain(kind, [self._current]).get_signature(text).decode()

    def matches(self, kind: str, text: str, digest: str) -> bool:
        """Whether `digest` was made of `text` by any of the keys; in constant time for each."""
        return self._plain(kind, self._all).verify_signature(text, digest)

    @staticmethod
    def _timed(kind: str, keys: list[str]) -> TimestampSigner:
        return TimestampSigner(keys, salt=f"byline.{kind}", digest_method=hashlib.sha256, key_derivation="hmac")

    @staticmethod
    def _plain(kind: str, keys: list[str]) -> Signer:
        return Signer(keys, salt=f"byline.{kind}", digest_method=hashlib.sha256, key_derivation="hmac")


def load_keys(settings: Settings) -> Keys:
    """The keys from the settings, or from the data folder, where the first start generates one."""
    given = settings.secret_key
    current = given.get_secret_value() if given else _stored_secret(settings.byline_instance / SECRET_FILE)
    return Keys(current, tuple(key.get_secret_value() for key in settings.secret_key_fallbacks))


def current_keys() -> Keys:
    """The keys of the running application."""
    keys = current_app.extensions["keys"]
    assert isinstance(keys, Keys)
    return keys


def _stored_secret(path: Path) -> str:
    if not path.exists():
        _generate_secret(path)
    return path.read_text(encoding="ascii").strip()


def _generate_secret(path: Path) -> None:
    # Whole or not at all, and the first of two processes wins: the name is linked once the content is synced.
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(unfinished, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
    try:
        os.write(descriptor, secrets.token_urlsafe(48).encode())
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    try:
        os.link(unfinished, path)
    except FileExistsError:
        pass
    finally:
        unfinished.unlink()
