"""Requests as they come off the wire: Waitress's parser, made to refuse whatever could be read in two ways.

A proxy in front of us that frames a message differently than we do lets one person's bytes become another person's
request. So a message is read in one way or answered with 400 (RFC 9112, sections 3.2, 5.2, 6 and 11.2).
"""

import re
from typing import Any, ClassVar

from waitress import receiver
from waitress.parser import HTTPRequestParser, ParsingError, TransferEncodingNotImplemented
from waitress.utilities import BadRequest

# They decide where a message ends and whom it is for; Waitress joins repeated ones with a comma.
_AT_MOST_ONCE = (b"host", b"content-length", b"transfer-encoding")
_CONTROL_CHARACTER = re.compile(rb"[\x00-\x1f\x7f]")

# Waitress holds these two without a limit, and searches all of it again with every packet.
_MAX_CHUNK_LINE_BYTES = 1024
_MAX_TRAILER_BYTES = 8 * 1024

# Headers that say neither where a message ends nor who asks, nor from where they come.
_KEPT_NAMES = frozenset({
    "ACCEPT", "ACCEPT_ENCODING", "ACCEPT_LANGUAGE", "CACHE_CONTROL", "DNT", "FROM", "HOST", "IF_MODIFIED_SINCE",
    "IF_NONE_MATCH", "PRAGMA", "PRIORITY", "SEC_CH_UA", "SEC_CH_UA_MOBILE", "SEC_CH_UA_PLATFORM", "SEC_FETCH_DEST",
    "SEC_FETCH_MODE", "SEC_FETCH_SITE", "SEC_FETCH_USER", "SEC_GPC", "UPGRADE_INSECURE_REQUESTS", "USER_AGENT",
})  # fmt: skip
_MOST_KEPT, _LONGEST_KEPT_BYTES = 512, 1024

# "$" also matches before a final line feed, so Waitress takes "5\n" for a size where a proxy may end the line.
receiver.ONLY_HEXDIG_RE = re.compile(rb"[0-9a-fA-F]{1,16}\Z")
receiver.CHUNK_EXT_RE = re.compile(receiver.CHUNK_EXT_RE.pattern.removesuffix(b"$") + rb"\Z")


class RequestParser(HTTPRequestParser):
    """One request: read completely, or with `error` set and nothing of it given to the application.

    Most of those who read are programs, and a program sends the same headers each time: what was read once is kept.
    Only one thread reads requests.
    """

    body_rcv: Any
    _kept: ClassVar[dict[bytes, dict[str, str]]] = {}

    def received(self, data: bytes) -> int:
        """Take bytes, and say how many of them belong to this request."""
        try:
            consumed: int = super().received(data)
        except ValueError:
            # urlsplit() and int() raise it on some nonsense; Waitress would log a traceback and hang up.
            self.error = BadRequest("The request line or a header cannot be read.")
            self.completed = self.headers_finished = True
            consumed = len(data)
        if self.error is not None or self.body_rcv is None:
            # Waitress would ask for a body and then take the next request for more of this one.
            self.expect_continue = False
        return consumed

    def parse_header(self, header_plus: bytes) -> None:
        """Read the request line and the headers. Raises ParsingError (400), TransferEncodingNotImplemented (501)."""
        request_line, _, fields = header_plus.partition(b"\r\n")
        if _CONTROL_CHARACTER.search(request_line):
            raise ParsingError("The request line holds a control character.")
        known = self._kept.get(fields)
        if known is not None:
            self.headers = known.copy()
            super().parse_header(request_line + b"\r\n")
        else:
            if not _has_one_reading(header_plus.lower()):
                _refuse_two_readings(fields.split(b"\r\n"))
            super().parse_header(header_plus)
            self._keep(fields)
        if self.version not in ("1.0", "1.1"):
            raise ParsingError("The version of HTTP is not 1.0 or 1.1.")
        if self.version == "1.0" and "TRANSFER_ENCODING" in self.headers:
            raise ParsingError("HTTP/1.0 has no Transfer-Encoding.")
        if self.version == "1.1" and "HOST" not in self.headers:
            raise ParsingError("The Host header is missing.")
        if not self.path.startswith("/"):
            raise ParsingError("The request target is not a path.")
        if self.chunked:
            self.body_rcv = _BoundedChunks(self.body_rcv.getbuf())

    def _keep(self, fields: bytes) -> None:
        # Whatever Waitress drops or joins has a line of its own.
        is_plain = fields.count(b"\r\n") == len(self.headers) + 1 and self.headers.keys() <= _KEPT_NAMES
        if not is_plain or len(fields) > _LONGEST_KEPT_BYTES:
            return
        if len(self._kept) >= _MOST_KEPT:
            self._kept.clear()
        self._kept[fields] = self.headers.copy()


class _BoundedChunks(receiver.ChunkedReceiver):
    """A chunked body whose size lines and trailer stay short."""

    def received(self, data: bytes) -> int:
        consumed: int = super().received(data)
        if len(self.control_line) > _MAX_CHUNK_LINE_BYTES or len(self.trailer) > _MAX_TRAILER_BYTES:
            self.error = BadRequest("A chunk's size line or the trailer is too long.")
        return consumed


def _has_one_reading(head: bytes) -> bool:
    """Whether none of what is looked for line by line can be there, as in nearly all requests."""
    return (
        head.count(b"\r\nhost") <= 1
        and head.count(b"\r\ncontent-length") <= 1
        and b"\r\ntransfer-encoding" not in head
        and b"\r\n " not in head
        and b"\r\n\t" not in head
    )


def _refuse_two_readings(lines: list[bytes]) -> None:
    if any(line.startswith((b" ", b"\t")) for line in lines):
        raise ParsingError("A header line is folded.")
    fields = [(name.lower(), value.strip(b" \t")) for name, _colon, value in (line.partition(b":") for line in lines)]
    names = [name for name, _value in fields]
    for name in _AT_MOST_ONCE:
        if names.count(name) > 1:
            raise ParsingError(f"The header {name.decode()} is given more than once.")
    if b"transfer-encoding" in names and b"content-length" in names:
        raise ParsingError("Transfer-Encoding and Content-Length exclude each other.")
    if any(name == b"transfer-encoding" and value.lower() != b"chunked" for name, value in fields):
        raise TransferEncodingNotImplemented("The only transfer encoding understood here is chunked.")
