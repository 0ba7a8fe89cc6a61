"""Jobs: stored with the change that causes them, done once they are due, and tried again when they fail."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from storage import clock
from storage.engine import Database
from storage.jobs import enqueue, jobs_table, work_off
from tests.support import Site


class Stopping:
    """Says stop when it was asked so many times."""

    def __init__(self, after: int) -> None:
        self._left = after

    def __call__(self, _seconds: float) -> bool:
        self._left -= 1
        return self._left < 0


def note_down(done: list[str], again_at: int | None = None) -> Callable[[Database, Mapping[str, Any]], int | None]:
    def handle(_database: Database, payload: Mapping[str, Any]) -> int | None:
        done.append(payload["name"])
        return again_at

    return handle


def rows(site: Site, kind: str) -> list[Any]:
    with site.database.reading() as db:
        return list(db.execute(jobs_table.select().where(jobs_table.c.kind == kind)).all())


def test_what_is_due_is_done_once_and_in_order_and_forgotten(site: Site) -> None:
    with site.database.transaction() as db:
        for name, run_at in (("second", 2), ("first", 1), ("later", clock.now() + clock.DAY)):
            enqueue(db, "note", {"name": name}, run_at=run_at)
    done: list[str] = []
    work_off(site.database, {"note": note_down(done)}, Stopping(6))
    assert done == ["first", "second"]
    assert [row.payload for row in rows(site, "note")] == ['{"name": "later"}']


def test_a_job_of_a_change_that_is_taken_back_is_never_there(site: Site) -> None:
    def fail() -> None:
        with site.database.transaction() as db:
            enqueue(db, "note", {"name": "never"}, run_at=0)
            raise LookupError

    with pytest.raises(LookupError):
        fail()
    assert rows(site, "note") == []


def test_a_job_that_comes_again_is_planned_anew(site: Site) -> None:
    with site.database.transaction() as db:
        enqueue(db, "note", {"name": "daily"}, run_at=0)
    done: list[str] = []
    again_at = clock.now() + clock.DAY
    work_off(site.database, {"note": note_down(done, again_at)}, Stopping(6))
    assert done == ["daily"]
    (row,) = rows(site, "note")
    assert (row.run_at, row.attempts, row.claimed_until) == (again_at, 0, None)


def test_a_job_that_fails_is_kept_and_tried_later_and_later(site: Site) -> None:
    def fail(_database: Database, _payload: Mapping[str, Any]) -> None:
        raise OSError("no route")

    with site.database.transaction() as db:
        enqueue(db, "note", {"name": "x"}, run_at=0)
    pauses = []
    for _ in range(3):
        began = clock.now()
        work_off(site.database, {"note": fail}, Stopping(2))
        (row,) = rows(site, "note")
        assert row.claimed_until is None
        pauses.append(row.run_at - began)
        with site.database.transaction() as db:
            db.execute(jobs_table.update().where(jobs_table.c.kind == "note").values(run_at=0))
    assert clock.MINUTE <= pauses[0] < pauses[1] < pauses[2] < clock.HOUR


def test_a_job_whose_worker_was_killed_is_done_by_the_next_when_its_claim_has_run_out(site: Site) -> None:
    with site.database.transaction() as db:
        enqueue(db, "note", {"name": "left"}, run_at=0)
        db.execute(jobs_table.update().values(claimed_until=clock.now() + clock.HOUR))
    done: list[str] = []
    work_off(site.database, {"note": note_down(done)}, Stopping(4))
    assert done == []
    with site.database.transaction() as db:
        db.execute(jobs_table.update().values(claimed_until=clock.now() - 1))
    work_off(site.database, {"note": note_down(done)}, Stopping(4))
    assert done == ["left"]


def test_a_kind_that_this_version_does_not_know_is_left_for_one_that_does(site: Site) -> None:
    with site.database.transaction() as db:
        enqueue(db, "unheard.of", {}, run_at=0)
    work_off(site.database, {"note": note_down([])}, Stopping(4))
    assert len(rows(site, "unheard.of")) == 1
