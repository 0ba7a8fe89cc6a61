"""Real documents, published through curl: every page and the feed parse, and no script survives."""

import html.parser
import json
import subprocess
from importlib import metadata
from pathlib import Path

import feedparser

from tests.packages import description_of
from tests.support import PASSWORD, Server

TOKEN = "byl_" + "r" * 43
_VOID = {"area", "br", "col", "hr", "img", "input", "link", "meta", "wbr"}


def _documents() -> dict[str, str]:
    """The long descriptions of the installed packages: tables, code, raw HTML, images, odd characters."""
    found = {}
    for package in metadata.distributions():
        if len(text := description_of(package)) > 500:
            found[package.metadata["Name"].lower()] = text
    return found


class _Page(html.parser.HTMLParser):
    """Checks that elements nest, and notes what could run."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.dangers: list[str] = []
        self.data_count = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _VOID:
            self.open.append(tag)
        is_data = (tag, attrs) == ("script", [("type", "application/ld+json")])  # once, in the head: no program
        if is_data and "head" in self.open:
            self.data_count += 1
        elif tag in ("script", "iframe", "object", "embed", "style", "base", "svg"):
            self.dangers.append(tag)
        for name, value in attrs:
            scheme = (value or "").split(":")[0].strip().lower()
            if (
                name.startswith("on")
                or name == "style"
                or (name in ("href", "src") and scheme in ("javascript", "data"))
            ):
                self.dangers.append(f"{tag} {name}={value}")

    def handle_endtag(self, tag: str) -> None:
        if tag in _VOID:
            return
        # A paragraph and a list item may be closed by what follows; everything else says so itself.
        while self.open and self.open[-1] != tag and self.open[-1] in ("p", "li", "td", "th", "tr", "dd", "dt"):
            self.open.pop()
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag, f"</{tag}> closes something else"


def _curl(*arguments: str) -> str:
    done = subprocess.run(["curl", "--silent", "--show-error", *arguments], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_thirty_real_documents_through_curl(tmp_path: Path) -> None:
    documents = _documents()
    assert len(documents) >= 30
    server = Server(tmp_path / "instance", BYLINE_API_TOKEN=TOKEN, BYLINE_ADMIN_PASSWORD=PASSWORD).start()
    try:
        addresses = {}
        for name, text in documents.items():
            body = tmp_path / "body.json"
            body.write_text(json.dumps({"title": name, "body": text, "status": "published", "tags": ["package"]}))
            status, _, location = _curl(
                "--output", "/dev/null", "--write-out", "%{http_code} %header{location}",
                "--header", f"Authorization: Bearer {TOKEN}", "--json", f"@{body}", f"{server.url}/v1/posts",
            ).partition(" ")  # fmt: skip
            assert status == "201", name
            addresses[name] = location
        browser = server.browser()
        for name, address in addresses.items():
            post = browser.get(address).json()
            assert post["body"] == documents[name].replace("\r\n", "\n").replace("\r", "\n"), name
            page = browser.get(post["url"])
            assert page.status_code == 200, name
            parsed = _Page()
            parsed.feed(page.text)
            assert parsed.dangers == [], name
            assert parsed.data_count == 1, name
        feed = feedparser.parse(browser.get("/feed.xml").content)
        assert not feed.bozo
        assert len(feed.entries) == 20
        assert browser.get("/tags/package").status_code == 200
    finally:
        server.kill()
