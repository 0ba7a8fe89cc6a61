"""Posts that are hidden while their author is blocked, and people who have left."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing is hidden, and nobody has left.

    The index is made anew: what is hidden stands apart from what readers find, and no list walks over it.
    """
    op.add_column("users", sa.Column("has_hidden_posts", sa.Boolean(), nullable=False, server_default=sa.text("0")))
    op.add_column("users", sa.Column("deleted_at", sa.Integer(), nullable=True))
    op.add_column("posts", sa.Column("is_hidden", sa.Boolean(), nullable=False, server_default=sa.text("0")))
    op.drop_index("ix_posts_reading", "posts")
    columns = ["status", "is_hidden", "published_at", "id", "visibility", "kind", "deleted_at"]
    op.create_index("ix_posts_reading", "posts", columns)
