"""The commands that write and put back archives: announced in the ledger before, concluded after."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import click
from rich.console import Console

from eventlog.actors import Nobody, command_line
from eventlog.ledger.announcing import Outcome, operation, orphan_intents, record_intent, record_outcome
from storage import backup as backups
from storage.engine import Database
from storage.errors import Damaged, SchemaNewer
from storage.folder import hold_folder, prepare_folder
from storage.ids import new_id
from storage.upgrading import is_current
from web.command import sentences
from web.settings import Settings, load_settings
from web.signing import SECRET_FILE

_ARCHIVE = click.Path(dir_okay=False, path_type=Path)
_BACKUP, _RESTORE = "backup", "restore"


@click.command()
@click.argument("path", type=_ARCHIVE)
@sentences
def backup(path: Path) -> None:
    """Write everything that must survive into one archive file; the server may run meanwhile."""
    settings = load_settings()
    with _announced_backup(settings, path), Console(stderr=True).status("Copying the database …"):
        backups.back_up(settings.database_path, path, beside=_beside(settings))
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
        with _announced_restore(settings, path), Console(stderr=True).status("Checking the backup …"):
            backups.restore(path, settings.database_path, beside=_beside(settings))
    finally:
        os.close(held)
    click.echo("Restored. What was there before is kept beside it as ….before-restore.")


@contextmanager
def _announced_backup(settings: Settings, path: Path) -> Iterator[None]:
    if not _has_ledger(settings):
        yield
        return
    with (
        _opened(settings) as database,
        operation(database, _BACKUP, by=command_line(), payload={"path": str(path)}, is_mutating=False),
    ):
        yield


@contextmanager
def _announced_restore(settings: Settings, path: Path) -> Iterator[None]:
    """Announced in the database that goes, which is closed while it is replaced; concluded in the one that came."""
    by, call_id = command_line(), new_id()
    if _has_ledger(settings):
        with _opened(settings) as database:
            _announce_restore(database, call_id, path, by)
    try:
        yield
    except BaseException as error:
        if _has_ledger(settings):
            with _opened(settings) as database, database.transaction() as db:
                record_outcome(db, call_id, Outcome.FAILED, note=f"{type(error).__name__}: {error}")
        raise
    if _has_ledger(settings):
        with _opened(settings) as database:
            _announce_restore(database, call_id, path, by)
            with database.transaction() as db:
                record_outcome(db, call_id, Outcome.DONE)
                # The backup that made this archive was still running when it copied the ledger.
                running = [intent for intent in orphan_intents(db) if intent.operation == _BACKUP]
                for intent in running[-1:]:
                    record_outcome(db, intent.call_id, Outcome.DONE, note="Its archive was restored.")


def _announce_restore(database: Database, call_id: str, path: Path, by: Nobody) -> None:
    record_intent(database, _RESTORE, by=by, call_id=call_id, payload={"path": str(path)})


def _has_ledger(settings: Settings) -> bool:
    # One that is damaged, older or newer is no reason not to back it up, or to replace it.
    with suppress(Damaged, SchemaNewer):
        return is_current(settings.database_path)
    return False


@contextmanager
def _opened(settings: Settings) -> Iterator[Database]:
    database = Database(settings.database_path, readers=1)
    try:
        yield database
    finally:
        database.close()


def _beside(settings: Settings) -> list[Path]:
    return [settings.byline_instance / SECRET_FILE] if settings.secret_key is None else []
