"""Which pictures stand in an earlier revision of a post only, with what the revisions that are there show.

Pages with pictures are made anew after it: they may say of one what somebody said who is not their author.
"""

import re

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_ADDRESS = re.compile(r"/media/([0-9a-f]{64})", re.ASCII)
_INSERT = "INSERT OR IGNORE INTO media_uses (post_id, digest, is_current) VALUES (?, ?, 0)"


def upgrade() -> None:
    """Make the column, and fill it from the revisions, one at a time."""
    op.add_column("media_uses", sa.Column("is_current", sa.Boolean(), nullable=False, server_default=sa.text("1")))
    db = op.get_bind()
    found = db.exec_driver_sql("SELECT post_id, number FROM revisions WHERE body LIKE '%/media/%'").fetchall()
    for post_id, number in found:
        of_it = "SELECT body FROM revisions WHERE post_id = ? AND number = ?"
        body = db.exec_driver_sql(of_it, (post_id, number)).scalar_one()
        for digest in set(_ADDRESS.findall(body)):
            db.exec_driver_sql(_INSERT, (post_id, digest))
    db.exec_driver_sql(
        "UPDATE posts SET renderer_version = 0 WHERE id IN (SELECT post_id FROM media_uses WHERE is_current)"
    )
