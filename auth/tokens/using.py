"""Noting that a token is used: on which day, and the first time of all."""

from contextlib import suppress

from auth.tokens import queries
from auth.tokens.events import TOKEN_FIRST_USED, about
from eventlog.actors import Actor
from eventlog.log.appending import append_event
from storage import clock
from storage.engine import Database
from storage.errors import Busy, Full


def note_use(database: Database, bearer: queries.Bearer, *, by: Actor) -> None:
    """Write down that a token is used today: once a day, not once a request.

    Never at the cost of the request: where the database is busy, the next use is the one that is noted.
    """
    at = clock.now()
    today = at - at % clock.DAY
    if bearer.last_used_at is not None and bearer.last_used_at >= today:
        return
    with suppress(Busy, Full), database.transaction(wait_seconds=0) as db:
        if queries.note_use(db, bearer.token_id, at=at, day=today):
            append_event(db, TOKEN_FIRST_USED, by=by, subject=about(bearer.token_id))
