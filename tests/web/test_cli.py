"""The commands of whoever runs the place: what they say, and how they refuse."""

import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from app import main
from eventlog.ledger.announcing import orphan_intents
from storage import sqlite
from storage.folder import hold_folder
from storage.upgrading import head, upgrade
from tests.folders import another_program, fingerprint, run_byline
from tests.support import SECRET, Site, read_all

SECRETS = {
    "SECRET_KEY": "the-signing-secret-0123456789-abcdefgh",
    "SECRET_KEY_FALLBACKS": "an-older-secret-0123456789-abcdefghijk",
    "BYLINE_ADMIN_PASSWORD": "the owner's first password",
    "BYLINE_API_TOKEN": "byl_0123456789012345678901234567890123456789abc",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "instance"


def byline(folder: Path, *arguments: str, **environment: str) -> Result:
    """A command, in this process; nothing of whoever runs the tests decides a setting."""
    ours = [name for name in os.environ if name.startswith("BYLINE_") or name in ("PORT", "HOST", "SECRET_KEY")]
    settings: dict[str, str | None] = dict.fromkeys(ours)
    return CliRunner(env={**settings, "BYLINE_INSTANCE": str(folder), **environment}).invoke(main, arguments)


def check_refused(result: Result, *words: str) -> None:
    """Exit status 1, one sentence on standard error, nothing else."""
    assert result.exit_code == 1, result.output
    assert result.stdout == ""
    assert result.stderr.startswith("Error: ")
    assert result.stderr.count("\n") == 1
    for word in words:
        assert word in result.stderr


# settings


def test_settings_says_each_with_its_meaning(folder: Path) -> None:
    result = byline(folder, "settings", PORT="8123", BYLINE_TRUSTED_PROXIES="10.0.0.0/8,::1")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert "PORT = 8123" in lines
    assert "BYLINE_TRUSTED_PROXIES = 10.0.0.0/8, ::1/128" in lines
    assert "SECRET_KEY = (not set)" in lines
    assert f"BYLINE_INSTANCE = {folder}" in lines
    assert all(lines[number + 1].strip() for number in range(0, len(lines), 2))
    assert not folder.exists()


def test_settings_shows_no_secret(folder: Path) -> None:
    result = byline(folder, "settings", BYLINE_ADMIN_USERNAME="olive", **SECRETS)
    assert result.exit_code == 0
    for name, value in SECRETS.items():
        assert f"{name} = ****" in result.stdout
        assert value not in result.output


def test_every_command_lists_all_wrong_settings_at_once(folder: Path) -> None:
    for arguments in (["settings"], ["doctor"], ["serve"], ["user", "list"], ["backup", "x.tar.gz"], ["restore", "x"]):
        result = byline(folder, *arguments, PORT="no", BYLINE_URL="no", SECRET_KEY="no")
        assert result.exit_code == 1, arguments
        assert [line.split(":")[0] for line in result.stderr.splitlines()[1:]] == [
            "  - PORT", "  - SECRET_KEY", "  - BYLINE_URL",
        ]  # fmt: skip
        assert not folder.exists()


# doctor


def findings(result: Result) -> dict[str, list[str]]:
    """What is good and what is bad."""
    lines = result.stdout.splitlines()
    return {
        "ok": [line[5:] for line in lines if line.startswith("ok ")],
        "BAD": [line[5:] for line in lines if line.startswith("BAD ")],
    }


def test_doctor_is_content_with_a_site_that_is_well(site: Site) -> None:
    result = byline(site.folder, "doctor", SECRET_KEY=SECRET)
    assert result.exit_code == 0
    assert findings(result)["BAD"] == []
    assert f"SQLite {sqlite.version()}" in findings(result)["ok"]
    assert f"The data folder {site.folder} can be written" in findings(result)["ok"]
    assert f"The database is whole, schema {head()}" in findings(result)["ok"]


def test_doctor_is_content_with_nothing_yet(folder: Path) -> None:
    result = byline(folder, "doctor")
    assert result.exit_code == 0
    assert "There is no database yet: the first start makes it" in findings(result)["ok"]
    assert "The first start generates the signing secret" in findings(result)["ok"]


def test_doctor_says_what_proxies_and_address_mean(folder: Path) -> None:
    without = findings(byline(folder, "doctor", PORT="8123"))["ok"]
    assert "No proxy is trusted: forwarding headers are ignored (BYLINE_TRUSTED_PROXIES)" in without
    assert "BYLINE_URL is not set: any host is served, and links say http://localhost:8123" in without
    environment = {"BYLINE_TRUSTED_PROXIES": "10.0.0.0/8", "BYLINE_URL": "https://blog.example.org"}
    given = findings(byline(folder, "doctor", **environment))["ok"]
    assert "Forwarding headers count from 10.0.0.0/8" in given
    assert "The public address is https://blog.example.org" in given


def test_doctor_names_what_is_bad_and_goes_on(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.mkdir()
    upgrade(folder / "byline.db")
    (folder / "secret_key").write_text("x" * 64)
    (folder / "secret_key").chmod(0o644)
    os.truncate(folder / "byline.db", 5000)
    before = fingerprint(folder)
    result = byline(folder, "doctor")
    assert result.exit_code == 1
    bad = findings(result)["BAD"]
    assert len(bad) == 2
    assert f"{folder / 'byline.db'} is damaged" in bad[0]
    assert bad[1] == f"The signing secret is {folder / 'secret_key'}, which others can read: chmod 600"
    assert fingerprint(folder) == before
    assert "Traceback" not in result.output


def test_doctor_names_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    result = byline(tmp_path / "file" / "below", "doctor")
    assert result.exit_code == 1
    [bad] = findings(result)["BAD"]
    assert "cannot be written: Not a directory" in bad


def test_doctor_names_a_database_that_another_program_keeps_to_itself(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "BUSY_TIMEOUT_SECONDS", 0.2)
    folder.mkdir()
    upgrade(folder / "byline.db")
    with another_program(folder / "byline.db", "PRAGMA journal_mode = DELETE;BEGIN EXCLUSIVE"):
        result = byline(folder, "doctor")
    assert result.exit_code == 1
    [bad] = findings(result)["BAD"]
    assert "held by another program" in bad


def test_doctor_runs_beside_a_server(site: Site) -> None:
    held = hold_folder(site.folder, wait_seconds=0)
    with site.database.transaction():
        assert byline(site.folder, "doctor").exit_code == 0
    os.close(held)


# backup and restore


def test_backup_and_restore_carry_everything_to_a_fresh_folder(site: Site, tmp_path: Path) -> None:
    site.post(title="Kept")
    archive, fresh = tmp_path / "backup.tar.gz", tmp_path / "fresh"
    made = byline(site.folder, "backup", str(archive))
    assert made.exit_code == 0
    assert "keep it where only you can read it" in made.stdout
    restored = byline(fresh, "restore", str(archive))
    assert restored.exit_code == 0
    assert read_all(fresh / "byline.db", "SELECT title FROM posts") == [("Kept",)]


def test_the_secret_travels_only_where_the_folder_holds_it(folder: Path, tmp_path: Path) -> None:
    folder.mkdir()
    upgrade(folder / "byline.db")
    (folder / "secret_key").write_text("s" * 64)
    assert byline(folder, "backup", str(tmp_path / "with.tar.gz")).exit_code == 0
    assert byline(folder, "backup", str(tmp_path / "without.tar.gz"), SECRET_KEY=SECRET).exit_code == 0
    for name, has_secret in (("with", True), ("without", False)):
        fresh = tmp_path / name
        assert byline(fresh, "restore", str(tmp_path / f"{name}.tar.gz")).exit_code == 0
        assert (fresh / "secret_key").exists() == has_secret


def test_restore_is_refused_while_a_server_holds_the_folder(site: Site, tmp_path: Path) -> None:
    archive = tmp_path / "backup.tar.gz"
    byline(site.folder, "backup", str(archive))
    site.close()
    held = hold_folder(site.folder, wait_seconds=0)
    before = fingerprint(site.folder)
    check_refused(byline(site.folder, "restore", str(archive)), "Another Byline server is using")
    assert fingerprint(site.folder) == before
    os.close(held)
    assert byline(site.folder, "restore", str(archive)).exit_code == 0
    assert byline(site.folder, "restore", str(archive)).exit_code == 0  # the first one let go of it


def test_backup_refuses_in_one_sentence(site: Site, folder: Path, tmp_path: Path) -> None:
    there = tmp_path / "there.tar.gz"
    there.write_text("somebody's")
    check_refused(byline(site.folder, "backup", str(there)), "exists already")
    check_refused(byline(site.folder, "backup", str(there / "below")), "cannot be written")
    check_refused(byline(site.folder, "backup", str(tmp_path / "missing" / "x")), "cannot be written")
    check_refused(byline(tmp_path / "empty", "backup", str(tmp_path / "x")), "There is no database")
    assert there.read_text() == "somebody's"


def test_restore_refuses_in_one_sentence(site: Site, tmp_path: Path) -> None:
    junk = tmp_path / "junk.tar.gz"
    junk.write_text("no archive")
    before = besides_database(site.folder)
    check_refused(byline(site.folder, "restore", str(junk)), "not a whole backup", "Nothing was changed")
    check_refused(byline(site.folder, "restore", str(tmp_path / "missing")), "No such file")
    assert besides_database(site.folder) == before
    with site.database.reading() as db:
        assert orphan_intents(db) == []


def besides_database(folder: Path) -> dict[str, object]:
    """Everything in the folder but the database, whose ledger knows of what was tried."""
    return {name: rest for name, rest in fingerprint(folder).items() if not name.startswith("byline.db-")}


# How commands end


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"], ["serve", "now"], ["settings", "--loud"], ["backup"], ["restore"], ["backup", "a", "b"],
        ["user"], ["user", "nonsense"], ["user", "add"], ["user", "add", "anna"], ["user", "role", "anna", "king"],
        ["token", "create", "anna"], ["token", "create", "anna", "--scope", "all"], ["restore", "/"],
    ],
    ids=" ".join,
)  # fmt: skip
def test_wrong_usage_is_2(folder: Path, arguments: list[str]) -> None:
    result = byline(folder, *arguments)
    assert result.exit_code == 2
    assert "Usage: " in result.stderr
    assert "Traceback" not in result.output


def test_a_refusal_is_1_with_a_sentence_and_no_traceback(folder: Path) -> None:
    for arguments in (
        ["user", "block", "nobody"], ["user", "unblock", "nobody"], ["user", "password", "nobody"],
        ["user", "role", "nobody", "owner"], ["token", "create", "nobody", "--scope", "admin"],
        ["token", "revoke", "nothing"], ["token", "list", "nobody"], ["user", "add", "Not A Name", "--role", "owner"],
    ):  # fmt: skip
        check_refused(byline(folder, *arguments))


def test_in_a_process_of_its_own_too(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    refused = run_byline(tmp_path / "file" / "below", "user", "list")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.startswith("Error: The data folder ")
    assert refused.stderr.count("\n") == 1
    wrong = run_byline(tmp_path, "nonsense")
    assert wrong.returncode == 2
    assert "Traceback" not in wrong.stderr
