"""The layer under any server: who is answered from what is kept, and with which variant of it."""

import gzip
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import time_machine
from werkzeug.test import Client, TestResponse, create_environ

from storage import clock
from storage.kept import Unread
from web.page_cache.asking import Visitors
from web.page_cache.cache import PageCache
from web.page_cache.layer import IS_SHARED, PageCacheLayer
from web.server.framing import SEND_READY

NOW = 1_800_000_000
TEXT = b"<p>Words that are worth compressing.</p>" * 100


class Place:
    """An application that counts how often it was asked, and a cache in front of it."""

    def __init__(self, *, hosts: frozenset[str] | None = None, most_bytes: int = 1_000_000) -> None:
        self.version: int | None = 1
        self.next_at: int | None = None
        self.is_next_known = True
        self.asked: list[str] = []
        self.counted: list[tuple[str, str]] = []
        self.status, self.headers, self.body = "200 OK", [("Content-Type", "text/html; charset=utf-8")], TEXT
        self.is_shared = True
        self.before_answer = lambda: None
        self.cache = PageCache(
            Visitors(lambda cookie: "session=saved" in cookie, hosts),
            content_version=self.read_version,
            next_publication=self.find_next,
            most_bytes=most_bytes,
        )
        self.layer = PageCacheLayer(
            self.answer, self.cache, lambda method, status: self.counted.append((method, status))
        )
        self.client = Client(self.layer, use_cookies=False)

    def read_version(self) -> int:
        if self.version is None:
            raise Unread
        return self.version

    def find_next(self, _at: int) -> int | None:
        if not self.is_next_known:
            raise Unread
        return self.next_at

    def answer(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        self.asked.append(f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}")
        self.before_answer()
        body = self.body
        if self.is_shared:
            environ[IS_SHARED] = True
        start_response(self.status, [*self.headers, ("Content-Length", str(len(body))), ("X-Request-Id", "7")])
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]

    def at_once(self) -> tuple[bytes, bytes] | None:
        return self.layer.at_once("GET", "/", "", {"HOST": "localhost"}.get)

    def get(self, path: str = "/", **headers: str) -> TestResponse:
        return self.client.get(path, headers={name.replace("_", "-"): value for name, value in headers.items()})


@pytest.fixture
def place() -> Place:
    return Place()


def test_the_second_visitor_gets_the_same_bytes_without_asking(place: Place) -> None:
    first, second = place.get(), place.get()
    assert place.asked == ["GET /"]
    assert place.counted == [("GET", "200 OK")]
    assert first.data == second.data == TEXT
    assert dict(first.headers) == dict(second.headers)
    assert second.headers["Content-Length"] == str(len(TEXT))
    assert "X-Request-Id" not in second.headers


def test_a_change_is_seen_at_once(place: Place) -> None:
    place.get()
    place.version, place.body = 2, b"new"
    assert place.get().data == b"new"
    assert place.get().data == b"new"
    assert len(place.asked) == 2


def test_what_is_answered_at_once_is_of_the_present_state_too(place: Place) -> None:
    place.get()
    head, body = place.at_once() or (b"", b"")
    assert head.startswith(b"HTTP/1.1 200 OK")
    assert body == TEXT
    place.version = 2
    assert place.at_once() is None


def test_a_server_that_takes_bytes_gets_them(place: Place) -> None:
    sent = list[tuple[bytes, bytes]]()
    takes_it, started = True, list[str]()

    def send_ready(head: bytes, body: bytes) -> bool:
        sent.append((head, body))
        return takes_it

    def ask(method: str = "GET") -> bytes:
        environ = create_environ("/", method=method) | {SEND_READY: send_ready}
        return b"".join(place.layer(environ, lambda status, *_: started.append(status) or len))

    # What was just made, and what was kept.
    assert [ask(), ask()] == [b"", b""]
    assert sent == [place.at_once()] * 2
    assert ask("HEAD") == b""
    assert sent.pop() == (sent[0][0], b"")
    assert not started
    takes_it = False
    assert ask() == TEXT
    assert started == ["200 OK"]
    assert place.asked == ["GET /"]


def test_a_change_while_a_page_is_made_makes_it_stale(place: Place) -> None:
    def change() -> None:
        place.version = 2

    place.before_answer = change
    place.get()
    place.before_answer = lambda: None
    place.body = b"new"
    assert place.get().data == b"new"


def test_a_page_is_good_until_the_next_post_comes_out(place: Place) -> None:
    place.next_at = (NOW + 60) * clock.SECOND
    with time_machine.travel(NOW, tick=False) as travel:
        place.get()
        travel.shift(59)
        place.get()
        assert len(place.asked) == 1
        travel.shift(1)
        place.next_at = None
        place.get()
        place.get()
        assert len(place.asked) == 2


