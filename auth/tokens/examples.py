"""A line for the terminal that shows what a new token is good for."""

from collections.abc import Set
from shlex import quote

from auth.permissions import Scope

# The first one that the token may do. Nothing of it changes what readers see.
_DRAFT = '{"title": "Sent from the terminal", "body": "It *works*.", "status": "draft"}'
_SEND = ["-H", "Content-Type: application/json", "-d", _DRAFT]
_LINES: list[tuple[Scope, str, list[str]]] = [
    (Scope.POSTS_WRITE, "/v1/posts", _SEND),
    (Scope.POSTS_PROPOSE, "/v1/posts", _SEND),
    (Scope.POSTS_READ, "/v1/posts", []),
    (Scope.MEDIA_WRITE, "/v1/media", []),
    (Scope.ACCOUNT, "/v1/tokens", []),
    (Scope.EVENTS_READ, "/v1/events", []),
    (Scope.ADMIN, "/metrics", []),
]


def example_line(secret: str, scopes: Set[Scope], *, base_url: str) -> str:
    """A command for curl that works with this token, here; empty where there is none."""
    for scope, path, data in _LINES:
        if scope in scopes:
            words = [f"{base_url}{path}", "-H", f"Authorization: Bearer {secret}", *data]
            return " ".join(["curl", *(quote(word) for word in words)])
    return ""
