"""What tests share: the cast, an application in this process, and a real server in processes of its own."""

import os
import re
import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, TYPE_CHECKING, Any
from unittest.mock import patch

import requests
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event
from werkzeug.test import TestResponse

from app import LINKS, create_app
from auth.blocking.blocking import block
from auth.permissions import Role, Scope
from auth.principal import Principal
from auth.tokens.issuing import issue
from auth.users import passwords
from auth.users.queries import find_user
from auth.users.registering import register
from blog.posts.content import prepare
from blog.posts.model import Post
from blog.posts.writing import write
from eventlog.actors import Nobody
from storage import clock
from storage.digests import digest_of
from storage.engine import Database
from storage.folder import prepare_folder
from storage.prepared import Prepared, Row
from storage.upgrading import fold_log, upgrade
from tests import quick
from tests.ports import free_port
from tests.starting import start
from tests.web.wire import children_of, name_of, until
from web.server.supervisor import ASIDE
from web.settings import Settings, load_settings

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess

ROOT = Path(__file__).parent.parent
PASSWORD = "correct horse battery staple"
SECRET = "a key for tests only 0123456789 abcdefghij"

CAST = {
    "olive": Role.OWNER,
    "edith": Role.EDITOR,
    "alan": Role.AUTHOR,
    "ada": Role.AUTHOR,
    "rita": Role.READER,
    "bob": Role.AUTHOR,  # blocked
}

TESTER = Nobody("test", "(test)")

_password_hash = passwords.hash_password(PASSWORD)


@dataclass
class Site:
    """One application in this process, with its people."""

    folder: Path
    settings: Settings
    app: Flask = field(init=False)

    def __post_init__(self) -> None:
        self._open()

    def _open(self) -> None:
        self.app = create_app(self.settings, testing=True)
        self.app.jinja_env.bytecode_cache = quick.templates

    @property
    def database(self) -> Database:
        """Its database."""
        return self.app.extensions["database"]

    def restart(self) -> None:
        """The same data folder in a new process, as far as the application can tell."""
        self.close()
        self._open()

    def close(self) -> None:
        """Release the database."""
        self.database.close()

    def client(self, name: str | None = None, *, token: str | None = None, **kwargs: Any) -> "Client":
        """A browser of somebody of the cast, signed in; of a visitor; or a program with a token."""
        client = Client(self.app, response_wrapper=TestResponse, use_cookies=True, **kwargs)
        client.site = self
        if token is not None:
            client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
        if name is not None:
            client.adopt_session(name)
        return client

    def token(self, name: str, *scopes: Scope) -> str:
        """A fresh token; for everything that posts need, unless scopes are named."""
        with self.database.transaction() as db:
            return issue(db, name, scopes=scopes or (Scope.POSTS_READ, Scope.POSTS_WRITE), by=TESTER)

    def principal(self, name: str) -> Principal:
        """Somebody of the cast, as a session would have them."""
        with self.database.reading() as db:
            user = find_user(db, name)
        assert user is not None
        return Principal(
            user.id, user.username, user.display_name, user.role, session_id="1.1", signed_in_at=clock.now()
        )

    def post(self, by: str = "alan", **values: Any) -> Post:
        """A post that is there; published unless `status` says otherwise."""
        content = prepare({"title": "A post", "body": "Some *words*.", "status": "published"} | values)
        with self.database.transaction() as db:
            return write(db, content, by=self.principal(by))

    def rows(self, table: str) -> int:
        """How many rows a table has."""
        with self.database.reading() as db:
            return db.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one()

    @contextmanager
    def counted_statements(self) -> Iterator[list[str]]:
        """The statements issued while the block runs, in any thread.

        Transaction control is not counted, nor what is remembered until something is committed, the site's row, nor when
        the next post comes out, which the page cache asks for.
        """
        seen: list[str] = []

        def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
            if not statement.startswith(("BEGIN", "PRAGMA")):
                seen.append(statement)

        def note_kept(statement: str) -> None:
            if not statement.startswith(("SELECT site.", "SELECT min(posts.published_at)", "PRAGMA")):
                seen.append(statement)

        def all_noted(prepared: Prepared, db: sa.Connection, **values: Any) -> list[Row]:
            # As SQLAlchemy writes them: places without names.
            seen.append(re.sub(r"\+:\w+", "?", prepared.text))
            return ask(prepared, db, **values)

        engines = (self.database.read_engine, self.database.write_engine)
        for engine in engines:
            event.listen(engine, "before_cursor_execute", note)
        ask = Prepared.all
        kept = self.database.kept
        connect = kept._connect

        def connect_watched() -> Any:
            connection = connect()
            connection.set_trace_callback(note_kept)
            return connection

        kept.close()
        try:
            with patch.object(kept, "_connect", connect_watched), patch.object(Prepared, "all", all_noted):
                yield seen
        finally:
            kept.close()
            for engine in engines:
                event.remove(engine, "before_cursor_execute", note)


