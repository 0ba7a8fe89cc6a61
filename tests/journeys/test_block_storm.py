"""A block in the middle of a storm, over two processes: nothing that begins after it was answered succeeds."""

import http.client
import itertools
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlencode

import pytest
import requests

from app import LINKS
from auth.blocking.blocking import block
from auth.permissions import Role, Scope
from auth.tokens.queries import delete_token, list_tokens
from eventlog.kinds import declare
from eventlog.log.appending import append_event
from storage.engine import Database
from tests.support import PASSWORD, ROOT, SECRET, TESTER, Browser, Server, find_form_token, make_site, read_all

THREADS, PER_SECOND = 16, 200
# So many answers of each kind are waited for, before the block and after it.
ENOUGH = 40
FORM = "application/x-www-form-urlencoded"
STORMED = declare("test.stormed")


class Asked(NamedTuple):
    """One request and its answer, by one clock."""

    kind: str
    began: float
    status: int


@dataclass
class Person:
    """What somebody comes with."""

    cookie: str
    form_token: str
    token: str


@dataclass
class Storm:
    """Requests of one person: pages, forms and programs in turn, about 200 a second."""

    port: int
    person: Person
    asked: list[Asked] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def __enter__(self) -> "Storm":
        self._threads = [threading.Thread(target=self._run, args=(number,)) for number in range(THREADS)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def wait_for(self, is_enough: Callable[[list[Asked]], bool]) -> None:
        """Until so much was answered; a minute is no measure of speed, but of something being stuck."""
        deadline = time.monotonic() + 60
        while not is_enough(list(self.asked)):
            assert time.monotonic() < deadline, "the storm is stuck"
            time.sleep(0.02)

    def _run(self, number: int) -> None:
        connection = http.client.HTTPConnection("localhost", self.port, timeout=30)
        for turn in itertools.count(number):
            if self._stop.wait(THREADS / PER_SECOND):
                break
            kind = ("page", "form", "program")[turn % 3]
            began = time.monotonic()
            try:
                connection.request(*self._request(kind, f"{number}-{turn}"))
                response = connection.getresponse()
                response.read()
            except (OSError, http.client.HTTPException):
                connection.close()
                continue
            self.asked.append(Asked(kind, began, response.status))
        connection.close()

    def _request(self, kind: str, mark: str) -> tuple[str, str, bytes | None, dict[str, str]]:
        cookie = {"Cookie": self.person.cookie, "Accept": "text/html"}
        if kind == "page":
            return "GET", "/account", None, cookie
        if kind == "form":
            fields = {"csrf_token": self.person.form_token, "display_name": "Ada", "biography": mark, "time_zone": ""}
            return "POST", "/account/profile", urlencode(fields).encode(), cookie | {"Content-Type": FORM}
        body = json.dumps({"title": mark, "body": mark, "status": "draft"}).encode()
        headers = {"Authorization": f"Bearer {self.person.token}", "Content-Type": "application/json"}
        return "POST", "/v1/posts", body, headers


SUCCESSES = {("page", 200), ("form", 303), ("program", 201)}


def counted(asked: list[Asked], *, succeeded: bool, since: float = 0.0) -> dict[str, int]:
    """How many of each kind did so."""
    these = [each for each in asked if ((each.kind, each.status) in SUCCESSES) == succeeded and each.began > since]
    return {kind: sum(each.kind == kind for each in these) for kind in ("page", "form", "program")}


@pytest.fixture
def ada(tmp_path: Path) -> Person:
    """Ada of the cast, signed in, on a site that a server can be started on."""
    site = make_site(tmp_path / "instance")
    client = site.client("ada")
    form_token = client.form_token("/account/profile")
    name = site.app.extensions["session_cookie_name"]
    cookie = client.get_cookie(name)
    assert cookie is not None
    person = Person(f"{name}={cookie.value}", form_token, site.token("ada", Scope.POSTS_WRITE))
    site.close()
    return person


@pytest.fixture
def server(tmp_path: Path, ada: Person) -> Iterator[Server]:
    running = Server(tmp_path / "instance", processes=2, SECRET_KEY=SECRET)
    running.start()
    yield running
    running.kill()


def by_form(server: Server) -> Callable[[], None]:
    owner = server.browser()
    assert owner.sign_in("olive", PASSWORD).status_code == 303
    token = find_form_token(owner.get("/admin").text)

    def block_ada() -> None:
        answer = _insist(owner, "/admin/people/ada/block", {"csrf_token": token, "reason": "a storm"})
        assert answer.status_code == 303, answer.text

    return block_ada


def _insist(owner: Browser, path: str, data: dict[str, str]) -> requests.Response:
    """In a storm of writes somebody may be told to come back."""
    answer = owner.post(path, data=data)
    while answer.status_code == 503:
        answer = owner.post(path, data=data)
    return answer


def by_command(server: Server) -> Callable[[], None]:
    def block_ada() -> None:
        command = [sys.executable, str(ROOT / "app.py"), "user", "block", "ada", "--reason", "a storm"]
        subprocess.run(command, env=os.environ | server.environment, check=True, capture_output=True, timeout=60)

    return block_ada


@pytest.mark.parametrize("how", [by_form, by_command])
def test_no_success_begins_after_the_block_was_answered(
    server: Server, ada: Person, how: Callable[[Server], Callable[[], None]]
) -> None:
    block_ada = how(server)
    with Storm(int(server.environment["PORT"]), ada) as storm:
        storm.wait_for(lambda asked: min(counted(asked, succeeded=True).values()) >= ENOUGH)
        block_ada()
        answered = time.monotonic()
        storm.wait_for(lambda asked: min(counted(asked, succeeded=False, since=answered).values()) >= ENOUGH)
    assert counted(storm.asked, succeeded=True, since=answered) == {"page": 0, "form": 0, "program": 0}
    later = {(each.kind, each.status) for each in storm.asked if each.began > answered}
    assert later == {("page", 303), ("form", 401), ("program", 401)}
    assert server.stop() == 0
    # Nor did anything that had begun before store a thing once the block was committed.
    query = "SELECT count(*) FROM events WHERE actor = 'ada' AND id > (SELECT max(id) FROM events WHERE kind = ?)"
    path = server.folder / "byline.db"
    assert read_all(path, query.replace("?", "'user.blocked'")) == [(0,)]
    assert read_all(path, "SELECT count(*) >= 40 FROM events WHERE actor = 'ada'") == [(1,)]


# Streams


def _lose_token(database: Database) -> None:
    with database.transaction() as db:
        (token,) = list_tokens(db, username="edith")
        assert delete_token(db, token.id)


def _be_blocked(database: Database) -> None:
    with database.transaction() as db:
        block(db, "edith", by=TESTER, links=LINKS)


@pytest.mark.parametrize(
    ("comes_with", "lose"), [("session", _be_blocked), ("token", _be_blocked), ("token", _lose_token)]
)
def test_a_stream_ends_before_anything_that_is_recorded_after(
    tmp_path: Path, comes_with: str, lose: Callable[[Database], None]
) -> None:
    site = make_site(tmp_path / "instance")
    with site.database.transaction() as db:
        db.exec_driver_sql("UPDATE users SET role = ? WHERE username = 'edith'", (Role.OWNER.value,))
    headers = {"Accept": "text/event-stream"}
    token = site.token("edith", Scope.EVENTS_READ)
    client = site.client("edith")
    client.get("/account")
    cookie = client.get_cookie(site.app.extensions["session_cookie_name"])
    assert cookie is not None
    if comes_with == "token":
        headers["Authorization"] = f"Bearer {token}"
    else:
        headers["Cookie"] = f"session={cookie.value}"
    site.close()
    server = Server(tmp_path / "instance", processes=2, SECRET_KEY=SECRET).start()
    database = Database(tmp_path / "instance" / "byline.db", readers=1)
    try:
        with requests.get(f"{server.url}/v1/events?since=0", headers=headers, stream=True, timeout=30) as stream:
            assert stream.status_code == 200
            lines = stream.iter_lines()
            assert next(line for line in lines if line.startswith(b"event:"))
            lose(database)
            with database.transaction() as db:
                append_event(db, STORMED, by=TESTER)
            # It would go on for five minutes, and tell of it within a quarter of a second.
            rest = b"\n".join(lines)
        assert b"test.stormed" not in rest
        assert rest.count(b"event: user.blocked") == 1  # bob's, who was blocked long before
        assert b"event: session.ended" not in rest
        assert requests.get(f"{server.url}/v1/events", headers=headers, timeout=30).status_code in (303, 401)
    finally:
        database.close()
        server.kill()
