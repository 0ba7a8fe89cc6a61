"""Under which slugs posts stand, stood and may stand."""

import sqlalchemy as sa

from auth.principal import Principal
from blog.posts.model import Status, former_slugs_table, posts_table, revisions_table
from blog.posts.queries.conditions import is_editable, is_somebodys
from storage.prepared import Prepared

_p = posts_table.c
_HAS = sa.select(_p.id).where(_p.slug == sa.bindparam("slug"))
_HAD = sa.select(former_slugs_table.c.post_id).where(former_slugs_table.c.slug == sa.bindparam("slug"))
_THEIRS = Prepared(_HAS.union_all(_HAD))


def is_slug_taken(db: sa.Connection, slug: str, *, by_other_than: str | None) -> bool:
    """Whether another post, also a deleted one, has or had that slug."""
    return any(post_id != by_other_than for (post_id,) in _THEIRS.all(db, slug=slug))


def is_slug_in_bin(db: sa.Connection, slug: str, *, by: Principal, since: int) -> bool:
    """Whether a post that `by` may take out of the bin has or had that slug."""
    query = sa.select(_p.id).where(_has_or_had(slug), _p.deleted_at >= since, is_editable(by), is_somebodys())
    return db.execute(query).first() is not None


def release_slug(db: sa.Connection, slug: str, *, deleted_before: int) -> None:
    """Take that slug from a post that was deleted before a moment and never published: nobody was led there by it."""
    r, former = revisions_table.c, former_slugs_table.c
    published = sa.select(r.number).where(r.post_id == _p.id, r.status == Status.PUBLISHED).exists()
    # What went with its author has no revisions any more.
    was_published = sa.or_(published, _p.published_at.is_not(None))
    is_over = sa.and_(_p.deleted_at < deleted_before, sa.not_(was_published))
    given_up = list(db.execute(sa.select(_p.id).where(_has_or_had(slug), is_over)).scalars())
    db.execute(sa.delete(former_slugs_table).where(former.slug == slug, former.post_id.in_(given_up)))
    # No slug that anybody can choose begins like this.
    gone = sa.update(posts_table).where(_p.slug == slug, _p.id.in_(given_up))
    db.execute(gone.values(slug=sa.literal("~").concat(_p.id)))


def keep_former_slug(db: sa.Connection, post_id: str, *, former: str, current: str) -> None:
    """Let the former slug lead to the post; the current one is no former one (any more)."""
    db.execute(sa.delete(former_slugs_table).where(former_slugs_table.c.slug == current))
    db.execute(sa.insert(former_slugs_table).values(slug=former, post_id=post_id))


def _has_or_had(slug: str) -> sa.ColumnElement[bool]:
    had = sa.select(former_slugs_table.c.post_id).where(former_slugs_table.c.slug == slug)
    return sa.or_(_p.slug == slug, _p.id.in_(had))
