"""Taking a post away."""

from dataclasses import replace

import sqlalchemy as sa

from auth.principal import Principal
from blog.posts.events import POST_DELETED, about
from blog.posts.indexing import index_post
from blog.posts.queries import saving
from blog.posts.writing import check_may_publish, check_version, find_editable
from eventlog.log.appending import append_event
from storage import clock
from web.site.queries import touch


def delete(db: sa.Connection, post_id: str, *, by: Principal, version: int | None = None) -> None:
    """Delete a post: its address answers 410 from now on.

    Raises NotFound, Gone and Forbidden as a change does, Stale when `version` is given and not the current one.
    """
    post = find_editable(db, by=by, post_id=post_id)
    check_may_publish(post, None, by=by)
    check_version(post, version)
    at = clock.now()
    saving.mark_deleted(db, post, at=at)
    index_post(db, replace(post, deleted_at=at))
    append_event(db, POST_DELETED, by=by, subject=about(post.id), payload={"slug": post.slug, "title": post.title})
    touch(db)
