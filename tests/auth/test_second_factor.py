"""Codes from an app: turning them on and off, and the second step of signing in, which loses nothing."""

import re
import threading
from collections.abc import Callable, Iterator
from html import unescape

import pyotp
import pytest
import time_machine
from werkzeug.test import TestResponse

from tests.auth.factors import (
    PAGE,
    App,
    events,
    first_step,
    give_app,
    give_codes,
    hidden_fields,
    second_step,
    send,
)
from tests.support import PASSWORD, SECRET, Client, Site, read_all
from web.signing import Keys

BEGIN = f"{PAGE}/begin"
NEUTRAL = "Nothing else can be said about them"
ANEW = "begin it once more"


@pytest.fixture
def now() -> Iterator[time_machine.Traveller]:
    """A moment in the middle of a step, which stands still."""
    with time_machine.travel(1_795_000_005, tick=False) as traveller:
        yield traveller


def secret_on(text: str) -> str:
    found = re.search(r'<code class="groups">([A-Z2-7 ]+)</code>', text)
    assert found is not None
    return found[1].replace(" ", "")


def codes_on(text: str) -> list[str]:
    return re.findall(r"<li><code>([0-9a-z-]{19})</code></li>", text)


def rows(site: Site) -> tuple[int, int]:
    return site.rows("totp"), site.rows("recovery_codes")


# On and off


def test_it_is_on_once_the_app_has_shown_a_right_code(site: Site) -> None:
    alan = site.client("alan")
    assert "is <strong>off</strong>" in alan.get(PAGE).text
    page = alan.get(BEGIN)
    assert "<svg" in page.text
    assert "data:" not in page.text
    assert "unsafe" not in page.headers["Content-Security-Policy"]
    app = App(secret_on(page.text))
    assert unescape(page.text).count(f"secret={app.secret}") == 1
    assert rows(site) == (0, 0)
    wrong = send(alan, page, BEGIN, code="000000" if app.code() != "000000" else "111111")
    assert wrong.status_code == 422
    assert secret_on(wrong.text) == app.secret, "the same picture again"
    assert rows(site) == (0, 0)
    code = app.code()
    done = send(alan, wrong, BEGIN, code=f" {code[:3]} {code[3:]} ")
    assert done.status_code == 200
    assert rows(site) == (1, 10)
    codes = codes_on(done.text)
    assert len(set(codes)) == 10
    for later in (PAGE, BEGIN, "/account"):
        assert not any(code in alan.get(later).text for code in codes)
    assert app.secret not in alan.get(PAGE).text
    assert "is <strong>on</strong>" in alan.get(PAGE).text
    assert events(site, "second_factor.%") == [("alan", "{}")]
    assert events(site, "recovery_codes.%") == [("alan", '{"count":10}')]


def test_recovery_codes_are_stored_nowhere_and_the_secret_in_its_table_alone(site: Site) -> None:
    alan = site.client("alan")
    page = alan.get(BEGIN)
    app = App(secret_on(page.text))
    codes = codes_on(send(alan, page, BEGIN, code=app.code()).text)
    assert len(codes) == 10
    site.database.close()
    for (table,) in read_all(site.settings.database_path, "SELECT name FROM sqlite_master WHERE type = 'table'"):
        stored = str(read_all(site.settings.database_path, f'SELECT * FROM "{table}"'))
        assert not any(code in stored or code.replace("-", "") in stored for code in codes), table
        assert (app.secret in stored) == (table == "totp"), table


def test_the_code_that_turned_it_on_does_not_sign_in(site: Site, now: time_machine.Traveller) -> None:
    alan = site.client("alan")
    page = alan.get(BEGIN)
    app = App(secret_on(page.text))
    assert send(alan, page, BEGIN, code=app.code()).status_code == 200
    visitor = site.client()
    asked = first_step(visitor)
    assert second_step(visitor, asked, app.code()).status_code == 401
    assert second_step(visitor, asked, app.code(1)).status_code == 303


def test_a_picture_of_another_session_or_of_long_ago_turns_nothing_on(site: Site, now: time_machine.Traveller) -> None:
    alan, elsewhere, ada = site.client("alan"), site.client("alan"), site.client("ada")
    page = alan.get(BEGIN)
    app = App(secret_on(page.text))
    pending = hidden_fields(page, BEGIN)["pending"]
    for other in (elsewhere, ada):
        answer = send(other, other.get(BEGIN), BEGIN, pending=pending, code=app.code())
        assert answer.status_code == 422
        assert secret_on(answer.text) != app.secret
    now.shift(601)
    fresh = site.client("alan")
    fields = hidden_fields(fresh.get(BEGIN), BEGIN) | {"pending": pending, "code": app.code()}
    assert fresh.post(BEGIN, data=fields).status_code == 422
    assert rows(site) == (0, 0)


