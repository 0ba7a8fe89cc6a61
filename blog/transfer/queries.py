"""The statements that only export and import need."""

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import sqlalchemy as sa

from blog.media.model import media_table
from blog.posts.model import former_slugs_table, posts_table

_f, _m, _p = former_slugs_table.c, media_table.c, posts_table.c


class Picture(NamedTuple):
    """What is said of a file of pictures, by whoever said most."""

    type: str
    alt: str
    is_decorative: bool
    label: str


def count_posts(db: sa.Connection) -> int:
    """How many are not deleted."""
    return int(db.execute(sa.select(sa.func.count()).where(_p.deleted_at.is_(None))).scalar_one())


def list_former_slugs(db: sa.Connection, post_ids: Sequence[str]) -> dict[str, list[str]]:
    """The former addresses of these posts, sorted, by post."""
    found: dict[str, list[str]] = defaultdict(list)
    for row in db.execute(sa.select(_f.post_id, _f.slug).where(_f.post_id.in_(post_ids)).order_by(_f.slug)):
        found[row.post_id].append(row.slug)
    return found


def insert_former_slug(db: sa.Connection, post_id: str, slug: str) -> None:
    """Let an address that nobody has lead to the post."""
    db.execute(sa.insert(former_slugs_table).values(slug=slug, post_id=post_id))


def set_dates(db: sa.Connection, post_id: str, *, published_at: int | None, updated_at: int) -> None:
    """Let a post have been published and changed when its file says so."""
    values = {"published_at": published_at, "updated_at": updated_at}
    db.execute(sa.update(posts_table).where(_p.id == post_id).values(**values))


def list_pictures(db: sa.Connection, digests: Sequence[str]) -> dict[str, Picture]:
    """What these files are, by digest: of several people's words the oldest that describe it."""
    found: dict[str, Picture] = {}
    query = sa.select(_m.digest, _m.type, _m.alt, _m.is_decorative, _m.label).where(_m.digest.in_(digests))
    for digest, *rest in db.execute(query.order_by(_m.alt == "", _m.created_at, _m.id)):
        found.setdefault(digest, Picture(*rest))
    return found
