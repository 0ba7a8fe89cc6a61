"""Posts that follow one another, and the former names of tags."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables of series, and the one of former tags."""
    op.create_table(
        "series",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("author_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_series")),
        sa.UniqueConstraint("slug", name=op.f("uq_series_slug")),
        sa.ForeignKeyConstraint(["author_id"], ["users.id"], name=op.f("fk_series_author_id_users")),
    )
    op.create_index(op.f("ix_series_author_id"), "series", ["author_id"])
    op.create_table(
        "series_posts",
        sa.Column("post_id", sa.Text(), nullable=False),
        sa.Column("series_id", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("post_id", name=op.f("pk_series_posts")),
        sa.ForeignKeyConstraint(
            ["post_id"], ["posts.id"], name=op.f("fk_series_posts_post_id_posts"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["series_id"], ["series.id"], name=op.f("fk_series_posts_series_id_series"), ondelete="CASCADE"
        ),
    )
    op.create_index("ix_series_posts_order", "series_posts", ["series_id", "position"])
    op.create_table(
        "former_tags",
        sa.Column("tag", sa.Text(), nullable=False),
        sa.Column("present", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tag", name=op.f("pk_former_tags")),
    )
    op.create_index(op.f("ix_former_tags_present"), "former_tags", ["present"])
