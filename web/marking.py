"""What a view says of itself: looked up by name, before it runs or once it has answered."""

from collections.abc import Callable
from typing import Any, TypeVar

View = TypeVar("View", bound=Callable[..., Any])


def mark(view: View, name: str, value: object) -> View:
    """The view itself, which says that from now on."""
    setattr(view, name, value)
    return view
