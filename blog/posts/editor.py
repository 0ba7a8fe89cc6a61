"""Writing: a new post, and another version of one. Whatever is refused, the text is on the page again."""

import time

from flask import Blueprint, redirect, request
from flask.typing import ResponseReturnValue
from markupsafe import Markup
from werkzeug.datastructures import MultiDict

from auth.guards import requires
from auth.permissions import Permission
from auth.principal import principal
from blog.posts import api, offering
from blog.posts.content import prepare
from blog.posts.editor_page import answer_repeated, merge, show_both, show_form
from blog.posts.forms import PostForm, form_data
from blog.posts.model import Origin, Post
from blog.posts.surroundings import surroundings_after
from blog.posts.writing import change, check_version, find_editable, find_repeated, write
from blog.posts.zones import writers_zone
from blog.working_copies import keeping
from storage.errors import Busy as StorageBusy
from web.database import reading, transaction
from web.errors import Forbidden, Invalid, Stale

pages = Blueprint("editor", __name__)

# A second: as long as a crowd of saves takes on a busy machine, and short for a thread that readers may need.
_PAUSES_SECONDS = (0.0, 0.02, 0.04, 0.08, 0.16, 0.3, 0.4)

_CONTINUED = "This is what was kept while you wrote. It is not saved yet."
_REOPENED = "You are signed in again. Your text is here as you sent it; it is not saved yet."


@pages.get("/new")
@requires(Permission.WRITE_POSTS)
def new() -> ResponseReturnValue:
    """An empty form, or what was kept of one; other texts that were kept are offered."""
    if key := request.args.get("copy"):
        return show_form(offering.continued_form(key, None), None, notice=_CONTINUED)
    return show_form(_empty_form(), None, kept=offering.kept_for(None))


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
        return show_form(offering.continued_form(key, post), post, notice=_CONTINUED)
    return show_form(_form_of(post), post, kept=offering.kept_for(post))


@pages.post("/posts/<slug>/edit")
@requires(Permission.WRITE_POSTS)
def save(slug: str) -> ResponseReturnValue:
    """Store another version."""
    return _submit(PostForm(request.form), _find(slug))


def reopen_new(fields: MultiDict[str, str], *, notice: str = _REOPENED) -> ResponseReturnValue:
    """The form of a new post, as it was sent when it could not be taken."""
    _check_may_write()
    return show_form(PostForm(fields), None, notice=notice)


def reopen_edit(fields: MultiDict[str, str], *, slug: str, notice: str = _REOPENED) -> ResponseReturnValue:
    """The form of a post that is there, likewise."""
    _check_may_write()
    return show_form(PostForm(fields), _find(slug), notice=notice)


def _submit(form: PostForm, post: Post | None) -> ResponseReturnValue:
    if refused := form.token_error():
        return show_form(form, post, status=403, notice=refused)
    who = principal()
    with reading() as db:
        repeated = find_repeated(db, form.submission_id(), by=who)
    if repeated is not None:
        return answer_repeated(form, repeated)
    if post is not None and request.form.get("action") == "merge":
        return merge(form, post)
    is_preview = request.form.get("action") == "preview"
    try:
        if post is not None and not is_preview:
            check_version(post, form.asked_version())
        changes, faults = form.changes(writers_zone(), post)
        around = surroundings_after(changes, post)
        content = prepare(changes, current=post, parse_faults=faults, surroundings=around)
        if is_preview:
            html = Markup(content.html)  # noqa: S704 - sanitised as the last step of rendering
            return show_form(form, post, preview_html=html, preview_title=content.title, preview_lang=content.lang)
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
        return show_both(form, post)
    except StorageBusy:
        if post is None or not _is_soon_stale(post):
            raise
        return show_both(form, post)
    except Invalid as invalid:
        rest = form.show_faults(invalid.fields)
        return show_form(form, post, status=422, notice=" ".join(rest) or None)
    return redirect(saved.path, code=303)


def _is_soon_stale(post: Post) -> bool:
    """Whether somebody at this moment has saved this very post: then "busy" is not all there is to say."""
    for pause in _PAUSES_SECONDS:
        time.sleep(pause)
        with reading() as db:
            if find_editable(db, by=principal(), post_id=post.id).version != post.version:
                return True
    return False


def _empty_form() -> PostForm:
    return PostForm(data={"status": "draft", "visibility": "public", "kind": "post"})


def _form_of(post: Post) -> PostForm:
    return PostForm(data=form_data(post, writers_zone()))


def _find(slug: str) -> Post:
    with reading() as db:
        return find_editable(db, by=principal(), slug=slug)


def _check_may_write() -> None:
    if not principal().may(Permission.WRITE_POSTS):
        raise Forbidden("You are signed in, but may not write here. Your text is kept below.")
