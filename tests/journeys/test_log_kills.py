"""`kill -9` between an announcement and its outcome leaves a question that stands until a person has answered it."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from eventlog.actors import Nobody
from eventlog.errors import OrphanIntents
from eventlog.ledger.announcing import Outcome, operation, orphan_intents, record_intent, record_outcome
from eventlog.ledger.disposing import dispose
from eventlog.log.following import events_since
from eventlog.log.verifying import verify
from storage.engine import Database
from tests.folders import run_byline
from tests.support import ROOT, TESTER, Server, find_form_token, read_all
from web.errors import Conflict

# Announced, begun, and not ended: half of the programs do it by hand, half as any operation is done.
PROGRAM = """
import sys
from pathlib import Path
from eventlog.actors import Nobody
from eventlog.ledger.announcing import operation, record_intent
from storage.engine import Database

path, session, effect, by_hand = sys.argv[1:]
database, by = Database(Path(path), readers=1), Nobody(session, "(test)")

def begin(call_id):
    with open(effect, "a") as file:
        file.write(session + "\\n")
    print(call_id, flush=True)
    sys.stdin.read()

if by_hand == "yes":
    begin(record_intent(database, "test.work", by=by, call_id="call." + session, payload={"of": session}).call_id)
else:
    with operation(database, "test.work", by=by, payload={"of": session}) as call_id:
        begin(call_id)
