"""The application that everything is registered with."""

from collections.abc import Callable
from typing import Any

from flask import Flask


class Application(Flask):
    """Flask without coroutines, of which there are none here."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """The function as it is. Looking whether it is a coroutine is a thirtieth of what a page costs."""
        return func
