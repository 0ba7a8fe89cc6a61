"""Whether anything was committed since: SQLite's own test on SQLite's own memory, without asking SQLite.

Beside a database in WAL mode lies its WAL-index, which all its connections have mapped. Each commit writes the head of
it anew before it is acknowledged, and a reader whose last head is still there knows that nothing has changed
(sqlite.org/walformat.html, section 2). `PRAGMA data_version` does the same in thirty times the time, and lets go of the
interpreter.
"""

import mmap
import os
import struct
import threading
from pathlib import Path
from typing import Any

from storage import sqlite

# Of the head there are two copies, one behind the other; the first is written last.
_HEAD_BYTES = 48
# What it begins with, in the byte order of the machine.
_KNOWN_FORMAT = struct.pack("=I", 3007000)

# A descriptor that is closed takes every lock with it that this process has on the file, SQLite's among them. So none
# is, nor a mapping, which has one of its own, until nobody can open the file any more.
_mappings: list[tuple[int, mmap.mmap]] = []
_lock = threading.Lock()


class Commits:
    """Tells apart the states that a database was in. Create it after the fork."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._index: mmap.mmap | bytes | None = None
        # Open as long as the index is looked at: while somebody is there, SQLite neither deletes nor cuts it.
        self._connection: Any = None

    def mark(self) -> bytes:
        """The same bytes as before where nothing was committed in between; none where that cannot be known.

        To be taken before what it stands for is read. It waits for nobody, and raises the errors of the driver.
        """
        index = self._index
        if index is None:
            index = self._open()
        return index[:_HEAD_BYTES]

    def close(self) -> None:
        """Release the database; the next question opens it again."""
        with _lock:
            self._index = None
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _open(self) -> mmap.mmap | bytes:
        with _lock:
            if self._index is None:
                connection = sqlite.driver.connect(str(self._path), check_same_thread=False, timeout=0)
                try:
                    # Not before it has read does a connection open the index.
                    connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
                    (mode,) = connection.execute("PRAGMA journal_mode").fetchone()
                    self._index = _map(Path(f"{self._path}-shm")) if mode == "wal" else b""
                except BaseException:
                    connection.close()
                    raise
                self._connection = connection
            return self._index


def _map(path: Path) -> mmap.mmap | bytes:
    _close_deleted()
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return b""
    index = mmap.mmap(descriptor, _HEAD_BYTES, access=mmap.ACCESS_READ)
    _mappings.append((descriptor, index))
    return index if index[: len(_KNOWN_FORMAT)] == _KNOWN_FORMAT else b""


def _close_deleted() -> None:
    for mapping in list(_mappings):
        if os.fstat(mapping[0]).st_nlink == 0:
            _mappings.remove(mapping)
            os.close(mapping[0])
