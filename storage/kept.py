"""A connection that is kept for small questions asked at every request: it never waits, and costs microseconds."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite as dialect

from storage import sqlite

Row = tuple[Any, ...]


class Unread(Exception):
    """The database cannot be read at this moment; whoever asks has another way, which waits and says what is wrong."""


class KeptConnection:
    """One reading connection for all threads of a process. Create it after the fork."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: Any = None
        self._lock = threading.Lock()

    def prepare(self, statement: sa.Select[Any]) -> Callable[..., Row | None]:
        """A function that answers a question with its first row, or None where there is none, given the values by name.

        It never waits for anybody, and raises Unread instead.
        """
        text = str(statement.compile(dialect=dialect.dialect(paramstyle="named")))
        values_known = statement.compile().params

        def ask(**values: Any) -> Row | None:
            with self._lock:
                try:
                    if self._connection is None:
                        self._connection = self._connect()
                    row: Row | None = self._connection.execute(text, {**values_known, **values}).fetchone()
                except sqlite.driver.Error as error:
                    self._close()
                    if sqlite.refusal_for(error) is None:
                        raise
                    raise Unread from error
            return row

        return ask

    def close(self) -> None:
        """Release it; the next question opens it again."""
        with self._lock:
            self._close()

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _connect(self) -> Any:
        connection = sqlite.driver.connect(str(self._path), check_same_thread=False, isolation_level=None, timeout=0)
        sqlite.prepare(connection, writes=False)
        connection.execute("PRAGMA busy_timeout = 0")
        return connection
