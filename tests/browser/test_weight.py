"""What a reader's browser is sent for a post: little, no program, and nothing to remember them by."""

import pytest
from playwright.sync_api import Response

from tests.browser.conftest import OpenBrowser
from tests.support import Server

pytestmark = pytest.mark.browser

# 700 words are what a typical post has.
BODY = "\n\n".join(
    f"## Part {number}\n\nThe wind turned at noon, and *every* boat that could came [back](https://example.org/{number}) "
    f"to the harbour, with {number} others behind it. " + "Nobody had thought of the rope that morning. " * 15
    for number in range(1, 6)
)


@pytest.fixture
def post(cast_server: Server) -> str:
    """The address of a typical post."""
    author = cast_server.browser()
    author.sign_in("alan")
    fields = {"title": "Weighed", "slug": "weighed", "body": BODY, "tags": "sea, boats", "status": "published"}
    author.submit("/new", fields)
    author.close()
    return "/posts/weighed"


def test_a_typical_post_is_light_and_leaves_nothing_behind(
    cast_server: Server, open_browser: OpenBrowser, post: str
) -> None:
    reader = open_browser(cast_server)
    page = reader.new_page()
    answers: list[Response] = []
    page.on("response", lambda answer: answers.append(answer))
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.goto(post, wait_until="networkidle")
    sent = [answer for answer in answers if _kind(answer) in ("document", "stylesheet")]
    assert len(sent) >= 2, "a page and what it looks like"
    weights = {answer.url: answer.request.sizes()["responseBodySize"] for answer in sent}  # as it came, packed or not
    assert sum(weights.values()) < 15_000, weights
    assert complaints == [], "the policy lets the data stand that is no program"
    assert page.locator('script[type="application/ld+json"]').count() == 1
    assert page.locator('script:not([type="application/ld+json"])').count() == 0
    assert "script" not in [_kind(answer) for answer in answers]
    assert [answer.url for answer in answers if answer.header_value("set-cookie")] == []
    assert reader.cookies() == []
    assert page.evaluate("localStorage.length + sessionStorage.length") == 0


def test_what_a_page_looks_like_is_fetched_once(cast_server: Server, open_browser: OpenBrowser, post: str) -> None:
    page = open_browser(cast_server).new_page()
    answers: list[Response] = []
    page.on("response", lambda answer: answers.append(answer))
    page.goto(post)
    styles = [answer for answer in answers if _kind(answer) == "stylesheet"]
    assert styles
    assert [answer.url for answer in styles if "immutable" not in (answer.header_value("cache-control") or "")] == []


def _kind(answer: Response) -> str:
    return answer.request.resource_type
