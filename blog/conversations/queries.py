"""Every statement about conversations. A stranger's conversation is not found."""

import json
from collections.abc import Iterable
from typing import Any, NamedTuple

import sqlalchemy as sa

from auth.principal import Principal
from blog.conversations.model import (
    Conversation,
    Message,
    Part,
    Passage,
    Role,
    State,
    conversations_table,
    guides_table,
    messages_table,
)
from blog.conversations.readable_queries import is_readable, may_read, set_sources
from blog.posts.model import Held, library_table, posts_table
from web.cursors import Cursor

_c, _g, _m, _p, _h = conversations_table.c, guides_table.c, messages_table.c, posts_table.c, library_table.c
_CONVERSATION = [_c[name] for name in Conversation.__dataclass_fields__]
_MESSAGE = [_m[name] for name in Message.__dataclass_fields__]


class Ended(NamedTuple):
    """What a conversation is once an answer was counted."""

    message_count: int
    version: int


class Owned(NamedTuple):
    """A conversation of somebody's own, with what its use depends on, and the versions of what it is made with."""

    conversation: Conversation
    guide_version: int
    post_version: int
    held: Held | None  # how its reader holds the post now; None: not any more


def find_owned(db: sa.Connection, conversation_id: str, *, user_id: int | None) -> Owned | None:
    """The conversation, if it is theirs, and whether they hold its post. One statement."""
    holding = sa.and_(_h.post_id == _c.post_id, _h.user_id == _c.user_id)
    joined = (
        conversations_table.join(guides_table, _g.id == _c.guide_id)
        .join(posts_table, _p.id == _c.post_id)
        .outerjoin(library_table, holding)
    )
    query = sa.select(*_CONVERSATION, _g.version, _p.version, _p.author_id, _h.source).select_from(joined)
    row = db.execute(query.where(_c.id == conversation_id, _c.user_id == user_id)).one_or_none()
    if row is None:
        return None
    end = len(_CONVERSATION)
    guide_version, post_version, author_id, source = row[end:]
    held = Held.OWN if author_id == user_id else None if source is None else Held(source)
    return Owned(Conversation(*row[:end]), guide_version, post_version, held)


def is_taken(db: sa.Connection, conversation_id: str) -> bool:
    """Whether anybody has a conversation of that id."""
    return db.execute(sa.select(_c.id).where(_c.id == conversation_id)).first() is not None


def insert_conversation(db: sa.Connection, conversation: Conversation) -> None:
    """Store a new one."""
    values = {name: getattr(conversation, name) for name in Conversation.__dataclass_fields__}
    db.execute(sa.insert(conversations_table).values(**values))


def change_conversation(
    db: sa.Connection, conversation_id: str, *, user_id: int | None, at: int, **values: Any
) -> bool:
    """Set some of title and archive; whether it is theirs."""
    is_this = sa.and_(_c.id == conversation_id, _c.user_id == user_id)
    changed = sa.update(conversations_table).where(is_this).values(updated_at=at, version=_c.version + 1, **values)
    return db.execute(changed).rowcount == 1


def list_conversations(
    db: sa.Connection,
    *,
    by: Principal,
    at: int,
    is_archived: bool,
    limit: int,
    before: Cursor | None = None,
    post_id: str | None = None,
) -> list[Conversation]:
    """One's own, the last used first, or those about one post; without what is not for them to read at this moment."""
    holding = sa.and_(_h.post_id == _c.post_id, _h.user_id == _c.user_id)
    is_held = sa.or_(_h.source.is_not(None), _p.author_id == by.user_id)
    joined = conversations_table.join(posts_table, _p.id == _c.post_id).outerjoin(library_table, holding)
    is_open = sa.and_(is_held, may_read(by, at))
    shown = {str(part): sa.and_(is_open, is_readable(part, by, at)) for part in Part}
    columns = [sa.case((shown[each.name], each), else_="") if each.name in shown else each for each in _CONVERSATION]
    query = sa.select(*columns).select_from(joined).where(_c.user_id == by.user_id, _c.is_archived == is_archived)
    if post_id is not None:
        query = query.where(_c.post_id == post_id)
    if before is not None:
        query = query.where(sa.tuple_(_c.updated_at, _c.id) < sa.tuple_(before.at, before.id))
    rows = db.execute(query.order_by(_c.updated_at.desc(), _c.id.desc()).limit(limit))
    return [Conversation(*row) for row in rows]


def list_messages(db: sa.Connection, conversation_id: str, *, limit: int, after: int = 0) -> list[Message]:
    """What was said, in order, from the one behind the number `after` on."""
    query = sa.select(*_MESSAGE).where(_m.conversation_id == conversation_id, _m.number > after)
    return [_to_message(row) for row in db.execute(query.order_by(_m.number).limit(limit))]


