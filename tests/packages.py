"""Texts that people wrote: what the packages installed here say of themselves."""

from email.message import Message
from importlib.metadata import Distribution
from typing import cast


def about(package: Distribution) -> Message:
    """Its metadata, which is a message with the description as its body."""
    return cast("Message", package.metadata)


def description_of(package: Distribution) -> str:
    """The long description of a package; empty if it has none."""
    return str(about(package).get_payload() or about(package).get("Description") or "")
