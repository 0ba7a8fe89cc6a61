"""One's own sign-in sessions: which there are and were, and ending one."""

import json
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa

from auth.principal import Principal
from auth.sessions import queries
from auth.sessions.ending import end_sessions_of
from auth.sessions.events import SESSION_ENDED
from auth.sessions.queries import Place, SessionRow
from auth.users.events import about
from auth.users.roles import find_person
from eventlog.log.appending import append_event
from storage import clock
from web.errors import NotFound


@dataclass(frozen=True, slots=True)
class OwnSession:
    """A session of one's own, as its person may know it by."""

    id: str
    created_at: int
    last_seen_at: int
    event_count: int
    first_message: str
    device: str | None  # in words; None: not known
    network: str | None  # that it was begun from; None: not known, or emptied by retention
    is_current: bool  # whether this very request came with it
    is_live: bool
    method: str | None  # how it was begun; None: not known, or emptied by retention
    last_network: str | None  # that it was last seen in, where `list_devices` has found it


def list_own_sessions(
    db: sa.Connection, *, by: Principal, limit: int, before: Place | None = None, with_past: bool = False
) -> list[OwnSession]:
    """The live ones, and with `with_past` also those that have ended, the last seen first."""
    assert by.user_id is not None
    rows = queries.list_sessions_of(
        db, by.user_id, by.log_name, at=clock.now(), limit=limit, before=before, with_past=with_past
    )
    return [_known_of(row, is_current=row.id == by.session_id) for row in rows]


def list_devices(db: sa.Connection, *, by: Principal, limit: int, before: Place | None = None) -> list[OwnSession]:
    """All of them, first the live ones and then the ended ones, with where they were seen last."""
    assert by.user_id is not None
    rows = queries.list_sessions_of(
        db, by.user_id, by.log_name, at=clock.now(), limit=limit, before=before, with_past=True, live_first=True
    )
    moves = queries.last_moves(db, by.log_name, [row.id for row in rows])
    known = [_known_of(row, is_current=row.id == by.session_id) for row in rows]
    return [replace(one, last_network=_read(moves[one.id]).get("address")) if one.id in moves else one for one in known]


def find_own_session(db: sa.Connection, session_id: str, *, by: Principal) -> None:
    """Raise NotFound unless it is a live session of theirs."""
    if not queries.is_session_of(db, session_id, user_id=by.user_id, at=clock.now()):
        raise NotFound("You have no session of that id, or it has ended.")


def end_own_session(db: sa.Connection, session_id: str, *, by: Principal) -> None:
    """End one for good, the current one too; who holds it is nobody from their next request on. Raises NotFound."""
    find_own_session(db, session_id, by=by)
    queries.delete_session_of(db, session_id, user_id=by.user_id)
    payload = {"sessions": [session_id], "count": 1, "reason": "ended by its person"}
    append_event(db, SESSION_ENDED, by=by, subject=about(by.username), payload=payload)


def end_other_sessions(db: sa.Connection, *, by: Principal) -> int:
    """End all of them for good but the one that asks; how many were live."""
    assert by.user_id is not None
    queries.delete_expired_sessions_of(db, by.user_id, at=clock.now())
    user = find_person(db, by.username)
    return end_sessions_of(db, user, by=by, reason="ended by its person", except_id=by.session_id)


def _known_of(row: SessionRow, *, is_current: bool) -> OwnSession:
    began = _read(row.signed_in)
    return OwnSession(
        row.id,
        row.created_at,
        row.last_seen_at,
        row.event_count,
        row.first_message,
        # The log keeps the words for its list of sessions, also where the payload is gone.
        device=began.get("device") or row.first_message or None,
        network=began.get("address"),
        is_current=is_current,
        is_live=bool(row.is_live),
        # Before there was another way in, nobody said which it was.
        method=began.get("method", "password") if began else None,
        last_network=began.get("address"),
    )


def _read(payload: str | None) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(payload) if payload else {}
    return told
