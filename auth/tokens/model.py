"""The table of Bearer tokens, and what is true of one."""

from dataclasses import dataclass

import sqlalchemy as sa

from auth.permissions import Scope
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


def parse_scopes(text: str) -> frozenset[Scope]:
    """Stored scopes; one that this version does not know allows nothing."""
    known = {scope.value for scope in Scope}
    return frozenset(Scope(word) for word in text.split() if word in known)
