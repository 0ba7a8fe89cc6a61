"""What the API's description says of revisions."""

from typing import Any

from blog.posts.model import Origin, Status
from web.openapi import Operations, answers, reference

_TEXT = {"type": "string"}
_COUNT = {"type": "integer", "minimum": 0}

SCHEMAS: dict[str, Any] = {
    "RevisionLine": {
        "type": "object",
        "properties": {
            "number": {"type": "integer", "minimum": 1},
            "author": _TEXT,
            "made_at": {"type": "string", "format": "date-time"},
            "origin": {"enum": list(Origin)},
            "status": {"enum": list(Status)},
            "size_bytes": _COUNT,
        },
    },
    "Revisions": {
        "type": "object",
        "required": ["items", "next"],
        "properties": {
            "items": {"type": "array", "items": reference("RevisionLine")},
            "next": {"type": ["string", "null"]},
        },
    },
    "Revision": {
        "type": "object",
        "required": ["number", "title", "body"],
        "properties": {"number": {"type": "integer", "minimum": 1}, "title": _TEXT, "body": _TEXT},
    },
    "Changes": {
        "type": "object",
        "required": ["old", "new", "changes"],
        "properties": {"old": _COUNT, "new": _COUNT, "changes": {"type": "array", "items": {"type": "object"}}},
    },
}

_ID = {"name": "post_id", "in": "path", "required": True, "schema": {"type": "string", "format": "uuid"}}
_SECURITY = [{"bearer": list[str]()}]
_REFUSALS = (401, 403, 404, 410)


def _whole_number(name: str) -> dict[str, Any]:
    schema = {"type": "integer", "minimum": 1, "maximum": 2**31 - 1}
    return {"name": name, "in": "path", "required": True, "schema": schema}


OPERATIONS: Operations = {
    "/v1/posts/{post_id}/revisions": {
        "get": {
            "summary": "The revisions of a post, the newest first",
            "security": _SECURITY,
            "parameters": [
                _ID,
                {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": 100}},
                {"name": "before", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": 2**31 - 1}},
            ],
            "responses": answers(good={200: "Revisions"}, refusals=(*_REFUSALS, 422)),
        },
    },
    "/v1/posts/{post_id}/revisions/{number}": {
        "get": {
            "summary": "One revision, whole",
            "security": _SECURITY,
            "parameters": [_ID, _whole_number("number")],
            "responses": answers(good={200: "Revision"}, refusals=_REFUSALS),
        },
    },
    "/v1/posts/{post_id}/revisions/{old}..{new}": {
        "get": {
            "summary": "What changed in the text between two revisions",
            "security": _SECURITY,
            "parameters": [_ID, _whole_number("old"), _whole_number("new")],
            "responses": answers(good={200: "Changes"}, refusals=_REFUSALS),
        },
    },
    "/v1/posts/{post_id}/revisions/{number}/restore": {
        "post": {
            "summary": "Make the words of a revision the newest one",
            "security": _SECURITY,
            "parameters": [_ID, _whole_number("number")],
            "responses": answers(good={200: "Post"}, refusals=(*_REFUSALS, 412)),
        },
    },
}
