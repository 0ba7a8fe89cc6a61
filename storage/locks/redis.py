"""Locks in Redis or Valkey: SET NX PX, and scripts that compare before they extend or delete."""

import secrets
from collections.abc import Callable
from typing import TYPE_CHECKING

from redis.exceptions import LockError, RedisError
from redis.lock import Lock

from storage.errors import Busy
from storage.locks.holding import HELD_SECONDS

if TYPE_CHECKING:
    from redis import Redis


# What the time to live of a key without one is.
_ENDLESS = -1
# What stands there is of another kind than what is put there here, so it is nobody's lock.
_IS_NO_LOCK = "WRONGTYPE"


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
            if self._client.pttl(lock.name) == _ENDLESS:
                self._client.pexpire(lock.name, int(self._held_seconds * 1000))
        except RedisError as error:
            raise _busy(error) from error
        return None

    def extend(self, name: str, token: str) -> bool:
        """See `Locks`."""
        lock = self._held(name, token)
        return _is_mine(lambda: lock.extend(self._held_seconds, replace_ttl=True))

    def release(self, name: str, token: str) -> bool:
        """See `Locks`. Where the server does not answer it runs out by itself."""
        return _is_mine(self._held(name, token).release)

    def _lock(self, name: str) -> Lock:
        # Not of one thread: an answer may be ended by another one than began it.
        return Lock(self._client, f"lock:{name}", timeout=self._held_seconds, blocking=False, thread_local=False)

    def _held(self, name: str, token: str) -> Lock:
        lock = self._lock(name)
        lock.local.token = token.encode()
        return lock


def _is_mine(do: Callable[[], object]) -> bool:
    """Do what only its holder can; whether it was done. Raises Busy when nobody can say."""
    try:
        do()
    except LockError:
        return False
    except RedisError as error:
        if _IS_NO_LOCK in str(error):
            return False
        raise _busy(error) from error
    return True


def _busy(error: RedisError) -> Busy:
    return Busy(f"The server of locks does not answer: {type(error).__name__}.")
