"""What the API's description says of the log."""

from typing import Any

from web.openapi import Operations, answers, reference

_TEXT = {"type": "string"}
_DIGEST = {"type": "string", "pattern": "^[0-9a-f]{64}$"}

SCHEMAS: dict[str, Any] = {
    "Event": {
        "type": "object",
        "properties": {
            "schema_version": {"type": "integer"},
            "id": {"type": "integer", "minimum": 1},
            "session_id": _TEXT,
            "kind": _TEXT,
            "actor": _TEXT,
            "subject": {"type": ["string", "null"]},
            "occurred_at": {"type": "string", "format": "date-time"},
            "payload": {"type": ["object", "null"]},
            "payload_digest": _DIGEST,
            "previous_digest": _DIGEST,
            "digest": _DIGEST,
        },
    },
    "Events": {
        "type": "object",
        "required": ["items", "next"],
        "properties": {"items": {"type": "array", "items": reference("Event")}, "next": {"type": ["string", "null"]}},
    },
}
SCHEMAS["Event"]["required"] = list(SCHEMAS["Event"]["properties"])

OPERATIONS: Operations = {
    "/v1/events": {
        "get": {
            "summary": "The event log, ascending; with `Accept: text/event-stream` a stream that goes on",
            "security": [{"bearer": []}],
            "parameters": [
                {"name": "since", "in": "query", "schema": {"type": "integer", "minimum": 0, "maximum": 2**63 - 1}},
                {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": 100}},
                {"name": "session", "in": "query", "schema": _TEXT},
                {
                    "name": "Last-Event-ID",
                    "in": "header",
                    "description": "Of a stream only: goes before `since`.",
                    "schema": {"type": "string", "pattern": "^[0-9]{1,18}$"},
                },
            ],
            "responses": answers(good={200: "Events"}, refusals=(401, 403, 404, 422, 503)),
        },
    },
}
# The one answer in two forms; a stream's events carry the same lines, each with its id and its kind.
_GOOD = OPERATIONS["/v1/events"]["get"]["responses"]["200"]
_GOOD["content"]["text/event-stream"] = {"schema": _TEXT}
