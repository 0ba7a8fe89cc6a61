"""A cache of one process: so many values, and the one that was not used for longest goes first."""

import threading
import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence


class MemoryCache:
    """See `Cache`."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._values: OrderedDict[str, tuple[bytes, float]] = OrderedDict()
        self._lock = threading.Lock()

    def get_many(self, keys: Sequence[str]) -> list[bytes | None] | None:
        """See `Cache`."""
        with self._lock:
            return [self._get(key) for key in keys]

    def set_many(self, values: Mapping[str, bytes], *, seconds: int) -> None:
        """See `Cache`."""
        until = time.monotonic() + seconds
        with self._lock:
            for key, value in values.items():
                self._values[key] = (value, until)
                self._values.move_to_end(key)
            while len(self._values) > self._most:
                self._values.popitem(last=False)

    def _get(self, key: str) -> bytes | None:
        value, until = self._values.get(key, (b"", 0.0))
        if until <= time.monotonic():
            self._values.pop(key, None)
            return None
        self._values.move_to_end(key)
        return value
