"""Signatures with key rotation: the current key signs, older ones still verify.

Every kind of token has a salt of its own, so that a token of one kind is never good as another.
"""

import hashlib
import os
import secrets
import threading
import time
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from flask import current_app
from itsdangerous import BadData, BadSignature, Signer, TimestampSigner
from itsdangerous.encoding import base64_decode, base64_encode

from web.settings import Settings, SettingsError

SECRET_FILE = "secret_key"
_SHORTEST_SECRET = 32
# HMAC-SHA256 in base 64.
_DIGEST_CHARACTERS = 43
# 72 bits: enough to tell the keys of one site apart.
_FINGERPRINT_CHARACTERS = 12

# A clock may be put right by as much, and nobody is signed out.
_CLOCK_STEP_SECONDS = 300
# As many people at once are recognised without their signature being computed again.
_MOST_VERIFIED = 1024
# Nothing that is signed here is longer.
_LONGEST = 1024


class _Verified(NamedTuple):
    """What a signature of ours stands under, however old it is."""

    text: str
    signed_at: int  # seconds
    is_current: bool


class Keys:
    """The signing keys of one site, by which everything that it hands out is recognised again."""

    def __init__(self, current: str, fallbacks: tuple[str, ...] = ()) -> None:
        self._current = current
        # itsdangerous signs with the last key of the list and verifies with any.
        self._all = [*fallbacks, current]
        # A cookie comes with every request, and is looked at by the cache and by whoever finds the principal.
        self._verified = lru_cache(maxsize=_MOST_VERIFIED)(self._verify)

    @property
    def fingerprint(self) -> str:
        """Names the current key, and tells nothing about it."""
        return self._fingerprint(self._current)

    @property
    def fallback_fingerprints(self) -> list[str]:
        """Name the older keys, in the order of the settings."""
        return [self._fingerprint(key) for key in self._all[:-1]]

    def sign(self, kind: str, text: str) -> str:
        """`text`, the time and a signature, separated by dots."""
        return self._timed(kind, self._all).sign(text).decode()

    def read(self, kind: str, signed: str, *, max_age_seconds: int) -> tuple[str, int] | None:
        """The text and when it was signed (seconds), or None when it is not ours, of another kind, or too old."""
        found = self._find(kind, signed)
        if found is None:
            return None
        # A clock that was put back would make a cookie from the future immortal.
        is_of_now = -_CLOCK_STEP_SECONDS <= time.time() - found.signed_at < max_age_seconds + 1
        return (found.text, found.signed_at) if is_of_now else None

    def is_current(self, kind: str, signed: str) -> bool:
        """Whether the current key made this signature; if not, it is time to sign anew."""
        found = self._find(kind, signed)
        return found is not None and found.is_current

    def digest(self, kind: str, text: str) -> str:
        """A keyed digest of `text`, the same for as long as the current key is."""
        return self._plain(kind, [self._current]).get_signature(text).decode()

    def matches(self, kind: str, text: str, digest: str) -> bool:
        """Whether `digest` was made of `text` by any of the keys; in constant time for each."""
        return _is_canonical(digest) and self._plain(kind, self._all).verify_signature(text, digest)

    def _find(self, kind: str, signed: str) -> _Verified | None:
        return self._verified(kind, signed) if len(signed) <= _LONGEST else None

    def _verify(self, kind: str, signed: str) -> _Verified | None:
        if not _is_canonical(signed.rpartition(".")[2]):
            return None
        try:
            text, signed_at = self._timed(kind, self._all).unsign(signed, return_timestamp=True)
            is_current = self._timed(kind, [self._current]).validate(signed)
            return _Verified(text.decode(), int(signed_at.timestamp()), is_current)
        except (BadSignature, UnicodeError):
            return None

    @classmethod
    def _fingerprint(cls, key: str) -> str:
        return cls._plain("fingerprint", [key]).get_signature("").decode()[:_FINGERPRINT_CHARACTERS]

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


def find_keys(settings: Settings) -> Keys | None:
    """What `load_keys` would load; None where it would generate a secret first, which this never does."""
    is_there = settings.secret_key is not None or (settings.byline_instance / SECRET_FILE).exists()
    return load_keys(settings) if is_there else None


def current_keys() -> Keys:
    """The keys of the running application."""
    keys = current_app.extensions["keys"]
    assert isinstance(keys, Keys)
    return keys


def _is_canonical(digest: str) -> bool:
    """Whether this is how we write a digest; base 64 has other ways for the same bytes, which itsdangerous accepts."""
    if len(digest) != _DIGEST_CHARACTERS or not digest.isascii():
        return False
    try:
        return base64_encode(base64_decode(digest)).decode() == digest
    except BadData:
        return False


def _stored_secret(path: Path) -> str:
    if not path.exists():
        _generate_secret(path)
    try:
        secret = path.read_text(encoding="ascii").strip()
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}. It holds the signing secret.") from error
    except UnicodeDecodeError:
        secret = ""
    if len(secret) < _SHORTEST_SECRET:
        # Whoever guesses it is everybody. Made anew, it would sign everybody out.
        raise SettingsError(
            f"{path} is too short or damaged, and holds the signing secret. Put it back from a backup, name another "
            "one in SECRET_KEY, or remove the file to have one generated, which signs everybody out."
        )
    return secret


def _generate_secret(path: Path) -> None:
    # Whole or not at all, and the first of two processes wins: the name is linked once the content is synced.
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
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
