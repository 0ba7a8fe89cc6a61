"""An answer that is written while it leaves: what a function writes into a stream comes out in pieces, on demand.

The function runs in a thread of its own and goes on only when the piece before was taken: nothing is kept but one
piece, and no file.
"""

import io
import queue
import threading
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from typing import IO, TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

R = TypeVar("R")

PIECE_BYTES = 64 * 1024


def pieces_of(produce: Callable[[IO[bytes]], R]) -> Generator[bytes, None, R]:
    """What `produce` writes into the stream it is given, which cannot go back; then what it returns, or raises.

    Closed before the end, it makes the next write of `produce` raise CalledOff.
    """
    pipe = _Pipe()

    def run() -> R:
        try:
            stream = io.BufferedWriter(pipe, PIECE_BYTES)
            made = produce(stream)
            stream.flush()
            return made
        except BaseException:
            # What is still buffered, or is written while the failure travels, interests nobody.
            pipe.is_discarding = True
            raise
        finally:
            pipe.end()

    with ThreadPoolExecutor(1) as threads:
        running = threads.submit(run)
        try:
            yield from pipe.pieces()
        finally:
            pipe.call_off()
    return running.result()


class CalledOff(Exception):
    """Nobody reads any more what is being written."""


class _Pipe(io.RawIOBase):
    """From the thread that writes to the one that reads, hand to hand."""

    is_discarding = False

    def __init__(self) -> None:
        super().__init__()
        self._pieces: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._was_taken = threading.Semaphore(0)
        self._is_called_off = False

    def writable(self) -> bool:
        """That is all it is for."""
        return True

    def write(self, data: "ReadableBuffer", /) -> int:
        """Hand a piece over, and wait until the next one is asked for. Raises CalledOff."""
        piece = bytes(data)
        if not self.is_discarding:
            self._pieces.put(piece)
            self._was_taken.acquire()
            if self._is_called_off:
                # Once: what closes what it had opened writes again while this travels.
                self.is_discarding = True
                raise CalledOff
        return len(piece)

    def pieces(self) -> Generator[bytes, None, None]:
        """The other end."""
        while (piece := self._pieces.get()) is not None:
            yield piece
            self._was_taken.release()

    def end(self) -> None:
        """There will be no more pieces."""
        self._pieces.put(None)

    def call_off(self) -> None:
        """No more pieces will be taken."""
        self._is_called_off = True
        self._was_taken.release()
