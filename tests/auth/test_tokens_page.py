"""One's own tokens, on the page and in the API: making them, what they are good for, and their end."""

import json
import re
import shlex
from datetime import UTC, datetime
from html import unescape
from typing import Any

import pytest
import time_machine
from click.testing import CliRunner
from werkzeug.test import TestResponse

from app import main
from auth.permissions import Role, Scope, useful_scopes
from auth.tokens.issuing import follow_environment
from storage import clock
from tests.asking import questions
from tests.folders import another_program
from tests.support import CAST, PASSWORD, SECRET, TESTER, Client, Site, read_all

PAGE = "/account/tokens"
FIELDS = {"name": "Notes on my phone", "scopes": "posts:write", "expires": "90"}
ITEM = ["id", "name", "scopes", "created_at", "expires_at", "last_used_on", "current"]
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def make(client: Client, **fields: Any) -> TestResponse:
    return client.submit(PAGE, **FIELDS | fields)


def secret_in(answer: TestResponse) -> str:
    """The token that an answer shows, once."""
    assert answer.status_code == 200
    (secret,) = set(re.findall(r"byl_[\w-]{43}", answer.text))
    return secret


def line_in(answer: TestResponse) -> str:
    found = re.search(r"<textarea id=\"example\"[^>]*>(.*?)</textarea>", answer.text, re.DOTALL)
    assert found is not None
    return unescape(found[1]).strip()


def run_line(site: Site, line: str) -> TestResponse:
    """What curl would ask for, asked in this process."""
    program, url, *options = shlex.split(line)
    headers = [value for name, value in zip(options[::2], options[1::2], strict=True) if name == "-H"]
    data = [value for name, value in zip(options[::2], options[1::2], strict=True) if name == "-d"]
    assert program == "curl"
    assert set(options[::2]) <= {"-H", "-d"}
    base = site.app.extensions["base_url"]
    assert url.startswith(base)
    sent = dict(header.split(": ", 1) for header in headers)
    return site.client().open(
        url.removeprefix(base), method="POST" if data else "GET", headers=sent, data=data[0] if data else None
    )


def rows(site: Site, columns: str) -> list[Any]:
    with site.database.reading() as db:
        return list(db.exec_driver_sql(f"SELECT {columns} FROM tokens ORDER BY created_at, id"))


def only_id(site: Site) -> str:
    ((token_id,),) = rows(site, "id")
    return str(token_id)


def kinds(site: Site) -> list[str]:
    with site.database.reading() as db:
        found = db.exec_driver_sql("SELECT kind FROM events WHERE kind LIKE 'token.%%' ORDER BY id")
        return [kind for (kind,) in found]


def items(client: Client, query: str = "") -> list[dict[str, Any]]:
    answer = client.get(f"/v1/tokens{query}")
    assert answer.status_code == 200
    assert answer.json is not None
    found: list[dict[str, Any]] = answer.json["items"]
    return found


def challenge(answer: TestResponse) -> tuple[int, str | None]:
    return answer.status_code, answer.headers.get("WWW-Authenticate")


REFUSED = (401, 'Bearer realm="Byline", error="invalid_token"')
TOO_NARROW = (403, 'Bearer realm="Byline", error="insufficient_scope"')


# Making one


def test_a_token_is_shown_once_and_kept_nowhere(site: Site) -> None:
    alan = site.client("alan")
    answer = make(alan)
    secret = secret_in(answer)
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert f'value="{secret}" readonly' in answer.text
    later = alan.get(PAGE)
    assert "Notes on my phone" in later.text
    assert "byl_" not in later.text
    assert "<script" not in later.text
    assert kinds(site) == ["token.created"]
    site.database.close()
    tables = read_all(site.settings.database_path, "SELECT name FROM sqlite_master WHERE type = 'table'")
    for (table,) in tables:
        assert secret not in str(read_all(site.settings.database_path, f'SELECT * FROM "{table}"')), table


