"""The tables of the log, and what is true of an event and of a session that has some."""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from storage.schema import metadata

# The form of an event in chain, export and API.
SCHEMA_VERSION = 1

events_table = sa.Table(
    "events",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),  # 1, 2, 3 … in the order of commits
    sa.Column("session_id", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("subject", sa.Text),  # `post:ID`, `user:NAME` …; NULL: about nothing else
    sa.Column("occurred_at", sa.Integer, nullable=False),
    sa.Column("payload", sa.Text),  # canonical JSON; NULL: emptied by retention
    sa.Column("salt", sa.Text),  # goes with the payload, so that what it was cannot be guessed from the digest
    sa.Column("payload_digest", sa.Text, nullable=False),
    sa.Column("previous_digest", sa.Text, nullable=False),
    sa.Column("digest", sa.Text, nullable=False),
    sa.Index("ix_events_session_id_id", "session_id", "id"),
    sa.Index("ix_events_occurred_at", "occurred_at"),
    sa.Index("ix_events_with_payload", "occurred_at", sqlite_where=sa.text("payload IS NOT NULL")),
    sa.Index("ix_events_actor_id", "actor", "id"),
    sa.Index("ix_events_actor_kind_id", "actor", "kind", "id"),  # both are common, and together often rare
    sa.Index("ix_events_kind_id", "kind", "id"),
    sa.Index("ix_events_subject_id", "subject", "id"),
)

# One row for each session that has events, so that a list of them costs the same whatever the log's length.
log_sessions_table = sa.Table(
    "log_sessions",
    metadata,
    sa.Column("session_id", sa.Text, primary_key=True),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("first_seen_at", sa.Integer, nullable=False),
    sa.Column("last_seen_at", sa.Integer, nullable=False),
    sa.Column("event_count", sa.Integer, nullable=False),
    sa.Column("first_message", sa.Text, nullable=False),  # a device in words, a first question; empty: none
    sa.Index("ix_log_sessions_last_seen_at_session_id", "last_seen_at", "session_id"),
    sa.Index("ix_log_sessions_actor_last_seen_at", "actor", "last_seen_at"),
)

# The form that the log was last written in, and how long payloads are kept.
event_log_table = sa.Table(
    "event_log",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("schema_version", sa.Integer, nullable=False),
    sa.Column("retention_days", sa.Integer),  # NULL: for ever
    sa.CheckConstraint("id = 1", name="single"),
)


@dataclass(frozen=True, slots=True)
class Event:
    """One event. `payload` is None when retention has emptied it."""

    id: int
    session_id: str
    kind: str
    actor: str
    subject: str | None
    occurred_at: int
    payload: dict[str, Any] | None
    payload_digest: str
    previous_digest: str
    digest: str


@dataclass(frozen=True, slots=True)
class PastSession:
    """A session as the log knows it."""

    session_id: str
    actor: str
    first_seen_at: int
    last_seen_at: int
    event_count: int
    first_message: str


def subject_of_person(name: str) -> str:
    """The subject of an event about a person."""
    return f"user:{name}"
