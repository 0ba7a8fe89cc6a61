"""The owner's pages of the log: what happened, and which operations nobody knows the end of."""

from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from typing import Any
from urllib.parse import quote, urlencode

from flask import Blueprint, g, redirect, request
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from eventlog import daily, queries
from eventlog.disposing import dispose, find_operation
from eventlog.fields import readable
from eventlog.forms import DisposalForm, FilterForm
from eventlog.ledger import orphan_intents
from eventlog.model import Event, events_table
from eventlog.retention_pages import save_retention, show_retention
from storage import clock
from web.database import reading, transaction
from web.error_pages import kept_fields
from web.errors import Conflict, Forbidden, Invalid
from web.negotiation import wants_json
from web.render import current_site, render_page

_PER_PAGE = 50
_MOST_OPERATIONS = 100
# An operation announced so short a time ago may be running at this moment.
_MAY_RUN = clock.MINUTE
_REOPENED = "You are signed in again. What you typed is here as you sent it; it is not recorded yet."

View = Callable[..., ResponseReturnValue]


def make_pages(guard: Callable[[View], View]) -> Blueprint:
    """The routes, each behind the guard that the floor above hands in."""
    pages = Blueprint("log_pages", __name__)
    pages.get("/admin/log")(guard(show_log))
    pages.get("/admin/log/retention")(guard(show_retention))
    pages.post("/admin/log/retention")(guard(save_retention))
    pages.get("/admin/unfinished")(guard(show_unfinished))
    pages.post("/admin/unfinished/<path:call_id>")(guard(dispose_operation))
    return pages


def show_log() -> ResponseReturnValue:
    """The newest events, or those that a filter leaves, and how many there were on each of the last days."""
    form = FilterForm(request.args)
    form.offer_kinds()
    try:
        asked = form.asked()
    except Invalid as invalid:
        form.show_faults(invalid.fields)
        return _show_log(form, status=422)
    zone = current_site().zone
    days = daily.last_days(daily.day_of(clock.now(), zone))
    with reading() as db:
        matching = queries.matching(db, asked.values)
        counts = queries.count_between(db, matching, daily.boundaries_of(days, zone))
        conditions = [*matching, *(queries.within(*daily.span_of(asked.day, zone)) if asked.day else [])]
        if asked.before is not None:
            conditions.append(events_table.c.id < asked.before)
        events = queries.list_events(db, *conditions, limit=_PER_PAGE + 1, newest_first=True)
    kept = form.kept()
    older = {**kept, "before": str(events[_PER_PAGE - 1].id)} if len(events) > _PER_PAGE else None
    return _show_log(
        form,
        days=_by_day(events[:_PER_PAGE], kept),
        bars=[(bar, _link({**kept, "day": bar.day.isoformat()})) for bar in daily.draw(days, counts)],
        chosen=asked.day,
        older_url=None if older is None else _link(older),
        newer_url=None if asked.before is None else _link(kept),
        is_filtered=bool(kept),
    )


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


def _show_log(form: FilterForm, *, status: int = 200, **shown: Any) -> ResponseReturnValue:
    nothing: dict[str, Any] = dict.fromkeys(("chosen", "older_url", "newer_url"))
    shown = nothing | {"days": [], "bars": [], "is_filtered": True} | shown
    return render_page("eventlog/log.html", status=status, form=form, canonical_url=None, **shown)


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
            "session_url": _link({"session": intent.session_id}),
        }
        for intent in shown
    ]
    said = {"notice": None, "error": None, "kept": []} | said
    return render_page(
        "eventlog/unfinished.html",
        status=status,
        operations=operations,
        left_out=len(intents) - len(shown),
        canonical_url=None,
        **said,
    )


def _by_day(events: Sequence[Event], kept: Mapping[str, str]) -> list[dict[str, Any]]:
    zone = current_site().zone
    days = groupby(events, key=lambda event: daily.day_of(event.occurred_at, zone))
    return [
        {"day": day, "url": _link({**kept, "day": day.isoformat()}), "events": [_line(event) for event in group]}
        for day, group in days
    ]


def _line(event: Event) -> dict[str, Any]:
    return {
        "event": event,
        "at": clock.to_datetime(event.occurred_at).astimezone(current_site().zone),
        "fields": None if event.payload is None else readable(event.payload),
        "person_url": _link({"person": event.actor}),
        "kind_url": _link({"kind": event.kind}),
        "subject_url": _link({"subject": event.subject or ""}),
        "session_url": _link({"session": event.session_id}),
    }


def _link(filters: Mapping[str, str]) -> str:
    return "/admin/log" + (f"?{urlencode(filters)}" if filters else "")
