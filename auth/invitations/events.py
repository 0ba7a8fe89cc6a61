"""What is recorded about invitations."""

from eventlog.kinds import declare

INVITATION_MADE = declare("invitation.made")
INVITATION_WITHDRAWN = declare("invitation.withdrawn")
INVITATION_USED = declare("invitation.used", person="user")


def about(invitation_id: str) -> str:
    """The subject of an event about an invitation."""
    return f"invitation:{invitation_id}"
