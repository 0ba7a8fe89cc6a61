"""The commands that write and put back archives: announced in the ledger before, concluded after."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import click
from rich.console import Console

from eventlog.actors import command_line
from eventlog.events import BACKUP_MADE, BACKUP_RESTORED
from eventlog.ledger.announcing import Outcome, operation, outcome_of, record_intent, record_outcome
from eventlog.log.appending import append_event
from eventlog.log.following import check_schema
from storage import backup as backups
from storage.engine import Database
from storage.errors import Damaged, Full, SchemaNewer
from storage.files import MEDIA_FOLDER
from storage.folder import hold_folder, prepare_folder
from storage.ids import new_id
from storage.upgrading import is_current
from web.command import sentences
from web.errors import NotFound
from web.settings import Settings, load_settings
from web.signing import SECRET_FILE

_Prepare = Callable[[Path], object]

_ARCHIVE = click.Path(dir_okay=False, path_type=Path)
_BACKUP, _RESTORE = "backup", "restore"


@click.command()
@click.argument("path", type=_ARCHIVE)
@sentences
def backup(path: Path) -> None:
    """Write everything that must survive into one archive file; the server may run meanwhile."""
    settings = load_settings()
    with _announced_backup(settings, path) as prepare, Console(stderr=True).status("Copying the database …"):
        beside, folders = _beside(settings), _folders(settings)
        backups.back_up(settings.database_path, path, beside=beside, folders=folders, prepare=prepare)
    click.echo(f"Wrote {path}. It holds the signing secret and every draft: keep it where only you can read it.")


@click.command()
@click.argument("path", type=_ARCHIVE)
@sentences
def restore(path: Path) -> None:
    """Put an archive in the place of what is there. Refused while a server is running."""
    settings = load_settings()
    prepare_folder(settings.byline_instance)
    held = hold_folder(settings.byline_instance, wait_seconds=0)
    try:
        with _announced_restore(settings, path) as prepare, Console(stderr=True).status("Checking the backup …"):
            beside, folders = _beside(settings), _folders(settings)
            backups.restore(path, settings.database_path, beside=beside, folders=folders, prepare=prepare)
    finally:
        os.close(held)
    click.echo("Restored. What was there before is kept beside it as ….before-restore.")


@contextmanager
def _announced_backup(settings: Settings, path: Path) -> Iterator[_Prepare]:
    """Yields what makes the copy know that the backup it stands in was made."""
    if not _has_ledger(settings.database_path):
        yield lambda _copy: None
        return
    by, payload = command_line(), _about(path)
    with (
        _opened(settings.database_path) as database,
        operation(database, _BACKUP, by=by, payload=payload, is_mutating=False) as call_id,
    ):
        yield lambda copy: _conclude(copy, call_id)
        with suppress(Full), database.transaction() as db:
            append_event(db, BACKUP_MADE, by=by, payload=payload)


@contextmanager
def _announced_restore(settings: Settings, path: Path) -> Iterator[_Prepare]:
    """Announced in the database that goes, and in the one that comes before it takes its place; concluded there."""
    by, call_id, payload = command_line(), new_id(), _about(path)

    def announce(file: Path) -> None:
        if _has_ledger(file):
            with _opened(file) as database:
                record_intent(database, _RESTORE, by=by, call_id=call_id, payload=payload)

    announce(settings.database_path)
    try:
        yield announce
    except BaseException as error:
        _conclude(settings.database_path, call_id, *outcome_of(error))
        raise
    _conclude(settings.database_path, call_id)
    if _has_ledger(settings.database_path):
        with _opened(settings.database_path) as database, database.transaction() as db:
            append_event(db, BACKUP_RESTORED, by=by, payload=payload)


def _conclude(file: Path, call_id: str, outcome: Outcome = Outcome.DONE, note: str | None = None) -> None:
    if _has_ledger(file):
        # It may never have been announced there.
        with suppress(NotFound), _opened(file) as database, database.transaction() as db:
            record_outcome(db, call_id, outcome, note=note)


def _about(path: Path) -> dict[str, str]:
    # Names of files may hold what is no character.
    return {"path": str(path.absolute()).encode("utf-8", "backslashreplace").decode()}


def _has_ledger(file: Path) -> bool:
    # One that is damaged, older or newer is no reason not to back it up, or to replace it.
    with suppress(Damaged, SchemaNewer):
        if is_current(file):
            with _opened(file) as database:
                check_schema(database)
            return True
    return False


@contextmanager
def _opened(file: Path) -> Iterator[Database]:
    database = Database(file, readers=1)
    try:
        yield database
    finally:
        database.close()


def _beside(settings: Settings) -> list[Path]:
    return [settings.byline_instance / SECRET_FILE] if settings.secret_key is None else []


def _folders(settings: Settings) -> list[Path]:
    return [settings.byline_instance / MEDIA_FOLDER]
