"""Writing and changing posts: each save is a version and a revision."""

import secrets
from dataclasses import dataclass, replace

import sqlalchemy as sa

from auth.permissions import Permission
from auth.principal import Principal
from blog.media.uses import keep_uses
from blog.posts.content import RESERVED, Content, slug_from
from blog.posts.events import POST_CREATED, POST_EDITED, POST_PUBLISHED, POST_UNPUBLISHED, about
from blog.posts.indexing import index_post
from blog.posts.model import KEPT_IN_BIN, Kind, Origin, Post, Status
from blog.posts.queries import finding, revisions, saving, slugs
from blog.posts.reading import read_shown
from blog.rendering.excerpts import excerpt as make_excerpt
from blog.tags.queries import replace_tags
from eventlog.log.appending import append_event
from storage import clock
from storage.ids import new_id
from web.errors import Conflict, Forbidden, Invalid, NotFound, Stale
from web.site.queries import touch

_CONTENT = ("slug", "title", "body", "excerpt", "tags", "status", "visibility", "publish_at", "kind", "lang")


@dataclass(frozen=True, slots=True)
class Past:
    """Who a post is, and what became of it when, that was written before it came here."""

    post_id: str
    created_at: int
    updated_at: int
    published_at: int | None


def find_editable(db: sa.Connection, *, by: Principal, slug: str | None = None, post_id: str | None = None) -> Post:
    """The post, for a change. Raises Gone, NotFound; Forbidden when `by` may read it but not change it."""
    readable = read_shown(db, by=by, slug=slug, post_id=post_id)
    post = finding.find_editable(db, readable.post.id, by=by)
    if post is None:
        raise Forbidden
    return post


def find_repeated(db: sa.Connection, submission: str | None, *, by: Principal) -> Post | None:
    """The post that the same form has saved already, by a double click or a second try after a lost answer.

    The same form again changes nothing. Whether more was typed into it since is for the caller to see.
    """
    return finding.find_by_submission(db, submission, by=by) if submission else None


def write(
    db: sa.Connection,
    content: Content,
    *,
    by: Principal,
    submission: str | None = None,
    origin: Origin = Origin.FORM,
    past: Past | None = None,
) -> Post:
    """Store a new post; one with a past keeps its id and its dates.

    Raises Invalid for a slug that is taken, Forbidden when it is out and `by` may not publish; Conflict when the post
    of that past is there already.
    """
    if repeated := find_repeated(db, submission, by=by):
        return repeated
    check_may_publish(None, content.status, by=by)
    if past is None:
        at = clock.now()
        past = Past(new_id(), at, at, _published_at(None, content, at))
    elif finding.find_post(db, post_id=past.post_id) is not None:
        raise Conflict("This post is there already.")
    content = replace(content, slug=_free_slug(db, content, post_id=None, by=by))
    assert by.user_id is not None
    saving.insert_post(
        db,
        past.post_id,
        content,
        author_id=by.user_id,
        published_at=past.published_at,
        created_at=past.created_at,
        updated_at=past.updated_at,
    )
    return _saved(db, None, past.post_id, by=by, submission=submission, origin=origin)


def change(
    db: sa.Connection,
    post_id: str,
    content: Content,
    *,
    by: Principal,
    version: int | None = None,
    submission: str | None = None,
    origin: Origin = Origin.FORM,
    published_at: int | None = None,
) -> Post:
    """Store another version of a post; with nothing changed there is none.

    `published_at`: when it came out, where whoever brings the content knows that better; by itself it is no change.

    Raises NotFound, Gone, Forbidden as `find_editable` does; Stale when `version` is given and is not the current one;
    Invalid for a slug that is taken.
    """
    if repeated := find_repeated(db, submission, by=by):
        return repeated
    post = find_editable(db, by=by, post_id=post_id)
    check_version(post, version)
    check_may_publish(post, content.status, by=by)
    at = clock.now()
    content = replace(content, slug=_free_slug(db, content, post_id=post.id, by=by))
    out_at = _published_at(post, content, at)
    if out_at == post.published_at and all(getattr(content, n) == getattr(post, n) for n in _CONTENT):
        return post
    if (content.body, content.lang) == (post.body, post.lang):
        # The page of a text that stays, and its language with it, is the one that is there: a job may have made it anew
        # since, or be about to.
        summary = content.summary if content.html == post.html else content.excerpt or make_excerpt(post.html)
        content = replace(content, html=post.html, renderer_version=post.renderer_version, summary=summary)
    saving.update_post(db, post, content, published_at=out_at if published_at is None else published_at, at=at)
    return _saved(db, post, post.id, by=by, submission=submission, origin=origin)


