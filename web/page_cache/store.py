"""Where pages are kept: bounded in bytes, and not to be emptied by somebody who asks for very many addresses once."""

import threading
from collections import OrderedDict
from collections.abc import Hashable

from web.page_cache.pages import Page

# What was asked for once has this part of the room, what was asked for again the rest (segmented LRU: Karedla, Love
# and Wherry, 1994).
_PROBATION_PART = 0.25


class PageStore:
    """Pages by key. Safe to use from several threads."""

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._most_on_probation = int(most_bytes * _PROBATION_PART)
        self._once: OrderedDict[Hashable, Page] = OrderedDict()
        self._again: OrderedDict[Hashable, Page] = OrderedDict()
        self._sizes: dict[Hashable, int] = {}
        self._bytes = {id(self._once): 0, id(self._again): 0}
        self._lock = threading.Lock()

    @property
    def size_bytes(self) -> int:
        """What all pages take together."""
        return sum(self._bytes.values())

    def get(self, key: Hashable) -> Page | None:
        """The page, which is kept longer for having been asked for again."""
        with self._lock:
            page = self._again.get(key)
            if page is not None:
                self._again.move_to_end(key)
                return page
            page = self._once.get(key)
            if page is not None:
                self._move(key, self._once, self._again)
                self._shrink()
            return page

    def put(self, key: Hashable, page: Page) -> None:
        """Keep a page in the place of an older one; one that is too large is not kept."""
        with self._lock:
            segment = self._again if key in self._again else self._once
            if key in self._sizes:
                self._drop(key, segment)
            size = page.size_bytes
            if size > self._most_on_probation:
                return
            segment[key] = page
            self._sizes[key] = size
            self._bytes[id(segment)] += size
            self._shrink()

    def measure(self, key: Hashable) -> None:
        """Take note that a page has grown, by a variant."""
        with self._lock:
            segment = self._again if key in self._again else self._once
            page = segment.get(key)
            if page is not None:
                self._bytes[id(segment)] += page.size_bytes - self._sizes[key]
                self._sizes[key] = page.size_bytes
                self._shrink()

    def _move(self, key: Hashable, source: OrderedDict[Hashable, Page], target: OrderedDict[Hashable, Page]) -> None:
        target[key] = source.pop(key)
        self._bytes[id(source)] -= self._sizes[key]
        self._bytes[id(target)] += self._sizes[key]

    def _drop(self, key: Hashable, segment: OrderedDict[Hashable, Page]) -> None:
        del segment[key]
        self._bytes[id(segment)] -= self._sizes.pop(key)

    def _shrink(self) -> None:
        # The proven ones that were not asked for lately get a last chance among the new ones.
        while self._bytes[id(self._again)] > self._most_bytes - self._most_on_probation:
            self._move(next(iter(self._again)), self._again, self._once)
        while self._bytes[id(self._once)] > self._most_on_probation:
            self._drop(next(iter(self._once)), self._once)
