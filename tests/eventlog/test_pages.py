"""The owner's pages of the log: what they show, to whom, and what becomes of unfinished operations."""

import re
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from html import unescape
from random import Random
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import pytest
import time_machine

from auth.permissions import Scope
from blog.site.events import SETTINGS_CHANGED
from eventlog import kinds
from eventlog.actors import Nobody
from eventlog.events import LOG_EXPORTED, SERVER_STARTED
from eventlog.ledger.announcing import Outcome, orphan_intents, record_intent, record_outcome
from eventlog.log import daily
from eventlog.log.appending import append_event
from eventlog.log.following import events_since
from eventlog.log.model import Event
from eventlog.retention.applying import apply_retention
from storage import clock
from tests.support import TESTER, Client, Site, find_form_token
from web.site.queries import change_site

BERLIN = ZoneInfo("Europe/Berlin")
PAGES = ["/admin/log", "/admin/unfinished"]
KINDS = [SERVER_STARTED, SETTINGS_CHANGED, LOG_EXPORTED]
PEOPLE = ["alan", "ada", "olive"]


@pytest.fixture
def olive(site: Site) -> Client:
    return site.client("olive")


def _set_zone(site: Site, zone: str) -> None:
    with site.database.transaction() as db:
        change_site(db, name="Byline", tagline="", language="en", time_zone=zone)


def _fill(site: Site, count: int) -> None:
    dice = Random(7)
    with site.database.transaction() as db:
        for n in range(count):
            by = Nobody(f"9.{dice.randrange(4)}", dice.choice(PEOPLE))
            append_event(db, dice.choice(KINDS), by=by, subject=f"post:{dice.randrange(5)}", payload={"n": n})


def _all(site: Site) -> list[Event]:
    with site.database.reading() as db:
        return events_since(db, None, 0, 0)


def _shown(page: str) -> list[int]:
    """The ids of the events on a page; each event of these tests has something to show in its details."""
    return [int(number) for number in re.findall(r"Details of event (\d+)", page)]


def _walk(client: Client, query: str) -> list[int]:
    """The ids on all pages, by the links that lead on."""
    path, ids = f"/admin/log?{query}", []
    for _ in range(100):
        answer = client.get(path)
        assert answer.status_code == 200
        ids += _shown(answer.text)
        older = re.search(r'class="older" rel="next" href="([^"]+)"', answer.text)
        if older is None:
            return ids
        path = unescape(older[1])
    raise AssertionError("There is always one more page.")


def _plotted(page: str) -> dict[str, int]:
    rows = re.findall(r'<time datetime="([\d-]+)">[^<]*</time></a></td><td[^>]*>([\d,]+)<', page)
    return {day: int(count.replace(",", "")) for day, count in rows}


# Who may


@pytest.mark.parametrize("path", PAGES)
def test_only_owners_see_them_and_never_by_token(site: Site, path: str) -> None:
    nobody = site.client().get(path)
    assert (nobody.status_code, nobody.headers["Location"]) == (303, f"/login?next={path}")
    for name in ("edith", "alan", "rita"):
        assert site.client(name).get(path).status_code == 403
    assert site.client(token=site.token("olive", *Scope)).get(path).status_code == 403
    assert site.client("olive").get(path).status_code == 200
    assert f'href="{path}"' in site.client("olive").get("/admin").text


def test_only_owners_dispose(site: Site) -> None:
    record_intent(site.database, "test.work", by=TESTER, call_id="one")
    data = {"outcome": "done", "note": ""}
    assert site.client().post("/admin/unfinished/one", data=data).status_code == 401
    for name in ("edith", "alan", "rita"):
        assert site.client(name).post("/admin/unfinished/one", data=data).status_code == 403
    token = site.client(token=site.token("olive", *Scope))
    assert token.post("/admin/unfinished/one", data=data).status_code == 403
    assert _open(site) == ["one"]


# Filters and pages


FILTERS = {
    "": lambda e: True,
    "person=alan": lambda e: e.actor == "alan",
    "kind=log.exported": lambda e: e.kind == "log.exported",
    "subject=post:3": lambda e: e.subject == "post:3",
    "session=9.2": lambda e: e.session_id == "9.2",
    "person=ada&kind=settings.changed": lambda e: e.actor == "ada" and e.kind == "settings.changed",
    "person=ada&session=9.1&subject=post:1": lambda e: (e.actor, e.session_id, e.subject) == ("ada", "9.1", "post:1"),
    "person=&kind=&subject=&session=": lambda e: True,
}


