"""Where no statement may be issued: a page that is being built has read everything already."""

from contextvars import ContextVar, Token

_forbidden: ContextVar[str | None] = ContextVar("forbidden", default=None)


class forbid_statements:  # noqa: N801 - used as a block, like those of `contextlib`
    """While the block runs, a statement from this context raises RuntimeError (in databases that watch for it)."""

    __slots__ = ("_reason", "_token")

    def __init__(self, reason: str) -> None:
        self._reason = reason

    def __enter__(self) -> None:
        self._token: Token[str | None] = _forbidden.set(self._reason)

    def __exit__(self, *_error: object) -> None:
        _forbidden.reset(self._token)


def refuse_forbidden(statement: str) -> None:
    """Raise RuntimeError where statements are forbidden."""
    reason = _forbidden.get()
    if reason is not None:
        raise RuntimeError(f"A statement was issued {reason}: {statement}")
