"""The statements of the bin."""

import sqlalchemy as sa

from auth.principal import Principal
from blog.posts.model import Post, Status, posts_table
from blog.posts.queries.conditions import is_editable, is_somebodys
from blog.posts.queries.rows import POSTS, to_post, to_posts
from web.cursors import Cursor

_p = posts_table.c


def find_in_bin(db: sa.Connection, post_id: str, *, by: Principal, since: int) -> Post | None:
    """A post that was deleted since a moment, if `by` may change it."""
    is_there = sa.and_(_p.id == post_id, _p.deleted_at >= since, is_editable(by), is_somebodys())
    return to_post(db.execute(POSTS.where(is_there)).one_or_none())


def list_bin(db: sa.Connection, *, by: Principal, since: int, limit: int, before: Cursor | None = None) -> list[Post]:
    """What `by` may take out of the bin, the last deleted first."""
    query = POSTS.where(_p.deleted_at >= since, is_editable(by), is_somebodys())
    if before is not None:
        query = query.where(sa.tuple_(_p.deleted_at, _p.id) < sa.tuple_(before.at, before.id))
    rows = db.execute(query.order_by(_p.deleted_at.desc(), _p.id.desc()).limit(limit))
    return to_posts(rows)


def mark_restored(db: sa.Connection, post: Post, *, at: int) -> None:
    """Take it out of the bin, as a draft; what was deleted before its moment came has never been out."""
    out_at = post.published_at if post.was_out(at) else None
    values = {"deleted_at": None, "status": Status.DRAFT, "version": post.version + 1, "updated_at": at}
    values["published_at"] = out_at
    db.execute(sa.update(posts_table).where(_p.id == post.id).values(**values))
