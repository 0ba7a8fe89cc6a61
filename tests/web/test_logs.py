"""One JSON object for each request, and no secret in any of them."""

import json
import subprocess
import sys
from typing import Any

import pytest
import structlog
from structlog.testing import capture_logs

from tests.folders import clean_environment
from tests.support import PASSWORD, ROOT, Site

PROGRAM = """
import logging, os
import structlog
from web.logs import configure_logs

configure_logs(lambda line: line)
log = structlog.get_logger()
log.info("hello", number=1, text="ümläut \\ud800 \\n line")
logging.getLogger("waitress").warning("from a library: %s", "an argument")
logging.getLogger("waitress").info("too quiet to matter")

def fail(password):
    raise RuntimeError("what went wrong")

try:
    fail("a local secret")
except RuntimeError:
    log.exception("failed")
    logging.getLogger("waitress").exception("failed in a library")
"""


def lines_for(site: Site, method: str, path: str, **more: Any) -> list[dict[str, Any]]:
    with capture_logs([structlog.contextvars.merge_contextvars]) as lines:
        site.client().open(path, method=method, **more)
    return [dict(line) for line in lines]


def lines_of(program: str) -> list[dict[str, Any]]:
    """All that it said, which has to be lines of JSON on standard error."""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=clean_environment(), capture_output=True, text=True, check=True
    )
    assert done.stdout == ""
    return [json.loads(line) for line in done.stderr.splitlines()]


def test_each_request_leaves_one_line(site: Site) -> None:
    with capture_logs([structlog.contextvars.merge_contextvars]) as lines:
        answer = site.client().get("/nowhere?q=private")
    [line] = lines
    assert line["event"] == "request"
    assert (line["method"], line["path"], line["status"]) == ("GET", "/nowhere", 404)
    assert line["request_id"] == answer.headers["X-Request-Id"]
    assert line["milliseconds"] >= 0


def test_requests_of_one_thread_have_a_number_each_and_what_comes_between_has_none(site: Site) -> None:
    client = site.client()
    with capture_logs([structlog.contextvars.merge_contextvars]) as lines:
        answers = [client.get(path) for path in ("/one", "/two")]
        client.get("/three", headers={"X-Forwarded-For": "192.0.2.1"})
    assert [line.get("request_id") for line in lines[:3]] == [*(a.headers["X-Request-Id"] for a in answers), None]
    assert [line["event"] for line in lines] == ["request", "request", "forwarding_headers_ignored", "request"]


def test_a_refusal_says_which_session_asked_and_no_more_of_its_person(site: Site) -> None:
    alan = site.client()
    whole_id = alan.adopt_session("alan")
    for client, session in (
        (alan, whole_id.rpartition(".")[0]),
        (site.client(token=site.token("alan")), "token."),
        (site.client(), None),
    ):
        with capture_logs([structlog.contextvars.merge_contextvars]) as lines:
            client.post("/admin/people/ada/block")
            client.get("/")
        refused, ordinary = [line for line in lines if line["event"] == "request"]
        assert refused["status"] == (403 if session else 401)
        assert refused.get("session", "").startswith(session or "") is True
        assert ("session" in refused) is (session is not None)
        assert "session" not in ordinary
        assert whole_id.rpartition(".")[2] not in str(lines)


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_operations_make_no_noise(site: Site, path: str) -> None:
    assert lines_for(site, "GET", path) == []


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/setup/A-SECRET"),
        ("POST", "/setup/A-SECRET"),
        ("DELETE", "/setup/A-SECRET"),
        ("GET", "/setup/A-SECRET/"),
        ("GET", "/setup/A-SECRET/more"),
        ("GET", "/join/A-SECRET"),
        ("GET", "/reset/A-SECRET"),
        ("GET", "/preview/A-SECRET"),
        ("GET", "/login?next=/setup/A-SECRET"),
        ("GET", "/?token=A-SECRET"),
    ],
)
def test_no_one_time_token_of_an_address_and_no_query_is_logged(site: Site, method: str, path: str) -> None:
    lines = lines_for(site, method, path)
    assert len(lines) == 1
    assert "A-SECRET" not in json.dumps(lines)


AWS_KEY = "AKIA" + "ABCDEFGHIJKLMNOP"
GITHUB_TOKEN = "ghp" + "_" + "0123456789abcdefghijABCDEFGHIJ012345"


