"""The plug is pulled before every step of a writer's day, and the whole text is there after each.

Over plain HTTP, with what a browser does by itself and nothing else: it sends the form on the page as it stands, and
while somebody types, the working copy. Whatever an answer is, the text stands on it, byte for byte; what was kept is
offered in a browser that has never seen it; and the day goes on from the page that was answered.
"""

import html.parser
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field

import pytest
import requests

from app import LINKS
from auth.blocking.blocking import block, unblock
from auth.permissions import Role
from auth.users.roles import change_role
from storage import clock
from storage.engine import Database
from tests.support import PASSWORD, SECRET, TESTER, Server, integrity, make_site, read_all

ODD = (
    "\n\tA tab, blanks   \r\n\"Quotes\" 'of' “every” «kind» &amp; &#13; <b>bold</b> </textarea> <!-- {{ 7 * 7 }} %0D%0A "
    "\\n\r\n\r\nÜmläute, ﬁ, e\u0301, 漢字, עברית, \u200fعربي, 🦉👩‍👩‍👧🏴󠁧󠁢󠁳󠁣󠁴󠁿\u2028\u00a0𝔘\r\n"
)
WORDS = ODD + "".join(f"Line {n}, – „ja“ *so* [it](/{n}) 🦉.\r\n{'' if n % 5 else chr(10)}" for n in range(4200)) + ODD
TITLE, TAGS = 'Of "quotes" & <b>', "one, two"


def normal(text: str) -> str:
    """As it is stored."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


assert len(WORDS.encode()) > 200_000


@dataclass
class Form:
    """A form as a page shows it."""

    action: str
    key: str | None = None
    fields: dict[str, str] = field(default_factory=dict)


class Page(html.parser.HTMLParser):
    """What a browser knows of a page: its forms, its texts and its links."""

    def __init__(self, answer: requests.Response) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.texts: list[str] = []
        self.links: list[str] = []
        self._form: Form | None = None
        self._area: list[str] | None = None
        self._area_name: str | None = None
        self.feed(normal(answer.content.decode()))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        name, value, kind = given.get("name"), given.get("value", ""), given.get("type", "text")
        if tag == "form":
            self._form = Form(given.get("action", ""), given.get("data-key"))
            self.forms.append(self._form)
        elif tag == "textarea":
            self._area, self._area_name = [], name
        elif tag == "a":
            self.links.append(given.get("href", ""))
        elif tag == "input" and name and self._form is not None and (
            kind not in ("radio", "checkbox") or "checked" in given
        ):  # fmt: skip
            self._form.fields[name] = value

    def handle_data(self, data: str) -> None:
        if self._area is not None:
            self._area.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        elif tag == "textarea" and self._area is not None:
            text = "".join(self._area).removeprefix("\n")
            self.texts.append(text)
            if self._form is not None and self._area_name:
                self._form.fields[self._area_name] = text
            self._area = None

    def form(self, action: str | None = None) -> Form | None:
        """The form that is sent there; the editor's by default."""
        found = [f for f in self.forms if (f.key is not None if action is None else f.action == action)]
        return found[0] if found else None


class Writer:
    """Alan with one tab open."""

    def __init__(self, server: Server) -> None:
        self.server, self.browser = server, server.browser()
        self.form = Form("")
        self.text = WORDS

    def open(self, path: str) -> Page:
        """Look at a page; what its editor holds is the form at hand."""
        page = Page(self._until_answered(lambda: self.browser.get(path)))
        self.form = page.form() or self.form
        return page

    def type(self, text: str) -> None:
        """Write it into the form at hand."""
        self.text = text
        self.form.fields |= {"title": TITLE, "body": normal(text), "tags": TAGS}

    def send(self, button: str = "save") -> requests.Response:
        """Press a button: line ends go as \\r\\n, whatever they were."""
        form = self.form
        fields = form.fields if form.key is None else form.fields | {"action": button}
        files = {name: (None, normal(value).replace("\n", "\r\n")) for name, value in fields.items()}
        return self._until_answered(lambda: self.browser.post(form.action, files=files))

    def keep(self) -> int:
        """What the editor's script does every few seconds."""
        names = ("title", "slug", "body", "excerpt", "tags", "status", "publish_at", "visibility", "kind", "lang")
        kept = {name: self.form.fields.get(name, "") for name in (*names, "version", "submission")}
        headers = {"X-CSRF-Token": self.form.fields.get("csrf_token", ""), "Accept": "application/json"}
        path = f"/account/working-copies/{self.form.key}"
        return self._until_answered(lambda: self.browser.put(path, json=kept, headers=headers)).status_code

    def answered(self, answer: requests.Response) -> None:
        """Go on from the page that was answered: sign in when it asks, or take its editor, or go back."""
        page = Page(answer)
        if (login := page.form("/login")) is not None:
            assert "body" not in login.fields
            login.fields |= {"username": "alan", "password": "wrong"}
            self.form = login
            again = self.send()
            assert again.status_code == 401
            assert_shown(again, self.text)
            self.form = Page(again).form("/login") or login
            self.form.fields |= {"username": "alan", "password": PASSWORD}
        elif page.form() is not None:
            self.form = page.form() or self.form

    def _until_answered(self, ask: Callable[[], requests.Response]) -> requests.Response:
        # Whoever meets a dead server presses the button again.
        deadline = time.monotonic() + 20
        while True:
            try:
                return ask()
            except requests.RequestException:
                self.browser.close()
                assert time.monotonic() < deadline
                time.sleep(0.05)


