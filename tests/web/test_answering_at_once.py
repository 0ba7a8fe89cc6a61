"""What is known already is answered on the thread that reads the connections, and everything else as ever."""

import contextlib
import fcntl
import json
import select
import socket
import struct
import sys
import termios
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest
from waitress.buffers import OverflowableBuffer

from tests.web.test_server import turned_here
from tests.web.wire import TinySite, Wire, until
from web.page_cache.asking import Visitors
from web.page_cache.cache import PageCache
from web.page_cache.layer import IS_SHARED, PageCacheLayer
from web.server.channel import Channel

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


PAGE = "GET / HTTP/1.1\nHost: a\n\n"


@contextlib.contextmanager
def kept_state():
    """A site of one page, its state, that a visitor has asked for already; a POST changes it; the test turns the loop."""
    now = SimpleNamespace(state=1, may_write=threading.Event(), after_answer=lambda: None)

    def app(environ, start_response):
        if environ["REQUEST_METHOD"] == "POST":
            assert now.may_write.wait(30)
            now.state += 1
        else:
            environ[IS_SHARED] = True
        body = b"%d" % now.state
        start_response("200 OK", [("Content-Length", str(len(body))), ("Content-Type", "text/plain")])
        return [body]

    visitors = Visitors(lambda _cookie: False, None)
    cache = PageCache(
        visitors, content_version=lambda: now.state, next_publication=lambda _at: None, most_bytes=1_000_000
    )
    layer = PageCacheLayer(app, cache, lambda _method, _status: now.after_answer())
    with (
        turned_here(layer, threads=8, at_once=layer.at_once) as (server, first),
        Wire(int(server.effective_port)) as second,
    ):
        second.send(PAGE)
        assert body_for(server, second) == b"1"
        yield now, server, first, second


def body_for(server, wire):
    """What is answered to it, while the loop turns."""
    with ThreadPoolExecutor(1) as pool:
        reply = pool.submit(wire.read_reply)
        turn_until(server, reply.done)
    return reply.result().body


def turn_until(server, is_done):
    deadline = time.monotonic() + 30
    while not is_done():
        assert time.monotonic() < deadline
        server.turn(0.02)


def channel_of(server, wire):
    """The server's end of a connection."""
    here = wire.socket.getsockname()
    turn_until(server, lambda: here in [each.addr for each in server.active_channels.values()])
    return next(each for each in server.active_channels.values() if each.addr == here)


def unread_bytes(end):
    return int.from_bytes(fcntl.ioctl(end, termios.FIONREAD, bytes(4)), sys.byteorder)


def test_what_was_read_ahead_of_a_write_is_not_answered_by_what_was_known_before_it():
    with kept_state() as (now, server, first, second):
        channel = channel_of(server, first)
        first.send("POST / HTTP/1.1\nHost: a\nContent-Length: 0\n\n")
        turn_until(server, lambda: channel.requests)
        first.send(PAGE)
        turn_until(server, lambda: len(channel.requests) == 2)
        second.send(PAGE)
        assert body_for(server, second) == b"1"
        now.may_write.set()
        assert body_for(server, first) == b"2"
        assert body_for(server, first) == b"2"


@pytest.mark.parametrize("begun", ["GET /", "\r\n"])
def test_what_had_only_begun_to_come_in_when_another_was_answered_has_the_state_after_it(begun):
    with kept_state() as (now, server, first, second):
        whole = PAGE.replace("\n", "\r\n")
        channels = [channel_of(server, wire) for wire in (first, second)]
        second.socket.sendall(begun.encode())
        first.send(PAGE)
        for channel in channels:
            assert select.select([channel.socket], [], [], 30)[0]

        def write_and_go_on():
            now.after_answer = lambda: None
            now.state = 2
            rest = whole.removeprefix(begun).encode()
            second.socket.sendall(rest)
            assert until(lambda: unread_bytes(channels[1].socket) >= len(rest))

        now.after_answer = write_and_go_on
        assert body_for(server, first) == b"1"
        assert body_for(server, second) == b"2"


def test_what_goes_wrong_with_one_connection_ends_that_one_alone(caplog):
    def at_once(_method, path, _query, _header):
        if path == "/broken":
            raise RuntimeError
        return b"HTTP/1.1 200 OK\r\nContent-Length: 0", b""

    with turned_here(None, at_once=at_once) as (server, first), Wire(int(server.effective_port)) as second:
        first.send("GET /broken HTTP/1.1\nHost: a\n\n")
        turn_until(server, lambda: caplog.records)
        second.send("GET /whole HTTP/1.1\nHost: a\n\n")
        assert body_for(server, second) == b""
        assert first.is_closed()


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


class ShortSocket:
    """A socket that has room for so many bytes, or none."""

    def __init__(self, room):
        self.room, self.sent = room, b""

    def sendmsg(self, parts):
        if self.room is None:
            raise BlockingIOError
        taken = b"".join(parts)[: self.room]
        self.sent += taken
        return len(taken)


@pytest.mark.parametrize("body", [b"0123456789", b""])
def test_wherever_the_room_ends_each_byte_leaves_once(body):
    head = b"HTTP/1.1 200 OK\r\n\r\n"
    for room in (None, *range(len(head + body) + 1)):
        channel = Channel.__new__(Channel)
        channel.socket, channel.outbuf_lock = ShortSocket(room), threading.Lock()
        channel.outbufs, channel.total_outbufs_len = [OverflowableBuffer(1000)], 0
        channel._send_now(head, body)
        waiting = channel.outbufs[-1].get(1000)
        assert channel.socket.sent + waiting == head + body, room
        assert channel.total_outbufs_len == len(waiting), room


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
