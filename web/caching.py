"""Who may keep an answer: everybody what anybody gets, nobody what depends on who asks."""

from collections.abc import Callable
from urllib.parse import parse_qsl

from flask import Flask, Request, Response, g

from web.current import this_app, this_g, this_request
from web.headers import add_all
from web.marking import View, mark
from web.page_cache.layer import IS_SHARED

# Kept, but asked about each time: a change shows at once.
_FOR_EVERYBODY = (("Cache-Control", "public, no-cache"), ("Vary", "Cookie, Accept-Encoding"))
# A page, a former address, a refusal that every visitor gets, and what is gone for good.
_KEPT_STATUSES = {200, 301, 401, 410}


def init_caching(app: Flask) -> None:
    """Every answer leaves with a Cache-Control."""
    app.after_request(_say_who_may_keep_it)


def shared(*query_names: str) -> Callable[[View], View]:
    """The view's answer is the same for every visitor, and changes only with those names of the query.

    It is kept until something that readers can see is changed: `touch` in the transaction of the change.
    """

    def sharing(view: View) -> View:
        return mark(view, "shared_by", frozenset(query_names))

    return sharing


def mark_private() -> None:
    """The answer being made depends on who asks, or carries a form token."""
    g.is_private = True


def _say_who_may_keep_it(response: Response) -> Response:
    known, asked = this_g(), this_request()
    if known.get("is_private"):
        # Also on redirects and errors: they tell as much as pages do.
        response.headers["Cache-Control"] = "private, no-store"
        response.headers["Vary"] = "Cookie"
        return response
    if "cache-control" not in {name.lower() for name, _value in response.headers}:
        add_all(response.headers, _FOR_EVERYBODY)
    if response.status_code in _KEPT_STATUSES and _is_known_alike(asked):
        asked.environ[IS_SHARED] = True
    return response


def _is_known_alike(asked: Request) -> bool:
    view = this_app().view_functions.get(asked.endpoint or "")
    known: frozenset[str] | None = getattr(view, "shared_by", None)
    if known is None or not asked.query_string:
        return known is not None
    # With a name that means nothing here, one page would be kept under as many addresses as somebody can think of.
    names = [name for name, _value in parse_qsl(asked.query_string.decode("latin-1"), keep_blank_values=True)]
    return set(names) <= known and len(names) == len(set(names))
