"""What a question means in its context: a narrative form of it, and keywords to look for. The same is asked once."""

import hashlib
from collections.abc import Sequence

from blog.conversations.model import Message
from blog.conversations.ranking import keywords

# How much of what was said before gives a question its meaning.
CONTEXT = 4
_MOST_KEYWORDS = 24


def key_of(question: str, last: Sequence[Message]) -> str:
    """The key of a question in its context: the same words after the same messages have the same."""
    said = [question, *(f"{message.role}: {message.content}" for message in last[-CONTEXT:])]
    return hashlib.sha256("\x00".join(said).encode()).hexdigest()[:16]


def to_look_for(narrative: str) -> tuple[str, ...]:
    """What is looked for: the keywords of the narrative form of a question."""
    return tuple(keywords(narrative)[:_MOST_KEYWORDS])