def test_a_session_of_long_ago_signs_in_first_and_gets_a_fresh_picture(site: Site, now: time_machine.Traveller) -> None:
    alan = site.client("alan")
    page = alan.get(BEGIN)
    app = App(secret_on(page.text))
    now.shift(601)
    refused = send(alan, page, BEGIN, code=app.code())
    assert refused.status_code == 401
    assert app.code() not in refused.text
    assert app.secret not in refused.text
    again = send(alan, refused, "/login", username="alan", password=PASSWORD)
    assert again.status_code == 200
    assert "This is a new picture" in again.text
    assert secret_on(again.text) != app.secret
    for path in (PAGE, BEGIN):
        assert site.client().get(path).status_code == 303
    for path in (BEGIN, f"{PAGE}/off", f"{PAGE}/codes"):
        assert site.client().post(path).status_code == 401
        assert site.client(token=site.token("alan")).post(path).status_code == 403
        assert alan.post(path).status_code == 403


@pytest.mark.parametrize("name", ["🦉" * 100, ":", "Byline: the second", "<b>&\"'"])
def test_a_site_of_any_name_has_a_picture(site: Site, name: str) -> None:
    with site.database.transaction() as db:
        db.exec_driver_sql("UPDATE site SET name = ?", (name,))
    page = site.client("alan").get(BEGIN)
    assert page.status_code == 200
    address = re.search(r'href="(otpauth://totp/[^"]+)"', page.text)
    assert address is not None
    app = pyotp.parse_uri(unescape(address[1]))
    assert (app.name, app.secret) == ("alan", secret_on(page.text))


def test_it_cannot_be_turned_on_over_what_is_on(site: Site) -> None:
    alan = site.client("alan")
    page = alan.get(BEGIN)
    app = give_app(site)
    answer = send(alan, page, BEGIN, code=App(secret_on(page.text)).code())
    assert answer.status_code == 409
    with site.database.reading() as db:
        assert db.exec_driver_sql("SELECT secret FROM totp").scalar_one() == app.secret


def test_who_pressed_twice_and_saw_no_codes_is_led_to_new_ones(site: Site, now: time_machine.Traveller) -> None:
    alan = site.client("alan")
    page = alan.get(BEGIN)
    app = App(secret_on(page.text))
    assert len(codes_on(send(alan, page, BEGIN, code=app.code()).text)) == 10
    twice = send(alan, page, BEGIN, code=app.code())
    assert twice.status_code == 409
    assert '<a href="#codes">make new ones' in twice.text
    assert 'id="codes"' in twice.text
    assert len(codes_on(send(alan, twice, f"{PAGE}/codes").text)) == 10


def test_who_has_no_password_is_told_what_is_true_for_them(site: Site) -> None:
    alan = site.client("alan")
    assert "your password is enough" in alan.get(PAGE).text
    with site.database.transaction() as db:
        db.exec_driver_sql("UPDATE users SET password_hash = NULL WHERE username = 'alan'")
    off = alan.get(PAGE).text
    give_app(site)
    on = alan.get(PAGE).text
    for text, state in ((off, "off"), (on, "on")):
        assert f"is <strong>{state}</strong>" in text
        assert "your password" not in text.lower()
        assert "Where you sign in with a passkey, you are not asked for a code" in text


def test_every_change_ends_the_other_sessions_and_no_token(site: Site) -> None:
    alan, token = site.client("alan"), site.token("alan")

    def change(path: str, page: str = PAGE, **fields: str) -> None:
        other = site.client("alan")
        assert send(alan, alan.get(page), path, **fields).status_code in (200, 303)
        assert other.get("/account").status_code == 303
        assert alan.get("/account").status_code == 200

    page = alan.get(BEGIN)
    other = site.client("alan")
    assert send(alan, page, BEGIN, code=App(secret_on(page.text)).code()).status_code == 200
    assert other.get("/account").status_code == 303
    change(f"{PAGE}/codes")
    change(f"{PAGE}/off")
    assert rows(site) == (0, 10)
    assert site.client(token=token).get("/v1/posts").status_code == 200
    ended = [payload for _, payload in events(site, "session.ended")]
    assert len(ended) == 3
    assert all('"reason":"second factor changed"' in payload for payload in ended)


