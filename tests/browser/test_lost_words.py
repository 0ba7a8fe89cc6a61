"""Words are never lost: whatever happens to a writer's sign-in or post meanwhile, what was typed stands there again."""

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from auth.signin.failures import NEUTRAL
from tests.browser.conftest import OpenBrowser
from tests.browser.writing import fill_post, save, sign_in, sign_out
from tests.folders import run_byline
from tests.support import SECRET, Server, read_all

pytestmark = pytest.mark.browser

# Everything that forms, attributes and line ends could change on the way; and long, in lines that are long themselves:
# Chromium takes half a minute to insert thousands of lines at once.
ODD = (
    "\n\tA tab, a blank line before it, trailing blanks   \n"
    "\"Quotes\" 'of' “every” «kind» &amp; <b>bold</b> </textarea> <!-- {{ 7 * 7 }} %0D%0A \\n\n\n\n"
    "Ümläute, ﬁ, e\u0301, 漢字かな交じり文, 한글, עברית, \u200fعربي, 🦉👩‍👩‍👧 🏴󠁧󠁢󠁳󠁣󠁴󠁿\u2028\u00a0\n"
)
WORDS = ODD + ("A sentence among many – „ja“. " * 30 + "\n") * 220 + ODD + "\n\n"
assert len(WORDS.encode()) > 200_000

TITLE = 'Of "quotes" & <b>'


def test_signed_out_in_another_tab(cast_server: Server, open_browser: OpenBrowser, java_script: bool) -> None:
    author = open_browser(cast_server, java_script_enabled=java_script)
    page = _write_long_text(author, "ada")
    other = author.new_page()
    other.goto("/")
    sign_out(other)
    _press_save(page)
    _assert_kept_on_sign_in_page(page)
    sign_in(page, "ada", password="not the password")
    expect(page.get_by_role("alert")).to_have_text(NEUTRAL)
    _assert_kept_on_sign_in_page(page)
    sign_in(page, "ada")
    _assert_back_in_editor(page)
    _assert_saving_works(page)


def test_blocked_while_writing(cast_server: Server, open_browser: OpenBrowser, java_script: bool) -> None:
    page = _write_long_text(open_browser(cast_server, java_script_enabled=java_script), "ada")
    _command(cast_server, "user", "block", "ada")
    try:
        _press_save(page)
        _assert_kept_on_sign_in_page(page)
        sign_in(page, "ada")
        expect(page.get_by_role("alert")).to_have_text(NEUTRAL)
        _assert_kept_on_sign_in_page(page)
    finally:
        _command(cast_server, "user", "unblock", "ada")
    sign_in(page, "ada")
    _assert_back_in_editor(page)
    _assert_saving_works(page)


def test_a_form_of_an_earlier_session(cast_server: Server, open_browser: OpenBrowser, java_script: bool) -> None:
    author = open_browser(cast_server, java_script_enabled=java_script)
    page = _write_long_text(author, "ada")
    other = author.new_page()
    other.goto("/")
    sign_out(other)
    sign_in(other, "ada", to="/account")
    expect(other.get_by_role("heading", name="Your posts")).to_be_visible()
    _press_save(page)
    expect(page.get_by_role("status")).to_contain_text("Your text is kept")
    _assert_back_in_editor(page)
    _assert_saving_works(page)


def test_signing_in_as_somebody_who_may_not_write(
    cast_server: Server, open_browser: OpenBrowser, java_script: bool
) -> None:
    author = open_browser(cast_server, java_script_enabled=java_script)
    page = _write_long_text(author, "ada")
    other = author.new_page()
    other.goto("/")
    sign_out(other)
    _press_save(page)
    sign_in(page, "rita")
    expect(page.get_by_role("heading", name="You may not do this")).to_be_visible()
    assert page.get_by_label("What you wrote").input_value() == WORDS
    rest = dict(zip(page.locator("dt").all_inner_texts(), page.locator("dd").all_inner_texts(), strict=True))
    zone = rest.pop("Time zone", None)
    assert rest == {"Title": TITLE, "Status": "draft", "Visibility": "public", "Tags": "one, two", "Kind": "post"}
    assert zone, "the zone that the date would have been read in"


def test_two_tabs_that_edit_the_same_post(cast_server: Server, open_browser: OpenBrowser, java_script: bool) -> None:
    author = open_browser(cast_server, java_script_enabled=java_script)
    first = author.new_page()
    sign_in(first, "ada", to="/new")
    title = f"Written by two {java_script}"
    fill_post(first, title, "Begun.")
    save(first)
    second = author.new_page()
    for page in (first, second):
        page.goto(f"/posts/written-by-two-{str(java_script).lower()}/edit")
    _text_of(first).fill("\nThe first tab's words.\n")
    save(first)
    _text_of(second).fill(WORDS)
    _press_save(second)
    expect(second.get_by_role("alert")).to_contain_text("nothing of yours is lost")
    assert second.get_by_label("Their text").input_value() == "\nThe first tab's words.\n"
    assert _text_of(second).input_value() == WORDS
    second.get_by_role("button", name="Save mine over it").click()
    expect(second.locator("article.post")).to_be_visible()
    query = f"SELECT body FROM revisions WHERE title = '{title}' ORDER BY number"
    kept = [row[0] for row in read_all(cast_server.folder / "byline.db", query)]
    assert kept == ["Begun.", "\nThe first tab's words.\n", WORDS]


def _write_long_text(author: BrowserContext, name: str) -> Page:
    page = author.new_page()
    sign_in(page, name, to="/new")
    fill_post(page, TITLE, WORDS)
    page.get_by_label("Tags").fill("one, two")
    return page


def _press_save(page: Page) -> None:
    page.get_by_role("button", name="Save", exact=True).click()


def _text_of(page: Page) -> Locator:
    """The writer's own text in the editor. A textarea's value has \\n for the \\r\\n that browsers send."""
    return page.get_by_label("Text", exact=True)


def _assert_kept_on_sign_in_page(page: Page) -> None:
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    assert page.get_by_label("What you wrote").input_value() == WORDS
    page.locator("summary").click()
    expect(page.get_by_label("What you wrote")).to_be_visible()


def _assert_back_in_editor(page: Page) -> None:
    expect(page.get_by_role("heading", name="New post")).to_be_visible()
    assert _text_of(page).input_value() == WORDS
    assert page.get_by_label("Title").input_value() == TITLE
    assert page.get_by_label("Tags").input_value() == "one, two"


def _assert_saving_works(page: Page) -> None:
    save(page)
    page.get_by_role("link", name="Edit").click()
    assert _text_of(page).input_value() == WORDS
    assert page.get_by_label("Title").input_value() == TITLE


def _command(server: Server, *arguments: str) -> None:
    done = run_byline(server.folder, *arguments, environment={"SECRET_KEY": SECRET})
    assert done.returncode == 0, done.stderr
