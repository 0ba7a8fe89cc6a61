"""Whatever people, owners and operators do, in whatever order: a cookie opens the account it was handed out for, or none."""

import shutil
import tempfile
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import time_machine
from click.testing import CliRunner
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from werkzeug.test import TestResponse

from app import LINKS, main
from auth.blocking.blocking import block, unblock
from auth.permissions import Role
from auth.principal import principal
from auth.sessions.roles import give_role
from auth.sessions.store import name_of
from auth.signin.signing_in import set_password
from auth.users import passwords
from auth.users.queries import find_user
from eventlog.actors import command_line
from eventlog.log.following import events_since
from storage import clock
from tests.journeys.promised import (
    ABSOLUTE,
    IDLE,
    RECORDED_ONCE_IN,
    Cookie,
    Person,
    Promises,
    SignedIn,
    World,
    read_cookie,
)
from tests.support import PASSWORD, SECRET, Client, Site, find_form_token, make_site
from web.errors import Conflict
from web.settings import load_settings

PEOPLE = {"olive": Role.OWNER, "edith": Role.OWNER, "alan": Role.AUTHOR}
BROWSERS = range(3)
PASSWORDS = [PASSWORD, "another horse, another staple", "a third one, as long as that"]
STEPS = [
    step * unit
    for unit, steps in ((clock.MINUTE, (1, 9, 11, 61)), (clock.HOUR, (23, 25)), (clock.DAY, (20, 29, 31, 200)))
    for step in steps
]
READING = ["/", "/archive", "/search?q=words", "/feed.xml", "/posts/a-post", "/nowhere", "/account/devices", "/healthz"]
# Whatever else a failed sign-in changes is a fault.
MAY_CHANGE = {"signin_counters", "known_places", "events", "log_sessions"}

browsers = st.sampled_from(BROWSERS)
people = st.sampled_from(list(PEOPLE))
numbers = st.integers(0, 1000)

Contents = dict[str, list[Any]]


