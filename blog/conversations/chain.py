"""The chain of ownership: may read the post → holds it → conversation → messages. Every use looks at each link."""

from collections.abc import Sequence
from dataclasses import replace

import sqlalchemy as sa

from auth.permissions import Permission
from auth.principal import Principal
from auth.users.queries import find_standing
from blog.conversations import queries
from blog.conversations.model import Conversation, Message, Part, State
from blog.conversations.queries import Owned
from blog.conversations.readable_queries import find_readable_parts, find_versions
from blog.posts.model import ShownPost
from blog.posts.reading import read_shown
from storage import clock
from storage.ids import parse_id
from web.errors import Conflict, Forbidden, Gone, NotFound

NOT_HELD = (
    "This post is not in your library any more. Save it, or ask its author for it, and the conversation goes on; what "
    "you wrote stays here."
)
DELETED = (
    "This post was deleted. It cannot be asked any more, and what was answered from it is not shown; what you wrote "
    "stays here."
)
_ARCHIVED = "This conversation is archived. Take it out of the archive to go on."


def find_own(db: sa.Connection, name: str, *, by: Principal) -> Owned:
    """The conversation of that id, if it is theirs. Raises NotFound."""
    known = parse_id(name)
    owned = None if known is None else queries.find_owned(db, known, user_id=by.user_id)
    if owned is None:
        raise NotFound("You have no conversation of that id.")
    return owned


def is_open(db: sa.Connection, owned: Owned, *, by: Principal) -> bool:
    """Whether its reader may read and holds the post now; if not, all that is left is what they wrote themselves."""
    try:
        read_held_post(db, owned, by=by)
    except Forbidden:
        return False
    return True


def withhold(db: sa.Connection, messages: Sequence[Message], *, by: Principal) -> list[Message]:
    """What was said, as `by` may have it now: an answer that quotes what they may not read any more is empty.

    With a guide of the whole blog it may quote other posts than the one that was asked.
    """
    posts = {passage.post for message in messages for passage in message.passages}
    there = find_versions(db, posts, by=by, at=clock.now())
    return [
        message
        if all(passage.post in there for passage in message.passages)
        else replace(message, content="", html="", passages=(), state=State.WITHHELD)
        for message in messages
    ]


def without_unreadable(db: sa.Connection, conversation: Conversation, *, by: Principal) -> Conversation:
    """The row, as `by` may have it now: a part that was made of what they may not read any more is empty."""
    readable = find_readable_parts(db, conversation.id, by=by, at=clock.now())
    return replace(
        conversation,
        preview=conversation.preview if Part.PREVIEW in readable else "",
        summary=conversation.summary if Part.SUMMARY in readable else "",
    )


def find_reader(db: sa.Connection, conversation: Conversation) -> Principal | None:
    """Whose it is, if each link holds for them now: for work that is done later in their name, with no request."""
    user = find_standing(db, conversation.user_id)
    if user is None:
        return None
    reader = Principal(user.id, user.username, user.display_name, user.role)
    owned = queries.find_owned(db, conversation.id, user_id=user.id)
    is_theirs = owned is not None and reader.may(Permission.CONVERSE) and is_open(db, owned, by=reader)
    return reader if is_theirs else None


def find_open(db: sa.Connection, name: str, *, by: Principal) -> tuple[Owned, ShownPost]:
    """The conversation, to ask in it, and the post that it is about. Raises NotFound, Conflict, Forbidden."""
    owned = find_own(db, name, by=by)
    post = read_held_post(db, owned, by=by)
    if owned.conversation.is_archived:
        raise Conflict(_ARCHIVED)
    return owned, post


def read_held_post(db: sa.Connection, owned: Owned, *, by: Principal) -> ShownPost:
    """The post of a conversation of theirs. Raises Forbidden when they may not read it any more, or do not hold it."""
    try:
        readable = read_shown(db, by=by, post_id=owned.conversation.post_id)
    except Gone:
        raise Forbidden(DELETED) from None
    except NotFound:
        raise Forbidden(NOT_HELD) from None
    if readable.is_withheld or owned.held is None:
        raise Forbidden(NOT_HELD)
    return readable.post
