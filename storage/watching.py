"""Where no statement may be issued: a page that is being built has read everything already."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_forbidden: ContextVar[str | None] = ContextVar("forbidden", default=None)


@contextmanager
def forbid_statements(reason: str) -> Iterator[None]:
    """While the block runs, a statement from this context raises RuntimeError (in databases that watch for it)."""
    token = _forbidden.set(reason)
    try:
        yield
    finally:
        _forbidden.reset(token)


def refuse_forbidden(statement: str) -> None:
    """Raise RuntimeError where statements are forbidden."""
    reason = _forbidden.get()
    if reason is not None:
        raise RuntimeError(f"A statement was issued {reason}: {statement}")
