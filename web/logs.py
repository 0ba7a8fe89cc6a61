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
from web.headers import add_all
from web.page_cache.layer import IS_SHARED

log = structlog.get_logger()

_QUIET = {"/healthz", "/readyz", "/metrics"}
_METHODS = {"GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "OPTIONS"}
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
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
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
    """One line for each request, written when its answer is ready. `clean` takes secrets out of what was asked for,
    save for the address of a page that everybody finds.
    """
    event = Clean("request")

    @app.before_request
    def begin() -> None:
        known = this_g()
        known.began = time.perf_counter()
        # In the place of the one before; nothing else is bound.
        structlog.contextvars.bind_contextvars(request_id=known.request_id)

    @app.after_request
    def write_line(response: Response) -> Response:
        known, asked = this_g(), this_request()
        add_all(response.headers, [("X-Request-Id", known.request_id)])
        if asked.path not in _QUIET:
            method, path = asked.method, asked.path
            # An address under which everybody finds the same page is no secret; to look for one costs as much as to
            # write the line.
            is_public = asked.environ.get(IS_SHARED, False)
            log.info(
                event,
                method=method if method in _METHODS else clean(method),
                path=path if is_public else clean(_without_token(path)),
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
