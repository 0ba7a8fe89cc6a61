"""What an answer costs, in what can be counted: calls of functions and statements, the same on every machine."""

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

from werkzeug.test import create_environ

from tests.support import Site

# A hit is a page's bytes, a Flask view that does nothing takes a thousand calls. Figures of Python 3.11 to 3.13 differ
# by some calls; these bounds have some room.
CALLS_OF_A_HIT, CALLS_OF_A_TAG, CALLS_AT_ONCE = 50, 68, 34
CALLS_OF_A_MISS = {
    "/": 1150,
    "/posts/post-3": 1050,
    "/feed.xml": 2200,
    "/tags/one": 1200,
    "/tags": 900,
    "/sitemap.xml": 1000,
    "/archive": 5800,
}
CALLS_OF_A_POST_NOBODY_ASKED_FOR = 1200


def calls_of(action: Callable[[], Any]) -> int:
    """How many functions are called, in Python and in C."""
    count = 0

    def note(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(note)
    try:
        action()
    finally:
        sys.setprofile(None)
    return count


def ask(site: Site, path: str, **headers: str) -> Callable[[], bytes]:
    environ = create_environ(path) | headers
    app: Any = site.app.wsgi_app
    return lambda: b"".join(app(dict(environ), lambda *_: lambda _: None))


def calls_of_a_hit(site: Site, path: str) -> int:
    """Asks until the page is kept and known to be of the content's version; the answer counted is a plain hit."""
    for _ in range(3):
        ask(site, path)()
    return calls_of(ask(site, path))


def fill(site: Site, count: int) -> None:
    for number in range(count):
        site.post("alan", title=f"Post {number}", slug=f"post-{number}", tags=["one"])


def test_a_hit_costs_some_calls_and_the_same_with_more_posts(site: Site) -> None:
    fill(site, 12)
    costs = {}
    for path in ("/", "/posts/post-3", "/feed.xml", "/tags/one"):
        costs[path] = calls_of_a_hit(site, path)
        assert costs[path] <= CALLS_OF_A_HIT, path
    for number in range(50):
        site.post("ada", title=f"More {number}", tags=["one"])
    for path, cost in costs.items():
        assert calls_of_a_hit(site, path) == cost, path


def test_a_cookie_that_means_nothing_and_a_tag_that_is_known_cost_little_more(site: Site) -> None:
    fill(site, 1)
    ask(site, "/", HTTP_ACCEPT_ENCODING="gzip")()
    ask(site, "/", HTTP_ACCEPT_ENCODING="gzip")()
    assert calls_of(ask(site, "/", HTTP_COOKIE="_ga=GA1.1.2; theme=dark")) <= CALLS_OF_A_HIT
    assert calls_of(ask(site, "/", HTTP_ACCEPT_ENCODING="gzip", HTTP_IF_NONE_MATCH='"other"')) <= CALLS_OF_A_TAG


def test_at_once_costs_less_still(site: Site) -> None:
    fill(site, 1)
    ask(site, "/")()
    at_once = vars(site.app)["at_once"]
    headers = {"HOST": "localhost", "USER_AGENT": "Somebody"}
    assert at_once("GET", "/", "", headers.get) is not None
    assert calls_of(lambda: at_once("GET", "/", "", headers.get)) <= CALLS_AT_ONCE


def test_a_page_that_is_made_anew_costs_a_bounded_number_of_calls(site: Site) -> None:
    fill(site, 12)
    for path, most in CALLS_OF_A_MISS.items():
        made = ask(site, path, CONTENT_TYPE="text/plain")
        made()
        made()
        assert calls_of(made) <= most, path
    # Of which no piece is kept.
    assert calls_of(ask(site, "/posts/post-5", CONTENT_TYPE="text/plain")) <= CALLS_OF_A_POST_NOBODY_ASKED_FOR
