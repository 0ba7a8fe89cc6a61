"""Who an event comes from: a person's session or token, a visitor, the command line, or the server itself."""

from dataclasses import dataclass
from typing import Protocol

from storage.ids import new_id


class Actor(Protocol):
    """What the log needs to know of whoever does something."""

    @property
    def user_id(self) -> int | None:
        """The person; None where it is none."""
        ...

    @property
    def log_session(self) -> str:
        """The session that the event belongs to."""
        ...

    @property
    def log_name(self) -> str:
        """Who it is, as the log shows them."""
        ...


@dataclass(frozen=True, slots=True)
class Nobody:
    """Somebody who is no person of this site: the command line, a server's process, a visitor."""

    log_session: str
    log_name: str
    user_id: int | None = None


def command_line() -> Nobody:
    """One command, which is a session of its own."""
    return Nobody(f"command.{new_id()}", "(command line)")


def server(epoch: int | None = None) -> Nobody:
    """One process of the server, by its epoch; without one, the start that prepares them."""
    return Nobody(f"server.{epoch or new_id()}", "(server)")


def visitor(session_id: str) -> Nobody:
    """A browser that is not signed in, by the id of its unsaved session."""
    return Nobody(session_id, "(visitor)")
