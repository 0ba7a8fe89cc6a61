"""The page of one's own library, and the buttons that put a post into it and take it out."""

from flask import Blueprint, redirect, request
from flask.typing import ResponseReturnValue

from auth.guards import requires
from auth.permissions import Permission
from auth.principal import principal
from blog.library.holding import find_post, remove, save
from blog.library.queries import list_held
from storage import clock
from storage.ids import parse_id
from web.cursors import Cursor, cursor_of_page
from web.database import reading, transaction
from web.errors import Forbidden, Gone, NotFound
from web.forms import Form
from web.paging import cut
from web.render import render_page

pages = Blueprint("library_pages", __name__)

_PER_PAGE = 30
_ASK = "ask"


@pages.get("/library")
@requires(Permission.CONVERSE, session_only=True)
def show() -> ResponseReturnValue:
    """What one has saved or was granted, the newest first."""
    before = request.args.get("before")
    cursor = cursor_of_page(before)
    with reading() as db:
        held = list_held(db, by=principal(), at=clock.now(), limit=_PER_PAGE + 1, before=cursor)
    shown, last = cut(held, _PER_PAGE)
    return render_page(
        "blog/library/library.html",
        held=shown,
        more_before=None if last is None else Cursor(last.created_at, last.line.id),
        is_first_page=before is None,
        canonical_url=None,
    )


@pages.post("/library")
@requires(Permission.CONVERSE, session_only=True)
def put() -> ResponseReturnValue:
    """Save the post that the form names, and lead back to it; with `then` “ask” to a conversation about it."""
    name = request.form.get("post", "").strip()
    with reading() as db:
        post = find_post(db, name, by=principal())
    if refused := Form(request.form).token_error():
        raise Forbidden(refused)
    with transaction() as db:
        post, _held, _is_new = save(db, post.id, by=principal())
    asks = request.form.get("then") == _ASK
    return redirect(f"/conversations/new?post={post.slug}" if asks else post.path, code=303)


@pages.post("/library/<post_id>/remove")
@requires(Permission.CONVERSE, session_only=True)
def take_out(post_id: str) -> ResponseReturnValue:
    """Take a post out, and lead back to where the button stood: the library, or with `then` the post."""
    known = parse_id(post_id)
    if known is None:
        raise NotFound("There is no post of that id.")
    if refused := Form(request.form).token_error():
        raise Forbidden(refused)
    with transaction() as db:
        remove(db, known, by=principal())
    return redirect(_path_of(known) if request.form.get("then") == "post" else "/library", code=303)


def _path_of(post_id: str) -> str:
    try:
        with reading() as db:
            return find_post(db, post_id, by=principal()).path
    except (NotFound, Gone):
        return "/library"
