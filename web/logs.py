"""Structured logs: one JSON object a line on standard error. No cookies, no tokens, no query strings, no bodies."""

import logging
import re
import sys
import time
from collections.abc import Callable
from typing import Any

import structlog
from flask import Flask, Response, g

from web.current import this_g, this_request

log = structlog.get_logger()

_QUIET = {"/healthz", "/readyz", "/metrics"}
_METHODS = {"GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "OPTIONS"}
# Readers ask for the same few paths: short ones in which nothing was found are not looked at again.
_KEPT, _LONGEST_KEPT = 1024, 256
_BEFORE_A_TOKEN = re.compile(r"/+(setup|join|reset|preview)/", re.IGNORECASE)


class Clean(str):
    """The event of a line that holds no secret, neither in it nor in what is said beside it: nobody looks again."""

    __slots__ = ()


def configure_logs(clean: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """For the whole process; what libraries log through `logging` leaves in the same form.

    Each line passes through `clean`, which takes secrets out of whatever somebody put into an address or an error;
    save those whose event is `Clean`.
    """

    def clean_line(_logger: object, _method: str, line: Any) -> Any:
        # To look for secrets in a line costs as much as to write it.
        return line if isinstance(line.get("event"), Clean) else clean(dict(line))

    # Without local variables: they hold passwords and tokens.
    render_error = structlog.processors.ExceptionRenderer(
        structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
    )
    # What we add ourselves is clean, and cleaning is most of what a line costs.
    ours: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.JSONRenderer(),
    ]
    structlog.configure(
        processors=[render_error, clean_line, *ours],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[render_error],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, clean_line, *ours],
        )
    )
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)


def init_logs(app: Flask, clean: Callable[[str], str]) -> None:
    """One line for each request, written when its answer is ready. `clean` takes secrets out of what was asked for."""
    event, harmless = Clean("request"), set[str]()

    def clean_path(path: str) -> str:
        if path in harmless:
            return path
        cleaned = clean(_without_token(path))
        # What held a secret is not to lie about.
        if cleaned == path and len(path) <= _LONGEST_KEPT:
            if len(harmless) >= _KEPT:
                harmless.clear()
            harmless.add(path)
        return cleaned

    @app.before_request
    def begin() -> None:
        known = this_g()
        known.began = time.perf_counter()
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=known.request_id)

    @app.after_request
    def write_line(response: Response) -> Response:
        known, asked = this_g(), this_request()
        response.headers.add("X-Request-Id", known.request_id)
        if asked.path not in _QUIET:
            method, path = asked.method, asked.path
            log.info(
                event,
                method=method if method in _METHODS else clean(method),
                path=clean_path(path),
                status=response.status_code,
                milliseconds=round((time.perf_counter() - known.began) * 1000, 1),
                **_refused_session(response.status_code),
            )
        return response


def _refused_session(status: int) -> dict[str, str]:
    """Of somebody who may not do what they asked for: the session that the event log knows them by."""
    if status != 403:
        return {}
    who = g.get("principal")
    return {"session": who.log_session} if who is not None and who.is_authenticated else {}


def _without_token(path: str) -> str:
    """The path; of an address that holds a one-time token, also where it was mistyped, only what stands before it."""
    match = _BEFORE_A_TOKEN.match(path)
    return f"{match[0]}…" if match else path
