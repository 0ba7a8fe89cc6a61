"""Every statement about tags."""

from collections.abc import Iterable

import sqlalchemy as sa

from blog.tags.model import former_tags_table, post_tags_table


def replace_tags(db: sa.Connection, post_id: str, tags: Iterable[str]) -> None:
    """Let the post be found under these tags and no others."""
    db.execute(sa.delete(post_tags_table).where(post_tags_table.c.post_id == post_id))
    rows = [{"post_id": post_id, "tag": tag} for tag in tags]
    if rows:
        db.execute(sa.insert(post_tags_table), rows)


def bears_tag(tag: "str | sa.BindParameter[str]", post_id: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
    """The condition that a post bears a tag."""
    return post_id.in_(sa.select(post_tags_table.c.post_id).where(post_tags_table.c.tag == tag))


def is_borne(db: sa.Connection, tag: str) -> bool:
    """Whether any post bears the tag, also one that is deleted or a draft."""
    return (
        db.execute(sa.select(post_tags_table.c.post_id).where(post_tags_table.c.tag == tag).limit(1)).first()
        is not None
    )


def find_present_tag(db: sa.Connection, former: str) -> str | None:
    """What a tag is called now that was called so before; None when none was."""
    f = former_tags_table.c
    return db.execute(sa.select(f.present).where(f.tag == former)).scalar_one_or_none()


def keep_former_tag(db: sa.Connection, former: str, *, present: str) -> None:
    """Let the former name lead to the present one, and so all that led to it: chains and loops cannot come about."""
    f = former_tags_table.c
    db.execute(sa.delete(former_tags_table).where(f.tag.in_([former, present])))
    db.execute(sa.update(former_tags_table).where(f.present == former).values(present=present))
    db.execute(sa.insert(former_tags_table).values(tag=former, present=present))
