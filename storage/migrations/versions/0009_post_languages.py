"""The language that a post is written in, where it is not the site's."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the columns; what is there is in the site's language."""
    op.add_column("posts", sa.Column("lang", sa.Text(), nullable=False, server_default=sa.text("''")))
    op.add_column("revisions", sa.Column("lang", sa.Text(), nullable=False, server_default=sa.text("''")))
