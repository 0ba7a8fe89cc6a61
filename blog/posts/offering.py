"""The editor's side of working copies: what is saved under a key, and what to offer on return."""

from collections.abc import Mapping
from typing import NamedTuple

import sqlalchemy as sa

from auth.principal import Principal, principal
from blog.posts.forms import PostForm, form_data
from blog.posts.model import Post
from blog.posts.queries.revisions import came_with, find_revision
from blog.posts.writing import find_editable, find_repeated
from blog.posts.zones import writers_zone, zone_named
from blog.working_copies import keeping
from blog.working_copies.finding import Saved
from blog.working_copies.keeping import Offer
from blog.working_copies.model import key_of_new, submission_of
from web.database import reading
from web.errors import NotFound


class Kept(NamedTuple):
    """What an editor says of working copies: those that it offers, and how many there are of those that fit."""

    offers: list[Offer]
    kept_count: int
    most: int


def find_saved(
    db: sa.Connection, key: str, *, by: Principal, typed: Mapping[str, str] | None = None, submission: str = ""
) -> Saved:
    """What is saved under the key of a working copy. Raises NotFound, Gone, Forbidden as `find_editable` does."""
    of_new = submission_of(key)
    if of_new is not None:
        repeated = find_repeated(db, of_new, by=by)
        if repeated is None:
            return Saved(key, "/new")
        key = repeated.id
    post = find_editable(db, by=by, post_id=key)
    sent = find_revision(db, post, came_with(submission, by=by)) if submission else None
    return _saved(post, typed, sent)


def is_saved(db: sa.Connection, submission: str, by: Principal) -> bool:
    """Whether that very form was saved."""
    return find_repeated(db, submission, by=by) is not None


def continued_form(key: str, post: Post | None) -> PostForm:
    """The form as it was kept. Raises NotFound when nothing is kept there (any more)."""
    if (submission_of(key) is None) is (post is None) or (post is not None and key != post.id):
        raise NotFound
    with reading() as db:
        copy = keeping.find(db, key, by=principal())
    if copy is None:
        raise NotFound("It was saved or discarded meanwhile, or it is older than 30 days.")
    # What was kept before a field was there says nothing about it.
    unsaid = {"lang": "" if post is None else post.lang}
    return PostForm(data=unsaid | copy.fields | {"submission": copy.submission})


def kept_for(post: Post | None) -> Kept:
    """What is kept for this editor and differs from what is saved."""
    who = principal()
    with reading() as db:
        if post is None:
            count = keeping.count(db, by=who)
            found = [keeping.offer(copy, None) for copy in keeping.list_of_new(db, by=who)]
        else:
            copy, count = keeping.find_and_count(db, post.id, by=who)
            found = [] if copy is None else [keeping.offer(copy, _saved(post, copy.fields).fields)]
    return Kept([each for each in found if each is not None], count, keeping.MOST_COPIES)


def editor_key(post: Post | None, submission: str) -> str:
    """The key under which this editor keeps what is typed into it."""
    return key_of_new(submission) if post is None else post.id


def _saved(post: Post, typed: Mapping[str, str] | None, sent: Post | None = None) -> Saved:
    zone = zone_named((typed or {}).get("time_zone"), writers_zone())
    was_sent = None if sent is None else form_data(sent, zone)
    return Saved(post.id, f"/posts/{post.slug}/edit", post.id, form_data(post, zone), was_sent)