@pytest.mark.parametrize("query", FILTERS)
@pytest.mark.parametrize("day", [None, date(2026, 11, 7), date(2026, 11, 10)])
def test_each_event_that_a_filter_leaves_is_shown_once_the_newest_first(
    site: Site, query: str, day: date | None
) -> None:
    with time_machine.travel(datetime(2026, 11, 10, 12, tzinfo=UTC), tick=False):
        _fill(site, 400)
        _move(site, [(e.id, e.occurred_at - 3 * clock.DAY) for e in _all(site) if e.id % 4 == 0])
        events = [e for e in reversed(_all(site)) if e.payload and FILTERS[query](e)]
        if day is not None:
            events = [e for e in events if clock.to_datetime(e.occurred_at).date() == day]
        found = _walk(site.client("olive"), query if day is None else f"{query}&day={day}")
    assert len(events) > 0
    assert found == [e.id for e in events]


def test_events_that_come_meanwhile_disturb_no_page(site: Site, olive: Client) -> None:
    _fill(site, 120)
    first = olive.get("/admin/log?kind=server.started&person=alan").text
    before = _shown(first)
    _fill(site, 30)
    assert _shown(olive.get("/admin/log?kind=server.started&person=alan").text) != before
    second = olive.get(f"/admin/log?before={before[9]}&kind=server.started&person=alan").text
    assert _shown(second)[: len(before) - 10] == before[10:]


def test_a_page_costs_the_same_statements_whatever_it_shows(site: Site, olive: Client) -> None:
    _fill(site, 5)
    with site.counted_statements() as few:
        olive.get("/admin/log?person=alan&kind=server.started")
    _fill(site, 100)
    with site.counted_statements() as many:
        olive.get("/admin/log?person=alan&kind=server.started")
    assert len(few) == len(many)
    assert sum("UNION ALL" in statement for statement in many) == 1
    counting = next(statement for statement in many if "UNION ALL" in statement)
    assert "payload" not in counting


@pytest.mark.parametrize("query", ["person=zoe", "session=0.0", "day=1999-12-31", "before=1", "day=0001-01-03"])
def test_what_matches_nothing_leads_back(olive: Client, query: str) -> None:
    answer = olive.get(f"/admin/log?{query}")
    assert answer.status_code == 200
    assert _shown(answer.text) == []
    assert re.search(r'class="empty">[^<]+<a href="/admin/log">', answer.text)


