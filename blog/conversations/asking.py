"""Asking: a question is stored, and the conversation held until it is answered.

The lock keeps others from beginning. The turn, which each question raises, is what the write that ends an answer is
checked against: whoever was paused past the lock's time changes nothing any more.
"""

from collections.abc import Callable
from contextlib import ExitStack, suppress

import sqlalchemy as sa

from auth.principal import Principal
from blog.conversations import queries
from blog.conversations.chain import find_open
from blog.conversations.events import CONVERSATION_ASKED, about, in_conversation
from blog.conversations.exchanging import Exchange, Surroundings
from blog.conversations.model import Message, Role, State
from blog.conversations.owning import title_with
from eventlog.ledger.announcing import announce
from eventlog.log.appending import append_event
from storage import clock
from storage.errors import Busy, Full
from storage.ids import new_id
from web.errors import Invalid, TooMany
from web.site.queries import read_site

LONGEST_QUESTION = 4000
OPERATION = "conversation.answer"
_RETRY_SECONDS = 5
_NOTHING_STORED = "Nothing of your question was stored: ask again in a moment."


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

    Raises as `find_open` and `check_question` do; TooMany, while another answer is on its way or when the day's
    questions are used up; Busy, when all that may be answered at once are. Nothing is stored then.
    """
    with around.database.reading() as db:
        owned, _post = find_open(db, name, by=by)
        content = check_question(content)
        check_day(db, by=by)
    lock_name = f"conversation:{owned.conversation.id}"
    token = around.locks.take(lock_name)
    if token is None:
        raise TooMany("The answer to another question is still on its way.", retry_after_seconds=_RETRY_SECONDS)
    with ExitStack() as held:
        held.callback(_release, around, lock_name, token)
        held.enter_context(around.places.taken(otherwise=_NOTHING_STORED, to=by.user_id))
        with around.transaction() as db:
            store = _store(db, name, content, by=by)
        return store(lock_name, token, held.pop_all())


def _store(db: sa.Connection, name: str, content: str, *, by: Principal) -> Callable[[str, str, ExitStack], Exchange]:
    # Anew: what the reader holds may have changed meanwhile, and what they asked elsewhere counts.
    owned, post = find_open(db, name, by=by)
    check_day(db, by=by)
    conversation, at = owned.conversation, clock.now()
    question = Message(new_id(), queries.next_number(db, conversation.id), Role.READER, content, "", (), State.DONE, at)
    title = title_with(conversation, post.title, content)
    turn = queries.raise_turn(db, conversation.id, user_id=by.user_id, title=title, at=at)
    assert turn is not None
    queries.insert_message(db, conversation.id, question)
    actor = in_conversation(conversation.id, by)
    payload = {"message": question.id, "content": content}
    append_event(
        db, CONVERSATION_ASKED, by=actor, subject=about(conversation.id), payload=payload, first_message=content
    )
    # With the question: whoever dies before it is answered leaves both.
    announce(db, OPERATION, by=actor, call_id=question.id, payload={"message": question.id})
    return lambda lock_name, token, held: Exchange(
        conversation, owned.guide_version, post, question, turn, lock_name, token, by, held
    )


def _release(around: Surroundings, lock_name: str, token: str) -> None:
    # Where it cannot be let go it runs out.
    with suppress(Busy, Full):
        around.locks.release(lock_name, token)


def check_day(db: sa.Connection, *, by: Principal) -> None:
    """Raise TooMany when the day's questions of that person are used up."""
    most = read_site(db).questions_a_day
    if queries.count_questions_since(db, by.user_id, since=clock.now() - clock.DAY) >= most:
        sentence = f"These were all the questions of one day, {most:,}. Come back tomorrow."
        raise TooMany(sentence, retry_after_seconds=3600)
