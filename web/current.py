"""What Flask's `request`, `g` and `current_app` stand for: they look for it again at each of their attributes.

Each is a function without arguments, and raises RuntimeError where there is nothing that it could stand for.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from flask import Flask, Request, current_app, g, request
from flask.ctx import _AppCtxGlobals

if TYPE_CHECKING:
    from werkzeug.local import LocalProxy

# The request that is being answered.
this_request: Callable[[], Request] = cast("LocalProxy[Request]", request)._get_current_object
# What is known of it so far.
this_g: Callable[[], _AppCtxGlobals] = cast("LocalProxy[_AppCtxGlobals]", g)._get_current_object
# The application that answers it, or whose command is run.
this_app: Callable[[], Flask] = cast("LocalProxy[Flask]", current_app)._get_current_object
