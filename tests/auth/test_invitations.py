"""Invitations: what a link is good for, for whom and how often, and that nothing else comes in with it."""

import re
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from click.testing import CliRunner
from structlog.testing import capture_logs
from werkzeug.test import TestResponse

from app import LINKS, main
from auth.blocking.blocking import block
from auth.invitations.inviting import Made, invite
from auth.permissions import Role, Scope
from auth.sessions.roles import give_role
from auth.users.queries import find_user
from eventlog.log.following import events_since
from eventlog.log.model import Event
from storage import clock
from tests.support import CAST, PASSWORD, SECRET, TESTER, Client, Site, find_form_token

PAGE = "/admin/invitations"
FIELDS = {"username": "nora", "display_name": "Nora N.", "password": PASSWORD}


@pytest.fixture
def moment() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(1_795_000_000, tick=False) as traveller:
        yield traveller


def made(site: Site, *, role: str = "author", days: int = 7, uses: int = 1, by: str | None = None) -> Made:
    with site.database.transaction() as db:
        actor = TESTER if by is None else site.principal(by)
        return invite(db, role=role, days=days, uses=uses, note="", by=actor)


def link(site: Site, **values: Any) -> str:
    return made(site, **values).path


def shown_link(page: TestResponse) -> str:
    found = re.search(r'id="link" value="http://localhost:8000(/join/[\w-]{43})"', page.text)
    assert found is not None
    return found[1]


def role_of(site: Site, name: str) -> Role | None:
    with site.database.reading() as db:
        user = find_user(db, name)
    return None if user is None else user.role


def set_registration(site: Site, value: str) -> None:
    with site.database.transaction() as db:
        db.exec_driver_sql(f"UPDATE site SET registration = '{value}'")


def events(site: Site, *kinds: str) -> list[Event]:
    with site.database.reading() as db:
        return [event for event in events_since(db, None, 0, 0) if event.kind in kinds]


# Made by an owner


def test_an_owner_makes_a_link_that_is_shown_once_and_somebody_joins_by_it(site: Site) -> None:
    olive = site.client("olive")
    answer = olive.submit(PAGE, role="editor", days="3", uses="1", note="For Nora")
    assert answer.status_code == 200
    path = shown_link(answer)
    assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
    again = olive.get(PAGE)
    assert path not in again.text
    assert "For Nora" in again.text
    assert "script-src" not in again.headers["Content-Security-Policy"]
    assert path.rpartition("/")[2] not in "".join(map(repr, rows(site)))
    nora = site.client()
    page = nora.get(path)
    assert (page.status_code, page.headers["Cache-Control"]) == (200, "private, no-store")
    assert page.headers["Referrer-Policy"] == "strict-origin-when-cross-origin"
    joined = nora.submit(path, **FIELDS)
    assert (joined.status_code, joined.location) == (303, "/login?joined=1")
    told = nora.get(joined.location)
    assert "Your account is made. Sign in." in told.text
    assert told.headers["Cache-Control"] == "private, no-store"
    assert role_of(site, "nora") == Role.EDITOR
    assert nora.get("/account").status_code == 303  # nobody is signed in by it
    assert nora.submit("/login", username="nora", password=PASSWORD).status_code == 303
    assert nora.get("/account").status_code == 200
    assert "used up" in olive.get(PAGE).text


def rows(site: Site) -> list[object]:
    with site.database.reading() as db:
        found = [*db.exec_driver_sql("SELECT * FROM invitations"), *db.exec_driver_sql("SELECT * FROM events")]
    return list(found)


