"""Everything that an answer is made of: read in few steps, some of it from caches."""

from typing import Any

from blog.conversations import guide_queries, queries
from blog.conversations.answering import Prompt, Silent
from blog.conversations.caching import (
    BOOK,
    CHARACTER,
    LAST,
    SESSION,
    TEXT,
    Book,
    Character,
    Session,
    Wanted,
    recall,
    session_key,
)
from blog.conversations.chain import withhold
from blog.conversations.exchanging import Exchange, Surroundings
from blog.conversations.model import Guide, Message, Part
from blog.conversations.passages import find_passages
from blog.conversations.readable_queries import find_readable_parts
from blog.conversations.rewriting import CONTEXT, key_of, to_look_for
from storage import clock


def prepare(around: Surroundings, exchange: Exchange) -> Prompt:
    """The prompt of an exchange. The versions are those of the ownership query that its question was stored with."""
    conversation, post, question = exchange.conversation, exchange.post, exchange.question.content
    guide_id, version = conversation.guide_id, exchange.guide_version
    context = _context(around, exchange)
    query = Wanted(
        f"chat:qr:{guide_id}:{key_of(question, context)}",
        version,
        TEXT,
        lambda: _rewrite(around, question, context),
    )
    wanted: list[Wanted[Any]] = [
        Wanted(f"chat:sp:{guide_id}", version, TEXT, lambda: _guide(around, guide_id).system_prompt),
        Wanted(f"chat:char:{guide_id}", version, CHARACTER, lambda: _character(_guide(around, guide_id))),
        Wanted(session_key(conversation.id), conversation.version, SESSION, lambda: _session(around, exchange)),
        Wanted(
            f"chat:book:{post.id}",
            post.version,
            BOOK,
            lambda: Book(post.title, post.author_name, post.summary, tuple(post.tags)),
        ),
    ]
    if around.cache is None:
        values = [*recall(None, wanted), *recall(around.remembered, [query])]
    else:
        values = recall(around.cache, [*wanted, query])
    system_prompt, character, session, book, narrative = values
    guide = Guide(
        character.id,
        character.name,
        system_prompt,
        character.greeting,
        character.scope,
        character.version,
        None,
    )
    with around.database.reading() as db:
        found = find_passages(
            db,
            post,
            to_look_for(narrative or question),
            scope=guide.scope,
            by=exchange.by,
            at=clock.now(),
        )
        # Permission is not in a cache.
        last = withhold(db, session.last, by=exchange.by)
        may_recall = Part.SUMMARY in find_readable_parts(db, conversation.id, by=exchange.by, at=clock.now())
    return Prompt(
        guide,
        book.title,
        found,
        session.summary if may_recall else "",
        last,
        question,
        author=book.author,
        description=book.description,
        tags=book.tags,
    )


def _context(around: Surroundings, exchange: Exchange) -> list[Message]:
    """The last that was said before the question: it gives the question its meaning, and its key."""
    with around.database.reading() as db:
        said = queries.list_last_messages(db, exchange.conversation.id, limit=CONTEXT, before=exchange.question.number)
        return withhold(db, said, by=exchange.by)


def _rewrite(around: Surroundings, question: str, context: list[Message]) -> str:
    try:
        return around.answerer.rewrite(question, context)
    except Silent:
        return ""


def _guide(around: Surroundings, guide_id: str) -> Guide:
    with around.database.reading() as db:
        guide = guide_queries.find_any_guide(db, guide_id)
    assert guide is not None
    return guide


def _character(guide: Guide) -> Character:
    return Character(guide.id, guide.name, guide.greeting, guide.scope, guide.version)


def _session(around: Surroundings, exchange: Exchange) -> Session:
    conversation = exchange.conversation
    with around.database.reading() as db:
        last = queries.list_last_messages(db, conversation.id, limit=LAST, before=exchange.question.number)
    return Session(conversation.summary, tuple(last))
