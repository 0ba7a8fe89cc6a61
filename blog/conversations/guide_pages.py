"""The owner's pages of guides."""

from collections.abc import Callable

from flask import Blueprint, Response, redirect, request
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from auth.guards import requires
from auth.permissions import Permission
from auth.principal import principal
from blog.conversations import guide_queries
from blog.conversations.forms import GuideForm
from blog.conversations.guiding import add_guide, bring_back_guide, change_guide, find_guide, retire_guide
from blog.conversations.model import Guide
from web.cursors import Cursor, cursor_of_page
from web.database import reading, transaction
from web.errors import Conflict, Forbidden, Invalid, Stale
from web.forms import Form
from web.render import render_page

pages = Blueprint("guide_pages", __name__)

_PER_PAGE = 30
_STALE = "Somebody changed this guide meanwhile. What you typed is below; saving it now replaces theirs."
_REOPENED = "You are signed in again. What you typed is here as you sent it; it is not stored yet."


@pages.get("/admin/guides")
@requires(Permission.ADMINISTER, session_only=True)
def show_guides() -> ResponseReturnValue:
    """All that can be chosen, a form for another one, and those that are retired."""
    return _list(GuideForm())


@pages.post("/admin/guides")
@requires(Permission.ADMINISTER, session_only=True, fresh=True)
def add() -> ResponseReturnValue:
    """Add one."""
    form = GuideForm(request.form)
    if refused := form.token_error():
        return _list(form, status=403, notice=refused)
    try:
        with transaction() as db:
            add_guide(db, **_values(form), by=principal())
    except Invalid as invalid:
        form.show_faults(invalid.fields)
        return _list(form, status=422)
    except Conflict as conflict:
        return _list(form, status=409, notice=conflict.detail)
    return redirect("/admin/guides", code=303)


@pages.get("/admin/guides/<guide_id>")
@requires(Permission.ADMINISTER, session_only=True)
def show_guide(guide_id: str) -> ResponseReturnValue:
    """One, to change."""
    guide = _find(guide_id)
    names = ("name", "system_prompt", "greeting", "scope", "version")
    return _show(guide, GuideForm(data={name: str(getattr(guide, name)) for name in names}))


@pages.post("/admin/guides/<guide_id>")
@requires(Permission.ADMINISTER, session_only=True, fresh=True)
def save(guide_id: str) -> ResponseReturnValue:
    """Change it."""
    guide, form = _find(guide_id), GuideForm(request.form)
    if refused := form.token_error():
        return _show(guide, form, status=403, notice=refused)
    try:
        with transaction() as db:
            change_guide(db, guide.id, **_values(form), version=form.asked_version(), by=principal())
    except Invalid as invalid:
        form.show_faults(invalid.fields)
        return _show(guide, form, status=422)
    except Stale as stale:
        form.version.data = str(stale.current_version)
        return _show(guide, form, status=409, notice=_STALE)
    return redirect("/admin/guides", code=303)


@pages.post("/admin/guides/<guide_id>/retire")
@requires(Permission.ADMINISTER, session_only=True, fresh=True)
def retire(guide_id: str) -> ResponseReturnValue:
    """Let it begin nothing any more."""
    return _do(retire_guide, guide_id)


@pages.post("/admin/guides/<guide_id>/bring-back")
@requires(Permission.ADMINISTER, session_only=True, fresh=True)
def bring_back(guide_id: str) -> ResponseReturnValue:
    """Let it be chosen again."""
    return _do(bring_back_guide, guide_id)


def _do(change: Callable[..., object], guide_id: str) -> ResponseReturnValue:
    guide = _find(guide_id)
    if refused := Form(request.form).token_error():
        raise Forbidden(refused)
    try:
        with transaction() as db:
            change(db, guide.id, by=principal())
    except Conflict as conflict:
        return _list(GuideForm(), status=409, notice=conflict.detail)
    return redirect("/admin/guides", code=303)


def reopen_add(fields: MultiDict[str, str], *, notice: str = _REOPENED) -> ResponseReturnValue:
    """The form of a new guide, as it was sent when it could not be taken."""
    _check_may()
    return _list(GuideForm(fields), notice=notice)


def reopen_save(fields: MultiDict[str, str], *, guide_id: str, notice: str = _REOPENED) -> ResponseReturnValue:
    """The form of one that is there, likewise."""
    _check_may()
    return _show(_find(guide_id), GuideForm(fields), notice=notice)


def _list(form: GuideForm, *, status: int = 200, notice: str | None = None) -> Response:
    # What is answered to a form begins the list anew.
    before = cursor_of_page(request.args.get("before")) if request.method == "GET" else None
    with reading() as db:
        guides = guide_queries.list_guides(db)
        retired = guide_queries.list_retired_guides(db, limit=_PER_PAGE + 1, before=before)
    last = retired[_PER_PAGE - 1] if len(retired) > _PER_PAGE else None
    return render_page(
        "blog/conversations/guides.html",
        status=status,
        form=form,
        guides=guides,
        retired=retired[:_PER_PAGE],
        more_before=Cursor(last.retired_at, last.id) if last is not None and last.retired_at is not None else None,
        is_first_page=before is None,
        notice=notice,
    )


def _show(guide: Guide, form: GuideForm, *, status: int = 200, notice: str | None = None) -> Response:
    return render_page("blog/conversations/guide.html", status=status, form=form, guide=guide, notice=notice)


def _find(guide_id: str) -> Guide:
    with reading() as db:
        return find_guide(db, guide_id)


def _values(form: GuideForm) -> dict[str, str]:
    return {name: form[name].data or "" for name in ("name", "system_prompt", "greeting", "scope")}


def _check_may() -> None:
    if not principal().may(Permission.ADMINISTER):
        raise Forbidden
