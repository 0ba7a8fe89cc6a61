"""Fifty saves of one post at once: one wins, and everybody else has their own text in front of them."""

import html
import re
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from storage import engine
from tests.support import SECRET, Browser, Server, find_form_token, integrity, make_site, read_all

TOGETHER = 50
# One that writes and those that one process lets wait for it: whoever comes after may be told to come back (503).
IN_TURN = 1 + engine._WAITING_WRITERS
NAMES = ("alan", "edith", "olive")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("parallel") / "instance"
    make_site(folder).close()
    running = Server(folder, SECRET_KEY=SECRET).start()
    yield running
    running.kill()


@pytest.fixture
def tabs(server: Server) -> Iterator[list[Browser]]:
    """Browsers of three people who may all edit what alan writes, in turn."""
    first = {name: server.browser() for name in NAMES}
    for name, browser in first.items():
        assert browser.sign_in(name).status_code == 303
    opened = []
    for number in range(TOGETHER):
        tab = server.browser()
        tab.cookies.update(first[NAMES[number % len(NAMES)]].cookies)
        opened.append(tab)
    yield opened
    for tab in (*opened, *first.values()):
        tab.close()


def at_once(acts: list[Callable[[], requests.Response]]) -> list[requests.Response]:
    """All of them in the same moment."""
    line = threading.Barrier(len(acts))

    def act(one: Callable[[], requests.Response]) -> requests.Response:
        line.wait()
        return one()

    with ThreadPoolExecutor(len(acts)) as crowd:
        return list(crowd.map(act, acts))


def form_of(page: str) -> dict[str, str]:
    """What the form of a post holds that nobody typed."""
    hidden = {name: find_value(page, name) for name in ("version", "submission")}
    return hidden | {"csrf_token": find_form_token(page)}


def find_value(page: str, name: str) -> str:
    found = re.search(rf'<input[^>]*name="{name}"[^>]*value="([^"]*)"', page)
    assert found is not None, name
    return found[1]


def send(tab: Browser, path: str, fields: dict[str, str]) -> Callable[[], requests.Response]:
    return lambda: tab.post(path, files={name: (None, value) for name, value in fields.items()})


def own_text(answer: requests.Response) -> str:
    """What stands in the writer's own field."""
    found = re.search(r'<textarea[^>]*name="body"[^>]*>(.*?)</textarea>', answer.text, re.DOTALL)
    assert found is not None
    return html.unescape(found[1]).replace("\r\n", "\n").removeprefix("\n")


def test_fifty_edits_of_one_post_one_wins_and_nobody_loses_a_word(server: Server, tabs: list[Browser]) -> None:
    database = server.folder / "byline.db"
    made = tabs[0].submit("/new", {"title": "Wanted by fifty", "body": "Begun.", "status": "published"})
    path = made.headers["Location"]
    forms = [form_of(tab.get(f"{path}/edit").text) for tab in tabs]
    assert {form["version"] for form in forms} == {"1"}
    texts = [f"Text {number} 🦉\n" + f"of tab {number}, «whole» & <b>\n" * 400 + "\n" for number in range(TOGETHER)]
    fields = [form | {"title": "Wanted by fifty", "body": text} for form, text in zip(forms, texts, strict=True)]
    answers = at_once([send(tab, f"{path}/edit", each) for tab, each in zip(tabs, fields, strict=True)])
    assert sorted(answer.status_code for answer in answers) == [303] + [409] * (TOGETHER - 1)
    (winner,) = [number for number, answer in enumerate(answers) if answer.status_code == 303]
    for number, answer in enumerate(answers):
        if number != winner:
            assert own_text(answer) == texts[number]
            assert f"Text {winner} 🦉" in answer.text
    assert revisions_of(path, server) == [(1, "Begun."), (2, texts[winner])]
    # The form that won, again and again, is the same save; so is a crowd of it.
    again = at_once([send(tabs[winner], f"{path}/edit", fields[winner]) for _ in range(20)])
    assert {answer.status_code for answer in again} == {303}
    assert len(revisions_of(path, server)) == 2
    # The others put theirs beside it, one after the other, from the page that they were answered with.
    saved = 2
    for number in [n for n in range(TOGETHER) if n != winner][:5]:
        merged = tabs[number].post(
            f"{path}/edit",
            files={name: (None, value) for name, value in _merging(answers[number], texts[number]).items()},
        )
        assert merged.status_code == (200 if saved == 2 else 409)
        if saved == 2:
            both = own_text(merged)
            assert both == texts[number] + texts[winner] or both.count("\n") >= texts[number].count("\n")
            assert f"Text {number} 🦉" in both
            assert f"Text {winner} 🦉" in both
            done = tabs[number].post(
                f"{path}/edit",
                files={
                    name: (None, value)
                    for name, value in (form_of(merged.text) | {"title": "Wanted by fifty", "body": both}).items()
                },
            )
            assert done.status_code == 303
            saved += 1
        else:
            assert own_text(merged) == texts[number]
    assert [number for number, _body in revisions_of(path, server)] == [1, 2, 3]
    events = "SELECT count(*) FROM events WHERE kind = 'post.edited'"
    assert read_all(database, events) == [(2,)]
    assert integrity(database) == "ok"


