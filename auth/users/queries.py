"""Every statement about people."""

from typing import Any

import sqlalchemy as sa

from auth.permissions import Role
from auth.users.model import User, users_table

_USER = [users_table.c[field] for field in User.__dataclass_fields__]
_ACTIVE = users_table.c.blocked_at.is_(None)


def find_user(db: sa.Connection, username: str) -> User | None:
    """The person of that (lower-case) name."""
    row = db.execute(sa.select(*_USER).where(users_table.c.username == username)).one_or_none()
    return None if row is None else _to_user(row)


def find_standing(db: sa.Connection, user_id: int) -> User | None:
    """The person with that id, unless they are blocked or gone."""
    row = db.execute(sa.select(*_USER).where(users_table.c.id == user_id, _ACTIVE)).one_or_none()
    return None if row is None else _to_user(row)


def list_users(db: sa.Connection) -> list[User]:
    """Everybody who is here, by name."""
    is_here = users_table.c.deleted_at.is_(None)
    return [_to_user(row) for row in db.execute(sa.select(*_USER).where(is_here).order_by(users_table.c.username))]


def has_any_user(db: sa.Connection) -> bool:
    """Whether somebody runs the place already."""
    return db.execute(sa.select(users_table.c.id).limit(1)).first() is not None


def count_active_owners(db: sa.Connection) -> int:
    """How many owners could sign in."""
    query = sa.select(sa.func.count()).where(users_table.c.role == Role.OWNER, _ACTIVE)
    return int(db.execute(query).scalar_one())


def insert_user(
    db: sa.Connection, *, username: str, display_name: str, role: Role, password_hash: str | None, at: int
) -> int:
    """Store a new person; the name must be free."""
    row = {"username": username, "display_name": display_name, "role": role, "password_hash": password_hash}
    result = db.execute(sa.insert(users_table).values(**row, created_at=at))
    assert result.inserted_primary_key is not None
    return int(result.inserted_primary_key[0])


def password_hash_of(db: sa.Connection, username: str) -> tuple[int, str] | None:
    """Id and hash of a person who is not blocked and has a password; None otherwise."""
    query = sa.select(users_table.c.id, users_table.c.password_hash).where(
        users_table.c.username == username, _ACTIVE, users_table.c.password_hash.is_not(None)
    )
    row = db.execute(query).one_or_none()
    return None if row is None else (row.id, row.password_hash)


def has_password(db: sa.Connection, user_id: int) -> bool:
    """Whether that person could sign in with a password."""
    is_such = sa.and_(users_table.c.id == user_id, users_table.c.password_hash.is_not(None))
    return db.execute(sa.select(users_table.c.id).where(is_such)).first() is not None


def replace_password_hash(db: sa.Connection, user_id: int, *, password_hash: str | None) -> None:
    """Set the hash; None: take it away."""
    _update(db, user_id, password_hash=password_hash)


def set_role(db: sa.Connection, user_id: int, role: Role) -> None:
    """Set the role."""
    _update(db, user_id, role=role)


def set_block(db: sa.Connection, user_id: int, *, at: int | None, reason: str | None) -> None:
    """Set or lift (`at=None`) the block."""
    _update(db, user_id, blocked_at=at, block_reason=reason)


def set_hidden(db: sa.Connection, user_id: int, is_hidden: bool) -> None:
    """Note whether readers find what this person has written."""
    _update(db, user_id, has_hidden_posts=is_hidden)


def set_profile(db: sa.Connection, user_id: int, **values: str | None) -> None:
    """Set `display_name`, `biography` and `time_zone`, or some of them."""
    _update(db, user_id, **values)


def _update(db: sa.Connection, user_id: int, **values: Any) -> None:
    db.execute(sa.update(users_table).where(users_table.c.id == user_id).values(**values))


def _to_user(row: Any) -> User:
    return User(**{**row._mapping, "role": Role(row.role)})
