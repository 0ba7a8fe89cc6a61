"""Reading revisions, and going back to one."""

import sqlalchemy as sa

from auth.principal import Principal
from blog.posts.content import Content, prepare
from blog.posts.model import Origin, Post
from blog.posts.queries import revisions
from blog.posts.surroundings import current_surroundings
from blog.posts.writing import change, find_editable
from web.errors import NotFound

_LARGEST_NUMBER = 2**31
# A revision brings back the words; whether and for whom they are public is not undone with them.
_WORDS = ("title", "body", "excerpt", "tags", "lang")


def read_revision(db: sa.Connection, post: Post, number: int) -> Post:
    """The post as that save made it. Raises NotFound."""
    found = None
    if 0 < number < _LARGEST_NUMBER:
        found = revisions.find_revision(db, post, revisions.is_numbered(number))
    if found is None:
        raise NotFound("This post has no revision of that number.")
    return found


def prepare_restore(post: Post, revision: Post) -> Content:
    """What the post will be: before any transaction, because rendering takes its time."""
    words = {name: getattr(revision, name) for name in _WORDS}
    around = current_surroundings(revision.body, author_id=post.author_id)
    return prepare(words, current=post, surroundings=around)


def restore(db: sa.Connection, post: Post, content: Content, *, by: Principal) -> Post:
    """Make the words of an older revision the newest one; nothing is lost, and the same words change nothing.

    Raises Stale when somebody saved meanwhile; NotFound, Gone and Forbidden as a change does.
    """
    return change(db, post.id, content, by=by, version=post.version, origin=Origin.RESTORE)


def find_with_revision(
    db: sa.Connection, number: int, *, by: Principal, slug: str | None = None, post_id: str | None = None
) -> tuple[Post, Post]:
    """The post and one of its revisions, for somebody who may change it. Raises as `find_editable`, and NotFound."""
    post = find_editable(db, by=by, slug=slug, post_id=post_id)
    return post, read_revision(db, post, number)
