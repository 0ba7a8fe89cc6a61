"""Files named by the SHA-256 digest of what they hold: never half there, never changed, one for the same bytes.

`<folder>/ab/abcdef…`. A file gets its name when it is whole and synced; until then it lies in `<folder>/unfinished`.
"""

import hashlib
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from storage.errors import Full

# In the data folder.
MEDIA_FOLDER = "media"

_DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)
_MEMBER = re.compile(r"([0-9a-f]{2})/(\1[0-9a-f]{62})", re.ASCII)
_UNFINISHED = "unfinished"
_AT_ONCE = 1024 * 1024


class Unfinished:
    """A file that is being written."""

    def __init__(self, path: Path, stream: IO[bytes]) -> None:
        self.path, self.stream = path, stream
        self.size_bytes = 0
        self._hash = hashlib.sha256()

    def write(self, data: bytes) -> None:
        """Add to its end. Raises Full."""
        self._hash.update(data)
        self.size_bytes += len(data)
        with _full_disks():
            self.stream.write(data)

    @property
    def digest(self) -> str:
        """Of what it holds so far."""
        return self._hash.hexdigest()


class Files:
    """One folder of such files; it is made when the first one is written."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @contextmanager
    def writing(self) -> Iterator[Unfinished]:
        """A file to write to. When the block ends it is gone, unless `keep` gave it its name. Raises Full."""
        with _full_disks():
            (self.folder / _UNFINISHED).mkdir(parents=True, exist_ok=True)
            descriptor, name = tempfile.mkstemp(dir=self.folder / _UNFINISHED)
        try:
            with os.fdopen(descriptor, "w+b") as stream:
                yield Unfinished(Path(name), stream)
        finally:
            Path(name).unlink(missing_ok=True)

    def keep(self, unfinished: Unfinished) -> None:
        """Sync it and give it its name. One that is there already stays, and counts as new. Raises Full."""
        place = self.path_of(unfinished.digest)
        with _full_disks():
            with suppress(FileNotFoundError):
                os.utime(place)
                return
            unfinished.stream.flush()
            os.fsync(unfinished.stream.fileno())
            if not place.parent.exists():
                place.parent.mkdir(exist_ok=True)
                _sync(self.folder)
                _sync(self.folder.parent)
            unfinished.path.rename(place)
            _sync(place.parent)

    def path_of(self, digest: str) -> Path:
        """Where the file of that digest is, or would be. Raises ValueError for what is no digest."""
        if not _DIGEST.fullmatch(digest):
            raise ValueError("not a digest")
        return self.folder / digest[:2] / digest

    def holds(self, digest: str) -> bool:
        """Whether it is there."""
        return self.path_of(digest).is_file()

    def remove(self, digest: str) -> None:
        """Take it away; that it is gone already is no error."""
        self.path_of(digest).unlink(missing_ok=True)

    def members(self) -> Iterator[str]:
        """The path of every file, relative to the folder, in no order; only what has its name from here."""
        for place in self.folder.glob("??/*"):
            name = f"{place.parent.name}/{place.name}"
            if is_member(name) and place.is_file() and not place.is_symlink():
                yield name

    def digests(self, *, older_than_seconds: float) -> Iterator[str]:
        """The digests of those that were kept so long ago."""
        for name in self.members():
            if self.is_older(name[3:], older_than_seconds):
                yield name[3:]

    def is_older(self, digest: str, seconds: float) -> bool:
        """Whether it is there and was last kept so long ago."""
        try:
            return self.path_of(digest).stat().st_mtime <= time.time() - seconds
        except FileNotFoundError:
            return False

    def remove_unfinished(self, *, older_than_seconds: float) -> int:
        """Take away what processes that were killed left behind; returns how many."""
        count = 0
        for left in (self.folder / _UNFINISHED).glob("*"):
            with suppress(FileNotFoundError):
                if left.stat().st_mtime <= time.time() - older_than_seconds:
                    left.unlink()
                    count += 1
        return count


def is_member(name: str) -> bool:
    """Whether a path, relative to such a folder, is that of a file of it."""
    return _MEMBER.fullmatch(name) is not None


def is_whole(path: Path) -> bool:
    """Whether a file holds what its name says."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest() == path.name


def link_members(source: Path, target: Path) -> None:
    """Let the files of one folder be in another one too, where possible in no more room; what is there stays."""
    for name in Files(source).members():
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        try:
            (target / name).hardlink_to(source / name)
        except FileExistsError:
            continue
        except OSError:  # another file system
            with (source / name).open("rb") as stream, Files(target).writing() as copy:
                for part in iter(lambda: stream.read(_AT_ONCE), b""):
                    copy.write(part)
                Files(target).keep(copy)
        _sync((target / name).parent)
    if target.exists():
        _sync(target)


def remove_folder(folder: Path) -> None:
    """Take away a whole folder of files, if it is there."""
    if folder.is_dir() and not folder.is_symlink():
        shutil.rmtree(folder)


@contextmanager
def _full_disks() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Full(f"A file could not be written: {error.strerror}. Look for room and rights.") from error


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
