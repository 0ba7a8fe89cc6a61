"""Whoever listens to a model can stop at any time, and takes in no more than there is room for."""

import gzip
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import pytest

from blog.conversations import asking_models
from blog.conversations.answering import Prompt, Silent
from blog.conversations.asking_models import Model
from blog.conversations.listening import Listening, make_client
from blog.conversations.model import Guide, Scope
from tests.blog.conversations.talking import QUESTION, ask, begin, harbour, messages, program
from tests.model_server import Call, ModelServer, speak
from tests.support import make_site

PROMPT = Prompt(Guide("1", "Guide", "Be brief.", "", Scope.POST, 1, None), "The harbour", [], "", [], QUESTION)


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer() as running:
        yield running


@pytest.fixture
def model(server: ModelServer) -> Model:
    return Model(server.url, "scripted", None)


def forever(data: bytes, *, status: int = 200, pause: float = 0.0, **headers: str) -> Callable[[Call], None]:
    """Sends the same until it is cut off."""

    def script(call: Call) -> None:
        call.begin(status=status, **headers)
        try:
            while True:
                call.raw(data)
                time.sleep(pause)
        except OSError:
            return

    return script


def silent(call: Call) -> None:
    """Says nothing until it is cut off."""
    assert call.handler.connection.recv(1) == b""


def silent_after_its_head(call: Call) -> None:
    call.begin()
    silent(call)


def nothing_is_left(server: ModelServer) -> None:
    """Neither a connection nor a thread."""
    server.wait_until_nobody_listens()
    for thread in threading.enumerate():
        if thread.name == "listens to a model":
            thread.join(timeout=30)
            assert not thread.is_alive()


def test_a_sign_of_life_does_not_keep_it_beyond_its_time(
    server: ModelServer, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What it takes to begin with is there by then.
    assert list(model.answer(PROMPT)) != []
    monkeypatch.setattr(asking_models, "_LONGEST_SECONDS", 0.3)
    server.script = forever(b": keep-alive\n\n", pause=0.01)
    for _ in range(3):
        with pytest.raises(Silent):
            list(model.answer(PROMPT))
    nothing_is_left(server)


@pytest.mark.parametrize("script", [silent, silent_after_its_head], ids=["before its head", "after it"])
def test_one_who_leaves_before_it_says_a_word_leaves_nothing_behind(
    server: ModelServer, model: Model, script: Callable[[Call], None]
) -> None:
    server.script = script
    pieces = model.answer(PROMPT)
    assert next(pieces) is None
    server.wait_for_calls(1)
    pieces.close()
    nothing_is_left(server)


def test_one_who_left_before_there_was_a_connection(server: ModelServer) -> None:
    server.script = silent
    listening = Listening(30)
    listening.end()
    with listening.hearing(), make_client() as client, pytest.raises(httpx2.HTTPError):
        client.post(f"{server.url}/chat/completions", json={"messages": []})
    nothing_is_left(server)


@pytest.mark.parametrize(
    "script",
    [
        forever(b"x" * 100_000),
        forever(b"data: " + b"x" * 100_000 + b"\n"),
        forever(b": " + b"x" * 100_000 + b"\n\n"),
        forever(b"x" * 100_000, status=500),
        forever(gzip.compress(b"x" * 10_000_000), Content_Encoding="gzip"),
    ],
    ids=["a line", "an event", "remarks", "an error", "compressed"],
)
def test_what_never_ends_is_cut_off(server: ModelServer, model: Model, script: Callable[[Call], None]) -> None:
    server.script = script
    with pytest.raises(Silent):
        list(model.answer(PROMPT))
    nothing_is_left(server)


def test_each_question_has_a_connection_of_its_own(server: ModelServer, model: Model) -> None:
    for _ in range(2):
        assert "".join(filter(None, model.answer(PROMPT))) == "A fine answer [1]."
    nothing_is_left(server)
    ports = {call.handler.client_address[1] for call in server.calls}
    assert len(ports) == 2


def test_a_reader_who_stops_while_it_is_silent_may_ask_again_at_once(server: ModelServer, tmp_path: Path) -> None:
    site = make_site(tmp_path / "instance", **server.settings)
    harbour(site)
    rita = program(site)
    conversation = begin(rita)
    has_left = threading.Event()

    def be_left(call: Call) -> None:
        has_left.set()
        silent(call)

    server.script = be_left
    path = f"/v1/conversations/{conversation}/messages"
    signs = {"waitress.client_disconnected": has_left.is_set}
    began = time.monotonic()
    answer = rita.open(path, method="POST", json={"content": QUESTION}, environ_overrides=signs)
    # It would say so every five seconds; and a machine with much to do.
    assert time.monotonic() - began < 4.5
    assert answer.status_code == 200
    nothing_is_left(server)
    assert [each["state"] for each in messages(rita, conversation)] == ["done", "abandoned"]
    server.script = speak
    assert ask(rita, conversation).json["message"]["state"] == "done"
    site.close()
