"""The page where a post's author says who was granted it."""

from flask import Blueprint, redirect, request
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from auth.guards import requires
from auth.permissions import Permission
from auth.principal import principal
from blog.library import holding, queries
from blog.library.forms import GrantForm
from blog.posts.model import Post
from blog.posts.writing import find_editable
from web.database import reading, transaction
from web.errors import Conflict, Forbidden, NotFound
from web.forms import Form
from web.paging import cut, place_asked
from web.render import render_page

pages = Blueprint("grant_pages", __name__)

_PER_PAGE = 100
_LONGEST_NAME = 40
_NOBODY = "There is nobody of that name here."
_REOPENED = "You are signed in again. What you typed is here as you sent it; nothing was granted yet."


@pages.get("/posts/<slug>/grants")
@requires(Permission.WRITE_POSTS, session_only=True)
def show_grants(slug: str) -> ResponseReturnValue:
    """Who was granted this post, and a form for somebody else."""
    return _show(_find(slug), GrantForm())


@pages.post("/posts/<slug>/grants")
@requires(Permission.WRITE_POSTS, session_only=True)
def grant(slug: str) -> ResponseReturnValue:
    """Grant it to somebody."""
    post, form = _find(slug), GrantForm(request.form)
    if refused := form.token_error():
        return _show(post, form, status=403, notice=refused)
    name = form.asked_username()
    try:
        if not 1 <= len(name) <= _LONGEST_NAME:
            raise NotFound
        with transaction() as db:
            holding.grant(db, post.id, name, by=principal())
    except NotFound:
        form.show_faults({"username": _NOBODY})
        return _show(post, form, status=422)
    except Conflict as conflict:
        form.show_faults({"username": conflict.detail})
        return _show(post, form, status=409)
    return redirect(f"/posts/{post.slug}/grants", code=303)


@pages.post("/posts/<slug>/grants/<username>/withdraw")
@requires(Permission.WRITE_POSTS, session_only=True)
def withdraw(slug: str, username: str) -> ResponseReturnValue:
    """Take it back."""
    post = _find(slug)
    if refused := Form(request.form).token_error():
        raise Forbidden(refused)
    with transaction() as db:
        holding.withdraw(db, post.id, username, by=principal())
    return redirect(f"/posts/{post.slug}/grants", code=303)


def reopen_grant(fields: MultiDict[str, str], *, slug: str, notice: str = _REOPENED) -> ResponseReturnValue:
    """The form as it was sent when it could not be taken."""
    if not principal().may(Permission.WRITE_POSTS):
        raise Forbidden
    return _show(_find(slug), GrantForm(fields), notice=notice)


def _find(slug: str) -> Post:
    with reading() as db:
        return find_editable(db, by=principal(), slug=slug)


def _show(post: Post, form: GrantForm, *, status: int = 200, notice: str | None = None) -> ResponseReturnValue:
    after = place_asked()
    with reading() as db:
        grants = queries.list_grants(db, post.id, limit=_PER_PAGE + 1, after=after)
    shown, last = cut(grants, _PER_PAGE)
    return render_page(
        "blog/library/grants.html",
        status=status,
        post=post,
        form=form,
        grants=shown,
        more_after=None if last is None else last.username,
        is_first_page=after is None,
        notice=notice,
        canonical_url=None,
    )
