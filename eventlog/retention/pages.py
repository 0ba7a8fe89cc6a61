"""The owner's page of how long the log keeps details."""

from collections.abc import Callable

from flask import Blueprint, g, redirect, request
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from eventlog.retention import queries
from eventlog.retention.applying import change_retention
from eventlog.retention.forms import RetentionForm
from web.database import reading, transaction
from web.errors import Forbidden, Invalid
from web.render import render_page

_REOPENED = "You are signed in again. What you typed is here as you sent it; it is not saved yet."


View = Callable[..., ResponseReturnValue]


def make_pages(guard: Callable[[View], View]) -> Blueprint:
    """The routes, each behind the guard that the floor above hands in."""
    pages = Blueprint("retention_pages", __name__)
    pages.get("/admin/log/retention")(guard(show_retention))
    pages.post("/admin/log/retention")(guard(save_retention))
    return pages


def show_retention() -> ResponseReturnValue:
    """How long details are kept."""
    with reading() as db:
        days = queries.stored_retention_days(db)
    notice = "Saved." if "saved" in request.args else None
    return _show(RetentionForm(data={"days": "" if days is None else str(days)}), notice=notice)


def save_retention() -> ResponseReturnValue:
    """Set how long details are kept."""
    kept_for = RetentionForm(request.form)
    if refused := kept_for.token_error():
        return _show(kept_for, status=403, notice=refused)
    try:
        with transaction() as db:
            change_retention(db, kept_for.days.data or "", by=g.principal)
    except Invalid as invalid:
        kept_for.show_faults(invalid.fields)
        return _show(kept_for, status=422)
    return redirect("/admin/log/retention?saved=1", code=303)


def reopen_retention(fields: MultiDict[str, str], *, notice: str = _REOPENED) -> ResponseReturnValue:
    """The form as it was sent when it could not be taken."""
    if not g.principal.is_owner:
        raise Forbidden
    return _show(RetentionForm(fields), notice=notice)


def _show(form: RetentionForm, *, status: int = 200, notice: str | None = None) -> ResponseReturnValue:
    return render_page("eventlog/retention/retention.html", status=status, form=form, notice=notice, canonical_url=None)
