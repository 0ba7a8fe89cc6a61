"""JSON bodies, checked by typed models: what is unknown, missing or of another type is named, field by field."""

from typing import Annotated, Any

from flask import request
from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from werkzeug.exceptions import BadRequest, UnsupportedMediaType


class JsonBody(BaseModel):
    """The base of every body: strict types, and no field that nobody asked for."""

    model_config = ConfigDict(extra="forbid", strict=True)

    def given(self) -> dict[str, Any]:
        """Only what the body named, so that a PATCH can tell an absent field from an empty one."""
        return {name: getattr(self, name) for name in self.model_fields_set}


def _must_be_text(value: object) -> object:
    # A bare number would be taken for seconds since 1970.
    if value is not None and not isinstance(value, str):
        raise ValueError("must be a date and time such as 2026-11-20T08:15:00Z")
    return value


Moment = Annotated[
    AwareDatetime,
    BeforeValidator(_must_be_text),
    Field(strict=False, description="RFC 3339, with an offset"),
]


def read_body(model: type[JsonBody]) -> tuple[dict[str, Any], dict[str, str]]:
    """What the request's body names, in the types of the model, and the faults of what is not so, by field.

    Every field of the model has a default. Raises BadRequest (400) and UnsupportedMediaType (415).
    """
    if not request.is_json:
        raise UnsupportedMediaType("Send JSON, with Content-Type: application/json.")
    body = request.get_json()
    if not isinstance(body, dict):
        raise BadRequest("The body must be a JSON object.")
    # A name that holds half of a character is none of ours, and would be refused without being named.
    faults = {name: _in_words({"type": "extra_forbidden"}) for name in body if not _is_text(name)}
    try:
        known = {name: value for name, value in body.items() if name not in faults}
        return model.model_validate(known).given(), {_printable(name): fault for name, fault in faults.items()}
    except ValidationError as error:
        faults |= {str(detail["loc"][0]): _in_words(detail) for detail in error.errors(include_url=False)}
    rest = {name: value for name, value in body.items() if name not in faults}
    return model.model_validate(rest).given(), {_printable(name): fault for name, fault in faults.items()}


def _in_words(detail: Any) -> str:
    match detail["type"]:
        case "extra_forbidden":
            return "There is no such field, or it cannot be set."
        case "string_unicode":
            return "This holds half of a character (a lone surrogate)."
    message = str(detail["msg"]).removeprefix("Value error, ").replace("Input should", "This should")
    return message[:1].upper() + message[1:] + "."


def _is_text(name: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in name)


def _printable(name: str) -> str:
    return name.encode("utf-8", "backslashreplace").decode()[:200]
