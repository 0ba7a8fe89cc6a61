"""Counters in the Prometheus format, for this machine itself and for tokens of scope admin."""

import pytest
from prometheus_client.parser import text_string_to_metric_families

from auth.permissions import Scope
from tests.support import Client, Site

ELSEWHERE = {"REMOTE_ADDR": "192.0.2.1"}


def counted(client: Client, name: str = "byline_request_seconds_count") -> dict[tuple[str, str], float]:
    """Requests by method and status."""
    answer = client.get("/metrics")
    assert answer.status_code == 200
    return {
        (sample.labels["method"], sample.labels["status"]): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
        if sample.name == name
    }


# Who may read them


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_this_machine_itself_reads_them(site: Site, address: str) -> None:
    answer = site.client().get("/metrics", environ_overrides={"REMOTE_ADDR": address})
    assert answer.status_code == 200
    assert answer.mimetype == "text/plain"


@pytest.mark.parametrize("address", ["192.0.2.1", "10.0.0.1", "127.0.0.1.evil.example", "", "::2", "0.0.0.0"])
def test_another_machine_does_not(site: Site, address: str) -> None:
    answer = site.client().get("/metrics", environ_overrides={"REMOTE_ADDR": address})
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert "byline_request" not in answer.text


@pytest.mark.parametrize(
    "header", ["X-Forwarded-For", "X-Real-IP", "Forwarded", "X-Forwarded-Proto", "X-Forwarded-Host", "Via"]
)
def test_a_proxy_on_this_machine_does_not(site: Site, header: str) -> None:
    assert site.client().get("/metrics", headers={header: "127.0.0.1"}).status_code == 401


def test_a_token_of_scope_admin_reads_them_from_anywhere(site: Site) -> None:
    olive = site.client(token=site.token("olive", Scope.ADMIN))
    assert olive.get("/metrics", environ_overrides=ELSEWHERE).status_code == 200
    assert olive.get("/metrics", headers={"X-Forwarded-For": "192.0.2.1"}).status_code == 200


@pytest.mark.parametrize(
    ("name", "scope"),
    [("olive", Scope.POSTS_WRITE), ("olive", Scope.EVENTS_READ), ("edith", Scope.ADMIN), ("rita", Scope.ADMIN)],
)
def test_no_other_token_does(site: Site, name: str, scope: Scope) -> None:
    answer = site.client(token=site.token(name, scope)).get("/metrics", environ_overrides=ELSEWHERE)
    assert answer.status_code in (401, 403)
    assert "byline_request" not in answer.text


def test_a_session_does_not_open_them_and_is_not_looked_for(site: Site) -> None:
    olive = site.client("olive")
    with site.counted_statements() as statements:
        assert olive.get("/metrics", environ_overrides=ELSEWHERE).status_code == 401
    assert [statement for statement in statements if "sessions" in statement] == []


def test_a_bad_token_is_401_even_on_this_machine(site: Site) -> None:
    assert site.client(token="byl_of-nobody").get("/metrics").status_code == 401


# What they count


def test_requests_are_counted_by_method_and_kind_of_status(site: Site) -> None:
    browser = site.client()
    for method, path in (
        ("GET", "/"), ("GET", "/login"), ("HEAD", "/login"), ("GET", "/nowhere"), ("POST", "/new"), ("BREW", "/"),
        ("GET", "/account"), ("TRACE", "/"),
    ):  # fmt: skip
        browser.open(path, method=method)
    assert counted(browser) == {
        ("GET", "2xx"): 2,
        ("HEAD", "2xx"): 1,
        ("GET", "4xx"): 1,
        ("POST", "4xx"): 1,
        ("GET", "3xx"): 1,
        ("other", "4xx"): 2,
    }


def test_what_visitors_get_from_the_cache_is_counted_by_itself(site: Site) -> None:
    visitor = site.client()
    tag = visitor.get("/").headers["ETag"]
    visitor.get("/")
    visitor.get("/", headers={"If-None-Match": tag})
    visitor.head("/")
    assert counted(visitor) == {("GET", "2xx"): 1}
    assert counted(visitor, "byline_kept_answers_total") == {("GET", "2xx"): 1, ("GET", "3xx"): 1, ("HEAD", "2xx"): 1}


def test_operations_are_not_counted(site: Site) -> None:
    for path in ("/healthz", "/readyz", "/metrics"):
        site.client().get(path)
    assert counted(site.client()) == {}


def test_a_flood_of_methods_makes_one_line(site: Site) -> None:
    for number in range(50):
        site.client().open("/", method=f"METHOD{number}")
    assert counted(site.client()) == {("other", "4xx"): 50}
