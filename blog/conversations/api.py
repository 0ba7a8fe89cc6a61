"""Conversations as JSON, for browsers and programs."""

from dataclasses import replace
from typing import Any

from flask import Blueprint, Response, jsonify, request
from pydantic import Field
from sqlalchemy import Connection

from auth.guards import requires
from auth.permissions import Permission
from auth.principal import principal
from blog.conversations import queries
from blog.conversations.chain import find_own, is_open, withhold, without_unreadable
from blog.conversations.exchanging import message_as_json
from blog.conversations.model import Conversation, Role
from blog.conversations.owning import LONGEST_TITLE, change, check_free, open_conversation
from storage import clock
from web.csrf import check_header_token
from web.cursors import Cursor, cursor_before
from web.database import reading, transaction
from web.errors import Invalid
from web.json_body import JsonBody, read_body
from web.paging import MOST, answer_page, asked_flag, asked_limit, cut
from web.render import absolute_url

api = Blueprint("conversations_api", __name__)


class ConversationBody(JsonBody):
    """What is said to begin a conversation."""

    post: str = Field("", description="Its id or slug.")
    guide: str | None = Field(None, description="The id of who answers. Absent: the first guide.")
    title: str | None = Field(None, json_schema_extra={"minLength": 1, "maxLength": LONGEST_TITLE})


class ConversationChange(JsonBody):
    """What may be changed of one."""

    title: str = Field("", json_schema_extra={"minLength": 1, "maxLength": LONGEST_TITLE})
    is_archived: bool = False


@api.get("/v1/conversations")
@requires(Permission.CONVERSE)
def index() -> Response:
    """One's own, the last used first; archived ones apart."""
    limit, is_archived, before = asked_limit(), asked_flag("archived"), cursor_before(request.args.get("before"))
    with reading() as db:
        found = queries.list_conversations(
            db, by=principal(), at=clock.now(), is_archived=is_archived, limit=limit + 1, before=before
        )
    shown, last = cut(found, limit)
    archived = "&archived=true" if is_archived else ""
    place = None if last is None else Cursor(last.updated_at, last.id)
    following = None if place is None else f"/v1/conversations?limit={limit}{archived}&before={place}"
    return answer_page([_as_json(each) for each in shown], following)


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
    limit, after, who = asked_limit(MOST), _after(), principal()
    with reading() as db:
        owned = find_own(db, conversation_id, by=who)
        may_see_answers = is_open(db, owned, by=who)
        found = withhold(db, queries.list_messages(db, owned.conversation.id, limit=limit + 1, after=after), by=who)
    page, last = cut(found, limit)
    path = f"/v1/conversations/{owned.conversation.id}/messages"
    following = None if last is None else f"{path}?limit={limit}&after={last.number}"
    shown = [message for message in page if may_see_answers or message.role == Role.READER]
    return answer_page([message_as_json(message, absolute_url("")) for message in shown], following)


def _told(db: Connection, conversation: Conversation, *, with_summary: bool = False) -> dict[str, Any]:
    """The row of one's own; what is made of answers, only while its post, and what they quote, is theirs to read."""
    may_see = is_open(db, find_own(db, conversation.id, by=principal()), by=principal())
    shown = (
        without_unreadable(db, conversation, by=principal())
        if may_see
        else replace(conversation, preview="", summary="")
    )
    return _as_json(shown) | ({"summary": shown.summary} if with_summary else {})


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


def _after() -> int:
    text = request.args.get("after", "0")
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise Invalid({"after": "Use the number behind which to go on; follow `next`."})
    return int(text)
