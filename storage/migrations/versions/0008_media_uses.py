"""Which pictures stand in which post, with what the posts that are there show."""

import re

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_ADDRESS = re.compile(r"/media/([0-9a-f]{64})", re.ASCII)


def upgrade() -> None:
    """Make the table, and fill it from the texts, one at a time."""
    op.create_table(
        "media_uses",
        sa.Column("post_id", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("post_id", "digest", name=op.f("pk_media_uses")),
        sa.ForeignKeyConstraint(
            ["post_id"], ["posts.id"], name=op.f("fk_media_uses_post_id_posts"), ondelete="CASCADE"
        ),
    )
    op.create_index(op.f("ix_media_uses_digest"), "media_uses", ["digest"])
    db = op.get_bind()
    found = db.exec_driver_sql("SELECT id FROM posts WHERE body LIKE '%/media/%'").fetchall()
    for (post_id,) in found:
        body = db.exec_driver_sql("SELECT body FROM posts WHERE id = ?", (post_id,)).scalar_one()
        for digest in set(_ADDRESS.findall(body)):
            db.exec_driver_sql("INSERT INTO media_uses (post_id, digest) VALUES (?, ?)", (post_id, digest))
