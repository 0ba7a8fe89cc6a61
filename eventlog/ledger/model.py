"""The table of the ledger, and what is true of an announced operation."""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from storage.schema import metadata

# What was announced before its effect, and what became of it.
intents_table = sa.Table(
    "intents",
    metadata,
    sa.Column("call_id", sa.Text, primary_key=True),
    sa.Column("session_id", sa.Text, nullable=False, index=True),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("operation", sa.Text, nullable=False),
    sa.Column("payload", sa.Text, nullable=False),  # canonical JSON, redacted
    sa.Column("recorded_at", sa.Integer, nullable=False),
    sa.Column("outcome", sa.Text),  # done, failed, abandoned; NULL: open, or an orphan after a crash
    sa.Column("concluded_at", sa.Integer),
    sa.Column("note", sa.Text),  # why, in words; NULL: nothing to add
    sa.Index("ix_intents_outcome", "outcome"),
)


@dataclass(frozen=True, slots=True)
class Intent:
    """Something that was about to be done."""

    call_id: str
    session_id: str
    actor: str
    operation: str
    payload: dict[str, Any]
    recorded_at: int
    outcome: str | None
    concluded_at: int | None
    note: str | None
