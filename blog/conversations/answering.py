"""What an answerer is, and the one that needs nothing: it quotes."""

import string
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from blog.conversations.model import Guide, Message, Passage

_NOTHING = "I found nothing in this text that answers that. Ask with other words, or look through the text itself."
_NOTHING_IN_BLOG = "I found nothing here that answers that. Ask with other words, or look with the search."
# Punctuation, without what means nothing in any Markdown.
_MARKS = frozenset(string.punctuation) - frozenset(",;?'\"%")


class Silent(Exception):
    """No answer came; the sentence is for the reader, and their question is kept."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


@dataclass(frozen=True, slots=True)
class Prompt:
    """Everything that an answer is made of."""

    guide: Guide
    title: str  # of the post
    passages: Sequence[Passage]
    summary: str
    last: Sequence[Message]  # before the question
    question: str
    author: str = ""
    description: str = ""  # of the post
    tags: Sequence[str] = ()


class Answerer(Protocol):
    """Makes an answer, piece by piece."""

    def answer(self, prompt: Prompt) -> Iterator[str | None]:
        """The pieces; None while there is nothing new, several times in a second or two. Raises Silent."""

    def rewrite(self, question: str, last: Sequence[Message]) -> str:
        """What the question means in its context, in words that can be looked for. Raises Silent."""

    def summarise(self, former: str, messages: Sequence[Message]) -> str | None:
        """What was said until now, after a former summary; None where nobody puts it into words. Raises Silent."""


class Quoting:
    """Answers with the passages themselves, and says so."""

    def answer(self, prompt: Prompt) -> Iterator[str | None]:
        """See `Answerer`."""
        if not prompt.passages:
            yield _NOTHING if prompt.guide.scope == "post" else _NOTHING_IN_BLOG
            return
        yield "These passages say the most about that:\n\n"
        for passage in prompt.passages[:3]:
            where = passage.heading or passage.title
            yield f"> {_plain(passage.quote)}\n\n[\\[{passage.number}\\] {_plain(where)}]({passage.url})\n\n"

    def rewrite(self, question: str, last: Sequence[Message]) -> str:
        """See `Answerer`: with what was asked just before, for a question that begins with “and”."""
        before = next((message.content for message in reversed(last) if message.role == "reader"), "")
        return f"{question}\n{before}" if len(question.split()) < 4 else question

    def summarise(self, former: str, messages: Sequence[Message]) -> str | None:  # noqa: ARG002 - Answerer's signature
        """See `Answerer`."""
        return None


def _plain(text: str) -> str:
    """Text that Markdown takes for nothing but text, in one line."""
    line = " ".join(text.splitlines())
    return "".join(f"\\{character}" if character in _MARKS else character for character in line)
