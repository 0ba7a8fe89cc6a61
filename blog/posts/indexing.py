"""Keeping the search index: whatever changes a post calls this in the same transaction."""

import sqlalchemy as sa

from blog.indexing.queries import Entry, delete_entry, find_entry, insert_entry
from blog.indexing.words import words_of
from blog.posts.model import ShownPost, Status


def index_post(db: sa.Connection, post: ShownPost) -> None:
    """Let the index hold what this post is now: its words when it is out or will come out by itself, or nothing.

    Who finds it, and from when on, is decided by whoever reads the index, from the post and not from here.
    """
    wanted, present = entry_of(post), find_entry(db, post.id)
    if wanted == present:
        return
    delete_entry(db, post.id)
    if wanted is not None:
        insert_entry(db, post.id, wanted)


def entry_of(post: ShownPost) -> Entry | None:
    """What the index must hold of a post."""
    if post.status != Status.PUBLISHED or post.published_at is None or post.deleted_at is not None:
        return None
    words = words_of(title=post.title, tags=post.tags, html=post.html, author=post.author_username)
    return Entry(words, post.published_at)
