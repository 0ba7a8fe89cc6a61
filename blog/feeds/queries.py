"""Every statement of the site's maps: where everything stands, and when it came out.

What only counts or seeks reads nothing but the index `ix_posts_reading`.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from auth.principal import Principal
from blog.posts.model import Kind, posts_table
from blog.posts.queries.conditions import is_out, is_out_for, sees_members_posts
from web.cursors import Cursor

_p = posts_table.c
_PLACE = sa.tuple_(_p.published_at, _p.id)


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
    return int(db.execute(sa.select(sa.func.count()).select_from(posts_table).where(is_out(by, at))).scalar_one())


def find_place(db: sa.Connection, *, by: Principal, at: int, number: int) -> Cursor | None:
    """Where the so-and-so-many-th of them stands, counted from 0 and from the oldest."""
    query = sa.select(_p.published_at, _p.id).where(is_out(by, at)).order_by(_p.published_at, _p.id)
    row = db.execute(query.limit(1).offset(number)).one_or_none()
    return None if row is None else Cursor(*row)


def list_addresses(db: sa.Connection, *, by: Principal, at: int, limit: int, start: Cursor) -> list[Address]:
    """The addresses of them from a place on, the oldest first: what comes out later moves no other."""
    query = sa.select(_p.slug, _p.kind, _p.updated_at, _p.published_at)
    query = query.where(is_out(by, at), sa.tuple_(start.at, start.id) <= _PLACE)
    rows = db.execute(query.order_by(_p.published_at, _p.id).limit(limit))
    return [Address(row.slug, Kind(row.kind), max(row.updated_at, row.published_at)) for row in rows]


def find_newest(db: sa.Connection, *, by: Principal, at: int) -> int | None:
    """When the last of the posts came out that `by` finds as a reader."""
    return _moment(db, is_out(by, at), order=_p.published_at.desc())


def find_oldest(db: sa.Connection, *, by: Principal, at: int, since: int) -> int | None:
    """When the first of them came out, of those that did since a moment."""
    return _moment(db, is_out(by, at), _p.published_at >= since, order=_p.published_at)


def count_within(
    db: sa.Connection, bounds: Sequence[tuple[int, int]], *, by: Principal, at: int
) -> list[tuple[int, int]]:
    """Of spans of time, each with its start and the first moment after it: the start, and how many came out in it."""
    spans = sa.values(sa.column("start", sa.Integer), sa.column("last", sa.Integer), name="spans")
    # One bound on each side, or the index is read from the start to this day for every span.
    spans_cte = spans.data([(start, min(end - 1, at)) for start, end in bounds]).cte("spans")
    last: Any = spans_cte.c.last
    is_within = sa.and_(is_out_for(sees_members_posts(by), last), _p.published_at >= spans_cte.c.start)
    counted = sa.select(sa.func.count()).select_from(posts_table).where(is_within, _p.kind == Kind.POST)
    rows = db.execute(sa.select(spans_cte.c.start, counted.correlate(spans_cte).scalar_subquery()))
    return [(row[0], row[1]) for row in rows]


def list_titles(
    db: sa.Connection, *, by: Principal, at: int, limit: int, start: int | None = None, after: Cursor | None = None
) -> list[Title]:
    """What came out until a moment and, with `start`, not before another, the newest first; `after`: from there on."""
    last = at if after is None else min(at, after.at)
    query = sa.select(*(_p[name] for name in Title._fields)).where(is_out(by, last), _p.kind == Kind.POST)
    if start is not None:
        query = query.where(_p.published_at >= start)
    if after is not None:
        query = query.where(sa.tuple_(after.at, after.id) > _PLACE)
    rows = db.execute(query.order_by(_p.published_at.desc(), _p.id.desc()).limit(limit))
    return [Title(*row) for row in rows]


def _moment(db: sa.Connection, *conditions: sa.ColumnElement[bool], order: Any) -> int | None:
    query = sa.select(_p.published_at).where(*conditions, _p.kind == Kind.POST).order_by(order).limit(1)
    return db.execute(query).scalar_one_or_none()
