"""What is recorded about conversations. Each is a session of its own in the log."""

from dataclasses import dataclass

from auth.principal import Principal
from eventlog.kinds import declare

CONVERSATION_OPENED = declare("conversation.opened")
CONVERSATION_CHANGED = declare("conversation.changed")
CONVERSATION_ASKED = declare("conversation.asked")
CONVERSATION_ANSWERED = declare("conversation.answered")
GUIDE_CHANGED = declare("guide.changed")


@dataclass(frozen=True, slots=True)
class Asker:
    """Somebody in a conversation: what they do there is recorded under it."""

    log_session: str  # the conversation's id
    log_name: str
    user_id: int | None


def in_conversation(conversation_id: str, by: Principal) -> Asker:
    """The same person, as the log of a conversation has them."""
    return Asker(conversation_id, by.log_name, by.user_id)


def about(conversation_id: str) -> str:
    """The subject of an event about a conversation."""
    return f"conversation:{conversation_id}"
