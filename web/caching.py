"""Who may keep an answer: everybody what anybody gets, nobody what depends on who asks."""

from flask import Flask, Response, g


def init_caching(app: Flask) -> None:
    """Every answer leaves with a Cache-Control."""
    app.after_request(_say_who_may_keep_it)


def mark_private() -> None:
    """The answer being made depends on who asks, or carries a form token."""
    g.is_private = True


def _say_who_may_keep_it(response: Response) -> Response:
    if g.get("is_private"):
        # Also on redirects and errors: they tell as much as pages do.
        response.headers["Cache-Control"] = "private, no-store"
        response.vary.add("Cookie")
    elif "Cache-Control" not in response.headers:
        # Kept, but asked about each time: a change shows at once.
        response.headers["Cache-Control"] = "public, no-cache"
        response.vary.update(("Cookie", "Accept-Encoding"))
    return response
