"""What was said in a conversation, as its page shows it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import sqlalchemy as sa
from markupsafe import Markup

from auth.principal import Principal
from blog.conversations import guide_queries, queries
from blog.conversations.chain import find_own, read_held_post, withhold
from blog.conversations.model import Conversation, Guide, Message, Passage, Role, State
from blog.conversations.passages import find_changed
from blog.conversations.readable_queries import find_versions, list_texts
from blog.posts.model import ShownPost
from storage import clock
from web.errors import Forbidden

MESSAGES_A_PAGE = 50
# Of the posts that were changed since they were quoted, so many are looked at, and each up to so many characters.
_MOST_LOOKED_AT, _LONGEST_LOOKED_AT = 5, 2_000_000


class Quoted(NamedTuple):
    """A passage, and what has become of the post that it is from."""

    passage: Passage
    is_changed: bool  # since it was quoted


class Entry(NamedTuple):
    """What one side said."""

    message: Message
    html: Markup  # of an answer
    quoted: list[Quoted]
    has_no_answer: bool
    ask_again: str  # the question to ask once more; empty: it was answered, or asked again already

    @property
    def is_question(self) -> bool:
        """Whether the reader said it."""
        return self.message.role == Role.READER

    @property
    def has_failed(self) -> bool:
        """Whether there is a sentence of ours in the place of an answer."""
        return self.message.state == State.FAILED

    @property
    def is_broken_off(self) -> bool:
        """Whether the answer ends before its end."""
        return self.message.state == State.ABANDONED

    @property
    def is_erased(self) -> bool:
        """Whether it went with what it was made of."""
        return self.message.state == State.ERASED

    @property
    def is_withheld(self) -> bool:
        """Whether it quotes what its reader may not read at this moment."""
        return self.message.state == State.WITHHELD


@dataclass(frozen=True, slots=True)
class Transcript:
    """A conversation, as its reader sees it now."""

    conversation: Conversation
    guide: Guide
    # None: not theirs to read or to ask any more; what they wrote themselves is all there is then.
    post: ShownPost | None
    entries: list[Entry]
    earlier: int | None  # the number before which there is more
    closed: str  # why there is no post


def read_transcript(db: sa.Connection, name: str, *, by: Principal, before: int | None = None) -> Transcript:
    """Somebody's own conversation; `before`: what was said before the message of that number. Raises NotFound."""
    owned = find_own(db, name, by=by)
    post, closed = None, ""
    try:
        post = read_held_post(db, owned, by=by)
    except Forbidden as refused:
        closed = refused.detail
    messages = queries.list_last_messages(db, owned.conversation.id, limit=MESSAGES_A_PAGE + 1, before=before)
    earlier = messages[1].number if len(messages) > MESSAGES_A_PAGE else None
    messages = messages[-MESSAGES_A_PAGE:]
    if post is None:
        entries = [Entry(each, Markup(), [], False, "") for each in messages if _is_shown_closed(each)]
    else:
        messages = withhold(db, messages, by=by)
        entries = _entries(messages, _find_changed(db, messages, by=by))
    guide = guide_queries.find_any_guide(db, owned.conversation.guide_id)
    assert guide is not None
    return Transcript(owned.conversation, guide, post, entries, earlier, closed)


def _is_shown_closed(message: Message) -> bool:
    return message.role == Role.READER or message.state == State.ERASED


def _find_changed(db: sa.Connection, messages: Sequence[Message], *, by: Principal) -> set[Passage]:
    """The passages that do not stand as they were quoted any more; two statements at most.

    A post that has another version is looked at, unless there are many of them or it is very long: then it is said of
    all that was quoted of it.
    """
    passages, at = {each for message in messages for each in message.passages}, clock.now()
    versions = find_versions(db, {each.post for each in passages}, by=by, at=at)
    other = {each for each in passages if versions.get(each.post) != each.version}
    posts = {each.post for each in other}
    texts = list_texts(db, posts, by=by, at=at, most=_MOST_LOOKED_AT, longest=_LONGEST_LOOKED_AT)
    return find_changed(other, texts) | {each for each in other if each.post not in texts}


def _entries(messages: Sequence[Message], changed: Collection[Passage]) -> list[Entry]:
    entries = []
    for at, message in enumerate(messages):
        following = messages[at + 1 :]
        is_question = message.role == Role.READER
        has_no_answer = is_question and (not following or following[0].role == Role.READER)
        question = ""
        if has_no_answer or message.state not in (State.DONE, State.WITHHELD):
            before = (each.content for each in reversed(messages[: at + 1]) if each.role == Role.READER)
            question = next(before, "")
        if any(each.role == Role.READER and each.content == question for each in following):
            question = ""
        html = Markup(message.html)  # noqa: S704 - sanitised when it was stored
        quoted = [Quoted(each, each in changed) for each in message.passages]
        entries.append(Entry(message, html, quoted, has_no_answer, question))
    return entries