def test_what_happened_is_in_the_log(site: Site) -> None:
    olive = site.client("olive")
    path = shown_link(olive.submit(PAGE, role="author", days="7", uses="2", note="The crew"))
    site.client().submit(path, **FIELDS)
    invitation_id = re.findall(rf"{PAGE}/([0-9a-f-]{{36}})/withdraw", olive.get(PAGE).text)[0]
    olive.submit(f"{PAGE}/{invitation_id}/withdraw", page=PAGE)
    used, created, withdrawn, first = (
        events(site, kind)[-1]
        for kind in ("invitation.used", "user.created", "invitation.withdrawn", "invitation.made")
    )
    about = f"invitation:{invitation_id}"
    assert (first.actor, first.subject) == ("olive", about)
    assert first.payload == {"role": "author", "days": 7, "uses": 2, "note": "The crew"}
    assert (used.subject, used.payload) == (about, {"user": "nora", "role": "author"})
    assert created.session_id == used.session_id == f"invitation.{invitation_id}"
    assert (withdrawn.actor, withdrawn.subject) == ("olive", about)
    said = olive.get("/admin/log").text
    assert "made an invitation for <bdi>author</bdi>" in said
    assert "withdrew an invitation" in said


@pytest.mark.parametrize("path", [PAGE, f"{PAGE}/00000000-0000-4000-8000-000000000000/withdraw"])
def test_who_may_act(site: Site, path: str) -> None:
    assert site.client().post(path, data={"role": "owner"}).status_code == 401
    for name in ("edith", "alan", "rita"):
        assert site.client(name).post(path, data={"role": "owner"}).status_code == 403
    assert site.client(token=site.token("olive", *Scope)).post(path, data={}).status_code == 403
    assert site.client("olive").post(path, data={"role": "owner"}).status_code == (403 if path == PAGE else 404)
    assert site.rows("invitations") == 0


def test_who_may_look(site: Site) -> None:
    assert site.client().get(PAGE).status_code == 303
    for name in ("edith", "alan", "rita"):
        assert site.client(name).get(PAGE).status_code == 403
    assert site.client(token=site.token("olive", *Scope)).get(PAGE).status_code == 403


