"""The read-through caches, on a real Valkey: what is in them is never old, never believed, and never missed."""

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from redis import Redis

from blog.conversations import guide_queries, queries
from blog.conversations.summarising import summarise
from storage.cache.memory import MemoryCache
from storage.cache.redis import RedisCache
from storage.redis import connect
from tests.blog.conversations.talking import QUESTION, Scripted, ask, begin, harbour, messages, program, take_back
from tests.support import Client, Site
from tests.valkey import Valkey

GUIDE = "2f0c5c0e-6f0b-4f3e-9d53-6b8f6c2a7d10"


class Rewriting(Scripted):
    """Counts what it is asked to rewrite."""

    def __init__(self) -> None:
        super().__init__("Words.")
        self.rewritten: list[str] = []

    def rewrite(self, question: str, last: Any) -> str:
        self.rewritten.append(question)
        return f"lighthouse {len(self.rewritten)}"


class Counting(RedisCache):
    """Counts its round trips."""

    def __init__(self, client: Redis) -> None:
        super().__init__(client)
        self.trips: list[tuple[str, list[str]]] = []

    def get_many(self, keys: Any) -> Any:
        self.trips.append(("get", list(keys)))
        return super().get_many(keys)

    def set_many(self, values: Any, *, seconds: int) -> None:
        assert seconds == 3600
        self.trips.append(("set", list(values)))
        super().set_many(values, seconds=seconds)


@pytest.fixture(scope="module")
def server() -> Iterator[Valkey]:
    running = Valkey().start()
    yield running
    running.close()


@pytest.fixture
def valkey(server: Valkey) -> Valkey:
    server.client.flushall()
    return server


@pytest.fixture
def cache(valkey: Valkey) -> Iterator[Counting]:
    client = connect(valkey.url)
    yield Counting(client)
    client.close()


class Talk:
    """A site with a cache, somebody who asks, and a model that counts."""

    def __init__(self, site: Site, cache: Any) -> None:
        self.site, self.model = site, Rewriting()
        around = site.app.extensions["conversations"]
        site.app.extensions["conversations"] = replace(around, cache=cache, answerer=self.model)
        self.post, self.rita = harbour(site, visibility="members"), program(site)
        self.conversation = begin(self.rita)

    def ask(self, question: str = QUESTION, *, rita: Client | None = None) -> Any:
        answer = ask(rita or self.rita, self.conversation, question)
        assert answer.status_code == 201, answer.text
        return self.model.prompts[-1]


@pytest.fixture
def talk(site: Site, cache: Counting) -> Talk:
    return Talk(site, cache)


def keys(talk: Talk) -> list[str]:
    return [f"chat:sp:{GUIDE}", f"chat:char:{GUIDE}", f"chat:sess:{talk.conversation}", f"chat:book:{talk.post.id}"]


def test_one_round_trip_in_and_one_to_fill_what_was_missing(talk: Talk, cache: Counting, valkey: Valkey) -> None:
    talk.ask()
    (got, asked), (filled, kept), (renewed, session) = cache.trips
    assert (got, filled, renewed) == ("get", "set", "set")
    assert asked[:4] == keys(talk)
    assert asked[4].startswith(f"chat:qr:{GUIDE}:")
    assert len(asked[4].rpartition(":")[2]) == 16
    assert sorted(kept) == sorted(asked)
    assert session == [f"chat:sess:{talk.conversation}"]
    assert sorted(key.decode() for key in valkey.client.keys("*")) == sorted(asked)
    assert all(3500 < valkey.client.ttl(key) <= 3600 for key in asked)
    cache.trips.clear()
    talk.ask("Another question?")
    # All that is known is known; the question is new, and the conversation has gone on.
    assert [(kind, len(names)) for kind, names in cache.trips] == [("get", 5), ("set", 1), ("set", 1)]
    assert cache.trips[1][1][0].startswith("chat:qr:")


