"""Every statement about second factors and recovery codes."""

from collections.abc import Iterable

import sqlalchemy as sa

from auth.factors.model import RecoveryCodes, Totp, recovery_codes_table, totp_table

_TOTP = [totp_table.c[field] for field in Totp.__dataclass_fields__]


def find_totp(db: sa.Connection, user_id: int) -> Totp | None:
    """The app of a person, where codes from one are asked for."""
    row = db.execute(sa.select(*_TOTP).where(totp_table.c.user_id == user_id)).one_or_none()
    return None if row is None else Totp(*row)


def insert_totp(db: sa.Connection, totp: Totp) -> None:
    """Store an app; the person must have none."""
    values = {field: getattr(totp, field) for field in Totp.__dataclass_fields__}
    db.execute(sa.insert(totp_table).values(**values))


def advance_step(db: sa.Connection, user_id: int, step: int) -> bool:
    """Note that the code of a step was used, unless that or a later one was; of many at once, one does."""
    is_unused = sa.and_(totp_table.c.user_id == user_id, totp_table.c.last_step < step)
    return db.execute(sa.update(totp_table).where(is_unused).values(last_step=step)).rowcount == 1


def delete_totp(db: sa.Connection, user_id: int) -> bool:
    """Forget an app; whether there was one."""
    return db.execute(sa.delete(totp_table).where(totp_table.c.user_id == user_id)).rowcount == 1


def count_recovery_codes(db: sa.Connection, user_id: int) -> RecoveryCodes:
    """How many a person has left."""
    c = recovery_codes_table.c
    row = db.execute(sa.select(sa.func.count(), sa.func.max(c.created_at)).where(c.user_id == user_id)).one()
    return RecoveryCodes(row[0], row[1])


def replace_recovery_codes(db: sa.Connection, user_id: int, digests: Iterable[str], *, at: int) -> int:
    """Only these are good from now on; how many there were."""
    former = db.execute(sa.delete(recovery_codes_table).where(recovery_codes_table.c.user_id == user_id)).rowcount
    if rows := [{"user_id": user_id, "digest": digest, "created_at": at} for digest in digests]:
        db.execute(sa.insert(recovery_codes_table), rows)
    return int(former)


def delete_recovery_code(db: sa.Connection, user_id: int, digest: str) -> bool:
    """Spend one; whether it was there. Of many at once, one spends it."""
    is_this = sa.and_(recovery_codes_table.c.user_id == user_id, recovery_codes_table.c.digest == digest)
    return db.execute(sa.delete(recovery_codes_table).where(is_this)).rowcount == 1