BAD = [
    ("day", "yesterday"), ("day", "2026-02-30"), ("day", "20261120"), ("day", "2026-W47-5"), ("day", "9999-12-31"),
    ("day", "0001-01-01"), ("day", "٢٠٢٦-١١-٢٠"), ("kind", "no.such"), ("kind", "server.started' OR 1=1"),
    ("before", "x"), ("before", "0"), ("before", "-1"), ("before", "9" * 19), ("before", "9" * 400), ("before", "1.5"),
    ("before", "²"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value"), BAD)
def test_a_bad_filter_is_said_beside_its_field_and_the_form_stays_filled(olive: Client, name: str, value: str) -> None:
    answer = olive.get(f"/admin/log?{urlencode({'person': 'ada', name: value})}")
    assert answer.status_code == 422
    assert 'value="ada"' in answer.text
    if name != "before":
        assert f'id="field-{name}-error"' in answer.text
    if name == "day":
        assert f'value="{value}"' in answer.text
    assert "attention" in answer.text


@pytest.mark.parametrize("value", ["%00", "%FF", "%ED%A0%80", "a" * 2000, "%27--", "%25", "%E2%80%AE"])
@pytest.mark.parametrize("name", ["person", "subject", "session"])
def test_any_text_may_be_looked_for(olive: Client, name: str, value: str) -> None:
    assert olive.get(f"/admin/log?{name}={value}").status_code == 200


# What an event looks like


def test_an_event_is_said_in_words_and_leads_on(site: Site, olive: Client) -> None:
    post = site.post("alan", title="Ice on the rigging")
    page = olive.get("/admin/log").text
    assert "alan</bdi></a> began “<bdi>Ice on the rigging</bdi>”" in page
    assert f'href="/admin/log?subject=post%3A{post.id}"' in page
    assert 'href="/admin/log?session=1.1"' in page
    assert 'href="/admin/log?person=alan"' in page
    assert 'href="/admin/log?kind=post.created"' in page
    assert "<dd><bdi>Ice on the rigging</bdi></dd>" in page


def test_every_declared_kind_is_shown_with_any_payload_or_none(site: Site, olive: Client) -> None:
    names = ("title", "slug", "device", "count", "reason", "for", "label", "role", "to", "operation", "outcome")
    values: list[object] = ["word", "", 7, 1, True, None, ["a", 2], {"b": {}}, "<i>", -1.5]
    for value in values:
        with site.database.transaction() as db:
            for kind in kinds._declared.values():
                append_event(db, kind, by=TESTER, subject="thing:x", payload=dict.fromkeys(names, value))
                append_event(db, kind, by=TESTER)
        newest = _all(site)[-1].id
        assert len(_walk(olive, f"before={newest + 1}")) >= len(kinds._declared)
        assert "<i>" not in olive.get("/admin/log").text
    apply_retention(site.database, 0)
    page = olive.get("/admin/log").text
    assert page.count("emptied by retention") == 50 - page.count("Details of event")


def test_hostile_words_stay_words(site: Site, olive: Client) -> None:
    evil = '"><script>alert(1)</script>{{ 7*7 }}'
    by = Nobody(evil + "s", evil + "a")
    record_intent(site.database, evil + "o", by=by, call_id="../a b/" + evil, payload={evil: [evil, {evil: evil}]})
    with site.database.transaction() as db:
        for kind in KINDS:
            append_event(db, kind, by=by, subject=evil, payload={evil: evil, "title": evil, "x" * 5000: "y" * 60_000})
    for path in [*PAGES, f"/admin/log?{urlencode({'person': evil + 'a', 'subject': evil})}"]:
        page = olive.get(path).text
        assert "<script" not in page
        assert "{{ 7*7 }}" in page
        assert len(page) < 60_000
    assert len(_shown(page)) == 3


def test_the_page_of_the_log_may_be_kept_by_nobody(olive: Client) -> None:
    answer = olive.get("/admin/log")
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert " style=" not in answer.text
    assert "<style" not in answer.text


# Days


def _move(site: Site, times: list[tuple[int, int]]) -> None:
    with site.database.transaction() as db:
        for event_id, at in times:
            db.exec_driver_sql("UPDATE events SET occurred_at = ? WHERE id = ?", (at, event_id))


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Asia/Kathmandu", "UTC"])
@pytest.mark.parametrize("query", ["", "person=alan", "kind=settings.changed", "person=ada&subject=post:1"])
def test_the_plot_counts_what_is_there(site: Site, zone: str, query: str) -> None:
    # In the 30 days before, Berlin put its clocks back on 25 October and New York on 1 November.
    with time_machine.travel(datetime(2026, 11, 10, 22, 30, tzinfo=UTC), tick=False):
        _set_zone(site, zone)
        _fill(site, 400)
        at = clock.now()
        # Every two hours, out of order, and on the very borders of days.
        times = [(e.id, at - (e.id * 7 % 400) * 2 * clock.HOUR) for e in _all(site)]
        midnights = [daily.start_of(date(2026, 10, d), ZoneInfo(zone)) for d in (24, 25, 26, 31)]
        times[50:58] = [
            (times[50 + n][0], m + shift) for n, (m, shift) in enumerate((m, s) for m in midnights for s in (0, -1))
        ]
        _move(site, times)
        page = site.client("olive").get(f"/admin/log?{query}").text
        condition = (
            FILTERS.get(query)
            or {
                "kind=settings.changed": lambda e: e.kind == "settings.changed",
                "person=ada&subject=post:1": lambda e: (e.actor, e.subject) == ("ada", "post:1"),
            }[query]
        )
        today = datetime.now(ZoneInfo(zone)).date()
        counted = Counter(
            datetime.fromtimestamp(e.occurred_at // clock.SECOND, ZoneInfo(zone)).date()
            for e in _all(site)
            if condition(e)
        )
    expected = {str(day): counted[day] for day in (today - timedelta(days=back) for back in range(30))}
    assert sum(expected.values()) > 5
    assert _plotted(page) == expected
    drawn = [int(count) for count in re.findall(r"<title>\d+ \w+ \d{4}: ([\d,]+)</title>", page)]
    assert drawn == list(reversed(expected.values()))


def test_a_day_lists_what_the_plot_counts_and_the_plot_forgets_the_day(site: Site) -> None:
    with time_machine.travel(datetime(2026, 11, 10, 22, 30, tzinfo=UTC), tick=False):
        _set_zone(site, "Europe/Berlin")
        _fill(site, 200)
        hours = [
            (e.id, daily.start_of(date(2026, 10, 24), BERLIN) + n * clock.HOUR // 2) for n, e in enumerate(_all(site))
        ]
        _move(site, hours)
        olive = site.client("olive")
        counts = _plotted(olive.get("/admin/log?person=alan").text)
        assert counts == _plotted(olive.get("/admin/log?person=alan&day=2026-10-25").text)
        for day in ("2026-10-24", "2026-10-25", "2026-10-26", "2026-10-27"):
            assert counts[day] > 0
            assert len(_walk(olive, f"person=alan&day={day}")) == counts[day]


def test_days_have_the_hours_that_their_clocks_give_them() -> None:
    def hours(day: date, zone: str) -> float:
        start, end = daily.span_of(day, ZoneInfo(zone))
        return (end - start) / clock.HOUR

    assert hours(date(2026, 10, 25), "Europe/Berlin") == 25
    assert hours(date(2026, 3, 29), "Europe/Berlin") == 23
    assert hours(date(2026, 3, 28), "Europe/Berlin") == 24
    assert hours(date(2018, 11, 4), "America/Sao_Paulo") == 23  # it began at one o'clock
    assert hours(date(2011, 12, 30), "Pacific/Apia") == 0  # it was left out
    first = daily.start_of(date(2018, 11, 4), ZoneInfo("America/Sao_Paulo"))
    assert daily.day_of(first, ZoneInfo("America/Sao_Paulo")) == date(2018, 11, 4)
    assert daily.day_of(first - 1, ZoneInfo("America/Sao_Paulo")) == date(2018, 11, 3)


# Unfinished operations


def _open(site: Site) -> list[str]:
    with site.database.reading() as db:
        return [intent.call_id for intent in orphan_intents(db)]


def test_where_everything_has_ended_the_page_says_so(olive: Client) -> None:
    assert 'class="empty"' in olive.get("/admin/unfinished").text


def test_an_announcement_is_shown_with_all_that_is_known(site: Site, olive: Client) -> None:
    by = Nobody("9.1", "alan")
    record_intent(site.database, "letter.send", by=by, call_id="one", payload={"to": "the harbour master"})
    page = olive.get("/admin/unfinished").text
    for words in ("letter.send", "alan", "/admin/log?session=9.1", "the harbour master", "may still be running"):
        assert words in page
    with site.database.transaction() as db:
        db.exec_driver_sql("UPDATE intents SET recorded_at = recorded_at - ?", (61 * clock.SECOND,))
    assert "may still be running" not in olive.get("/admin/unfinished").text


@pytest.mark.parametrize("outcome", list(Outcome))
def test_disposing_is_recorded_and_stands_in_the_log(site: Site, olive: Client, outcome: Outcome) -> None:
    for call_id in ("one", "two"):
        record_intent(site.database, "letter.send", by=TESTER, call_id=call_id)
    answer = olive.submit(
        "/admin/unfinished/one", page="/admin/unfinished", outcome=outcome, note=" Seen it.\r\nTwice. "
    )
    assert (answer.status_code, answer.headers["Location"]) == (303, "/admin/unfinished?disposed=1")
    assert "Recorded." in olive.get("/admin/unfinished?disposed=1").text
    assert _open(site) == ["two"]
    with site.database.reading() as db:
        stored = db.exec_driver_sql("SELECT outcome, note FROM intents WHERE call_id = 'one'").one()
    assert tuple(stored) == (outcome, "Seen it.\nTwice.")
    event = _all(site)[-1]
    assert (event.kind, event.actor, event.subject) == ("operation.disposed", "olive", "operation:one")
    assert event.payload == {"operation": "letter.send", "outcome": outcome, "note": "Seen it.\nTwice."}
    assert f"letter.send</bdi>” that it is <bdi>{outcome}</bdi>" in olive.get("/admin/log").text


def test_a_note_may_be_left_out_and_a_call_may_have_any_name(site: Site, olive: Client) -> None:
    call_id = "a/b c?d=é&amp;#%2F"
    record_intent(site.database, "letter.send", by=TESTER, call_id=call_id)
    path = re.search(r'action="(/admin/unfinished/[^"]+)"', olive.get("/admin/unfinished").text)
    assert path is not None
    assert olive.submit(unescape(path[1]), page="/admin/unfinished", outcome="done").status_code == 303
    assert _open(site) == []
    assert _all(site)[-1].payload == {"operation": "letter.send", "outcome": "done"}


@pytest.mark.parametrize("same", [True, False])
def test_what_is_concluded_already_is_not_concluded_again(site: Site, olive: Client, same: bool) -> None:
    record_intent(site.database, "letter.send", by=TESTER, call_id="one")
    token = olive.form_token("/admin/unfinished")
    with site.database.transaction() as db:
        record_outcome(db, "one", Outcome.DONE)
    count = len(_all(site))
    data = {"csrf_token": token, "outcome": "done" if same else "failed", "note": "It came back."}
    answer = olive.post("/admin/unfinished/one", data=data)
    assert answer.status_code == 409
    assert "concluded already, as done" in answer.text
    assert "It came back." in answer.text
    assert len(_all(site)) == count
    as_json = olive.post("/admin/unfinished/one", data=data, headers={"Accept": "application/json"})
    assert (as_json.status_code, as_json.mimetype) == (409, "application/problem+json")


def test_what_was_never_announced_is_not_there(olive: Client) -> None:
    for call_id in ("nothing", "%00", "a/b"):
        assert olive.post(f"/admin/unfinished/{call_id}", data={"outcome": "done"}).status_code == 404


BAD_DISPOSALS = [
    ({"outcome": "done", "note": "n" * 1001}, "note"),
    ({"outcome": "", "note": "kept"}, "outcome"),
    ({"note": "kept"}, "outcome"),
    ({"outcome": "burnt", "note": "kept"}, "outcome"),
]


@pytest.mark.parametrize(("fields", "at_fault"), BAD_DISPOSALS)
def test_a_bad_disposal_comes_back_filled(site: Site, olive: Client, fields: dict[str, str], at_fault: str) -> None:
    for call_id in ("one", "two"):
        record_intent(site.database, "letter.send", by=TESTER, call_id=call_id)
    count = len(_all(site))
    answer = olive.submit("/admin/unfinished/two", page="/admin/unfinished", **fields)
    assert answer.status_code == 422
    assert re.findall(r'class="error" id="([^"]+)"', answer.text) == [f"operation-2-{at_fault}-error"]
    assert answer.text.count(fields["note"]) == 1
    assert (re.search(r'<input checked[^>]* value="done"', answer.text) is not None) == (
        fields.get("outcome") == "done"
    )
    assert _open(site) == ["one", "two"]
    assert len(_all(site)) == count


def test_a_note_of_a_thousand_characters_is_taken(site: Site, olive: Client) -> None:
    record_intent(site.database, "letter.send", by=TESTER, call_id="one")
    note = "\r\n" * 499 + "n" * 501
    answer = olive.submit("/admin/unfinished/one", page="/admin/unfinished", outcome="done", note="n" + note)
    assert answer.status_code == 422
    answer = olive.submit(
        "/admin/unfinished/one", page="/admin/unfinished", outcome="done", note="n" * 500 + note[:-501]
    )
    assert answer.status_code == 303


def test_without_a_form_token_the_form_comes_back_filled_with_a_fresh_one(site: Site, olive: Client) -> None:
    record_intent(site.database, "letter.send", by=TESTER, call_id="one")
    data = {"outcome": "failed", "note": "Nothing came."}
    answer = olive.post("/admin/unfinished/one", data=data)
    assert answer.status_code == 403
    assert "Nothing came." in answer.text
    assert re.search(r'<input checked[^>]* value="failed"', answer.text)
    again = olive.post("/admin/unfinished/one", data=data | {"csrf_token": find_form_token(answer.text)})
    assert again.status_code == 303


def test_a_note_sent_after_the_session_ended_comes_back_with_signing_in(site: Site) -> None:
    record_intent(site.database, "letter.send", by=TESTER, call_id="one")
    browser = site.client()
    refused = browser.post(
        "/admin/unfinished/one", data={"outcome": "failed", "note": "Nothing came."}, headers={"Accept": "text/html"}
    )
    assert refused.status_code == 401
    carried = re.findall(r'<input type="hidden" name="(kept[^"]*)" value="([^"]*)"', refused.text)
    data = {name: unescape(value) for name, value in carried}
    data |= {
        "csrf_token": find_form_token(refused.text),
        "username": "olive",
        "password": "correct horse battery staple",
    }
    back = browser.post("/login", data=data)
    assert back.status_code == 200
    assert "Nothing came." in back.text
    assert _open(site) == ["one"]
