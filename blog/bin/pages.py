"""The page of the bin."""

from flask import Blueprint, redirect, request
from flask.typing import ResponseReturnValue

from auth.guards import requires
from auth.permissions import Permission
from auth.principal import principal
from blog.bin.restoring import list_bin, take_out
from blog.posts.model import KEPT_IN_BIN
from storage.ids import parse_id
from web.cursors import Cursor, cursor_of_page
from web.database import reading, transaction
from web.errors import Forbidden, NotFound
from web.forms import Form
from web.paging import cut
from web.render import render_page

pages = Blueprint("bin", __name__)

_PER_PAGE = 50


@pages.get("/account/bin")
@requires(Permission.WRITE_POSTS, session_only=True)
def show_bin() -> ResponseReturnValue:
    """What was deleted in the last 30 days."""
    after = request.args.get("after")
    with reading() as db:
        posts = list_bin(db, by=principal(), limit=_PER_PAGE + 1, before=cursor_of_page(after))
    shown, last = cut(posts, _PER_PAGE)
    more_after = None if last is None else Cursor(last.deleted_at or 0, last.id)
    return render_page(
        "blog/bin/bin.html", posts=shown, kept_for=KEPT_IN_BIN, more_after=more_after, is_first_page=after is None
    )


@pages.post("/account/bin/<post_id>/restore")
@requires(Permission.WRITE_POSTS, session_only=True)
def restore(post_id: str) -> ResponseReturnValue:
    """Take one out."""
    known = parse_id(post_id)
    if known is None:
        raise NotFound
    if refused := Form(request.form).token_error():
        raise Forbidden(refused)
    with transaction() as db:
        post = take_out(db, known, by=principal())
    return redirect(post.path, code=303)
