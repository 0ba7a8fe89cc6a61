"""The session conformance suite: what a session promises, from the store's verbs to what a browser sees."""

import os
import re
import signal
import subprocess
import sys
import threading

import time_machine

from auth.sessions.store import SessionStore, name_of
from eventlog.log.following import events_since
from storage import clock
from storage.engine import Database
from tests.starting import run
from tests.support import PASSWORD, ROOT, SECRET, Client, Server, Site, find_form_token, read_all
from tests.web.wire import until
from web.signing import Keys

POST = {"title": "Hello", "body": "World", "status": "published"}


# The store's verbs


def test_create_writes_no_row(site: Site) -> None:
    store = site.app.extensions["session_store"]
    with site.counted_statements() as statements:
        ids = {store.create() for _ in range(100)}
    assert len(ids) == 100
    assert statements == []
    assert site.rows("sessions") == 0


def test_set_creates_the_row_and_get_finds_it(site: Site) -> None:
    store = site.app.extensions["session_store"]
    olive = site.principal("olive").user_id
    assert olive is not None
    whole_id = store.create()
    with site.database.transaction() as db:
        assert not store.exists(db, whole_id)
        store.set(db, whole_id, user_id=olive, is_remembered=True)
    with site.database.reading() as db:
        assert store.exists(db, whole_id)
        session = store.get(db, whole_id)
    assert session is not None
    assert session.user_id == olive
    assert session.id == name_of(whole_id)


def test_clear_ends_it_once(site: Site) -> None:
    store = site.app.extensions["session_store"]
    whole_id = site.client().adopt_session("alan")
    with site.database.transaction() as db:
        assert store.clear(db, whole_id)
        assert not store.clear(db, whole_id)
        assert store.get(db, whole_id) is None


def test_the_id_is_epoch_counter_and_a_long_secret(site: Site) -> None:
    epoch, counter, secret = site.app.extensions["session_store"].create().split(".")
    assert epoch.isdecimal()
    assert counter.isdecimal()
    assert len(secret) >= 22  # 128 bits in base 64


def test_nothing_stored_opens_a_session(site: Site) -> None:
    whole_id = site.client().adopt_session("alan")
    secret = whole_id.rpartition(".")[2]
    for path in site.folder.iterdir():
        assert secret.encode() not in path.read_bytes(), path.name


# Ids are unique


def test_a_restart_claims_another_epoch_with_one_write(site: Site) -> None:
    first = site.app.extensions["session_store"].create()
    before = site.rows("epochs")
    site.restart()
    second = site.app.extensions["session_store"].create()
    assert site.rows("epochs") == before + 1
    assert first.split(".")[0] != second.split(".")[0]


def test_an_older_copy_of_the_database_mints_no_id_twice(site: Site) -> None:
    copy = site.folder / "copy.db"
    with site.database.reading() as db:
        db.connection.dbapi_connection.backup(
            other := __import__("storage.sqlite", fromlist=["driver"]).driver.connect(str(copy))
        )
        other.close()
    later = {_epoch_of(SessionStore.open(site.database)) for _ in range(5)}
    restored = Database(copy, readers=1)
    with time_machine.travel((clock.now() / clock.SECOND) + 1, tick=False):
        again = _epoch_of(SessionStore.open(restored))
    restored.close()
    assert again not in later


def test_twenty_processes_starting_at_once_mint_different_ids(site: Site) -> None:
    program = (
        "import sys; from pathlib import Path; from storage.engine import Database;"
        "from auth.sessions.store import SessionStore;"
        f"store = SessionStore.open(Database(Path({str(site.settings.database_path)!r}), readers=1));"
        "print(*(store.create().rpartition('.')[0] for _ in range(50)))"
    )
    running = [
        subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        for _ in range(20)
    ]
    names = [name for process in running for name in process.communicate(timeout=60)[0].split()]
    assert len(names) == 1000
    assert len(set(names)) == 1000


def test_forked_workers_have_epochs_of_their_own(server: Server) -> None:
    path = server.folder / "byline.db"
    workers = server.workers()
    assert len(workers) == 2
    assert until(lambda: read_all(path, "SELECT count(*) FROM epochs") == [(2,)])
    epochs = set()
    for pid in workers:
        # While one is frozen the other answers.
        os.kill(pid, signal.SIGSTOP)
        try:
            epochs.add(server.browser().get("/login").cookies["session"].split(".")[0])
        finally:
            os.kill(pid, signal.SIGCONT)
    assert len(epochs) == 2


# From the sign-in to the guarded write


def test_sign_in_gives_a_cookie_that_publishes_by_form(site: Site) -> None:
    browser = site.client()
    signed_in = browser.submit("/login", username="alan", password=PASSWORD, remember="y")
    assert signed_in.status_code == 303
    cookie = signed_in.headers.getlist("Set-Cookie")
    assert len(cookie) == 1
    assert "HttpOnly" in cookie[0]
    assert "SameSite=Lax" in cookie[0]
    published = browser.submit("/new", **POST)
    assert published.status_code == 303
    assert published.headers["Location"] == "/posts/hello"
    assert browser.get("/posts/hello").status_code == 200


