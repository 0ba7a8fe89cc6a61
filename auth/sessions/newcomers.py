"""A sign-in on another device: news to all others, until they have looked at the page of devices.

It is one column beside the person and one beside each session, so that the query that finds the principal brings it
along, and a sign-in writes one row however many sessions there are.
"""

import sqlalchemy as sa

from auth.principal import Principal
from auth.sessions import queries
from auth.sessions.events import coarse_address
from auth.sessions.model import Session


def announce_newcomer(db: sa.Connection, session: Session, *, device: str, address: str) -> None:
    """Tell the person's other sessions of the one that was just begun."""
    network = coarse_address(address)
    words = device if network is None else f"{device}, {network}"
    queries.set_newcomer(db, session.user_id, words, at=session.created_at)


def dismiss_newcomer(db: sa.Connection, *, by: Principal) -> None:
    """Their session has seen whoever signed in until now."""
    assert by.session_id is not None
    queries.note_newcomer_seen(db, by.session_id)
