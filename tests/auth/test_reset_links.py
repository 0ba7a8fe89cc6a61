"""Links for a new password: an owner makes one and never knows the password, and it is good once."""

import re
import threading
from collections.abc import Iterator

import pytest
import time_machine
from structlog.testing import capture_logs

from app import LINKS
from auth.blocking.blocking import block, unblock
from auth.permissions import Role, Scope
from auth.sessions.roles import give_role
from auth.signin.resetting import make_reset_link
from auth.users.queries import password_hash_of
from eventlog.log.following import events_since
from eventlog.log.model import Event
from tests.support import PASSWORD, TESTER, Site, find_form_token

PAGE = "/admin/people/ada/reset"
NEW = "quite another long password"
HOUR = 3600


@pytest.fixture
def moment() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(1_795_000_000, tick=False) as traveller:
        yield traveller


def link(site: Site, name: str = "ada", *, by: str | None = None) -> str:
    with site.database.transaction() as db:
        return make_reset_link(db, name, by=TESTER if by is None else site.principal(by)).path


def events(site: Site, kind: str) -> list[Event]:
    with site.database.reading() as db:
        return [event for event in events_since(db, None, 0, 0) if event.kind == kind]


def hash_of(site: Site, name: str = "ada") -> object:
    with site.database.reading() as db:
        return password_hash_of(db, name)


def can_sign_in(site: Site, password: str, name: str = "ada") -> bool:
    return site.client().submit("/login", username=name, password=password).status_code == 303


def test_an_owner_makes_the_link_and_the_person_chooses_the_password(site: Site) -> None:
    olive, ada = site.client("olive"), site.client("ada")
    assert f'href="{PAGE}"' in olive.get("/admin").text
    answer = olive.submit(PAGE)
    assert answer.status_code == 200
    found = re.search(r'id="link" value="http://localhost:8000(/reset/[\w-]{43})"', answer.text)
    assert found is not None
    path = found[1]
    assert path not in olive.get(PAGE).text
    assert ada.get("/account").status_code == 200  # nothing has changed yet
    assert can_sign_in(site, PASSWORD)
    browser = site.client()
    page = browser.get(path)
    assert (page.status_code, page.headers["Cache-Control"]) == (200, "private, no-store")
    assert "<strong>ada</strong>" in page.text
    done = browser.submit(path, password=NEW)
    assert (done.status_code, done.location) == (303, "/login?reset=1")
    told = browser.get(done.location)
    assert "Your password is set. Sign in with it." in told.text
    assert told.headers["Cache-Control"] == "private, no-store"
    assert browser.get("/account").status_code == 303  # it signs nobody in: the sign-in asks for all it ever asks for
    assert ada.get("/account").status_code == 303
    assert not can_sign_in(site, PASSWORD)
    assert can_sign_in(site, NEW)
    twice = browser.get(path)
    assert twice.status_code == 410
    assert "If it was you who used it, sign in." in twice.text
    assert '<li><a href="/login">Sign in</a></li>' in twice.text


def test_what_happened_is_in_the_log_and_the_token_nowhere(site: Site) -> None:
    path = link(site, by="olive")
    ada = site.client("ada")
    with capture_logs() as lines:
        assert site.client().submit(path, password=NEW).status_code == 303
    made, changed, ended = (
        events(site, kind)[-1] for kind in ("user.reset_link_made", "user.password_changed", "session.ended")
    )
    assert (made.actor, made.subject, made.payload) == ("olive", "user:ada", {"hours": 24})
    assert (changed.actor, changed.subject, changed.payload) == ("(reset link)", "user:ada", {"method": "reset link"})
    assert (ended.subject, ended.payload and ended.payload["count"]) == ("user:ada", 1)
    assert ada.get("/account").status_code == 303
    assert [line["path"] for line in lines] == ["/reset/…"] * 2
    with site.database.reading() as db:
        stored = [*db.exec_driver_sql("SELECT * FROM reset_links"), *db.exec_driver_sql("SELECT * FROM events")]
    for secret in (path.rpartition("/")[2], NEW):
        assert secret not in repr(stored) + repr(lines)


def test_how_else_a_password_was_changed_is_in_the_log_too(site: Site) -> None:
    alan = site.client("alan")
    alan.submit("/account/password", current_password=PASSWORD, new_password=NEW)
    assert events(site, "user.password_changed")[-1].payload == {"method": "own page"}


@pytest.mark.parametrize("method", ["get", "post"])
def test_who_may_make_one(site: Site, method: str) -> None:
    assert getattr(site.client(), method)(PAGE).status_code == (303 if method == "get" else 401)
    for name in ("edith", "alan", "ada", "rita"):
        assert getattr(site.client(name), method)(PAGE).status_code == 403
    assert getattr(site.client(token=site.token("olive", *Scope)), method)(PAGE).status_code == 403
    assert getattr(site.client("olive"), method)("/admin/people/nobody/reset").status_code == 404
    assert site.rows("reset_links") == 0


