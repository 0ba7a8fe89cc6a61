"""Server-sent events: how they are written, how many streams one process has at once, and when one has to end."""

import re
import threading
from collections import Counter
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager

from flask import Response, request

from web.errors import Busy
from web.server.framing import IS_DRAINING

MEDIA_TYPE = "text/event-stream"
# A comment: it keeps the connection in use, and clients pass over it.
HEARTBEAT = ": \n\n"

_RETRY_AFTER_SECONDS = 30
# What ends a line there, and nothing else does.
_LINE_END = re.compile(r"\r\n|\r|\n")


class Places:
    """So many streams at once, and so many to `each` of those they are for: every one holds a thread of the server."""

    def __init__(self, count: int, *, each: int | None = None) -> None:
        self._count, self._each = count, count if each is None else each
        self._taken: Counter[Hashable] = Counter()
        self._lock = threading.Lock()

    @contextmanager
    def taken(self, *, otherwise: str, to: Hashable = None) -> Iterator[None]:
        """A place while the block runs, for a stream `to` somebody. Raises Busy when none is free, with `otherwise`."""
        with self._lock:
            if self._taken.total() >= self._count:
                sentence = "As many streams as this server allows are open."
                raise Busy(f"{sentence} {otherwise}", retry_after_seconds=_RETRY_AFTER_SECONDS)
            if self._taken[to] >= self._each:
                sentence = "As many streams as one person may have are open."
                raise Busy(f"{sentence} {otherwise}", retry_after_seconds=_RETRY_AFTER_SECONDS)
            self._taken[to] += 1
        try:
            yield
        finally:
            with self._lock:
                self._taken[to] -= 1
                if not self._taken[to]:
                    del self._taken[to]


def format_event(data: str, *, event: str = "", id: int | str | None = None) -> str:  # noqa: A002 - the name of its line
    """One event; `event` and `id` have one line each."""
    fields = [] if id is None else [f"id: {id}"]
    if event:
        fields.append(f"event: {event}")
    return "\n".join([*fields, *(f"data: {line}" for line in _LINE_END.split(data)), "", ""])


def format_retry(milliseconds: int) -> str:
    """How long a client waits before it comes back."""
    return f"retry: {milliseconds}\n\n"


def wants_events() -> bool:
    """Whether the asker prefers a stream to JSON."""
    return request.accept_mimetypes.best_match(["application/json", MEDIA_TYPE]) == MEDIA_TYPE


def interruption() -> Callable[[], bool]:
    """A function that is true once this request's stream has to end: the client has left, or the server will."""
    signs = [request.environ.get(name) for name in (IS_DRAINING, "waitress.client_disconnected")]
    return lambda: any(sign is not None and sign() for sign in signs)


def answer_with_events(stream: Iterator[bytes]) -> Response:
    """The answer that sends what `stream` yields, as it is yielded; `stream` is closed when the answer is over."""
    response = Response(stream, content_type=f"{MEDIA_TYPE}; charset=utf-8")
    # A proxy in front would keep events until it has enough of them.
    response.headers["X-Accel-Buffering"] = "no"
    return response
