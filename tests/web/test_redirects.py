"""Where a person is sent next is a place of this site, however it is written (trap 4)."""

from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support import PASSWORD, Site
from web.redirects import safe_next

FOREIGN = [
    "//evil.example",
    "///evil.example",
    "////evil.example/",
    "/\\evil.example",
    "\\\\evil.example",
    "\\/evil.example",
    "/\\/evil.example",
    "//\\evil.example",
    "http://evil.example",
    "https:evil.example",
    "https:/evil.example",
    "HTTPS://evil.example/",
    "javascript:alert(1)",
    "JavaScript:alert(1)",
    "data:text/html,x",
    "mailto:a@b",
    "evil.example",
    "evil.example/path",
    "@evil.example",
    ".evil.example",
    "?next=//evil.example",
    "#//evil.example",
    "/%09/evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "/\r\n/evil.example",
    "\t//evil.example",
    " //evil.example",
    "/%0a/evil.example",
    "/%0d%0aSet-Cookie:%20a=b",
    "/%5cevil.example",
    "/%5Cevil.example",
    "/%2fevil.example",
    "/%2Fevil.example",
    "/\x00/evil.example",
    "/a\x7fb",
    "/%00",
    "/%7f",
    "/" + "a" * 2000,
    "",
]
OURS = ["/", "/new", "/posts/hello", "/posts/hello/edit?a=b&c=d", "/account#top", "/tags/caf%C3%A9", "/a//b", "/@alan"]


@pytest.mark.parametrize("target", FOREIGN)
def test_what_could_lead_away_leads_home(target: str) -> None:
    assert safe_next(target) == "/"
    assert safe_next(target, default="") == ""


@pytest.mark.parametrize("target", OURS)
def test_a_path_of_this_site_is_kept(target: str) -> None:
    assert safe_next(target) == target


def test_nothing_leads_to_the_default() -> None:
    assert safe_next(None) == "/"
    assert safe_next(None, default="/account") == "/account"


@given(st.text(alphabet="/\\.:@?#%250aAfF9\t\n\x00 ehost", max_size=12))
def test_nothing_that_is_kept_has_a_host_as_a_browser_reads_it(target: str) -> None:
    kept = safe_next(target, default="/nowhere")
    # What a browser does first (WHATWG URL): drop control characters, read backslashes as slashes.
    as_read = "".join(character for character in kept if character > " ").replace("\\", "/")
    assert as_read.startswith("/")
    assert not as_read.startswith("//")
    assert not urlsplit(as_read).netloc


def test_no_sign_in_leads_away(site: Site) -> None:
    browser = site.client()
    for target in FOREIGN[::5]:
        signed_in = browser.post(
            "/login",
            data={
                "csrf_token": browser.form_token("/login" if target == FOREIGN[0] else "/new"),
                "username": "alan",
                "password": PASSWORD,
                "next": target,
            },
        )
        assert signed_in.status_code == 303, target
        assert signed_in.headers["Location"] == "/", target


def test_a_sign_in_leads_to_where_one_was_going(site: Site) -> None:
    browser = site.client()
    refused = browser.get("/posts/hello/edit?a=b")
    assert refused.status_code == 303
    page = browser.get(refused.headers["Location"])
    assert 'name="next"' in page.text
    signed_in = browser.submit("/login", username="alan", password=PASSWORD, next="/posts/hello/edit?a=b")
    assert signed_in.headers["Location"] == "/posts/hello/edit?a=b"


@pytest.mark.parametrize("target", ["//evil.example", "/\\evil.example", "https://evil.example"])
def test_the_sign_in_page_does_not_pass_on_where_it_must_not_lead(site: Site, target: str) -> None:
    visitor = site.client().get("/login", query_string={"next": target})
    assert "evil" not in visitor.text
    somebody = site.client("alan").get("/login", query_string={"next": target})
    assert somebody.status_code == 303
    assert somebody.headers["Location"] == "/"
