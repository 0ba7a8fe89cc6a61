"""Connections that are kept for small questions asked at every request: nobody waits, and each costs microseconds."""

from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa

from storage import sqlite
from storage.commits import Commits, Mark
from storage.prepared import Prepared, Row

Made = TypeVar("Made")


class Unread(Exception):
    """The database cannot be read at this moment; whoever asks has another way, which waits and says what is wrong."""


class KeptConnections:
    """Reading connections of a process, as many as threads have asked at once. Not to be asked before the fork.

    One for all would be faster alone: whoever asks lets go of the interpreter, and would keep the connection from all
    others until it is their turn again.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._free: deque[Any] = deque()
        self._commits = Commits(path)

    def prepare(self, statement: sa.Select[Any]) -> Callable[..., Row | None]:
        """A function that answers a question with its first row, or None where there is none, given the values by name.

        It never waits for anybody, and raises Unread instead.
        """
        prepared = Prepared(statement)

        def ask(**values: Any) -> Row | None:
            connection = None
            try:
                connection = self._take()
                row: Row | None = connection.execute(prepared.text, prepared.with_known(values)).fetchone()
            except sqlite.driver.Error as error:
                if connection is not None:
                    connection.close()
                raise _unread(error) from error
            self._free.append(connection)
            return None if row is None else prepared.converted(row)

        return ask

    def remember(self, statement: sa.Select[Any], make: Callable[[Row], Made]) -> Callable[[], Made]:
        """The same for a question without values that has a row: what is made of it, and as long as nothing is
        committed, what was made."""
        ask = self.prepare(statement)
        known: tuple[Mark, Made] | None = None

        def answer() -> Made:
            nonlocal known
            try:
                # Before the answer is read: what is committed meanwhile makes it be read again.
                mark = self._commits.mark()
            except sqlite.driver.Error as error:
                raise _unread(error) from error
            answered = known
            if answered is None or mark != answered[0]:
                row = ask()
                assert row is not None
                made = make(row)
                known = None if mark is None else (mark, made)
                return made
            return answered[1]

        return answer

    def close(self) -> None:
        """Release them; the next question opens another."""
        self._commits.close()
        while self._free:
            self._free.pop().close()

    def _take(self) -> Any:
        try:
            return self._free.pop()
        except IndexError:
            return self._connect()

    def _connect(self) -> Any:
        connection = sqlite.driver.connect(str(self._path), check_same_thread=False, isolation_level=None, timeout=0)
        sqlite.prepare(connection, writes=False)
        connection.execute("PRAGMA busy_timeout = 0")
        return connection


def _unread(error: Exception) -> Exception:
    return error if sqlite.refusal_for(error) is None else Unread()
