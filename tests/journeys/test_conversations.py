"""Conversations on a real server: one answer at a time whatever happens to those who give it."""

import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import requests

from storage.ids import new_id
from tests.blog.conversations.talking import BODY
from tests.model_server import Call, ModelServer
from tests.support import ROOT, Server, read_all
from tests.valkey import Valkey

TOKEN = "byl_" + "T0ken" * 8 + "xyz"
MANY = 50
SHORT = 2.0


class Talk:
    """A server with a post, and somebody who asks it."""

    def __init__(self, folder: Path, **environment: Any) -> None:
        self.server = Server(folder, BYLINE_API_TOKEN=TOKEN, **environment).start()
        self.post("/v1/posts", {"title": "The harbour", "slug": "harbour", "body": BODY, "status": "published"}, 201)

    def send(self, method: str, path: str, body: Any = None, **kwargs: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {TOKEN}", **kwargs.pop("headers", {})}
        url = f"{self.server.url}{path}"
        return requests.request(method, url, json=body, headers=headers, timeout=60, **kwargs)

    def post(self, path: str, body: Any, status: int) -> Any:
        answer = self.send("POST", path, body)
        assert answer.status_code == status, answer.text
        return answer.json()

    def begin(self) -> str:
        conversation = new_id()
        assert self.send("PUT", f"/v1/conversations/{conversation}", {"post": "harbour"}).status_code == 201
        return conversation

    def ask(self, conversation: str, content: str) -> requests.Response:
        """The whole answer."""
        return self.send(
            "POST",
            f"/v1/conversations/{conversation}/messages",
            {"content": content},
            headers={"Accept": "application/json"},
        )

    def stream(self, conversation: str, content: str) -> requests.Response:
        """An answer to be read as it comes."""
        return self.send("POST", f"/v1/conversations/{conversation}/messages", {"content": content}, stream=True)

    def messages(self, conversation: str) -> list[dict[str, Any]]:
        answer = self.send("GET", f"/v1/conversations/{conversation}/messages")
        assert answer.status_code == 200
        items: list[dict[str, Any]] = answer.json()["items"]
        return items

    def outcomes(self) -> list[str | None]:
        rows = read_all(
            self.server.folder / "byline.db", "SELECT outcome FROM intents WHERE operation = 'conversation.answer'"
        )
        return [row[0] for row in rows]

    def wait_for(self, is_so: Callable[[], bool], seconds: float = 30) -> None:
        deadline = time.monotonic() + seconds
        while not is_so():
            assert time.monotonic() < deadline, "".join(self.server.output[-20:])
            time.sleep(0.05)


@pytest.fixture(params=["table", "valkey"])
def locked_by(request: pytest.FixtureRequest) -> Iterator[dict[str, str]]:
    """The settings of a site whose locks are here or there."""
    if request.param == "table":
        yield {}
        return
    valkey = Valkey().start()
    yield {"REDIS_URL": valkey.url}
    valkey.close()


def short_locks(folder: Path, seconds: float = SHORT) -> dict[str, str]:
    """Settings that let locks run out sooner."""
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(
        f"import storage.locks.holding as holding\nholding.HELD_SECONDS = {seconds}\n"
    )
    return {"PYTHONPATH": f"{folder}{os.pathsep}{ROOT}"}


class Gate:
    """A model that waits in the middle until it is let go, for questions that begin with “Wait”."""

    def __init__(self) -> None:
        self.open = threading.Event()

    def __call__(self, call: Call) -> None:
        if not call.question.startswith("Wait"):
            call.say(f"Answer to: {call.question}")
            call.finish()
            return
        call.say(f"Beginning of: {call.question}. ")
        while not self.open.wait(0.05):
            # A word now and then, so that whoever went away is noticed.
            call.say("… ")
        call.say("End.")
        call.finish()


def workers_asking(server: Server, port: int) -> list[int]:
    """The workers with a connection to that port."""
    wanted = f":{port:04X}"
    inodes = set()
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[2].endswith(wanted) and fields[3] == "01":
            inodes.add(fields[9])
    found = []
    for pid in server.workers():
        with suppress(OSError):
            links = {str(link.readlink()) for link in Path(f"/proc/{pid}/fd").iterdir()}
            if any(f"socket:[{inode}]" in links for inode in inodes):
                found.append(pid)
    return found


def test_of_fifty_questions_at_once_one_is_answered_and_the_others_leave_nothing(
    tmp_path: Path, locked_by: dict[str, str]
) -> None:
    gate = Gate()
    with ModelServer(gate) as model:
        talk = Talk(tmp_path / "instance", **model.settings, **locked_by)
        try:
            conversation, other = talk.begin(), talk.begin()
            answers: list[requests.Response] = []
            lock = threading.Lock()

            def ask(number: int) -> None:
                answer = talk.ask(conversation, f"Wait, says {number}?")
                with lock:
                    answers.append(answer)

            with ThreadPoolExecutor(MANY) as pool:
                for number in range(MANY):
                    pool.submit(ask, number)
                try:
                    talk.wait_for(lambda: len(answers) == MANY - 1)
                    # In the meantime nobody else is hindered.
                    assert talk.ask(other, "Elsewhere?").status_code == 201
                    assert [message["role"] for message in talk.messages(conversation)] == ["reader"]
                finally:
                    gate.open.set()
            statuses = sorted(answer.status_code for answer in answers)
            assert statuses == [201] + [429] * (MANY - 1)
            assert all(answer.headers["Retry-After"] for answer in answers if answer.status_code == 429)
            assert model.most_in_flight <= 2
            said = talk.messages(conversation)
            assert [message["role"] for message in said] == ["reader", "guide"]
            assert said[0]["content"] in said[1]["content"]
            assert set(talk.outcomes()) == {"done"}
        finally:
            talk.server.kill()


def test_turns_never_interleave(tmp_path: Path, locked_by: dict[str, str]) -> None:
    with ModelServer(Gate()) as model:
        talk = Talk(tmp_path / "instance", **model.settings, **locked_by)
        try:
            conversation = talk.begin()
            with ThreadPoolExecutor(MANY) as pool:
                answers = list(pool.map(lambda number: talk.ask(conversation, f"Says {number}?"), range(2 * MANY)))
            statuses = [answer.status_code for answer in answers]
            assert set(statuses) <= {201, 429}, statuses
            said = talk.messages(conversation)
            assert [message["role"] for message in said] == ["reader", "guide"] * statuses.count(201)
            for asked, answered in zip(said[::2], said[1::2], strict=True):
                assert answered["content"] == f"Answer to: {asked['content']}"
            assert model.most_in_flight == 1
        finally:
            talk.server.kill()


@pytest.mark.parametrize("seconds", [SHORT, pytest.param(30.0, marks=pytest.mark.soak)])
def test_the_holder_is_killed_and_the_next_one_goes_on(
    tmp_path: Path, locked_by: dict[str, str], seconds: float
) -> None:
    gate = Gate()
    with ModelServer(gate) as model:
        talk = Talk(tmp_path / "instance", **model.settings, **locked_by, **short_locks(tmp_path / "short", seconds))
        try:
            conversation = talk.begin()
            stream = talk.stream(conversation, "Wait?")
            model.wait_for_calls(1)
            (holder,) = workers_asking(talk.server, model.port)
            assert talk.ask(conversation, "Before?").status_code == 429
            os.kill(holder, signal.SIGKILL)
            killed_at = time.monotonic()
            stream.close()
            answers: list[requests.Response] = []

            def is_answered() -> bool:
                with suppress(requests.ConnectionError):
                    answers.append(talk.ask(conversation, "After?"))
                    return answers[-1].status_code != 429
                return False

            talk.wait_for(is_answered, seconds + 30)
            assert answers[-1].status_code == 201, answers[-1].text
            assert time.monotonic() - killed_at < seconds + 30
            said = talk.messages(conversation)
            assert [message["content"] for message in said] == ["Wait?", "After?", "Answer to: After?"]
            # Nobody knows what became of the first one, and the ledger says so.
            assert sorted(map(str, talk.outcomes())) == ["None", "done"]
            rows = read_all(talk.server.folder / "byline.db", "SELECT session_id FROM intents WHERE outcome IS NULL")
            assert [row[0] for row in rows] == [conversation]
        finally:
            gate.open.set()
            talk.server.kill()


def test_the_holder_is_paused_past_its_time_and_its_late_answer_changes_nothing(
    tmp_path: Path, locked_by: dict[str, str]
) -> None:
    gate = Gate()
    with ModelServer(gate) as model:
        talk = Talk(tmp_path / "instance", **model.settings, **locked_by, **short_locks(tmp_path / "short"))
        try:
            conversation = talk.begin()
            stream = talk.stream(conversation, "Wait?")
            model.wait_for_calls(1)
            (holder,) = workers_asking(talk.server, model.port)
            os.kill(holder, signal.SIGSTOP)
            try:
                answers: list[requests.Response] = []

                def is_answered() -> bool:
                    answers.append(talk.ask(conversation, "Meanwhile?"))
                    return answers[-1].status_code != 429

                talk.wait_for(is_answered)
                assert answers[-1].status_code == 201, answers[-1].text
                before = talk.messages(conversation)
                assert [message["content"] for message in before] == ["Wait?", "Meanwhile?", "Answer to: Meanwhile?"]
            finally:
                gate.open.set()
                os.kill(holder, signal.SIGCONT)
            last = [line for line in stream.content.decode().split("\n\n") if line][-1]
            assert last.startswith("event: error")
            assert json.loads(last.partition("data: ")[2])["status"] == 409
            assert talk.messages(conversation) == before
            assert sorted(map(str, talk.outcomes())) == ["abandoned", "done"]
            # Its lock did not let go another one's: the conversation goes on.
            assert talk.ask(conversation, "And then?").status_code == 201
        finally:
            talk.server.kill()


def test_a_reader_who_goes_away_is_noticed_and_what_was_said_is_kept(tmp_path: Path) -> None:
    gate = Gate()
    with ModelServer(gate) as model:
        talk = Talk(tmp_path / "instance", **model.settings)
        try:
            conversation = talk.begin()
            stream = talk.stream(conversation, "Wait?")
            for line in stream.iter_lines():
                if b"Beginning" in line:
                    break
            stream.close()
            talk.wait_for(lambda: talk.outcomes() == ["abandoned"])
            question, answer = talk.messages(conversation)
            assert (question["content"], answer["state"]) == ("Wait?", "abandoned")
            assert answer["content"].startswith("Beginning of: Wait?")
            assert "End." not in answer["content"]
            assert talk.ask(conversation, "Again?").status_code == 201
        finally:
            gate.open.set()
            talk.server.kill()


def test_a_server_that_ends_keeps_what_was_said(tmp_path: Path) -> None:
    gate = Gate()
    with ModelServer(gate) as model:
        talk = Talk(tmp_path / "instance", **model.settings)
        try:
            conversation = talk.begin()
            stream = talk.stream(conversation, "Wait?")
            model.wait_for_calls(1)
            for line in stream.iter_lines():
                if b"Beginning" in line:
                    break
            assert talk.server.stop() == 0
            stream.close()
            assert talk.outcomes() == ["abandoned"]
            rows = read_all(talk.server.folder / "byline.db", "SELECT role, state FROM messages ORDER BY number")
            assert [tuple(row) for row in rows] == [("reader", "done"), ("guide", "abandoned")]
            talk.server.start()
            assert talk.ask(conversation, "Again?").status_code == 201
        finally:
            gate.open.set()
            talk.server.kill()
