"""A client of Redis or Valkey that never holds anybody up."""

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

# A server that hangs must not hold a page for longer; nothing is asked twice.
_SECONDS = 0.25


def connect(url: str) -> "redis.Redis":
    """A client of the server at that address, which is asked for nothing yet."""
    return redis.Redis.from_url(
        url, socket_timeout=_SECONDS, socket_connect_timeout=_SECONDS, retry=Retry(NoBackoff(), 0)
    )
