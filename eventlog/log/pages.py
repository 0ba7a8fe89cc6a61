"""The owner's page of the log: what happened."""

from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from eventlog.log import daily, queries
from eventlog.log.fields import readable
from eventlog.log.forms import FilterForm
from eventlog.log.model import Event, events_table
from storage import clock
from web.database import reading
from web.errors import Invalid
from web.paging import cut
from web.render import current_site, render_page

_PER_PAGE = 50

View = Callable[..., ResponseReturnValue]


def make_pages(guard: Callable[[View], View]) -> Blueprint:
    """The routes, each behind the guard that the floor above hands in."""
    pages = Blueprint("log_pages", __name__)
    pages.get("/admin/log")(guard(show_log))
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
    shown, last = cut(events, _PER_PAGE)
    return _show_log(
        form,
        days=_by_day(shown, kept),
        bars=[(bar, _link({**kept, "day": bar.day.isoformat()})) for bar in daily.draw(days, counts)],
        chosen=asked.day,
        older_url=None if last is None else _link({**kept, "before": str(last.id)}),
        newer_url=None if asked.before is None else _link(kept),
        is_filtered=bool(kept),
    )


def _show_log(form: FilterForm, *, status: int = 200, **shown: Any) -> ResponseReturnValue:
    nothing: dict[str, Any] = dict.fromkeys(("chosen", "older_url", "newer_url"))
    shown = nothing | {"days": [], "bars": [], "is_filtered": True} | shown
    return render_page("eventlog/log/log.html", status=status, form=form, canonical_url=None, **shown)


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