def test_sign_in_gives_a_cookie_that_publishes_by_json(site: Site) -> None:
    browser = site.client()
    browser.submit("/login", username="alan", password=PASSWORD)
    created = browser.post("/new", json=POST, headers={"X-CSRF-Token": browser.form_token()})
    assert created.status_code == 201
    assert created.json is not None
    assert created.headers["Location"].endswith(f"/v1/posts/{created.json['id']}")


def test_without_a_cookie_nothing_is_stored(site: Site) -> None:
    _assert_refused(site, site.client())


def test_a_forged_cookie_is_nobody(site: Site) -> None:
    for key in ("another key, but as long as the right one is", SECRET + " "):
        forger = site.client()
        whole_id = site.client().adopt_session("alan")
        forger.set_cookie("session", Keys(key).sign("session", f"{whole_id}.s"))
        _assert_refused(site, forger)


def test_a_cookie_that_was_signed_out_is_nobody(site: Site) -> None:
    browser = site.client("alan")
    cookie = browser.get_cookie("session")
    assert cookie is not None
    assert browser.submit("/logout", page="/new").status_code == 303
    assert browser.get_cookie("session") is None
    thief = site.client()
    thief.set_cookie("session", cookie.value)
    _assert_refused(site, thief)


def test_a_bearer_token_needs_neither_cookie_nor_form_token(site: Site) -> None:
    program = site.client(token=site.token("alan"))
    created = program.post("/new", json=POST)
    assert created.status_code == 201
    assert "Set-Cookie" not in created.headers


def test_bearer_decides_alone_when_both_come(site: Site) -> None:
    both = site.client("alan")
    bad = both.get("/", headers={"Authorization": "Bearer byl_wrong"})
    assert bad.status_code == 401
    assert "invalid_token" in bad.headers["WWW-Authenticate"]
    as_ada = both.post("/new", json=POST, headers={"Authorization": f"Bearer {site.token('ada')}"})
    assert as_ada.json is not None
    assert as_ada.json["author"] == "ada"


def test_signing_in_mints_a_fresh_id_and_a_planted_one_stays_worthless(site: Site) -> None:
    attacker = site.client()
    attacker.get("/login")
    planted = attacker.get_cookie("session")
    assert planted is not None
    victim = site.client()
    victim.set_cookie("session", planted.value)
    victim.submit("/login", username="alan", password=PASSWORD)
    fresh = victim.get_cookie("session")
    assert fresh is not None
    assert fresh.value.split(".")[:3] != planted.value.split(".")[:3]
    _assert_refused(site, attacker)


def test_signing_in_over_a_live_session_ends_that_one(site: Site) -> None:
    browser = site.client()
    old = browser.adopt_session("alan")
    cookie = browser.get_cookie("session")
    assert cookie is not None
    token = find_form_token(browser.get("/new").text)
    browser.post("/login", data={"csrf_token": token, "username": "ada", "password": PASSWORD})
    with site.database.reading() as db:
        assert not site.app.extensions["session_store"].exists(db, old)
        (ended,) = [event for event in events_since(db, None, 0, 0) if event.kind == "session.ended"]
    assert site.rows("sessions") == 1
    assert (ended.actor, ended.subject) == ("ada", "user:alan")
    assert (ended.actor, ended.payload) == (
        "ada",
        {"sessions": [old.rpartition(".")[0]], "count": 1, "reason": "signed in again"},
    )


def test_a_session_cleared_during_a_slow_request_does_not_come_back(site: Site) -> None:
    browser = site.client()
    whole_id = browser.adopt_session("alan")
    store = site.app.extensions["session_store"]

    @site.app.after_request
    def slow(response):
        with site.database.transaction() as db:
            store.clear(db, whole_id)
        return response

    with time_machine.travel((clock.now() + 2 * clock.HOUR) / clock.SECOND):
        assert browser.get("/account").status_code == 200  # would refresh the row, were it there
    assert site.rows("sessions") == 0
    _assert_refused(site, browser)


def test_two_cookies_in_one_answer_stay_two(site: Site) -> None:
    @site.app.after_request
    def add_another(response):
        response.set_cookie("theme", "dark")
        return response

    answer = site.client().get("/login")
    assert sorted(cookie.partition("=")[0] for cookie in answer.headers.getlist("Set-Cookie")) == ["session", "theme"]


# Limits and refreshing


def test_idle_and_absolute_limits_are_kept_on_the_server(site: Site) -> None:
    now = clock.now()
    for remembered, good_for, ends_after in ((True, 29 * clock.DAY, 31 * clock.DAY), (False, 23, 25)):
        unit = 1 if remembered else clock.HOUR
        browser = site.client()
        browser.adopt_session("alan", is_remembered=remembered)
        with time_machine.travel((now + good_for * unit) / clock.SECOND):
            assert browser.get("/account").status_code == 200
        idle = site.client()
        idle.adopt_session("alan", is_remembered=remembered)
        with time_machine.travel((now + ends_after * unit) / clock.SECOND):
            assert idle.get("/account").status_code == 303


