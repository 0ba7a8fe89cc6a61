"""What every kind of cache can do."""

from collections.abc import Mapping, Sequence
from typing import Protocol


class Cache(Protocol):
    """Values by key, for a while. It raises nothing: a cache that is gone holds nothing."""

    def get_many(self, keys: Sequence[str]) -> list[bytes | None] | None:
        """What each key holds, in one round trip; None for all of them: the cache does not answer."""

    def set_many(self, values: Mapping[str, bytes], *, seconds: int) -> None:
        """Keep these for so long, in one round trip."""
