"""Every statement about libraries."""

from typing import Any, NamedTuple

import sqlalchemy as sa

from auth.principal import Principal
from auth.users.model import users_table
from blog.posts.model import Held, PostLine, ShownPost, library_table, posts_table
from blog.posts.queries.conditions import is_granted_and_out, is_known
from blog.posts.queries.rows import FROM, LINE, to_line
from storage.prepared import Prepared
from web.cursors import Cursor

_h, _p = library_table.c, posts_table.c
_IS_THEIRS = sa.and_(_h.post_id == _p.id, _h.user_id == sa.bindparam("user_id", type_=sa.Integer))
_SOURCE = Prepared(
    sa.select(_h.source, _p.author_id)
    .select_from(posts_table.outerjoin(library_table, _IS_THEIRS))
    .where(_p.id == sa.bindparam("post_id"))
)


class Holding(NamedTuple):
    """A post that somebody holds."""

    line: PostLine
    source: Held
    created_at: int


class Grant(NamedTuple):
    """Somebody who was granted a post."""

    username: str
    display_name: str
    created_at: int


def find_source(db: sa.Connection, post_id: str, *, user_id: int | None) -> Held | None:
    """How that person holds that post: by a row, or because they wrote it; None: not at all."""
    row = _SOURCE.first(db, post_id=post_id, user_id=user_id)
    if row is None:
        return None
    source, author_id = row
    if author_id == user_id:
        return Held.OWN
    return None if source is None else Held(source)


def find_holding(db: sa.Connection, post: ShownPost, by: Principal) -> Held | None:
    """The same of a post that is at hand."""
    if post.author_id == by.user_id:
        return Held.OWN
    return find_source(db, post.id, user_id=by.user_id)


def insert_holding(db: sa.Connection, post_id: str, *, user_id: int, source: Held, at: int) -> None:
    """Store it; nothing is there yet."""
    values = {"user_id": user_id, "post_id": post_id, "source": source, "created_at": at}
    saved_at = at if source == Held.SAVED else None
    db.execute(sa.insert(library_table).values(**values, saved_at=saved_at))


def set_granted(db: sa.Connection, post_id: str, *, user_id: int, at: int) -> None:
    """Let a grant stand over what they saved."""
    is_this = sa.and_(_h.user_id == user_id, _h.post_id == post_id)
    db.execute(sa.update(library_table).where(is_this).values(source=Held.GRANTED, created_at=at))


def delete_grant(db: sa.Connection, post_id: str, *, user_id: int) -> bool:
    """Take a grant away; what they had saved before is as it was then. Whether it was granted."""
    is_this = sa.and_(_h.user_id == user_id, _h.post_id == post_id, _h.source == Held.GRANTED)
    saved = sa.update(library_table).where(is_this, _h.saved_at.is_not(None))
    if db.execute(saved.values(source=Held.SAVED, created_at=_h.saved_at)).rowcount:
        return True
    return db.execute(sa.delete(library_table).where(is_this)).rowcount == 1


def delete_holding(db: sa.Connection, post_id: str, *, user_id: int) -> bool:
    """Take it out, however it came to be held; whether it was there."""
    is_this = sa.and_(_h.user_id == user_id, _h.post_id == post_id)
    return db.execute(sa.delete(library_table).where(is_this)).rowcount == 1


def list_held(db: sa.Connection, *, by: Principal, at: int, limit: int, before: Cursor | None = None) -> list[Holding]:
    """What somebody has saved or was granted and may read now, the newest first."""
    may_read = sa.or_(is_known(by, at), is_granted_and_out(by, at))
    joined = FROM.join(library_table, _h.post_id == _p.id)
    query = sa.select(_h.source, _h.created_at, *LINE).select_from(joined)
    query = query.where(_h.user_id == by.user_id, _p.deleted_at.is_(None), may_read)
    if before is not None:
        query = query.where(sa.tuple_(_h.created_at, _h.post_id) < sa.tuple_(before.at, before.id))
    rows: Any = db.execute(query.order_by(_h.created_at.desc(), _h.post_id.desc()).limit(limit))
    return [Holding(to_line(line, at), Held(source), created_at) for source, created_at, *line in rows]


def list_grants(db: sa.Connection, post_id: str, *, limit: int, after: str | None = None) -> list[Grant]:
    """Who was granted a post, by name; `after`: behind that name."""
    u = users_table.c
    query = sa.select(u.username, u.display_name, _h.created_at).join_from(
        library_table, users_table, u.id == _h.user_id
    )
    query = query.where(_h.post_id == post_id, _h.source == Held.GRANTED)
    if after is not None:
        query = query.where(u.username > after)
    rows = db.execute(query.order_by(u.username).limit(limit))
    return [Grant._make(row) for row in rows]
