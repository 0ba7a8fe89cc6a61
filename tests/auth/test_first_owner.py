"""The first owner: by a one-time link, or from the environment."""

import threading
from pathlib import Path

from app import WRITINGS, prepare_site
from auth.leaving.leaving import leave
from auth.permissions import Role
from auth.signin.setup import prepare_first_owner
from auth.users.queries import find_user
from auth.users.registering import register
from storage.folder import prepare_folder
from storage.upgrading import upgrade
from tests.support import PASSWORD, SECRET, TESTER, Server, Site
from web.settings import load_settings

FIELDS = {"site_name": "Notes", "username": "Olive", "display_name": "Olive O.", "password": PASSWORD}


def _empty_site(folder: Path, **environment: str) -> Site:
    settings = load_settings({"BYLINE_INSTANCE": str(folder), "SECRET_KEY": SECRET, **environment})
    prepare_folder(folder)
    upgrade(settings.database_path)
    return Site(folder, settings)


def _link(site: Site) -> str:
    token = prepare_first_owner(site.database, site.settings)
    assert token is not None
    return f"/setup/{token}"


def test_the_link_makes_the_owner_names_the_site_and_is_good_once(tmp_path: Path) -> None:
    site = _empty_site(tmp_path)
    link = _link(site)
    browser = site.client()
    assert browser.get(link).status_code == 200
    assert browser.submit(link, **FIELDS).status_code == 303
    assert browser.get(link).status_code == 410
    assert browser.post(link, data=FIELDS).status_code == 410
    assert "Notes" in browser.get("/").text
    assert browser.submit("/login", username="olive", password=PASSWORD).status_code == 303
    assert browser.get("/admin").status_code == 200
    site.close()


def test_only_the_newest_link_is_good_and_a_wrong_one_is_404(tmp_path: Path) -> None:
    site = _empty_site(tmp_path)
    old, new = _link(site), _link(site)
    browser = site.client()
    for wrong in (old, "/setup/x", "/setup/" + "x" * 5000, "/setup/%00", "/setup/%ff"):
        assert browser.get(wrong).status_code == 404, wrong
        assert browser.post(wrong, data=FIELDS).status_code == 404, wrong
    assert browser.get(new).status_code == 200
    site.close()


def test_faults_are_shown_and_the_link_stays_good(tmp_path: Path) -> None:
    site = _empty_site(tmp_path)
    link = _link(site)
    browser = site.client()
    for name, value in (
        ("password", "short"),
        ("username", "Olive O."),
        ("username", ""),
        ("site_name", ""),
        ("username", "x" * 41),
    ):
        answer = browser.submit(link, **FIELDS | {name: value})
        assert answer.status_code == 422, name
        assert 'aria-invalid="true"' in answer.text
        assert PASSWORD not in answer.text
    assert site.rows("users") == 0
    assert browser.submit(link, **FIELDS).status_code == 303
    site.close()


def test_nothing_else_comes_in_with_the_form(tmp_path: Path) -> None:
    site = _empty_site(tmp_path)
    smuggled = {"role": "reader", "blocked_at": "1", "registration": "open", "time_zone": "Mars", "id": "7"}
    assert site.client().submit(_link(site), **FIELDS | smuggled).status_code == 303
    with site.database.reading() as db:
        owner = find_user(db, "olive")
        assert owner is not None
        assert (owner.id, owner.role, owner.is_blocked) == (1, Role.OWNER, False)
        assert db.exec_driver_sql("SELECT registration, time_zone FROM site").one() == ("invitation", "UTC")
    site.close()


