"""What is recorded about tokens."""

from eventlog.kinds import declare

TOKEN_CREATED = declare("token.created", person="for")
TOKEN_FIRST_USED = declare("token.first_used")
TOKEN_REVOKED = declare("token.revoked")


def about(token_id: str) -> str:
    """The subject of an event about a token."""
    return f"token:{token_id}"
