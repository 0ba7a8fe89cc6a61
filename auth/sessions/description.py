"""What the API's description says of sessions."""

from typing import Any

from web.openapi import Operations, answers, reference

_TEXT = {"type": "string"}
_MOMENT = {"type": "string", "format": "date-time"}
_TEXT_OR_NULL = {"type": ["string", "null"]}

SCHEMAS: dict[str, Any] = {
    "Session": {
        "type": "object",
        "properties": {
            "id": {"type": "string", "pattern": r"^[0-9]+\.[0-9]+$"},
            "kind": {"enum": ["sign_in"]},
            "created_at": _MOMENT,
            "last_seen_at": _MOMENT,
            "event_count": {"type": "integer", "minimum": 0},
            "first_message": _TEXT,
            "user_agent": _TEXT_OR_NULL,
            "address": _TEXT_OR_NULL,
            "current": {"type": "boolean"},
        },
    },
    "Sessions": {
        "type": "object",
        "required": ["items", "next"],
        "properties": {
            "items": {"type": "array", "items": reference("Session")},
            "next": {"anyOf": [{"type": "string", "format": "uri"}, {"type": "null"}]},
        },
    },
}
SCHEMAS["Session"]["required"] = list(SCHEMAS["Session"]["properties"])

_ID: dict[str, Any] = {"name": "session_id", "in": "path", "required": True, "schema": {"type": "string"}}
_BEARER = [{"bearer": list[str]()}]

OPERATIONS: Operations = {
    "/v1/sessions": {
        "get": {
            "summary": "Your own sign-in sessions, the last seen first",
            "security": _BEARER,
            "parameters": [
                {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": 100}},
                {"name": "past", "in": "query", "schema": {"enum": ["true", "false"]}},
            ],
            "responses": answers(good={200: "Sessions"}, refusals=(401, 403, 422)),
        },
    },
    "/v1/sessions/{session_id}": {
        "delete": {
            "summary": "End one of your own sign-in sessions",
            "security": _BEARER,
            "parameters": [_ID],
            "responses": answers(good={204: ""}, refusals=(401, 403, 404, 503)),
        },
    },
}
