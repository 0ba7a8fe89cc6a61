"""Every statement about series. What somebody may see or change is a condition here: a stranger's row is not found."""

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any, NamedTuple

import sqlalchemy as sa

from auth.permissions import Permission
from auth.principal import Principal
from auth.users.model import users_table
from blog.posts.model import Kind, PostLine, ShownPost, Status, posts_table
from blog.posts.queries.conditions import is_editable, is_known, is_out, is_out_for, sees_members_posts
from blog.posts.queries.rows import FROM, LINE, to_line
from blog.series.model import Part, Series, series_posts_table, series_table
from storage.prepared import Prepared

_s, _sp, _p = series_table.c, series_posts_table.c, posts_table.c
_SERIES = [_s.id, _s.slug, _s.title, _s.author_id, users_table.c.display_name, _s.version]
_FROM = series_table.join(users_table, users_table.c.id == _s.author_id)
_HOLDING = _FROM.join(series_posts_table, _sp.series_id == _s.id).join(posts_table, _p.id == _sp.post_id)
_PART = [_p.id, _p.slug, _p.title, _p.summary, _p.status, _p.published_at, _p.kind, _p.lang]


class SeriesLine(NamedTuple):
    """A series as lists show it."""

    series: Series
    post_count: int  # of its posts that are not deleted


class Lent(NamedTuple):
    """A post that stands in somebody else's series."""

    series: Series
    part: Part


def find_series(db: sa.Connection, slug: str) -> Series | None:
    """The series at that address."""
    row = db.execute(sa.select(*_SERIES).select_from(_FROM).where(_s.slug == slug)).one_or_none()
    return None if row is None else Series(*row)


def find_editable(db: sa.Connection, series_id: str, *, by: Principal) -> Series | None:
    """The series, if `by` may change it."""
    query = sa.select(*_SERIES).select_from(_FROM).where(_s.id == series_id, _is_editable(by))
    row = db.execute(query).one_or_none()
    return None if row is None else Series(*row)


def find_own_titled(db: sa.Connection, title: str, *, by: Principal) -> Series | None:
    """The series of that title which is one's own."""
    query = sa.select(*_SERIES).select_from(_FROM).where(_s.title == title, _s.author_id == by.user_id)
    row = db.execute(query.order_by(_s.created_at).limit(1)).one_or_none()
    return None if row is None else Series(*row)


def list_editable(db: sa.Connection, *, by: Principal, limit: int, after: str | None = None) -> list[SeriesLine]:
    """What `by` may change, by address; `after`: behind that address."""
    count = (
        sa.select(sa.func.count())
        .select_from(series_posts_table.join(posts_table, _p.id == _sp.post_id))
        .where(_sp.series_id == _s.id, _p.deleted_at.is_(None))
        .scalar_subquery()
    )
    query = sa.select(*_SERIES, count).select_from(_FROM).where(_is_editable(by))
    if after is not None:
        query = query.where(_s.slug > after)
    return [SeriesLine(Series(*row[:-1]), row[-1]) for row in db.execute(query.order_by(_s.slug).limit(limit))]


def is_slug_taken(db: sa.Connection, slug: str) -> bool:
    """Whether a series stands there."""
    return db.execute(sa.select(_s.id).where(_s.slug == slug)).first() is not None


def count_own(db: sa.Connection, *, by: Principal) -> int:
    """How many series are one's own."""
    return db.execute(sa.select(sa.func.count()).where(_s.author_id == by.user_id)).scalar_one()


def list_parts(db: sa.Connection, series_id: str, *, by: Principal, at: int) -> list[Part]:
    """All posts of a series that are not deleted, drafts too: for those who may change it.

    Of those that `by` may not read nothing is said: neither title nor address.
    """
    return _parts(db, _sp.series_id == series_id, columns=_part_if(is_known(by, at)))


def list_parts_out(db: sa.Connection, series_id: str, *, by: Principal, at: int) -> list[Part]:
    """The posts of a series that `by` finds as a reader."""
    return _parts(db, _sp.series_id == series_id, sa.case((is_out(by, at), sa.true()), else_=sa.false()))


def list_around(db: sa.Connection, post: ShownPost, *, by: Principal, at: int) -> tuple[str, str, list[Part]] | None:
    """Slug and title of the series that a post is in; the post itself, and the other parts that are out."""
    rows = _around(sees_members_posts(by)).all(db, post_id=post.id, at=at)
    return (rows[0][0], rows[0][1], [_to_part(row[2:]) for row in rows]) if rows else None


@cache
def _around(sees_members_posts: bool) -> Prepared:
    mine, post_id = series_posts_table.alias("mine"), sa.bindparam("post_id", type_=sa.Text)
    is_out_now = is_out_for(sees_members_posts, sa.bindparam("at", type_=sa.Integer))
    # As a case: SQLite would else look for all posts that are out before it looks for those of the series.
    is_shown = sa.case((is_out_now, sa.true()), else_=_p.id == post_id)
    with_parts = (
        mine.join(series_table, _s.id == mine.c.series_id)
        .join(series_posts_table, _sp.series_id == _s.id)
        .join(posts_table, _p.id == _sp.post_id)
    )
    query = sa.select(_s.slug.label("series_slug"), _s.title.label("series_title"), *_PART).select_from(with_parts)
    return Prepared(query.where(mine.c.post_id == post_id, is_shown).order_by(_sp.position, _sp.post_id))


