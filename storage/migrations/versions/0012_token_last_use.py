"""The day on which a token was last used."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the column; of what is there nobody knows the day, until it is used again."""
    op.add_column("tokens", sa.Column("last_used_at", sa.Integer(), nullable=True))
