"""The pages beside the text: publish, unpublish, delete."""

from flask import Blueprint, redirect, request
from flask.typing import ResponseReturnValue

from auth.guards import requires
from auth.permissions import Permission
from auth.principal import principal
from blog.posts.deleting import delete
from blog.posts.forms import DeleteForm
from blog.posts.model import Post
from blog.posts.publishing import publish, unpublish
from blog.posts.writing import find_editable
from web.database import reading, transaction
from web.errors import Forbidden, Stale
from web.forms import Form
from web.render import render_page

pages = Blueprint("publishing_pages", __name__)

_CHANGED = "Somebody saved this post since you opened this page. It is still there: look again before you delete it."


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


def _ask(post: Post, form: DeleteForm, *, status: int = 200, notice: str | None = None) -> ResponseReturnValue:
    return render_page("blog/posts/delete.html", status=status, post=post, form=form, notice=notice)


def _find(slug: str) -> Post:
    with reading() as db:
        return find_editable(db, by=principal(), slug=slug)


def _checked(slug: str, form: Form) -> Post:
    post = _find(slug)
    if refused := form.token_error():
        raise Forbidden(refused)
    return post