def test_where_the_version_cannot_be_read_pages_are_made_and_not_kept(place: Place) -> None:
    place.get()
    place.version = None
    place.body = b"new"
    assert place.get().data == b"new"
    assert place.get(Accept_Encoding="gzip").status_code == 200
    place.version = 1
    assert place.get().data == TEXT


def test_where_the_next_publication_cannot_be_read_no_page_is_kept_for_ever(place: Place) -> None:
    place.is_next_known = False
    place.get()
    place.is_next_known, place.body = True, b"new"
    assert place.get().data == b"new"


@pytest.mark.parametrize(
    ("accepted", "is_packed"),
    [
        ("gzip", True),
        ("GZIP;q=0.5, br", True),
        ("br, *", True),
        ("deflate, gzip;q=1.0, *;q=0.5", True),
        ("", False),
        ("identity", False),
        ("gzip;q=0", False),
        ("gzip;q=0.000, *", False),
        ("gzip;q=nonsense", False),
        (";;;,,,=", False),
    ],
)
def test_gzip_is_for_those_who_take_it(place: Place, accepted: str, is_packed: bool) -> None:
    for _ in range(2):
        answer = place.get(Accept_Encoding=accepted)
        assert (answer.headers.get("Content-Encoding") == "gzip") == is_packed
        assert (gzip.decompress(answer.data) if is_packed else answer.data) == TEXT
        assert answer.headers["Content-Length"] == str(len(answer.data))
    assert len(place.asked) == 1


def test_each_variant_has_a_tag_of_its_own_that_answers_304(place: Place) -> None:
    tags = set()
    for accepted in ("identity", "gzip"):
        whole = place.get(Accept_Encoding=accepted)
        tags.add(whole.headers["ETag"])
        for named in (whole.headers["ETag"], f"W/{whole.headers['ETag']}", f'"other", {whole.headers["ETag"]}', "*"):
            same = place.get(Accept_Encoding=accepted, If_None_Match=named)
            assert same.status_code == 304
            assert same.data == b""
            assert same.headers["ETag"] == whole.headers["ETag"]
            assert "Content-Length" not in same.headers
            assert "Content-Encoding" not in same.headers
        for named in ('"other"', "nonsense", "", '"', "W/", "\xff"):
            assert place.get(Accept_Encoding=accepted, If_None_Match=named).status_code == 200
    assert len(tags) == 2
    assert not any(tag.startswith("W/") for tag in tags)


def test_a_page_rendered_anew_to_the_same_bytes_has_the_same_tag(place: Place) -> None:
    tag = place.get().headers["ETag"]
    place.version = 2
    assert place.get(If_None_Match=tag).status_code == 304
    assert len(place.asked) == 2


def test_head_says_what_get_says(place: Place) -> None:
    head = place.client.head("/")
    whole = place.get()
    assert head.data == b""
    assert dict(head.headers) == dict(whole.headers)
    again = place.client.head("/")
    assert dict(again.headers) == dict(whole.headers)
    assert again.data == b""


@pytest.mark.parametrize(
    "headers",
    [
        {"Cookie": "session=saved"},
        {"Cookie": "a=b; session=saved; c=d"},
        {"Authorization": "Bearer nonsense"},
        {"Authorization": ""},
        {"Content-Type": "application/json"},
        {"Transfer-Encoding": "chunked"},
    ],
)
def test_whoever_may_be_somebody_is_never_answered_from_what_is_kept(place: Place, headers: dict[str, str]) -> None:
    place.get()
    place.body = b"for you alone"
    assert place.client.get("/", headers=headers).data == b"for you alone"
    assert place.get().data == TEXT


def test_a_request_with_a_body_is_for_the_application(place: Place) -> None:
    place.get()
    place.client.get("/", data=b"12345")
    assert len(place.asked) == 2


def test_meaningless_cookies_are_no_reason_to_ask(place: Place) -> None:
    place.get()
    for cookie in ("_ga=1", "session=forged", "\xff\xfe", "=;;=", "session"):
        assert place.client.get("/", headers={"Cookie": cookie}).data == TEXT
    assert len(place.asked) == 1


def test_a_foreign_host_is_left_to_the_application() -> None:
    place = Place(hosts=frozenset({"blog.example"}))
    place.get(Host="blog.example")
    place.get(Host="BLOG.example")
    assert len(place.asked) == 1
    place.get(Host="evil.example")
    place.get(Host="")
    assert len(place.asked) == 3


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"])
def test_other_methods_are_for_the_application(place: Place, method: str) -> None:
    place.get()
    place.client.open("/", method=method)
    assert place.asked[-1] == f"{method} /"


