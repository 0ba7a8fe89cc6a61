"""The application that everything is registered with."""

from collections.abc import Callable
from typing import Any

from flask import Flask, Request
from flask.sessions import NullSession, SessionInterface
from werkzeug.routing import MapAdapter


class _NoSession(SessionInterface):
    """Flask's own session, of which there is none: `auth.sessions` keeps ours."""

    _nothing = NullSession()

    def open_session(self, _app: Flask, _request: Request) -> NullSession:
        """The same for all; to write into it is a RuntimeError."""
        return self._nothing


class Application(Flask):
    """Flask without coroutines, without routes that differ by host, and without its session: we have none of these."""

    session_interface = _NoSession()

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """The function as it is. Looking whether it is a coroutine is a thirtieth of what a page costs."""
        return func

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        """As Flask's, save for the host, which no route here depends on: Flask's looks at it twice."""
        if request is None:
            return super().create_url_adapter(None)
        return MapAdapter(self.url_map, "", request.root_path, "", request.scheme, request.path, request.method)
