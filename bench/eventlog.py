"""What the event log costs, each figure beside what it is compared with, in one run.

By hand, from the project's folder: `.venv/bin/python -m bench.eventlog`. Some minutes, a gigabyte of the temp folder
while it runs (`TMPDIR` says where), nothing afterwards.
"""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from random import Random
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import sqlalchemy as sa
from rich.console import Console
from rich.table import Table

from bench.filling import AT_A_TIME, PAYLOADS, PER_SESSION, filled, rows
from eventlog.actors import Nobody
from eventlog.kinds import declare
from eventlog.log.appending import append_event
from eventlog.log.exporting import Level, Wanted, export_log
from eventlog.log.following import events_since, list_past_sessions
from eventlog.log.verifying import verify
from eventlog.retention.applying import apply_retention
from storage.engine import Database

FEW, MANY = 10_000, 1_000_000
EXPORTED_FEW, EXPORTED_MANY = 25_000, 250_000
EMPTIED = 100_000
ROUNDS = 30
HAPPENED = declare("bench.happened")

# How many were found, in a log of so many events.
Read = Callable[[sa.Connection, Random, int], int]

_BARE = sa.text("INSERT INTO bare (id, words) VALUES (:id, :words)")


def main() -> None:
    """Measure, and print the table."""
    table = Table("what", "the log", "beside it", "ratio", title="The event log")
    with TemporaryDirectory() as name, filled(Path(name), FEW) as few, filled(Path(name), MANY) as many:
        for at_once in (1, 100):
            ours, bare = append_costs(many, at_once)
            _row(table, f"append_event, {at_once} a transaction | a bare INSERT", ours, bare, "µs", 1e6)
        for what, read in READS.items():
            large, small = read_costs(read, many, few)
            _row(table, f"{what} of {MANY:,} | of {FEW:,} events", large, small, "µs", 1e6)
        export(table, Path(name))
        with filled(Path(name), EMPTIED) as aged:
            idle, waits = waits_beside(aged, lambda: time.sleep(5)), waits_beside(aged, lambda: retain(aged))
        for who in waits:
            _row(table, f"longest wait of {who}: {EMPTIED:,} emptied | idle", waits[who], idle[who], "ms", 1e3)
    Console(width=120).print(table)


def append_costs(database: Database, at_once: int) -> tuple[float, float]:
    """Seconds for one append_event, and for one INSERT of a row as long; the two take turns."""
    by, payload = Nobody("7.1", "author1"), PAYLOADS[1][1]
    event = next(islice(rows(), 1, None))
    words = "x" * sum(len(str(value)) for value in event.values())
    ours: list[float] = []
    bare: list[float] = []
    for turn in range(ROUNDS * 3):
        with _timed(ours, at_once), database.transaction() as db:
            for _ in range(at_once):
                append_event(db, HAPPENED, by=by, subject="post:1", payload=payload)
        with _timed(bare, at_once), database.transaction() as db:
            for number in range(at_once):
                db.execute(_BARE, {"id": (at_once * 1000 + turn) * 1000 + number, "words": words})
    return median(ours), median(bare)


