"""One archive file that holds everything that must survive, and the way back.

The archive is a gzipped tar of the database (a consistent copy, made while the server runs) and of the files beside it
that the caller names, such as the generated secret.
"""

import os
import tarfile
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from storage import sqlite
from storage.errors import Damaged, FolderUnusable
from storage.upgrading import copy_database, put_in_place, revision_of

_DATABASE_MEMBER = "byline.db"


def back_up(database: Path, target: Path, *, beside: Sequence[Path]) -> None:
    """Write the archive, mode 0600. Raises FolderUnusable when `target` exists or cannot be written, Damaged."""
    if target.exists():
        raise FolderUnusable(f"{target} exists already. Choose another name, or move it away.")
    revision_of(database)
    unfinished = target.with_name(f".{target.name}.unfinished")
    try:
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".byline-backup-") as folder:
            copy = Path(folder) / _DATABASE_MEMBER
            copy_database(database, copy)
            with os.fdopen(os.open(unfinished, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "wb") as stream:
                _write_archive(stream, [copy, *(path for path in beside if path.exists())])
        put_in_place(unfinished, target)
    except OSError as error:
        raise FolderUnusable(f"{target} cannot be written: {error.strerror}. Nothing was left behind.") from error
    finally:
        unfinished.unlink(missing_ok=True)


def restore(archive: Path, database: Path, *, beside: Sequence[Path]) -> None:
    """Put an archive in the place of what is there; the caller holds the folder.

    What was there is kept as `….before-restore`. Raises Damaged when the archive or the database in it is not whole,
    and then nothing was changed.
    """
    with tempfile.TemporaryDirectory(dir=database.parent, prefix=".byline-restore-") as folder:
        _extract(archive, Path(folder), [_DATABASE_MEMBER, *(path.name for path in beside)])
        fresh = Path(folder) / _DATABASE_MEMBER
        if not fresh.exists():
            raise Damaged(f"{archive} holds no {_DATABASE_MEMBER}: it is not a backup of Byline.")
        _check_wholly(fresh)
        _exchange(fresh, database)
        for path in beside:
            if (Path(folder) / path.name).exists():
                _exchange(Path(folder) / path.name, path)


def _write_archive(stream: IO[bytes], files: Sequence[Path]) -> None:
    with tarfile.open(fileobj=stream, mode="w:gz", format=tarfile.PAX_FORMAT) as tar:
        for file in files:
            tar.add(file, arcname=file.name, recursive=False)


def _extract(archive: Path, folder: Path, names: Sequence[str]) -> None:
    """Only regular files of the expected names, whatever else an archive may hold."""
    try:
        with tarfile.open(archive, mode="r:gz") as tar:
            for member in tar:
                if member.name in names and member.isreg():
                    tar.extract(member, folder, filter="data")
                    (folder / member.name).chmod(0o600)
    except (tarfile.TarError, EOFError, OSError, ValueError) as error:
        raise Damaged(f"{archive} is not a whole backup: {error}. Nothing was changed.") from error


def _check_wholly(database: Path) -> None:
    revision_of(database)
    connection = sqlite.driver.connect(str(database))
    try:
        (answer,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
    finally:
        connection.close()
    if answer != "ok":
        raise Damaged(f"The database in the backup is damaged: {answer}. Nothing was changed.")


def _exchange(fresh: Path, current: Path) -> None:
    """The former file stays under another name, and at every moment there is one under the right name."""
    if current.exists():
        kept = current.with_name(f"{current.name}.before-restore")
        kept.unlink(missing_ok=True)
        if current.name == _DATABASE_MEMBER or current.suffix == ".db":
            _fold_in_log(current)
        os.link(current, kept)
    put_in_place(fresh, current)


def _fold_in_log(database: Path) -> None:
    # A write-ahead log that stayed beside the new file would be replayed into it.
    try:
        connection = sqlite.driver.connect(str(database))
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()
    except sqlite.driver.DatabaseError:
        pass  # what is there is damaged, which may be why somebody restores
    for end in ("-wal", "-shm"):
        Path(f"{database}{end}").unlink(missing_ok=True)
