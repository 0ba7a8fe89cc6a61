"""Which thread answers: one makes pages, two make what takes long, and many are for whoever waits."""

import time
from collections import deque
from collections.abc import Callable
from enum import Enum
from typing import TYPE_CHECKING

from waitress.task import ThreadedTaskDispatcher

from web.server.processors import stay_on

if TYPE_CHECKING:
    from web.server.channel import Channel


class Work(Enum):
    """What answering a request is."""

    PAGE = "milliseconds of computing"
    LONG = "computing that others should not have to wait for"
    WAITING = "anything that may wait: for its turn to write, for events, for its client"


# Told method and path, which is all that is looked at before a request is begun.
KindOf = Callable[[str, str], Work]

_THREADS = {Work.PAGE: 1, Work.LONG: 2}
# They make pages while the one for pages is held, and nothing else: among those who wait, pages would wait too.
_RELIEF_THREADS = 4
# A page takes milliseconds. Where none is begun for so long, the one before it waits for something, or is a large one.
_STUCK_SECONDS = 0.2


def by_method(method: str, _path: str) -> Work:
    """What a request is where nobody knows more about it."""
    return Work.PAGE if method in ("GET", "HEAD") else Work.WAITING


class Dispatcher:
    """Waitress's, once for each kind of work.

    Threads that compute side by side take the interpreter from each other at every row that is read: where three made
    pages, each cost up to half as much again, and where 64 did, twice as much. So pages have one thread, and what takes
    long has a few, which pages do not wait for then. The others may wait. Should the thread for pages be held for a
    fifth of a second, a few more make pages too, as many at once as there are and no more.
    """

    def __init__(self, *, threads: int, kind_of: KindOf = by_method, processor: int | None = None) -> None:
        """`threads`: of all kinds together; there is one of each at least. `processor`: where pages are made."""
        self._kind_of = kind_of
        self._of = {Work.PAGE: _Queued(processor), Work.LONG: _Queued(), Work.WAITING: _Queued()}
        for work, few in _THREADS.items():
            self._of[work].set_thread_count(few)
        self._relief = _Queued()
        self._relief.set_thread_count(_RELIEF_THREADS)
        self._of[Work.WAITING].set_thread_count(max(1, threads - sum(_THREADS.values()) - _RELIEF_THREADS))

    def add_task(self, task: "Channel") -> None:
        """Have the request that waits on a connection answered by a thread."""
        request = task.requests[0]
        work = Work.PAGE if request.error is not None else self._kind_of(request.command, request.path)
        task.waits_since = time.monotonic()
        self._of[work].add_task(task)

    def tend(self, seconds: float) -> float:
        """Have pages that wait for one that is held made by other threads; to be called at each turn of the loop.

        Returns how long the loop may sleep, at most `seconds`, until it is time to look again.
        """
        pages = self._of[Work.PAGE]
        with pages.lock:
            if not pages.queue:
                return seconds
            # Its thread has perhaps been told of a page, and not taken it yet.
            is_held = pages.active_count >= _THREADS[Work.PAGE]
            patience = pages.queue.last_taken + _STUCK_SECONDS - time.monotonic() if is_held else _STUCK_SECONDS
            if patience > 0:
                return min(seconds, patience)
            count = min(self._relief.idle_count, len(pages.queue))
            moved = [pages.queue.give_away() for _ in range(count)]
        for task in moved:
            self._relief.add_task(task)
        return min(seconds, _STUCK_SECONDS)

    def shutdown(self, *, timeout: float) -> None:
        """Cancel what has not begun, and wait so many seconds for what has."""
        deadline = time.monotonic() + timeout
        queues = (*self._of.values(), self._relief)
        for each in queues:
            each.set_thread_count(0)
        for each in queues:
            each.shutdown(timeout=max(0.0, deadline - time.monotonic()))


class _Queue(deque["Channel"]):
    """Knows when something was last taken from it, by the monotonic clock."""

    def __init__(self) -> None:
        super().__init__()
        self.last_taken = time.monotonic()

    def popleft(self) -> "Channel":
        self.last_taken = time.monotonic()
        return super().popleft()

    def give_away(self) -> "Channel":
        """The next one, for another thread than those that take from here."""
        return super().popleft()


class _Queued(ThreadedTaskDispatcher):
    queue: _Queue

    def __init__(self, processor: int | None = None) -> None:
        super().__init__()
        self.queue = _Queue()
        self._processor = processor

    def handler_thread(self, thread_no: int) -> None:
        """What each of its threads does."""
        stay_on(self._processor)
        super().handler_thread(thread_no)

    @property
    def idle_count(self) -> int:
        """Threads that have nothing to do, and nothing waiting for them."""
        with self.lock:
            busy_count: int = self.active_count + self.stop_count
            return max(0, len(self.threads) - busy_count - len(self.queue))
