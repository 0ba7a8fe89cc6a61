"""When somebody saved what they hold: a grant comes over it, and goes again without it."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the column; of what is granted now nobody knows that it was saved before."""
    op.add_column("library", sa.Column("saved_at", sa.Integer(), nullable=True))
    library = sa.table("library", sa.column("source"), sa.column("created_at"), sa.column("saved_at"))
    op.execute(sa.update(library).where(library.c.source == "saved").values(saved_at=library.c.created_at))
