"""What time it is: integer microseconds since 1970-01-01 UTC, the only form in which times are stored and compared."""

import time
from datetime import UTC, datetime, timedelta
from functools import lru_cache

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

# The years 1 to 9999 in microseconds: what `datetime` can say, with a day to spare for any time zone.
EARLIEST = -62_135_510_400 * SECOND
LATEST = 253_402_214_400 * SECOND

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def now() -> int:
    """Microseconds since the epoch, UTC."""
    return time.time_ns() // 1000


def to_datetime(at: int) -> datetime:
    """The moment `at` (microseconds) as an aware datetime in UTC. Raises OverflowError beyond the years 1 to 9999."""
    return _EPOCH + timedelta(microseconds=at)


def from_datetime(moment: datetime) -> int:
    """An aware datetime as microseconds; exact, which its float timestamp is not."""
    since = moment - _EPOCH
    return (since.days * 86_400 + since.seconds) * SECOND + since.microseconds


def to_rfc3339(at: int) -> str:
    """RFC 3339 in UTC, with microseconds only where there are some: `2026-11-20T08:15:00Z`."""
    return to_datetime(at).isoformat().replace("+00:00", "Z")


@lru_cache(maxsize=4096)
def to_html_time(at: int) -> str:
    """The same for pages, whose times have at most three digits behind the second, and stand in several places."""
    whole = to_rfc3339(at)
    return f"{whole[:23]}Z" if "." in whole else whole
