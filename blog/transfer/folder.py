"""A folder that somebody else may have filled: its files are read, and nothing outside of it."""

import errno
import os
import stat
from pathlib import Path
from typing import IO

from web.errors import Conflict, NotFound

MOST_FILES = 100_000
UNFINISHED = ".unfinished-"
_ENDINGS = (".md", ".markdown")
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC


class Unreadable(Exception):
    """A file that cannot be read; the message says why."""

    is_missing = False


class Missing(Unreadable):
    """There is no such file."""

    is_missing = True


class Folder:
    """The folder; paths are relative to it, with slashes. Links in it are not followed, wherever they lead."""

    def __init__(self, root: Path) -> None:
        try:
            is_folder = root.is_dir()
        except OSError:  # a name that is too long
            is_folder = False
        if not is_folder:
            raise NotFound(f"There is no folder {shown(str(root))}.")
        if root.name.startswith(".") and UNFINISHED in root.name:
            raise Conflict(f"{shown(str(root))} was never finished: the export stopped on the way. Export once more.")
        self._root = root

    def list_files(self) -> tuple[list[str], list[tuple[str, str]]]:
        """The Markdown files, sorted, and what was met that cannot be read. Raises Conflict for too many.

        Hidden files and those that begin with an underscore (Hugo's lists) are none.
        """
        found: list[str] = []
        faults: list[tuple[str, str]] = []

        def cannot_be_listed(error: OSError) -> None:
            faults.append((self._relative(str(error.filename)), f"This folder cannot be read: {error.strerror}."))

        for place, folders, names in os.walk(self._root, onerror=cannot_be_listed):
            here = self._relative(place)
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            faults += [
                (_join(here, name), "This folder is a link. Links are not followed.")
                for name in folders
                if (Path(place) / name).is_symlink()
            ]
            found += [
                _join(here, name)
                for name in names
                if name.lower().endswith(_ENDINGS) and not name.startswith((".", "_"))
            ]
            if len(found) > MOST_FILES:
                raise Conflict(f"There are more than {MOST_FILES:,} Markdown files. Import them in parts.")
        return sorted(found), faults

    def open(self, path: str) -> IO[bytes]:
        """A file of the folder. Raises Unreadable, Missing."""
        *folders, name = path.split("/")
        place = os.open(self._root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            for folder in folders:
                below = os.open(folder, _READ | os.O_DIRECTORY, dir_fd=place)
                os.close(place)
                place = below
            # Not blocking: a pipe would wait for somebody to write.
            descriptor = os.open(name, _READ | os.O_NONBLOCK, dir_fd=place)
        except OSError as error:
            raise _unreadable(error) from error
        finally:
            os.close(place)
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise Unreadable("This is not a file.")
        return os.fdopen(descriptor, "rb")

    def read(self, path: str, *, most_bytes: int) -> bytes:
        """What a file holds. Raises Unreadable, also when it holds more."""
        with self.open(path) as stream:
            try:
                data = stream.read(most_bytes + 1)
            except OSError as error:
                raise _unreadable(error) from error
        if len(data) > most_bytes:
            raise Unreadable(f"This file is too large: at most {most_bytes / 1024**2:.1f} MiB.")
        return data

    def _relative(self, place: str) -> str:
        relative = os.path.relpath(place, self._root)
        return "" if relative == "." else relative


def shown(name: str) -> str:
    """A name for a terminal or a log: what is no character, or could be taken for a command, is written out."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in name.replace("\\", "\\\\"))


def _join(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name


def _unreadable(error: OSError) -> Unreadable:
    if error.errno == errno.ENOENT:
        return Missing("There is no such file.")
    if error.errno in (errno.ELOOP, errno.ENOTDIR):
        return Unreadable("This is a link, or lies behind one. Links are not followed.")
    return Unreadable(f"This cannot be read: {error.strerror}.")