def test_twenty_requests_at_once_make_one_owner(tmp_path: Path) -> None:
    site = _empty_site(tmp_path)
    link = _link(site)
    browsers = [site.client() for _ in range(8)]
    tokens = [browser.form_token(link) for browser in browsers]
    statuses: list[int] = []

    def set_up(number: int) -> None:
        fields = FIELDS | {"username": f"owner{number}", "csrf_token": tokens[number]}
        statuses.append(browsers[number].post(link, data=fields).status_code)

    threads = [threading.Thread(target=set_up, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [303] + [410] * 7
    assert site.rows("users") == 1
    site.close()


def test_the_environment_makes_the_owner_once_and_a_restart_changes_nothing(tmp_path: Path) -> None:
    environment = {"BYLINE_ADMIN_USERNAME": "Olive", "BYLINE_ADMIN_PASSWORD": PASSWORD}
    site = _empty_site(tmp_path, **environment)
    assert prepare_first_owner(site.database, site.settings) is None
    again = load_settings(
        {"BYLINE_INSTANCE": str(tmp_path)} | environment | {"BYLINE_ADMIN_PASSWORD": "another password"}
    )
    assert prepare_first_owner(site.database, again) is None
    other = load_settings({"BYLINE_INSTANCE": str(tmp_path)} | environment | {"BYLINE_ADMIN_USERNAME": "mallory"})
    assert prepare_first_owner(site.database, other) is None
    assert site.rows("users") == 1
    assert site.client().submit("/login", username="olive", password=PASSWORD).status_code == 303
    site.close()


def test_the_environments_token_follows_the_environment(tmp_path: Path) -> None:
    first, second = "byl_" + "a" * 43, "byl_" + "b" * 43
    environment = {"BYLINE_ADMIN_USERNAME": "olive", "BYLINE_ADMIN_PASSWORD": PASSWORD}
    site = _empty_site(tmp_path, **environment)
    for token, good, bad in ((first, first, second), (second, second, first), (None, None, second)):
        given = environment | ({"BYLINE_API_TOKEN": token} if token else {})
        prepare_first_owner(site.database, load_settings({"BYLINE_INSTANCE": str(tmp_path)} | given))
        assert site.client(token=bad).get("/v1/posts").status_code == 401
        if good:
            assert site.client(token=good).post("/v1/posts", json={"title": "x"}).status_code == 201
            assert good.encode() not in b"".join(path.read_bytes() for path in tmp_path.iterdir())
    site.close()


def test_the_environments_token_is_nobodys_once_its_owner_has_left(tmp_path: Path) -> None:
    token = "byl_" + "a" * 43
    environment = {"BYLINE_ADMIN_USERNAME": "olive", "BYLINE_ADMIN_PASSWORD": PASSWORD, "BYLINE_API_TOKEN": token}
    site = _empty_site(tmp_path, **environment)
    assert not prepare_site(site.settings).has_useless_token
    assert site.client(token=token).get("/v1/tokens").status_code == 200
    with site.database.transaction() as db:
        register(db, "edith", role=Role.OWNER, password_hash=None, by=TESTER)
        leave(db, "olive", to="edith", by=TESTER, writings=WRITINGS)
    assert site.rows("tokens") == 0
    assert prepare_site(site.settings).has_useless_token
    assert site.rows("tokens") == 0
    assert site.client(token=token).get("/v1/tokens").status_code == 401
    without = load_settings({"BYLINE_INSTANCE": str(tmp_path)} | environment | {"BYLINE_API_TOKEN": ""})
    assert not prepare_site(without).has_useless_token
    site.close()


def test_the_terminal_shows_the_link_and_the_log_does_not(tmp_path: Path) -> None:
    server = Server(tmp_path / "instance", BYLINE_ADMIN_USERNAME="", BYLINE_ADMIN_PASSWORD="").start()
    try:
        shown = server.wait_for("/setup/")
        link = shown.split()[-1].removeprefix(server.url)
        browser = server.browser()
        assert browser.submit(link, FIELDS).status_code == 303
        assert browser.sign_in().status_code == 303
    finally:
        server.kill()
    token = link.rpartition("/")[2]
    assert [line for line in server.output if token in line] == [shown]
