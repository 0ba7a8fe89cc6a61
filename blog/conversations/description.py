"""What the API's description says of conversations."""

from typing import Any

from pydantic import BaseModel

from blog.conversations.api import ConversationBody, ConversationChange
from blog.conversations.ask_api import MessageBody
from blog.conversations.model import Role, State
from web.openapi import Operations, answers, body, reference

_TEXT = {"type": "string"}
_UUID = {"type": "string", "format": "uuid"}
_COUNT = {"type": "integer", "minimum": 0}
_MOMENT = {"type": "string", "format": "date-time"}
_NEXT = {"anyOf": [{"type": "string", "format": "uri"}, {"type": "null"}]}
_CONVERSATION: dict[str, Any] = {
    "id": _UUID,
    "guide": _UUID,
    "post": _UUID,
    "title": _TEXT,
    "message_count": _COUNT,
    "preview": _TEXT,
    "is_archived": {"type": "boolean"},
    "created_at": _MOMENT,
    "updated_at": _MOMENT,
}
_PASSAGE: dict[str, Any] = {
    "number": {"type": "integer", "minimum": 1},
    "post": _UUID,
    "title": _TEXT,
    "heading": _TEXT,
    "url": _TEXT,
    "quote": _TEXT,
}
_MESSAGE: dict[str, Any] = {
    "id": _UUID,
    "role": {"enum": list(Role)},
    "content": _TEXT,
    "html": _TEXT,
    "passages": {"type": "array", "items": reference("Passage")},
    "state": {"enum": list(State)},
    "created_at": _MOMENT,
}
_ANSWERED: dict[str, Any] = {"message": reference("Message"), "message_count": _COUNT}

MODELS: list[type[BaseModel]] = [ConversationBody, ConversationChange, MessageBody]


def _object(fields: dict[str, Any], **optional: Any) -> dict[str, Any]:
    return {"type": "object", "required": list(fields), "properties": fields | optional}


def _list_of(name: str) -> dict[str, Any]:
    return _object({"items": {"type": "array", "items": reference(name)}, "next": _NEXT})


SCHEMAS: dict[str, Any] = {
    "Conversation": _object(_CONVERSATION, summary=_TEXT),
    "Conversations": _list_of("Conversation"),
    "Passage": _object(_PASSAGE),
    "Message": _object(_MESSAGE),
    "Messages": _list_of("Message"),
    "Answered": _object(_ANSWERED),
}

_BEARER = [{"bearer": list[str]()}]
_ID: dict[str, Any] = {"name": "conversation_id", "in": "path", "required": True, "schema": {"type": "string"}}
_LIMIT = {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": 100}}
_ARCHIVED = {"name": "archived", "in": "query", "schema": {"enum": ["true", "false"]}}
_NUMBER = {"type": "integer", "minimum": 0, "maximum": 999_999_999}
_BEFORE = {"name": "before", "in": "query", "description": "Where a page ended; follow `next`.", "schema": _TEXT}
_AFTER = {"name": "after", "in": "query", "description": "Behind which number to go on.", "schema": _NUMBER}
_EVENT = {"type": "object", "properties": {"event": _TEXT, "data": _TEXT}}
_STREAMED = {
    "200": {
        "description": "The events accepted, passage, delta, and at the end done or error; their data are JSON.",
        "content": {"text/event-stream": {"schema": _EVENT}},
    }
}
_WRITES = (400, 401, 403, 404, 409, 410, 413, 415, 422, 503)

OPERATIONS: Operations = {
    "/v1/conversations": {
        "get": {
            "summary": "Your own conversations, the last used first; archived ones apart",
            "security": _BEARER,
            "parameters": [_LIMIT, _ARCHIVED, _BEFORE],
            "responses": answers(good={200: "Conversations"}, refusals=(401, 403, 422)),
        },
    },
    "/v1/conversations/{conversation_id}": {
        "get": {
            "summary": "One of them, with its summary",
            "security": _BEARER,
            "parameters": [_ID],
            "responses": answers(good={200: "Conversation"}, refusals=(401, 403, 404)),
        },
        "put": {
            "summary": "Begin one under an id of your own; again gives the same",
            "security": _BEARER,
            "parameters": [_ID],
            "requestBody": body(ConversationBody),
            "responses": answers(good={200: "Conversation", 201: "Conversation"}, refusals=(*_WRITES, 429)),
        },
        "patch": {
            "summary": "Give it another name, or put it into the archive or out of it",
            "security": _BEARER,
            "parameters": [_ID],
            "requestBody": body(ConversationChange),
            "responses": answers(good={200: "Conversation"}, refusals=_WRITES),
        },
    },
    "/v1/conversations/{conversation_id}/messages": {
        "get": {
            "summary": "What was said, in order",
            "security": _BEARER,
            "parameters": [_ID, _LIMIT, _AFTER],
            "responses": answers(good={200: "Messages"}, refusals=(401, 403, 404, 422)),
        },
        "post": {
            "summary": "Ask: a stream of events, or with Accept: application/json the whole answer",
            "security": _BEARER,
            "parameters": [_ID],
            "requestBody": body(MessageBody),
            "responses": _STREAMED | answers(good={201: "Answered"}, refusals=(*_WRITES, 429)),
        },
    },
}
