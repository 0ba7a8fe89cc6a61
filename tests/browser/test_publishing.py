"""From an empty folder to a published post, in a real browser: what a writer does, and what a hurried one does."""

import time
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from tests.browser.conftest import OpenBrowser
from tests.browser.writing import fill_post, save, sign_in, sign_out
from tests.support import PASSWORD, Server

pytestmark = pytest.mark.browser


def test_from_the_setup_link_to_signing_out(tmp_path: Path, open_browser: OpenBrowser, java_script: bool) -> None:
    folder, processes = tmp_path / "instance", 2 if java_script else 1
    server = Server(folder, processes=processes, BYLINE_ADMIN_USERNAME="", BYLINE_ADMIN_PASSWORD="").start()
    try:
        owner = open_browser(server, java_script_enabled=java_script)
        page = owner.new_page()
        _set_up(page, server)
        sign_in(page, "olive", remember=True)
        _assert_stays_signed_in(page)
        _write_preview_publish(page)
        _read_signed_out(open_browser(server, java_script_enabled=java_script), "Seven boats went out.")
        _edit(page)
        assert server.stop() == 0
        server.start()
        _assert_signed_in(page)
        server.kill()
        server.start()
        _assert_signed_in(page)
        _read_signed_out(open_browser(server, java_script_enabled=java_script), "Seven boats came back.")
        sign_out(page)
        page.goto("/account")
        expect(page).to_have_url(f"{server.url}/login?next=/account")
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    finally:
        server.kill()


def test_a_double_click_makes_one_post(cast_server: Server, open_browser: OpenBrowser, java_script: bool) -> None:
    author = open_browser(cast_server, java_script_enabled=java_script)
    page = author.new_page()
    sign_in(page, "alan", to="/new")
    title = f"Clicked twice {java_script}"
    fill_post(page, title, "Once is enough.", publish=True)
    page.get_by_role("button", name="Save", exact=True).dblclick()
    expect(page.locator("h1")).to_have_text(title)
    assert _own_posts(author).count(title) == 1


def test_saving_again_when_the_answer_was_lost_makes_one_post(
    cast_server: Server, open_browser: OpenBrowser, java_script: bool
) -> None:
    author = open_browser(cast_server, java_script_enabled=java_script)
    page = author.new_page()
    sign_in(page, "alan", to="/new")
    title = f"Sent twice {java_script}"
    fill_post(page, title, "Once is enough.", publish=True)
    _save_and_lose_the_answer(page)
    assert _own_posts(author).count(title) == 1
    save(page)
    assert _own_posts(author).count(title) == 1


def test_what_was_added_after_an_answer_was_lost_is_saved_too(
    cast_server: Server, open_browser: OpenBrowser, java_script: bool
) -> None:
    author = open_browser(cast_server, java_script_enabled=java_script)
    page = author.new_page()
    sign_in(page, "alan", to="/new")
    title = f"Sent twice with more {java_script}"
    fill_post(page, title, "The first words.", publish=True)
    _save_and_lose_the_answer(page)
    page.get_by_label("Text").fill("The first words, and some more.")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("what you added is not saved yet")).to_be_visible()
    assert page.locator("textarea[name=body]").input_value() == "The first words, and some more."
    page.get_by_role("button", name="Save").click()
    assert page.locator(".e-content").inner_text() == "The first words, and some more."
    assert _own_posts(author).count(title) == 1


