"""Every statement about tokens."""

from typing import Any, NamedTuple

import sqlalchemy as sa

from auth.permissions import Role, Scope
from auth.tokens.model import Token, parse_scopes, tokens_table
from auth.users.model import users_table
from web.cursors import Cursor

_t = tokens_table.c
_BEARER = (
    sa.select(
        tokens_table.c.id,
        tokens_table.c.scopes,
        tokens_table.c.expires_at,
        tokens_table.c.last_used_at,
        users_table.c.id.label("user_id"),
        users_table.c.username,
        users_table.c.display_name,
        users_table.c.role,
        users_table.c.time_zone,
    )
    .join(users_table, users_table.c.id == tokens_table.c.user_id)
    .where(tokens_table.c.digest == sa.bindparam("digest"), users_table.c.blocked_at.is_(None))
)
_ROLE = (
    sa.select(users_table.c.role)
    .join(tokens_table, tokens_table.c.user_id == users_table.c.id)
    .where(tokens_table.c.id == sa.bindparam("token_id"), users_table.c.blocked_at.is_(None))
)

_SHOWN = ("id", "label", "scopes", "created_at", "expires_at", "last_used_at", "is_from_environment")
_TOKENS = (
    sa.select(users_table.c.username, *(tokens_table.c[name] for name in _SHOWN))
    .join(users_table, users_table.c.id == tokens_table.c.user_id)
    .order_by(tokens_table.c.created_at.desc(), tokens_table.c.id)
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
    last_used_at: int | None  # the beginning of that day, UTC


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
        row.last_used_at,
    )


def role_by_token(db: sa.Connection, token_id: str) -> Role | None:
    """The role of whose token it is; None when it was revoked, or that person is blocked."""
    role = db.execute(_ROLE, {"token_id": token_id}).scalar_one_or_none()
    return None if role is None else Role(role)


def note_use(db: sa.Connection, token_id: str, *, at: int, day: int) -> bool:
    """Note the day on which a token is used, unless it is noted already; whether this was the first use of all."""
    last, first = tokens_table.c.last_used_at, tokens_table.c.first_used_at
    is_due = sa.and_(tokens_table.c.id == token_id, sa.or_(last.is_(None), last < day))
    noted = sa.update(tokens_table).where(is_due).values(last_used_at=day, first_used_at=sa.func.coalesce(first, at))
    return bool(db.execute(noted.returning(first)).scalar_one_or_none() == at)


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
    made_by: str | None = None,
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
            made_by=made_by,
        )
    )


def list_tokens(db: sa.Connection, *, username: str | None = None) -> list[Token]:
    """Everybody's tokens, or one person's, the newest first."""
    query = _TOKENS if username is None else _TOKENS.where(users_table.c.username == username)
    return [_to_token(row) for row in db.execute(query)]


def list_tokens_of(db: sa.Connection, user_id: int, *, limit: int, before: Cursor | None) -> list[Token]:
    """One person's tokens, those that have expired too, the newest first."""
    query = _TOKENS.where(tokens_table.c.user_id == user_id).limit(limit)
    if before is not None:
        created_at, token_id = tokens_table.c.created_at, tokens_table.c.id
        is_as_old = sa.and_(created_at == before.at, token_id > before.id)
        query = query.where(sa.or_(created_at < before.at, is_as_old))
    return [_to_token(row) for row in db.execute(query)]


def count_tokens_of(db: sa.Connection, user_id: int) -> int:
    """How many tokens a person has."""
    return db.execute(sa.select(sa.func.count()).where(tokens_table.c.user_id == user_id)).scalar_one()


def is_token_of(db: sa.Connection, token_id: str, *, user_id: int | None) -> bool:
    """Whether there is such a token, and it is theirs."""
    query = sa.select(tokens_table.c.id).where(tokens_table.c.id == token_id, tokens_table.c.user_id == user_id)
    return db.execute(query).one_or_none() is not None


def find_expiry(db: sa.Connection, token_id: str) -> int | None:
    """When a token expires; None: never."""
    return db.execute(sa.select(tokens_table.c.expires_at).where(tokens_table.c.id == token_id)).scalar_one_or_none()


def delete_token(db: sa.Connection, token_id: str, *conditions: sa.ColumnElement[bool]) -> list[str]:
    """Revoke one that meets the conditions, and all that were made with it; their ids, none if there was none."""
    first = sa.select(_t.id).where(_t.id == token_id, *conditions).cte("made", recursive=True)
    made = first.union_all(sa.select(_t.id).join(first, _t.made_by == first.c.id))
    revoked = sa.delete(tokens_table).where(_t.id.in_(sa.select(made.c.id))).returning(_t.id)
    return sorted(db.execute(revoked).scalars(), key=lambda each: each != token_id)


def delete_token_of(db: sa.Connection, token_id: str, *, user_id: int | None) -> list[str]:
    """The same for one of that person's."""
    return delete_token(db, token_id, _t.user_id == user_id)


def delete_environment_tokens(db: sa.Connection, *, except_digest: str | None) -> list[str]:
    """Forget what an earlier environment had set; the ids."""
    statement = sa.delete(tokens_table).where(tokens_table.c.is_from_environment.is_(True))
    if except_digest is not None:
        statement = statement.where(tokens_table.c.digest != except_digest)
    return list(db.execute(statement.returning(tokens_table.c.id)).scalars())


def find_token_id(db: sa.Connection, digest: str) -> str | None:
    """The id of the token with that digest."""
    return db.execute(sa.select(tokens_table.c.id).where(tokens_table.c.digest == digest)).scalar_one_or_none()


def _to_token(row: Any) -> Token:
    return Token(
        row.id,
        row.username,
        row.label,
        parse_scopes(row.scopes),
        row.created_at,
        row.expires_at,
        row.last_used_at,
        row.is_from_environment,
    )
