"""What the API's description says of libraries."""

from typing import Any

from pydantic import BaseModel

from blog.library.api import LibraryBody
from blog.posts.model import Held
from web.openapi import Operations, answers, body, reference

_TEXT = {"type": "string"}
_HELD: dict[str, Any] = {
    "post": {"type": "string", "format": "uuid"},
    "slug": _TEXT,
    "title": _TEXT,
    "url": {"type": "string", "format": "uri"},
    "source": {"enum": list(Held)},
}
_MOMENT = {"type": "string", "format": "date-time"}

MODELS: list[type[BaseModel]] = [LibraryBody]

SCHEMAS: dict[str, Any] = {
    "Holding": {
        "type": "object",
        "required": list(_HELD),
        "properties": _HELD | {"created_at": _MOMENT, "user": _TEXT},
    },
    "Library": {
        "type": "object",
        "required": ["items", "next"],
        "properties": {
            "items": {"type": "array", "items": reference("Holding")},
            "next": {"anyOf": [{"type": "string", "format": "uri"}, {"type": "null"}]},
        },
    },
}

_BEARER = [{"bearer": list[str]()}]
_LIMIT = {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": 100}}
_BEFORE = {"name": "before", "in": "query", "description": "Where a page ended; follow `next`.", "schema": _TEXT}
_ID: dict[str, Any] = {"name": "post_id", "in": "path", "required": True, "schema": {"type": "string"}}
_USER = {"name": "user", "in": "query", "schema": {"type": "string", "minLength": 1}}

OPERATIONS: Operations = {
    "/v1/library": {
        "get": {
            "summary": "What you have saved or were granted, the newest first",
            "security": _BEARER,
            "parameters": [_LIMIT, _BEFORE],
            "responses": answers(good={200: "Library"}, refusals=(401, 403, 422)),
        },
        "post": {
            "summary": "Save a post, or grant one of yours to somebody; again changes nothing",
            "security": _BEARER,
            "requestBody": body(LibraryBody),
            "responses": answers(
                good={200: "Holding", 201: "Holding"}, refusals=(400, 401, 403, 404, 409, 410, 413, 415, 422, 503)
            ),
        },
    },
    "/v1/library/{post_id}": {
        "delete": {
            "summary": "Take a post out, or a grant back",
            "security": _BEARER,
            "parameters": [_ID, _USER],
            "responses": answers(good={204: ""}, refusals=(401, 403, 404, 410, 422, 503)),
        },
    },
}
