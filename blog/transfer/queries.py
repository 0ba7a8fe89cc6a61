"""The statements that only export and import need."""

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import sqlalchemy as sa

from auth.users.model import users_table
from blog.media.model import media_table
from blog.posts.model import former_slugs_table, posts_table
from blog.series.model import series_posts_table, series_table
from blog.tags.model import former_tags_table

_f, _m, _p = former_slugs_table.c, media_table.c, posts_table.c
_s, _sp, _t = series_table.c, series_posts_table.c, former_tags_table.c
_NAME = users_table.c.username


class Picture(NamedTuple):
    """What is said of a picture's file, by whoever said most, and who has it."""

    type: str
    alt: str
    is_decorative: bool
    label: str
    owners: tuple[str, ...]


class SeriesLine(NamedTuple):
    """A series as the folder holds it."""

    slug: str
    title: str
    author: str
    posts: list[str]  # ids, in their order


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


def list_pictures(db: sa.Connection, digests: Sequence[str]) -> dict[str, Picture]:
    """What these files are, by digest: of several people's words the oldest that describe it."""
    found: dict[str, Picture] = {}
    query = sa.select(_m.digest, _m.type, _m.alt, _m.is_decorative, _m.label, _NAME)
    query = query.join(users_table, users_table.c.id == _m.user_id).where(_m.digest.in_(digests))
    for row in db.execute(query.order_by(_m.alt == "", _m.created_at, _m.id)):
        known = found.get(row.digest) or Picture(row.type, row.alt, row.is_decorative, row.label, ())
        found[row.digest] = known._replace(owners=tuple(sorted({*known.owners, row.username})))
    return found


def list_digests(db: sa.Connection, *, limit: int, after: str) -> list[str]:
    """The files of all pictures, in the order of their digests, from behind one."""
    query = sa.select(_m.digest).distinct().where(_m.digest > after).order_by(_m.digest).limit(limit)
    return list(db.execute(query).scalars())


def list_series(db: sa.Connection) -> list[SeriesLine]:
    """All series by address, with their posts that are not deleted."""
    query = sa.select(_s.id, _s.slug, _s.title, _NAME).join(users_table, users_table.c.id == _s.author_id)
    found = {row.id: SeriesLine(row.slug, row.title, row.username, []) for row in db.execute(query.order_by(_s.slug))}
    parts = sa.select(_sp.series_id, _sp.post_id).join(posts_table, _p.id == _sp.post_id).where(_p.deleted_at.is_(None))
    for row in db.execute(parts.order_by(_sp.series_id, _sp.position, _sp.post_id)):
        found[row.series_id].posts.append(row.post_id)
    return list(found.values())


def list_former_tags(db: sa.Connection) -> dict[str, str]:
    """What tags were called before, each with its present name."""
    return {row.tag: row.present for row in db.execute(sa.select(_t.tag, _t.present).order_by(_t.tag))}
