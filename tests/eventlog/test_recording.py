"""What happened is known: every change leaves its event in the same transaction, under the session of whoever did it."""

import itertools
import json
import secrets

import pytest

from auth.permissions import Scope
from eventlog.actors import Nobody
from eventlog.errors import SchemaMismatch, UnknownSession
from eventlog.kinds import Kind, declare, declared_names
from eventlog.log.appending import append_event
from eventlog.log.following import check_schema, events_since, list_past_sessions
from eventlog.log.model import Event
from storage import clock
from tests.folders import run_byline
from tests.ports import free_port
from tests.support import PASSWORD, TESTER, Site
from web.errors import Invalid

SOMETHING = declare(
    "test.happened", private={"address": lambda text: text.rpartition(".")[0], "cookie": lambda _text: None}
)


def _events(site: Site) -> list[Event]:
    with site.database.reading() as db:
        return events_since(db, None, 0, 0)


def _kinds_of(site: Site, session: str) -> list[str]:
    with site.database.reading() as db:
        return [event.kind for event in events_since(db, session, 0, 0)]


def test_a_sign_in_and_what_is_done_with_it_belong_to_one_session(site: Site) -> None:
    alan = site.client()
    alan.environ_base["HTTP_USER_AGENT"] = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
    alan.submit("/login", username="alan", password=PASSWORD)
    alan.submit("/new", title="Hello", status="published")
    alan.submit("/posts/hello/unpublish", page="/posts/hello")
    alan.submit("/posts/hello/delete", version="2")
    alan.submit("/logout", page="/new")
    with site.database.reading() as db:
        session = next(s for s in list_past_sessions(db, 0) if s.actor == "alan")
    assert session.first_message == "Firefox on Linux"
    assert _kinds_of(site, session.session_id) == [
        "session.signed_in", "post.created", "post.published", "post.edited", "post.unpublished", "post.deleted",
        "session.signed_out",
    ]  # fmt: skip
    assert session.event_count == 7


def test_a_token_is_a_session_of_its_own_and_its_first_use_is_recorded_once(site: Site) -> None:
    token = site.token("alan", Scope.POSTS_WRITE)
    program = site.client(token=token)
    program.post("/v1/posts", json={"title": "x"})
    program.get("/v1/posts")
    with site.database.reading() as db:
        session = next(s.session_id for s in list_past_sessions(db, 0) if s.session_id.startswith("token."))
    assert _kinds_of(site, session) == ["token.first_used", "post.created"]


def test_what_owners_do_to_people_is_recorded(site: Site) -> None:
    olive = site.client("olive")
    site.client("ada")
    olive.submit("/admin/people/ada/role", page="/admin", role="editor")
    olive.submit("/admin/people/ada/role", page="/admin", role="editor")  # again: nothing happens
    site.client("ada")
    olive.submit("/admin/people/ada/block", page="/admin", reason="spam")
    olive.submit("/admin/people/ada/unblock", page="/admin")
    olive.submit("/admin/settings", name="Notes", language="en", time_zone="UTC")
    done = [(event.kind, event.subject) for event in _events(site) if event.actor == "olive"]
    assert done == [
        ("user.role_changed", "user:ada"), ("session.ended", "user:ada"), ("user.blocked", "user:ada"),
        ("session.ended", "user:ada"), ("user.unblocked", "user:ada"), ("settings.changed", None),
    ]  # fmt: skip


def test_failed_sign_ins_are_recorded_for_known_accounts_once_in_ten_minutes(site: Site) -> None:
    visitor = site.client()
    for name in ("alan", "alan", "nobody", "bob"):
        visitor.submit("/login", username=name, password="wrong")
    failed = [event.subject for event in _events(site) if event.kind == "session.sign_in_failed"]
    assert failed == ["user:alan", "user:bob"]


def test_reading_records_nothing(site: Site) -> None:
    site.post()
    alan = site.client("alan")
    before = len(_events(site))
    for client in (site.client(), alan):
        for path in ("/", "/posts/a-post", "/feed.xml", "/v1/posts", "/nothing"):
            client.get(path)
    assert len(_events(site)) == before


def test_a_change_that_is_rolled_back_leaves_no_event(site: Site) -> None:
    before = len(_events(site))

    def change_and_fail() -> None:
        with site.database.transaction() as db:
            append_event(db, SOMETHING, by=TESTER)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        change_and_fail()
    assert len(_events(site)) == before


