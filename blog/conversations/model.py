"""The tables of conversations, and what is true of one."""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

import sqlalchemy as sa

from storage.schema import metadata


class Scope(StrEnum):
    """What a guide may quote."""

    POST = "post"
    BLOG = "blog"  # as far as the reader may read it


class Role(StrEnum):
    """Who says something."""

    READER = "reader"
    GUIDE = "guide"


class State(StrEnum):
    """What became of a message."""

    DONE = "done"
    ABANDONED = "abandoned"  # the reader went away, or the server did: what was said until then is there
    FAILED = "failed"
    ERASED = "erased"  # empty: what it was made of went with its author's account
    WITHHELD = "withheld"  # never stored: empty for now, since it quotes what its reader may not read at this moment


class Part(StrEnum):
    """What a conversation keeps of its answers: the column of that name."""

    PREVIEW = "preview"
    SUMMARY = "summary"


guides_table = sa.Table(
    "guides",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),  # UUID
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("system_prompt", sa.Text, nullable=False),  # only a model reads it
    sa.Column("greeting", sa.Text, nullable=False),
    sa.Column("scope", sa.Text, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("created_at", sa.Integer, nullable=False),
    sa.Column("retired_at", sa.Integer),  # NULL: it can be chosen
)

conversations_table = sa.Table(
    "conversations",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),  # UUID, made by the browser
    sa.Column("user_id", sa.Integer, sa.ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    sa.Column("guide_id", sa.Text, sa.ForeignKey("guides.id"), nullable=False),
    sa.Column("post_id", sa.Text, sa.ForeignKey("posts.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("message_count", sa.Integer, nullable=False),  # of both sides
    sa.Column("preview", sa.Text, nullable=False),  # the beginning of the last answer that says a word
    sa.Column("is_archived", sa.Boolean, nullable=False),
    sa.Column("turn", sa.Integer, nullable=False),  # raised by each question: an answer to an earlier one is too late
    sa.Column("summary", sa.Text, nullable=False),
    sa.Column("summary_count", sa.Integer, nullable=False),  # how many messages it sums up
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("created_at", sa.Integer, nullable=False),
    sa.Column("updated_at", sa.Integer, nullable=False),
    sa.Index("ix_conversations_listed", "user_id", "is_archived", "updated_at", "id"),
)

messages_table = sa.Table(
    "messages",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),  # UUID
    sa.Column("conversation_id", sa.Text, sa.ForeignKey("conversations.id", ondelete="CASCADE"), nullable=False),
    sa.Column("number", sa.Integer, nullable=False),  # from 1, in the order they were said
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("content", sa.Text, nullable=False),
    sa.Column("html", sa.Text, nullable=False),  # made of the content as untrusted Markdown
    sa.Column("passages", sa.Text, nullable=False),  # JSON
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("created_at", sa.Integer, nullable=False),
    sa.UniqueConstraint("conversation_id", "number"),
)


# Of which posts a preview or a summary was made: with one that its reader may not read now it is not for them.
conversation_sources_table = sa.Table(
    "conversation_sources",
    metadata,
    sa.Column("conversation_id", sa.Text, sa.ForeignKey("conversations.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("part", sa.Text, primary_key=True),
    sa.Column("post_id", sa.Text, sa.ForeignKey("posts.id", ondelete="CASCADE"), primary_key=True, index=True),
    sqlite_with_rowid=False,
)


@dataclass(frozen=True, slots=True)
class Guide:
    """Who answers."""

    id: str
    name: str
    system_prompt: str
    greeting: str
    scope: Scope
    version: int
    retired_at: int | None


@dataclass(frozen=True, slots=True)
class Conversation:
    """One reader's talk with one post."""

    id: str
    user_id: int
    guide_id: str
    post_id: str
    title: str
    message_count: int
    preview: str
    is_archived: bool
    turn: int
    summary: str
    summary_count: int
    version: int
    created_at: int
    updated_at: int


class Passage(NamedTuple):
    """A place in a post that an answer quotes."""

    number: int
    post: str  # its id
    title: str
    heading: str
    url: str
    quote: str
    version: int  # of the post, when it was quoted


@dataclass(frozen=True, slots=True)
class Message:
    """What one side said."""

    id: str
    number: int
    role: Role
    content: str
    html: str
    passages: tuple[Passage, ...]
    state: State
    created_at: int
