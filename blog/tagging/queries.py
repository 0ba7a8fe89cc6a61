"""Every statement that changes a tag on many posts."""

from typing import NamedTuple

import sqlalchemy as sa

from blog.posts.model import Origin, posts_table, revisions_table
from blog.tags.model import post_tags_table

_p = posts_table.c
_t = post_tags_table.c
_KEPT = ("slug", "title", "body", "excerpt", "tags", "status", "visibility", "publish_at", "kind", "lang")


class TagLine(NamedTuple):
    """A tag as the list shows it."""

    tag: str
    post_count: int


def list_tags(db: sa.Connection, *, limit: int, after: str | None = None) -> list[TagLine]:
    """All tags that posts bear which are not deleted, by name."""
    query = sa.select(_t.tag, sa.func.count()).join(posts_table, _p.id == _t.post_id).where(_p.deleted_at.is_(None))
    if after is not None:
        query = query.where(_t.tag > after)
    return [TagLine(*row) for row in db.execute(query.group_by(_t.tag).order_by(_t.tag).limit(limit))]


def count_posts(db: sa.Connection, tag: str) -> int:
    """How many posts bear a tag, deleted ones too."""
    return db.execute(sa.select(sa.func.count()).where(_t.tag == tag)).scalar_one()


def list_posts(db: sa.Connection, tag: str, *, limit: int) -> list[str]:
    """The ids of some posts that bear a tag."""
    return list(db.execute(sa.select(_t.post_id).where(_t.tag == tag).limit(limit)).scalars())


def replace_tag(db: sa.Connection, post_ids: list[str], *, former: str, present: str, user_id: int, at: int) -> None:
    """Let these posts, which all bear `former`, bear `present` in its place: the next version of each, and a revision.

    A post that bears both keeps the one. When it was last changed stays: its author has changed nothing.
    """
    # A tag holds no comma, and stands once in each list.
    with_commas = sa.literal(",") + _p.tags + sa.literal(",")
    has_both = _p.id.in_(sa.select(_t.post_id).where(_t.tag == present))
    kept = sa.case((has_both, ","), else_=f",{present},")
    replaced = sa.func.replace(with_commas, f",{former},", kept)
    tags = sa.func.substr(replaced, 2, sa.func.length(replaced) - 2)
    these = _p.id.in_(post_ids)
    db.execute(sa.update(posts_table).where(these).values(tags=tags, version=_p.version + 1))
    already = sa.select(_t.post_id).where(_t.tag == present)
    doubled = sa.and_(_t.tag == former, _t.post_id.in_(post_ids), _t.post_id.in_(already))
    db.execute(sa.delete(post_tags_table).where(doubled))
    db.execute(sa.update(post_tags_table).where(_t.tag == former, _t.post_id.in_(post_ids)).values(tag=present))
    columns = ["post_id", "number", "user_id", "made_at", "origin", *_KEPT]
    made = sa.select(_p.id, _p.version, sa.literal(user_id), sa.literal(at), sa.literal(Origin.RENAME.value),
                     *(_p[name] for name in _KEPT)).where(these)  # fmt: skip
    db.execute(sa.insert(revisions_table).from_select(columns, made))
