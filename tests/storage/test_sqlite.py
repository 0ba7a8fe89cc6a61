"""One copy of SQLite in a process: two of them drop each other's locks (trap 14)."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from storage import sqlite
from storage.errors import Busy, Damaged, Full
from tests.folders import clean_environment
from tests.support import ROOT

DRIVERS = {"sqlite3", "_sqlite3", "pysqlite3"}


def imported_by(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name.split(".")[0] for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module.split(".")[0]


def test_one_module_alone_imports_a_driver() -> None:
    folders = [folder for folder in ROOT.iterdir() if folder.is_dir() and not folder.name.startswith(".")]
    ours = [*ROOT.glob("*.py"), *(path for folder in folders for path in folder.rglob("*.py"))]
    assert len(ours) > 50
    importers = [str(path.relative_to(ROOT)) for path in ours if DRIVERS.intersection(imported_by(path))]
    assert importers == ["storage/sqlite.py"]


def test_no_library_brings_another_copy_into_the_process(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from app import create_app;"
        "app = create_app(); print(app.test_client().get('/').status_code, '_sqlite3' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=clean_environment(BYLINE_INSTANCE=str(tmp_path)),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "200 False"


def test_driver_errors_are_told_apart_by_their_codes() -> None:
    def error(code: int) -> Any:
        made: Any = sqlite.driver.OperationalError("as SQLite says")
        made.sqlite_errorcode = code
        return made

    assert isinstance(sqlite.refusal_for(error(5)), Busy)
    assert isinstance(sqlite.refusal_for(error(517)), Busy)  # BUSY_SNAPSHOT
    assert isinstance(sqlite.refusal_for(error(13)), Full)
    assert isinstance(sqlite.refusal_for(error(778)), Full)  # IOERR_WRITE
    assert isinstance(sqlite.refusal_for(error(26)), Damaged)
    assert isinstance(sqlite.refusal_for(error(267)), Damaged)  # CORRUPT_VTAB
    assert sqlite.refusal_for(error(2067)) is None  # CONSTRAINT_UNIQUE
    assert sqlite.refusal_for(ValueError("not SQLite's")) is None
