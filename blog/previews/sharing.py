"""Sharing a draft by a link, and taking that back."""

import secrets

import sqlalchemy as sa

from auth.principal import Principal
from blog.posts.events import about
from blog.posts.model import ShownPost
from blog.posts.queries import finding
from blog.posts.writing import find_editable
from blog.previews import queries
from blog.previews.events import PREVIEW_REVOKED, PREVIEW_SHARED
from blog.previews.model import PreviewLink
from eventlog.log.appending import append_event
from storage import clock
from storage.digests import digest_of
from storage.ids import new_id
from web.errors import Invalid, NotFound

LONGEST_DAYS = 90
_MOST = 20


def share(db: sa.Connection, post_id: str, *, days: int, by: Principal) -> str:
    """Make a link and return its token, which is shown this once.

    Raises NotFound, Gone and Forbidden as a change does; Invalid for a number of days, or too many links.
    """
    post = find_editable(db, by=by, post_id=post_id)
    if not 1 <= days <= LONGEST_DAYS:
        raise Invalid({"days": f"Use a number of days from 1 to {LONGEST_DAYS}."})
    at = clock.now()
    queries.delete_expired(db, at=at)
    if len(queries.list_links(db, post.id, at=at)) >= _MOST:
        raise Invalid({"days": f"A post has at most {_MOST} links. Revoke one first."})
    token = secrets.token_urlsafe(32)
    link = PreviewLink(new_id(), post.id, at, at + days * clock.DAY)
    queries.insert_link(db, link, digest=digest_of(token))
    payload = {"link": link.id, "days": days, "title": post.title}
    append_event(db, PREVIEW_SHARED, by=by, subject=about(post.id), payload=payload)
    return token


def revoke(db: sa.Connection, post_id: str, link_id: str, *, by: Principal) -> None:
    """Let a link open nothing any more. Raises NotFound, also for a link of another post."""
    post = find_editable(db, by=by, post_id=post_id)
    if not queries.delete_link(db, link_id, post_id=post.id):
        raise NotFound("There is no such link any more.")
    append_event(db, PREVIEW_REVOKED, by=by, subject=about(post.id), payload={"link": link_id, "title": post.title})


def open_preview(db: sa.Connection, token: str) -> ShownPost:
    """The post that a link opens. Raises NotFound for everything that opens nothing."""
    link = queries.find_link(db, digest_of(token), at=clock.now())
    post = None if link is None else finding.find_shown(db, post_id=link.post_id)
    if post is None or post.deleted_at is not None or post.is_hidden:
        raise NotFound("This link opens nothing. It may have expired, or was taken back.")
    return post
