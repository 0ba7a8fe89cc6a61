"""Where a page of a list ended: the moment and the id of its last row, as they stand in an address (keyset paging)."""

from typing import NamedTuple

from storage.ids import parse_id
from web.errors import Invalid, NotFound

_DIGITS = 18


class Cursor(NamedTuple):
    """A place in a list that is ordered by a moment in microseconds, then by id."""

    at: int
    id: str

    def __str__(self) -> str:
        return f"{self.at}~{self.id}"


def cursor_of_page(text: str | None) -> Cursor | None:
    """The place that the address of a page names, if it names one. Raises NotFound for what no page leads to."""
    cursor = None if text is None else _parse(text)
    if text is not None and cursor is None:
        raise NotFound("This is not a page of this list.")
    return cursor


def cursor_before(text: str | None) -> Cursor | None:
    """The API's `before`, if it is given. Raises Invalid for what no `next` leads to."""
    cursor = _parse(text) if text else None
    if text and (cursor is None or cursor.at < 0):
        raise Invalid({"before": "This is not a place in this list; follow `next`."})
    return cursor


def _parse(text: str) -> Cursor | None:
    at, _, row_id = text.partition("~")
    known = parse_id(row_id)
    if known is None or len(at) > _DIGITS or not (at.isascii() and at.removeprefix("-").isdecimal()):
        return None
    return Cursor(int(at), known)
