"""What the log cannot take is refused in words, and nothing of it is left: no event, no change, no file."""

import os
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
import sqlalchemy as sa

from app import LINKS
from auth.blocking.blocking import block
from auth.permissions import Scope
from eventlog.actors import Nobody
from eventlog.errors import UnknownSession
from eventlog.events import LOG_EXPORTED, SERVER_STARTED
from eventlog.kinds import Kind
from eventlog.ledger.announcing import Outcome, operation, orphan_intents, record_intent, record_outcome
from eventlog.ledger.model import Intent, intents_table
from eventlog.log.appending import append_event
from eventlog.log.exporting import Level, Wanted, export_log
from eventlog.log.following import events_since
from eventlog.log.model import Event
from eventlog.log.payloads import MOST_BYTES
from eventlog.log.verifying import verify
from storage.errors import FolderUnusable, Full
from tests.eventlog.corpus import PLANTED
from tests.folders import run_byline
from tests.support import ROOT, SECRET, TESTER, Site
from web.errors import Conflict, Invalid, NotFound
from web.site.queries import change_site, read_site

SURROGATE = "\ud800"
WANTED = Wanted(Level.STANDARD, "Notes")


def bottomless() -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(20_000):
        value = {"a": value}
    return value


def circle() -> dict[str, Any]:
    value: dict[str, Any] = {}
    value["itself"] = value
    return value


NOT_JSON: dict[str, Callable[[], dict[Any, Any]]] = {
    "NaN": lambda: {"a": float("nan")},
    "infinity": lambda: {"a": [float("-inf")]},
    "bytes": lambda: {"a": b"bytes"},
    "a set": lambda: {"a": {1, 2}},
    "an object": lambda: {"a": object()},
    "a mapping of another type": lambda: {"a": MappingProxyType({})},
    "half a character": lambda: {"a": SURROGATE},
    "half a character in a name": lambda: {SURROGATE: 1},
    "names of several types": lambda: {1: 1, "a": 2},
    "a name that is a pair": lambda: {("a", 1): 2},
    "a number without end": lambda: {"a": 10**5000},
    "bottomless": bottomless,
    "a circle": circle,
}