@pytest.mark.parametrize("scope", [scope for scope in Scope if scope != Scope.CONVERSATIONS])
def test_the_line_for_the_terminal_works_and_publishes_nothing(site: Site, scope: Scope) -> None:
    answer = make(site.client("olive"), scopes=scope.value)
    done = run_line(site, line_in(answer))
    assert done.status_code == (201 if scope in (Scope.POSTS_WRITE, Scope.POSTS_PROPOSE) else 200)
    # Not what anybody might have had who is not signed in.
    assert done.headers["Cache-Control"] == "private, no-store"
    if done.status_code == 201:
        assert done.json is not None
        assert done.json["status"] == "draft"
        assert done.json["author"] == "olive"


def test_the_line_names_this_site_by_its_own_address(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(site.app.extensions, "base_url", "https://blog.example.org")
    line = line_in(make(site.client("alan")))
    assert shlex.split(line)[:2] == ["curl", "https://blog.example.org/v1/posts"]


EXPIRIES = [
    ({"expires": "30"}, datetime(2026, 12, 21, 12, tzinfo=UTC)),
    ({"expires": "90"}, datetime(2027, 2, 19, 12, tzinfo=UTC)),
    ({"expires": "365"}, datetime(2027, 11, 21, 12, tzinfo=UTC)),
    ({"expires": "never"}, None),
    # A day ends where the person is: at this time of the year an hour before it does in UTC.
    ({"expires": "date", "expires_at": "2026-12-24"}, datetime(2026, 12, 24, 23, tzinfo=UTC)),
    ({"expires": "date", "expires_at": "2026-11-21"}, datetime(2026, 11, 21, 23, tzinfo=UTC)),
]


@pytest.mark.parametrize(("fields", "ends"), EXPIRIES)
def test_it_lasts_as_long_as_was_chosen(site: Site, fields: dict[str, str], ends: datetime | None) -> None:
    with site.database.transaction() as db:
        db.exec_driver_sql("UPDATE users SET time_zone = 'Europe/Berlin' WHERE username = 'alan'")
    with time_machine.travel(NOON, tick=False):
        secret = secret_in(make(site.client("alan"), **fields))
    ((expires_at,),) = rows(site, "expires_at")
    assert expires_at == (None if ends is None else clock.from_datetime(ends))
    if ends is not None:
        program = site.client(token=secret)
        with time_machine.travel(ends.timestamp() - 1, tick=False):
            assert program.get("/v1/media").status_code == 200
        with time_machine.travel(ends, tick=False):
            # Also where nobody needs a token.
            assert [challenge(program.get(path)) for path in ("/v1/media", "/v1/posts", "/")] == [REFUSED] * 3


FAULTS = [
    ({"name": ""}, "Give it a name"),
    ({"name": " \t"}, "Give it a name"),
    ({"name": "x" * 101}, "at most 100 characters"),
    ({"name": "a\x07b"}, "that can be shown"),
    ({"scopes": []}, "Name at least one scope"),
    ({"scopes": "everything"}, "your role can use"),
    ({"scopes": ["posts:write", "admin"]}, "your role can use"),
    ({"scopes": "events:read"}, "your role can use"),
    ({"expires": ""}, "Choose one of these"),
    ({"expires": "36500"}, "Choose one of these"),
    ({"expires": "date", "expires_at": ""}, "Use a day such as"),
    ({"expires": "date", "expires_at": "tomorrow"}, "Use a day such as"),
    ({"expires": "date", "expires_at": "2027-02-30"}, "Use a day such as"),
    ({"expires": "date", "expires_at": "9999-12-31"}, "Use a day such as"),
    ({"expires": "date", "expires_at": "0001-01-01"}, "a moment to come"),
    ({"expires": "date", "expires_at": "2026-11-20"}, "a moment to come"),
    ({"expires": "date", "expires_at": "2400-01-01"}, "a moment to come"),
    ({"expires": "30", "expires_at": "2027-01-01"}, "or leave this empty"),
]


@pytest.mark.parametrize(("fields", "fault"), FAULTS)
def test_what_cannot_be_had_is_said_beside_its_field(site: Site, fields: dict[str, Any], fault: str) -> None:
    with time_machine.travel(NOON, tick=False):
        answer = make(site.client("alan"), **{"name": "Kept as typed"} | fields)
    assert answer.status_code == 422
    assert fault in re.sub(r"<[^>]+>", "", unescape(answer.text))
    if "name" not in fields:
        assert 'value="Kept as typed"' in answer.text
    assert (site.rows("tokens"), kinds(site)) == (0, [])


def test_all_faults_are_said_at_once(site: Site) -> None:
    answer = make(site.client("alan"), name="", scopes="admin", expires="date", expires_at="x")
    assert [text in answer.text for text in ("Give it a name", "your role can use", "Use a day such as")] == [True] * 3


@pytest.mark.parametrize("role", Role)
def test_only_what_a_role_can_use_is_offered(site: Site, role: Role) -> None:
    name = next(name for name, theirs in CAST.items() if theirs == role)
    page = site.client(name).get(PAGE).text
    offered = re.findall(r'type="checkbox" value="([^"]+)"', re.sub(r' (?:id|name)="[^"]*"', "", page))
    assert offered == [scope.value for scope in useful_scopes(role)]
    at_least = {"posts:read", "account", "conversations"}
    author = {*at_least, "posts:write", "posts:propose", "media:write"}
    owner = {*author, "events:read", "admin"}
    assert set(offered) == {"reader": at_least, "author": author, "editor": author, "owner": owner}[role]


def test_nobody_has_more_than_a_hundred(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("auth.tokens.own.MOST", 2)
    alan = site.client("alan")
    site.token("ada")
    site.token("alan")
    assert make(alan).status_code == 200
    answer = make(alan)
    assert answer.status_code == 422
    assert "Revoke one first" in answer.text
    assert site.rows("tokens") == 3


def test_a_form_without_its_token_makes_and_revokes_nothing(site: Site) -> None:
    alan = site.client("alan")
    token = site.token("alan")
    for form_token in ({}, {"csrf_token": "x"}, {"csrf_token": site.client("ada").form_token(PAGE)}):
        answer = alan.post(PAGE, data=FIELDS | form_token)
        assert answer.status_code == 403
        assert 'value="Notes on my phone"' in answer.text
        assert alan.post(f"{PAGE}/{only_id(site)}/revoke", data=form_token).status_code == 403
    assert site.client(token=token).get("/v1/media").status_code == 200


def test_signing_in_again_opens_the_form_as_it_was_sent(site: Site) -> None:
    nobody = site.client()
    data = FIELDS | {"scopes": ["posts:read", "media:write"]}
    refused = nobody.post(PAGE, data=data, headers={"Accept": "text/html"})
    assert refused.status_code == 401
    carried: dict[str, list[str]] = {}
    for name, value in re.findall(r'<input[^>]*name="([^"]+)"[^>]*value="([^"]*)"', refused.text):
        carried.setdefault(name, []).append(unescape(value))
    answer = nobody.post("/login", data=carried | {"username": "alan", "password": PASSWORD})
    assert answer.status_code == 200
    assert 'value="Notes on my phone"' in answer.text
    checked = {tag for tag in re.findall(r"<input[^>]*>", answer.text) if "checked" in tag}
    assert {re.findall(r' value="([^"]+)"', tag)[0] for tag in checked} == {"posts:read", "media:write", "90"}
    assert site.rows("tokens") == 0


# The list


def test_the_list_shows_one_s_own_in_words(site: Site) -> None:
    alan = site.client("alan")
    assert "You have no tokens." in alan.get(PAGE).text
    make(site.client("ada"), name="Not yours to see")
    secret = secret_in(make(alan, name="<b>Build</b>", scopes=["posts:read", "media:write"], expires="never"))
    page = alan.get(PAGE).text
    assert "&lt;b&gt;Build&lt;/b&gt;" in page
    assert "Not yours to see" not in page
    (item,) = re.findall(r"<li>(.*?)</li>", page, re.DOTALL)
    words = " ".join(re.sub(r"<[^>]+>", "", item).split())
    assert "Upload pictures; Read what is for members, and drafts." in words
    assert "not used yet. Does not expire. Revoke" in words
    site.client(token=secret).get("/v1/media")
    assert "last used" in alan.get(PAGE).text
    with site.database.transaction() as db:
        db.exec_driver_sql("UPDATE tokens SET expires_at = 1")
    assert ">Expired<" in alan.get(PAGE).text


def test_pages_hold_each_token_once(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("auth.tokens.pages._PER_PAGE", 2)
    alan = site.client("alan")
    with time_machine.travel(NOON, tick=False):  # all made in the same moment
        for _ in range(5):
            site.token("alan")
    made = sorted(token_id for (token_id,) in rows(site, "id"))
    seen, path = list[str](), PAGE
    while path:
        page = alan.get(path).text
        seen += re.findall(rf'action="{PAGE}/([^/"]+)/revoke"', page)
        older = re.search(r'class="older" rel="next" href="([^"]+)"', page)
        path = unescape(older[1]) if older else ""
    assert seen == made
    listed, query = list[str](), "?limit=2"
    while query:
        answer = alan.get(f"/v1/tokens{query}").json
        assert answer is not None
        listed += [item["id"] for item in answer["items"]]
        query = "?" + answer["next"].partition("?")[2] if answer["next"] else ""
    assert listed == made
    assert alan.get(f"{PAGE}?after=x").status_code == 404


# Being used


def test_the_day_of_the_last_use_is_written_once_a_day(site: Site) -> None:
    program = site.client(token=site.token("alan", Scope.ACCOUNT))
    with time_machine.travel(NOON, tick=False) as traveller:
        assert [item["last_used_on"] for item in items(program)] == ["2026-11-21"]
        written = rows(site, "first_used_at, last_used_at")
        traveller.move_to(NOON.replace(hour=23, minute=59))
        with site.counted_statements() as statements:
            items(program)
        assert len(statements) == 2  # who asks, and the list
        assert rows(site, "first_used_at, last_used_at") == written
        traveller.move_to(NOON.replace(day=22, hour=0, minute=0))
        assert [item["last_used_on"] for item in items(program)] == ["2026-11-22"]
    # The first use of all stays what it was, and is the only one that the log has.
    assert rows(site, "first_used_at") == [(clock.from_datetime(NOON),)]
    assert kinds(site) == ["token.created", "token.first_used"]


def test_where_the_database_is_busy_a_use_is_not_noted_and_not_refused(site: Site) -> None:
    program = site.client(token=site.token("alan", Scope.ACCOUNT))
    with another_program(site.settings.database_path):
        assert [item["last_used_on"] for item in items(program)] == [None]
    assert rows(site, "first_used_at, last_used_at") == [(None, None)]
    assert [item["last_used_on"] is None for item in items(program)] == [False]
    assert kinds(site) == ["token.created", "token.first_used"]


def test_a_token_that_was_used_before_the_day_was_noted_has_had_its_first_use(site: Site) -> None:
    program = site.client(token=site.token("alan", Scope.ACCOUNT))
    with site.database.transaction() as db:
        db.exec_driver_sql("UPDATE tokens SET first_used_at = 7")
    assert [item["last_used_on"] is None for item in items(program)] == [False]
    assert rows(site, "first_used_at") == [(7,)]
    assert kinds(site) == ["token.created"]


# The end


def test_revoking_takes_effect_at_the_next_request_in_every_process(site: Site) -> None:
    alan, other = site.client("alan"), Site(site.folder, site.settings)
    try:
        programs = [each.client(token=secret_in(make(alan))) for each in (site, other) for _ in range(2)]
        assert [program.get("/v1/media").status_code for program in programs] == [200] * 4
        for (token_id,) in rows(site, "id"):
            answer = alan.submit(f"{PAGE}/{token_id}/revoke", page=PAGE)
            assert (answer.status_code, answer.headers["Location"]) == (303, f"{PAGE}?revoked=1")
        assert [challenge(program.get("/v1/media")) for program in programs] == [REFUSED] * 4
    finally:
        other.close()
    assert "Revoked." in alan.get(f"{PAGE}?revoked=1").text
    assert kinds(site)[-4:] == ["token.revoked"] * 4


def test_nobody_else_s_token_is_there_to_be_revoked(site: Site) -> None:
    token = site.token("ada", Scope.ACCOUNT)
    theirs = only_id(site)
    for asker in (site.client("alan"), site.client("olive")):
        form_token = asker.form_token(PAGE)
        for token_id in (theirs, "x", "%00", "%C2%A0", token):
            answer = asker.post(f"{PAGE}/{token_id}/revoke", data={"csrf_token": form_token})
            assert answer.status_code == 404, token_id
            answer = asker.delete(f"/v1/tokens/{token_id}", headers={"X-CSRF-Token": form_token})
            assert answer.status_code == 404, token_id
    assert len(items(site.client(token=token))) == 1
    assert "token.revoked" not in kinds(site)


# What a token is not


def test_no_token_opens_a_page_of_a_person_s_own(site: Site) -> None:
    program = site.client(token=site.token("olive", *Scope))
    own = [each for each in questions() if re.match(r"/(account|admin)\b", each.path) and each.method != "OPTIONS"]
    assert {"/account", PAGE, "/admin"} <= {each.path for each in own}
    answers = {str(each): each.ask(program).status_code for each in own}
    assert {name: status for name, status in answers.items() if status != 403} == {}


def test_a_session_is_no_token_and_a_token_no_session(site: Site) -> None:
    browser = site.client()
    whole_id = browser.adopt_session("olive")
    cookie = browser.get_cookie("session")
    assert cookie is not None
    assert browser.get("/admin").status_code == 200
    token = site.token("olive", *Scope)
    ((digest,),) = rows(site, "digest")
    for credential in (whole_id, cookie.value, whole_id.rpartition(".")[2], f"byl_{whole_id}", digest):
        assert challenge(site.client(token=credential).get("/v1/posts")) == REFUSED
    planted = site.client()
    for value in (token, f"{token}.s", digest, site.app.extensions["keys"].sign("session", f"{token}.s")):
        planted.set_cookie("session", value)
        assert planted.get("/v1/tokens").status_code == 401
        assert planted.get(PAGE).status_code == 303


# Programs


def test_a_program_lists_makes_and_revokes(site: Site) -> None:
    program = site.client(token=site.token("alan", Scope.ACCOUNT, Scope.POSTS_WRITE, Scope.POSTS_READ))
    body = {"name": "CI", "scopes": ["posts:write", "posts:read"], "expires_at": "2099-01-01T00:00:00+01:00"}
    made = program.post("/v1/tokens", json=body)
    assert made.status_code == 201
    assert made.headers["Cache-Control"] == "private, no-store"
    new = made.json
    assert new is not None
    secret = new.pop("token")
    known = {name: new[name] for name in ("name", "scopes", "expires_at", "last_used_on", "current")}
    assert known == {
        "name": "CI", "scopes": ["posts:read", "posts:write"], "expires_at": "2098-12-31T23:00:00Z",
        "last_used_on": None, "current": False,
    }  # fmt: skip
    assert site.client(token=secret).post("/v1/posts", json={"title": "x"}).status_code == 201
    listed = items(program)
    assert [(item["name"], item["current"]) for item in listed] == [("CI", False), ("", True)]
    assert secret not in json.dumps(listed)
    assert list(listed[0]) == list(new) == ITEM
    gone = program.delete(f"/v1/tokens/{new['id']}")
    assert (gone.status_code, gone.data) == (204, b"")
    assert challenge(site.client(token=secret).get("/v1/posts")) == REFUSED
    assert program.delete(f"/v1/tokens/{new['id']}").status_code == 404
    # The one that asks, too.
    assert program.delete(f"/v1/tokens/{only_id(site)}").status_code == 204
    assert challenge(program.get("/v1/tokens")) == REFUSED
    assert kinds(site).count("token.revoked") == 2


def test_a_script_with_a_cookie_needs_the_form_token(site: Site) -> None:
    alan = site.client("alan")
    body = {"name": "CI", "scopes": ["posts:read"]}
    assert alan.post("/v1/tokens", json=body).status_code == 403
    headers = {"X-CSRF-Token": alan.form_token(PAGE)}
    made = alan.post("/v1/tokens", json=body, headers=headers)
    assert made.status_code == 201
    assert made.json is not None
    path = f"/v1/tokens/{made.json['id']}"
    assert alan.delete(path).status_code == 403
    assert alan.delete(path, headers=headers).status_code == 204


def test_a_token_makes_none_that_may_do_more_or_lasts_longer(site: Site) -> None:
    program = site.client(token=site.token("olive", Scope.ACCOUNT, Scope.POSTS_PROPOSE))
    for scopes in (["posts:write"], ["account", "admin"], ["events:read"], ["conversations"]):
        answer = program.post("/v1/tokens", json={"name": "More", "scopes": scopes})
        assert challenge(answer) == TOO_NARROW, scopes
    assert program.post("/v1/tokens", json={"name": "As much", "scopes": ["posts:propose"]}).status_code == 201
    at = clock.now() + clock.HOUR
    with site.database.transaction() as db:
        db.exec_driver_sql(f"UPDATE tokens SET expires_at = {at}")
    for expires_at in ({}, {"expires_at": None}, {"expires_at": clock.to_rfc3339(at + 1)}):
        answer = program.post("/v1/tokens", json={"name": "Longer", "scopes": ["account"]} | expires_at)
        assert answer.status_code == 422
        assert answer.json is not None
        assert [fault["field"] for fault in answer.json["errors"]] == ["expires_at"]
    last = {"name": "As long", "scopes": ["account"], "expires_at": clock.to_rfc3339(at)}
    assert program.post("/v1/tokens", json=last).status_code == 201
    assert site.rows("tokens") == 3


def test_refusals_come_in_their_order(site: Site) -> None:
    token = site.token("alan", *set(Scope) - {Scope.ACCOUNT})
    one = f"/v1/tokens/{only_id(site)}"
    for method, path in (("GET", "/v1/tokens?limit=x"), ("POST", "/v1/tokens"), ("DELETE", one)):
        nobody = site.client().open(path, method=method)
        assert challenge(nobody) == (401, 'Bearer realm="Byline"')
        assert challenge(site.client(token=token).open(path, method=method)) == TOO_NARROW
    program = site.client(token=site.token("alan", Scope.ACCOUNT))
    assert program.post("/v1/tokens", data="{", content_type="application/json").status_code == 400
    assert program.post("/v1/tokens", data={"name": "x"}).status_code == 415


BODIES: list[tuple[dict[str, Any], list[str]]] = [
    ({}, ["name", "scopes"]),
    ({"name": 1, "scopes": "posts:read"}, ["name", "scopes"]),
    ({"name": "\ud800", "scopes": ["posts:read"]}, ["name"]),
    ({"name": "x", "scopes": []}, ["scopes"]),
    ({"name": "x", "scopes": ["nonsense"]}, ["scopes"]),
    ({"name": "x", "scopes": [["posts:read"]]}, ["scopes"]),
    ({"name": "x", "scopes": ["posts:read"], "expires_at": "2000-01-01T00:00:00Z"}, ["expires_at"]),
    ({"name": "x", "scopes": ["posts:read"], "expires_at": "2027-01-01"}, ["expires_at"]),
    ({"name": "x", "scopes": ["posts:read"], "expires_at": 1}, ["expires_at"]),
    ({"name": "x", "scopes": ["posts:read"], "token": "byl_mine", "user_id": 1}, ["token", "user_id"]),
]


@pytest.mark.parametrize(("body", "fields"), BODIES)
def test_a_body_that_makes_no_sense_is_refused_by_name(site: Site, body: dict[str, Any], fields: list[str]) -> None:
    program = site.client(token=site.token("alan", Scope.ACCOUNT, Scope.POSTS_READ))
    answer = program.post("/v1/tokens", data=json.dumps(body), content_type="application/json")
    assert answer.status_code == 422
    assert answer.json is not None
    assert sorted(fault["field"] for fault in answer.json["errors"]) == fields
    assert site.rows("tokens") == 1


def test_the_terminal_and_the_page_show_the_same(site: Site) -> None:
    environment = {"BYLINE_INSTANCE": str(site.folder), "SECRET_KEY": SECRET}

    def byline(*arguments: str) -> str:
        done = CliRunner(env=environment).invoke(main, arguments)
        assert done.exit_code == 0, done.stderr
        return str(done.stdout)

    with time_machine.travel(NOON):
        wanted = ("--scope", "posts:propose", "--label", "Hermes", "--days", "36500")
        secret = byline("token", "create", "alan", *wanted).strip()
        program, alan = site.client(token=secret), site.client("alan")
        ((expires_at,),) = rows(site, "expires_at")
        listed = byline("token", "list", "alan").rstrip("\n").split("\t")[2:]
        assert listed == ["posts:propose", clock.to_rfc3339(expires_at), "Hermes", "-"]
        program.get("/v1/posts")
        assert byline("token", "list").rstrip("\n").endswith("\tHermes\t2026-11-21")
        page = alan.get(PAGE).text
        assert "Hermes" in page
        assert "never publish" in page
        byline("token", "revoke", only_id(site))
        assert challenge(program.get("/v1/posts")) == REFUSED
        assert "Hermes" not in alan.get(PAGE).text


def test_the_environment_s_token_is_marked(site: Site) -> None:
    with site.database.transaction() as db:
        follow_environment(db, "byl_" + "x" * 43, user_id=site.principal("olive").user_id, by=TESTER)
    olive = site.client("olive")
    assert "it is back at the next start" in olive.get(PAGE).text
    make(olive)
    assert olive.get(PAGE).text.count("it is back at the next start") == 1


def test_what_a_token_has_made_ends_with_it(site: Site) -> None:
    first = site.client(token=site.token("alan", Scope.ACCOUNT))
    body = {"name": "Another", "scopes": ["account"]}
    second_made = first.post("/v1/tokens", json=body).get_json()
    second = site.client(token=second_made["token"])
    third = site.client(token=second.post("/v1/tokens", json=body).get_json()["token"])
    by_hand = site.client(token=site.token("alan", Scope.ACCOUNT))
    alan = site.client("alan")
    with site.database.reading() as db:
        first_id = db.exec_driver_sql("SELECT made_by FROM tokens WHERE id = ?", (second_made["id"],)).scalar_one()
    assert third.get("/v1/tokens").status_code == 200
    assert alan.submit(f"/account/tokens/{first_id}/revoke", page="/account/tokens").status_code == 303
    assert [each.get("/v1/tokens").status_code for each in (first, second, third, by_hand)] == [401, 401, 401, 200]
    with site.database.reading() as db:
        kinds = "SELECT count(*) FROM events WHERE kind = 'token.revoked'"
        assert db.exec_driver_sql(kinds).scalar_one() == 3
    assert site.rows("tokens") == 1


def test_revoking_one_that_a_token_has_made_leaves_its_maker(site: Site) -> None:
    first = site.client(token=site.token("alan", Scope.ACCOUNT))
    made = first.post("/v1/tokens", json={"name": "Another", "scopes": ["account"]}).get_json()
    assert first.delete(f"/v1/tokens/{made['id']}").status_code == 204
    assert first.get("/v1/tokens").status_code == 200