def test_what_goes_over_the_wire(talk: Talk, valkey: Valkey) -> None:
    seen: list[str] = []
    ready, over = threading.Event(), threading.Event()

    def listen() -> None:
        with Redis.from_url(valkey.url).monitor() as monitor:
            ready.set()
            for command in monitor.listen():
                seen.append(command["command"].split(" ")[0])
                if command["command"].startswith("ECHO"):
                    over.set()
                    return

    thread = threading.Thread(target=listen)
    thread.start()
    assert ready.wait(10)
    talk.ask()
    valkey.client.echo("end")
    assert over.wait(10)
    thread.join()
    assert [command for command in seen if command in ("MGET", "SET", "GET")] == ["MGET", *["SET"] * 6]


def test_what_is_kept_is_what_the_database_says(talk: Talk) -> None:
    first = talk.ask()
    second = talk.ask("And the storms?")
    assert second.guide == first.guide
    assert (second.title, second.author, list(second.tags)) == (first.title, first.author, list(first.tags))
    with talk.site.database.reading() as db:
        guide = guide_queries.find_any_guide(db, GUIDE)
        last = queries.list_last_messages(db, talk.conversation, limit=4)
    assert second.guide == guide
    assert list(second.last) == last[:2]
    assert isinstance(second.last[1], type(last[1]))


def test_what_was_made_from_another_version_is_a_miss(talk: Talk, cache: Counting) -> None:
    talk.ask()
    alan = talk.site.client(token=talk.site.token("alan"))
    assert alan.patch(f"/v1/posts/{talk.post.id}", json={"title": "The old harbour"}).status_code == 200
    with talk.site.database.transaction() as db:
        db.exec_driver_sql("UPDATE guides SET system_prompt = 'Be brief.', name = 'Greta', version = version + 1")
        db.exec_driver_sql("UPDATE conversations SET summary = 'So far.', version = version + 1")
    prompt = talk.ask("And now?")
    assert (prompt.title, prompt.summary) == ("The old harbour", "So far.")
    assert (prompt.guide.name, prompt.guide.system_prompt) == ("Greta", "Be brief.")


def test_the_summary_survives_a_flush(talk: Talk, valkey: Valkey) -> None:
    for number in range(5):
        talk.ask(f"Question {number} of the harbour?")
    summarise(talk.site.database, {"conversation": talk.conversation}, answerer=talk.model)
    valkey.client.flushall()
    prompt = talk.ask("And now?")
    assert "Asked: Question 0" in prompt.summary
    assert [message.content for message in prompt.last if message.role == "reader"] == [
        f"Question {n} of the harbour?" for n in range(5)
    ]


def test_the_same_question_in_the_same_context_is_rewritten_once(talk: Talk) -> None:
    talk.ask()
    assert talk.model.rewritten == [QUESTION]
    other = begin(talk.rita)
    assert ask(talk.rita, other).status_code == 201
    assert talk.model.rewritten == [QUESTION]
    talk.ask()
    assert talk.model.rewritten == [QUESTION, QUESTION]


@pytest.mark.parametrize(
    "poison",
    [
        b"", b"\xff\xfe", b"{", b"[]", b"null", b"5", b'"text"', b"{}", b'{"version": "1", "value": "x"}',
        b'{"version": 1}', b'{"version": 1, "value": null}', b'{"version": 1, "value": 5}', b'{"version": 1.5, "value": "x"}',
        b'{"version": 1, "value": ["a"]}', b'{"version": 1, "value": {"a": "b"}}', b'{"version": 1, "value": "\\ud800"}',
        b"[" * 100_000, b'{"version": 1e999, "value": []}', b"x" * 1_000_000,
        json.dumps({"version": 1, "value": [GUIDE, "Name", "Greeting", "bogus", 1]}).encode(),
    ],
    ids=lambda data: repr(data[:40]),
)  # fmt: skip
def test_what_somebody_else_put_there_is_a_miss(talk: Talk, valkey: Valkey, poison: bytes) -> None:
    talk.ask()
    for key in valkey.client.keys("chat:*"):
        valkey.client.set(key, poison)
    prompt = talk.ask()
    assert prompt.title == "The harbour"
    assert prompt.guide.system_prompt.startswith("You help a reader")
    assert len(prompt.last) == 2


