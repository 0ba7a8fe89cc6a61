"""A cookie is ours to the last bit, or nobody's: never a 500, never a statement, never a word in the database."""

from collections.abc import Iterator

import pytest
from werkzeug.test import TestResponse

from tests.support import PASSWORD, Client, Site, find_form_token, make_site


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    made = make_site(tmp_path_factory.mktemp("cookies") / "instance")
    yield made
    made.close()


def cookie_of(client: Client) -> str:
    cookie = client.get_cookie("session")
    assert cookie is not None
    return cookie.value


def ask(site: Site, header: str, path: str = "/account", **more: object) -> TestResponse:
    """A request with exactly this Cookie header."""
    client = Client(site.app, response_wrapper=TestResponse, use_cookies=False)
    return client.open(path, environ_overrides={"HTTP_COOKIE": header}, **more)


def is_nobody(answer: TestResponse) -> bool:
    """Whether a page of one's own led to the sign-in page."""
    return answer.status_code == 303 and answer.headers["Location"].startswith("/login?next=")


def test_the_whole_cookie_is_somebody(site: Site) -> None:
    assert ask(site, f"session={cookie_of(site.client('alan'))}").status_code == 200


def test_with_any_bit_flipped_it_is_nobody_and_costs_no_statement(site: Site) -> None:
    header = f"session={cookie_of(site.client('alan'))}"
    before = site.rows("sessions")
    with site.counted_statements() as statements:
        for position in range(len(header)):
            for bit in range(8):
                flipped = header[:position] + chr(ord(header[position]) ^ 1 << bit) + header[position + 1 :]
                assert is_nobody(ask(site, flipped)), (position, bit)
    assert statements == []
    assert site.rows("sessions") == before
    assert ask(site, header).status_code == 200


def test_the_last_character_of_any_cookie_has_one_form(site: Site) -> None:
    # Base 64 has four for the same bytes; itsdangerous accepts them all.
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    for _ in range(5):
        cookie = cookie_of(site.client("alan"))
        good = [letter for letter in letters if ask(site, f"session={cookie[:-1]}{letter}").status_code == 200]
        assert good == [cookie[-1]]


def test_a_cookie_that_is_cut_is_nobody(site: Site) -> None:
    cookie = cookie_of(site.client("alan"))
    for length in range(len(cookie)):
        assert is_nobody(ask(site, f"session={cookie[:length]}")), length
        assert is_nobody(ask(site, f"session={cookie[length + 1 :]}")), length


JUNK = [
    "",
    "session",
    "session=",
    'session=""',
    "session= ",
    "=session",
    "session=.",
    "session=....",
    "session=1.2.three.s",
    "session=null",
    "session=%00",
    "session=\x00",
    "session=\xff\xfe",
    "session=\u0080",
    "session=é",
    "session=" + "x" * 8192,
    "session=" + "." * 8192,
    "session=" + "x.y" * 3000,
    "session=' OR 1=1 --",
    "session=../../../etc/passwd",
    "session=<script>alert(1)</script>",
    'session="\\377\\376"',
    'session="a;b"',
    ";" * 8192,
    "a=b; " * 1600,
    "$Version=1; session=1",
    "__Host-session=1.2.three.s",
    "Session=1",
]


@pytest.mark.parametrize("header", JUNK, ids=range(len(JUNK)))
def test_junk_is_nobody_everywhere(site: Site, header: str) -> None:
    before = {table: site.rows(table) for table in ("sessions", "epochs", "signin_counters")}
    assert is_nobody(ask(site, header))
    for path, status in (("/", 200), ("/feed.xml", 200), ("/nowhere", 404), ("/v1/posts", 200), ("/login", 200)):
        answer = ask(site, header, path)
        assert answer.status_code == status, path
        assert ("Set-Cookie" in answer.headers) == (path == "/login"), path
    assert ask(site, header, "/new", method="POST", json={"title": "a"}).status_code == 401
    assert {table: site.rows(table) for table in before} == before


def test_a_cookie_that_comes_twice_is_nobody_for_one_of_them_was_planted(site: Site) -> None:
    alan, ada = cookie_of(site.client("alan")), cookie_of(site.client("ada"))
    for pair in ((alan, alan), (alan, ada), (alan, "junk"), ("junk", alan), (alan, ""), ("", alan)):
        assert is_nobody(ask(site, f"session={pair[0]}; session={pair[1]}")), pair
    assert ask(site, f"other=1; session={alan}; another=2").status_code == 200


