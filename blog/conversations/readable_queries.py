"""Every statement about the posts that a reader may read at this moment, and about what was made of their words."""

from collections.abc import Collection, Iterable
from typing import Any

import sqlalchemy as sa

from auth.principal import Principal
from auth.users.model import users_table
from blog.conversations.model import Part, conversation_sources_table, conversations_table
from blog.posts.model import library_table, posts_table
from blog.posts.queries.conditions import is_granted_and_out, is_known

_c, _s, _p, _h = conversations_table.c, conversation_sources_table.c, posts_table.c, library_table.c


def may_read(by: Principal, at: int) -> sa.ColumnElement[bool]:
    """The condition that `by` may read a post, beside which stands how they hold it."""
    return sa.and_(_p.deleted_at.is_(None), sa.or_(is_known(by, at), is_granted_and_out(by, at)))


def is_readable(part: Part, by: Principal, at: int) -> sa.ColumnElement[bool]:
    """The condition that `by` may read every post that this part of a conversation was made of."""
    is_there = sa.select(_p.id).select_from(_with_holding(by)).where(_p.id == _s.post_id, may_read(by, at))
    is_gone = ~is_there.correlate(conversation_sources_table).exists()
    missing = sa.select(_s.post_id).where(_s.conversation_id == _c.id, _s.part == part, is_gone)
    return ~missing.correlate(conversations_table).exists()


def find_readable_parts(db: sa.Connection, conversation_id: str, *, by: Principal, at: int) -> set[Part]:
    """Which parts of a conversation were made of nothing but what `by` may read now."""
    query = sa.select(*(is_readable(part, by, at) for part in Part)).where(_c.id == conversation_id)
    found = db.execute(query).one_or_none() or [False] * len(Part)
    return {part for part, is_whole in zip(Part, found, strict=True) if is_whole}


def list_sources(db: sa.Connection, conversation_id: str, part: Part) -> set[str]:
    """The ids of the posts that this part of a conversation was made of."""
    query = sa.select(_s.post_id).where(_s.conversation_id == conversation_id, _s.part == part)
    return set(db.execute(query).scalars())


def set_sources(db: sa.Connection, conversation_id: str, part: Part, post_ids: Iterable[str]) -> None:
    """Keep what this part of a conversation was made of, in place of what it was made of before."""
    is_this = sa.and_(_s.conversation_id == conversation_id, _s.part == part)
    db.execute(sa.delete(conversation_sources_table).where(is_this))
    if rows := [{"conversation_id": conversation_id, "part": part, "post_id": each} for each in sorted(set(post_ids))]:
        db.execute(sa.insert(conversation_sources_table), rows)


def find_versions(db: sa.Connection, post_ids: Collection[str], *, by: Principal, at: int) -> dict[str, int]:
    """Of the posts that `by` may read now, which version is there."""
    if not post_ids:
        return {}
    query = sa.select(_p.id, _p.version).select_from(_with_holding(by))
    rows: Any = db.execute(query.where(_p.id.in_(post_ids), may_read(by, at)))
    return dict(list(rows))


def list_texts(
    db: sa.Connection, post_ids: Collection[str], *, by: Principal, at: int, most: int, longest: int
) -> dict[str, str]:
    """The HTML of posts that `by` may read now: of so many at most, and of none that is longer."""
    if not post_ids:
        return {}
    query = sa.select(_p.id, _p.html).select_from(_with_holding(by))
    query = query.where(_p.id.in_(post_ids), may_read(by, at), sa.func.length(_p.html) <= longest)
    rows: Any = db.execute(query.limit(most))
    return dict(list(rows))


def is_left_behind(db: sa.Connection, post_ids: Collection[str]) -> bool:
    """Whether the author of one of these posts has left, with all that they wrote."""
    joined = posts_table.join(users_table, users_table.c.id == _p.author_id)
    query = sa.select(_p.id).select_from(joined).where(_p.id.in_(post_ids), users_table.c.deleted_at.is_not(None))
    return db.execute(query.limit(1)).first() is not None


def find_titles(db: sa.Connection, post_ids: Collection[str], *, by: Principal, at: int) -> dict[str, str]:
    """Of the posts that `by` may read now, what they are called."""
    if not post_ids:
        return {}
    query = sa.select(_p.id, _p.title).select_from(_with_holding(by))
    rows: Any = db.execute(query.where(_p.id.in_(post_ids), may_read(by, at)))
    return dict(list(rows))


def _with_holding(by: Principal) -> sa.FromClause:
    """Posts, each with how `by` holds it."""
    return posts_table.outerjoin(library_table, sa.and_(_h.post_id == _p.id, _h.user_id == by.user_id))
