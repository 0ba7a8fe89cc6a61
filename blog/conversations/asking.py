"""One exchange: a question is stored, and answered piece by piece, one at a time in each conversation.

The lock keeps others from beginning. The turn, which each question raises, is what the write that ends an answer is
checked against: whoever was paused past the lock's time changes nothing any more.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from auth.principal import Principal
from blog.conversations import queries
from blog.conversations.answering import Answerer, Prompt, Silent
from blog.conversations.chain import find_open, find_own, read_held_post
from blog.conversations.events import CONVERSATION_ANSWERED, CONVERSATION_ASKED, about, in_conversation
from blog.conversations.model import Conversation, Guide, Message, Passage, Role, State
from blog.conversations.passages import find_passages
from blog.conversations.rewriting import CONTEXT, rewritten
from blog.conversations.showing import show
from blog.conversations.summarising import SUMMARISE, is_due
from blog.indexing.words import plain_text
from blog.posts.model import Post
from eventlog.ledger.announcing import Outcome, record_intent, record_outcome
from eventlog.log.appending import append_event
from storage import clock
from storage.engine import Database
from storage.ids import new_id
from storage.jobs import enqueue
from storage.locks.holding import HELD_SECONDS, Locks
from web.errors import Forbidden, Invalid, NotFound, TooMany

LONGEST_QUESTION = 4000
QUESTIONS_A_DAY = 200
_PREVIEW = 100
_RETRY_SECONDS = 5
_ASK_SECONDS = 0.5
_BROKEN_OFF = "The answer broke off."
OPERATION = "conversation.answer"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What an exchange is done with."""

    database: Database
    locks: Locks
    answerer: Answerer
    own_host: str | None
    base_url: str


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question that is stored, and whose answer is to come."""

    conversation: Conversation
    guide: Guide
    post: Post
    question: Message
    turn: int
    lock_name: str
    lock_token: str
    by: Principal


@dataclass(frozen=True, slots=True)
class Said:
    """A piece of an answer: `accepted`, `passage`, `delta`, `done`, `error`, or `waiting`: there is nothing new."""

    event: str
    data: dict[str, Any]


def check_question(content: str) -> str:
    """The question as it is stored. Raises Invalid."""
    content = content.replace("\r\n", "\n").strip()
    if not 1 <= len(content) <= LONGEST_QUESTION:
        raise Invalid({"content": f"Ask with 1 to {LONGEST_QUESTION:,} characters."})
    if any((character < " " and character not in "\n\t") or 0xD800 <= ord(character) < 0xE000 for character in content):
        raise Invalid({"content": "This holds a character that cannot be stored."})
    return content


def begin(around: Surroundings, name: str, content: str, *, by: Principal) -> Exchange:
    """Store a question, and hold the conversation until it is answered.

    Raises as `find_open` and `check_question` do; TooMany, and then nothing is stored, while another answer is on its
    way, or when the day's questions are used up.
    """
    with around.database.reading() as db:
        find_open(db, name, by=by)
    content = check_question(content)
    with around.database.reading() as db:
        owned, _post = find_open(db, name, by=by)
        _check_day(db, by=by)
    lock_name = f"conversation:{owned.conversation.id}"
    token = around.locks.take(lock_name)
    if token is None:
        raise TooMany("The answer to another question is still on its way.", retry_after_seconds=_RETRY_SECONDS)
    try:
        exchange = _store(around.database, name, content, lock_name, token, by=by)
        payload = {"message": exchange.question.id}
        actor = in_conversation(exchange.conversation.id, by)
        record_intent(around.database, OPERATION, by=actor, call_id=exchange.question.id, payload=payload)
    except BaseException:
        around.locks.release(lock_name, token)
        raise
    return exchange


def answer(
    around: Surroundings,
    exchange: Exchange,
    *,
    is_interrupted: Callable[[], bool],
    is_still_allowed: Callable[[sa.Connection], bool],
) -> Iterator[Said]:
    """Answer it. However this ends, what was said so far is stored, and the conversation let go.

    `is_still_allowed` is asked in the transaction that ends the answer: whoever lost the right gets no more of it.
    """
    answer_id, text, passages = new_id(), list[str](), list[Passage]()
    state, extended_at, asked_at = State.ABANDONED, time.monotonic(), time.monotonic()
    try:
        yield Said("accepted", {"message_id": exchange.question.id})
        prompt = _prepare(around, exchange)
        for passage in prompt.passages:
            passages.append(passage)
            yield Said("passage", passage_as_json(passage, around.base_url))
        for piece in around.answerer.answer(prompt):
            now = time.monotonic()
            if is_interrupted():
                return
            if now - asked_at > _ASK_SECONDS:
                asked_at = now
                with around.database.reading() as db:
                    if not _may_end(db, exchange, is_still_allowed):
                        break
            if now - extended_at > HELD_SECONDS / 3:
                extended_at = now
                if not around.locks.extend(exchange.lock_name, exchange.lock_token):
                    break
            if piece is None:
                yield Said("waiting", {})
            else:
                text.append(piece)
                yield Said("delta", {"text": piece})
        else:
            state = State.DONE
    except Silent as silent:
        state = State.FAILED
        text.append(silent.sentence)
    finally:
        answered = _conclude(around, exchange, answer_id, "".join(text), passages, state, is_still_allowed)
        around.locks.release(exchange.lock_name, exchange.lock_token)
    yield answered


def _store(database: Database, name: str, content: str, lock_name: str, token: str, *, by: Principal) -> Exchange:
    at = clock.now()
    with database.transaction() as db:
        # Anew: what the reader holds may have changed meanwhile.
        owned, post = find_open(db, name, by=by)
        conversation = owned.conversation
        number = queries.next_number(db, conversation.id)
        question = Message(new_id(), number, Role.READER, content, "", (), State.DONE, at)
        turn = queries.raise_turn(db, conversation.id, user_id=by.user_id, at=at)
        assert turn is not None
        queries.insert_message(db, conversation.id, question)
        append_event(
            db,
            CONVERSATION_ASKED,
            by=in_conversation(conversation.id, by),
            subject=about(conversation.id),
            payload={"message": question.id, "content": content},
            first_message=content,
        )
    return Exchange(conversation, owned.guide, post, question, turn, lock_name, token, by)


def _prepare(around: Surroundings, exchange: Exchange) -> Prompt:
    conversation, question = exchange.conversation, exchange.question.content
    with around.database.reading() as db:
        # The last one is the question itself.
        last = queries.list_last_messages(db, conversation.id, limit=11)[:-1]
    narrative = around.answerer.rewrite(question, last[-CONTEXT:])
    with around.database.reading() as db:
        found = find_passages(
            db,
            exchange.post,
            rewritten(narrative).keywords,
            scope=exchange.guide.scope,
            by=exchange.by,
            at=clock.now(),
        )
    return Prompt(exchange.guide, exchange.post.title, found, conversation.summary, last, question)


def _conclude(
    around: Surroundings,
    exchange: Exchange,
    answer_id: str,
    text: str,
    passages: list[Passage],
    state: State,
    is_still_allowed: Callable[[sa.Connection], bool],
) -> Said:
    at, conversation_id = clock.now(), exchange.conversation.id
    html = show(text, own_host=around.own_host)
    outcome = {State.DONE: Outcome.DONE, State.ABANDONED: Outcome.ABANDONED, State.FAILED: Outcome.FAILED}[state]
    # Whether they still may is asked in it.
    with around.database.transaction(is_checked=False) as db:
        if not _may_end(db, exchange, is_still_allowed):
            record_outcome(db, exchange.question.id, Outcome.ABANDONED, note="No longer allowed.")
            return Said("error", {"title": "You may not ask this post any more", "status": 403})
        count = queries.end_turn(db, conversation_id, turn=exchange.turn, preview=_preview(html), at=at)
        if count is None:
            record_outcome(db, exchange.question.id, Outcome.ABANDONED, note="Another question was asked meanwhile.")
            return Said("error", {"title": _BROKEN_OFF, "status": 409})
        number = queries.next_number(db, conversation_id)
        message = Message(answer_id, number, Role.GUIDE, text, html, tuple(passages), state, at)
        queries.insert_message(db, conversation_id, message)
        append_event(
            db,
            CONVERSATION_ANSWERED,
            by=in_conversation(conversation_id, exchange.by),
            subject=about(conversation_id),
            payload={"message": answer_id, "state": state},
        )
        record_outcome(db, exchange.question.id, outcome)
        if is_due(count, exchange.conversation.summary_count):
            enqueue(db, SUMMARISE, {"conversation": conversation_id, "count": count}, run_at=at)
    return Said("done", {"message": message_as_json(message, around.base_url), "message_count": count})


def _may_end(db: sa.Connection, exchange: Exchange, is_still_allowed: Callable[[sa.Connection], bool]) -> bool:
    if not is_still_allowed(db):
        return False
    try:
        read_held_post(db, find_own(db, exchange.conversation.id, by=exchange.by), by=exchange.by)
    except (Forbidden, NotFound):
        return False
    return True


def message_as_json(message: Message, base_url: str) -> dict[str, Any]:
    """What was said, as the API shows it."""
    return {
        "id": message.id,
        "role": message.role,
        "content": message.content,
        "html": message.html,
        "passages": [passage_as_json(passage, base_url) for passage in message.passages],
        "state": message.state,
        "created_at": clock.to_rfc3339(message.created_at),
    }


def passage_as_json(passage: Passage, base_url: str) -> dict[str, Any]:
    """A place that is quoted, as the API shows it."""
    return {
        "number": passage.number,
        "post": passage.post,
        "title": passage.title,
        "heading": passage.heading,
        "url": f"{base_url}{passage.url}",
        "quote": passage.quote,
    }


def _check_day(db: sa.Connection, *, by: Principal) -> None:
    since = clock.now() - clock.DAY
    if queries.count_questions_since(db, by.user_id, since=since) >= QUESTIONS_A_DAY:
        raise TooMany("These are all the questions of one day. Come back tomorrow.", retry_after_seconds=3600)


def _preview(html: str) -> str:
    words = plain_text(html)
    return words if len(words) <= _PREVIEW else f"{words[:_PREVIEW].rpartition(' ')[0] or words[:_PREVIEW]} …"
