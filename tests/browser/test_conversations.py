"""Asking a post in a real browser: saved, asked, streamed, broken off and found again; with scripts and without."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import OpenBrowser
from tests.browser.prompted import PromptedModel
from tests.browser.writing import borrow_session, sign_in
from tests.support import SECRET, Server, make_site

pytestmark = pytest.mark.browser

BODY = """\
## Ropes

A rope that is wet must dry in the wind, never in the sun.

## Anchors

An anchor holds by its chain and not by its weight.
"""
QUESTION = "How must a wet rope dry?"


@pytest.fixture(scope="module")
def model() -> Iterator[PromptedModel]:
    made = PromptedModel()
    yield made
    made.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, model: PromptedModel) -> Iterator[Server]:
    """A site where that model answers."""
    folder = tmp_path_factory.mktemp("asked") / "instance"
    yield from running_site(folder, BYLINE_LLM_URL=model.url, BYLINE_LLM_MODEL="prompted")


@pytest.fixture(scope="module")
def quoting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A site where no model answers."""
    yield from running_site(tmp_path_factory.mktemp("quoted") / "instance")


def running_site(folder: Path, **environment: str) -> Iterator[Server]:
    """With one post to ask."""
    site = make_site(folder)
    site.post("alan", title="Knots and chains", slug="knots", body=BODY)
    site.close()
    running = Server(folder, processes=1, SECRET_KEY=SECRET, **environment).start()
    yield running
    running.kill()


def begin(open_browser: OpenBrowser, server: Server, name: str, **kwargs: Any) -> Page:
    """Somebody's browser, taken from the post to the form."""
    context = open_browser(server, **kwargs)
    borrow_session(context, server, name)
    page = context.new_page()
    page.goto("/posts/knots")
    save = page.get_by_role("button", name="Save, and ask this post")
    ask = page.get_by_role("link", name="Ask this post")
    expect(save.or_(ask)).to_be_visible()
    (save if save.is_visible() else ask).click()
    expect(page.get_by_label("Your question")).to_be_visible()
    # What its scripts do is there from then on.
    page.wait_for_load_state()
    return page


def ask(page: Page, question: str = QUESTION) -> None:
    page.get_by_label("Your question").fill(question)
    page.get_by_role("button", name="Ask", exact=True).click()


def test_a_reader_saves_asks_watches_and_finds_it_again(
    server: Server, open_browser: OpenBrowser, model: PromptedModel
) -> None:
    page = begin(open_browser, server, "rita")
    expect(page.get_by_text("Ask what you want to know")).to_be_visible()
    model.say("In the **wind**", ", they ")
    ask(page)
    answer = page.locator(".answered .text")
    expect(answer).to_have_text("In the **wind**, they ")
    expect(page.locator(".answered")).to_have_attribute("aria-busy", "true")
    expect(page.get_by_role("status")).to_have_text("The answer is being written.")
    expect(page.get_by_role("link", name="Ropes")).to_have_attribute("href", "/posts/knots#section_ropes")
    expect(page.get_by_label("Your question")).to_have_value("")
    expect(page.get_by_text("Ask what you want to know")).to_be_hidden()
    assert re.search(r"/conversations/[0-9a-f-]{36}$", page.url)
    path = page.url

    page.reload()
    # What was said until then is stored once the server sees that nobody listens any more.
    expect(page.get_by_text("This answer broke off.")).to_be_visible()
    page.wait_for_load_state()
    expect(page.locator(".answered .text strong")).to_have_text("wind")
    expect(page.get_by_role("link", name="Ropes")).to_be_visible()

    model.end()  # of the answer that nobody listens to
    model.say("In the wind [1].")
    page.get_by_role("button", name="Ask again").click()
    expect(page.locator(".answered .text").last).to_have_text("In the wind [1].")
    model.end()
    expect(page.get_by_role("status")).to_have_text("The answer is here.")
    expect(page.locator(".answered .text").last.locator("p")).to_have_text("In the wind [1].")

    page.get_by_role("button", name="Archive").click()
    expect(page.get_by_role("heading", name="Conversations", exact=True)).to_be_visible()
    expect(page.get_by_role("link", name=QUESTION)).to_have_count(0)
    page.get_by_role("link", name="Archived").click()
    page.get_by_role("link", name=QUESTION).click()
    page.wait_for_url(path)
    expect(page.get_by_text("This conversation is archived.")).to_be_visible()
    page.get_by_role("button", name="Take it out of the archive").click()
    expect(page.get_by_label("Your question")).to_be_visible()
    page.goto("/account")
    page.get_by_role("link", name="Conversations").click()
    page.get_by_role("link", name=QUESTION).click()
    expect(page.locator(".answered")).to_have_count(2)