class Client(FlaskClient):
    """A browser without a window."""

    site: Site

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        """Any request; what the test client put aside to send, and the file that answered, are closed at once."""
        kwargs.setdefault("buffered", True)
        response = super().open(*args, **kwargs)
        response.request.environ["wsgi.input"].close()
        return response

    def adopt_session(self, name: str, *, is_remembered: bool = True) -> str:
        """Sign in without the form (which takes 50 ms for the password); returns the whole id."""
        store, keys = self.site.app.extensions["session_store"], self.site.app.extensions["keys"]
        whole_id = store.create()
        with self.site.database.transaction() as db:
            user = find_user(db, name)
            assert user is not None
            store.set(db, whole_id, user_id=user.id, is_remembered=is_remembered)
        self.set_cookie(self.site.app.extensions["session_cookie_name"], keys.sign("session", f"{whole_id}.s"))
        return whole_id

    def form_token(self, path: str = "/new") -> str:
        """The form token of this browser's session, read from a page."""
        return find_form_token(self.get(path).text)

    def submit(self, path: str, *, page: str | None = None, **fields: Any) -> TestResponse:
        """Send a form as its page would: multipart, with the page's token."""
        token = self.form_token(page or path)
        return self.post(path, data={"csrf_token": token, **fields}, content_type="multipart/form-data")


def make_site(folder: Path, **environment: str) -> Site:
    """An application with the whole cast."""
    settings = load_settings({"BYLINE_INSTANCE": str(folder), "SECRET_KEY": SECRET, **environment})
    prepare_folder(folder)
    settings.database_path.write_bytes(_whole_cast())
    settings.database_path.chmod(0o600)
    return Site(folder, settings)


