"""Counters for the operator, in the Prometheus text format, summed over all processes."""

import os
import time
from collections.abc import Callable
from functools import cache

from flask import Flask, Response

from web.current import this_g, this_request
from web.errors import Unauthenticated
from web.marking import mark

# Where the processes of one server keep their counters; the supervisor makes the folder and removes it.
FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
_QUIET = {"/healthz", "/readyz", "/metrics"}


def init_metrics(app: Flask, may_read: Callable[[], bool]) -> Callable[[str, str], None]:
    """Count requests, and answer `/metrics` to whom `may_read` says yes.

    Returns what counts those that the application does not see, by method and status line: of a page that is kept, to
    measure the time would take longer than to find it.
    """
    # The library looks for its folder when it is imported, which must be after the supervisor has set it.
    import prometheus_client as prometheus
    from prometheus_client import multiprocess

    registry = prometheus.CollectorRegistry()
    counted = None if FOLDER_VARIABLE in os.environ else registry
    seconds = prometheus.Histogram(
        "byline_request_seconds", "Time from the request to its answer.", ["method", "status"], registry=counted
    )
    kept = prometheus.Counter(
        "byline_kept_answers", "Answers from the page cache.", ["method", "status"], registry=counted
    )
    if counted is None:
        multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # the library's, without types

    @cache
    def made_of(method: str, hundreds: int) -> prometheus.Histogram:
        return seconds.labels(method, f"{hundreds}xx")

    @cache
    def kept_of(method: str, hundreds: str) -> prometheus.Counter:
        return kept.labels(method, f"{hundreds}xx")

    @app.after_request
    def count_answer(response: Response) -> Response:
        asked = this_request()
        if asked.path not in _QUIET:
            known = asked.method if asked.method in ("GET", "HEAD", "POST", "PATCH", "DELETE") else "other"
            # Where there is no room for a counter, the answer is what matters.
            try:
                made_of(known, response.status_code // 100).observe(time.perf_counter() - this_g().began)
            except OSError:
                return response
        return response

    def count_kept(method: str, status: str) -> None:
        try:
            kept_of(method, status[0]).inc()
        except OSError:
            return

    @app.get("/metrics")
    def metrics() -> Response:
        if not may_read():
            raise Unauthenticated("Metrics are read from this machine itself, or with a token of scope admin.")
        text = prometheus.generate_latest(registry)
        return Response(text, content_type=prometheus.CONTENT_TYPE_LATEST, headers={"Cache-Control": "no-store"})

    mark(metrics, "is_public", True)
    return count_kept
