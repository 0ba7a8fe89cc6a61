"""What every request passes before a page is chosen: host, origin, body; and the order in which it may be refused."""

import json
from collections.abc import Iterator

import pytest
from werkzeug.test import TestResponse

from auth.guards import public, undeclared_routes
from tests.asking import ROUTES, Question, questions, questions_of_people
from tests.support import Client, Site, make_site
from web.requests import MAX_BODY_BYTES
from web.server.framing import WAITED_SECONDS

POST = {"title": "Hello", "body": "World"}
BAD_BEARER = {"Authorization": "Bearer byl_of-nobody"}


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site that knows its address, behind a proxy that speaks TLS and that nobody has named."""
    made = make_site(tmp_path_factory.mktemp("known") / "instance", BYLINE_URL="https://blog.example.org")
    yield made
    made.close()


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site that does not know its address."""
    made = make_site(tmp_path_factory.mktemp("plain") / "instance")
    yield made
    made.close()


# Hosts


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("blog.example.org", 200),
        ("Blog.EXAMPLE.org", 200),
        ("blog.example.org:443", 200),
        ("blog.example.org:80", 200),  # a proxy that speaks TLS may say what it speaks with us
        ("blog.example.org:8000", 400),
        ("blog.example.org.", 400),
        ("evil.example", 400),
        ("blog.example.org.evil.example", 400),
        ("evil.example#blog.example.org", 400),
        ("evil.example/blog.example.org", 400),
        ("blog.example.org@evil.example", 400),
        ("blog.example.org, evil.example", 400),
        ("blog.example.org:443:443", 400),
        ("localhost", 400),
        ("127.0.0.1", 400),
        ("[::1]", 400),
        ("[", 400),
        ("", 400),
        (" ", 400),
        ("é", 400),
        ("x" * 5000, 400),
    ],
)
def test_a_site_that_knows_its_address_answers_under_no_other(known: Site, host: str, status: int) -> None:
    for path in ("/", "/nowhere", "/feed.xml", "/static/site.css", "/favicon.ico", "/v1/posts"):
        answer = known.client().get(path, environ_overrides={"HTTP_HOST": host})
        assert answer.status_code == (404 if path == "/nowhere" and status == 200 else status), path
        assert b"evil" not in answer.data


def test_a_site_on_a_port_of_its_own_answers_there_alone(tmp_path_factory: pytest.TempPathFactory) -> None:
    for url, good, bad in (
        ("http://blog.local:8000", "blog.local:8000", "blog.local"),
        ("http://blog.local:443", "blog.local:443", "blog.local"),
        ("https://blog.local:80", "blog.local:80", "blog.local:443"),
        ("http://[::1]:8000", "[::1]:8000", "[::2]:8000"),
    ):
        site = make_site(tmp_path_factory.mktemp("port") / "instance", BYLINE_URL=url)
        assert site.client().get("/", environ_overrides={"HTTP_HOST": good}).status_code == 200, url
        assert site.client().get("/", environ_overrides={"HTTP_HOST": bad}).status_code == 400, url
        site.close()


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_probes_may_ask_by_address(known: Site, path: str) -> None:
    assert known.client().get(path, environ_overrides={"HTTP_HOST": "10.0.0.7:8000"}).status_code == 200


@pytest.mark.parametrize("host", ["localhost", "evil.example", "10.0.0.7:8000", "[::1]:8000"])
def test_a_site_that_does_not_know_its_address_answers_under_any(plain: Site, host: str) -> None:
    answer = plain.client().get("/", environ_overrides={"HTTP_HOST": host})
    assert answer.status_code == 200
    assert host not in answer.text.replace("http://localhost:8000", "")


# Origins (trap 3)

SAFE_SITES = [("same-origin", None), ("none", None), ("same-origin", "https://evil.example"), ("same-origin", "null")]
FOREIGN_SITES = [
    ("cross-site", None),
    ("same-site", None),
    ("cross-site", "https://blog.example.org"),
    ("cross-site", "http://localhost"),
    ("", None),
    ("nonsense", None),
    (None, "https://evil.example"),
    (None, "null"),
    (None, ""),
    (None, "https://blog.example.org.evil.example"),
    (None, "https://sub.blog.example.org"),
    (None, "https://blog.example.org:8443"),
    (None, "https://blog.example.org/"),
    (None, "https://evil.example https://blog.example.org"),
]


