"""Rebuilding a table, Alembic's batch mode, without losing triggers.

The new table is made under another name, the old one is dropped, which takes its triggers along, and then the new one
is renamed, which fails when any trigger anywhere names the table that is not there at that moment.
"""

import re
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event

_BEGINS = re.compile(r'\s*CREATE TABLE "?_alembic_tmp_')
_ENDS = re.compile(r'\s*ALTER TABLE "?_alembic_tmp_')
_TRIGGERS = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"


def keep_triggers(connection: sa.Connection) -> None:
    """Let all triggers step aside during each rebuild on this connection, and come back after it.

    One that a migration takes away by itself stays away. One that names a column which a rebuild takes away must be
    taken away before, and made anew after it, by the migration.
    """
    aside: list[str] = []

    @event.listens_for(connection, "before_cursor_execute")
    def step_aside(_connection: Any, cursor: Any, statement: str, *_rest: Any) -> None:
        if _BEGINS.match(statement):
            for name, trigger in cursor.execute(_TRIGGERS).fetchall():
                aside.append(trigger)
                cursor.execute(f'DROP TRIGGER "{name}"')

    @event.listens_for(connection, "after_cursor_execute")
    def come_back(_connection: Any, cursor: Any, statement: str, *_rest: Any) -> None:
        if _ENDS.match(statement):
            while aside:
                cursor.execute(aside.pop())