"""


@dataclass
class Left:
    """What a killed program has left behind."""

    call_id: str
    session: str


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    running = Server(tmp_path / "instance", processes=1).start()
    yield running
    running.kill()


def killed_in_the_middle(path: Path, effect: Path, number: int) -> Left:
    session = f"crash.{number}"
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(path), session, str(effect), "yes" if number % 2 else "no"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        call_id = process.stdout.readline().strip()
    finally:
        process.kill()
        process.communicate()
    assert (process.returncode, bool(call_id)) == (-9, True)
    return Left(call_id, session)


@contextmanager
def opened(path: Path) -> Iterator[Database]:
    database = Database(path, readers=1)
    try:
        yield database
    finally:
        database.close()


def open_calls(path: Path, session: str | None = None) -> list[tuple[str, str]]:
    with opened(path) as database, database.reading() as db:
        return [(intent.call_id, intent.session_id) for intent in orphan_intents(db, session)]


def listed(server: Server) -> list[list[str]]:
    done = run_byline(server.folder, "log", "orphans")
    assert (done.returncode, done.stderr) == (0, "")
    return [line.split("\t") for line in done.stdout.splitlines()]


def stored(path: Path) -> list[tuple[Any, ...]]:
    """What the killed programs have announced."""
    rows = read_all(path, "SELECT * FROM intents WHERE payload LIKE '{\"of\":%' ORDER BY call_id")
    return [tuple(row) for row in rows]


def test_each_orphan_is_listed_once_runs_never_again_and_goes_for_good_when_a_person_says_what_became_of_it(
    server: Server, tmp_path: Path, soak: bool
) -> None:
    path, effect = server.folder / "byline.db", tmp_path / "effect"
    left = [killed_in_the_middle(path, effect, number) for number in range(50 if soak else 5)]
    expected = [(each.call_id, each.session) for each in left]
    assert open_calls(path) == expected
    for each in left:
        assert open_calls(path, each.session) == [(each.call_id, each.session)]
    assert open_calls(path, "another") == []
    assert [line[:3] for line in listed(server)] == [[c, "test.work", session] for c, session in expected]

    # Not by the next start, nor by one after a kill.
    before = stored(path)
    server.stop()
    server.start()
    server.kill()
    server.start()
    olive = server.browser()
    assert olive.sign_in().status_code == 303
    assert stored(path) == before
    assert effect.read_text().split() == [each.session for each in left]
    page = olive.get("/admin/unfinished").text
    assert [page.count(f'/admin/unfinished/{each.call_id}"') for each in left] == [1] * len(left)

    with opened(path) as database:
        for each in left:
            check_that_it_must_be_answered_first(database, each)
        by_page, by_hand, *others = left
        answer = {"outcome": "abandoned", "note": "Nothing was written."}
        token = find_form_token(page)
        path_of_it = f"/admin/unfinished/{by_page.call_id}"
        assert olive.post(path_of_it, data={"csrf_token": token, **answer}).status_code == 303
        with database.transaction() as db:
            record_outcome(db, by_hand.call_id, Outcome.DONE)
        for each in others:
            with database.transaction() as db:
                dispose(db, each.call_id, "failed", note="", by=TESTER)
        check_that_no_second_answer_is_taken(database, by_page.call_id, Outcome.ABANDONED)
        check_that_no_second_answer_is_taken(database, by_hand.call_id, Outcome.DONE)
        assert olive.post(path_of_it, data={"csrf_token": token, **answer, "outcome": "done"}).status_code == 409
        disposed = stored(path)
        server.kill()
        server.start()
        assert (open_calls(path), listed(server), stored(path)) == ([], [], disposed)
        assert [row[:6] for row in disposed] == [row[:6] for row in before]
        # The question is answered: the same session may begin again.
        for each in left:
            with operation(database, "test.work", by=Nobody(each.session, "(test)")):
                pass
        assert open_calls(path) == []
        assert effect.read_text().split() == [each.session for each in left]
        check_the_log(database, by_page, others)


def check_that_it_must_be_answered_first(database: Database, left: Left) -> None:
    again = Nobody(left.session, "(test)")
    with pytest.raises(OrphanIntents) as refused, operation(database, "test.work", by=again):
        pytest.fail("It was begun again.")
    assert refused.value.call_ids == [left.call_id]
    assert left.call_id in str(refused.value)
    # Another operation of that session, and one that changes nothing, are other things.
    with operation(database, "test.other", by=again), operation(database, "test.work", by=again, is_mutating=False):
        pass
    # The announcement itself, made again, is the one that is there.
    payload = {"of": left.session}
    assert record_intent(database, "test.work", by=again, call_id=left.call_id, payload=payload).outcome is None


def check_that_no_second_answer_is_taken(database: Database, call_id: str, given: Outcome) -> None:
    for outcome in Outcome:
        if outcome == given:
            with database.transaction() as db:
                record_outcome(db, call_id, outcome)
        else:
            with pytest.raises(Conflict), database.transaction() as db:
                record_outcome(db, call_id, outcome)
        with pytest.raises(Conflict), database.transaction() as db:
            dispose(db, call_id, outcome, note="", by=TESTER)


def check_the_log(database: Database, by_page: Left, others: list[Left]) -> None:
    """What persons have said of operations stands in it once."""
    with database.reading() as db:
        events = [event for event in events_since(db, None, 0, 0) if event.kind == "operation.disposed"]
    assert [event.subject for event in events] == [f"operation:{each.call_id}" for each in (by_page, *others)]
    assert events[0].payload == {"operation": "test.work", "outcome": "abandoned", "note": "Nothing was written."}
    assert verify(database).fault is None


def test_an_export_that_is_killed_is_an_open_question_and_may_be_begun_again(server: Server, tmp_path: Path) -> None:
    target = tmp_path / "export.zip"
    program = (
        "import sys; from eventlog.log import exporting; write = exporting.write_bundle\n"
        "def write_and_wait(database, stream, *rest, **named):\n"
        "    write(database, stream, *rest, **named)\n"
        "    stream.flush(); print('written', flush=True); sys.stdin.read()\n"
        "exporting.write_bundle = write_and_wait\n"
        "from app import main\n"
        "main()\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program, "log", "export", str(target), "--level", "standard"],
        cwd=ROOT,
        env=server.environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "written\n"
    finally:
        process.kill()
        process.communicate()
    assert not target.exists()
    [orphan] = listed(server)
    assert orphan[1] == "log.export"
    done = run_byline(server.folder, "log", "export", str(target), "--level", "standard")
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["export.zip", "instance"]
    assert listed(server) == [orphan]
