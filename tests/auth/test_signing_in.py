"""Signing in and out: one neutral sentence, a `next` that cannot leave the site, and limits on trying."""

import re
import threading

import pytest
import time_machine

from storage import clock
from tests.support import CAST, PASSWORD, Client, Site, find_form_token


def _try(client: Client, username: str, password: str, address: str = "127.0.0.1", **fields: str) -> tuple[int, str]:
    token = find_form_token(client.get("/login").text)
    answer = client.post(
        "/login",
        data={"csrf_token": token, "username": username, "password": password, **fields},
        environ_base={"REMOTE_ADDR": address},
    )
    return answer.status_code, answer.headers.get("Retry-After", "")


@pytest.mark.parametrize("name", [name for name in CAST if name != "bob"])
def test_everybody_who_is_not_blocked_signs_in(site: Site, name: str) -> None:
    assert _try(site.client(), f" {name.upper()} ", PASSWORD) == (303, "")


def test_unknown_wrong_and_blocked_get_the_same_answer(site: Site) -> None:
    pages = set()
    for name, password in (("nobody", PASSWORD), ("alan", "wrong"), ("bob", PASSWORD), ("", ""), ("\x00", "\x00")):
        client = site.client()
        token = find_form_token(client.get("/login").text)
        answer = client.post("/login", data={"csrf_token": token, "username": name, "password": password})
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"]
        pages.add(re.sub(r'(value|data-options)="[^"]*"', "", answer.text))
    assert len(pages) == 1
    assert site.rows("sessions") == 0


@pytest.mark.parametrize(
    ("username", "password"),
    [
        ("x" * 1_000_000, "p"),
        ("alan", "p" * 1_000_000),
        ("alan\x00", PASSWORD),
        ("alan", PASSWORD + "\x00"),
        ("ａlan", PASSWORD),
    ],
    ids=lambda text: ascii(text)[:12],
)
def test_strange_input_is_an_ordinary_failure(site: Site, username: str, password: str) -> None:
    assert _try(site.client(), username, password)[0] == 401


def test_fields_that_are_missing_or_come_twice_are_an_ordinary_failure(site: Site) -> None:
    client = site.client()
    token = find_form_token(client.get("/login").text)
    assert client.post("/login", data={"csrf_token": token}).status_code == 401
    twice = f"csrf_token={token}&username=alan&username=ada&password=wrong&password={PASSWORD}"
    assert client.post("/login", data=twice, content_type="application/x-www-form-urlencoded").status_code == 401


def test_a_refused_form_token_shows_the_page_again_and_tries_nothing(site: Site) -> None:
    client = site.client()
    refused = client.post("/login", data={"username": "alan", "password": PASSWORD, "csrf_token": "stale"})
    assert refused.status_code == 403
    assert site.rows("signin_counters") == 0
    again = {"csrf_token": find_form_token(refused.text), "username": "alan", "password": PASSWORD}
    assert client.post("/login", data=again).status_code == 303


def test_remembering_decides_how_long_the_cookie_lasts(site: Site) -> None:
    for remember, has_age in (({"remember": "y"}, True), ({}, False)):
        client = site.client()
        answer = client.submit("/login", username="alan", password=PASSWORD, **remember)
        assert ("Max-Age" in answer.headers["Set-Cookie"]) is has_age


def test_signing_in_leads_to_next_and_the_visitor_who_is_signed_in_is_sent_on(site: Site) -> None:
    client = site.client()
    page = client.get("/account/password")
    assert page.headers["Location"] == "/login?next=/account/password"
    answer = client.submit(page.headers["Location"], username="alan", password=PASSWORD, next="/account/password")
    assert answer.headers["Location"] == "/account/password"
    assert client.get("/login?next=/account").headers["Location"] == "/account"


def test_signing_out_ends_the_session_and_takes_the_cookie(site: Site) -> None:
    client = site.client("alan")
    assert client.post("/logout").status_code == 403  # another site's page could have sent that
    assert site.rows("sessions") == 1
    answer = client.submit("/logout", page="/new")
    assert answer.status_code == 303
    assert "Max-Age=0" in answer.headers["Set-Cookie"]
    assert site.rows("sessions") == 0
    assert client.post("/logout").status_code == 303  # nothing to end


def test_the_eleventh_try_for_a_name_from_one_address_waits(site: Site) -> None:
    client = site.client()
    assert [_try(client, "alan", "wrong")[0] for _ in range(10)] == [401] * 10
    status, wait = _try(client, "alan", PASSWORD)
    assert status == 429
    assert 0 < int(wait) <= 600
    assert _try(site.client(), "alan", PASSWORD, address="10.0.0.1")[0] == 303
    assert _try(site.client(), "ada", PASSWORD)[0] == 303


def test_a_lock_grows_to_an_hour(site: Site) -> None:
    waits = []
    now = clock.now() / clock.SECOND
    for _ in range(5):
        with time_machine.travel(now, tick=False):
            client = site.client()
            while (answer := _try(client, "alan", "wrong"))[0] == 401:
                pass
            waits.append(int(answer[1]))
            now += waits[-1] + 1
    assert waits == [600, 1200, 2400, 3600, 3600]


def test_ten_minutes_later_the_count_begins_anew(site: Site) -> None:
    client = site.client()
    for _ in range(9):
        _try(client, "alan", "wrong")
    with time_machine.travel((clock.now() + 11 * clock.MINUTE) / clock.SECOND):
        fresh = site.client()
        assert [_try(fresh, "alan", "wrong")[0] for _ in range(9)] == [401] * 9
        assert _try(fresh, "alan", PASSWORD)[0] == 303


def test_a_success_forgets_the_failures_of_that_name_there(site: Site) -> None:
    client = site.client()
    for _ in range(2):
        assert [_try(client, "alan", "wrong")[0] for _ in range(9)] == [401] * 9
        assert _try(site.client(), "alan", PASSWORD)[0] == 303


def test_the_fifty_first_try_from_an_address_waits_whatever_the_names(site: Site) -> None:
    client = site.client()
    assert [_try(client, f"name{n}", "wrong")[0] for n in range(50)] == [401] * 50
    assert _try(client, "alan", PASSWORD)[0] == 429


def test_an_ipv6_network_counts_as_one_address(site: Site) -> None:
    client = site.client()
    for n in range(10):
        _try(client, "alan", "wrong", address=f"2001:db8::{n:x}")
    assert _try(client, "alan", "wrong", address="2001:db8::ffff")[0] == 429
    assert _try(client, "alan", "wrong", address="2001:db8:0:1::1")[0] == 401


def test_a_hundred_failures_from_everywhere_close_the_name_but_not_where_its_person_signs_in(site: Site) -> None:
    home = "192.0.2.7"
    assert _try(site.client(), "alan", PASSWORD, address=home)[0] == 303
    client = site.client()
    for n in range(100):
        assert _try(client, "alan", "wrong", address=f"198.51.{n // 5}.{n % 5}")[0] == 401
    assert _try(client, "alan", PASSWORD, address="203.0.113.1")[0] == 429
    assert _try(site.client(), "alan", PASSWORD, address=home)[0] == 303


def test_many_tries_at_once_are_counted_too(site: Site) -> None:
    results: list[int] = []
    clients = [site.client() for _ in range(8)]
    tokens = [find_form_token(client.get("/login").text) for client in clients]

    def attack(client: Client, token: str) -> None:
        for _ in range(3):
            data = {"csrf_token": token, "username": "alan", "password": "wrong"}
            results.append(client.post("/login", data=data).status_code)

    threads = [threading.Thread(target=attack, args=pair) for pair in zip(clients, tokens, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results.count(401) == 10
    assert results.count(429) == 14


def test_the_counters_hold_neither_names_nor_addresses_and_are_forgotten(site: Site) -> None:
    client = site.client()
    _try(client, "a-secret-name", "wrong", address="203.0.113.99")
    for path in site.folder.iterdir():
        content = path.read_bytes()
        assert b"a-secret-name" not in content
        assert b"203.0.113.99" not in content
    with time_machine.travel((clock.now() + clock.DAY + clock.HOUR) / clock.SECOND):
        _try(site.client(), "other", "wrong")
    assert site.rows("signin_counters") == 4


def test_changing_the_password_ends_the_other_sessions(site: Site) -> None:
    here, there = site.client("alan"), site.client("alan")
    fields = {"current_password": PASSWORD, "new_password": "a new one, long enough"}
    assert here.submit("/account/password", **fields | {"current_password": "wrong"}).status_code == 422
    assert here.submit("/account/password", **fields | {"new_password": "short"}).status_code == 422
    assert there.get("/account").status_code == 200
    assert here.submit("/account/password", **fields).status_code == 303
    assert here.get("/account").status_code == 200
    assert there.get("/account").status_code == 303
    assert _try(site.client(), "alan", PASSWORD)[0] == 401
    assert _try(site.client(), "alan", "a new one, long enough")[0] == 303


def test_guessing_the_current_password_from_a_stolen_session_is_throttled(site: Site) -> None:
    thief = site.client("alan")
    fields = {"current_password": "wrong", "new_password": "a new one, long enough"}
    statuses = [thief.submit("/account/password", **fields).status_code for _ in range(11)]
    assert statuses == [422] * 10 + [429]


def test_a_password_is_verified_exactly_as_it_was_received(site: Site) -> None:
    client = site.client("alan")
    password = " spaces, ünïcode 漢字 and \t tabs " + "x" * 900
    assert client.submit("/account/password", current_password=PASSWORD, new_password=password).status_code == 303
    assert _try(site.client(), "alan", password.strip())[0] == 401
    assert _try(site.client(), "alan", password[:-1])[0] == 401
    assert _try(site.client(), "alan", password)[0] == 303


def test_a_lock_from_when_the_clock_was_ahead_is_none(site: Site) -> None:
    with time_machine.travel((clock.now() + 400 * clock.DAY) / clock.SECOND):
        client = site.client()
        assert [_try(client, "alan", "wrong")[0] for _ in range(11)] == [401] * 10 + [429]
    assert _try(site.client(), "alan", PASSWORD)[0] == 303


def test_failures_from_when_the_clock_was_ahead_are_not_counted_on(site: Site) -> None:
    with time_machine.travel((clock.now() + 400 * clock.DAY) / clock.SECOND):
        assert [_try(site.client(), "alan", "wrong")[0] for _ in range(6)] == [401] * 6
    with time_machine.travel((clock.now() + clock.HOUR) / clock.SECOND):
        assert [_try(site.client(), "alan", "wrong")[0] for _ in range(6)] == [401] * 6
