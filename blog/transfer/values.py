"""What the value of a field in a file means. Pure."""

import re
from datetime import date, datetime, time, tzinfo
from typing import Any

from blog.tags.names import split_tags
from blog.transfer.front_matter import Fields, FrontMatterFault
from storage import clock

_BEFORE_ZONE = re.compile(r" +(?=[+-]\d\d:?\d\d$|Z$)", re.ASCII)


def words_in(fields: Fields, name: str) -> str:
    """The words of a field; empty when it is not there."""
    return _as_words(name, fields.get(name))


def _as_words(name: str, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | date):  # a title such as 1984
        return str(value)
    raise FrontMatterFault(f"The field {name!r} must be words, not a list.")


def list_in(fields: Fields, name: str) -> list[str]:
    """The words of a field that has several, in a list or between commas."""
    value = fields.get(name)
    if isinstance(value, list):
        return [_as_words(name, item) for item in value if item is not None]
    return split_tags(words_in(fields, name))


def moment_in(fields: Fields, names: tuple[str, ...], zone: tzinfo) -> int | None:
    """The moment in the first of these fields that has one."""
    for name in names:
        value = fields.get(name)
        if value is None or value == "":
            continue
        try:
            if isinstance(value, str):
                value = datetime.fromisoformat(_BEFORE_ZONE.sub("", value.strip()))
            if isinstance(value, date) and not isinstance(value, datetime):
                value = datetime.combine(value, time())
            if not isinstance(value, datetime) or not 1000 <= value.year <= 9000:
                raise ValueError
        except ValueError:
            raise FrontMatterFault(
                f"The field {name!r} must be a time like 2026-11-20T08:15:00Z, between the years 1001 and 8999."
            ) from None
        return clock.from_datetime(value if value.tzinfo else value.replace(tzinfo=zone))
    return None
