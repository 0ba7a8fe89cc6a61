"""The layer between a server and the application, under any WSGI server (PEP 3333)."""

import threading
from collections.abc import Callable, Iterable
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from web.page_cache.asking import GetHeader, takes_a_page
from web.page_cache.cache import PageCache, Validity
from web.page_cache.pages import Answer, Headers, Page
from web.server.framing import SEND_READY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

# Set in the environment by an application whose answer is the same for every visitor.
IS_SHARED = "byline.is_shared"

# What somebody else renders at this moment is waited for so long.
_PATIENCE_SECONDS = 5.0
_WITHOUT_PREFIX = {"CONTENT_TYPE", "CONTENT_LENGTH"}

Count = Callable[[str, str], object]
Key = tuple[str, str]


class PageCacheLayer:
    """Answers visitors from the cache, and keeps what the application renders for them.

    `count` is told method and status of every answer that the application did not see.
    """

    def __init__(self, app: "WSGIApplication", cache: PageCache, count: Count) -> None:
        self._app = app
        self._cache = cache
        self._count = count
        self._rendering: dict[Key, threading.Event] = {}
        self._lock = threading.Lock()

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer one request."""
        method, path, query = environ["REQUEST_METHOD"], environ.get("PATH_INFO", ""), environ.get("QUERY_STRING", "")

        def header(name: str) -> str | None:
            value: str | None = environ.get(name if name in _WITHOUT_PREFIX else f"HTTP_{name}")
            return value

        if not self._cache.visitors.includes(method, path, query, header):
            return self._app(environ, start_response)
        answer = self._cache.find(method, path, query, header, may_compress=True)
        if answer is None:
            with self._alone((path, query)) as was_waiting:
                if was_waiting:
                    answer = self._cache.find(method, path, query, header, may_compress=True)
                if answer is None:
                    return self._render(environ, start_response, header)
        self._count(method, answer.status)
        return _send(answer, environ, start_response)

    def at_once(self, method: str, path: str, query: str, header: GetHeader) -> tuple[bytes, bytes] | None:
        """Head and body of an answer that is kept and needs no work, for a server that can send it without a thread."""
        if not self._cache.visitors.includes(method, path, query, header):
            return None
        answer = self._cache.find(method, path, query, header, may_compress=False)
        if answer is None:
            return None
        self._count(method, answer.status)
        return answer.head, answer.body

    def _render(
        self, environ: "WSGIEnvironment", start_response: "StartResponse", header: GetHeader
    ) -> Iterable[bytes]:
        # Before anything of the page is read: whatever changes meanwhile makes it stale.
        validity = self._cache.validity()
        method, key = environ["REQUEST_METHOD"], (environ.get("PATH_INFO", ""), environ.get("QUERY_STRING", ""))
        again = dict(environ)
        page, said = self._ask(environ, validity, key, header)
        if page is None:
            start_response(*said.start)
            return said.body
        if method == "HEAD":
            # An answer to HEAD has no bytes to keep, nor a tag for them.
            page, said = self._ask(again | {"REQUEST_METHOD": "GET"}, validity, key, header)
            if page is None:
                # Changed between the two: this is the answer now.
                _close(said.body)
                start_response(*said.start)
                return []
        answer = self._cache.answer(page, method, header, key=key)
        assert answer is not None
        return _send(answer, again, start_response)

    def _ask(
        self, environ: "WSGIEnvironment", validity: Validity | None, key: Key, header: GetHeader
    ) -> "tuple[Page | None, _Said]":
        """Ask the application: the page it made for everybody, or what it said and the body that is still to come."""
        said = _Said()
        said.body = self._app(environ, said.listen)
        status, headers, _error = said.start
        if not environ.get(IS_SHARED) or any(name.lower() == "set-cookie" for name, _value in headers):
            return None, said
        whole = _read(said.body)
        page = Page(status, headers, whole, *(validity or (0, 0)))
        if environ["REQUEST_METHOD"] == "GET" and validity is not None and (page.is_ok or takes_a_page(header)):
            self._cache.store.put(key, page)
        return page, said

    @contextmanager
    def _alone(self, key: Key) -> "Iterator[bool]":
        """One renders and the others wait for it; gives whether it was waited for somebody."""
        with self._lock:
            somebodys = self._rendering.get(key)
            if somebodys is None:
                own = self._rendering[key] = threading.Event()
        if somebodys is not None:
            somebodys.wait(_PATIENCE_SECONDS)
            yield True
            return
        try:
            yield False
        finally:
            with self._lock:
                del self._rendering[key]
            own.set()


class _Said:
    """What the application answered, before anybody is told."""

    start: tuple[str, Headers, Any]
    body: Iterable[bytes]

    def listen(self, status: str, headers: Headers, error: Any = None) -> Callable[[bytes], object]:
        """Stands in for the server's `start_response`."""
        self.start = (status, headers, error)
        return _refuse_to_write


def _send(answer: Answer, environ: "WSGIEnvironment", start_response: "StartResponse") -> list[bytes]:
    # Our own server takes it as the bytes that it is.
    send_ready = environ.get(SEND_READY)
    if send_ready is not None and send_ready(answer.head, answer.body):
        return []
    start_response(answer.status, list(answer.headers))
    return [answer.body] if answer.body else []


def _read(body: Iterable[bytes]) -> bytes:
    try:
        return b"".join(body)
    finally:
        _close(body)


def _close(body: Iterable[bytes]) -> None:
    close = getattr(body, "close", None)
    if close is not None:
        close()


def _refuse_to_write(_data: bytes) -> object:
    raise RuntimeError("An answer is returned, not written.")
