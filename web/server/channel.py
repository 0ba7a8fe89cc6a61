"""One connection: what it reads, when its bytes leave, and how it ends."""

import socket
import time
from collections.abc import Callable

from waitress.channel import HTTPChannel

from web.server.framing import Answer, Refusal, dated
from web.server.parser import RequestParser

# Closing while a body still arrives resets the connection, and the sender never sees the refusal (RFC 9112, 9.6).
_DISCARD_SECONDS = 10
_DISCARD_BYTES_AT_ONCE = 64 * 1024

# A connection this young has its first request on the way.
_FIRST_REQUEST_SECONDS = 0.5

# Asked with method, path, query, and a function that gives a header by its CGI name or None; returns an answer that is
# there already (status line and headers as bytes, each line ended, and the body), or None when it has to be made.
AtOnce = Callable[[str, str, str, Callable[[str], str | None]], tuple[bytes, bytes] | None]


class Channel(HTTPChannel):
    """A connection whose answers leave when complete, except event streams, which leave at each write."""

    task_class = Answer
    error_task_class = Refusal
    parser_class = RequestParser

    close_when_flushed: bool
    requests: list[RequestParser]
    has_unread_input = False
    # By the monotonic clock: since when the request that is next waits for a thread.
    waits_since = 0.0
    _waits_for_room = False
    _discards_until: float | None = None

    def send_each_write(self, is_stream: bool) -> None:
        """Choose how the answer that begins now is sent; called before its first byte is written."""
        # Waitress flushes inside write_soon() from `send_bytes` on.
        self.adj = self.server.stream_limits if is_stream else self.server.adj

    def send_pending(self) -> None:
        """Send what is complete; called by the thread that answers, while its request still counts as running."""
        with self.outbuf_lock:
            self._flush_exception(self._flush_some, do_close=False)

    def answer_at_once(self, at_once: AtOnce) -> bool:
        """Answer the only request that waits here without handing it to a thread; returns whether that was possible.

        To be called with the lock of the requests held.
        """
        (request, *more) = self.requests
        if more or self.total_outbufs_len or self.server.is_draining or request.error is not None:
            return False
        headers = request.headers
        is_plain = request.version == "1.1" and request.body_rcv is None and not request.path.startswith("//")
        stays_open = headers.get("CONNECTION", "keep-alive").lower() == "keep-alive"
        if not is_plain or not stays_open or "X_FORWARDED_HOST" in headers:
            return False
        answer = at_once(request.command, request.path, request.query, headers.get)
        if answer is None:
            return False
        self.requests = []
        request.close()
        head, body = answer
        self._send_now(dated(head), body)
        return True

    def _send_now(self, head: bytes, body: bytes) -> None:
        try:
            # Put together by the system, which copies them anyway.
            sent = self.socket.sendmsg((head, body))
        except BlockingIOError:
            sent = 0
        except OSError:
            self.will_close = True
            return
        if sent < len(head) + len(body):
            # The loop sends the rest, when there is room for it.
            rest = (head + body)[sent:]
            with self.outbuf_lock:
                self.outbufs[-1].append(rest)
                self.total_outbufs_len += len(rest)

    def waits_for_room(self) -> bool:
        """Whether the next request, which came with the one before, is not to be begun yet: once its client has taken
        what is answered already, it is. A thread that went on would only wait for the client itself.

        To be called with the lock of the requests held.
        """
        with self.outbuf_lock:
            self._waits_for_room = self.total_outbufs_len > 0
            return self._waits_for_room

    def is_idle(self, now: float) -> bool:
        """Whether nothing is being asked or answered here, nor about to be."""
        is_new = self.last_activity == self.creation_time > now - _FIRST_REQUEST_SECONDS
        return not (self.requests or self.request or self.total_outbufs_len or is_new)

    def is_stalled(self, cutoff: float) -> bool:
        """Whether the client has taken nothing since `cutoff` of what is waiting for it."""
        return self._should_send() and self.last_activity < cutoff

    def readable(self) -> bool:
        """Whether the loop reads from this connection."""
        return self._discards_until is not None or super().readable()

    def writable(self) -> bool:
        """Whether the loop has something to send, or a connection to close.

        Waitress says so from the first byte on, and its loop then spins until the answer is complete.
        """
        return self.will_close or self.close_when_flushed or self._should_send()

    def handle_read(self) -> None:
        """Read requests; after a refusal, only make room for the rest of what was refused."""
        if self._discards_until is None:
            super().handle_read()
        elif not self.recv(_DISCARD_BYTES_AT_ONCE) or time.monotonic() > self._discards_until:
            self.handle_close()

    def handle_write(self) -> None:
        """Send what should be sent, and close what is to be closed."""
        if self._should_send():
            # Waitress takes no lock here when no request is running, but send_continue() may write then.
            self._flush_exception(self._flush_some_if_lockable)
        if self._waits_for_room and not self.total_outbufs_len:
            self._waits_for_room = False
            with self.requests_lock:
                if self.requests and self.connected:
                    self.server.add_task(self)
        if self.close_when_flushed and not self.total_outbufs_len:
            self.close_when_flushed = False
            self._close_or_discard()
        if self.will_close:
            self.handle_close()

    def _should_send(self) -> bool:
        least: int = self.adj.send_bytes if self.requests and not self._waits_for_room else 1
        return bool(self.total_outbufs_len >= least)

    def _close_or_discard(self) -> None:
        if not self.has_unread_input:
            self.will_close = True
            return
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:
            self.will_close = True
        else:
            self._discards_until = time.monotonic() + _DISCARD_SECONDS