@pytest.mark.parametrize(
    ("method", "path", "secret"),
    [
        ("GET", f"/posts/{GITHUB_TOKEN}", GITHUB_TOKEN),
        ("GET", f"/posts/{'long-' * 80}/{GITHUB_TOKEN}", GITHUB_TOKEN),
        ("GET", f"/posts/{GITHUB_TOKEN.replace('_', '%5f')}", "0123456789abcdefghij"),
        (AWS_KEY, "/", AWS_KEY),
    ],
)
def test_a_secret_in_what_was_asked_for_is_cut_out_the_second_time_too(
    site: Site, method: str, path: str, secret: str
) -> None:
    for _again in range(2):
        [line] = lines_for(site, method, path)
        assert secret not in str(line)
        assert "[redacted: " in line["method"] + line["path"]


def test_only_what_every_visitor_finds_is_logged_as_it_was_asked_for(site: Site) -> None:
    slug = f"sk-ant-{'looks-like-a-key-' * 2}and-is-a-title"
    site.post("alan", slug=slug)
    site.post("alan", slug=f"{slug}-too", status="draft")
    alan = site.client()
    alan.adopt_session("alan")
    for client, path, is_as_asked in (
        (site.client(), f"/posts/{slug}", True),
        (alan, f"/posts/{slug}", False),
        (site.client(), f"/posts/{slug}-too", False),
        (alan, f"/posts/{slug}-too", False),
        (site.client(), f"/posts/{slug}/no-post", False),
    ):
        with capture_logs() as lines:
            client.get(path)
        [line] = lines
        assert (line["path"] == path) is is_as_asked, line
        assert ("[redacted: " in line["path"]) is not is_as_asked, line


LINES_PROGRAM = """
import logging, sys
import structlog
from web.logs import configure_logs

class Pipe:
    def write(self, text):
        written.append(text)
    def flush(self):
        pass

written, terminal = [], sys.stderr
sys.stderr = Pipe()
configure_logs(lambda line: line)
structlog.get_logger().info("hello")
structlog.get_logger().info("hello again")
terminal.write("".join(written))
assert [text.endswith("}\\n") for text in written] == [True, True], written
"""


def test_a_line_leaves_in_one_piece_so_that_processes_do_not_write_into_each_others() -> None:
    assert [line["event"] for line in lines_of(LINES_PROGRAM)] == ["hello", "hello again"]


CLEANING_PROGRAM = """
import logging
import structlog
from web.logs import Clean, configure_logs

configure_logs(lambda line: {**line, "was_cleaned": True})
structlog.get_logger().info("hello")
structlog.get_logger().info(Clean("clean already"), number=1)
logging.getLogger("waitress").warning("from a library")
"""


def test_all_lines_are_cleaned_but_those_that_are_clean() -> None:
    assert [(line["event"], "was_cleaned" in line) for line in lines_of(CLEANING_PROGRAM)] == [
        ("hello", True), ("clean already", False), ("from a library", True),
    ]  # fmt: skip


def test_no_cookie_token_body_or_password_is_logged(site: Site) -> None:
    browser = site.client()
    token = site.token("alan")
    with capture_logs([structlog.contextvars.merge_contextvars]) as lines:
        signed_in = browser.submit("/login", username="alan", password=PASSWORD)
        wrong = browser.submit("/login", page="/new", username="alan", password="a wrong password")
        form_token = browser.form_token()
        written = browser.post(
            "/new?private=query", json={"title": "A private title"}, headers={"X-CSRF-Token": form_token}
        )
        by_program = site.client(token=token).post("/v1/posts", json={"title": "A private title"})
        site.client(token="byl_a-bad-one").get("/")
    assert [answer.status_code for answer in (signed_in, wrong, written, by_program)] == [303, 401, 201, 201]
    cookie = browser.get_cookie("session")
    assert cookie is not None
    logged = json.dumps(lines, default=str)
    assert len(lines) >= 7
    for secret in (
        PASSWORD, "a wrong password", form_token, token, cookie.value, "byl_", "private", "A private title",
    ):  # fmt: skip
        assert secret not in logged


def test_everything_leaves_as_json_on_standard_error_without_the_values_of_variables() -> None:
    lines = lines_of(PROGRAM)
    assert [line["event"] for line in lines] == [
        "hello", "from a library: an argument", "failed", "failed in a library",
    ]  # fmt: skip
    assert [line["level"] for line in lines] == ["info", "warning", "error", "error"]
    assert all(line["timestamp"].endswith("Z") for line in lines)
    assert "a local secret" not in str(lines)
    for line in lines[2:]:
        [error] = line["exception"]
        assert (error["exc_type"], error["exc_value"]) == ("RuntimeError", "what went wrong")
        assert error["frames"][-1]["name"] == "fail"
