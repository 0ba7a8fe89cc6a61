"""Jobs: work that follows from a change, stored in the transaction of the change and done afterwards.

One process works them off, one at a time. A job is safe to run twice: who was killed in the middle of it is replaced
by whoever claims it when the claim has run out.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
import structlog

from storage import clock
from storage.engine import Database
from storage.errors import Busy, Full
from storage.schema import metadata

jobs_table = sa.Table(
    "jobs",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("payload", sa.Text, nullable=False),  # JSON
    sa.Column("run_at", sa.Integer, nullable=False, index=True),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("claimed_until", sa.Integer),  # NULL: nobody is at it
)

# Does a job, and says when it is due again; None: never.
Handler = Callable[[Database, Mapping[str, Any]], int | None]
# Waits that many seconds at most; whether to stop.
Wait = Callable[[float], bool]

_CLAIM = clock.HOUR
_FIRST_PAUSE, _LONGEST_PAUSE = clock.MINUTE, clock.DAY
# A job that is due now is begun this much later at most.
_POLL_SECONDS = 2.0

log = structlog.get_logger()
_j = jobs_table.c


@dataclass(frozen=True, slots=True)
class Job:
    """A job that was claimed."""

    id: int
    kind: str
    payload: dict[str, Any]
    attempts: int


def enqueue(db: sa.Connection, kind: str, payload: Mapping[str, Any], *, run_at: int) -> None:
    """Store a job, in the transaction of the change that causes it."""
    values = {"kind": kind, "payload": json.dumps(payload), "run_at": run_at, "attempts": 0}
    db.execute(sa.insert(jobs_table).values(**values))


def work_off(database: Database, handlers: Mapping[str, Handler], wait: Wait) -> None:
    """Do the jobs as they become due, until told to stop. One that fails is tried again, later and later."""
    while not wait(0):
        try:
            job = _claim(database, list(handlers))
            if job is not None:
                _do(database, job, handlers[job.kind])
                continue
        except (Busy, Full) as error:
            log.warning("jobs have to wait", reason=str(error))
        if wait(_POLL_SECONDS):
            return


def _claim(database: Database, kinds: list[str]) -> Job | None:
    at = clock.now()
    is_due = (_j.run_at <= at) & _j.kind.in_(kinds) & (_j.claimed_until.is_(None) | (_j.claimed_until <= at))
    due = sa.select(_j.id).where(is_due).order_by(_j.run_at).limit(1)
    with database.reading() as db:
        if db.execute(due).first() is None:
            return None
    claim = (
        sa.update(jobs_table)
        .where(_j.id == due.scalar_subquery())
        .values(claimed_until=at + _CLAIM, attempts=_j.attempts + 1)
        .returning(_j.id, _j.kind, _j.payload, _j.attempts)
    )
    with database.transaction() as db:
        row = db.execute(claim).one_or_none()
    return None if row is None else Job(row.id, row.kind, json.loads(row.payload), row.attempts)


def _do(database: Database, job: Job, handler: Handler) -> None:
    try:
        again_at = handler(database, job.payload)
    except Exception:
        pause = min(_FIRST_PAUSE * 2 ** (job.attempts - 1), _LONGEST_PAUSE)
        log.exception("job failed and will be tried again", kind=job.kind, attempts=job.attempts)
        with database.transaction() as db:
            _plan(db, job, at=clock.now() + pause)
        return
    with database.transaction() as db:
        if again_at is None:
            db.execute(sa.delete(jobs_table).where(_j.id == job.id))
        else:
            _plan(db, job, at=again_at, attempts=0)


def _plan(db: sa.Connection, job: Job, *, at: int, **changed: int) -> None:
    values = {"run_at": at, "claimed_until": None, **changed}
    db.execute(sa.update(jobs_table).where(_j.id == job.id).values(**values))
