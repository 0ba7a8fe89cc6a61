"""One's own export: a zip of one's own events, sent while it is made, announced before and concluded after."""

import io
import json
import secrets
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import pytest
from werkzeug.test import TestResponse

from auth.permissions import Scope
from eventlog.actors import Nobody
from eventlog.kinds import declare
from eventlog.log.appending import append_event
from eventlog.log.following import events_since
from eventlog.log.model import Event
from tests.support import PASSWORD, Client, Server, Site, find_form_token
from web.pieces import PIECE_BYTES, CalledOff, pieces_of

EXPORTED = declare("test.exported")


def export(client: Client, level: str = "standard", **more: Any) -> TestResponse:
    fields = {"csrf_token": client.form_token("/account/export"), "level": level}
    return client.post("/account/export", data=fields, **more)


def opened(data: bytes) -> zipfile.ZipFile:
    bundle = zipfile.ZipFile(io.BytesIO(data))
    assert bundle.testzip() is None
    return bundle


def lines_of(bundle: zipfile.ZipFile) -> list[dict[str, Any]]:
    return [json.loads(line) for line in bundle.read("events.jsonl").splitlines()]


def events(site: Site) -> list[Event]:
    with site.database.reading() as db:
        return events_since(db, None, 0, 0)


def outcomes(site: Site) -> list[Any]:
    with site.database.reading() as db:
        rows = db.exec_driver_sql("SELECT operation, actor, outcome, payload FROM intents ORDER BY recorded_at")
        return [tuple(row) for row in rows]


def note(site: Site, name: str, count: int) -> None:
    """A log too long to be sent in one go, and too random to be packed."""
    with site.database.transaction() as db:
        for number in range(count):
            append_event(db, EXPORTED, by=Nobody("1.1", name), payload={"n": number, "t": " ".join(_words())})


def _words() -> Iterator[str]:
    # Short enough to be nobody's secret.
    return (secrets.token_hex(4) for _ in range(100))


def test_the_zip_holds_one_s_own_events_and_nobody_else_s(site: Site) -> None:
    alan, ada = site.client(), site.client("ada")
    alan.submit("/login", username="alan", password=PASSWORD)
    alan.submit("/new", title="Mine", status="draft")
    ada.submit("/new", title="Theirs", status="draft")
    answer = export(alan)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/zip"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="byline-alan.zip"'
    assert answer.headers["Cache-Control"] == "private, no-store"
    bundle = opened(answer.data)
    assert sorted(bundle.namelist()) == ["bundle.json", "events.jsonl", "meta.json"]
    told = lines_of(bundle)
    assert [event["kind"] for event in told] == ["session.signed_in", "post.created"]
    assert {event["actor"] for event in told} == {"alan"}
    about = json.loads(bundle.read("bundle.json"))
    assert (about["profile"], about["level"], about["actor"]) == ("Byline", "standard", "alan")
    assert json.loads(bundle.read("meta.json"))["first_at"] == told[0]["occurred_at"]


def test_the_strict_level_tells_kinds_and_times(site: Site) -> None:
    alan = site.client("alan")
    alan.submit("/new", title="Mine", status="draft")
    (event,) = lines_of(opened(export(alan, "strict").data))
    assert sorted(event) == ["kind", "occurred_at"]


def test_only_an_owner_is_offered_and_given_the_maintainer_level(site: Site) -> None:
    alan, olive = site.client("alan"), site.client("olive")
    assert 'value="maintainer"' not in alan.get("/account/export").text
    assert 'value="maintainer"' in olive.get("/account/export").text
    assert "redactions.txt" in opened(export(olive, "maintainer").data).namelist()
    before = len(events(site))
    for level in ("maintainer", "", "STRICT", "x"):
        answer = export(alan, level)
        assert answer.status_code == 422, level
        assert 'id="field-level-error"' in answer.text
    assert len(events(site)) == before
    assert [row[:3] for row in outcomes(site)] == [("log.export", "olive", "done")]


def test_it_is_announced_concluded_and_recorded(site: Site) -> None:
    alan = site.client("alan")
    alan.submit("/new", title="Mine", status="draft")
    export(alan)
    about = {"actor": "alan", "level": "standard"}
    (intent,) = outcomes(site)
    assert (*intent[:3], json.loads(intent[3])) == ("log.export", "alan", "done", about)
    newest = events(site)[-1]
    assert (newest.kind, newest.actor, newest.payload) == ("log.exported", "alan", {**about, "count": 1})


def test_a_reader_who_leaves_has_abandoned_it(site: Site) -> None:
    note(site, "alan", 300)
    answer = export(site.client("alan"), buffered=False)
    next(iter(answer.response))
    assert [row[2] for row in outcomes(site)] == [None]
    answer.close()
    assert [row[2] for row in outcomes(site)] == ["abandoned"]
    assert "log.exported" not in {event.kind for event in events(site)}
    assert _writers() == []
    # It changed nothing, and may be begun again.
    assert len(lines_of(opened(export(site.client("alan")).data))) == 300


