"""Ids that may leave the house."""

import uuid


def new_id() -> str:
    """A random UUID (version 4) as text. It names, it never authorises."""
    return str(uuid.uuid4())


def parse_id(text: str) -> str | None:
    """The canonical form of a UUID as someone typed it, or None when it is not one."""
    try:
        return str(uuid.UUID(text))
    except ValueError:
        return None
