"""Bring the database file to the schema of this code, or say why not and change nothing."""

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event

from storage import sqlite
from storage.engine import translated_errors
from storage.errors import Busy, Damaged, FolderUnusable, Full, SchemaNewer
from storage.rebuilding import keep_triggers

_MIGRATIONS = Path(__file__).parent / "migrations"
# Up to this size the whole file is checked at every start; it costs about 2 ms a megabyte.
_CHECKED_WHOLE_BYTES = 128 * 1024 * 1024
_MOST_FAULTS = 20
# The table of the search index: what is wrong with it is cured by making it anew, not by a backup.
_MADE_FROM_THE_REST = "post_words"


def head() -> str:
    """The newest revision that this code knows. File names begin with it, so that Alembic need not be loaded."""
    return max(_known_revisions())


def upgrade(path: Path) -> str | None:
    """Make or upgrade the database at `path`. Returns the name of the copy kept of the former one, if it was upgraded.

    Raises Damaged when the file is not a whole database, SchemaNewer when it was written by a newer version,
    FolderUnusable when it cannot be made there, Busy and Full.
    """
    if not path.exists():
        _create(path)
        return None
    if is_current(path):
        return None
    kept = path.with_name(f"{path.name}.before-{head()}")
    copy_database(path, kept)
    use_log(path)
    _migrate(path)
    return kept.name


def is_current(path: Path) -> bool:
    """Whether the database is there and has this code's schema. Raises what `revision_of` does."""
    return path.exists() and revision_of(path) == head()


def revision_of(path: Path) -> str:
    """The schema revision of a database that must be whole. Raises Damaged, SchemaNewer, Busy and Full."""
    if not path.exists():
        raise Damaged(f"There is no database at {path}.")
    # A write that was cut off where no log is kept is rolled back by whoever opens the file next, which is writing.
    mode = "rw" if Path(f"{path}-journal").exists() else "ro"
    try:
        with sqlite.opened(path, mode=mode) as connection:
            _check_integrity(connection, path)
            tables = connection.execute("SELECT name FROM sqlite_master WHERE name = 'alembic_version'").fetchall()
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone() if tables else None
    except sqlite.driver.DatabaseError as error:
        raise Damaged(f"{path} is damaged: {error}. Put a backup in its place.") from error
    # Other programs use Alembic too; ours are numbers.
    if row is None or not str(row[0]).isdecimal():
        raise Damaged(f"{path} is not a database of Byline. Put a backup in its place, or move it away.")
    revision = str(row[0])
    if revision not in _known_revisions():
        raise SchemaNewer(
            f"{path} was written by a newer version of Byline (schema {revision}, this one knows {head()}). "
            "Run that version, or restore a backup made by this one."
        )
    return revision


def copy_database(source: Path, target: Path) -> None:
    """A consistent copy of a live database into one synced file of mode 0600, replacing `target` in one step.

    Raises FolderUnusable, Busy, Full and Damaged, and then leaves nothing behind.
    """
    unfinished = target.with_name(target.name + ".unfinished")
    try:
        _remove(unfinished)
        os.close(os.open(unfinished, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        with sqlite.opened(source, mode="ro") as reader, sqlite.opened(unfinished, mode="rw") as writer:
            reader.backup(writer)
            writer.execute("PRAGMA journal_mode = DELETE")
        put_in_place(unfinished, target)
    except sqlite.driver.OperationalError as error:  # the one error that comes without its code
        raise Full(f"{target} could not be written: {error}.") from error
    except OSError as error:
        raise FolderUnusable(f"{target} cannot be written: {error.strerror}.") from error
    finally:
        _remove(unfinished)


def use_log(path: Path) -> None:
    """Let a database write ahead, so that readers never wait for the one who writes. It stays so."""
    with sqlite.opened(path, mode="rw") as connection:
        connection.execute("PRAGMA journal_mode = WAL")


def fold_log(path: Path) -> None:
    """Take the log into the database when nobody uses it any more, so that one file is everything.

    Where that cannot be done, the log stays, and the next one who opens the database reads it.
    """
    with suppress(Busy, Damaged, Full), sqlite.opened(path, mode="rw") as connection:
        connection.execute("PRAGMA wal_checkpoint(PASSIVE)")


def put_in_place(unfinished: Path, target: Path) -> None:
    """Sync a finished file and give it its name, so that a power cut leaves the old one or the new one."""
    _sync(unfinished)
    unfinished.replace(target)
    _sync(target.parent)


def _create(path: Path) -> None:
    for log in (Path(f"{path}-wal"), Path(f"{path}-journal")):
        if log.exists() and log.stat().st_size > 0 and not path.exists():
            raise Damaged(
                f"{path} is missing, but its log {log} is there, which would be replayed into a new database. "
                "Put the database back, or move the log away."
            )
    # Under another name until it is whole: an empty byline.db is then never ours, and is refused as damaged.
    unfinished = path.with_name(f"{path.name}.{os.getpid()}.unfinished")
    try:
        _remove(unfinished)
        os.close(os.open(unfinished, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        _migrate(unfinished)
        use_log(unfinished)
        _sync(unfinished)
        # The first of several processes wins; the others may be writing into its database already.
        with suppress(FileExistsError):
            path.hardlink_to(unfinished)
        _sync(path.parent)
    except OSError as error:
        raise FolderUnusable(f"{path} cannot be made: {error.strerror}.") from error
    finally:
        _remove(unfinished)


def _migrate(path: Path, *, to: str = "head") -> None:
    # Alembic takes a quarter of a second to import, and most starts have nothing to upgrade.
    from alembic import command
    from alembic.config import Config

    engine = sa.create_engine(sa.URL.create("sqlite", database=str(path)), module=sqlite.driver, poolclass=sa.NullPool)
    event.listen(engine, "connect", lambda connection, _record: _prepare_migration(connection))
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    try:
        with translated_errors(), engine.begin() as connection:
            keep_triggers(connection)
            config.attributes["connection"] = connection
            command.upgrade(config, to)
            broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
            if broken:
                raise Damaged(f"The upgrade would orphan {len(broken)} rows; nothing was changed.")
    finally:
        engine.dispose()


def _prepare_migration(connection: Any) -> None:
    connection.isolation_level = None
    connection.execute(f"PRAGMA busy_timeout = {int(sqlite.BUSY_TIMEOUT_SECONDS * 1000)}")
    # A batch rebuild drops the old table: with foreign keys on, that deletes the rows which refer to it.
    for pragma in ("foreign_keys = OFF", "synchronous = FULL", "secure_delete = ON"):
        connection.execute(f"PRAGMA {pragma}")


def _check_integrity(connection: Any, path: Path) -> None:
    if path.stat().st_size == 0:
        raise Damaged(f"{path} is empty. Put a backup in its place, or remove it to begin anew.")
    if path.stat().st_size <= _CHECKED_WHOLE_BYTES:
        answers = [str(row[0]) for row in connection.execute(f"PRAGMA quick_check({_MOST_FAULTS})").fetchall()]
        faults = [answer for answer in answers if answer != "ok" and _MADE_FROM_THE_REST not in answer]
        if faults:
            raise Damaged(f"{path} is damaged: {' '.join(faults[0].split())}. Put a backup in its place.")


def _known_revisions() -> list[str]:
    return [file.name.partition("_")[0] for file in (_MIGRATIONS / "versions").glob("[0-9]*_*.py")]


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove(database: Path) -> None:
    for end in ("", "-journal", "-wal", "-shm"):
        with suppress(FileNotFoundError, NotADirectoryError):
            Path(f"{database}{end}").unlink()
