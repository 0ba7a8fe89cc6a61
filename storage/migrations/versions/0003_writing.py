"""Pages beside posts, how a revision came about, links to drafts, and what people say of themselves."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """What is there are posts, saved by forms as far as anybody knows."""
    op.add_column("posts", sa.Column("kind", sa.Text(), nullable=False, server_default="post"))
    op.add_column("revisions", sa.Column("kind", sa.Text(), nullable=False, server_default="post"))
    op.add_column("revisions", sa.Column("origin", sa.Text(), nullable=False, server_default="form"))
    op.execute("UPDATE revisions SET origin = 'api' WHERE submission IS NULL")
    op.add_column("users", sa.Column("biography", sa.Text(), nullable=False, server_default=sa.text("''")))
    op.add_column("users", sa.Column("time_zone", sa.Text(), nullable=True))
    op.create_table(
        "preview_links",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("post_id", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Integer(), nullable=False),
        sa.Column("expires_at", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["post_id"], ["posts.id"], name=op.f("fk_preview_links_post_id_posts"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_preview_links")),
        sa.UniqueConstraint("digest", name=op.f("uq_preview_links_digest")),
    )
    op.create_index(op.f("ix_preview_links_post_id"), "preview_links", ["post_id"])
    op.create_index("ix_posts_bin", "posts", ["author_id", "deleted_at"])
