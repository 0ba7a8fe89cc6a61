"""Passkeys in a real Chromium, with an authenticator that its developer tools make: from the first one to the last."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import CDPSession, Page, expect

from tests.browser.conftest import OpenBrowser
from tests.browser.writing import sign_in, sign_out
from tests.support import SECRET, Server, make_site

pytestmark = pytest.mark.browser

INTERNAL = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}
USE = "Sign in with a passkey"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A site with the whole cast: who is signed out, and by what, is this test's own."""
    make_site(tmp_path / "instance").close()
    running = Server(tmp_path / "instance", processes=1, SECRET_KEY=SECRET).start()
    yield running
    running.kill()


# A virtual authenticator takes what the browser only offers, without being chosen: then nothing is left to press.
BY_BUTTON = "PublicKeyCredential.isConditionalMediationAvailable = async () => false"


class Device:
    """The authenticator of one page: somebody touches it as soon as it waits for that."""

    def __init__(self, page: Page, *, is_offered: bool = False) -> None:
        if not is_offered:
            page.add_init_script(BY_BUTTON)
        self._page = page
        self._tools: CDPSession = page.context.new_cdp_session(page)
        self._tools.send("WebAuthn.enable", {"enableUI": False})
        self._id = self._tools.send("WebAuthn.addVirtualAuthenticator", {"options": INTERNAL})["authenticatorId"]

    def credentials(self) -> list[dict[str, Any]]:
        """What it keeps."""
        found = self._tools.send("WebAuthn.getCredentials", {"authenticatorId": self._id})
        return list(found["credentials"])

    def press(self, name: str, *, is_unlocked: bool = True) -> None:
        """Press the button of the page, and unlock the device or fail to."""
        self._tools.send("WebAuthn.setUserVerified", {"authenticatorId": self._id, "isUserVerified": is_unlocked})
        self._page.get_by_role("button", name=name).click()


def add_passkey(page: Page, device: Device, name: str) -> None:
    page.goto("/account/passkeys")
    page.get_by_role("link", name="Add a passkey").click()
    page.get_by_label("Name").fill(name)
    device.press("Add a passkey")
    expect(page.get_by_text("From now on it signs you in here.")).to_be_visible()


def test_a_life_with_passkeys(server: Server, open_browser: OpenBrowser) -> None:
    page = open_browser(server).new_page()
    device = Device(page)
    sign_in(page, "alan", to="/account/passkeys")
    expect(page.get_by_text("You have no passkeys.")).to_be_visible()

    add_passkey(page, device, "My laptop")
    (credential,) = device.credentials()
    assert credential["isResidentCredential"]
    assert credential["rpId"] == "localhost"

    # Signing in with it.
    sign_out(page)
    page.goto("/login?next=/account/passkeys")
    device.press(USE)
    expect(page.get_by_role("heading", name="Passkeys")).to_be_visible()
    expect(page.get_by_text("last used")).to_be_visible()

    # What was being written when the session was gone comes back.
    page.goto("/new")
    page.get_by_label("Title").fill("Half a letter")
    page.get_by_label("Text", exact=True).fill("Dear reader")
    page.context.clear_cookies()
    page.get_by_role("button", name="Save", exact=True).click()
    device.press(USE)
    expect(page.get_by_text("You are signed in again")).to_be_visible()
    expect(page.get_by_label("Title")).to_have_value("Half a letter")
    expect(page.get_by_label("Text", exact=True)).to_have_value("Dear reader")

    # With nothing else: the password goes, and the last passkey stays.
    page.goto("/account/passkeys")
    page.get_by_role("button", name="Remove my password").click()
    expect(page.get_by_text("Your password is removed.")).to_be_visible()
    page.get_by_role("button", name="Remove My laptop").click()
    expect(page.get_by_role("alert")).to_contain_text("This is the last way into your account")
    sign_out(page)
    sign_in(page, "alan", to="/login")
    expect(page.get_by_role("alert")).to_contain_text("do not belong together")
    device.press(USE)
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()


def test_a_browser_that_offers_it_for_the_name_signs_in_without_the_button(
    server: Server, open_browser: OpenBrowser
) -> None:
    page = open_browser(server).new_page()
    device = Device(page, is_offered=True)
    sign_in(page, "alan", to="/account/passkeys")
    add_passkey(page, device, "My laptop")
    page.context.clear_cookies()
    page.goto("/login?next=/account/passkeys")
    expect(page.get_by_text("last used")).to_be_visible()


def test_a_device_keeps_one_passkey_and_says_when_it_did_not(server: Server, open_browser: OpenBrowser) -> None:
    page = open_browser(server).new_page()
    device, alert = Device(page), page.get_by_role("alert")
    sign_in(page, "ada", to="/account/passkeys/new")
    device.press("Add a passkey", is_unlocked=False)
    expect(alert.get_by_text("No passkey was made")).to_be_visible()
    device.press("Add a passkey")
    expect(page.get_by_text("From now on it signs you in here.")).to_be_visible()
    page.get_by_role("link", name="Add a passkey").click()
    device.press("Add a passkey")
    expect(alert.get_by_text("holds a passkey of yours for this site already")).to_be_visible()
    assert len(device.credentials()) == 1

    sign_out(page)
    page.goto("/login")
    device.press(USE, is_unlocked=False)
    expect(page.get_by_role("status").get_by_text("called off")).to_be_visible()
    device.press(USE)
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()


def test_a_removed_passkey_is_refused_in_words(server: Server, open_browser: OpenBrowser) -> None:
    page = open_browser(server).new_page()
    device = Device(page)
    sign_in(page, "rita", to="/account/passkeys")
    add_passkey(page, device, "My phone")
    page.get_by_role("button", name="Remove My phone").click()
    expect(page.get_by_text("You have no passkeys.")).to_be_visible()
    sign_out(page)
    page.goto("/login")
    device.press(USE)
    expect(page.get_by_role("alert").get_by_text("This passkey opened nothing here")).to_be_visible()
    sign_in(page, "rita")
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()


def test_without_javascript_the_pages_are_whole(server: Server, open_browser: OpenBrowser) -> None:
    page = open_browser(server, java_script_enabled=False).new_page()
    page.goto("/login")
    expect(page.get_by_role("button", name=USE)).to_be_hidden()
    sign_in(page, "edith", to="/account/passkeys/new")
    expect(page.get_by_text("It needs JavaScript")).to_be_visible()
    expect(page.get_by_role("button", name="Add a passkey")).to_be_hidden()
