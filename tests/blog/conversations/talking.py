"""What tests of conversations share: a post with something to ask, and reading what is streamed."""

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from auth.permissions import Scope
from blog.conversations.answering import Prompt, Silent
from blog.library.holding import grant, withdraw
from blog.posts.model import Post
from storage.ids import new_id
from tests.support import Client, Site

BODY = """Before the first heading.

## Harbour

The lighthouse of the harbour was built in 1857 by the fishermen themselves.

## Weather

Storms come from the west in November, and stay for a week.
"""
QUESTION = "Who built the lighthouse of the harbour?"


class Event(NamedTuple):
    name: str
    data: dict[str, Any]


def events_in(text: str) -> list[Event]:
    """What a stream holds; heartbeats apart."""
    found = []
    for block in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if fields:
            found.append(Event(fields["event"], json.loads(fields["data"])))
    return found


def program(site: Site, name: str = "rita", *scopes: Scope) -> Client:
    """Somebody's program, whose token may converse and nothing else."""
    return site.client(token=site.token(name, *(scopes or (Scope.CONVERSATIONS,))))


def harbour(site: Site, by: str = "alan", **values: Any) -> Post:
    """A post with something to ask."""
    return site.post(by, **{"title": "The harbour", "slug": "harbour", "body": BODY} | values)


def begin(client: Client, post: str = "harbour", *, save: bool = True) -> str:
    """Save the post and begin a conversation with it: its id."""
    if save:
        assert client.post("/v1/library", json={"post": post}).status_code in (200, 201)
    conversation = new_id()
    answer = client.put(f"/v1/conversations/{conversation}", json={"post": post})
    assert answer.status_code == 201, answer.text
    return conversation


def ask(client: Client, conversation: str, content: str = QUESTION, *, accept: str = "application/json") -> Any:
    """Ask, and wait for the whole answer."""
    path = f"/v1/conversations/{conversation}/messages"
    return client.post(path, json={"content": content}, headers={"Accept": accept})


def messages(client: Client, conversation: str) -> list[dict[str, Any]]:
    answer = client.get(f"/v1/conversations/{conversation}/messages")
    assert answer.status_code == 200, answer.text
    assert answer.json is not None
    items: list[dict[str, Any]] = answer.json["items"]
    return items


def give(site: Site, post: Post, name: str = "rita", by: str = "alan") -> None:
    with site.database.transaction() as db:
        grant(db, post.id, name, by=site.principal(by))


def take_back(site: Site, post: Post, name: str = "rita", by: str = "alan") -> None:
    with site.database.transaction() as db:
        withdraw(db, post.id, name, by=site.principal(by))


class Scripted:
    """Answers what it was told to; a function among the pieces is called when its turn comes."""

    def __init__(self, *pieces: Any) -> None:
        self.pieces, self.prompts = pieces, list[Prompt]()

    def answer(self, prompt: Prompt) -> Iterator[str | None]:
        self.prompts.append(prompt)
        for piece in self.pieces:
            if callable(piece):
                piece()
            elif isinstance(piece, Silent):
                raise piece
            else:
                yield piece

    def rewrite(self, question: str, last: Any) -> str:
        return question

    def summarise(self, former: str, said: Any) -> str | None:
        return None


def answers_with(site: Site, *pieces: Any) -> Scripted:
    """Let that site be answered by a script."""
    from dataclasses import replace

    scripted = Scripted(*pieces)
    site.app.extensions["conversations"] = replace(site.app.extensions["conversations"], answerer=scripted)
    return scripted