def test_the_absolute_limit_ends_even_a_session_in_daily_use(site: Site) -> None:
    browser = site.client("alan")
    now = clock.now()
    for day in range(20, 180, 20):
        with time_machine.travel((now + day * clock.DAY) / clock.SECOND):
            assert browser.get("/account").status_code == 200, day
    with time_machine.travel((now + 181 * clock.DAY) / clock.SECOND):
        assert browser.get("/account").status_code == 303


def test_the_cookie_is_refreshed_at_most_once_an_hour_and_the_row_with_it(site: Site) -> None:
    browser = site.client("alan")
    assert "Set-Cookie" not in browser.get("/account").headers
    with time_machine.travel((clock.now() + 2 * clock.HOUR) / clock.SECOND):
        refreshed = browser.get("/account")
        assert "Max-Age=2592000" in refreshed.headers["Set-Cookie"]
        with site.counted_statements() as statements:
            assert "Set-Cookie" not in browser.get("/account").headers
    assert not [statement for statement in statements if statement.startswith("UPDATE")]


def test_refreshing_never_waits_for_a_writer(site: Site) -> None:
    browser = site.client("alan")
    entered, leave = threading.Event(), threading.Event()

    def hold() -> None:
        with site.database.transaction():
            entered.set()
            leave.wait(20)

    writer = threading.Thread(target=hold)
    writer.start()
    entered.wait(5)
    try:
        with time_machine.travel((clock.now() + 2 * clock.HOUR) / clock.SECOND):
            assert browser.get("/account").status_code == 200
    finally:
        leave.set()
        writer.join()


# Keys


def test_an_old_key_verifies_and_the_answer_is_signed_with_the_new_one(site: Site) -> None:
    browser = site.client("alan")
    old = browser.get_cookie("session")
    new_key = "the new key of this site, long enough for all"
    newer = _reopened(site, SECRET_KEY=new_key, SECRET_KEY_FALLBACKS=SECRET)
    _move(browser, newer)
    assert browser.get("/account").status_code == 200
    fresh = browser.get_cookie("session")
    assert fresh is not None
    assert old is not None
    assert fresh.value != old.value
    only_new = _reopened(newer, SECRET_KEY=new_key)
    _move(browser, only_new)
    assert browser.get("/account").status_code == 200
    only_new.close()


def test_a_dropped_key_does_not_verify(site: Site) -> None:
    browser = site.client("alan")
    newer = _reopened(site, SECRET_KEY="a quite different key, as long as is needed")
    _move(browser, newer)
    _assert_refused(newer, browser)
    newer.close()


# Restarts, kills, blocks: the real server


def test_a_sign_in_survives_a_restart_and_kill_9(server: Server) -> None:
    browser = server.browser()
    assert browser.sign_in().status_code == 303
    assert server.stop() == 0
    server.start()
    assert browser.get("/account").status_code == 200
    server.kill()
    server.start()
    assert browser.get("/account").status_code == 200
    assert browser.submit("/new", POST).status_code == 303


def test_blocking_ends_the_next_request_in_every_process(server: Server) -> None:
    browser = server.browser()
    browser.sign_in()
    _command(server, "user", "add", "second", "--role", "owner", text=PASSWORD)
    token = _command(server, "token", "create", "olive", "--scope", "posts:write").strip()
    assert browser.post("/v1/posts", headers={"Authorization": f"Bearer {token}"}, json=POST).status_code == 201
    _command(server, "user", "block", "olive")
    for _ in range(10):
        assert browser.get("/account").status_code == 303
        refused = server.browser().post("/v1/posts", headers={"Authorization": f"Bearer {token}"}, json=POST)
        assert refused.status_code == 401
    _command(server, "user", "unblock", "olive")
    assert browser.get("/account").status_code == 303  # the session stays ended


def _assert_refused(site: Site, client: Client) -> None:
    before = site.rows("posts")
    as_json = client.post("/new", json=POST)
    assert as_json.status_code == 401
    assert "Bearer" in as_json.headers["WWW-Authenticate"]
    as_form = client.post("/new", data=POST, headers={"Accept": "text/html"})
    assert as_form.status_code == 401
    assert re.search(r'name="username"', as_form.text)
    assert site.rows("posts") == before


def _reopened(site: Site, **environment: str) -> Site:
    site.close()
    from web.settings import load_settings

    return Site(site.folder, load_settings({"BYLINE_INSTANCE": str(site.folder), **environment}))


def _move(browser: Client, site: Site) -> None:
    browser.application = site.app
    browser.site = site


def _epoch_of(store: SessionStore) -> str:
    return store.create().split(".")[0]


def _command(server: Server, *arguments: str, text: str = "") -> str:
    done = run(*arguments, environment=os.environ | server.environment, text=text)
    assert done.returncode == 0, done.stderr
    return done.stdout
