"""One archive holds what must survive; what is not whole is refused before anything is changed."""

import gzip
import io
import os
import shutil
import tarfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from storage import sqlite
from storage.backup import back_up, restore
from storage.engine import Database
from storage.errors import Busy, Damaged, FolderUnusable, SchemaNewer
from storage.upgrading import upgrade
from tests.folders import another_program, fingerprint
from tests.support import integrity, read_all

NAME = "SELECT name FROM site"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data folder with a site named Before, and a secret."""
    folder = tmp_path / "instance"
    folder.mkdir()
    upgrade(folder / "byline.db")
    rename(folder / "byline.db", "Before")
    (folder / "secret_key").write_text("the secret from before")
    return folder


@pytest.fixture
def archive(folder: Path, tmp_path: Path) -> Path:
    """A backup of it."""
    target = tmp_path / "backup.tar.gz"
    back_up(folder / "byline.db", target, beside=[folder / "secret_key"])
    return target


def rename(database: Path, name: str) -> None:
    connection = sqlite.driver.connect(str(database), isolation_level=None)
    connection.execute("UPDATE site SET name = ?", (name,))
    connection.close()


def put_back(archive: Path, folder: Path) -> None:
    restore(archive, folder / "byline.db", beside=[folder / "secret_key"])


def unpacked(archive: Path) -> dict[str, bytes]:
    with tarfile.open(archive) as tar:
        return {member.name: tar.extractfile(member).read() for member in tar}


def packed(archive: Path, members: dict[str, bytes], *more: tarfile.TarInfo) -> Path:
    with tarfile.open(archive, "w:gz") as tar:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
        for member in more:
            tar.addfile(member)
    return archive


# Making one


def test_an_archive_is_private_and_holds_one_whole_database_and_the_secret(archive: Path, tmp_path: Path) -> None:
    assert archive.stat().st_mode & 0o777 == 0o600
    members = unpacked(archive)
    assert sorted(members) == ["byline.db", "secret_key"]
    assert members["secret_key"] == b"the secret from before"
    copy = tmp_path / "copy.db"
    copy.write_bytes(members["byline.db"])
    assert integrity(copy) == "ok"
    assert read_all(copy, NAME) == [("Before",)]


def test_nothing_is_left_beside_the_archive(archive: Path, folder: Path) -> None:
    assert sorted(path.name for path in archive.parent.iterdir()) == ["backup.tar.gz", "instance"]
    assert "byline.db" in fingerprint(folder)


def test_a_backup_is_made_of_what_is_committed_while_others_write(folder: Path, tmp_path: Path) -> None:
    database = Database(folder / "byline.db", readers=1)
    with database.transaction() as db:
        db.exec_driver_sql("UPDATE site SET name = 'Committed'")
    with database.transaction() as db:
        db.exec_driver_sql("UPDATE site SET name = 'Uncommitted'")
        back_up(folder / "byline.db", tmp_path / "live.tar.gz", beside=[])
    database.close()
    (tmp_path / "copy.db").write_bytes(unpacked(tmp_path / "live.tar.gz")["byline.db"])
    assert read_all(tmp_path / "copy.db", NAME) == [("Committed",)]


def test_an_archive_that_is_there_is_not_overwritten(archive: Path, folder: Path) -> None:
    before = archive.read_bytes()
    with pytest.raises(FolderUnusable, match="exists already"):
        back_up(folder / "byline.db", archive, beside=[])
    assert archive.read_bytes() == before


def test_a_place_that_cannot_be_written_is_refused_in_words(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    before = fingerprint(tmp_path)
    for target in (tmp_path / "missing" / "backup.tar.gz", tmp_path / "file" / "backup.tar.gz"):
        with pytest.raises(FolderUnusable, match=r"cannot be written: .*Nothing was left behind"):
            back_up(folder / "byline.db", target, beside=[])
    assert fingerprint(tmp_path) == before


def test_nothing_and_what_is_damaged_is_not_backed_up(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(Damaged, match="There is no database"):
        back_up(folder / "missing.db", tmp_path / "backup.tar.gz", beside=[])
    os.truncate(folder / "byline.db", 5000)
    with pytest.raises(Damaged, match="is damaged"):
        back_up(folder / "byline.db", tmp_path / "backup.tar.gz", beside=[])
    assert not (tmp_path / "backup.tar.gz").exists()


# The way back


def test_restoring_brings_back_what_was_and_keeps_what_is(archive: Path, folder: Path) -> None:
    rename(folder / "byline.db", "After")
    (folder / "secret_key").write_text("the secret from after")
    put_back(archive, folder)
    assert read_all(folder / "byline.db", NAME) == [("Before",)]
    assert (folder / "secret_key").read_text() == "the secret from before"
    assert read_all(folder / "byline.db.before-restore", NAME) == [("After",)]
    assert (folder / "secret_key.before-restore").read_text() == "the secret from after"
    assert {path.stat().st_mode & 0o777 for path in (folder / "byline.db", folder / "secret_key")} == {0o600}


def test_restoring_twice_keeps_what_was_there_the_second_time(archive: Path, folder: Path) -> None:
    for name in ("First", "Second"):
        rename(folder / "byline.db", name)
        put_back(archive, folder)
        assert read_all(folder / "byline.db.before-restore", NAME) == [(name,)]


def test_restoring_into_an_empty_folder_makes_it_the_same(archive: Path, tmp_path: Path) -> None:
    fresh = tmp_path / "fresh"
    fresh.mkdir()
    put_back(archive, fresh)
    assert sorted(fingerprint(fresh)) == ["byline.db", "secret_key"]
    assert read_all(fresh / "byline.db", NAME) == [("Before",)]


def test_what_is_restored_can_be_written_while_it_is_read(archive: Path, folder: Path) -> None:
    put_back(archive, folder)
    database = Database(folder / "byline.db", readers=1)
    with database.reading() as reader:
        reader.exec_driver_sql(NAME).one()
        with database.transaction(wait_seconds=0) as db:
            db.exec_driver_sql("UPDATE site SET name = 'Written'")
    database.close()


@pytest.mark.parametrize("name", ["byline.db", "blog.sqlite"])
@pytest.mark.parametrize("is_there", [True, False], ids=["beside the old one", "alone"])
def test_a_log_that_is_left_is_not_replayed_into_what_is_restored(
    archive: Path, tmp_path: Path, name: str, is_there: bool
) -> None:
    folder = tmp_path / "other"
    folder.mkdir()
    database = folder / name
    upgrade(database)
    rename(database, "Old")
    with another_program(database, f"UPDATE site SET name = '{'Logged' * 1000}'"):
        log = database.with_name(f"{name}-wal").read_bytes()
        content = database.read_bytes()
    database.write_bytes(content)
    database.with_name(f"{name}-wal").write_bytes(log)
    if not is_there:
        database.unlink()
    restore(archive, database, beside=[])
    assert integrity(database) == "ok"
    assert read_all(database, NAME) == [("Before",)]
    if is_there:
        assert read_all(folder / f"{name}.before-restore", NAME) == [("Logged" * 1000,)]


def test_a_damaged_database_is_kept_with_its_log_when_it_is_replaced(archive: Path, folder: Path) -> None:
    database, log = folder / "byline.db", folder / "byline.db-wal"
    with another_program(database, "UPDATE site SET name = 'Logged'"):
        logged = log.read_bytes()
    damaged = b"\xff" * 4096 + database.read_bytes()[4096:]
    database.write_bytes(damaged)
    log.write_bytes(logged)
    put_back(archive, folder)
    assert read_all(database, NAME) == [("Before",)]
    assert (folder / "byline.db.before-restore").read_bytes() == damaged
    assert (folder / "byline.db-wal.before-restore").read_bytes() == logged


def test_a_database_that_another_program_has_open_is_not_replaced(
    archive: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "BUSY_TIMEOUT_SECONDS", 0.2)
    before = fingerprint(folder)
    with another_program(folder / "byline.db", "SELECT * FROM site"):
        rename(folder / "byline.db", "Written since")
        with pytest.raises(Busy, match="another program"):
            put_back(archive, folder)
    assert read_all(folder / "byline.db", NAME) == [("Written since",)]
    assert sorted(fingerprint(folder)) == sorted(before)


# What is refused


def _cut_in_half(archive: Path, _members: dict[str, bytes]) -> None:
    os.truncate(archive, archive.stat().st_size // 2)


def _lose_the_end(archive: Path, _members: dict[str, bytes]) -> None:
    os.truncate(archive, archive.stat().st_size - 4)


def _overwrite(archive: Path, _members: dict[str, bytes]) -> None:
    archive.write_bytes(b"not an archive" * 100)


def _empty(archive: Path, _members: dict[str, bytes]) -> None:
    archive.write_bytes(b"")


def _spoil_the_compression(archive: Path, _members: dict[str, bytes]) -> None:
    content = bytearray(archive.read_bytes())
    content[200:300] = b"\xff" * 100
    archive.write_bytes(content)


def _climb(archive: Path, members: dict[str, bytes]) -> None:
    packed(archive, {f"../{name}": content for name, content in members.items()})


def _be_absolute(archive: Path, members: dict[str, bytes]) -> None:
    packed(archive, {f"{archive.parent}/outside/{name}": content for name, content in members.items()})


def _link(kind: bytes) -> Callable[[Path, dict[str, bytes]], None]:
    def spoil(archive: Path, members: dict[str, bytes]) -> None:
        member = tarfile.TarInfo("byline.db")
        member.type, member.linkname = kind, f"{archive.parent}/elsewhere"
        shutil.copy(archive.parent / "instance" / "byline.db", archive.parent / "elsewhere")
        packed(archive, {"secret_key": members["secret_key"]}, member)

    return spoil


def _be_another_programs(archive: Path, members: dict[str, bytes]) -> None:
    packed(archive, {"readme": b"nothing of ours"})


def _damage_the_database(archive: Path, members: dict[str, bytes]) -> None:
    database = bytearray(members["byline.db"])
    database[4096 * 3 : 4096 * 4] = b"\xff" * 4096
    packed(archive, members | {"byline.db": bytes(database)})


def _cut_the_database(archive: Path, members: dict[str, bytes]) -> None:
    packed(archive, members | {"byline.db": members["byline.db"][:5000]})


def _spoil_an_index(archive: Path, members: dict[str, bytes]) -> None:
    copy = archive.parent / "spoiled.db"
    copy.write_bytes(members["byline.db"])
    connection = sqlite.driver.connect(str(copy), isolation_level=None)
    connection.execute(
        "INSERT INTO users (id, username, display_name, role, created_at) VALUES (1, 'a', 'A', 'owner', 0)"
    )
    connection.execute("PRAGMA writable_schema = ON")
    connection.execute("UPDATE sqlite_master SET sql = replace(sql, 'username', 'display_name') WHERE name = 'posts'")
    connection.execute(
        "UPDATE sqlite_master SET rootpage = (SELECT rootpage FROM sqlite_master WHERE name = 'ix_sessions_user_id') "
        "WHERE name = 'sqlite_autoindex_users_1'"
    )
    connection.close()
    packed(archive, members | {"byline.db": copy.read_bytes()})
    copy.unlink()


SPOILED = [
    _cut_in_half, _lose_the_end, _overwrite, _empty, _spoil_the_compression, _climb, _be_absolute,
    _be_another_programs, _damage_the_database, _cut_the_database, _spoil_an_index,
]  # fmt: skip


@pytest.mark.parametrize(
    "spoil",
    [
        *(pytest.param(each, id=each.__name__.strip("_")) for each in SPOILED),
        pytest.param(_link(tarfile.SYMTYPE), id="symbolic_link"),
        pytest.param(_link(tarfile.LNKTYPE), id="hard_link"),
    ],
)
def test_an_archive_that_is_not_whole_is_refused_and_nothing_is_changed(
    archive: Path, folder: Path, spoil: Callable[[Path, dict[str, bytes]], None]
) -> None:
    spoil(archive, unpacked(archive))
    before = fingerprint(archive.parent)
    with pytest.raises(Damaged) as refused:
        put_back(archive, folder)
    assert "\n" not in str(refused.value)
    assert fingerprint(archive.parent) == before


def test_no_flipped_bit_goes_unseen(archive: Path, folder: Path) -> None:
    # Stored, not compressed, every bit stands for one of the content, so that only the checksum can tell; but for the
    # five bits of padding before each block's length, which stand for nothing.
    content = gzip.decompress(archive.read_bytes())
    compressor = zlib.compressobj(0, wbits=31)
    stored = compressor.compress(content) + compressor.flush()
    before, told = fingerprint(folder), 0
    for position in range(20, len(stored), len(stored) // 60):
        spoiled = bytearray(stored)
        spoiled[position] ^= 1 << position % 8
        archive.write_bytes(spoiled)
        if _unpacks_to(bytes(spoiled), content):
            continue
        told += 1
        with pytest.raises(Damaged):
            put_back(archive, folder)
    assert told > 55
    assert fingerprint(folder) == before


def _unpacks_to(packed: bytes, content: bytes) -> bool:
    try:
        return gzip.decompress(packed) == content
    except (OSError, EOFError, zlib.error):
        return False


def test_an_archive_that_is_not_there_is_refused_in_words(folder: Path) -> None:
    with pytest.raises(Damaged, match=r"missing\.tar\.gz is not a whole backup: No such file"):
        put_back(folder / "missing.tar.gz", folder)


def test_a_backup_made_by_a_newer_version_is_refused(folder: Path, tmp_path: Path, archive: Path) -> None:
    members = unpacked(archive)
    newer = tmp_path / "newer.db"
    newer.write_bytes(members["byline.db"])
    connection = sqlite.driver.connect(str(newer), isolation_level=None)
    connection.execute("UPDATE alembic_version SET version_num = '0999'")
    connection.close()
    packed(archive, members | {"byline.db": newer.read_bytes()})
    before = fingerprint(folder)
    with pytest.raises(SchemaNewer):
        put_back(archive, folder)
    assert fingerprint(folder) == before


def test_nothing_but_the_expected_names_leaves_an_archive(archive: Path, folder: Path) -> None:
    packed(
        archive, unpacked(archive) | {"../planted": b"x", "planted": b"x", "byline.db-wal": b"x", "byline.lock": b"x"}
    )
    before = sorted(path.name for path in archive.parent.rglob("*"))
    put_back(archive, folder)
    after = sorted(path.name for path in archive.parent.rglob("*"))
    assert [name for name in after if name not in before] == ["byline.db.before-restore", "secret_key.before-restore"]
