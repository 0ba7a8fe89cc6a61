"""Headers that came before are not read again: and every request is what it would be if they were."""

from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest

from web.server.parser import RequestParser
from web.server.serving import Limits

REQUEST_LINES = [
    "GET / HTTP/1.1",
    "HEAD /posts/a?b=c HTTP/1.1",
    "POST /new HTTP/1.1",
    "GET / HTTP/1.0",
    "GET /",
    "GET /%zz HTTP/1.1",
    "GET http://other.example/x HTTP/1.1",
    "GET * HTTP/1.1",
    "GET /a\x0bb HTTP/1.1",
    "get / HTTP/1.1",
    "GET / HTTP/2.0",
    "nonsense",
]
FIELDS = [
    "",
    "Host: localhost\r\n",
    "host: localhost\r\nUser-Agent: Reader/1\r\nAccept: a\r\n",
    "Host: localhost\r\nAccept: a\r\nAccept: b\r\nX_Y: z\r\n",
    'Host: localhost\r\nIf-None-Match: "a", W/"b"\r\n',
    "Host: localhost\r\nHost: other\r\n",
    "Host : localhost\r\n",
    "Host: localhost\r\n folded\r\n",
    "Host: localhost\r\nConnection: close\r\n",
    "Host: localhost\r\nConnection: keep-alive\r\n",
    "Host: localhost\r\nExpect: 100-continue\r\nContent-Length: 5\r\n",
    "Host: localhost\r\nContent-Length: 5\r\n",
    "Host: localhost\r\nContent-Length: 5\r\nContent-Length: 6\r\n",
    "Host: localhost\r\nTransfer-Encoding: chunked\r\n",
    "Host: localhost\r\nTransfer-Encoding: \r\n",
    "Host: localhost\r\nTransfer-Encoding: gzip\r\n",
    "Host: localhost\r\nExpect: 100-continue\r\n",
    "Host: localhost\r\nCookie: session=secret\r\n",
    "Host: localhost\r\nReferer: http://localhost/preview/secret\r\n",
    "Host: localhost\r\nX-Forwarded-For: 192.0.2.secret\r\n",
    "Host: localhost\r\nProxy-Authorization: Basic secret\r\n",
    "Host: localhost\r\nSession_Token: secret\r\n",
    "Host: localhost\r\nAuthorization: Bearer secret\r\n",
]
SAID = (
    *("headers", "command", "version", "path", "query", "fragment", "request_uri", "proxy_netloc", "url_scheme"),
    *("content_length", "chunked", "expect_continue", "connection_close", "completed", "empty", "headers_finished"),
)


@pytest.fixture(autouse=True)
def kept() -> Iterator[dict[bytes, dict[str, str]]]:
    RequestParser._kept.clear()
    yield RequestParser._kept
    RequestParser._kept.clear()


def parsed(request_line: str, fields: str) -> dict[str, Any]:
    """What a request is read as."""
    parser = RequestParser(Limits(threads=1))
    message = f"{request_line}\r\n{fields}\r\n".encode("latin-1")
    consumed = parser.received(message)
    error = None if parser.error is None else (parser.error.code, parser.error.body)
    said = {name: getattr(parser, name, None) for name in SAID}
    return said | {"consumed": consumed, "error": error, "body": type(parser.body_rcv)}


@pytest.mark.parametrize("fields", FIELDS)
def test_a_request_is_read_alike_whatever_came_before_with_the_same_headers(
    kept: dict[bytes, dict[str, str]], fields: str
) -> None:
    alone = {}
    for request_line in REQUEST_LINES:
        kept.clear()
        alone[request_line] = parsed(request_line, fields)
    for before, request_line in product(REQUEST_LINES, REQUEST_LINES):
        kept.clear()
        parsed(before, fields)
        assert parsed(request_line, fields) == alone[request_line], (before, request_line)


def test_what_says_who_asks_or_where_a_message_ends_is_not_kept(kept: dict[bytes, dict[str, str]]) -> None:
    for request_line, fields in product(REQUEST_LINES, FIELDS):
        parsed(request_line, fields)
    assert any(known.get("USER_AGENT") == "Reader/1" for known in kept.values())
    assert not any(b"secret" in block for block in kept)
    names = {name for known in kept.values() for name in known}
    assert names == {"HOST", "USER_AGENT", "ACCEPT", "IF_NONE_MATCH"}


def test_headers_that_are_nearly_alike_are_read_as_what_they_are(kept: dict[bytes, dict[str, str]]) -> None:
    long = f"User-Agent: {'x' * 200}"
    values = [
        "Host: a",
        "Host: b",
        'If-None-Match: "a"',
        'If-None-Match: "A"',
        f"{long}y",
        f"{long}z",
        "Accept: a",
        "Accept: a ",
    ]
    blocks = [f"Host: localhost\r\n{value}\r\n" for value in values[2:]] + [f"{value}\r\n" for value in values[:2]]
    alone = []
    for block in blocks:
        kept.clear()
        alone.append(parsed("GET / HTTP/1.1", block)["headers"])
    kept.clear()
    for _again in range(2):
        assert [parsed("GET / HTTP/1.1", block)["headers"] for block in blocks] == alone
    assert len(kept) == len(blocks)


def test_what_is_done_to_the_headers_of_one_request_does_not_reach_the_next() -> None:
    for _again in range(3):
        said = parsed("GET / HTTP/1.1", "Host: localhost\r\n")
        assert said["headers"] == {"HOST": "localhost"}
        said["headers"]["HOST"] = "evil.example"


def test_what_is_kept_is_bounded(kept: dict[bytes, dict[str, str]]) -> None:
    for number in range(2000):
        parsed("GET / HTTP/1.1", f"Host: localhost\r\nUser-Agent: Reader/{number}\r\n")
        assert len(kept) <= 512
    kept.clear()
    parsed("GET / HTTP/1.1", f"Host: localhost\r\nUser-Agent: {'x' * 1024}\r\n")
    assert not kept
