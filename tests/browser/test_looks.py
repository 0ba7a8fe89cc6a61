"""Every kind of page, narrow and wide, light and dark: judged by axe, and never wider than its window.

Wide and light, or narrow and dark, in turns; with --soak each page is judged in both, and photographed in all four
ways, and there is what a printer makes of a post.
"""

import re
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Literal

import pyotp
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser import gallery
from tests.browser.conftest import OpenBrowser
from tests.browser.writing import borrow_session, save, sign_in
from tests.support import Server

pytestmark = pytest.mark.browser

WIDTHS = (1280, 390)
NARROWEST = 320
JUDGED: tuple[tuple[int, Literal["light", "dark"]], ...] = (
    (1280, "light"),
    (390, "dark"),
)  # each width and each set of colours once: axe takes its time
SEEN: tuple[tuple[int, Literal["light", "dark"]], ...] = (
    (1280, "light"),
    (1280, "dark"),
    (390, "light"),
    (390, "dark"),
)
# Besides its own rules: what a finger is to hit is large enough, or has room around it.
_RULES = {"resultTypes": ["violations"], "rules": {"target-size": {"enabled": True}}}
HEIGHT = 560  # low enough for the editor's bar to stand at the end, where the picture of the whole page has it once


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A site with something to see."""
    running = gallery.build(tmp_path_factory.mktemp("gallery") / "instance")
    yield running
    running.kill()


def _go(path: str) -> Callable[[Page], None]:
    def go(page: Page) -> None:
        page.goto(path)

    return go


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


def _ask_many(page: Page) -> None:
    page.goto("/account?sort=title")
    for box in page.get_by_role("checkbox").all():
        box.check()
    page.get_by_label("With the chosen posts").select_option("tag")
    page.get_by_label("Which tag").fill("harbour")
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("heading", name="Add the tag")).to_be_visible()


def _leave_some(page: Page) -> None:
    _ask_many(page)
    page.evaluate("document.querySelectorAll('[name=post]').forEach(e => { e.value = e.value.replace(/~.*/, '~99') })")
    page.get_by_role("button", name="Add the tag").click()
    expect(page.get_by_role("heading", name="Not all could be done")).to_be_visible()


def _choose_nothing(page: Page) -> None:
    page.goto("/account")
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_text("need your attention").or_(page.get_by_text("needs your attention"))).to_be_visible()


def _arrange_series(page: Page) -> None:
    page.goto("/account/series")
    page.get_by_role("link", name="Letters from the harbour").click()
    expect(page.get_by_role("button", name="down").first).to_be_visible()


def _add_nothing(page: Page) -> None:
    _arrange_series(page)
    page.get_by_label("Or the address of a post").fill("nowhere")
    page.get_by_role("button", name="Add").click()
    expect(page.get_by_text("needs your attention")).to_be_visible()


def _merge_tags(page: Page) -> None:
    page.goto("/admin/tags/rename?tag=sea")
    page.get_by_label("New name").fill("boats")
    page.get_by_role("button", name="Rename").click()
    expect(page.get_by_role("button", name="Put both together")).to_be_visible()


def _open_block(page: Page) -> None:
    page.goto("/admin")
    page.locator("summary").first.click()
    expect(page.get_by_label("Reason").first).to_be_visible()


def _open_details(page: Page) -> None:
    page.goto("/admin/log")
    page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true })")
    expect(page.locator(".fields").first).to_be_visible()


def _note_too_long(page: Page) -> None:
    page.goto("/admin/unfinished")
    page.get_by_label("Failed").first.check()
    page.get_by_label("Note").first.fill("It did not happen. " * 60)
    page.get_by_role("button", name="Record").first.click()
    expect(page.get_by_text("at most 1,000 characters")).to_be_visible()


def _write_beside(page: Page) -> None:
    page.goto("/posts/fleet/edit")
    expect(page.get_by_role("toolbar")).to_be_visible()


def _offer_what_was_kept(page: Page) -> None:
    page.goto("/posts/leaving/edit")
    expect(page.get_by_role("toolbar")).to_be_visible()
    page.get_by_label("Text", exact=True).fill("Dear reader,\n\nthe wind has been kept.")
    expect(page.locator(".marks .state")).to_have_text(re.compile("^Saved "))
    page.goto("/posts/leaving/edit")
    expect(page.get_by_role("region", name="Kept while you wrote")).to_be_visible()


def _meet_in_many_places(page: Page) -> None:
    _meet(page, "tide-table")


def _put_together(page: Page) -> None:
    _meet(page, "german")
    page.get_by_role("button", name="Put both together").click()
    expect(page.get_by_text("Look once more")).to_be_visible()


def _meet(page: Page, slug: str) -> None:
    """Two tabs of one person, which change the same lines."""
    page.goto(f"/posts/{slug}/edit")
    other = page.context.new_page()
    other.goto(f"/posts/{slug}/edit")
    for tab, whose in ((other, "theirs"), (page, "mine")):
        text = tab.get_by_label("Text", exact=True)
        lines = text.input_value().split("\n")
        text.fill("\n".join(f"{line} ({whose})" if n % 12 == 0 else line for n, line in enumerate(lines)))
    save(other)
    other.close()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_label("Their text")).to_be_visible()


def _save_what_is_gone(page: Page) -> None:
    page.goto("/new")
    page.get_by_label("Title").fill("Short-lived")
    page.get_by_label("Text", exact=True).fill(gallery.FLEET)
    save(page)
    page.get_by_role("link", name="Edit").click()
    other = page.context.new_page()
    other.goto(page.url.replace("/edit", "/delete"))
    other.get_by_role("button", name="Delete").click()
    other.wait_for_url("**/account")
    other.close()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_label("What you wrote")).to_be_visible()


def _share(page: Page) -> None:
    page.goto("/posts/merging/previews")
    page.get_by_role("button", name="Make a link").click()
    expect(page.get_by_text("It is shown this once")).to_be_visible()


def _share_for_too_long(page: Page) -> None:
    page.goto("/posts/merging/previews")
    page.get_by_label("days").fill("100000")
    page.get_by_role("button", name="Make a link").click()
    expect(page.get_by_text("needs your attention")).to_be_visible()


def _open_shared(page: Page) -> None:
    _share(page)
    link = page.get_by_role("status").get_by_role("link").get_attribute("href")
    page.context.clear_cookies()
    assert link is not None
    page.goto(link)
    expect(page.get_by_text("An unfinished letter").first).to_be_visible()


def _write_too_much_of_oneself(page: Page) -> None:
    page.goto("/account/profile")
    page.get_by_role("textbox").last.fill("About me. " * 2000)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("needs your attention")).to_be_visible()


def _make_token(page: Page) -> None:
    page.goto("/account/tokens")
    page.get_by_label("Name").fill(gallery.GERMAN[:100])
    page.get_by_label("Propose").check()
    page.get_by_label("Read what is for members").check()
    page.get_by_role("button", name="Make the token").click()
    page.get_by_role("button", name="Copy: Token").click()
    expect(page.get_by_text("Copied.")).to_be_visible()


def _rename_passkey(page: Page) -> None:
    page.goto("/account/passkeys")
    page.locator(".rows summary").last.click()
    page.get_by_role("textbox", name="New name").last.fill(" ")
    page.get_by_role("button", name="Save the new name").last.click()
    expect(page.get_by_role("alert")).to_contain_text("Use 1 to 100 characters")


def _list_tokens(page: Page) -> None:
    _make_token(page)
    page.goto("/account/tokens")
    expect(page.get_by_text("What you have made")).to_be_visible()


def _ask_for_no_token(page: Page) -> None:
    page.goto("/account/tokens")
    page.get_by_label("Up to a day").check()
    page.get_by_role("button", name="Make the token").click()
    expect(page.get_by_text("need your attention")).to_be_visible()


def _make_invitation(page: Page, *, to: str = "") -> None:
    page.goto("/admin/invitations")
    page.get_by_label("Note", exact=True).fill(gallery.GERMAN[:100])
    page.get_by_label("Send it to").fill(to)
    page.get_by_role("button", name="Make the invitation").click()
    page.get_by_role("button", name="Copy: Link").click()
    expect(page.get_by_text("Copied.")).to_be_visible()


def _make_and_mail_invitation(page: Page) -> None:
    _make_invitation(page, to="somebody-with-a-very-long-name-of-their-own@a-domain.example.net")
    expect(page.get_by_text("cannot be reached")).to_be_visible()


def _ask_for_too_many_people(page: Page) -> None:
    page.goto("/admin/invitations")
    for label, value in (("Good for, days", "1000"), ("For how many people", "0")):
        page.get_by_label(label).fill(value)
    page.locator("form").evaluate_all("forms => forms.forEach(form => { form.noValidate = true })")
    page.get_by_role("button", name="Make the invitation").click()
    expect(page.get_by_text("need your attention")).to_be_visible()


def _open_link(page: Page) -> None:
    """Whoever gets it is somebody else."""
    link = page.get_by_label("Link", exact=True).input_value()
    page.context.clear_cookies()
    page.goto(link)


def _join(page: Page) -> None:
    _make_invitation(page)
    _open_link(page)
    expect(page.get_by_role("heading", name="Make an account")).to_be_visible()


def _join_badly(page: Page) -> None:
    _join(page)
    page.get_by_label("Your name for signing in").fill("Not a name " * 9)
    page.get_by_label("Password").fill("short")
    page.get_by_role("button", name="Make the account").click()
    expect(page.get_by_text("need your attention")).to_be_visible()


def _join_too_late(page: Page) -> None:
    _make_invitation(page)
    link = page.get_by_label("Link", exact=True).input_value()
    page.get_by_role("button", name="Withdraw").first.click()
    expect(page.get_by_text("It lets nobody in any more")).to_be_visible()
    page.context.clear_cookies()
    page.goto(link)
    expect(page.get_by_role("heading", name="This invitation is over")).to_be_visible()


def _make_reset_link(page: Page) -> None:
    page.goto("/admin")
    page.get_by_role("link", name="Reset link for Alan").click()
    page.get_by_role("button", name="Make the link").click()
    page.get_by_role("button", name="Copy: Link").click()
    expect(page.get_by_text("Copied.")).to_be_visible()


def _reset_badly(page: Page) -> None:
    _make_reset_link(page)
    _open_link(page)
    page.get_by_label("New password").fill("short")
    page.get_by_role("button", name="Set it").click()
    expect(page.get_by_text("needs your attention")).to_be_visible()


def _delete_without_a_word(page: Page) -> None:
    page.goto("/admin/people/ada/delete")
    boxes = [item.bounding_box() or {} for item in page.locator(".consequences > li").all()]
    assert len(boxes) == 5
    # Below each other, each as wide as the list.
    assert all(above["y"] + above["height"] <= below["y"] for above, below in pairwise(boxes))
    assert len({box["width"] for box in boxes}) == 1
    page.get_by_role("button", name="Delete the account").click()
    expect(page.get_by_text("need your attention")).to_be_visible()


def _describe_at_length(page: Page) -> None:
    page.goto("/account/media")
    page.locator("ul.pictures").get_by_label("Description").first.fill("Long. " * 400)
    page.locator("ul.pictures").get_by_role("button", name="Save").first.click()
    expect(page.locator("[aria-invalid]")).to_be_visible()


def _meet_newcomer(page: Page) -> None:
    page.goto("/account")
    assert page.context.browser is not None
    elsewhere = page.context.browser.new_context(base_url=page.url.removesuffix("/account"))
    other = elsewhere.new_page()
    sign_in(other, "rita", to="/account")
    expect(other.get_by_role("heading", name="Your posts")).to_be_visible()
    elsewhere.close()
    page.reload()
    expect(page.get_by_text("somebody signed in as you from")).to_be_visible()


def _be_asked_for_code(page: Page) -> None:
    _keep_on_sign_in_page(page)
    sign_in(page, "tilda")
    page.get_by_text("Use a recovery code instead").click()
    page.get_by_label("Recovery code").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("not right, or was used")).to_be_visible()


def _have_second_factor(page: Page) -> None:
    sign_in(page, "tilda", to="/account/second-factor")
    page.get_by_label("Code from your app").fill(pyotp.TOTP(gallery.APP_SECRET).now())
    page.get_by_role("button", name="Sign in").click()
    page.locator("summary").click()
    expect(page.get_by_role("button", name="Turn it off now")).to_be_visible()


def _mistype_first_code(page: Page) -> None:
    page.goto("/account/second-factor/begin")
    page.get_by_role("textbox", name="Code").fill("wrong")
    page.get_by_role("button", name="Turn it on").click()
    expect(page.get_by_text("needs your attention")).to_be_visible()


def _make_recovery_codes(page: Page) -> None:
    page.goto("/account/second-factor")
    page.get_by_role("button", name="Make recovery codes").or_(
        page.get_by_role("button", name="Make new codes")
    ).click()
    expect(page.get_by_text("shown this once")).to_be_visible()


def _choose_too_short_a_password(page: Page) -> None:
    _keep_on_sign_in_page(page)
    page.get_by_role("button", name="Set a new one").click()
    page.get_by_label("Name").fill("rita")
    page.get_by_label("Recovery code").fill("wrong")
    page.get_by_label("New password").fill("short")
    page.get_by_role("button", name="Set the new password").click()
    expect(page.get_by_text("needs your attention")).to_be_visible()


def _open_conversation(title: str, *, archived: bool = False) -> Callable[[Page], None]:
    def go(page: Page) -> None:
        page.goto("/conversations?archived" if archived else "/conversations")
        page.get_by_role("link", name=title).first.click()
        expect(page.locator("#said .words").first).to_be_visible()
        for summary in page.locator(".passages summary").all()[:1]:
            summary.click()

    return go


def _ask_too_much(page: Page) -> None:
    page.goto("/conversations/new?post=fleet")
    page.get_by_label("Your question").evaluate("field => { field.removeAttribute('maxlength') }")
    page.get_by_label("Your question").fill("Why? " * 900)
    page.get_by_label("Your question").evaluate("field => field.form.submit()")
    expect(page.get_by_text("needs your attention")).to_be_visible()


def _ask_and_be_refused(page: Page) -> None:
    page.goto("/conversations/new?post=fleet")
    page.evaluate("document.querySelector('#asking [name=csrf_token]').value = 'bad'")
    page.get_by_label("Your question").fill("Why?")
    page.get_by_role("button", name="Ask", exact=True).click()
    expect(page.get_by_text("Your text is kept")).to_be_visible()


def _watch_answer(page: Page) -> None:
    page.goto("/conversations/new?post=arabic")
    page.get_by_label("Your question").fill("What is in the morning?")
    page.get_by_role("button", name="Ask", exact=True).click()
    expect(page.get_by_role("status")).to_have_text("The answer is here.")


def _grant_nobody(page: Page) -> None:
    page.goto("/posts/few/grants")
    page.get_by_role("textbox").fill("nobody-at-all")
    page.get_by_role("button", name="Grant it").click()
    expect(page.get_by_text("needs your attention")).to_be_visible()


def _open_guide(page: Page) -> None:
    page.goto("/admin/guides")
    page.get_by_role("link", name="Change Harbour master").click()
    page.get_by_label("What it is told").fill("")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("needs your attention")).to_be_visible()


# What is on the picture: whose browser it is, and the way there.
SCENES: dict[str, tuple[str | None, Callable[[Page], None]]] = {
    "home": (None, _go("/")),
    "post": (None, _go("/posts/fleet")),
    "post-arabic": (None, _go("/posts/arabic")),
    "post-long-words": (None, _go("/posts/german")),
    "post-own": ("ada", _go("/posts/fleet")),
    "tag": (None, _go("/tags/sea")),
    "all-tags": (None, _go("/tags")),
    "members-only": (None, _go("/posts/aboard")),
    "archive": (None, _go("/archive")),
    "search": (None, _go("/search?q=harbour")),
    "search-none": (None, _go("/search?q=nothing-like-that")),
    "page": (None, _go("/harbour")),
    "gone": (None, _go("/posts/thrown")),
    "not-found": (None, _go("/posts/nowhere")),
    "sign-in": (None, _go("/login")),
    "sign-in-kept": ("alan", _keep_on_sign_in_page),
    "editor": ("ada", _go("/posts/fleet/edit")),
    "preview": ("ada", _preview),
    "faults": ("ada", _find_faults),
    "merge": ("ada", _merge),
    "delete": ("ada", _go("/posts/leaving/delete")),
    "account": ("ada", _go("/account")),
    "desk-filtered": ("ada", _go("/account?state=draft&q=wind")),
    "desk-none": ("ada", _go("/account?q=nothing-like-that")),
    "desk-faults": ("ada", _go("/account?state=burnt&tag=a,b&sort=size")),
    "desk-everybodys": ("edith", _go("/account?whose=all&sort=published")),
    "desk-choice-faults": ("ada", _choose_nothing),
    "desk-ask": ("ada", _ask_many),
    "desk-left": ("ada", _leave_some),
    "series": (None, _go("/series/letters-from-the-harbour")),
    "series-own": ("ada", _go("/account/series")),
    "series-arrange": ("ada", _arrange_series),
    "series-faults": ("ada", _add_nothing),
    "tags": ("edith", _go("/admin/tags")),
    "tags-merge": ("edith", _merge_tags),
    "account-empty": ("rita", _go("/account")),
    "password": ("ada", _go("/account/password")),
    "devices": ("rita", _go("/account/devices")),
    "device-new": ("rita", _meet_newcomer),
    "sign-in-code": ("alan", _be_asked_for_code),
    "recover": (None, _go("/login/recover")),
    "recover-faults": ("alan", _choose_too_short_a_password),
    "second-factor": ("rita", _go("/account/second-factor")),
    "second-factor-on": (None, _have_second_factor),
    "second-factor-begin": ("rita", _go("/account/second-factor/begin")),
    "second-factor-faults": ("rita", _mistype_first_code),
    "recovery-codes": ("edith", _make_recovery_codes),
    "passkeys": ("ada", _rename_passkey),
    "passkeys-none": ("rita", _go("/account/passkeys")),
    "passkey-new": ("rita", _go("/account/passkeys/new")),
    "admin": ("olive", _open_block),
    "settings": ("olive", _go("/admin/settings")),
    "log": ("olive", _open_details),
    "log-filtered": ("olive", _go("/admin/log?person=(server)&kind=server.started")),
    "log-empty": ("olive", _go("/admin/log?person=nobody-at-all")),
    "log-faults": ("olive", _go("/admin/log?person=ada&day=yesterday&kind=x&before=y")),
    "unfinished": ("olive", _go("/admin/unfinished")),
    "unfinished-faults": ("olive", _note_too_long),
    "editor-tools": ("ada", _write_beside),
    "editor-kept": ("ada", _offer_what_was_kept),
    "editor-new": ("ada", _go("/new")),
    "merge-conflicts": ("ada", _meet_in_many_places),
    "merged": ("edith", _put_together),
    "gone-with-text": ("ada", _save_what_is_gone),
    "revisions": ("ada", _go("/posts/tide-table/revisions")),
    "revision": ("ada", _go("/posts/tide-table/revisions/3")),
    "changes": ("ada", _go("/posts/tide-table/revisions/1..4")),
    "changes-same": ("ada", _go("/posts/tide-table/revisions/2..2")),
    "bin": ("ada", _go("/account/bin")),
    "bin-empty": ("alan", _go("/account/bin")),
    "previews": ("ada", _share),
    "previews-faults": ("ada", _share_for_too_long),
    "shared": ("ada", _open_shared),
    "profile": ("ada", _go("/account/profile")),
    "profile-faults": ("ada", _write_too_much_of_oneself),
    "tokens": ("ada", _list_tokens),
    "token-made": ("ada", _make_token),
    "tokens-faults": ("rita", _ask_for_no_token),
    "invitations": ("olive", _go("/admin/invitations")),
    "invitation-made": ("olive", _make_and_mail_invitation),
    "invitations-faults": ("olive", _ask_for_too_many_people),
    "join": ("olive", _join),
    "join-faults": ("olive", _join_badly),
    "join-over": ("olive", _join_too_late),
    "join-already": ("rita", _go("/join")),
    "register": (None, _go("/join")),
    "reset-ask": ("olive", _go("/admin/people/ada/reset")),
    "reset-made": ("olive", _make_reset_link),
    "reset-faults": ("olive", _reset_badly),
    "leaving": ("ada", _go("/account/delete")),
    "leaving-faults": ("olive", _delete_without_a_word),
    "post-saved": ("rita", _go("/posts/fleet")),
    "post-to-save": ("alan", _go("/posts/fleet")),
    "library": ("rita", _go("/library")),
    "library-none": ("alan", _go("/library?before=1~00000000-0000-4000-8000-000000000000")),
    "grants": ("ada", _go("/posts/few/grants")),
    "grants-faults": ("ada", _grant_nobody),
    "conversations": ("rita", _go("/conversations")),
    "conversations-none": ("alan", _go("/conversations?archived")),
    "conversation": ("rita", _open_conversation("Who built the boats?")),
    "conversation-new": ("alan", _go("/conversations/new?post=few")),
    "conversation-to-save": ("edith", _go("/conversations/new?post=fleet")),
    "conversation-asked": ("rita", _watch_answer),
    "conversation-refused": ("rita", _ask_and_be_refused),
    "conversation-faults": ("rita", _ask_too_much),
    "conversation-closed": ("rita", _open_conversation("How many of the crew are there?")),
    "conversation-archived": ("rita", _open_conversation("What is the sea teaching?", archived=True)),
    "guides": ("olive", _go("/admin/guides")),
    "guide-faults": ("olive", _open_guide),
    "author": (None, _go("/authors/ada")),
    "pictures": ("ada", _go("/account/media")),
    "pictures-none": ("alan", _go("/account/media")),
    "pictures-faults": ("ada", _describe_at_length),
    "post-pictured": (None, _go("/posts/pictured")),
}


@pytest.mark.parametrize("scene", SCENES)
def test_a_page_is_legible_for_everybody(
    server: Server, open_browser: OpenBrowser, screenshots: Path, soak: bool, scene: str
) -> None:
    who, reach = SCENES[scene]
    in_turn = JUDGED[list(SCENES).index(scene) % len(JUDGED)]
    context = open_browser(server, reduced_motion="reduce")
    if who is not None:
        borrow_session(context, server, who)
    page = context.new_page()
    reach(page)
    for width, scheme in SEEN if soak else (in_turn,):
        page.set_viewport_size({"width": width, "height": HEIGHT})
        page.emulate_media(color_scheme=scheme)
        if soak:
            page.screenshot(path=screenshots / f"{scene}-{width}-{scheme}.png", full_page=True)
        if (width, scheme) in JUDGED:
            assert _judge(page) == [], f"{width} px, {scheme}"
    _assert_nothing_is_cut_off(page)
    assert page.evaluate(_MOVING) == []
    assert page.evaluate(_MISPLACED) == []


@pytest.mark.soak
@pytest.mark.parametrize("path", ["/posts/fleet", "/harbour"])
def test_a_printed_page_is_the_text_alone(
    server: Server, open_browser: OpenBrowser, screenshots: Path, path: str
) -> None:
    page = open_browser(server, color_scheme="dark").new_page()
    page.goto(path)
    page.emulate_media(media="print")
    page.screenshot(path=screenshots / f"printed{path.replace('/', '-')}.png", full_page=True)
    expect(page.get_by_role("heading", name="The numbers")).to_be_visible()
    for navigation in page.locator("nav, .foot, .skip").all():
        expect(navigation).to_be_hidden()
    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == "rgb(255, 255, 255)"
    if (code := page.locator("pre .k")).count():
        # As by day: the colours of the night cannot be read on paper.
        expect(code.first).to_have_css("color", "rgb(147, 43, 87)")


def test_the_sites_own_words_run_as_english_does_on_a_page_that_runs_the_other_way(
    server: Server, open_browser: OpenBrowser
) -> None:
    page = open_browser(server).new_page()
    page.goto("/posts/arabic")
    expect(page.locator(".post")).to_have_css("direction", "rtl")
    for label, rest in ((".by > span", ".by > a"), (".pager .older > span", ".pager .older > bdi")):
        first, second = page.locator(label).bounding_box(), page.locator(rest).bounding_box()
        assert first is not None
        assert second is not None
        assert first["x"] < second["x"]


def _judge(page: Page) -> list[str]:
    violations = Axe().run(page, options=_RULES).response["violations"]
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
# In a line of text nothing may stand that is a block of its own (HTML, phrasing content).
_MISPLACED = """
[...document.querySelectorAll(":is(span, button, label, h1, h2, h3, p) :is(form, div, section, p, ul, ol, table, pre)")]
  .map(e => e.outerHTML)
"""
# Whoever asked for less motion sees none at all.
_MOVING = """
[...document.querySelectorAll("*")].flatMap(e => ["", "::before", "::after"].map(part => [e, getComputedStyle(e, part)]))
  .filter(([, s]) => s.animationName !== "none" || parseFloat(s.transitionDuration) > 0 || s.scrollBehavior !== "auto")
  .map(([e]) => `${e.tagName} ${e.className}`)
"""
