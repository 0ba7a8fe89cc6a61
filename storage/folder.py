"""The data folder: everything that must survive lies in it, and one server at a time holds it."""

import errno
import fcntl
import os
import time
from pathlib import Path

from storage.errors import FolderUnusable

_LOCK_NAME = "byline.lock"


def prepare_folder(folder: Path) -> None:
    """Make the folder if it is missing and try that it can be written. Raises FolderUnusable."""
    probe = folder / f".byline-probe-{os.getpid()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        raise FolderUnusable(
            f"The data folder {folder} cannot be written: {error.strerror}. "
            "Give this user the right to write there, or name another folder in BYLINE_INSTANCE."
        ) from error


def hold_folder(folder: Path, *, wait_seconds: float) -> int:
    """Take the folder for this process and its children, for as long as one of them keeps the file open.

    Returns the descriptor that holds it. Waits, because a container that is being replaced may overlap with its
    successor. Raises FolderUnusable when the other one does not leave in time, or the lock cannot be opened.
    """
    lock = folder / _LOCK_NAME
    try:
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        # Made by another user, for example by an earlier start as root.
        reason = f"{lock} cannot be opened: {error.strerror}. Give it to this user, or remove it."
        raise FolderUnusable(reason) from error
    deadline = time.monotonic() + wait_seconds
    while not _try_lock(descriptor):
        if time.monotonic() >= deadline:
            os.close(descriptor)
            raise FolderUnusable(
                f"Another Byline server is using the data folder {folder}. "
                "Stop it first, or name another folder in BYLINE_INSTANCE."
            )
        time.sleep(0.05)
    return descriptor


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EAGAIN, errno.EACCES):
            return False
        raise
    return True
