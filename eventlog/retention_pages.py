"""The owner's page of how long the log keeps details."""

from flask import g, redirect, request
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from eventlog import queries
from eventlog.forms import RetentionForm
from eventlog.retention import change_retention
from web.database import reading, transaction
from web.errors import Forbidden, Invalid
from web.render import render_page

_REOPENED = "You are signed in again. What you typed is here as you sent it; it is not saved yet."


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
    return render_page("eventlog/retention.html", status=status, form=form, notice=notice, canonical_url=None)
