"""The table of invitations, and what is true of one."""

from dataclasses import dataclass
from enum import StrEnum

import sqlalchemy as sa

from auth.permissions import Role
from storage.schema import metadata

invitations_table = sa.Table(
    "invitations",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("digest", sa.Text, nullable=False, unique=True),  # SHA-256 of the link's token
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("label", sa.Text, nullable=False),  # whom it is for, in the words of who made it
    # An owner, whose block or other role withdraws it; NULL: made on the machine itself.
    sa.Column("created_by", sa.Integer, sa.ForeignKey("users.id", ondelete="CASCADE"), index=True),
    sa.Column("created_at", sa.Integer, nullable=False),
    sa.Column("expires_at", sa.Integer, nullable=False),
    sa.Column("uses_left", sa.Integer, nullable=False),
    sa.Column("use_count", sa.Integer, nullable=False),
    sa.Column("revoked_at", sa.Integer),  # NULL: not withdrawn
    sa.Index("ix_invitations_order", "created_at", "id"),
)


class State(StrEnum):
    """What has become of an invitation."""

    OPEN = "open"
    WITHDRAWN = "withdrawn"
    USED_UP = "used up"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Invitation:
    """An invitation, without its token."""

    id: str
    role: Role
    label: str
    created_at: int
    expires_at: int
    uses_left: int
    use_count: int
    revoked_at: int | None
    made_by: str | None  # the name of that person; None: the command line

    def state(self, at: int) -> State:
        """Whether it is good, or why not."""
        if self.revoked_at is not None:
            return State.WITHDRAWN
        if self.uses_left < 1:
            return State.USED_UP
        if self.expires_at <= at:
            return State.EXPIRED
        return State.OPEN
