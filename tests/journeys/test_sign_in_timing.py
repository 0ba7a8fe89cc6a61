"""How long the server works on a sign-in tells nobody whether a name is known, or its person blocked."""

import re
from pathlib import Path
from statistics import median
from typing import Any

import pytest
import requests
from requests.adapters import HTTPAdapter

from app import LINKS
from auth.blocking.blocking import block
from auth.permissions import Role
from auth.users.registering import register
from storage.engine import Database
from tests.quick import REAL_HASHER
from tests.support import PASSWORD, TESTER, Server, find_form_token

EACH = 200
NAMES = 40
# A wrong one takes the time of a right one, and of no name at all: argon2id is nearly all of it.
WITHIN = 0.10


class From(HTTPAdapter):
    """Connects from one of this machine's many addresses."""

    def __init__(self, address: str) -> None:
        self.address = address
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """requests' hook: every connection of the pool begins there."""
        super().init_poolmanager(*args, **kwargs, source_address=(self.address, 0))


def nanoseconds_of(pid: int) -> int:
    """What a process has spent on a processor, in all its threads; the scheduler counts finer than by clock ticks."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks)


def add_people(server: Server) -> None:
    """Forty who may sign in and forty who are blocked, without the time that forty passwords take."""
    server.stop()
    database, stored = Database(server.folder / "byline.db", readers=1), REAL_HASHER.hash(PASSWORD)
    with database.transaction() as db:
        for number in range(NAMES):
            register(db, f"known{number:02}", role=Role.AUTHOR, password_hash=stored, by=TESTER)
            register(db, f"stuck{number:02}", role=Role.AUTHOR, password_hash=stored, by=TESTER)
            block(db, f"stuck{number:02}", by=TESTER, links=LINKS)
    database.close()
    server.start()


@pytest.mark.soak
@pytest.mark.skipif(not Path("/proc/self/schedstat").exists(), reason="needs Linux's account of processor time")
def test_unknown_wrong_and_blocked_take_the_same_work(tmp_path: Path) -> None:
    server = Server(tmp_path / "instance", processes=1, HOST="0.0.0.0").start()
    try:
        add_people(server)
        [worker] = server.workers()
        took: dict[str, list[int]] = {"unknown": [], "wrong": [], "blocked": []}
        pages: dict[str, set[str]] = {kind: set() for kind in took}
        # `blocked` comes with the right password: nothing shall tell that it is.
        tries = {"unknown": ("ghost", PASSWORD), "wrong": ("known", "wrong" * 5), "blocked": ("stuck", PASSWORD)}
        for number in range(EACH):
            # The order changes, so that none is always the one after another.
            kinds = list(tries)[number % 3 :] + list(tries)[: number % 3]
            for place, kind in enumerate(kinds):
                browser = requests.Session()
                browser.mount("http://", From(f"127.{1 + number // 200}.{place + 1}.{1 + number % 200}"))
                address = f"http://127.0.0.1:{server.environment['PORT']}/login"
                token = find_form_token(browser.get(address, timeout=30).text)
                prefix, password = tries[kind]
                data = {"csrf_token": token, "username": f"{prefix}{number % NAMES:02}", "password": password}
                before = nanoseconds_of(worker)
                answer = browser.post(address, data=data, timeout=30)
                took[kind].append(nanoseconds_of(worker) - before)
                assert answer.status_code == 401
                text = answer.text.replace(data["username"], "NAME")
                pages[kind].add(re.sub(r'name="csrf_token"[^>]*>', "", text))
                browser.close()
    finally:
        server.kill()
    assert len(pages["unknown"]) == 1
    assert pages["unknown"] == pages["wrong"] == pages["blocked"]
    medians = {kind: median(values) for kind, values in took.items()}
    assert all(values > 5_000_000 for values in medians.values()), medians  # a password was checked each time
    assert max(medians.values()) <= (1 + WITHIN) * min(medians.values()), medians
