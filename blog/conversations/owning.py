"""One's own conversations: beginning one, its name and its place in the archive. Answers never begin or end one."""

import sqlalchemy as sa

from auth.principal import Principal
from blog.conversations import guide_queries, queries
from blog.conversations.chain import find_own
from blog.conversations.events import CONVERSATION_CHANGED, CONVERSATION_OPENED, in_conversation
from blog.conversations.events import about as subject_of
from blog.conversations.model import Conversation
from blog.library.holding import find_post
from blog.library.queries import find_source
from eventlog.log.appending import append_event
from storage import clock
from storage.ids import parse_id
from web.errors import Conflict, Forbidden, Invalid, NotFound, TooMany

LONGEST_TITLE = 200
MOST_A_DAY = 200
_RETRY_SECONDS = 3600
_LONGEST_OF_QUESTION = 80
NOT_SAVED = (
    "This post is not in your library. Save it first: the button stands under the post, and for programs it is "
    'POST /v1/library with {"post": …}.'
)


def check_free(db: sa.Connection, name: str, *, by: Principal) -> None:
    """Raise NotFound for the id of somebody else's conversation."""
    known = parse_id(name)
    if known is not None and queries.is_taken(db, known) and queries.find_owned(db, known, user_id=by.user_id) is None:
        raise NotFound("You have no conversation of that id.")


def open_conversation(
    db: sa.Connection, name: str, *, post: str, guide: str | None, title: str | None, by: Principal
) -> tuple[Conversation, bool]:
    """Begin a conversation under an id that its reader's browser made, and say whether that is new.

    The same id again gives the same conversation, whatever else is said. Raises NotFound for somebody else's, and for
    a post that they may not know of; Forbidden for one that they do not hold; Invalid; TooMany for a person who has
    begun as many as one may in a day.
    """
    assert by.user_id is not None
    known = parse_id(name)
    if known is None:
        raise Invalid({"id": "The id of a conversation is a UUID."})
    if (owned := queries.find_owned(db, known, user_id=by.user_id)) is not None:
        return owned.conversation, False
    check_free(db, known, by=by)
    if not post:
        raise Invalid({"post": "Name a post by its id or slug."})
    about = find_post(db, post, by=by)
    if find_source(db, about.id, user_id=by.user_id) is None:
        raise Forbidden(NOT_SAVED)
    at = clock.now()
    conversation = Conversation(
        id=known,
        user_id=by.user_id,
        guide_id=_find_guide(db, guide),
        post_id=about.id,
        title=check_title(title) if title is not None else _title_of(about.title),
        message_count=0,
        preview="",
        is_archived=False,
        turn=0,
        summary="",
        summary_count=0,
        version=1,
        created_at=at,
        updated_at=at,
    )
    if queries.count_begun_since(db, by.user_id, since=at - clock.DAY) >= MOST_A_DAY:
        sentence = f"{MOST_A_DAY} conversations were begun in one day. Go on with one of them, or come back tomorrow."
        raise TooMany(sentence, retry_after_seconds=_RETRY_SECONDS)
    queries.insert_conversation(db, conversation)
    append_event(
        db,
        CONVERSATION_OPENED,
        by=in_conversation(known, by),
        subject=subject_of(known),
        payload={"post": about.id, "guide": conversation.guide_id},
    )
    return conversation, True


def change(
    db: sa.Connection, name: str, *, title: str | None = None, is_archived: bool | None = None, by: Principal
) -> Conversation:
    """Give one's own conversation another name, or put it into the archive or out of it. Raises NotFound, Invalid."""
    conversation = find_own(db, name, by=by).conversation
    wanted = {"title": None if title is None else check_title(title), "is_archived": is_archived}
    changed = {name: value for name, value in wanted.items() if value not in (None, getattr(conversation, name))}
    if changed:
        queries.change_conversation(db, conversation.id, user_id=by.user_id, at=clock.now(), **changed)
        # That it has another title is told, and not which: it is for its reader alone.
        payload = {"changed": sorted(changed), **({"is_archived": is_archived} if "is_archived" in changed else {})}
        actor = in_conversation(conversation.id, by)
        append_event(db, CONVERSATION_CHANGED, by=actor, subject=subject_of(conversation.id), payload=payload)
        return find_own(db, conversation.id, by=by).conversation
    return conversation


def check_title(title: str) -> str:
    """The name, trimmed. Raises Invalid."""
    title = title.strip()
    if not 1 <= len(title) <= LONGEST_TITLE or not title.isprintable():
        raise Invalid({"title": f"Use 1 to {LONGEST_TITLE} characters that can be shown."})
    return title


def title_with(conversation: Conversation, post_title: str, question: str) -> str:
    """The name from this question on: the first is the name, unless its reader gave one."""
    if conversation.message_count or conversation.title != _title_of(post_title):
        return conversation.title
    words = " ".join("".join(each if each.isprintable() else " " for each in question).split())
    if len(words) > _LONGEST_OF_QUESTION:
        words = f"{words[:_LONGEST_OF_QUESTION].rpartition(' ')[0] or words[:_LONGEST_OF_QUESTION]} …"
    return words or conversation.title


def _title_of(post_title: str) -> str:
    return post_title[:LONGEST_TITLE]


def _find_guide(db: sa.Connection, name: str | None) -> str:
    if name:
        known = parse_id(name)
        guide = None if known is None else guide_queries.find_guide(db, known)
        if guide is None:
            raise Invalid({"guide": "There is no guide of that id."})
        return guide.id
    guides = guide_queries.list_guides(db)
    if not guides:
        raise Conflict("Nobody answers here at the moment.")
    return guides[0].id
