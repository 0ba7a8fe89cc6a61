"""The tables of sessions and of the processes that minted their ids."""

from dataclasses import dataclass

import sqlalchemy as sa

from storage import clock
from storage.schema import metadata

IDLE_LIMIT = 30 * clock.DAY
IDLE_LIMIT_UNREMEMBERED = 24 * clock.HOUR
ABSOLUTE_LIMIT = 180 * clock.DAY

epochs_table = sa.Table(
    "epochs",
    metadata,
    sa.Column("epoch", sa.Integer, primary_key=True),
    sa.Column("started_at", sa.Integer, nullable=False),
)

sessions_table = sa.Table(
    "sessions",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),  # `epoch.counter`: names the session, opens nothing
    sa.Column("digest", sa.Text, nullable=False, unique=True),  # SHA-256 of the whole id with its secret
    sa.Column("user_id", sa.Integer, sa.ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("is_remembered", sa.Boolean, nullable=False),
    sa.Column("created_at", sa.Integer, nullable=False),
    sa.Column("last_seen_at", sa.Integer, nullable=False),  # at most an hour behind
    # Who signed in elsewhere after that is news to whoever holds this session.
    sa.Column("devices_seen_at", sa.Integer, nullable=False, server_default=sa.text("0")),
    sa.Column("signed_with", sa.Text),  # the fingerprint of the key that signed its cookie last; NULL: nobody knows
)


@dataclass(frozen=True, slots=True)
class Session:
    """A sign-in that was not ended."""

    id: str
    user_id: int
    is_remembered: bool
    created_at: int
    last_seen_at: int
    devices_seen_at: int

    def is_live(self, at: int) -> bool:
        """Whether neither the idle nor the absolute limit has passed."""
        idle = IDLE_LIMIT if self.is_remembered else IDLE_LIMIT_UNREMEMBERED
        return at < self.last_seen_at + idle and at < self.created_at + ABSOLUTE_LIMIT
