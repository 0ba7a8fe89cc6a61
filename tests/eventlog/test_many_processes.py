"""Many processes write to one log: no event is lost, doubled, out of order, or without its change."""

import subprocess
import sys
import threading
from collections import Counter
from concurrent.futures import Executor, ThreadPoolExecutor

from eventlog.errors import UnknownSession
from eventlog.log.following import events_since, list_past_sessions
from eventlog.log.model import Event
from eventlog.log.verifying import verify
from storage.engine import Database
from tests.support import ROOT, Site

WRITERS = 8

# Each event is recorded with the change of a row; every seventh attempt is given up in the middle.
PROGRAM = """
import sys
from pathlib import Path
from eventlog.actors import Nobody
from eventlog.log.appending import append_event
from eventlog.events import SERVER_STARTED
from storage.engine import Database

path, name, count = sys.argv[1:]
database, done, attempt = Database(Path(path), readers=1), 0, 0
print("ready", flush=True)
sys.stdin.readline()
while done < int(count):
    attempt += 1
    try:
        with database.transaction(wait_seconds=60) as db:
            event = append_event(db, SERVER_STARTED, by=Nobody(name, "(test)"), payload={"n": done})
            db.exec_driver_sql("INSERT INTO changes (event_id, name, n) VALUES (?, ?, ?)", (event.id, name, done))
            if attempt % 7 == 0:
                raise InterruptedError
        done += 1
    except InterruptedError:
        pass
database.close()
"""


class Follower:
    """Reads on and on through a connection of its own, of one session or of all, until it is told of the end."""

    def __init__(self, pool: Executor, site: Site, session: str | None, *, since: int, page: int) -> None:
        self._database = Database(site.settings.database_path, readers=1)
        self._session, self._since, self._page = session, since, page
        self._is_over = threading.Event()
        self._reading = pool.submit(self._read_on)

    def end(self) -> list[Event]:
        """Everything that it has seen, once nothing more is written."""
        self._is_over.set()
        try:
            return self._reading.result(timeout=120)
        finally:
            self._database.close()

    def _read_on(self) -> list[Event]:
        seen: list[Event] = []
        while True:
            is_over = self._is_over.is_set()
            page = self._read(seen[-1].id if seen else self._since)
            seen += page
            if is_over and not page:
                return seen
            if not page:
                self._is_over.wait(0.001)

    def _read(self, last: int) -> list[Event]:
        with self._database.reading() as db:
            try:
                return events_since(db, self._session, last, self._page)
            except UnknownSession:
                return []


def test_many_processes_append_and_a_follower_sees_each_event_once_in_order(site: Site, soak: bool) -> None:
    each = 2000 if soak else 150
    names = [f"writer.{number}" for number in range(WRITERS)]
    with site.database.transaction() as db:
        db.exec_driver_sql("CREATE TABLE changes (event_id INTEGER, name TEXT, n INTEGER)")
        start = events_since(db, None, 0, 0)[-1].id
    before = verify(site.database)
    running = [_start(site, name, each) for name in names]
    with ThreadPoolExecutor() as pool:
        of_all = [Follower(pool, site, None, since=start, page=page) for page in (7, 1000)]
        of_one = Follower(pool, site, names[3], since=0, page=3)
        try:
            _run_to_the_end(running)
        finally:
            for process in running:
                process.kill()
                process.communicate()
            everything, part = [follower.end() for follower in of_all], of_one.end()
    assert [process.returncode for process in running] == [0] * WRITERS
    expected = list(range(start + 1, start + WRITERS * each + 1))
    for seen in everything:
        assert [event.id for event in seen] == expected
        for name in names:
            assert [(e.payload or {})["n"] for e in seen if e.session_id == name] == list(range(each))
    assert [event.payload for event in part] == [{"n": number} for number in range(each)]
    after = verify(site.database, known_head=before.head)
    assert (after.fault, after.has_known_head) == (None, True)
    with site.database.reading() as db:
        changes = {tuple(row) for row in db.exec_driver_sql("SELECT event_id, name, n FROM changes")}
        counted = {s.session_id: s.event_count for s in list_past_sessions(db, 0) if s.session_id in names}
        events = events_since(db, None, start, 0)
    assert changes == {(event.id, event.session_id, (event.payload or {})["n"]) for event in events}
    assert counted == Counter(event.session_id for event in events) == dict.fromkeys(names, each)


def _run_to_the_end(running: "list[subprocess.Popen[str]]") -> None:
    """All of them begin at once."""
    for process in running:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in running:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in running:
        process.wait(timeout=600)


def _start(site: Site, name: str, count: int) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(site.settings.database_path), name, str(count)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
