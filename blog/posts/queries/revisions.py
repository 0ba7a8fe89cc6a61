"""What posts were: each save is kept as a revision."""

from dataclasses import replace
from typing import Any, NamedTuple

import sqlalchemy as sa

from auth.principal import Principal
from auth.users.model import users_table
from blog.posts.model import Kind, Origin, Post, Status, Visibility, revisions_table
from blog.posts.queries.rows import split_tags

_REVISED = ("slug", "title", "body", "excerpt", "tags", "status", "visibility", "publish_at", "kind", "lang")


class RevisionLine(NamedTuple):
    """A revision as lists show it."""

    number: int
    username: str
    name: str
    made_at: int
    origin: str
    status: str
    size_bytes: int


def find_revision(db: sa.Connection, post: Post, *conditions: sa.ColumnElement[bool]) -> Post | None:
    """The post as it was in the one revision that meets the conditions."""
    r = revisions_table.c
    query = sa.select(*(r[name] for name in _REVISED), r.number).where(r.post_id == post.id, *conditions)
    row = db.execute(query).one_or_none()
    if row is None:
        return None
    values = {name: getattr(row, name) for name in _REVISED}
    values |= {"tags": split_tags(row.tags), "status": Status(row.status), "visibility": Visibility(row.visibility)}
    values["kind"] = Kind(row.kind)
    return replace(post, version=row.number, **values)


def list_revisions(db: sa.Connection, post_id: str, *, limit: int, before: int | None = None) -> list[RevisionLine]:
    """The revisions of a post, the newest first; `before`: below that number."""
    r = revisions_table.c
    size = sa.func.octet_length(r.body)
    query = sa.select(r.number, users_table.c.username, users_table.c.display_name, r.made_at, r.origin, r.status, size)
    query = query.join(users_table, users_table.c.id == r.user_id).where(r.post_id == post_id)
    if before is not None:
        query = query.where(r.number < before)
    return [RevisionLine(*row) for row in db.execute(query.order_by(r.number.desc()).limit(limit))]


def was_page_at(db: sa.Connection, post_id: str, slug: str) -> bool:
    """Whether that post was a page under that slug once."""
    r = revisions_table.c
    query = sa.select(r.number).where(r.post_id == post_id, r.slug == slug, r.kind == Kind.PAGE).limit(1)
    return db.execute(query).first() is not None


def is_numbered(number: int | None) -> sa.ColumnElement[bool]:
    """The condition that a revision has that number."""
    return revisions_table.c.number == number


def came_with(submission: str | None, *, by: Principal) -> sa.ColumnElement[bool]:
    """The condition that a revision was made by this very form of this person."""
    return sa.and_(revisions_table.c.submission == submission, revisions_table.c.user_id == by.user_id)


def insert_revision(db: sa.Connection, post: Post, *, user_id: int, submission: str | None, origin: Origin) -> None:
    """Keep what the post is now as the revision of its version."""
    values: dict[str, Any] = {name: getattr(post, name) for name in _REVISED}
    values |= {"post_id": post.id, "number": post.version, "made_at": post.updated_at, "tags": ",".join(post.tags)}
    values |= {"user_id": user_id, "submission": submission, "origin": origin}
    db.execute(sa.insert(revisions_table), values)
