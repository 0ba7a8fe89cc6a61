"""Whatever is done to the log, in whatever order: what it has said once, it says again."""

import json
import shutil
import tempfile
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from eventlog.actors import Nobody
from eventlog.errors import UnknownSession
from eventlog.kinds import declare
from eventlog.log.appending import append_event
from eventlog.log.encoding import encode_event
from eventlog.log.exporting import Level, Wanted, export_log
from eventlog.log.following import events_since, list_past_sessions
from eventlog.log.model import Event
from eventlog.log.verifying import verify
from eventlog.redaction import redact
from eventlog.retention.applying import apply_retention
from storage import clock
from storage.engine import Database
from storage.upgrading import upgrade

KINDS = [declare("test.walked"), declare("test.stood", private={"address": lambda text: text[:3]})]
SESSIONS = ["1.1", "1.2", "token.a"]
DAYS = [1, 2, 30]

sessions = st.sampled_from(SESSIONS)
numbers = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | numbers | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
payloads = st.dictionaries(st.text(max_size=8), values, max_size=4)


@pytest.fixture(scope="module")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database as it is before anything happened, to be copied."""
    path = tmp_path_factory.mktemp("empty") / "byline.db"
    upgrade(path)
    return path


class Follower:
    """Somebody who reads on from the last event that they have seen."""

    def __init__(self, session: str | None) -> None:
        self.session = session
        self.seen: list[int] = []


class LogMachine(RuleBasedStateMachine):
    """A log on a disk, what it must say, and people who read it."""

    source: Path

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="byline-log-"))
        self.path = self.folder / "byline.db"
        shutil.copyfile(self.source, self.path)
        self.database = Database(self.path, readers=2)
        self.at = clock.from_datetime(clock.to_datetime(1_800_000_000 * clock.SECOND))
        self.patched = patch("storage.clock.now", lambda: self.at)
        self.patched.start()
        self.lines: dict[int, str] = {}
        self.heads: list[str] = []
        self.followers = [Follower(None)]

    def teardown(self) -> None:
        """At the end everybody has seen everything, and no head is forgotten."""
        try:
            for follower in self.followers:
                while self._read_on(follower, 3):
                    pass
                assert follower.seen == self._ids_of(follower.session)
            for head in self.heads:
                assert verify(self.database, known_head=head).has_known_head
        finally:
            self.patched.stop()
            self.database.close()
            shutil.rmtree(self.folder)

    @initialize(session=sessions)
    def begin(self, session: str) -> None:
        """Somebody follows one session from before its first event."""
        self.followers.append(Follower(session))

    @rule(session=sessions, kind=st.sampled_from(KINDS), payload=payloads, message=st.text(max_size=20))
    def append(self, session: str, kind: Any, payload: dict[str, Any], message: str) -> None:
        """What was given is there."""
        self._tick()
        by = Nobody(session, "(test)")
        with self.database.transaction() as db:
            made = append_event(db, kind, by=by, subject="post:1", payload=payload, first_message=message)
            [stored] = events_since(db, None, made.id - 1, 1)
        assert stored.payload is not None
        address = {"address": str(payload["address"])[:3]} if kind is KINDS[1] and "address" in payload else {}
        clean, found = redact(payload | address)
        assert isinstance(clean, dict)
        assert stored.payload == (clean | {"redacted": found} if found else clean)
        assert (stored.session_id, stored.kind, stored.occurred_at) == (session, kind.name, self.at)
        assert stored.digest == made.digest
        self._learn(stored)

    @rule(sizes=st.lists(sessions, min_size=1, max_size=4), is_rolled_back=st.booleans())
    def append_several(self, sizes: list[str], is_rolled_back: bool) -> None:
        """All of one transaction, or nothing."""
        made = []
        try:
            with self.database.transaction() as db:
                for session in sizes:
                    self._tick()
                    made.append(append_event(db, KINDS[0], by=Nobody(session, "(test)"), payload={"n": self.at}))
                stored = events_since(db, None, made[0].id - 1, 0)
                if is_rolled_back:
                    raise InterruptedError
        except InterruptedError:
            return
        assert [event.id for event in stored] == [event.id for event in made]
        for event in stored:
            self._learn(event)

    @rule()
    def jump_back(self) -> None:
        """Somebody puts the clock right."""
        self.at -= clock.HOUR

    @rule(days=st.sampled_from(DAYS))
    def wait(self, days: int) -> None:
        """Days go by."""
        self.at += days * clock.DAY

    @rule(session=st.none() | sessions)
    def begin_to_follow(self, session: str | None) -> None:
        """Somebody else comes."""
        self.followers.append(Follower(session))

    @rule(number=st.integers(0, 20), limit=st.integers(1, 4))
    def follow(self, number: int, limit: int) -> None:
        """Somebody reads on."""
        self._read_on(self.followers[number % len(self.followers)], limit)

    @rule(days=st.sampled_from(DAYS))
    def retain(self, days: int) -> None:
        """Payloads go, and nothing else."""
        before = self.at - days * clock.DAY
        old = {event.id for event in self._all() if event.occurred_at < before}
        apply_retention(self.database, days)
        for event in self._all():
            if event.id not in self.lines:
                # What retention records of itself.
                self._learn(event)
            elif event.id in old:
                assert event.payload is None
                self.lines[event.id] = _without_payload(self.lines[event.id])

    @rule(level=st.sampled_from(Level), session=st.none() | sessions)
    def export(self, level: Level, session: str | None) -> None:
        """As many lines as events, in their order; or nothing at all."""
        target = self.folder / "export.zip"
        expected = self._ids_of(session)
        if session is not None and not expected:
            with pytest.raises(UnknownSession):
                export_log(self.database, target, Wanted(level, "Notes", session))
        else:
            assert export_log(self.database, target, Wanted(level, "Notes", session)) == len(expected)
            with zipfile.ZipFile(target) as bundle:
                lines = [json.loads(line) for line in bundle.read("events.jsonl").splitlines()]
                about = json.loads(bundle.read("bundle.json"))
            assert len(lines) == len(expected)
            assert level == Level.STRICT or [line["id"] for line in lines] == expected
            assert about["head"] == (self.heads[-1] if self.heads else None)
            target.unlink()
        assert not [path for path in self.folder.iterdir() if not path.name.startswith("byline.db")]

    @rule()
    def reopen(self) -> None:
        """Another process takes over."""
        self.database.close()
        self.database = Database(self.path, readers=2)

    @precondition(lambda self: self.heads)
    @rule(number=st.integers(0, 200))
    def verify_an_older_head(self, number: int) -> None:
        """Whoever kept one finds it again."""
        verdict = verify(self.database, known_head=self.heads[number % len(self.heads)])
        assert verdict.has_known_head

    @invariant()
    def nothing_has_changed(self) -> None:
        """Ids without a gap, each line as it was, the chain whole, each session counted."""
        events = self._all()
        assert [event.id for event in events] == list(range(1, len(events) + 1))
        assert {event.id: encode_event(event) for event in events} == self.lines
        verdict = verify(self.database)
        assert (verdict.fault, verdict.event_count) == (None, len(events))
        assert not self.heads or verdict.head == self.heads[-1]
        counts = Counter(event.session_id for event in events)
        with self.database.reading() as db:
            known = list_past_sessions(db, 0)
            salts = {row.id: row.salt for row in db.execute(sa.text("SELECT id, salt FROM events"))}
        assert {row.session_id: row.event_count for row in known} == counts
        assert {event.id for event in events if event.payload is None} == {
            number for number in salts if salts[number] is None
        }
        for row in known:
            times = [event.occurred_at for event in events if event.session_id == row.session_id]
            assert (row.first_seen_at, row.last_seen_at) == (times[0], max(times))

    def _tick(self) -> None:
        self.at += clock.SECOND

    def _learn(self, event: Event) -> None:
        self.lines[event.id] = encode_event(event)
        self.heads.append(event.digest)

    def _all(self) -> list[Event]:
        with self.database.reading() as db:
            return events_since(db, None, 0, 0)

    def _ids_of(self, session: str | None) -> list[int]:
        told = {number: json.loads(line)["session_id"] for number, line in self.lines.items()}
        return [number for number in sorted(told) if session in (None, told[number])]

    def _read_on(self, follower: Follower, limit: int) -> int:
        last = follower.seen[-1] if follower.seen else 0
        expected = [number for number in self._ids_of(follower.session) if number > last][:limit]
        with self.database.reading() as db:
            if follower.session is not None and not self._ids_of(follower.session):
                with pytest.raises(UnknownSession):
                    events_since(db, follower.session, last, limit)
                return 0
            events = events_since(db, follower.session, last, limit)
        assert [event.id for event in events] == expected
        assert [encode_event(event) for event in events] == [self.lines[number] for number in expected]
        follower.seen += expected
        return len(expected)


def _without_payload(line: str) -> str:
    return json.dumps(json.loads(line) | {"payload": None}, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def test_in_whatever_order_the_log_is_used_it_keeps_what_it_said(empty_database: Path, soak: bool) -> None:
    machine = type("LogMachineHere", (LogMachine,), {"source": empty_database})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=1000 if soak else 50,
            stateful_step_count=50 if soak else 40,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
