"""Which form an answer takes: a page for people, JSON for programs."""

from flask import request


def wants_json() -> bool:
    """Whether this request is answered in JSON: the API always, pages only when the request speaks JSON itself."""
    if request.path.startswith("/v1/") or request.is_json:
        return True
    best = request.accept_mimetypes.best_match(["text/html", "application/json", "application/problem+json"])
    return best is not None and best != "text/html"
