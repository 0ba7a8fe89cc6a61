"""Reading costs nothing: a thousand visitors, and not one byte of the data folder is another one."""

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.folders import fingerprint
from tests.support import Server

TOKEN = "byl_for-tests-only-0123456789-0123456789-abcdef"
WITH_A_FORM = ("/login", "/login?next=/new")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    running = Server(tmp_path / "instance", BYLINE_API_TOKEN=TOKEN).start()
    yield running
    running.kill()


def publish(server: Server, **fields: Any) -> str:
    """A published post; its slug."""
    program = server.browser()
    program.headers["Authorization"] = f"Bearer {TOKEN}"
    created = program.post("/v1/posts", json={"body": "Some words.", "status": "published", **fields})
    assert created.status_code == 201
    post = created.json()
    if fields["title"] == "Moved":
        program.patch(f"/v1/posts/{post['id']}", json={"slug": "elsewhere"})
    if fields["title"] == "Deleted":
        program.delete(f"/v1/posts/{post['id']}")
    return str(post["slug"])


def junk_cookies(whole: str) -> list[str]:
    """Cookie headers that nobody's session is behind, made of a good one for a visitor's form."""
    value = whole.partition("=")[2]
    flipped = value[:-2] + ("A" if value[-2] != "A" else "B") + value[-1]
    return [
        f"session={flipped}", f"session={value[::-1]}", "session=", f"session={'x' * 8192}",
        f"session={value}; session={value}", f"session={TOKEN}", "session=1.2.three.s", f"__Host-session={value}",
        "theme=dark; lang=de", "\xff\xfe", whole,
    ]  # fmt: skip


def test_a_thousand_anonymous_requests_write_nothing_and_set_no_cookie_but_on_forms(server: Server) -> None:
    slugs = [publish(server, title=title, tags=["one"]) for title in ("Hello", "Moved", "Deleted")]
    members = publish(server, title="For members", visibility="members")
    draft = publish(server, title="A draft", status="draft")
    paths = [
        "/", "/?before=0~x", "/tags/one", "/tags/none", "/feed.xml", "/v1/posts", "/v1/openapi.json", "/nowhere",
        "/a/b/c/d", "/favicon.ico", "/static/site.css", "/static/nothing", "/healthz", "/readyz", "/metrics",
        "/account", "/new", "/admin", "/setup/nothing", "/join", "/join/nothing", "/reset/nothing", "/v1/posts/6f1cbd5e-8a3c-4a7e-9d55-0e9b0a0c0d01",
        "/%00", "/%ff%fe", "/posts/%2e%2e", "/?" + "q=1&" * 500,
        *(f"/posts/{slug}" for slug in (*slugs, members, draft, "nothing")), *WITH_A_FORM,
    ]  # fmt: skip
    form = server.browser().get("/login")
    cookies = [None, *junk_cookies(f"session={form.cookies['session']}")]
    chance = random.Random(20_261_120)
    asked = [
        (
            chance.choice(("GET", "GET", "GET", "HEAD", "OPTIONS", "DELETE")),
            chance.choice(paths),
            chance.choice(cookies),
        )
        for _ in range(1000)
    ]
    before = fingerprint(server.folder)
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda part: ask_all(server, part), [asked[start::4] for start in range(4)]))
    assert fingerprint(server.folder) == before
    with_cookie = [line for part in answers for line in part if line[2]]
    assert {path for _method, path, _cookie in with_cookie} <= set(WITH_A_FORM)
    assert sum(len(part) for part in answers) == 1000


def ask_all(server: Server, asked: list[tuple[str, str, str | None]]) -> list[tuple[str, str, str]]:
    """Method, path and the cookie that was set, for each."""
    found = []
    with requests.Session() as session:
        for method, path, cookie in asked:
            session.cookies.clear()
            headers = {} if cookie is None else {"Cookie": cookie.encode("latin-1")}
            answer = session.request(method, f"{server.url}{path}", headers=headers, allow_redirects=False, timeout=30)
            assert answer.status_code < 500, (method, path, answer.text)
            found.append((method, path, answer.headers.get("Set-Cookie", "")))
    return found
