"""Secrets come in by every way there is; none of them is in the log, in an export, or in what the server says."""

import html
import json
import re
from collections.abc import Callable, Iterable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote
from zipfile import ZipFile

import pytest
from click.testing import CliRunner, Result

from app import main
from eventlog.actors import Nobody
from eventlog.events import SERVER_STARTED
from eventlog.ledger.announcing import record_intent
from eventlog.log.appending import append_event
from storage.engine import Database
from tests.eventlog.corpus import BENIGN, ENCODINGS, PLANTED, Planted
from tests.support import PASSWORD, Browser, Server, find_form_token, read_all

TOKEN = "byl_for-tests-only-0123456789-0123456789-abcdef"
AUTHORIZED = {"Authorization": f"Bearer {TOKEN}"}
WINDOW = 16
BETWEEN = "\n\n"
FEW_ENCODINGS = ["JSON", "percent", "a form", "HTML", "JSON in a form"]


def unescaped(text: str) -> str:
    """JSON's escapes read, as far as they go."""
    letters = {"n": "\n", "r": "\r", "t": "\t"}
    return re.sub(
        r"\\(?:u([0-9A-Fa-f]{4})|(.))",
        lambda match: chr(int(match[1], 16)) if match[1] else letters.get(match[2], match[2]),
        text,
    )


DECODERS: list[Callable[[str], str]] = [unescaped, unquote, html.unescape]


def _without_spaces(text: str) -> str:
    return "".join(text.split())


def _windows() -> dict[str, set[str]]:
    """Every part of a secret, and of which ones it is."""
    found: dict[str, set[str]] = {}
    for planted in PLANTED:
        secret = _without_spaces(planted.secret)
        for place in range(len(secret) - WINDOW + 1):
            found.setdefault(secret[place : place + WINDOW], set()).add(planted.name)
    return found


WINDOWS = _windows()
_NONE: set[str] = set()


def found_in(text: str, *, depth: int = 2) -> set[str]:
    """The names of the secrets of which somebody could read a part here, though encoded or broken over lines."""
    seen = readings = {text}
    for _ in range(depth):
        readings = {decode(reading) for reading in readings for decode in DECODERS} - seen
        seen = seen | readings
    found = set()
    for packed in map(_without_spaces, seen):
        for place in range(len(packed) - WINDOW + 1):
            found |= WINDOWS.get(packed[place : place + WINDOW], _NONE)
    return found


def in_one_line(text: str) -> str:
    return " ".join(text.split())


def broken_over_lines(planted: Planted) -> str:
    pieces = [planted.secret[place : place + 30] for place in range(0, len(planted.secret), 30)]
    return planted.text.replace(planted.secret, "\n    ".join(pieces))


def chunks(texts: Iterable[str], longest: int) -> Iterator[str]:
    """As many texts as fit into each; those that are too long alone are left out."""
    waiting: list[str] = []
    for text in texts:
        if len(text) > longest:
            continue
        if len(BETWEEN.join([*waiting, text])) > longest:
            yield BETWEEN.join(waiting)
            waiting = []
        waiting.append(text)
    yield BETWEEN.join(waiting)


def byline(server: Server, *arguments: str, text: str = "") -> Result:
    """A command of ours, in this process."""
    return CliRunner().invoke(main, arguments, input=text, env={"BYLINE_INSTANCE": str(server.folder)})


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    running = Server(tmp_path / "instance", processes=1, BYLINE_API_TOKEN=TOKEN).start()
    yield running
    running.kill()


@pytest.fixture
def olive(server: Server) -> Browser:
    browser = server.browser()
    assert browser.sign_in().status_code == 303
    for name in ("ada", "bob"):
        assert byline(server, "user", "add", name, "--role", "author", text=f"{PASSWORD}\n").exit_code == 0
    return browser


def told(server: Server, olive: Browser, folder: Path) -> dict[str, str]:
    """Everything that the log says to anybody, and what the server has said meanwhile."""
    database = server.folder / "byline.db"
    rows = {table: read_all(database, f"SELECT * FROM {table}") for table in ("events", "intents", "log_sessions")}
    said = {table: "\n".join("\t".join(map(str, row)) for row in found) for table, found in rows.items()}
    for level in ("strict", "standard", "maintainer"):
        target = folder / f"{level}.zip"
        done = byline(server, "log", "export", str(target), "--level", level)
        assert done.exit_code == 0, done.output
        with ZipFile(target) as bundle:
            said |= {f"{level}: {name}": bundle.read(name).decode() for name in bundle.namelist()}
        said[f"{level}: the zip itself"] = target.read_bytes().decode("latin-1")
        own = olive.submit("/account/export", {"level": level})
        assert own.status_code == 200
        with ZipFile(BytesIO(own.content)) as bundle:
            said |= {f"own, {level}: {name}": bundle.read(name).decode() for name in bundle.namelist()}
    for command in (("log", "tail"), ("log", "orphans"), ("log", "verify")):
        said[" ".join(command)] = byline(server, *command).output
    events = server.browser().get("/v1/events?limit=100", headers=AUTHORIZED)
    assert events.status_code == 200
    said["/v1/events"] = events.text
    server.kill()
    said["the server"] = "".join(server.output)
    assert '"path": "/v1/events"' in said["the server"]
    return said


def leaks(said: dict[str, str]) -> dict[str, set[str]]:
    return {name: found for name, text in said.items() if (found := found_in(text))}


def payloads_of(server: Server, kind: str) -> list[dict[str, Any]]:
    rows = read_all(server.folder / "byline.db", f"SELECT payload FROM events WHERE kind = '{kind}' ORDER BY id")
    return [json.loads(row[0]) for row in rows]


def test_the_search_would_find_each_of_them() -> None:
    names = {planted.name for planted in PLANTED}
    for encode in ENCODINGS.values():
        assert found_in(encode(BETWEEN.join(planted.text for planted in PLANTED))) == names
    assert found_in(BETWEEN.join(map(broken_over_lines, PLANTED))) == names
    assert found_in(BETWEEN.join(BENIGN.values())) == set()


def test_what_nobody_stores_on_purpose_is_nowhere_in_the_data_folder(
    server: Server, olive: Browser, tmp_path: Path
) -> None:
    form_token = find_form_token(olive.get("/new").text)
    visitor = server.browser()
    for encode in (in_one_line, ENCODINGS["percent"], ENCODINGS["JSON in a form"]):
        everything = " ".join(encode(planted.text) for planted in PLANTED)
        send_in_headers(visitor, everything)
        send_in_addresses(visitor, everything)
        send_in_forms(olive, everything, form_token)
        send_in_json(server.browser(), everything)
        sign_in_and_fail(server, everything)
    for planted in PLANTED:
        send_as_credentials(visitor, planted)
    give_to_commands(server)
    said = told(server, olive, tmp_path)
    assert "session.sign_in_failed" in said["events"]
    assert leaks(said) == {}
    files = [path for path in server.folder.rglob("*") if path.is_file()]
    assert {"byline.db", "byline.db-wal"} <= {path.name for path in files}
    assert {path.name: found_in(path.read_bytes().decode("latin-1"), depth=1) for path in files} == {
        path.name: set() for path in files
    }


def send_in_headers(visitor: Browser, everything: str) -> None:
    names = ("User-Agent", "X-Api-Key", "X-Forwarded-For", "X-Request-Id", "Accept-Language", "If-None-Match", "Origin")
    values = dict.fromkeys(names, everything) | {
        "Referer": f"https://example.org/?{everything}",
        "Cookie": f"first={everything}",
        "Forwarded": f"for={everything}",
    }
    for name, value in values.items():
        for path in ("/", "/v1/events"):
            assert visitor.get(path, headers={name: value}).status_code in (200, 401)
        assert visitor.post("/login", headers={name: value}).status_code == 403


def send_in_addresses(visitor: Browser, everything: str) -> None:
    whole = quote(everything)
    for path in (
        "/?",
        "/login?next=/",
        "/account?",
        "/v1/posts?limit=",
        "/v1/events?since=",
        "/nowhere?",
        "/feed.xml?",
    ):
        assert visitor.get(f"{path}{whole}").status_code < 500
    for path in ("/setup/", "/join/", "/reset/", "/preview/"):
        assert visitor.get(f"{path}{quote(everything[:2000], safe='')}").status_code in (404, 410)


def send_in_forms(olive: Browser, everything: str, form_token: str) -> None:
    answers = [
        olive.post("/admin/people/ada/role", data={"csrf_token": form_token, "role": everything}),
        olive.post("/admin/people/ada/role", data={"csrf_token": everything, "role": "editor"}),
        olive.post("/admin/people/ada/block", data={"csrf_token": form_token, "reason": everything}),
        olive.post(
            "/account/password",
            data={"csrf_token": form_token, "current_password": everything[:900], "new_password": everything[:900]},
        ),
        olive.post("/new", data={"csrf_token": everything, everything[:5000]: everything}),
        olive.get(f"/admin/log?person={quote(everything[:8000])}"),
        olive.get(f"/admin/log?kind={quote(everything[:8000])}"),
    ]
    assert [answer.status_code for answer in answers] == [422, 403, 422, 422, 403, 200, 422]


def send_in_json(program: Browser, everything: str) -> None:
    program.headers.update(AUTHORIZED)
    unknown: dict[str, Any] = {"title": "x", everything[:3000]: 1, "token": everything, "password": [everything]}
    answers = [
        program.post("/v1/posts", json=unknown),
        program.post("/v1/posts", json={"title": {"a": everything}, "status": everything, "tags": [everything]}),
        program.post("/v1/posts", data=f'{{"title": {everything}', headers={"Content-Type": "application/json"}),
        program.post("/v1/posts", data=everything.encode(), headers={"Content-Type": "text/plain"}),
        program.post("/v1/posts", data=everything.encode() + b"\xff", headers={"Content-Type": "application/json"}),
        program.patch("/v1/posts/nowhere", json=unknown),
        program.delete(f"/v1/sessions/{quote(PLANTED[0].pattern)}", json={"why": everything}),
    ]
    assert [answer.status_code for answer in answers] == [422, 422, 400, 415, 400, 404, 404]


def sign_in_and_fail(server: Server, everything: str) -> None:
    visitor = server.browser()
    token = find_form_token(visitor.get("/login").text)
    for name, password in ((everything, "x"), ("olive", everything[:900]), (everything[:40], everything)):
        more = {"next": f"/?{everything}", "more": everything}
        fields = {"csrf_token": token, "username": name, "password": password, **more}
        assert visitor.post("/login", data=fields, headers={"User-Agent": everything}).status_code == 401
    fields = {"csrf_token": token, "username": "olive", "password": PASSWORD, "remember": everything}
    assert visitor.post("/login", data=fields, headers={"User-Agent": everything}).status_code == 303


def send_as_credentials(visitor: Browser, planted: Planted) -> None:
    line = in_one_line(planted.text)
    visitor.cookies.clear()
    cookie = f"session={_without_spaces(planted.secret)[:3000]}; other={line}"
    assert visitor.get("/", headers={"Authorization": line, "Cookie": cookie}).status_code in (200, 401)
    bearer = f"Bearer {_without_spaces(planted.secret)}"
    assert visitor.get("/", headers={"Authorization": bearer, "Cookie": cookie}).status_code == 401


def give_to_commands(server: Server) -> None:
    """As arguments that are wrong, and as passwords."""
    everything = " ".join(planted.text for planted in PLANTED)
    arguments: tuple[str, ...]
    for arguments in (
        ("user", "block", "ada", "--because", everything), ("user", "role", "ada", everything),
        ("token", "create", "olive", "--scope", everything), ("log", "export", "x", "--level", everything),
        ("log", "retain", "--ttl", everything), (everything,),
    ):  # fmt: skip
        assert byline(server, *arguments).exit_code == 2
    for arguments in (
        ("user", "block", everything), ("token", "revoke", everything), ("log", "verify", "--head", everything),
        ("user", "block", "ada", "--reason", everything), ("user", "add", everything, "--role", "author"),
    ):  # fmt: skip
        assert byline(server, *arguments, text=f"{PASSWORD}\n").exit_code == 1
    secret = PLANTED[0].secret
    assert byline(server, "user", "password", "ada", text=f"{secret}\n").exit_code == 0
    ada = server.browser()
    assert ada.sign_in("ada", secret).status_code == 303


