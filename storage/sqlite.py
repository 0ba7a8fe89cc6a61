"""The one place that knows which SQLite this is and how its connections are set up.

Two copies of SQLite in one process drop each other's file locks, so no other module imports a driver.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from storage.errors import Busy, Damaged, Full
from storage.folding import folded

try:
    from pysqlite3 import dbapi2 as _driver
except ImportError:  # no wheel for this platform: the system's SQLite
    import sqlite3 as _driver

driver: Any = _driver

# Older ones can corrupt a WAL when several connections write and checkpoint (sqlite.org, release 3.51.3).
SAFE_FOR_MANY_WRITERS = (3, 51, 3)

BUSY_TIMEOUT_SECONDS = 5.0

# Primary result codes (sqlite.org/rescode.html); extended ones carry the primary in their low byte.
_BUSY_CODES = {5, 6}  # BUSY, LOCKED
_UNWRITABLE_CODES = {8, 10, 13, 14}  # READONLY, IOERR, FULL, CANTOPEN
_DAMAGED_CODES = {11, 26}  # CORRUPT, NOTADB


def version() -> str:
    """The version of the SQLite in use, as it says itself."""
    return str(driver.sqlite_version)


def allows_many_writers() -> bool:
    """Whether several processes may write; if not, there is one process with one writing connection."""
    return tuple(driver.sqlite_version_info) >= SAFE_FOR_MANY_WRITERS


def prepare(connection: Any, *, writes: bool) -> None:
    """Set up a fresh driver connection. Transactions are begun by us, in words, never by the driver."""
    connection.isolation_level = None
    connection.create_function("folded", 1, folded, deterministic=True)
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {int(BUSY_TIMEOUT_SECONDS * 1000)}")
    cursor.execute("PRAGMA foreign_keys = ON")
    if writes:
        cursor.execute("PRAGMA journal_mode = WAL")
        # NORMAL may lose the last commits when the power fails: a checkpoint is not an fsync.
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.execute("PRAGMA secure_delete = ON")
    else:
        cursor.execute("PRAGMA query_only = ON")
        # A quarter of what SQLite takes: there is one for every thread, and the system keeps the file in memory anyway.
        cursor.execute("PRAGMA cache_size = -512")
    cursor.close()


@contextmanager
def opened(path: Path, *, mode: str) -> Iterator[Any]:
    """A bare driver connection to a whole file, `ro` or `rw`, that commits by itself.

    Raises Busy, Full and Damaged in place of the driver's errors of those kinds.
    """
    try:
        uri = f"{path.absolute().as_uri()}?mode={mode}"
        connection = driver.connect(uri, uri=True, timeout=BUSY_TIMEOUT_SECONDS, isolation_level=None)
        try:
            yield connection
        finally:
            connection.close()
    except driver.DatabaseError as error:
        raise refusal_for(error, str(path)) or error from error


def refusal_for(error: BaseException, what: str = "The database") -> Busy | Full | Damaged | None:
    """A driver error in the words of this floor; None when it is a mistake of ours, such as a broken constraint."""
    code = getattr(error, "sqlite_errorcode", None)
    primary = None if code is None else code & 0xFF
    if primary in _BUSY_CODES:
        return Busy(f"{what} was held by another program for too long. Try again when that one has ended.")
    if primary in _UNWRITABLE_CODES:
        return Full(f"{what} could not be written: {error}. Look for room on the disk, and for the right to write.")
    if primary in _DAMAGED_CODES:
        return Damaged(f"{what} is damaged: {error}. Put a backup in its place.")
    return None
