"""What is recorded about passkeys."""

from eventlog.kinds import declare

PASSKEY_ADDED = declare("passkey.added")
PASSKEY_RENAMED = declare("passkey.renamed")
PASSKEY_REMOVED = declare("passkey.removed")


def about(passkey_id: str) -> str:
    """The subject of an event about a passkey."""
    return f"passkey:{passkey_id}"
