"""The description of the API (OpenAPI 3.1), put together from what each subject says of its own routes."""

from functools import cache
from typing import Any

from flask import Flask, Response, jsonify
from pydantic import BaseModel

from web.marking import mark

Operations = dict[str, dict[str, Any]]  # path → method → operation; and `parameters`, those of every method

_PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "request_id": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "detail"],
                "properties": {"field": {"type": "string"}, "detail": {"type": "string"}},
            },
        },
    },
}


def init_openapi(app: Flask, operations: Operations, schemas: dict[str, Any], models: list[type[BaseModel]]) -> None:
    """Serve the description of `operations`; `schemas` and `models` are what they refer to."""
    made = {model.__name__: _schema_of(model) for model in models}
    document = {
        "openapi": "3.1.0",
        "info": {"title": "Byline", "version": "1", "description": "Posts, read and written by programs."},
        "components": {
            "schemas": {"Problem": _PROBLEM, **schemas, **made},
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
        "paths": operations,
    }

    @app.get("/v1/openapi.json")
    def openapi() -> Response:
        return jsonify(document)

    mark(openapi, "is_public", True)


def body(model: type[BaseModel], *, is_required: bool = True) -> dict[str, Any]:
    """A request body of that model."""
    return {"required": is_required, "content": {"application/json": {"schema": reference(model.__name__)}}}


def answers(*, good: dict[int, str], refusals: tuple[int, ...]) -> dict[str, Any]:
    """The answers of an operation: the schema's name by status (empty: no body), and the refusals it may give."""
    described: dict[str, Any] = {}
    for status, schema in good.items():
        described[str(status)] = {"description": "Done."}
        if schema:
            described[str(status)]["content"] = {"application/json": {"schema": reference(schema)}}
    for status in refusals:
        problem = {"schema": reference("Problem")}
        described[str(status)] = {"description": "Refused.", "content": {"application/problem+json": problem}}
    return described


def reference(name: str) -> dict[str, str]:
    """A reference to a schema of the document."""
    return {"$ref": f"#/components/schemas/{name}"}


@cache
def _schema_of(model: type[BaseModel]) -> dict[str, Any]:
    return model.model_json_schema(ref_template="#/components/schemas/{model}")
