"""No process ever answers with an older page than what was acknowledged: two of them, 200 connections that never rest."""

import asyncio
import json
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.support import SECRET, Server

CONNECTIONS = 200
# And how many of the connections ask at the same time: the writer has to get through.
ROUNDS, AT_ONCE = 1_000, 8
ROUNDS_OF_A_SOAK, AT_ONCE_IN_A_SOAK = 10_000, CONNECTIONS
PATHS = ("/", "/posts/changing", "/feed.xml")
TOKEN = "byl_" + "t" * 43
_ROUND = re.compile(rb"Round (\d+)\.")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    running = Server(tmp_path / "instance", processes=2, SECRET_KEY=SECRET, BYLINE_API_TOKEN=TOKEN).start()
    yield running
    running.kill()


@dataclass
class Hammer:
    """Readers and one writer; what is acknowledged is the least that a reader who asks afterwards may see."""

    port: int
    at_once: asyncio.Semaphore
    acknowledged: int = 0
    is_over: bool = False
    stale: list[str] = field(default_factory=list)
    answered: int = 0
    post_id: str = ""

    async def run(self, rounds: int) -> None:
        writer = await Connection.open(self.port)
        made = {"title": "Round 0.", "slug": "changing", "body": "Words", "status": "published", "tags": ["one"]}
        self.post_id = json.loads(await writer.ask("POST", "/v1/posts", made))["id"]
        readers = [asyncio.create_task(self.read(random.Random(number))) for number in range(CONNECTIONS)]
        for number in range(1, rounds + 1):
            await self.write(writer, number)
            self.acknowledged = number
        self.is_over = True
        await asyncio.gather(*readers)
        writer.close()

    async def write(self, writer: "Connection", number: int) -> None:
        """Every third time by way of a draft, which is nowhere."""
        path = f"/v1/posts/{self.post_id}"
        if number % 3 == 0:
            await writer.ask("PATCH", path, {"status": "draft"})
        await writer.ask("PATCH", path, {"title": f"Round {number}.", "status": "published"})

    async def read(self, dice: random.Random) -> None:
        connection = await Connection.open(self.port)
        while not self.is_over:
            async with self.at_once:
                path, floor = dice.choice(PATHS), self.acknowledged
                page = await connection.ask("GET", path)
            seen = [int(found) for found in _ROUND.findall(page)]
            # While it is a draft there is none.
            if seen and min(seen) < floor:
                self.stale.append(f"{path} showed {min(seen)} after {floor}")
            self.answered += 1
        connection.close()


class Connection:
    """One that is kept."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def open(cls, port: int) -> "Connection":
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    def close(self) -> None:
        self._writer.close()

    async def ask(self, method: str, path: str, body: object = None) -> bytes:
        headers = ""
        sent = b"" if body is None else json.dumps(body).encode()
        if body is not None:
            headers = f"Authorization: Bearer {TOKEN}\r\nContent-Type: application/json\r\n"
            headers += f"Content-Length: {len(sent)}\r\n"
        self._writer.write(f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n".encode() + sent)
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"Content-Length: (\d+)", head)
        assert length is not None, head
        answer = await self._reader.readexactly(int(length[1]))
        assert head[9:12] in ((b"200", b"404") if method == "GET" else (b"200", b"201")), head + answer
        return answer


def test_no_answer_that_starts_after_a_write_shows_what_was_before(server: Server, soak: bool) -> None:
    hammer = Hammer(int(server.environment["PORT"]), asyncio.Semaphore(AT_ONCE_IN_A_SOAK if soak else AT_ONCE))
    asyncio.run(hammer.run(ROUNDS_OF_A_SOAK if soak else ROUNDS))
    assert hammer.stale == []
    assert hammer.answered > CONNECTIONS
