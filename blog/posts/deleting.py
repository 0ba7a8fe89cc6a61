"""Taking a post away."""

import sqlalchemy as sa

from auth.permissions import Permission
from auth.principal import Principal
from blog.posts import queries
from blog.posts.model import Status
from blog.posts.writing import check_version, find_editable
from storage import clock
from web.errors import Forbidden
from web.site.queries import touch


def delete(db: sa.Connection, post_id: str, *, by: Principal, version: int | None = None) -> None:
    """Delete a post: its address answers 410 from now on.

    Raises NotFound, Gone and Forbidden as a change does, Stale when `version` is given and not the current one.
    """
    post = find_editable(db, by=by, post_id=post_id)
    check_version(post, version)
    if post.status == Status.PUBLISHED and not by.may(Permission.PUBLISH_POSTS):
        raise Forbidden("This token may propose drafts, not take away what is public.")
    queries.mark_deleted(db, post, at=clock.now())
    touch(db)
