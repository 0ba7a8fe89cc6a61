"""The tables of codes from an app and of recovery codes."""

from dataclasses import dataclass

import sqlalchemy as sa

from storage.schema import metadata

# As it is: the key that it could be encrypted with lies in the same folder.
totp_table = sa.Table(
    "totp",
    metadata,
    sa.Column("user_id", sa.Integer, sa.ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("secret", sa.Text, nullable=False),  # base 32, as apps are given it
    sa.Column("last_step", sa.Integer, nullable=False),  # of the code that was taken last; no earlier one is good
    sa.Column("created_at", sa.Integer, nullable=False),
)

# Only those that can still be used.
recovery_codes_table = sa.Table(
    "recovery_codes",
    metadata,
    sa.Column("user_id", sa.Integer, sa.ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("digest", sa.Text, primary_key=True),  # SHA-256 of the code
    sa.Column("created_at", sa.Integer, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Totp:
    """The app of a person that makes codes."""

    user_id: int
    secret: str
    last_step: int
    created_at: int


@dataclass(frozen=True, slots=True)
class RecoveryCodes:
    """How many are left of those that were made together, and when that was (None: there are none)."""

    count: int
    made_at: int | None
