"""Locks: what every kind of them promises, on the table and on a real Valkey."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any, NamedTuple

import pytest
import time_machine
from redis import Redis
from redis.exceptions import ResponseError

from storage.errors import Busy
from storage.locks.holding import HELD_SECONDS, Locks
from storage.locks.redis import RedisLocks
from storage.locks.table import TableLocks
from storage.redis import connect
from tests.support import Site
from tests.valkey import Valkey

SHORT = 0.3


class Backend(NamedTuple):
    """Locks of one kind, and what a test does with them."""

    locks: Locks
    pass_time: Callable[[], None]  # until what is held now has run out
    code: str  # makes `locks` in another process


@pytest.fixture(scope="module")
def valkey() -> Iterator[Valkey]:
    running = Valkey().start()
    yield running
    running.close()


@pytest.fixture(params=["table", "valkey"])
def backend(request: pytest.FixtureRequest, site: Site) -> Iterator[Backend]:
    with ExitStack() as stack:
        if request.param == "table":
            clock = stack.enter_context(time_machine.travel("2026-11-20T12:00:00Z", tick=False))
            path = str(site.settings.database_path)
            code = f"from pathlib import Path\nfrom storage.engine import Database\nfrom storage.locks.table import TableLocks\nlocks = TableLocks(Database(Path({path!r}), readers=1))"
            yield Backend(TableLocks(site.database), lambda: clock.shift(HELD_SECONDS + 0.001), code)
            return
        valkey: Valkey = request.getfixturevalue("valkey")
        valkey.client.flushall()
        client = connect(valkey.url)
        stack.callback(client.close)
        locks = RedisLocks(client)

        def pass_time() -> None:
            deadline = time.monotonic() + 20
            for key in valkey.client.keys("lock:*"):
                valkey.client.pexpire(key, 1)
            while valkey.client.keys("lock:*"):
                assert time.monotonic() < deadline
                time.sleep(0.02)

        code = f"from storage.locks.redis import RedisLocks\nfrom storage.redis import connect\nlocks = RedisLocks(connect({valkey.url!r}))"
        yield Backend(locks, pass_time, code)


def test_one_takes_it_and_nobody_else_until_it_is_let_go(backend: Backend) -> None:
    locks = backend.locks
    token = locks.take("one")
    assert token is not None
    assert len(token) >= 20
    assert locks.take("one") is None
    assert locks.take("other") is not None
    assert locks.release("one", token) is True
    again = locks.take("one")
    assert again not in (None, token)


@pytest.mark.parametrize("wrong", ["", "x", "é", "*", "\x00"])
def test_without_its_token_it_is_neither_kept_nor_let_go(backend: Backend, wrong: str) -> None:
    locks = backend.locks
    assert locks.take("one") is not None
    assert locks.extend("one", wrong) is False
    assert locks.release("one", wrong) is False
    assert locks.take("one") is None


def test_what_nobody_holds_is_neither_kept_nor_let_go(backend: Backend) -> None:
    assert backend.locks.extend("one", "token") is False
    assert backend.locks.release("one", "token") is False


def test_it_runs_out_and_whoever_held_it_does_nothing_to_the_next(backend: Backend) -> None:
    locks = backend.locks
    late = locks.take("one")
    assert late is not None
    backend.pass_time()
    assert locks.extend("one", late) is False
    assert locks.release("one", late) is False
    following = locks.take("one")
    assert following is not None
    assert locks.extend("one", late) is False
    assert locks.release("one", late) is False
    assert locks.take("one") is None
    assert locks.extend("one", following) is True


def test_two_processes(backend: Backend) -> None:
    script = f"{backend.code}\ntoken = locks.take('one')\nprint(token or '', flush=True)\ninput()\nprint(locks.release('one', token), flush=True)"
    other = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert other.stdin is not None
    assert other.stdout is not None
    assert other.stdout.readline().strip()
    assert backend.locks.take("one") is None
    other.stdin.write("\n")
    other.stdin.flush()
    assert other.stdout.readline().strip() == "True"
    other.communicate(timeout=20)
    assert backend.locks.take("one") is not None


def test_of_many_at_once_one_gets_it_and_nobody_is_told_to_come_back(backend: Backend) -> None:
    barrier = threading.Barrier(32)

    def take(_number: int) -> str | None:
        barrier.wait()
        return backend.locks.take("one")

    with ThreadPoolExecutor(32) as pool:
        tokens = list(pool.map(take, range(32)))
    assert sum(token is not None for token in tokens) == 1


def test_of_many_names_everybody_gets_their_own(backend: Backend) -> None:
    barrier = threading.Barrier(32)

    def take(number: int) -> str | None:
        barrier.wait()
        return backend.locks.take(f"name {number}")

    with ThreadPoolExecutor(32) as pool:
        assert None not in list(pool.map(take, range(32)))


def test_extending_gives_the_whole_time_again(site: Site, valkey: Valkey) -> None:
    with time_machine.travel("2026-11-20T12:00:00Z", tick=False) as clock:
        locks = TableLocks(site.database)
        token = locks.take("one")
        assert token is not None
        for _ in range(5):
            clock.shift(HELD_SECONDS - 1)
            assert locks.extend("one", token) is True
        clock.shift(HELD_SECONDS - 1)
        assert locks.take("one") is None
        clock.shift(2)
        assert locks.take("one") is not None
    client = connect(valkey.url)
    on_server = RedisLocks(client)
    token = on_server.take("extended")
    assert token is not None
    assert 25_000 < valkey.client.pttl("lock:extended") <= 30_000
    valkey.client.pexpire("lock:extended", 500)
    assert on_server.extend("extended", token) is True
    assert 25_000 < valkey.client.pttl("lock:extended") <= 30_000
    client.close()


def test_those_who_died_leave_nothing_behind_in_the_table(site: Site) -> None:
    with time_machine.travel("2026-11-20T12:00:00Z", tick=False) as clock:
        locks = TableLocks(site.database)
        for number in range(10):
            locks.take(f"name {number}")
        clock.shift(HELD_SECONDS + 1)
        assert locks.take("one") is not None
        assert site.rows("locks") == 1


def test_a_table_that_cannot_be_written_gives_none(site: Site) -> None:
    locks = TableLocks(site.database)
    with ExitStack() as stack:
        for _ in range(9):
            # As many as may wait do: nobody else is let in.
            assert site.database._admission.acquire(blocking=False)
            stack.callback(site.database._admission.release)
        with pytest.raises(Busy):
            locks.take("one")
    assert locks.take("one") is not None


class TestAServerThatFails:
    def test_hung(self) -> None:
        valkey = Valkey().start()
        client = connect(valkey.url)
        locks = RedisLocks(client)
        token = locks.take("one")
        assert token is not None
        valkey.pause()
        began = time.monotonic()
        with pytest.raises(Busy):
            locks.take("two")
        # Nobody knows whether it is held: that is no “no”.
        with pytest.raises(Busy):
            locks.extend("one", token)
        with pytest.raises(Busy):
            locks.release("one", token)
        # A quarter of a second for each, and a machine with much to do.
        assert time.monotonic() - began < 5
        valkey.go_on()
        assert locks.extend("one", token) or locks.take("one") is not None
        client.close()
        valkey.close()

    def test_gone_and_come_back_empty(self) -> None:
        valkey = Valkey().start()
        client = connect(valkey.url)
        locks = RedisLocks(client)
        late = locks.take("one")
        assert late is not None
        valkey.kill()
        with pytest.raises(Busy):
            locks.take("one")
        with pytest.raises(Busy):
            locks.extend("one", late)
        with pytest.raises(Busy):
            locks.release("one", late)
        valkey.start()
        assert locks.extend("one", late) is False
        following = locks.take("one")
        assert following is not None
        assert locks.release("one", late) is False
        assert locks.release("one", following) is True
        client.close()
        valkey.close()

    def test_read_only(self, valkey: Valkey) -> None:
        client = connect(valkey.url)
        locks = RedisLocks(client)
        token = locks.take("held")
        assert token is not None
        valkey.client.replicaof("127.0.0.1", "1")
        try:
            with pytest.raises(Busy):
                locks.take("read only")
            with pytest.raises(Busy):
                locks.extend("held", token)
        finally:
            valkey.client.replicaof("NO", "ONE")
            client.close()

    def test_one_that_is_held_is_no_fault_on_a_server_of_before_redis_7(self, valkey: Valkey) -> None:
        class Former(Redis):
            """Sends nothing that such a server does not know."""

            def execute_command(self, *args: Any, **options: Any) -> Any:
                if args[0] == "PEXPIRE" and len(args) != 3:
                    raise ResponseError("wrong number of arguments for 'pexpire' command")
                return super().execute_command(*args, **options)

        client = Former.from_url(valkey.url)
        locks = RedisLocks(client)
        assert locks.take("former") is not None
        assert locks.take("former") is None
        valkey.client.set("lock:without an end", "x")
        assert locks.take("without an end") is None
        assert 0 < valkey.client.pttl("lock:without an end") <= HELD_SECONDS * 1000
        client.close()

    @pytest.mark.parametrize("kind", ["string", "hash", "list"])
    def test_what_somebody_else_left_there_holds_it_for_its_time_and_no_longer(self, valkey: Valkey, kind: str) -> None:
        name = f"lock:poisoned {kind}"
        if kind == "string":
            valkey.client.set(name, b"\xff\x00")
        elif kind == "hash":
            valkey.client.hset(name, "a", "b")
        else:
            valkey.client.rpush(name, "a")
        client = connect(valkey.url)
        locks = RedisLocks(client, held_seconds=SHORT)
        assert locks.take(f"poisoned {kind}") is None
        assert locks.extend(f"poisoned {kind}", "x") is False
        assert locks.release(f"poisoned {kind}", "x") is False
        deadline = time.monotonic() + 20
        while locks.take(f"poisoned {kind}") is None:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        client.close()