def test_what_the_application_does_not_share_is_not_kept(place: Place) -> None:
    place.is_shared = False
    for _ in range(2):
        answer = place.get()
        assert answer.headers["X-Request-Id"] == "7"
        assert "ETag" not in answer.headers
        assert place.client.head("/").data == b""
    assert place.asked == ["GET /", "HEAD /"] * 2


def test_an_answer_with_a_cookie_is_not_kept_whatever_is_said_of_it(place: Place) -> None:
    place.headers = [*place.headers, ("Set-Cookie", "session=new")]
    place.get()
    place.headers = place.headers[:1]
    assert "Set-Cookie" not in place.get().headers
    assert len(place.asked) == 2


def test_a_refusal_for_people_is_not_what_programs_get(place: Place) -> None:
    place.status = "401 UNAUTHORIZED"
    place.get(Accept="application/json")
    page = place.get(Accept="text/html")
    assert len(place.asked) == 2
    assert place.get(Accept="text/html").status_code == 401
    assert len(place.asked) == 2
    assert place.get(Accept="text/html", If_None_Match=page.headers["ETag"]).status_code == 401
    place.get(Accept="application/problem+json")
    assert len(place.asked) == 3


@pytest.mark.parametrize("accept", ["application/*", "text/html;q=0, */*", "application/json", "APPLICATION/*;q=0.5"])
def test_who_would_rather_have_json_never_decides_what_people_get(place: Place, accept: str) -> None:
    place.status, place.body = "410 GONE", b'{"title": "Gone"}'
    place.get(Accept=accept)
    place.body = b"<h1>Gone</h1>"
    for wanted in ({"Accept": "text/html,*/*;q=0.8"}, {}):
        assert place.get(**wanted).data == b"<h1>Gone</h1>"
    assert len(place.asked) == 2
    place.get(Accept=accept)
    assert len(place.asked) == 3


def test_a_page_that_goes_between_the_two_questions_of_a_head(place: Place) -> None:
    def go() -> None:
        if place.asked[-1].startswith("GET"):
            place.is_shared, place.status = False, "404 NOT FOUND"

    place.before_answer = go
    answer = place.client.head("/")
    assert answer.status_code == 404
    assert answer.data == b""
    assert place.asked == ["HEAD /", "GET /"]


def test_programs_share_what_is_no_refusal(place: Place) -> None:
    place.get(Accept="application/feed+json")
    place.get(Accept="application/json")
    assert len(place.asked) == 1


def test_long_addresses_are_answered_and_not_kept(place: Place) -> None:
    for _ in range(2):
        place.get("/?q=" + "a" * 2000)
    assert len(place.asked) == 2


def test_one_renders_while_the_others_wait(place: Place) -> None:
    begun, may_end = threading.Event(), threading.Event()

    def be_slow() -> None:
        begun.set()
        assert may_end.wait(10)

    place.before_answer = be_slow
    with ThreadPoolExecutor(8) as pool:
        first = pool.submit(place.get)
        assert begun.wait(10)
        others = [pool.submit(place.get) for _ in range(7)]
        may_end.set()
        assert {each.result(10).data for each in [first, *others]} == {TEXT}
    assert len(place.asked) == 1


def test_a_failure_of_the_one_who_renders_is_not_everybodys(place: Place) -> None:
    def fail() -> None:
        raise RuntimeError

    place.before_answer = fail
    with pytest.raises(RuntimeError):
        place.get()
    place.before_answer = lambda: None
    assert place.get().data == TEXT


def test_the_body_is_closed_and_a_stream_is_not_read_before_it_is_sent() -> None:
    closed = []

    class Body:
        def __iter__(self) -> Iterator[bytes]:
            yield b"event"

        def close(self) -> None:
            closed.append(True)

    sent = Body()

    def stream(_environ: Any, start_response: Any) -> Body:
        start_response("200 OK", [("Content-Type", "text/event-stream")])
        return sent

    layer = PageCacheLayer(stream, Place().cache, lambda *_: None)
    assert layer(create_environ("/"), lambda *_: lambda _: None) is sent
    assert closed == []
    assert Client(PageCacheLayer(share(stream), Place().cache, lambda *_: None)).get("/").data == b"event"
    assert closed == [True]


def share(app: Any) -> Any:
    def answer(environ: Any, start_response: Any) -> Iterable[bytes]:
        environ[IS_SHARED] = True
        return app(environ, start_response)

    return answer