def find_series_of(db: sa.Connection, post_id: str) -> Series | None:
    """The series that a post is in."""
    of_post = sa.select(_sp.series_id).where(_sp.post_id == post_id).scalar_subquery()
    row = db.execute(sa.select(*_SERIES).select_from(_FROM).where(_s.id == of_post)).one_or_none()
    return None if row is None else Series(*row)


def find_holding(db: sa.Connection, series_id: str, post_id: str, *, by: Principal) -> Series | None:
    """The series, if that post stands in it and is one that `by` has written."""
    holds = _sp.post_id == post_id
    query = sa.select(*_SERIES).select_from(_HOLDING).where(_s.id == series_id, holds, _is_own_post(by))
    row = db.execute(query).one_or_none()
    return None if row is None else Series(*row)


def is_own_post(db: sa.Connection, post_id: str, *, by: Principal) -> bool:
    """Whether `by` has written that post, and may change it."""
    return db.execute(sa.select(_p.id).where(_p.id == post_id, _is_own_post(by))).first() is not None


def list_lent(db: sa.Connection, *, by: Principal, limit: int) -> list[Lent]:
    """The posts that `by` has written and that stand in a series which is not theirs to change."""
    query = sa.select(*_SERIES, *_PART).select_from(_HOLDING)
    query = query.where(_is_own_post(by), sa.not_(_is_editable(by)), _p.deleted_at.is_(None))
    rows = db.execute(query.order_by(_s.slug, _sp.position, _sp.post_id).limit(limit))
    return [Lent(Series(*row[: len(_SERIES)]), _to_part(row[len(_SERIES) :])) for row in rows]


def list_addable(db: sa.Connection, *, by: Principal, at: int, limit: int) -> list[PostLine]:
    """One's own posts that are in no series, the last changed first."""
    is_free = _p.id.not_in(sa.select(_sp.post_id))
    is_own = sa.and_(_p.author_id == by.user_id, is_editable(by), _p.deleted_at.is_(None))
    query = sa.select(*LINE).select_from(FROM).where(is_own, is_free)
    return [to_line(row, at) for row in db.execute(query.order_by(_p.updated_at.desc(), _p.id.desc()).limit(limit))]


def insert_series(db: sa.Connection, series: Series, *, at: int) -> None:
    """Store a new one."""
    names = ("id", "slug", "title", "author_id", "version")
    db.execute(sa.insert(series_table).values(created_at=at, **{name: getattr(series, name) for name in names}))


def update_series(db: sa.Connection, series: Series, *, title: str) -> None:
    """Store another title, or only that something about it has changed: the next version."""
    db.execute(sa.update(series_table).where(_s.id == series.id).values(title=title, version=series.version + 1))


def delete_series(db: sa.Connection, series_id: str) -> None:
    """Take it away; its posts stay."""
    db.execute(sa.delete(series_table).where(_s.id == series_id))


def list_order(db: sa.Connection, series_id: str) -> list[str]:
    """The ids of all posts of a series, deleted ones too, in their order."""
    query = sa.select(_sp.post_id).where(_sp.series_id == series_id).order_by(_sp.position, _sp.post_id)
    return list(db.execute(query).scalars())


def store_order(db: sa.Connection, series_id: str, post_ids: Iterable[str]) -> None:
    """Let these posts, and no others, be the series, in this order. None of them may be in another one."""
    db.execute(sa.delete(series_posts_table).where(_sp.series_id == series_id))
    rows = [{"series_id": series_id, "post_id": each, "position": n} for n, each in enumerate(post_ids, start=1)]
    if rows:
        db.execute(sa.insert(series_posts_table), rows)


def _part_if(condition: sa.ColumnElement[bool]) -> list[sa.ColumnElement[Any]]:
    telling = {"slug", "title", "summary"}
    return [sa.case((condition, each), else_="") if each.name in telling else each for each in _PART]


def _parts(
    db: sa.Connection, *conditions: sa.ColumnElement[bool], columns: Sequence[sa.ColumnElement[Any]] = tuple(_PART)
) -> list[Part]:
    query = sa.select(*columns).join(series_posts_table, _sp.post_id == _p.id)
    rows = db.execute(query.where(_p.deleted_at.is_(None), *conditions).order_by(_sp.position, _sp.post_id))
    return [_to_part(row) for row in rows]


def _to_part(row: Sequence[Any]) -> Part:
    post_id, slug, title, summary, status, published_at, kind, lang = row
    return Part(post_id, slug, title, summary, Status(status), published_at, Kind(kind), lang)


def _is_editable(by: Principal) -> sa.ColumnElement[bool]:
    if by.may(Permission.EDIT_ANY_POST):
        return sa.true()
    return _s.author_id == by.user_id if by.may(Permission.WRITE_POSTS) else sa.false()


def _is_own_post(by: Principal) -> sa.ColumnElement[bool]:
    return sa.and_(_p.author_id == by.user_id, is_editable(by))
