"""Who may keep an answer, whatever its view has said of it."""

import pytest
from flask import Flask, Response

from web.caching import init_caching, mark_private


@pytest.fixture
def app() -> Flask:
    made = Flask("small")
    init_caching(made)

    @made.get("/<name>")
    def said(name: str) -> Response:
        answer = Response("x")
        if name == "own":
            answer.headers["cache-control"] = "no-store"
        elif name == "private":
            answer.headers["Cache-Control"] = "public, max-age=60"
            mark_private()
        return answer

    return made


@pytest.mark.parametrize(
    ("name", "kept", "varies"),
    [
        ("plain", ["public, no-cache"], ["Cookie, Accept-Encoding"]),
        ("own", ["no-store"], []),
        ("private", ["private, no-store"], ["Cookie"]),
    ],
)
def test_it_is_said_once_and_by_whoever_knows_best(app: Flask, name: str, kept: list[str], varies: list[str]) -> None:
    headers = app.test_client().get(f"/{name}").headers
    assert headers.getlist("Cache-Control") == kept
    assert headers.getlist("Vary") == varies
