"""Pictures, and the smaller ones made of them."""

import time

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables, and have files that belong to no row swept every day."""
    op.create_table(
        "media",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("is_animated", sa.Boolean(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("alt", sa.Text(), nullable=False),
        sa.Column("is_decorative", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_media")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_media_user_id_users")),
        sa.UniqueConstraint("user_id", "digest", name=op.f("uq_media_user_id_digest")),
    )
    op.create_index(op.f("ix_media_digest"), "media", ["digest"])
    op.create_index("ix_media_user_id_created_at_id", "media", ["user_id", "created_at", "id"])
    op.create_table(
        "media_variants",
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("file_digest", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("digest", "width", name=op.f("pk_media_variants")),
    )
    op.create_index(op.f("ix_media_variants_file_digest"), "media_variants", ["file_digest"])
    job = sa.text("INSERT INTO jobs (kind, payload, run_at, attempts) VALUES ('media.sweep', '{}', :tomorrow, 0)")
    op.execute(job.bindparams(tomorrow=time.time_ns() // 1000 + 86_400_000_000))
