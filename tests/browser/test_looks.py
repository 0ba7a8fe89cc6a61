"""Every kind of page, narrow and wide, light and dark: photographed, judged by axe, and never wider than its window."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser import gallery
from tests.browser.conftest import OpenBrowser
from tests.browser.writing import borrow_session, save
from tests.support import Server

pytestmark = pytest.mark.browser

WIDTHS = (1280, 390)
NARROWEST = 320
JUDGED = ((1280, "light"), (390, "dark"))  # each width and each set of colours once: axe takes its time
HEIGHT = 560  # low enough for the editor's bar to stand at the end, where the picture of the whole page has it once


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A site with something to see."""
    running = gallery.build(tmp_path_factory.mktemp("gallery") / "instance")
    yield running
    running.kill()


def _go(path: str) -> Callable[[Page], None]:
    return lambda page: page.goto(path) and None


def _keep_on_sign_in_page(page: Page) -> None:
    page.goto("/new")
    page.get_by_label("Title").fill("Half a letter")
    page.get_by_label("Text", exact=True).fill(gallery.FLEET)
    page.context.clear_cookies()
    page.get_by_role("button", name="Save").click()
    page.locator("summary").click()
    expect(page.get_by_label("What you wrote")).to_be_visible()


def _preview(page: Page) -> None:
    page.goto("/posts/fleet/edit")
    page.get_by_role("button", name="Preview").click()
    expect(page.locator(".preview table")).to_be_visible()


def _find_faults(page: Page) -> None:
    page.goto("/new")
    page.get_by_label("Address").fill("Not an address")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("need your attention")).to_be_visible()


def _merge(page: Page) -> None:
    other = page.context.new_page()
    for tab in (other, page):
        tab.goto("/posts/merging/edit")
    other.get_by_label("Text", exact=True).fill("Dear reader,\n\nthe wind has turned.")
    save(other)
    other.close()
    page.get_by_label("Text", exact=True).fill("Dear reader,\n\nthe wind has gone.")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_label("Their text")).to_be_visible()


def _open_block(page: Page) -> None:
    page.goto("/admin")
    page.locator("summary").first.click()
    expect(page.get_by_label("Reason").first).to_be_visible()


def _open_details(page: Page) -> None:
    page.goto("/admin/log")
    for summary in page.locator("summary").all():
        summary.click()
    expect(page.locator(".fields").first).to_be_visible()


def _note_too_long(page: Page) -> None:
    page.goto("/admin/unfinished")
    page.get_by_label("Failed").first.check()
    page.get_by_label("Note").first.fill("It did not happen. " * 60)
    page.get_by_role("button", name="Record").first.click()
    expect(page.get_by_text("at most 1,000 characters")).to_be_visible()


# What is on the picture: whose browser it is, and the way there.
SCENES: dict[str, tuple[str | None, Callable[[Page], None]]] = {
    "home": (None, _go("/")),
    "post": (None, _go("/posts/fleet")),
    "post-arabic": (None, _go("/posts/arabic")),
    "post-long-words": (None, _go("/posts/german")),
    "post-own": ("ada", _go("/posts/fleet")),
    "tag": (None, _go("/tags/sea")),
    "members-only": (None, _go("/posts/aboard")),
    "not-found": (None, _go("/posts/nowhere")),
    "sign-in": (None, _go("/login")),
    "sign-in-kept": ("alan", _keep_on_sign_in_page),
    "editor": ("ada", _go("/posts/fleet/edit")),
    "preview": ("ada", _preview),
    "faults": ("ada", _find_faults),
    "merge": ("ada", _merge),
    "delete": ("ada", _go("/posts/leaving/delete")),
    "account": ("ada", _go("/account")),
    "account-empty": ("rita", _go("/account")),
    "password": ("ada", _go("/account/password")),
    "admin": ("olive", _open_block),
    "settings": ("olive", _go("/admin/settings")),
    "log": ("olive", _open_details),
    "log-filtered": ("olive", _go("/admin/log?person=(server)&kind=server.started")),
    "log-empty": ("olive", _go("/admin/log?person=nobody-at-all")),
    "log-faults": ("olive", _go("/admin/log?person=ada&day=yesterday&kind=x&before=y")),
    "unfinished": ("olive", _go("/admin/unfinished")),
    "unfinished-faults": ("olive", _note_too_long),
}


@pytest.mark.parametrize("scene", SCENES)
def test_a_page_is_legible_for_everybody(
    server: Server, open_browser: OpenBrowser, screenshots: Path, scene: str
) -> None:
    who, reach = SCENES[scene]
    context = open_browser(server, reduced_motion="reduce")
    if who is not None:
        borrow_session(context, server, who)
    page = context.new_page()
    reach(page)
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": HEIGHT})
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            page.screenshot(path=screenshots / f"{scene}-{width}-{scheme}.png", full_page=True)
            if (width, scheme) in JUDGED:
                assert _judge(page) == [], f"{width} px, {scheme}"
    _assert_nothing_is_cut_off(page)
    assert page.evaluate(_MOVING) == []


def _judge(page: Page) -> list[str]:
    violations = Axe().run(page).response["violations"]
    return [f"{v['impact']} {v['id']}: {node['html']}" for v in violations for node in v["nodes"]]


def _assert_nothing_is_cut_off(page: Page) -> None:
    """No sideways scrolling of the page: narrow, and with letters of twice the size that the reader has chosen."""
    wide = {}
    devtools = page.context.new_cdp_session(page)
    for zoom, widths in ((1, (*WIDTHS, NARROWEST)), (2, WIDTHS)):
        devtools.send("Page.setFontSizes", {"fontSizes": {"standard": 16 * zoom, "fixed": 13 * zoom}})
        for width in widths:
            page.set_viewport_size({"width": width, "height": HEIGHT})
            if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
                wide[f"{width} px, text {zoom}00 %"] = page.evaluate(_WIDEST)
    assert wide == {}


# The innermost elements that reach beyond the window.
_WIDEST = """
[...document.querySelectorAll("body *")]
  .filter(e => e.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
  .map(e => `${e.tagName} ${e.className} ${Math.round(e.getBoundingClientRect().right)}`).slice(-5)
"""
# Whoever asked for less motion sees none at all.
_MOVING = """
[...document.querySelectorAll("*")].flatMap(e => ["", "::before", "::after"].map(part => [e, getComputedStyle(e, part)]))
  .filter(([, s]) => s.animationName !== "none" || parseFloat(s.transitionDuration) > 0 || s.scrollBehavior !== "auto")
  .map(([e]) => `${e.tagName} ${e.className}`)
"""
