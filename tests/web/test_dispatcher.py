"""Which thread answers: whoever waits, or asks for what takes long, holds up nobody who reads."""

import contextlib
import select
import threading
import time

import pytest

from app import kind_of
from tests.web.test_server import turned_here
from tests.web.wire import PATIENCE_SECONDS, TinySite, Wire
from web.server import dispatcher
from web.server.dispatcher import Work
from web.server.framing import WAITED_SECONDS

PAGES, RELIEF, LONG, WRITERS = 1, 4, 2, 3
# Asked for one after the other, so many pages take longer where each has to wait for the thread for pages to be held.
MANY, TOGETHER_SECONDS = 20, 2.0


class Counting:
    """An application that notes how many of its requests were carried out at the same time."""

    def __init__(self):
        self.most = {}
        self._inside = {}
        self._lock = threading.Lock()

    def __call__(self, environ, start_response):
        path = environ["PATH_INFO"]
        with self._lock:
            self._inside[path] = self._inside.get(path, 0) + 1
            self.most[path] = max(self.most.get(path, 0), self._inside[path])
        # Whoever may begin at the same time has done so by then.
        time.sleep(0.05)
        with self._lock:
            self._inside[path] -= 1
        start_response("200 OK", [("Content-Length", "0")])
        return []


def kinds_of_the_tests(method, path):
    return Work.LONG if path == "/long" else Work.PAGE if method == "GET" else Work.WAITING


def hold(wire, path="/endless"):
    """Ask for a stream without an end."""
    wire.send(f"GET {path} HTTP/1.1\nHost: localhost\n\n")
    wire.read_headers()


def ask_and_answer(server, wires, request):
    """Send it on every connection, and turn the loop until each has its answer."""
    for wire in wires:
        wire.send(request)
    answered = threading.Thread(target=lambda: [wire.read_reply() for wire in wires])
    answered.start()
    while answered.is_alive():
        server.turn(0.05)


@pytest.mark.parametrize(("path", "most"), [("/page", PAGES), ("/long", LONG)])
def test_only_a_few_of_a_kind_are_made_at_once(path, most):
    counting = Counting()
    with turned_here(counting, threads=16, kind_of=kinds_of_the_tests) as (server, first), contextlib.ExitStack() as s:
        wires = [first, *(s.enter_context(Wire(int(server.effective_port))) for _ in range(9))]
        ask_and_answer(server, wires, f"GET {path} HTTP/1.1\nHost: localhost\n\n")
    assert counting.most == {path: most}


def test_the_application_learns_how_long_a_request_has_waited():
    waited = []

    def note(environ, start_response):
        waited.append(environ[WAITED_SECONDS])
        time.sleep(0.15)
        start_response("200 OK", [("Content-Length", "0")])
        return []

    with turned_here(note, threads=16) as (server, first), contextlib.ExitStack() as stack:
        wires = [first, *(stack.enter_context(Wire(int(server.effective_port))) for _ in range(PAGES))]
        ask_and_answer(server, wires, "GET / HTTP/1.1\nHost: localhost\n\n")
    *at_once, last = sorted(waited)
    assert len(at_once) == PAGES
    assert max(at_once) < last
    # The one for which no thread was left, until the others had slept; and not since the machine was started.
    assert 0.1 < last < PATIENCE_SECONDS


def test_writers_are_many():
    counting = Counting()
    with turned_here(counting, threads=16, kind_of=kinds_of_the_tests) as (server, first), contextlib.ExitStack() as s:
        wires = [first, *(s.enter_context(Wire(int(server.effective_port))) for _ in range(9))]
        ask_and_answer(server, wires, "POST /write HTTP/1.1\nHost: localhost\nContent-Length: 0\n\n")
    assert counting.most["/write"] >= WRITERS


def test_readers_do_not_wait_for_writers():
    with TinySite(threads=PAGES + RELIEF + LONG + WRITERS) as site, contextlib.ExitStack() as stack:
        writers = [stack.enter_context(site.connect()) for _ in range(WRITERS)]
        for writer in writers:
            writer.send("POST /slow HTTP/1.1\nHost: localhost\nContent-Length: 0\n\n")
            assert site.read_line() == "slow began"
        with site.connect() as reader:
            assert reader.ask("/hello").body == b"hello"
        are_answered, _, _ = select.select([writer.socket for writer in writers], [], [], 0)
        assert not are_answered
        assert [writer.read_reply().body for writer in writers] == [b"done"] * WRITERS


def test_readers_are_answered_by_others_when_their_threads_are_held():
    with TinySite(threads=PAGES + RELIEF + LONG + 1) as site, contextlib.ExitStack() as stack:
        for _ in range(PAGES):
            # Nobody said that it would wait.
            hold(stack.enter_context(site.connect()))
        with site.connect() as first, site.connect() as second:
            first.send("GET /hello HTTP/1.1\nHost: localhost\n\n")
            assert first.read_reply().body == b"hello"
            # It is known by now, and nobody waits for it again.
            began = time.monotonic()
            assert [second.ask("/hello").body for _ in range(MANY)] == [b"hello"] * MANY
            assert time.monotonic() - began < TOGETHER_SECONDS


