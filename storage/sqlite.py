"""The one place that knows which SQLite this is and how its connections are set up.

Two copies of SQLite in one process drop each other's file locks, so no other module imports a driver.
"""

from typing import Any

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
    cursor.close()


def is_busy(error: BaseException) -> bool:
    """Whether a driver error means that somebody else held the lock for too long."""
    return _code(error) in _BUSY_CODES


def is_unwritable(error: BaseException) -> bool:
    """Whether a driver error means that the disk or the folder takes no more."""
    return _code(error) in _UNWRITABLE_CODES


def is_damaged(error: BaseException) -> bool:
    """Whether a driver error means that the file is not a whole database."""
    return _code(error) in _DAMAGED_CODES


def _code(error: BaseException) -> int | None:
    code = getattr(error, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF
