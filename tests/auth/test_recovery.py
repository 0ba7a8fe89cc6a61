"""Recovery codes: a new password without mail, and the way back in for somebody who has lost everything."""

import re
import threading
from html import unescape

import pytest
import time_machine
from argon2 import PasswordHasher

from auth.passkeys.model import Passkey
from auth.passkeys.queries import insert_passkey
from tests.auth.factors import events, first_step, give_app, give_codes, hidden_fields, second_step, send
from tests.auth.test_commands import byline
from tests.support import PASSWORD, Client, Site

PATH = "/login/recover"
NEW = "another horse, another staple"
NEUTRAL = "That name and recovery code do not belong together here, or a code of your app is missing."


def recover(client: Client, code: str, name: str = "alan", **fields: str) -> tuple[int, str]:
    sent = {"username": name, "recovery_code": code, "new_password": NEW} | fields
    answer = send(client, client.get(PATH), PATH, **sent)
    for secret in (code, sent["new_password"]):
        assert not secret.strip() or secret not in answer.text, "no secret is echoed"
    return answer.status_code, answer.text


def password_is(site: Site, password: str, name: str = "alan") -> bool:
    visitor = site.client()
    visitor.environ_base["REMOTE_ADDR"] = "192.0.2.77"
    return first_step(visitor, name, password).status_code in (200, 303)


def test_a_recovery_code_sets_a_new_password_and_ends_every_session(site: Site) -> None:
    codes, device = give_codes(site), site.client("alan")
    status, text = recover(site.client(), f"  {codes[0].upper()} ", " ALAN ")
    assert status == 200
    assert "Your new password is set" in text
    assert 'value="alan"' in text
    assert 'action="/login"' in text
    assert device.get("/account").status_code == 303
    assert site.rows("sessions") == 0, "nobody is signed in by it"
    assert password_is(site, NEW)
    assert not password_is(site, PASSWORD)
    assert recover(site.client(), codes[0])[0] == 401
    assert events(site, "user.password_changed") == [("alan", '{"method":"recovery code"}')]
    assert events(site, "recovery_codes.used") == [("alan", '{"left":9}')]
    assert len(events(site, "session.ended")) == 1


def test_a_reset_does_not_get_around_the_second_factor(site: Site) -> None:
    codes, app = give_codes(site), give_app(site)
    visitor = site.client()
    for wrong in ("", codes[1], "000000", codes[0]):
        assert recover(visitor, codes[0], app_code=wrong)[0] == 401
        assert password_is(site, PASSWORD)
    assert site.rows("recovery_codes") == 10, "none is spent by it"
    assert recover(visitor, codes[0], app_code=app.code())[0] == 200
    asked = first_step(visitor, password=NEW)
    assert asked.status_code == 200
    assert second_step(visitor, asked, app.code()).status_code == 401, "each code is good once"
    assert second_step(visitor, asked, codes[0]).status_code == 401
    assert second_step(visitor, asked, codes[1]).status_code == 303


def test_a_wrong_recovery_code_leaves_the_code_of_the_app_good(site: Site) -> None:
    codes, app = give_codes(site), give_app(site)
    code = app.code()
    assert recover(site.client(), "not one of them", app_code=code)[0] == 401
    assert recover(site.client(), codes[0], app_code=code)[0] == 200


