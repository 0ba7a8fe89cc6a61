"""Forwarding headers: nobody's are believed but a trusted proxy's, and no floor above ever sees one."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from flask import request
from structlog.testing import capture_logs
from werkzeug.test import TestResponse

from auth.guards import public
from tests.support import Client, make_site
from web.proxies import WAS_FORWARDED, ForwardingHeaders
from web.settings import load_settings

PROXY, INNER_PROXY, PERSON, STRANGER = "10.0.0.1", "10.0.0.2", "203.0.113.7", "198.51.100.9"


class Seen:
    """What reaches the application behind the layer."""

    def __init__(self, trusted: str = "10.0.0.0/8, fd00::/8") -> None:
        settings = load_settings({"BYLINE_TRUSTED_PROXIES": trusted})
        self.environ: dict[str, Any] = {}
        self._layer = ForwardingHeaders(self._application, settings.byline_trusted_proxies)

    def ask(self, peer: str, **headers: str) -> dict[str, Any]:
        environ: dict[str, Any] = {"REMOTE_ADDR": peer, "wsgi.url_scheme": "http", "HTTP_HOST": "blog.example.org"}
        environ |= {f"HTTP_{name.upper()}": value for name, value in headers.items()}
        list(self._layer(environ, lambda *_arguments: lambda _data: None))
        return self.environ

    def _application(self, environ: dict[str, Any], _start_response: object) -> Iterable[bytes]:
        self.environ = environ
        return []


def address_of(forwarded_for: str, *, peer: str = PROXY, trusted: str = "10.0.0.0/8, fd00::/8") -> str:
    return str(Seen(trusted).ask(peer, x_forwarded_for=forwarded_for)["REMOTE_ADDR"])


# Strangers


def test_a_strangers_headers_change_nothing_and_are_taken_away() -> None:
    seen = Seen().ask(
        STRANGER,
        forwarded=f"for={PERSON};proto=https",
        x_forwarded_for=PERSON,
        x_forwarded_host="evil.example",
        x_forwarded_port="443",
        x_forwarded_prefix="/evil",
        x_forwarded_proto="https",
        x_forwarded_server="evil.example",
        x_forwarded_by="evil.example",
        x_real_ip=PERSON,
        via="1.1 evil.example",
    )
    assert seen["REMOTE_ADDR"] == STRANGER
    assert seen["wsgi.url_scheme"] == "http"
    assert seen["HTTP_HOST"] == "blog.example.org"
    assert [name for name in seen if name.startswith("HTTP_")] == ["HTTP_HOST"]
    assert seen[WAS_FORWARDED] is True


def test_without_such_headers_nobody_stands_between() -> None:
    assert Seen().ask(PROXY)[WAS_FORWARDED] is False
    assert Seen().ask(PROXY, accept="text/html")[WAS_FORWARDED] is False


def test_the_log_names_a_stranger_once() -> None:
    seen = Seen(trusted="")
    with capture_logs() as lines:
        for _ in range(3):
            seen.ask(STRANGER, x_forwarded_for=PERSON)
        seen.ask(PERSON, x_real_ip=STRANGER)
    assert [(line["event"], line["peer"]) for line in lines] == [("forwarding_headers_ignored", STRANGER)]
    assert "BYLINE_TRUSTED_PROXIES" in lines[0]["advice"]


def test_a_trusted_proxy_is_no_news() -> None:
    with capture_logs() as lines:
        Seen().ask(PROXY, x_forwarded_for=PERSON)
    assert lines == []


# Trusted ones, hop by hop


@pytest.mark.parametrize(
    ("forwarded_for", "address"),
    [
        (PERSON, PERSON),
        (f"{STRANGER}, {PERSON}", PERSON),  # what the person sent along is not believed
        (f"{PERSON}, {INNER_PROXY}", PERSON),
        (f"{STRANGER}, {PERSON}, {INNER_PROXY}, {INNER_PROXY}", PERSON),
        (f"{INNER_PROXY}", INNER_PROXY),  # a proxy itself asks
        (f" {PERSON} ,, {INNER_PROXY} ,", PERSON),
        ("", PROXY),
        (",,,", PROXY),
    ],
)
def test_the_last_hop_that_no_proxy_of_ours_wrote_is_the_person(forwarded_for: str, address: str) -> None:
    assert address_of(forwarded_for) == address


@pytest.mark.parametrize(
    ("forwarded_for", "address"),
    [
        ("2001:db8::7", "2001:db8::7"),
        ("[2001:db8::7]", "2001:db8::7"),
        ("2001:0DB8:0:0:0:0:0:7", "2001:db8::7"),
        (f"::ffff:{PERSON}", PERSON),
        (f"{PERSON}, ::ffff:{INNER_PROXY}", PERSON),
        (f"{PERSON}, fd00::1", PERSON),
    ],
)
def test_addresses_of_both_kinds_are_understood(forwarded_for: str, address: str) -> None:
    assert address_of(forwarded_for) == address


def test_a_peer_that_is_an_ipv4_address_in_ipv6_is_that_address() -> None:
    assert address_of(PERSON, peer=f"::ffff:{PROXY}") == PERSON
    assert address_of(PERSON, peer=f"::ffff:{STRANGER}") == f"::ffff:{STRANGER}"


@pytest.mark.parametrize(
    "junk", ["unknown", "_hidden", "evil.example", "999.1.1.1", "<script>", "\x00", "1", "é", "x" * 9999]
)
def test_behind_junk_nobody_is_believed(junk: str) -> None:
    assert address_of(junk) == PROXY
    assert address_of(f"{PERSON}, {junk}") == PROXY
    assert address_of(f"{junk}, {PERSON}") == PERSON
    assert address_of(f"{PERSON}, {junk}, {INNER_PROXY}") == INNER_PROXY


@pytest.mark.parametrize("peer", ["", "unix", "localhost", "10.0.0.1.evil.example"])
def test_a_peer_without_an_address_is_a_stranger(peer: str) -> None:
    assert address_of(PERSON, peer=peer) == peer


@pytest.mark.parametrize(
    ("proto", "scheme"),
    [
        ("https", "https"),
        ("http", "http"),
        ("http, https", "https"),
        ("gopher", "http"),
        ("", "http"),
        ("HTTPS", "https"),
    ],
)
def test_the_scheme_is_the_one_that_our_proxy_saw(proto: str, scheme: str) -> None:
    seen = Seen().ask(PROXY, x_forwarded_proto=proto)
    assert seen["wsgi.url_scheme"] == scheme


def test_the_host_is_the_one_that_our_proxy_saw() -> None:
    assert Seen().ask(PROXY, x_forwarded_host="other.example")["HTTP_HOST"] == "other.example"
    assert Seen().ask(PROXY, x_forwarded_host="evil.example, other.example")["HTTP_HOST"] == "other.example"
    assert Seen().ask(PROXY, x_forwarded_host=" ")["HTTP_HOST"] == "blog.example.org"


# The whole site behind one


def test_a_page_that_came_through_our_proxy_is_ours_and_through_a_strangers_is_not(tmp_path: Path) -> None:
    site = make_site(tmp_path / "instance", BYLINE_TRUSTED_PROXIES=PROXY)
    alan = site.client("alan")
    headers = {
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "blog.example.org",
        "X-Forwarded-For": PERSON,
        "Origin": "https://blog.example.org",
        "X-CSRF-Token": alan.form_token(),
        "Cookie": f"session={alan.get_cookie('session').value}",
    }
    browser = Client(site.app, response_wrapper=TestResponse, use_cookies=False)
    for peer, status in ((PROXY, 201), (STRANGER, 403)):
        answer = browser.post(
            "/v1/posts", json={"title": "a"}, headers=headers, environ_overrides={"REMOTE_ADDR": peer}
        )
        assert answer.status_code == status, peer
    site.close()


def test_the_floors_above_see_the_person_and_not_the_proxy(tmp_path: Path) -> None:
    site = make_site(tmp_path / "instance", BYLINE_TRUSTED_PROXIES=PROXY)
    seen = []
    site.app.add_url_rule("/address", "address", public(lambda: seen.append(request.remote_addr) or "seen"))
    for peer, forwarded_for in ((PROXY, PERSON), (PROXY, f"{STRANGER}, {PERSON}"), (STRANGER, PERSON)):
        site.client().get(
            "/address", headers={"X-Forwarded-For": forwarded_for}, environ_overrides={"REMOTE_ADDR": peer}
        )
    assert seen == [PERSON, PERSON, STRANGER]
    site.close()
