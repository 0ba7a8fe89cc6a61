import contextlib
import os
import signal
import socket
import time
from pathlib import Path

import pytest

from tests.web.wire import TinySite, Wire, cpu_seconds, is_running, until


def open_descriptors(pid):
    found = []
    for path in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            found.append(str(path.readlink()).partition(":")[0])
    return sorted(found)


def kill_and_await_grave(site, worker):
    os.kill(worker, signal.SIGKILL)
    assert until(lambda: worker not in site.workers())


def test_every_worker_answers_on_the_announced_port():
    with TinySite(processes=2) as site:
        assert until(lambda: len(site.workers()) == 2)
        found = set()
        assert until(lambda: found.add(int(site.ask("/pid").body)) or len(found) == 2)
        assert found == set(site.workers())
        site.signal()
        assert site.wait() == (0, "")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_everything(number):
    with TinySite(processes=2) as site:
        assert until(lambda: len(site.workers()) == 2)
        workers = site.workers()
        site.signal(number)
        assert site.wait() == (0, "")
        assert not [pid for pid in workers if is_running(pid)]


def test_a_signal_to_the_whole_group_ends_everything():
    # What a terminal does with Ctrl-C.
    with TinySite(processes=2, own_group=True) as site:
        os.killpg(site.pid, signal.SIGINT)
        assert site.wait() == (0, "")


def test_a_second_signal_changes_nothing():
    with TinySite() as site, site.connect() as wire:
        wire.send("GET /slow HTTP/1.1\nHost: localhost\n\n")
        assert site.prints("slow began")
        for _ in range(5):
            site.signal()
            os.kill(site.workers()[0], signal.SIGTERM)
        assert wire.read_reply().body == b"done"
        # To the last moment, when Python has taken its handlers away.
        assert until(lambda: site.signal() or not is_running(site.pid))
        assert site.wait() == (0, "")


def test_a_killed_worker_is_replaced():
    with TinySite(processes=2) as site:
        assert until(lambda: len(site.workers()) == 2)
        killed, other = site.workers()
        kill_and_await_grave(site, killed)
        assert until(lambda: len(site.workers()) == 2)
        assert other in site.workers()
        (new,) = set(site.workers()) - {other}
        found = set()
        assert until(lambda: found.add(int(site.ask("/pid").body)) or new in found)
        site.signal()
        status, errors = site.wait()
        assert (status, errors.count("worker ended")) == (0, 1)


def test_a_worker_that_was_told_to_end_drains_and_is_replaced():
    with TinySite() as site, site.connect() as wire:
        (old,) = site.workers()
        wire.send("GET /slow HTTP/1.1\nHost: localhost\n\n")
        assert site.prints("slow began")
        os.kill(old, signal.SIGTERM)
        assert wire.read_reply().body == b"done"
        assert until(lambda: site.workers() and old not in site.workers())
        assert site.ask("/hello").body == b"hello"


def test_workers_that_keep_dying_are_replaced_ever_more_slowly():
    with TinySite() as site:
        began = time.monotonic()
        for _ in range(5):
            assert until(site.workers)
            kill_and_await_grave(site, site.workers()[0])
        assert until(site.workers)
        # 0, 0.1, 0.2, 0.4 and 0.8 seconds.
        assert time.monotonic() - began > 1.4
        assert site.ask("/hello").body == b"hello"


def test_descriptors_do_not_pile_up():
    with TinySite(processes=2) as site:
        # A worker has its parent's life, its own signals, its report, and what wakes its loop.
        expected = ["/dev/null", *["pipe"] * 9, "socket"]
        assert until(lambda: [open_descriptors(worker) for worker in site.workers()] == [expected] * 2)
        for _ in range(3):
            kill_and_await_grave(site, site.workers()[0])
            assert until(lambda: len(site.workers()) == 2)
        # Once every worker has reported, the parent has what it had: signals, the pipe of its life, the socket.
        assert until(lambda: open_descriptors(site.pid) == ["/dev/null", *["pipe"] * 6, "socket"])
        assert until(lambda: [open_descriptors(worker) for worker in site.workers()] == [expected] * 2)


def test_nobody_works_while_nothing_is_asked():
    with TinySite(processes=2) as site:
        assert until(lambda: len(site.workers()) == 2)
        assert site.ask("/hello").body == b"hello"
        everybody = [site.pid, *site.workers()]
        before = sum(map(cpu_seconds, everybody))
        began = time.monotonic()
        assert until(lambda: time.monotonic() - began > 2)
        assert sum(map(cpu_seconds, everybody)) - before < 0.1


