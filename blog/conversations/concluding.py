"""The write that ends an answer: in its own turn, and only while its reader may have it."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

import sqlalchemy as sa
import structlog

from auth.permissions import Permission, is_allowed
from auth.users.queries import find_standing
from blog.conversations import queries
from blog.conversations.caching import renew
from blog.conversations.chain import find_own, read_held_post
from blog.conversations.events import CONVERSATION_ANSWERED, about, in_conversation
from blog.conversations.exchanging import Exchange, Said, Surroundings, message_as_json
from blog.conversations.model import Message, Passage, Role, State
from blog.conversations.readable_queries import is_left_behind
from blog.conversations.showing import show
from blog.conversations.summarising import SUMMARISE, is_due
from blog.indexing.words import plain_text
from eventlog.ledger.announcing import Outcome, record_outcome
from eventlog.log.appending import append_event
from storage import clock
from storage.errors import Busy, Full
from storage.jobs import enqueue
from web.errors import Conflict, Forbidden, NotFound

_PREVIEW = 100
_BROKEN_OFF = "The answer broke off"
_SIGNED_OUT = "You were signed out meanwhile. What was said so far is kept: sign in, and it is in this conversation."
_TOKEN_ENDED = "This token was revoked, or it expired, meanwhile. What was said so far is kept in this conversation."
# An answer was shown already, and is lost if it cannot be written.
_PATIENCE_SECONDS, _PAUSE_SECONDS = 20.0, 0.05
_OUTCOMES = {State.DONE: Outcome.DONE, State.ABANDONED: Outcome.ABANDONED, State.FAILED: Outcome.FAILED}

log = structlog.get_logger()


def conclude(
    around: Surroundings,
    exchange: Exchange,
    answer_id: str,
    text: str,
    passages: Sequence[Passage],
    state: State,
    is_still_allowed: Callable[[sa.Connection], bool],
) -> Said:
    """Store what was said, and say what became of it. Where others write it is tried again for a while."""
    html = show(text, own_host=around.own_host, passages=passages)
    message = Message(answer_id, 0, Role.GUIDE, text, html, tuple(passages), state, clock.now())
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            with around.transaction(is_checked=False) as db:
                said, version = _write(db, around, exchange, message, is_still_allowed)
        except Busy:
            if time.monotonic() < deadline:
                time.sleep(_PAUSE_SECONDS)
                continue
            log.warning("answer not stored", reason="busy")
            return _error(503, "The site is too busy to keep this answer. Your question is kept.")
        except Full:
            log.warning("answer not stored", reason="full")
            return _error(503, "The disk of this site is full, so this answer is not kept. Your question is.")
        if version is not None:
            renew(around, exchange.conversation.id, version)
        return said


def may_go_on(db: sa.Connection, exchange: Exchange, is_still_allowed: Callable[[sa.Connection], bool]) -> bool:
    """Whether its reader may have more of the answer: by the same credential, and every link of the chain holds."""
    return is_still_allowed(db) and _may_keep(db, exchange)


def _may_keep(db: sa.Connection, exchange: Exchange) -> bool:
    """Whether what was said is its reader's to find again, whatever became of the credential they asked with."""
    user = find_standing(db, exchange.by.user_id or 0)
    if user is None or not is_allowed(Permission.CONVERSE, role=user.role, scopes=None):
        return False
    by = replace(exchange.by, role=user.role)
    try:
        read_held_post(db, find_own(db, exchange.conversation.id, by=by), by=by)
    except (Forbidden, NotFound):
        return False
    return True


def _write(
    db: sa.Connection,
    around: Surroundings,
    exchange: Exchange,
    message: Message,
    is_still_allowed: Callable[[sa.Connection], bool],
) -> tuple[Said, int | None]:
    conversation_id = exchange.conversation.id
    if not _may_keep(db, exchange):
        _record(db, exchange, Outcome.ABANDONED, "No longer allowed.")
        return _error(403, "You may not ask this post any more."), None
    quoted = {passage.post for passage in message.passages}
    if is_left_behind(db, quoted):
        _record(db, exchange, Outcome.ABANDONED, "What it quotes was deleted.")
        # Whoever erases what they wrote has looked through the answers, or will: none comes after.
        return _error(410, "What this answer quotes was deleted meanwhile."), None
    is_signed_in = is_still_allowed(db)
    if not is_signed_in and message.state == State.DONE:
        message = replace(message, state=State.ABANDONED)
    preview, at = _preview(message.html), message.created_at
    ended = queries.end_turn(db, conversation_id, turn=exchange.turn, preview=preview, sources=quoted, at=at)
    if ended is None:
        _record(db, exchange, Outcome.ABANDONED, "Another question was asked meanwhile.")
        return _error(409, "Another question was asked meanwhile."), None
    queries.insert_message(db, conversation_id, message, number=queries.next_number(db, conversation_id))
    actor, payload = in_conversation(conversation_id, exchange.by), {"message": message.id, "state": message.state}
    append_event(db, CONVERSATION_ANSWERED, by=actor, subject=about(conversation_id), payload=payload)
    _record(db, exchange, _OUTCOMES[message.state], None)
    if is_due(ended.message_count, exchange.conversation.summary_count):
        enqueue(db, SUMMARISE, {"conversation": conversation_id}, run_at=at)
    if not is_signed_in:
        return _error(401, _TOKEN_ENDED if exchange.by.has_token else _SIGNED_OUT), ended.version
    told = {"message": message_as_json(message, around.base_url), "message_count": ended.message_count}
    return Said("done", told), ended.version


def _record(db: sa.Connection, exchange: Exchange, outcome: Outcome, note: str | None) -> None:
    try:
        record_outcome(db, exchange.question.id, outcome, note=note)
    except (Conflict, NotFound):
        # Somebody has said by hand what became of it, while it was taken for left behind.
        log.warning("the outcome of an answer was settled already", call=exchange.question.id)


def _error(status: int, detail: str) -> Said:
    return Said("error", {"type": "about:blank", "title": _BROKEN_OFF, "status": status, "detail": detail})


def _preview(html: str) -> str:
    words = plain_text(html)
    return words if len(words) <= _PREVIEW else f"{words[:_PREVIEW].rpartition(' ')[0] or words[:_PREVIEW]} …"
