"""What a stolen or forgotten session must not do: it needs a sign-in of the last ten minutes."""

import re
from collections.abc import Iterator

import pytest
import time_machine

from auth.permissions import Scope
from auth.principal import FRESH_FOR
from storage import clock
from tests.support import PASSWORD, Client, Site, find_form_token

LATER = (FRESH_FOR + clock.SECOND) / clock.SECOND
PAGES = ["/account/password", "/account/export"]
WRITES = {
    "/account/password": {"current_password": PASSWORD, "new_password": "another horse, another staple"},
    "/account/export": {"level": "standard"},
    "/account/tokens": {"name": "Phone", "scopes": "posts:read", "expires": "30"},
    "/admin/people/ada/role": {"role": "editor"},
}


@pytest.fixture
def later() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(0) as traveller:
        yield traveller


def olive(site: Site, later: time_machine.Traveller, *, seconds: float = LATER) -> tuple[Client, str]:
    """A browser that was signed in a while ago, and its form token."""
    later.move_to(1_795_000_000)
    client = site.client("olive")
    token = client.form_token()
    later.shift(seconds)
    return client, token


@pytest.mark.parametrize("path", PAGES)
def test_an_old_session_gets_the_sign_in_page_first(site: Site, later: time_machine.Traveller, path: str) -> None:
    client, _token = olive(site, later)
    answer = client.get(path)
    assert (answer.status_code, answer.location) == (303, f"/login?next={path}&again=1")
    page = client.get(answer.location)
    assert page.status_code == 200
    assert "ten minutes" in page.text
    assert 'value="olive"' in page.text
    signed_in = client.submit("/login", page=answer.location, username="olive", password=PASSWORD, next=path)
    assert (signed_in.status_code, signed_in.location) == (303, path)
    assert client.get(path).status_code == 200
    assert client.get(answer.location).location == path  # it has done what it was asked for


@pytest.mark.parametrize(("path", "fields"), WRITES.items())
def test_an_old_session_does_none_of_this(
    site: Site, later: time_machine.Traveller, path: str, fields: dict[str, str]
) -> None:
    client, token = olive(site, later)
    before = {table: site.rows(table) for table in ("events", "tokens", "intents")}
    refused = client.post(path, data={"csrf_token": token, **fields}, content_type="multipart/form-data")
    assert refused.status_code == 401
    assert refused.headers["WWW-Authenticate"].startswith("Bearer")
    assert "ten minutes" in refused.text
    assert {table: site.rows(table) for table in before} == before


@pytest.mark.parametrize(("path", "fields"), WRITES.items())
def test_nine_minutes_are_not_too_long(
    site: Site, later: time_machine.Traveller, path: str, fields: dict[str, str]
) -> None:
    client, token = olive(site, later, seconds=9 * 60)
    done = client.post(path, data={"csrf_token": token, **fields}, content_type="multipart/form-data")
    assert done.status_code in (200, 303)


def test_what_was_chosen_is_there_again_after_the_sign_in(site: Site, later: time_machine.Traveller) -> None:
    client, token = olive(site, later)
    fields = {"csrf_token": token, "name": "My phone", "scopes": "posts:read", "expires": "90"}
    refused = client.post("/account/tokens", data=fields, content_type="multipart/form-data")
    carried = {
        "kept_for": "/account/tokens",
        "kept.name": "My phone",
        "kept.scopes": "posts:read",
        "kept.expires": "90",
    }
    assert all(f'name="{name}" value="{value}"' in refused.text for name, value in carried.items())
    token = find_form_token(refused.text)
    answer = client.post(
        "/login",
        data={"csrf_token": token, "username": "olive", "password": PASSWORD, **carried},
        content_type="multipart/form-data",
    )
    assert answer.status_code == 200
    assert 'value="My phone"' in answer.text
    assert "no token was made yet" in answer.text


def test_whoever_must_press_the_button_once_more_is_told_so(site: Site, later: time_machine.Traveller) -> None:
    client, token = olive(site, later)
    again = {"role": "editor", "csrf_token": token}
    assert "press the button once more" in client.post("/admin/people/ada/role", data=again).text
    form = {"name": "My phone", "csrf_token": token}
    assert "press the button once more" not in client.post("/account/tokens", data=form).text


def test_the_old_session_ends_when_the_new_one_begins(site: Site, later: time_machine.Traveller) -> None:
    client, _token = olive(site, later)
    name = site.app.extensions["session_cookie_name"]
    old = client.get_cookie(name)
    assert old is not None
    client.submit("/login", page="/login?again=1&next=/account", username="olive", password=PASSWORD)
    assert site.rows("sessions") == 1
    thief = site.client()
    thief.set_cookie(name, old.value)
    assert thief.get("/account").status_code == 303


def test_a_remembered_device_stays_remembered(site: Site, later: time_machine.Traveller) -> None:
    client, _token = olive(site, later)
    box = re.search(r'<input[^>]*name="remember"[^>]*>', client.get("/login?again=1").text)
    assert box is not None
    assert " checked" in box[0]


def test_a_script_with_an_old_cookie_reads_why(site: Site, later: time_machine.Traveller) -> None:
    client, token = olive(site, later)
    body = {"name": "CI", "scopes": ["posts:read"]}
    refused = client.post("/v1/tokens", json=body, headers={"X-CSRF-Token": token})
    assert refused.status_code == 401
    assert "ten minutes" in refused.get_json()["detail"]
    assert site.rows("tokens") == 0


def test_a_token_has_its_scopes_and_no_such_limit(site: Site, later: time_machine.Traveller) -> None:
    later.move_to(1_795_000_000)
    client = site.client(token=site.token("olive", Scope.ACCOUNT))
    later.shift(LATER)
    assert client.post("/v1/tokens", json={"name": "CI", "scopes": ["account"]}).status_code == 201


def test_again_asks_nobody_who_has_just_signed_in(site: Site) -> None:
    assert site.client("alan").get("/login?again=1&next=/account").location == "/account"


def test_a_visitor_is_asked_as_ever(site: Site) -> None:
    page = site.client().get("/login?again=1&next=/account/password")
    assert page.status_code == 200
    assert "ten minutes" not in page.text
