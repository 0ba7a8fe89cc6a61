"""The pages of writing: new, edit, publish, unpublish, delete. Whatever is refused, the text is on the page again."""

import secrets
import time
from typing import Any

from flask import Blueprint, redirect, request
from flask.typing import ResponseReturnValue
from markupsafe import Markup
from werkzeug.datastructures import MultiDict

from auth.guards import requires
from auth.permissions import Permission
from auth.principal import principal
from blog.posts import api, offering
from blog.posts.content import LONGEST_BODY_BYTES, prepare
from blog.posts.deleting import delete
from blog.posts.forms import DeleteForm, PostForm, form_data
from blog.posts.meeting import put_together, questions, text_by
from blog.posts.model import Origin, Post
from blog.posts.publishing import publish, unpublish
from blog.posts.queries import revisions
from blog.posts.surroundings import surroundings_after
from blog.posts.writing import change, check_version, find_editable, find_repeated, write
from blog.posts.zones import writers_zone
from blog.working_copies import keeping
from storage.errors import Busy as StorageBusy
from web.database import reading, transaction
from web.errors import Forbidden, Invalid, Stale
from web.forms import Form
from web.headers import allow_own_scripts
from web.render import render_page

pages = Blueprint("editor", __name__)

# Half a second: as long as a crowd of saves takes, and short for a thread that readers may need.
_PAUSES_SECONDS = (0.02, 0.04, 0.08, 0.16, 0.2)

_STALE = "Somebody saved this post while you were writing. Both texts are here; nothing of yours is lost or saved yet."
_REPEATED = "This form was saved before, with another text. Both texts are here; what you added is not saved yet."
_REPEATED_AND_DELETED = (
    "This form was saved before, and that post was deleted. Your text is here; saving makes a new post."
)
_CHANGED = "Somebody saved this post since you opened this page. It is still there: look again before you delete it."
_MERGED = "Both texts are put together as you chose. Look once more; it is not saved yet."
_CONTINUED = "This is what was kept while you wrote. It is not saved yet."
_REOPENED = "You are signed in again. Your text is here as you sent it; it is not saved yet."


@pages.get("/new")
@requires(Permission.WRITE_POSTS)
def new() -> ResponseReturnValue:
    """An empty form, or what was kept of one; other texts that were kept are offered."""
    if key := request.args.get("copy"):
        return _show(offering.continued_form(key, None), None, notice=_CONTINUED)
    return _show(_empty_form(), None, kept=offering.kept_for(None))


@pages.post("/new")
@requires(Permission.WRITE_POSTS)
def create() -> ResponseReturnValue:
    """Store a new post from the form, or from a JSON body."""
    return api.create() if request.is_json else _submit(PostForm(request.form), None)


@pages.get("/posts/<slug>/edit")
@requires(Permission.WRITE_POSTS)
def edit(slug: str) -> ResponseReturnValue:
    """The form with what is there, or with what was kept of it, which is offered."""
    post = _find(slug)
    if key := request.args.get("copy"):
        return _show(offering.continued_form(key, post), post, notice=_CONTINUED)
    return _show(_form_of(post), post, kept=offering.kept_for(post))


@pages.post("/posts/<slug>/edit")
@requires(Permission.WRITE_POSTS)
def save(slug: str) -> ResponseReturnValue:
    """Store another version."""
    return _submit(PostForm(request.form), _find(slug))


@pages.post("/posts/<slug>/publish")
@requires(Permission.PUBLISH_POSTS)
def let_out(slug: str) -> ResponseReturnValue:
    """Publish."""
    post = _checked(slug, Form(request.form))
    with transaction() as db:
        publish(db, post.id, by=principal())
    return redirect(post.path, code=303)


@pages.post("/posts/<slug>/unpublish")
@requires(Permission.PUBLISH_POSTS)
def take_back(slug: str) -> ResponseReturnValue:
    """Make it a draft again."""
    post = _checked(slug, Form(request.form))
    with transaction() as db:
        unpublish(db, post.id, by=principal())
    return redirect(post.path, code=303)


@pages.get("/posts/<slug>/delete")
@requires(Permission.WRITE_POSTS)
def ask_to_delete(slug: str) -> ResponseReturnValue:
    """Ask once."""
    post = _find(slug)
    return _ask(post, DeleteForm(data={"version": post.version}))


@pages.post("/posts/<slug>/delete")
@requires(Permission.WRITE_POSTS)
def remove(slug: str) -> ResponseReturnValue:
    """Delete."""
    form = DeleteForm(request.form)
    post = _find(slug)
    if refused := form.token_error():
        return _ask(post, form, status=403, notice=refused)
    try:
        with transaction() as db:
            delete(db, post.id, by=principal(), version=form.asked_version())
    except Stale as stale:
        form.version.data = str(stale.current_version)
        return _ask(post, form, status=409, notice=_CHANGED)
    return redirect("/account", code=303)


def reopen_new(fields: MultiDict[str, str], *, notice: str = _REOPENED) -> ResponseReturnValue:
    """The form of a new post, as it was sent when it could not be taken."""
    _check_may_write()
    return _show(PostForm(fields), None, notice=notice)


def reopen_edit(fields: MultiDict[str, str], *, slug: str, notice: str = _REOPENED) -> ResponseReturnValue:
    """The form of a post that is there, likewise."""
    _check_may_write()
    return _show(PostForm(fields), _find(slug), notice=notice)


