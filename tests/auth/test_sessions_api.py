"""One's own sessions as JSON: which there are, and ending one from afar."""

from typing import Any

import pytest
import time_machine

from auth.permissions import Scope
from auth.sessions.model import IDLE_LIMIT_UNREMEMBERED
from auth.sessions.store import name_of
from eventlog.kinds import declare
from eventlog.log.appending import append_event
from eventlog.log.following import events_since
from eventlog.log.model import Event
from eventlog.retention.applying import apply_retention
from storage import clock
from tests.support import PASSWORD, Client, Site

DONE = declare("test.done")
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
FIELDS = [
    "id", "kind", "created_at", "last_seen_at", "event_count", "first_message", "user_agent", "address", "current",
]  # fmt: skip


def sign_in(site: Site, name: str = "alan", *, agent: str = FIREFOX, address: str = "203.0.113.77") -> Client:
    browser = site.client()
    browser.environ_base |= {"HTTP_USER_AGENT": agent, "REMOTE_ADDR": address}
    assert browser.submit("/login", username=name, password=PASSWORD, remember="y").status_code == 303
    return browser


def sessions_of(client: Client, query: str = "") -> list[dict[str, Any]]:
    answer = client.get(f"/v1/sessions{query}")
    assert answer.status_code == 200
    assert answer.json is not None
    items: list[dict[str, Any]] = answer.json["items"]
    return items


def current_of(client: Client) -> str:
    (current,) = [item["id"] for item in sessions_of(client, "?limit=100") if item["current"]]
    return str(current)


def end(client: Client, session_id: str) -> int:
    return client.delete(f"/v1/sessions/{session_id}", headers={"X-CSRF-Token": client.form_token()}).status_code


def newest_event(site: Site) -> Event:
    with site.database.reading() as db:
        return events_since(db, None, 0, 0)[-1]


def test_an_item_says_what_its_person_may_know_it_by(site: Site) -> None:
    before = clock.to_rfc3339(clock.now())
    browser = sign_in(site)
    browser.submit("/new", title="Hello", status="published")
    (item,) = sessions_of(browser)
    assert list(item) == FIELDS
    assert item["id"].count(".") == 1
    assert item["id"].replace(".", "").isdecimal()
    assert before < item["created_at"] < item["last_seen_at"] < clock.to_rfc3339(clock.now())
    known = {name: item[name] for name in FIELDS if not name.endswith("_at") and name != "id"}
    assert known == {
        "kind": "sign_in", "event_count": 3, "first_message": "Firefox on Linux", "user_agent": "Firefox on Linux",
        "address": "203.0.113.0/24", "current": True,
    }  # fmt: skip


def test_one_s_own_are_listed_last_seen_first_and_nobody_else_s(site: Site) -> None:
    laptop, phone = sign_in(site), sign_in(site, agent="iPhone Safari")
    sign_in(site, "ada")
    assert [item["user_agent"] for item in sessions_of(laptop)] == ["Safari on iPhone", "Firefox on Linux"]
    assert [item["current"] for item in sessions_of(laptop)] == [False, True]
    assert [item["current"] for item in sessions_of(phone)] == [True, False]
    laptop.submit("/new", title="Later")
    assert [item["user_agent"] for item in sessions_of(laptop)] == ["Firefox on Linux", "Safari on iPhone"]
    # A token is nobody's current session.
    by_token = site.client(token=site.token("alan", Scope.ACCOUNT))
    assert [item["current"] for item in sessions_of(by_token)] == [False, False]


def test_what_has_ended_is_listed_when_it_is_asked_for(site: Site) -> None:
    first, second = sign_in(site), sign_in(site)
    ended = current_of(first)
    first.submit("/logout", page="/new")
    program = site.client(token=site.token("alan", Scope.ACCOUNT, Scope.POSTS_WRITE))
    program.post("/v1/posts", json={"title": "x"})  # a session of the log, and no sign-in
    sign_in(site, "ada").submit("/logout", page="/new")
    assert [item["id"] for item in sessions_of(second)] == [current_of(second)]
    assert [item["id"] for item in sessions_of(second, "?past=false")] == [current_of(second)]
    assert [item["id"] for item in sessions_of(second, "?past=true")] == [ended, current_of(second)]
    (gone, _live) = sessions_of(second, "?past=true")
    assert (gone["event_count"], gone["user_agent"], gone["current"]) == (2, "Firefox on Linux", False)


def test_what_is_past_its_limit_has_ended(site: Site) -> None:
    idle = site.client()
    idle.submit("/login", username="alan", password=PASSWORD)
    left = current_of(idle)
    with time_machine.travel((clock.now() + IDLE_LIMIT_UNREMEMBERED) / clock.SECOND + 1):
        browser = site.client("alan")
        assert [item["id"] for item in sessions_of(browser)] == [current_of(browser)]
        assert left in [item["id"] for item in sessions_of(browser, "?past=true")]
        assert end(browser, left) == 404


def test_retention_takes_the_address_and_leaves_the_session(site: Site) -> None:
    browser = sign_in(site)
    with time_machine.travel((clock.now() + 3 * clock.DAY) / clock.SECOND):
        assert apply_retention(site.database, 1) > 0
        (item,) = sessions_of(browser)
    assert item["address"] is None
    assert (item["event_count"], item["current"]) == (1, True)


def test_a_session_that_the_log_does_not_know_is_listed_too(site: Site) -> None:
    (item,) = sessions_of(site.client("alan"))
    assert (item["event_count"], item["first_message"], item["user_agent"], item["address"]) == (0, "", None, None)


