"""Which key signed the cookie of a session."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Of the sessions that are there nobody knows, until their cookies are signed anew."""
    op.add_column("sessions", sa.Column("signed_with", sa.Text(), nullable=True))
