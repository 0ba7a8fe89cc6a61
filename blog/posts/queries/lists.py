"""What readers and programs find: lists, feeds, tags, and the posts around one."""

from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

import sqlalchemy as sa

from auth.principal import Principal
from auth.users.model import users_table
from blog.posts.model import Kind, Post, PostLine, ShownPost, Status, posts_table
from blog.posts.queries.conditions import is_known, is_out, is_out_for, is_out_or_held, sees_members_posts
from blog.posts.queries.rows import FROM, LINE, POSTS, POSTS_SHOWN, SHOWN, to_all_shown, to_line, to_posts
from blog.tags.model import post_tags_table
from blog.tags.queries import bears_tag
from storage.prepared import Prepared
from web.cursors import Cursor

_p = posts_table.c
# When the first post comes out after the moment `at`.
NEXT_PUBLICATION = sa.select(sa.func.min(_p.published_at)).where(
    _p.status == Status.PUBLISHED,
    _p.is_hidden == sa.false(),
    _p.published_at > sa.bindparam("at"),
    _p.deleted_at.is_(None),
)


class Neighbour(NamedTuple):
    """A post that another one leads to."""

    path: str
    title: str
    lang: str


def list_out(
    db: sa.Connection,
    *,
    by: Principal,
    at: int,
    limit: int,
    before: Cursor | None = None,
    tag: str | None = None,
    author: str | None = None,
) -> list[PostLine]:
    """What `by` finds as a reader, the newest first; under one tag, or by one author."""
    query = _lines_out(sees_members_posts(by), tag is not None, author is not None, before is not None)
    cursor = {} if before is None else {"before_at": before.at, "before_id": before.id}
    # The earlier bound is where the walk along the index begins: not with the newest post.
    bound = at if before is None else min(at, before.at)
    rows = query.all(db, at=bound, tag=tag, author=author, most=limit, **cursor)
    return [to_line(row, at) for row in rows]


def list_shown_out(
    db: sa.Connection, *, by: Principal, at: int, limit: int, tag: str | None = None, author: str | None = None
) -> list[ShownPost]:
    """The same with their texts, for feeds."""
    query = _shown_out(sees_members_posts(by), tag is not None, author is not None)
    return to_all_shown(query.all(db, at=at, tag=tag, author=author, most=limit))


@cache
def _shown_out(sees_members_posts: bool, has_tag: bool, has_author: bool) -> Prepared:
    return Prepared(_newest_out(sees_members_posts, has_tag, has_author).with_only_columns(*SHOWN))


@cache
def _lines_out(sees_members_posts: bool, has_tag: bool, has_author: bool, has_cursor: bool) -> Prepared:
    query = _newest_out(sees_members_posts, has_tag, has_author).with_only_columns(*LINE)
    if has_cursor:
        place = sa.tuple_(sa.bindparam("before_at", type_=sa.Integer), sa.bindparam("before_id", type_=sa.Text))
        query = query.where(sa.tuple_(_p.published_at, _p.id) < place)
    return Prepared(query)


def _newest_out(sees_members_posts: bool, has_tag: bool, has_author: bool) -> sa.Select[Any]:
    at = sa.bindparam("at", type_=sa.Integer)
    query = sa.select(_p.id).select_from(FROM).where(is_out_for(sees_members_posts, at), _p.kind == Kind.POST)
    if has_tag:
        query = query.where(bears_tag(sa.bindparam("tag", type_=sa.Text), _p.id))
    if has_author:
        query = query.where(users_table.c.username == sa.bindparam("author"))
    return query.order_by(_p.published_at.desc(), _p.id.desc()).limit(sa.bindparam("most", type_=sa.Integer))


def find_neighbours(
    db: sa.Connection, post: ShownPost, *, by: Principal, at: int
) -> tuple[Neighbour | None, Neighbour | None]:
    """The posts that came out before and after one that is out, of those that `by` finds as a reader."""
    rows = _neighbours(sees_members_posts(by)).all(db, at=at, here_at=post.published_at, here_id=post.id)
    sides = {side: Neighbour(f"/posts/{slug}", title, lang) for side, slug, title, lang in rows}
    return sides.get("before"), sides.get("after")


@cache
def _neighbours(sees_members_posts: bool) -> Prepared:
    at, here_at = (sa.bindparam(name, type_=sa.Integer) for name in ("at", "here_at"))
    here, place = sa.tuple_(here_at, sa.bindparam("here_id", type_=sa.Text)), sa.tuple_(_p.published_at, _p.id)

    def first(side: str, *conditions: sa.ColumnElement[bool], order: Sequence[Any]) -> sa.Select[Any]:
        query = sa.select(sa.literal(side).label("side"), _p.slug, _p.title, _p.lang)
        query = query.where(_p.kind == Kind.POST, *conditions)
        return sa.select(query.order_by(*order).limit(1).subquery())

    # What came out before a post that is out is out by now. Bounded by `at`, the search would begin with the newest.
    out_by_then, out = is_out_for(sees_members_posts, here_at), is_out_for(sees_members_posts, at)
    before = first("before", out_by_then, place < here, order=(_p.published_at.desc(), _p.id.desc()))
    return Prepared(before.union_all(first("after", out, place > here, order=(_p.published_at, _p.id))))


def count_by_tag(db: sa.Connection, *, by: Principal, at: int) -> list[tuple[str, int]]:
    """Every tag of what `by` finds as a reader, and on how many posts it stands, by name."""
    return [(tag, count) for tag, count in _counted_by_tag(sees_members_posts(by)).all(db, at=at)]


@cache
def _counted_by_tag(sees_members_posts: bool) -> Prepared:
    t, is_out_now = post_tags_table.c, is_out_for(sees_members_posts, sa.bindparam("at", type_=sa.Integer))
    query = sa.select(t.tag, sa.func.count()).join(posts_table, _p.id == t.post_id)
    return Prepared(query.where(is_out_now, _p.kind == Kind.POST).group_by(t.tag).order_by(t.tag))


def list_known(db: sa.Connection, *, by: Principal, at: int, limit: int, before: Cursor | None = None) -> list[Post]:
    """Everything that `by` may know of, the last begun first."""
    query = POSTS.where(_p.deleted_at.is_(None), is_known(by, at))
    if before is not None:
        query = query.where(sa.tuple_(_p.created_at, _p.id) < sa.tuple_(before.at, before.id))
    rows = db.execute(query.order_by(_p.created_at.desc(), _p.id.desc()).limit(limit))
    return to_posts(rows)


def list_readable(
    db: sa.Connection, post_ids: Sequence[str], *, by: Principal, at: int, with_held: bool = False
) -> list[ShownPost]:
    """Those of these posts that `by` finds as a reader, with texts; `with_held`: or holds, see `is_out_or_held`."""
    found = is_out_or_held(by, at) if with_held else is_out(by, at)
    query = POSTS_SHOWN.where(_p.id.in_(post_ids), found)
    return to_all_shown(db.execute(query))
