"""A second factor in the browser, from the picture to the sign-in that loses nothing; without JavaScript."""

import re
from pathlib import Path

import pyotp
import pytest
from playwright.sync_api import Page, expect

from storage import clock, sqlite
from tests.browser.conftest import OpenBrowser
from tests.browser.writing import sign_in, sign_out
from tests.folders import run_byline
from tests.support import PASSWORD, SECRET, Server

pytestmark = pytest.mark.browser

NAME = "tova"
NEW = "another horse, another staple"
WORDS = "Dear reader,\n\n\tthe wind has “turned” &amp; <b>we</b> stay.\n"


def test_from_the_picture_to_the_sign_in_that_loses_nothing(
    cast_server: Server, open_browser: OpenBrowser, screenshots: Path
) -> None:
    _add_person(cast_server)
    browser = open_browser(cast_server, java_script_enabled=False)
    page = browser.new_page()
    sign_in(page, NAME, to="/account")
    page.get_by_role("link", name="Second factor").click()
    page.get_by_role("link", name="Turn it on").click()
    expect(page.get_by_role("img", name="QR code")).to_be_visible()
    page.screenshot(path=screenshots / "journey-begin.png", full_page=True)
    secret = page.locator("code.groups").inner_text().replace(" ", "")
    page.get_by_role("textbox", name="Code").fill(_code(secret))
    page.get_by_role("button", name="Turn it on").click()
    expect(page.get_by_text("shown this once")).to_be_visible()
    codes = page.locator("ol.codes code").all_inner_texts()
    assert len(codes) == 10
    _assert_printed_page_has_the_codes_alone(page, screenshots)
    page.get_by_role("link", name="I have kept them").click()
    expect(page.get_by_text("10 codes")).to_be_visible()

    # Signed out in another tab, in the middle of writing.
    page.goto("/new")
    page.get_by_label("Title").fill("Half a letter")
    page.get_by_label("Text", exact=True).fill(WORDS)
    other = browser.new_page()
    other.goto("/")
    sign_out(other)
    other.close()
    page.get_by_role("button", name="Save", exact=True).click()
    sign_in(page, NAME)
    expect(page.get_by_role("heading", name="Your code")).to_be_visible()
    assert page.get_by_label("What you wrote").input_value() == WORDS
    page.screenshot(path=screenshots / "journey-code.png", full_page=True)
    page.get_by_label("Code from your app").fill("000")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("not right")
    # The code of now has turned it on; the next one is good already.
    page.get_by_label("Code from your app").fill(_code(secret, steps=1))
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="New post")).to_be_visible()
    assert page.get_by_label("Text", exact=True).input_value() == WORDS
    assert page.get_by_label("Title").input_value() == "Half a letter"

    # Without the device: a recovery code, once.
    for code, heading in ((codes[0], "Your posts"), (codes[0], "Your code"), (codes[1].upper(), "Your posts")):
        page.goto("/")
        if page.get_by_role("button", name="Sign out").count():
            sign_out(page)
        sign_in(page, NAME, to="/account")
        page.get_by_text("Use a recovery code instead").click()
        page.get_by_label("Recovery code").fill(code)
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("heading", name=heading)).to_be_visible()

    # Without the password: the same codes together with one of the app, and still the second step.
    page.goto("/")
    sign_out(page)
    with sqlite.opened(cast_server.folder / "byline.db", mode="rw") as db:
        db.execute("UPDATE totp SET last_step = -1")  # as if a minute had passed
    page.goto("/login?next=/account/devices")
    page.get_by_role("link", name="Set a new one").click()
    page.get_by_label("Name").fill(NAME)
    page.get_by_label("Recovery code").fill(codes[2])
    page.get_by_label("Code from your app").fill(_code(secret))
    page.get_by_label("New password").fill(NEW)
    page.get_by_role("button", name="Set the new password").click()
    expect(page.get_by_role("alert")).to_contain_text("Your new password is set")
    sign_in(page, NAME, password=NEW)
    page.get_by_text("Use a recovery code instead").click()
    page.get_by_label("Recovery code").fill(codes[3])
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Devices")).to_be_visible()
    expect(page.get_by_text(re.compile("with a password and a recovery code")).first).to_be_visible()


def _add_person(server: Server) -> None:
    wanted = ("user", "add", NAME, "--role", "author")
    done = run_byline(server.folder, *wanted, text=f"{PASSWORD}\n", environment={"SECRET_KEY": SECRET})
    assert done.returncode == 0, done.stderr


def _code(secret: str, *, steps: int = 0) -> str:
    return pyotp.TOTP(secret).generate_otp(clock.now() // (30 * clock.SECOND) + steps)


def _assert_printed_page_has_the_codes_alone(page: Page, screenshots: Path) -> None:
    page.screenshot(path=screenshots / "journey-codes.png", full_page=True)
    page.emulate_media(media="print")
    page.screenshot(path=screenshots / "journey-codes-printed.png", full_page=True)
    expect(page.get_by_text(f"For {NAME} at")).to_be_visible()
    expect(page.locator("ol.codes code").last).to_be_visible()
    for rest in page.locator("nav, .foot, .skip, .notice, .submit").all():
        expect(rest).to_be_hidden()
    page.emulate_media(media="screen")
