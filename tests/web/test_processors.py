"""Where there are as many processes as processors, each reads and makes pages on one of its own."""

import os
import signal
import threading
from pathlib import Path

import pytest

from tests.web.wire import TinySite, until
from web.server.processors import processors_for, stay_on

OURS = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()
pytestmark = pytest.mark.skipif(len(OURS) < 2, reason="there is no other processor to keep away from, or no way to ask")


@pytest.fixture
def two():
    """Only two processors are ours, and of whatever is started."""
    chosen = set(sorted(OURS)[:2])
    os.sched_setaffinity(0, chosen)
    yield chosen
    os.sched_setaffinity(0, OURS)


def processors_of(pid):
    """Of the thread that reads connections, and of all others."""
    tasks = {int(task.name): os.sched_getaffinity(int(task.name)) for task in Path(f"/proc/{pid}/task").iterdir()}
    return tasks.pop(pid), list(tasks.values())


def have_settled(pid):
    """Whether both threads that stay somewhere have gone there."""
    reading, others = processors_of(pid)
    return len(reading) == 1 and reading in others


def test_two_processes_share_two_processors_and_only_what_waits_goes_where_there_is_room(two):
    with TinySite(processes=2, threads=16) as site:
        assert until(lambda: len(site.workers()) == 2)
        assert until(lambda: all(have_settled(pid) for pid in site.workers()))
        found = [processors_of(pid) for pid in site.workers()]
        assert sorted(min(reading) for reading, _others in found) == sorted(two)
        for reading, others in found:
            assert others.count(reading) == 1
            assert others.count(two) == len(others) - 1 > 1


def test_who_takes_the_place_of_a_process_takes_its_processor(two):
    with TinySite(processes=2) as site:
        assert until(lambda: len(site.workers()) == 2)
        assert until(lambda: all(have_settled(pid) for pid in site.workers()))
        first, second = site.workers()
        was = processors_of(first)[0]
        os.kill(first, signal.SIGKILL)
        assert until(lambda: first not in site.workers() and len(site.workers()) == 2)
        [replacement] = set(site.workers()) - {second}
        assert until(lambda: processors_of(replacement)[0] == was)


@pytest.mark.parametrize("processes", [1, 3])
def test_fewer_or_more_go_where_there_is_room(two, processes):
    assert processors_for(processes) == [None] * processes
    with TinySite(processes=processes) as site:
        assert until(lambda: len(site.workers()) == processes)
        site.ask("/pid")
        for pid in site.workers():
            reading, others = processors_of(pid)
            assert [reading, *others].count(two) == 1 + len(others)


def test_one_thread_stays_and_the_others_do_not(two):
    seen = []

    def stay():
        stay_on(min(two))
        seen.append(os.sched_getaffinity(0))

    thread = threading.Thread(target=stay)
    thread.start()
    thread.join()
    assert (seen, os.sched_getaffinity(0)) == ([{min(two)}], two)


def test_where_nobody_can_ask_for_processors_all_go_where_there_is_room(two, monkeypatch):
    assert processors_for(2) == sorted(two)
    monkeypatch.delattr(os, "sched_getaffinity")
    assert processors_for(2) == [None, None]


def test_a_processor_that_was_taken_from_us_is_no_error(two):
    stay_on(4096)
    assert os.sched_getaffinity(0) == two
