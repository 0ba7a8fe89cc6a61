"""The log on paper for someone else: a zip of one canonical envelope a line, at one of three levels."""

import errno
import fcntl
import json
import os
import stat
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import IO, Any

from eventlog.errors import UnknownSession
from eventlog.log import queries
from eventlog.log.encoding import canonical, describe
from eventlog.log.model import SCHEMA_VERSION, Event, events_table
from eventlog.redaction import redact, redact_deeply
from storage import clock
from storage.engine import Database
from storage.errors import FolderUnusable

_AT_ONCE = 1000


class Level(StrEnum):
    """How much an export tells."""

    STRICT = "strict"  # kinds and times
    STANDARD = "standard"  # everything, with the redactors run again
    MAINTAINER = "maintainer"  # the same with a deeper detector, and its report


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be exported."""

    level: Level
    profile: str  # the site's name
    session_id: str | None = None  # None: of all sessions
    actor: str | None = None  # None: of everybody


def export_log(
    database: Database, target: Path, wanted: Wanted, *, progress: Callable[[int], object] | None = None
) -> int:
    """Write the zip, mode 0600, whole or not at all; how many events it holds.

    Raises UnknownSession; FolderUnusable when `target` exists or cannot be written.
    """
    try:
        if target.exists():
            raise FolderUnusable(f"{target} exists already. Choose another name, or move it away.")
        with _unfinished(target) as (path, stream):
            count = write_bundle(database, stream, wanted, progress=progress)
            stream.flush()
            os.fsync(stream.fileno())
            os.link(path, target)
    except OSError as error:
        raise FolderUnusable(f"{target} cannot be written: {error.strerror}. Nothing was left behind.") from error
    return count


@contextmanager
def _unfinished(target: Path) -> Iterator[tuple[Path, IO[bytes]]]:
    """A file beside the target that nobody else writes to meanwhile; what a killed export left there is written over.

    It is gone when the block ends.
    """
    path = target.with_name(f".{target.name}.unfinished")
    with suppress(FileNotFoundError):
        # What somebody else has put there, or shares, is not written to.
        there = path.lstat()
        if not stat.S_ISREG(there.st_mode) or there.st_uid != os.geteuid() or there.st_nlink > 1:
            path.unlink()
    with os.fdopen(os.open(path, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW, 0o600), "wb") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Whoever held it before may have finished, and this be the target by now.
        if not os.path.samestat(os.fstat(stream.fileno()), path.stat()):
            raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        try:
            os.fchmod(stream.fileno(), 0o600)
            stream.truncate(0)
            yield path, stream
        finally:
            path.unlink(missing_ok=True)


def write_bundle(
    database: Database, stream: IO[bytes], wanted: Wanted, *, progress: Callable[[int], object] | None = None
) -> int:
    """Write the zip into a stream, which need not be one that can go back; how many events it holds.

    Memory does not grow with the count, and no snapshot is held while bytes are written. Raises UnknownSession.
    """
    with database.reading() as db:
        if wanted.session_id is not None and not queries.has_session(db, wanted.session_id):
            raise UnknownSession(f"Nothing was recorded under the session {wanted.session_id}.")
        newest = queries.last_link(db)
    # People are free to name a site as they like.
    wanted = replace(wanted, profile=str(redact(wanted.profile)[0]))
    report = _Report(wanted.level)
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as bundle:
        events = _events(database, wanted, up_to=0 if newest is None else newest[0])
        with bundle.open("events.jsonl", "w", force_zip64=True) as lines:
            for event in events:
                lines.write(report.line(event).encode() + b"\n")
                if progress is not None:
                    progress(1)
        _write_json(bundle, "bundle.json", _about(wanted, head=None if newest is None else newest[1]))
        _write_json(bundle, "meta.json", report.meta(wanted.profile))
        if wanted.level == Level.MAINTAINER:
            bundle.writestr("redactions.txt", report.redactions())
    return report.event_count


def _about(wanted: Wanted, *, head: str | None) -> dict[str, Any]:
    """For `bundle.json`."""
    told = {"session": wanted.session_id or "all", "profile": wanted.profile, "level": wanted.level, "head": head}
    return told | {"schema_version": SCHEMA_VERSION} | ({"actor": wanted.actor} if wanted.actor else {})


class _Report:
    """What an export says of itself."""

    def __init__(self, level: Level) -> None:
        self._level = level
        self._found: Counter[str] = Counter()
        self._first: int | None = None
        self._last: int | None = None
        self._turn_count = 0
        self.event_count = 0

    def line(self, event: Event) -> str:
        """The event as this level tells it."""
        self.event_count += 1
        self._turn_count += event.kind == "conversation.asked"
        self._first = event.occurred_at if self._first is None else min(self._first, event.occurred_at)
        self._last = event.occurred_at if self._last is None else max(self._last, event.occurred_at)
        if self._level == Level.STRICT:
            return canonical({"kind": event.kind, "occurred_at": clock.to_rfc3339(event.occurred_at)})
        detect = redact_deeply if self._level == Level.MAINTAINER else redact
        told = describe(event)
        # Digests are long hexadecimal themselves, and hold nothing to find.
        for name in ("actor", "subject", "payload"):
            told[name], found = detect(told[name])
            self._found.update(found)
        return canonical(told)

    def meta(self, profile: str) -> dict[str, Any]:
        """For `meta.json`."""
        times = {"first_at": self._first, "last_at": self._last}
        told = {name: None if at is None else clock.to_rfc3339(at) for name, at in times.items()}
        return {"profile": profile, "model": None, "turn_count": self._turn_count, **told}

    def redactions(self) -> str:
        """For `redactions.txt`."""
        return "".join(f"{name}\t{count}\n" for name, count in sorted(self._found.items()))


def _events(database: Database, wanted: Wanted, *, up_to: int) -> Iterator[Event]:
    e = events_table.c
    of_those = [e.session_id == wanted.session_id] if wanted.session_id is not None else []
    if wanted.actor is not None:
        of_those.append(e.actor == wanted.actor)
    last = 0
    while True:
        # A snapshot a batch: an export that takes its time must not hold back checkpoints.
        with database.reading() as db:
            batch = queries.list_events(db, e.id > last, e.id <= up_to, *of_those, limit=_AT_ONCE)
        yield from batch
        if len(batch) < _AT_ONCE:
            return
        last = batch[-1].id


def _write_json(bundle: zipfile.ZipFile, name: str, value: dict[str, Any]) -> None:
    bundle.writestr(name, json.dumps(value, indent=2, ensure_ascii=False) + "\n")
