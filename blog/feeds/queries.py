"""Every statement of the site's maps: where everything stands, and when it came out.

What only counts or seeks reads nothing but the index `ix_posts_reading`.
"""

import json
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import sqlalchemy as sa

from auth.principal import Principal
from blog.posts.model import Kind, posts_table
from blog.posts.queries.conditions import is_out_for, sees_members_posts
from storage.prepared import Prepared
from web.cursors import Cursor

_p = posts_table.c
_PLACE = sa.tuple_(_p.published_at, _p.id)
_AT = sa.bindparam("at", type_=sa.Integer)
_LIMIT = sa.bindparam("most", type_=sa.Integer)
# Where a list goes on.
_FROM = sa.tuple_(sa.bindparam("from_at", type_=sa.Integer), sa.bindparam("from_id", type_=sa.Text))


class Address(NamedTuple):
    """Where a post or a page stands, and when it was last changed."""

    slug: str
    kind: Kind
    changed_at: int

    @property
    def path(self) -> str:
        """The path of it."""
        return f"/{self.slug}" if self.kind == Kind.PAGE else f"/posts/{self.slug}"


class Title(NamedTuple):
    """A post as the archive shows it."""

    id: str
    slug: str
    title: str
    lang: str
    published_at: int

    @property
    def path(self) -> str:
        """The path of it."""
        return f"/posts/{self.slug}"


def count_addresses(db: sa.Connection, *, by: Principal, at: int) -> int:
    """How many posts and pages `by` may read."""
    return int(_addresses_counted(sees_members_posts(by)).all(db, at=at)[0][0])


@cache
def _addresses_counted(sees_members_posts: bool) -> Prepared:
    return Prepared(sa.select(sa.func.count()).select_from(posts_table).where(is_out_for(sees_members_posts, _AT)))


def find_place(db: sa.Connection, *, by: Principal, at: int, number: int) -> Cursor | None:
    """Where the so-and-so-many-th of them stands, counted from 0 and from the oldest."""
    row = _place(sees_members_posts(by)).first(db, at=at, number=number)
    return None if row is None else Cursor(*row)


@cache
def _place(sees_members_posts: bool) -> Prepared:
    query = sa.select(_p.published_at, _p.id).where(is_out_for(sees_members_posts, _AT))
    number = sa.bindparam("number", type_=sa.Integer)
    return Prepared(query.order_by(_p.published_at, _p.id).limit(1).offset(number))


def list_addresses(db: sa.Connection, *, by: Principal, at: int, limit: int, start: Cursor) -> list[Address]:
    """The addresses of them from a place on, the oldest first: what comes out later moves no other."""
    query = _addresses(sees_members_posts(by))
    rows = query.all(db, at=at, from_at=start.at, from_id=start.id, most=limit)
    return [Address(slug, Kind(kind), max(updated_at, published_at)) for slug, kind, updated_at, published_at in rows]


@cache
def _addresses(sees_members_posts: bool) -> Prepared:
    query = sa.select(_p.slug, _p.kind, _p.updated_at, _p.published_at)
    query = query.where(is_out_for(sees_members_posts, _AT), _FROM <= _PLACE)
    return Prepared(query.order_by(_p.published_at, _p.id).limit(_LIMIT))


def find_newest(db: sa.Connection, *, by: Principal, at: int) -> int | None:
    """When the last of the posts came out that `by` finds as a reader."""
    row = _newest(sees_members_posts(by)).first(db, at=at)
    return None if row is None else row[0]


@cache
def _newest(sees_members_posts: bool) -> Prepared:
    return Prepared(_moments(sees_members_posts).order_by(_p.published_at.desc()).limit(1))


def find_oldest(db: sa.Connection, *, by: Principal, at: int, since: int) -> int | None:
    """When the first of them came out, of those that did since a moment."""
    row = _oldest(sees_members_posts(by)).first(db, at=at, since=since)
    return None if row is None else row[0]


@cache
def _oldest(sees_members_posts: bool) -> Prepared:
    query = _moments(sees_members_posts).where(_p.published_at >= sa.bindparam("since", type_=sa.Integer))
    return Prepared(query.order_by(_p.published_at).limit(1))


def _moments(sees_members_posts: bool) -> sa.Select[tuple[int]]:
    return sa.select(_p.published_at).where(is_out_for(sees_members_posts, _AT), _p.kind == Kind.POST)


def count_within(
    db: sa.Connection, bounds: Sequence[tuple[int, int]], *, by: Principal, at: int
) -> list[tuple[int, int]]:
    """Of spans of time, each with its start and the first moment after it: the start, and how many came out in it."""
    # One bound on each side, or the index is read from the start to this day for every span.
    spans = json.dumps([(start, min(end - 1, at)) for start, end in bounds])
    return [(start, count) for start, count in _counted_within(sees_members_posts(by)).all(db, spans=spans)]


@cache
def _counted_within(sees_members_posts: bool) -> Prepared:
    # However many spans there are, it is the same statement.
    span = sa.func.json_each(sa.bindparam("spans", type_=sa.Text)).table_valued("value", name="spans").c.value
    start, last = (sa.func.json_extract(span, place, type_=sa.Integer) for place in ("$[0]", "$[1]"))
    is_within = sa.and_(is_out_for(sees_members_posts, last), _p.published_at >= start)
    counted = sa.select(sa.func.count()).select_from(posts_table).where(is_within, _p.kind == Kind.POST)
    return Prepared(sa.select(start, counted.correlate(span.table).scalar_subquery()))


def list_titles(
    db: sa.Connection, *, by: Principal, at: int, limit: int, start: int | None = None, after: Cursor | None = None
) -> list[Title]:
    """What came out until a moment and, with `start`, not before another, the newest first; `after`: from there on."""
    query = _titles(sees_members_posts(by), start is not None, after is not None)
    since = {} if start is None else {"since": start}
    place = {} if after is None else {"from_at": after.at, "from_id": after.id}
    rows = query.all(db, at=at if after is None else min(at, after.at), most=limit, **since, **place)
    return [Title(*row) for row in rows]


@cache
def _titles(sees_members_posts: bool, has_start: bool, has_place: bool) -> Prepared:
    query = sa.select(*(_p[name] for name in Title._fields))
    query = query.where(is_out_for(sees_members_posts, _AT), _p.kind == Kind.POST)
    if has_start:
        query = query.where(_p.published_at >= sa.bindparam("since", type_=sa.Integer))
    if has_place:
        query = query.where(_FROM > _PLACE)
    return Prepared(query.order_by(_p.published_at.desc(), _p.id.desc()).limit(_LIMIT))
