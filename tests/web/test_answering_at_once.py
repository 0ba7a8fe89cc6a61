"""What is known already is answered on the thread that reads the connections, and everything else as ever."""

import json
import socket
import struct
import time

import pytest

from tests.web.test_server import turned_here
from tests.web.wire import TinySite, Wire

MEBIBYTE = 1024 * 1024


@pytest.fixture(scope="module")
def tiny():
    with TinySite(threads=2) as site:
        yield site


@pytest.fixture
def wire(tiny):
    with tiny.connect() as wire:
        yield wire


def test_the_application_is_not_asked(wire):
    for number in range(3):
        reply = wire.ask("/known?a=b", headers=f"X-Number: {number}\n")
        assert reply.body == f"known a=b {number}".encode()
        assert reply.headers["date"].endswith(" GMT")
        assert "connection" not in reply.headers
    head = wire.ask("/known", method="HEAD")
    assert head.headers["content-length"] == str(len("known  None"))
    assert "/known" not in json.loads(wire.ask("/seen").body)


def test_answers_come_in_the_order_of_their_questions(wire):
    paths = ["/known?1", "/hello", "/known?2", "/known?3", "/slow", "/known?4", "/hello", "/known?5"]
    wire.send("".join(f"GET {path} HTTP/1.1\nHost: localhost\n\n" for path in paths))
    bodies = [wire.read_reply().body for _path in paths]
    # Behind an answer that a thread makes, threads make the others too.
    assert bodies[0] == b"known 1 None"
    assert bodies[4] == b"done"
    for path, body in zip(paths, bodies, strict=True):
        if path == "/hello":
            assert body == b"hello"
        elif path.startswith("/known"):
            assert body in (b"made", f"known {path[-1]} None".encode())


def test_what_a_turn_of_the_loop_finds_was_there_before_it_is_answered():
    asked = []

    def at_once(_method, path, _query, _header, arrived_at):
        asked.append((path, arrived_at, time.monotonic()))
        return b"HTTP/1.1 200 OK\r\nContent-Length: 0", b""

    with turned_here(None, at_once=at_once) as (server, first), Wire(int(server.effective_port)) as second:
        server.turn(1)
        server.turn(1)
        before = time.monotonic()
        first.send("GET /1 HTTP/1.1\nHost: a\n\nGET /2 HTTP/1.1\nHost: a\n\n")
        second.send("GET /3 HTTP/1.1\nHost: a\n\n")
        while len(asked) < 3:
            server.turn(1)
        first.send("GET /4 HTTP/1.1\nHost: a\n\n")
        while len(asked) < 4:
            server.turn(1)
        for wire in (first, first, second, first):
            assert wire.read_reply().status == 200
    arrived, answered = ({path: each[number] for path, *each in asked} for number in (0, 1))
    # Nobody knows of the second of a connection whether it was there already.
    assert arrived["/2"] > answered["/1"]
    for path, at in arrived.items():
        assert before < at <= answered[path]
    assert arrived["/4"] > answered["/3"]


def test_browsers_that_keep_the_connection_say_so(wire):
    for value in ("keep-alive", "Keep-Alive"):
        reply = wire.ask("/known?browser", headers=f"Connection: {value}\n")
        assert reply.body == b"known browser None"


@pytest.mark.parametrize(
    "request_text",
    [
        "GET /known HTTP/1.0\n\n",
        "GET /known HTTP/1.1\nHost: a\nConnection: close\n\n",
        "GET /known HTTP/1.1\nHost: a\nConnection: keep-alive, Upgrade\nUpgrade: h2c\n\n",
        "GET //known HTTP/1.1\nHost: a\n\n",
        "GET /known HTTP/1.1\nHost: a\nX-Forwarded-Host: b\n\n",
        "GET /known HTTP/1.1\nHost: a\nContent-Length: 2\n\nab",
        "GET /known HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n0\n\n",
    ],
)
def test_what_is_not_plain_is_for_a_thread(wire, request_text):
    wire.send(request_text)
    assert "x-at-once" not in wire.read_reply().headers


def test_a_request_that_cannot_be_read_is_refused_whatever_is_known(wire):
    wire.send("GET /known HTTP/1.1\nHost: a\nHost: b\n\n")
    assert wire.read_reply().status == 400


def test_a_long_answer_arrives_whole_however_slowly_it_is_read(tiny, wire):
    wire.send("GET /known_big?20 HTTP/1.1\nHost: localhost\n\nGET /known HTTP/1.1\nHost: localhost\n\n")
    # While it waits for room, others are answered.
    assert tiny.ask("/known?other").body == b"known other None"
    assert wire.read_reply().body == b"x" * 20 * MEBIBYTE
    assert wire.read_reply().status == 200
    assert wire.ask("/hello").body == b"hello"


def test_a_client_that_hangs_up_harms_nobody(tiny):
    for _ in range(20):
        with tiny.connect() as wire:
            wire.send("GET /known_big?2 HTTP/1.1\nHost: localhost\n\n" * 2)
            # Reset at once, with everything unread.
            wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    assert tiny.ask("/known").body == b"known  None"


def test_busy_threads_do_not_hold_it_up():
    with TinySite(threads=1) as tiny, tiny.connect() as slow:
        slow.send("GET /slow HTTP/1.1\nHost: localhost\n\n")
        assert tiny.read_line() == "slow began"
        assert tiny.ask("/known").body == b"known  None"
        slow.socket.setblocking(False)
        with pytest.raises(BlockingIOError):
            slow.socket.recv(1)
        slow.socket.settimeout(30)
        assert slow.read_reply().body == b"done"