TOO_LARGE: dict[str, Callable[[], dict[str, Any]]] = {
    "1 MB": lambda: {"a": "x" * 1_000_000},
    "one byte more": lambda: {"a": "x" * (MOST_BYTES - len('{"a":""}') + 1)},
    "in bytes, not in characters": lambda: {"a": "日" * (MOST_BYTES // 3)},
    "many small ones": lambda: {str(number): number for number in range(10_000)},
}


def _events(site: Site) -> list[Event]:
    with site.database.reading() as db:
        return events_since(db, None, 0, 0)


def _intents(site: Site) -> list[Intent]:
    with site.database.reading() as db:
        return [Intent(**row._mapping) for row in db.execute(sa.select(intents_table))]


def _name(site: Site) -> str:
    with site.database.reading() as db:
        return read_site(db).name


def _rename(db: sa.Connection) -> None:
    change_site(db, name="Changed", tagline="", language="en", time_zone="UTC")


@pytest.mark.parametrize("make", (NOT_JSON | TOO_LARGE).values(), ids=NOT_JSON | TOO_LARGE)
def test_a_payload_that_is_not_json_or_too_large_is_refused_with_its_change(
    site: Site, make: Callable[[], dict[str, Any]]
) -> None:
    before, name = _events(site), _name(site)

    def change() -> None:
        with site.database.transaction() as db:
            _rename(db)
            append_event(db, SERVER_STARTED, by=TESTER, payload=make())

    with pytest.raises(Invalid) as refused:
        change()
    assert set(refused.value.fields) == {"payload"}
    with pytest.raises(Invalid):
        record_intent(site.database, "test.work", by=TESTER, call_id="c1", payload=make())
    with pytest.raises(Invalid), operation(site.database, "test.work", by=TESTER, payload=make()):
        pytest.fail("It was begun without having been announced.")
    assert (_events(site), _intents(site), _name(site)) == (before, [], name)


def test_the_largest_payload_and_every_character_are_kept(site: Site) -> None:
    largest = {"a": "x" * (MOST_BYTES - len('{"a":""}'))}
    odd = {
        "\x00": "a NUL \x00, a bell \x07, \u2028, \ufeff, \U0010ffff, \x7f, a line\r\n",
        "": [None, True, 1.5, 10**300],
    }
    with site.database.transaction() as db:
        for payload in (largest, odd):
            append_event(db, SERVER_STARTED, by=TESTER, subject="post:\x00", payload=payload)
    assert [event.payload for event in _events(site)[-2:]] == [largest, odd]
    assert verify(site.database).fault is None


def test_what_json_says_in_another_way_is_kept_as_json_and_redacted(site: Site) -> None:
    secret = PLANTED[0]
    pair = (secret.text, {"password": ("swordfish",)})
    payload: dict[str, Any] = {"numbered": {1: "one", 2: secret.text}, "pair": pair, "level": Level.STRICT}
    with site.database.transaction() as db:
        append_event(db, SERVER_STARTED, by=TESTER, payload=payload)
    stored = _events(site)[-1].payload
    assert stored is not None
    assert stored.pop("redacted") == {secret.pattern: 2, "password": 1}
    assert stored == {
        "numbered": {"1": "one", "2": f"[redacted: {secret.pattern}]"},
        "pair": [f"[redacted: {secret.pattern}]", {"password": ["[redacted: password]"]}],
        "level": "strict",
    }
    assert verify(site.database).fault is None


@pytest.mark.parametrize("field", ["subject", "session", "actor"])
def test_half_a_character_in_an_envelope_is_refused_with_its_change(site: Site, field: str) -> None:
    before, name = _events(site), _name(site)
    by = Nobody(SURROGATE if field == "session" else "s", SURROGATE if field == "actor" else "(test)")

    def change() -> None:
        with site.database.transaction() as db:
            _rename(db)
            append_event(db, SERVER_STARTED, by=by, subject=SURROGATE if field == "subject" else None)

    with pytest.raises(ValueError, match="cannot be written as JSON"):
        change()
    assert (_events(site), _name(site)) == (before, name)


def test_a_kind_that_nobody_declared_is_refused_with_its_change(site: Site) -> None:
    before, name = _events(site), _name(site)

    def change(kind: Kind) -> None:
        with site.database.transaction() as db:
            _rename(db)
            append_event(db, kind, by=TESTER)

    # The second has a declared name and is not what was declared: it could hide that a field is private.
    for kind in (Kind("test.undeclared"), Kind("server.started")):
        with pytest.raises(ValueError, match="not declared"):
            change(kind)
    assert (_events(site), _name(site)) == (before, name)


def test_a_place_beyond_every_number_has_nothing_after_it_and_one_below_has_everything(site: Site) -> None:
    everything = _events(site)
    with site.database.reading() as db:
        for since in (-1, -(2**63), -(2**63) - 1, -(10**30)):
            assert events_since(db, None, since, 0) == everything
        for since in (everything[-1].id, 2**63 - 1, 2**63, 10**30):
            assert events_since(db, None, since, 0) == []
            assert events_since(db, "test", since, 0) == []
        assert events_since(db, None, 0, 2**63) == events_since(db, None, 0, -1) == everything
        for session in ("nobody's", "", "te%", "\x00"):
            with pytest.raises(UnknownSession):
                events_since(db, session, 0, 0)


@pytest.mark.parametrize(
    "query",
    [
        *("since=-1", "since=x", "since=", "since=1.0", "since=1e3", "since=٣", "since=+1", "since=0x1", "since=%00"),
        *("since=9223372036854775808", "since=" + "9" * 5000, "limit=0", "limit=-1", "limit=101", "limit=", "limit=x"),
    ],
)
def test_a_number_that_is_none_is_a_422_that_names_it(site: Site, query: str) -> None:
    program = site.client(token=site.token("olive", Scope.EVENTS_READ))
    for accept in ("application/json", "text/event-stream"):
        answer = program.get(f"/v1/events?{query}", headers={"Accept": accept})
        assert answer.status_code == 422
        assert answer.json is not None
        assert [fault["field"] for fault in answer.json["errors"]] == [query.partition("=")[0]]
    assert program.get("/v1/events?since=9223372036854775807").json == {"items": [], "next": None}
    assert program.get("/v1/events?session=%00").status_code == 404
    assert program.get("/v1/events?session=%ED%A0%80").status_code == 404


def test_an_outcome_that_cannot_be_is_refused_and_the_operation_stays_open(site: Site) -> None:
    record_intent(site.database, "test.work", by=TESTER, call_id="c1")
    before = _intents(site)

    def conclude(call_id: str, note: str) -> None:
        with site.database.transaction() as db:
            _rename(db)
            record_outcome(db, call_id, Outcome.DONE, note=note)

    for call_id, note, refusal in (("c1", "x" * 1001, Invalid), ("c2", "x", NotFound), ("c1\x00", "x", NotFound)):
        with pytest.raises(refusal):
            conclude(call_id, note)
    with pytest.raises(Conflict):
        record_intent(site.database, "test.other", by=TESTER, call_id="c1")
    assert _intents(site) == before
    assert _name(site) != "Changed"


def test_an_operation_that_fails_in_words_that_nobody_can_write_is_concluded_all_the_same(site: Site) -> None:
    with pytest.raises(OSError, match="half"), operation(site.database, "test.work", by=TESTER):
        raise OSError(f"half a character: {SURROGATE}, and a NUL: \x00")
    [intent] = _intents(site)
    assert intent.outcome == Outcome.FAILED
    assert intent.note == "OSError: half a character: \\ud800, and a NUL: \x00"


def test_a_secret_in_the_words_of_a_failure_goes_also_where_they_are_cut(site: Site) -> None:
    for secret in PLANTED:
        begin = 1000 - len("OSError: ") - secret.text.index(secret.secret) - 14
        with pytest.raises(OSError, match="x"), operation(site.database, "test.work", by=TESTER):
            raise OSError(f"{'x ' * (begin // 2)}\n{secret.text}\n{'y ' * 1000}")
    notes = [str(intent.note) for intent in _intents(site)]
    assert {len(note) for note in notes} == {1000}
    assert [secret for secret in PLANTED if any(secret.secret[:8] in note for note in notes)] == []


# A disk that is full


def _limit_pages(site: Site, count: int) -> None:
    """Let the database have that many pages at most, or as many as it has."""
    with site.database.write_engine.connect() as connection:
        driver_connection = connection.connection.dbapi_connection
        assert driver_connection is not None
        driver_connection.cursor().execute(f"PRAGMA max_page_count = {count}")


def test_on_a_full_disk_there_is_neither_an_event_nor_its_change(site: Site) -> None:
    before, name = _events(site), _name(site)
    head = verify(site.database).head

    def change() -> None:
        with site.database.transaction() as db:
            _rename(db)
            append_event(db, SERVER_STARTED, by=Nobody("new", "(test)"), payload={"a": "x" * 60_000})

    def announce() -> None:
        with operation(site.database, "test.work", by=TESTER, payload={"a": "x" * 60_000}):
            pytest.fail("It was begun without having been announced.")

    _limit_pages(site, 1)
    for action in (change, announce):
        with pytest.raises(Full):
            action()
    assert (_events(site), _intents(site), _name(site)) == (before, [], name)
    with site.database.reading() as db, pytest.raises(UnknownSession):
        events_since(db, "new", 0, 0)
    _limit_pages(site, 1_000_000)
    change()
    assert _name(site) == "Changed"
    verdict = verify(site.database, known_head=head)
    assert (verdict.fault, verdict.has_known_head, verdict.event_count) == (None, True, len(before) + 1)


def test_when_the_disk_fills_up_between_two_appends_what_was_said_to_be_there_is_there_and_no_more(site: Site) -> None:
    before = _events(site)
    program = (
        "import resource, sys\n"
        "from pathlib import Path\n"
        "from eventlog.actors import Nobody\n"
        "from eventlog.log.appending import append_event\n"
        "from eventlog.events import SERVER_STARTED\n"
        "from storage.engine import Database\n"
        "from storage.errors import Full\n"
        "from web.site.queries import change_site\n"
        "path = Path(sys.argv[1])\n"
        "database = Database(path, readers=1)\n"
        "room = path.with_name(f'{path.name}-wal').stat().st_size + 1_000_000\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (room, resource.RLIM_INFINITY))\n"
        "done = -1\n"
        "try:\n"
        "    while True:\n"
        "        with database.transaction() as db:\n"
        "            payload = {'n': done + 1, 'a': 'x' * 3000}\n"
        "            append_event(db, SERVER_STARTED, by=Nobody('new', '(test)'), payload=payload)\n"
        "            change_site(db, name=str(done + 1), tagline='', language='en', time_zone='UTC')\n"
        "        done += 1\n"
        "except Full:\n"
        "    print(done)\n"
    )
    command = [sys.executable, "-c", program, str(site.settings.database_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    last = int(done.stdout)
    assert last > 3
    assert _name(site) == str(last)
    added = _events(site)[len(before) :]
    assert [(event.payload or {})["n"] for event in added] == list(range(last + 1))
    verdict = verify(site.database)
    assert (verdict.fault, verdict.event_count) == (None, len(before) + last + 1)
    with site.database.transaction() as db:
        append_event(db, SERVER_STARTED, by=TESTER)
    assert verify(site.database).fault is None


@pytest.mark.parametrize("statement", ["INSERT INTO events", "INSERT INTO log_sessions", "UPDATE log_sessions"])
def test_when_any_statement_of_an_append_fails_the_change_goes_with_it(site: Site, statement: str) -> None:
    before, name = _events(site), _name(site)

    def fail(_connection: Any, _cursor: Any, text: str, *_rest: Any) -> None:
        if text.startswith(statement):
            raise Full("No room.")

    def change() -> None:
        with site.database.transaction() as db:
            _rename(db)
            block(db, "ada", by=Nobody("new", "(test)"), links=LINKS)

    sa.event.listen(site.database.write_engine, "before_cursor_execute", fail)
    try:
        with pytest.raises(Full):
            change()
    finally:
        sa.event.remove(site.database.write_engine, "before_cursor_execute", fail)
    assert (_events(site), _name(site)) == (before, name)
    assert verify(site.database).fault is None
    change()
    assert [event.kind for event in _events(site)[len(before) :]] == ["user.blocked"]


# Exports


def _fill(site: Site, count: int) -> None:
    with site.database.transaction() as db:
        for number in range(count):
            append_event(db, SERVER_STARTED, by=TESTER, payload={"n": number, "noise": os.urandom(1500).hex(" ", 3)})


def _left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_an_export_that_cannot_be_written_says_so_and_leaves_nothing(site: Site, tmp_path: Path) -> None:
    place = tmp_path / "place"
    place.mkdir()
    (place / "there.zip").write_text("mine")
    (place / "hanging.zip").symlink_to(place / "nowhere")
    (place / "folder.zip").mkdir()
    before = _left(place)
    for name in (
        "there.zip", "hanging.zip", "folder.zip", "no/folder.zip", "there.zip/below.zip", "x" * 250 + ".zip",
        "x" * 300 + ".zip", "", "/".join(["x" * 200] * 30),
    ):  # fmt: skip
        with pytest.raises(FolderUnusable):
            export_log(site.database, place / name, WANTED)
    with pytest.raises(UnknownSession):
        export_log(site.database, place / "new.zip", Wanted(Level.STRICT, "x", "nobody's"))
    assert (place / "there.zip").read_text() == "mine"
    assert _left(place) == before


def test_a_folder_that_may_not_be_written_to_is_named(site: Site, tmp_path: Path) -> None:
    place = tmp_path / "place"
    place.mkdir(mode=0o500)
    if os.access(place, os.W_OK):
        # Root may write anywhere but here.
        place = Path("/proc/self")
    with pytest.raises(FolderUnusable, match=r"new\.zip cannot be written"):
        export_log(site.database, place / "new.zip", WANTED)


def test_two_exports_into_one_place_do_not_mix(site: Site, tmp_path: Path) -> None:
    _fill(site, 5)
    target = tmp_path / "export.zip"
    has_begun, may_go_on = threading.Event(), threading.Event()

    def wait(_step: int) -> None:
        has_begun.set()
        assert may_go_on.wait(20)

    counts: list[int] = []
    first = threading.Thread(target=lambda: counts.append(export_log(site.database, target, WANTED, progress=wait)))
    first.start()
    try:
        assert has_begun.wait(20)
        with pytest.raises(FolderUnusable):
            export_log(site.database, target, WANTED)
    finally:
        may_go_on.set()
        first.join(20)
    with zipfile.ZipFile(target) as bundle:
        assert bundle.testzip() is None
        assert len(bundle.read("events.jsonl").splitlines()) == counts[0]
    assert _left(tmp_path) == ["export.zip", "instance"]


def test_what_an_export_that_was_killed_left_behind_does_not_hinder_the_next(site: Site, tmp_path: Path) -> None:
    target = tmp_path / "export.zip"
    (tmp_path / ".export.zip.unfinished").write_text("half of it")
    export_log(site.database, target, WANTED)
    assert zipfile.is_zipfile(target)
    assert _left(tmp_path) == ["export.zip", "instance"]


@pytest.mark.parametrize("level", ["strict", "standard", "maintainer"])
def test_an_export_that_fills_the_disk_says_so_is_recorded_as_failed_and_leaves_nothing(
    site: Site, tmp_path: Path, level: str
) -> None:
    _fill(site, 300)
    before, head = _events(site), verify(site.database).head
    place = tmp_path / "place"
    place.mkdir()
    # Less than the zip needs. What the ledger writes still fits: it goes to the beginning of an emptied log.
    room = {"strict": 1000, "standard": 200_000, "maintainer": 4000}[level]
    done = _export_with_room_for(site, place / "new.zip", level, room)
    assert (done.returncode, done.stdout) == (1, ""), done.stderr
    assert "new.zip cannot be written" in done.stderr
    assert "Traceback" not in done.stderr
    assert _left(place) == []
    assert _events(site) == before
    [intent] = _intents(site)
    assert (intent.operation, intent.outcome) == ("log.export", Outcome.FAILED)
    assert verify(site.database).head == head
    again = run_byline(site.folder, "log", "export", str(place / "new.zip"), "--level", level, environment=KEY)
    assert again.stdout == f"Wrote {len(before)} events.\n"
    assert _events(site)[-1].kind == LOG_EXPORTED.name


KEY = {"SECRET_KEY": SECRET}


def _export_with_room_for(site: Site, target: Path, level: str, room: int) -> "subprocess.CompletedProcess[str]":
    """The command, with the disk full from the moment on at which it has begun to write the zip."""
    program = (
        "import resource, sys; sys.argv = ['byline', *sys.argv[1:]]\n"
        "from eventlog.log import exporting\n"
        "write = exporting.write_bundle\n"
        "def write_on_a_small_disk(*args, **named):\n"
        "    before = resource.getrlimit(resource.RLIMIT_FSIZE)\n"
        f"    resource.setrlimit(resource.RLIMIT_FSIZE, ({room}, before[1]))\n"
        "    try:\n"
        "        return write(*args, **named)\n"
        "    finally:\n"
        "        resource.setrlimit(resource.RLIMIT_FSIZE, before)\n"
        "exporting.write_bundle = write_on_a_small_disk\n"
        "from app import main\n"
        "main()\n"
    )
    return subprocess.run(
        [sys.executable, "-c", program, "log", "export", str(target), "--level", level],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "BYLINE_INSTANCE": str(site.folder), **KEY},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_the_command_refuses_names_in_one_sentence_and_concludes_what_it_announced(site: Site, tmp_path: Path) -> None:
    strange = tmp_path / os.fsdecode(b"\xff.zip")
    strange.write_text("mine")
    for path in (strange, tmp_path / "no" / "folder.zip", tmp_path / ("x" * 300)):
        done = run_byline(site.folder, "log", "export", str(path), "--level", "strict", environment=KEY)
        assert (done.returncode, done.stdout) == (1, ""), done.stderr
        assert "Traceback" not in done.stderr
    with site.database.reading() as db:
        assert orphan_intents(db) == []
    assert [intent.outcome for intent in _intents(site)] == [Outcome.FAILED] * 3
    assert strange.read_text() == "mine"