def _submit(form: PostForm, post: Post | None) -> ResponseReturnValue:
    if refused := form.token_error():
        return _show(form, post, status=403, notice=refused)
    who = principal()
    with reading() as db:
        repeated = find_repeated(db, form.submission_id(), by=who)
    if repeated is not None:
        return _answer_repeated(form, repeated)
    if post is not None and request.form.get("action") == "merge":
        return _merge(form, post)
    is_preview = request.form.get("action") == "preview"
    try:
        if post is not None and not is_preview:
            check_version(post, form.asked_version())
        changes, faults = form.changes(writers_zone(), post)
        around = surroundings_after(changes, post)
        content = prepare(changes, current=post, parse_faults=faults, surroundings=around)
        if is_preview:
            html = Markup(content.html)  # noqa: S704 - sanitised as the last step of rendering
            return _show(form, post, preview_html=html, preview_title=content.title, preview_lang=content.lang)
        with transaction() as db:
            if post is None:
                saved = write(db, content, by=who, submission=form.submission_id())
            else:
                origin = Origin.FORM if form.merged_from() is None else Origin.MERGE
                saved = change(
                    db,
                    post.id,
                    content,
                    by=who,
                    version=post.version,
                    submission=form.submission_id(),
                    origin=origin,
                )
            keeping.drop(db, form.submission_id(), by=who)
    except Stale:
        assert post is not None
        return _show_both(form, post)
    except StorageBusy:
        if post is None or not _is_soon_stale(post):
            raise
        return _show_both(form, post)
    except Invalid as invalid:
        rest = form.show_faults(invalid.fields)
        return _show(form, post, status=422, notice=" ".join(rest) or None)
    return redirect(saved.path, code=303)


def _is_soon_stale(post: Post) -> bool:
    """Whether somebody at this moment has saved this very post: then "busy" is not all there is to say."""
    for pause in _PAUSES_SECONDS:
        with reading() as db:
            if find_editable(db, by=principal(), post_id=post.id).version != post.version:
                return True
        time.sleep(pause)
    return False


def _answer_repeated(form: PostForm, saved: Post) -> ResponseReturnValue:
    """The same form again changes nothing and leads to the same place; but what was typed since is not lost."""
    with reading() as db:
        sent_before = revisions.find_revision(db, saved, revisions.came_with(form.submission_id(), by=principal()))
    if sent_before is None or not _holds_the_same(form, sent_before):
        form.submission.data = None
        if saved.deleted_at is not None:
            return _show(form, None, status=409, notice=_REPEATED_AND_DELETED)
        return _show_both(form, saved, since=sent_before.version if sent_before else None, notice=_REPEATED)
    return redirect(saved.path, code=303)


def _holds_the_same(form: PostForm, saved: Post) -> bool:
    changes, faults = form.changes(writers_zone(), saved)
    try:
        content = prepare(changes, current=saved, parse_faults=faults)
    except Invalid:
        return False
    names = ("title", "body", "excerpt", "tags", "status", "visibility", "publish_at", "kind", "lang")
    return content.slug in ("", saved.slug) and all(getattr(content, n) == getattr(saved, n) for n in names)


def _show_both(form: PostForm, post: Post, *, since: int | None = None, notice: str = _STALE) -> ResponseReturnValue:
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
    return _show(form, theirs, status=409, notice=notice, theirs=theirs, questions=questions(merged))


def _merge(form: PostForm, post: Post) -> ResponseReturnValue:
    """Both texts put together as was chosen, in the form, for a last look."""
    theirs, began_with = _both(post, since=form.merged_from())
    if form.asked_version() != theirs.version:
        return _show_both(form, post)
    form.body.data = text_by(put_together(began_with or theirs, form.body.data or "", theirs), request.form)
    # From now on it is made from theirs.
    form.base_version.data = str(theirs.version)
    form.sees(theirs.version)
    return _show(form, theirs, notice=_MERGED)


def _both(post: Post, *, since: int | None) -> tuple[Post, Post | None]:
    """The post as it is now, and as this author began with it."""
    with reading() as db:
        theirs = find_editable(db, by=principal(), post_id=post.id)
        return theirs, revisions.find_revision(db, theirs, revisions.is_numbered(since))


def _show(
    form: PostForm, post: Post | None, *, status: int = 200, notice: str | None = None, **more: Any
) -> ResponseReturnValue:
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


def _ask(post: Post, form: DeleteForm, *, status: int = 200, notice: str | None = None) -> ResponseReturnValue:
    return render_page("blog/posts/delete.html", status=status, post=post, form=form, notice=notice)


def _empty_form() -> PostForm:
    return PostForm(data={"status": "draft", "visibility": "public", "kind": "post"})


def _form_of(post: Post) -> PostForm:
    return PostForm(data=form_data(post, writers_zone()))


def _find(slug: str) -> Post:
    with reading() as db:
        return find_editable(db, by=principal(), slug=slug)


def _checked(slug: str, form: Form) -> Post:
    post = _find(slug)
    if refused := form.token_error():
        raise Forbidden(refused)
    return post


def _check_may_write() -> None:
    if not principal().may(Permission.WRITE_POSTS):
        raise Forbidden("You are signed in, but may not write here. Your text is kept below.")