def write_with(site: Site, fetch_site: str | None, origin: str | None) -> TestResponse:
    """A write by a session with a good form token, from a page of that origin."""
    alan = _writer(site)
    host = "blog.example.org" if site.settings.byline_url else "localhost"
    headers = {"X-CSRF-Token": alan.environ_base["form_token"], "Host": host}
    if fetch_site is not None:
        headers["Sec-Fetch-Site"] = fetch_site
    if origin is not None:
        headers["Origin"] = origin
    return alan.post("/v1/posts", json=POST, headers=headers, base_url=f"http://{host}")


def _writer(site: Site) -> Client:
    host = "blog.example.org" if site.settings.byline_url else "localhost"
    alan = site.client()
    whole_id = alan.adopt_session("alan")
    name = site.app.extensions["session_cookie_name"]
    cookie = alan.get_cookie(name)
    assert cookie is not None
    alan.set_cookie(name, cookie.value, domain=host)
    alan.environ_base["form_token"] = site.app.extensions["keys"].digest("csrf", whole_id)
    return alan


@pytest.mark.parametrize(("fetch_site", "origin"), [*SAFE_SITES, (None, None), (None, "https://blog.example.org")])
def test_a_write_from_a_page_of_ours_passes(known: Site, fetch_site: str | None, origin: str | None) -> None:
    assert write_with(known, fetch_site, origin).status_code == 201


@pytest.mark.parametrize(("fetch_site", "origin"), [*FOREIGN_SITES, (None, "http://blog.example.org")])
def test_a_write_from_another_sites_page_is_refused(known: Site, fetch_site: str | None, origin: str | None) -> None:
    before = known.rows("posts")
    refused = write_with(known, fetch_site, origin)
    assert refused.status_code == 403
    assert "a page of another site" in refused.text
    assert known.rows("posts") == before


def test_what_was_typed_on_a_page_that_is_refused_is_on_the_answer(plain: Site) -> None:
    # A browser that hides where the page came from, or a proxy that changes it, must not cost anybody their words.
    alan = plain.client("alan")
    fields = {"csrf_token": alan.form_token(), "title": "What I typed", "body": "All of it"}
    refused = alan.post("/new", data=fields, headers={"Origin": "null", "Accept": "text/html"})
    assert refused.status_code == 403
    assert "What I typed" in refused.text
    assert "All of it" in refused.text


@pytest.mark.parametrize(
    ("fetch_site", "origin"),
    [*SAFE_SITES, (None, None), (None, "http://localhost"), (None, "HTTP://LocalHost"), (None, "http://localhost:80")],
)
def test_without_an_address_the_host_of_the_request_is_ours(
    plain: Site, fetch_site: str | None, origin: str | None
) -> None:
    assert write_with(plain, fetch_site, origin).status_code == 201


@pytest.mark.parametrize(
    ("fetch_site", "origin"),
    [*FOREIGN_SITES, (None, "https://localhost"), (None, "http://localhost:8000"), (None, "http://127.0.0.1")],
)
def test_without_an_address_every_other_host_is_foreign(
    plain: Site, fetch_site: str | None, origin: str | None
) -> None:
    assert write_with(plain, fetch_site, origin).status_code == 403


def test_reading_may_begin_anywhere(plain: Site) -> None:
    foreign = {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}
    for method in ("GET", "HEAD", "OPTIONS"):
        assert plain.client().open("/", method=method, headers=foreign).status_code == 200


def test_a_token_that_is_good_may_come_from_anywhere_and_its_mere_presence_opens_nothing(plain: Site) -> None:
    foreign = {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}
    program = plain.client(token=plain.token("alan"))
    assert program.post("/v1/posts", json=POST, headers=foreign).status_code == 201
    alan = _writer(plain)
    before = plain.rows("posts")
    for authorization in ("Bearer byl_of-nobody", "Bearer", "Basic YTpi", "Bearer a b", "byl_of-nobody"):
        refused = alan.post(
            "/v1/posts",
            json=POST,
            headers={**foreign, "Authorization": authorization, "X-CSRF-Token": alan.environ_base["form_token"]},
        )
        assert refused.status_code == 403, authorization
    assert plain.rows("posts") == before


