"""Answering a question that is stored, piece by piece. However it ends, what was said so far is kept."""

import time
from collections.abc import Callable, Generator

import sqlalchemy as sa
import structlog

from blog.conversations.answering import Silent
from blog.conversations.concluding import conclude, may_go_on
from blog.conversations.exchanging import Exchange, Said, Surroundings, passage_as_json
from blog.conversations.model import Passage, State
from blog.conversations.preparing import prepare
from storage.errors import Busy
from storage.ids import new_id
from storage.locks.holding import HELD_SECONDS

_ASK_SECONDS = 0.5
_BEAT_SECONDS = 5.0
_EXTEND_SECONDS = HELD_SECONDS / 3
_BUSY = "The site is too busy to answer right now. Your question is kept: ask again in a while."

log = structlog.get_logger()


def answer(
    around: Surroundings,
    exchange: Exchange,
    *,
    is_interrupted: Callable[[], bool],
    is_still_allowed: Callable[[sa.Connection], bool],
) -> Generator[Said, None, None]:
    """Answer it. However this ends, what was said so far is stored, and the conversation let go.

    `is_still_allowed` is asked in the transaction that ends the answer: whose credential has ended gets no more of it
    by that, and finds what was said so far; nothing is kept for whom the post or its conversation is closed.
    """
    answer_id, text, passages, state = new_id(), list[str](), list[Passage](), State.ABANDONED
    try:
        yield Said("accepted", {"message_id": exchange.question.id})
        prompt = prepare(around, exchange)
        for passage in prompt.passages:
            passages.append(passage)
            yield Said("passage", passage_as_json(passage, around.base_url))
        watch, beat_at = _Watch(around, exchange, is_still_allowed), float("-inf")
        for piece in around.answerer.answer(prompt):
            if is_interrupted():
                return
            if not watch.may_go_on():
                break
            if piece is None:
                if time.monotonic() - beat_at > _BEAT_SECONDS:
                    beat_at = time.monotonic()
                    yield Said("waiting", {})
            else:
                text.append(piece)
                yield Said("delta", {"text": piece})
        else:
            state = State.DONE
    except (Silent, Busy) as error:
        state = State.FAILED
        sentence = error.sentence if isinstance(error, Silent) else _BUSY
        text.append(f"\n\n{sentence}" if text else sentence)
        yield Said("delta", {"text": text[-1]})
    finally:
        try:
            answered = conclude(around, exchange, answer_id, "".join(text), passages, state, is_still_allowed)
        finally:
            exchange.held.close()
    yield answered


class _Watch:
    """Asks now and then whether an answer may go on, and keeps its lock."""

    def __init__(
        self, around: Surroundings, exchange: Exchange, is_still_allowed: Callable[[sa.Connection], bool]
    ) -> None:
        self._around, self._exchange, self._is_still_allowed = around, exchange, is_still_allowed
        self._extended_at = self._asked_at = time.monotonic()

    def may_go_on(self) -> bool:
        """False once the reader lost the right to it, or the lock was lost.

        Where the database is too busy to say, it goes on for this time: the lock is held for longer than it takes to
        ask a few times more, and the write that ends the answer asks in any case.
        """
        now = time.monotonic()
        if now - self._asked_at <= _ASK_SECONDS:
            return True
        self._asked_at = now
        try:
            with self._around.database.reading() as db:
                if not may_go_on(db, self._exchange, self._is_still_allowed):
                    return False
            if now - self._extended_at > _EXTEND_SECONDS:
                if not self._around.locks.extend(self._exchange.lock_name, self._exchange.lock_token):
                    return False
                self._extended_at = now
        except Busy:
            log.info("an answer goes on unasked", reason="busy")
        return True
