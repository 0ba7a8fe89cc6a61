"""Who signed in elsewhere since one last looked at one's devices."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nobody has signed in since."""
    op.add_column("users", sa.Column("newcomer", sa.Text(), nullable=True))
    op.add_column("users", sa.Column("newcomer_at", sa.Integer(), nullable=True))
    op.add_column("sessions", sa.Column("devices_seen_at", sa.Integer(), nullable=False, server_default=sa.text("0")))