# Bodies

NOT_JSON = {
    "nothing": b" ",
    "half": b'{"title": "Hel',
    "more": b'{"title": "a"} {"title": "b"}',
    "single quotes": b"{'title': 'a'}",
    "a comma too many": b'{"title": "a",}',
    "a repeated name": b'{"title": "a", "title": "b"}',
    "a repeated name, escaped": b'{"title": "a", "t\\u0069tle": "b"}',
    "a repeated name further down": b'{"title": {"a": [{"b": 1, "b": 2}]}}',
    "NaN": b'{"title": NaN}',
    "Infinity": b'{"title": Infinity}',
    "minus Infinity": b'{"title": -Infinity}',
    "a control character": b'{"title": "a\x01b"}',
    "a line feed in a string": b'{"title": "a\nb"}',
    "not UTF-8": b'{"title": "\xff\xfe"}',
    "cut UTF-8": b'{"title": "\xc3"}',
    "UTF-16": '{"title": "a"}'.encode("utf-16"),
    "UTF-32": '{"title": "a"}'.encode("utf-32"),
    "a number of 5,000 digits": b'{"version": ' + b"1" * 5000 + b"}",
    "lists in lists": b"[" * 100_000 + b"]" * 100_000,
    "lists without an end": b"[" * 100_000,
    "objects in objects": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
}


@pytest.mark.parametrize("body", NOT_JSON.values(), ids=NOT_JSON)
def test_what_is_not_json_is_400_before_anybody_asks_who_sent_it(plain: Site, body: bytes) -> None:
    for client in (plain.client(), plain.client(token=plain.token("alan"))):
        for path in ("/v1/posts", "/new", "/nowhere"):
            answer = client.post(path, data=body, content_type="application/json")
            assert answer.status_code == 400, path
            assert answer.mimetype == "application/problem+json"
            assert answer.json is not None
            assert answer.json["detail"].startswith("The body is not JSON: ")
            assert len(answer.data) < 500


def test_numbers_that_are_too_large_for_a_field_are_named_not_raised(plain: Site) -> None:
    program = plain.client(token=plain.token("alan"))
    post = plain.post()
    for number in ("9" * 100, "-" + "9" * 100, "1e999", "1.5", "-0.0"):
        answer = program.patch(f"/v1/posts/{post.id}", data=f'{{"version": {number}}}', content_type="application/json")
        assert answer.status_code in (412, 422), number


def test_the_longest_body_passes_and_one_byte_more_does_not(plain: Site) -> None:
    program = plain.client(token=plain.token("alan"))
    frame = len(json.dumps({"title": "a", "excerpt": ""}))
    for more, status in ((0, 422), (1, 413)):
        body = json.dumps({"title": "a", "excerpt": "x" * (MAX_BODY_BYTES - frame + more)})
        assert len(body) == MAX_BODY_BYTES + more
        answer = program.post("/v1/posts", data=body, content_type="application/json")
        assert answer.status_code == status
        assert answer.mimetype == "application/problem+json"


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/form-data", b"--x\r\n"),
        ("multipart/form-data; boundary=", b"--x\r\n"),
        ("multipart/form-data; boundary=x", b"nothing of the kind"),
        ("multipart/form-data; boundary=x", b'--x\r\nContent-Disposition: form-data; name="title"\r\n\r\nHel'),
        ("multipart/form-data; boundary=x", b"--x\r\nno header\r\n\r\nbody\r\n--x--\r\n"),
    ],
)
def test_a_form_that_cannot_be_read_is_400_and_not_an_empty_form(plain: Site, content_type: str, body: bytes) -> None:
    for client in (plain.client(), plain.client("alan")):
        answer = client.post("/new", data=body, content_type=content_type, headers={"Accept": "text/html"})
        assert answer.status_code == 400
        assert answer.mimetype == "text/html"


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("content_type", ["multipart/form-data", "Multipart/Form-Data; boundary="])
def test_what_only_says_that_it_is_a_form_is_400_too(plain: Site, method: str, content_type: str) -> None:
    for path in ("/", "/account", "/login", "/nowhere"):
        # The client of the tests would give it a boundary.
        answer = plain.client().open(path, method=method, environ_overrides={"CONTENT_TYPE": content_type})
        assert answer.status_code == 400, path


