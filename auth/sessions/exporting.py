"""One's own export: a zip of the events that are one's own, sent while it is made."""

from collections.abc import Generator

from auth.principal import Principal
from eventlog.events import LOG_EXPORTED
from eventlog.ledger.announcing import operation
from eventlog.log.appending import append_event
from eventlog.log.exporting import Level, Wanted, write_bundle
from storage.engine import Database
from web.errors import Invalid
from web.pieces import pieces_of


def levels_for(by: Principal) -> list[Level]:
    """The levels that a person may choose from."""
    return list(Level) if by.is_owner else [Level.STRICT, Level.STANDARD]


def export_own_events(database: Database, level: str, *, profile: str, by: Principal) -> Generator[bytes, None, None]:
    """The zip, in pieces. The operation is announced when this returns, and concluded when the last piece is taken.

    Closed before that, it is abandoned. Raises Invalid for a level that is not theirs to choose.
    """
    if level not in levels_for(by):
        raise Invalid({"level": "Choose one of these."})
    pieces = _export(database, Wanted(Level(level), profile, actor=by.log_name), by=by)
    next(pieces)
    return pieces


def _export(database: Database, wanted: Wanted, *, by: Principal) -> Generator[bytes, None, None]:
    about = {"level": wanted.level.value, "actor": wanted.actor}
    with operation(database, "log.export", by=by, payload=about, is_mutating=False):
        yield b""
        count = yield from pieces_of(lambda stream: write_bundle(database, stream, wanted))
        # Before it is concluded: who is stopped in between leaves a question.
        with database.transaction() as db:
            append_event(db, LOG_EXPORTED, by=by, payload={**about, "count": count})
