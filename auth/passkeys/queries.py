"""Every statement about passkeys and used challenges."""

from typing import NamedTuple

import sqlalchemy as sa

from auth.passkeys.model import Passkey, passkeys_table, spent_challenges_table
from auth.users.model import users_table

_PASSKEY = [passkeys_table.c[field] for field in Passkey.__dataclass_fields__]


class Credential(NamedTuple):
    """What a sign-in with a passkey is checked against."""

    passkey_id: str
    user_handle: str
    public_key: bytes
    sign_count: int
    username: str
    is_blocked: bool  # whether its person is


def find_credential(db: sa.Connection, credential_id: str) -> Credential | None:
    """The passkey that a device calls by that id, and whose it is."""
    p, u = passkeys_table.c, users_table.c
    query = (
        sa.select(p.id, p.user_handle, p.public_key, p.sign_count, u.username, u.blocked_at)
        .join(users_table, u.id == p.user_id)
        .where(p.credential_id == credential_id)
    )
    row = db.execute(query).one_or_none()
    return None if row is None else Credential(*row[:-1], is_blocked=row.blocked_at is not None)


def list_passkeys_of(db: sa.Connection, user_id: int) -> list[Passkey]:
    """One person's passkeys, the newest first."""
    p = passkeys_table.c
    query = sa.select(*_PASSKEY).where(p.user_id == user_id).order_by(p.created_at.desc(), p.id)
    return [Passkey(*row) for row in db.execute(query)]


def insert_passkey(db: sa.Connection, passkey: Passkey, *, user_id: int, public_key: bytes, sign_count: int) -> None:
    """Store a new one; its credential must not be known."""
    values = {field: getattr(passkey, field) for field in Passkey.__dataclass_fields__}
    rest = {"user_id": user_id, "public_key": public_key, "sign_count": sign_count}
    db.execute(sa.insert(passkeys_table).values(**values, **rest))


def note_use(db: sa.Connection, passkey_id: str, *, sign_count: int, day: int) -> None:
    """Note the day on which it was used, and how often its device says it ever was."""
    is_this = passkeys_table.c.id == passkey_id
    db.execute(sa.update(passkeys_table).where(is_this).values(sign_count=sign_count, last_used_at=day))


def set_name(db: sa.Connection, passkey_id: str, name: str) -> None:
    """Call it something else."""
    db.execute(sa.update(passkeys_table).where(passkeys_table.c.id == passkey_id).values(name=name))


def delete_passkey(db: sa.Connection, passkey_id: str) -> None:
    """It opens nothing any more."""
    db.execute(sa.delete(passkeys_table).where(passkeys_table.c.id == passkey_id))


def spend_challenge(db: sa.Connection, digest: str, *, at: int, forget_at: int) -> bool:
    """Remember that a challenge was used, and forget those that are too old anyway; False if it was used before."""
    spent = spent_challenges_table.c
    db.execute(sa.delete(spent_challenges_table).where(spent.forget_at <= at))
    if db.execute(sa.select(spent.digest).where(spent.digest == digest)).first() is not None:
        return False
    db.execute(sa.insert(spent_challenges_table).values(digest=digest, forget_at=forget_at))
    return True
