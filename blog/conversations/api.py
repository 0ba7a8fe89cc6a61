"""Conversations as JSON and as streams, for browsers and programs."""

from collections.abc import Callable, Generator
from contextlib import closing
from typing import Any

from flask import Blueprint, Response, current_app, json, jsonify, request
from pydantic import Field
from sqlalchemy import Connection

from auth.guards import requires
from auth.permissions import Permission
from auth.principal import principal
from blog.conversations import asking, queries
from blog.conversations.chain import find_open, find_own, is_open
from blog.conversations.exchanging import Said, Surroundings, message_as_json
from blog.conversations.model import Conversation, Role
from blog.conversations.owning import LONGEST_TITLE, change, check_free, open_conversation
from blog.conversations.streaming import answer
from storage import clock
from web.csrf import check_header_token
from web.cursors import Cursor, cursor_before
from web.database import reading, transaction
from web.error_pages import challenge
from web.errors import Busy, Invalid, Unauthenticated
from web.json_body import JsonBody, read_body
from web.render import absolute_url
from web.sse import HEARTBEAT, answer_with_events, format_event, interruption

_MOST = 100
_RETRY_SECONDS = 5
# Called with the request at hand; what it returns tells later on whether whoever sent it would still be let in.
WatchRight = Callable[[], Callable[[Connection], bool]]


class ConversationBody(JsonBody):
    """What is said to begin a conversation."""

    post: str = Field("", description="Its id or slug.")
    guide: str | None = Field(None, description="The id of who answers. Absent: the first guide.")
    title: str | None = Field(None, json_schema_extra={"minLength": 1, "maxLength": LONGEST_TITLE})


class ConversationChange(JsonBody):
    """What may be changed of one."""

    title: str = Field("", json_schema_extra={"minLength": 1, "maxLength": LONGEST_TITLE})
    is_archived: bool = False


class MessageBody(JsonBody):
    """A question."""

    content: str = Field("", json_schema_extra={"minLength": 1, "maxLength": asking.LONGEST_QUESTION})


def make_api(watch_right: WatchRight) -> Blueprint:
    """The routes."""
    api = Blueprint("conversations_api", __name__)

    @api.get("/v1/conversations")
    @requires(Permission.CONVERSE)
    def index() -> Response:
        """One's own, the last used first; archived ones apart."""
        limit, is_archived, before = _limit(), _is_archived(), cursor_before(request.args.get("before"))
        with reading() as db:
            found = queries.list_conversations(
                db, by=principal(), at=clock.now(), is_archived=is_archived, limit=limit + 1, before=before
            )
        following = None
        if len(found) > limit:
            last = Cursor(found[limit - 1].updated_at, found[limit - 1].id)
            archived = "&archived=true" if is_archived else ""
            following = absolute_url(f"/v1/conversations?limit={limit}{archived}&before={last}")
        return jsonify({"items": [_as_json(each) for each in found[:limit]], "next": following})

    @api.put("/v1/conversations/<conversation_id>")
    @requires(Permission.CONVERSE)
    def put(conversation_id: str) -> Response:
        """Begin one under an id of the browser's own: 201, and again 200."""
        with reading() as db:
            check_free(db, conversation_id, by=principal())
        check_header_token()
        asked, faults = read_body(ConversationBody)
        if faults:
            raise Invalid(faults)
        with transaction() as db:
            conversation, is_new = open_conversation(
                db,
                conversation_id,
                post=asked.get("post", "").strip(),
                guide=asked.get("guide"),
                title=asked.get("title"),
                by=principal(),
            )
            told = _told(db, conversation)
        response = jsonify(told)
        response.status_code = 201 if is_new else 200
        return response

    @api.get("/v1/conversations/<conversation_id>")
    @requires(Permission.CONVERSE)
    def show(conversation_id: str) -> Response:
        """The row, with the summary."""
        with reading() as db:
            owned = find_own(db, conversation_id, by=principal())
            told = _told(db, owned.conversation, with_summary=True)
        return jsonify(told)

    @api.patch("/v1/conversations/<conversation_id>")
    @requires(Permission.CONVERSE)
    def patch(conversation_id: str) -> Response:
        """Another name, or into the archive or out of it."""
        with reading() as db:
            find_own(db, conversation_id, by=principal())
        check_header_token()
        asked, faults = read_body(ConversationChange)
        if faults:
            raise Invalid(faults)
        with transaction() as db:
            conversation = change(
                db,
                conversation_id,
                title=asked.get("title"),
                is_archived=asked.get("is_archived"),
                by=principal(),
            )
            told = _told(db, conversation)
        return jsonify(told)

    @api.get("/v1/conversations/<conversation_id>/messages")
    @requires(Permission.CONVERSE)
    def messages(conversation_id: str) -> Response:
        """What was said, in order; where the post is not held any more, only what one wrote oneself."""
        limit, after, who = _limit(_MOST), _after(), principal()
        with reading() as db:
            owned = find_own(db, conversation_id, by=who)
            may_see_answers = is_open(db, owned, by=who)
            found = queries.list_messages(db, owned.conversation.id, limit=limit + 1, after=after)
        following = None
        if len(found) > limit:
            path = f"/v1/conversations/{owned.conversation.id}/messages"
            following = absolute_url(f"{path}?limit={limit}&after={found[limit - 1].number}")
        shown = [message for message in found[:limit] if may_see_answers or message.role == Role.READER]
        return jsonify({"items": [message_as_json(message, absolute_url("")) for message in shown], "next": following})

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


def _told(db: Connection, conversation: Conversation, *, with_summary: bool = False) -> dict[str, Any]:
    """The row of one's own; what is made of answers, only while its post may be asked."""
    may_see = is_open(db, find_own(db, conversation.id, by=principal()), by=principal())
    told = _as_json(conversation) | ({"summary": conversation.summary} if with_summary else {})
    return told if may_see else {name: "" if name in ("preview", "summary") else value for name, value in told.items()}


def _as_json(conversation: Conversation) -> dict[str, Any]:
    return {
        "id": conversation.id,
        "guide": conversation.guide_id,
        "post": conversation.post_id,
        "title": conversation.title,
        "message_count": conversation.message_count,
        "preview": conversation.preview,
        "is_archived": bool(conversation.is_archived),
        "created_at": clock.to_rfc3339(conversation.created_at),
        "updated_at": clock.to_rfc3339(conversation.updated_at),
    }


def _is_archived() -> bool:
    text = request.args.get("archived", "false")
    if text not in ("true", "false"):
        raise Invalid({"archived": "Use true or false."})
    return text == "true"


def _after() -> int:
    text = request.args.get("after", "0")
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise Invalid({"after": "Use the number behind which to go on; follow `next`."})
    return int(text)


def _limit(default: int = 20) -> int:
    text = request.args.get("limit", str(default))
    if not (text.isascii() and text.isdecimal() and len(text) < 5 and 1 <= int(text) <= _MOST):
        raise Invalid({"limit": f"Use a number from 1 to {_MOST}."})
    return int(text)
