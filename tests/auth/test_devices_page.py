"""One's own devices on a page: which there are and were, ending them, and a word on all others about a new one."""

import re
from html import unescape

import pytest
import time_machine

from auth.permissions import Scope
from auth.sessions.model import IDLE_LIMIT_UNREMEMBERED
from auth.sessions.store import name_of
from auth.signin.beginning import Visit, begin
from auth.signin.devices import describe_device
from auth.users.roles import find_person
from eventlog.log.following import events_since
from eventlog.log.model import Event
from eventlog.retention.applying import apply_retention
from storage import clock
from tests.support import PASSWORD, Client, Site

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/18.5 Mobile/15E148 Safari/604.1"
)
HOME, CAFE = "203.0.113.77", "2001:db8:7:8::9"
HOME_NETWORK, CAFE_NETWORK = "203.0.113.0/24", "2001:db8:7::/48"
NEWS = "somebody signed in as you from"


def sign_in(
    site: Site, name: str = "alan", *, agent: str = FIREFOX, address: str = HOME, over: Client | None = None
) -> Client:
    browser = over or site.client()
    browser.environ_base |= {"HTTP_USER_AGENT": agent, "REMOTE_ADDR": address}
    page = "/login" if over is None else "/account/password"
    assert browser.submit("/login", page=page, username=name, password=PASSWORD, remember="y").status_code == 303
    return browser


def lines_of(client: Client, query: str = "") -> dict[str, list[str]]:
    """Each heading of the page and the lines under it, as they are read."""
    answer = client.get(f"/account/devices{query}")
    assert answer.status_code == 200
    sections = re.findall(r"<h2[^>]*>(.*?)</h2>(.*?)</section>", answer.text, re.DOTALL)
    return {heading: [_words(line) for line in re.findall(r"<li>.*?</li>", body, re.DOTALL)] for heading, body in sections}  # fmt: skip


def _words(html: str) -> str:
    return unescape(" ".join(re.sub(r"<[^>]*>", " ", html).split())).replace(" ,", ",").replace(" .", ".")


def end(client: Client, session_id: str) -> int:
    return client.submit(f"/account/devices/{session_id}/end", page="/account/devices").status_code


def session_of(client: Client) -> str:
    """The name of a browser's own session, as its page has it."""
    found = re.search(r'/devices/([0-9.]+)/end">\s*<[^>]*>\s*<button[^>]*Sign out this device', client.get("/account/devices").text)  # fmt: skip
    assert found is not None
    return found[1]


def is_in(client: Client) -> bool:
    return client.get("/account/profile").status_code == 200


def events(site: Site) -> list[Event]:
    with site.database.reading() as db:
        return events_since(db, None, 0, 0)


DEVICES = [
    (FIREFOX, "Firefox on Linux"),
    (IPHONE, "Safari on iPhone"),
    (IPHONE.replace("Version/18.5", "CriOS/137.0.7151.51"), "Chrome on iPhone"),
    (IPHONE.replace("Version/18.5", "FxiOS/139.0"), "Firefox on iPhone"),
    ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/137.0.0.0 Safari/537.36 Edg/137.0.0.0", "Edge on Windows"),
    ("Mozilla/5.0 (Linux; Android 15; SM-S931B) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36", "Samsung Internet on Android"),
    ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15", "Safari on macOS"),
    ("Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/137.0.0.0 Safari/537.36", "Chrome on ChromeOS"),
    ("curl/8.14.1", "curl"), ("python-requests/2.34", "A Python program"), ("", "A program"), ("\x00<b>" * 2000, "A program"),
]  # fmt: skip


@pytest.mark.parametrize(("agent", "words"), DEVICES, ids=[words for _, words in DEVICES])
def test_a_device_is_told_in_words(agent: str, words: str) -> None:
    assert describe_device(agent) == words