def _events_since(db: sa.Connection, dice: Random, count: int) -> int:
    session = dice.randrange(count // PER_SESSION // AT_A_TIME * AT_A_TIME)
    first = session // AT_A_TIME * AT_A_TIME * PER_SESSION
    return len(events_since(db, f"7.{session}", first + 10 * AT_A_TIME, 100))


READS: dict[str, Read] = {
    "events_since(session, since, 100)": _events_since,
    "events_since(None, since, 100)": lambda db, dice, n: len(events_since(db, None, dice.randrange(n - 100), 100)),
    "list_past_sessions(50)": lambda db, _dice, _count: len(list_past_sessions(db, 50)),
}


def read_costs(read: Read, many: Database, few: Database) -> tuple[float, float]:
    """Seconds for one read of the long log, and of the short one; the two take turns."""
    dice = Random(7)
    spent: tuple[list[float], list[float]] = ([], [])
    for _ in range(ROUNDS * 10):
        for database, count, times in ((many, MANY, spent[0]), (few, FEW, spent[1])):
            with _timed(times, 1), database.reading() as db:
                found = read(db, dice, count)
            assert found in (50, 100), found
    return median(spent[0]), median(spent[1])


def export(table: Table, folder: Path) -> None:
    """Rates of exporting and verifying, each in a process of its own, and the most memory that it held."""
    for count in (EXPORTED_FEW, EXPORTED_MANY):
        with filled(folder, count):
            pass
    for work in (*Level, "verify"):
        few, many = (_in_a_process(_work, folder, count, work) for count in (EXPORTED_FEW, EXPORTED_MANY))
        name = "verify" if work == "verify" else f"export, {work}"
        beside = f"{EXPORTED_MANY:,} | {EXPORTED_FEW:,} events"
        _row(table, f"{name}, {beside}, a second", EXPORTED_MANY / many[0], EXPORTED_FEW / few[0], "", 1)
        _row(table, f"{name}, {beside}, memory", many[1], few[1], "MB", 1e-6)


def _in_a_process(work: Callable[..., Any], *arguments: Any) -> Any:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(work, *arguments).result()


def _work(folder: Path, count: int, work: str) -> tuple[float, float]:
    """Seconds, and the most bytes that this process ever held."""
    database, target = Database(folder / f"{count}.db", readers=1), folder / f"{count}.{work}.zip"
    began = time.perf_counter()
    if work == "verify":
        verdict = verify(database)
        assert (verdict.fault, verdict.event_count) == (None, count), verdict
    else:
        assert export_log(database, target, Wanted(Level(work), "bench")) == count
    seconds = time.perf_counter() - began
    # Not `ru_maxrss`, which a process inherits from the one that started it.
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return seconds, int(status["VmHWM"].split()[0]) * 1024


def retain(database: Database) -> None:
    """Empty every payload that there is."""
    count = apply_retention(database, -1)
    assert count == EMPTIED, count


def waits_beside(database: Database, work: Callable[[], object]) -> dict[str, float]:
    """The longest that a writer waited for its commit while the work was done: in this process, and in another."""
    context = get_context("spawn")
    begun, done, found = context.Semaphore(0), context.Event(), context.SimpleQueue()
    watched = (begun, done, found)
    writers: list[Any] = [
        threading.Thread(target=_write_until, args=(database, "a writer of the same process", *watched)),
        context.Process(target=_open_and_write_until, args=(database.path, "a writer of another process", *watched)),
    ]
    for writer in writers:
        writer.start()
    for _ in writers:
        assert begun.acquire(timeout=30), "A writer did not begin."
    work()
    done.set()
    for writer in writers:
        writer.join()
    return dict(found.get() for _ in writers)


def _open_and_write_until(path: Path, *watched: Any) -> None:
    _write_until(Database(path, readers=1), *watched)


def _write_until(database: Database, name: str, begun: Any, done: Any, found: Any) -> None:
    spent: list[float] = []
    while not done.is_set():
        with _timed(spent, 1), database.transaction() as db:
            db.execute(_BARE, {"id": None, "words": "x"})
        if len(spent) == 1:
            begun.release()
        time.sleep(0.002)
    found.put((name, max(spent[1:], default=0.0)))


@contextmanager
def _timed(times: list[float], share: int) -> Iterator[None]:
    began = time.perf_counter()
    yield
    times.append((time.perf_counter() - began) / share)


def _row(table: Table, what: str, ours: float, beside: float, unit: str, scale: float) -> None:
    table.add_row(what, f"{ours * scale:,.1f} {unit}", f"{beside * scale:,.1f} {unit}", f"{ours / beside:.2f}")


if __name__ == "__main__":
    main()