def test_unknown_wrong_and_blocked_get_the_same_answer_for_the_same_work(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed: list[str] = []
    make = PasswordHasher.hash
    monkeypatch.setattr(PasswordHasher, "hash", lambda self, p, **kw: hashed.append(p) or make(self, p, **kw))
    bobs = give_codes(site, "bob")
    pages = set()
    for name, code in (("nobody", bobs[0]), ("alan", bobs[0]), ("bob", bobs[0]), ("", ""), ("\x00", "y\x00")):
        with site.counted_statements() as statements:
            status, text = recover(site.client(), code, name)
        assert status == 401
        assert NEUTRAL in text
        assert hashed.count(NEW) == 1
        assert any("DELETE FROM recovery_codes" in statement for statement in statements)
        hashed.clear()
        pages.add(re.sub(r'value="[^"]*"', "", text))
    assert len(pages) == 1
    assert site.rows("recovery_codes") == 10
    assert password_is(site, PASSWORD)


def test_a_right_code_hashes_once_too(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    hashed: list[str] = []
    make = PasswordHasher.hash
    monkeypatch.setattr(PasswordHasher, "hash", lambda self, p, **kw: hashed.append(p) or make(self, p, **kw))
    assert recover(site.client(), give_codes(site)[0])[0] == 200
    assert hashed == [NEW]


def test_codes_of_others_and_codes_from_an_app_set_no_password(site: Site) -> None:
    give_codes(site)
    others, app = give_codes(site, "ada"), give_app(site)
    for code in (others[0], app.code(), "", "x" * 1_000_000):
        assert recover(site.client(), code)[0] == 401
    assert site.rows("recovery_codes") == 20
    assert password_is(site, PASSWORD)


@pytest.mark.parametrize("password", ["", "short", "x" * 1001, "x" * 1_000_000])
def test_a_password_that_breaks_the_rules_spends_nothing(site: Site, password: str) -> None:
    codes = give_codes(site)
    status, text = recover(site.client(), codes[0], new_password=password)
    assert status == 422
    assert "Use 8 to 1,000 characters" in text
    assert 'value="alan"' in text
    assert site.rows("recovery_codes") == 10
    assert site.rows("signin_counters") == 0


def test_fields_that_are_missing_or_come_as_files_are_an_ordinary_failure(site: Site) -> None:
    give_codes(site)
    visitor = site.client()
    token = hidden_fields(visitor.get(PATH), PATH)
    assert visitor.post(PATH, data=token).status_code == 422
    assert visitor.post(PATH, data=token | {"new_password": NEW}).status_code == 401
    assert visitor.post("/login/code", data=token).status_code == 401
    head = f'--b\r\nContent-Disposition: form-data; name="csrf_token"\r\n\r\n{token["csrf_token"][0]}\r\n'
    file = '--b\r\nContent-Disposition: form-data; name="{}"; filename="f"\r\n\r\nwords\r\n'
    body = (
        head + "".join(map(file.format, ("username", "recovery_code", "new_password", "code", "proof"))) + "--b--\r\n"
    )
    for path, status in ((PATH, 422), ("/login/code", 401)):
        answer = visitor.post(path, data=body, content_type="multipart/form-data; boundary=b")
        assert answer.status_code == status


def test_a_form_without_its_token_sets_nothing(site: Site) -> None:
    codes = give_codes(site)
    refused = site.client().post(PATH, data={"username": "alan", "recovery_code": codes[0], "new_password": NEW})
    assert refused.status_code == 403
    assert codes[0] not in refused.text
    assert site.rows("recovery_codes") == 10


def test_of_twenty_at_once_with_one_code_one_sets_the_password(site: Site) -> None:
    codes = give_codes(site)
    clients, answers = [site.client() for _ in range(20)], list[int]()
    for number, client in enumerate(clients):
        client.environ_base["REMOTE_ADDR"] = f"192.0.2.{number}"
    tokens = [hidden_fields(client.get(PATH), PATH) for client in clients]
    gate = threading.Barrier(len(clients))

    def enter(client: Client, token: dict[str, list[str]]) -> None:
        gate.wait()
        while True:
            sent = {"username": "alan", "recovery_code": codes[0], "new_password": NEW}
            status = client.post(PATH, data=token | sent).status_code
            if status != 503:  # more at once than may wait to write, or to hash: told to come back, and does
                break
        answers.append(status)

    threads = [threading.Thread(target=enter, args=pair) for pair in zip(clients, tokens, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [200] + [401] * 19
    assert len(events(site, "user.password_changed")) == 1
    assert site.rows("recovery_codes") == 9


def test_guessing_counts_with_passwords_and_the_page_keeps_what_it_carries(site: Site) -> None:
    codes, visitor = give_codes(site), site.client()
    parked = {"title": "Half a letter", "body": "Dear reader"}
    page = visitor.post("/new", data=parked, headers={"Accept": "text/html"})
    for _ in range(5):
        page = send(visitor, page, "/login", username="alan", password="wrong")
        assert page.status_code == 401
    page = send(visitor, page, "/login", username="alan")  # whatever stands in its fields
    fields = hidden_fields(page, "/login") | {"username": "alan", "password": "x", "begin": "y"}
    page = visitor.post(PATH, data=fields, content_type="multipart/form-data")
    assert page.status_code == 200
    for _ in range(4):
        page = send(visitor, page, PATH, username="alan", recovery_code="wrong", new_password=NEW)
        assert page.status_code == 401
    page = send(visitor, page, PATH, username="alan", recovery_code=codes[0], new_password=NEW)
    assert page.status_code == 429
    assert 0 < int(page.headers["Retry-After"]) <= 600
    assert hidden_fields(page, PATH)["kept.body"] == ["Dear reader"]
    assert site.rows("recovery_codes") == 10
    assert len(events(site, "session.sign_in_failed")) == 1


def test_whose_name_is_hammered_gets_in_at_once(site: Site) -> None:
    codes, neighbour = give_codes(site), site.client()

    def hammer(times: int) -> None:
        for _ in range(times):
            assert first_step(neighbour, password="wrong").status_code == 401

    hammer(8)
    assert recover(site.client(), codes[0])[0] == 200
    hammer(3)  # more than ten in all, from where alan is too
    assert first_step(site.client(), password=NEW).status_code == 303


def test_a_parked_text_and_next_come_through(site: Site) -> None:
    codes, visitor = give_codes(site), site.client()
    parked = {"title": "Half a letter", "body": "Dear reader,\n\nthe wind"}
    page = visitor.post("/new", data=parked, headers={"Accept": "text/html"})
    assert 'formaction="/login/recover"' in page.text
    fields = hidden_fields(page, "/login") | {"begin": "y", "username": "alan", "password": "typed"}
    page = visitor.post(PATH, data=fields, content_type="multipart/form-data")
    assert "typed" not in page.text
    assert 'value="alan"' in page.text
    page = send(visitor, page, PATH, username="alan", recovery_code="wrong", new_password=NEW)
    page = send(visitor, page, PATH, username="alan", recovery_code=codes[0], new_password=NEW)
    assert page.status_code == 200
    done = send(visitor, page, "/login", username="alan", password=NEW)
    assert done.status_code == 200
    assert unescape(re.findall(r'name="body"[^>]*>\r?\n(.*?)</textarea>', done.text, re.DOTALL)[0]) == parked["body"]


def test_the_link_on_the_sign_in_page_takes_next_along(site: Site) -> None:
    codes, visitor = give_codes(site), site.client()
    link = re.search(r'href="(/login/recover[^"]*)"', visitor.get("/login?next=/account/profile").text)
    assert link is not None
    page = visitor.get(unescape(link[1]))
    page = send(visitor, page, PATH, username="alan", recovery_code=codes[0], new_password=NEW)
    assert send(visitor, page, "/login", username="alan", password=NEW).location == "/account/profile"


def test_whoever_does_so_while_signed_in_is_signed_out(site: Site) -> None:
    codes, alan = give_codes(site), site.client("alan")
    status, text = recover(alan, codes[0])
    assert status == 200
    assert "Signed in as" not in text
    assert alan.get("/account").status_code == 303
    assert first_step(alan, password=NEW).status_code == 303


def test_somebody_without_a_password_gets_one(site: Site) -> None:
    codes = give_codes(site)
    with site.database.transaction() as db:
        db.exec_driver_sql("UPDATE users SET password_hash = NULL WHERE username = 'alan'")
    assert recover(site.client(), codes[0])[0] == 200
    assert password_is(site, NEW)


def test_reading_these_pages_writes_nothing(site: Site) -> None:
    before = site.rows("events")
    with site.counted_statements() as statements:
        assert site.client().get(PATH).status_code == 200
    assert [statement for statement in statements if not statement.startswith("SELECT")] == []
    assert site.rows("events") == before


# Device, codes and password are gone


def test_the_owner_who_is_locked_out_of_everything_gets_back_in(site: Site) -> None:
    give_app(site, "olive")
    give_codes(site, "olive")
    with site.database.transaction() as db:
        passkey = Passkey("1" * 32, "an id", "a handle", "localhost", "usb", "A key", 0, None)
        insert_passkey(db, passkey, user_id=site.principal("olive").user_id or 0, public_key=b"", sign_count=0)
    device, visitor = site.client("olive"), site.client()
    done = byline(site, "user", "password", "olive", "--remove-second-factor", text=f"{NEW}\n")
    assert (done.returncode, done.stderr) == (0, "")
    assert "second factor" in done.stdout
    assert device.get("/account").status_code == 303
    assert first_step(visitor, "olive", NEW).status_code == 303
    assert visitor.get("/admin").status_code == 200
    assert (site.rows("totp"), site.rows("recovery_codes"), site.rows("passkeys")) == (0, 0, 0)
    assert events(site, "second_factor.disabled") == [("(command line)", "{}")]
    assert events(site, "recovery_codes.removed") == [("(command line)", '{"count":10}')]
    log = visitor.get("/admin/log").text
    assert "turned off codes from an app for" in log
    assert "void" in log


def test_without_the_option_the_second_factor_stays(site: Site) -> None:
    app = give_app(site, "olive")
    assert byline(site, "user", "password", "olive", text=f"{NEW}\n").returncode == 0
    visitor = site.client()
    with time_machine.travel(1_795_000_005, tick=False):
        asked = first_step(visitor, "olive", NEW)
        assert asked.status_code == 200
        assert second_step(visitor, asked, app.code()).status_code == 303


def test_where_there_is_nothing_to_remove_that_is_no_fault(site: Site) -> None:
    assert byline(site, "user", "password", "alan", "--remove-second-factor", text=f"{NEW}\n").returncode == 0
    assert events(site, "second_factor.disabled") == []
    assert password_is(site, NEW)


def test_an_owner_who_cannot_be_found_or_a_password_too_short_removes_nothing(site: Site) -> None:
    give_app(site, "olive")
    for name, password in (("nobody", NEW), ("olive", "short")):
        refused = byline(site, "user", "password", name, "--remove-second-factor", text=f"{password}\n")
        assert refused.returncode == 1
    assert site.rows("totp") == 1


def test_somebody_who_is_blocked_is_told_of(site: Site) -> None:
    done = byline(site, "user", "password", "bob", text=f"{NEW}\n")
    assert done.returncode == 0
    assert "bob is blocked" in done.stdout
    assert "blocked" not in byline(site, "user", "password", "alan", text=f"{NEW}\n").stdout
