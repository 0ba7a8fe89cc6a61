"""The pages of tags, for those who may change everybody's posts."""

from flask import Blueprint, redirect, request
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from auth.guards import requires
from auth.permissions import Permission
from auth.principal import principal
from blog.tagging import queries
from blog.tagging.forms import RenameForm
from blog.tagging.renaming import new_name, rename_tag
from blog.tags.names import UnusableTags, normalise_tag
from web.database import reading, transaction
from web.errors import Conflict, Forbidden, Invalid, NotFound
from web.paging import cut
from web.render import render_page

pages = Blueprint("tagging", __name__)

_PER_PAGE = 200
_REOPENED = "You are signed in again. What you typed is here as you sent it; nothing was renamed yet."
_MERGE = "“{name}” is there already ({count} {posts}). Both become one, and cannot be told apart again afterwards."


@pages.get("/admin/tags")
@requires(Permission.EDIT_ANY_POST, session_only=True)
def show_tags() -> ResponseReturnValue:
    """All tags."""
    after = request.args.get("after")
    with reading() as db:
        tags = queries.list_tags(db, limit=_PER_PAGE + 1, after=after)
    shown, last = cut(tags, _PER_PAGE)
    more = None if last is None else last.tag
    notice = "Renamed. The former address leads to the present one." if "renamed" in request.args else None
    return render_page(
        "blog/tagging/tags.html", tags=shown, more_after=more, is_first_page=after is None, notice=notice
    )


@pages.get("/admin/tags/rename")
@requires(Permission.EDIT_ANY_POST, session_only=True)
def ask_name() -> ResponseReturnValue:
    """The form for one tag."""
    tag = _known(request.args.get("tag", ""))
    return _show(RenameForm(data={"tag": tag, "name": tag}))


@pages.post("/admin/tags/rename")
@requires(Permission.EDIT_ANY_POST, session_only=True)
def rename() -> ResponseReturnValue:
    """Rename it, or ask first where that puts two together."""
    form = RenameForm(request.form)
    if refused := form.token_error():
        return _show(form, status=403, notice=refused)
    name = form.name.data or ""
    try:
        with transaction() as db:
            rename_tag(
                db, _known(form.tag.data or ""), name, by=principal(), may_merge=form.merge.data == new_name(name)
            )
    except Invalid as invalid:
        form.merge.data = ""
        form.show_faults(invalid.fields)
        return _show(form, status=422)
    except Conflict:
        return _ask_to_merge(form, new_name(name))
    return redirect("/admin/tags?renamed=1", code=303)


def reopen_rename(fields: MultiDict[str, str], *, notice: str = _REOPENED) -> ResponseReturnValue:
    """The form as it was sent when it could not be taken."""
    if not principal().may(Permission.EDIT_ANY_POST):
        raise Forbidden
    return _show(RenameForm(fields), notice=notice)


def _ask_to_merge(form: RenameForm, name: str) -> ResponseReturnValue:
    with reading() as db:
        count = queries.count_posts(db, name)
    form.merge.data = name
    posts = "post" if count == 1 else "posts"
    return _show(form, status=409, notice=_MERGE.format(name=name, count=f"{count:,}", posts=posts))


def _show(form: RenameForm, *, status: int = 200, notice: str | None = None) -> ResponseReturnValue:
    tag = _known(form.tag.data or "")
    with reading() as db:
        count = queries.count_posts(db, tag)
    if not count:
        raise NotFound("No post carries this tag, or no longer.")
    return render_page(
        "blog/tagging/rename.html",
        status=status,
        form=form,
        tag=tag,
        count=count,
        is_merge=bool(form.merge.data),
        notice=notice,
    )


def _known(tag: str) -> str:
    try:
        return normalise_tag(tag)
    except UnusableTags:
        raise NotFound("There is no such tag.") from None
