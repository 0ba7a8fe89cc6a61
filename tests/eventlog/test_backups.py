"""Backups and restores in the ledger: announced before, concluded after, and no question left that has an answer."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from eventlog.ledger.announcing import orphan_intents, record_intent
from eventlog.ledger.model import Intent
from eventlog.ledger.queries import find_intent
from eventlog.log.following import events_since
from storage.engine import Database
from tests.folders import clean_environment, run_byline
from tests.support import ROOT, TESTER, Server, Site


def intents(database: Database) -> list[Intent]:
    with database.reading() as db:
        calls = db.exec_driver_sql("SELECT call_id FROM intents ORDER BY recorded_at").scalars().all()
        return [intent for call in calls if (intent := find_intent(db, call)) is not None]


def after(site: Site) -> Database:
    return Database(site.folder / "byline.db", readers=1)


def test_a_backup_is_announced_and_concluded(site: Site, tmp_path: Path) -> None:
    target = tmp_path / "copy.tar.gz"
    assert run_byline(site.folder, "backup", str(target)).returncode == 0
    assert run_byline(site.folder, "backup", str(target)).returncode == 1
    done, failed = intents(site.database)
    assert (done.operation, done.outcome, done.payload) == ("backup", "done", {"path": str(target)})
    assert (failed.operation, failed.outcome) == ("backup", "failed")
    assert "exists already" in (failed.note or "")


def test_a_restore_stands_in_what_was_restored_and_the_backups_question_is_answered(site: Site, tmp_path: Path) -> None:
    target = tmp_path / "copy.tar.gz"
    assert run_byline(site.folder, "backup", str(target)).returncode == 0
    site.database.close()
    assert run_byline(site.folder, "restore", str(target)).returncode == 0
    database = after(site)
    backup, restore = intents(database)
    assert (backup.operation, backup.outcome) == ("backup", "done")
    assert (restore.operation, restore.outcome, restore.payload) == ("restore", "done", {"path": str(target)})
    kept = Database(site.folder / "byline.db.before-restore", readers=1)
    assert [intent.outcome for intent in intents(kept) if intent.operation == "restore"] == [None]
    with database.reading() as db:
        assert [event.kind for event in events_since(db, None, 0, 0)][-1] == "backup.restored"
    kept.close()
    database.close()


def test_a_restore_that_is_refused_is_concluded_as_failed(site: Site, tmp_path: Path) -> None:
    junk = tmp_path / "junk.tar.gz"
    junk.write_text("no archive")
    site.database.close()
    assert run_byline(site.folder, "restore", str(junk)).returncode == 1
    database = after(site)
    (restore,) = intents(database)
    assert (restore.operation, restore.outcome) == ("restore", "failed")
    assert "not a whole backup" in (restore.note or "")
    database.close()


@pytest.mark.parametrize("content", [b"", b"no database at all" * 500])
def test_a_damaged_database_is_no_reason_not_to_restore(site: Site, tmp_path: Path, content: bytes) -> None:
    target = tmp_path / "copy.tar.gz"
    assert run_byline(site.folder, "backup", str(target)).returncode == 0
    site.database.close()
    for end in ("-wal", "-shm"):
        (site.folder / f"byline.db{end}").unlink(missing_ok=True)
    (site.folder / "byline.db").write_bytes(content)
    assert run_byline(site.folder, "restore", str(target)).returncode == 0
    database = after(site)
    with database.reading() as db:
        assert orphan_intents(db) == []
    database.close()


def test_the_start_says_how_many_were_left(site: Site) -> None:
    server = Server(site.folder)
    server.start()
    assert server.stop() == 0
    assert not any("never concluded" in line for line in server.output)
    for number in range(3):
        record_intent(site.database, "test.work", by=TESTER, call_id=f"call-{number}")
    server.start()
    try:
        assert "never concluded: 3" in server.wait_for("never concluded")
    finally:
        server.stop()
    assert [intent.outcome for intent in intents(site.database)] == [None] * 3


def test_a_backup_of_a_log_of_a_newer_version_leaves_it_untouched(site: Site, tmp_path: Path) -> None:
    with site.database.transaction() as db:
        db.exec_driver_sql("UPDATE event_log SET schema_version = 99")
    assert run_byline(site.folder, "backup", str(tmp_path / "copy.tar.gz")).returncode == 0
    assert site.rows("intents") == 0


def test_a_name_that_is_no_text_is_no_reason_not_to_back_up(site: Site, tmp_path: Path) -> None:
    name = os.fsdecode(os.fsencode(tmp_path) + b"/\xff.tar.gz")
    made = subprocess.run(
        [sys.executable, str(ROOT / "app.py"), "backup", name],
        env=clean_environment(BYLINE_INSTANCE=str(site.folder)),
        capture_output=True,
        timeout=60,
    )
    assert made.returncode == 0
    assert Path(name).exists()
    assert intents(site.database)[0].outcome == "done"


def test_what_a_restore_kept_is_kept_by_the_next_one_too(site: Site, tmp_path: Path) -> None:
    target = tmp_path / "copy.tar.gz"
    assert run_byline(site.folder, "backup", str(target)).returncode == 0
    site.database.close()
    first = (site.folder / "byline.db").stat().st_ino
    for _ in range(3):
        assert run_byline(site.folder, "restore", str(target)).returncode == 0
    assert (site.folder / "byline.db.before-restore.1").stat().st_ino == first
    assert (site.folder / "byline.db.before-restore.2").exists()


def test_every_archive_knows_that_its_own_backup_was_made(site: Site, tmp_path: Path) -> None:
    for number in range(2):
        assert run_byline(site.folder, "backup", str(tmp_path / f"{number}.tar.gz")).returncode == 0
    site.database.close()
    assert run_byline(site.folder, "restore", str(tmp_path / "0.tar.gz")).returncode == 0
    database = after(site)
    assert [(intent.operation, intent.outcome) for intent in intents(database)] == [
        ("backup", "done"),
        ("restore", "done"),
    ]
    database.close()


def test_a_command_that_is_told_to_stop_ends_as_after_an_interruption(site: Site) -> None:
    command = [sys.executable, str(ROOT / "app.py"), "log", "tail", "--follow"]
    process = subprocess.Popen(command, env=clean_environment(BYLINE_INSTANCE=str(site.folder)), stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline()
    process.terminate()
    assert process.wait(timeout=20) == 128 + signal.SIGTERM
    process.stdout.close()
