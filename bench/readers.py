"""Readers who hold a post, each with a token and a conversation, and what they hear when they ask."""

import json
import socket
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from urllib.parse import urlsplit

import sqlalchemy as sa

from auth.permissions import Role
from auth.permissions import Scope as TokenScope
from auth.principal import Principal
from auth.tokens.issuing import issue
from auth.users.registering import register
from blog.conversations.model import Scope, guides_table
from blog.conversations.owning import open_conversation
from blog.library.holding import save
from eventlog.actors import command_line
from storage import clock
from storage.engine import Database
from storage.ids import new_id

ASKED = "post-1"
_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody who may ask."""

    token: str
    conversations: dict[Scope, str]


class Refused(Exception):
    """All places for streams are taken."""


def add_readers(folder: Path, count: int) -> list[Reader]:
    """So many, each with a conversation about one post and one about the whole blog."""
    database = Database(folder / "byline.db", readers=1)
    try:
        with database.transaction() as db:
            guides = {scope: new_id() for scope in Scope}
            said = {
                "name": "Bench",
                "system_prompt": "Answer.",
                "greeting": "",
                "version": 1,
                "created_at": clock.now(),
            }
            values = [{"id": guide_id, "scope": scope, **said} for scope, guide_id in guides.items()]
            db.execute(sa.insert(guides_table), values)
            return [_add_reader(db, f"reader-{number}", guides) for number in range(count)]
    finally:
        database.close()


def _add_reader(db: sa.Connection, name: str, guides: dict[Scope, str]) -> Reader:
    user_id = register(db, name, role=Role.READER, password_hash=None, by=command_line())
    who = Principal(user_id=user_id, username=name, role=Role.READER, session_id="0.0")
    save(db, ASKED, by=who)
    conversations = {}
    for scope, guide in guides.items():
        conversation, _is_new = open_conversation(db, new_id(), post=ASKED, guide=guide, title=None, by=who)
        conversations[scope] = conversation.id
    scopes = (TokenScope.CONVERSATIONS, TokenScope.POSTS_READ)
    return Reader(issue(db, name, scopes=scopes, by=command_line()), conversations)


def hear(url: str, reader: Reader, scope: Scope, question: str) -> Iterator[tuple[str, float]]:
    """What is said to a question: the name of each event, and how many milliseconds after the question it came.

    Raises Refused while no place is free.
    """
    address = urlsplit(url)
    with closing(HTTPConnection(address.hostname or "", address.port, timeout=_SECONDS)) as connection:
        connection.connect()
        connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        began = time.perf_counter()
        path = f"/v1/conversations/{reader.conversations[scope]}/messages"
        headers = {
            "Authorization": f"Bearer {reader.token}",
            "Content-Type": "application/json",
            "Accept": "text/event-stream",
        }
        connection.request("POST", path, json.dumps({"content": question}), headers)
        response = connection.getresponse()
        if response.status == 503:
            raise Refused
        if response.status != 200:
            raise RuntimeError(f"A question was answered with {response.status}: {response.read(500)!r}")
        for name in _events(response):
            yield name, (time.perf_counter() - began) * 1000


def _events(response: HTTPResponse) -> Iterator[str]:
    while line := response.readline():
        if line.startswith(b"event: "):
            yield line[7:].strip().decode()
