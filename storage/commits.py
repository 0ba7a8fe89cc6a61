"""Whether anything was committed since: SQLite's own test on SQLite's own memory, without asking SQLite.

Beside a database in WAL mode lies its WAL-index, which all its connections have mapped. Each commit writes the head of
it anew before it is acknowledged, and a reader whose last head is still there knows that nothing has changed
(sqlite.org/walformat.html, section 2). `PRAGMA data_version` does the same in thirty times the time, and lets go of the
interpreter.
"""

import itertools
import mmap
import os
import struct
import threading
from pathlib import Path
from typing import Any

from storage import sqlite

# Which opening of the database it is of, and the head of the index.
Mark = tuple[int, bytes]

# Of the head there are two copies, one behind the other; the first is written last.
_HEAD_BYTES = 48
# What it begins with, in the byte order of the machine.
_KNOWN_FORMAT = struct.pack("=I", 3007000)

_openings = itertools.count()


class Commits:
    """Tells apart the states that a database was in. Not to be asked before the fork."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._opened: tuple[int, mmap.mmap | None] | None = None
        # Open as long as the index is looked at: while somebody is there, SQLite neither deletes nor cuts it.
        self._connection: Any = None
        self._lock = threading.Lock()

    def mark(self) -> Mark | None:
        """The same as before only where nothing was committed in between; None where that cannot be known.

        To be taken before what it stands for is read. It waits for no other program, and raises the errors of the
        driver.
        """
        number, index = self._opened or self._open()
        return None if index is None else (number, index[:_HEAD_BYTES])

    def close(self) -> None:
        """Release the database; the next question opens it again."""
        with self._lock:
            self._opened = None
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _open(self) -> tuple[int, mmap.mmap | None]:
        with self._lock:
            if self._opened is None:
                connection = sqlite.driver.connect(str(self._path), check_same_thread=False, timeout=0)
                try:
                    # Not before it has read does a connection open the index.
                    connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
                    (mode,) = connection.execute("PRAGMA journal_mode").fetchone()
                    (_number, _name, file) = connection.execute("PRAGMA database_list").fetchone()
                except BaseException:
                    connection.close()
                    raise
                self._connection = connection
                self._opened = next(_openings), _indexes.map(Path(f"{file}-shm")) if mode == "wal" else None
            return self._opened


class _Indexes:
    """What this process has mapped, by device and inode.

    A descriptor that is closed takes every lock with it that the process has on the file, SQLite's among them. So none
    is, nor a mapping, which has one of its own, before the file is deleted and SQLite has let go of it too.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[int, int], tuple[int, mmap.mmap | None]] = {}
        self._lock = threading.Lock()

    def map(self, path: Path) -> mmap.mmap | None:
        """The index at that path, if it is the one that SQLite has mapped, and of the format that is known."""
        with self._lock:
            try:
                self._forget_deleted()
                there = path.stat()
                key = there.st_dev, there.st_ino
                if _times_mapped(there.st_ino) <= self._own_times(key):
                    return None
                if key not in self._known:
                    self._known[key] = os.open(path, os.O_RDONLY | os.O_CLOEXEC), None
                descriptor, index = self._known[key]
                if index is None:
                    index = mmap.mmap(descriptor, _HEAD_BYTES, access=mmap.ACCESS_READ)
                    self._known[key] = descriptor, index
            except (OSError, ValueError):
                return None
            return index if index[: len(_KNOWN_FORMAT)] == _KNOWN_FORMAT else None

    def _forget_deleted(self) -> None:
        for key, (descriptor, _index) in list(self._known.items()):
            if os.fstat(descriptor).st_nlink == 0 and _times_mapped(key[1]) <= self._own_times(key):
                del self._known[key]
                os.close(descriptor)

    def _own_times(self, key: tuple[int, int]) -> int:
        return 0 if self._known.get(key, (-1, None))[1] is None else 1


_indexes = _Indexes()


def _times_mapped(inode: int) -> int:
    """How often this process has mapped that WAL-index, as Linux says; elsewhere an OSError."""
    maps = Path("/proc/self/maps").read_text(errors="replace").splitlines()
    return sum("-shm" in line and line.split(maxsplit=5)[4] == str(inode) for line in maps)
