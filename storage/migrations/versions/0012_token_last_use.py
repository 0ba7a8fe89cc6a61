"""The day on which a token was last used, and the token that has made it."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the columns; of what is there nobody knows the day until it is used again, nor that a token has made it."""
    op.add_column("tokens", sa.Column("last_used_at", sa.Integer(), nullable=True))
    op.add_column("tokens", sa.Column("made_by", sa.Text(), nullable=True))
