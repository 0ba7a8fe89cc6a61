"""Every statement about tags."""

from collections.abc import Iterable

import sqlalchemy as sa

from blog.tags.model import post_tags_table


def replace_tags(db: sa.Connection, post_id: str, tags: Iterable[str]) -> None:
    """Let the post be found under these tags and no others."""
    db.execute(sa.delete(post_tags_table).where(post_tags_table.c.post_id == post_id))
    rows = [{"post_id": post_id, "tag": tag} for tag in tags]
    if rows:
        db.execute(sa.insert(post_tags_table), rows)


def has_tag(tag: str, post_id: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
    """The condition that a post bears a tag."""
    return post_id.in_(sa.select(post_tags_table.c.post_id).where(post_tags_table.c.tag == tag))
