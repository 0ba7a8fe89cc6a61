"""Taking a deleted post out of the bin."""

import sqlalchemy as sa

from auth.principal import Principal
from blog.bin import queries
from blog.posts.events import POST_RESTORED, about
from blog.posts.model import KEPT_IN_BIN, Origin, Post
from blog.posts.queries import finding, revisions
from eventlog.log.appending import append_event
from storage import clock
from web.cursors import Cursor
from web.errors import NotFound
from web.site.queries import touch


def list_bin(db: sa.Connection, *, by: Principal, limit: int, before: Cursor | None = None) -> list[Post]:
    """What `by` may take out, the last deleted first; `before`: deleted before that one."""
    return queries.list_bin(db, by=by, since=clock.now() - KEPT_IN_BIN, limit=limit, before=before)


def take_out(db: sa.Connection, post_id: str, *, by: Principal) -> Post:
    """Make it a draft again, at its former address and with all its revisions; publishing is another step.

    Raises NotFound when it is not in the bin, or not theirs to change.
    """
    at = clock.now()
    post = queries.find_in_bin(db, post_id, by=by, since=at - KEPT_IN_BIN)
    if post is None or by.user_id is None:
        raise NotFound("This is not in the bin, or no longer.")
    queries.mark_restored(db, post, at=at)
    # Its address no longer says that it is gone.
    touch(db)
    restored = finding.find_post(db, post_id=post_id)
    assert restored is not None
    revisions.insert_revision(db, restored, user_id=by.user_id, submission=None, origin=Origin.RESTORE)
    payload = {"version": restored.version, "slug": post.slug, "title": post.title}
    append_event(db, POST_RESTORED, by=by, subject=about(post.id), payload=payload)
    return restored
