"""Letting a post out, and taking it back."""

import sqlalchemy as sa

from auth.principal import Principal
from blog.posts.content import prepare
from blog.posts.model import Post, Status
from blog.posts.writing import change, find_editable


def publish(db: sa.Connection, post_id: str, *, by: Principal) -> Post:
    """Make a draft public, now or at the moment its author chose. Publishing what is public changes nothing.

    Raises NotFound, Gone and Forbidden as a change does.
    """
    return _set_status(db, post_id, Status.PUBLISHED, by=by)


def unpublish(db: sa.Connection, post_id: str, *, by: Principal) -> Post:
    """Make it a draft again: 404 for everybody who may not edit it. Unpublishing a draft changes nothing."""
    return _set_status(db, post_id, Status.DRAFT, by=by)


def _set_status(db: sa.Connection, post_id: str, status: Status, *, by: Principal) -> Post:
    post = find_editable(db, by=by, post_id=post_id)
    content = prepare({"status": status}, current=post)
    return change(db, post.id, content, by=by)