@pytest.mark.parametrize("past", ["", "&past=true"])
def test_pages_hold_each_session_once(site: Site, past: str) -> None:
    browsers = [site.client("alan") for _ in range(5)]
    for number, browser in enumerate(browsers):
        with site.database.transaction() as db:
            who = site.principal("alan").__class__(username="alan", session_id=current_of(browser))
            append_event(db, DONE, by=who, payload={"n": number})
    reader, everybody = browsers[0], [current_of(browser) for browser in browsers]
    browsers[4].submit("/logout", page="/new")
    seen: list[str] = []
    path: str | None = f"/v1/sessions?limit=2{past}"
    sizes = []
    while path:
        page = reader.get(path).json
        assert page is not None
        seen += [item["id"] for item in page["items"]]
        sizes.append(len(page["items"]))
        path = page["next"]
    assert sizes == ([2, 2, 1] if past else [2, 2])
    assert sorted(seen) == sorted(everybody if past else everybody[:4])


QUERIES = [
    ("limit=0", "limit"), ("limit=101", "limit"), ("limit=x", "limit"), ("limit=9999999", "limit"), ("past=yes", "past"),
    ("past=", "past"), ("past=True", "past"), ("before=x", "before"), ("before=1~x", "before"),
    ("before=99999999999999999999~1.1", "before"), ("before=1~1.1;", "before"),
]  # fmt: skip


@pytest.mark.parametrize(("query", "field"), QUERIES)
def test_a_query_that_makes_no_sense_is_refused_by_name(site: Site, query: str, field: str) -> None:
    answer = site.client("alan").get(f"/v1/sessions?{query}")
    assert answer.status_code == 422
    assert answer.json is not None
    assert [fault["field"] for fault in answer.json["errors"]] == [field]


def test_ending_one_puts_it_out_at_once_and_is_recorded(site: Site) -> None:
    here, lost = sign_in(site), sign_in(site)
    lost_id = current_of(lost)
    assert lost.get("/account").status_code == 200
    assert end(here, lost_id) == 204
    assert lost.get("/account").status_code == 303
    assert [item["id"] for item in sessions_of(here)] == [current_of(here)]
    event = newest_event(site)
    assert (event.kind, event.actor, event.subject) == ("session.ended", "alan", "user:alan")
    assert event.session_id == current_of(here)
    assert event.payload == {"sessions": [lost_id], "count": 1, "reason": "ended by its person"}
    recorded = event.id
    assert end(here, lost_id) == 404
    assert newest_event(site).id == recorded


def test_the_row_and_its_event_are_one_transaction(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = sign_in(site)
    session_id, token = current_of(browser), browser.form_token()

    def fail(*_args: Any, **_more: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr("auth.sessions.own.append_event", fail)
    with pytest.raises(RuntimeError):
        browser.delete(f"/v1/sessions/{session_id}", headers={"X-CSRF-Token": token})
    assert current_of(browser) == session_id


def test_ending_the_current_one_takes_the_cookie_away(site: Site) -> None:
    browser = sign_in(site)
    answer = browser.delete(f"/v1/sessions/{current_of(browser)}", headers={"X-CSRF-Token": browser.form_token()})
    assert answer.status_code == 204
    assert "session=;" in answer.headers["Set-Cookie"]
    assert browser.get_cookie("session") is None
    assert browser.get("/v1/sessions").status_code == 401


def test_a_program_ends_a_session_with_its_token_alone(site: Site) -> None:
    browser = sign_in(site)
    program = site.client(token=site.token("alan", Scope.ACCOUNT))
    answer = program.delete(f"/v1/sessions/{current_of(browser)}")
    assert (answer.status_code, answer.data) == (204, b"")
    assert browser.get("/account").status_code == 303


def test_nobody_else_s_session_is_there_to_be_ended(site: Site) -> None:
    victim = site.client()
    theirs = name_of(victim.adopt_session("ada"))
    for asker in (site.client("alan"), site.client("olive")):
        for session_id in (theirs, "1.1", "x", "%00", "1.1.secret", "token.x", "%C2%A0"):
            assert end(asker, session_id) == 404, session_id
    assert victim.get("/account").status_code == 200


def test_refusals_come_in_their_order(site: Site) -> None:
    browser = sign_in(site)
    own = current_of(browser)
    for method, path in (("GET", "/v1/sessions?limit=x"), ("DELETE", f"/v1/sessions/{own}")):
        nobody = site.client().open(path, method=method)
        assert nobody.status_code == 401
        assert nobody.headers["WWW-Authenticate"].startswith("Bearer")
        without = site.client(token=site.token("alan", Scope.POSTS_WRITE)).open(path, method=method)
        assert without.status_code == 403
        assert "insufficient_scope" in without.headers["WWW-Authenticate"]
    # What is not there is said before the form token is looked at, and that before anything is done.
    assert browser.delete("/v1/sessions/1.1").status_code == 404
    assert browser.delete(f"/v1/sessions/{own}").status_code == 403
    assert browser.delete(f"/v1/sessions/{own}", headers={"X-CSRF-Token": "x"}).status_code == 403
    assert current_of(browser) == own


def test_the_list_costs_one_statement_whatever_its_length(site: Site) -> None:
    browsers = [site.client("alan") for _ in range(4)]
    for query in ("", "?past=true"):
        with site.counted_statements() as statements:
            sessions_of(browsers[0], query)
        assert len(statements) == 2  # who asks, and the list