@cache
def _whole_cast() -> bytes:
    """A database with the whole cast, as a file; made once, since making it takes longer than most tests."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "byline.db"
        upgrade(path)
        database = Database(path, readers=1)
        with database.transaction() as db:
            for name, role in CAST.items():
                register(db, name, role=role, password_hash=_password_hash, by=TESTER, display_name=name.title())
            block(db, "bob", by=TESTER, links=LINKS)
        database.close()
        fold_log(path)
        return path.read_bytes()


def find_form_token(html: str) -> str:
    """The form token that a page carries."""
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', html)
    assert found is not None, "the page carries no form token"
    return found[1]


def session_digest(whole_id: str) -> str:
    """What the store keeps of an id."""
    return digest_of(whole_id)


class Server:
    """The real thing: `byline serve` in processes of its own, on a port of its own."""

    def __init__(self, folder: Path, *, processes: int = 2, **environment: str) -> None:
        self.folder = folder
        self.environment = {
            "PORT": str(free_port()),
            "WEB_CONCURRENCY": str(processes),
            "BYLINE_INSTANCE": str(folder),
            "BYLINE_ADMIN_USERNAME": "olive",
            "BYLINE_ADMIN_PASSWORD": PASSWORD,
            **environment,
        }
        self.process: BaseProcess | None = None
        self.output: list[str] = []
        self._heard = threading.Condition()
        self._began, self._has_ended = 0, False
        self._lines: threading.Thread | None = None

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://localhost:{self.environment['PORT']}"

    @property
    def pid(self) -> int:
        """The process that the others are children of."""
        assert self.process is not None
        assert self.process.pid is not None
        return self.process.pid

    def start(self) -> "Server":
        """Start, and wait until it says where it is."""
        clean = {name: value for name, value in os.environ.items() if not _is_setting(name)}
        read, write = os.pipe()
        with Path(os.devnull).open() as nothing, os.fdopen(write, "w") as said:
            self.process = start("serve", environment=clean | self.environment, stdin=nothing, stdout=said, stderr=said)
        self._began, self._has_ended = len(self.output), False
        self._lines = threading.Thread(target=self._read, args=(os.fdopen(read),), daemon=True)
        self._lines.start()
        try:
            self.wait_for("Byline is at")
        except AssertionError:
            self.kill()
            raise
        return self

    def wait_for(self, text: str, *, seconds: float = 30) -> str:
        """The first line since the start that holds `text`."""
        with self._heard:
            if not self._heard.wait_for(lambda: self._find(text) or self._has_ended, timeout=seconds):
                raise AssertionError(f"The server did not say {text!r}:\n" + "".join(self.output))
            if (line := self._find(text)) is None:
                raise AssertionError(f"The server ended and did not say {text!r}:\n" + "".join(self.output))
        return line

    def stop(self) -> int:
        """TERM, and the exit status."""
        assert self.process is not None
        self.process.terminate()
        return self._finish()

    def kill(self) -> None:
        """kill -9, all of it at once."""
        if self.process is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._finish()

    def _finish(self) -> int:
        process, self.process = self.process, None
        assert process is not None
        process.join(timeout=15)
        if self._lines is not None:
            self._lines.join(timeout=5)
        status = process.exitcode
        assert status is not None, "The server goes on."
        return status

    def _find(self, text: str) -> str | None:
        return next((line for line in self.output[self._began :] if text in line), None)

    def _read(self, said: IO[str]) -> None:
        with said:
            for line in said:
                with self._heard:
                    self.output.append(line)
                    self._heard.notify_all()
        with self._heard:
            self._has_ended = True
            self._heard.notify_all()

    def workers(self) -> list[int]:
        """The processes that answer requests, the longest serving first."""
        parent, found = self.pid, dict[int, str]()

        def are_named() -> bool:
            # The other one has its name soon after it was started.
            found.clear()
            found.update((pid, name_of(pid)) for pid in children_of(parent))
            return ASIDE in found.values()

        assert until(are_named)
        return sorted(pid for pid, name in found.items() if name not in (ASIDE, ""))

    def browser(self) -> "Browser":
        """Somebody's HTTP session with it."""
        return Browser(self.url)


class Browser(requests.Session):
    """An HTTP client that keeps cookies and knows forms."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.url = url

    def request(self, method: str, url: Any, *args: Any, **kwargs: Any) -> requests.Response:
        """Any request to this server; redirects are looked at, not followed."""
        kwargs["allow_redirects"] = False
        kwargs.setdefault("timeout", 30)
        return super().request(method, f"{self.url}{url}" if str(url).startswith("/") else url, *args, **kwargs)

    def submit(self, path: str, fields: Mapping[str, str], *, page: str | None = None) -> requests.Response:
        """Send a form as its page would."""
        token = find_form_token(self.get(page or path).text)
        files = {name: (None, value) for name, value in {"csrf_token": token, **fields}.items()}
        return self.post(path, files=files)

    def sign_in(self, username: str = "olive", password: str = PASSWORD, *, remember: bool = True) -> requests.Response:
        """Through the form."""
        fields = {"username": username, "password": password} | ({"remember": "y"} if remember else {})
        return self.submit("/login", fields)


def _is_setting(name: str) -> bool:
    return name.lower() in Settings.model_fields or name.startswith("BYLINE_") or name == "PROMETHEUS_MULTIPROC_DIR"


def integrity(path: Path) -> str:
    """What SQLite says of a database file."""
    from storage import sqlite

    connection = sqlite.driver.connect(str(path))
    try:
        return str(connection.execute("PRAGMA integrity_check").fetchone()[0])
    finally:
        connection.close()


def read_all(path: Path, query: str) -> list[Any]:
    """Rows of a database file that no application has open here."""
    engine = sa.create_engine(sa.URL.create("sqlite", database=str(path)), module=_driver())
    with engine.connect() as connection:
        rows = list(connection.exec_driver_sql(query))
    engine.dispose()
    return rows


def _driver() -> Any:
    from storage import sqlite

    return sqlite.driver
