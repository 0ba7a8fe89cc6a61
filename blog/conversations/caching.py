"""Read-through caches: what an answer needs, by key, each with the version that it was made from.

The versions that count are those that the ownership query returns, which every use makes anyway: what was made from
another one is a miss, so nothing has to be deleted. Permission is never read from here. Without a server of caches
there is no second copy.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from pydantic import TypeAdapter, ValidationError

from blog.conversations import queries
from blog.conversations.model import Message, Scope

if TYPE_CHECKING:
    from blog.conversations.exchanging import Surroundings
    from storage.cache.holding import Cache

SECONDS = 3600
# How much of what was said last is remembered of a conversation.
LAST = 10

T = TypeVar("T")


class Character(NamedTuple):
    """Who answers, without what only a model reads."""

    id: str
    name: str
    greeting: str
    scope: Scope
    version: int


class Book(NamedTuple):
    """What a post is."""

    title: str
    author: str
    description: str
    tags: tuple[str, ...]


class Session(NamedTuple):
    """What was said."""

    summary: str
    last: tuple[Message, ...]


@dataclass(frozen=True)
class Kept(Generic[T]):
    """A value as it is kept."""

    version: int
    value: T


@dataclass(frozen=True)
class Wanted(Generic[T]):
    """A value that is looked for: under which key, made from which version, and how it is made anew."""

    key: str
    version: int
    form: TypeAdapter[Kept[T]]
    make: Callable[[], T]


TEXT = TypeAdapter(Kept[str])
CHARACTER = TypeAdapter(Kept[Character])
BOOK = TypeAdapter(Kept[Book])
SESSION = TypeAdapter(Kept[Session])


def recall(cache: "Cache | None", wanted: Sequence[Wanted[Any]]) -> list[Any]:
    """These values, in order: from the cache, in one round trip, or made anew, and kept in one more.

    What was made from another version, and what is no such value at all, is made anew. An empty one is not kept.
    """
    held = None if cache is None else cache.get_many([each.key for each in wanted])
    found: list[Any] = []
    fresh: dict[str, bytes] = {}
    for each, data in zip(wanted, held or [None] * len(wanted), strict=True):
        kept = _parse(each, data)
        if kept is None:
            kept = Kept(each.version, each.make())
            if kept.value:
                fresh[each.key] = each.form.dump_json(kept)
        found.append(kept.value)
    if cache is not None and held is not None and fresh:
        cache.set_many(fresh, seconds=SECONDS)
    return found


def session_key(conversation_id: str) -> str:
    """The key of what was said in a conversation."""
    return f"chat:sess:{conversation_id}"


def renew(around: "Surroundings", conversation_id: str, version: int) -> None:
    """Keep what was said in a conversation, which is now of that version."""
    if around.cache is None:
        return
    with around.database.reading() as db:
        conversation = queries.find_conversation(db, conversation_id)
        last = tuple(queries.list_last_messages(db, conversation_id, limit=LAST))
    if conversation is not None and conversation.version == version:
        kept = Kept(version, Session(conversation.summary, last))
        around.cache.set_many({session_key(conversation_id): SESSION.dump_json(kept)}, seconds=SECONDS)


def _parse(wanted: Wanted[T], data: bytes | None) -> Kept[T] | None:
    if data is None:
        return None
    try:
        kept = wanted.form.validate_json(data, strict=True)
    except ValidationError:
        return None
    return kept if kept.version == wanted.version else None
