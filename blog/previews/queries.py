"""Every statement about preview links."""

import sqlalchemy as sa

from blog.previews.model import PreviewLink, preview_links_table

_l = preview_links_table.c
_LINK = [_l[name] for name in PreviewLink.__dataclass_fields__]


def insert_link(db: sa.Connection, link: PreviewLink, *, digest: str) -> None:
    """Store a link."""
    values = {name: getattr(link, name) for name in PreviewLink.__dataclass_fields__}
    db.execute(sa.insert(preview_links_table), values | {"digest": digest})


def find_link(db: sa.Connection, digest: str, *, at: int) -> PreviewLink | None:
    """The link of a token, unless it has expired."""
    row = db.execute(sa.select(*_LINK).where(_l.digest == digest, _l.expires_at > at)).one_or_none()
    return None if row is None else PreviewLink(*row)


def list_links(db: sa.Connection, post_id: str, *, at: int) -> list[PreviewLink]:
    """The links of a post that still open it, the newest first."""
    query = sa.select(*_LINK).where(_l.post_id == post_id, _l.expires_at > at)
    return [PreviewLink(*row) for row in db.execute(query.order_by(_l.created_at.desc(), _l.id))]


def delete_link(db: sa.Connection, link_id: str, *, post_id: str) -> bool:
    """Remove a link of that post; whether there was one."""
    is_this = sa.and_(_l.id == link_id, _l.post_id == post_id)
    return db.execute(sa.delete(preview_links_table).where(is_this)).rowcount == 1


def delete_expired(db: sa.Connection, *, at: int) -> None:
    """Forget the links that open nothing any more."""
    db.execute(sa.delete(preview_links_table).where(_l.expires_at <= at))