def test_a_refused_form_token_makes_none(site: Site) -> None:
    assert site.client("olive").post(PAGE).status_code == 403
    assert site.rows("reset_links") == 0


def test_an_old_session_signs_in_first(site: Site) -> None:
    with time_machine.travel(1_795_000_000) as traveller:
        olive = site.client("olive")
        token = olive.form_token()
        traveller.shift(11 * 60)
        assert olive.get(PAGE).location == f"/login?next={PAGE}&again=1"
        refused = olive.post(PAGE, data={"csrf_token": token})
        assert (refused.status_code, site.rows("reset_links")) == (401, 0)
        fields = {"csrf_token": find_form_token(refused.text), "username": "olive", "password": PASSWORD}
        again = olive.post("/login", data=fields | {"kept_for": PAGE})
        assert again.status_code == 200
        assert "No link was made yet" in again.text
        assert site.rows("reset_links") == 0


@pytest.mark.parametrize(("name", "word"), [("olive", "your own"), ("bob", "blocked")])
def test_for_oneself_and_for_somebody_blocked_there_is_none(site: Site, name: str, word: str) -> None:
    answer = site.client("olive").submit(f"/admin/people/{name}/reset")
    assert answer.status_code == 409
    assert word in answer.text
    assert site.rows("reset_links") == 0


def test_it_says_what_goes_on_working(site: Site) -> None:
    text = site.client().get(link(site)).text
    assert "passkeys, recovery codes, codes from an app and tokens go on working" in text


def test_a_newer_link_voids_the_older(site: Site) -> None:
    old, new = link(site), link(site)
    of_another = link(site, "alan")
    assert site.client().get(old).status_code == 410
    assert site.client().post(old, data={"password": NEW}).status_code == 410
    assert site.client().get(of_another).status_code == 200
    assert site.client().submit(new, password=NEW).status_code == 303


def test_it_is_good_for_a_day(site: Site, moment: time_machine.Traveller) -> None:
    path = link(site)
    before = hash_of(site)
    moment.shift(24 * HOUR - 1)
    browser = site.client()
    token = browser.form_token(path)
    moment.shift(1)
    answer = browser.post(path, data={"csrf_token": token, "password": NEW})
    assert answer.status_code == 410
    assert "expired" in answer.text
    assert hash_of(site) == before


def test_old_ones_are_forgotten_in_the_end(site: Site, moment: time_machine.Traveller) -> None:
    path = link(site)
    moment.shift(32 * 24 * HOUR)
    link(site, "alan")
    assert site.rows("reset_links") == 1
    assert site.client().get(path).status_code == 404


def test_whoever_has_set_a_password_meanwhile_needs_no_link_any_more(site: Site) -> None:
    path = link(site)
    ada = site.client("ada")
    done = ada.submit("/account/password", current_password=PASSWORD, new_password="one of her own choice")
    assert done.status_code == 303
    assert site.client().get(path).status_code == 410


def test_the_link_of_somebody_who_is_blocked_meanwhile_opens_nothing(site: Site) -> None:
    path = link(site)
    browser = site.client()
    token = browser.form_token(path)
    before = hash_of(site)
    with site.database.transaction() as db:
        block(db, "ada", by=TESTER, links=LINKS)
    assert browser.get(path).status_code == 410
    refused = browser.post(path, data={"csrf_token": token, "password": NEW})
    assert refused.status_code == 410
    assert "block" not in refused.text.lower()
    with site.database.transaction() as db:
        unblock(db, "ada", by=TESTER)
    assert hash_of(site) == before


def test_an_owner_who_is_none_any_more_leaves_no_way_in_behind(site: Site) -> None:
    with site.database.transaction() as db:
        give_role(db, "edith", Role.OWNER, by=TESTER, links=LINKS)
    path = link(site, by="edith")
    assert site.client().get(path).status_code == 200
    with site.database.transaction() as db:
        give_role(db, "edith", Role.EDITOR, by=TESTER, links=LINKS)
    assert site.client().get(path).status_code == 410
    assert site.client().post(path, data={"password": NEW}).status_code == 410


