"""Everything can be reached and used without a mouse, in an order that makes sense, and one sees where one is."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenBrowser
from tests.browser.writing import borrow_session
from tests.support import PASSWORD, Server

pytestmark = pytest.mark.browser

# In a field of Chromium's own making the focus may be on a button inside, which Chromium marks itself.
_FOCUSED = """() => {
  const e = document.activeElement, box = e.getBoundingClientRect(), style = getComputedStyle(e);
  const y = Math.max(box.top, 0) / 2 + Math.min(box.bottom, innerHeight) / 2;
  return {
    name: (e.labels?.[0] ?? e).innerText.trim(),
    isMarked: !e.matches(":focus") || style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
    isInView: box.bottom > 0 && box.top < innerHeight && e.contains(document.elementFromPoint(box.left + box.width / 2, y)),
  };
}"""


def test_tab_goes_through_the_sign_in_page_in_order(cast_server: Server, open_browser: OpenBrowser) -> None:
    page = open_browser(cast_server).new_page()
    page.goto("/login")
    expected = [
        "Skip to the text",
        "Byline",
        "Search",
        "Feed",
        "Name",
        "Password",
        "Stay signed in on this device",
        "Sign in",
        "Sign in with a passkey",
        "Set a new one with a recovery code",
        "Archive",
        "Tags",
    ]
    assert _tab_through(page) == expected


@pytest.mark.parametrize("width", [1280, 390])
def test_tab_goes_through_the_editor_in_order(cast_server: Server, open_browser: OpenBrowser, width: int) -> None:
    context = open_browser(cast_server, viewport={"width": width, "height": 800})
    borrow_session(context, cast_server, "alan")
    page = context.new_page()
    page.goto("/new")
    expected = [
        *("Skip to the text", "Byline", "Write", "Your posts", "Search", "Feed"),
        *("Title", "B\nBold", "Text", "Draft", "Publish at", "Everybody", "Tags", "Address", "Excerpt", "Post"),
        *("Language", "Save", "Preview", "Archive", "Tags", "Sign out"),
    ]
    assert _tab_through(page) == expected


def test_the_skip_link_leads_past_the_head(cast_server: Server, open_browser: OpenBrowser) -> None:
    page = open_browser(cast_server).new_page()
    page.goto("/login")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the text")).to_be_in_viewport(ratio=1)
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_label("Name")).to_be_focused()


def test_signing_in_writing_and_publishing_without_a_mouse(
    cast_server: Server, open_browser: OpenBrowser, java_script: bool
) -> None:
    title = f"Typed only {java_script}"
    page = open_browser(cast_server, java_script_enabled=java_script).new_page()
    page.goto("/new")
    page.get_by_label("Name").focus()
    _type(page, "alan", "Tab", PASSWORD, "Enter")
    expect(page.get_by_role("heading", name="New post")).to_be_visible()
    page.get_by_label("Title").focus()
    _type(page, title, "Tab", "Nothing was clicked.", "Tab", "ArrowDown")
    expect(page.get_by_label("Published")).to_be_checked()
    _type(page, "Enter")
    expect(page.get_by_role("heading", level=1, name=title)).to_be_visible()
    expect(page.get_by_role("button", name="Unpublish")).to_be_visible()


def test_a_refused_form_says_so_first_and_leads_to_the_fault(
    cast_server: Server, open_browser: OpenBrowser, java_script: bool
) -> None:
    context = open_browser(cast_server, java_script_enabled=java_script)
    borrow_session(context, cast_server, "alan")
    page = context.new_page()
    page.goto("/new")
    page.get_by_label("Title").focus()
    _type(page, "Enter")
    expect(page.get_by_role("group", name="One thing needs your attention")).to_be_focused()
    _type(page, "Tab")
    expect(page.get_by_role("link", name="Give it a title")).to_be_focused()
    _type(page, "Enter", "Something")
    expect(page.get_by_label("Title")).to_have_accessible_description("Give it a title.")
    expect(page.get_by_label("Title")).to_have_value("Something")


def test_the_editor_says_in_which_time_zone_a_moment_is_chosen(cast_server: Server, open_browser: OpenBrowser) -> None:
    context = open_browser(cast_server)
    borrow_session(context, cast_server, "alan")
    page = context.new_page()
    page.goto("/new")
    expect(page.get_by_label("Publish at")).to_have_accessible_description(re.compile(r"\bUTC\b"))


def _type(page: Page, *keys: str) -> None:
    """Words are typed, names of keys pressed."""
    for key in keys:
        if key in ("Tab", "Enter", "ArrowDown"):
            page.keyboard.press(key)
        else:
            page.keyboard.type(key)


def _tab_through(page: Page) -> list[str]:
    """What Tab reaches from the top of the page to its end, once each; every stop is to be seen, and marked."""
    stops: list[str] = []
    hidden = []
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement === document.body"):
            break
        stop = page.evaluate(_FOCUSED)
        if not (stop["isMarked"] and stop["isInView"]):
            hidden.append(stop)
        if stops[-1:] != [stop["name"]]:  # a date has a stop for each of its parts
            stops.append(stop["name"])
    assert hidden == []
    return stops
