"""What a writer does in the browser again and again."""

from playwright.sync_api import BrowserContext, Page, expect

from tests.support import PASSWORD, Server


def sign_in(page: Page, name: str, *, to: str | None = None, password: str = PASSWORD, remember: bool = False) -> None:
    """Through the form on this very page, or through the one that `to`, a page of one's own, asks with."""
    if to is not None:
        page.goto(to)
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_label("Stay signed in").set_checked(remember)
    page.get_by_role("button", name="Sign in", exact=True).click()


def sign_out(page: Page) -> None:
    """At the foot of any page."""
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("link", name="Sign in")).to_be_visible()


def fill_post(page: Page, title: str, body: str, *, publish: bool = False) -> None:
    """The fields that matter; publishing is a choice beside them."""
    page.get_by_label("Title").fill(title)
    page.get_by_label("Text").fill(body)
    page.get_by_label("Published" if publish else "Draft").check()


def save(page: Page) -> None:
    """Save, and arrive at the post."""
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("article.post")).to_be_visible()


def borrow_session(context: BrowserContext, server: Server, name: str) -> None:
    """Signed in without the form, for tests about other pages."""
    browser = server.browser()
    assert browser.sign_in(name).status_code == 303
    context.add_cookies([{"name": c.name, "value": c.value or "", "url": server.url} for c in browser.cookies])
    browser.close()
