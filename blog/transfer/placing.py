"""A post from a file, put in its place: all that stands in the database about it, in one transaction."""

import sqlalchemy as sa

from auth.principal import Principal
from blog.posts.content import Content
from blog.posts.model import Origin, Post
from blog.posts.queries import slugs
from blog.posts.writing import Past, change, write
from blog.transfer import queries
from blog.transfer.fields import Incoming
from web.errors import Conflict, Invalid, Stale


def place(db: sa.Connection, incoming: Incoming, content: Content, current: Post | None, *, author: Principal) -> Post:
    """Store a post that is not there with the id and the dates of its file, or another version of one that is.

    Raises Conflict when somebody was faster, and Invalid.
    """
    if current is None:
        past = Past(incoming.post_id, incoming.created_at, incoming.updated_at, incoming.published_at)
        return write(db, content, by=author, origin=Origin.IMPORT, past=past)
    try:
        return change(
            db,
            current.id,
            content,
            by=author,
            version=current.version,
            origin=Origin.IMPORT,
            published_at=incoming.published_at if incoming.is_dated else None,
        )
    except Stale as error:
        raise Conflict("Somebody saved this post meanwhile. Import once more.") from error


def keep_former_slugs(db: sa.Connection, incoming: Incoming, post: Post) -> list[str]:
    """Let the former addresses in the file lead to the post; returns those that are another's."""
    known = {post.slug, *queries.list_former_slugs(db, [post.id]).get(post.id, [])}
    lost = []
    for slug in incoming.former_slugs:
        if slug in known:
            continue
        if slugs.is_slug_taken(db, slug, by_other_than=post.id):
            lost.append(slug)
        else:
            queries.insert_former_slug(db, post.id, slug)
    return lost


def check_slug(db: sa.Connection, incoming: Incoming) -> None:
    """Raise Invalid when another post has, or had, the address."""
    slug = incoming.changes["slug"]
    if slugs.is_slug_taken(db, slug, by_other_than=incoming.post_id):
        raise Invalid({"slug": f"Another post has, or had, the address {slug}. Choose another one."})