def test_a_form_of_too_many_parts_is_413(plain: Site) -> None:
    parts = b"".join(b'--x\r\nContent-Disposition: form-data; name="a%d"\r\n\r\n1\r\n' % n for n in range(300))
    answer = plain.client("alan").post(
        "/new", data=parts + b"--x--\r\n", content_type="multipart/form-data; boundary=x"
    )
    assert answer.status_code == 413


# The order of refusals: of several faults, the first of the contract's list is answered


def _broken(client: Client, path: str = "/v1/posts", **more: object) -> TestResponse:
    return client.post(path, data=b"{", content_type="application/json", **more)


def test_a_foreign_host_comes_before_everything(known: Site) -> None:
    foreign = {"Origin": "https://evil.example", **BAD_BEARER}
    for answer in (
        _broken(known.client(), headers=foreign, base_url="http://evil.example"),
        known.client().post("/new", data=b"x" * (MAX_BODY_BYTES + 1), headers=foreign, base_url="http://evil.example"),
    ):
        assert answer.status_code == 400
        assert "host name" in answer.text


def test_a_foreign_origin_comes_before_the_body_and_who_sent_it(plain: Site) -> None:
    foreign = {"Origin": "https://evil.example", **BAD_BEARER}
    assert _broken(plain.client(), headers=foreign).status_code == 403
    too_large = plain.client().post("/new", data=b"x" * (MAX_BODY_BYTES + 1), headers=foreign)
    assert too_large.status_code == 403
    assert plain.client().post("/nowhere", headers=foreign).status_code == 403


def test_a_body_that_is_not_understood_comes_before_who_sent_it(plain: Site) -> None:
    assert _broken(plain.client(), headers=BAD_BEARER).status_code == 400
    assert plain.client().post("/new", data=b"x" * (MAX_BODY_BYTES + 1), headers=BAD_BEARER).status_code == 413


def test_nobody_and_a_bad_bearer_come_before_what_is_asked_for(plain: Site) -> None:
    for path in ("/v1/posts/1", "/nowhere", "/v1/nowhere", "/posts/nothing/edit"):
        assert plain.client().get(path, headers=BAD_BEARER).status_code == 401
        assert plain.client().delete(path, headers=BAD_BEARER).status_code == 401
    unknown = plain.client().post("/posts/nothing/edit", data={"csrf_token": "bad"})
    assert unknown.status_code == 401
    draft = plain.post(status="draft")
    assert plain.client().patch(f"/v1/posts/{draft.id}", json={"nonsense": 1}).status_code == 401


def test_nobodys_form_token_is_not_looked_at(plain: Site) -> None:
    for fields in ({}, {"csrf_token": "bad"}):
        refused = plain.client().post("/new", data={**POST, **fields}, headers={"Accept": "text/html"})
        assert refused.status_code == 401
        assert "WWW-Authenticate" in refused.headers


def test_what_is_not_allowed_comes_before_the_form_token(plain: Site) -> None:
    draft, public_post = plain.post(by="alan", status="draft"), plain.post(by="alan")
    ada = plain.client("ada")
    for path, status in ((f"/posts/{draft.slug}", 404), (f"/posts/{public_post.slug}", 403)):
        for action in ("edit", "publish", "unpublish", "delete"):
            refused = ada.post(f"{path}/{action}", data={"csrf_token": "bad"})
            assert refused.status_code == status, (path, action)
            assert "open for too long" not in refused.text