def assert_shown(answer: requests.Response, text: str) -> None:
    """The text stands on the page, whole."""
    assert answer.status_code < 500, answer.text[:500]
    assert normal(text) in Page(answer).texts


# What goes wrong, and what makes it good again.
class Plugs:
    """Everything that is done behind the writer's back."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.database = Database(server.folder / "byline.db", readers=1)

    def end_session(self, _writer: Writer) -> None:
        self._say("DELETE FROM sessions WHERE user_id = (SELECT id FROM users WHERE username = 'alan')")

    def pass_idle_limit(self, _writer: Writer) -> None:
        self._say(f"UPDATE sessions SET last_seen_at = last_seen_at - {31 * clock.DAY}")

    def pass_absolute_limit(self, _writer: Writer) -> None:
        self._say(f"UPDATE sessions SET created_at = created_at - {181 * clock.DAY}")

    def drop_form_token(self, writer: Writer) -> None:
        writer.form.fields.pop("csrf_token", None)

    def spoil_form_token(self, writer: Writer) -> None:
        writer.form.fields["csrf_token"] = "stale"

    def lower_role(self, _writer: Writer) -> None:
        with self.database.transaction() as db:
            change_role(db, "alan", Role.READER, by=TESTER)

    def block(self, _writer: Writer) -> None:
        with self.database.transaction() as db:
            block(db, "alan", by=TESTER, links=LINKS)

    def kill_worker(self, _writer: Writer) -> None:
        """The one that has answered longest."""
        with suppress(ProcessLookupError):
            os.kill(self.server.workers()[0], signal.SIGKILL)

    def kill_server(self, _writer: Writer) -> None:
        self.server.kill()
        assert integrity(self.server.folder / "byline.db") == "ok"
        self.server.start()

    def mend(self) -> None:
        """Whatever was done to the account is undone."""
        with self.database.transaction() as db:
            unblock(db, "alan", by=TESTER)
            change_role(db, "alan", Role.AUTHOR, by=TESTER)

    def _say(self, statement: str) -> None:
        with self.database.transaction() as db:
            db.exec_driver_sql(statement)


PLUGS = {
    "nothing": lambda _plugs, _writer: None,
    "session ended": Plugs.end_session,
    "idle": Plugs.pass_idle_limit,
    "too old": Plugs.pass_absolute_limit,
    "no form token": Plugs.drop_form_token,
    "stale form token": Plugs.spoil_form_token,
    "role lowered": Plugs.lower_role,
    "blocked": Plugs.block,
    "worker killed": Plugs.kill_worker,
    "server killed": Plugs.kill_server,
}
# What each step is refused with while the plug is out; the others are not refused at all.
REFUSALS = {
    "session ended": {401, 403},
    "idle": {401, 403},
    "too old": {401, 403},
    "no form token": {403},
    "stale form token": {403},
    "role lowered": {403},
    "blocked": {401},
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("torture") / "instance"
    make_site(folder).close()
    running = Server(folder, SECRET_KEY=SECRET).start()
    yield running
    running.kill()


class Day:
    """The steps, the plug pulled before each."""

    def __init__(self, server: Server, plug: str) -> None:
        self.writer, self.plugs, self.plug = Writer(server), Plugs(server), plug
        self.refused_at: list[str] = []

    def pull(self) -> None:
        PLUGS[self.plug](self.plugs, self.writer)

    def step(self, name: str, expected: int, *, button: str = "save") -> requests.Response:
        """Press the button with the plug out, and go on from each answer until it is the one that was wanted."""
        self.pull()
        for _ in range(5):
            sent = self.writer.form
            answer = self.writer.send(button)
            if answer.status_code == expected and (expected == 303 or sent.action != "/login"):
                return answer
            assert_shown(answer, self.writer.text)
            if answer.status_code >= 400 and answer.status_code != expected:
                self.refused_at.append(name)
                assert answer.status_code in REFUSALS.get(self.plug, set()) | {401, 403}
            self.plugs.mend()
            # Where the page has no form to go on with, a person goes back to the one they have sent.
            self.writer.form = sent if sent.action != "/login" else self.writer.form
            self.writer.answered(answer)
        raise AssertionError(f"{name} never came to {expected}")

    def keep(self) -> None:
        """The working copy, with the plug out; refused, it is kept as soon as there is a form that may."""
        self.pull()
        status = self.writer.keep()
        assert status in REFUSALS.get(self.plug, {204}) | {204}
        self.plugs.mend()
        if status != 204:
            # The text is in the editor, whose preview is a form like any other; it comes back with everything in it.
            self.writer.answered(self.step("keep", 200, button="preview"))
            assert self.writer.keep() == 204
        self._assert_offered()

    def _assert_offered(self) -> None:
        """In another browser, which has never seen the text."""
        other = self.writer.server.browser()
        assert other.sign_in("alan").status_code == 303
        path = "/new" if (self.writer.form.key or "").startswith("new-") else self.writer.form.action
        link = f"{path}?copy={self.writer.form.key}"
        assert link in Page(other.get(path)).links
        continued = other.get(link)
        assert continued.status_code == 200
        assert_shown(continued, self.writer.text)
        other.close()


# One of each sort every time, all of them with --soak.
USUAL = {"session ended", "stale form token", "role lowered", "server killed"}
_PARAMETERS = [pytest.param(plug, marks=[] if plug in USUAL else pytest.mark.soak) for plug in PLUGS]


@pytest.mark.parametrize("plug", _PARAMETERS)
def test_a_day_with_the_plug_pulled_before_every_step(server: Server, plug: str) -> None:
    day = Day(server, plug)
    writer = day.writer
    assert writer.browser.sign_in("alan").status_code == 303
    # Signed out before the first save: the text travels through signing in.
    writer.open("/new")
    writer.type(WORDS)
    day.plugs.end_session(writer)
    answer = writer.send()
    assert answer.status_code == 401
    assert_shown(answer, WORDS)
    writer.answered(answer)
    editor = _sign_in(day)
    assert editor.fields["title"] == TITLE
    assert editor.fields["tags"] == TAGS
    day.keep()
    slug = day.step("save", 303).headers["Location"]
    assert stored(server, slug) == [normal(WORDS)]
    # The same post again: kept, published.
    writer.open(f"{slug}/edit")
    writer.type(WORDS + "More, and out with it. 🦉\r\n")
    writer.form.fields["status"] = "published"
    day.keep()
    assert day.step("publish", 303).headers["Location"] == slug
    published = normal(writer.text)
    assert server.browser().get(slug).status_code == 200
    # Two tabs. The other one saves first.
    writer.open(f"{slug}/edit")
    other = Writer(server)
    other.browser.cookies.update(writer.browser.cookies)
    other.open(f"{slug}/edit")
    other.type("The other tab began it. 𝔘\r\n" + published)
    assert other.send().status_code == 303
    writer.type(published + "This tab ended it. 👩‍👩‍👧\r\n")
    answer = day.step("meet", 409)
    assert_shown(answer, writer.text)
    assert normal(other.text) in Page(answer).texts
    writer.answered(answer)
    merged = "The other tab began it. 𝔘\n" + normal(writer.text)
    answer = day.step("merge", 200, button="merge")
    assert_shown(answer, merged)
    writer.answered(answer)
    writer.text = merged
    day.step("save what was merged", 303)
    assert stored(server, slug) == [normal(WORDS), published, normal(other.text), merged]
    with requests.Session() as visitor:
        assert "This tab ended it." in visitor.get(server.url + slug).text
    wanted = {"save", "publish", "meet", "merge", "save what was merged"}
    assert wanted <= set(day.refused_at) if plug in REFUSALS else not day.refused_at
    # What became a save is not offered as if it were none.
    assert f"{slug}/edit?copy=" not in "".join(writer.open(f"{slug}/edit").links)
    writer.browser.close()


def _sign_in(day: Day) -> Form:
    """From the sign-in page that carries the text, with the plug out; the editor that is open then."""
    form = Page(_through_sign_in(day)).form()
    assert form is not None
    day.writer.form = form
    return form


def _through_sign_in(day: Day) -> requests.Response:
    day.pull()
    for _ in range(6):
        sent = day.writer.form
        answer = day.writer.send()
        assert_shown(answer, day.writer.text)
        if Page(answer).form() is not None:
            return answer
        day.plugs.mend()
        if Page(answer).form("/login") is None and sent.action == "/login":
            # Signed in as somebody who may not write, for a moment: the text stands there; back, and once more.
            assert answer.status_code == 403
            day.writer.form = Form("/new", "", {n.removeprefix("kept."): v for n, v in sent.fields.items()})
            continue
        day.writer.answered(answer)
    raise AssertionError("Signing in never opened the editor.")


def stored(server: Server, path: str) -> list[str]:
    """The texts of all revisions of the post at a path."""
    slug = path.removeprefix("/posts/")
    assert set(slug) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
    query = (
        "SELECT revisions.body FROM revisions JOIN posts ON posts.id = revisions.post_id "
        f"WHERE posts.slug = '{slug}' ORDER BY number"
    )
    return [row[0] for row in read_all(server.folder / "byline.db", query)]
