"""What is said to be on the disk has been asked of the disk before: the system calls show it."""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import pytest

from storage.upgrading import upgrade
from tests.folders import clean_environment
from tests.support import ROOT, Server

TOKEN = "byl_for-tests-only-0123456789-0123456789-abcdef"

PROGRAM = """
import os, sys
from pathlib import Path
from eventlog.actors import Nobody
from eventlog.log.appending import append_event
from eventlog.events import SERVER_STARTED
from eventlog.ledger.announcing import Outcome, operation, record_intent, record_outcome
from storage.engine import Database

database, by = Database(Path(sys.argv[1]), readers=1), Nobody("s", "(test)")

def mark(name):
    os.write(1, f"mark {name}\\n".encode())

mark("start")
record_intent(database, "test.work", by=by, call_id="c1")
mark("announced")
with database.transaction() as db:
    record_outcome(db, "c1", Outcome.DONE)
mark("concluded")
with operation(database, "test.work", by=by):
    mark("inside")
mark("ended")
with database.transaction() as db:
    append_event(db, SERVER_STARTED, by=by)
mark("appended")
with database.reading() as db:
    db.exec_driver_sql("SELECT count(*) FROM events")
mark("read")
"""


@pytest.fixture(scope="module")
def strace(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The program that shows system calls, where it may."""
    found = shutil.which("strace")
    if found is None:
        pytest.skip("strace is not installed")
    trial = tmp_path_factory.mktemp("strace") / "trial"
    done = subprocess.run([found, "-f", "-y", "-o", str(trial), "true"], capture_output=True, text=True, timeout=30)
    if done.returncode != 0:
        pytest.skip(f"strace may not look at other programs here: {done.stderr.strip()}")
    return found


def completed_calls(trace: Path) -> list[str]:
    """The system calls in the order in which they ended, each on a line, whatever came in between."""
    begun: dict[str, str] = {}
    calls = []
    for line in trace.read_text(errors="replace").splitlines():
        thread, _, text = line.partition(" ")
        text = text.strip()
        if text.endswith("<unfinished ...>"):
            begun[thread] = text.removesuffix("<unfinished ...>")
        elif resumed := re.match(r"<\.\.\. \w+ resumed>(.*)", text):
            calls.append(begun.pop(thread, "") + resumed[1])
        else:
            calls.append(text)
    return calls


def syncs(calls: list[str], file: str) -> list[str]:
    """Those that ended well of the database or its log."""
    wanted = re.compile(rf"f(?:data)?sync\(\d+<[^>]*{re.escape(file)}(-wal)?>\) += 0")
    return [call for call in calls if wanted.match(call)]


def between(calls: list[str], first: str, last: str) -> list[str]:
    [begin] = [place for place, call in enumerate(calls) if first in call]
    [end] = [place for place, call in enumerate(calls) if last in call]
    assert begin < end
    return calls[begin:end]


def test_announcing_concluding_and_appending_sync_before_they_return(strace: str, tmp_path: Path) -> None:
    database, trace = tmp_path / "byline.db", tmp_path / "trace"
    upgrade(database)
    subprocess.run(
        [strace, "-f", "-y", "-e", "trace=write,fsync,fdatasync", "-o", str(trace), sys.executable, "-c", PROGRAM, str(database)],
        cwd=ROOT,
        env=clean_environment(),
        stdout=subprocess.DEVNULL,
        timeout=120,
        check=True,
    )  # fmt: skip
    calls = completed_calls(trace)
    steps = ["start", "announced", "concluded", "inside", "ended", "appended", "read"]
    counts = {
        last: len(syncs(between(calls, f"mark {first}", f"mark {last}"), database.name))
        for first, last in pairwise(steps)
    }
    assert counts.pop("read") == 0
    assert min(counts.values()) >= 1, counts


def test_the_server_syncs_between_the_request_and_its_answer(strace: str, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    server = Server(tmp_path / "instance", processes=1, BYLINE_API_TOKEN=TOKEN)
    with traced(strace, trace, server):
        program = server.browser()
        program.headers["Authorization"] = f"Bearer {TOKEN}"
        post = {"title": "Hello", "body": "World", "status": "published"}
        assert program.post("/v1/posts?first", json=post).status_code == 201
        assert program.post("/v1/posts?second", json=post).status_code == 201
        assert program.get("/v1/posts?third").status_code == 200
    calls = completed_calls(trace)
    # The first one also records that the token was used; what it asks of the disk would hide a missing sync.
    until = next(place for place, call in enumerate(calls) if "GET /v1/posts?third" in call)
    asked = next(place for place, call in enumerate(calls) if "POST /v1/posts?second" in call)
    answered = next(place for place in range(asked, until) if "HTTP/1.1 201" in calls[place])
    assert syncs(calls[asked:answered], "byline.db")
    read = next(place for place in range(until, len(calls)) if "HTTP/1.1 200" in calls[place])
    assert syncs(calls[until:read], "byline.db") == []


@contextmanager
def traced(strace: str, trace: Path, server: Server) -> Iterator[None]:
    """While the block runs, the server answers, and its system calls are written down."""
    traced = "trace=fsync,fdatasync,read,recv,recvfrom,recvmsg,write,writev,send,sendto,sendmsg"
    process = subprocess.Popen(
        [strace, "-f", "-y", "-s", "100", "-e", traced, "-o", str(trace), sys.executable, "app.py", "serve"],
        cwd=ROOT,
        env=clean_environment(**server.environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    try:
        assert any("Byline is at" in line for line in iter(process.stdout.readline, ""))
        yield
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
