"""A page as it is kept: the same answer as plain bytes and as gzip, each with an entity tag of its own."""

import gzip
import hashlib
from dataclasses import dataclass, field
from functools import cached_property

Headers = list[tuple[str, str]]

# Below this a packet is sent either way.
_WORTH_COMPRESSING_BYTES = 512
# Headers of both variants and of their 304s, as strings and as bytes, and the place in the store; measured.
_BESIDE_THE_BODY_BYTES = 6144
_COMPRESSIBLE = ("text/", "application/", "image/svg+xml")
# RFC 9110, 15.4.5: what a 304 says of the page that the client has, and nothing about a body.
_OF_A_BODY = {"content-type", "content-length", "content-encoding", "content-language"}
# Of one answer, and not of the page.
_OF_ONE_ANSWER = {"content-length", "etag", "date", "connection", "x-request-id"}


@dataclass(frozen=True)
class Answer:
    """Status, headers and body of one answer."""

    status: str
    headers: Headers
    body: bytes

    @cached_property
    def head(self) -> bytes:
        """Status line and headers as they go over the wire, without the last line's end."""
        lines = [f"HTTP/1.1 {self.status}", *(f"{name}: {value}" for name, value in self.headers)]
        return "\r\n".join(lines).encode("latin-1")

    def without_body(self) -> "Answer":
        """The same for a HEAD."""
        return Answer(self.status, self.headers, b"")


class Variant:
    """One encoding of a page."""

    def __init__(self, status: str, headers: Headers, body: bytes, etag: str, encoding: str | None) -> None:
        self.etag = etag
        told = [*headers, ("ETag", etag), *([("Content-Encoding", encoding)] if encoding else [])]
        self.whole = Answer(status, [*told, ("Content-Length", str(len(body)))], body)
        self.unchanged = Answer(
            "304 Not Modified", [field for field in told if field[0].lower() not in _OF_A_BODY], b""
        )


@dataclass(slots=True)
class Page:
    """What was rendered once, and how long it is good."""

    status: str
    headers: Headers
    body: bytes
    content_version: int
    good_until: int  # microseconds; a post comes out then
    plain: Variant = field(init=False)
    gzipped: Variant | None = field(init=False, default=None)
    # Whether it is the page itself, rather than a refusal or a way to another.
    is_ok: bool = field(init=False)
    # Whether gzip makes less of it.
    is_compressible: bool = field(init=False)

    def __post_init__(self) -> None:
        self.headers = [header for header in self.headers if header[0].lower() not in _OF_ONE_ANSWER]
        self.plain = Variant(self.status, self.headers, self.body, f'"{self._digest}"', None)
        self.is_ok = self.status.startswith("200")
        kind = next((value for name, value in self.headers if name.lower() == "content-type"), "")
        self.is_compressible = len(self.body) >= _WORTH_COMPRESSING_BYTES and kind.startswith(_COMPRESSIBLE)

    @property
    def size_bytes(self) -> int:
        """What it takes in memory, roughly: both variants and their headers."""
        packed = 0 if self.gzipped is None else len(self.gzipped.whole.body)
        return len(self.body) + packed + _BESIDE_THE_BODY_BYTES

    def compress(self) -> Variant:
        """The gzip variant, made when it is first asked for."""
        if self.gzipped is None:
            # Without a time in it, the same page has the same bytes in every process.
            packed = gzip.compress(self.body, compresslevel=6, mtime=0)
            self.gzipped = Variant(self.status, self.headers, packed, f'"{self._digest}-gzip"', "gzip")
        return self.gzipped

    @property
    def _digest(self) -> str:
        return hashlib.blake2b(self.body, digest_size=12).hexdigest()


def is_named(etag: str, if_none_match: str) -> bool:
    """Whether If-None-Match names that entity tag (RFC 9110, 13.1.2: weak comparison)."""
    if if_none_match == etag:
        return True
    named = (tag.strip() for tag in if_none_match.split(","))
    return any(tag == "*" or tag.removeprefix("W/") == etag for tag in named)
