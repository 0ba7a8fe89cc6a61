"""A post from a file, put in its place: all that stands in the database about it, in one transaction."""

import sqlalchemy as sa

from auth.principal import Principal
from blog.posts import queries as posts
from blog.posts import writing
from blog.posts.content import Content
from blog.posts.events import POST_CREATED, POST_PUBLISHED, about
from blog.posts.model import Origin, Post, Status
from blog.tags.queries import replace_tags
from blog.transfer import queries
from blog.transfer.fields import Incoming
from eventlog.log.appending import append_event
from web.errors import Conflict, Invalid, Stale
from web.site.queries import touch


def make(db: sa.Connection, incoming: Incoming, content: Content, *, author: Principal) -> Post:
    """Store a post that is not there, with the id and the dates of its file. Raises Conflict and Invalid."""
    post_id = incoming.post_id
    assert author.user_id is not None
    if posts.find_post(db, post_id=post_id) is not None:
        raise Conflict("This post was made meanwhile. Import once more.")
    check_slug(db, incoming)
    posts.insert_post(
        db,
        post_id,
        content,
        author_id=author.user_id,
        published_at=incoming.published_at,
        at=incoming.created_at,
    )
    queries.set_dates(db, post_id, published_at=incoming.published_at, updated_at=incoming.updated_at)
    post = posts.find_post(db, post_id=post_id)
    assert post is not None
    replace_tags(db, post_id, post.tags)
    posts.insert_revision(db, post, user_id=author.user_id, submission=None, origin=Origin.IMPORT)
    payload = {"version": post.version, "slug": post.slug, "title": post.title}
    append_event(db, POST_CREATED, by=author, subject=about(post_id), payload=payload)
    if post.status == Status.PUBLISHED:
        append_event(db, POST_PUBLISHED, by=author, subject=about(post_id), payload=payload)
        touch(db)
    return post


def change(db: sa.Connection, incoming: Incoming, content: Content, current: Post, *, author: Principal) -> Post:
    """Store another version of a post that is there, if something changed. Raises Conflict and Invalid."""
    try:
        post = writing.change(db, current.id, content, by=author, version=current.version, origin=Origin.IMPORT)
    except Stale as error:
        raise Conflict("Somebody saved this post meanwhile. Import once more.") from error
    if post.version != current.version and incoming.published_at is not None:
        queries.set_dates(db, post.id, published_at=incoming.published_at, updated_at=post.updated_at)
    return post


def keep_former_slugs(db: sa.Connection, incoming: Incoming, post: Post) -> list[str]:
    """Let the former addresses in the file lead to the post; returns those that are another's."""
    known = {post.slug, *queries.list_former_slugs(db, [post.id]).get(post.id, [])}
    lost = []
    for slug in incoming.former_slugs:
        if slug in known:
            continue
        if posts.is_slug_taken(db, slug, by_other_than=post.id):
            lost.append(slug)
        else:
            queries.insert_former_slug(db, post.id, slug)
    return lost


def check_slug(db: sa.Connection, incoming: Incoming) -> None:
    """Raise Invalid when another post has, or had, the address."""
    slug = incoming.changes["slug"]
    if posts.is_slug_taken(db, slug, by_other_than=incoming.post_id):
        raise Invalid({"slug": f"Another post has, or had, the address {slug}. Choose another one."})