def test_what_is_kept_on_purpose_is_not_in_the_log_nor_in_what_the_server_says(
    server: Server, olive: Browser, tmp_path: Path, soak: bool
) -> None:
    token = find_form_token(olive.get("/new").text)
    texts = [planted.text for planted in PLANTED]
    broken = [broken_over_lines(planted) for planted in PLANTED if planted.is_wrappable]
    encoded = [ENCODINGS[name](text) for name in (ENCODINGS if soak else FEW_ENCODINGS) for text in texts]
    notes = [*chunks([*texts, *broken], 1000), *(text for text in encoded if len(text) <= 1000)]
    dispose_with(server, olive, token, notes)
    reasons = [*chunks([*texts, *broken], 500)]
    for reason in reasons:
        blocked = olive.post("/admin/people/ada/block", data={"csrf_token": token, "reason": reason})
        unblocked = olive.post("/admin/people/ada/unblock", data={"csrf_token": token})
        assert (blocked.status_code, unblocked.status_code) == (303, 303)
    assert byline(server, "user", "block", "ada", "--reason", reasons[0]).exit_code == 0
    for planted in PLANTED:
        made = byline(server, "token", "create", "olive", "--scope", "account", "--label", planted.text)
        assert made.exit_code == (0 if len(planted.text) <= 100 and planted.text.isprintable() else 1)
        title = {"title": ENCODINGS["JSON"](planted.text)[:190], "slug": f"a-{PLANTED.index(planted)}"}
        assert server.browser().post("/v1/posts", json=title, headers=AUTHORIZED).status_code == 201
    lines = [text for text in texts if text.isprintable()]
    for name, tagline in zip(chunks(lines, 100), chunks(lines, 200), strict=False):
        settings = {"name": in_one_line(name), "tagline": in_one_line(tagline), "language": "en", "time_zone": "UTC"}
        assert olive.post("/admin/settings", data={"csrf_token": token, **settings}).status_code == 303
    said = told(server, olive, tmp_path)
    disposed, blocked_events = payloads_of(server, "operation.disposed"), payloads_of(server, "user.blocked")
    assert (len(disposed), len(blocked_events)) == (len(notes), len(reasons) + 1)
    assert len(payloads_of(server, "post.created")) == len(PLANTED)
    for payload in (*disposed, *blocked_events):
        assert "[redacted: " in (payload.get("note") or payload["reason"])
        assert sum(payload["redacted"].values()) >= 1
    assert leaks(said) == {}


def dispose_with(server: Server, olive: Browser, token: str, notes: list[str]) -> None:
    """Operations that were left open, with these notes on what became of them."""
    database = Database(server.folder / "byline.db", readers=1)
    try:
        for number in range(len(notes)):
            record_intent(database, "test.work", by=Nobody("s", "(test)"), call_id=f"c{number}")
    finally:
        database.close()
    for number, note in enumerate(notes):
        fields = {"csrf_token": token, "outcome": "abandoned", "note": note}
        assert olive.post(f"/admin/unfinished/c{number}", data=fields).status_code == 303


def test_what_holds_no_secret_is_recorded_as_it_was_typed(server: Server, olive: Browser) -> None:
    token = find_form_token(olive.get("/new").text)
    # Half a character cannot be sent.
    texts = {name: text.replace("\ud800", "").strip() for name, text in BENIGN.items()}
    short = {name: text for name, text in texts.items() if len(text) <= 500}
    assert set(texts) - set(short) == {"a picture"}
    for text in short.values():
        fields = {"csrf_token": (None, token), "reason": (None, text)}
        assert olive.post("/admin/people/ada/block", files=fields).status_code == 303
        assert olive.post("/admin/people/ada/unblock", data={"csrf_token": token}).status_code == 303
    assert payloads_of(server, "user.blocked") == [{"reason": text} for text in short.values()]
    database = Database(server.folder / "byline.db", readers=1)
    try:
        with database.transaction() as db:
            append_event(db, SERVER_STARTED, by=Nobody("s", "(test)"), payload={"texts": list(texts.values())})
    finally:
        database.close()
    assert payloads_of(server, "server.started")[-1] == {"texts": list(texts.values())}