def test_one_that_fails_is_recorded_as_failed(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_args: object) -> int:
        raise RuntimeError("half way")

    monkeypatch.setattr("auth.sessions.exporting.write_bundle", fail)
    with pytest.raises(RuntimeError, match="half way"):
        export(site.client("alan"))
    assert [row[2] for row in outcomes(site)] == ["failed"]


def test_a_long_log_is_read_and_sent_piece_by_piece(site: Site) -> None:
    note(site, "alan", 2500)
    alan = site.client("alan")
    with site.counted_statements() as statements:
        answer = export(alan, buffered=False)
        pieces: Iterator[Any] = iter(answer.response)
        first = next(pieces)
        # Nothing is read ahead of whoever takes it: the first thousand events fill more than one piece.
        read_at_first = _batches(statements)
        taken = [first, *pieces]
    assert (read_at_first, _batches(statements)) == (1, 3)
    assert len(taken) > 10
    assert max(map(len, taken)) <= 2 * PIECE_BYTES
    told = lines_of(opened(b"".join(taken)))
    assert [event["payload"]["n"] for event in told] == list(range(2500))


def _batches(statements: list[str]) -> int:
    return sum("FROM events" in statement and "events.actor = " in statement for statement in statements)


def test_nobody_and_programs_do_not_get_in(site: Site) -> None:
    nobody = site.client()
    answer = nobody.get("/account/export")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/login?next=/account/export")
    assert nobody.post("/account/export", data={"level": "strict"}).status_code == 401
    for scopes in ((Scope.ACCOUNT,), tuple(Scope)):
        program = site.client(token=site.token("olive", *scopes))
        assert program.get("/account/export").status_code == 403
        assert program.post("/account/export", data={"level": "strict"}).status_code == 403
    assert outcomes(site) == []


def test_a_form_without_its_token_gives_nothing(site: Site) -> None:
    alan = site.client("alan")
    for fields in ({"level": "strict"}, {"level": "strict", "csrf_token": "x"}, {"level": "x"}):
        answer = alan.post("/account/export", data=fields)
        assert answer.status_code == 403
        assert find_form_token(answer.text) == alan.form_token("/account/export")
    assert outcomes(site) == []


def test_the_desk_leads_there_and_the_page_says_what_the_file_holds(site: Site) -> None:
    rita = site.client("rita")
    assert 'href="/account/export"' in rita.get("/account").text
    page = rita.get("/account/export").text
    assert "events.jsonl" in page
    assert 'value="standard"' in page
    assert export(rita).status_code == 200


def test_a_real_server_sends_it_whole(tmp_path: Path) -> None:
    server = Server(tmp_path / "instance", processes=1).start()
    try:
        browser = server.browser()
        browser.sign_in()
        answer = browser.submit("/account/export", {"level": "maintainer"})
        assert answer.headers["Transfer-Encoding"] == "chunked"
        assert [event["kind"] for event in lines_of(opened(answer.content))] == ["session.signed_in"]
    finally:
        server.kill()


# In pieces


def test_what_is_written_comes_out_on_demand_and_whole() -> None:
    written = 0

    def produce(stream: IO[bytes]) -> str:
        nonlocal written
        for _ in range(10):
            stream.write(b"x" * PIECE_BYTES)
            written += 1
        stream.write(b"y")
        return "done"

    returned: list[str] = []

    def reading() -> Iterator[bytes]:
        returned.append((yield from pieces_of(produce)))

    pieces = []
    for piece in reading():
        pieces.append(piece)
        # At most the one in hand and the one in the buffer.
        assert written <= len(pieces) + 1
    assert pieces == [b"x" * PIECE_BYTES] * 10 + [b"y"]
    assert returned == ["done"]


def test_closing_it_stops_the_writing() -> None:
    seen: list[type[BaseException]] = []

    def produce(stream: IO[bytes]) -> None:
        try:
            while True:
                stream.write(b"x" * PIECE_BYTES)
        except BaseException as error:
            seen.append(type(error))
            stream.write(b"a last word" * PIECE_BYTES)  # as a zip does
            raise

    made = pieces_of(produce)
    next(made)
    made.close()
    assert seen == [CalledOff]
    assert _writers() == []


def _writers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("ThreadPoolExecutor")]


def test_a_failure_of_the_writing_is_the_reader_s() -> None:
    def produce(stream: IO[bytes]) -> None:
        stream.write(b"x" * PIECE_BYTES * 2)
        raise ValueError("no more")

    with pytest.raises(ValueError, match="no more"):
        list(pieces_of(produce))