def test_new_recovery_codes_make_the_old_ones_void(site: Site) -> None:
    old = give_codes(site)
    give_app(site)
    alan = site.client("alan")
    new = codes_on(send(alan, alan.get(PAGE), f"{PAGE}/codes").text)
    visitor = site.client()
    asked = first_step(visitor)
    assert second_step(visitor, asked, old[0]).status_code == 401
    assert second_step(visitor, asked, new[0]).status_code == 303


def test_the_page_says_when_few_are_left(site: Site) -> None:
    codes, alan = give_codes(site), site.client("alan")
    assert "10 codes" in alan.get(PAGE).text
    assert "not many" not in alan.get(PAGE).text
    for left, words in ((3, "3 codes"), (1, "one code")):
        with site.database.transaction() as db:
            db.exec_driver_sql(
                f"DELETE FROM recovery_codes WHERE rowid NOT IN (SELECT rowid FROM recovery_codes LIMIT {left})"
            )
        assert words in alan.get(PAGE).text
        assert "not many" in alan.get(PAGE).text
    assert codes[0] not in alan.get(PAGE).text


# Signing in


def test_password_and_code_begin_a_session(site: Site) -> None:
    app, visitor = give_app(site), site.client()
    asked = first_step(visitor, path="/login?next=/account/profile")
    assert asked.status_code == 200
    assert site.rows("sessions") == 0
    assert visitor.get("/account").status_code == 303
    code = app.code()
    done = second_step(visitor, asked, f"{code[:3]} {code[3:]}")
    assert (done.status_code, done.location) == (303, "/account/profile")
    assert '"method":"password and code"' in events(site, "session.signed_in")[0][1]
    assert "with a password and a code" in visitor.get("/account/devices").text