def test_a_line_says_what_its_person_may_know_it_by(site: Site) -> None:
    with site.database.transaction() as db:
        db.exec_driver_sql("UPDATE users SET time_zone = 'Asia/Tokyo' WHERE username = 'alan'")
    # Half past eleven in the evening in London is the next morning in Tokyo.
    with time_machine.travel("2025-11-21T23:30:00Z", tick=False) as travel:
        laptop = sign_in(site)
        travel.shift(60)
        sign_in(site, agent=IPHONE, address=CAFE)
        sign_in(site, "ada")
        page, found = laptop.get("/account/devices").text, lines_of(laptop)
    assert found["Signed in"] == [
        f"{device} Signed in with a password on {at}, from {network}. Last seen on {at}, from {network}. Sign out"
        for device, at, network in (
            ("Safari on iPhone", "22 Nov 2025, 08:31", CAFE_NETWORK),
            ("Firefox on Linux This device.", "22 Nov 2025, 08:30", HOME_NETWORK),
        )
    ]
    assert "Times are those of Asia/Tokyo" in page
    assert not any(whole in page for whole in (HOME, CAFE))


@pytest.mark.parametrize(
    ("method", "words"),
    [
        ("password", "with a password on"),
        ("passkey", "with a passkey on"),
        ("password and code", "with a password and a code on"),
        ("password and recovery code", "with a password and a recovery code on"),
    ],
)
def test_every_way_in_is_told_in_words(site: Site, method: str, words: str) -> None:
    visit = Visit("192.0.2.1", "", is_remembered=False, former_id=None)
    with site.database.transaction() as db:
        begin(db, site.app.extensions["session_store"], find_person(db, "alan"), visit, method=method)
    assert f"Signed in {words}" in site.client("alan").get("/account/devices").text


def test_it_says_what_ends_other_devices(site: Site) -> None:
    text = site.client("alan").get("/account/devices").text
    for change in ("change or remove your password", "add or remove a passkey", "codes from an app", "recovery codes"):
        assert change in text


def test_it_is_linked_from_one_s_own_place_and_open_to_no_token(site: Site) -> None:
    assert 'href="/account/devices"' in site.client("rita").get("/account").text
    assert site.client().get("/account/devices").headers["Location"] == "/login?next=/account/devices"
    assert site.client(token=site.token("olive", *Scope)).get("/account/devices").status_code == 403


def test_a_device_that_was_carried_elsewhere_is_seen_there(site: Site) -> None:
    laptop = sign_in(site)
    with time_machine.travel((clock.now() + 2 * clock.HOUR) / clock.SECOND) as travel:
        laptop.get("/account")  # at home still
        travel.shift(7200)
        laptop.environ_base["REMOTE_ADDR"] = CAFE
        for _ in range(3):
            laptop.get("/account")
        (line,) = lines_of(laptop)["Signed in"]
        moves = [event for event in events(site) if event.kind == "session.moved"]
        assert [(move.actor, move.subject, move.payload) for move in moves] == [
            ("alan", "user:alan", {"address": CAFE_NETWORK})
        ]
        assert f"from {HOME_NETWORK}. Last seen" in line
        assert f"from {CAFE_NETWORK}. Sign out" in line
        laptop.submit("/logout", page="/account/devices")
        gone = lines_of(site.client("alan"))["Signed out"]
        assert f"from {HOME_NETWORK}. Last seen" in gone[0]
        assert gone[0].endswith(f"from {CAFE_NETWORK}.")


def test_retention_takes_where_it_was_and_how_it_began(site: Site) -> None:
    laptop = sign_in(site)
    with time_machine.travel((clock.now() + 3 * clock.DAY) / clock.SECOND):
        assert apply_retention(site.database, 1) > 0
        (line,) = lines_of(laptop)["Signed in"]
    assert line.startswith("An unknown device This device. Signed in on ")
    assert "from" not in line
    assert "password" not in line


