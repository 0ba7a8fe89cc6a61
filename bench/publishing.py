"""One author who publishes by form again and again."""

import os
import re
import time
from pathlib import Path
from uuid import uuid4

import requests

from bench.posts import PASSWORD, USERNAME


class Publishing:
    """A browser that is signed in."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._browser = requests.Session()
        token = self._token("/login")
        fields = {"username": USERNAME, "password": PASSWORD, "remember": "y", "csrf_token": token}
        self._browser.post(f"{url}/login", data=fields, timeout=30, allow_redirects=False)
        self._new_token = self._token("/new")

    @property
    def cookie(self) -> str:
        """The session's."""
        return str(self._browser.cookies["session"])

    def publish(self) -> None:
        """One post."""
        fields = {"title": f"News {uuid4()}", "body": "Words. " * 200, "status": "published", "tags": "news"}
        fields |= {"csrf_token": self._new_token, "submission": str(uuid4())}
        files = {name: (None, value) for name, value in fields.items()}
        answer = self._browser.post(f"{self._url}/new", files=files, timeout=30, allow_redirects=False)
        if answer.status_code != 303:
            raise RuntimeError(f"Publishing was answered with {answer.status_code}.")

    def _token(self, path: str) -> str:
        found = re.search(
            r'name="csrf_token"[^>]*value="([^"]+)"', self._browser.get(self._url + path, timeout=30).text
        )
        assert found is not None
        return found[1]


def publish_milliseconds(client: Publishing) -> float:
    """How long one publication took."""
    began = time.perf_counter()
    client.publish()
    return (time.perf_counter() - began) * 1000


def fsync_milliseconds(folder: Path) -> float:
    """How long this disk takes to keep four kilobytes for certain."""
    with (folder / "synced").open("ab") as file:
        file.write(b"x" * 4096)
        file.flush()
        began = time.perf_counter()
        os.fsync(file.fileno())
        return (time.perf_counter() - began) * 1000