class Held:
    """An application that begins to answer, and ends when it may."""

    def __init__(self):
        self.may_end = threading.Event()
        self.began = threading.Semaphore(0)

    def __call__(self, _environ, start_response):
        self.began.release()
        self.may_end.wait(PATIENCE_SECONDS)
        start_response("200 OK", [("Content-Length", "0")])
        return []


def taken_in(server, count):
    """Turn the loop until so many requests wait on their connections, or are being answered."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while sum(len(each.requests) for each in server.active_channels.values()) < count:
        assert time.monotonic() < deadline
        server.turn(0.05)


def await_another(held, task_dispatcher):
    """Tend until another thread has begun a page."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not held.began.acquire(timeout=0.01):
        assert time.monotonic() < deadline
        task_dispatcher.tend(3600.0)


@contextlib.contextmanager
def held_by(count, monkeypatch):
    """A server that was asked for so many pages and ends none, and is not told yet that one takes too long."""
    monkeypatch.setattr(dispatcher, "_STUCK_SECONDS", PATIENCE_SECONDS)
    held = Held()
    with turned_here(held, threads=16) as (server, first), contextlib.ExitStack() as stack:
        wires = [first, *(stack.enter_context(Wire(int(server.effective_port))) for _ in range(count - 1))]
        for wire in wires:
            wire.send("GET / HTTP/1.1\nHost: localhost\n\n")
        taken_in(server, count)
        try:
            yield held, server.task_dispatcher
        finally:
            held.may_end.set()
            ask_and_answer(server, wires, "")


def test_the_loop_sleeps_no_longer_than_a_page_may_wait_for_its_thread(monkeypatch):
    with held_by(2, monkeypatch) as (held, task_dispatcher):
        # Also before the thread has noticed that there is a page.
        assert 0 < task_dispatcher.tend(3600.0) <= PATIENCE_SECONDS
        assert held.began.acquire(timeout=PATIENCE_SECONDS)
        assert 0 < task_dispatcher.tend(3600.0) <= PATIENCE_SECONDS
        monkeypatch.setattr(dispatcher, "_STUCK_SECONDS", 0.0)
        await_another(held, task_dispatcher)
        # Nothing waits any more.
        assert task_dispatcher.tend(3600.0) == 3600.0


def test_while_a_page_is_held_a_few_are_made_by_others_and_the_rest_waits_for_its_turn(monkeypatch):
    with held_by(PAGES + RELIEF + 3, monkeypatch) as (held, task_dispatcher):
        assert held.began.acquire(timeout=PATIENCE_SECONDS)
        monkeypatch.setattr(dispatcher, "_STUCK_SECONDS", 0.0)
        for _relief in range(RELIEF):
            await_another(held, task_dispatcher)
        task_dispatcher.tend(3600.0)
        # Others wait for them, and do not make them.
        assert not held.began.acquire(timeout=0.1)


@pytest.mark.parametrize(
    ("method", "path", "kind"),
    [
        ("GET", "/", Work.PAGE),
        ("HEAD", "/posts/a", Work.PAGE),
        ("GET", "/search", Work.LONG),
        ("GET", "/sitemap.xml", Work.LONG),
        ("POST", "/search", Work.WAITING),
        ("PUT", "/v1/posts/1", Work.WAITING),
        ("GET", "/v1/events", Work.WAITING),
        ("GET", "/healthz", Work.WAITING),
    ],
)
def test_what_a_request_is_follows_from_its_method_and_path(method, path, kind):
    assert kind_of(method, path) is kind


# Many requests at once on one connection


def test_a_client_who_asks_again_and_takes_nothing_holds_no_thread():
    mebibytes = 24
    with TinySite(threads=PAGES + RELIEF + LONG + 1) as site, contextlib.ExitStack() as stack:
        for _ in range(2 * PAGES):
            greedy = stack.enter_context(site.connect())
            greedy.send(f"GET /big?{mebibytes} HTTP/1.1\nHost: localhost\n\n" * 4)
        with site.connect() as reader:
            assert reader.ask("/hello").body == b"hello"
            began = time.monotonic()
            assert [reader.ask("/hello").body for _ in range(MANY)] == [b"hello"] * MANY
            assert time.monotonic() - began < TOGETHER_SECONDS


def test_what_was_asked_together_is_answered_in_turn_however_large():
    with TinySite(threads=PAGES + RELIEF + LONG + 1) as site, site.connect() as wire:
        wire.send("GET /big?20 HTTP/1.1\nHost: localhost\n\n" * 3 + "GET /hello HTTP/1.1\nHost: localhost\n\n")
        assert [len(wire.read_reply().body) for _ in range(3)] == [20 * 1024 * 1024] * 3
        assert wire.read_reply().body == b"hello"
