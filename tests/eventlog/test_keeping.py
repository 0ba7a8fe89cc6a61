"""The log over time: the chain, the ledger, retention, and export."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from bench.filling import filled
from eventlog.actors import Nobody
from eventlog.errors import OrphanIntents
from eventlog.events import SERVER_STARTED
from eventlog.ledger.announcing import Outcome, operation, orphan_intents, record_intent, record_outcome
from eventlog.log.appending import append_event
from eventlog.log.exporting import Level, Wanted, export_log
from eventlog.log.following import events_since
from eventlog.log.verifying import verify
from eventlog.retention.applying import apply_retention
from storage import clock
from storage.errors import FolderUnusable
from tests.support import ROOT, TESTER, Site
from web.errors import Conflict, NotFound


def _fill(site: Site, count: int, **payload: object) -> None:
    with site.database.transaction() as db:
        for number in range(count):
            append_event(db, SERVER_STARTED, by=TESTER, payload={"n": number, **payload})


def test_the_chain_verifies_and_keeps_to_a_head_known_elsewhere(site: Site) -> None:
    _fill(site, 30)
    kept = verify(site.database)
    assert kept.fault is None
    _fill(site, 5)
    assert verify(site.database, known_head=kept.head).has_known_head
    assert not verify(site.database, known_head="f" * 64).has_known_head


EDITS = {
    "an envelope": "UPDATE events SET actor = 'mallory' WHERE id = 20",
    "a payload": "UPDATE events SET payload = '{}' WHERE id = 20",
    "a time": "UPDATE events SET occurred_at = occurred_at + 1 WHERE id = 20",
    "one taken out": "DELETE FROM events WHERE id = 20",
    "a payload of bytes": "UPDATE events SET payload = CAST(payload AS BLOB) WHERE id = 20",
    "a payload that was emptied": "UPDATE events SET payload = NULL, salt = NULL WHERE id = 20",
    "an actor of bytes": "UPDATE events SET actor = CAST(actor AS BLOB) WHERE id = 20",
    "a text that is none": "UPDATE events SET subject = CAST(X'ff20' AS TEXT) WHERE id = 20",
    "one put in before": "INSERT INTO events SELECT -20, session_id, kind, actor, subject, occurred_at, payload, salt, "
    "payload_digest, previous_digest, digest FROM events WHERE id = 20",
    "a digest": "UPDATE events SET digest = payload_digest WHERE id = 20",
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_the_first_break_is_named(site: Site, edit: str) -> None:
    _fill(site, 40)
    with site.database.transaction() as db:
        db.exec_driver_sql(edit)
    verdict = verify(site.database)
    assert verdict.fault is not None
    assert "20" in verdict.fault or "after event 0" in verdict.fault


def test_retention_empties_payloads_keeps_envelopes_and_the_chain(site: Site) -> None:
    _fill(site, 1200, words="a phrase that shall be gone")
    with site.database.transaction() as db:
        db.exec_driver_sql(f"UPDATE events SET occurred_at = occurred_at - {10 * clock.DAY} WHERE id <= 1100")
    assert apply_retention(site.database, 5, is_dry_run=True) == 1100
    assert apply_retention(site.database, 5) == 1100
    assert apply_retention(site.database, 5) == 0
    with site.database.reading() as db:
        events = events_since(db, None, 0, 0)
    assert [event.payload is None for event in events] == [event.id <= 1100 for event in events]


def test_emptied_payloads_do_not_break_the_chain(site: Site) -> None:
    _fill(site, 50)
    assert apply_retention(site.database, 0) == len(_all(site)) - 1  # but the one that says so
    verdict = verify(site.database)
    assert (verdict.fault, verdict.emptied_count) == (None, len(_all(site)) - 1)


def test_an_operation_is_announced_before_and_concluded_after(site: Site) -> None:
    work = operation(site.database, "test.work", by=TESTER, payload={"path": "x"})
    with work as call_id, site.database.reading() as db:
        assert [intent.call_id for intent in orphan_intents(db, "test")] == [call_id]
    with site.database.reading() as db:
        assert orphan_intents(db) == []
    with pytest.raises(OSError, match="broken"), operation(site.database, "test.work", by=TESTER):
        raise OSError("broken")
    with site.database.reading() as db:
        assert orphan_intents(db) == []


def test_the_first_record_of_a_call_wins(site: Site) -> None:
    first = record_intent(site.database, "test.work", by=TESTER, call_id="c1", payload={"a": 1})
    assert record_intent(site.database, "test.work", by=TESTER, call_id="c1", payload={"a": 1}) == first
    with pytest.raises(Conflict):
        record_intent(site.database, "test.work", by=TESTER, call_id="c1", payload={"a": 2})
    with site.database.transaction() as db:
        record_outcome(db, "c1", Outcome.DONE)
        record_outcome(db, "c1", Outcome.DONE)
        with pytest.raises(Conflict):
            record_outcome(db, "c1", Outcome.FAILED)
        with pytest.raises(NotFound):
            record_outcome(db, "c2", Outcome.DONE)


def test_killed_between_intent_and_outcome_each_orphan_is_listed_once_until_it_is_disposed_of(
    site: Site, soak: bool
) -> None:
    rounds = 50 if soak else 5
    for number in range(rounds):
        program = (
            "import os, signal; from pathlib import Path; from storage.engine import Database;"
            "from eventlog.actors import Nobody; from eventlog.ledger.announcing import operation;"
            f"database = Database(Path({str(site.settings.database_path)!r}), readers=1);"
            f"context = operation(database, 'test.work', by=Nobody('crash{number}', '(test)'));"
            "context.__enter__(); os.kill(os.getpid(), signal.SIGKILL)"
        )
        assert subprocess.run([sys.executable, "-c", program], cwd=ROOT, timeout=60).returncode == -9
    with site.database.reading() as db:
        left = orphan_intents(db)
    assert sorted(intent.session_id for intent in left) == sorted(f"crash{number}" for number in range(rounds))
    again = Nobody("crash0", "(test)")
    with pytest.raises(OrphanIntents) as refused, operation(site.database, "test.work", by=again):
        pass
    (call_id,) = refused.value.call_ids
    with site.database.transaction() as db:
        record_outcome(db, call_id, Outcome.ABANDONED, note="looked at, nothing was written")
    with operation(site.database, "test.work", by=again):
        pass
    with site.database.reading() as db:
        assert call_id not in [intent.call_id for intent in orphan_intents(db)]


def _export(site: Site, target: Path, level: Level, session: str | None = None) -> dict[str, str]:
    count = export_log(site.database, target, Wanted(level, "Notes", session))
    with zipfile.ZipFile(target) as bundle:
        files = {name: bundle.read(name).decode() for name in bundle.namelist()}
    assert len(files["events.jsonl"].splitlines()) == count
    return files


def test_an_export_tells_as_much_as_its_level(site: Site, tmp_path: Path) -> None:
    _fill(site, 20, mail="someone@example.org")
    strict = _export(site, tmp_path / "strict.zip", Level.STRICT)
    assert set(strict) == {"bundle.json", "events.jsonl", "meta.json"}
    assert set(json.loads(strict["events.jsonl"].splitlines()[0])) == {"kind", "occurred_at"}
    standard = _export(site, tmp_path / "standard.zip", Level.STANDARD, "test")
    assert "someone@example.org" in standard["events.jsonl"]
    bundle = json.loads(standard["bundle.json"])
    assert bundle["session"] == "test"
    assert bundle["head"] == verify(site.database).head
    maintainer = _export(site, tmp_path / "maintainer.zip", Level.MAINTAINER)
    assert "someone@example.org" not in maintainer["events.jsonl"]
    assert "20" in maintainer["redactions.txt"]
    assert (tmp_path / "strict.zip").stat().st_mode & 0o777 == 0o600


def test_an_export_that_cannot_be_written_leaves_nothing(site: Site, tmp_path: Path) -> None:
    there = tmp_path / "there.zip"
    there.write_text("mine")
    for target in (there, tmp_path / "no" / "folder.zip", there / "below.zip"):
        with pytest.raises((FolderUnusable, NotADirectoryError)):
            export_log(site.database, target, Wanted(Level.STRICT, "x"))
    assert there.read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir() if path.name != "instance"] == ["there.zip"]


def _all(site: Site) -> list[object]:
    with site.database.reading() as db:
        return list(events_since(db, None, 0, 0))


def test_an_export_of_25_000_events_has_25_000_lines(tmp_path: Path) -> None:
    target = tmp_path / "log.zip"
    with filled(tmp_path, 25_000) as database:
        assert export_log(database, target, Wanted(Level.STANDARD, "Notes")) == 25_000
        head = verify(database).head
    with zipfile.ZipFile(target) as bundle:
        with bundle.open("events.jsonl") as lines:
            assert sum(1 for _ in lines) == 25_000
        assert json.loads(bundle.read("bundle.json"))["head"] == head
