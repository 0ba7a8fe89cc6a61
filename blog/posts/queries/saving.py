"""What a save, a deletion and a change of an author's state make of the rows of posts."""

from typing import Any

import sqlalchemy as sa

from auth.users.model import users_table
from blog.posts.content import Content
from blog.posts.model import Post, posts_table

_p = posts_table.c
# Also what an import brings of somebody whose posts are hidden.
_HIDDEN = sa.select(users_table.c.has_hidden_posts).where(users_table.c.id == sa.bindparam("hidden_with"))
_INSERT = sa.insert(posts_table).values(is_hidden=_HIDDEN.scalar_subquery())


def insert_post(
    db: sa.Connection,
    post_id: str,
    content: Content,
    *,
    author_id: int,
    published_at: int | None,
    created_at: int,
    updated_at: int,
) -> None:
    """Store a new post, version 1. Its slug must be free."""
    values = {"id": post_id, "author_id": author_id, "published_at": published_at, "version": 1}
    values |= {"created_at": created_at, "updated_at": updated_at, **_values(content)}
    db.execute(_INSERT, values | {"hidden_with": author_id})


def update_post(db: sa.Connection, post: Post, content: Content, *, published_at: int | None, at: int) -> None:
    """Store what a save makes of a post: the next version."""
    db.execute(
        sa.update(posts_table)
        .where(_p.id == post.id)
        .values(
            published_at=published_at,
            version=post.version + 1,
            updated_at=at,
            **_values(content),
        )
    )


def mark_deleted(db: sa.Connection, post: Post, *, at: int) -> None:
    """Take it away; its address will say so."""
    db.execute(sa.update(posts_table).where(_p.id == post.id).values(deleted_at=at, version=post.version + 1))


def set_hidden(db: sa.Connection, *, author_id: int, is_hidden: bool) -> None:
    """Hide every post of an author from readers, or show them; no save of theirs, and no other version."""
    is_other = sa.and_(_p.author_id == author_id, _p.is_hidden == sa.literal(not is_hidden))
    db.execute(sa.update(posts_table).where(is_other).values(is_hidden=is_hidden))


def count_of(db: sa.Connection, *, author_id: int) -> int:
    """How many posts an author has that are not deleted."""
    these = sa.and_(_p.author_id == author_id, _p.deleted_at.is_(None))
    return int(db.execute(sa.select(sa.func.count()).where(these)).scalar_one())


def _values(content: Content) -> dict[str, Any]:
    names = (
        "slug",
        "title",
        "body",
        "html",
        "excerpt",
        "summary",
        "status",
        "visibility",
        "publish_at",
        "kind",
        "lang",
        "renderer_version",
    )
    return {**{name: getattr(content, name) for name in names}, "tags": ",".join(content.tags)}
