"""What tests about the data folder share: its fingerprint, commands run on it, and another program that holds it."""

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.starting import run
from tests.support import ROOT

Fingerprint = dict[str, tuple[str, int, int, int]]


def fingerprint(folder: Path) -> Fingerprint:
    """Every file below a folder: digest, size, moment of the last change (ns) and mode.

    Without the lock, which every start makes, and what every opening of the database makes: an empty log and its index.
    """
    found = {}
    for path in sorted(folder.rglob("*")):
        is_empty_log = path.name.endswith("-wal") and path.stat().st_size == 0
        if path.is_file() and path.name != "byline.lock" and not path.name.endswith("-shm") and not is_empty_log:
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            stat = path.stat()
            found[str(path.relative_to(folder))] = (digest, stat.st_size, stat.st_mtime_ns, stat.st_mode)
    return found


def clean_environment(**environment: str) -> dict[str, str]:
    """The environment of a program of ours: nothing of whoever runs the tests decides a setting."""
    kept = {
        name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "PYTHONPATH", "LANG", "TMPDIR")
    }
    return kept | environment


def run_byline(
    folder: Path, *arguments: str, text: str = "", environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """A command of ours on a data folder, to its end."""
    return run(
        *arguments, environment=clean_environment(**{"BYLINE_INSTANCE": str(folder), **(environment or {})}), text=text
    )


@contextmanager
def another_program(database: Path, statement: str = "BEGIN IMMEDIATE") -> Iterator[None]:
    """While the block runs, another process has the database open, in the state that the statement leaves it in."""
    program = (
        "import sys; from storage import sqlite;"
        "connection = sqlite.driver.connect(sys.argv[1], isolation_level=None, timeout=30);"
        "[connection.execute(each).fetchall() for each in sys.argv[2].split(';')];"
        "print('held', flush=True); sys.stdin.read()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(database), statement],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "held\n"
        yield
    finally:
        process.communicate(timeout=30)
