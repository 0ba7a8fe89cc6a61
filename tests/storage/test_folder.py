"""The data folder: made when missing, refused in words when it cannot be written, held by one server at a time."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from storage.errors import FolderUnusable
from storage.folder import hold_folder, prepare_folder
from tests.support import ROOT

HOLD = """
import os, sys, time
from pathlib import Path
from storage.folder import hold_folder
hold_folder(Path(sys.argv[1]), wait_seconds=0)
child = os.fork() if sys.argv[2] == "with a child" else 0
if child or sys.argv[2] == "alone":
    print(child, flush=True)
sys.stdin.read()
"""


def test_a_missing_folder_is_made_and_nothing_is_left_in_it(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "down"
    prepare_folder(folder)
    assert list(folder.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_named_in_the_refusal(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("not a folder")
    for folder in (file, file / "below"):
        with pytest.raises(FolderUnusable, match=f"data folder {folder} cannot be written: .*BYLINE_INSTANCE"):
            prepare_folder(folder)
    assert file.read_text() == "not a folder"


def test_a_second_holder_waits_and_is_then_refused_in_words(tmp_path: Path) -> None:
    held = hold_folder(tmp_path, wait_seconds=0)
    began = time.monotonic()
    with pytest.raises(FolderUnusable, match="Another Byline server is using the data folder"):
        hold_folder(tmp_path, wait_seconds=0.3)
    assert 0.3 <= time.monotonic() - began < 2
    os.close(held)
    os.close(hold_folder(tmp_path, wait_seconds=0))


def test_a_lock_that_cannot_be_opened_is_named_in_the_refusal(tmp_path: Path) -> None:
    # As one that another user's server has made.
    (tmp_path / "byline.lock").mkdir()
    with pytest.raises(FolderUnusable, match=r"byline\.lock cannot be opened: Is a directory"):
        hold_folder(tmp_path, wait_seconds=0)


def test_a_killed_holder_holds_nothing_any_more(tmp_path: Path) -> None:
    with _holder(tmp_path, "alone") as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        with pytest.raises(FolderUnusable):
            hold_folder(tmp_path, wait_seconds=0)
        holder.kill()
        os.close(hold_folder(tmp_path, wait_seconds=10))


def test_children_hold_it_too(tmp_path: Path) -> None:
    # A worker that outlives its parent may still be writing.
    with _holder(tmp_path, "with a child") as holder:
        assert holder.stdout is not None
        child = int(holder.stdout.readline())
        holder.kill()
        holder.wait()
        with pytest.raises(FolderUnusable):
            hold_folder(tmp_path, wait_seconds=0)
        os.kill(child, signal.SIGKILL)
        os.close(hold_folder(tmp_path, wait_seconds=10))


def test_programs_that_are_started_do_not_hold_it(tmp_path: Path) -> None:
    held = hold_folder(tmp_path, wait_seconds=0)
    with subprocess.Popen(["/bin/cat"], stdin=subprocess.PIPE, close_fds=False) as other:
        os.close(held)
        os.close(hold_folder(tmp_path, wait_seconds=5))
        other.kill()


def _holder(folder: Path, how: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder), how],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
