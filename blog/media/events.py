"""What is recorded about pictures."""

from eventlog.kinds import declare

MEDIA_UPLOADED = declare("media.uploaded")
MEDIA_DESCRIBED = declare("media.described")
MEDIA_DELETED = declare("media.deleted")

# The operation that the ledger announces: a file gets its name, and then its row.
STORE = "media.store"


def about(media_id: str) -> str:
    """The subject of an event about a picture."""
    return f"media:{media_id}"
