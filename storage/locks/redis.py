"""Locks in Redis or Valkey: SET NX PX, and scripts that compare before they extend or delete."""

import secrets

import redis
from redis.exceptions import LockError, LockNotOwnedError, RedisError
from redis.lock import Lock

from storage.errors import Busy
from storage.locks.holding import HELD_SECONDS

# A server that hangs must not hold a page for longer.
_SECONDS = 0.25


def connect(url: str) -> "RedisLocks":
    """Locks on the server at that address, which is asked for nothing yet."""
    client = redis.Redis.from_url(url, socket_timeout=_SECONDS, socket_connect_timeout=_SECONDS, retry_on_timeout=False)
    return RedisLocks(client)


class RedisLocks:
    """The same on a server of its own. Where that does not answer, no lock is given."""

    def __init__(self, client: "redis.Redis") -> None:
        self._client = client

    def take(self, name: str) -> str | None:
        """See `Locks`."""
        token = secrets.token_urlsafe(16)
        try:
            is_mine = self._lock(name).acquire(blocking=False, token=token)
        except RedisError as error:
            raise Busy(f"The server of locks does not answer: {type(error).__name__}.") from error
        return token if is_mine else None

    def extend(self, name: str, token: str) -> bool:
        """See `Locks`. False also where the server does not answer: nobody knows whether it is held."""
        try:
            return bool(self._held(name, token).extend(HELD_SECONDS, replace_ttl=True))
        except (LockError, RedisError):
            return False

    def release(self, name: str, token: str) -> bool:
        """See `Locks`. Where the server does not answer it runs out by itself."""
        try:
            self._held(name, token).release()
        except (LockNotOwnedError, LockError, RedisError):
            return False
        return True

    def _lock(self, name: str) -> Lock:
        # Not of one thread: an answer may be ended by another one than began it.
        return Lock(self._client, f"lock:{name}", timeout=HELD_SECONDS, blocking=False, thread_local=False)

    def _held(self, name: str, token: str) -> Lock:
        lock = self._lock(name)
        lock.local.token = token.encode()
        return lock
