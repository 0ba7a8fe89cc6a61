"""Every statement of the site's maps: where everything stands, and when it came out."""

from typing import NamedTuple

import sqlalchemy as sa

from auth.principal import Principal
from blog.posts.model import Kind, PostLine, posts_table
from blog.posts.queries import FROM, LINE, is_out, to_line

_p = posts_table.c


class Address(NamedTuple):
    """Where a post or a page stands, and when it was last changed."""

    slug: str
    kind: Kind
    changed_at: int

    @property
    def path(self) -> str:
        """The path of it."""
        return f"/{self.slug}" if self.kind == Kind.PAGE else f"/posts/{self.slug}"


def list_addresses(db: sa.Connection, *, by: Principal, at: int, limit: int, offset: int) -> list[Address]:
    """Everything that `by` may read, pages too, the newest first."""
    query = sa.select(_p.slug, _p.kind, _p.updated_at, _p.published_at).where(is_out(by, at))
    rows = db.execute(query.order_by(_p.published_at.desc(), _p.id.desc()).limit(limit).offset(offset))
    return [Address(row.slug, Kind(row.kind), max(row.updated_at, row.published_at)) for row in rows]


def count_addresses(db: sa.Connection, *, by: Principal, at: int) -> int:
    """How many there are."""
    return int(db.execute(sa.select(sa.func.count()).select_from(posts_table).where(is_out(by, at))).scalar_one())


def list_moments(db: sa.Connection, *, by: Principal, at: int) -> list[int]:
    """When each post came out that `by` finds as a reader, the newest first."""
    query = sa.select(_p.published_at).where(is_out(by, at), _p.kind == Kind.POST)
    return list(db.execute(query.order_by(_p.published_at.desc())).scalars())


def list_between(db: sa.Connection, *, by: Principal, at: int, start: int, end: int) -> list[PostLine]:
    """What came out from one moment until before another, the newest first."""
    within = sa.and_(_p.published_at >= start, _p.published_at < end)
    query = sa.select(*LINE).select_from(FROM).where(is_out(by, at), _p.kind == Kind.POST, within)
    return [to_line(row, at) for row in db.execute(query.order_by(_p.published_at.desc(), _p.id.desc()))]
