"""What every kind of lock can do."""

from typing import Protocol

# Who died is done with after so long.
HELD_SECONDS = 30.0


class Locks(Protocol):
    """Locks by name. Each call is one step: nobody else comes in between."""

    def take(self, name: str) -> str | None:
        """Take a lock, for as long as they are held here, and return the token to hold it with; None: it is held.

        Raises Busy when it cannot be known whether somebody does.
        """

    def extend(self, name: str, token: str) -> bool:
        """Hold it for as long from now on; False when it is not, or no longer, held with that token.

        Raises Busy when that cannot be known: it may be held until its time is over, and can be asked for again.
        """

    def release(self, name: str, token: str) -> bool:
        """Let it go; False when it is not, or no longer, held with that token, and then nothing is done.

        Raises Busy when that cannot be known: it runs out by itself.
        """
