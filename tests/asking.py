"""Every route of the site, as questions that a test can ask."""

import re
import tempfile
from dataclasses import dataclass
from typing import Any

from werkzeug.test import TestResponse

from app import create_app
from storage.upgrading import upgrade
from tests.support import SECRET, Client
from web.settings import load_settings

_ARGUMENTS = {
    "number": "1",
    "old": "1",
    "new": "2",
    "filename": "site.css",
    "post_id": "6f1cbd5e-8a3c-4a7e-9d55-0e9b0a0c0d01",
}
_MACHINES = ("/healthz", "/readyz", "/favicon.ico", "/static/")


@dataclass(frozen=True)
class Route:
    """A path, and the methods that it takes."""

    path: str
    methods: frozenset[str]


@dataclass(frozen=True)
class Question:
    """A path, asked with a method that it takes."""

    method: str
    path: str

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def is_for_machines(self) -> bool:
        """Whether nobody is ever looked for behind it: health, and what never differs."""
        return self.path.startswith(_MACHINES)

    def ask(self, client: Client, **more: Any) -> TestResponse:
        """The answer."""
        return client.open(self.path, method=self.method, **more)


def _read_routes() -> list[Route]:
    with tempfile.TemporaryDirectory() as folder:
        settings = load_settings({"BYLINE_INSTANCE": folder, "SECRET_KEY": SECRET})
        upgrade(settings.database_path)
        app = create_app(settings, testing=True)
        app.extensions["database"].close()
    return [
        Route(
            re.sub(r"<(?:\w+:)?(\w+)>", lambda name: _ARGUMENTS.get(name[1], "nothing"), rule.rule),
            frozenset(rule.methods or ()),
        )
        for rule in app.url_map.iter_rules()
    ]


ROUTES = _read_routes()


def questions() -> list[Question]:
    """Each route with each of its methods."""
    return sorted({Question(method, route.path) for route in ROUTES for method in route.methods}, key=str)


def questions_of_people() -> list[Question]:
    """Those where it matters who asks."""
    return [question for question in questions() if not question.is_for_machines]