def test_what_has_ended_stands_below_and_cannot_be_ended_again(site: Site) -> None:
    laptop, phone = sign_in(site), sign_in(site, agent=IPHONE)
    gone = session_of(phone)
    phone.submit("/logout", page="/account/devices")
    idle = site.client()
    idle.submit("/login", username="alan", password=PASSWORD)
    with time_machine.travel((clock.now() + IDLE_LIMIT_UNREMEMBERED) / clock.SECOND + 1):
        found = lines_of(laptop)
        assert end(laptop, gone) == 404
    assert [line.split(" Signed")[0] for line in found["Signed in"]] == ["Firefox on Linux This device."]
    assert sorted(line.split(" Signed")[0] for line in found["Signed out"]) == ["A program", "Safari on iPhone"]
    assert not any(line.endswith("Sign out") for line in found["Signed out"])


def test_pages_hold_each_device_once_the_live_ones_first(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("auth.sessions.pages._PER_PAGE", 2)
    here = sign_in(site)
    for _ in range(3):
        over = sign_in(site)
        sign_in(site, over=over)
    seen: list[tuple[str, int]] = []
    path: str | None = ""
    ids = []
    while path is not None:
        found = lines_of(here, path)
        seen += [(heading, len(lines)) for heading, lines in found.items()]
        page = here.get(f"/account/devices{path}").text
        ids += re.findall(r"/devices/([0-9.]+)/end", page)
        more = re.search(r'rel="next" href="/account/devices([^"]+)"', page)
        path = more and more[1]
        assert ("/account/devices/end-others" in page) == (len(seen) == 1)
    assert seen == [("Signed in", 2), ("Signed in", 2), ("Signed out", 2), ("Signed out", 1)]
    assert len(ids) == len(set(ids)) == 4
    for odd in ("x", "1~1", "2~1~1.1", "1~1~1", "1~99999999999999999999~1.1", "1~1~1.1;", "%00", ""):
        assert here.get(f"/account/devices?before={odd}").status_code == 404, odd


def test_a_page_costs_the_same_however_long_the_list_is(site: Site) -> None:
    laptop = sign_in(site)
    costs = []
    for _ in range(2):
        with site.counted_statements() as statements:
            laptop.get("/account/devices")
        costs.append(list(statements))
        for _ in range(3):
            site.client("alan")
    assert len(costs[0]) == len(costs[1]) == 3  # who asks, the list, where they went
    assert all(statement.startswith("SELECT") for statement in costs[1])


def test_ending_one_puts_it_out_at_once(site: Site) -> None:
    laptop, phone = sign_in(site), sign_in(site, agent=IPHONE)
    lost = session_of(phone)
    answer = laptop.submit(f"/account/devices/{lost}/end", page="/account/devices")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/account/devices?ended=1")
    assert "One device was signed out." in laptop.get(answer.headers["Location"]).text
    assert (is_in(laptop), is_in(phone)) == (True, False)
    newest = events(site)[-1]
    assert (newest.kind, newest.actor, newest.payload) == (
        "session.ended", "alan", {"sessions": [lost], "count": 1, "reason": "ended by its person"},
    )  # fmt: skip
    assert end(laptop, lost) == 404
    assert events(site)[-1].id == newest.id


def test_ending_this_one_is_signing_out(site: Site) -> None:
    laptop = sign_in(site)
    answer = laptop.submit(f"/account/devices/{session_of(laptop)}/end", page="/account/devices")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    assert laptop.get_cookie("session") is None
    assert site.rows("sessions") == 0


def test_nobody_else_s_session_is_there_to_be_ended(site: Site) -> None:
    victim = site.client()
    theirs = name_of(victim.adopt_session("ada"))
    before = len(events(site))
    for asker in (site.client("alan"), site.client("olive")):
        for session_id in (theirs, "1.1", "x", "%00", "1.1.secret", "token.x", "%C2%A0", "%FF", "9" * 300):
            assert end(asker, session_id) == 404, session_id
        assert "Signed in" in lines_of(asker)
        assert asker.submit("/account/devices/end-others", page="/account/devices").status_code == 303
    assert is_in(victim)
    assert len(events(site)) == before


def test_all_others_are_ended_by_one_button_that_says_how_many(site: Site) -> None:
    here, others, stranger = sign_in(site), [sign_in(site) for _ in range(3)], sign_in(site, "ada")
    idle = site.client()
    idle.submit("/login", username="alan", password=PASSWORD)
    with site.database.transaction() as db:  # that one is past its limit: nobody is signed out with it
        db.exec_driver_sql("UPDATE sessions SET last_seen_at = 0 WHERE NOT is_remembered")
    answer = here.submit("/account/devices/end-others", page="/account/devices")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/account/devices?ended=3")
    assert "3 devices were signed out." in here.get("/account/devices?ended=3").text
    assert (is_in(here), is_in(stranger), [is_in(other) for other in others]) == (True, True, [False] * 3)
    (ended,) = [event for event in events(site) if event.kind == "session.ended"]
    assert ended.payload is not None
    assert (ended.payload["count"], ended.payload["reason"]) == (3, "ended by its person")
    answer = here.submit("/account/devices/end-others", page="/account/devices")
    assert answer.headers["Location"] == "/account/devices?ended=0"
    assert "No other device was signed in." in here.get("/account/devices?ended=0").text
    assert len([event for event in events(site) if event.kind == "session.ended"]) == 1
    for odd in ("-1", "x", "9" * 5000, "", "%D9%A3"):
        assert "signed out.</p>\n<p>Everywhere" not in here.get(f"/account/devices?ended={odd}").text


def test_refusals_come_in_their_order_and_change_nothing(site: Site) -> None:
    here, other = sign_in(site), sign_in(site)
    own = session_of(other)
    for path in (f"/account/devices/{own}/end", "/account/devices/end-others"):
        assert site.client().post(path).status_code == 401
        program = site.client(token=site.token("alan", *Scope))
        assert program.post(path).status_code == 403
        for token in ({}, {"csrf_token": "x"}, {"csrf_token": site.client("ada").form_token()}):
            answer = here.post(path, data=token)
            assert answer.status_code == 403
            assert 'role="alert"' in answer.text
            assert "This device." in answer.text  # the page again, to try once more
        assert here.get(path).status_code in (404, 405)
    # What is not there is said before the form token is looked at.
    assert here.post("/account/devices/1.1/end").status_code == 404
    assert (is_in(here), is_in(other)) == (True, True)


# A new device is news to the others


def has_news(client: Client, path: str = "/account") -> bool:
    return NEWS in client.get(path).text


def test_a_new_device_is_said_on_the_others_until_they_have_looked(site: Site) -> None:
    laptop, tablet = sign_in(site), sign_in(site)
    laptop.get("/account/devices")
    assert not has_news(laptop)
    phone = sign_in(site, agent=IPHONE, address=CAFE)
    stranger = site.client("ada")
    page = laptop.get("/account").text
    assert f"{NEWS} <bdi>Safari on iPhone, {CAFE_NETWORK}</bdi>." in page
    assert '<a href="/account/devices">end it</a>' in page
    assert has_news(laptop, "/account/profile")
    assert not has_news(phone)
    assert not has_news(stranger)
    laptop.head("/account/devices")
    assert has_news(laptop, "/account/devices")  # and by that it has looked
    assert not has_news(laptop, "/account/devices")
    assert not has_news(laptop)
    assert has_news(tablet)
    # Whoever has signed in and left is news too, and the next one is news again.
    phone.submit("/logout", page="/account")
    assert has_news(tablet)
    sign_in(site, agent="curl/8")
    assert has_news(laptop)


def test_signing_in_again_on_the_same_device_is_no_news_but_somebody_else_there_is(site: Site) -> None:
    laptop, phone = sign_in(site), sign_in(site)
    laptop.get("/account/devices")
    sign_in(site, over=phone)
    assert not has_news(laptop)
    ada = sign_in(site, "ada")
    sign_in(site, "alan", over=ada)
    assert has_news(laptop)


def test_the_news_costs_nothing(site: Site) -> None:
    laptop, visitor = sign_in(site), site.client()

    def costs() -> list[int]:
        counted = []
        for client, path in ((laptop, "/account"), (laptop, "/"), (visitor, "/"), (visitor, "/login")):
            with site.counted_statements() as statements:
                client.get(path)
            counted.append(len(statements))
        return counted

    costs()  # what is kept of pages is kept from now on
    before = costs()
    sign_in(site)
    assert costs() == before
    assert has_news(laptop)
    assert not has_news(visitor, "/login")


def test_a_sign_in_writes_as_many_rows_however_many_devices_there_are(site: Site) -> None:
    for _ in range(20):
        site.client("alan")
    with site.database.reading() as db:
        before = db.exec_driver_sql("SELECT id, devices_seen_at FROM sessions ORDER BY id").all()
    phone = sign_in(site)
    own = session_of(phone)
    with site.database.reading() as db:
        after = db.exec_driver_sql("SELECT id, devices_seen_at FROM sessions ORDER BY id").all()
    assert [row for row in after if row.id != own] == before


# What else ends them


def test_who_has_a_new_password_is_led_to_what_goes_on_working(site: Site) -> None:
    alan = site.client("alan")
    assert "go on working" not in alan.get("/account/password").text
    done = alan.submit("/account/password", current_password=PASSWORD, new_password="quite another long password")
    text = alan.get(done.location).text
    assert "Your passkeys, recovery codes, codes from an app and tokens go on working." in text
    for path in ("passkeys", "second-factor", "tokens"):
        assert f'<a href="/account/{path}">' in text


def test_a_new_password_ends_the_others_and_tokens_go_on(site: Site) -> None:
    here, other, token = sign_in(site), sign_in(site), site.token("alan")
    new = "another horse battery staple"
    fields = {"current_password": PASSWORD, "new_password": new}
    assert here.submit("/account/password", **fields).status_code == 303
    assert (is_in(here), is_in(other)) == (True, False)
    assert site.client(token=token).get("/v1/posts").status_code == 200


def test_another_role_ends_all_of_their_sessions_and_tokens_go_on(site: Site) -> None:
    olive, ada, ada_too, token = site.client("olive"), sign_in(site, "ada"), sign_in(site, "ada"), site.token("ada")
    assert olive.submit("/admin/people/ada/role", page="/admin", role="author").status_code == 303
    assert is_in(ada)  # it is the one they have
    assert olive.submit("/admin/people/ada/role", page="/admin", role="reader").status_code == 303
    assert (is_in(olive), is_in(ada), is_in(ada_too)) == (True, False, False)
    kinds = [(event.kind, (event.payload or {}).get("reason")) for event in events(site)[-2:]]
    assert kinds == [("user.role_changed", None), ("session.ended", "role changed")]
    program = site.client(token=token)
    assert program.get("/v1/posts").status_code == 200
    assert program.post("/v1/posts", json={"title": "Mine"}).status_code == 403  # never more than the role allows


def test_whoever_changes_their_own_role_keeps_the_session_they_do_it_with(site: Site) -> None:
    olive, other, edith = site.client("olive"), site.client("olive"), site.client("edith")
    olive.submit("/admin/people/edith/role", page="/admin", role="owner")
    assert not is_in(edith)
    assert olive.submit("/admin/people/olive/role", page="/admin", role="author").status_code == 303
    assert (is_in(olive), is_in(other)) == (True, False)
    assert olive.get("/admin").status_code == 403


def test_a_role_that_is_refused_ends_nothing(site: Site) -> None:
    olive, other = site.client("olive"), site.client("olive")
    assert olive.submit("/admin/people/olive/role", page="/admin", role="reader").status_code == 409
    assert (is_in(olive), is_in(other)) == (True, True)
