"""Lists in pages: which of them an address asks for, and where what is shown of one ends."""

from collections.abc import Sequence
from typing import Any, TypeVar

from flask import Response, jsonify, request

from web.errors import Invalid
from web.render import absolute_url

# So many rows a page of the API holds, at the most and where nothing is said.
MOST = 100
_USUAL = 20
_LONGEST_NUMBER = 19

Row = TypeVar("Row")


def cut(rows: Sequence[Row], limit: int) -> tuple[Sequence[Row], Row | None]:
    """Of rows of which one more was asked for than a page holds: the page, and its last row where more follow it."""
    return rows[:limit], rows[limit - 1] if len(rows) > limit else None


def place_asked() -> str | None:
    """The `after` of a page's address. What is answered to a form begins the list anew, whatever page it stood on."""
    return request.args.get("after") if request.method == "GET" else None


def asked_limit(usual: int = _USUAL) -> int:
    """The API's `limit`. Raises Invalid for what is no number of rows."""
    return asked_number("limit", usual, 1, MOST)


def asked_number(name: str, usual: int, least: int, most: int) -> int:
    """A number of the address, `usual` if it is not there. Raises Invalid for what is none, or out of bounds."""
    return parse_number(name, request.args.get(name, str(usual)), least, most)


def parse_number(name: str, text: str, least: int, most: int) -> int:
    """The same, of what came under that name from elsewhere."""
    is_number = text.isascii() and text.isdecimal() and len(text) <= _LONGEST_NUMBER
    if not (is_number and least <= int(text) <= most):
        raise Invalid({name: f"Use a number from {least:,} to {most:,}."})
    return int(text)


def asked_flag(name: str) -> bool:
    """A yes or no of the address; it says no where it is not there. Raises Invalid for anything else."""
    text = request.args.get(name, "false")
    if text not in ("true", "false"):
        raise Invalid({name: "Use true or false."})
    return text == "true"


def answer_page(items: Sequence[Any], following: str | None) -> Response:
    """A page of a list in the words of the API; `following`: the path of the next one, if there is one."""
    return jsonify({"items": items, "next": None if following is None else absolute_url(following)})
