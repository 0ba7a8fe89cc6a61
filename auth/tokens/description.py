"""What the API's description says of tokens."""

from typing import Any

from pydantic import BaseModel

from auth.permissions import Scope
from auth.tokens.api import TokenBody
from web.openapi import Operations, answers, body, reference

_MOMENT = {"type": "string", "format": "date-time"}
_TOKEN: dict[str, Any] = {
    "id": {"type": "string", "format": "uuid"},
    "name": {"type": "string"},
    "scopes": {"type": "array", "items": {"enum": list(Scope)}},
    "created_at": _MOMENT,
    "expires_at": {"anyOf": [_MOMENT, {"type": "null"}]},
    "last_used_on": {"anyOf": [{"type": "string", "format": "date"}, {"type": "null"}]},
    "current": {"type": "boolean"},
}
_SECRET = {"token": {"type": "string", "pattern": "^byl_[A-Za-z0-9_-]{43}$"}}

MODELS: list[type[BaseModel]] = [TokenBody]

SCHEMAS: dict[str, Any] = {
    "Token": {"type": "object", "required": list(_TOKEN), "properties": _TOKEN},
    "NewToken": {"type": "object", "required": [*_TOKEN, *_SECRET], "properties": _TOKEN | _SECRET},
    "Tokens": {
        "type": "object",
        "required": ["items", "next"],
        "properties": {
            "items": {"type": "array", "items": reference("Token")},
            "next": {"anyOf": [{"type": "string", "format": "uri"}, {"type": "null"}]},
        },
    },
}

_ID: dict[str, Any] = {"name": "token_id", "in": "path", "required": True, "schema": {"type": "string"}}
_BEARER = [{"bearer": list[str]()}]

OPERATIONS: Operations = {
    "/v1/tokens": {
        "get": {
            "summary": "Your own tokens, without their secrets, the newest first",
            "security": _BEARER,
            "parameters": [
                {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": 100}}
            ],
            "responses": answers(good={200: "Tokens"}, refusals=(401, 403, 422)),
        },
        "post": {
            "summary": "Make a token; its secret is in this answer and nowhere else",
            "security": _BEARER,
            "requestBody": body(TokenBody),
            "responses": answers(good={201: "NewToken"}, refusals=(400, 401, 403, 413, 415, 422, 503)),
        },
    },
    "/v1/tokens/{token_id}": {
        "delete": {
            "summary": "Revoke one of your own tokens",
            "security": _BEARER,
            "parameters": [_ID],
            "responses": answers(good={204: ""}, refusals=(401, 403, 404, 503)),
        },
    },
}
