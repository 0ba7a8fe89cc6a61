"""The table of Bearer tokens, and what is true of one."""

from dataclasses import dataclass

import sqlalchemy as sa

from auth.permissions import Scope
from storage import clock
from storage.schema import metadata

tokens_table = sa.Table(
    "tokens",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("digest", sa.Text, nullable=False, unique=True),  # SHA-256 of the token
    sa.Column("user_id", sa.Integer, sa.ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("label", sa.Text, nullable=False),
    sa.Column("scopes", sa.Text, nullable=False),  # separated by spaces, as in RFC 6749
    sa.Column("created_at", sa.Integer, nullable=False),
    sa.Column("expires_at", sa.Integer),  # NULL: does not expire
    sa.Column("is_from_environment", sa.Boolean, nullable=False),  # the one that BYLINE_API_TOKEN sets
    sa.Column("first_used_at", sa.Integer),  # NULL: not used yet
    sa.Column("last_used_at", sa.Integer),  # the day alone: when it began, UTC; NULL: not used yet, or nobody knows
    sa.Column("made_by", sa.Text),  # the id of the token that asked for it, and that it ends with; NULL: a person did
)


@dataclass(frozen=True, slots=True)
class Token:
    """A token, without its secret."""

    id: str
    username: str
    label: str
    scopes: frozenset[Scope]
    created_at: int
    expires_at: int | None
    last_used_at: int | None = None  # the beginning of that day, UTC
    is_from_environment: bool = False

    @property
    def last_used_on(self) -> str | None:
        """The day, as RFC 3339 writes one, in UTC; None: not used yet."""
        return None if self.last_used_at is None else clock.to_datetime(self.last_used_at).date().isoformat()

    def has_expired(self, at: int) -> bool:
        """Whether it opens nothing any more."""
        return self.expires_at is not None and self.expires_at <= at


def parse_scopes(text: str) -> frozenset[Scope]:
    """Stored scopes; one that this version does not know allows nothing."""
    known = {scope.value for scope in Scope}
    return frozenset(Scope(word) for word in text.split() if word in known)
