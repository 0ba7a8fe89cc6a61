"""What a conversation has come to, renewed after every ten messages: by a model, or as an extract."""

from collections.abc import Mapping, Sequence
from typing import Any

from blog.conversations import queries
from blog.conversations.answering import Answerer, Silent
from blog.conversations.chain import find_reader, withhold, without_unreadable
from blog.conversations.model import Message, Part, Role, State
from blog.conversations.readable_queries import list_sources
from storage.engine import Database

SUMMARISE = "conversation.summarise"
_EVERY = 10
_LONGEST = 2000
_LONGEST_LINE = 160
_LOOKED_AT = 60


def is_due(message_count: int, summary_count: int) -> bool:
    """Whether the count has come to or past a multiple of ten since the summary was made."""
    return message_count // _EVERY > summary_count // _EVERY


def summarise(database: Database, payload: Mapping[str, Any], *, answerer: Answerer) -> int | None:
    """The job. Safe to run twice: an older summary never replaces a newer one.

    Nobody is told, and nothing is kept, of what its reader may not read any more.
    """
    conversation_id = str(payload["conversation"])
    with database.reading() as db:
        conversation = queries.find_conversation(db, conversation_id)
        if conversation is None or not is_due(conversation.message_count, conversation.summary_count):
            return None
        reader = find_reader(db, conversation)
        if reader is None:
            return None
        former = without_unreadable(db, conversation, by=reader).summary
        last = withhold(db, queries.list_last_messages(db, conversation_id, limit=_LOOKED_AT), by=reader)
        sources = {passage.post for message in last for passage in message.passages}
        if former:
            sources |= list_sources(db, conversation_id, Part.SUMMARY)
    count = conversation.message_count
    try:
        summary = answerer.summarise(former, last) or extract(last)
    except Silent:
        summary = extract(last)
    with database.transaction() as db:
        if find_reader(db, conversation) is not None:
            queries.set_summary(db, conversation_id, summary=summary[:_LONGEST], sources=sources, count=count)
    return None


def extract(messages: Sequence[Message]) -> str:
    """The questions in the reader's words, each with where its answer was found."""
    lines: list[str] = []
    for message in messages:
        if message.role == Role.READER:
            lines.append(f"Asked: {_one_line(message.content)}")
        elif message.state == State.DONE and message.passages:
            found = dict.fromkeys(passage.heading or passage.title for passage in message.passages[:3])
            lines.append(f"Found in: {_one_line('; '.join(found))}")
    text = "\n".join(lines)
    # The end of it: what was asked last is what the next question goes on from.
    return text if len(text) <= _LONGEST else text[-_LONGEST:].partition("\n")[2]


def _one_line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST_LINE else f"{line[:_LONGEST_LINE].rpartition(' ')[0]} …"
