"""Rendering without the search for lost memory, which would take a third of a long text's time and find nothing."""

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_pausing = threading.Lock()


@contextmanager
def no_collecting() -> Iterator[None]:
    """Let Python not look for garbage while the block runs: what it makes lives to its end, and then goes by itself.

    For one thread at a time, so that it is looked for in between however many come. The others go on as they are.
    """
    if not gc.isenabled() or not _pausing.acquire(blocking=False):
        yield
        return
    try:
        gc.disable()
        yield
    finally:
        gc.enable()
        _pausing.release()
