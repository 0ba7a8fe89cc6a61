"""The log as JSON, and as a stream of server-sent events, for programs of the owner's."""

import json
from collections.abc import Callable
from urllib.parse import quote

from flask import Blueprint, Response, request
from sqlalchemy import Connection

from eventlog.log.encoding import encode_event
from eventlog.log.following import events_since
from eventlog.log.streaming import Followed, Pace, follow
from web.database import current_database, reading
from web.paging import answer_page, asked_limit, asked_number, cut, parse_number
from web.sse import Places, answer_with_events, interruption, wants_events

_LARGEST_ID = 2**63 - 1
_LAST_EVENT_ID = "Last-Event-ID"
# Of the threads of one process, so many may be held by streams.
_MOST_STREAMS = 4

Guard = Callable[[Callable[[], Response]], Callable[[], Response]]
# Called with the request at hand; what it returns tells later on whether whoever sent it would still be let in.
WatchRight = Callable[[], Callable[[Connection], bool]]


def make_api(guard: Guard, watch_right: WatchRight, *, pace: Pace | None = None) -> Blueprint:
    """The routes, each behind the guard that the floor above hands in."""
    api = Blueprint("events_api", __name__)
    places, kept_pace = Places(_MOST_STREAMS), pace or Pace()

    def events() -> Response:
        """Events after `since`, ascending, of one session or of all: a list, or a stream that goes on."""
        session = request.args.get("session") or None
        since, limit = asked_number("since", 0, 0, _LARGEST_ID), asked_limit()
        if not wants_events():
            return _list(session, since, limit)
        seen = request.headers.get(_LAST_EVENT_ID)
        if seen is not None:
            since = parse_number(_LAST_EVENT_ID, seen, 0, _LARGEST_ID)
        with reading() as db:
            events_since(db, session, since, 1)
        followed = Followed(session, since, is_interrupted=interruption(), is_still_allowed=watch_right())
        return answer_with_events(follow(current_database(), followed, places=places, pace=kept_pace))

    api.get("/v1/events")(guard(events))
    return api


def _list(session: str | None, since: int, limit: int) -> Response:
    with reading() as db:
        events = events_since(db, session, since, limit + 1)
    shown, last = cut(events, limit)
    of_session = f"&session={quote(session, safe='')}" if session else ""
    following = None if last is None else f"/v1/events?since={last.id}&limit={limit}{of_session}"
    return answer_page([json.loads(encode_event(event)) for event in shown], following)
