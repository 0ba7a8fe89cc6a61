"""One archive file that holds everything that must survive, and the way back.

The archive is a gzipped tar of the database (a consistent copy, made while the server runs) and of the files beside it
that the caller names, such as the generated secret, and of folders of files that are named by their digests.
"""

import gzip
import itertools
import os
import tarfile
import tempfile
import zlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from storage import sqlite
from storage.errors import Damaged, FolderUnusable, SchemaNewer
from storage.files import Files, is_member, is_whole, link_members, remove_folder
from storage.upgrading import copy_database, put_in_place, revision_of, use_log

_DATABASE_MEMBER = "byline.db"
_READ_AT_ONCE = 1024 * 1024


def back_up(
    database: Path,
    target: Path,
    *,
    beside: Sequence[Path],
    folders: Sequence[Path] = (),
    prepare: Callable[[Path], object] | None = None,
) -> None:
    """Write the archive, mode 0600. `prepare` may change the copy of the database before it is put in.

    Raises FolderUnusable when `target` exists or cannot be written; Full, Busy, Damaged and SchemaNewer.
    """
    if target.exists():
        raise FolderUnusable(f"{target} exists already. Choose another name, or move it away.")
    revision_of(database)
    unfinished = target.with_name(f".{target.name}.unfinished")
    try:
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".byline-backup-") as folder:
            copy = Path(folder) / _DATABASE_MEMBER
            copy_database(database, copy)
            _change(copy, prepare)
            unfinished.unlink(missing_ok=True)
            with os.fdopen(os.open(unfinished, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as stream:
                _write_archive(stream, [copy, *(path for path in beside if path.exists())], folders)
        put_in_place(unfinished, target)
    except OSError as error:
        raise FolderUnusable(f"{target} cannot be written: {error.strerror}. Nothing was left behind.") from error
    finally:
        with suppress(OSError):  # its folder may not even be one
            unfinished.unlink()


def restore(
    archive: Path,
    database: Path,
    *,
    beside: Sequence[Path],
    folders: Sequence[Path] = (),
    prepare: Callable[[Path], object] | None = None,
) -> None:
    """Put an archive in the place of what is there; the caller holds the folder.

    `prepare` may change the database of the archive before it takes that place. What was there is kept as
    `….before-restore`, and what an earlier restore has kept under this name as `….before-restore.1`, `.2` and so on;
    files of the folders never change, and those that are there stay.
    Raises Damaged when the archive, or the database or a file in it, is not whole, SchemaNewer when a newer version
    made it, Busy when another program has the database open, FolderUnusable and Full when there is no room; and then
    nothing was changed.
    """
    try:
        with tempfile.TemporaryDirectory(dir=database.parent, prefix=".byline-restore-") as folder:
            names = [_DATABASE_MEMBER, *(path.name for path in beside)]
            _extract(archive, Path(folder), names, [path.name for path in folders])
            fresh = Path(folder) / _DATABASE_MEMBER
            if not fresh.exists():
                raise Damaged(f"{archive} holds no {_DATABASE_MEMBER}: it is not a backup of Byline.")
            _check_wholly(fresh, archive)
            _change(fresh, prepare)
            use_log(fresh)
            _put_log_away(database)
            for path in folders:
                _bring_back(Path(folder) / path.name, path)
            _exchange(fresh, database)
            for path in beside:
                if (Path(folder) / path.name).exists():
                    _exchange(Path(folder) / path.name, path)
    except OSError as error:
        raise FolderUnusable(f"{database.parent} cannot be written: {error.strerror}.") from error


def _write_archive(stream: IO[bytes], files: Sequence[Path], folders: Sequence[Path]) -> None:
    with tarfile.open(fileobj=stream, mode="w:gz", format=tarfile.PAX_FORMAT) as tar:
        for file in files:
            tar.add(file, arcname=file.name, recursive=False)
        # After the database: what it names is there already, and what came since does no harm.
        for folder in folders:
            for name in sorted(Files(folder).members()):
                with suppress(FileNotFoundError):  # taken away since
                    tar.add(folder / name, arcname=f"{folder.name}/{name}", recursive=False)


def _extract(archive: Path, folder: Path, names: Sequence[str], folders: Sequence[str]) -> None:
    """Only regular files of the expected names, whatever else an archive may hold."""
    try:
        with gzip.open(archive) as stream:
            with tarfile.open(fileobj=stream, mode="r:") as tar:
                for member in tar:
                    parent, _slash, rest = member.name.partition("/")
                    is_in_folder = parent in folders and is_member(rest)
                    if member.isreg() and (member.name in names or is_in_folder):
                        tar.extract(member, folder, filter="data")
                        (folder / member.name).chmod(0o600)
                        if is_in_folder and not is_whole(folder / member.name):
                            raise Damaged(f"{archive} is not a whole backup: {member.name} is damaged.")
            # The checksum stands behind the end of the last file, where tarfile does not look.
            while stream.read(_READ_AT_ONCE):
                pass
    except (tarfile.TarError, zlib.error, EOFError, OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise Damaged(f"{archive} is not a whole backup: {reason}. Nothing was changed.") from error


def _check_wholly(fresh: Path, archive: Path) -> None:
    try:
        revision_of(fresh)
        with sqlite.opened(fresh, mode="rw") as connection:
            (answer,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
    except SchemaNewer as error:
        raise SchemaNewer(
            f"{archive} was made by a newer version of Byline: restore it with that one. Nothing was changed."
        ) from error
    except Damaged as error:
        answer = str(error)
    if answer != "ok":
        raise Damaged(f"The database in {archive} is damaged: restore an older backup. Nothing was changed.")


def _change(copy: Path, prepare: Callable[[Path], object] | None) -> None:
    if prepare is not None:
        prepare(copy)
        # What was written is to stand in the one file that is moved or packed.
        with sqlite.opened(copy, mode="rw") as connection:
            connection.execute("PRAGMA journal_mode = DELETE")


def _put_log_away(database: Path) -> None:
    """Take the write-ahead log from the place where it would be replayed into the restored database."""
    if database.exists() and database.stat().st_size > 0:
        # What is damaged cannot take its log in, and may be why somebody restores.
        with suppress(Damaged, sqlite.driver.DatabaseError):
            _read_header(database)
            with sqlite.opened(database, mode="rw") as connection:
                # Unlike a checkpoint, this fails when any other program has the database open.
                connection.execute("PRAGMA journal_mode = DELETE")
    for end in ("-wal", "-journal", "-shm"):
        with suppress(FileNotFoundError):
            Path(f"{database}{end}").replace(_make_room(Path(f"{database}{end}")))


def _read_header(database: Path) -> None:
    """Raise Damaged where a connection that may write would delete the log."""
    with sqlite.opened(database, mode="ro") as connection:
        connection.execute("PRAGMA schema_version").fetchone()


def _bring_back(fresh: Path, current: Path) -> None:
    """Add the files of one folder to those that are there; which of them were, is kept beside."""
    remove_folder(_kept_name(current))
    if current.exists():
        link_members(current, _kept_name(current))
    link_members(fresh, current)


def _exchange(fresh: Path, current: Path) -> None:
    """The former file stays under another name, and at every moment there is one under the right name."""
    if current.exists():
        _make_room(current).hardlink_to(current)
    put_in_place(fresh, current)


def _make_room(path: Path) -> Path:
    """The name under which a file is kept; one that is kept there moves on to the first free number."""
    kept = _kept_name(path)
    if kept.exists():
        numbered = (kept.with_name(f"{kept.name}.{number}") for number in itertools.count(1))
        kept.replace(next(name for name in numbered if not name.exists()))
    return kept


def _kept_name(path: Path) -> Path:
    return path.with_name(f"{path.name}.before-restore")
