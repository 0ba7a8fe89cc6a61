"""Running the place: starting, refusing to, being replaced, and going on when the disk, a program or a signal does not."""

import json
import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
import requests
from click.testing import CliRunner
from prometheus_client.parser import text_string_to_metric_families

from app import main
from storage import sqlite
from storage.folder import hold_folder
from storage.upgrading import upgrade
from tests.folders import another_program, clean_environment, fingerprint, run_byline
from tests.ports import free_port
from tests.support import PASSWORD, ROOT, Browser, Server, find_form_token, integrity, read_all
from tests.web.wire import Wire, children_of, name_of, until
from web import running
from web.server.supervisor import ASIDE

TOKEN = "byl_for-tests-only-0123456789-0123456789-abcdef"
AUTHORIZED = {"Authorization": f"Bearer {TOKEN}"}
HTML = {"Accept": "text/html"}


@contextmanager
def serving(folder: Path, *, processes: int = 2, **environment: str) -> Iterator[Server]:
    server = Server(folder, processes=processes, BYLINE_API_TOKEN=TOKEN, **environment).start()
    try:
        yield server
    finally:
        server.kill()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that tests only ask."""
    with serving(tmp_path_factory.mktemp("shared") / "instance") as server:
        yield server


def write(server: Server, title: str = "Hello", body: str = "World") -> requests.Response:
    return server.browser().post(
        "/v1/posts", json={"title": title, "body": body, "status": "published"}, headers=AUTHORIZED
    )


def timed(action: Callable[[], requests.Response]) -> tuple[requests.Response, float]:
    began = time.monotonic()
    return action(), time.monotonic() - began


# Another program holds the database


def test_while_another_program_writes_reading_goes_on_and_writers_are_told_to_come_back(tmp_path: Path) -> None:
    with serving(tmp_path / "instance", processes=1) as server:
        assert write(server).status_code == 201
        author = server.browser()
        author.sign_in()
        token = find_form_token(author.get("/new").text)
        text = "What I typed must come back. " * 100
        fields = {"csrf_token": token, "title": "By form", "body": text, "status": "published"}

        def submit() -> requests.Response:
            return author.post("/new", files={name: (None, value) for name, value in fields.items()}, headers=HTML)

        before = read_all(server.folder / "byline.db", "SELECT count(*) FROM revisions")
        with ThreadPoolExecutor(21) as pool, another_program(server.folder / "byline.db"):
            form = pool.submit(timed, submit)
            programs = [pool.submit(timed, lambda: write(server)) for _ in range(20)]
            quick = threading.Semaphore(0)
            for each in programs:
                each.add_done_callback(lambda _done: quick.release())
            for _ in range(11):  # the surplus of twenty, or of twenty-one
                assert quick.acquire(timeout=4)
            paths = ("/", "/posts/hello", "/feed.xml") * 3
            reading = [timed(partial(server.browser().get, path)) for path in paths]
            answers = [each.result(30) for each in (form, *programs)]
        assert {answer.status_code for answer, _seconds in reading} == {200}
        assert max(seconds for _answer, seconds in reading) < 2
        assert {answer.status_code for answer, _seconds in answers} == {503}
        assert all(int(answer.headers["Retry-After"]) > 0 for answer, _seconds in answers)
        waited = sorted(seconds for _answer, seconds in answers)
        assert [seconds > 4 for seconds in waited] == [False] * 12 + [True] * 9
        assert max(waited) < 8
        assert text.strip() in answers[0][0].text
        assert read_all(server.folder / "byline.db", "SELECT count(*) FROM revisions") == before
        assert submit().status_code == 303


# A full disk


def test_on_a_full_disk_reading_goes_on_and_writing_works_again_when_there_is_room(tmp_path: Path) -> None:
    with serving(tmp_path / "instance") as server:
        assert write(server).status_code == 201
        author = server.browser()
        author.sign_in()
        token = find_form_token(author.get("/new").text)
        text = "What I typed must come back. " * 1000
        fields = {"csrf_token": token, "title": "By form", "body": text, "status": "published"}
        before = read_all(server.folder / "byline.db", "SELECT count(*) FROM revisions")
        let_files_grow(server.workers(), 4096)
        for _ in range(6):
            refused = author.post("/new", files={name: (None, value) for name, value in fields.items()}, headers=HTML)
            assert refused.status_code == 503
            assert int(refused.headers["Retry-After"]) > 0
            assert "disk of this site is full" in refused.text
            assert text.strip() in refused.text
            by_program = write(server)
            assert by_program.status_code == 503
            assert by_program.headers["Content-Type"] == "application/problem+json"
            assert [server.browser().get(path).status_code for path in ("/", "/posts/hello", "/readyz")] == [200] * 3
            assert author.get("/account").status_code == 200
        let_files_grow(server.workers(), resource.RLIM_INFINITY)
        assert read_all(server.folder / "byline.db", "SELECT count(*) FROM revisions") == before
        again = author.post("/new", files={name: (None, value) for name, value in fields.items()})
        assert again.status_code == 303
        assert {write(server).status_code for _ in range(4)} == {201}
        assert server.stop() == 0
        assert integrity(server.folder / "byline.db") == "ok"


def let_files_grow(processes: list[int], limit: int) -> None:
    """To SQLite, a file that may not grow any more is a disk that is full."""
    for process in processes:
        resource.prlimit(process, resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))


def test_a_start_on_a_full_disk_is_refused_in_one_sentence_and_changes_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "instance"
    with serving(folder) as server:
        assert server.stop() == 0
    before = fingerprint(folder)
    program = (
        "import os, resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096));"
        "os.execv(sys.executable, [sys.executable, 'app.py', 'serve'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=clean_environment(
            BYLINE_INSTANCE=str(folder), PORT=str(free_port()), PYTHONDONTWRITEBYTECODE="1",
            BYLINE_ADMIN_USERNAME="olive", BYLINE_API_TOKEN=TOKEN.replace("tests", "other"),
        ),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "could not be written" in done.stderr
    assert done.stderr.count("\n") == 1
    assert fingerprint(folder) == before


# Refusing to start


def _cut(size: int | None) -> Callable[[Path], object]:
    return lambda folder: os.truncate(
        folder / "byline.db", (folder / "byline.db").stat().st_size // 2 if size is None else size
    )


def _overwrite(folder: Path) -> None:
    (folder / "byline.db").write_bytes(b"Dear diary. " * 1000)


def _execute(*statements: str) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        connection = sqlite.driver.connect(str(folder / "byline.db"), isolation_level=None)
        for statement in statements:
            connection.execute(statement)
        connection.close()

    return spoil


def _empty_secret(folder: Path) -> None:
    (folder / "secret_key").touch()


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        pytest.param(_cut(None), "is damaged", id="cut to half"),
        pytest.param(_cut(100), "is damaged", id="cut to 100 bytes"),
        pytest.param(_cut(0), "is empty", id="empty"),
        pytest.param(_overwrite, "is damaged: file is not a database", id="not a database"),
        pytest.param(_execute("DROP TABLE alembic_version"), "not a database of Byline", id="another program's"),
        pytest.param(
            _execute("UPDATE alembic_version SET version_num = '0999'"), "newer version of Byline", id="a newer schema"
        ),
        pytest.param(_empty_secret, "holds the signing secret", id="an empty secret"),
    ],
)
def test_a_folder_that_is_not_whole_is_refused_in_one_sentence_and_left_as_it_is(
    tmp_path: Path, spoil: Callable[[Path], object], sentence: str
) -> None:
    upgrade(tmp_path / "byline.db")
    spoil(tmp_path)
    before = fingerprint(tmp_path)
    refused = CliRunner(env={"BYLINE_INSTANCE": str(tmp_path), "PORT": str(free_port())}).invoke(main, ["serve"])
    assert refused.exit_code == 1
    assert sentence in refused.stderr
    assert refused.stderr.count("\n") == 1
    assert refused.stdout == ""
    assert fingerprint(tmp_path) == before


def test_a_folder_that_cannot_be_written_and_a_database_that_cannot_be_made_are_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    below = run_byline(tmp_path / "file" / "below", "serve")
    missing = run_byline(
        tmp_path / "instance", "serve", environment={"DATABASE_URL": f"sqlite:///{tmp_path}/missing/byline.db"}
    )
    for refused, sentence in ((below, "cannot be written: Not a directory"), (missing, "cannot be made: No such file")):
        assert refused.returncode == 1
        assert sentence in refused.stderr
        assert refused.stderr.count("\n") == 1
        assert refused.stdout == ""


def test_a_port_in_use_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "instance"
    with serving(folder, processes=1) as server:
        assert server.stop() == 0
    before = fingerprint(folder)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = run_byline(folder, "serve", environment=server.environment | {"PORT": str(port)})
    assert refused.returncode == 1
    assert f"cannot listen on 127.0.0.1, port {port}: Address already in use" in refused.stderr
    assert refused.stderr.count("\n") == 1
    assert fingerprint(folder) == before


def test_all_wrong_settings_are_listed_before_anything_starts(tmp_path: Path) -> None:
    refused = run_byline(
        tmp_path / "instance", "serve", environment={"PORT": "no", "SECRET_KEY": "short", "WEB_CONCURRENCY": "0"}
    )
    assert refused.returncode == 1
    assert [line.split(":")[0] for line in refused.stderr.splitlines()[1:]] == [
        "  - PORT", "  - WEB_CONCURRENCY", "  - SECRET_KEY",
    ]  # fmt: skip
    assert list(tmp_path.iterdir()) == []


# One server at a time


def test_a_second_server_waits_for_the_first_to_leave_and_takes_over(tmp_path: Path) -> None:
    with serving(tmp_path / "instance") as first:
        browser = first.browser()
        assert browser.sign_in().status_code == 303
        second = Server(tmp_path / "instance", BYLINE_API_TOKEN=TOKEN)
        with ThreadPoolExecutor(1) as pool:
            starting = pool.submit(second.start)
            assert until(lambda: second.process is not None and has_open(second.pid, "byline.lock"))
            assert browser.get("/account").status_code == 200
            assert not second.output
            assert first.stop() == 0
            starting.result(30)
        try:
            taken_over = second.browser()
            taken_over.cookies.update(browser.cookies)
            assert taken_over.get("/account").status_code == 200
            assert write(second).status_code == 201
        finally:
            second.kill()


def has_open(process: int, name: str) -> bool:
    """Whether a process has a file of that name open."""
    try:
        return any(link.readlink().name == name for link in Path(f"/proc/{process}/fd").iterdir())
    except FileNotFoundError:
        return False


def test_a_second_server_that_waits_in_vain_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert running._WAIT_FOR_FOLDER_SECONDS == 10
    monkeypatch.setattr(running, "_WAIT_FOR_FOLDER_SECONDS", 0.5)
    upgrade(tmp_path / "byline.db")
    held = hold_folder(tmp_path, wait_seconds=0)
    before = fingerprint(tmp_path)
    began = time.monotonic()
    refused = CliRunner(env={"BYLINE_INSTANCE": str(tmp_path), "PORT": str(free_port())}).invoke(main, ["serve"])
    assert time.monotonic() - began >= 0.5
    assert refused.exit_code == 1
    assert "Another Byline server is using the data folder" in refused.stderr
    assert refused.stderr.count("\n") == 1
    assert fingerprint(tmp_path) == before
    os.close(held)


def test_a_killed_worker_is_replaced_and_answers_go_on(tmp_path: Path) -> None:
    with serving(tmp_path / "instance") as server:
        assert write(server).status_code == 201
        browser = server.browser()
        browser.sign_in()
        first = server.workers()
        assert len(first) == 2
        for worker in first:
            os.kill(worker, signal.SIGKILL)
            assert until(partial(is_replaced, server, worker))
            with requests.Session() as fresh:
                assert {fresh.get(f"{server.url}/").status_code for _ in range(10)} == {200}
        assert not set(first) & set(server.workers())
        again = server.browser()
        again.cookies.update(browser.cookies)
        assert again.get("/account").status_code == 200
        assert write(server, title="After the kills").status_code == 201
        assert server.stop() == 0


def is_replaced(server: Server, worker: int) -> bool:
    """Whether it is gone, and two others are there."""
    return worker not in server.workers() and len(server.workers()) == 2


# Backups of a site that runs


def test_a_backup_is_made_while_the_server_runs_and_a_sign_in_survives_the_way_to_another_machine(
    tmp_path: Path,
) -> None:
    archive, elsewhere = tmp_path / "backup.tar.gz", tmp_path / "elsewhere"
    with serving(tmp_path / "instance") as server:
        browser = server.browser()
        browser.sign_in()
        assert browser.submit("/new", {"title": "Kept", "body": "Words", "status": "published"}).status_code == 303
        with ThreadPoolExecutor(1) as pool:
            is_over = threading.Event()
            writing = pool.submit(write_until, is_over, server)
            made = run_byline(server.folder, "backup", str(archive))
            is_over.set()
            assert set(writing.result(60)) == {201}
        assert (made.returncode, made.stderr) == (0, "")
        assert archive.stat().st_mode & 0o777 == 0o600
        refused = run_byline(server.folder, "restore", str(archive))
        assert refused.returncode == 1
        assert "Another Byline server is using the data folder" in refused.stderr
        assert browser.get("/account").status_code == 200
    restored = run_byline(elsewhere, "restore", str(archive))
    assert restored.returncode == 0
    assert {path.name: path.stat().st_mode & 0o777 for path in elsewhere.iterdir() if path.is_file()} == {
        "byline.db": 0o600, "byline.lock": 0o600, "secret_key": 0o600,
    }  # fmt: skip
    with serving(elsewhere) as server:
        moved = Browser(server.url)
        moved.cookies.update(browser.cookies)
        assert moved.get("/account").status_code == 200
        assert moved.get("/posts/kept").status_code == 200
        assert moved.submit("/new", {"title": "Onward", "body": "Words", "status": "published"}).status_code == 303


def write_until(is_over: threading.Event, server: Server) -> list[int]:
    """Posts, one after the other; what each was answered."""
    statuses = []
    with server.browser() as program:
        while not is_over.is_set():
            answer = program.post("/v1/posts", json={"title": "Another", "body": "Words"}, headers=AUTHORIZED)
            statuses.append(answer.status_code)
    return statuses


# What a running server shows of itself


def test_the_process_of_the_jobs_is_replaced_too_and_leaves_with_the_others(tmp_path: Path) -> None:
    def those_of_jobs() -> list[int]:
        return [pid for pid in children_of(server.pid) if name_of(pid) == ASIDE]

    with serving(tmp_path / "instance") as server:
        assert until(lambda: len(those_of_jobs()) == 1)  # it has its name soon after it was started
        (first,) = those_of_jobs()
        os.kill(first, signal.SIGKILL)
        assert until(lambda: len(those_of_jobs()) == 1 and those_of_jobs() != [first])
        assert server.browser().get("/").status_code == 200
        (second,) = those_of_jobs()
        assert server.stop() == 0
        assert name_of(second) != ASIDE


def test_metrics_are_summed_over_all_processes_the_dead_ones_too(tmp_path: Path) -> None:
    with serving(tmp_path / "instance") as server:
        before = counted(server)
        for number in range(20):
            assert server.browser().get("/", headers={"Connection": "close"}).status_code == 200
            if number == 10:
                victim = server.workers()[0]
                os.kill(victim, signal.SIGKILL)
                assert until(partial(is_replaced, server, victim))
        assert counted(server) - before == 20
        assert server.browser().get("/metrics", headers={"X-Forwarded-For": "127.0.0.1"}).status_code == 401
        assert server.browser().get("/metrics", headers={"X-Forwarded-For": "1", **AUTHORIZED}).status_code == 200


def counted(server: Server) -> float:
    answer = server.browser().get("/metrics")
    assert answer.status_code == 200
    return sum(
        sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
        if sample.name in ("byline_request_seconds_count", "byline_kept_answers_total")
        and sample.labels == {"method": "GET", "status": "2xx"}
    )


def test_a_body_over_two_mebibytes_is_413_whether_its_length_is_told_or_not(shared: Server) -> None:
    body = json.dumps({"title": "a", "body": "x" * (2 * 1024 * 1024)}).encode()
    port = int(shared.environment["PORT"])
    head = f"POST /v1/posts HTTP/1.1\nHost: localhost\nContent-Type: application/json\nAuthorization: Bearer {TOKEN}\n"
    with Wire(port) as wire:
        wire.send(f"{head}Content-Length: {len(body)}\n\n", body)
        told = wire.read_reply()
    with Wire(port) as wire:
        wire.send(f"{head}Transfer-Encoding: chunked\n\n")
        for start in range(0, len(body), 65_536):
            chunk = body[start : start + 65_536]
            wire.send(f"{len(chunk):x}\n", chunk + b"\r\n")
        wire.send("0\n\n")
        untold = wire.read_reply()
    for reply in (told, untold):
        assert reply.status == 413
        assert reply.headers["content-type"] == "application/problem+json"


def test_a_failure_shows_a_number_that_stands_in_the_log_with_the_reason_and_no_secret(tmp_path: Path) -> None:
    with serving(tmp_path / "instance", processes=1) as server:
        browser = server.browser()
        assert browser.sign_in().status_code == 303
        cookie = browser.cookies["session"]
        assert cookie is not None
        form_token = find_form_token(browser.get("/new?private=query").text)
        browser.submit("/new", {"title": "A private title", "body": "A private body", "status": "draft"})
        browser.post("/login", data={"username": "olive", "password": "a wrong password", "csrf_token": form_token})
        server.browser().get("/", headers={"Authorization": "Bearer byl_a-bad-one"})
        server.browser().get("/setup/a-one-time-token")
        for _ in range(3):
            server.browser().get("/", headers={"X-Forwarded-For": "192.0.2.1"})
        write(server, "A private title", "A private body")
        connection = sqlite.driver.connect(str(server.folder / "byline.db"), timeout=10)
        connection.execute("ALTER TABLE posts RENAME COLUMN html TO words")  # as no migration ever would
        connection.close()
        failed = server.browser().get("/posts/a-private-title?private=query", headers=HTML)
        assert server.browser().get("/").status_code == 200
        server.stop()
    assert failed.status_code == 500
    number = failed.headers["X-Request-Id"]
    assert number in failed.text
    assert not [unsaid for unsaid in ("no such column", "SELECT", "Traceback", "sqlalchemy") if unsaid in failed.text]
    logged = [json.loads(line) for line in server.output if line.startswith("{")]
    [failure] = [line for line in logged if line["event"] == "unforeseen_error"]
    assert failure["request_id"] == number
    assert "no such column" in failure["exception"][-1]["exc_value"]
    assert [line["status"] for line in logged if line.get("request_id") == number and line["event"] == "request"] == [
        500
    ]
    assert len([line for line in logged if line["event"] == "forwarding_headers_ignored"]) == 1
    output = "".join(server.output)
    for secret in (
        PASSWORD, "a wrong password", TOKEN, cookie, form_token, "byl_", "a-one-time-token", "private=query",
        "A private body", (server.folder / "secret_key").read_text(),
    ):  # fmt: skip
        assert secret not in output


def test_the_folder_of_a_server_that_ended_holds_what_must_survive_and_nothing_else(tmp_path: Path) -> None:
    with serving(tmp_path / "instance") as server:
        assert write(server).status_code == 201
        assert server.stop() == 0
    assert sorted(path.name for path in server.folder.iterdir()) == ["byline.db", "byline.lock", "secret_key"]
    copied = tmp_path / "copied"
    shutil.copytree(server.folder, copied)
    assert read_all(copied / "byline.db", "SELECT title FROM posts") == [("Hello",)]
