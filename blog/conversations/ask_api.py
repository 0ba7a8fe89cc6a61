"""Asking by the API: the question, and what is said to it, as a stream of events or whole."""

from collections.abc import Callable, Generator
from contextlib import closing

from flask import Blueprint, Response, current_app, json, jsonify, request
from pydantic import Field
from sqlalchemy import Connection

from auth.guards import requires
from auth.permissions import Permission
from auth.principal import principal
from blog.conversations import asking
from blog.conversations.chain import find_open, find_own
from blog.conversations.exchanging import Said, Surroundings
from blog.conversations.streaming import answer
from web.csrf import check_header_token
from web.database import reading
from web.error_pages import challenge
from web.errors import Busy, Invalid, Unauthenticated
from web.json_body import JsonBody, read_body
from web.sse import HEARTBEAT, answer_with_events, format_event, interruption

_RETRY_SECONDS = 5
# Called with the request at hand; what it returns tells later on whether whoever sent it would still be let in.
WatchRight = Callable[[], Callable[[Connection], bool]]


class MessageBody(JsonBody):
    """A question."""

    content: str = Field("", json_schema_extra={"minLength": 1, "maxLength": asking.LONGEST_QUESTION})


def make_api(watch_right: WatchRight) -> Blueprint:
    """The route."""
    api = Blueprint("ask_api", __name__)

    @api.post("/v1/conversations/<conversation_id>/messages")
    @requires(Permission.CONVERSE)
    def ask(conversation_id: str) -> Response:
        """Ask: a stream of events, or with `Accept: application/json` the whole answer, 201."""
        with reading() as db:
            find_own(db, conversation_id, by=principal())
        check_header_token()
        asked, faults = read_body(MessageBody)
        with reading() as db:
            # Before what is wrong with the words: they could not be said here in any case.
            find_open(db, conversation_id, by=principal())
        if faults:
            raise Invalid(faults)
        said = exchange(conversation_id, asked.get("content", ""), watch_right)
        if not _wants_stream():
            return _whole(said)
        response = answer_with_events(map(_event, said))
        # Also when the reader is gone before the first byte.
        response.call_on_close(said.close)
        return response

    return api


def exchange(name: str, content: str, watch_right: WatchRight) -> Generator[Said, None, None]:
    """Store the question, and give what is said; it has begun when this returns. Raises as `asking.begin`.

    Whoever takes no more of it closes it: what was said so far is kept then.
    """
    around: Surroundings = current_app.extensions["conversations"]
    said = _exchange(around, name, content, watch_right)
    next(said)
    return said


def _exchange(around: Surroundings, name: str, content: str, watch_right: WatchRight) -> Generator[Said, None, None]:
    is_still_allowed, is_interrupted = watch_right(), interruption()
    begun = asking.begin(around, name, content, by=principal())
    said = answer(around, begun, is_interrupted=is_interrupted, is_still_allowed=is_still_allowed)
    accepted = next(said)
    with closing(said):
        # Where it is begun, nothing was sent yet: one that nobody asks for more is closed, and concludes.
        yield Said("begun", {})
        yield accepted
        yield from said


def _event(said: Said) -> bytes:
    if said.event == "waiting":
        return HEARTBEAT.encode()
    return format_event(json.dumps(said.data, ensure_ascii=False), event=said.event).encode()


def _whole(said: Generator[Said, None, None]) -> Response:
    last = None
    with closing(said):
        for each in said:
            last = each
    if last is None or last.event not in ("done", "error"):
        raise Busy("The server is ending. What was said so far is kept.", retry_after_seconds=_RETRY_SECONDS)
    response = jsonify(last.data)
    response.status_code = 201 if last.event == "done" else int(last.data["status"])
    if last.event == "error":
        response.mimetype = "application/problem+json"
    if response.status_code == Unauthenticated.status:
        response.headers["WWW-Authenticate"] = challenge("invalid_token" if principal().has_token else None)
    if response.status_code == Busy.status:
        response.headers["Retry-After"] = str(_RETRY_SECONDS)
    return response


def _wants_stream() -> bool:
    return request.accept_mimetypes.best_match(["text/event-stream", "application/json"]) != "application/json"
