"""The tables of passkeys and of used challenges, and what is true of one passkey."""

from dataclasses import dataclass

import sqlalchemy as sa

from storage.schema import metadata

passkeys_table = sa.Table(
    "passkeys",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("user_id", sa.Integer, sa.ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("credential_id", sa.Text, nullable=False, unique=True),  # base 64 for URLs, without padding
    # What the device calls its person, in base 64 likewise: random, the same for all passkeys of one person.
    sa.Column("user_handle", sa.Text, nullable=False),
    sa.Column("host", sa.Text, nullable=False),  # the name of the site that the device made it for
    sa.Column("public_key", sa.LargeBinary, nullable=False),  # COSE
    sa.Column("sign_count", sa.Integer, nullable=False),  # 0: this one does not count
    sa.Column("transports", sa.Text, nullable=False),  # how the device is reached, separated by spaces
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("created_at", sa.Integer, nullable=False),
    sa.Column("last_used_at", sa.Integer),  # the day alone: when it began, UTC; NULL: not used yet
)

# A challenge is good once. It need only be remembered for as long as its signature would be good.
spent_challenges_table = sa.Table(
    "spent_challenges",
    metadata,
    sa.Column("digest", sa.Text, primary_key=True),  # SHA-256
    sa.Column("forget_at", sa.Integer, nullable=False, index=True),
)


@dataclass(frozen=True, slots=True)
class Passkey:
    """A passkey, without its public key."""

    id: str
    credential_id: str
    user_handle: str
    host: str
    transports: str
    name: str
    created_at: int
    last_used_at: int | None = None  # the beginning of that day, UTC
