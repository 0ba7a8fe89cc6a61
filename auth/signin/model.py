"""The tables behind signing in."""

from dataclasses import dataclass

import sqlalchemy as sa

from storage.schema import metadata

# One counter for all processes. The key is a keyed digest: neither names nor addresses are stored.
signin_counters_table = sa.Table(
    "signin_counters",
    metadata,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("failure_count", sa.Integer, nullable=False),
    sa.Column("window_ends_at", sa.Integer, nullable=False),  # the count is void from then on
    sa.Column("lock_count", sa.Integer, nullable=False),  # how often the limit was reached: each lock is longer
    sa.Column("forget_at", sa.Integer, nullable=False, index=True),
)

# Where a person has signed in from: their own place stays open while somebody else tries their name. For somebody who
# was let in from the terminal, that is everywhere, for a few minutes.
known_places_table = sa.Table(
    "known_places",
    metadata,
    sa.Column("key", sa.Text, primary_key=True),  # a keyed digest of name and address, or of the name
    sa.Column("forget_at", sa.Integer, nullable=False, index=True),
)

# The one-time link for the first owner. Its token is stored as a digest.
setup_links_table = sa.Table(
    "setup_links",
    metadata,
    sa.Column("digest", sa.Text, primary_key=True),
    sa.Column("created_at", sa.Integer, nullable=False),
)

# Links with which a person sets a new password. One is good for each person: a newer one ends it.
reset_links_table = sa.Table(
    "reset_links",
    metadata,
    sa.Column("digest", sa.Text, primary_key=True),
    sa.Column("user_id", sa.Integer, sa.ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    # An owner, whose block or other role ends it; NULL: made on the machine itself.
    sa.Column("created_by", sa.Integer, sa.ForeignKey("users.id", ondelete="CASCADE"), index=True),
    sa.Column("created_at", sa.Integer, nullable=False),
    sa.Column("expires_at", sa.Integer, nullable=False),
    sa.Column("ended_at", sa.Integer),  # spent, or void; NULL: neither
)


@dataclass(frozen=True, slots=True)
class ResetLink:
    """A link, without its token."""

    username: str
    expires_at: int
    is_ended: bool
