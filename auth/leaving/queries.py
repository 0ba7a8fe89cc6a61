"""Every statement about the end of an account."""

import sqlalchemy as sa

from auth.permissions import Permission, Role, is_allowed
from auth.users.model import users_table
from storage.schema import metadata

_GONE = "Deleted account"
_u = users_table.c


def delete_belongings(db: sa.Connection, user_id: int) -> None:
    """Delete every row of any table that is kept only for this person: sessions, tokens, unsaved texts and the like.

    The tables say so themselves: what refers to a person with ON DELETE CASCADE goes with them, though their own row
    stays; and with ON DELETE SET NULL it forgets them.
    """
    for table in metadata.sorted_tables:
        for key in table.foreign_keys:
            if key.column is not _u.id:
                continue
            is_theirs = key.parent == user_id
            if key.ondelete == "CASCADE":
                db.execute(sa.delete(table).where(is_theirs))
            elif key.ondelete == "SET NULL":
                db.execute(sa.update(table).where(is_theirs).values({key.parent: None}))


def keep_name_only(db: sa.Connection, user_id: int, *, at: int, has_hidden_posts: bool) -> None:
    """Empty the row of a person. They count as blocked too, so that no way in has to know that there are such rows."""
    emptied = {
        "display_name": _GONE,
        "role": Role.READER,
        "biography": "",
        "blocked_at": at,
        "deleted_at": at,
        "has_hidden_posts": has_hidden_posts,
        **dict.fromkeys(("password_hash", "block_reason", "time_zone", "newcomer", "newcomer_at")),
    }
    db.execute(sa.update(users_table).where(_u.id == user_id).values(**emptied))


def list_heirs(db: sa.Connection, user_id: int, *, are_owners: bool) -> list[str]:
    """The names of those whom everything that a person has written may be given to: owners, or whoever writes here."""
    roles = [role for role in Role if is_allowed(Permission.WRITE_POSTS, role=role, scopes=None)]
    may_have = _u.role == Role.OWNER if are_owners else _u.role.in_(roles)
    query = sa.select(_u.username).where(may_have, _u.blocked_at.is_(None), _u.id != user_id)
    return list(db.execute(query.order_by(_u.username)).scalars())
