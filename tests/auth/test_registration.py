"""Who may make an account: nobody, whoever is invited, or everybody; and how many from one address."""

from collections.abc import Iterator

import pytest
import time_machine
from structlog.testing import capture_logs

from auth.permissions import Role
from auth.users.queries import find_user
from eventlog.log.following import events_since
from tests.support import CAST, PASSWORD, Client, Site

SETTINGS = {"name": "Byline", "tagline": "", "language": "en", "time_zone": "UTC"}
FIELDS = {"username": "nora", "display_name": "Nora N.", "password": PASSWORD}
# Passes every cheap check and costs no hash: somebody has the name.
WRONG = FIELDS | {"password": "short"}


@pytest.fixture
def moment() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(1_795_000_000, tick=False) as traveller:
        yield traveller


@pytest.fixture
def open_site(site: Site) -> Site:
    assert site.client("olive").submit("/admin/settings", **SETTINGS, registration="open").status_code == 303
    return site


def role_of(site: Site, name: str) -> Role | None:
    with site.database.reading() as db:
        user = find_user(db, name)
    return None if user is None else user.role


def visitor(site: Site, address: str = "203.0.113.7") -> Client:
    client = site.client()
    client.environ_base["REMOTE_ADDR"] = address
    return client


def registration_of(site: Site) -> str:
    with site.database.reading() as db:
        return str(db.exec_driver_sql("SELECT registration FROM site").scalar_one())


# The setting


def test_a_new_site_takes_whoever_is_invited(site: Site) -> None:
    assert registration_of(site) == "invitation"
    page = site.client("olive").get("/admin/settings").text
    assert 'checked id="field-registration-2"' in page or 'id="field-registration-2" checked' in page


def test_the_setting_is_kept_and_recorded(site: Site) -> None:
    olive = site.client("olive")
    for value in ("open", "closed", "closed", "invitation"):
        assert olive.submit("/admin/settings", **SETTINGS, registration=value).status_code == 303
        assert registration_of(site) == value
    with site.database.reading() as db:
        changed = [event.payload for event in events_since(db, None, 0, 0) if event.kind == "settings.changed"]
    assert changed == [{"registration": value} for value in ("open", "closed", "invitation")]


def test_settings_that_do_not_speak_of_it_leave_it_alone(open_site: Site) -> None:
    assert open_site.client("olive").submit("/admin/settings", **SETTINGS | {"name": "Notes"}).status_code == 303
    assert registration_of(open_site) == "open"


@pytest.mark.parametrize("value", ["everybody", "OPEN", "open ", "x" * 10_000])
def test_another_word_is_a_fault_and_nothing_is_stored(site: Site, value: str) -> None:
    sent = SETTINGS | {"name": "Notes", "registration": value}
    answer = site.client("olive").submit("/admin/settings", **sent)
    assert answer.status_code == 422
    assert 'id="field-registration-error"' in answer.text
    assert (registration_of(site), "Notes" in site.client().get("/").text) == ("invitation", False)


# Where it is not open


@pytest.mark.parametrize("value", ["closed", "invitation"])
def test_nobody_registers_where_it_is_not_open(site: Site, value: str) -> None:
    site.client("olive").submit("/admin/settings", **SETTINGS, registration=value)
    browser = site.client()
    assert browser.get("/join").status_code == 404
    assert browser.post("/join", data=FIELDS).status_code == 404
    assert "/join" not in browser.get("/login").text
    assert role_of(site, "nora") is None


def test_closing_while_the_form_is_filled_lets_nobody_in(open_site: Site) -> None:
    nora = visitor(open_site)
    token = nora.form_token("/join")
    open_site.client("olive").submit("/admin/settings", **SETTINGS, registration="invitation")
    assert nora.post("/join", data=FIELDS | {"csrf_token": token}).status_code == 404
    assert role_of(open_site, "nora") is None


# Where it is open


def test_anybody_becomes_a_reader_and_signs_in(open_site: Site) -> None:
    nora = visitor(open_site)
    assert 'href="/join"' in nora.get("/login").text
    page = nora.get("/join")
    assert page.headers["Cache-Control"] == "private, no-store"
    joined = nora.submit("/join", **FIELDS)
    assert (joined.status_code, joined.location) == (303, "/login?joined=1")
    assert role_of(open_site, "nora") == Role.READER
    assert nora.get("/account").status_code == 303
    assert nora.submit("/login", username="nora", password=PASSWORD).status_code == 303
    with open_site.database.reading() as db:
        created = [event for event in events_since(db, None, 0, 0) if event.kind == "user.created"][-1]
    assert (created.subject, created.actor, created.payload) == ("user:nora", "(registration)", {"role": "reader"})


def test_nobody_brings_a_role_along(open_site: Site) -> None:
    smuggled = {"role": "owner", "is_owner": "1", "status": "owner", "scopes": "admin", "user_id": "1"}
    assert visitor(open_site).submit("/join", **FIELDS, **smuggled).status_code == 303
    assert role_of(open_site, "nora") == Role.READER


def test_whether_a_name_is_taken_is_told_here_and_the_rest_is_kept(open_site: Site) -> None:
    for name in ("olive", "OLIVE", "bob"):
        answer = visitor(open_site).submit("/join", **FIELDS | {"username": name})
        assert answer.status_code == 422
        assert "Somebody has this name already" in answer.text
        assert 'value="Nora N."' in answer.text
        assert PASSWORD not in answer.text
    assert open_site.rows("users") == len(CAST)


def test_somebody_who_is_signed_in_is_told_so(open_site: Site) -> None:
    rita = open_site.client("rita")
    assert "You are signed in already" in rita.get("/join").text
    assert rita.submit("/join", page="/account/profile", **FIELDS).status_code == 409
    assert role_of(open_site, "nora") is None


def test_looking_at_the_form_writes_nothing(open_site: Site) -> None:
    with open_site.counted_statements() as seen:
        assert visitor(open_site).get("/join").status_code == 200
    assert not [statement for statement in seen if not statement.startswith("SELECT")]


# How many


def register(site: Site, number: int, address: str) -> int:
    fields = FIELDS | {"username": f"nora{number}"}
    return visitor(site, address).submit("/join", **fields).status_code


def test_ten_an_hour_from_one_address(open_site: Site, moment: time_machine.Traveller) -> None:
    assert [register(open_site, number, "203.0.113.7") for number in range(11)] == [303] * 10 + [429]
    assert register(open_site, 10, "203.0.113.8") == 303
    moment.shift(3599)
    assert register(open_site, 11, "203.0.113.7") == 429
    moment.shift(1)
    assert register(open_site, 11, "203.0.113.7") == 303


def test_too_many_are_told_when_to_come_again_and_the_form_is_kept(
    open_site: Site, moment: time_machine.Traveller
) -> None:
    assert {try_a_taken_name(open_site, "2001:db8:1:2::1") for _ in range(10)} == {422}
    moment.shift(600)
    answer = visitor(open_site, "2001:db8:1:2:ffff::2").submit("/join", **FIELDS)
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "3000")
    assert "50 minutes" in answer.text
    assert 'value="nora"' in answer.text
    assert 'value="Nora N."' in answer.text
    assert PASSWORD not in answer.text
    assert role_of(open_site, "nora") is None
    assert visitor(open_site, "2001:db8:1:3::1").submit("/join", **FIELDS).status_code == 303


def try_a_taken_name(site: Site, address: str) -> int:
    return visitor(site, address).submit("/join", **FIELDS | {"username": "olive"}).status_code


def test_what_cannot_be_an_account_is_not_counted(open_site: Site) -> None:
    assert {visitor(open_site).submit("/join", **WRONG).status_code for _ in range(12)} == {422}
    assert open_site.rows("signin_counters") == 0
    assert visitor(open_site).submit("/join", **FIELDS).status_code == 303


def test_registrations_do_not_lock_sign_ins_and_the_other_way_round(open_site: Site) -> None:
    for number in range(11):
        register(open_site, number, "203.0.113.7")
    nora = visitor(open_site)
    assert nora.submit("/login", username="nora0", password=PASSWORD).status_code == 303
    for _ in range(11):
        visitor(open_site, "203.0.113.9").submit("/login", username="nora1", password="wrong wrong")
    assert register(open_site, 20, "203.0.113.9") == 303


def test_the_counter_holds_no_address(open_site: Site) -> None:
    register(open_site, 1, "203.0.113.7")
    with open_site.database.reading() as db:
        stored = repr(list(db.exec_driver_sql("SELECT * FROM signin_counters")))
    assert "203.0.113" not in stored
    assert len(stored) > 40


def test_no_password_is_logged(open_site: Site) -> None:
    with capture_logs() as lines:
        assert visitor(open_site).submit("/join", **FIELDS).status_code == 303
    assert [(line["method"], line["path"]) for line in lines] == [("GET", "/join"), ("POST", "/join")]
    assert PASSWORD not in repr(lines)
