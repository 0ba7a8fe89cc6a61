"""What an answer gives away beside what was asked for: nothing."""

import pytest

from auth.permissions import Scope
from tests.support import PASSWORD, Site

ELSEWHERE = {"REMOTE_ADDR": "198.51.100.7"}
NOWHERE = [
    "/.git/config", "/.git/HEAD", "/.env", "/.well-known/security.txt", "/.DS_Store", "/app.py", "/pyproject.toml",
    "/instance/byline.db", "/byline.db", "/secret_key", "/static/../app.py", "/static/..%2fapp.py", "/static/%2e%2e/app.py",
    "/static/", "/media/", "/console", "/debug", "/server-status", "/actuator/health", "/v1/", "/static//site.css",
]  # fmt: skip


@pytest.mark.parametrize("path", NOWHERE)
def test_nothing_but_the_site_is_served(site: Site, path: str) -> None:
    for client in (site.client(), site.client("olive")):
        assert client.get(path).status_code == 404


@pytest.mark.parametrize(
    "path", ["/", "/login", "/account", "/admin", "/v1/posts", "/posts/a-post", "/media/" + "0" * 64]
)
def test_methods_that_nothing_uses_are_refused_and_options_change_nothing(site: Site, path: str) -> None:
    site.post()
    events = site.rows("events")
    for client in (site.client(), site.client("olive")):
        for method in ("TRACE", "CONNECT", "PROPFIND", "PURGE", "TRACK"):
            answer = client.open(path, method=method, headers={"X-Probe": "echo of it"})
            assert answer.status_code == 405, method
            assert "echo of it" not in answer.text
        asked = client.options(path)
        assert (asked.status_code, asked.text) == (200, "")
        assert "Access-Control-Allow-Origin" not in asked.headers
        for override in ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"):
            client.get(path, headers={override: "DELETE"})
    assert site.rows("events") == events


@pytest.mark.parametrize("path", ["/", "/v1/posts", "/account", "/v1/openapi.json", "/feed.json"])
def test_no_other_site_may_read_an_answer(site: Site, path: str) -> None:
    site.post()
    for client in (site.client(), site.client("olive")):
        answer = client.get(
            path, headers={"Origin": "https://evil.example"}, query_string={"callback": "evil", "jsonp": "e"}
        )
        assert not [name for name, _value in answer.headers if name.startswith("Access-Control-")]
        assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert not answer.text.startswith("evil")


def test_a_token_in_an_address_or_a_form_opens_nothing(site: Site) -> None:
    token = site.token("olive", *Scope)
    for name in ("access_token", "token", "bearer", "Authorization", "api_key"):
        assert site.client().get("/v1/sessions", query_string={name: token}).status_code in (303, 401)
        assert site.client().get("/metrics", query_string={name: token}, environ_base=ELSEWHERE).status_code == 401
        assert site.client().post("/new", data={name: token, "title": "x"}).status_code == 401
    assert site.client(token=token).get("/v1/sessions").status_code == 200
    assert site.rows("posts") == 0


def test_below_a_private_page_there_is_none_that_a_cache_would_keep(site: Site) -> None:
    olive = site.client("olive")
    for path in (
        "/account/x.css",
        "/account/profile/x.js",
        "/account;x.css",
        "/admin/x.png",
        "/account/devices.css",
        "/admin%2fx",
    ):
        answer = olive.get(path)
        assert answer.status_code == 404, path
        assert "no-store" in answer.headers["Cache-Control"], path


def test_a_cookie_is_far_smaller_than_what_browsers_keep(site: Site) -> None:
    answer = site.client().submit("/login", username="alan", password=PASSWORD, remember="y")
    assert len(answer.headers["Set-Cookie"].partition(";")[0]) < 256


def test_a_site_is_made_without_debugging(site: Site) -> None:
    assert site.app.debug is False
    assert site.app.config["PROPAGATE_EXCEPTIONS"] is None
    assert site.app.jinja_env.autoescape is not False
