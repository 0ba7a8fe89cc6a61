"""The table of preview links."""

from dataclasses import dataclass

import sqlalchemy as sa

from storage.schema import metadata

preview_links_table = sa.Table(
    "preview_links",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),  # names the link, opens nothing
    sa.Column("digest", sa.Text, nullable=False, unique=True),  # SHA-256 of the token
    sa.Column("post_id", sa.Text, sa.ForeignKey("posts.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("created_at", sa.Integer, nullable=False),
    sa.Column("expires_at", sa.Integer, nullable=False),
)


@dataclass(frozen=True, slots=True)
class PreviewLink:
    """A link that opens one post, whatever its state, until it expires or is revoked."""

    id: str
    post_id: str
    created_at: int
    expires_at: int
