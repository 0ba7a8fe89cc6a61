"""What an exchange is: what it is done with, what is known of it, and the pieces it is told in."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from auth.principal import Principal
from blog.conversations.answering import Answerer
from blog.conversations.model import Conversation, Message, Passage
from blog.posts.model import ShownPost
from storage import clock
from storage.cache.holding import Cache
from storage.cache.memory import MemoryCache
from storage.engine import Database
from storage.errors import Busy
from storage.locks.holding import Locks
from web.sse import Places

# Of the threads of one process, so many may be held by answers; and by those to one person.
MOST_STREAMS = 40
MOST_STREAMS_EACH = 5
# So many of those who may wait for their turn to write: the rest is for pages.
_WRITERS = 3
_WAIT_SECONDS = 5.0
# Rewritten questions that one process remembers where no server of caches does.
_REMEMBERED = 1000


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What exchanges are done with, in one process."""

    database: Database
    locks: Locks
    answerer: Answerer
    own_host: str | None
    base_url: str
    cache: Cache | None = None  # what several processes share; None: nothing
    places: Places = field(default_factory=lambda: Places(MOST_STREAMS, each=MOST_STREAMS_EACH))
    remembered: Cache = field(default_factory=lambda: MemoryCache(_REMEMBERED))
    writing: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(_WRITERS))

    @contextmanager
    def transaction(self, *, is_checked: bool = True) -> Iterator[sa.Connection]:
        """As the database's; however many exchanges end at once, others can write in between. Raises Busy, Full."""
        if not self.writing.acquire(timeout=_WAIT_SECONDS):
            raise Busy("Too many exchanges are waiting to be written.")
        try:
            with self.database.transaction(is_checked=is_checked) as db:
                yield db
        finally:
            self.writing.release()


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question that is stored, and whose answer is to come."""

    conversation: Conversation  # as it was before the question
    guide_version: int
    post: ShownPost
    question: Message
    turn: int
    lock_name: str
    lock_token: str
    by: Principal
    held: ExitStack = field(default_factory=ExitStack)  # the lock and the place; closed when it is over


@dataclass(frozen=True, slots=True)
class Said:
    """A piece of an answer: `accepted`, `passage`, `delta`, `done`, `error`, or `waiting`: there is nothing new."""

    event: str
    data: dict[str, Any]


def message_as_json(message: Message, base_url: str) -> dict[str, Any]:
    """What was said, as the API shows it."""
    return {
        "id": message.id,
        "role": message.role,
        "content": message.content,
        "html": message.html,
        "passages": [passage_as_json(passage, base_url) for passage in message.passages],
        "state": message.state,
        "created_at": clock.to_rfc3339(message.created_at),
    }


def passage_as_json(passage: Passage, base_url: str) -> dict[str, Any]:
    """A place that is quoted, as the API shows it."""
    return {
        "number": passage.number,
        "post": passage.post,
        "title": passage.title,
        "heading": passage.heading,
        "url": f"{base_url}{passage.url}",
        "quote": passage.quote,
    }
