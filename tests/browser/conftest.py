"""A real Chromium, and what no page of ours may ever do in it."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Request, Response, expect, sync_playwright

from tests.support import SECRET, Server, make_site

_NAMES = ("chromium-headless-shell", "chromium", "chromium-browser")
_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# Long, because other tests run beside these; nothing waits that long unless it is broken.
_PATIENCE = 30_000  # milliseconds

OpenBrowser = Callable[..., BrowserContext]


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One Chromium for all tests of this process."""
    expect.set_options(timeout=_PATIENCE)
    with sync_playwright() as playwright:
        found = next(filter(None, map(shutil.which, _NAMES)), None)
        browser = playwright.chromium.launch(executable_path=found, args=_ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def open_browser(chromium: Browser) -> Iterator[OpenBrowser]:
    """Opens a window of somebody's own on a server; the test fails with what went wrong behind the pages."""
    opened: list[tuple[BrowserContext, Watch]] = []

    def open_one(server: Server, **options: Any) -> BrowserContext:
        context = chromium.new_context(base_url=server.url, **options)
        context.set_default_timeout(_PATIENCE)
        opened.append((context, Watch(context, server.url)))
        return context

    yield open_one
    for context, _ in opened:
        context.close()
    assert [fault for _, watch in opened for fault in watch.faults] == []


class Watch:
    """Notes what a page does that none may: errors in the console, broken files, requests to anybody else."""

    def __init__(self, context: BrowserContext, url: str) -> None:
        self.faults: list[str] = []
        self._host = urlsplit(url).netloc
        context.on("console", self._hear)
        context.on("weberror", lambda error: self.faults.append(f"uncaught: {error.error}"))
        context.on("request", self._see)
        context.on("response", self._judge)

    def _hear(self, message: ConsoleMessage) -> None:
        # A broken Content-Security-Policy is an error here too. Answers are judged where their kind is known.
        if message.type in ("error", "warning") and not message.text.startswith("Failed to load resource"):
            self.faults.append(f"console: {message.text}")

    def _see(self, request: Request) -> None:
        if urlsplit(request.url).netloc != self._host:
            self.faults.append(f"foreign request: {request.url}")

    def _judge(self, response: Response) -> None:
        # A page may well refuse; the tests look at that. What it is made of must be there.
        is_page = response.request.resource_type == "document"
        # What a script asks for may be refused too: it says so on the page.
        if response.request.resource_type == "fetch" and response.status in (401, 403, 409, 429, 503):
            return
        if response.status >= (500 if is_page else 400):
            self.faults.append(f"{response.status}: {response.url}")


@pytest.fixture(scope="session")
def cast_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A real server with the whole cast, for all tests of this process: what a test writes has a title of its own."""
    folder = tmp_path_factory.mktemp("cast") / "instance"
    make_site(folder).close()
    running = Server(folder, SECRET_KEY=SECRET).start()
    yield running
    running.kill()


@pytest.fixture(params=[True, False], ids=["with JavaScript", "without JavaScript"])
def java_script(request: pytest.FixtureRequest) -> bool:
    """Every story is told twice."""
    return bool(request.param)


@pytest.fixture(scope="session")
def screenshots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where pictures go, to be looked at: a temporary folder, or the one that BYLINE_SCREENSHOTS names."""
    chosen = os.environ.get("BYLINE_SCREENSHOTS")
    folder = Path(chosen) if chosen else tmp_path_factory.mktemp("screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder
