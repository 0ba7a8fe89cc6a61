"""The owner, locked out of everything: the documented command lets them in again, whoever else is trying their name."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests
import time_machine

from auth.signin import throttling
from auth.signin.signing_in import set_password
from auth.users import passwords
from auth.users.roles import find_person
from storage import clock
from tests.folders import run_byline
from tests.support import PASSWORD, TESTER, Server, Site
from web.signing import current_keys

HOME, HOTEL = "192.0.2.7", "203.0.113.9"
NEW = "another horse, another staple"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """It stands behind a proxy, which says where people come from."""
    running = Server(tmp_path / "instance", BYLINE_TRUSTED_PROXIES="127.0.0.1,::1").start()
    yield running
    running.kill()


def try_from(server: Server, address: str, password: str) -> requests.Response:
    browser = server.browser()
    browser.headers["X-Forwarded-For"] = address
    return browser.sign_in("olive", password)


def hammer(server: Server) -> None:
    """A hundred wrong passwords for one name, each from another address."""
    with ThreadPoolExecutor(4) as pool:
        addresses = [f"198.51.{number}.1" for number in range(100)]
        statuses = {answer.status_code for answer in pool.map(lambda a: try_from(server, a, "wrong"), addresses)}
    assert statuses == {401}


def reset(server: Server, password: str) -> None:
    done = run_byline(server.folder, "user", "password", "olive", text=f"{password}\n", environment=server.environment)
    assert (done.returncode, done.stderr) == (0, "")
    assert password not in done.stdout


def test_who_has_forgotten_it_and_tried_too_often_is_let_in_by_the_command_at_once(server: Server) -> None:
    assert [try_from(server, HOME, "wrong").status_code for _ in range(10)] == [401] * 10
    assert try_from(server, HOME, PASSWORD).status_code == 429
    reset(server, NEW)
    browser = server.browser()
    browser.headers["X-Forwarded-For"] = HOME
    assert browser.sign_in("olive", NEW).status_code == 303
    assert browser.get("/admin").status_code == 200
    # And again: nothing of the lock is left.
    assert try_from(server, HOME, NEW).status_code == 303
    assert try_from(server, HOME, PASSWORD).status_code == 401


def test_while_others_hammer_the_name_its_owner_gets_in_from_home_and_with_the_command_from_anywhere(
    server: Server,
) -> None:
    assert try_from(server, HOME, PASSWORD).status_code == 303
    hammer(server)
    assert try_from(server, HOTEL, PASSWORD).status_code == 429
    assert try_from(server, HOME, PASSWORD).status_code == 303
    reset(server, NEW)
    assert try_from(server, HOTEL, NEW).status_code == 303
    assert try_from(server, HOTEL, NEW).status_code == 303


# What the ten minutes are, in this process


def sign_in(site: Site, address: str, password: str, *, name: str = "olive") -> int:
    browser = site.client()
    browser.environ_base["REMOTE_ADDR"] = address
    return browser.submit("/login", username=name, password=password).status_code


def let_in(site: Site, password: str) -> None:
    with site.app.app_context(), site.database.transaction() as db:
        set_password(db, find_person(db, "olive"), password_hash=passwords.hash_password(password), by=TESTER)
        throttling.let_in(db, current_keys(), username="olive")


def test_the_hammering_goes_on_and_who_was_let_in_comes_in(site: Site) -> None:
    for _ in range(2):
        let_in(site, NEW)
        assert {sign_in(site, f"198.51.{number}.1", "wrong") for number in range(120)} == {401}
    assert sign_in(site, HOTEL, NEW) == 303


def test_each_address_has_ten_tries_and_the_next_command_ten_more(site: Site) -> None:
    for _ in range(2):
        let_in(site, NEW)
        assert [sign_in(site, HOTEL, "wrong") for _ in range(11)] == [401] * 10 + [429]
        assert sign_in(site, HOME, NEW) == 303
    assert sign_in(site, HOTEL, NEW) == 429
    assert sign_in(site, HOTEL, PASSWORD, name="ada") == 303


def test_after_ten_minutes_all_counts_again(site: Site) -> None:
    now = clock.now()
    with time_machine.travel(now / clock.SECOND, tick=False) as travel:
        assert [sign_in(site, HOTEL, "wrong") for _ in range(11)] == [401] * 10 + [429]
        let_in(site, NEW)
        travel.shift(599)
        assert sign_in(site, HOME, NEW) == 303
        # The first lock is over too by now, and the second one is twice as long.
        travel.shift(2)
        assert [sign_in(site, HOTEL, "wrong") for _ in range(11)] == [401] * 10 + [429]
        let_in(site, NEW)
        travel.shift(601)
        assert sign_in(site, HOTEL, NEW) == 429


def test_another_name_stays_locked(site: Site) -> None:
    assert [sign_in(site, HOTEL, "wrong", name="ada") for _ in range(11)] == [401] * 10 + [429]
    let_in(site, NEW)
    assert sign_in(site, HOTEL, PASSWORD, name="ada") == 429
