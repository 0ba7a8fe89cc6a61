"""Listening to a model: whoever listens can stop at any time, and no more is taken in than there is room for."""

import queue
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Any

import httpx2

_LONGEST_LINE = 512 * 1024
_LONGEST_BODY = 8 * 1024 * 1024
# What a connection is called in the trace of a request, from the moment it can be cut.
_CONNECTED = (".connect_tcp.complete", ".connect_unix_socket.complete", ".start_tls.complete")


class TooMuch(Exception):
    """A model sends more, or for longer, than is taken in here."""


class Listening:
    """What one thread hears of a model, for another."""

    def __init__(self, seconds: float) -> None:
        # None: that was all, and `reason` is why.
        self.pieces: queue.Queue[str | Exception | None] = queue.Queue()
        self.reason = ""
        self._deadline = time.monotonic() + seconds
        self._is_over = False
        self._connection: socket.socket | None = None
        self._lock = threading.Lock()

    @property
    def left(self) -> float:
        """So many seconds until whoever listens gives up."""
        return self._deadline - time.monotonic()

    @contextmanager
    def hearing(self) -> Iterator[None]:
        """While the block runs, what this thread asks over a client of `make_client` belongs to this."""
        token = _heard_by.set(self)
        try:
            yield
        finally:
            _heard_by.reset(token)

    def end(self) -> None:
        """Nobody wants any more of it: the model is cut off, whether it speaks or not, and its thread ends."""
        with self._lock:
            self._is_over = True
            self._cut()

    def note(self, name: str, info: Mapping[str, Any]) -> None:
        """What happens to the connection."""
        if not name.endswith(_CONNECTED):
            return
        with self._lock:
            self._connection = info["return_value"].get_extra_info("socket")
            if self._is_over:
                self._cut()

    def _cut(self) -> None:
        if self._connection is not None:
            # Closing it would not wake the thread that waits for it; and what is encrypted is not asked to say goodbye.
            with suppress(OSError):
                socket.socket.shutdown(self._connection, socket.SHUT_RDWR)


_heard_by: ContextVar[Listening] = ContextVar("heard_by")


class _Bounded(httpx2.SyncByteStream):
    """The bytes of an answer, as long as there is room and time for them."""

    def __init__(self, stream: httpx2.SyncByteStream, listening: Listening) -> None:
        self._stream, self._listening = stream, listening

    def __iter__(self) -> Iterator[bytes]:
        body = line = 0
        for data in self._stream:
            end = max(data.rfind(b"\n"), data.rfind(b"\r"))
            body += len(data)
            line = len(data) - end - 1 if end >= 0 else line + len(data)
            if body > _LONGEST_BODY or line > _LONGEST_LINE or self._listening.left <= 0:
                raise TooMuch
            yield data

    def close(self) -> None:
        self._stream.close()


def make_client() -> httpx2.Client:
    """A client that asks whom it is told to and nobody else, each time over a connection of its own."""
    # Compressed, a little may be very much.
    headers = {"Accept-Encoding": "identity", "Connection": "close"}
    return httpx2.Client(headers=headers, event_hooks={"request": [_begin], "response": [_bound]})


def _begin(request: httpx2.Request) -> None:
    request.extensions["trace"] = _heard_by.get().note


def _bound(response: httpx2.Response) -> None:
    assert isinstance(response.stream, httpx2.SyncByteStream)
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise TooMuch
    response.stream = _Bounded(response.stream, _heard_by.get())
