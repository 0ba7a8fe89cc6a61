"""Connections to read from, which stay open between transactions."""

from collections import deque
from queue import Empty, SimpleQueue

import sqlalchemy as sa

from storage.errors import Busy


class Readers:
    """As many as may read at once, and whoever comes after waits.

    SQLAlchemy's pool keeps what the driver opened, and makes the rest anew for each transaction: that takes twice as
    long as to begin and to end it.
    """

    def __init__(self, engine: sa.Engine, *, most: int, wait_seconds: float) -> None:
        self._engine = engine
        self._wait_seconds = wait_seconds
        # A semaphore, at a tenth of the cost of the one in `threading`, which is written in Python.
        self._places = SimpleQueue[None]()
        for _ in range(most):
            self._places.put(None)
        # The one used last is taken first: its pages are still in memory.
        self._free: deque[sa.Connection] = deque()

    def take(self) -> sa.Connection:
        """A connection without a transaction. Raises Busy when none was given back for so long."""
        try:
            self._places.get(timeout=self._wait_seconds)
        except Empty:
            raise Busy("Every reading connection was in use for too long.") from None
        try:
            return self._free.pop()
        except IndexError:
            pass
        try:
            return self._engine.connect()
        except BaseException:
            self._places.put(None)
            raise

    def give_back(self, connection: sa.Connection) -> None:
        """To be called once for each that was taken. One that was closed meanwhile is not taken again."""
        if not connection.closed:
            self._free.append(connection)
        self._places.put(None)

    def close(self) -> None:
        """Close all that nobody reads from."""
        while self._free:
            self._free.pop().close()
