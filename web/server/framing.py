"""How an answer is framed: where its headers end, where its body ends, and whether the connection outlives it."""

import time
from functools import lru_cache
from typing import TYPE_CHECKING

from waitress.task import ErrorTask, Task, WSGITask
from waitress.utilities import build_http_date

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

# In the environment of a request: a function that is true once the process has been told to stop.
IS_DRAINING = "byline.is_draining"
# A function that sends an answer whose head is bytes already, instead of `start_response`, and returns whether it did.
SEND_READY = "byline.send_ready"
# For how many seconds it waited until a thread was free.
WAITED_SECONDS = "byline.waited_seconds"

# For answers that never reach the application and its own headers (`web.headers`).
REFUSAL_HEADERS = (
    ("Content-Type", "text/plain; charset=utf-8"),
    ("X-Content-Type-Options", "nosniff"),
    ("Content-Security-Policy", "default-src 'none'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'"),
    ("Referrer-Policy", "strict-origin-when-cross-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
    ("Cache-Control", "no-store"),
)
# A refusal quotes at most this much of what was sent.
_MAX_REFUSAL_CHARACTERS = 200


class _FramedTask(Task):
    """An answer whose end the client can see without the connection ending, wherever HTTP has a way to say it."""

    _declared_length: int | None = None

    @property
    def content_length(self) -> int | None:
        """The length of the body; None when unknown, and for a status that has none (RFC 9110, 8.6)."""
        return self._declared_length if self.has_body else None

    @content_length.setter
    def content_length(self, value: int | None) -> None:
        self._declared_length = value

    def build_response_header(self) -> bytes:
        """The status line and the headers, framed as RFC 9112, section 6.3 has it.

        Waitress's own closes the connection after every 304, 204 and unsized answer, and gives a HEAD an end of chunks.
        """
        is_sized = self._is_head or not self.has_body or self.content_length is not None
        self.chunked_response = self.version == "1.1" and not is_sized
        self.close_on_finish |= not (is_sized or self.chunked_response) or not self._stays_open()
        headers = [field for field in self.response_headers if field[0].lower() not in ("connection", "content-length")]
        names = {name.lower(): value for name, value in headers}
        self.channel.send_each_write(names.get("content-type", "").startswith("text/event-stream"))
        if "date" not in names:
            headers.append(("Date", build_http_date(self.start_time)))
        lines = [f"HTTP/{self.version} {self.status}", *(f"{name}: {value}" for name, value in headers)]
        return "\r\n".join([*lines, *self._framing_lines(), "", ""]).encode("latin-1")

    def write(self, data: bytes) -> None:
        """Send a part of the body; to a HEAD, only what the headers say of it."""
        super().write(b"" if self._is_head else data)

    def finish(self) -> None:
        """Send the end, and with it the whole answer in one go."""
        super().finish()
        self.channel.send_pending()

    @property
    def _is_head(self) -> bool:
        # A request that could not be read has no method.
        return getattr(self.request, "command", None) == "HEAD"

    def _stays_open(self) -> bool:
        options = {option.strip() for option in self.request.headers.get("CONNECTION", "").lower().split(",")}
        is_wanted = "close" not in options if self.version == "1.1" else "keep-alive" in options
        # While draining, the requests behind this one on the same connection still get their answers.
        is_last = self.channel.server.is_draining and len(self.channel.requests) <= 1
        return is_wanted and not is_last

    def _framing_lines(self) -> list[str]:
        lines = []
        if self.content_length is not None:
            lines.append(f"Content-Length: {self.content_length}")
        if self.chunked_response:
            lines.append("Transfer-Encoding: chunked")
        if self.close_on_finish:
            lines.append("Connection: close")
        elif self.version == "1.0":
            lines.append("Connection: keep-alive")
        return lines


class Answer(_FramedTask, WSGITask):
    """What the application answers."""

    complete: bool

    def get_environment(self) -> "WSGIEnvironment":
        """Waitress's; how long the request has waited; ways to learn that the process is to end, and to send bytes."""
        environ: WSGIEnvironment = super().get_environment()
        environ[WAITED_SECONDS] = time.monotonic() - self.channel.waits_since
        environ[IS_DRAINING] = lambda: self.channel.server.is_draining
        environ[SEND_READY] = self.send_ready
        return environ

    def send_ready(self, head: bytes, body: bytes) -> bool:
        """Send a whole answer of HTTP/1.1 on a connection that stays open, and say whether it is one.

        `head` is the status line and the headers, each but the last ended, without a date; nobody looks at it again.
        The application has nothing to say after it. Raises RuntimeError where it has begun to answer already.
        """
        if self.version != "1.1" or not self._stays_open():
            return False
        if self.complete:
            raise RuntimeError("A request is answered once.")
        self.complete = self.wrote_header = True
        # Whatever came behind it would be read as the next answer: it is left out, and Waitress says so in the log.
        self.content_length = 0
        self.channel.write_soon(dated(head) + body)
        return True


def dated(head: bytes) -> bytes:
    """The head of an answer as it is sent now, with the line that ends it."""
    return b"%b\r\nDate: %b\r\n\r\n" % (head, _date(int(time.time())))


@lru_cache(2)
def _date(second: int) -> bytes:
    return bytes(build_http_date(second), "ascii")


class Refusal(_FramedTask, ErrorTask):
    """What is answered to a request that could not be read, or that the application failed on."""

    def execute(self) -> None:
        """Say what is wrong in one line, without naming the server, and close."""
        error = self.request.error
        body = f"{error.reason}: {error.body}"[:_MAX_REFUSAL_CHARACTERS].encode() + b"\n"
        self.status = f"{error.code} {error.reason}"
        self.response_headers = list(REFUSAL_HEADERS)
        self.content_length = len(body)
        self.close_on_finish = True
        self.channel.has_unread_input = True
        self.write(body)
