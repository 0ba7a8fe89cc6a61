"""The page where a series is arranged, and the forms on it."""

import sqlalchemy as sa
from flask import Blueprint, redirect, request
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict
from wtforms.fields.choices import SelectChoice

from auth.guards import requires
from auth.permissions import Permission
from auth.principal import principal
from blog.series import arranging, queries
from blog.series.forms import AddForm, PartForm, RenameForm
from blog.series.model import Series
from storage import clock
from storage.ids import parse_id
from web.database import reading, transaction
from web.errors import Forbidden, Invalid, NotFound, Stale
from web.render import render_page

pages = Blueprint("series_editor", __name__)

_OFFERED = 200
_STALE = "Somebody changed this series meanwhile. This is how it is now; nothing of yours was stored yet."
_REOPENED = "You are signed in again. What you typed is here as you sent it; it is not stored yet."


@pages.get("/account/series/<series_id>")
@requires(Permission.WRITE_POSTS, session_only=True)
def arrange(series_id: str) -> ResponseReturnValue:
    """One series, its posts and their order."""
    return _arrange(_known(series_id))


@pages.post("/account/series/<series_id>")
@requires(Permission.WRITE_POSTS, session_only=True)
def rename(series_id: str) -> ResponseReturnValue:
    """Give it another title."""
    known, form = _known(series_id), RenameForm(request.form)
    if refused := form.token_error():
        return _arrange(known, rename=form, status=403, notice=refused)
    try:
        with transaction() as db:
            arranging.rename_series(
                db, known, title=form.title.data or "", by=principal(), version=form.asked_version()
            )
    except Invalid as invalid:
        form.show_faults(invalid.fields)
        return _arrange(known, rename=form, status=422)
    except Stale as stale:
        form.version.data = str(stale.current_version)
        return _arrange(known, rename=form, status=409, notice=_STALE)
    return _back(known)


@pages.post("/account/series/<series_id>/posts")
@requires(Permission.WRITE_POSTS, session_only=True)
def add(series_id: str) -> ResponseReturnValue:
    """Put a post at its end."""
    known, form = _known(series_id), AddForm(request.form)
    if refused := form.token_error():
        return _arrange(known, add=form, status=403, notice=refused)
    try:
        with transaction() as db:
            arranging.add_part(db, known, slug=form.asked_slug(), by=principal())
    except Invalid as invalid:
        form.show_faults(invalid.fields)
        return _arrange(known, add=form, status=422)
    return _back(known)


@pages.post("/account/series/<series_id>/posts/<post_id>")
@requires(Permission.WRITE_POSTS, session_only=True)
def place(series_id: str, post_id: str) -> ResponseReturnValue:
    """Let a post have another place in it, or none."""
    known, form = _known(series_id), PartForm(request.form)
    part = parse_id(post_id)
    if refused := form.token_error():
        with reading() as db:
            if part is not None and not _is_theirs(db, known) and queries.is_own_post(db, part, by=principal()):
                raise Forbidden(refused)
        return _arrange(known, status=403, notice=refused)
    try:
        asked = form.asked_place()
    except ValueError as fault:
        return _arrange(known, status=422, notice=str(fault))
    if part is None:
        raise NotFound
    with transaction() as db:
        if asked is None:
            arranging.remove_part(db, known, part, by=principal())
        else:
            arranging.move_part(db, known, part, place=asked, by=principal())
        is_theirs = _is_theirs(db, known)
    return _back(known) if is_theirs else redirect("/account/series", code=303)


@pages.post("/account/series/<series_id>/delete")
@requires(Permission.WRITE_POSTS, session_only=True)
def delete(series_id: str) -> ResponseReturnValue:
    """Take it away; its posts stay."""
    known, form = _known(series_id), RenameForm(request.form)
    if refused := form.token_error():
        return _arrange(known, status=403, notice=refused)
    try:
        with transaction() as db:
            arranging.delete_series(db, known, by=principal(), version=form.asked_version())
    except Stale:
        return _arrange(known, status=409, notice=_STALE)
    return redirect("/account/series", code=303)


def reopen_rename(fields: MultiDict[str, str], *, series_id: str, notice: str = _REOPENED) -> ResponseReturnValue:
    """The form with another title, likewise."""
    _check_may_write()
    return _arrange(_known(series_id), rename=RenameForm(fields), notice=notice)


def reopen_add(fields: MultiDict[str, str], *, series_id: str, notice: str = _REOPENED) -> ResponseReturnValue:
    """The form that names a post, likewise."""
    _check_may_write()
    return _arrange(_known(series_id), add=AddForm(fields), notice=notice)


def _arrange(
    series_id: str,
    *,
    rename: RenameForm | None = None,
    add: AddForm | None = None,
    status: int = 200,
    notice: str | None = None,
) -> ResponseReturnValue:
    at = clock.now()
    with reading() as db:
        series = arranging.find_editable(db, series_id, by=principal())
        parts = queries.list_parts(db, series.id, by=principal(), at=at)
        offered = queries.list_addable(db, by=principal(), at=at, limit=_OFFERED)
    add = AddForm() if add is None else add
    add.post.choices = [SelectChoice("", "Choose a post"), *(SelectChoice(p.slug, p.title) for p in offered)]
    return render_page(
        "blog/series/arrange.html",
        status=status,
        series=series,
        parts=parts,
        at=at,
        rename=_with_version(rename, series),
        add=add,
        notice=notice,
    )


def _is_theirs(db: sa.Connection, series_id: str) -> bool:
    return queries.find_editable(db, series_id, by=principal()) is not None


def _with_version(form: RenameForm | None, series: Series) -> RenameForm:
    form = RenameForm(data={"title": series.title}) if form is None else form
    form.version.data = form.version.data or str(series.version)
    return form


def _back(series_id: str) -> ResponseReturnValue:
    return redirect(f"/account/series/{series_id}", code=303)


def _known(series_id: str) -> str:
    known = parse_id(series_id)
    if known is None:
        raise NotFound
    return known


def _check_may_write() -> None:
    if not principal().may(Permission.WRITE_POSTS):
        raise Forbidden
