"""How processes that are about to be forked use little memory between them."""

import ctypes
import gc

_LIBRARY = ctypes.CDLL(None)
# Of glibc's malloc.h.
_M_ARENA_MAX = -8
_ARENAS = 2
_M_MMAP_THRESHOLD = -3
# A sitemap, a feed, a picture; pages are smaller.
_LARGE_BYTES = 256 * 1024


def prepare_for_forks() -> None:
    """To be called once, when everything that the processes share is loaded.

    What is there before the forks stays common: a collection would write into every object, and copy its page. And the
    allocator keeps few heaps: with one for every thread, what sixteen threads once needed is kept sixteen times. Large
    blocks go back to the system at once: left to itself, it puts them among the small ones after the first.
    """
    gc.collect()
    gc.freeze()
    limit = getattr(_LIBRARY, "mallopt", None)  # other C libraries have no such heaps
    if limit is not None:
        limit(_M_ARENA_MAX, _ARENAS)
        limit(_M_MMAP_THRESHOLD, _LARGE_BYTES)


def give_back() -> None:
    """Give the system what is free between what is used, which the allocator keeps otherwise: in some milliseconds."""
    trim = getattr(_LIBRARY, "malloc_trim", None)
    if trim is not None:
        trim(0)
