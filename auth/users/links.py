"""What somebody has made for others that lets them in: it ends with what they were, and does not come back with it.

Signing in and invitations stand above this and beside who blocks: `app.py` hands their functions in.
"""

from collections.abc import Callable
from dataclasses import dataclass

import sqlalchemy as sa
from flask import current_app

from auth.users.model import User
from eventlog.actors import Actor


@dataclass(frozen=True, slots=True)
class Links:
    """Invitations, and links for a new password."""

    # Withdraws the invitations that the person of that id has made.
    withdraw_invitations_by: Callable[[sa.Connection, int, Actor], None]
    # Ends the links for a new password that the person of that id has made, or that were made for them.
    end_resets_by: Callable[[sa.Connection, int], None]
    end_resets_for: Callable[[sa.Connection, int], None]

    def end_made_by(self, db: sa.Connection, user: User, *, by: Actor) -> None:
        """Whoever has one that this person made gets nowhere with it any more."""
        self.withdraw_invitations_by(db, user.id, by)
        self.end_resets_by(db, user.id)


def current_links() -> Links:
    """Those of the running application."""
    links = current_app.extensions["links"]
    assert isinstance(links, Links)
    return links