def test_a_double_click_on_publish_publishes_once(
    cast_server: Server, open_browser: OpenBrowser, java_script: bool
) -> None:
    page = open_browser(cast_server, java_script_enabled=java_script).new_page()
    sign_in(page, "alan", to="/new")
    title = f"Publish button {java_script}"
    fill_post(page, title, "A draft first.")
    save(page)
    page.get_by_role("button", name="Publish", exact=True).dblclick()
    expect(page.get_by_role("button", name="Unpublish")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", level=1, name=title)).to_be_visible()
    expect(page.get_by_role("button", name="Unpublish")).to_be_visible()  # not the page as it was kept
    reader = open_browser(cast_server).new_page()
    reader.goto("/")
    expect(reader.get_by_role("link", name=title)).to_have_count(1)


def test_leaving_the_form_by_accident_and_going_back_shows_what_was_written(
    cast_server: Server, open_browser: OpenBrowser, java_script: bool
) -> None:
    page = open_browser(cast_server, java_script_enabled=java_script).new_page()
    sign_in(page, "alan", to="/new")
    written = {"Title": "Half a thought", "Text": "And the other\nhalf", "Tags": "thoughts", "Excerpt": "A half"}
    for label, text in written.items():
        page.get_by_label(label).fill(text)
    page.get_by_role("link", name="Your posts").click()
    expect(page.get_by_role("heading", name="Your posts")).to_be_visible()
    page.go_back()
    assert {label: page.get_by_label(label).input_value() for label in written} == written


def _set_up(page: Page, server: Server) -> None:
    line = next(line for line in server.output if "/setup/" in line)
    page.goto(line[line.index("http") :].strip())
    page.get_by_label("Name of the site").fill("Harbour Notes")
    page.get_by_label("Your name for signing in").fill("olive")
    page.get_by_label("Your name for readers").fill("Olive Grün")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Begin").click()
    expect(page).to_have_url(f"{server.url}/login?joined=1")


def _assert_stays_signed_in(page: Page) -> None:
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    (cookie,) = page.context.cookies()
    days = (cookie.get("expires", 0) - time.time()) / 86_400
    assert 29 < days < 31, "the cookie ends with the browser, or lives longer than the session"
    assert cookie.get("httpOnly") is True


def _write_preview_publish(page: Page) -> None:
    page.get_by_role("link", name="Write", exact=True).click()
    fill_post(page, "The fleet", "Seven *boats* went out.")
    page.get_by_role("button", name="Preview").click()
    expect(page.locator(".preview em")).to_have_text("boats")
    assert _own_posts(page.context) == []
    save(page)
    expect(page.locator(".tools")).to_contain_text("Draft.")
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_role("button", name="Unpublish")).to_be_visible()


def _read_signed_out(visitor: BrowserContext, text: str) -> None:
    page = visitor.new_page()
    page.goto("/")
    expect(page.locator("h1")).to_have_text("Harbour Notes")
    page.get_by_role("link", name="The fleet").click()
    expect(page.locator(".e-content")).to_have_text(text)
    expect(page.locator(".p-author")).to_have_text("Olive Grün")
    expect(page.get_by_role("link", name="Edit")).to_have_count(0)
    assert visitor.cookies() == []


def _edit(page: Page) -> None:
    page.get_by_role("link", name="Edit").click()
    page.get_by_label("Text").fill("Seven *boats* came back.")
    save(page)
    expect(page.locator(".e-content")).to_have_text("Seven boats came back.")


def _assert_signed_in(page: Page) -> None:
    page.goto("/account")
    expect(page.get_by_role("heading", name="Your posts")).to_be_visible()
    expect(page.locator(".foot")).to_contain_text("Signed in as Olive Grün")


def _save_and_lose_the_answer(page: Page) -> None:
    """The server gets the form and saves it; the browser never hears of it, and the form stays on the screen."""

    def lose(route: Route) -> None:
        assert route.fetch(max_redirects=0).status == 303
        route.abort("aborted")

    page.route("**/new", lose, times=1)
    with page.expect_event("requestfailed"):
        page.get_by_role("button", name="Save", exact=True).click()


def _own_posts(author: BrowserContext) -> list[str]:
    """The titles on one's own page, looked up in another tab."""
    page = author.new_page()
    page.goto("/account")
    titles = page.locator(".rows .what").all_inner_texts()
    page.close()
    return titles