def test_twenty_at_once_set_one_password(site: Site) -> None:
    path = link(site)
    browsers = [site.client() for _ in range(20)]
    tokens = [browser.form_token(path) for browser in browsers]
    done: list[tuple[int, int]] = []

    def use(number: int) -> None:
        fields = {"csrf_token": tokens[number], "password": f"the password of number {number}"}
        done.append((browsers[number].post(path, data=fields).status_code, number))

    threads = [threading.Thread(target=use, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (winner,) = (number for status, number in done if status == 303)
    # Those that found all writers' places taken are told to try again, and try in vain.
    assert {status for status, _ in done} <= {303, 410, 503}
    assert can_sign_in(site, f"the password of number {winner}")
    assert len(events(site, "user.password_changed")) == 1


@pytest.mark.parametrize("path", ["/reset/x", "/reset/" + "x" * 43, "/reset/" + "x" * 5000, "/reset/%00", "/reset/%ff"])
def test_an_unknown_one_is_404(site: Site, path: str) -> None:
    link(site)
    answer = site.client().get(path)
    assert (answer.status_code, "Set-Cookie" in answer.headers) == (404, False)
    assert site.client().post(path, data={"password": NEW}).status_code == 404


@pytest.mark.parametrize("password", ["", "short", "x" * 1001])
def test_a_password_that_cannot_be_one_leaves_the_link_good(site: Site, password: str) -> None:
    path, browser = link(site), site.client()
    answer = browser.submit(path, password=password)
    assert answer.status_code == 422
    assert 'id="field-password-error"' in answer.text
    assert browser.submit(path, password=NEW).status_code == 303


def test_a_refused_form_token_changes_nothing(site: Site) -> None:
    path = link(site)
    answer = site.client().post(path, data={"password": NEW})
    assert answer.status_code == 403
    assert NEW not in answer.text
    assert can_sign_in(site, PASSWORD)


def test_nothing_else_comes_in_with_it(site: Site) -> None:
    path = link(site)
    sent = {"password": NEW, "username": "olive", "role": "owner", "user_id": "1", "blocked_at": ""}
    assert site.client().submit(path, **sent).status_code == 303
    assert can_sign_in(site, PASSWORD, "olive")
    assert can_sign_in(site, NEW)
    ada = site.client("ada")
    assert ada.get("/admin").status_code == 403


def test_whose_name_was_hammered_gets_in_at_once(site: Site) -> None:
    path, visitor = link(site), site.client()
    statuses = [visitor.submit("/login", username="ada", password="wrong").status_code for _ in range(11)]
    assert statuses[-1] == 429
    assert site.client().submit("/login", username="ada", password=PASSWORD).status_code == 429
    assert site.client().submit(path, password=NEW).status_code == 303
    assert can_sign_in(site, NEW)


def test_somebody_else_who_is_signed_in_there_stays_so(site: Site) -> None:
    path = link(site)
    rita = site.client("rita")
    told = rita.get(rita.submit(path, password=NEW).location)
    assert told.status_code == 200
    assert "Your password is set. Sign in with it. Until then this browser is signed in as rita." in told.text
    assert 'value="rita"' not in told.text
    assert rita.get("/account").status_code == 200
    assert rita.submit("/login", page="/login?reset=1", username="ada", password=NEW).status_code == 303
    assert "Signed in as Ada" in rita.get("/account").text


def test_looking_at_a_link_writes_nothing(site: Site) -> None:
    path = link(site)
    with site.counted_statements() as seen:
        assert site.client().get(path).status_code == 200
    assert not [statement for statement in seen if not statement.startswith("SELECT")]


# Signing somebody out


def test_an_owner_signs_somebody_out_everywhere(site: Site) -> None:
    olive, first, second, alan = (site.client(name) for name in ("olive", "ada", "ada", "alan"))
    token = site.token("ada")
    assert olive.submit("/admin/people/ada/sign-out", page="/admin").status_code == 303
    assert [client.get("/account").status_code for client in (first, second, alan)] == [303, 303, 200]
    assert site.client(token=token).get("/v1/posts").status_code == 200  # a token is revoked by itself
    ended = events(site, "session.ended")[-1]
    assert (ended.actor, ended.subject) == ("olive", "user:ada")
    assert ended.payload is not None
    assert (ended.payload["count"], ended.payload["reason"]) == (2, "signed out by an owner")


def test_who_may_sign_somebody_out(site: Site) -> None:
    path = "/admin/people/ada/sign-out"
    ada = site.client("ada")
    assert site.client().post(path).status_code == 401
    for name in ("edith", "alan", "rita"):
        assert site.client(name).post(path).status_code == 403
    assert site.client(token=site.token("olive", *Scope)).post(path).status_code == 403
    olive = site.client("olive")
    assert olive.post(path).status_code == 403
    assert olive.submit("/admin/people/nobody/sign-out", page="/admin").status_code == 404
    assert ada.get("/account").status_code == 200
    assert olive.submit("/admin/people/olive/sign-out", page="/admin").status_code == 303
    assert olive.get("/account").status_code == 200  # the one that asks goes on
