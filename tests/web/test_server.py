import contextlib
import itertools
import json
import socket
import threading
import time
from email.utils import parsedate_to_datetime

import pytest
from waitress.channel import HTTPChannel

from tests.web.wire import PATIENCE_SECONDS, TinySite, Wire, cpu_seconds, until
from web.server.dispatcher import by_method
from web.server.serving import Limits, Server, check_waitress

MEBIBYTE = 1024 * 1024


@pytest.fixture(scope="module")
def tiny():
    with TinySite(threads=4, max_body_bytes=MEBIBYTE) as site:
        yield site


@pytest.fixture
def wire(tiny):
    with tiny.connect() as wire:
        yield wire


@contextlib.contextmanager
def turned_here(app, *, threads=1, at_once=None, kind_of=by_method):
    """A server in this process whose loop the test turns, and a connection to it."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = Server(app, listener, Limits(threads=threads), at_once, kind_of)
    with Wire(int(server.effective_port)) as wire:
        yield server, wire
    server.drain(1)
    server.trigger.close()


# When bytes leave


def test_events_arrive_when_they_are_written_and_cost_no_processor_time(tiny, wire):
    (worker,) = tiny.workers()
    before = cpu_seconds(worker)
    wire.send("GET /events?5 HTTP/1.1\nHost: localhost\n\n")
    assert wire.read_headers().headers["content-type"] == "text/event-stream; charset=utf-8"
    # The clock is the same in every process.
    delays = [time.monotonic() - float(chunk.removeprefix(b"data: ")) for chunk in wire.read_chunks()]
    assert len(delays) == 5
    assert max(delays) < 0.4
    assert cpu_seconds(worker) - before < 0.5


def test_a_connection_is_as_good_as_new_after_a_stream(wire):
    wire.ask("/events?1")
    segments = wire.data_segments_received()
    assert wire.ask("/hello").body == b"hello"
    assert wire.data_segments_received() == segments + 1


def test_headers_and_body_of_a_small_answer_arrive_in_one_segment(wire):
    assert wire.ask("/hello").body == b"hello"
    assert wire.data_segments_received() == 1
    assert wire.ask("/unsized").body == b"one two"
    assert wire.data_segments_received() == 2


def test_an_answer_that_takes_its_time_does_not_keep_the_loop_awake():
    has_begun, may_end = threading.Event(), threading.Event()

    def app(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "8")])
        yield b"half"
        has_begun.set()
        may_end.wait(PATIENCE_SECONDS)
        yield b"half"

    with turned_here(app) as (server, wire):
        wire.send("GET / HTTP/1.1\nHost: localhost\n\n")
        assert until(lambda: server.turn(0) or has_begun.is_set())
        server.turn(0)
        began = time.monotonic()
        server.turn(0.3)
        assert time.monotonic() - began > 0.29
        may_end.set()
        assert wire.read_reply().body == b"halfhalf"
        assert wire.data_segments_received() == 1


def test_an_answer_longer_than_every_buffer_arrives_whole(wire):
    assert len(wire.ask("/big?40").body) == 40 * MEBIBYTE
    assert wire.ask("/hello").body == b"hello"


def test_an_answer_does_not_wait_for_the_next_one_of_its_connection(wire):
    wire.send("GET /hello HTTP/1.1\nHost: localhost\n\nGET /slow HTTP/1.1\nHost: localhost\n\n")
    began = time.monotonic()
    assert wire.read_reply().body == b"hello"
    waited = time.monotonic() - began
    assert wire.read_reply().body == b"done"
    assert waited < 0.5


def test_a_stream_learns_that_its_client_is_gone(tiny):
    with tiny.connect() as wire:
        wire.send("GET /watch HTTP/1.1\nHost: localhost\n\n")
        wire.read_headers()
        assert next(wire.read_chunks()) == b"data: first\n\n"
    assert tiny.prints("client is gone")


def test_a_stream_that_writes_to_nobody_is_closed(tiny):
    with tiny.connect() as wire:
        wire.send("GET /endless HTTP/1.1\nHost: localhost\n\n")
        wire.read_headers()
    assert tiny.prints("endless closed")


def test_a_client_who_takes_nothing_of_its_answer_is_cut_off_and_its_thread_is_free_again():
    has_ended = threading.Event()

    def app(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(40 * MEBIBYTE))])
        try:
            yield from itertools.repeat(b"x" * MEBIBYTE, 40)
        finally:
            has_ended.set()

    with turned_here(app) as (server, wire):
        wire.send("GET / HTTP/1.1\nHost: localhost\n\n")
        assert until(lambda: server.turn(0) or any(each.writable() for each in server.active_channels.values()))
        server.maintenance(time.time() + server.adj.channel_timeout - PATIENCE_SECONDS)
        server.turn(0)
        assert not has_ended.is_set()
        later = time.time() + server.adj.channel_timeout + PATIENCE_SECONDS
        assert until(lambda: server.maintenance(later) or server.turn(0) or has_ended.is_set())


# How answers are framed


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/not_modified", 304), ("GET", "/no_content", 204), ("HEAD", "/hello", 200), ("HEAD", "/unsized", 200)],
)
def test_an_answer_without_a_body_keeps_the_connection(wire, method, path, status):
    reply = wire.ask(path, method)
    assert reply.status == status
    assert "connection" not in reply.headers
    assert "transfer-encoding" not in reply.headers
    assert reply.headers.get("content-length") == ("5" if (method, path) == ("HEAD", "/hello") else None)
    assert wire.ask("/hello").body == b"hello"


def test_pipelined_answers_without_bodies_do_not_run_into_each_other(wire):
    paths = ["/not_modified", "/hello", "/no_content", "/unsized", "/not_modified", "/hello"]
    wire.send("".join(f"GET {path} HTTP/1.1\nHost: localhost\n\n" for path in paths))
    replies = [wire.read_reply() for _path in paths]
    assert [(reply.status, reply.body) for reply in replies] == [
        (304, b""),
        (200, b"hello"),
        (204, b""),
        (200, b"one two"),
        (304, b""),
        (200, b"hello"),
    ]


def test_a_sized_answer_keeps_the_connection(wire):
    assert "connection" not in wire.ask("/hello").headers
    assert wire.ask("/hello").body == b"hello"


@pytest.mark.parametrize("path", ["/hello", "/not_modified", "/unsized"])
def test_connection_close_is_honoured(wire, path):
    assert wire.ask(path, headers="Connection: close\n").headers["connection"] == "close"
    assert wire.is_closed()


def test_close_is_seen_among_other_options_of_the_connection(wire):
    assert wire.ask("/hello", headers="Connection: TE, Close\n").headers["connection"] == "close"
    assert wire.is_closed()


def test_http_1_0_closes_after_its_answer(wire):
    wire.send("GET /hello HTTP/1.0\n\n")
    reply = wire.read_reply()
    assert (reply.version, reply.body, reply.headers["connection"]) == ("HTTP/1.0", b"hello", "close")
    assert wire.is_closed()


def test_http_1_0_keeps_the_connection_when_asked_to(wire):
    wire.send("GET /hello HTTP/1.0\nConnection: keep-alive\n\n")
    assert wire.read_reply().headers["connection"] == "keep-alive"
    assert wire.ask("/hello").body == b"hello"


def test_http_1_0_sees_the_end_of_an_unsized_answer_in_the_end_of_the_connection(wire):
    wire.send("GET /unsized HTTP/1.0\nConnection: keep-alive\n\n")
    reply = wire.read_reply()
    assert (reply.headers["connection"], reply.body) == ("close", b"one two")
    assert "transfer-encoding" not in reply.headers


def test_what_is_ready_is_sent_as_it_is_in_one_segment(wire):
    before = wire.data_segments_received()
    reply = wire.ask("/ready")
    assert wire.data_segments_received() == before + 1
    assert reply.body == b"xxxxx"
    assert set(reply.headers) == {"x-ready", "content-length", "date"}
    assert abs(parsedate_to_datetime(reply.headers["date"]).timestamp() - time.time()) < PATIENCE_SECONDS
    assert wire.ask("/ready", method="HEAD").headers["x-ready"] == "yes"
    assert wire.ask(f"/ready?{20 * MEBIBYTE}").body == b"x" * 20 * MEBIBYTE
    assert wire.ask("/hello").body == b"hello"


def test_pipelined_answers_that_are_ready_come_in_their_order(wire):
    paths = ["/hello", "/ready", "/unsized", "/ready?7", "/not_modified", "/ready?8", "/hello"]
    wire.send("".join(f"GET {path} HTTP/1.1\nHost: localhost\n\n" for path in paths))
    assert [len(wire.read_reply().body) for _path in paths] == [5, 5, 7, 7, 0, 8, 5]


@pytest.mark.parametrize(
    ("request_text", "version", "connection"),
    [
        ("GET /ready HTTP/1.1\nHost: a\nConnection: close\n\n", "HTTP/1.1", "close"),
        ("GET /ready HTTP/1.1\nHost: a\nConnection: TE, Close\n\n", "HTTP/1.1", "close"),
        ("GET /ready HTTP/1.0\n\n", "HTTP/1.0", "close"),
        ("GET /ready HTTP/1.0\nConnection: keep-alive\n\n", "HTTP/1.0", "keep-alive"),
    ],
)
def test_what_is_ready_is_not_sent_where_the_connection_is_spoken_of(wire, request_text, version, connection):
    wire.send(request_text)
    reply = wire.read_reply()
    assert (reply.version, reply.headers["connection"], reply.body) == (version, connection, b"xxxxx")
    assert "x-ready" not in reply.headers


def test_nothing_comes_behind_what_was_ready(wire):
    assert wire.ask("/ready_and_more").body == b"ok"
    assert wire.ask("/hello").version == "HTTP/1.1"
    assert wire.ask("/ready_and_more?twice").body == b"ok"
    assert wire.is_closed()


def test_several_cookies_stay_several_headers(wire):
    assert wire.ask("/cookies").headers["set-cookie"] == "a=1, b=2"


def test_no_answer_names_the_server(wire):
    for path in ("/hello", "/fail"):
        reply = wire.ask(path)
        assert {"server", "via"}.isdisjoint(reply.headers)
        assert b"waitress" not in reply.body.lower()


# What is read, and what is refused


def test_a_long_cookie_reaches_the_application(wire):
    cookie = "session=" + "x" * 8 * 1024
    assert json.loads(wire.ask("/echo", headers=f"Cookie: {cookie}\n").body)["HTTP_COOKIE"] == cookie


def test_a_chunked_body_reaches_the_application(wire):
    wire.send("POST /echo HTTP/1.1\nHost: localhost\nTransfer-Encoding: chunked\n\n5\nhello\n6;a=b\n world\n0\n\n")
    told = json.loads(wire.read_reply().body)
    assert (told["body_bytes"], told["CONTENT_LENGTH"]) == (11, "11")
    assert "HTTP_TRANSFER_ENCODING" not in told


def test_forwarding_headers_reach_the_application(wire):
    assert (
        json.loads(wire.ask("/echo", headers="X-Forwarded-For: 192.0.2.1\n").body)["HTTP_X_FORWARDED_FOR"]
        == "192.0.2.1"
    )


def test_a_header_with_underscores_cannot_pass_for_one_with_dashes(wire):
    told = json.loads(wire.ask("/echo", headers="X_Forwarded_For: 192.0.2.1\nContent_Length: 5\n").body)
    assert not {"HTTP_X_FORWARDED_FOR", "CONTENT_LENGTH"} & set(told)


REFUSED = {
    "both framings": (400, "POST /refused HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\nContent-Length: 5\n\n0\n\n"),
    "both framings, one empty": (
        400,
        "POST /refused HTTP/1.1\nHost: a\nTransfer-Encoding:\nContent-Length: 5\n\nhello",
    ),
    "two lengths": (400, "POST /refused HTTP/1.1\nHost: a\nContent-Length: 5\nContent-Length: 6\n\nhello"),
    "one length twice": (400, "POST /refused HTTP/1.1\nHost: a\nContent-Length: 5\nContent-Length: 5\n\nhello"),
    "a list of lengths": (400, "POST /refused HTTP/1.1\nHost: a\nContent-Length: 5, 5\n\nhello"),
    "a signed length": (400, "POST /refused HTTP/1.1\nHost: a\nContent-Length: +5\n\nhello"),
    "an endless length": (400, f"POST /refused HTTP/1.1\nHost: a\nContent-Length: {'9' * 5000}\n\n"),
    "two hosts": (400, "GET /refused HTTP/1.1\nHost: a\nHost: b\n\n"),
    "no host": (400, "GET /refused HTTP/1.1\n\n"),
    "two encodings": (
        400,
        "POST /refused HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\nTransfer-Encoding: x\n\n0\n\n",
    ),
    "chunked twice": (501, "POST /refused HTTP/1.1\nHost: a\nTransfer-Encoding: chunked, chunked\n\n0\n\n"),
    "an unknown encoding": (501, "POST /refused HTTP/1.1\nHost: a\nTransfer-Encoding: gzip\n\nhello"),
    "no encoding at all": (501, "POST /refused HTTP/1.1\nHost: a\nTransfer-Encoding:\n\nhello"),
    "chunks before they existed": (400, "POST /refused HTTP/1.0\nTransfer-Encoding: chunked\n\n0\n\n"),
    "a space before the colon": (400, "POST /refused HTTP/1.1\nHost: a\nTransfer-Encoding : chunked\n\n0\n\n"),
    "a folded header": (400, "POST /refused HTTP/1.1\nHost: a\nTransfer-Encoding:\n chunked\n\n0\n\n"),
    "an ordinary header folded by a space": (400, "GET /refused HTTP/1.1\nHost: a\nX: y\n z\n\n"),
    "an ordinary header folded by a tab": (400, "GET /refused HTTP/1.1\nHost: a\nX: y\n\tz\n\n"),
    "a control character in a header": (400, "GET /refused HTTP/1.1\nHost: a\nX: a\0b\n\n"),
    "no colon": (400, "GET /refused HTTP/1.1\nHost: a\nnonsense\n\n"),
    "a lower-case method": (400, "get /refused HTTP/1.1\nHost: a\n\n"),
    "no method": (400, "/refused\n\n"),
    "nonsense": (400, "\x16\x03\x01\x02\n\n"),
    "a control character in the target": (400, "GET /refu\tsed HTTP/1.1\nHost: a\n\n"),
    "a target that is no path": (400, "GET refused HTTP/1.1\nHost: a\n\n"),
    "a target that is no address": (400, "GET http://[refused HTTP/1.1\nHost: a\n\n"),
    "another version": (400, "GET /refused HTTP/2.0\nHost: a\n\n"),
    "a bad chunk size": (400, "POST /refused HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n0x5\nhello\n0\n\n"),
    "a chunk longer than it says": (
        400,
        "POST /refused HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n5\nhello!\n0\n\n",
    ),
    "a request for the body of nonsense": (
        400,
        "POST /refused HTTP/1.1\nHost: a\nExpect: 100-continue\nContent-Length: x\n\n",
    ),
    "long headers": (431, f"GET /refused HTTP/1.1\nHost: a\nX: {'x' * 33 * 1024}\n\n"),
    "a long body": (413, f"POST /refused HTTP/1.1\nHost: a\nContent-Length: {2 * MEBIBYTE}\n\n"),
    "a long body that is asked for": (
        413,
        f"POST /refused HTTP/1.1\nHost: a\nExpect: 100-continue\nContent-Length: {2 * MEBIBYTE}\n\n",
    ),
}


@pytest.mark.parametrize(("status", "message"), REFUSED.values(), ids=REFUSED)
def test_what_could_be_read_in_two_ways_or_not_at_all_is_refused(tiny, wire, status, message):
    wire.send(message + "GET /refused HTTP/1.1\nHost: a\n\n")
    reply = wire.read_reply()
    assert reply.status == status
    assert_is_a_refusal(reply)
    assert wire.is_closed()
    assert "/refused" not in json.loads(tiny.ask("/seen").body)


def test_a_chunk_size_that_ends_with_a_line_feed_alone_is_refused(wire):
    wire.send("POST /refused HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n", b"5\n\r\nhello\r\n0\r\n\r\n")
    assert wire.read_reply().status == 400


def test_a_chunk_size_line_without_end_is_refused(wire):
    wire.send("POST /refused HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n", b"5;" + b"a" * 16 * 1024)
    assert wire.read_reply().status == 400


def test_a_failure_of_the_application_is_answered_without_its_details(wire):
    reply = wire.ask("/fail")
    assert reply.status == 500
    assert_is_a_refusal(reply)
    assert b"secret" not in reply.body
    assert wire.is_closed()


def test_the_body_of_a_refused_request_can_be_sent_to_its_end(wire):
    wire.send(f"POST /echo HTTP/1.1\nHost: localhost\nContent-Length: {40 * MEBIBYTE}\n\n")
    for _ in range(40):
        wire.socket.sendall(b"x" * MEBIBYTE)
    assert wire.read_reply().status == 413


def test_a_body_is_asked_for_when_the_client_waits_for_that(wire):
    wire.send("POST /echo HTTP/1.1\nHost: localhost\nExpect: 100-continue\nContent-Length: 5\n\n")
    assert wire.read_headers().status == 100
    wire.send("hello")
    assert json.loads(wire.read_reply().body)["body_bytes"] == 5


def test_a_body_is_not_asked_for_when_there_is_none(wire):
    assert wire.ask("/hello", headers="Expect: 100-continue\n").body == b"hello"
    assert wire.ask("/hello").body == b"hello"


def assert_is_a_refusal(reply):
    assert reply.headers["connection"] == "close"
    assert reply.headers["content-type"] == "text/plain; charset=utf-8"
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in reply.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in reply.headers["content-security-policy"]
    assert reply.headers["referrer-policy"] == "strict-origin-when-cross-origin"
    assert {"server", "via"}.isdisjoint(reply.headers)
    assert len(reply.body) <= 400
    assert b"waitress" not in reply.body.lower()
    assert b"Traceback" not in reply.body


# The end


def test_an_answer_begun_before_the_end_arrives_whole():
    with TinySite() as site, site.connect() as wire:
        wire.send("GET /slow HTTP/1.1\nHost: localhost\n\n")
        assert site.prints("slow began")
        site.signal()
        reply = wire.read_reply()
        assert (reply.body, reply.headers["connection"]) == (b"done", "close")
        assert site.wait()[0] == 0


def test_requests_that_had_arrived_are_answered_and_idle_connections_do_not_hold_up_the_end():
    with TinySite(threads=1) as site, contextlib.ExitStack() as stack:
        idle, busy, waiting = (stack.enter_context(site.connect()) for _ in range(3))
        assert idle.ask("/hello").status == 200
        busy.send("GET /slow HTTP/1.1\nHost: localhost\n\nGET /hello HTTP/1.1\nHost: localhost\n\n")
        assert site.prints("slow began")
        # The only thread is busy.
        waiting.send("GET /hello HTTP/1.1\nHost: localhost\n\n")
        began = time.monotonic()
        site.signal()
        assert idle.is_closed()
        assert busy.read_reply().body == b"done"
        assert busy.read_reply().body == b"hello"
        assert waiting.read_reply().body == b"hello"
        assert site.wait()[0] == 0
        assert time.monotonic() - began < 5


def test_an_unfinished_request_may_be_finished_during_the_end():
    with TinySite() as site, site.connect() as wire, site.connect() as idle:
        assert idle.ask("/hello").status == 200
        wire.send("POST /echo HTTP/1.1\nHost: localhost\nContent-Length: 10\n\nhello")
        # Answered by the same loop, so that the first half has been read.
        assert idle.ask("/hello").status == 200
        site.signal()
        assert idle.is_closed()
        wire.send("world")
        assert json.loads(wire.read_reply().body)["body_bytes"] == 10
        assert site.wait()[0] == 0


def test_what_is_ready_says_that_the_connection_ends_with_the_process():
    with TinySite() as site, site.connect() as wire, site.connect() as idle:
        wire.send("POST /ready HTTP/1.1\nHost: localhost\nContent-Length: 1\n\n")
        assert idle.ask("/hello").status == 200
        site.signal()
        assert idle.is_closed()
        wire.send("x")
        assert wire.read_reply().headers["connection"] == "close"
        assert wire.is_closed()
        assert site.wait()[0] == 0


def test_a_stream_can_end_itself_when_the_process_does():
    with TinySite() as site, site.connect() as wire:
        wire.send("GET /until_drained HTTP/1.1\nHost: localhost\n\n")
        wire.read_headers()
        began = time.monotonic()
        site.signal()
        assert list(wire.read_chunks())[-1] == b"data: goodbye\n\n"
        assert site.wait()[0] == 0
        assert time.monotonic() - began < 5


def test_new_connections_are_refused_during_the_end():
    with TinySite() as site, site.connect() as wire:
        wire.send("GET /slow HTTP/1.1\nHost: localhost\n\n")
        assert site.prints("slow began")
        site.signal()
        assert until(lambda: not is_listening(site.port), seconds=0.9)
        assert wire.read_reply().body == b"done"


def is_listening(port):
    try:
        Wire(port).__exit__()
    except ConnectionError:
        return False
    return True


# The library


def test_another_waitress_is_refused_in_words(monkeypatch):
    check_waitress()
    monkeypatch.delattr(HTTPChannel, "_flush_some_if_lockable")
    with pytest.raises(RuntimeError, match=r"no HTTPChannel\._flush_some_if_lockable"):
        check_waitress()
