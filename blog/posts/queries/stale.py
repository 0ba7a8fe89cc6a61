"""Posts whose pages are to be made anew from their texts."""

from collections.abc import Sequence

import sqlalchemy as sa

from blog.posts.model import Post, posts_table
from blog.posts.queries.rows import POSTS, to_posts

_p = posts_table.c
_IN_ONE_STATEMENT = 500


def list_stale(db: sa.Connection, *, renderer: int, limit: int) -> list[Post]:
    """Posts whose pages an older renderer has made, also deleted ones."""
    query = POSTS.where(_p.renderer_version < renderer).limit(limit)
    return to_posts(db.execute(query))


def replace_html(db: sa.Connection, post: Post, *, html: str, summary: str, renderer: int) -> bool:
    """Store another page of the same text, unless that was changed meanwhile; returns whether it was stored."""
    is_same = sa.and_(_p.id == post.id, _p.version == post.version)
    values = {"html": html, "summary": summary, "renderer_version": renderer}
    return db.execute(sa.update(posts_table).where(is_same).values(**values)).rowcount == 1


def mark_all_stale(db: sa.Connection) -> None:
    """Let every page be made anew."""
    db.execute(sa.update(posts_table).values(renderer_version=0))


def mark_stale(db: sa.Connection, post_ids: Sequence[str]) -> None:
    """Let the pages of these posts be made anew."""
    for start in range(0, len(post_ids), _IN_ONE_STATEMENT):
        these = _p.id.in_(post_ids[start : start + _IN_ONE_STATEMENT])
        db.execute(sa.update(posts_table).where(these).values(renderer_version=0))
