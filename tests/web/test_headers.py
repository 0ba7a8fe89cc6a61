"""What every answer carries, whatever was asked and whatever became of it; and who may keep it."""

import gzip
import re
from collections.abc import Iterator

import pytest
from structlog.testing import capture_logs
from werkzeug.test import TestResponse

from auth.guards import public
from tests.asking import Question, questions, questions_of_people
from tests.support import Site, make_site

HTTPS = "https://blog.example.org"


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    made = make_site(tmp_path_factory.mktemp("plain") / "instance")
    made.post(title="Hello", tags=["one"])
    yield made
    made.close()


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    made = make_site(tmp_path_factory.mktemp("secure") / "instance", BYLINE_URL=HTTPS)
    yield made
    made.close()


def check_protected(answer: TestResponse, *, is_https: bool) -> None:
    headers = answer.headers
    policy = {part.split()[0]: part.split()[1:] for part in headers["Content-Security-Policy"].split(";")}
    assert policy["default-src"] == ["'none'"]
    assert policy["frame-ancestors"] == ["'none'"]
    assert policy["base-uri"] == ["'none'"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    # Only the editor has scripts, and only our own.
    assert policy.get("script-src", ["'self'"]) == ["'self'"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "strict-origin-when-cross-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "geolocation=()" in headers["Permissions-Policy"]
    assert ("Strict-Transport-Security" in headers) == is_https
    names = [name.lower() for name, _value in headers if name != "Set-Cookie"]
    assert len(names) == len(set(names)), names
    if "Content-Length" in headers and answer.request.method != "HEAD":
        assert int(headers["Content-Length"]) == len(answer.data)
    # What is kept for everybody is answered under no number, or all would have the same.
    assert ("X-Request-Id" in headers) != ("ETag" in headers and "public" in headers["Cache-Control"])


@pytest.mark.parametrize("question", questions(), ids=str)
def test_every_answer_of_every_route_is_protected(plain: Site, secure: Site, question: Question) -> None:
    for accept in ("text/html", "application/json"):
        for client in (plain.client(), plain.client("olive"), plain.client(token=plain.token("alan"))):
            check_protected(question.ask(client, headers={"Accept": accept}), is_https=False)
        check_protected(question.ask(secure.client(), headers={"Accept": accept}, base_url=HTTPS), is_https=True)


def test_refusals_are_protected_too(plain: Site, secure: Site) -> None:
    visitor = plain.client()
    refused = {
        "nowhere": visitor.get("/nowhere"),
        "wrong method": visitor.delete("/"),
        "a foreign page": visitor.post("/login", headers={"Origin": "https://evil.example"}),
        "not JSON": visitor.post("/v1/posts", data=b"{", content_type="application/json"),
        "too large": visitor.post("/new", data=b"x" * 3_000_000),
        "a bad Bearer": visitor.get("/", headers={"Authorization": "Bearer x"}),
        "nobody": visitor.post("/new"),
        "a bad form token": plain.client("alan").post("/logout"),
        "bad content": plain.client(token=plain.token("alan")).post("/v1/posts", json={"title": ""}),
        "a moved address": visitor.get("/v1/posts//"),
        "an unknown host": secure.client().get("/", base_url="http://evil.example"),
    }
    for name, answer in refused.items():
        assert answer.status_code >= 300, name
        check_protected(answer, is_https=name == "an unknown host")


def test_a_failure_is_protected_too(site: Site) -> None:
    site.app.add_url_rule("/failing", "failing", public(lambda: str(1 / 0)))
    site.app.testing = False
    with capture_logs():
        answer = site.client().get("/failing")
    assert answer.status_code == 500
    check_protected(answer, is_https=False)


def test_pages_load_only_what_is_ours_and_data_loads_nothing(plain: Site) -> None:
    page = plain.client().get("/").headers["Content-Security-Policy"]
    assert "style-src 'self'" in page
    assert "connect-src 'self'" in page
    assert "form-action 'self'" in page
    assert "script-src" not in page
    for path in ("/feed.xml", "/v1/posts", "/static/site.css", "/favicon.ico"):
        policy = plain.client().get(path).headers["Content-Security-Policy"]
        assert "'self'" not in policy, path


# Who may keep an answer


@pytest.mark.parametrize("question", [each for each in questions_of_people() if each.path != "/metrics"], ids=str)
def test_what_depends_on_who_asks_is_kept_by_nobody(plain: Site, question: Question) -> None:
    for client in (plain.client("olive"), plain.client(token=plain.token("olive"))):
        answer = question.ask(client)
        assert answer.headers["Cache-Control"] == "private, no-store"
        assert "Cookie" in answer.vary
        assert "ETag" not in answer.headers or question.path.startswith("/v1/")


def test_redirects_and_refusals_of_somebody_are_private_too(plain: Site) -> None:
    reader = plain.client("rita")
    answers = {
        "redirect": reader.get("/login?next=/account"),
        "not found": reader.get("/nowhere"),
        "not allowed": reader.get("/admin"),
        "wrong method": reader.delete("/"),
        "not understood": reader.post("/new", data=b"{", content_type="application/json"),
        "bad Bearer": plain.client().get("/", headers={"Authorization": "Bearer x"}),
    }
    assert {name: answer.status_code for name, answer in answers.items()} == {
        "redirect": 303, "not found": 404, "not allowed": 403, "wrong method": 405, "not understood": 400,
        "bad Bearer": 401,
    }  # fmt: skip
    for name, answer in answers.items():
        assert answer.headers["Cache-Control"] == "private, no-store", name
        assert "Cookie" in answer.vary, name


@pytest.mark.parametrize("path", ["/", "/posts/hello", "/tags/one", "/feed.xml", "/nowhere", "/v1/posts"])
def test_what_everybody_gets_may_be_kept_and_is_asked_about_each_time(plain: Site, path: str) -> None:
    for _ in range(2):
        answer = plain.client().get(path)
        assert answer.headers["Cache-Control"] == "public, no-cache"
        assert {"Cookie", "Accept-Encoding"} <= set(answer.vary)
        assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("path", ["/login", "/login?next=/new"])
def test_a_page_with_a_form_is_private(plain: Site, path: str) -> None:
    answer = plain.client().get(path)
    assert "Set-Cookie" in answer.headers
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert "Cookie" in answer.vary


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_nobody_keeps_how_the_site_is_doing(plain: Site, path: str) -> None:
    assert plain.client().get(path).headers["Cache-Control"] == "no-store"


def test_only_files_that_are_there_are_kept_for_ever(site: Site) -> None:
    style = re.search(r'href="(/static/site\.css\?v=\w+)"', site.client().get("/").text)
    assert style is not None
    assert "immutable" in site.client().get(style[1]).headers["Cache-Control"]
    for path in ("/static/nope", "/static/nope?v=", "/static/site.css", "/static/site.css?v=0"):
        assert "immutable" not in site.client().get(path).headers["Cache-Control"], path
    part = site.client().get(style[1], headers={"Range": "bytes=999999-"})
    assert part.status_code == 200  # a server may answer with the whole (RFC 9110, 14.2)


def test_files_come_compressed_also_to_those_who_are_signed_in(site: Site) -> None:
    style = re.search(r'href="(/static/site\.css\?v=\w+)"', site.client().get("/").text)
    assert style is not None
    whole = site.client().get(style[1])
    for client in (site.client(), site.client("alan"), site.client(token="nonsense")):
        packed = client.get(style[1], headers={"Accept-Encoding": "gzip"})
        assert packed.headers["Content-Encoding"] == "gzip"
        assert gzip.decompress(packed.data) == whole.data
        assert packed.headers["Cache-Control"] == whole.headers["Cache-Control"]
        assert "Accept-Encoding" in packed.vary
    assert site.client("alan").get(style[1], headers={"If-None-Match": whole.headers["ETag"]}).status_code == 304
