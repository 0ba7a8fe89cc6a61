"""The owner's page of operations that nobody knows the end of."""

from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlencode

from flask import Blueprint, g, redirect, request
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from eventlog.ledger.announcing import orphan_intents
from eventlog.ledger.disposing import dispose, find_operation
from eventlog.ledger.forms import DisposalForm
from eventlog.log.fields import readable
from storage import clock
from web.database import reading, transaction
from web.error_pages import kept_fields
from web.errors import Conflict, Forbidden, Invalid
from web.negotiation import wants_json
from web.render import render_page

_MOST_OPERATIONS = 100
# An operation announced so short a time ago may be running at this moment.
_MAY_RUN = clock.MINUTE
_REOPENED = "You are signed in again. What you typed is here as you sent it; it is not recorded yet."

View = Callable[..., ResponseReturnValue]


def make_pages(guard: Callable[[View], View]) -> Blueprint:
    """The routes, each behind the guard that the floor above hands in."""
    pages = Blueprint("ledger_pages", __name__)
    pages.get("/admin/unfinished")(guard(show_unfinished))
    pages.post("/admin/unfinished/<path:call_id>")(guard(dispose_operation))
    return pages


def show_unfinished() -> ResponseReturnValue:
    """The operations that were announced and not concluded."""
    notice = "Recorded. It stands in the log too." if "disposed" in request.args else None
    return _show_unfinished(notice=notice)


def dispose_operation(call_id: str) -> ResponseReturnValue:
    """Record what became of one of them."""
    with reading() as db:
        find_operation(db, call_id)
    form = DisposalForm(request.form)
    if refused := form.token_error():
        return _show_unfinished(status=403, notice=refused, sent=(call_id, form))
    try:
        with transaction() as db:
            dispose(db, call_id, form.outcome.data or "", note=form.note.data or "", by=g.principal)
    except Conflict as conflict:
        if wants_json():
            raise
        return _show_unfinished(status=409, error=conflict.detail, kept=kept_fields())
    except Invalid as invalid:
        form.show_faults(invalid.fields)
        return _show_unfinished(status=422, sent=(call_id, form))
    return redirect("/admin/unfinished?disposed=1", code=303)


def reopen_disposal(fields: MultiDict[str, str], *, call_id: str, notice: str = _REOPENED) -> ResponseReturnValue:
    """The page, with the form of that operation as it was sent when it could not be taken."""
    if not g.principal.is_owner:
        raise Forbidden
    with reading() as db:
        find_operation(db, call_id)
    return _show_unfinished(notice=notice, sent=(call_id, DisposalForm(fields)))


def _show_unfinished(
    *, status: int = 200, sent: tuple[str, DisposalForm] | None = None, **said: Any
) -> ResponseReturnValue:
    at = clock.now()
    with reading() as db:
        intents = orphan_intents(db)
    shown = intents[:_MOST_OPERATIONS]
    if sent is not None:
        # What somebody typed is shown, however many there are.
        shown += [intent for intent in intents[_MOST_OPERATIONS:] if intent.call_id == sent[0]]
    operations = [
        {
            "intent": intent,
            "fields": readable(intent.payload),
            "may_run": at - intent.recorded_at < _MAY_RUN,
            "form": sent[1] if sent is not None and sent[0] == intent.call_id else DisposalForm(),
            "url": f"/admin/unfinished/{quote(intent.call_id)}",
            "session_url": f"/admin/log?{urlencode({'session': intent.session_id})}",
        }
        for intent in shown
    ]
    said = {"notice": None, "error": None, "kept": []} | said
    return render_page(
        "eventlog/ledger/unfinished.html",
        status=status,
        operations=operations,
        left_out=len(intents) - len(shown),
        canonical_url=None,
        **said,
    )