def test_workers_finish_and_end_when_their_parent_is_killed():
    with TinySite(processes=2) as site, site.connect() as wire:
        assert until(lambda: len(site.workers()) == 2)
        workers = site.workers()
        wire.send("GET /slow HTTP/1.1\nHost: localhost\n\n")
        assert site.prints("slow began")
        site.signal(signal.SIGKILL)
        assert wire.read_reply().body == b"done"
        assert until(lambda: not any(map(is_running, workers)), seconds=5)


def test_neither_an_endless_stream_nor_a_frozen_worker_holds_up_the_end():
    # Together, since each of them takes the whole time there is.
    with TinySite() as streaming, TinySite() as frozen, streaming.connect() as wire:
        wire.send("GET /endless HTTP/1.1\nHost: localhost\n\n")
        wire.read_headers()
        (stream_worker,), (frozen_worker,) = streaming.workers(), frozen.workers()
        os.kill(frozen_worker, signal.SIGSTOP)
        before = cpu_seconds(stream_worker)
        began = time.monotonic()
        streaming.signal()
        frozen.signal()
        assert until(lambda: time.monotonic() - began > 6)
        assert cpu_seconds(stream_worker) - before < 1
        wire.read_to_end()
        assert streaming.prints("endless closed")
        assert streaming.wait() == (0, "")
        assert 7 < time.monotonic() - began < 10
        status, errors = frozen.wait()
        assert (status, errors.count("was killed")) == (0, 1)
        assert time.monotonic() - began < 15
        assert not is_running(frozen_worker)


def test_a_signal_that_comes_while_workers_start_is_not_lost():
    with contextlib.closing(TinySite(processes=2, behaviour="stops the parent")) as site:
        assert site.wait() == (0, "")


def test_a_worker_that_is_told_to_end_while_it_starts_ends_and_is_replaced():
    with contextlib.closing(TinySite(behaviour="stops itself")) as site:
        assert [site.prints("stopping itself") for _ in range(3)] == [True] * 3
        site.signal()
        assert site.wait()[0] == 0


def test_a_worker_that_refuses_to_start_ends_the_server_with_one_sentence():
    with contextlib.closing(TinySite(processes=3, behaviour="refuses")) as site:
        assert site.wait() == (1, "The data folder cannot be written to.\n")


def test_a_worker_that_fails_to_start_ends_the_server_with_its_reason():
    with contextlib.closing(TinySite(processes=3, behaviour="fails")) as site:
        status, errors = site.wait()
        assert (status, errors.splitlines()[-1]) == (1, "Something nobody thought of.")
        assert "Traceback" in errors


def test_a_replacement_that_cannot_start_at_this_moment_is_tried_again(tmp_path):
    with TinySite(behaviour=f"refuses the second in {tmp_path}") as site:
        assert until(lambda: len(site.workers()) == 1)
        (killed,) = site.workers()
        kill_and_await_grave(site, killed)
        assert until(lambda: (tmp_path / "3").exists())
        assert site.ask("/pid").status == 200
        site.signal()
        status, errors = site.wait()
        assert (status, errors.count("The disk is full at this moment.")) == (0, 1)


def test_a_worker_that_dies_while_starting_is_tried_again_and_does_not_hold_up_the_end():
    with contextlib.closing(TinySite(behaviour="dies")) as site:
        assert [site.prints("dying") for _ in range(3)] == [True] * 3
        site.signal()
        assert site.wait()[0] == 0


def test_an_address_in_use_is_said_in_one_sentence():
    with TinySite() as site, contextlib.closing(TinySite(port=site.port)) as second:
        status, errors = second.wait()
        assert status == 1
        assert errors == (
            f"Byline cannot listen on 127.0.0.1, port {site.port}: Address already in use. "
            "Choose another HOST or PORT.\n"
        )
        assert site.ask("/hello").body == b"hello"


def test_the_port_is_free_again_at_once():
    with TinySite() as site, site.connect() as wire:
        assert wire.ask("/hello").body == b"hello"
        site.signal()
        assert site.wait()[0] == 0
        with TinySite(port=site.port) as second:
            assert second.ask("/hello").body == b"hello"


@pytest.mark.parametrize("host", ["::1", "localhost"])
def test_other_hosts_than_an_ipv4_address(host):
    if host == "::1" and not has_ipv6():
        pytest.skip("no IPv6 here")
    with TinySite(host=host) as site, Wire(site.port, "::1" if host == "::1" else "127.0.0.1") as wire:
        assert wire.ask("/hello").body == b"hello"


def has_ipv6():
    with contextlib.suppress(OSError), socket.create_server(("::1", 0), family=socket.AF_INET6):
        return True
    return False
