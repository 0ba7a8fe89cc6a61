"""What Flask's `request` and `g` stand for, taken once: they look for it again at each of their attributes."""

from typing import TYPE_CHECKING, cast

from flask import Request, g, request
from flask.ctx import _AppCtxGlobals

if TYPE_CHECKING:
    from werkzeug.local import LocalProxy


def this_request() -> Request:
    """The request that is being answered."""
    return cast("LocalProxy[Request]", request)._get_current_object()


def this_g() -> _AppCtxGlobals:
    """What is known of it so far."""
    return cast("LocalProxy[_AppCtxGlobals]", g)._get_current_object()
