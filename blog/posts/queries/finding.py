"""The one post that is asked for."""

import sqlalchemy as sa

from auth.principal import Principal
from blog.posts.model import Held, Post, ShownPost, former_slugs_table, library_table, posts_table, revisions_table
from blog.posts.queries.conditions import is_editable
from blog.posts.queries.rows import POSTS, POSTS_SHOWN, to_post, to_shown
from storage.prepared import Prepared

_p = posts_table.c
_IS_AT, _IS_IT = _p.slug == sa.bindparam("slug"), _p.id == sa.bindparam("post_id")
_FORMER = sa.select(former_slugs_table.c.post_id).where(former_slugs_table.c.slug == sa.bindparam("slug"))
_WAS_AT = _p.id == _FORMER.scalar_subquery()
_BY_SLUG, _BY_ID, _BY_FORMER_SLUG = (Prepared(POSTS.where(each)) for each in (_IS_AT, _IS_IT, _WAS_AT))
_SHOWN_BY_SLUG, _SHOWN_BY_ID, _SHOWN_BY_FORMER_SLUG = (
    Prepared(POSTS_SHOWN.where(each)) for each in (_IS_AT, _IS_IT, _WAS_AT)
)
_r = revisions_table.c
_MADE = sa.select(_r.post_id).where(_r.submission == sa.bindparam("submission"), _r.user_id == sa.bindparam("user_id"))
# One form of one person makes one revision at most.
_BY_SUBMISSION = Prepared(POSTS.where(_p.id == _MADE.scalar_subquery()))


def find_post(db: sa.Connection, *, slug: str | None = None, post_id: str | None = None) -> Post | None:
    """The post with that slug or id, whatever its state; the caller decides who may know."""
    return to_post(_BY_ID.first(db, post_id=post_id) if slug is None else _BY_SLUG.first(db, slug=slug))


def find_by_former_slug(db: sa.Connection, slug: str) -> Post | None:
    """The post that had that slug once."""
    return to_post(_BY_FORMER_SLUG.first(db, slug=slug))


def find_shown(db: sa.Connection, *, slug: str | None = None, post_id: str | None = None) -> ShownPost | None:
    """As `find_post`, without its Markdown, and what else only a change needs."""
    return to_shown(_SHOWN_BY_ID.first(db, post_id=post_id) if slug is None else _SHOWN_BY_SLUG.first(db, slug=slug))


def find_shown_by_former_slug(db: sa.Connection, slug: str) -> ShownPost | None:
    """As `find_by_former_slug`, without its Markdown, and what else only a change needs."""
    return to_shown(_SHOWN_BY_FORMER_SLUG.first(db, slug=slug))


def is_granted(db: sa.Connection, post_id: str, *, user_id: int | None) -> bool:
    """Whether that person was granted that post, and still is."""
    h = library_table.c
    is_this = sa.and_(h.user_id == user_id, h.post_id == post_id, h.source == Held.GRANTED)
    return db.execute(sa.select(h.post_id).where(is_this)).first() is not None


def find_editable(db: sa.Connection, post_id: str, *, by: Principal) -> Post | None:
    """The post, if `by` may change it."""
    query = POSTS.where(_p.id == post_id, _p.deleted_at.is_(None), is_editable(by))
    return to_post(db.execute(query).one_or_none())


def find_by_submission(db: sa.Connection, submission: str, *, by: Principal) -> Post | None:
    """The post that this very form has made or changed already."""
    return to_post(_BY_SUBMISSION.first(db, submission=submission, user_id=by.user_id))
