"""What can go wrong when remembering. The first two are refusals of the closed list, the third refuses the start."""

from storage.errors import SchemaNewer
from web.errors import Conflict, NotFound


class UnknownSession(NotFound):
    """Nothing was ever recorded under that session."""


class OrphanIntents(Conflict):
    """An operation like this one was begun and never concluded; `call_ids` name them."""

    def __init__(self, call_ids: list[str]) -> None:
        super().__init__(
            f"This was begun before and nobody knows whether it finished: {', '.join(call_ids)}. "
            "Say on the page of unfinished operations what became of it."
        )
        self.call_ids = call_ids


class SchemaMismatch(SchemaNewer):
    """The log was written by a newer version of the program; it is left untouched."""
