"""What the API's description says of pictures."""

from typing import Any

from blog.media.model import VARIANT_TYPE
from blog.media.words import LONGEST_ALT
from web.openapi import Operations, answers, reference

_URI = {"type": "string", "format": "uri"}
_PIXELS = {"type": "integer", "minimum": 1}

SCHEMAS: dict[str, Any] = {
    "Variant": {
        "type": "object",
        "required": ["url", "width", "type"],
        "properties": {"url": _URI, "width": _PIXELS, "type": {"const": VARIANT_TYPE}},
    },
    "Media": {
        "type": "object",
        "properties": {
            "id": {"type": "string", "format": "uuid"},
            "url": _URI,
            "type": {"enum": ["image/jpeg", "image/png", "image/gif", "image/webp", "image/avif"]},
            "width": _PIXELS,
            "height": _PIXELS,
            "alt": {"type": "string", "maxLength": LONGEST_ALT},
            "variants": {"type": "array", "items": reference("Variant")},
        },
    },
    "MediaList": {
        "type": "object",
        "required": ["items", "next"],
        "properties": {
            "items": {"type": "array", "items": reference("Media")},
            "next": {"anyOf": [_URI, {"type": "null"}]},
        },
    },
}
SCHEMAS["Media"]["required"] = list(SCHEMAS["Media"]["properties"])

_BEARER = [{"bearer": list[str]()}]
_FORM = {
    "type": "object",
    "required": ["file"],
    "properties": {
        "file": {"type": "string", "format": "binary", "contentMediaType": "application/octet-stream"},
        "alt": {"type": "string", "maxLength": LONGEST_ALT},
    },
}

OPERATIONS: Operations = {
    "/v1/media": {
        "get": {
            "summary": "Your pictures, the newest first",
            "security": _BEARER,
            "parameters": [
                {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": 100}}
            ],
            "responses": answers(good={200: "MediaList"}, refusals=(401, 403, 422, 503)),
        },
        "post": {
            "summary": "Upload a picture; the same file again is the one that is there",
            "security": _BEARER,
            "requestBody": {"required": True, "content": {"multipart/form-data": {"schema": _FORM}}},
            "responses": answers(good={200: "Media", 201: "Media"}, refusals=(400, 401, 403, 413, 422, 503)),
        },
    },
}
