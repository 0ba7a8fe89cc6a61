"""The watch that all these tests rely on sees what it is there for."""

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.conftest import Watch
from tests.support import Server

pytestmark = pytest.mark.browser

_PICTURE = "address => document.body.append(Object.assign(document.createElement('img'), { src: address }))"


def test_the_watch_notices_every_kind_of_fault(cast_server: Server, chromium: Browser) -> None:
    context = chromium.new_context()
    watch = Watch(context, cast_server.url)
    page = context.new_page()
    page.goto(f"{cast_server.url}/nowhere")
    assert watch.faults == []  # a page that refuses is none
    _commit_faults(page)
    context.close()
    kinds = [fault.split(":")[0] for fault in watch.faults]
    assert sorted(set(kinds)) == ["404", "console", "foreign request", "uncaught"]
    assert any("Content Security Policy" in fault for fault in watch.faults)


def _commit_faults(page: Page) -> None:
    with page.expect_event("requestfailed"):
        page.evaluate(_PICTURE, "https://foreign.invalid/picture.png")
    with page.expect_event("console"):
        page.evaluate("document.body.setAttribute('style', 'color: red')")
    with page.expect_event("pageerror"):
        page.evaluate("setTimeout(() => { throw new Error('oh') })")
    with page.expect_response("**/nowhere.png"):
        page.evaluate(_PICTURE, "/static/nowhere.png")
