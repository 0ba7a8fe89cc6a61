"""Files named by their digests: whole or not there, and carried through a backup and back."""

import hashlib
import io
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from storage.backup import back_up, restore
from storage.errors import Damaged, Full
from storage.files import Files, is_member
from storage.upgrading import upgrade
from tests.folders import fingerprint
from tests.support import ROOT

WORDS = b"a picture, as it were"
DIGEST = hashlib.sha256(WORDS).hexdigest()


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path / "instance" / "media")


def put(files: Files, content: bytes) -> str:
    files.folder.parent.mkdir(exist_ok=True)
    with files.writing() as unfinished:
        unfinished.write(content)
        files.keep(unfinished)
        return unfinished.digest


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_a_file_is_called_by_what_it_holds(files: Files) -> None:
    assert put(files, WORDS) == DIGEST
    assert names(files.folder) == [f"{DIGEST[:2]}/{DIGEST}"]
    assert files.path_of(DIGEST).read_bytes() == WORDS
    assert files.path_of(DIGEST).stat().st_mode & 0o777 == 0o600


def test_what_is_not_kept_is_not_there(files: Files) -> None:
    files.folder.parent.mkdir()
    with files.writing() as unfinished:
        unfinished.write(WORDS)
        assert not files.holds(DIGEST)
    assert names(files.folder) == []


def test_a_failure_in_between_leaves_nothing(files: Files) -> None:
    files.folder.parent.mkdir()

    def fail() -> None:
        with files.writing() as unfinished:
            unfinished.write(WORDS)
            raise LookupError

    with pytest.raises(LookupError):
        fail()
    assert names(files.folder) == []


def test_the_same_again_stays_the_file_that_it_was_and_counts_as_new(files: Files) -> None:
    put(files, WORDS)
    place = files.path_of(DIGEST)
    os.utime(place, (1, 1))
    assert files.is_older(DIGEST, 60)
    inode = place.stat().st_ino
    put(files, WORDS)
    assert place.stat().st_ino == inode
    assert not files.is_older(DIGEST, 60)
    assert names(files.folder) == [f"{DIGEST[:2]}/{DIGEST}"]


@pytest.mark.parametrize(
    "digest", ["", "..", "a" * 63, "A" * 64, "../" + "a" * 61, "a" * 64 + "\n", "ä" * 64, "٣" * 64]
)
def test_what_is_no_digest_names_no_file(files: Files, digest: str) -> None:
    with pytest.raises(ValueError, match="not a digest"):
        files.path_of(digest)
    assert not is_member(f"{digest[:2]}/{digest}")


def test_a_disk_that_takes_no_more_is_said_in_words(files: Files, tmp_path: Path) -> None:
    (tmp_path / "instance").write_text("no folder")
    with pytest.raises(Full), files.writing():
        pass


KILLED = """
import os, sys
from pathlib import Path
from storage.files import Files
files = Files(Path(sys.argv[1]))
with files.writing() as unfinished:
    unfinished.write(b"x" * 100_000)
    os.kill(os.getpid(), 9)
"""


def test_what_a_killed_process_left_is_no_file_and_is_taken_away_when_it_is_old(files: Files) -> None:
    files.folder.parent.mkdir()
    subprocess.run([sys.executable, "-c", KILLED, str(files.folder)], cwd=ROOT, timeout=30, check=False)
    (left,) = names(files.folder)
    assert left.startswith("unfinished/")
    assert list(files.members()) == []
    assert files.remove_unfinished(older_than_seconds=3600) == 0
    assert files.remove_unfinished(older_than_seconds=0) == 1
    assert names(files.folder) == []


# Backups


@pytest.fixture
def database(files: Files) -> Path:
    files.folder.parent.mkdir()
    upgrade(files.folder.parent / "byline.db")
    put(files, WORDS)
    return files.folder.parent / "byline.db"


def archive_of(database: Path, files: Files, target: Path) -> Path:
    (files.folder / "unfinished" / "half").write_bytes(b"half")
    (files.folder / "stray.txt").write_bytes(b"not ours")
    back_up(database, target, beside=[], folders=[files.folder])
    return target


def test_an_archive_holds_the_files_and_nothing_else_of_the_folder(
    database: Path, files: Files, tmp_path: Path
) -> None:
    with tarfile.open(archive_of(database, files, tmp_path / "copy.tar.gz")) as tar:
        assert tar.getnames() == ["byline.db", f"media/{DIGEST[:2]}/{DIGEST}"]


def test_a_restore_into_an_empty_folder_brings_them_back(database: Path, files: Files, tmp_path: Path) -> None:
    archive = archive_of(database, files, tmp_path / "copy.tar.gz")
    fresh = tmp_path / "fresh"
    fresh.mkdir()
    restore(archive, fresh / "byline.db", beside=[], folders=[fresh / "media"])
    assert Files(fresh / "media").path_of(DIGEST).read_bytes() == WORDS
    assert sorted(path.name for path in fresh.iterdir()) == ["byline.db", "media"]


def test_a_restore_adds_what_is_missing_and_keeps_beside_what_was_there(
    database: Path, files: Files, tmp_path: Path
) -> None:
    archive = archive_of(database, files, tmp_path / "copy.tar.gz")
    files.remove(DIGEST)
    newer = put(files, b"taken since")
    for _twice in range(2):
        restore(archive, database, beside=[], folders=[files.folder])
        assert files.path_of(DIGEST).read_bytes() == WORDS
        assert files.path_of(newer).read_bytes() == b"taken since"
        assert newer in set(Files(files.folder.with_name("media.before-restore")).digests(older_than_seconds=-60))


def test_an_archive_from_before_there_were_files_is_restored_as_ever(
    database: Path, files: Files, tmp_path: Path
) -> None:
    back_up(database, tmp_path / "old.tar.gz", beside=[])
    restore(tmp_path / "old.tar.gz", database, beside=[], folders=[files.folder])
    assert files.holds(DIGEST)


def test_a_file_that_is_not_what_its_name_says_is_refused_and_nothing_is_changed(
    database: Path, files: Files, tmp_path: Path
) -> None:
    archive = archive_of(database, files, tmp_path / "copy.tar.gz")
    with tarfile.open(archive) as tar:
        content = tar.extractfile("byline.db").read()
    with tarfile.open(archive, "w:gz") as tar:
        for name, data in (("byline.db", content), (f"media/{DIGEST[:2]}/{DIGEST}", b"something else")):
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    before = fingerprint(tmp_path)
    with pytest.raises(Damaged, match=r"is damaged"):
        restore(archive, database, beside=[], folders=[files.folder])
    assert fingerprint(tmp_path) == before


def test_nothing_leaves_an_archive_under_another_name(database: Path, files: Files, tmp_path: Path) -> None:
    archive = archive_of(database, files, tmp_path / "copy.tar.gz")
    planted = ["media/x", "media/../planted", f"media/zz/{DIGEST}", f"media/{DIGEST[:2]}/../../planted", "media"]
    with tarfile.open(archive) as tar:
        content = tar.extractfile("byline.db").read()
    with tarfile.open(archive, "w:gz") as tar:
        for name, data in [("byline.db", content), *((name, b"x") for name in planted)]:
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    fresh = tmp_path / "fresh"
    fresh.mkdir()
    restore(archive, fresh / "byline.db", beside=[], folders=[fresh / "media"])
    assert names(fresh) == ["byline.db"]
    assert not (tmp_path / "planted").exists()