@pytest.fixture(scope="module")
def cast(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The cast and a post, as a file that every walk begins with."""
    site = make_site(tmp_path_factory.mktemp("cast") / "instance")
    site.post()
    with site.database.transaction() as db:
        db.exec_driver_sql("UPDATE users SET role = 'owner' WHERE username = 'edith'")
    site.database.empty_log(wait_seconds=5)
    site.close()
    return site.settings.database_path


class SignInMachine(RuleBasedStateMachine):
    """A site, three browsers, and everything that each of them should be."""

    source: Path

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="byline-sessions-"))
        self.travel = time_machine.travel(1_800_000_000, tick=False)
        self.clock = self.travel.start()
        self.environment = {"BYLINE_INSTANCE": str(self.folder / "instance"), "SECRET_KEY": SECRET}
        (self.folder / "instance").mkdir(mode=0o700)
        shutil.copyfile(self.source, self.folder / "instance" / self.source.name)
        self.site = Site(self.folder / "instance", load_settings(self.environment))
        self.browsers = [self._browser(f"192.0.2.{number}") for number in BROWSERS]
        self.promises = Promises(World({name: Person(role, PASSWORD) for name, role in PEOPLE.items()}), [SECRET])
        self.opened: dict[str, str] = {}
        self.backups: list[tuple[Path, World]] = []
        self.tries = 0

    def teardown(self) -> None:
        self.site.close()
        self.travel.stop()
        shutil.rmtree(self.folder)

    @property
    def world(self) -> World:
        return self.promises.world

    # Signing in and out

    @initialize(first=people, second=people)
    def begin(self, first: str, second: str) -> None:
        """Two people are here already."""
        for number, name in ((0, first), (1, second)):
            self.sign_in(number, name, PASSWORD, remember=number == 0)

    @rule(
        number=browsers,
        name=people | st.just("nobody"),
        password=st.sampled_from([PASSWORD, PASSWORD, *PASSWORDS, "wrong"]),
        remember=st.booleans(),
    )
    def sign_in(self, number: int, name: str, password: str, remember: bool) -> None:
        """Through the form, whoever is signed in there until now."""
        self._tick()
        former, known = self._cookie(number), set(self.promises.names)
        fields = {"username": name, "password": password} | ({"remember": "y"} if remember else {})
        token = find_form_token(self._get(number, "/" if self._behind(number) else "/login").text)
        before, was = self._contents(), self._behind(number)
        answer = self._send(number, "/login", csrf_token=token, **fields)
        person = self.world.people.get(name)
        if answer.status_code != 429 and person and not person.is_blocked and person.password == password:
            assert answer.status_code == 303
            assert ("Max-Age" in answer.headers["Set-Cookie"]) is remember
            cookie = self._cookie(number)
            assert cookie is not None
            assert cookie.is_saved
            assert cookie.name not in known, "a session was begun under an id that was there before"
            if was is not None and former is not None:
                del self.world.sessions[former.whole_id]
            at = clock.now()
            self.world.sessions[cookie.whole_id] = SignedIn(name, at, at, remember)
            return
        self.tries += 1
        self._check_failure(name, answer, before)
        assert self._behind(number) == was

    @rule(number=browsers, name=people, remember=st.booleans())
    def sign_in_rightly(self, number: int, name: str, remember: bool) -> None:
        """Most people know their password."""
        self.sign_in(number, name, self.world.people[name].password, remember)

    @rule(number=browsers, name=people)
    def sign_out(self, number: int, name: str) -> None:
        self._let_in(number, name)
        cookie = self._cookie(number)
        if self._behind(number) is None or cookie is None:
            assert self._send(number, "/logout").status_code == 303
            return
        assert self._send(number, "/logout", csrf_token=self._token(number)).status_code == 303
        assert self._cookie(number) is None
        del self.world.sessions[cookie.whole_id]

    # What owners do

    @rule(number=browsers | st.none(), at=browsers, name=people, for_a_moment=st.booleans())
    def block(self, number: int | None, at: int, name: str, for_a_moment: bool) -> None:
        """Somebody who is here, by the page where an owner is signed in, otherwise by command."""
        self._let_in(at, name)
        found = self._behind(at)
        name = found.username if found is not None else name
        is_refused = self.world.is_last_owner(name)
        if self._is_owner(number):
            assert number is not None
            own = self._behind(number)
            is_refused = is_refused or (own is not None and own.username == name)
            answer = self._send(number, f"/admin/people/{name}/block", csrf_token=self._token(number), reason="")
            assert answer.status_code == (409 if is_refused else 303)
        else:
            with self.site.database.transaction() as db:
                self._expect(is_refused, lambda: block(db, name, by=command_line(), links=LINKS))
        if not is_refused:
            self.world.people[name].is_blocked = True
            self.world.end(name)
        if for_a_moment:
            self.sign_in_rightly(at, name, remember=True)
            self.each_cookie_opens_what_it_should()
            self.unblock(number, name)

    @rule(number=browsers | st.none(), name=people)
    def unblock(self, number: int | None, name: str) -> None:
        self._tick()
        if self._is_owner(number):
            assert number is not None
            answer = self._send(number, f"/admin/people/{name}/unblock", csrf_token=self._token(number))
            assert answer.status_code == 303
        else:
            with self.site.database.transaction() as db:
                unblock(db, name, by=command_line())
        self.world.people[name].is_blocked = False

    @rule(number=browsers | st.none(), which=numbers, role=st.sampled_from([Role.READER, Role.AUTHOR, Role.OWNER]))
    def give_role(self, number: int | None, which: int, role: Role) -> None:
        """Their other sessions end, unless they have that role already."""
        self._tick()
        name = self._somebody(which)
        person, own = self.world.people[name], None
        is_refused = role != Role.OWNER and person.role == Role.OWNER and self.world.is_last_owner(name)
        if self._is_owner(number):
            assert number is not None
            found, own = self._behind(number), self._cookie(number)
            assert found is not None
            answer = self._send(number, f"/admin/people/{name}/role", csrf_token=self._token(number), role=role.value)
            if not found.is_fresh(clock.now()):
                assert answer.status_code == 401
                return
            assert answer.status_code == (409 if is_refused else 303)
        else:
            with self.site.database.transaction() as db:
                self._expect(is_refused, lambda: give_role(db, name, role, by=command_line(), links=LINKS))
        if not is_refused and role != person.role:
            person.role = role
            self.world.end(name, but=own.whole_id if own is not None else None)

    @rule(which=numbers, password=st.sampled_from(PASSWORDS))
    def set_password(self, which: int, password: str) -> None:
        """As the command does it."""
        self._tick()
        name = self._somebody(which)
        with self.site.database.transaction() as db:
            user = find_user(db, name)
            assert user is not None
            set_password(db, user, password_hash=passwords.hash_password(password), by=command_line())
        self.world.people[name].password = password
        self.world.end(name)

    # What people do with their own

    @rule(number=browsers, name=people, current=st.sampled_from([PASSWORD, *PASSWORDS]), new=st.sampled_from(PASSWORDS))
    def change_password(self, number: int, name: str, current: str, new: str) -> None:
        self._let_in(number, name)
        found, cookie = self._behind(number), self._cookie(number)
        fields = {"current_password": current, "new_password": new, "csrf_token": self._token(number)}
        answer = self._send(number, "/account/password", **fields)
        if found is None or cookie is None or not found.is_fresh(clock.now()):
            assert answer.status_code == 401
            return
        person = self.world.people[found.username]
        if current != person.password or answer.status_code == 429:
            self.tries += 1
            assert answer.status_code == 422 or self.tries >= 10
            return
        assert answer.status_code == 303
        person.password = new
        self.world.end(found.username, but=cookie.whole_id)

    @rule(number=browsers, name=people, which=numbers, of=people, is_program=st.booleans())
    def end_device(self, number: int, name: str, which: int, of: str, is_program: bool) -> None:
        """One's own end, others' are not to be found."""
        self._let_in(number, name)
        found = self._behind(number)
        theirs = [whole_id for whole_id, session in self.world.sessions.items() if session.username == of]
        if found is None or not theirs:
            return
        whole_id = theirs[which % len(theirs)]
        other, token = self.world.sessions[whole_id], self._token(number)
        is_own = other.username == found.username and not other.is_past_a_limit(clock.now())
        shown = name_of(whole_id)
        if is_program:
            headers = {"X-CSRF-Token": token}
            status = self._open(number, "DELETE", f"/v1/sessions/{shown}", headers=headers).status_code
            assert status == (204 if is_own else 404)
        else:
            status = self._send(number, f"/account/devices/{shown}/end", csrf_token=token).status_code
            assert status == (303 if is_own else 404)
        if is_own:
            del self.world.sessions[whole_id]

    @rule(number=browsers, name=people)
    def end_others(self, number: int, name: str) -> None:
        self._let_in(number, name)
        found, cookie = self._behind(number), self._cookie(number)
        answer = self._send(number, "/account/devices/end-others", csrf_token=self._token(number))
        assert answer.status_code == (401 if found is None else 303)
        if found is not None and cookie is not None:
            self.world.end(found.username, but=cookie.whole_id)

    # What operators do

    @rule(keys=st.sampled_from(["the same", "the same", "the former as fallbacks", "another one alone"]))
    def start_again(self, keys: str) -> None:
        """A restart; with another key alone, everybody is signed out. The counters are keyed too, and void with it."""
        self._tick()
        if keys != "the same":
            former = self.promises.keys if keys == "the former as fallbacks" else []
            self.promises.keys = [f"the key of {clock.now()} and that is long enough", *former]
            self.environment["SECRET_KEY"] = self.promises.keys[0]
            self.environment["SECRET_KEY_FALLBACKS"] = ",".join(former)
            self.world.failures_recorded.clear()
        self._start()

    @rule(step=st.sampled_from(STEPS))
    def advance_the_clock(self, step: int) -> None:
        self.clock.shift(step // clock.SECOND)

    @precondition(lambda self: self.world.sessions)
    @rule(which=numbers)
    def come_to_an_idle_limit(self, which: int) -> None:
        """The last second before it, and then the limit itself."""
        session = list(self.world.sessions.values())[which % len(self.world.sessions)]
        ahead = session.last_seen_at + IDLE[session.is_remembered] - clock.now()
        if ahead > clock.SECOND:
            self.clock.shift(ahead // clock.SECOND - 1)
            self.each_cookie_opens_what_it_should()
            self._tick()

    @rule(number=browsers, name=people)
    def go_on_for_half_a_year(self, number: int, name: str) -> None:
        """Regular visits keep a session alive until the absolute limit."""
        self._let_in(number, name)
        found, cookie = self._behind(number), self._cookie(number)
        while found is not None and cookie is not None:
            ahead = found.created_at + ABSOLUTE - clock.now()
            self.clock.shift(min(ahead, IDLE[found.is_remembered]) // clock.SECOND - 1)
            if not found.is_remembered or ahead <= IDLE[True]:
                break
            self._get(number, "/archive")
        self.each_cookie_opens_what_it_should()
        self._tick()

    @rule(which=numbers, is_new=st.booleans())
    def back_up_or_restore(self, which: int, is_new: bool) -> None:
        """With a restore all is what it was then; only the clock and what people hold have gone on."""
        self._tick()
        if not self.backups or (is_new and len(self.backups) < 2):
            path = self.folder / f"{len(self.backups)}.tar.gz"
            self._command("backup", path)
            self.backups.append((path, deepcopy(self.world)))
            return
        path, world = self.backups[which % len(self.backups)]
        self.site.close()
        self._command("restore", path)
        self.promises.world = deepcopy(world)
        self._start()

    # What visitors and thieves do

    @rule(number=browsers, path=st.sampled_from(READING))
    def read(self, number: int, path: str) -> None:
        """No row comes or goes; a visitor is given no cookie."""
        self._tick()
        is_visitor, before = self._behind(number) is None, self._counts()
        had_saved = (
            (cookie := self._cookie(number)) is not None and cookie.is_saved and cookie.key in self.promises.keys
        )
        answer = self._get(number, path)
        assert self._counts() == before
        if is_visitor and not had_saved:
            assert "Set-Cookie" not in answer.headers

    @rule(number=browsers, name=people, remember=st.booleans())
    def plant(self, number: int, name: str, remember: bool) -> None:
        """The cookie of a visitor's form, put into somebody else's browser before they sign in."""
        self._tick()
        self.browsers.append(self._browser("192.0.2.99"))
        self._get(len(self.browsers) - 1, "/login")
        planted = self._cookie(len(self.browsers) - 1)
        self.browsers.pop()
        assert planted is not None
        assert not planted.is_saved
        self._put(number, planted.value)
        self.sign_in_rightly(number, name, remember)

    @precondition(lambda self: self.promises.cookies)
    @rule(number=browsers, which=numbers)
    def replay(self, number: int, which: int) -> None:
        """Any cookie that was ever handed out, in any browser."""
        self._tick()
        self._put(number, list(self.promises.cookies)[which % len(self.promises.cookies)])

    @precondition(lambda self: self.promises.cookies)
    @rule(which=numbers, other=numbers, part=st.sampled_from(["mark", "signature", "id", "twice"]))
    def forge(self, which: int, other: int, part: str) -> None:
        """Parts of cookies that were handed out, put together anew."""
        values = list(self.promises.cookies)
        value, stranger = values[which % len(values)], values[other % len(values)]
        if part == "twice":
            name = self.site.app.extensions["session_cookie_name"]
            assert self._identity(f"{value}; {name}={stranger}") == ""
            return
        text, signed_at, signature = value.rsplit(".", 2)
        if part == "mark":
            text = f"{text[:-1]}{'s' if text[-1] == 'v' else 'v'}"
        elif part == "id":
            text = stranger.rsplit(".", 2)[0]
        else:
            signature = stranger.rsplit(".", 2)[2]
        forged = f"{text}.{signed_at}.{signature}"
        assert forged in values or self._identity(forged) == ""

    # What holds after each of these

    @invariant()
    def each_cookie_opens_what_it_should(self) -> None:
        """Everything that was ever handed out, asked without being noticed as a visit."""
        at = clock.now()
        for cookie in self.promises.cookies.values():
            found = self.promises.behind(cookie, at)
            name = self._identity(cookie.value)
            assert name == (found.username if found is not None else ""), cookie.name
            if name:
                assert self.opened.setdefault(cookie.whole_id, name) == name, "one secret opened two accounts"

    # How

    def _tick(self) -> None:
        self.clock.shift(1)

    def _somebody(self, which: int) -> str:
        """Somebody who is signed in, where anybody is."""
        names = sorted({found.username for found in self.world.sessions.values()}) or list(PEOPLE)
        return names[which % len(names)]

    def _browser(self, address: str) -> Client:
        made = self.site.client()
        made.environ_base["REMOTE_ADDR"] = address
        return made

    def _let_in(self, number: int, name: str) -> None:
        """Whoever is at that browser; where nobody is signed in, the one named, if they may."""
        self._tick()
        if self._behind(number) is None:
            self.sign_in(number, name, self.world.people[name].password, remember=True)

    def _start(self) -> None:
        self.site.close()
        self.site = Site(self.folder / "instance", load_settings(self.environment))
        for browser in self.browsers:
            browser.application, browser.site = self.site.app, self.site

    def _command(self, *arguments: object) -> None:
        done = CliRunner().invoke(main, [str(one) for one in arguments], env=self.environment)
        assert done.exit_code == 0, done.output

    def _identity(self, value: str) -> str:
        name = self.site.app.extensions["session_cookie_name"]
        with self.site.app.test_request_context("/account", headers={"Cookie": f"{name}={value}"}):
            self.site.app.preprocess_request()
            return principal().username

    def _cookie(self, number: int) -> Cookie | None:
        held = self.browsers[number].get_cookie(self.site.app.extensions["session_cookie_name"])
        return None if held is None else self.promises.cookies[held.value]

    def _behind(self, number: int) -> SignedIn | None:
        return self.promises.behind(self._cookie(number), clock.now())

    def _is_owner(self, number: int | None) -> bool:
        found = None if number is None else self._behind(number)
        return found is not None and self.world.people[found.username].role == Role.OWNER

    def _put(self, number: int, value: str) -> None:
        self.browsers[number].set_cookie(self.site.app.extensions["session_cookie_name"], value)

    def _token(self, number: int) -> str:
        return find_form_token(self._get(number, "/archive" if self._behind(number) else "/login").text)

    def _open(self, number: int, method: str, path: str, **kwargs: Any) -> TestResponse:
        """Any request; the cookie that comes back is remembered."""
        answer = self.browsers[number].open(path, method=method, **kwargs)
        held = self.browsers[number].get_cookie(self.site.app.extensions["session_cookie_name"])
        if "Set-Cookie" in answer.headers and held is not None:
            self.promises.hand_out(read_cookie(held.value, at=clock.now(), key=self.promises.keys[0]))
        return answer

    def _send(self, number: int, path: str, **fields: str) -> TestResponse:
        return self._open(number, "POST", path, data=fields, content_type="multipart/form-data")

    def _get(self, number: int, path: str) -> TestResponse:
        """A page is a visit: it says who is signed in, and the session is signed anew when that is due."""
        cookie, found = self._cookie(number), self._behind(number)
        answer = self._open(number, "GET", path)
        if found is None or cookie is None:
            assert "Signed in as" not in answer.text
            return answer
        if answer.mimetype == "text/html" and not answer.location:
            assert f"Signed in as {found.username.title()}" in answer.text
        if answer.mimetype != "text/html" or answer.status_code != 200:
            assert "Set-Cookie" not in answer.headers
            return answer
        assert ("Set-Cookie" in answer.headers) is self.promises.see(cookie, found, clock.now())
        fresh = self._cookie(number)
        assert fresh is not None
        assert fresh.whole_id == cookie.whole_id
        return answer

    def _check_failure(self, name: str, answer: TestResponse, before: Contents) -> None:
        after, at = self._contents(), clock.now()
        for table in before.keys() - MAY_CHANGE:
            assert after[table] == before[table], table
        assert all(row in before["known_places"] for row in after["known_places"])
        added = len(after["events"]) - len(before["events"])
        if answer.status_code == 429:
            assert self.tries > 10
            assert after == before
            return
        assert answer.status_code == 401
        recorded = self.world.failures_recorded.get(name)
        is_due = name in self.world.people and (recorded is None or at - recorded >= RECORDED_ONCE_IN)
        assert added == int(is_due)
        assert len(after["log_sessions"]) - len(before["log_sessions"]) in (0, added)
        if is_due:
            self.world.failures_recorded[name] = at
            with self.site.database.reading() as db:
                last = events_since(db, None, 0, 0)[-1]
            assert (last.kind, last.subject) == ("session.sign_in_failed", f"user:{name}")

    def _tables(self, db: Any) -> list[str]:
        query = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        return [row[0] for row in db.exec_driver_sql(query)]

    def _counts(self) -> dict[str, int]:
        with self.site.database.reading() as db:
            return {
                table: db.exec_driver_sql(f'SELECT count(*) FROM "{table}"').scalar_one() for table in self._tables(db)
            }

    def _contents(self) -> Contents:
        with self.site.database.reading() as db:
            return {
                table: [tuple(row) for row in db.exec_driver_sql(f'SELECT * FROM "{table}"')]
                for table in self._tables(db)
            }

    def _expect(self, is_refused: bool, change: Any) -> None:
        if is_refused:
            with pytest.raises(Conflict):
                change()
        else:
            change()


def run(source: Path, *, examples: int, steps: int, **more: Any) -> None:
    machine = type("SignInMachineHere", (SignInMachine,), {"source": source})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            report_multiple_bugs=False,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
            **more,
        ),
    )


def test_whatever_happens_a_cookie_opens_what_it_was_handed_out_for_or_nothing(cast: Path) -> None:
    # Making a failure short would take minutes; each of its steps can be read as it is.
    run(cast, examples=12, steps=30, derandomize=True, phases=[Phase.generate])


@pytest.mark.soak
def test_the_same_for_longer_and_not_twice_alike(cast: Path) -> None:
    run(cast, examples=100, steps=50, phases=[Phase.generate, Phase.shrink])
