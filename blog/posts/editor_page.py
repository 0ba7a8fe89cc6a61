"""The page of the editor's form: alone, or with both texts on it where two saves met."""

import secrets
from typing import Any

from flask import redirect, request
from flask.typing import ResponseReturnValue

from auth.principal import principal
from blog.posts import offering
from blog.posts.content import LONGEST_BODY_BYTES, prepare
from blog.posts.forms import PostForm, form_data
from blog.posts.meeting import put_together, questions, text_by
from blog.posts.model import Post
from blog.posts.queries import revisions
from blog.posts.writing import find_editable
from blog.posts.zones import writers_zone
from web.database import reading
from web.errors import Invalid
from web.headers import allow_own_scripts
from web.render import render_page

_STALE = "Somebody saved this post while you were writing. Both texts are here; nothing of yours is lost or saved yet."
_REPEATED = "This form was saved before, with another text. Both texts are here; what you added is not saved yet."
_REPEATED_AND_DELETED = (
    "This form was saved before, and that post was deleted. Your text is here; saving makes a new post."
)
_MERGED = "Both texts are put together as you chose. Look once more; it is not saved yet."


def show_form(
    form: PostForm, post: Post | None, *, status: int = 200, notice: str | None = None, **more: Any
) -> ResponseReturnValue:
    """The form as it is; what it needs besides, in `more`. Between two saves, with the other's text beside it."""
    if not form.submission.data:
        form.submission.data = secrets.token_urlsafe(16)
    if form.version.data:
        # However often the form comes back before it is saved: it is about the version that its author saw.
        form.sees(form.asked_version())
    allow_own_scripts()
    if post is not None and "theirs" not in more and form.is_between_saves():
        # Whatever the form comes back for, the other's text stays beside it until both are put together.
        theirs, began_with = _both(post, since=form.merged_from())
        merged = put_together(began_with or theirs, form.body.data or "", theirs)
        more |= {"theirs": theirs, "questions": questions(merged)}
    arguments = {
        "preview_html": None,
        "preview_title": None,
        "preview_lang": "",
        "theirs": None,
        "kept": None,
        "questions": [],
    } | more
    return render_page(
        "blog/posts/editor.html",
        status=status,
        form=form,
        post=post,
        key=offering.editor_key(post, form.submission.data or ""),
        limit_bytes=LONGEST_BODY_BYTES,
        time_zone=form.show_zone(writers_zone()).key,
        own_zone=writers_zone().key,
        action="/new" if post is None else f"/posts/{post.slug}/edit",
        heading="New post" if post is None else f"Edit “{post.title}”",
        notice=notice,
        canonical_url=None,
        **arguments,
    )


def show_both(form: PostForm, post: Post, *, since: int | None = None, notice: str = _STALE) -> ResponseReturnValue:
    """Both texts. `since`: the version that the author began with, where the form does not say it."""
    shown = since or form.asked_version()
    theirs, began_with = _both(post, since=since or form.merged_from() or form.asked_version())
    _, was_shown = _both(post, since=shown)
    if was_shown is not None:
        zone = form.zone(writers_zone())
        form.take_over(form_data(theirs, zone), unless_changed_from=form_data(was_shown, zone))
    form.base_version.data = str(began_with.version if began_with is not None else theirs.version)
    form.sees(theirs.version)
    merged = put_together(began_with or theirs, form.body.data or "", theirs)
    return show_form(form, theirs, status=409, notice=notice, theirs=theirs, questions=questions(merged))


def merge(form: PostForm, post: Post) -> ResponseReturnValue:
    """Both texts put together as was chosen, in the form, for a last look."""
    theirs, began_with = _both(post, since=form.merged_from())
    if form.asked_version() != theirs.version:
        return show_both(form, post)
    form.body.data = text_by(put_together(began_with or theirs, form.body.data or "", theirs), request.form)
    # From now on it is made from theirs.
    form.base_version.data = str(theirs.version)
    form.sees(theirs.version)
    return show_form(form, theirs, notice=_MERGED)


def answer_repeated(form: PostForm, saved: Post) -> ResponseReturnValue:
    """The same form again changes nothing and leads to the same place; but what was typed since is not lost."""
    with reading() as db:
        sent_before = revisions.find_revision(db, saved, revisions.came_with(form.submission_id(), by=principal()))
    if sent_before is None or not _holds_the_same(form, sent_before):
        form.submission.data = None
        if saved.deleted_at is not None:
            return show_form(form, None, status=409, notice=_REPEATED_AND_DELETED)
        return show_both(form, saved, since=sent_before.version if sent_before else None, notice=_REPEATED)
    return redirect(saved.path, code=303)


def _holds_the_same(form: PostForm, saved: Post) -> bool:
    changes, faults = form.changes(writers_zone(), saved)
    try:
        content = prepare(changes, current=saved, parse_faults=faults)
    except Invalid:
        return False
    names = ("title", "body", "excerpt", "tags", "status", "visibility", "publish_at", "kind", "lang")
    return content.slug in ("", saved.slug) and all(getattr(content, n) == getattr(saved, n) for n in names)


def _both(post: Post, *, since: int | None) -> tuple[Post, Post | None]:
    """The post as it is now, and as this author began with it."""
    with reading() as db:
        theirs = find_editable(db, by=principal(), post_id=post.id)
        return theirs, revisions.find_revision(db, theirs, revisions.is_numbered(since))
