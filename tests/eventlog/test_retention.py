"""Retention: what is older than the limit is emptied and its bytes are gone; who, what and when stay."""

import contextlib
import threading
import time

import pytest

from eventlog.events import LOG_RETENTION_APPLIED, SERVER_STARTED
from eventlog.ledger.announcing import operation
from eventlog.log.appending import append_event
from eventlog.log.following import events_since
from eventlog.retention import queries
from eventlog.retention.applying import RETAIN, apply_retention, retain, retain_daily
from storage import clock
from storage.engine import Database
from storage.jobs import jobs_table
from tests.support import SECRET, TESTER, Client, Server, Site

WORDS = "a-phrase-that-shall-be-gone"


def fill(site: Site, count: int, *, days_ago: int) -> None:
    with site.database.transaction() as db:
        for number in range(count):
            append_event(db, SERVER_STARTED, by=TESTER, payload={"n": number, "words": WORDS}, first_message=WORDS)
    with operation(site.database, "test.work", by=TESTER, payload={"words": WORDS}):
        pass
    with site.database.transaction() as db:
        db.exec_driver_sql(f"UPDATE events SET occurred_at = occurred_at - {days_ago * clock.DAY}")
        db.exec_driver_sql(f"UPDATE log_sessions SET first_seen_at = first_seen_at - {days_ago * clock.DAY}")
        db.exec_driver_sql(f"UPDATE intents SET recorded_at = recorded_at - {days_ago * clock.DAY}")


def bytes_of(site: Site) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(site.folder.glob("byline.db*")))


def test_the_bytes_are_gone_from_the_database_and_its_log(site: Site) -> None:
    fill(site, 700, days_ago=10)
    assert WORDS.encode() in bytes_of(site)
    count, is_gone = retain(site.database, 5, by=TESTER)
    assert (count >= 700, is_gone) == (True, True)
    assert WORDS.encode() not in bytes_of(site)
    assert (site.folder / "byline.db-wal").stat().st_size == 0 or WORDS.encode() not in bytes_of(site)
    with site.database.reading() as db:
        newest = events_since(db, None, 0, 0)[-1]
    assert newest.kind == LOG_RETENTION_APPLIED.name
    assert newest.payload == {"days": 5, "count": count}


def test_what_is_younger_stays_and_a_dry_run_changes_nothing(site: Site) -> None:
    fill(site, 20, days_ago=4)
    assert apply_retention(site.database, 3, is_dry_run=True) >= 20
    assert apply_retention(site.database, 5, is_dry_run=True) == 0
    assert retain(site.database, 5, by=TESTER) == (0, True)
    assert WORDS.encode() in bytes_of(site)


def test_a_reader_of_an_older_state_holds_the_bytes_back_and_that_is_said(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("eventlog.retention.applying._ERASE_SECONDS", 0.0)
    fill(site, 20, days_ago=10)
    # Of another process, for instance: a backup.
    with contextlib.closing(Database(site.database.path, readers=1)) as other, other.reading() as db:
        assert events_since(db, None, 0, 1)
        assert retain(site.database, 5, by=TESTER)[1] is False
    assert retain(site.database, 5, by=TESTER) == (0, True)
    assert WORDS.encode() not in bytes_of(site)


def test_other_writers_hardly_wait_while_much_is_emptied(site: Site) -> None:
    with site.database.transaction() as db:
        append_event(db, SERVER_STARTED, by=TESTER, payload={"words": WORDS})
        columns = (
            "session_id, kind, actor, subject, occurred_at, payload, salt, payload_digest, previous_digest, digest"
        )
        first = "(SELECT max(id) FROM events)"
        db.exec_driver_sql(
            f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) INSERT INTO events (id, {columns}) "
            f"SELECT {first} + i, {columns.replace('occurred_at', '1')} FROM n, events WHERE id = {first}"
        )
    is_done = threading.Event()
    waits: list[float] = []

    def write() -> None:
        while not is_done.is_set():
            began = time.monotonic()
            with site.database.transaction() as db:
                append_event(db, SERVER_STARTED, by=TESTER)
            waits.append(time.monotonic() - began)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        assert apply_retention(site.database, 5) >= 20_000
    finally:
        is_done.set()
        writer.join()
    assert waits
    assert max(waits) < 5  # one batch takes milliseconds, all of them together take longer than this on a slow disk


def test_the_daily_job_applies_the_limit_of_the_site_if_it_has_one(site: Site) -> None:
    fill(site, 5, days_ago=10)
    again_at = retain_daily(site.database, {})
    assert clock.now() + clock.DAY - clock.MINUTE < again_at
    assert WORDS.encode() in bytes_of(site)
    with site.database.transaction() as db:
        queries.set_retention_days(db, 7)
    retain_daily(site.database, {})
    assert WORDS.encode() not in bytes_of(site)


def test_the_job_is_there_from_the_first_start_and_the_real_server_does_it(site: Site) -> None:
    with site.database.reading() as db:
        (job,) = db.execute(jobs_table.select().where(jobs_table.c.kind == RETAIN)).all()
    assert job.kind == RETAIN
    fill(site, 5, days_ago=10)
    with site.database.transaction() as db:
        queries.set_retention_days(db, 1)
        db.execute(jobs_table.update().values(run_at=0))
    server = Server(site.folder, SECRET_KEY=SECRET).start()
    try:
        found: list[str] = []
        deadline = time.monotonic() + 30
        while LOG_RETENTION_APPLIED.name not in found and time.monotonic() < deadline:
            with site.database.reading() as db:
                found = [event.kind for event in events_since(db, None, 0, 0)]
        assert LOG_RETENTION_APPLIED.name in found
    finally:
        assert server.stop() == 0
    assert WORDS.encode() not in bytes_of(site)


def owner(site: Site) -> Client:
    return site.client("olive")


@pytest.mark.parametrize(
    ("days", "status"), [("30", 303), ("", 303), ("0", 422), ("-1", 422), ("x", 422), ("9" * 30, 422)]
)
def test_the_owner_sets_the_limit_on_a_page(site: Site, days: str, status: int) -> None:
    answer = owner(site).submit("/admin/log/retention", days=days)
    assert answer.status_code == status
    with site.database.reading() as db:
        assert queries.stored_retention_days(db) == (30 if days == "30" else None)
    if status == 422:
        assert f'value="{days}"' in answer.text


def test_nobody_else_sets_it_and_a_bad_form_token_gives_the_page_again(site: Site) -> None:
    for name in ("edith", "alan", "rita"):
        assert site.client(name).get("/admin/log/retention").status_code == 403
    assert site.client().get("/admin/log/retention").status_code == 303
    answer = owner(site).post("/admin/log/retention", data={"days": "30", "csrf_token": "x"})
    assert answer.status_code == 403
    assert 'value="30"' in answer.text
