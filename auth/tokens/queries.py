"""Every statement about tokens."""

from typing import NamedTuple

import sqlalchemy as sa

from auth.permissions import Role, Scope
from auth.tokens.model import Token, parse_scopes, tokens_table
from auth.users.model import users_table

_BEARER = (
    sa.select(
        tokens_table.c.id,
        tokens_table.c.scopes,
        tokens_table.c.expires_at,
        tokens_table.c.first_used_at,
        users_table.c.id.label("user_id"),
        users_table.c.username,
        users_table.c.display_name,
        users_table.c.role,
        users_table.c.time_zone,
    )
    .join(users_table, users_table.c.id == tokens_table.c.user_id)
    .where(tokens_table.c.digest == sa.bindparam("digest"), users_table.c.blocked_at.is_(None))
)


class Bearer(NamedTuple):
    """A token that is good, and whose it is."""

    token_id: str
    scopes: frozenset[Scope]
    user_id: int
    username: str
    display_name: str
    role: Role
    time_zone: str | None
    is_new: bool  # nobody has used it before this request


def find_bearer(db: sa.Connection, digest: str, *, at: int) -> Bearer | None:
    """The token and its person, unless it has expired or that person is blocked. One statement."""
    row = db.execute(_BEARER, {"digest": digest}).one_or_none()
    if row is None or (row.expires_at is not None and row.expires_at <= at):
        return None
    return Bearer(
        row.id,
        parse_scopes(row.scopes),
        row.user_id,
        row.username,
        row.display_name,
        Role(row.role),
        row.time_zone,
        row.first_used_at is None,
    )


def note_first_use(db: sa.Connection, token_id: str, *, at: int) -> bool:
    """Note that a token was used, unless it was before; whether this was the first time."""
    is_first = sa.and_(tokens_table.c.id == token_id, tokens_table.c.first_used_at.is_(None))
    return db.execute(sa.update(tokens_table).where(is_first).values(first_used_at=at)).rowcount == 1


def insert_token(
    db: sa.Connection,
    *,
    token_id: str,
    digest: str,
    user_id: int,
    label: str,
    scopes: str,
    created_at: int,
    expires_at: int | None,
    is_from_environment: bool = False,
) -> None:
    """Store a new token's digest."""
    db.execute(
        sa.insert(tokens_table).values(
            id=token_id,
            digest=digest,
            user_id=user_id,
            label=label,
            scopes=scopes,
            created_at=created_at,
            expires_at=expires_at,
            is_from_environment=is_from_environment,
        )
    )


def list_tokens(db: sa.Connection, *, username: str | None = None) -> list[Token]:
    """Everybody's tokens, or one person's, the newest first."""
    columns = [tokens_table.c[name] for name in ("id", "label", "scopes", "created_at", "expires_at")]
    query = (
        sa.select(users_table.c.username, *columns)
        .join(users_table, users_table.c.id == tokens_table.c.user_id)
        .order_by(tokens_table.c.created_at.desc(), tokens_table.c.id)
    )
    if username is not None:
        query = query.where(users_table.c.username == username)
    return [
        Token(row.id, row.username, row.label, parse_scopes(row.scopes), row.created_at, row.expires_at)
        for row in db.execute(query)
    ]


def delete_token(db: sa.Connection, token_id: str) -> bool:
    """Revoke one; whether there was one."""
    return db.execute(sa.delete(tokens_table).where(tokens_table.c.id == token_id)).rowcount == 1


def delete_environment_tokens(db: sa.Connection, *, except_digest: str | None) -> list[str]:
    """Forget what an earlier environment had set; the ids."""
    statement = sa.delete(tokens_table).where(tokens_table.c.is_from_environment.is_(True))
    if except_digest is not None:
        statement = statement.where(tokens_table.c.digest != except_digest)
    return list(db.execute(statement.returning(tokens_table.c.id)).scalars())


def find_token_id(db: sa.Connection, digest: str) -> str | None:
    """The id of the token with that digest."""
    return db.execute(sa.select(tokens_table.c.id).where(tokens_table.c.digest == digest)).scalar_one_or_none()
