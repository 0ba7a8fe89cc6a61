"""One author who publishes by form again and again."""

import os
import re
import time
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit
from uuid import uuid4

import requests

from bench.posts import PASSWORD, USERNAME


class Publishing:
    """A browser that is signed in."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._browser = requests.Session()
        self._connection = HTTPConnection(urlsplit(url).netloc, timeout=30)
        token = self._token("/login")
        fields = {"username": USERNAME, "password": PASSWORD, "remember": "y", "csrf_token": token}
        self._browser.post(f"{url}/login", data=fields, timeout=30, allow_redirects=False)
        self._new_token = self._token("/new")

    @property
    def cookie(self) -> str:
        """The session's."""
        return str(self._browser.cookies["session"])

    def publish(self) -> float:
        """Publish one post, and say how many milliseconds passed from sending the form to having read the answer.

        The form is written before: a client in Python takes as long for that as a tenth of what the server does.
        """
        fields = {"title": f"News {uuid4()}", "body": "Words. " * 200, "status": "published", "tags": "news"}
        fields |= {"csrf_token": self._new_token, "submission": str(uuid4())}
        files = {name: (None, value) for name, value in fields.items()}
        form = self._browser.prepare_request(requests.Request("POST", f"{self._url}/new", files=files))
        began = time.perf_counter()
        self._connection.request("POST", "/new", body=cast("bytes", form.body), headers=dict(form.headers))
        answer = self._connection.getresponse()
        answer.read()
        took = time.perf_counter() - began
        if answer.status != HTTPStatus.SEE_OTHER:
            raise RuntimeError(f"Publishing was answered with {answer.status}.")
        return took * 1000

    def _token(self, path: str) -> str:
        found = re.search(
            r'name="csrf_token"[^>]*value="([^"]+)"', self._browser.get(self._url + path, timeout=30).text
        )
        assert found is not None
        return found[1]


def fsync_milliseconds(folder: Path) -> float:
    """How long this disk takes to keep four kilobytes for certain."""
    with (folder / "synced").open("ab") as file:
        file.write(b"x" * 4096)
        file.flush()
        began = time.perf_counter()
        os.fsync(file.fileno())
        return (time.perf_counter() - began) * 1000
