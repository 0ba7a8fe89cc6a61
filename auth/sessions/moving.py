"""Where a session is seen: a laptop that was carried elsewhere, or a cookie that was."""

import json

import sqlalchemy as sa

from auth.principal import Principal
from auth.sessions import queries
from auth.sessions.events import SESSION_MOVED, coarse_address
from auth.users.events import about
from eventlog.log.appending import append_event


def note_move(db: sa.Connection, *, by: Principal, address: str) -> None:
    """Record that one's session is seen from another network than the log says. What the log never knew stays so."""
    assert by.session_id is not None
    known, network = queries.last_place_of(db, by.session_id), coarse_address(address)
    if known is None or network is None:
        return
    (payload,) = known
    if payload is None or json.loads(payload).get("address") != network:
        append_event(db, SESSION_MOVED, by=by, subject=about(by.username), payload={"address": address})
