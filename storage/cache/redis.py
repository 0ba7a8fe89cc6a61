"""A cache in Redis or Valkey, which all processes share."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, cast

from redis.exceptions import RedisError

if TYPE_CHECKING:
    from redis import Redis


class RedisCache:
    """See `Cache`. Where the server does not answer, nothing is there and nothing is kept."""

    def __init__(self, client: "Redis") -> None:
        self._client = client

    def get_many(self, keys: Sequence[str]) -> list[bytes | None] | None:
        """See `Cache`."""
        try:
            return cast("list[bytes | None]", self._client.mget(keys))
        except RedisError:
            return None

    def set_many(self, values: Mapping[str, bytes], *, seconds: int) -> None:
        """See `Cache`."""
        pipeline = self._client.pipeline(transaction=False)
        for key, value in values.items():
            pipeline.set(key, value, ex=seconds)
        try:
            pipeline.execute()
        except RedisError:
            return
