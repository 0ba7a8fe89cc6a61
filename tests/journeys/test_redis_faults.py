"""Whatever happens to Redis: reading, signing in and publishing go on, and nothing is asked without a lock."""

import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from storage.engine import Database
from tests.blog.conversations.talking import QUESTION
from tests.journeys.test_conversations import TOKEN, Talk
from tests.support import Browser
from tests.valkey import Valkey
from web.site.queries import change_questions_a_day

# What each of those who come must have done before things get worse, or better.
AT_LEAST = 3


class Load:
    """People who read, sign in, publish and ask at the same time, without a pause."""

    def __init__(self, talk: Talk) -> None:
        self.talk = talk
        self.phase = ""
        self.answers: dict[tuple[str, str], list[requests.Response]] = defaultdict(list)
        self.faults: list[Exception] = []
        self._has_answered = threading.Condition()
        self._is_over = threading.Event()
        self.conversations = [talk.begin(), talk.begin()]
        doings: list[tuple[str, Callable[[int], requests.Response]]] = [
            ("read", self._read),
            ("sign in", self._sign_in),
            ("publish", self._publish),
            *(("ask", lambda _number, one=one: talk.ask(one, QUESTION)) for one in self.conversations),
        ]
        self._threads = [threading.Thread(target=self._run, args=doing) for doing in doings]

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._is_over.set()
        for thread in self._threads:
            thread.join(timeout=60)

    def during(self, phase: str) -> dict[str, list[requests.Response]]:
        """What was answered to each kind, from now until there is enough of everything."""
        with self._has_answered:
            self.phase = phase
            kinds = ("read", "sign in", "publish", "ask")

            def is_enough() -> bool:
                return bool(self.faults) or all(len(self.answers[phase, kind]) >= AT_LEAST for kind in kinds)

            assert self._has_answered.wait_for(is_enough, timeout=120), self.answers
            assert self.faults == []
            found = {kind: list(self.answers[phase, kind]) for kind in kinds}
        for kind, status in (("read", 200), ("sign in", 303), ("publish", 201)):
            assert {answer.status_code for answer in found[kind]} == {status}, (phase, kind)
        return found

    def _run(self, kind: str, do: Callable[[int], requests.Response]) -> None:
        number = 0
        while not self._is_over.is_set():
            number += 1
            phase = self.phase
            try:
                answer = do(number)
            except (requests.RequestException, AssertionError) as error:
                with self._has_answered:
                    self.faults.append(error)
                    self._has_answered.notify_all()
                return
            with self._has_answered:
                # What began before things changed may have ended either way.
                if phase == self.phase:
                    self.answers[phase, kind].append(answer)
                    self._has_answered.notify_all()

    def _read(self, number: int) -> requests.Response:
        return requests.get(f"{self.talk.server.url}/{'posts/harbour' if number % 2 else ''}", timeout=60)

    def _sign_in(self, _number: int) -> requests.Response:
        return Browser(self.talk.server.url).sign_in()

    def _publish(self, number: int) -> requests.Response:
        body = {"title": f"{self.phase} {number}", "body": "Words.", "status": "published"}
        return self.talk.send("POST", "/v1/posts", body)


def refused(answers: list[requests.Response]) -> None:
    assert {answer.status_code for answer in answers} == {503}
    assert all(int(answer.headers["Retry-After"]) > 0 for answer in answers)


def answered(answers: list[requests.Response]) -> None:
    assert {answer.status_code for answer in answers} == {201}


@pytest.fixture
def valkey() -> Iterator[Valkey]:
    running = Valkey()
    yield running
    running.close()


def poison(valkey: Valkey) -> None:
    """Whatever is there is something else now, and what will be asked for as well."""
    for key in valkey.client.keys("chat:*"):
        valkey.client.set(key, b'{"version": 1, "value": "\xff')


def test_reading_signing_in_and_publishing_go_on_and_nothing_is_asked_unlocked(tmp_path: Path, valkey: Valkey) -> None:
    talk = Talk(tmp_path / "instance", REDIS_URL=valkey.url)
    database = Database(talk.server.folder / "byline.db", readers=1)
    with database.transaction() as db:
        change_questions_a_day(db, 100_000)
    database.close()
    try:
        with Load(talk) as load:
            refused(load.during("absent at the start")["ask"])
            valkey.start()
            answered(load.during("there")["ask"])
            valkey.client.flushall()
            answered(load.during("flushed")["ask"])
            poison(valkey)
            answered(load.during("poisoned")["ask"])
            valkey.client.replicaof("127.0.0.1", "1")
            refused(load.during("read-only")["ask"])
            valkey.client.replicaof("NO", "ONE")
            load.during("written to again")
            valkey.pause()
            refused(load.during("hung")["ask"])
            valkey.go_on()
            # A lock that was given while it hung reached nobody, and runs out by itself.
            for key in valkey.client.keys("lock:*"):
                valkey.client.delete(key)
            load.during("going on")
            valkey.kill()
            refused(load.during("killed")["ask"])
            valkey.start()
            answered(load.during("back again")["ask"])
        everything: list[Any] = [answer for answers in load.answers.values() for answer in answers]
        assert {answer.status_code for answer in everything} <= {200, 201, 303, 409, 429, 503}
        for conversation in load.conversations:
            path, said = f"/v1/conversations/{conversation}/messages", []
            while path:
                page = talk.send("GET", path).json()
                said += [message["role"] for message in page["items"]]
                path = (page["next"] or "").removeprefix(talk.server.url)
            assert said.count("guide") >= AT_LEAST
            # Whatever was asked while it was well was answered before the next question.
            assert "guide guide" not in " ".join(said)
        assert "unforeseen_error" not in "".join(talk.server.output)
        assert TOKEN not in "".join(talk.server.output)
    finally:
        talk.server.kill()
