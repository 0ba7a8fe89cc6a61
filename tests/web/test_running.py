"""One start of the site: how many processes, where they count, what is left behind and what is not."""

import os
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import structlog

from app import make_app
from storage import sqlite
from storage.folder import prepare_folder
from storage.upgrading import upgrade
from web import running
from web.metrics import FOLDER_VARIABLE
from web.settings import SettingsError, load_settings


@pytest.fixture(autouse=True)
def memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of our own in the place of the one that all servers of this machine share."""
    folder = tmp_path / "memory"
    folder.mkdir()
    monkeypatch.setattr(running, "_MEMORY", folder)
    return folder


def test_as_many_processes_as_were_asked_for_or_as_there_are_processors() -> None:
    assert running._process_count(load_settings({"WEB_CONCURRENCY": "3"})) == 3
    assert running._process_count(load_settings({})) == os.cpu_count()


def test_an_old_sqlite_gets_one_process_and_the_start_says_why(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sqlite, "allows_many_writers", lambda: False)
    assert running._process_count(load_settings({"WEB_CONCURRENCY": "3"})) == 1
    assert f"One web process is used: SQLite {sqlite.version()} can damage" in capsys.readouterr().out
    assert running._process_count(load_settings({"WEB_CONCURRENCY": "1"})) == 1
    assert capsys.readouterr().out == ""


def test_counters_stand_in_memory_in_a_private_folder_of_each_run(memory: Path) -> None:
    folders = {Path(running._make_metrics_folder()) for _ in range(3)}
    assert set(memory.iterdir()) == folders
    assert len(folders) == 3
    assert {folder.stat().st_mode & 0o777 for folder in folders} == {0o700}


def test_where_no_memory_is_to_be_had_they_stand_among_temporary_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "_MEMORY", tmp_path / "missing")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert Path(running._make_metrics_folder()).parent == tmp_path


def test_what_a_killed_server_left_is_removed_and_what_another_one_uses_is_not(memory: Path) -> None:
    left = memory / "byline-metrics-left"
    left.mkdir()
    (left / "histogram_1.db").write_bytes(b"counters")
    used = Path(running._make_metrics_folder())
    assert not left.exists()
    running._make_metrics_folder()
    assert used.exists()


def test_what_somebody_else_left_is_none_of_our_business(memory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    foreign = memory / "byline-metrics-of-another-user"
    foreign.mkdir()
    open_file = os.open

    def refuse(path: Any, *arguments: int) -> int:
        if path == foreign:  # as to a user who is not root
            raise PermissionError(13, "Permission denied")
        return open_file(path, *arguments)

    monkeypatch.setattr(os, "open", refuse)
    assert Path(running._make_metrics_folder()).exists()
    assert foreign.exists()


def test_descriptors_of_what_was_removed_do_not_pile_up(memory: Path) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    for number in range(20):
        (memory / f"byline-metrics-{number}").mkdir()
    running._make_metrics_folder()
    assert len(list(Path("/proc/self/fd").iterdir())) <= before + 1


def test_what_processes_share_is_made_without_opening_or_beginning_anything(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    settings = load_settings({"BYLINE_INSTANCE": str(folder), "REDIS_URL": "redis://localhost:1/0"})
    prepare_folder(folder)
    upgrade(settings.database_path)
    threads = threading.active_count()
    app = make_app(settings)
    opened = [os.path.realpath(descriptor) for descriptor in Path("/proc/self/fd").iterdir()]
    assert not [path for path in opened if path.startswith(str(folder))]
    assert threading.active_count() == threads
    # Or ids that two processes mint would be the same.
    assert "session_store" not in app.extensions


def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_app: Any, begin: Any) -> int:
    """A start whose two processes are made here, one after the other."""

    def supervise(make: Callable[[], Any], **_how: Any) -> int:
        make()
        make()
        return 0

    monkeypatch.setattr(running, "supervise", supervise)
    monkeypatch.setattr(running, "configure_logs", lambda _clean: None)
    monkeypatch.setattr(running, "hold_folder", lambda _folder, *, wait_seconds: None)  # it is held as long as we live
    monkeypatch.setenv(FOLDER_VARIABLE, "")  # set by the start, and taken back with the test
    return running.run_site(
        load_settings({"BYLINE_INSTANCE": str(tmp_path / "data")}),
        prepare=lambda: running.Prepared(setup_token=None, unfinished_count=0),
        make_app=make_app,
        begin=begin,
        jobs={},
        clean_line=lambda line: line,
    )


def test_the_application_is_made_once_and_begun_in_each_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, begun = list[object](), list[object]()

    def make_app(_settings: object) -> object:
        made.append(object())
        return made[-1]

    assert run(tmp_path, monkeypatch, make_app, lambda app: begun.append(app) or app) == 0
    assert begun == made * 2
    assert len(made) == 1


def test_an_application_that_cannot_be_made_is_said_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], memory: Path
) -> None:
    def fail(_settings: object) -> None:
        raise PermissionError("Permission denied: 'site.css'")

    with structlog.testing.capture_logs() as lines:
        assert run(tmp_path, monkeypatch, fail, lambda app: app) == 1
    assert capsys.readouterr().err == "Permission denied: 'site.css'\n"
    assert [line["event"] for line in lines] == ["application could not be made"]
    assert list(memory.iterdir()) == []

    def refuse(_settings: object) -> None:
        raise SettingsError("BYLINE_URL is odd.")

    with pytest.raises(SettingsError):
        run(tmp_path, monkeypatch, refuse, lambda app: app)
