"""What our Flask does in a shorter way than Flask, and as Flask would."""

from functools import partial

import pytest
from flask import Flask, session
from werkzeug.exceptions import HTTPException
from werkzeug.routing import MapAdapter, Rule
from werkzeug.test import EnvironBuilder

from tests.support import Site
from web.requests import StrictRequest

PATHS = (
    "/", "/posts/a", "/posts/a.md", "//posts/a", "/posts//a", "/posts/a/", "/posts/%C3%A4", "/posts/%ff", "/tags/a/feed.xml",
    "/about", "/nowhere/at/all", "/v1/posts", "/login", "/static/site.css", "/posts/a?b=%ff&c", "/%2e%2e/", "/posts/a%2fb",
)  # fmt: skip


def found_by(adapter: MapAdapter | None) -> object:
    assert adapter is not None
    try:
        return adapter.match()
    except HTTPException as refusal:
        return type(refusal)


@pytest.mark.parametrize("host", ["localhost", "localhost:8000", "EXAMPLE.org:443", "[::1]:8000", "192.0.2.1"])
def test_the_same_routes_are_found_as_by_flask_under_every_host(site: Site, host: str) -> None:
    for path in PATHS:
        for method in ("GET", "HEAD", "POST", "DELETE", "BREW"):
            environ = EnvironBuilder(path, method=method, headers=[("Host", host)]).get_environ()
            request = StrictRequest(environ)
            ours = found_by(site.app.create_url_adapter(request))
            assert ours == found_by(Flask.create_url_adapter(site.app, request)), (method, path)


def test_what_stands_before_a_path_and_the_scheme_are_as_flask_has_them(site: Site) -> None:
    environ = EnvironBuilder("/posts/a", base_url="https://localhost/under/here").get_environ()
    ours, theirs = (
        make(StrictRequest(environ))
        for make in (site.app.create_url_adapter, partial(Flask.create_url_adapter, site.app))
    )
    assert ours is not None
    assert theirs is not None
    assert (ours.script_name, ours.url_scheme) == (theirs.script_name, theirs.url_scheme) == ("/under/here/", "https")


def test_who_would_like_another_protocol_is_answered_in_this_one(site: Site) -> None:
    wishes = {"Connection": "Upgrade", "Upgrade": "websocket"}
    for path in ("/", "/login", "/nowhere"):
        assert site.client().get(path, headers=wishes).status_code == site.client().get(path).status_code


def test_no_path_at_all_is_home_without_a_way_round(site: Site) -> None:
    request = StrictRequest(EnvironBuilder("/").get_environ() | {"PATH_INFO": ""})
    assert found_by(site.app.create_url_adapter(request)) == ("posts.home", {})


def test_no_route_depends_on_the_host_and_none_leads_to_another(site: Site) -> None:
    # Where one did, the address would have to be made of the host, which is not looked at.
    rules: list[Rule] = list(site.app.url_map.iter_rules())
    assert len(rules) > 100
    for rule in rules:
        assert not rule.host
        assert not rule.subdomain
        assert rule.redirect_to is None
        assert not rule.defaults
        assert rule.is_leaf or rule.rule == "/", rule


def test_without_a_request_there_is_no_adapter(site: Site) -> None:
    assert site.app.create_url_adapter(None) is None


def test_flasks_own_session_cannot_be_written_and_sets_no_cookie(site: Site) -> None:
    with site.app.test_request_context("/"):
        assert dict(session) == {}
        with pytest.raises(RuntimeError):
            session["user"] = "olive"
    assert "Set-Cookie" not in site.client().get("/").headers
