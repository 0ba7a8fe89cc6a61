"""What the API's description says of posts."""

from typing import Any

from pydantic import BaseModel

from blog.posts.api import PostBody, PostChanges
from blog.posts.model import Kind, Status, Visibility
from web.openapi import Operations, answers, body, reference

_TEXT = {"type": "string"}
_MOMENT = {"type": "string", "format": "date-time"}

SCHEMAS: dict[str, Any] = {
    "Post": {
        "type": "object",
        "properties": {
            "id": {"type": "string", "format": "uuid"},
            "slug": _TEXT,
            "url": {"type": "string", "format": "uri"},
            "title": _TEXT,
            "body": _TEXT,
            "html": _TEXT,
            "excerpt": _TEXT,
            "tags": {"type": "array", "items": _TEXT},
            "status": {"enum": list(Status)},
            "visibility": {"enum": list(Visibility)},
            "kind": {"enum": list(Kind)},
            "lang": _TEXT,
            "version": {"type": "integer", "minimum": 1},
            "author": _TEXT,
            "created_at": _MOMENT,
            "updated_at": _MOMENT,
            "published_at": {"anyOf": [_MOMENT, {"type": "null"}]},
        },
    },
    "Posts": {
        "type": "object",
        "required": ["items", "next"],
        "properties": {
            "items": {"type": "array", "items": reference("Post")},
            "next": {"anyOf": [{"type": "string", "format": "uri"}, {"type": "null"}]},
        },
    },
}
SCHEMAS["Post"]["required"] = list(SCHEMAS["Post"]["properties"])

MODELS: list[type[BaseModel]] = [PostBody, PostChanges]

_ID = {"name": "post_id", "in": "path", "required": True, "schema": {"type": "string", "format": "uuid"}}
_LIMIT = {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": 100}}
_IF_MATCH = {
    "name": "If-Match",
    "in": "header",
    "description": 'The ETag that the change was made from, for example "3".',
    "schema": {"type": "string"},
}
_BEARER = [{"bearer": list[str]()}]

OPERATIONS: Operations = {
    "/v1/posts": {
        "get": {
            "summary": "Posts that you may know of, the last begun first",
            "parameters": [_LIMIT],
            "responses": answers(good={200: "Posts"}, refusals=(401, 422)),
        },
        "post": {
            "summary": "Write a post",
            "security": _BEARER,
            "requestBody": body(PostBody),
            "responses": answers(good={201: "Post"}, refusals=(400, 401, 403, 413, 415, 422, 503)),
        },
    },
    "/v1/posts/{post_id}": {
        "parameters": [_ID],
        "get": {
            "summary": "One post",
            "responses": answers(good={200: "Post"}, refusals=(401, 404, 410)),
        },
        "patch": {
            "summary": "Change what the body names",
            "security": _BEARER,
            "parameters": [_IF_MATCH],
            "requestBody": body(PostChanges),
            "responses": answers(good={200: "Post"}, refusals=(400, 401, 403, 404, 410, 412, 413, 415, 422, 503)),
        },
        "delete": {
            "summary": "Delete a post",
            "security": _BEARER,
            "parameters": [_IF_MATCH],
            "responses": answers(good={204: ""}, refusals=(400, 401, 403, 404, 410, 412, 503)),
        },
    },
}
