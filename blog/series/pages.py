"""The page of a series that readers see, and the list of those that one may arrange."""

from flask import Blueprint, redirect, request
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from auth.guards import public, requires
from auth.permissions import Permission
from auth.principal import principal
from blog.series import queries
from blog.series.arranging import create_series
from blog.series.forms import CreateForm
from blog.series.reading import read_series
from web.caching import shared
from web.database import reading, transaction
from web.errors import Forbidden, Invalid
from web.paging import cut
from web.render import render_page

pages = Blueprint("series", __name__)

_PER_PAGE, _MOST_LENT = 100, 200
_REOPENED = "You are signed in again. What you typed is here as you sent it; it is not stored yet."


@pages.get("/series/<slug>")
@public
@shared()
def show(slug: str) -> ResponseReturnValue:
    """The parts of a series that are out for this reader."""
    with reading() as db:
        series, parts = read_series(db, slug, by=principal())
    return render_page("blog/series/series.html", series=series, parts=parts)


@pages.get("/account/series")
@requires(Permission.WRITE_POSTS, session_only=True)
def show_own() -> ResponseReturnValue:
    """What one may arrange, and a form for another one."""
    return _list(CreateForm())


@pages.post("/account/series")
@requires(Permission.WRITE_POSTS, session_only=True)
def create() -> ResponseReturnValue:
    """Make one."""
    form = CreateForm(request.form)
    if refused := form.token_error():
        return _list(form, status=403, notice=refused)
    try:
        with transaction() as db:
            series = create_series(db, title=form.title.data or "", slug=form.slug.data or "", by=principal())
    except Invalid as invalid:
        form.show_faults(invalid.fields)
        return _list(form, status=422)
    return redirect(f"/account/series/{series.id}", code=303)


def reopen_create(fields: MultiDict[str, str], *, notice: str = _REOPENED) -> ResponseReturnValue:
    """The form of a new series, as it was sent when it could not be taken."""
    if not principal().may(Permission.WRITE_POSTS):
        raise Forbidden
    return _list(CreateForm(fields), notice=notice)


def _list(form: CreateForm, *, status: int = 200, notice: str | None = None) -> ResponseReturnValue:
    after = request.args.get("after")
    with reading() as db:
        lines = queries.list_editable(db, by=principal(), limit=_PER_PAGE + 1, after=after)
        lent = queries.list_lent(db, by=principal(), limit=_MOST_LENT)
    shown, last = cut(lines, _PER_PAGE)
    return render_page(
        "blog/series/list.html",
        status=status,
        form=form,
        lines=shown,
        lent=lent,
        more_after=None if last is None else last.series.slug,
        is_first_page=after is None,
        notice=notice,
    )