def test_fifty_saves_that_each_take_what_is_there_miss_no_number(server: Server, tabs: list[Browser]) -> None:
    made = tabs[0].submit("/new", {"title": "Written in turn", "body": "0", "status": "published"})
    path = made.headers["Location"]
    acknowledged: list[str] = []
    told = threading.Lock()

    def save_until_it_is_in(tab: Browser, number: int) -> Callable[[], requests.Response]:
        def save() -> requests.Response:
            form = form_of(tab.get(f"{path}/edit").text)
            while True:
                body = f"Text of {number}."
                fields = form | {"title": "Written in turn", "body": body}
                answer = send(tab, f"{path}/edit", fields)()
                if answer.status_code == 303:
                    with told:
                        acknowledged.append(body)
                    return answer
                assert answer.status_code in (409, 503)
                assert body in answer.text
                if answer.status_code == 409:
                    form = form_of(answer.text)

        return save

    at_once([save_until_it_is_in(tab, number) for number, tab in enumerate(tabs[:12])])
    kept = revisions_of(path, server)
    assert [number for number, _body in kept] == list(range(1, 14))
    assert sorted(body for _number, body in kept[1:]) == sorted(acknowledged)
    assert len(acknowledged) == 12


def test_two_deletes_at_once_delete_once(server: Server, tabs: list[Browser]) -> None:
    made = tabs[0].submit("/new", {"title": "Deleted by many", "body": "Begun.", "status": "published"})
    path = made.headers["Location"]
    tokens = [form_of(tab.get(f"{path}/edit").text)["csrf_token"] for tab in tabs[:IN_TURN]]
    answers = at_once(
        [
            send(tab, f"{path}/delete", {"csrf_token": token, "version": "1"})
            for tab, token in zip(tabs, tokens, strict=False)
        ]
    )
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses == [303] + [410] * (IN_TURN - 1)
    query = "SELECT count(*) FROM events WHERE kind = 'post.deleted' AND payload LIKE '%deleted-by-many%'"
    assert read_all(server.folder / "byline.db", query) == [(1,)]
    # Out of the bin at once, likewise: once.
    (post_id,) = read_all(server.folder / "byline.db", "SELECT id FROM posts WHERE slug = 'deleted-by-many'")[0]
    answers = at_once(
        [
            send(tab, f"/account/bin/{post_id}/restore", {"csrf_token": token})
            for tab, token in zip(tabs, tokens, strict=False)
        ]
    )
    assert sorted(answer.status_code for answer in answers) == [303] + [404] * (IN_TURN - 1)
    assert [number for number, _body in revisions_of(path, server)] == [1, 3]


def _merging(answer: requests.Response, text: str) -> dict[str, str]:
    fields = form_of(answer.text) | {"base_version": find_value(answer.text, "base_version")}
    return fields | {"title": "Wanted by fifty", "body": text, "action": "merge"}


def revisions_of(path: str, server: Server) -> list[tuple[int, str]]:
    """Number and text of each."""
    query = (
        "SELECT number, revisions.body FROM revisions JOIN posts ON posts.id = revisions.post_id "
        f"WHERE posts.slug = '{path.removeprefix('/posts/')}' ORDER BY number"
    )
    return [tuple(row) for row in read_all(server.folder / "byline.db", query)]