def test_a_hash_that_is_renewed_at_the_first_step_is_the_one_of_the_second(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    app, visitor = give_app(site), site.client()
    monkeypatch.setattr("auth.signin.signing_in.needs_rehash", lambda _hash: True)
    asked = first_step(visitor)
    assert second_step(visitor, asked, app.code()).status_code == 303


def test_a_key_that_is_changed_locks_nobody_out(site: Site) -> None:
    app, codes, visitor = give_app(site), give_codes(site), site.client()
    site.app.extensions["keys"] = Keys("another key for tests only 0123456789 abc")
    assert second_step(visitor, first_step(visitor), app.code()).status_code == 303
    other = site.client()
    assert second_step(other, first_step(other), codes[0]).status_code == 303


def test_a_key_that_is_changed_between_the_steps_stops_nobody(site: Site) -> None:
    app, visitor = give_app(site), site.client()
    asked = first_step(visitor)
    site.app.extensions["keys"] = Keys("another key for tests only 0123456789 abc", (SECRET,))
    assert second_step(visitor, asked, app.code()).status_code == 303


def test_a_recovery_code_does_it_too_in_either_field_and_once(site: Site) -> None:
    give_app(site)
    codes = give_codes(site)
    written = [codes[0], codes[1].upper().replace("-", " "), codes[2].replace("0", "O").replace("1", "l")]
    for number, code in enumerate(written):
        visitor = site.client()
        asked = first_step(visitor)
        field = {"code": "", "recovery_code": code} if number else {"code": code}
        assert send(visitor, asked, "/login/code", **field).status_code == 303
        late = site.client()
        assert second_step(late, first_step(late), code).status_code == 401
    assert site.rows("recovery_codes") == 7
    assert events(site, "recovery_codes.used") == [("alan", f'{{"left":{left}}}') for left in (9, 8, 7)]
    assert "with a password and a recovery code" in visitor.get("/account/devices").text


@pytest.mark.parametrize(("steps", "is_good"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_clock_may_be_one_step_off(site: Site, now: time_machine.Traveller, steps: int, is_good: bool) -> None:
    app, visitor = give_app(site), site.client()
    assert second_step(visitor, first_step(visitor), app.code(steps)).status_code == (303 if is_good else 401)


def test_a_code_is_taken_once_and_no_earlier_one_after_it(site: Site, now: time_machine.Traveller) -> None:
    app = give_app(site)

    def try_code(steps: int) -> int:
        visitor = site.client()
        return second_step(visitor, first_step(visitor), app.code(steps)).status_code

    assert [try_code(steps) for steps in (0, 0, -1, 1, 1, 0)] == [303, 401, 401, 303, 401, 401]
    now.shift(60)
    assert try_code(0) == 303


@pytest.mark.parametrize("kind", ["code", "recovery code"])
def test_of_many_at_once_with_one_code_one_is_signed_in(site: Site, kind: str) -> None:
    app, codes = give_app(site), give_codes(site)
    with time_machine.travel(1_795_000_005, tick=False):
        code = app.code() if kind == "code" else codes[0]
    clients, answers = [site.client() for _ in range(20)], list[int]()
    for number, client in enumerate(clients):
        client.environ_base["REMOTE_ADDR"] = f"192.0.2.{number}"
    with time_machine.travel(1_795_000_005, tick=False):
        pages = [first_step(client) for client in clients]
        gate = threading.Barrier(len(clients))

        def enter(client: Client, page: TestResponse) -> None:
            gate.wait()
            # More at once than may wait to write are told to come back, and do.
            while (status := second_step(client, page, code).status_code) == 503:
                pass
            answers.append(status)

        threads = [threading.Thread(target=enter, args=pair) for pair in zip(clients, pages, strict=True)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(answers) == [303] + [401] * 19
    assert site.rows("sessions") == 1


def test_codes_of_another_account_are_wrong(site: Site) -> None:
    give_app(site)
    others_app, others = give_app(site, "ada"), give_codes(site, "ada")
    visitor = site.client()
    asked = first_step(visitor)
    for code in (others_app.code(), others[0]):
        asked = second_step(visitor, asked, code)
        assert asked.status_code == 401
        assert code not in asked.text
    assert site.rows("recovery_codes") == 10
    assert site.rows("sessions") == 0


def test_nobody_learns_of_it_before_the_password_is_right(site: Site) -> None:
    give_app(site)
    give_codes(site)
    pages = {
        re.sub(r'(?:value|data-options)="[^"]*"', "", first_step(site.client(), name, password).text)
        for name, password in (("alan", "wrong"), ("ada", "wrong"), ("nobody", PASSWORD), ("bob", PASSWORD))
    }
    assert len(pages) == 1
    assert "/login/code" not in pages.pop()


def test_a_program_is_told_to_bring_a_token(site: Site) -> None:
    give_app(site)
    visitor = site.client()
    fields = hidden_fields(visitor.get("/login"), "/login") | {"username": "alan", "password": PASSWORD}
    answer = visitor.post("/login", data=fields, headers={"Accept": "application/json"})
    assert (answer.status_code, answer.mimetype) == (401, "application/problem+json")
    assert "proof" not in answer.text
    answer = visitor.post("/login/code", data=fields | {"code": "1"}, headers={"Accept": "application/json"})
    assert (answer.status_code, answer.mimetype) == (401, "application/problem+json")


# What is lost on the way: nothing

WORDS = "\n\tLine one\n\n</textarea> & “two”\n" * 40


def test_a_parked_text_and_what_was_chosen_come_through_both_steps(site: Site) -> None:
    app, visitor = give_app(site), site.client()
    parked = {"title": "Half a letter", "body": WORDS, "tags": "one, two", "status": "draft"}
    page = visitor.post("/new", data=parked, content_type="multipart/form-data", headers={"Accept": "text/html"})
    assert page.status_code == 401
    page = send(visitor, page, "/login", username="alan", password="wrong", remember="y")
    assert page.status_code == 401
    page = send(visitor, page, "/login", username="alan", password=PASSWORD, remember="y")
    assert page.status_code == 200
    for wrong in ("000000", "", "x" * 1000):
        page = second_step(visitor, page, wrong)
        assert page.status_code == 401
        assert "What you wrote" in page.text
    done = second_step(visitor, page, app.code())
    assert done.status_code == 200
    assert (
        unescape(re.findall(r'<textarea[^>]*name="body"[^>]*>\r?\n(.*?)</textarea>', done.text, re.DOTALL)[0]) == WORDS
    )
    assert 'value="Half a letter"' in done.text
    assert "Max-Age" in done.headers["Set-Cookie"], "remembered"
    assert site.rows("posts") == 0


def test_a_stale_session_goes_through_both_steps_with_its_form(site: Site, now: time_machine.Traveller) -> None:
    app, alan = give_app(site), site.client("alan")
    page = alan.get("/account/tokens")
    now.shift(601)
    fields = {"name": "My phone", "scopes": "posts:read", "expires": "90"}
    refused = send(alan, page, "/account/tokens", **fields)
    assert refused.status_code == 401
    asked = send(alan, refused, "/login", username="alan", password=PASSWORD)
    assert 'action="/login/code"' in asked.text
    assert site.rows("sessions") == 1, "still the old one"
    done = second_step(alan, asked, app.code())
    assert done.status_code == 200
    assert 'value="My phone"' in done.text
    assert site.rows("sessions") == 1
    assert send(alan, done, "/account/tokens", **fields).status_code == 200


@pytest.mark.parametrize(
    "target", ["//evil.example", "https://evil.example/", "/\\evil.example", "javascript:alert(1)"]
)
def test_next_leads_nowhere_else(site: Site, target: str) -> None:
    app, visitor = give_app(site), site.client()
    asked = send(visitor, visitor.get("/login"), "/login", username="alan", password=PASSWORD, next=target)
    done = second_step(visitor, asked, app.code(), next=target)
    assert (done.status_code, done.location) == (303, "/")


# The proof


def _late(site: Site, now: time_machine.Traveller) -> None:
    now.shift(602)


def _block(site: Site, now: time_machine.Traveller) -> None:
    with site.database.transaction() as db:
        db.exec_driver_sql("UPDATE users SET blocked_at = 1 WHERE username = 'alan'")


def _other_password(site: Site, now: time_machine.Traveller) -> None:
    with site.database.transaction() as db:
        db.exec_driver_sql("UPDATE users SET password_hash = (SELECT password_hash || 'x') WHERE username = 'alan'")


def _turn_off(site: Site, now: time_machine.Traveller) -> None:
    with site.database.transaction() as db:
        db.exec_driver_sql("DELETE FROM totp")


BETWEEN = [(_late, ANEW), (_block, NEUTRAL), (_other_password, NEUTRAL), (_turn_off, ANEW)]


@pytest.mark.parametrize(("happens", "sentence"), BETWEEN)
def test_what_happens_between_the_steps_sends_back_to_the_first(
    site: Site, now: time_machine.Traveller, happens: Callable[[Site, time_machine.Traveller], None], sentence: str
) -> None:
    app, visitor = give_app(site), site.client()
    page = visitor.post("/new", data={"title": "T", "body": WORDS}, headers={"Accept": "text/html"})
    asked = send(visitor, page, "/login", username="alan", password=PASSWORD)
    happens(site, now)
    refused = second_step(visitor, asked, app.code())
    assert refused.status_code == 401
    assert refused.headers["WWW-Authenticate"]
    assert sentence in refused.text
    assert site.rows("sessions") == 0
    carried = hidden_fields(refused, "/login")
    assert carried["kept_for"] == ["/new"]
    assert carried["kept.body"][0].replace("\r\n", "\n") == WORDS


def test_a_proof_is_good_in_its_own_browser_alone_and_not_as_anything_else(site: Site) -> None:
    app, other = give_app(site), give_app(site, "ada")
    alan, ada = site.client(), site.client()
    proof = hidden_fields(first_step(alan), "/login/code")["proof"]
    others = first_step(ada, "ada")
    for code in (app.code(), other.code()):
        answer = second_step(ada, others, code, proof=proof)
        assert answer.status_code == 401
        assert ANEW in answer.text
    signed = site.app.extensions["keys"].sign("session", proof[0].rpartition(".")[0].rpartition(".")[0])
    for forged in ("", "x", "a.b.c", proof[0][:-1], proof[0] + "x", signed, "x" * 1_000_000, "\x00", ".", "é.è"):
        answer = second_step(ada, others, other.code(), proof=forged)
        assert answer.status_code == 401, forged[:20]
    assert site.rows("sessions") == 0
    assert second_step(ada, others, other.code()).status_code == 303


def test_a_refused_form_token_keeps_the_page_and_tries_nothing(site: Site) -> None:
    app, visitor = give_app(site), site.client()
    asked = first_step(visitor, path="/login?next=/account/profile")
    refused = second_step(visitor, asked, app.code(), csrf_token="stale")
    assert refused.status_code == 403
    assert app.code() not in refused.text
    assert second_step(visitor, refused, app.code()).location == "/account/profile"
    foreign = second_step(site.client(), asked, app.code())
    assert foreign.status_code == 403
    assert 'action="/login"' in foreign.text
    assert hidden_fields(foreign, "/login")["next"] == ["/account/profile"]


STRANGE = [
    "x" * 1_000_000,
    "٣" * 6,
    "１２３４５６",
    "-1",
    "12345",
    "1234567",
    "\x00",
    "0" * 200,
    "ⅷ²½",
    "' OR 1=1 --",
    "🦉",
]


@pytest.mark.parametrize("field", ["code", "recovery_code", "next", "remember"])
def test_strange_input_is_an_ordinary_failure(site: Site, field: str) -> None:
    give_app(site)
    visitor = site.client()
    asked = first_step(visitor)
    for value in STRANGE[:9]:
        answer = send(visitor, asked, "/login/code", **{field: value})
        assert answer.status_code == 401, ascii(value[:20])
    assert site.rows("sessions") == 0


def test_digits_of_other_keyboards_are_digits(site: Site) -> None:
    app, visitor = give_app(site), site.client()
    digits = app.code().translate({ord("0") + n: 0x660 + n for n in range(10)})
    assert second_step(visitor, first_step(visitor), digits).status_code == 303


# Pressed twice, and begun again


def test_who_pressed_twice_is_told_that_they_may_be_signed_in(site: Site) -> None:
    app, visitor = give_app(site), site.client()
    asked = first_step(visitor, path="/login?next=/account/profile")
    assert "go on</a>" not in asked.text
    held = visitor.get_cookie("session")
    assert held is not None
    assert second_step(visitor, asked, app.code()).status_code == 303
    signed_in = visitor.get_cookie("session")
    assert signed_in is not None
    visitor.set_cookie("session", held.value)  # as the second of two that were sent at once
    twice = second_step(visitor, asked, app.code())
    assert twice.status_code == 401
    assert 'If you have just signed in with it, <a href="/account/profile">go on</a>' in twice.text
    visitor.set_cookie("session", signed_in.value)
    assert visitor.get("/account/profile").status_code == 200


def test_the_page_of_the_code_reloaded_leads_to_the_beginning(site: Site) -> None:
    answer = site.client().get("/login/code")
    assert (answer.status_code, answer.location) == (303, "/login")


def test_one_may_begin_again_with_what_one_carries(site: Site) -> None:
    app, visitor = give_app(site), site.client()
    asked = first_step(visitor, path="/login?next=/account/profile")
    assert 'href="/login?next=/account/profile">Begin again</a>' in asked.text
    parked = visitor.post("/new", data={"title": "Half", "body": "Dear reader"}, headers={"Accept": "text/html"})
    asked = send(visitor, parked, "/login", username="alan", password=PASSWORD)
    assert 'href="/login' not in asked.text
    begun = second_step(visitor, asked, "", again="y")
    assert begun.status_code == 200
    assert hidden_fields(begun, "/login")["kept.body"] == ["Dear reader"]
    assert site.rows("signin_counters") == 0
    asked = send(visitor, begun, "/login", username="alan", password=PASSWORD)
    done = second_step(visitor, asked, app.code())
    assert done.status_code == 200
    assert "Dear reader" in done.text


# Guessing


def test_wrong_codes_count_and_right_passwords_between_them_do_not_help(site: Site) -> None:
    app, visitor = give_app(site), site.client()
    for _ in range(10):
        asked = first_step(visitor)
        assert asked.status_code == 200
        assert second_step(visitor, asked, "wrong").status_code == 401
    locked = second_step(visitor, asked, app.code())
    assert locked.status_code == 429
    assert 0 < int(locked.headers["Retry-After"]) <= 600
    assert hidden_fields(locked, "/login/code")["proof"]
    assert first_step(visitor).status_code == 429
    assert site.rows("sessions") == 0
    assert len(events(site, "session.sign_in_failed")) == 1
    assert '"step":"code"' in events(site, "session.sign_in_failed")[0][1]


def test_wrong_passwords_and_wrong_codes_count_together_and_the_whole_sign_in_forgets_them(
    site: Site, now: time_machine.Traveller
) -> None:
    app = give_app(site)
    for steps in range(2):
        visitor = site.client()
        for _ in range(5):
            assert first_step(visitor, password="wrong").status_code == 401
        asked = first_step(visitor)
        for _ in range(4):
            assert second_step(visitor, asked, "wrong").status_code == 401
        assert second_step(visitor, first_step(visitor), app.code(steps)).status_code == 303


def test_signing_in_in_two_steps_leaves_nothing_counted_for_the_address(site: Site) -> None:
    codes = give_codes(site)
    give_app(site)
    visitor = site.client()
    for code in codes:
        assert second_step(visitor, first_step(visitor), code).status_code == 303
        visitor = site.client()
    with site.database.reading() as db:
        assert list(db.exec_driver_sql("SELECT failure_count FROM signin_counters WHERE failure_count > 0")) == []