def test_a_key_of_another_kind_is_a_miss_and_is_replaced(talk: Talk, valkey: Valkey) -> None:
    for key in keys(talk):
        valkey.client.rpush(key, "a")
    assert talk.ask().title == "The harbour"
    assert json.loads(valkey.client.get(f"chat:book:{talk.post.id}"))["value"][0] == "The harbour"


def test_permission_is_never_read_from_there(talk: Talk, cache: Counting) -> None:
    talk.ask()
    alan = talk.site.client(token=talk.site.token("alan"))
    assert alan.patch(f"/v1/posts/{talk.post.id}", json={"visibility": "granted"}).status_code == 200
    cache.trips.clear()
    assert ask(talk.rita, talk.conversation).status_code == 403
    assert cache.trips == []
    assert [message["role"] for message in messages(talk.rita, talk.conversation)] == ["reader"]


def test_somebody_elses_conversation_is_not_read_from_there(talk: Talk) -> None:
    talk.ask()
    assert ask(program(talk.site, "ada"), talk.conversation).status_code == 404


class TestAServerThatFails:
    @pytest.fixture
    def own(self) -> Iterator[Valkey]:
        running = Valkey().start()
        yield running
        running.close()

    def test_it_hangs_and_is_not_waited_for(self, site: Site, own: Valkey) -> None:
        client = connect(own.url)
        talk = Talk(site, Counting(client))
        talk.ask()
        own.pause()
        cache = talk.site.app.extensions["conversations"].cache
        cache.trips.clear()
        began = time.monotonic()
        assert talk.ask().title == "The harbour"
        # Two waits of a quarter of a second, and a machine with much to do.
        assert time.monotonic() - began < 5
        # What does not answer is not asked to keep anything; only at the end it is tried once more.
        assert [kind for kind, _names in cache.trips] == ["get", "set"]
        own.go_on()
        assert talk.ask().title == "The harbour"
        client.close()

    def test_it_is_gone_and_comes_back(self, site: Site, own: Valkey) -> None:
        client = connect(own.url)
        talk = Talk(site, Counting(client))
        talk.ask()
        own.kill()
        assert len(talk.ask().last) == 2
        own.start()
        assert len(talk.ask().last) == 4
        assert len(own.client.keys("chat:*")) == 5
        client.close()

    def test_it_takes_nothing(self, site: Site, own: Valkey) -> None:
        client = connect(own.url)
        talk = Talk(site, Counting(client))
        talk.ask()
        own.client.replicaof("127.0.0.1", "1")
        for count in (2, 4):
            assert len(talk.ask().last) == count
        client.close()


def test_without_a_server_there_is_no_second_copy_and_the_same_is_rewritten_once(site: Site) -> None:
    talk = Talk(site, None)
    talk.ask()
    assert ask(talk.rita, begin(talk.rita)).status_code == 201
    assert talk.model.rewritten == [QUESTION]
    prompt = talk.ask("Another?")
    assert (prompt.title, len(prompt.last)) == ("The harbour", 2)
    kept = site.app.extensions["conversations"].remembered
    assert [key[:8] for key in kept._values] == ["chat:qr:"] * 2


def test_what_a_process_remembers_is_bounded_and_ends() -> None:
    cache = MemoryCache(3)
    cache.set_many({str(number): b"x" for number in range(3)}, seconds=3600)
    assert cache.get_many(["0"]) == [b"x"]
    cache.set_many({"3": b"y"}, seconds=3600)
    # The one that was not used for longest went.
    assert cache.get_many(["0", "1", "2", "3"]) == [b"x", None, b"x", b"y"]
    cache.set_many({"4": b"z"}, seconds=0)
    assert cache.get_many(["4"]) == [None]


def test_a_grant_that_is_gone_leaves_nothing_to_be_read(site: Site, cache: Counting) -> None:
    from tests.blog.conversations.talking import give

    talk = Talk(site, cache)
    with site.database.transaction() as db:
        db.exec_driver_sql("UPDATE posts SET visibility = 'granted'")
    give(site, talk.post)
    talk.ask()
    take_back(site, talk.post)
    assert ask(talk.rita, talk.conversation).status_code == 403