def test_tokens_of_other_kinds_are_no_session(site: Site) -> None:
    keys = site.app.extensions["keys"]
    alan = site.client()
    whole_id = alan.adopt_session("alan")
    form_token = alan.form_token()
    bearer = site.token("alan")
    good = cookie_of(alan)
    others = [
        form_token,
        f"{whole_id}.s.{form_token}",
        keys.digest("csrf", f"{whole_id}.s"),
        *(keys.sign(kind, f"{whole_id}.s") for kind in ("csrf", "setup", "throttle", "Session", "session ", "")),
        bearer,
        whole_id,
        f"{whole_id}.s",
    ]
    for other in others:
        assert is_nobody(ask(site, f"session={other}")), other
    assert ask(site, f"session={good}").status_code == 200


def test_a_session_is_no_token_of_another_kind(site: Site) -> None:
    alan = site.client()
    whole_id = alan.adopt_session("alan")
    cookie = cookie_of(alan)
    for token in (cookie, whole_id, cookie.rpartition(".")[2], site.token("alan"), "", "a" * 8192):
        for headers in ({"X-CSRF-Token": token},):
            assert alan.post("/new", json={"title": "a"}, headers=headers).status_code == 403
        assert alan.post("/logout", data={"csrf_token": token}).status_code == 403
    for token in (cookie, whole_id, alan.form_token()):
        refused = site.client().get("/v1/posts", headers={"Authorization": f"Bearer {token}"})
        assert refused.status_code == 401
    assert site.client().get(f"/setup/{cookie}").status_code == 410
    assert alan.get("/account").status_code == 200


def test_a_form_token_is_good_for_its_own_session_alone(site: Site) -> None:
    alan, ada, visitor = site.client("alan"), site.client("ada"), site.client()
    others = (ada.form_token(), find_form_token(visitor.get("/login").text), "")
    for token in others:
        assert alan.post("/new", json={"title": "a"}, headers={"X-CSRF-Token": token}).status_code == 403
    created = alan.post("/new", json={"title": "a"}, headers={"X-CSRF-Token": alan.form_token()})
    assert created.status_code == 201


def test_a_visitors_form_cookie_is_nobody_and_costs_no_statement_for_identity(site: Site) -> None:
    visitor = site.client()
    visitor.get("/login")
    cookie = cookie_of(visitor)
    with site.counted_statements() as statements:
        assert is_nobody(ask(site, f"session={cookie}"))
    assert statements == []


def test_the_mark_of_a_saved_session_cannot_be_added(site: Site) -> None:
    visitor = site.client()
    visitor.get("/login")
    cookie = cookie_of(visitor)
    assert is_nobody(ask(site, "session=" + cookie.replace(".v.", ".s.")))


def test_a_cookie_whose_row_is_gone_is_taken_away_by_the_answer_that_notices(site: Site) -> None:
    browser = site.client()
    whole_id = browser.adopt_session("alan")
    with site.database.transaction() as db:
        site.app.extensions["session_store"].clear(db, whole_id)
    answer = browser.get("/")
    assert answer.status_code == 200
    assert "Max-Age=0" in answer.headers["Set-Cookie"]
    assert "no-store" in answer.headers["Cache-Control"]
    assert browser.get_cookie("session") is None


def test_on_https_the_cookie_is_bound_to_the_host(tmp_path_factory: pytest.TempPathFactory) -> None:
    site = make_site(tmp_path_factory.mktemp("https") / "instance", BYLINE_URL="https://blog.example.org")
    browser = site.client()
    page = browser.get("/login", base_url="https://blog.example.org")
    [unsaved] = page.headers.getlist("Set-Cookie")
    signed_in = browser.post(
        "/login",
        base_url="https://blog.example.org",
        data={"csrf_token": find_form_token(page.text), "username": "alan", "password": PASSWORD, "remember": "y"},
    )
    assert signed_in.status_code == 303
    [saved] = signed_in.headers.getlist("Set-Cookie")
    for cookie in (unsaved, saved):
        assert cookie.startswith("__Host-session=")
        assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= {part.strip() for part in cookie.split(";")}
        assert "Domain" not in cookie
    plain_name = cookie_of(site.client("alan")) if site.client("alan").get_cookie("session") else saved.split("=")[1]
    assert is_nobody(ask(site, f"session={plain_name.split(';')[0]}", headers={"Host": "blog.example.org"}))
    site.close()


def test_on_http_a_cookie_of_the_other_name_is_not_looked_at(site: Site) -> None:
    assert is_nobody(ask(site, f"__Host-session={cookie_of(site.client('alan'))}"))