def test_an_answer_can_be_stopped_and_what_was_typed_meanwhile_stays(
    server: Server, open_browser: OpenBrowser, model: PromptedModel
) -> None:
    page = begin(open_browser, server, "ada")
    model.say("In the ")
    ask(page)
    expect(page.locator(".answered .text")).to_have_text("In the ")
    expect(page.get_by_role("button", name="Ask", exact=True)).to_be_disabled()
    page.get_by_label("Your question").fill("And an anchor?")
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_text("This answer broke off.").first).to_be_visible()
    expect(page.get_by_label("Your question")).to_be_focused()
    expect(page.get_by_label("Your question")).to_have_value("And an anchor?")
    expect(page.get_by_role("button", name="Stop")).to_be_hidden()
    model.end()


def test_what_the_server_does_not_take_stays_in_the_field(
    server: Server, open_browser: OpenBrowser, model: PromptedModel
) -> None:
    page = begin(open_browser, server, "alan")
    model.say("By its ")
    ask(page, "What does an anchor hold by?")
    expect(page.locator(".answered .text")).to_have_text("By its ")
    other = page.context.new_page()
    other.goto(page.url)
    ask(other, "Me too?")
    refusal = "The answer to another question is still on its way. Try again in 5 seconds."
    expect(other.get_by_role("alert")).to_have_text(refusal)
    expect(other.get_by_label("Your question")).to_have_value("Me too?")
    model.say("chain.")
    model.end()
    expect(page.locator(".answered .text p")).to_have_text("By its chain.")
    model.say("Yes.")
    model.end()
    other.get_by_role("button", name="Ask", exact=True).click()
    expect(other.get_by_role("alert")).to_be_hidden()
    expect(other.locator(".answered .text p").last).to_have_text("Yes.")
    other.close()

    page.get_by_label("Your question").fill("And whose token is this?")
    page.locator("#asking [name=csrf_token]").evaluate("field => { field.value = 'an old one' }")
    page.get_by_role("button", name="Ask", exact=True).click()
    expect(page.get_by_text("Your text is kept: please send it once more.")).to_be_visible()
    expect(page.get_by_label("Your question")).to_have_value("And whose token is this?")

    page.get_by_label("Your question").fill("And who am I?")
    page.context.clear_cookies()
    page.get_by_role("button", name="Ask", exact=True).click()
    expect(page.get_by_role("button", name="Sign in", exact=True)).to_be_visible()
    sign_in(page, "alan")
    expect(page.get_by_text("You are signed in again.")).to_be_visible()
    expect(page.get_by_label("Your question")).to_have_value("And who am I?")


def test_asking_and_finding_again_needs_no_script_and_no_model(
    quoting: Server, open_browser: OpenBrowser, java_script: bool
) -> None:
    page = begin(open_browser, quoting, "rita", java_script_enabled=java_script)
    ask(page)
    expect(page.locator(".answered blockquote").first).to_have_text(re.compile("never in the sun"))
    path = re.sub("#.*", "", page.url)
    ask(page, "What does an anchor hold by?")
    expect(page.locator(".answered").nth(1)).to_contain_text("An anchor holds by its chain")
    page.locator(".answered").nth(1).locator(".passages").get_by_role("link", name="Anchors").click()
    expect(page.get_by_role("heading", name="Anchors")).to_be_in_viewport()
    page.goto("/conversations")
    page.get_by_role("link", name=QUESTION).first.click()
    page.wait_for_url(path)
    expect(page.locator(".answered")).to_have_count(2)
    page.get_by_role("button", name="Archive").click()
    page.get_by_role("link", name="Archived").click()
    expect(page.get_by_role("link", name=QUESTION).first).to_be_visible()
    page.goto("/library")
    page.get_by_role("button", name="Remove Knots and chains").click()
    expect(page.get_by_text("Nothing is in it yet.")).to_be_visible()
    page.goto(path)
    expect(page.get_by_text("This post is not in your library any more.")).to_be_visible()
    expect(page.locator(".answered")).to_have_count(0)


def test_asking_without_a_mouse(quoting: Server, open_browser: OpenBrowser) -> None:
    page = begin(open_browser, quoting, "ada")
    page.get_by_label("Your question").focus()
    page.keyboard.type("How must a")
    page.keyboard.press("Enter")
    page.keyboard.type("wet rope dry?")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("status")).to_have_text("The answer is here.")
    expect(page.locator(".asked .words")).to_have_text("How must a\nwet rope dry?")
    expect(page.get_by_label("Your question")).to_be_focused()
    page.keyboard.type("What does an anchor hold by?")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Ask", exact=True)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".answered")).to_have_count(2)
    page.get_by_role("link", name="Skip to the text").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Knots and chains")).to_be_focused()


