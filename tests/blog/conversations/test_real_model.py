"""Answers from a real OpenAI-compatible server, on a model that knows nothing but speaks."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import xllamacpp
from structlog.testing import capture_logs

from blog.conversations.asking_models import Model
from blog.conversations.listening import Listening
from blog.conversations.prompting import Turn
from tests.blog.conversations.talking import QUESTION, ask, begin, events_in, harbour, messages, program
from tests.support import Site, make_site
from tests.tiny_model import write_tiny_model


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    path = tmp_path_factory.mktemp("model") / "tiny.gguf"
    write_tiny_model(path)
    params = xllamacpp.CommonParams()
    params.model.path = str(path)
    params.n_ctx, params.n_parallel = 8192, 1
    params.cpuparams.n_threads = 1
    params.warmup = False
    params.endpoint_slots = True
    server = xllamacpp.Server(params)
    yield server.listening_address
    del server


@pytest.fixture
def spoken(tmp_path: Path, address: str) -> Iterator[Site]:
    made = make_site(tmp_path / "instance", BYLINE_LLM_URL=f"{address}/v1", BYLINE_LLM_MODEL="tiny")
    harbour(made)
    yield made
    made.close()


def test_it_streams_until_it_stops(spoken: Site) -> None:
    rita = program(spoken)
    conversation = begin(rita)
    said = events_in(ask(rita, conversation, accept="text/event-stream").text)
    pieces = [event.data["text"] for event in said if event.name == "delta"]
    message = said[-1].data["message"]
    assert message["state"] == "done"
    assert "".join(pieces) == message["content"]
    # As it comes: a letter at a time, up to as many as were asked for; if that many came, this is said once.
    assert 1 < len([piece for piece in pieces if len(piece) < 10]) <= 1500
    assert len([piece for piece in pieces if len(piece) >= 10]) <= 1
    assert messages(rita, conversation)[1] == message
    # With what was said before, rewritten first.
    assert ask(rita, conversation, "And when was that?").json["message"]["state"] == "done"
    assert spoken.rows("locks") == 0


def test_whoever_goes_away_lets_the_model_go(spoken: Site, address: str) -> None:
    rita = program(spoken)
    conversation = begin(rita)
    path = f"/v1/conversations/{conversation}/messages"
    answer = rita.open(path, method="POST", json={"content": QUESTION}, buffered=False)
    got = b""
    stream: Iterator[Any] = iter(answer.response)
    while b"event: delta" not in got:
        got += next(stream)
    answer.close()
    assert messages(rita, conversation)[1]["state"] == "abandoned"
    deadline = time.monotonic() + 30
    while any(slot["is_processing"] for slot in requests.get(f"{address}/slots", timeout=10).json()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert ask(rita, conversation).json["message"]["state"] == "done"


def test_another_name_or_a_key_that_is_not_asked_for_changes_nothing(address: str) -> None:
    pieces = list(Model(f"{address}/v1/", "another", "sk-key")._pieces([Turn("user", "Hello")], Listening(60)))
    assert pieces


def test_it_says_how_much_was_used(address: str) -> None:
    with capture_logs() as lines:
        pieces = list(Model(f"{address}/v1", "tiny", None)._pieces([Turn("user", "Hello")], Listening(60)))
    (told,) = [line for line in lines if line["event"] == "a model was asked"]
    assert told["prompt_tokens"] > 0
    assert told["completion_tokens"] >= len(list(filter(None, pieces))) > 1
