"""What statements load of posts, and what is made of it."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields
from typing import Any

import sqlalchemy as sa

from auth.users.model import users_table
from blog.posts.model import Kind, Post, PostLine, ShownPost, Status, Visibility, posts_table

_p = posts_table.c
_AUTHOR = {"author_username": users_table.c.username, "author_name": users_table.c.display_name}
_NAMES = [field.name for field in fields(Post)]
POST = [_AUTHOR[name].label(name) if name in _AUTHOR else _p[name] for name in _NAMES]
# What a dataclass has from its base comes first, in its fields and so in these columns.
SHOWN = POST[: len(fields(ShownPost))]
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
# Found in a dictionary, a member costs a fifth of what asking its class does, and lists ask for thirty.
_STATUS = {status.value: status for status in Status}
_VISIBILITY = {visibility.value: visibility for visibility in Visibility}
_KIND = {kind.value: kind for kind in Kind}
FROM = posts_table.join(users_table, users_table.c.id == _p.author_id)
# Building a statement costs five times what asking it does.
POSTS = sa.select(*POST).select_from(FROM)
POSTS_SHOWN = POSTS.with_only_columns(*SHOWN)


def to_post(row: Sequence[Any] | None) -> Post | None:
    """The post of a row of `POST`; None of no row."""
    return None if row is None else Post(*_values(row))


def to_posts(rows: Iterable[Sequence[Any]]) -> list[Post]:
    """Each of these rows."""
    return [Post(*_values(row)) for row in rows]


def to_shown(row: Sequence[Any] | None) -> ShownPost | None:
    """The post of a row of `SHOWN`; None of no row."""
    return None if row is None else ShownPost(*_values(row))


def to_all_shown(rows: Iterable[Sequence[Any]]) -> list[ShownPost]:
    """Each of these rows."""
    return [ShownPost(*_values(row)) for row in rows]


def _values(row: Sequence[Any]) -> list[Any]:
    values = list(row)
    for index, make in _MADE:
        values[index] = make(values[index])
    return values


def to_line(row: Sequence[Any], at: int) -> PostLine:
    """A row of `LINE` as lists show it."""
    post_id, slug, title, summary, author, tags, status, visibility, published_at, *rest = row
    updated_at, version, kind, lang, is_hidden = rest
    is_scheduled = status == Status.PUBLISHED and published_at is not None and published_at > at
    told = (tuple(split_tags(tags)), _STATUS[status], _VISIBILITY[visibility], published_at, updated_at, version)
    return PostLine(post_id, slug, title, summary, author, *told, _KIND[kind], lang, is_hidden, is_scheduled)


def split_tags(text: str) -> list[str]:
    """The tags of a post or a revision, as they stand in its row."""
    return text.split(",") if text else []


# What a post has in another form than its row, and where: in rows of `POST` and of `SHOWN` it is the same place.
_MADE: list[tuple[int, Callable[[str], Any]]] = [
    (_NAMES.index(name), make)
    for name, make in (
        ("tags", split_tags),
        ("status", _STATUS.__getitem__),
        ("visibility", _VISIBILITY.__getitem__),
        ("kind", _KIND.__getitem__),
    )
]
