"""The fields of a payload, as a person reads them."""

import json
from collections.abc import Mapping
from typing import Any

_MOST_FIELDS, _LONGEST_NAME, _LONGEST_VALUE = 50, 100, 2000


def readable(payload: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Names and values in words; what is very long is cut, and says so."""
    fields = [(_cut(name, _LONGEST_NAME), _cut(_in_words(value), _LONGEST_VALUE)) for name, value in payload.items()]
    if len(fields) <= _MOST_FIELDS:
        return fields
    return [*fields[:_MOST_FIELDS], ("…", f"and {len(fields) - _MOST_FIELDS:,} more fields")]


def _in_words(value: Any) -> str:
    if isinstance(value, str):
        return value or "(empty)"
    if value is None or isinstance(value, bool):
        return {None: "nothing", True: "yes", False: "no"}[value]
    if isinstance(value, list) and value and all(isinstance(item, str) for item in value):
        return ", ".join(value)
    return json.dumps(value, ensure_ascii=False)


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[:longest]}… ({len(text):,} characters)"
