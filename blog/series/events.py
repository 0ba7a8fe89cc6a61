"""What is recorded about series."""

from eventlog.kinds import declare

SERIES_CREATED = declare("series.created")
SERIES_CHANGED = declare("series.changed")
SERIES_DELETED = declare("series.deleted")


def about(series_id: str) -> str:
    """The subject of an event about a series."""
    return f"series:{series_id}"
