"""What statements load of posts, and what is made of it."""

from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa

from auth.users.model import users_table
from blog.posts.model import Kind, Post, PostLine, Status, Visibility, posts_table

_p = posts_table.c
_AUTHOR = {"author_username": users_table.c.username, "author_name": users_table.c.display_name}
POST = [_AUTHOR[name].label(name) if name in _AUTHOR else _p[name] for name in Post.__dataclass_fields__]
LINE = [
    _p.id,
    _p.slug,
    _p.title,
    _p.summary,
    users_table.c.display_name,
    _p.tags,
    _p.status,
    _p.visibility,
    _p.published_at,
    _p.updated_at,
    _p.version,
    _p.kind,
    _p.lang,
    _p.is_hidden,
]
FROM = posts_table.join(users_table, users_table.c.id == _p.author_id)
# Building a statement costs five times what asking it does.
POSTS = sa.select(*POST).select_from(FROM)


def to_post(row: Any) -> Post | None:
    """The post of a row of `POSTS`; None of no row."""
    if row is None:
        return None
    values = dict(row._mapping)
    values |= {
        "tags": split_tags(row.tags),
        "status": Status(row.status),
        "visibility": Visibility(row.visibility),
        "kind": Kind(row.kind),
    }
    return Post(**values)


def to_posts(rows: Iterable[Any]) -> list[Post]:
    """Each of these rows."""
    return [post for row in rows if (post := to_post(row)) is not None]


def to_line(row: Sequence[Any], at: int) -> PostLine:
    """A row of `LINE` as lists show it."""
    post_id, slug, title, summary, author, tags, status, visibility, published_at, *rest = row
    updated_at, version, kind, lang, is_hidden = rest
    return PostLine(
        id=post_id,
        slug=slug,
        title=title,
        excerpt=summary,
        author_name=author,
        tags=split_tags(tags),
        status=Status(status),
        visibility=Visibility(visibility),
        published_at=published_at,
        updated_at=updated_at,
        version=version,
        kind=Kind(kind),
        lang=lang,
        is_hidden=is_hidden,
        is_scheduled=status == Status.PUBLISHED and published_at is not None and published_at > at,
    )


def split_tags(text: str) -> list[str]:
    """The tags of a post or a revision, as they stand in its row."""
    return text.split(",") if text else []