def new_page(open_browser: OpenBrowser, server: Server, name: str = "alan") -> Page:
    """Where its author asks it: one's own is held without saving it."""
    context = open_browser(server)
    borrow_session(context, server, name)
    page = context.new_page()
    page.goto("/conversations/new?post=knots")
    return page


def test_only_what_broke_off_can_be_asked_again(
    server: Server, open_browser: OpenBrowser, model: PromptedModel
) -> None:
    page = new_page(open_browser, server)
    again = page.get_by_role("button", name="Ask again")
    model.say("In the ")
    ask(page)
    expect(page.locator(".answered .text")).to_have_text("In the ")
    expect(again).to_have_count(0)
    page.get_by_role("button", name="Stop").click()
    expect(again).to_have_count(1)
    model.end()
    model.say("In the wind.")
    again.click()
    expect(page.locator(".answered .text").last).to_have_text("In the wind.")
    expect(again).to_have_count(0)
    model.end()
    expect(page.get_by_role("status")).to_have_text("The answer is here.")
    expect(page.locator(".answered .text").last.locator("p")).to_have_text("In the wind.")
    expect(again).to_have_count(0)
    expect(page.locator(".asked .words")).to_have_text([QUESTION, QUESTION])


@contextmanager
def held_back(page: Page) -> Iterator[list[Route]]:
    """What is sent in this block is on its way behind it, and goes no further until it is let go."""
    held: list[Route] = []
    page.route("**/messages", lambda route: held.append(route), times=1)
    yield held
    while not held:
        page.wait_for_timeout(10)


def test_what_is_typed_while_a_question_is_on_its_way_stays(quoting: Server, open_browser: OpenBrowser) -> None:
    page = new_page(open_browser, quoting)
    field, status = page.get_by_label("Your question"), page.get_by_role("status")
    with held_back(page) as held:
        ask(page)
    field.fill("And an anchor?")
    held[0].continue_()
    expect(status).to_have_text("The answer is here.")
    expect(field).to_have_value("And an anchor?")

    # Not taken: both are kept.
    with held_back(page) as held:
        ask(page, "What does an anchor hold by?")
    field.fill("And a chain?")
    held[0].fulfill(status=503, json={"title": "Too busy"})
    expect(page.get_by_role("alert")).to_have_text("Too busy")
    expect(field).to_have_value("What does an anchor hold by?\n\nAnd a chain?")
    expect(page.locator(".asked")).to_have_count(1)


def test_a_draft_outlives_asking_again_when_signed_out(
    server: Server, open_browser: OpenBrowser, model: PromptedModel
) -> None:
    page = new_page(open_browser, server)
    model.say("In the ")
    ask(page)
    expect(page.locator(".answered .text")).to_have_text("In the ")
    page.get_by_role("button", name="Stop").click()
    again = page.get_by_role("button", name="Ask again")
    expect(again).to_be_visible()
    model.end()
    page.get_by_label("Your question").fill("And what of an anchor?")

    # Refused, it is there to be pressed once more.
    with held_back(page) as held:
        again.click()
    held[0].fulfill(status=429, headers={"Retry-After": "5"}, json={"title": "Too many"})
    expect(page.get_by_role("alert")).to_have_text("Too many Try again in 5 seconds.")
    expect(again).to_be_enabled()

    page.context.clear_cookies()
    again.click()
    expect(page.get_by_role("button", name="Sign in", exact=True)).to_be_visible()
    sign_in(page, "alan")
    expect(page.get_by_text("You are signed in again.")).to_be_visible()
    expect(page.get_by_label("Your question")).to_have_value("And what of an anchor?")
    expect(page.locator(".asked .words")).to_have_text([QUESTION])


def test_a_question_that_is_stopped_before_it_is_answered_stands_where_it_is_stored(
    quoting: Server, open_browser: OpenBrowser
) -> None:
    page = new_page(open_browser, quoting)
    field, stop = page.get_by_label("Your question"), page.get_by_role("button", name="Stop")
    with held_back(page) as held:
        ask(page)
    stop.dblclick()
    expect(stop).to_be_hidden()
    held[0].continue_()
    for _ in range(2):
        expect(page.locator(".asked .words")).to_have_text([QUESTION])
        expect(field).to_have_value("")
        expect(page.get_by_role("button", name="Ask", exact=True)).to_be_enabled()
        page.reload()

    # Where nothing comes back at all one need not wait, and loses nothing.
    with held_back(page) as held:
        ask(page, "And an anchor?")
    stop.click()
    page.get_by_role("button", name="Wait no longer").click()
    expect(page.get_by_role("alert")).to_contain_text("The server may have your question all the same")
    expect(field).to_have_value("And an anchor?")
    expect(page.get_by_role("button", name="Ask", exact=True)).to_be_enabled()
    held[0].abort()
