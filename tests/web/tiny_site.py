"""A WSGI program for the tests of the server: `python -m tests.web.tiny_site '{"processes": 2, …}'`.

It prints its port when ready, and the lines that its application notes down, on standard output.
"""

import json
import os
import signal
import sys
import time
from pathlib import Path

import structlog

from web.server.supervisor import supervise

SEEN = []
PARENT = os.getpid()


def note(text):
    os.write(1, f"{text}\n".encode())


def hello(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "5"), ("ETag", '"x"')])
    return [b"hello"]


def unsized(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return (part for part in (b"one ", b"two"))


def big(environ, start_response):
    mebibyte = b"x" * 1024 * 1024
    count = int(environ["QUERY_STRING"])
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(count * len(mebibyte)))])
    return (mebibyte for _ in range(count))


def not_modified(environ, start_response):
    start_response("304 Not Modified", [("ETag", '"x"'), ("Content-Length", "5")])
    return []


def no_content(environ, start_response):
    start_response("204 No Content", [])
    return []


def cookies(environ, start_response):
    start_response("200 OK", [("Set-Cookie", "a=1"), ("Set-Cookie", "b=2"), ("Content-Length", "0")])
    return []


def echo(environ, start_response):
    told: dict[str, object] = {key: value for key, value in environ.items() if key.isupper() and isinstance(value, str)}
    told["body_bytes"] = len(environ["wsgi.input"].read())
    body = json.dumps(told).encode()
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]


def seen(environ, start_response):
    body = json.dumps(SEEN).encode()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]


def fail(environ, start_response):
    raise LookupError("a secret of the application")


def pid(environ, start_response):
    body = str(os.getpid()).encode()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]


def slow(environ, start_response):
    note("slow began")
    time.sleep(1)
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "4")])
    return [b"done"]


def events(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/event-stream; charset=utf-8")])
    for _ in range(int(environ["QUERY_STRING"])):
        yield f"data: {time.monotonic()}\n\n".encode()
        time.sleep(0.5)


def endless(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/event-stream")])
    try:
        while True:
            yield b"data: more\n\n"
            time.sleep(0.1)
    finally:
        note("endless closed")


def until_drained(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/event-stream")])
    while not environ["byline.is_draining"]():
        yield b"data: more\n\n"
        time.sleep(0.05)
    yield b"data: goodbye\n\n"


def watch(environ, start_response):
    """A stream that has nothing to say, and looks whether anybody is still there."""
    start_response("200 OK", [("Content-Type", "text/event-stream")])
    yield b"data: first\n\n"
    give_up_at = time.monotonic() + 10
    while not environ["waitress.client_disconnected"]() and time.monotonic() < give_up_at:
        time.sleep(0.02)
    note("client is gone" if environ["waitress.client_disconnected"]() else "client is still there")


def ready(environ, start_response):
    """An answer whose head is bytes already, where the server takes it."""
    body = b"x" * int(environ["QUERY_STRING"] or 5) if environ["REQUEST_METHOD"] == "GET" else b""
    if environ["byline.send_ready"](b"HTTP/1.1 200 OK\r\nX-Ready: yes\r\nContent-Length: %d" % len(body), body):
        return []
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]


def ready_and_more(environ, start_response):
    """Says more than it may."""
    send_ready, answer = environ["byline.send_ready"], (b"HTTP/1.1 200 OK\r\nContent-Length: 2", b"ok")
    assert send_ready(*answer)
    if environ["QUERY_STRING"] == "twice":
        send_ready(*answer)
    return [b"more"]


def known(environ, start_response):
    """What `at_once` would have answered."""
    start_response("200 OK", [("Content-Length", "4")])
    return [b"made"]


known_big = known

ROUTES = {"/" + each.__name__: each for each in (hello, unsized, big, not_modified, no_content, cookies, echo, seen)}
ROUTES |= {
    "/" + each.__name__: each
    for each in (fail, pid, slow, events, endless, until_drained, watch, ready, ready_and_more)
}
ROUTES |= {"/known": known, "/known_big": known_big}


def app(environ, start_response):
    SEEN.append(environ["PATH_INFO"])
    return ROUTES[environ["PATH_INFO"]](environ, start_response)


def at_once(method, path, query, header):
    if path == "/known":
        body = f"known {query} {header('X_NUMBER')}".encode()
    elif path == "/known_big":
        body = b"x" * int(query) * 1024 * 1024
    else:
        return None
    head = f"HTTP/1.1 200 OK\r\nX-At-Once: yes\r\nContent-Length: {len(body)}".encode()
    return head, b"" if method == "HEAD" else body


vars(app)["at_once"] = at_once


class RefusedError(Exception):
    """What a real application raises when its settings do not let it start."""


def make_app(behaviour):
    if behaviour == "refuses":
        raise RefusedError("The data folder cannot be written to.")
    if behaviour == "fails":
        raise LookupError("Something nobody thought of.")
    if behaviour == "dies":
        note("dying")
        os.kill(os.getpid(), signal.SIGKILL)
    if behaviour == "stops the parent":
        os.kill(PARENT, signal.SIGTERM)
    if behaviour.startswith("refuses the second in "):
        # Each start leaves a file, which the ones after it see.
        starts = Path(behaviour.removeprefix("refuses the second in "))
        number = len(list(starts.iterdir())) + 1
        (starts / str(number)).touch()
        if number == 2:
            raise RefusedError("The disk is full at this moment.")
    if behaviour == "stops itself":
        note("stopping itself")
        os.kill(os.getpid(), signal.SIGTERM)
    return app


def main():
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    options = {"host": "127.0.0.1", "port": 0, "processes": 1, "threads": 4} | json.loads(sys.argv[1])
    behaviour = options.pop("behaviour", "")
    return supervise(
        lambda: make_app(behaviour),
        announce=lambda _host, port: note(port),
        refusals=(RefusedError,),
        **options,
    )


if __name__ == "__main__":
    sys.exit(main())