def test_the_form_token_comes_before_a_stale_version_and_bad_content(plain: Site) -> None:
    post = plain.post(by="alan")
    alan = plain.client("alan")
    stale = alan.patch(f"/v1/posts/{post.id}", json={"title": ""}, headers={"If-Match": '"99"'})
    assert stale.status_code == 403
    form = {"title": "", "version": "99", "csrf_token": "bad"}
    assert alan.post(f"/posts/{post.slug}/edit", data=form).status_code == 403


def test_a_stale_version_comes_before_bad_content(plain: Site) -> None:
    post = plain.post(by="alan")
    alan = plain.client("alan")
    assert alan.submit(f"/posts/{post.slug}/edit", title="", body="b", version="99").status_code == 409
    program = plain.client(token=plain.token("alan"))
    for changes in ({"title": ""}, {"nonsense": 1}, {"title": 1}):
        stale = program.patch(f"/v1/posts/{post.id}", json=changes, headers={"If-Match": '"99"'})
        assert stale.status_code == 412, changes


# Every route


@pytest.mark.parametrize("path", sorted({question.path for question in ROUTES}))
def test_a_wrong_method_is_405_and_names_the_right_ones(plain: Site, path: str) -> None:
    for client in (plain.client(), plain.client("olive")):
        allowed = {name for question in ROUTES if question.path == path for name in question.methods}
        wrong = client.open(path, method="LOCK")
        assert wrong.status_code == 405
        assert set(wrong.headers["Allow"].split(", ")) == allowed


@pytest.mark.parametrize("question", questions_of_people(), ids=str)
def test_a_bad_bearer_is_401_on_every_route_whatever_cookie_comes_with_it(plain: Site, question: Question) -> None:
    for client in (plain.client(), plain.client("olive")):
        for authorization in ("Bearer byl_of-nobody", "Bearer", "bearer  x", f"Bearer {'x' * 5000}"):
            refused = question.ask(client, headers={"Authorization": authorization})
            assert refused.status_code == 401
            assert 'error="invalid_token"' in refused.headers["WWW-Authenticate"]


@pytest.mark.parametrize("question", questions(), ids=str)
def test_every_401_says_how_one_becomes_somebody(plain: Site, question: Question) -> None:
    for accept in ("text/html", "application/json"):
        answer = question.ask(plain.client(), headers={"Accept": accept})
        assert answer.status_code < 500
        assert (answer.status_code == 401) == ("WWW-Authenticate" in answer.headers)


def test_a_refused_sign_in_and_a_post_for_members_say_it_too(plain: Site) -> None:
    wrong = plain.client().submit("/login", username="alan", password="not this one")
    members = plain.post(visibility="members")
    withheld = [
        plain.client().get(path, headers={"Accept": accept})
        for path in (f"/posts/{members.slug}", f"/v1/posts/{members.id}")
        for accept in ("text/html", "application/json")
    ]
    for answer in (wrong, *withheld):
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == 'Bearer realm="Byline"'


def test_every_route_says_what_it_needs(site: Site) -> None:
    with site.app.app_context():
        assert undeclared_routes() == []
    site.app.add_url_rule("/forgotten", "forgotten", lambda: "nobody thought of it")
    site.app.add_url_rule("/declared", "declared", public(lambda: "somebody did"))
    with site.app.app_context():
        assert undeclared_routes() == ["forgotten"]


# Late


def test_what_has_waited_too_long_for_a_thread_is_refused_and_can_be_asked_again(plain: Site) -> None:
    late = {WAITED_SECONDS: 5.1}
    for accept, told in (("text/html", "Try again in a few seconds"), ("application/json", '"status":503')):
        answer = plain.client().get("/search?q=a", headers={"Accept": accept}, environ_overrides=late)
        assert answer.status_code == 503
        assert answer.headers["Retry-After"] == "5"
        assert told in answer.text.replace(" :", ":").replace(": ", ":")
    assert plain.client().get("/search?q=b", environ_overrides={WAITED_SECONDS: 4.9}).status_code == 200


def test_nothing_that_was_typed_is_refused_for_being_late(plain: Site) -> None:
    client = plain.client(token=plain.token("alan"))
    assert client.post("/v1/posts", json=POST, environ_overrides={WAITED_SECONDS: 60.0}).status_code == 201