def test_private_fields_are_coarse_or_left_out_and_secrets_are_redacted_and_counted(site: Site) -> None:
    secret = "byl_" + secrets.token_urlsafe(32)
    with site.database.transaction() as db:
        payload = {"address": "192.0.2.77", "cookie": "c", "note": f"token {secret}"}
        append_event(db, SOMETHING, by=TESTER, payload=payload)
    stored = _events(site)[-1].payload
    assert stored is not None
    assert stored["address"] == "192.0.2"
    assert "cookie" not in stored
    assert secret not in json.dumps(stored)
    assert sum(stored["redacted"].values()) == 1


BAD = [{"x": object()}, {"x": float("nan")}, {"x": {1, 2}}, {"x": "\ud800"}, {"x": "y" * 70_000}]


@pytest.mark.parametrize("payload", BAD, ids=["object", "nan", "set", "surrogate", "long"])
def test_a_payload_that_cannot_be_kept_refuses_the_change_with_it(site: Site, payload: dict[str, object]) -> None:
    before = len(_events(site))
    with pytest.raises(Invalid), site.database.transaction() as db:
        append_event(db, SOMETHING, by=TESTER, payload=payload)
    assert len(_events(site)) == before


def test_a_kind_that_nobody_declared_is_an_error(site: Site) -> None:
    with pytest.raises(ValueError, match="not declared"), site.database.transaction() as db:
        append_event(db, Kind("test.invented"), by=TESTER)
    with pytest.raises(ValueError, match="twice"):
        declare("test.happened")


def test_ids_increase_also_when_the_clock_jumps_back(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    now = clock.now()
    for at in (now, now - clock.HOUR, now + 1):
        monkeypatch.setattr(clock, "now", lambda at=at: at)
        with site.database.transaction() as db:
            append_event(db, SOMETHING, by=Nobody("jump", "(test)"))
    events = [event for event in _events(site) if event.session_id == "jump"]
    assert [b.id - a.id for a, b in itertools.pairwise(events)] == [1, 1]
    with site.database.reading() as db:
        session = next(s for s in list_past_sessions(db, 0) if s.session_id == "jump")
    assert session.last_seen_at == now + 1


def test_a_session_is_paged_through_without_a_hidden_cap(site: Site) -> None:
    with site.database.transaction() as db:
        for number in range(250):
            append_event(db, SOMETHING, by=Nobody("long", "(test)"), payload={"n": number})
    seen: list[Event] = []
    with site.database.reading() as db:
        assert len(events_since(db, "long", 0, 0)) == 250
        while page := events_since(db, "long", seen[-1].id if seen else 0, 100):
            seen += page
        with pytest.raises(UnknownSession):
            events_since(db, "unknown", 0, 1)
    assert [event.payload for event in seen] == [{"n": number} for number in range(250)]


def test_a_log_of_a_newer_version_is_refused(site: Site) -> None:
    check_schema(site.database)
    with site.database.transaction() as db:
        db.exec_driver_sql("UPDATE event_log SET schema_version = 99")
    before, rows = site.rows("events"), site.rows("epochs")
    with pytest.raises(SchemaMismatch, match="newer version"):
        check_schema(site.database)
    started = run_byline(site.folder, "serve", environment={"PORT": str(free_port())})
    assert started.returncode == 1
    assert "newer version" in started.stderr
    assert run_byline(site.folder, "log", "tail").returncode == 1
    assert (site.rows("events"), site.rows("epochs")) == (before, rows)


def test_the_kinds_that_are_owed_are_declared() -> None:
    owed = """session.signed_in session.sign_in_failed session.signed_out session.ended token.created token.first_used
        token.revoked user.created user.role_changed user.blocked user.unblocked user.password_changed post.created
        post.edited post.published post.unpublished post.deleted settings.changed log.exported log.retention_applied
        server.started"""
    assert set(owed.split()) <= set(declared_names())


def test_the_api_follows_and_lets_in_owners_and_tokens_with_the_scope(site: Site) -> None:
    assert site.client().get("/v1/events").status_code == 401
    assert site.client("edith").get("/v1/events").status_code == 403
    assert site.client(token=site.token("olive", Scope.POSTS_READ)).get("/v1/events").status_code == 403
    reader = site.client(token=site.token("olive", Scope.EVENTS_READ))
    seen: list[int] = []
    path: str | None = "/v1/events?limit=3"
    while path:
        page = reader.get(path).json
        assert page is not None
        seen += [event["id"] for event in page["items"]]
        path = page["next"]
    assert seen == list(range(1, len(seen) + 1))
    assert len(seen) == len(_events(site))
    for query in ("since=-1", "since=x", "since=9999999999999999999999", "limit=0", "limit=101"):
        assert reader.get(f"/v1/events?{query}").status_code == 422, query
    assert reader.get("/v1/events?session=unknown").status_code == 404
