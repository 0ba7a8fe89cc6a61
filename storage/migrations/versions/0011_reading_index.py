"""What readers may find is counted and sought in an index alone, without the texts beside it."""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the index anew, with everything in it that decides who finds a post."""
    op.drop_index("ix_posts_reading", "posts")
    op.create_index("ix_posts_reading", "posts", ["status", "published_at", "id", "visibility", "kind", "deleted_at"])