BAD = [
    ("role", "god"), ("role", ""), ("days", "0"), ("days", "91"), ("days", "-1"), ("days", "seven"), ("days", ""),
    ("days", "٣"), ("days", "9" * 5000), ("uses", "0"), ("uses", "101"), ("uses", "1.5"), ("note", "x" * 101),
    ("note", "a\nb"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value"), BAD, ids=lambda value: value[:8])
def test_bad_input_is_refused_beside_its_field_and_what_was_typed_is_kept(site: Site, name: str, value: str) -> None:
    fields = {"role": "author", "days": "7", "uses": "1", "note": "The crew"} | {name: value}
    answer = site.client("olive").submit(PAGE, **fields)
    assert answer.status_code == 422
    assert f'id="field-{name}-error"' in answer.text
    if name != "note":
        assert "The crew" in answer.text
    assert site.rows("invitations") == 0


def test_an_old_session_signs_in_first_and_finds_what_it_chose(site: Site) -> None:
    with time_machine.travel(1_795_000_000) as traveller:
        olive = site.client("olive")
        token = olive.form_token()
        traveller.shift(11 * 60)
        sent = {"csrf_token": token, "role": "editor", "days": "5", "uses": "2", "note": "The crew"}
        refused = olive.post(PAGE, data=sent)
        assert (refused.status_code, site.rows("invitations")) == (401, 0)
        carried = dict(re.findall(r'name="(kept[\w.]*)" value="([^"]*)"', refused.text))
        again = {"csrf_token": find_form_token(refused.text), "username": "olive", "password": PASSWORD}
        answer = olive.post("/login", data=again | carried)
    assert answer.status_code == 200
    assert "no invitation was made yet" in answer.text
    assert 'value="The crew"' in answer.text
    assert site.rows("invitations") == 0


def test_the_list_is_paged(site: Site) -> None:
    for _ in range(51):
        made(site)
    olive = site.client("olive")
    first = olive.get(PAGE).text
    assert first.count("/withdraw") == 50
    following = re.search(r'rel="next" href="([^"]+)"', first)
    assert following is not None
    assert olive.get(following[1].replace("&amp;", "&")).text.count("/withdraw") == 1
    assert olive.get(f"{PAGE}?after=nonsense").status_code == 404


# Used by somebody new


def test_it_is_good_for_so_many_and_no_more(site: Site) -> None:
    path = link(site, uses=2)
    for number, status in enumerate((303, 303)):
        assert site.client().submit(path, **FIELDS | {"username": f"nora{number}"}).status_code == status
    over = site.client().get(path)
    assert over.status_code == 410
    assert "used up already. If that was you, sign in." in over.text
    assert '<li><a href="/login">Sign in</a></li>' in over.text
    assert "ask whoever gave it to you" in over.text
    assert over.headers["Cache-Control"] == "private, no-store"


def test_twenty_at_once_with_a_link_for_one_make_one_person(site: Site) -> None:
    path = link(site)
    browsers = [site.client() for _ in range(20)]
    tokens = [browser.form_token(path) for browser in browsers]
    statuses: list[int] = []

    def try_to_join(number: int) -> None:
        fields = FIELDS | {"username": f"nora{number}", "csrf_token": tokens[number]}
        statuses.append(browsers[number].post(path, data=fields).status_code)

    before = site.rows("users")
    threads = [threading.Thread(target=try_to_join, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses.count(303) == 1
    # Those that found all writers' places taken are told to try again, and try in vain.
    assert set(statuses) <= {303, 410, 503}
    assert site.rows("users") == before + 1
    assert [event.payload["uses"] for event in events(site, "invitation.made") if event.payload] == [1]
    assert len(events(site, "invitation.used")) == 1


def test_many_at_once_with_one_name_make_one_person_and_cost_one_use(site: Site) -> None:
    path = link(site, uses=20)
    browsers = [site.client() for _ in range(8)]
    tokens = [browser.form_token(path) for browser in browsers]
    threads = [
        threading.Thread(target=browser.post, args=(path,), kwargs={"data": FIELDS | {"csrf_token": token}})
        for browser, token in zip(browsers, tokens, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert site.rows("users") == len(CAST) + 1
    with site.database.reading() as db:
        assert db.exec_driver_sql("SELECT uses_left, use_count FROM invitations").one() == (19, 1)


def test_an_expired_one_says_so(site: Site, moment: time_machine.Traveller) -> None:
    path = link(site, days=1)
    moment.shift(clock.DAY / clock.SECOND - 1)
    page = site.client().get(path)
    assert page.status_code == 200
    moment.shift(1)
    late = site.client()
    answer = late.post(path, data=FIELDS)
    assert answer.status_code == 410
    assert "expired" in answer.text
    assert role_of(site, "nora") is None
    assert "expired" in site.client("olive").get(PAGE).text


def test_one_that_expires_while_the_form_is_filled_lets_nobody_in(site: Site, moment: time_machine.Traveller) -> None:
    path = link(site, days=1)
    nora = site.client()
    token = nora.form_token(path)
    moment.shift(clock.DAY / clock.SECOND)
    assert nora.post(path, data=FIELDS | {"csrf_token": token}).status_code == 410
    assert role_of(site, "nora") is None


def test_a_withdrawn_one_says_so(site: Site) -> None:
    invitation = made(site)
    olive = site.client("olive")
    done = olive.submit(f"{PAGE}/{invitation.id}/withdraw", page=PAGE)
    assert (done.status_code, done.location) == (303, f"{PAGE}?withdrawn=1")
    assert "Withdrawn." in olive.get(done.location).text
    assert olive.submit(f"{PAGE}/{invitation.id}/withdraw", page=PAGE).status_code == 303
    assert len(events(site, "invitation.withdrawn")) == 1
    answer = site.client().get(invitation.path)
    assert answer.status_code == 410
    assert "withdrawn" in answer.text


@pytest.mark.parametrize("end", ["blocked", "lowered"])
def test_an_owner_who_is_none_any_more_leaves_no_way_in_behind(site: Site, end: str) -> None:
    with site.database.transaction() as db:
        give_role(db, "edith", Role.OWNER, by=TESTER, links=LINKS)
    path = link(site, role="owner", by="edith")
    assert site.client().get(path).status_code == 200
    with site.database.transaction() as db:
        if end == "blocked":
            block(db, "edith", by=TESTER, links=LINKS)
        else:
            give_role(db, "edith", Role.AUTHOR, by=TESTER, links=LINKS)
    assert site.client().get(path).status_code == 410
    assert site.client().post(path, data=FIELDS).status_code == 410
    assert "withdrawn" in site.client("olive").get(PAGE).text


@pytest.mark.parametrize("path", ["/join/x", "/join/" + "x" * 43, "/join/" + "x" * 5000, "/join/%00", "/join/%ff"])
def test_an_unknown_one_is_404(site: Site, path: str) -> None:
    browser = site.client()
    answer = browser.get(path)
    assert (answer.status_code, "Set-Cookie" in answer.headers) == (404, False)
    assert browser.post(path, data=FIELDS).status_code == 404


def test_a_closed_site_takes_nobody_and_says_so(site: Site) -> None:
    path = link(site)
    assert site.client("olive").submit("/admin/settings", **settings("closed")).status_code == 303
    answer = site.client().get(path)
    assert answer.status_code == 410
    assert "at the moment" in answer.text
    assert site.client().post(path, data=FIELDS).status_code == 410
    assert "let nobody in at the moment" in site.client("olive").get(PAGE).text
    assert site.client("olive").submit("/admin/settings", **settings("invitation")).status_code == 303
    assert site.client().submit(path, **FIELDS).status_code == 303


def settings(registration: str) -> dict[str, str]:
    return {"name": "Byline", "tagline": "", "language": "en", "time_zone": "UTC", "registration": registration}


@pytest.mark.parametrize("name", ["olive", "rita"])
def test_somebody_who_is_signed_in_is_told_so_and_nothing_is_used(site: Site, name: str) -> None:
    path = link(site)
    browser = site.client(name)
    page = browser.get(path)
    assert page.status_code == 200
    assert "You are signed in already" in page.text
    answer = browser.submit(path, page="/account/profile", **FIELDS)
    assert answer.status_code == 409
    assert role_of(site, "nora") is None
    assert site.client().submit(path, **FIELDS).status_code == 303


SMUGGLED = {
    "role": "owner", "is_owner": "1", "status": "active", "blocked_at": "", "uses_left": "99", "user_id": "1", "id": "1",
    "permission": "run the place", "scopes": "admin",
}  # fmt: skip


def test_nobody_brings_a_role_along(site: Site) -> None:
    path = link(site, role="reader")
    assert site.client().submit(path, **FIELDS | SMUGGLED).status_code == 303
    assert role_of(site, "nora") == Role.READER
    assert site.client().get(path).status_code == 410


def test_nobody_gives_themselves_a_role_on_their_profile(site: Site) -> None:
    rita = site.client("rita")
    sent = {"display_name": "Rita", "biography": "", "time_zone": "", **SMUGGLED, "username": "olive"}
    assert rita.submit("/account/profile", **sent).status_code == 303
    assert role_of(site, "rita") == Role.READER
    assert rita.get("/admin").status_code == 403


FAULTS = [
    ("username", ""), ("username", "Nora N."), ("username", "x" * 41), ("username", "nóra"), ("username", "nоra"),
    ("username", "ｎora"), ("username", "no\u200bra"), ("username", "nora\x00"), ("username", "../nora"),
    ("username", "alan"), ("username", "ALAN"), ("username", " Alan "), ("display_name", "x" * 81),
    ("display_name", "a\nb"), ("password", ""), ("password", "short"), ("password", "x" * 1001),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value"), FAULTS, ids=lambda value: ascii(value)[:14])
def test_faults_are_shown_the_other_fields_are_kept_and_the_link_stays_good(site: Site, name: str, value: str) -> None:
    path, browser = link(site), site.client()
    answer = browser.submit(path, **FIELDS | {name: value})
    assert answer.status_code == 422
    assert f'id="field-{name}-error"' in answer.text
    assert PASSWORD not in answer.text
    for other in {"username", "display_name"} - {name}:
        assert f'value="{FIELDS[other]}"' in answer.text
    assert site.rows("users") == len(CAST)
    assert browser.submit(path, **FIELDS).status_code == 303


def test_all_faults_are_shown_at_once(site: Site) -> None:
    fields = {"username": "N N", "display_name": "x" * 81, "password": "short"}
    answer = site.client().submit(link(site), **fields)
    assert answer.text.count('aria-invalid="true"') == 3


@pytest.mark.parametrize("name", ["Nora", "NORA", " nora ", "\u212aate"])
def test_a_name_is_one_whatever_its_case(site: Site, name: str) -> None:
    assert site.client().submit(link(site), **FIELDS | {"username": name}).status_code == 303
    stored = "kate" if name == "\u212aate" else "nora"
    assert role_of(site, stored) == Role.AUTHOR
    again = site.client().submit(link(site), **FIELDS | {"username": stored.upper()})
    assert again.status_code == 422
    assert "Somebody has this name already" in again.text


def test_a_refused_form_token_keeps_what_was_typed_but_the_password(site: Site) -> None:
    path = link(site)
    answer = site.client().post(path, data=FIELDS)
    assert answer.status_code == 403
    assert 'value="nora"' in answer.text
    assert PASSWORD not in answer.text
    assert role_of(site, "nora") is None


def test_looking_at_a_link_writes_nothing(site: Site) -> None:
    path = link(site)
    tables = ("users", "invitations", "events", "sessions", "signin_counters")
    before = {table: site.rows(table) for table in tables}
    with site.counted_statements() as seen:
        assert site.client().get(path).status_code == 200
    assert not [statement for statement in seen if not statement.startswith("SELECT")]
    assert {table: site.rows(table) for table in tables} == before


def test_no_token_of_a_link_is_logged(site: Site) -> None:
    path = link(site)
    with capture_logs() as lines:
        browser: Client = site.client()
        assert browser.submit(path, **FIELDS).status_code == 303
        assert browser.get(path).status_code == 410
    assert [line["path"] for line in lines] == ["/join/…"] * 3
    assert path.rpartition("/")[2] not in repr(lines)


# From the command line


def test_the_command_prints_the_link_alone(site: Site) -> None:
    environment = {"BYLINE_INSTANCE": str(site.folder), "SECRET_KEY": SECRET, "BYLINE_URL": "https://blog.example.org"}
    arguments = ["user", "invite", "--role", "owner", "--days", "2", "--uses", "3", "--note", "From the terminal"]
    done = CliRunner(env=environment).invoke(main, arguments)
    assert (done.exit_code, done.stderr) == (0, "")
    found = re.fullmatch(r"https://blog\.example\.org(/join/[\w-]{43})\n", done.stdout)
    assert found is not None
    assert site.client().submit(found[1], **FIELDS).status_code == 303
    assert role_of(site, "nora") == Role.OWNER
    page = site.client("olive").get(PAGE).text
    assert "From the terminal" in page
    assert "the command line" in page


def test_the_command_says_when_a_link_lets_nobody_in(site: Site) -> None:
    set_registration(site, "closed")
    environment = {"BYLINE_INSTANCE": str(site.folder), "SECRET_KEY": SECRET}
    done = CliRunner(env=environment).invoke(main, ["user", "invite", "--role", "reader"])
    assert done.exit_code == 0
    assert "/join/" in done.stdout
    assert "nobody" in done.stderr


@pytest.mark.parametrize(("arguments", "status"), [
    (("--days", "0"), 1), (("--days", "91"), 1), (("--uses", "0"), 1), (("--uses", "101"), 1), (("--note", "x" * 101), 1),
    (("--days", "x"), 2), (("--role", "god"), 2),
])  # fmt: skip
def test_the_command_refuses_in_words(site: Site, arguments: tuple[str, ...], status: int) -> None:
    environment = {"BYLINE_INSTANCE": str(site.folder), "SECRET_KEY": SECRET}
    done = CliRunner(env=environment).invoke(main, ["user", "invite", "--role", "reader", *arguments])
    assert (done.exit_code, done.stdout) == (status, "")
    assert site.rows("invitations") == 0
