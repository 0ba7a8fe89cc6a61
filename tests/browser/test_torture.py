"""The plug is pulled before every save of a writer's day in a real browser, with JavaScript and without.

Signing out, a block, and a form of an earlier session are in `test_lost_words`, the working copies in `test_editor`.
"""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from auth.permissions import Role
from auth.users.roles import change_role
from storage import clock
from storage.engine import Database
from tests.browser.conftest import OpenBrowser
from tests.browser.test_lost_words import WORDS
from tests.browser.writing import borrow_session, sign_in
from tests.support import SECRET, TESTER, Server, make_site, read_all

pytestmark = pytest.mark.browser

TITLE = 'A day of "torture" & <b>'
MORE = "More 🦉 of it, and \u201cout\u201d.\n"
OFFLINE = "Offline: kept in this browser"


@pytest.fixture(scope="module")
def own_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that these tests may kill."""
    folder = tmp_path_factory.mktemp("torture") / "instance"
    make_site(folder).close()
    running = Server(folder, SECRET_KEY=SECRET).start()
    yield running
    running.kill()


@pytest.fixture
def author(own_server: Server, open_browser: OpenBrowser, java_script: bool) -> BrowserContext:
    """Alan's browser, twice: with JavaScript and without."""
    _write_to(own_server, "DELETE FROM working_copies")
    _write_to(own_server, "DELETE FROM posts")
    context = open_browser(own_server, java_script_enabled=java_script)
    borrow_session(context, own_server, "alan")
    return context


# Each presses Save with the plug out, and comes back: to the text in an editor that may save, or to what saving gives.


def _session_ended(server: Server, page: Page, text: str) -> None:
    _write_to(server, "DELETE FROM sessions")
    _press_save(page)
    _sign_in_with(page, text)


def _past_the_idle_limit(server: Server, page: Page, text: str) -> None:
    _write_to(server, f"UPDATE sessions SET last_seen_at = last_seen_at - {31 * clock.DAY}")
    _press_save(page)
    _sign_in_with(page, text)


def _role_lowered(server: Server, page: Page, text: str) -> None:
    _set_role(server, Role.READER)
    _press_save(page)
    expect(page.get_by_role("heading", name="You may not do this")).to_be_visible()
    assert page.get_by_label("What you wrote").input_value() == text
    _set_role(server, Role.AUTHOR)
    page.reload()  # which sends it once more


def _server_killed(server: Server, page: Page, _text: str) -> None:
    server.kill()
    _press_save(page)
    page.wait_for_url("chrome-error://chromewebdata/")
    server.start()
    page.reload()  # which sends it once more


def _server_killed_and_back(server: Server, page: Page, _text: str) -> None:
    server.kill()
    server.start()
    assert page.get_by_role("button", name="Save").first.is_enabled()


PLUGS: dict[str, Callable[[Server, Page, str], None]] = {
    "session ended": _session_ended,
    "idle": _past_the_idle_limit,
    "role lowered": _role_lowered,
    "server killed": _server_killed,
    "server killed and back": _server_killed_and_back,
}


# One every time, all of them with --soak.
USUAL = {"session ended"}
_PARAMETERS = [pytest.param(plug, marks=[] if plug in USUAL else pytest.mark.soak) for plug in PLUGS]


@pytest.mark.parametrize("plug", _PARAMETERS)
def test_a_day_with_the_plug_pulled_before_every_save(own_server: Server, author: BrowserContext, plug: str) -> None:
    pull = PLUGS[plug]
    page = author.new_page()
    page.goto("/new")
    page.get_by_label("Title").fill(TITLE)
    _text(page).fill(WORDS)
    pull(own_server, page, WORDS)
    _save_until(page, _post(page), WORDS)
    page.get_by_role("link", name="Edit").click()
    _text(page).fill(WORDS + MORE)
    page.get_by_label("Published").check()
    pull(own_server, page, WORDS + MORE)
    _save_until(page, _post(page), WORDS + MORE)
    expect(page.get_by_role("button", name="Unpublish")).to_be_visible()
    # Two tabs: the other one saves first.
    page.get_by_role("link", name="Edit").click()
    expect(_text(page)).to_be_visible()
    other = author.new_page()
    other.goto(page.url)
    _text(other).fill(MORE + WORDS + MORE)
    _save_until(other, _post(other), MORE + WORDS + MORE)
    _text(page).fill(WORDS + MORE + MORE)
    pull(own_server, page, WORDS + MORE + MORE)
    _save_until(page, page.get_by_label("Their text"), WORDS + MORE + MORE)
    assert page.get_by_label("Their text").input_value() == MORE + WORDS + MORE
    assert _text(page).input_value() == WORDS + MORE + MORE
    page.get_by_role("button", name="Put both together").click()
    merged = MORE + WORDS + MORE + MORE
    expect(page.get_by_text("Look once more")).to_be_visible()
    assert _text(page).input_value() == merged
    pull(own_server, page, merged)
    _save_until(page, _post(page), merged)
    assert _stored(own_server) == [WORDS, WORDS + MORE, MORE + WORDS + MORE, merged]


