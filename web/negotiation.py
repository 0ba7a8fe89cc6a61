"""Which form an answer takes: a page for people, JSON for programs."""

from functools import lru_cache

from flask import request
from werkzeug.datastructures import MIMEAccept
from werkzeug.http import parse_accept_header


def wants_json() -> bool:
    """Whether this request is answered in JSON: the API always, pages only when the request speaks JSON itself."""
    if request.path.startswith("/v1/") or request.is_json:
        return True
    return prefers_json(request.headers.get("Accept", ""))


@lru_cache(256)
def prefers_json(accept: str) -> bool:
    """Whether a client with this Accept header would rather have JSON than a page; empty: a page."""
    best = parse_accept_header(accept, MIMEAccept).best_match(
        ["text/html", "application/json", "application/problem+json"]
    )
    return best is not None and best != "text/html"
