"""Which thread answers: a few make pages, a few others what takes long, and many are for whoever waits."""

import time
from collections import deque
from collections.abc import Callable
from enum import Enum
from typing import TYPE_CHECKING

from waitress.task import ThreadedTaskDispatcher

if TYPE_CHECKING:
    from web.server.channel import Channel


class Work(Enum):
    """What answering a request is."""

    PAGE = "milliseconds of computing"
    LONG = "computing that others should not have to wait for"
    WAITING = "anything that may wait: for its turn to write, for events, for its client"


# Told method and path, which is all that is looked at before a request is begun.
KindOf = Callable[[str, str], Work]

_THREADS = {Work.PAGE: 3, Work.LONG: 2}
# A page takes milliseconds. Where none is begun for so long, those before it all wait for something.
_STUCK_SECONDS = 1.0


def by_method(method: str, _path: str) -> Work:
    """What a request is where nobody knows more about it."""
    return Work.PAGE if method in ("GET", "HEAD") else Work.WAITING


class Dispatcher:
    """Waitress's, once for each kind of work.

    Threads that compute side by side take the interpreter from each other at every row that is read: where 64 made
    pages, each cost half as much again. So pages have a few threads, and so has what takes long, which pages do not
    wait for then. The others may wait. Should all threads for pages be held for a second, the others make pages too.
    """

    def __init__(self, *, threads: int, kind_of: KindOf = by_method) -> None:
        """`threads`: of all kinds together; there is one of each at least."""
        self._kind_of = kind_of
        self._of = {Work.PAGE: _Queued(), Work.LONG: _Queued(), Work.WAITING: _Queued()}
        for work, few in _THREADS.items():
            self._of[work].set_thread_count(few)
        self._of[Work.WAITING].set_thread_count(max(1, threads - sum(_THREADS.values())))

    def add_task(self, task: "Channel") -> None:
        """Have the request that waits on a connection answered by a thread."""
        request = task.requests[0]
        work = Work.PAGE if request.error is not None else self._kind_of(request.command, request.path)
        task.waits_since = time.monotonic()
        self._of[work].add_task(task)

    def tend(self) -> None:
        """Have pages that wait for those who wait made by other threads; to be called at each turn of the loop."""
        if self._is_stuck():
            pages = self._of[Work.PAGE]
            with pages.lock:
                waiting = list(pages.queue)
                pages.queue.clear()
            for task in waiting:
                self._of[Work.WAITING].add_task(task)

    def shutdown(self, *, timeout: float) -> None:
        """Cancel what has not begun, and wait so many seconds for what has."""
        deadline = time.monotonic() + timeout
        for each in self._of.values():
            each.set_thread_count(0)
        for each in self._of.values():
            each.shutdown(timeout=max(0.0, deadline - time.monotonic()))

    def _is_stuck(self) -> bool:
        pages = self._of[Work.PAGE]
        is_full = pages.active_count >= _THREADS[Work.PAGE]
        return is_full and time.monotonic() - pages.queue.last_taken > _STUCK_SECONDS


class _Queue(deque["Channel"]):
    """Knows when something was last taken from it, by the monotonic clock."""

    def __init__(self) -> None:
        super().__init__()
        self.last_taken = time.monotonic()

    def popleft(self) -> "Channel":
        self.last_taken = time.monotonic()
        return super().popleft()


class _Queued(ThreadedTaskDispatcher):
    queue: _Queue

    def __init__(self) -> None:
        super().__init__()
        self.queue = _Queue()
