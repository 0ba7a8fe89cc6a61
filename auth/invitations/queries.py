"""Every statement about invitations."""

from typing import Any

import sqlalchemy as sa

from auth.invitations.model import Invitation, invitations_table
from auth.permissions import Role
from auth.users.model import users_table
from web.cursors import Cursor

_ROW = invitations_table.c
_INVITATIONS = sa.select(
    *(_ROW[name] for name in ("id", "role", "label", "created_at", "expires_at")),
    *(_ROW[name] for name in ("uses_left", "use_count", "revoked_at")),
    users_table.c.username.label("made_by"),
).join_from(invitations_table, users_table, users_table.c.id == _ROW.created_by, isouter=True)


def insert_invitation(
    db: sa.Connection,
    *,
    invitation_id: str,
    digest: str,
    role: Role,
    label: str,
    uses: int,
    created_by: int | None,
    created_at: int,
    expires_at: int,
) -> None:
    """Store a new one, which nobody has used yet."""
    db.execute(
        sa.insert(invitations_table).values(
            id=invitation_id,
            digest=digest,
            role=role,
            label=label,
            created_by=created_by,
            created_at=created_at,
            expires_at=expires_at,
            uses_left=uses,
            use_count=0,
        )
    )


def find_invitation(
    db: sa.Connection, *, digest: str | None = None, invitation_id: str | None = None
) -> Invitation | None:
    """The invitation of that token, or of that id; None when there is none."""
    is_this = _ROW.digest == digest if digest is not None else _ROW.id == invitation_id
    row = db.execute(_INVITATIONS.where(is_this)).one_or_none()
    return None if row is None else _to_invitation(row)


def list_invitations(db: sa.Connection, *, limit: int, before: Cursor | None) -> list[Invitation]:
    """Those of everybody, the newest first."""
    query = _INVITATIONS.order_by(_ROW.created_at.desc(), _ROW.id).limit(limit)
    if before is not None:
        is_as_old = sa.and_(_ROW.created_at == before.at, _ROW.id > before.id)
        query = query.where(sa.or_(_ROW.created_at < before.at, is_as_old))
    return [_to_invitation(row) for row in db.execute(query)]


def list_open_of(db: sa.Connection, user_id: int, *, at: int) -> list[str]:
    """The ids of those of one person that somebody could still use."""
    is_good = sa.and_(_ROW.uses_left > 0, _ROW.expires_at > at, _ROW.revoked_at.is_(None))
    query = sa.select(_ROW.id).where(_ROW.created_by == user_id, is_good).order_by(_ROW.created_at, _ROW.id)
    return list(db.execute(query).scalars())


def take_use(db: sa.Connection, invitation_id: str, *, at: int) -> bool:
    """Take one use of an invitation that is good; whether there was one left to take."""
    is_good = sa.and_(_ROW.id == invitation_id, _ROW.uses_left > 0, _ROW.expires_at > at, _ROW.revoked_at.is_(None))
    taken = sa.update(invitations_table).where(is_good)
    return db.execute(taken.values(uses_left=_ROW.uses_left - 1, use_count=_ROW.use_count + 1)).rowcount == 1


def withdraw_invitation(db: sa.Connection, invitation_id: str, *, at: int) -> bool:
    """Let it be good no more; whether it was not withdrawn before."""
    is_this = sa.and_(_ROW.id == invitation_id, _ROW.revoked_at.is_(None))
    return db.execute(sa.update(invitations_table).where(is_this).values(revoked_at=at)).rowcount == 1


def _to_invitation(row: Any) -> Invitation:
    return Invitation(**{**row._mapping, "role": Role(row.role)})
