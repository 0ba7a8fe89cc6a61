"""Following the log over HTTP: each event once, in order, while it is recorded, and for no longer than one may."""

import gc
import itertools
import json
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from app import LINKS
from auth.blocking.blocking import block
from auth.permissions import Role, Scope
from auth.sessions.queries import delete_sessions_of
from auth.tokens.issuing import issue
from auth.tokens.queries import delete_token, list_tokens
from auth.users.roles import change_role
from eventlog.actors import Nobody
from eventlog.kinds import declare
from eventlog.log.appending import append_event
from eventlog.log.encoding import encode_event
from eventlog.log.following import events_since
from eventlog.log.streaming import Followed, Pace, follow
from storage.engine import Database
from tests.support import TESTER, Client, Server, Site, make_site
from tests.web.wire import PATIENCE_SECONDS, until
from web.errors import Busy
from web.sse import HEARTBEAT, Places, format_event

NOTED = declare("test.noted")
TOKEN = "byl_for-tests-only-0123456789-0123456789-abcdef"
STREAM = {"Accept": "text/event-stream"}
# A stream that fails to end for another reason ends at last, and the test with it.
QUICK = Pace(poll=0.005, longest=10)


@pytest.fixture
def quick(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """A site whose streams look often."""
    monkeypatch.setattr("eventlog.log.api.Pace", lambda: QUICK)
    made = make_site(tmp_path / "instance")
    yield made
    made.close()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    running = Server(tmp_path / "instance", processes=1, BYLINE_API_TOKEN=TOKEN).start()
    yield running
    running.kill()


class Reader:
    """A program that follows a server."""

    def __init__(self, server: Server, token: str = TOKEN, *, query: str = "", **headers: str) -> None:
        self.response = requests.get(
            f"{server.url}/v1/events{query}",
            headers={**STREAM, "Authorization": f"Bearer {token}"}
            | {k.replace("_", "-"): v for k, v in headers.items()},
            stream=True,
            timeout=PATIENCE_SECONDS,
        )
        # Line by line as they come: nothing is waited for but the line itself.
        self._lines: Iterator[Any] = self.response.iter_lines(chunk_size=1, decode_unicode=True)
        self._deadline = time.monotonic() + PATIENCE_SECONDS

    def __iter__(self) -> Iterator[dict[str, str]]:
        """Its events; comments and the first line are passed over."""
        fields: dict[str, str] = {}
        for line in self._lines:
            assert time.monotonic() < self._deadline
            name, _, value = line.partition(": ")
            if name in ("id", "event", "data"):
                fields[name] = value
            elif not line and fields:
                yield fields
                fields = {}

    def take(self, count: int) -> list[dict[str, str]]:
        return list(itertools.islice(self, count))

    def leave(self) -> None:
        self.response.close()


def program(server: Server) -> requests.Session:
    asking = server.browser()
    asking.headers["Authorization"] = f"Bearer {TOKEN}"
    return asking


def ids(events: list[dict[str, str]]) -> list[int]:
    return [int(event["id"]) for event in events]


@contextmanager
def database_of(server: Server) -> Iterator[Database]:
    with closing(Database(server.folder / "byline.db", readers=1)) as database:
        yield database


def note(site: Site, count: int, *, session: str = "noting") -> None:
    with site.database.transaction() as db:
        for number in range(count):
            append_event(db, NOTED, by=Nobody(session, "(test)"), payload={"n": number, "text": "a\nb\u2028c\r"})


# Over a real server


def test_events_arrive_while_they_are_recorded_in_the_form_of_the_list(server: Server) -> None:
    asking = program(server)
    known = asking.get("/v1/events").json()["items"]
    reader = Reader(server)
    assert reader.response.status_code == 200
    assert reader.response.headers["Content-Type"] == "text/event-stream; charset=utf-8"
    assert reader.response.headers["Cache-Control"] == "private, no-store"
    assert [json.loads(event["data"]) for event in reader.take(len(known))] == known
    for title in ("One", "Two"):
        asking.post("/v1/posts", json={"title": title, "status": "draft"})
        (event,) = reader.take(1)
        assert event["event"] == "post.created"
        newest = asking.get(f"/v1/events?since={int(event['id']) - 1}").json()["items"]
        assert [json.loads(event["data"])] == newest
    reader.leave()


def test_a_reader_that_comes_back_gets_each_event_once(server: Server) -> None:
    asking = program(server)
    seen: list[int] = []
    for number in range(3):
        asking.post("/v1/posts", json={"title": f"Post {number}"})
        # The header goes before `since`, with which the address still begins.
        reader = Reader(server, query="?since=0", **({"Last_Event_ID": str(seen[-1])} if seen else {}))
        seen += ids(reader.take(2))
        reader.leave()
    asking.post("/v1/posts", json={"title": "The last"})
    newest = asking.get("/v1/events?limit=100").json()["items"][-1]["id"]
    reader = Reader(server, Last_Event_ID=str(seen[-1]))
    seen += ids(reader.take(newest - seen[-1]))
    reader.leave()
    assert seen == list(range(1, newest + 1))


def test_a_fifth_stream_is_told_to_come_back_and_a_place_is_free_when_one_leaves(server: Server) -> None:
    readers = [Reader(server) for _ in range(4)]
    assert [reader.response.status_code for reader in readers] == [200] * 4
    refused = Reader(server).response
    assert refused.status_code == 503
    assert int(refused.headers["Retry-After"]) > 0
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert "plain list" in refused.json()["detail"]
    assert program(server).get("/v1/events").status_code == 200
    readers.pop().leave()
    assert until(lambda: _gets_in(server, readers), seconds=5)
    for reader in readers:
        reader.leave()


def _gets_in(server: Server, readers: list[Reader]) -> bool:
    reader = Reader(server)
    if reader.response.status_code == 200:
        readers.append(reader)
    else:
        reader.leave()
    return reader.response.status_code == 200


def test_a_server_that_is_told_to_stop_ends_its_streams_and_leaves(server: Server) -> None:
    reader = Reader(server)
    reader.take(1)
    began = time.monotonic()
    assert server.stop() == 0
    # Well before what would be cut off after eight seconds; and whole, or reading on would raise.
    assert time.monotonic() - began < 5
    for _event in reader:
        pass


def test_a_revoked_token_stops_receiving(server: Server) -> None:
    with database_of(server) as database:
        with database.transaction() as db:
            token = issue(db, "olive", scopes=(Scope.EVENTS_READ,), by=TESTER)
        reader = Reader(server, token)
        reader.take(1)
        with database.transaction() as db:
            for stored in list_tokens(db):
                if stored.scopes == {Scope.EVENTS_READ}:
                    delete_token(db, stored.id)
    began = time.monotonic()
    for _event in reader:
        pass
    assert time.monotonic() - began < 10
    assert Reader(server, token).response.status_code == 401


# The right, asked again


def _lose_session(db: Any, site: Site) -> None:
    assert delete_sessions_of(db, site.principal("olive").user_id or 0)


def _lose_token(db: Any, site: Site) -> None:
    assert delete_token(db, list_tokens(db)[0].id)


def _be_blocked(db: Any, site: Site) -> None:
    block(db, "olive", by=TESTER, links=LINKS)


def _be_a_reader(db: Any, site: Site) -> None:
    change_role(db, "olive", Role.READER, by=TESTER)


def _grow_old(db: Any, site: Site) -> None:
    db.exec_driver_sql("UPDATE sessions SET created_at = 0")
    db.exec_driver_sql("UPDATE tokens SET expires_at = 0")


def _by_token(site: Site) -> Client:
    return site.client(token=site.token("olive", Scope.EVENTS_READ))


def _by_session(site: Site) -> Client:
    return site.client("olive")


LOSSES = [
    (_by_session, _lose_session), (_by_session, _grow_old), (_by_token, _grow_old),
    (_by_session, _be_blocked), (_by_session, _be_a_reader),
    (_by_token, _lose_token), (_by_token, _be_blocked), (_by_token, _be_a_reader),
]  # fmt: skip


@pytest.mark.parametrize(("come", "lose"), LOSSES)
def test_who_may_no_longer_read_stops_receiving(
    quick: Site, come: Callable[[Site], Client], lose: Callable[[Any, Site], None]
) -> None:
    with quick.database.transaction() as db:
        db.exec_driver_sql("UPDATE users SET role = 'owner' WHERE username = 'edith'")  # olive is not the last
    response = come(quick).get("/v1/events", headers=STREAM, buffered=False)
    pieces: Iterator[Any] = iter(response.response)
    next(pieces), next(pieces)
    note(quick, 1)
    assert b"test.noted" in next(pieces)
    with quick.database.transaction() as db:
        lose(db, quick)
    note(quick, 1)
    assert b"test.noted" not in b"".join(pieces)


# What a stream is made of


def events_in(stream: Iterator[bytes]) -> Iterator[dict[str, str]]:
    text = ""
    for piece in stream:
        text += piece.decode()
        *whole, text = text.split("\n\n")
        for block_ in whole:
            if block_.startswith("id: "):
                yield dict(line.split(": ", 1) for line in block_.split("\n"))


def following(
    site: Site, *, session: str | None = None, since: int = 0, pace: Pace = QUICK, **more: Any
) -> Iterator[bytes]:
    asked: dict[str, Any] = {"is_interrupted": lambda: False, "is_still_allowed": lambda _db: True} | more
    return follow(site.database, Followed(session, since, **asked), places=Places(1), pace=pace)


def test_what_is_behind_is_caught_up_with_in_batches_each_event_once(site: Site) -> None:
    note(site, 250)
    newest = _newest(site)
    with site.counted_statements() as statements:
        taken = list(itertools.islice(events_in(following(site)), newest))
    assert ids(taken) == list(range(1, newest + 1))
    assert len(statements) == newest // 100 + 1
    with site.database.reading() as db:
        assert [event["data"] for event in taken] == [encode_event(event) for event in events_since(db, None, 0, 0)]


def test_one_session_is_followed_alone(site: Site) -> None:
    note(site, 2, session="one")
    note(site, 2, session="other")
    stream = events_in(following(site, session="one"))
    first = [next(stream), next(stream)]
    note(site, 1, session="other")
    note(site, 1, session="one")
    third = next(stream)
    assert ids([third]) == [_newest(site)]
    assert {json.loads(event["data"])["session_id"] for event in [*first, third]} == {"one"}


def test_it_says_how_to_come_back_and_that_it_is_there_and_ends_in_time(site: Site) -> None:
    pace = Pace(poll=0.005, heartbeat=0.05, longest=0.4)
    began = time.monotonic()
    pieces = list(following(site, since=_newest(site), pace=pace))
    assert 0.4 <= time.monotonic() - began < 5
    assert pieces[0] == b"retry: 3000\n\n"
    assert set(pieces[1:]) == {HEARTBEAT.encode()}
    assert 2 <= len(pieces[1:]) <= 8


def test_it_ends_when_it_is_interrupted(site: Site) -> None:
    signs = iter([False, False, True])
    pieces = list(following(site, is_interrupted=lambda: next(signs)))
    assert pieces[0].startswith(b"retry")
    assert next(signs, None) is None


def test_no_snapshot_is_held_while_bytes_leave(site: Site) -> None:
    stream = following(site)
    next(stream), next(stream)
    site.post(title="Written meanwhile")
    assert site.database.empty_log(wait_seconds=0)


@pytest.mark.parametrize("end", ["closed", "dropped", "over", "failed"])
def test_a_place_is_given_back_however_a_stream_ends(site: Site, end: str) -> None:
    def fail() -> bool:
        raise RuntimeError

    places = Places(1)
    followed = Followed(
        None, 0, is_interrupted=fail if end == "failed" else lambda: True, is_still_allowed=lambda _db: True
    )
    stream: Any = follow(site.database, followed, places=places, pace=QUICK)
    with pytest.raises(Busy):
        follow(site.database, followed, places=places, pace=QUICK)
    if end == "closed":
        stream.close()
    elif end == "over":
        list(stream)
    elif end == "failed":
        with pytest.raises(RuntimeError):
            list(stream)
    else:
        del stream
        gc.collect()
    with places.taken(otherwise=""):
        pass


def test_a_head_holds_no_place(quick: Site) -> None:
    owner = quick.client("olive")
    for _ in range(6):
        answer = owner.head("/v1/events", headers=STREAM)
        assert answer.status_code == 200
        assert answer.data == b""


def test_refusals_come_in_their_order_and_before_a_place_is_taken(site: Site) -> None:
    bad = {**STREAM, "Last-Event-ID": "x"}
    assert site.client().get("/v1/events", headers=bad).status_code == 401
    assert site.client("edith").get("/v1/events", headers=bad).status_code == 403
    owner = site.client("olive")
    for seen in ("x", "-1", "", "1.5", "９", str(2**63), "9" * 30):
        answer = owner.get("/v1/events", headers={**STREAM, "Last-Event-ID": seen.encode().decode("latin-1")})
        assert answer.status_code == 422, seen
        assert answer.json is not None
        assert [fault["field"] for fault in answer.json["errors"]] == ["Last-Event-ID"]
    assert owner.get("/v1/events?since=x", headers=STREAM).status_code == 422
    assert owner.get("/v1/events?session=unknown", headers=STREAM).status_code == 404
    # To the list the header says nothing.
    for accept in ("*/*", "application/json", "application/json, text/event-stream;q=0.5"):
        answer = owner.get("/v1/events", headers={"Accept": accept, "Last-Event-ID": "x"})
        assert answer.status_code == 200
        assert answer.is_json


def test_a_text_with_lines_is_framed_line_by_line() -> None:
    assert (
        format_event("a\r\nb\rc\u2028d\n", event="x", id=7)
        == "id: 7\nevent: x\ndata: a\ndata: b\ndata: c\u2028d\ndata: \n\n"
    )
    assert format_event("") == "data: \n\n"


def _newest(site: Site) -> int:
    with site.database.reading() as db:
        return events_since(db, None, 0, 0)[-1].id
