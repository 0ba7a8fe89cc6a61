"""The link for the first owner, used by many at once in several processes: one of them is the owner."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

from tests.support import PASSWORD, Server, find_form_token, read_all

AT_ONCE = 20


def test_twenty_at_once_over_two_processes_make_one_owner(tmp_path: Path) -> None:
    server = Server(tmp_path / "instance", BYLINE_ADMIN_USERNAME="", BYLINE_ADMIN_PASSWORD="").start()
    try:
        link = server.wait_for("/setup/").split()[-1].removeprefix(server.url)
        browsers = [server.browser() for _ in range(AT_ONCE)]
        tokens = [find_form_token(browser.get(link).text) for browser in browsers]
        together = Barrier(AT_ONCE)

        def set_up(number: int) -> int:
            fields = {"site_name": f"Notes of {number}", "username": f"owner{number}", "password": PASSWORD}
            together.wait(30)
            data = {"csrf_token": tokens[number], "display_name": "", **fields}
            return browsers[number].post(link, data=data, timeout=60).status_code

        with ThreadPoolExecutor(AT_ONCE) as pool:
            statuses = list(pool.map(set_up, range(AT_ONCE)))
        # Who had to wait too long for a turn at hashing or writing is told to come back, and finds it done.
        assert sorted(set(statuses)) in ([303, 410], [303, 410, 503])
        assert statuses.count(303) == 1
        winner = statuses.index(303)
        assert {browser.get(link).status_code for browser in browsers} == {410}
        assert server.browser().sign_in(f"owner{winner}").status_code == 303
        assert f"Notes of {winner}" in server.browser().get("/").text
    finally:
        server.kill()
    database = server.folder / "byline.db"
    assert read_all(database, "SELECT username, role FROM users") == [(f"owner{winner}", "owner")]
    assert read_all(database, "SELECT count(*) FROM setup_links") == [(0,)]
    made = "SELECT kind, count(*) FROM events WHERE kind IN ('user.created', 'site.set_up') GROUP BY kind ORDER BY kind"
    assert read_all(database, made) == [("site.set_up", 1), ("user.created", 1)]