def list_last_messages(
    db: sa.Connection, conversation_id: str, *, limit: int, before: int | None = None
) -> list[Message]:
    """The last that was said, in order; `before`: of what stands before that number."""
    query = sa.select(*_MESSAGE).where(_m.conversation_id == conversation_id)
    if before is not None:
        query = query.where(_m.number < before)
    query = query.order_by(_m.number.desc()).limit(limit)
    return [_to_message(row) for row in db.execute(query)][::-1]


def raise_turn(db: sa.Connection, conversation_id: str, *, user_id: int | None, title: str, at: int) -> int | None:
    """A new turn, whose question is being stored: its number. None when the conversation is not theirs."""
    is_this = sa.and_(_c.id == conversation_id, _c.user_id == user_id)
    values = {"turn": _c.turn + 1, "message_count": _c.message_count + 1, "version": _c.version + 1, "updated_at": at}
    values["title"] = title
    raised = sa.update(conversations_table).where(is_this).values(values).returning(_c.turn)
    return db.execute(raised).scalar_one_or_none()


def end_turn(
    db: sa.Connection, conversation_id: str, *, turn: int, preview: str, sources: Iterable[str], at: int
) -> Ended | None:
    """Count the answer of that turn, and say what there is now. None when another turn has begun since.

    `sources`: the posts that the preview was made of. An empty preview leaves the former one.
    """
    is_mine = sa.and_(_c.id == conversation_id, _c.turn == turn)
    values = {"message_count": _c.message_count + 1, "version": _c.version + 1, "updated_at": at}
    if preview:
        values["preview"] = preview
    ended = sa.update(conversations_table).where(is_mine).values(values).returning(_c.message_count, _c.version)
    row = db.execute(ended).one_or_none()
    if row is None:
        return None
    if preview:
        set_sources(db, conversation_id, Part.PREVIEW, sources)
    return Ended._make(row)


def insert_message(db: sa.Connection, conversation_id: str, message: Message, *, number: int | None = None) -> None:
    """Store what was said, under that number if one is given."""
    values = {name: getattr(message, name) for name in Message.__dataclass_fields__}
    values |= {
        "passages": json.dumps([passage._asdict() for passage in message.passages]),
        "conversation_id": conversation_id,
    }
    if number is not None:
        values["number"] = number
    db.execute(sa.insert(messages_table).values(**values))


def next_number(db: sa.Connection, conversation_id: str) -> int:
    """The number of the next message."""
    last = db.execute(sa.select(sa.func.max(_m.number)).where(_m.conversation_id == conversation_id)).scalar_one()
    return (last or 0) + 1


def count_questions_since(db: sa.Connection, user_id: int | None, *, since: int) -> int:
    """How many questions a person has asked since then; not those whose answer failed."""
    answer = messages_table.alias()
    is_answer = sa.and_(answer.c.conversation_id == _m.conversation_id, answer.c.number == _m.number + 1)
    has_failed = sa.exists().where(is_answer, answer.c.role == Role.GUIDE, answer.c.state == State.FAILED)
    joined = messages_table.join(conversations_table, _c.id == _m.conversation_id)
    query = sa.select(sa.func.count()).select_from(joined)
    # A conversation that was not touched since holds none: those need not be looked through.
    query = query.where(_c.user_id == user_id, _c.updated_at >= since)
    query = query.where(_m.role == Role.READER, _m.created_at >= since, ~has_failed)
    return int(db.execute(query).scalar_one())


def count_begun_since(db: sa.Connection, user_id: int | None, *, since: int) -> int:
    """How many conversations a person has begun since then."""
    # What was begun since was touched since, which the index knows.
    query = sa.select(sa.func.count()).where(_c.user_id == user_id, _c.updated_at >= since, _c.created_at >= since)
    return int(db.execute(query).scalar_one())


def set_summary(db: sa.Connection, conversation_id: str, *, summary: str, sources: Iterable[str], count: int) -> bool:
    """Store what the first `count` messages come to, made of those posts, unless more is summed up already."""
    is_newer = sa.and_(_c.id == conversation_id, _c.summary_count < count)
    values = {"summary": summary, "summary_count": count, "version": _c.version + 1}
    if not db.execute(sa.update(conversations_table).where(is_newer).values(values)).rowcount:
        return False
    set_sources(db, conversation_id, Part.SUMMARY, sources)
    return True


def find_conversation(db: sa.Connection, conversation_id: str) -> Conversation | None:
    """Any conversation, for what is done in nobody's name."""
    row = db.execute(sa.select(*_CONVERSATION).where(_c.id == conversation_id)).one_or_none()
    return None if row is None else Conversation(*row)


def _to_message(row: Any) -> Message:
    passages = tuple(Passage(**each) for each in json.loads(row.passages))
    return Message(**dict(row._mapping) | {"passages": passages, "role": Role(row.role), "state": State(row.state)})