def check_may_publish(post: Post | None, status: str | None, *, by: Principal) -> None:
    """Raise Forbidden when this would make something public, or change what is public, and `by` may only propose."""
    touches_public = status == Status.PUBLISHED or (post is not None and post.status == Status.PUBLISHED)
    if touches_public and not by.may(Permission.PUBLISH_POSTS):
        raise Forbidden(
            "This token may propose drafts, not publish or change what is public.", error_code="insufficient_scope"
        )


def check_version(post: Post, version: int | None) -> None:
    """Raise Stale unless `version` is the current one; None asks for nothing."""
    if version is not None and version != post.version:
        raise Stale(post.version)


def _saved(
    db: sa.Connection, before: Post | None, post_id: str, *, by: Principal, submission: str | None, origin: Origin
) -> Post:
    """What every save leaves behind: tags, pictures, former address, revision, older pages where readers see it."""
    post = finding.find_post(db, post_id=post_id)
    if post is None or by.user_id is None:
        raise NotFound
    replace_tags(db, post.id, post.tags)
    index_post(db, post)
    if before is None or before.body != post.body:
        keep_uses(db, post.id, post.body)
    if before is not None and before.slug != post.slug:
        slugs.keep_former_slug(db, post.id, former=before.slug, current=post.slug)
    revisions.insert_revision(db, post, user_id=by.user_id, submission=submission, origin=origin)
    _record(db, before, post, by=by)
    if post.status == Status.PUBLISHED or (before is not None and before.status == Status.PUBLISHED):
        touch(db)
    return post


def _record(db: sa.Connection, before: Post | None, post: Post, *, by: Principal) -> None:
    """One event for the save, and one for what it did to the post's state. Texts stand in the revision, not here."""
    payload = {"version": post.version, "slug": post.slug, "title": post.title}
    append_event(db, POST_CREATED if before is None else POST_EDITED, by=by, subject=about(post.id), payload=payload)
    was_public = before is not None and before.status == Status.PUBLISHED
    is_public = post.status == Status.PUBLISHED
    if is_public != was_public:
        kind = POST_PUBLISHED if is_public else POST_UNPUBLISHED
        append_event(db, kind, by=by, subject=about(post.id), payload=payload)


def _free_slug(db: sa.Connection, content: Content, *, post_id: str | None, by: Principal) -> str:
    if content.slug:
        if not _is_taken(db, content.slug, post_id):
            return content.slug
        if slugs.is_slug_in_bin(db, content.slug, by=by, since=clock.now() - KEPT_IN_BIN):
            raise Invalid({"slug": "A post in your bin has, or had, this address. Restore it, or choose another one."})
        raise Invalid({"slug": "Another post has, or had, this address. Choose another one, or leave it empty."})
    base = slug_from(content.title)
    # A few numbers that people like to read, then one that is free for certain.
    for slug in (base, *(f"{base}-{number}" for number in range(2, 10))):
        if content.kind == Kind.PAGE and slug in RESERVED:
            continue
        if not _is_taken(db, slug, post_id):
            return slug
    return f"{base}-{secrets.token_hex(4)}"


def _is_taken(db: sa.Connection, slug: str, post_id: str | None) -> bool:
    """Whether another post keeps that slug from this one; one that readers never saw does so while it is in the bin."""
    if not slugs.is_slug_taken(db, slug, by_other_than=post_id):
        return False
    slugs.release_slug(db, slug, deleted_before=clock.now() - KEPT_IN_BIN)
    return slugs.is_slug_taken(db, slug, by_other_than=post_id)


def _published_at(post: Post | None, content: Content, at: int) -> int | None:
    """From when it is public: the chosen moment, or now; once out, it keeps its date until another one is chosen."""
    before = post.published_at if post is not None else None
    if content.status == Status.DRAFT:
        return before if before is not None and before <= at else None
    chosen = content.publish_at
    if post is None or post.status == Status.DRAFT or before is None:
        first = at if before is None else before
        return first if chosen is None else chosen
    if chosen is None:
        was_waiting = post.publish_at is not None and before > at
        return at if was_waiting else before
    return before if chosen == post.publish_at else chosen
