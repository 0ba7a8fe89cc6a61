"""What the server acknowledged is there after `kill -9`, and everything else is there whole or not at all."""

import contextlib
import random
import secrets
import threading
from pathlib import Path

import requests

from tests.support import Browser, Server, integrity, read_all

TOKEN = "byl_for-tests-only-0123456789-0123456789-abcdef"


def body_of(title: str) -> str:
    """The whole text that belongs to a title."""
    return f"{title} begins. " + f"{title} goes on. " * 400 + f"{title} ends."


class Writers:
    """Four at once, two by form and two as programs, and one who changes the same post over and over."""

    def __init__(self, server: Server, session: Browser, form_token: str, post_id: str) -> None:
        self.acknowledged: list[str] = []
        self.changes: list[int] = []
        self._url = server.url
        self._cookie = session.cookies["session"]
        self._form_token = form_token
        self._post_id = post_id
        self._is_over = threading.Event()
        self._news = threading.Condition()
        tasks = [self._submit_forms, self._submit_forms, self._call_api, self._call_api, self._change_one]
        self._threads = [threading.Thread(target=self._until_cut_off, args=(task,)) for task in tasks]
        for thread in self._threads:
            thread.start()

    def wait_for(self, count: int) -> None:
        """Until that many posts have been acknowledged."""
        with self._news:
            assert self._news.wait_for(lambda: len(self.acknowledged) >= count, timeout=30)

    def end(self) -> None:
        """Nobody begins another request."""
        self._is_over.set()
        for thread in self._threads:
            thread.join(timeout=30)
            assert not thread.is_alive()

    def _until_cut_off(self, task) -> None:
        with contextlib.suppress(requests.RequestException), Browser(self._url) as browser:
            while not self._is_over.is_set():
                task(browser)

    def _submit_forms(self, browser: Browser) -> None:
        title = f"form-{secrets.token_hex(6)}"
        fields = {
            "csrf_token": self._form_token, "submission": title, "title": title, "body": body_of(title),
            "tags": "one, two", "status": "published",
        }  # fmt: skip
        browser.cookies.set("session", self._cookie)
        answer = browser.post("/new", files={name: (None, value) for name, value in fields.items()})
        self._note(title, answer, 303)

    def _call_api(self, browser: Browser) -> None:
        title = f"api-{secrets.token_hex(6)}"
        post = {"title": title, "body": body_of(title), "tags": ["one", "two"], "status": "published"}
        answer = browser.post("/v1/posts", json=post, headers={"Authorization": f"Bearer {TOKEN}"})
        self._note(title, answer, 201)

    def _change_one(self, browser: Browser) -> None:
        answer = browser.patch(
            f"/v1/posts/{self._post_id}",
            json={"body": body_of(secrets.token_hex(6))},
            headers={"Authorization": f"Bearer {TOKEN}"},
        )
        assert answer.status_code == 200, answer.text
        self.changes.append(answer.json()["version"])

    def _note(self, title: str, answer: requests.Response, status: int) -> None:
        assert answer.status_code == status, answer.text
        with self._news:
            self.acknowledged.append(title)
            self._news.notify_all()


def test_nothing_acknowledged_is_lost_and_nothing_is_there_in_part(tmp_path: Path, soak: bool) -> None:
    chance = random.Random(20_261_120)
    server = Server(tmp_path / "instance", BYLINE_API_TOKEN=TOKEN).start()
    session = server.browser()
    session.sign_in()
    form_token = read_form_token(session)
    post_id = session.post("/v1/posts", json={"title": "The one"}, headers={"Authorization": f"Bearer {TOKEN}"}).json()[
        "id"
    ]
    acknowledged: list[str] = []
    changes: list[int] = []
    for _ in range(50 if soak else 5):
        writers = Writers(server, session, form_token, post_id)
        writers.wait_for(chance.randint(1, 40))
        threading.Event().wait(chance.random() / 50)  # somewhere within the requests that are under way
        server.kill()
        writers.end()
        acknowledged += writers.acknowledged
        changes += writers.changes
        server.start()
        check_everything_is_whole(server.folder / "byline.db", acknowledged, post_id, max(changes, default=1))
    assert session.get("/account").status_code == 200
    assert len(acknowledged) == len(set(acknowledged)) >= 5
    shown = {title for title in acknowledged if session.get(f"/posts/{title}").status_code == 200}
    assert shown == set(acknowledged)
    server.kill()


def read_form_token(session: Browser) -> str:
    page = session.get("/new").text
    return page.partition('name="csrf_token"')[2].partition('value="')[2].partition('"')[0]


def check_everything_is_whole(path: Path, acknowledged: list[str], post_id: str, version: int) -> None:
    """Look at what the server has found after the kill."""
    assert integrity(path) == "ok"
    assert read_all(path, "PRAGMA foreign_key_check") == []
    rows = read_all(
        path,
        "SELECT posts.title, posts.body, revisions.body, "
        "(SELECT count(*) FROM post_tags WHERE post_tags.post_id = posts.id) "
        "FROM posts JOIN revisions ON revisions.post_id = posts.id AND revisions.number = posts.version "
        f"WHERE posts.id != '{post_id}'",
    )
    assert len(rows) == read_all(path, "SELECT count(*) - 1 FROM posts")[0][0]
    assert set(acknowledged) <= {title for title, *_rest in rows}
    for title, body, revised, tag_count in rows:
        assert body == revised == body_of(title)
        assert tag_count == 2
    [(current, revision_count, body)] = read_all(
        path,
        "SELECT version, (SELECT count(*) FROM revisions WHERE post_id = posts.id), body "
        f"FROM posts WHERE id = '{post_id}'",
    )
    assert current == revision_count >= version
    assert current == 1 or body == body_of(body.split()[0])
