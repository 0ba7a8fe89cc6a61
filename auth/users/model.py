"""The table of people, and what is true of one."""

from dataclasses import dataclass

import sqlalchemy as sa

from auth.permissions import Role
from storage.schema import metadata

users_table = sa.Table(
    "users",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("username", sa.Text, nullable=False, unique=True),  # lower case
    sa.Column("display_name", sa.Text, nullable=False),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("password_hash", sa.Text),  # argon2id; NULL: cannot sign in with a password
    sa.Column("blocked_at", sa.Integer),  # microseconds UTC; NULL: not blocked
    sa.Column("block_reason", sa.Text),  # for owners' eyes; NULL: not blocked, or none given
    sa.Column("created_at", sa.Integer, nullable=False),
    sa.Column("biography", sa.Text, nullable=False, server_default=sa.text("''")),  # for readers
    sa.Column("time_zone", sa.Text),  # IANA name, for what this person writes; NULL: the site's
    sa.Column("newcomer", sa.Text),  # the last device that signed in as this person, and from where, in words
    sa.Column("newcomer_at", sa.Integer),  # NULL: none yet
    # Whether readers find nothing of what this person, who is blocked, has written.
    sa.Column("has_hidden_posts", sa.Boolean, nullable=False, server_default=sa.text("0")),
    # Has left: blocked for good, and the row keeps nothing but the name, which nobody else gets. NULL: is here.
    sa.Column("deleted_at", sa.Integer),
)


@dataclass(frozen=True, slots=True)
class User:
    """One person."""

    id: int
    username: str
    display_name: str
    role: Role
    blocked_at: int | None
    block_reason: str | None
    created_at: int
    biography: str
    time_zone: str | None
    has_hidden_posts: bool
    deleted_at: int | None

    @property
    def is_blocked(self) -> bool:
        """Whether this person is nobody for the time being."""
        return self.blocked_at is not None
