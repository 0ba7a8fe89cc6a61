"""The pages of revisions: the list, one of them, what changed between two, and going back."""

from flask import Blueprint, redirect, request
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from auth.guards import requires
from auth.permissions import Permission
from auth.principal import principal
from blog.posts.queries import revisions
from blog.posts.surroundings import render_here
from blog.posts.writing import find_editable
from blog.revisions.restoring import find_with_revision, prepare_restore, read_revision, restore
from blog.texts.comparing import compare, to_html
from storage import clock
from web.database import reading, transaction
from web.errors import Forbidden, Invalid
from web.forms import Form
from web.paging import cut
from web.render import render_page

pages = Blueprint("revisions", __name__)

_PER_PAGE = 50


@pages.get("/posts/<slug>/revisions")
@requires(Permission.WRITE_POSTS)
def show_list(slug: str) -> ResponseReturnValue:
    """All revisions, the newest first."""
    before = _number(request.args.get("before"))
    with reading() as db:
        post = find_editable(db, by=principal(), slug=slug)
        lines = revisions.list_revisions(db, post.id, limit=_PER_PAGE + 1, before=before)
    shown, last = cut(lines, _PER_PAGE)
    older = None if last is None else f"{request.path}?before={last.number}"
    return render_page(
        "blog/revisions/list.html", post=post, lines=shown, older_url=older, is_first_page=before is None
    )


@pages.get("/posts/<slug>/revisions/<int:number>")
@requires(Permission.WRITE_POSTS)
def show_one(slug: str, number: int) -> ResponseReturnValue:
    """One revision, as it would look."""
    with reading() as db:
        post, revision = find_with_revision(db, number, by=principal(), slug=slug)
    page = render_here(revision.body, revision.lang, author_id=post.author_id)
    html = Markup(page)  # noqa: S704 - sanitised as the last step of rendering
    return render_page("blog/revisions/one.html", post=post, revision=revision, html=html)


@pages.get("/posts/<slug>/revisions/<int:old>..<int:new>")
@requires(Permission.WRITE_POSTS)
def show_changes(slug: str, old: int, new: int) -> ResponseReturnValue:
    """What changed from one revision to another."""
    with reading() as db:
        post, before = find_with_revision(db, old, by=principal(), slug=slug)
        after = read_revision(db, post, new)
    settings = {
        label: (one, other)
        for label, one, other in (
            ("Title", before.title, after.title),
            ("Address", before.slug, after.slug),
            ("Tags", ", ".join(before.tags), ", ".join(after.tags)),
            ("Excerpt", before.excerpt, after.excerpt),
            ("State", before.status.value, after.status.value),
            ("Who may read it", before.visibility.value, after.visibility.value),
            ("What it is", before.kind.value, after.kind.value),
            ("Language", before.lang, after.lang),
            ("Publish at", _moment(before.publish_at), _moment(after.publish_at)),
        )
        if one != other
    }
    changes = to_html(compare(before.body, after.body)) if before.body != after.body else None
    return render_page("blog/revisions/changes.html", post=post, old=old, new=new, settings=settings, changes=changes)


@pages.post("/posts/<slug>/revisions/<int:number>/restore")
@requires(Permission.WRITE_POSTS)
def go_back(slug: str, number: int) -> ResponseReturnValue:
    """Make the words of a revision the newest one."""
    with reading() as db:
        post, revision = find_with_revision(db, number, by=principal(), slug=slug)
    if refused := Form(request.form).token_error():
        raise Forbidden(refused)
    content = prepare_restore(post, revision)
    with transaction() as db:
        saved = restore(db, post, content, by=principal())
    return redirect(saved.path, code=303)


def _moment(at: int | None) -> str:
    return "" if at is None else clock.to_rfc3339(at)


def _number(text: str | None) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise Invalid({"before": "This is not a place in this list."})
    return int(text)