@pytest.mark.parametrize("java_script", [True], ids=["with JavaScript"], indirect=True)
def test_the_network_is_cut_before_every_save(own_server: Server, author: BrowserContext) -> None:
    page = author.new_page()
    page.goto("/new")
    page.get_by_label("Title").fill(TITLE)
    for text, path in ((WORDS, "/new"), (WORDS + MORE, None)):
        _text(page).fill(text)
        author.set_offline(True)
        page.get_by_label("Tags").fill("one")
        page.get_by_label("Tags").fill("one, two")
        expect(page.locator(".marks .state")).to_have_text(OFFLINE)
        address = page.url
        _press_save(page)
        page.wait_for_url("chrome-error://chromewebdata/")
        author.set_offline(False)
        # Another tab has never seen it: what this browser kept, or the server before the cut, is offered there.
        again = author.new_page()
        again.goto(path or address)
        again.get_by_role("region", name="Kept").first.get_by_role("button", name="Continue with it").or_(
            again.get_by_role("region", name="Kept").first.get_by_role("link", name="Continue with it")
        ).first.click()
        expect(again.get_by_label("Tags")).to_have_value("one, two")
        assert _text(again).input_value() == text
        page.close()
        page = again
        _save_until(page, _post(page), text)
        page.get_by_role("link", name="Edit").click()
        page.wait_for_url("**/edit")
    assert _stored(own_server) == [WORDS, WORDS + MORE]


def test_a_text_that_going_back_brings_into_a_newer_page_writes_over_nothing(
    own_server: Server, author: BrowserContext
) -> None:
    page = author.new_page()
    page.goto("/new")
    page.get_by_label("Title").fill(TITLE)
    _text(page).fill("Begun.")
    _save_until(page, _post(page), "Begun.")
    page.get_by_role("link", name="Edit").click()
    _text(page).fill("Mine.")
    edit = page.url
    page.goto("/")
    other = author.new_page()
    other.goto(edit)
    _text(other).fill("Theirs.")
    _save_until(other, _post(other), "Theirs.")
    page.go_back()
    expect(_text(page)).to_have_value("Mine.")
    _press_save(page)
    expect(page.get_by_label("Their text")).to_have_value("Theirs.")
    assert _text(page).input_value() == "Mine."
    assert _stored(own_server) == ["Begun.", "Theirs."]


def _sign_in_with(page: Page, text: str) -> None:
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    assert page.get_by_label("What you wrote").input_value() == text
    sign_in(page, "alan")


def _save_until(page: Page, goal: Locator, text: str) -> None:
    """Save what stands there until it is where it should be; each page in between holds the whole text."""
    for _ in range(3):
        expect(goal.or_(_text(page)).first).to_be_visible()
        if goal.is_visible():
            return
        assert _text(page).input_value() == text
        with page.expect_navigation():
            _press_save(page)
    expect(goal).to_be_visible()


def _post(page: Page) -> Locator:
    return page.locator("article.post")


def _press_save(page: Page) -> None:
    page.get_by_role("button", name="Save").first.click()


def _text(page: Page) -> Locator:
    return page.get_by_label("Text", exact=True)


def _stored(server: Server) -> list[str]:
    rows = read_all(server.folder / "byline.db", "SELECT body FROM revisions ORDER BY post_id, number")
    return [row[0] for row in rows]


def _set_role(server: Server, role: Role) -> None:
    database = Database(server.folder / "byline.db", readers=1)
    with database.transaction() as db:
        change_role(db, "alan", role, by=TESTER)
    database.close()


def _write_to(server: Server, statement: str) -> None:
    database = Database(server.folder / "byline.db", readers=1)
    with database.transaction() as db:
        db.exec_driver_sql(statement)
    database.close()
