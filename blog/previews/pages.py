"""The pages of preview links: the author's list, and what a link opens."""

from flask import Blueprint, redirect, request
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from auth.guards import public, requires
from auth.permissions import Permission
from auth.principal import principal
from blog.posts.model import Post
from blog.posts.writing import find_editable
from blog.previews import queries
from blog.previews.forms import ShareForm
from blog.previews.sharing import open_preview, revoke, share
from storage import clock
from web.caching import mark_private
from web.database import reading, transaction
from web.errors import Forbidden, Invalid
from web.forms import Form
from web.render import absolute_url, render_page

pages = Blueprint("previews", __name__)


@pages.get("/preview/<token>")
@public
def preview(token: str) -> ResponseReturnValue:
    """The post as readers will see it."""
    # No cache keeps what may be taken back.
    mark_private()
    with reading() as db:
        post = open_preview(db, token)
    html = Markup(post.html)  # noqa: S704 - sanitised when it was saved
    response = render_page("blog/previews/preview.html", post=post, html=html, canonical_url=None)
    response.headers["X-Robots-Tag"] = "noindex"
    return response


@pages.get("/posts/<slug>/previews")
@requires(Permission.WRITE_POSTS, session_only=True)
def show_links(slug: str) -> ResponseReturnValue:
    """The links that open this post."""
    return _show(_find(slug), ShareForm(data={"days": "7"}))


@pages.post("/posts/<slug>/previews")
@requires(Permission.WRITE_POSTS, session_only=True)
def share_draft(slug: str) -> ResponseReturnValue:
    """Make a link, and show it this once."""
    post, form = _find(slug), ShareForm(request.form)
    if refused := form.token_error():
        return _show(post, form, status=403, notice=refused)
    try:
        with transaction() as db:
            token = share(db, post.id, days=form.asked_days(), by=principal())
    except Invalid as invalid:
        form.show_faults(invalid.fields)
        return _show(post, form, status=422)
    return _show(post, form, url=absolute_url(f"/preview/{token}"))


@pages.post("/posts/<slug>/previews/<link_id>/revoke")
@requires(Permission.WRITE_POSTS, session_only=True)
def revoke_link(slug: str, link_id: str) -> ResponseReturnValue:
    """Take one back."""
    post = _find(slug)
    if refused := Form(request.form).token_error():
        raise Forbidden(refused)
    with transaction() as db:
        revoke(db, post.id, link_id, by=principal())
    return redirect(f"/posts/{post.slug}/previews", code=303)


def _find(slug: str) -> Post:
    with reading() as db:
        return find_editable(db, by=principal(), slug=slug)


def _show(
    post: Post, form: ShareForm, *, status: int = 200, notice: str | None = None, url: str | None = None
) -> ResponseReturnValue:
    with reading() as db:
        links = queries.list_links(db, post.id, at=clock.now())
    return render_page(
        "blog/previews/links.html", status=status, post=post, form=form, links=links, notice=notice, url=url
    )
