"""Locks in Redis or Valkey: SET NX PX, and scripts that compare before they extend or delete."""

import secrets
from typing import TYPE_CHECKING

from redis.exceptions import LockError, RedisError
from redis.lock import Lock

from storage.errors import Busy
from storage.locks.holding import HELD_SECONDS

if TYPE_CHECKING:
    from redis import Redis


class RedisLocks:
    """On a server of its own. Where that does not answer, no lock is given."""

    def __init__(self, client: "Redis", *, held_seconds: float = HELD_SECONDS) -> None:
        self._client = client
        self._held_seconds = held_seconds

    def take(self, name: str) -> str | None:
        """See `Locks`."""
        token, lock = secrets.token_urlsafe(16), self._lock(name)
        try:
            if lock.acquire(blocking=False, token=token):
                return token
            # What stands there without an end is nobody's lock: it gets one.
            self._client.pexpire(lock.name, int(self._held_seconds * 1000), nx=True)
        except RedisError as error:
            raise Busy(f"The server of locks does not answer: {type(error).__name__}.") from error
        return None

    def extend(self, name: str, token: str) -> bool:
        """See `Locks`. False also where the server does not answer: nobody knows whether it is held."""
        try:
            return bool(self._held(name, token).extend(self._held_seconds, replace_ttl=True))
        except (LockError, RedisError):
            return False

    def release(self, name: str, token: str) -> bool:
        """See `Locks`. Where the server does not answer it runs out by itself."""
        try:
            self._held(name, token).release()
        except (LockError, RedisError):
            return False
        return True

    def _lock(self, name: str) -> Lock:
        # Not of one thread: an answer may be ended by another one than began it.
        return Lock(self._client, f"lock:{name}", timeout=self._held_seconds, blocking=False, thread_local=False)

    def _held(self, name: str, token: str) -> Lock:
        lock = self._lock(name)
        lock.local.token = token.encode()
        return lock
